//! Reads an event stream as a browser does (WHATWG HTML sections 9.2.5 and 9.2.6), from pieces of any size.

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
    /// At the start of a stream. `event_bytes_max` bounds each line, and the type and data of each event together.
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

    /// Takes the next bytes. Events complete before an error stay available; after one every call repeats it.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), SseError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.read(bytes)
            .inspect_err(|error| self.failed = Some(*error))
    }

    /// The last event id seen, dispatched or not: what `Last-Event-ID` has to say on the next connection.
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
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let len = end.unwrap_or(bytes.len());
            if self.line.len() + len > self.event_bytes_max {
                return Err(SseError::EventTooLong {
                    limit: self.event_bytes_max,
                });
            }
            self.line.extend_from_slice(&bytes[..len]);
            let Some(end) = end else { return Ok(()) };
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
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
                if self.data.len() + self.event.len() + value.len() + 1 > self.event_bytes_max {
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

/// The events dispatched so far and not yet taken. `None` means none for now: more may follow the next `push`.
impl Iterator for Parser {
    type Item = ParsedEvent;

    fn next(&mut self) -> Option<ParsedEvent> {
        self.ready.pop_front()
    }
}
