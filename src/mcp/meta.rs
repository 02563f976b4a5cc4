//! `params._meta` of a request: progress token, trace context, and the 2026-07-28 envelope.
//!
//! Says what stands there; which era a request is served in is decided by the dispatcher with the
//! HTTP header beside it (2026-07-28 basic/versioning). Source: 2026-07-28 basic/index, "_meta".

use std::borrow::Cow;

use crate::raw::Raw;

use super::capabilities::ClientCapabilities;
use super::errors::ProtocolError;
use super::logging::Level;
use super::params::{Ambiguous, Param, Params};
use super::revision::Revision;

/// Key of the version a request is made under.
pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// Key of the client's name and version.
pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
/// Key of the client's capabilities.
pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// Key of the lowest level of log messages wanted for this request.
pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// What a request says about itself.
#[derive(Clone, Debug, Default)]
pub struct RequestMeta<'a> {
    /// The token to repeat in progress notifications: a JSON string or integer, as text.
    pub progress_token: Option<Raw<'a>>,
    /// The 2026-07-28 part.
    pub envelope: Envelope<'a>,
    /// W3C trace context, passed on to what we call.
    pub traceparent: Option<Cow<'a, str>>,
    /// Its vendor part.
    pub tracestate: Option<Cow<'a, str>>,
    /// W3C baggage.
    pub baggage: Option<Cow<'a, str>>,
}

/// How much of the 2026-07-28 envelope a request carries.
#[derive(Clone, Debug, Default)]
pub enum Envelope<'a> {
    /// None of its keys: a legacy request, unless its header says otherwise.
    #[default]
    Absent,
    /// Everything that is required.
    Complete(Claim<'a>),
    /// Some keys, but not these required ones.
    Partial {
        /// The full names of the missing keys.
        missing: Vec<&'static str>,
    },
    /// A key holds a value of the wrong type.
    Malformed {
        /// The full name of the key.
        key: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
}

/// A complete envelope.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The version, as the client wrote it; it may be unknown to us or of the legacy era.
    pub version: Cow<'a, str>,
    /// What the client can do, for this request alone.
    pub capabilities: ClientCapabilities,
    /// Log messages from this level on are wanted; without it none may be sent.
    pub log_level: Option<Level>,
}

impl Claim<'_> {
    /// The revision to serve, or the -32022 that names what we speak. A legacy date is refused
    /// too: those revisions have a handshake and no envelope.
    pub fn revision(&self) -> Result<Revision, ProtocolError> {
        match Revision::from_text(&self.version) {
            Some(revision) if revision.is_stateless() => Ok(revision),
            _ => Err(ProtocolError::unsupported_version(&self.version)),
        }
    }
}

impl<'a> RequestMeta<'a> {
    /// Reads the `_meta` member of a request's params.
    pub fn of_params(params: &Params<'a>) -> RequestMeta<'a> {
        match params.one(Param::Meta) {
            Ok(meta) => RequestMeta::parse(meta),
            Err(Ambiguous) => {
                RequestMeta::malformed("params", "an object in which `_meta` stands once")
            }
        }
    }

    /// Reads a `_meta` object.
    pub fn parse(meta: Option<Raw<'a>>) -> RequestMeta<'a> {
        let Some(meta) = meta else {
            return RequestMeta::default();
        };
        let names = [
            "progressToken",
            "traceparent",
            "tracestate",
            "baggage",
            PROTOCOL_VERSION,
            CLIENT_CAPABILITIES,
            CLIENT_INFO,
            LOG_LEVEL,
        ];
        let Ok([token, traceparent, tracestate, baggage, envelope @ ..]) = meta.pick(names) else {
            return RequestMeta::malformed("_meta", "an object in which no key stands twice");
        };
        RequestMeta {
            progress_token: token.filter(|token| is_token(*token)),
            traceparent: traceparent.and_then(Raw::text),
            tracestate: tracestate.and_then(Raw::text),
            baggage: baggage.and_then(Raw::text),
            envelope: classify(envelope),
        }
    }
}

impl RequestMeta<'_> {
    fn malformed(key: &'static str, expected: &'static str) -> RequestMeta<'static> {
        RequestMeta {
            envelope: Envelope::Malformed { key, expected },
            ..RequestMeta::default()
        }
    }
}

