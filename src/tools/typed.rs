//! Arguments read into the author's own type by serde, and an error that names the member.
//!
//! serde_json says at which column it stopped, which tells a model nothing. The member is found
//! again by that column, on the error path only. Types that serde reads by way of a buffer
//! (`flatten`, `untagged`) lose the column; their errors then name no member. Not the check of
//! arguments against a JSON Schema.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::CallError;

/// The arguments of a tool that takes none; whatever a client sends is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct NoArguments {}

/// Reads an `arguments` object.
pub(super) fn parse_arguments<A: DeserializeOwned>(arguments: &str) -> Result<A, CallError> {
    serde_json::from_str(arguments)
        .map_err(|error| CallError::Arguments(explain(arguments, &error)))
}

/// Not generic, so that there is one copy of it.
fn explain(arguments: &str, error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = error.to_string();
    let text = text.strip_suffix(&place).unwrap_or(&text);
    match member_at(arguments, error.line(), error.column()) {
        Some(member) => format!("argument `{member}`: {text}"),
        None => format!("arguments: {text}"),
    }
}

/// The path of the innermost member whose value ends at or after this place, as `a.b[2]`. Lines
/// count from 1; columns are bytes and point behind the last byte read.
fn member_at(text: &str, line: usize, column: usize) -> Option<String> {
    let line_start: usize = text
        .split_inclusive('\n')
        .take(line.checked_sub(1)?)
        .map(str::len)
        .sum();
    let mut path = String::new();
    let mut value = text;
    // Bytes read of `value`; the error lies in the member that holds the last of them.
    let mut read = line_start.saturating_add(column);
    while let Some((step, inner, start)) = step_into(value, read) {
        match step {
            Step::Index(index) => path.push_str(&format!("[{index}]")),
            Step::Member(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&name);
            }
        }
        read = read.saturating_sub(start);
        value = inner;
    }
    Some(path).filter(|path| !path.is_empty())
}

enum Step<'a> {
    Index(usize),
    Member(Cow<'a, str>),
}

/// The member or element of `value` that holds its byte `read - 1`, or begins with `read`: an array
/// or object of the wrong kind is refused before its bracket is taken. With its text and start.
fn step_into(value: &str, read: usize) -> Option<(Step<'_>, &str, usize)> {
    let Parts(parts) = serde_json::from_str(value).ok()?;
    parts.into_iter().find_map(|(step, part)| {
        let part = part.get();
        // Both are slices of the same text.
        let start = part.as_ptr().addr().checked_sub(value.as_ptr().addr())?;
        let within = read.checked_sub(start)?;
        (within <= part.len()).then_some((step, part, start))
    })
}

/// The members of an object or the elements of an array, unread.
struct Parts<'a>(Vec<(Step<'a>, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Parts<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Parts<'de>, D::Error> {
        struct PartsVisitor;

        impl<'de> Visitor<'de> for PartsVisitor {
            type Value = Parts<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object or an array")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Parts<'de>, M::Error> {
                let mut parts = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    parts.push((Step::Member(Cow::Owned(name)), value));
                }
                Ok(Parts(parts))
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Parts<'de>, S::Error> {
                let mut parts = Vec::new();
                while let Some(value) = seq.next_element::<&'de RawValue>()? {
                    parts.push((Step::Index(parts.len()), value));
                }
                Ok(Parts(parts))
            }
        }

        deserializer.deserialize_any(PartsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the reading is tested")]
    struct Order {
        dish: String,
        count: u8,
        #[serde(default)]
        to: Option<Address>,
        #[serde(default)]
        tags: Vec<String>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the reading is tested")]
    struct Address {
        street: String,
        floors: Vec<i32>,
    }

    #[track_caller]
    fn refused(arguments: &str, expected: &str) {
        let error = parse_arguments::<Order>(arguments).unwrap_err();
        assert!(matches!(error, CallError::Arguments(_)));
        assert_eq!(error.text(), expected, "{arguments}");
    }

    #[test]
    fn what_fits_is_read() {
        for accepted in [
            r#"{"dish":"a","count":255}"#,
            "{\n \"count\" : 0,\n \"dish\":\"\", \"to\":{\"street\":\"s\",\"floors\":[1]} }",
        ] {
            assert!(parse_arguments::<Order>(accepted).is_ok(), "{accepted}");
        }
        let nothing: NoArguments = parse_arguments(r#"{"x":1}"#).unwrap();
        assert_eq!(nothing, NoArguments {});
        assert!(parse_arguments::<NoArguments>("7").is_err());
    }

    #[test]
    fn the_member_is_named() {
        refused(
            r#"{"dish":"a","count":"two"}"#,
            r#"argument `count`: invalid type: string "two", expected u8"#,
        );
        refused(
            r#"{"count":256,"dish":"a"}"#,
            "argument `count`: invalid value: integer `256`, expected u8",
        );
        refused(
            "{\"count\":1,\n\"dish\":\n  null}",
            "argument `dish`: invalid type: null, expected a string",
        );
        refused(
            r#"{"dish":"é","count":-1}"#,
            "argument `count`: invalid value: integer `-1`, expected u8",
        );
        refused(
            r#"{"dish":"a","count":1,"to":{"street":"s","floors":[1,2,"x"]}}"#,
            r#"argument `to.floors[2]`: invalid type: string "x", expected i32"#,
        );
        refused(
            r#"{"dish":"a","count":1,"to":{"street":"s"}}"#,
            "argument `to`: missing field `floors`",
        );
        refused(
            r#"{"dish":"a","count":1,"tags":[[]]}"#,
            "argument `tags[0]`: invalid type: sequence, expected a string",
        );
    }

    #[test]
    fn what_serde_names_is_named_once() {
        refused(r#"{"dish":"a"}"#, "arguments: missing field `count`");
        refused(
            r#"{"dish":"a","count":1,"cuont":2}"#,
            "arguments: unknown field `cuont`, expected one of `dish`, `count`, `to`, `tags`",
        );
    }
}
