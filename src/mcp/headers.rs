//! The HTTP headers of 2026-07-28 that repeat parts of the body, compared with it.
//!
//! A proxy may route or refuse by these headers, so a request whose headers say other than its body
//! is refused with -32020 (basic/transports/streamable-http, "Server Validation"). The rules:
//!
//! - [x] `MCP-Protocol-Version` on every POST equals the version in `_meta`
//! - [x] `Mcp-Method` on every request equals `method`, letter by letter
//! - [x] `Mcp-Name` on methods that name something equals the name, after decoding
//! - [x] `Mcp-Param-*` for every mirrored argument that is present and not null, after decoding;
//!   integers by value; no header where there is no value
//! - [x] a value with `=?base64?` before and `?=` behind is Base64 of UTF-8; with only one of them
//!   it is literal
//! - [x] one of these headers twice is refused: two readers could pick different ones
//! - [ ] notifications: their headers are undefined, nothing is asked of them
//!
//! The HTTP head itself is `http1`'s; it lends itself as a [`HeaderSource`].

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;
use serde_json::value::RawValue;

use super::base64;
use super::errors::{self, ProtocolError, shorten};
use super::tool::{HeaderParam, HeaderParamKind};

/// Name of the version header.
pub const PROTOCOL_VERSION: &str = "MCP-Protocol-Version";
/// Name of the header that repeats the method.
pub const METHOD: &str = "Mcp-Method";
/// Name of the header that repeats the name, URI or task id.
pub const NAME: &str = "Mcp-Name";

/// How often a header stands in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderValue<'a> {
    /// Not at all.
    Absent,
    /// Once, with this value; white space around it has no meaning.
    One(&'a [u8]),
    /// More than once.
    Repeated,
}

/// A request head that can be asked for a header.
pub trait HeaderSource {
    /// The header of this name, in any letter case.
    fn values(&self, name: &str) -> HeaderValue<'_>;
}

/// A header that keeps a request from being served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderMismatch {
    /// Which header.
    pub header: Cow<'static, str>,
    /// What is wrong with it.
    pub problem: HeaderProblem,
}

/// What is wrong with a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderProblem {
    /// It says other than the body.
    Differs {
        /// What the header says, decoded.
        header: String,
        /// What the body says.
        body: String,
    },
    /// Characters or an encoding it must not have.
    Malformed,
    /// It is missing.
    Missing,
    /// It stands there more than once.
    Repeated,
    /// It is there, but the body has no such value.
    Unexpected,
}

impl fmt::Display for HeaderMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.header;
        match &self.problem {
            HeaderProblem::Differs { header, body } => {
                let (header, body) = (shorten(header), shorten(body));
                write!(
                    f,
                    "header `{name}` is `{header}`, but the body says `{body}`"
                )
            }
            HeaderProblem::Malformed => write!(
                f,
                "header `{name}` has characters beyond visible ASCII, space and tab, or broken Base64"
            ),
            HeaderProblem::Missing => write!(f, "header `{name}` is missing"),
            HeaderProblem::Repeated => write!(f, "header `{name}` stands more than once"),
            HeaderProblem::Unexpected => {
                write!(
                    f,
                    "header `{name}` is there, but the body has no such value"
                )
            }
        }
    }
}

impl std::error::Error for HeaderMismatch {}

impl From<HeaderMismatch> for ProtocolError {
    fn from(mismatch: HeaderMismatch) -> ProtocolError {
        ProtocolError::new(errors::HEADER_MISMATCH, mismatch.to_string())
    }
}

/// What the body says that headers must repeat.
#[derive(Clone, Copy, Debug)]
pub struct Routing<'a> {
    /// The version in `_meta`.
    pub version: &'a str,
    /// The method.
    pub method: &'a str,
    /// The value of the params member that [`name_member`] tells; `None` if the body lacks it.
    pub name: Option<&'a str>,
}

/// The member of `params` that `Mcp-Name` repeats for a method, if it does for that one.
pub fn name_member(method: &str) -> Option<&'static str> {
    match method {
        "prompts/get" | "tools/call" => Some("name"),
        "resources/read" => Some("uri"),
        "tasks/cancel" | "tasks/get" | "tasks/update" => Some("taskId"),
        _ => None,
    }
}

