//! Reads an event stream as a browser does (WHATWG HTML sections 9.2.5 and 9.2.6), from pieces of
//! any size.

use crate::find;
use std::collections::VecDeque;
use std::fmt;

/// One dispatched event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedEvent {
    /// The last event id at this point of the stream; empty if none was ever sent.
    pub id: String,
    /// The type; `message` if the stream named none.
    pub event: String,
    /// The data lines joined by LF.
    pub data: String,
}

/// Why a stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SseError {
    /// A line, or the lines of one event together, exceed the bound.
    EventTooLong {
        /// Bytes allowed.
        limit: usize,
    },
}

impl fmt::Display for SseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SseError::EventTooLong { limit } = self;
        write!(f, "an event of the stream is longer than {limit} bytes")
    }
}

impl std::error::Error for SseError {}

/// The state of one stream.
#[derive(Debug)]
pub struct Parser {
    event_bytes_max: usize,
    /// Bytes of the current line.
    line: Vec<u8>,
    /// A CR ended the last line; a LF right behind it belongs to it.
    after_cr: bool,
    /// No line has ended yet, so a byte order mark may stand at the front.
    at_start: bool,
    data: String,
    event: String,
    last_event_id: String,
    retry_ms: Option<u64>,
    ready: VecDeque<ParsedEvent>,
    failed: Option<SseError>,
}

impl Parser {
    /// At the start of a stream. `event_bytes_max` bounds each line, and the type and data of each
    /// event together.
    pub fn new(event_bytes_max: usize) -> Parser {
        Parser {
            event_bytes_max,
            line: Vec::new(),
            after_cr: false,
            at_start: true,
            data: String::new(),
            event: String::new(),
            last_event_id: String::new(),
            retry_ms: None,
            ready: VecDeque::new(),
            failed: None,
        }
    }

    /// Takes the next bytes. Events complete before an error stay available; after one every call
    /// repeats it.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), SseError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.read(bytes)
            .inspect_err(|error| self.failed = Some(*error))
    }

    /// The last event id seen, dispatched or not: what `Last-Event-ID` has to say on the next
    /// connection.
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// The reconnection time the stream asked for, in milliseconds.
    pub fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    fn read(&mut self, mut bytes: &[u8]) -> Result<(), SseError> {
        loop {
            if self.after_cr && !bytes.is_empty() {
                self.after_cr = false;
                bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
            }
            let end = find::line_end(bytes);
            let (line, end) = end
                .and_then(|end| bytes.split_at_checked(end))
                .unwrap_or((bytes, &[]));
            if self.line.len().saturating_add(line.len()) > self.event_bytes_max {
                return Err(SseError::EventTooLong {
                    limit: self.event_bytes_max,
                });
            }
            self.line.extend_from_slice(line);
            let Some((end, rest)) = end.split_first() else {
                return Ok(());
            };
            self.after_cr = *end == b'\r';
            bytes = rest;
            self.end_line()?;
        }
    }

    fn end_line(&mut self) -> Result<(), SseError> {
        let line = std::mem::take(&mut self.line);
        let mut text = line.as_slice();
        if std::mem::take(&mut self.at_start) {
            text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        }
        let outcome = self.interpret(&String::from_utf8_lossy(text));
        self.line = line;
        self.line.clear();
        outcome
    }

    /// One line, as section 9.2.6 tells it.
    fn interpret(&mut self, line: &str) -> Result<(), SseError> {
        if line.is_empty() {
            self.dispatch();
            return Ok(());
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => {
                let kept = self.data.len().saturating_add(self.event.len());
                let len = kept.saturating_add(value.len()).saturating_add(1);
                if len > self.event_bytes_max {
                    return Err(SseError::EventTooLong {
                        limit: self.event_bytes_max,
                    });
                }
                self.data.push_str(value);
                self.data.push('\n');
            }
            "event" => value.clone_into(&mut self.event),
            "id" if !value.contains('\0') => value.clone_into(&mut self.last_event_id),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry_ms = value.parse().ok().or(self.retry_ms);
            }
            // A comment has an empty name; unknown fields are ignored.
            _ => (),
        }
        Ok(())
    }

    fn dispatch(&mut self) {
        let event = std::mem::take(&mut self.event);
        if self.data.is_empty() {
            return;
        }
        let mut data = std::mem::take(&mut self.data);
        data.pop();
        let event = if event.is_empty() {
            "message".to_owned()
        } else {
            event
        };
        self.ready.push_back(ParsedEvent {
            id: self.last_event_id.clone(),
            event,
            data,
        });
    }
}

/// The events dispatched so far and not yet taken. `None` means none for now: more may follow the
/// next `push`.
impl Iterator for Parser {
    type Item = ParsedEvent;

    fn next(&mut self) -> Option<ParsedEvent> {
        self.ready.pop_front()
    }
}

