//! Server-Sent Events (WHATWG HTML section 9.2): the writer for our streams, and in [`parser`] the
//! reader for clients and tests.

pub mod parser;

pub use parser::{ParsedEvent, Parser, SseError};

use super::encode::push_decimal;
use crate::find;

/// One event to write. Fields appear in this order; absent ones are not written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event<'a> {
    /// Becomes the client's last event id. Left out if it is not [one line](is_one_line) or holds
    /// NUL, which clients ignore.
    pub id: Option<&'a str>,
    /// The event's type; absent means `message`. Left out if it is not [one line](is_one_line).
    pub event: Option<&'a str>,
    /// Asks the client to wait this long before it reconnects, in milliseconds.
    pub retry_ms: Option<u64>,
    /// The payload. Empty data is still an event: 2025-11-25 basic/transports primes a stream with
    /// an id and empty data.
    pub data: &'a str,
}

/// Writes an event and the blank line that dispatches it. CR, LF and CRLF in the data each start a
/// further `data:` line, so the client sees LF for all three.
pub fn encode_event(out: &mut Vec<u8>, event: &Event<'_>) {
    out.reserve(event.data.len().saturating_add(32));
    if let Some(id) = event.id.filter(|id| is_one_line(id) && !id.contains('\0')) {
        push_field(out, b"id: ", id);
    }
    if let Some(kind) = event.event.filter(|kind| is_one_line(kind)) {
        push_field(out, b"event: ", kind);
    }
    if let Some(retry_ms) = event.retry_ms {
        out.extend_from_slice(b"retry: ");
        push_decimal(out, retry_ms);
        out.push(b'\n');
    }
    push_lines(out, b"data:", event.data);
    out.push(b'\n');
}

/// Writes a `message` event that carries one JSON text.
pub fn encode_json(out: &mut Vec<u8>, id: Option<&str>, json: &str) {
    encode_event(
        out,
        &Event {
            id,
            data: json,
            ..Event::default()
        },
    );
}

/// Writes a comment, which clients drop: a sign of life for proxies. An empty text gives a bare
/// `:`.
pub fn encode_comment(out: &mut Vec<u8>, text: &str) {
    push_lines(out, b":", text);
    out.push(b'\n');
}

/// Whether a text can stand in a single-line field; names that come from outside are checked with
/// it before they are used.
pub fn is_one_line(text: &str) -> bool {
    find::line_end(text.as_bytes()).is_none()
}

fn push_field(out: &mut Vec<u8>, name: &[u8], value: &str) {
    out.extend_from_slice(name);
    out.extend_from_slice(value.as_bytes());
    out.push(b'\n');
}

fn push_lines(out: &mut Vec<u8>, name: &[u8], text: &str) {
    let mut rest = text.as_bytes();
    while let Some((line, end)) = find::line_end(rest).and_then(|len| rest.split_at_checked(len)) {
        push_line(out, name, line);
        rest = match end {
            [b'\r', b'\n', after @ ..] | [_, after @ ..] => after,
            [] => end,
        };
    }
    push_line(out, name, rest);
}

/// The space keeps a line that starts with one intact: clients strip one. An empty line needs none.
fn push_line(out: &mut Vec<u8>, name: &[u8], line: &[u8]) {
    out.extend_from_slice(name);
    if !line.is_empty() {
        out.push(b' ');
    }
    out.extend_from_slice(line);
    out.push(b'\n');
}