/// The version header as text: `None` if absent. For the decision which era a request is in.
pub fn version(headers: &dyn HeaderSource) -> Result<Option<&str>, HeaderMismatch> {
    let name = Cow::Borrowed(PROTOCOL_VERSION);
    let value = match headers.values(PROTOCOL_VERSION) {
        HeaderValue::Absent => return Ok(None),
        HeaderValue::One(value) => plain_text(value),
        HeaderValue::Repeated => {
            return Err(HeaderMismatch {
                header: name,
                problem: HeaderProblem::Repeated,
            });
        }
    };
    match value {
        Some(text) => Ok(Some(text)),
        None => Err(HeaderMismatch {
            header: name,
            problem: HeaderProblem::Malformed,
        }),
    }
}

/// Compares version, method and name of a request with its headers.
pub fn match_routing(
    headers: &dyn HeaderSource,
    routing: &Routing<'_>,
) -> Result<(), HeaderMismatch> {
    match_plain(headers, PROTOCOL_VERSION, routing.version)?;
    match_plain(headers, METHOD, routing.method)?;
    if name_member(routing.method).is_none() {
        return Ok(());
    }
    let header = one_value(headers, NAME)?;
    match (header, routing.name) {
        // The body is at fault then, and dispatch says so better than we could.
        (_, None) => Ok(()),
        (None, Some(_)) => Err(mismatch(NAME, HeaderProblem::Missing)),
        (Some(header), Some(name)) => match_text(NAME, &header, name),
    }
}

/// Compares the mirrored arguments of a tool call with their headers. `arguments` is the JSON
/// object of the call.
pub fn match_params(
    headers: &dyn HeaderSource,
    params: &[HeaderParam],
    arguments: Option<&RawValue>,
) -> Result<(), HeaderMismatch> {
    if params.is_empty() {
        return Ok(());
    }
    let arguments = arguments.and_then(|arguments| serde_json::from_str(arguments.get()).ok());
    let arguments: Value = arguments.unwrap_or(Value::Null);
    for param in params {
        let header = one_value(headers, &param.header)?;
        let value = param
            .path
            .iter()
            .try_fold(&arguments, |value, name| value.get(name));
        match (header, value.filter(|value| !value.is_null())) {
            (None, None) => (),
            (None, Some(_)) => return Err(mismatch(&param.header, HeaderProblem::Missing)),
            (Some(_), None) => return Err(mismatch(&param.header, HeaderProblem::Unexpected)),
            (Some(header), Some(value)) => match_value(param, &header, value)?,
        }
    }
    Ok(())
}

fn match_value(param: &HeaderParam, header: &str, value: &Value) -> Result<(), HeaderMismatch> {
    let is_same = match (param.kind, value) {
        (HeaderParamKind::Boolean, Value::Bool(flag)) => {
            header == if *flag { "true" } else { "false" }
        }
        (HeaderParamKind::Integer, Value::Number(number)) => {
            let number = number.as_f64().and_then(safe_integer);
            number.is_some() && header_integer(header) == number
        }
        (HeaderParamKind::String, Value::String(text)) => header == text,
        // An argument of the wrong type is refused by the check of arguments; here it only must
        // not be waved through with a header that says something else.
        (_, Value::String(text)) => header == text,
        (_, other) => {
            let text = other.to_string();
            header == text
        }
    };
    if is_same {
        return Ok(());
    }
    let body = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let problem = HeaderProblem::Differs {
        header: header.to_owned(),
        body,
    };
    Err(mismatch(&param.header, problem))
}

/// The integer a header spells: decimal, with a fraction only if that is zero (`42.0` is 42).
fn header_integer(text: &str) -> Option<i64> {
    const DIGITS_MAX: usize = 16;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_decimal = (1..=DIGITS_MAX).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=DIGITS_MAX).contains(&fraction.len())
        && fraction.bytes().all(|byte| byte == b'0');
    if !is_decimal {
        return None;
    }
    whole
        .parse()
        .ok()
        .filter(|number: &i64| number.unsigned_abs() < SAFE_INTEGER_END)
}

