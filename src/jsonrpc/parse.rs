//! From received text to messages, strictly (JSON-RPC 2.0, sections 4 to 6).
//!
//! Two passes, each linear: UTF-8, and the members of the envelope. What they hold stays raw, but it is checked whole, its
//! depth too: whoever reads it later meets nothing that is not JSON, and never more than `json_depth`.

use std::fmt;

use serde_json::value::RawValue;

use crate::raw::{self, Elements, Invalid, Members, Raw};

use super::{
    INVALID_REQUEST, Id, IdError, Incoming, Message, Notification, PARSE_ERROR, Request, Response,
    ResponseBody,
};

/// The bounds and leniencies of one endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Longest batch; an element more refuses the whole batch. (`limits.batch`)
    pub batch_len_max: usize,
    /// Deepest nesting of objects and arrays. (`limits.json_depth`)
    pub depth_max: usize,
    /// What is asked of the envelope.
    pub envelope: Envelope,
}

/// How strict the envelope is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// `jsonrpc` may be absent, and then `id` too: such a call is a request whose answer has the
    /// id null. Only for the plain endpoints, whose old examples post `{"method": …}` so.
    Lenient,
    /// JSON-RPC 2.0 to the letter.
    Strict,
}

/// Why a text, or one element of a batch, is not a message.
#[derive(Debug, Clone, PartialEq)]
pub struct ParseError {
    /// The id to answer with, if the text had a usable one.
    pub id: Option<Id>,
    /// What is wrong.
    pub kind: ParseErrorKind,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq)]
pub enum ParseErrorKind {
    /// A batch of more than `batch_len_max` elements.
    BatchTooLong {
        /// How many it has.
        got: usize,
        /// The bound.
        limit: usize,
    },
    /// An envelope member stands twice; which one counts would be a guess.
    DuplicateMember(&'static str),
    /// A batch of no elements (JSON-RPC 2.0, section 6).
    EmptyBatch,
    /// The id is no string or integer.
    Id(IdError),
    /// Not exactly one of `method`, `result` and `error`, or a response without an id.
    NoKind,
    /// Valid JSON, but no object.
    NotAnObject,
    /// `params` is no object or array.
    Params,
    /// Not JSON; the text says where.
    Syntax(String),
    /// Nested deeper than `depth_max`.
    TooDeep {
        /// The bound.
        limit: usize,
    },
    /// Not UTF-8.
    Utf8,
    /// `jsonrpc` is absent or is not `"2.0"`.
    Version,
}

/// Parses one received text. Never recurses, never allocates more than the batch vector.
pub fn parse<'a>(bytes: &'a [u8], rules: &Rules) -> Result<Incoming<'a>, ParseError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ParseErrorKind::Utf8.into_error())?;
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'{') => parse_message(text, rules).map(Incoming::Single),
        Some(b'[') => parse_batch(text, rules),
        _ => match Raw::parse(text) {
            Some(_) if !has_a_lone_surrogate(bytes) => {
                Err(ParseErrorKind::NotAnObject.into_error())
            }
            _ => Err(syntax_error(text)),
        },
    }
}

fn parse_batch<'a>(text: &'a str, rules: &Rules) -> Result<Incoming<'a>, ParseError> {
    let mut elements = Elements::of(text, rules.depth_max);
    let mut messages = Vec::new();
    let mut got = 0usize;
    while let Some(element) = (elements.next_element()).map_err(|why| refusal(why, text, rules))? {
        got = got.saturating_add(1);
        // What is too long is counted to its end, and not kept.
        if got <= rules.batch_len_max {
            messages.push(match element.first_byte() {
                b'{' => parse_message(element.get(), rules),
                _ => Err(ParseErrorKind::NotAnObject.into_error()),
            });
        }
    }
    if elements.has_escapes() && has_a_lone_surrogate(text.as_bytes()) {
        return Err(syntax_error(text));
    }
    if got == 0 {
        return Err(ParseErrorKind::EmptyBatch.into_error());
    }
    if got > rules.batch_len_max {
        let limit = rules.batch_len_max;
        return Err(ParseErrorKind::BatchTooLong { got, limit }.into_error());
    }
    Ok(Incoming::Batch(messages))
}

