//! Messages written as one line of JSON text, straight into the caller's buffer.

use super::Id;

/// Writes a success response; `result` writes the JSON of the `result` member.
pub fn encode_result(out: &mut Vec<u8>, id: &Id, result: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    out.extend_from_slice(id.as_json().as_bytes());
    out.extend_from_slice(br#","result":"#);
    result(out);
    out.push(b'}');
}

/// What stands for the id in an error about a message whose id is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownId {
    /// The member is left out (MCP from 2025-11-25 on).
    Absent,
    /// `"id":null` (JSON-RPC 2.0, section 5).
    Null,
}

/// Writes an error response; `error` writes the error object.
pub fn encode_error(
    out: &mut Vec<u8>,
    id: Option<&Id>,
    unknown: UnknownId,
    error: impl FnOnce(&mut Vec<u8>),
) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","#);
    match (id, unknown) {
        (Some(id), _) => {
            out.extend_from_slice(br#""id":"#);
            out.extend_from_slice(id.as_json().as_bytes());
            out.push(b',');
        }
        (None, UnknownId::Null) => out.extend_from_slice(br#""id":null,"#),
        (None, UnknownId::Absent) => (),
    }
    out.extend_from_slice(br#""error":"#);
    error(out);
    out.push(b'}');
}

/// Writes a request of ours; `params` is JSON text.
pub fn encode_request(out: &mut Vec<u8>, id: &Id, method: &str, params: Option<&[u8]>) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    out.extend_from_slice(id.as_json().as_bytes());
    out.push(b',');
    write_call(out, method, params);
}

/// Writes a notification; `params` is JSON text.
pub fn encode_notification(out: &mut Vec<u8>, method: &str, params: Option<&[u8]>) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","#);
    write_call(out, method, params);
}

fn write_call(out: &mut Vec<u8>, method: &str, params: Option<&[u8]>) {
    out.extend_from_slice(br#""method":"#);
    write_json_string(out, method);
    if let Some(params) = params {
        out.extend_from_slice(br#","params":"#);
        out.extend_from_slice(params);
    }
    out.push(b'}');
}

/// Writes `text` as a JSON string, quoted and escaped (RFC 8259, section 7).
pub fn write_json_string(out: &mut Vec<u8>, text: &str) {
    // Neither a string nor memory to write it into can fail.
    _ = serde_json::to_writer(&mut *out, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let mut out = Vec::new();
        write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn every_message_is_one_line() {
        let id = Id::parse(r#""a\"b""#).unwrap();
        check(r#"{"jsonrpc":"2.0","id":"a\"b","result":{}}"#, |out| {
            encode_result(out, &id, |out| out.extend_from_slice(b"{}"));
        });
        check(r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#, |out| {
            encode_request(out, &Id::number(7), "ping", None);
        });
        check(
            r#"{"jsonrpc":"2.0","method":"n","params":{"a":1}}"#,
            |out| {
                encode_notification(out, "n", Some(br#"{"a":1}"#));
            },
        );
    }

    #[test]
    fn an_unknown_id_is_null_or_absent() {
        let error = |out: &mut Vec<u8>| out.extend_from_slice(br#"{"code":1}"#);
        check(r#"{"jsonrpc":"2.0","id":null,"error":{"code":1}}"#, |out| {
            encode_error(out, None, UnknownId::Null, error);
        });
        check(r#"{"jsonrpc":"2.0","error":{"code":1}}"#, |out| {
            encode_error(out, None, UnknownId::Absent, error);
        });
        check(r#"{"jsonrpc":"2.0","id":"a","error":{"code":1}}"#, |out| {
            encode_error(
                out,
                Some(&Id::parse(r#""a""#).unwrap()),
                UnknownId::Absent,
                error,
            );
        });
    }
}