impl<'a> Envelope<'a> {
    /// The claim, or -32602 saying what is wrong with it. For a request that its header or a key
    /// of the envelope places in the stateless era.
    pub fn require(self) -> Result<Claim<'a>, ProtocolError> {
        let missing = match self {
            Envelope::Complete(claim) => return Ok(claim),
            Envelope::Malformed { key, expected } => {
                return Err(ProtocolError::invalid_params(format!(
                    "`{key}` must be {expected}"
                )));
            }
            Envelope::Absent => vec![PROTOCOL_VERSION, CLIENT_CAPABILITIES],
            Envelope::Partial { missing } => missing,
        };
        let keys: Vec<String> = missing.iter().map(|key| format!("`{key}`")).collect();
        let message = format!("`params._meta` lacks {}", keys.join(" and "));
        Err(ProtocolError::invalid_params(message)
            .with_data(|data| data.strings("missing", &missing)))
    }
}

fn classify<'a>(keys: [Option<Raw<'a>>; 4]) -> Envelope<'a> {
    let [version, capabilities, client_info, log_level] = keys;
    if version.is_none() && capabilities.is_none() && client_info.is_none() {
        return Envelope::Absent;
    }
    let mut missing = Vec::new();
    if version.is_none() {
        missing.push(PROTOCOL_VERSION);
    }
    if capabilities.is_none() {
        missing.push(CLIENT_CAPABILITIES);
    }
    let (Some(version), Some(capabilities)) = (version, capabilities) else {
        return Envelope::Partial { missing };
    };
    let Some(version) = version.text() else {
        return Envelope::Malformed {
            key: PROTOCOL_VERSION,
            expected: "a string",
        };
    };
    let Some(capabilities) = ClientCapabilities::parse(capabilities) else {
        return Envelope::Malformed {
            key: CLIENT_CAPABILITIES,
            expected: "an object",
        };
    };
    if client_info.is_some_and(|info| !info.is_object()) {
        return Envelope::Malformed {
            key: CLIENT_INFO,
            expected: "an object",
        };
    }
    let log_level = match log_level {
        None => None,
        Some(raw) => match raw.text().and_then(|level| Level::from_text(&level)) {
            None => {
                return Envelope::Malformed {
                    key: LOG_LEVEL,
                    expected: Level::EXPECTED,
                };
            }
            level => level,
        },
    };
    Envelope::Complete(Claim {
        version,
        capabilities,
        log_level,
    })
}

