//! The error codes of every revision and the error object as it goes on the wire.
//!
//! Not the JSON-RPC envelope around it (`jsonrpc`), and not the HTTP status (`transport`). Called
//! by handlers and by everything here that refuses a request.

use std::borrow::Cow;
use std::fmt;

use serde_json::value::RawValue;

use super::capabilities::ClientCapabilities;
use super::json;
use super::revision::Revision;

/// The text is not JSON.
pub const PARSE_ERROR: i64 = -32700;
/// The JSON is not a request.
pub const INVALID_REQUEST: i64 = -32600;
/// The method does not exist or is not offered.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// The params break a rule; also unknown tools, prompts, cursors, tasks.
pub const INVALID_PARAMS: i64 = -32602;
/// Our fault.
pub const INTERNAL_ERROR: i64 = -32603;
/// Unknown resource, until 2025-11-25; must not be sent later.
pub const RESOURCE_NOT_FOUND: i64 = -32002;
/// An HTTP header is missing, malformed or differs from the body (2026-07-28).
pub const HEADER_MISMATCH: i64 = -32020;
/// The request needs a client capability that was not declared (2026-07-28).
pub const MISSING_CLIENT_CAPABILITY: i64 = -32021;
/// The version is not spoken here (2026-07-28).
pub const UNSUPPORTED_VERSION: i64 = -32022;
/// A URL elicitation must be completed first (2025-11-25 only).
pub const URL_ELICITATION_REQUIRED: i64 = -32042;

/// Code and name of everything above, for metrics and logs.
pub const CODES: &[(i64, &str)] = &[
    (PARSE_ERROR, "parse_error"),
    (INVALID_REQUEST, "invalid_request"),
    (METHOD_NOT_FOUND, "method_not_found"),
    (INVALID_PARAMS, "invalid_params"),
    (INTERNAL_ERROR, "internal_error"),
    (RESOURCE_NOT_FOUND, "resource_not_found"),
    (HEADER_MISMATCH, "header_mismatch"),
    (MISSING_CLIENT_CAPABILITY, "missing_client_capability"),
    (UNSUPPORTED_VERSION, "unsupported_version"),
    (URL_ELICITATION_REQUIRED, "url_elicitation_required"),
];

/// The name of a code, `other` for those of an application.
pub fn name(code: i64) -> &'static str {
    CODES
        .iter()
        .find(|(known, _)| *known == code)
        .map_or("other", |(_, name)| name)
}

/// An error object: what stands under `error` in a JSON-RPC response.
#[derive(Clone, Debug)]
pub struct ProtocolError {
    /// One of the codes above, or an application's own outside -32768…-32000.
    pub code: i64,
    /// One sentence for a person.
    pub message: Cow<'static, str>,
    /// Facts for a program, by code.
    pub data: Option<Box<RawValue>>,
}

impl ProtocolError {
    /// An error without data.
    pub fn new(code: i64, message: impl Into<Cow<'static, str>>) -> ProtocolError {
        ProtocolError {
            code,
            message: message.into(),
            data: None,
        }
    }

    /// -32700.
    pub fn parse_error(message: impl Into<Cow<'static, str>>) -> ProtocolError {
        ProtocolError::new(PARSE_ERROR, message)
    }

    /// -32600.
    pub fn invalid_request(message: impl Into<Cow<'static, str>>) -> ProtocolError {
        ProtocolError::new(INVALID_REQUEST, message)
    }

    /// -32601 for this method.
    pub fn method_not_found(method: &str) -> ProtocolError {
        let method = shorten(method);
        ProtocolError::new(
            METHOD_NOT_FOUND,
            format!("method `{method}` is not offered here"),
        )
    }

    /// -32602.
    pub fn invalid_params(message: impl Into<Cow<'static, str>>) -> ProtocolError {
        ProtocolError::new(INVALID_PARAMS, message)
    }

