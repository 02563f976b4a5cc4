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

mod params;

use std::borrow::Cow;
use std::fmt;

use super::errors::{self, ProtocolError, shorten};
use super::params::Param;
use crate::base64;

pub use params::match_params;

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
pub fn name_member(method: &str) -> Option<Param> {
    match method {
        "prompts/get" | "tools/call" => Some(Param::Name),
        "resources/read" => Some(Param::Uri),
        "tasks/cancel" | "tasks/get" | "tasks/update" => Some(Param::TaskId),
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

fn match_plain(
    headers: &dyn HeaderSource,
    name: &'static str,
    body: &str,
) -> Result<(), HeaderMismatch> {
    match headers.values(name) {
        HeaderValue::Absent => Err(mismatch(name, HeaderProblem::Missing)),
        HeaderValue::Repeated => Err(mismatch(name, HeaderProblem::Repeated)),
        // The version and the method are known ones by now, and plain.
        HeaderValue::One(value) if value == body.as_bytes() => Ok(()),
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

/// For fuzzing: a header's value, and what else travels encoded: strict Base64 has one text for its bytes, and nothing
/// opens that was not sealed.
#[doc(hidden)]
pub fn fuzz_encoded(bytes: &[u8]) {
    if let Some(text) = decode(bytes) {
        assert!(text.len() <= bytes.len());
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Some(decoded) = base64::decode(text) {
        assert_eq!(base64::encode(&decoded), text);
    }
    if let Some(decoded) = base64::decode_url(text) {
        assert_eq!(base64::encode_url(&decoded), text);
    }
    let sealer = super::seal::Sealer::new(&[7; 32]);
    let binding = super::seal::Binding::new("a", "b", None);
    assert!(sealer.open_state(text, &binding, 0).is_err());
    let sealed = sealer.seal_state(bytes, &binding, 1, 1);
    if let Ok(opened) = sealer.open_state(&sealed, &binding, 2) {
        assert_eq!(opened, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) struct Head(Vec<(&'static str, Vec<u8>)>);

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

    pub(super) fn head(headers: &[(&'static str, &str)]) -> Head {
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
}