/// 2^53: integers below it are exact in every JSON reader.
const SAFE_INTEGER_END: u64 = 1 << 53;

fn safe_integer(number: f64) -> Option<i64> {
    // A whole float within ±(2^53 − 1) prints as that integer, and parsing it avoids a cast.
    if number.fract() != 0.0 || number.abs() >= 9_007_199_254_740_992.0 {
        return None;
    }
    format!("{number:.0}").parse().ok()
}

fn match_plain(
    headers: &dyn HeaderSource,
    name: &'static str,
    body: &str,
) -> Result<(), HeaderMismatch> {
    match headers.values(name) {
        HeaderValue::Absent => Err(mismatch(name, HeaderProblem::Missing)),
        HeaderValue::Repeated => Err(mismatch(name, HeaderProblem::Repeated)),
        HeaderValue::One(value) => match plain_text(value) {
            None => Err(mismatch(name, HeaderProblem::Malformed)),
            Some(header) => match_text(name, header, body),
        },
    }
}

fn match_text(name: &str, header: &str, body: &str) -> Result<(), HeaderMismatch> {
    if header == body {
        return Ok(());
    }
    let problem = HeaderProblem::Differs {
        header: header.to_owned(),
        body: body.to_owned(),
    };
    Err(mismatch(name, problem))
}

/// The decoded value of a header that stands at most once.
fn one_value<'a>(
    headers: &'a dyn HeaderSource,
    name: &str,
) -> Result<Option<Cow<'a, str>>, HeaderMismatch> {
    match headers.values(name) {
        HeaderValue::Absent => Ok(None),
        HeaderValue::Repeated => Err(mismatch(name, HeaderProblem::Repeated)),
        HeaderValue::One(value) => match decode(value) {
            None => Err(mismatch(name, HeaderProblem::Malformed)),
            text => Ok(text),
        },
    }
}

/// Undoes the encoding of "Value Encoding". `None` if it is broken.
pub fn decode(value: &[u8]) -> Option<Cow<'_, str>> {
    let text = plain_text(value)?;
    let encoded = text
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="));
    let Some(encoded) = encoded else {
        return Some(Cow::Borrowed(text));
    };
    let bytes = base64::decode(encoded)?;
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// The value without white space around it, if it is visible ASCII, spaces and tabs.
fn plain_text(value: &[u8]) -> Option<&str> {
    let is_plain = |byte: &u8| matches!(byte, b'\t' | 0x20..=0x7e);
    if !value.iter().all(is_plain) {
        return None;
    }
    std::str::from_utf8(value)
        .ok()
        .map(|text| text.trim_matches([' ', '\t']))
}