/// For fuzzing: a stream reads the same whole and byte by byte.
#[doc(hidden)]
pub fn fuzz_parser(bytes: &[u8]) {
    let mut whole = Parser::new(64);
    let whole_outcome = whole.push(bytes);
    let mut split = Parser::new(64);
    let mut split_outcome = Ok(());
    for byte in bytes {
        split_outcome = split.push(&[*byte]);
        if split_outcome.is_err() {
            break;
        }
    }
    assert_eq!(whole_outcome, split_outcome);
    assert_eq!(whole.last_event_id(), split.last_event_id());
    assert_eq!(whole.retry_ms(), split.retry_ms());
    assert!(whole.eq(split));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `expected`: id, type and data of each event. The stream is fed whole and split at every
    /// byte.
    #[track_caller]
    fn check(stream: impl AsRef<[u8]>, expected: &[(&str, &str, &str)]) {
        let stream = stream.as_ref();
        for cut in 0..=stream.len() {
            let mut parser = Parser::new(1024);
            parser.push(&stream[..cut]).unwrap();
            parser.push(&stream[cut..]).unwrap();
            let events: Vec<_> = parser
                .map(|event| (event.id, event.event, event.data))
                .collect();
            let events: Vec<_> = events
                .iter()
                .map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str()))
                .collect();
            assert_eq!(events, expected, "{}, cut at {cut}", stream.escape_ascii());
        }
        fuzz_parser(stream);
    }

    /// The examples of WHATWG HTML section 9.2.6, in our words.
    #[test]
    fn fields_and_dispatch() {
        check("data: a\ndata: b\n\n", &[("", "message", "a\nb")]);
        check(
            ": comment\n\ndata: 1\nid: 1\n\ndata:2\nid\n\ndata:  3\n\n",
            &[
                ("1", "message", "1"),
                ("", "message", "2"),
                ("", "message", " 3"),
            ],
        );
        check(
            "data\n\ndata\ndata\n\ndata:",
            &[("", "message", ""), ("", "message", "\n")],
        );
        check(
            "data:x\n\ndata: x\n\n",
            &[("", "message", "x"), ("", "message", "x")],
        );
    }

    #[test]
    fn line_ends() {
        for end in ["\n", "\r", "\r\n"] {
            let stream = format!("event: a{end}data: b{end}{end}data: c{end}{end}");
            check(&stream, &[("", "a", "b"), ("", "message", "c")]);
        }
        check(
            "data: a\r\n\rdata: b\n\r\n",
            &[("", "message", "a"), ("", "message", "b")],
        );
        check(
            "data: a\n\r\ndata: b\r\r",
            &[("", "message", "a"), ("", "message", "b")],
        );
    }

    #[test]
    fn an_event_without_data_is_not_dispatched_but_its_id_counts() {
        check("event: a\n\ndata: b\n\n", &[("", "message", "b")]);
        check("id: 1\n\ndata: b\n\n", &[("1", "message", "b")]);
        check("id: 1\ndata:\n\n", &[("1", "message", "")]);
        check("data: unfinished\n", &[]);
    }

    #[test]
    fn the_id_persists_and_one_with_nul_is_ignored() {
        check(
            "id: 1\ndata: a\n\ndata: b\n\nid: 2\0\ndata: c\n\n",
            &[
                ("1", "message", "a"),
                ("1", "message", "b"),
                ("1", "message", "c"),
            ],
        );
        check(
            "id: 1\ndata: a\n\nid:\ndata: b\n\n",
            &[("1", "message", "a"), ("", "message", "b")],
        );
    }

    #[test]
    fn names_are_exact_and_unknown_ones_are_skipped() {
        check("Data: a\n data: b\ndata : c\nfoo: d\ndatax\n\n", &[]);
        check("data: a: b\nevent: x:y\n\n", &[("", "x:y", "a: b")]);
        check("event: a\nevent: b\ndata: c\n\n", &[("", "b", "c")]);
        check("event: a\nevent:\ndata: c\n\n", &[("", "message", "c")]);
    }

    #[test]
    fn one_byte_order_mark_and_only_at_the_front() {
        check("\u{feff}data: a\n\n", &[("", "message", "a")]);
        check("\u{feff}\u{feff}data: a\n\n", &[]);
        check("\n\u{feff}data: a\n\n", &[]);
        check("data: \u{feff}a\n\n", &[("", "message", "\u{feff}a")]);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced() {
        check(
            b"data: a\xffb\xe2\x82\n\n",
            &[("", "message", "a\u{fffd}b\u{fffd}")],
        );
    }

    #[test]
    fn retry_is_digits_only() {
        let retry = |stream: &str| {
            let mut parser = Parser::new(64);
            parser.push(stream.as_bytes()).unwrap();
            parser.retry_ms()
        };
        assert_eq!(retry("retry: 1500\n"), Some(1500));
        assert_eq!(retry("retry:0\n"), Some(0));
        assert_eq!(
            retry("retry: 5\nretry: -1\nretry: +1\nretry: 1s\nretry:\nretry:  2\n"),
            Some(5)
        );
        assert_eq!(retry("retry: 99999999999999999999\n"), None);
        assert_eq!(retry("retry: 7\nretry: 99999999999999999999\n"), Some(7));
        assert_eq!(retry("retry: 5"), None);
    }

    #[test]
    fn an_event_of_exactly_the_bound_is_allowed() {
        let push = |stream: &str, event_bytes_max| {
            let mut parser = Parser::new(event_bytes_max);
            let outcome = parser.push(stream.as_bytes());
            assert_eq!(parser.push(b""), outcome, "errors stay");
            (outcome.is_ok(), parser.count())
        };
        assert_eq!(push("data: 1234\n\n", 10), (true, 1));
        assert_eq!(push("data: 1234\n\n", 9), (false, 0));
        // Lines of an event add up, each with its line end; those of two events do not.
        assert_eq!(push("data:1\ndata:2\ndata:3\n\n", 6), (true, 1));
        assert_eq!(push("data:1\ndata:2\ndata:34\n\n", 7), (true, 1));
        assert_eq!(push("data:1\ndata:2\ndata:345\n\n", 7), (false, 0));
        assert_eq!(push("data:1\n\ndata:2\n\ndata:345678\n\n", 8), (false, 2));
    }

    #[test]
    fn events_before_an_error_stay() {
        let mut parser = Parser::new(8);
        assert_eq!(
            parser.push(b"data: a\n\ndata: bcdef\n\n"),
            Err(SseError::EventTooLong { limit: 8 })
        );
        assert_eq!(parser.next().map(|event| event.data), Some("a".into()));
        assert_eq!(parser.next(), None);
    }
}