/// For fuzzing: whatever the data, the client reads it back with its line ends as LF, and nothing
/// else.
#[doc(hidden)]
#[expect(clippy::expect_used, reason = "what is expected is the test")]
pub fn fuzz_event(data: &str) {
    let mut out = Vec::new();
    encode_event(
        &mut out,
        &Event {
            id: Some(data),
            event: Some(data),
            retry_ms: None,
            data,
        },
    );
    encode_comment(&mut out, data);
    encode_json(&mut out, Some("7"), "{}");
    let mut parser = Parser::new(out.len());
    assert_eq!(parser.push(&out), Ok(()));
    let first = parser.next().expect("every event has a data line");
    assert_eq!(first.data, data.replace("\r\n", "\n").replace('\r', "\n"));
    if is_one_line(data) {
        assert_eq!(first.event, if data.is_empty() { "message" } else { data });
        assert_eq!(first.id, if data.contains('\0') { "" } else { data });
    } else {
        assert_eq!((first.event.as_str(), first.id.as_str()), ("message", ""));
    }
    let second = ParsedEvent {
        id: "7".into(),
        event: "message".into(),
        data: "{}".into(),
    };
    assert_eq!((parser.next(), parser.next()), (Some(second), None));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(event: Event<'_>, expected: &str) {
        let mut out = Vec::new();
        encode_event(&mut out, &event);
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{event:?}");
    }

    #[test]
    fn events_as_they_stand_on_the_wire() {
        check(
            Event {
                data: "{}",
                ..Event::default()
            },
            "data: {}\n\n",
        );
        check(
            Event {
                id: Some("s1-0"),
                ..Event::default()
            },
            "id: s1-0\ndata:\n\n",
        );
        check(
            Event {
                id: Some("7"),
                event: Some("endpoint"),
                retry_ms: Some(1500),
                data: "/messages?id=1",
            },
            "id: 7\nevent: endpoint\nretry: 1500\ndata: /messages?id=1\n\n",
        );
        check(
            Event {
                id: Some(""),
                data: "x",
                ..Event::default()
            },
            "id: \ndata: x\n\n",
        );
    }

    #[test]
    fn every_line_end_in_the_data_starts_a_data_line() {
        check(
            Event {
                data: "a\nb",
                ..Event::default()
            },
            "data: a\ndata: b\n\n",
        );
        check(
            Event {
                data: "a\rb",
                ..Event::default()
            },
            "data: a\ndata: b\n\n",
        );
        check(
            Event {
                data: "a\r\nb",
                ..Event::default()
            },
            "data: a\ndata: b\n\n",
        );
        check(
            Event {
                data: "a\n\r b\n",
                ..Event::default()
            },
            "data: a\ndata:\ndata:  b\ndata:\n\n",
        );
        check(
            Event {
                data: "a\n\nevent: evil\ndata: x",
                ..Event::default()
            },
            "data: a\ndata:\ndata: event: evil\ndata: data: x\n\n",
        );
    }

    #[test]
    fn fields_that_would_end_their_line_are_left_out() {
        for bad in ["a\nb", "a\rb", "\r\n", "a\r\ndata: x"] {
            check(
                Event {
                    id: Some(bad),
                    event: Some(bad),
                    data: "x",
                    ..Event::default()
                },
                "data: x\n\n",
            );
        }
        check(
            Event {
                id: Some("a\0b"),
                event: Some("a b"),
                data: "x",
                ..Event::default()
            },
            "event: a b\ndata: x\n\n",
        );
    }

    #[test]
    fn comments() {
        for (text, expected) in [
            ("", ":\n\n"),
            ("ping", ": ping\n\n"),
            ("a\nevent: x", ": a\n: event: x\n\n"),
        ] {
            let mut out = Vec::new();
            encode_comment(&mut out, text);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn a_line_end_is_found_wherever_it_stands() {
        for len in 0..200 {
            let line = "x".repeat(len);
            assert!(is_one_line(&line));
            assert!(!is_one_line(&(line.clone() + "\n")) && !is_one_line(&(line + "\rx")));
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for data in [
            "",
            " ",
            "a",
            "\n",
            "\r",
            "\r\n",
            "\n\r",
            "\r\r\n\n",
            "a\nb\r\nc\r",
            ":a",
            "data: a",
            "\u{feff}",
            "ä\0",
            "a\n\nb",
        ] {
            fuzz_event(data);
        }
    }
}