    /// -32603. The detail belongs in the log, not here.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> ProtocolError {
        ProtocolError::new(INTERNAL_ERROR, message)
    }

    /// -32602 for a tool nobody offers.
    pub fn unknown_tool(tool: &str) -> ProtocolError {
        ProtocolError::invalid_params(format!("unknown tool `{}`", shorten(tool)))
    }

    /// -32602 for a prompt nobody offers.
    pub fn unknown_prompt(prompt: &str) -> ProtocolError {
        ProtocolError::invalid_params(format!("unknown prompt `{}`", shorten(prompt)))
    }

    /// -32602 for a task nobody knows.
    pub fn unknown_task(task_id: &str) -> ProtocolError {
        ProtocolError::invalid_params(format!("unknown or expired task `{}`", shorten(task_id)))
    }

    /// The revision's code for an unknown resource, with `data.uri`.
    pub fn resource_not_found(uri: &str, revision: Revision) -> ProtocolError {
        let message = format!("no resource `{}`", shorten(uri));
        ProtocolError::new(revision.resource_not_found_code(), message)
            .with_data(|data| data.string("uri", uri))
    }

    /// -32022 with `data.supported` (what server/discover lists) and `data.requested`.
    pub fn unsupported_version(requested: &str) -> ProtocolError {
        let message = format!("protocol version `{}` is not supported", shorten(requested));
        ProtocolError::new(UNSUPPORTED_VERSION, message).with_data(|data| {
            data.strings("supported", &Revision::ALL.map(Revision::as_str));
            data.string("requested", requested);
        })
    }

    /// -32021 with `data.requiredCapabilities`, shaped like the client's own declaration.
    pub fn missing_capabilities(missing: &ClientCapabilities) -> ProtocolError {
        let message = format!("the client did not declare {missing}");
        ProtocolError::new(MISSING_CLIENT_CAPABILITY, message)
            .with_data(|data| missing.write(data.key("requiredCapabilities")))
    }

    /// -32042 with the URL elicitations that must be completed first; each is the params object of
    /// an `elicitation/create` in URL mode.
    pub fn url_elicitation_required(elicitations: &[Box<RawValue>]) -> ProtocolError {
        let message = "a URL elicitation must be completed first";
        ProtocolError::new(URL_ELICITATION_REQUIRED, message).with_data(|data| {
            data.array("elicitations", |array| {
                for elicitation in elicitations {
                    json::raw(array.element(), elicitation.get());
                }
            });
        })
    }

    /// The same error with the `data` object that `fill` writes.
    pub fn with_data(mut self, fill: impl FnOnce(&mut json::Object<'_>)) -> ProtocolError {
        let mut out = Vec::new();
        json::object(&mut out, fill);
        self.data = String::from_utf8(out)
            .ok()
            .and_then(|text| RawValue::from_string(text).ok());
        self
    }

    /// Writes `{"code":…,"message":…,"data":…}`.
    pub fn write(&self, out: &mut Vec<u8>) {
        json::object(out, |error| {
            error.integer("code", self.code);
            error.string("message", &self.message);
            error.optional_raw("data", self.data.as_deref());
        });
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, name(self.code), self.message)
    }
}

/// A client's text in an error message: at most 128 bytes, so that an error stays an error and
/// does not become an amplifier.
pub fn shorten(text: &str) -> Cow<'_, str> {
    const SHOWN_BYTES_MAX: usize = 128;
    if text.len() <= SHOWN_BYTES_MAX {
        return Cow::Borrowed(text);
    }
    let mut ends = (0..=SHOWN_BYTES_MAX).rev();
    let end = ends.find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(error: &ProtocolError) -> String {
        let mut out = Vec::new();
        error.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn data_by_code() {
        assert_eq!(
            text(&ProtocolError::unsupported_version("v9")),
            r#"{"code":-32022,"message":"protocol version `v9` is not supported","data":{"supported":["2024-11-05","2025-03-26","2025-06-18","2025-11-25","2026-07-28"],"requested":"v9"}}"#
        );
        assert_eq!(
            text(&ProtocolError::resource_not_found(
                "a:b",
                Revision::V2025_06_18
            )),
            r#"{"code":-32002,"message":"no resource `a:b`","data":{"uri":"a:b"}}"#
        );
        let missing = ClientCapabilities {
            sampling: true,
            ..ClientCapabilities::default()
        };
        assert_eq!(
            text(&ProtocolError::missing_capabilities(&missing)),
            r#"{"code":-32021,"message":"the client did not declare `sampling`","data":{"requiredCapabilities":{"sampling":{}}}}"#
        );
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let exact = "x".repeat(128);
        assert_eq!(shorten(&exact), exact);
        let long = "é".repeat(65);
        assert_eq!(shorten(&long).chars().count(), 65);
        assert!(shorten(&format!("a{long}")).len() < 132);
    }

    #[test]
    fn every_code_has_a_name_of_its_own() {
        for (code, known) in CODES {
            assert_eq!(name(*code), *known);
        }
        assert_eq!(name(-32000), "other");
    }
}