fn refusal(why: Invalid, text: &str, rules: &Rules) -> ParseError {
    let limit = rules.depth_max;
    match why {
        Invalid::Syntax => syntax_error(text),
        Invalid::TooDeep => ParseErrorKind::TooDeep { limit }.into_error(),
    }
}

/// Says why a text is refused, by who tells it best. It is not read for anything else.
fn syntax_error(text: &str) -> ParseError {
    let why = match serde_json::from_str::<&RawValue>(text) {
        Err(error) => error.to_string(),
        Ok(_) => "an escape is half of a surrogate pair".to_owned(),
    };
    ParseErrorKind::Syntax(why).into_error()
}

fn parse_message<'a>(text: &'a str, rules: &Rules) -> Result<Message<'a>, ParseError> {
    let members = Slots::read(text, rules)?;
    let id = members.id.map(|raw| Id::parse(raw.get()));
    if let Some(member) = members.duplicate {
        return fail(id, ParseErrorKind::DuplicateMember(member));
    }
    let version_is_absent_but_tolerated =
        members.jsonrpc.is_none() && rules.envelope == Envelope::Lenient;
    if !version_is_absent_but_tolerated && members.jsonrpc.map(Raw::get) != Some(r#""2.0""#) {
        return fail(id, ParseErrorKind::Version);
    }
    let params = members.params;
    if params.is_some_and(|params| !matches!(params.first_byte(), b'{' | b'[')) {
        return fail(id, ParseErrorKind::Params);
    }
    let method = match members.method.map(Raw::text) {
        None => None,
        Some(Some(method)) => Some(method),
        Some(None) => return fail(id, ParseErrorKind::NoKind),
    };
    match (method, members.result, members.error, id) {
        (Some(method), None, None, None | Some(Err(IdError::WrongType)))
            if version_is_absent_but_tolerated && !is_a_value(members.id) =>
        {
            Ok(Message::Request(Request {
                id: Id::null(),
                method,
                params,
            }))
        }
        (_, _, _, Some(Err(error))) => fail(None, ParseErrorKind::Id(error)),
        (Some(method), None, None, Some(Ok(id))) => {
            Ok(Message::Request(Request { id, method, params }))
        }
        (Some(method), None, None, None) => {
            Ok(Message::Notification(Notification { method, params }))
        }
        (None, Some(result), None, Some(Ok(id))) => Ok(Message::Response(Response {
            id,
            body: ResponseBody::Result(result),
        })),
        (None, None, Some(error), Some(Ok(id))) => Ok(Message::Response(Response {
            id,
            body: ResponseBody::Error(error),
        })),
        (_, _, _, id) => fail(id, ParseErrorKind::NoKind),
    }
}

/// A refusal for whoever gave the id, if it was a good one.
fn fail<T>(id: Option<Result<Id, IdError>>, kind: ParseErrorKind) -> Result<T, ParseError> {
    let id = id.and_then(Result::ok);
    Err(ParseError { id, kind })
}

/// Whether an `id` member says anything: absent and null do not.
fn is_a_value(id: Option<Raw<'_>>) -> bool {
    id.is_some_and(|id| !id.is_null())
}

/// The members of the envelope. Others are skipped: the MCP schema leaves its message objects open.
#[derive(Default)]
struct Slots<'a> {
    jsonrpc: Option<Raw<'a>>,
    id: Option<Raw<'a>>,
    method: Option<Raw<'a>>,
    params: Option<Raw<'a>>,
    result: Option<Raw<'a>>,
    error: Option<Raw<'a>>,
    duplicate: Option<&'static str>,
}

