//! Server-Sent Events (WHATWG HTML section 9.2): the writer for our streams, and in [`parser`] the reader for clients and tests.

pub mod parser;

pub use parser::{ParsedEvent, Parser, SseError};

use super::encode::push_decimal;

/// One event to write. Fields appear in this order; absent ones are not written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event<'a> {
    /// Becomes the client's last event id. Left out if it is not [one line](is_one_line) or holds NUL, which clients ignore.
    pub id: Option<&'a str>,
    /// The event's type; absent means `message`. Left out if it is not [one line](is_one_line).
    pub event: Option<&'a str>,
    /// Asks the client to wait this long before it reconnects, in milliseconds.
    pub retry_ms: Option<u64>,
    /// The payload. Empty data is still an event: 2025-11-25 basic/transports primes a stream with an id and empty data.
    pub data: &'a str,
}

/// Writes an event and the blank line that dispatches it. CR, LF and CRLF in the data each start a further `data:` line, so
/// the client sees LF for all three.
pub fn encode_event(out: &mut Vec<u8>, event: &Event<'_>) {
    out.reserve(event.data.len() + 32);
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

/// Writes a comment, which clients drop: a sign of life for proxies. An empty text gives a bare `:`.
pub fn encode_comment(out: &mut Vec<u8>, text: &str) {
    push_lines(out, b":", text);
    out.push(b'\n');
}

/// Whether a text can stand in a single-line field; names that come from outside are checked with it before they are used.
pub fn is_one_line(text: &str) -> bool {
    // Whole blocks without an early exit, so that the compiler can compare many bytes at once: JSON is one long line.
    !text.as_bytes().chunks(64).any(|block| {
        block
            .iter()
            .fold(false, |found, byte| found | is_line_end(*byte))
    })
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

fn push_field(out: &mut Vec<u8>, name: &[u8], value: &str) {
    out.extend_from_slice(name);
    out.extend_from_slice(value.as_bytes());
    out.push(b'\n');
}

fn push_lines(out: &mut Vec<u8>, name: &[u8], text: &str) {
    if is_one_line(text) {
        return push_line(out, name, text.as_bytes());
    }
    let mut rest = text.as_bytes();
    while let Some(len) = rest.iter().position(|byte| is_line_end(*byte)) {
        push_line(out, name, &rest[..len]);
        let end_len = if rest[len..].starts_with(b"\r\n") {
            2
        } else {
            1
        };
        rest = &rest[len + end_len..];
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
