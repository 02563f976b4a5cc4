//! The arguments of the built-in tools: one JSON object, read strictly.
//!
//! An argument that is not known is refused with the known ones named, so that a misspelt `limt` is not silently the default.
//! Not in scope: checking against a JSON Schema, which the catalog does for every tool; this also serves callers without one.

use std::borrow::Cow;
use std::fmt;

use crate::mcp::json;
use crate::raw::Raw;
use crate::sorted::SortedMap;

/// Why a call failed: an argument, which is the caller's to mend, or the network. Facts only; the text is made by `Display`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceError {
    /// A required argument is absent.
    MissingArgument {
        /// The argument.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The arguments are not a JSON object.
    NotAnObject {
        /// The beginning of what came instead.
        found: String,
    },
    /// The system did not take a datagram.
    NotSent {
        /// Where it should have gone.
        to: std::net::SocketAddrV4,
        /// The system's words.
        detail: String,
    },
    /// An argument the tool does not have.
    UnknownArgument {
        /// The argument as it came.
        name: String,
        /// Those the tool has.
        known: &'static [&'static str],
    },
    /// An argument of the wrong kind or out of bounds.
    WrongArgument {
        /// The argument.
        name: &'static str,
        /// The beginning of its JSON text.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceError::MissingArgument { name, expected } => {
                write!(f, "argument `{name}` is missing, expected {expected}")
            }
            DeviceError::NotAnObject { found } => {
                write!(f, "arguments are `{found}`, expected a JSON object")
            }
            DeviceError::NotSent { to, detail } => {
                write!(f, "packet to {to} was not sent: {detail}")
            }
            DeviceError::UnknownArgument { name, known: [] } => {
                write!(f, "unknown argument `{name}`, this tool takes none")
            }
            DeviceError::UnknownArgument { name, known } => write!(
                f,
                "unknown argument `{name}`, known are `{}`",
                known.join("`, `")
            ),
            DeviceError::WrongArgument {
                name,
                found,
                expected,
            } => write!(f, "argument `{name}` is `{found}`, expected {expected}"),
        }
    }
}

impl std::error::Error for DeviceError {}

impl DeviceError {
    /// Whether other arguments would have helped.
    pub fn is_argument(&self) -> bool {
        !matches!(self, DeviceError::NotSent { .. })
    }
}

/// The members of an arguments object, all of them known; of two of a name the last counts.
#[derive(Debug)]
pub struct Args<'a> {
    members: SortedMap<Cow<'a, str>, Raw<'a>>,
}

impl<'a> Args<'a> {
    /// Reads `text`, the JSON of `arguments`; an absent one (empty text or `null`) is an object without members.
    pub fn parse(text: &'a str, known: &'static [&'static str]) -> Result<Args<'a>, DeviceError> {
        let members = match text.trim() {
            "" | "null" => Some(SortedMap::new()),
            text => Raw::parse(text).and_then(json::members),
        };
        let Some(members) = members else {
            return Err(DeviceError::NotAnObject {
                found: excerpt(text),
            });
        };
        let unknown = members.keys().find(|name| !known.contains(&name.as_ref()));
        match unknown {
            Some(name) => Err(DeviceError::UnknownArgument {
                name: excerpt(name),
                known,
            }),
            None => Ok(Args { members }),
        }
    }

    /// A whole number within bounds. `10.0` is one too: JSON Schema draws no line between them (2020-12 validation, 6.1.1).
    pub fn integer(
        &self,
        name: &'static str,
        bounds: std::ops::RangeInclusive<u64>,
        expected: &'static str,
    ) -> Result<Option<u64>, DeviceError> {
        let Some(text) = self.value(name) else {
            return Ok(None);
        };
        let digits = match text.split_once('.') {
            Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
                whole
            }
            _ => text,
        };
        match digits.parse::<u64>() {
            Ok(value) if bounds.contains(&value) => Ok(Some(value)),
            _ => Err(DeviceError::WrongArgument {
                name,
                found: excerpt(text),
                expected,
            }),
        }
    }

    /// A string.
    pub fn string(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Option<String>, DeviceError> {
        let Some(value) = self.member(name) else {
            return Ok(None);
        };
        match value.text() {
            Some(text) => Ok(Some(text.into_owned())),
            None => Err(DeviceError::WrongArgument {
                name,
                found: excerpt(value.get()),
                expected,
            }),
        }
    }

    /// `true` or `false`; absent is `false`.
    pub fn flag(&self, name: &'static str) -> Result<bool, DeviceError> {
        match self.value(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(text) => Err(DeviceError::WrongArgument {
                name,
                found: excerpt(text),
                expected: "`true` or `false`",
            }),
        }
    }

    /// The member's JSON text.
    fn value(&self, name: &str) -> Option<&'a str> {
        self.member(name).map(Raw::get)
    }

    /// `null` stands for absent, as many clients send every optional argument.
    fn member(&self, name: &str) -> Option<Raw<'a>> {
        let member = self.members.get(name).copied();
        member.filter(|value| !value.is_null())
    }
}

