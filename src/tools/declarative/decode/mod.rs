//! Decoders: the bytes of an answer as one JSON value.
//!
//! In scope: JSON, lines of JSON, text, container logs, and three formats of monitoring systems whose own shape a model
//! (or the pipeline) cannot use. Not in scope: character sets other than UTF-8, compression, choosing what to show.
//!
//! A value takes far more memory than its text: an object of one member more than 600 bytes. What a body may grow to is
//! therefore limited before it is read ([`GROWN_MAX`]).

mod docker_logs;
mod grafana_frames;
mod prom_api;
mod prom_text;
mod text;
mod time;

use std::fmt;

use serde_json::{Map, Value};

use crate::mcp::json::from_bytes;
use crate::tools::written::written_words;

pub use docker_logs::fuzz_docker_logs;
pub use prom_text::fuzz_prom_text;
pub use time::rfc3339;

/// How bytes become a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decode {
    /// The log of a container, framed or not, as text.
    DockerLogs,
    /// The answer of Grafana's data source query: columns to rows.
    GrafanaFrames,
    /// JSON; nothing at all is null.
    #[default]
    Json,
    /// JSON on every line: a list.
    Ndjson,
    /// Nothing: the status says it all.
    None,
    /// The answer of Prometheus' query and range query.
    PromApi,
    /// Prometheus' exposition format.
    PromText,
    /// UTF-8 text.
    Text,
}

written_words!(Decode {
    "docker_logs" => DockerLogs,
    "grafana_frames" => GrafanaFrames,
    "json" => Json,
    "ndjson" => Ndjson,
    "none" => None,
    "prom_api" => PromApi,
    "prom_text" => PromText,
    "text" => Text,
});

/// A decoded answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// What it says.
    pub value: Value,
    /// What was lost on the way, as a clause.
    pub note: Option<String>,
}

impl From<Value> for Decoded {
    fn from(value: Value) -> Decoded {
        Decoded { value, note: None }
    }
}

/// Why bytes are not what they should be.
#[derive(Debug)]
pub enum DecodeError {
    /// A text was expected and this is none.
    Binary {
        /// Size of the body in bytes.
        len: usize,
        /// What the service calls it.
        content_type: Option<String>,
    },
    /// Not of the format that the pack says.
    Format {
        /// What was expected.
        expected: &'static str,
    },
    /// Not JSON.
    Json {
        /// What is wrong with it.
        error: serde_json::Error,
        /// The line of the body, for line formats.
        line: Option<usize>,
        /// Whether it looks like a web page instead.
        is_html: bool,
    },
    /// It would take too much memory.
    TooMany {
        /// Estimated size as a value, in bytes; more than 32 bits can count.
        grown: u64,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Binary { len, content_type } => {
                let kind = content_type.as_deref().unwrap_or("no `Content-Type`");
                write!(out, "the answer is binary ({kind}, {len} bytes), expected text")
            }
            DecodeError::Format { expected } => write!(out, "the answer is not {expected}"),
            DecodeError::Json { is_html: true, .. } => out.write_str(
                "the answer is a web page, expected JSON: the `url` may lead to a login page or to a path too few",
            ),
            DecodeError::Json {
                error,
                line: Some(line),
                ..
            } => write!(out, "line {line} of the answer is not JSON: {error}"),
            DecodeError::Json { error, .. } => write!(out, "the answer is not JSON: {error}"),
            DecodeError::TooMany { grown } => write!(
                out,
                "the answer has too many values: they would take about {} MiB of memory, at most {} are allowed: ask for less",
                grown >> 20,
                GROWN_MAX >> 20
            ),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Bytes of memory that the value of one answer may take, roughly.
pub const GROWN_MAX: u64 = 64 << 20;

/// Reads an answer. `content_type` is used in messages only: services and proxies often set a wrong one.
pub fn decode(
    kind: Decode,
    body: &[u8],
    content_type: Option<&str>,
) -> Result<Decoded, DecodeError> {
    match kind {
        Decode::DockerLogs => Ok(docker_logs::decode(body)),
        Decode::GrafanaFrames => grafana_frames::decode(json(body)?).map(Decoded::from),
        Decode::Json => json(body).map(Decoded::from),
        Decode::Ndjson => ndjson(body).map(Decoded::from),
        Decode::None => Ok(Decoded::default()),
        Decode::PromApi => prom_api::decode(json(body)?).map(Decoded::from),
        Decode::PromText => prom_text::decode(body),
        Decode::Text => text::decode(body, content_type),
    }
}

/// An object of these members; those without a value are left out.
#[inline(never)]
fn object(members: &mut [(&str, Option<Value>)]) -> Value {
    let mut object = Map::new();
    for (name, value) in members {
        if let Some(value) = value.take() {
            object.insert((*name).to_owned(), value);
        }
    }
    object.into()
}

/// One JSON document; an empty body is null.
fn json(body: &[u8]) -> Result<Value, DecodeError> {
    let body = without_mark(body).trim_ascii();
    if body.is_empty() {
        return Ok(Value::Null);
    }
    limit(body)?;
    parse(body, None)
}

/// A JSON document on every line that is not empty.
fn ndjson(body: &[u8]) -> Result<Value, DecodeError> {
    let body = without_mark(body);
    limit(body)?;
    let mut values = Vec::new();
    for (at, line) in body.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if !line.is_empty() {
            values.push(parse(line, Some(at.saturating_add(1)))?);
        }
    }
    Ok(Value::Array(values))
}

fn parse(text: &[u8], line: Option<usize>) -> Result<Value, DecodeError> {
    from_bytes(text).map_err(|error| DecodeError::Json {
        error,
        line,
        is_html: text.starts_with(b"<"),
    })
}

/// Some services start their answers with a byte order mark.
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body)
}