impl<'a> Slots<'a> {
    fn read(text: &'a str, rules: &Rules) -> Result<Slots<'a>, ParseError> {
        let mut found = Slots::default();
        let mut members = Members::of(text, rules.depth_max);
        while let Some((name, value)) =
            (members.next_member()).map_err(|why| refusal(why, text, rules))?
        {
            let (slot, name) = match &*name {
                "jsonrpc" => (&mut found.jsonrpc, "jsonrpc"),
                "id" => (&mut found.id, "id"),
                "method" => (&mut found.method, "method"),
                "params" => (&mut found.params, "params"),
                "result" => (&mut found.result, "result"),
                "error" => (&mut found.error, "error"),
                _ => continue,
            };
            if slot.replace(value).is_some() {
                found.duplicate = Some(name);
            }
        }
        // Few texts have any escape.
        if members.has_escapes() && has_a_lone_surrogate(text.as_bytes()) {
            return Err(syntax_error(text));
        }
        Ok(found)
    }
}

/// Whether some `\uD800` to `\uDFFF` is not one of a pair. Such a text has no UTF-8, so what is passed on as it was
/// written, ids above all, would be refused by others (RFC 8259, section 8.2). On text that is not JSON any answer is
/// fine.
fn has_a_lone_surrogate(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        rest = rest.get(at..).unwrap_or_default();
        match surrogate(rest) {
            Some(0xdc00..) => return true,
            Some(_) => match surrogate(rest.get(6..).unwrap_or_default()) {
                Some(0xdc00..) => rest = rest.get(12..).unwrap_or_default(),
                _ => return true,
            },
            None => rest = rest.get(2..).unwrap_or_default(),
        }
    }
    false
}

/// The surrogate that an escape at the start of `bytes` stands for, if it does.
fn surrogate(bytes: &[u8]) -> Option<u16> {
    let hex = bytes.strip_prefix(b"\\u")?.get(..4)?;
    let unit = u16::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?;
    (0xd800..=0xdfff).contains(&unit).then_some(unit)
}

impl ParseErrorKind {
    fn into_error(self) -> ParseError {
        ParseError {
            id: None,
            kind: self,
        }
    }
}

impl ParseError {
    /// The JSON-RPC error code (section 5.1): what cannot be read is -32700, what can be read and
    /// is no message is -32600.
    pub fn code(&self) -> i64 {
        match self.kind {
            ParseErrorKind::Syntax(_) | ParseErrorKind::TooDeep { .. } | ParseErrorKind::Utf8 => {
                PARSE_ERROR
            }
            _ => INVALID_REQUEST,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ParseErrorKind::BatchTooLong { got, limit } => {
                write!(
                    f,
                    "batch of {got} messages exceeds `limits.batch` ({limit})"
                )
            }
            ParseErrorKind::DuplicateMember(name) => write!(f, "member `{name}` stands twice"),
            ParseErrorKind::EmptyBatch => f.write_str("a batch needs at least one message"),
            ParseErrorKind::Id(error) => error.fmt(f),
            ParseErrorKind::NoKind => f.write_str(
                "expected a string `method`, or an `id` with exactly one of `result` and `error`",
            ),
            ParseErrorKind::NotAnObject => f.write_str("a message must be a JSON object"),
            ParseErrorKind::Params => f.write_str("`params` must be an object or an array"),
            ParseErrorKind::Syntax(detail) => write!(f, "invalid JSON: {detail}"),
            ParseErrorKind::TooDeep { limit } => {
                write!(f, "JSON nested deeper than `limits.json_depth` ({limit})")
            }
            ParseErrorKind::Utf8 => f.write_str("the message is not UTF-8"),
            ParseErrorKind::Version => f.write_str("`jsonrpc` must be \"2.0\""),
        }
    }
}