/// The beginning of what a client sent, short and printable enough for a message.
pub fn excerpt(text: &str) -> String {
    let mut short: String = super::root::printable(text)
        .chars()
        .take(EXCERPT_CHARS_MAX)
        .collect();
    if text.chars().count() > EXCERPT_CHARS_MAX {
        short.push('…');
    }
    short
}

/// Most characters of a client's text that a message repeats.
const EXCERPT_CHARS_MAX: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["limit", "sort"];

    #[track_caller]
    fn refused<T: fmt::Debug>(result: Result<T, DeviceError>, text: &str) {
        assert_eq!(result.unwrap_err().to_string(), text);
    }

    #[test]
    fn absent_arguments_are_an_empty_object() {
        for text in ["", "null", "{}", " { } ", r#"{"limit":null}"#] {
            assert_eq!(
                Args::parse(text, KNOWN)
                    .unwrap()
                    .integer("limit", 1..=50, "n"),
                Ok(None),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        refused(
            Args::parse("[1]", KNOWN),
            "arguments are `[1]`, expected a JSON object",
        );
        refused(
            Args::parse("{\"limit\":", KNOWN),
            "arguments are `{\"limit\":`, expected a JSON object",
        );
    }

    #[test]
    fn an_unknown_argument_is_named_with_the_known_ones() {
        refused(
            Args::parse(r#"{"limt":3}"#, KNOWN),
            "unknown argument `limt`, known are `limit`, `sort`",
        );
        refused(
            Args::parse(r#"{"x":3}"#, &[]),
            "unknown argument `x`, this tool takes none",
        );
    }

    #[test]
    fn a_long_value_is_cut_in_the_message() {
        let Err(DeviceError::UnknownArgument { name, .. }) =
            Args::parse(&format!("{{\"{}\":1}}", "ü".repeat(49)), KNOWN)
        else {
            panic!()
        };
        assert_eq!(name, format!("{}…", "ü".repeat(48)));
        let Err(DeviceError::UnknownArgument { name, .. }) =
            Args::parse(&format!("{{\"{}\":1}}", "ü".repeat(48)), KNOWN)
        else {
            panic!()
        };
        assert_eq!(name, "ü".repeat(48));
    }

    #[test]
    fn integers_keep_their_bounds() {
        for (text, expected) in [
            ("0", None),
            ("1", Some(1)),
            ("50", Some(50)),
            ("51", None),
            ("10.0", Some(10)),
            ("10.5", None),
            ("1e1", None),
            ("-1", None),
            ("\"5\"", None),
        ] {
            let json = format!("{{\"limit\":{text}}}");
            let args = Args::parse(&json, KNOWN).unwrap();
            assert_eq!(
                args.integer("limit", 1..=50, "a number from 1 to 50")
                    .ok()
                    .flatten(),
                expected,
                "{text}"
            );
        }
        let args = Args::parse(r#"{"limit":51}"#, KNOWN).unwrap();
        refused(
            args.integer("limit", 1..=50, "a whole number from 1 to 50"),
            "argument `limit` is `51`, expected a whole number from 1 to 50",
        );
    }

    #[test]
    fn strings_and_flags_keep_their_kind() {
        let args = Args::parse(r#"{"sort":"cpu","limit":true}"#, KNOWN).unwrap();
        assert_eq!(args.string("sort", "a string"), Ok(Some("cpu".to_string())));
        assert_eq!(args.flag("limit"), Ok(true));
        refused(
            args.flag("sort"),
            "argument `sort` is `\"cpu\"`, expected `true` or `false`",
        );
        refused(
            args.string("limit", "a string"),
            "argument `limit` is `true`, expected a string",
        );
    }
}