fn limit(body: &[u8]) -> Result<(), DecodeError> {
    match grown(body) {
        grown if grown > GROWN_MAX => Err(DecodeError::TooMany { grown }),
        _ => Ok(()),
    }
}

/// About how many bytes the value of a JSON text takes: a node for each object, a place for each element, and the texts.
/// An object is a B-tree whose nodes hold eleven members of 56 bytes each, so that one member costs as much as eleven.
fn grown(body: &[u8]) -> u64 {
    let mut grown = body.len() as u64;
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        let more = match byte {
            b'{' => 640,
            b'[' => 64,
            b',' => 56,
            b'"' => {
                skip_string(&mut bytes);
                0
            }
            _ => 0,
        };
        grown = grown.saturating_add(more);
    }
    grown
}

/// Goes on behind the closing quote of a string that has begun.
fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => _ = bytes.next(),
            _ => (),
        }
    }
}

/// For fuzzing: an answer of any bytes, read in every way but the two that have targets of their own.
#[doc(hidden)]
pub fn fuzz_answer(bytes: &[u8]) {
    for kind in [
        Decode::GrafanaFrames,
        Decode::Json,
        Decode::Ndjson,
        Decode::PromApi,
        Decode::Text,
    ] {
        if let Err(error) = decode(kind, bytes, None) {
            assert!(!error.to_string().is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(kind: Decode, body: &str, expected: Value) {
        let decoded = decode(kind, body.as_bytes(), None).unwrap();
        assert_eq!(decoded, Decoded::from(expected), "{body}");
    }

    #[track_caller]
    fn refused(kind: Decode, body: &[u8], expected: &str) {
        let error = decode(kind, body, None).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn json_documents() {
        check(Decode::Json, " {\"a\": 1}\r\n", json!({"a": 1}));
        check(Decode::Json, "\u{feff}[1]", json!([1]));
        check(Decode::Json, "", Value::Null);
        check(Decode::Json, " \n", Value::Null);
        refused(
            Decode::Json,
            b"{\"a\": 1",
            "the answer is not JSON: EOF while parsing an object at line 1",
        );
        refused(
            Decode::Json,
            b"OK",
            "the answer is not JSON: expected value at line 1 column 1",
        );
        refused(
            Decode::Json,
            b"<!doctype html>",
            "the answer is a web page, expected JSON: the `url` may lead to",
        );
        refused(Decode::Json, b"\xff", "the answer is not JSON");
        let deep = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert!(decode(Decode::Json, &deep(127), None).is_ok());
        refused(
            Decode::Json,
            &deep(128),
            "the answer is not JSON: recursion limit exceeded",
        );
    }

    #[test]
    fn lines_of_json() {
        check(
            Decode::Ndjson,
            "{\"a\":1}\n\n{\"a\":2}\r\n",
            json!([{"a": 1}, {"a": 2}]),
        );
        check(Decode::Ndjson, "", json!([]));
        refused(
            Decode::Ndjson,
            b"{\"a\":1}\n\n{\"a\":",
            "line 3 of the answer is not JSON: EOF while parsing",
        );
    }

    #[test]
    fn nothing_reads_nothing() {
        check(Decode::None, "anything \0", Value::Null);
        refused(
            Decode::PromApi,
            b"[]",
            "the answer is not a query result of Prometheus",
        );
        refused(
            Decode::GrafanaFrames,
            b"{}",
            "the answer is not the answer of a data source query",
        );
        refused(
            Decode::PromText,
            b"<html>\n",
            "the answer is not in Prometheus' text format",
        );
        refused(
            Decode::Text,
            b"\0",
            "the answer is binary (no `Content-Type`, 1 bytes), expected text",
        );
    }

    #[test]
    fn memory_is_bounded() {
        let objects = |count: usize| format!("[{}{{}}]", "{},".repeat(count - 1));
        let most = usize::try_from((GROWN_MAX - 64) / (640 + 56 + 3)).unwrap();
        assert!(decode(Decode::Json, objects(most).as_bytes(), None).is_ok());
        refused(
            Decode::Json,
            objects(most + 1).as_bytes(),
            "the answer has too many values: they would take about 64 MiB",
        );
        // Braces in texts are no objects.
        let text = format!("[\"{}\\\"{}\"]", "{".repeat(100_000), "{".repeat(100_000));
        check(
            Decode::Json,
            &text,
            json!([format!("{}\"{}", "{".repeat(100_000), "{".repeat(100_000))]),
        );
        assert_eq!(grown(b"\"\\"), 2);
    }
}
