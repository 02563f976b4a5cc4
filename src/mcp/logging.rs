//! The eight log levels (RFC 5424) and `logging/setLevel`.

use serde::Deserialize;

use super::errors::ProtocolError;
use crate::raw::Raw;

/// How serious a log message is, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For the one who looks for a fault.
    Debug,
    /// The ordinary course.
    Info,
    /// Ordinary, but worth a look.
    Notice,
    /// Might become a fault.
    Warning,
    /// A fault.
    Error,
    /// A fault of an important part.
    Critical,
    /// Someone must act now.
    Alert,
    /// Nothing works.
    Emergency,
}

impl Level {
    /// Every level, least serious first.
    pub const ALL: [Level; 8] = [
        Level::Debug,
        Level::Info,
        Level::Notice,
        Level::Warning,
        Level::Error,
        Level::Critical,
        Level::Alert,
        Level::Emergency,
    ];

    /// What an error message says belongs where a level is.
    pub const EXPECTED: &str =
        "one of debug, info, notice, warning, error, critical, alert, emergency";

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Critical => "critical",
            Level::Alert => "alert",
            Level::Emergency => "emergency",
        }
    }

    /// The level of that word, which is lower case.
    pub fn from_text(text: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

/// Reads the params of `logging/setLevel`.
pub fn parse_set_level(params: Option<Raw<'_>>) -> Result<Level, ProtocolError> {
    let level = params.and_then(|params| params.pick(["level"]).ok());
    let word = level.and_then(|[level]| level?.text());
    word.and_then(|word| Level::from_text(&word))
        .ok_or_else(|| {
            ProtocolError::invalid_params(format!("`level` must be {}", Level::EXPECTED))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_order() {
        assert!(Level::ALL.is_sorted());
        for level in Level::ALL {
            assert_eq!(Level::from_text(level.as_str()), Some(level));
            let params = format!("{{\"level\":\"{}\"}}", level.as_str());
            let raw = Raw::parse(&params).unwrap();
            assert_eq!(parse_set_level(Some(raw)).unwrap(), level);
            assert!(Level::EXPECTED.contains(level.as_str()));
        }
        for text in ["", "Debug", "warn", "off"] {
            assert_eq!(Level::from_text(text), None);
        }
    }

    #[test]
    fn refused_params() {
        for text in [
            "{}",
            "[]",
            r#"{"level":"loud"}"#,
            r#"{"level":1}"#,
            r#"{"level":null}"#,
        ] {
            let raw = Raw::parse(text).unwrap();
            assert_eq!(
                parse_set_level(Some(raw)).unwrap_err().code,
                -32602,
                "{text}"
            );
        }
        assert!(parse_set_level(None).is_err());
    }
}
