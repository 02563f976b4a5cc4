//! One record as one line of at most [`LINE_BYTES_MAX`] bytes. Pure.

use std::fmt::{self, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use log::{Level, Record};

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
        Timestamp(now),
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
    let _ = write!(out, "{} {:<5} ", Timestamp(now), level(record));
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
        if self.out.len() + text.len() > self.len_max {
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
struct Timestamp(SystemTime);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (days, second) = (since.as_secs() / 86400, since.as_secs() % 86400);
        let (year, month, day) = date(days);
        let (h, m, s, ms) = (
            second / 3600,
            second / 60 % 60,
            second % 60,
            since.subsec_millis(),
        );
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{ms:03}Z"
        )
    }
}

/// Year, month and day of a count of days since 1970-01-01. Counts in eras of 400 years that begin on 1 March, so
/// that the leap day is the last of its year.
const fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_PER_ERA: u64 = 146_097;
    // Days from 0000-03-01 to 1970-01-01.
    let days = days + 719_468;
    let (era, day_of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day)
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
    fn dates() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (789, (1972, 2, 29)),
            (11_016, (2000, 2, 29)),
            (24_855, (2038, 1, 19)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
            (49_710, (2106, 2, 7)),
        ] {
            assert_eq!(date(days), expected, "day {days}");
        }
        assert_eq!(
            Timestamp(UNIX_EPOCH - NOON).to_string(),
            "1970-01-01T00:00:00.000Z"
        );
    }
}
