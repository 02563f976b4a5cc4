//! One record as one line of at most [`LINE_BYTES_MAX`] bytes. Pure.

use std::fmt::{self, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use log::{Level, Record};

use crate::calendar::{Fraction, Rfc3339};

use super::escape::Escaper;
use super::request_id::RequestId;

/// Longest line with its end: what a pipe takes whole and at once when it says it is writable (`PIPE_BUF`).
pub const LINE_BYTES_MAX: usize = 4096;

/// Room kept for what comes after the message.
const TAIL_BYTES_MAX: usize = 96;

/// `{"ts":"2026-07-28T12:00:00.000Z","level":"info","target":"siskin::rt","msg":"…","request_id":"r1"}`
pub fn json(record: &Record<'_>, now: SystemTime) -> String {
    let mut out = String::new();
    // Writing to a `String` cannot fail; the message's own writer says when it was cut.
    let _ = write!(
        out,
        r#"{{"ts":"{}","level":"{}","target":""#,
        timestamp(now),
        level(record)
    );
    let _ = write!(Json(Bounded::new(&mut out, 512)), "{}", record.target());
    out.push_str(r#"","msg":""#);
    let cut = write!(
        Json(Bounded::new(&mut out, LINE_BYTES_MAX - TAIL_BYTES_MAX)),
        "{}",
        record.args()
    );
    out.push('"');
    if let Some(id) = RequestId::current() {
        let _ = write!(out, r#","request_id":"{id}""#);
    }
    if cut.is_err() {
        out.push_str(r#","cut":true"#);
    }
    out.push_str("}\n");
    out
}

/// `2026-07-28T12:00:00.000Z info siskin::rt: … [r1]`
pub fn text(record: &Record<'_>, now: SystemTime) -> String {
    let mut out = String::new();
    let _ = write!(out, "{} {:<5} ", timestamp(now), level(record));
    let _ = write!(
        Escaper(Bounded::new(&mut out, 512)),
        "{}: ",
        record.target()
    );
    let cut = write!(
        Escaper(Bounded::new(&mut out, LINE_BYTES_MAX - TAIL_BYTES_MAX)),
        "{}",
        record.args()
    );
    if cut.is_err() {
        out.push('…');
    }
    if let Some(id) = RequestId::current() {
        let _ = write!(out, " [{id}]");
    }
    out.push('\n');
    out
}

fn level(record: &Record<'_>) -> &'static str {
    match record.level() {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    }
}

/// Takes text until the string behind it has `len_max` bytes, then fails. What one write holds is taken whole or not
/// at all, so an escape is never cut in half.
struct Bounded<'a> {
    out: &'a mut String,
    len_max: usize,
}

impl<'a> Bounded<'a> {
    const fn new(out: &'a mut String, len_max: usize) -> Self {
        Self { out, len_max }
    }
}

impl fmt::Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.out.len().saturating_add(text.len()) > self.len_max {
            return Err(fmt::Error);
        }
        self.out.push_str(text);
        Ok(())
    }
}

/// Escapes as the inside of a JSON string, RFC 8259 section 7, one character per write.
struct Json<'a>(Bounded<'a>);

impl fmt::Write for Json<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '"' => self.0.write_str("\\\"")?,
                '\\' => self.0.write_str("\\\\")?,
                '\n' => self.0.write_str("\\n")?,
                '\r' => self.0.write_str("\\r")?,
                '\t' => self.0.write_str("\\t")?,
                // C1 controls and the line separators too: legal in JSON, but not in every log viewer.
                c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                    // At once, or a cut might fall inside it.
                    self.0.write_str(&format!("\\u{:04x}", u32::from(c)))?;
                }
                c => self.0.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// RFC 3339 in UTC with milliseconds; before 1970 it is 1970.
fn timestamp(now: SystemTime) -> Rfc3339 {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let unix_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    Rfc3339::new(unix_ms, Fraction::Always)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOON: Duration = Duration::from_millis(1_785_240_000_007);

    /// The record of `message` as JSON and as text.
    fn lines(message: &str) -> (String, String) {
        (line(json, message), line(text, message))
    }

    fn line(format: fn(&Record<'_>, SystemTime) -> String, message: &str) -> String {
        let mut record = Record::builder();
        record.level(Level::Warn).target("siskin::rt");
        format(
            &record.args(format_args!("{message}")).build(),
            UNIX_EPOCH + NOON,
        )
    }

    fn msg(json: &str) -> String {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        value["msg"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_plain_line() {
        let (json, text) = lines("hello");
        assert_eq!(
            json,
            "{\"ts\":\"2026-07-28T12:00:00.007Z\",\"level\":\"warn\",\"target\":\"siskin::rt\",\"msg\":\"hello\"}\n"
        );
        assert_eq!(text, "2026-07-28T12:00:00.007Z warn  siskin::rt: hello\n");
    }

    #[test]
    fn any_message_is_one_line_and_json_gives_it_back() {
        let hostile = "a\r\n2026 info forged\u{1b}[2J\0\"\\\u{2028}\u{85}é\u{1f600}";
        let (json, text) = lines(hostile);
        for line in [&json, &text] {
            assert!(
                !line.trim_end_matches('\n').chars().any(char::is_control),
                "{line:?}"
            );
        }
        assert_eq!(msg(&json), hostile);
    }

    #[test]
    fn long_messages_are_cut_and_stay_valid() {
        for unit in ["x", "é", "\"", "\u{1}", "\u{1f600}"] {
            let (json, text) = lines(&unit.repeat(10_000));
            assert!(json.len() <= LINE_BYTES_MAX && text.len() <= LINE_BYTES_MAX);
            assert!(json.ends_with("\"cut\":true}\n") && text.ends_with("…\n"));
            assert!(msg(&json).len() > 500);
        }
        let (json, _) = lines(&"x".repeat(1000));
        assert_eq!(msg(&json).len(), 1000);
        assert!(!json.contains("cut"));
    }

    #[test]
    fn the_request_is_named() {
        let mut future = std::pin::pin!(super::super::traced(RequestId::next(), async {
            lines("x")
        }));
        let cx = &mut std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready((json, text)) = future.as_mut().poll(cx) else {
            panic!("nothing to wait for")
        };
        assert!(json.contains(r#","request_id":"r"#), "{json}");
        assert!(text.contains(" x [r") || text.contains(": x [r"), "{text}");
    }

    #[test]
    fn a_clock_before_1970_reads_1970() {
        assert_eq!(
            timestamp(UNIX_EPOCH - NOON).to_string(),
            "1970-01-01T00:00:00.000Z"
        );
        assert_eq!(
            timestamp(UNIX_EPOCH + Duration::from_secs(1 << 32)).to_string(),
            "2106-02-07T06:28:16.000Z"
        );
    }
}