/// A progress token is a string or an integer; anything else asks for nothing we could answer.
fn is_token(token: Raw<'_>) -> bool {
    match token.first_byte() {
        b'"' => true,
        b'-' | b'0'..=b'9' => !token.get().contains(['.', 'e', 'E']),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> RequestMeta<'_> {
        RequestMeta::parse(Raw::parse(text))
    }

    const COMPLETE: &str = r#"{
        "io.modelcontextprotocol/protocolVersion":"2026-07-28",
        "io.modelcontextprotocol/clientCapabilities":{"sampling":{}},
        "io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},
        "io.modelcontextprotocol/logLevel":"warning",
        "progressToken":"t","traceparent":"00-ab"}"#;

    #[test]
    fn a_complete_envelope() {
        let meta = parse(COMPLETE);
        assert_eq!(meta.progress_token.unwrap().get(), "\"t\"");
        assert_eq!(meta.traceparent.as_deref(), Some("00-ab"));
        let Envelope::Complete(claim) = meta.envelope else {
            panic!("{meta:?}")
        };
        assert!(matches!(claim.version, Cow::Borrowed(_)));
        assert!(claim.capabilities.sampling);
        assert_eq!(claim.log_level, Some(Level::Warning));
        assert_eq!(claim.revision().unwrap(), Revision::LATEST);
    }

    #[test]
    fn client_info_is_optional() {
        let text = r#"{"io.modelcontextprotocol/protocolVersion":"v999.0.0",
            "io.modelcontextprotocol/clientCapabilities":{}}"#;
        let Envelope::Complete(claim) = parse(text).envelope else {
            panic!()
        };
        assert_eq!(claim.revision().unwrap_err().code, -32022);
        assert_eq!(claim.log_level, None);
    }

    #[test]
    fn a_legacy_date_has_no_envelope() {
        let text = COMPLETE.replace("2026-07-28", "2025-11-25");
        let claim = parse(&text).envelope.require().unwrap();
        assert_eq!(claim.revision().unwrap_err().code, -32022);
    }

    #[track_caller]
    fn refused(text: &str, mentions: &str) {
        let error = parse(text).envelope.require().unwrap_err();
        assert_eq!(error.code, -32602);
        assert!(error.message.contains(mentions), "{error}");
    }

    #[test]
    fn partial_and_malformed_envelopes() {
        refused(
            r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#,
            "lacks `io.modelcontextprotocol/clientCapabilities`",
        );
        refused(
            r#"{"io.modelcontextprotocol/clientCapabilities":{}}"#,
            "lacks `io.modelcontextprotocol/protocolVersion`",
        );
        refused(r#"{"io.modelcontextprotocol/clientInfo":{}}"#, " and ");
        refused("{}", " and ");
        refused("[]", "`_meta` must be");
        refused(
            &COMPLETE.replace("\"2026-07-28\"", "3"),
            "protocolVersion` must be a string",
        );
        refused(
            &COMPLETE.replace(r#"{"sampling":{}}"#, "[]"),
            "must be an object",
        );
        refused(&COMPLETE.replace("warning", "loud"), "logLevel");
        refused(
            &COMPLETE.replace("\"progressToken\":\"t\"", "\"baggage\":1,\"baggage\":2"),
            "twice",
        );
    }

    #[test]
    fn absent_is_not_partial() {
        assert!(matches!(
            parse(r#"{"progressToken":1}"#).envelope,
            Envelope::Absent
        ));
        let only_level = r#"{"io.modelcontextprotocol/logLevel":"debug"}"#;
        assert!(matches!(parse(only_level).envelope, Envelope::Absent));
        assert!(matches!(
            RequestMeta::parse(None).envelope,
            Envelope::Absent
        ));
        assert!(matches!(
            RequestMeta::of_params(&Params::of(None)).envelope,
            Envelope::Absent
        ));
    }

    #[test]
    fn params_with_two_readings_are_malformed() {
        let of = |text| {
            let params = Params::of(Raw::parse(text));
            RequestMeta::of_params(&params).envelope
        };
        assert!(matches!(of(r#"{"a":1,"_meta":{}}"#), Envelope::Absent));
        assert!(matches!(of("{}"), Envelope::Absent));
        assert!(matches!(of("null"), Envelope::Absent));
        for text in [r#"{"_meta":{},"_meta":{}}"#, "[]", "[{}]", "1"] {
            assert!(
                matches!(of(text), Envelope::Malformed { key: "params", .. }),
                "{text}"
            );
        }
    }

    #[test]
    fn progress_tokens_keep_their_type() {
        for (value, kept) in [
            ("0", true),
            ("-7", true),
            ("\"\"", true),
            ("1.5", false),
            ("1e3", false),
            ("true", false),
            ("{}", false),
            ("null", false),
        ] {
            let text = format!("{{\"progressToken\":{value}}}");
            let meta = parse(&text);
            assert_eq!(meta.progress_token.map(Raw::get), kept.then_some(value));
        }
    }
}