/// Drives the parser with arbitrary bytes and checks what must hold of any outcome.
#[doc(hidden)]
pub fn fuzz_parse(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && text.matches(['[', '{']).count() <= raw::DEPTH_MAX
    {
        let peer = serde_json::from_str::<&RawValue>(text).ok();
        assert_eq!(Raw::parse(text).map(Raw::get), peer.map(RawValue::get));
    }
    for envelope in [Envelope::Lenient, Envelope::Strict] {
        let rules = Rules {
            batch_len_max: 4,
            depth_max: 8,
            envelope,
        };
        match parse(bytes, &rules) {
            Ok(Incoming::Batch(messages)) => assert!((1..=4).contains(&messages.len())),
            Ok(Incoming::Single(Message::Request(request))) => {
                let id = request.id.as_json();
                assert!(Id::check(id).is_ok() || id == "null" && envelope == Envelope::Lenient);
            }
            Ok(Incoming::Single(_)) => (),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        batch_len_max: 3,
        depth_max: 4,
        envelope: Envelope::Strict,
    };
    const LENIENT: Rules = Rules {
        envelope: Envelope::Lenient,
        ..RULES
    };

    #[track_caller]
    fn request<'a>(text: &'a str, rules: &Rules) -> Request<'a> {
        match parse(text.as_bytes(), rules) {
            Ok(Incoming::Single(Message::Request(request))) => request,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[track_caller]
    fn refused(text: &[u8], kind: ParseErrorKind, id: Option<&str>) {
        let error = parse(text, &RULES).expect_err("refused");
        assert_eq!(error.kind, kind);
        assert_eq!(error.id.as_ref().map(Id::as_json), id);
    }

    #[track_caller]
    fn refused_syntax(text: &[u8]) {
        let error = parse(text, &RULES).expect_err("refused");
        assert_eq!(error.code(), PARSE_ERROR, "{error}");
        assert_eq!(error.id, None);
    }

    #[test]
    fn a_request_keeps_its_id_and_params_verbatim() {
        let text = r#" {"method":"a\u002fb","params":{"x": 1.0e2},"id":18446744073709551616,"jsonrpc":"2.0","extra":[]}"#;
        let request = request(text, &RULES);
        assert_eq!(request.id.as_json(), "18446744073709551616");
        assert_eq!(request.method, "a/b");
        assert_eq!(request.params.unwrap().get(), r#"{"x": 1.0e2}"#);
    }

    #[test]
    fn surrogates_come_in_pairs() {
        let with = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"x"}}"#);
        for id in [
            r"\ud83d\uDE00",
            r"\\ud800",
            r"\ud7ff\ue000",
            r"\\\ud83d\ude00",
        ] {
            assert_eq!(request(&with(id), &RULES).method, "x", "{id}");
        }
        for id in [
            r"\ud800",
            r"\uDFFF",
            r"\ud83d\ud83d",
            r"\ud83d\\ude00",
            r"\ud83d",
        ] {
            refused_syntax(with(id).as_bytes());
        }
    }

    #[test]
    fn kinds_are_told_apart() {
        let parse = |text: &'static str| match parse(text.as_bytes(), &RULES) {
            Ok(Incoming::Single(message)) => message,
            other => panic!("{text}: {other:?}"),
        };
        assert!(matches!(
            parse(r#"{"jsonrpc":"2.0","method":"ping"}"#),
            Message::Notification(_)
        ));
        assert!(matches!(
            parse(r#"{"jsonrpc":"2.0","id":1,"result":null}"#),
            Message::Response(Response {
                body: ResponseBody::Result(_),
                ..
            })
        ));
        assert!(matches!(
            parse(r#"{"jsonrpc":"2.0","id":"1","error":{}}"#),
            Message::Response(Response {
                body: ResponseBody::Error(_),
                ..
            })
        ));
    }

    #[test]
    fn the_lenient_envelope_misses_only_the_version() {
        assert_eq!(
            request(r#"{"id":1,"method":"tools/list"}"#, &LENIENT).method,
            "tools/list"
        );
        assert_eq!(
            request(r#"{"method":"tools/list"}"#, &LENIENT).id.as_json(),
            "null"
        );
        assert_eq!(
            request(r#"{"id":null,"method":"x"}"#, &LENIENT)
                .id
                .as_json(),
            "null"
        );
        let notification = parse(br#"{"jsonrpc":"2.0","method":"tools/list"}"#, &LENIENT);
        assert!(matches!(
            notification,
            Ok(Incoming::Single(Message::Notification(_)))
        ));
        assert!(parse(br#"{"id":[],"method":"x"}"#, &LENIENT).is_err());
        let error = parse(br#"{"jsonrpc":"1.0","id":1,"method":"x"}"#, &LENIENT).unwrap_err();
        assert_eq!(error.kind, ParseErrorKind::Version);
        refused(
            br#"{"id":1,"method":"tools/list"}"#,
            ParseErrorKind::Version,
            Some("1"),
        );
    }

    #[test]
    fn a_wrong_envelope_is_an_invalid_request() {
        refused(b"1", ParseErrorKind::NotAnObject, None);
        refused(br#""text""#, ParseErrorKind::NotAnObject, None);
        refused(br#"{"jsonrpc":"2.0"}"#, ParseErrorKind::NoKind, None);
        refused(
            br#"{"jsonrpc":"2.0","id":1}"#,
            ParseErrorKind::NoKind,
            Some("1"),
        );
        refused(
            br#"{"jsonrpc":"2.0","id":1,"method":1}"#,
            ParseErrorKind::NoKind,
            Some("1"),
        );
        refused(
            br#"{"jsonrpc":"2.0","id":1,"method":"x","params":1}"#,
            ParseErrorKind::Params,
            Some("1"),
        );
        refused(
            br#"{"jsonrpc":"2.0","id":1,"result":1,"error":{}}"#,
            ParseErrorKind::NoKind,
            Some("1"),
        );
        refused(
            br#"{"jsonrpc":"2.0","result":1}"#,
            ParseErrorKind::NoKind,
            None,
        );
        refused(
            br#"{"jsonrpc":"2.0","id":null,"method":"x"}"#,
            ParseErrorKind::Id(IdError::WrongType),
            None,
        );
        refused(
            br#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#,
            ParseErrorKind::Id(IdError::Fractional),
            None,
        );
        refused(
            br#"{"jsonrpc":"2.0","id":1,"method":"x","method":"y"}"#,
            ParseErrorKind::DuplicateMember("method"),
            Some("1"),
        );
    }

    #[test]
    fn what_is_not_json_is_a_parse_error() {
        for text in [
            &b""[..],
            b" ",
            b"{",
            br#"{"jsonrpc":"2.0","id":1,"method":"x"} x"#,
            br#"{"jsonrpc":"2.0","id":1,"method":"x",}"#,
            br#"{"jsonrpc":"2.0","id":01,"method":"x"}"#,
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\x00\"}",
            b"\xef\xbb\xbf{}",
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}",
            br#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":NaN}}"#,
            b"[{]",
        ] {
            refused_syntax(text);
        }
    }

    #[test]
    fn every_truncation_of_a_request_is_refused() {
        let text = br#"{"jsonrpc":"2.0","id":"a","method":"m","params":{"s":"\"}{"}}"#;
        assert!(parse(text, &RULES).is_ok());
        for end in 0..text.len() {
            assert!(parse(&text[..end], &RULES).is_err(), "{end}");
        }
    }

    #[test]
    fn depth_is_bounded_and_strings_do_not_count() {
        let nested = |depth: usize| {
            let inner = "[".repeat(depth - 1) + &"]".repeat(depth - 1);
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{inner}}}"#)
        };
        assert!(parse(nested(3).as_bytes(), &RULES).is_ok());
        assert!(parse(nested(4).as_bytes(), &RULES).is_ok());
        refused(
            nested(5).as_bytes(),
            ParseErrorKind::TooDeep { limit: 4 },
            None,
        );
        request(
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":"[[[[[[\"[[["}}"#,
            &RULES,
        );
    }

    #[test]
    fn a_batch_keeps_order_and_its_elements_errors() {
        let text = br#"[{"jsonrpc":"2.0","id":1,"method":"a"}, 1, {"jsonrpc":"2.0","method":"n"}]"#;
        let Ok(Incoming::Batch(messages)) = parse(text, &RULES) else {
            panic!("a batch")
        };
        assert!(matches!(messages[0], Ok(Message::Request(_))));
        assert_eq!(
            messages[1].as_ref().unwrap_err().kind,
            ParseErrorKind::NotAnObject
        );
        assert!(matches!(messages[2], Ok(Message::Notification(_))));
    }

    #[test]
    fn a_batch_is_bounded() {
        let batch = |len: usize| {
            let one = r#"{"jsonrpc":"2.0","method":"n"}"#;
            format!("[{}]", vec![one; len].join(","))
        };
        refused(b"[]", ParseErrorKind::EmptyBatch, None);
        assert!(parse(batch(2).as_bytes(), &RULES).is_ok());
        assert!(parse(batch(3).as_bytes(), &RULES).is_ok());
        refused(
            batch(4).as_bytes(),
            ParseErrorKind::BatchTooLong { got: 4, limit: 3 },
            None,
        );
    }
}
