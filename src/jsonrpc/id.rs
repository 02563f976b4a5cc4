//! Request ids: a string or an integer, kept as the text the peer wrote.
//!
//! MCP forbids `null` and JSON-RPC discourages fractions, so both are refused here. Keeping the
//! text is what lets 2^64, -0 or "\u0041" come back exactly as they were sent.

use std::fmt;

/// A validated request id in its own JSON text, e.g. `7` or `"probe-1"`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(Box<str>);

/// Why a JSON value cannot be a request id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdError {
    /// The id is a fraction or has an exponent.
    Fractional,
    /// The id is longer than [`Id::TEXT_BYTES_MAX`].
    TooLong,
    /// The id is null, a boolean, an object or an array.
    WrongType,
}

impl Id {
    /// The longest id text kept, in bytes; ids are stored per request in flight.
    pub const TEXT_BYTES_MAX: usize = 256;

    /// Takes the JSON text of an `id` member.
    pub fn parse(text: &str) -> Result<Id, IdError> {
        Id::check(text)?;
        Ok(Id(text.into()))
    }

    /// Decides on the JSON text of an `id` member without keeping it. `text` is valid JSON.
    pub fn check(text: &str) -> Result<(), IdError> {
        match text.as_bytes() {
            _ if text.len() > Self::TEXT_BYTES_MAX => Err(IdError::TooLong),
            [b'"', ..] => Ok(()),
            [b'-' | b'0'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => Ok(()),
            [b'-' | b'0'..=b'9', ..] => Err(IdError::Fractional),
            _ => Err(IdError::WrongType),
        }
    }

    /// An id of ours, for a request the server sends.
    pub fn number(number: u64) -> Id {
        Id(number.to_string().into())
    }

    /// The id of an answer to a call that came without one; only lenient endpoints make it.
    pub(super) fn null() -> Id {
        Id("null".into())
    }

    /// The id as JSON text.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IdError::Fractional => {
                f.write_str("`id` must be a string or an integer, not a fraction")
            }
            IdError::TooLong => write!(f, "`id` must be at most {} bytes", Id::TEXT_BYTES_MAX),
            IdError::WrongType => f.write_str("`id` must be a string or an integer"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(), IdError>) {
        assert_eq!(Id::check(text), expected, "{text}");
        if expected.is_ok() {
            assert_eq!(Id::parse(text).unwrap().as_json(), text);
        }
    }

    #[test]
    fn accepts_strings_and_integers_verbatim() {
        for text in [
            "0",
            "-1",
            "9007199254740993",
            "18446744073709551616",
            r#""""#,
            r#""\u0041""#,
        ] {
            check(text, Ok(()));
        }
    }

    #[test]
    fn refuses_other_types_and_fractions() {
        for text in ["null", "true", "{}", "[1]"] {
            check(text, Err(IdError::WrongType));
        }
        for text in ["1.0", "1e3", "-1.5"] {
            check(text, Err(IdError::Fractional));
        }
    }

    #[test]
    fn bounds_the_text() {
        let quoted = |inner: usize| format!("\"{}\"", "x".repeat(inner));
        check(&quoted(Id::TEXT_BYTES_MAX - 3), Ok(()));
        check(&quoted(Id::TEXT_BYTES_MAX - 2), Ok(()));
        check(&quoted(Id::TEXT_BYTES_MAX - 1), Err(IdError::TooLong));
    }
}