fn mismatch(header: &str, problem: HeaderProblem) -> HeaderMismatch {
    HeaderMismatch {
        header: Cow::Owned(header.to_owned()),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Head(Vec<(&'static str, Vec<u8>)>);

    impl HeaderSource for Head {
        fn values(&self, name: &str) -> HeaderValue<'_> {
            let mut found = self
                .0
                .iter()
                .filter(|(known, _)| known.eq_ignore_ascii_case(name));
            match (found.next(), found.next()) {
                (None, _) => HeaderValue::Absent,
                (Some((_, value)), None) => HeaderValue::One(value),
                (Some(_), Some(_)) => HeaderValue::Repeated,
            }
        }
    }

    fn head(headers: &[(&'static str, &str)]) -> Head {
        Head(
            headers
                .iter()
                .map(|(name, value)| (*name, value.as_bytes().to_vec()))
                .collect(),
        )
    }

    const CALL: Routing<'static> = Routing {
        version: "2026-07-28",
        method: "tools/call",
        name: Some("t"),
    };

    fn routed(change: &[(&'static str, Option<&str>)]) -> Result<(), HeaderMismatch> {
        let mut headers = vec![
            ("mcp-protocol-version", "2026-07-28"),
            ("MCP-METHOD", "tools/call"),
            ("Mcp-Name", "t"),
        ];
        for (name, value) in change {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            headers.extend(value.map(|value| (*name, value)));
        }
        match_routing(&head(&headers), &CALL)
    }

    #[test]
    fn routing_headers_equal_the_body() {
        assert_eq!(routed(&[]), Ok(()));
        assert_eq!(routed(&[("Mcp-Name", Some("  t \t"))]), Ok(()));
        assert_eq!(routed(&[("Mcp-Name", Some("=?base64?dA==?="))]), Ok(()));
        for (header, value, message) in [
            (PROTOCOL_VERSION, None, "`MCP-Protocol-Version` is missing"),
            (
                PROTOCOL_VERSION,
                Some("2025-11-25"),
                "body says `2026-07-28`",
            ),
            (METHOD, None, "`Mcp-Method` is missing"),
            (METHOD, Some("Tools/Call"), "is `Tools/Call`"),
            (METHOD, Some("=?base64?dG9vbHMvY2FsbA==?="), "is `=?base64?"),
            (NAME, None, "`Mcp-Name` is missing"),
            (NAME, Some("T"), "is `T`"),
            (NAME, Some(""), "is ``"),
            (NAME, Some("=?base64?dA=?="), "broken Base64"),
            (NAME, Some("é"), "visible ASCII"),
        ] {
            let error = routed(&[(header, value)]).unwrap_err();
            assert_eq!(error.header, header);
            assert!(error.to_string().contains(message), "{error}");
            assert_eq!(ProtocolError::from(error).code, -32020);
        }
    }

    #[test]
    fn repeated_headers_are_refused() {
        for name in [PROTOCOL_VERSION, METHOD, NAME] {
            let headers = head(&[
                (PROTOCOL_VERSION, "2026-07-28"),
                (METHOD, "tools/call"),
                (NAME, "t"),
                (name, "t"),
            ]);
            let error = match_routing(&headers, &CALL).unwrap_err();
            assert_eq!(
                (error.header.as_ref(), error.problem),
                (name, HeaderProblem::Repeated)
            );
        }
        assert!(version(&head(&[(PROTOCOL_VERSION, "a"), (PROTOCOL_VERSION, "a")])).is_err());
    }

    #[test]
    fn names_only_where_a_method_names_something() {
        let headers = head(&[(PROTOCOL_VERSION, "v"), (METHOD, "tools/list")]);
        let list = Routing {
            version: "v",
            method: "tools/list",
            name: None,
        };
        assert_eq!(match_routing(&headers, &list), Ok(()));
        let headers = head(&[(PROTOCOL_VERSION, "v"), (METHOD, "tasks/get"), (NAME, "x")]);
        let get = Routing {
            version: "v",
            method: "tasks/get",
            name: Some("y"),
        };
        assert!(match_routing(&headers, &get).is_err());
        assert_eq!(
            match_routing(&headers, &Routing { name: None, ..get }),
            Ok(())
        );
    }

    #[test]
    fn version_header_alone() {
        assert_eq!(version(&head(&[])), Ok(None));
        assert_eq!(
            version(&head(&[(PROTOCOL_VERSION, " v1 ")])),
            Ok(Some("v1"))
        );
        assert!(version(&Head(vec![(PROTOCOL_VERSION, vec![0xff])])).is_err());
    }

    fn params() -> Vec<HeaderParam> {
        let param = |name: &str, path: &[&str], kind| HeaderParam {
            header: format!("Mcp-Param-{name}"),
            path: path.iter().map(|name| (*name).to_owned()).collect(),
            kind,
        };
        vec![
            param("S", &["s"], HeaderParamKind::String),
            param("I", &["deep", "i"], HeaderParamKind::Integer),
            param("B", &["b"], HeaderParamKind::Boolean),
        ]
    }

    #[track_caller]
    fn check(headers: &[(&'static str, &str)], arguments: &str, expected: Option<HeaderProblem>) {
        let arguments = serde_json::from_str(arguments).unwrap();
        let result = match_params(&head(headers), &params(), Some(arguments));
        assert_eq!(
            result.err().map(|error| error.problem),
            expected,
            "{headers:?} {arguments}"
        );
    }

    fn differs(header: &str, body: &str) -> Option<HeaderProblem> {
        Some(HeaderProblem::Differs {
            header: header.into(),
            body: body.into(),
        })
    }

    #[test]
    fn strings() {
        let hello = r#"{"s":"Hello"}"#;
        check(&[("mcp-param-s", "Hello")], hello, None);
        check(&[("Mcp-Param-S", "=?base64?SGVsbG8=?=")], hello, None);
        check(&[], hello, Some(HeaderProblem::Missing));
        check(
            &[("Mcp-Param-S", "hello")],
            hello,
            differs("hello", "Hello"),
        );
        check(
            &[("Mcp-Param-S", "=?base64?SGVsbG8?=")],
            hello,
            Some(HeaderProblem::Malformed),
        );
        check(
            &[("Mcp-Param-S", "=?base64?SGVs!G8=?=")],
            hello,
            Some(HeaderProblem::Malformed),
        );
        check(
            &[("Mcp-Param-S", "=?base64?/w==?=")],
            hello,
            Some(HeaderProblem::Malformed),
        );
        check(
            &[("Mcp-Param-S", "SGVsbG8=?=")],
            hello,
            differs("SGVsbG8=?=", "Hello"),
        );
        check(
            &[("Mcp-Param-S", "SGVsbG8=?=")],
            r#"{"s":"SGVsbG8=?="}"#,
            None,
        );
        check(
            &[("Mcp-Param-S", "=?base64?SGVsbG8=")],
            r#"{"s":"=?base64?SGVsbG8="}"#,
            None,
        );
        check(
            &[("Mcp-Param-S", "=?BASE64?SGVsbG8=?=")],
            hello,
            differs("=?BASE64?SGVsbG8=?=", "Hello"),
        );
        check(&[("Mcp-Param-S", "=?base64??=")], r#"{"s":""}"#, None);
        check(
            &[("Mcp-Param-S", "=?base64?=")],
            r#"{"s":"=?base64?="}"#,
            None,
        );
        check(
            &[("Mcp-Param-S", "a"), ("Mcp-Param-S", "a")],
            r#"{"s":"a"}"#,
            Some(HeaderProblem::Repeated),
        );
    }

    #[test]
    fn absent_and_null_want_no_header() {
        check(&[], "{}", None);
        check(&[], r#"{"s":null,"deep":{"i":null}}"#, None);
        check(&[], r#"{"deep":null}"#, None);
        check(
            &[("Mcp-Param-S", "x")],
            "{}",
            Some(HeaderProblem::Unexpected),
        );
        check(
            &[("Mcp-Param-S", "null")],
            r#"{"s":null}"#,
            Some(HeaderProblem::Unexpected),
        );
        assert_eq!(match_params(&head(&[]), &params(), None), Ok(()));
        assert_eq!(
            match_params(&head(&[("Mcp-Param-X", "x")]), &[], None),
            Ok(())
        );
    }

    #[test]
    fn integers_by_value() {
        for (header, body) in [
            ("42", "42"),
            ("42.0", "42"),
            ("42", "42.0"),
            ("-7", "-7"),
            ("-0", "0"),
            ("007", "7"),
            ("9007199254740991", "9007199254740991"),
        ] {
            check(
                &[("Mcp-Param-I", header)],
                &format!(r#"{{"deep":{{"i":{body}}}}}"#),
                None,
            );
        }
        for (header, body) in [
            ("43", "42"),
            ("42.5", "42"),
            ("42.", "42"),
            (".0", "0"),
            ("", "0"),
            ("+1", "1"),
            ("1e2", "100"),
            ("0x1", "1"),
            ("9007199254740992", "9007199254740992"),
            ("1", "true"),
        ] {
            let arguments = format!(r#"{{"deep":{{"i":{body}}}}}"#);
            check(
                &[("Mcp-Param-I", header)],
                &arguments,
                differs(header, body),
            );
        }
    }

    #[test]
    fn booleans() {
        check(&[("Mcp-Param-B", "true")], r#"{"b":true}"#, None);
        check(&[("Mcp-Param-B", "false")], r#"{"b":false}"#, None);
        check(
            &[("Mcp-Param-B", "True")],
            r#"{"b":true}"#,
            differs("True", "true"),
        );
        check(
            &[("Mcp-Param-B", "1")],
            r#"{"b":true}"#,
            differs("1", "true"),
        );
        check(
            &[("Mcp-Param-B", "false")],
            r#"{"b":true}"#,
            differs("false", "true"),
        );
    }
}
