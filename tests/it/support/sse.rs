//! An event stream that is open.

use siskin::http1::sse::Parser;

use super::http::{BodyReader, Http, Response};
use super::{Until, Value, parse};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id, or that of the last event with one; empty before that.
    pub id: String,
    /// Its type.
    pub event: String,
    /// Its data.
    pub data: String,
}

impl Event {
    /// Its data as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        parse(&self.data)
    }
}

/// A stream; see the module. Dropping it closes the connection.
pub struct Sse {
    /// The response it came with.
    pub head: Response,
    /// The connection; readable again after the end of a stream on a kept connection.
    pub http: Http,
    /// The bytes of the stream, framing taken off: comments and all.
    pub raw: Vec<u8>,
    parser: Parser,
    body: BodyReader,
    parsed: usize,
}

impl Sse {
    /// The body of a response whose head has been read.
    #[track_caller]
    pub fn new(http: Http, head: Response) -> Sse {
        let body = BodyReader::new(head.framing);
        Sse {
            head,
            http,
            raw: Vec::new(),
            parser: Parser::new(16 << 20),
            body,
            parsed: 0,
        }
    }

    /// The next event; none at the end of the stream.
    #[track_caller]
    pub fn try_next(&mut self) -> Option<Event> {
        self.next_until(Until::soon())
            .unwrap_or_else(|()| panic!("no event in time; so far: {}", self.raw.escape_ascii()))
    }

    /// The next event.
    #[track_caller]
    pub fn next(&mut self) -> Event {
        self.try_next()
            .unwrap_or_else(|| panic!("the stream ended; so far: {}", self.raw.escape_ascii()))
    }

    /// The next message. Events without data, which prime a stream, are passed over, as clients
    /// do.
    #[track_caller]
    pub fn message(&mut self) -> Value {
        let event = self.try_message();
        event
            .unwrap_or_else(|| panic!("the stream ended; so far: {}", self.raw.escape_ascii()))
            .json()
    }

    /// The event of the next message; none at the end of the stream.
    #[track_caller]
    pub fn try_message(&mut self) -> Option<Event> {
        loop {
            let event = self.try_next()?;
            assert_eq!(event.event, "message", "{event:?}");
            if !event.data.is_empty() {
                return Some(event);
            }
        }
    }

    /// All events to the end of the stream.
    #[track_caller]
    pub fn rest(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.try_next()).collect()
    }

    /// Fails unless the stream ends without another event.
    #[track_caller]
    pub fn expect_end(&mut self) {
        if let Some(event) = self.try_next() {
            panic!("an event where the end is due: {event:?}");
        }
    }

    /// Reads on until the bytes of the stream satisfy `found`: for comments, and priming events,
    /// which are no events to a parser.
    #[track_caller]
    pub fn wait_raw(&mut self, what: &str, found: impl Fn(&str) -> bool) {
        let until = Until::soon();
        loop {
            self.take_unread();
            if found(&String::from_utf8_lossy(&self.raw)) {
                return;
            }
            let raw = self.raw.escape_ascii().to_string();
            assert!(
                !self.body.is_done,
                "{what}: the stream ended; so far: {raw}"
            );
            match self.http.try_more(until) {
                None => panic!("{what}: not in time; so far: {raw}"),
                Some(0) => self.body.end(),
                Some(_) => (),
            }
        }
    }

    /// The id that `Last-Event-ID` has to name to resume here; also that of a priming event.
    pub fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }

    /// The time the server asks to wait before resuming.
    pub fn retry_ms(&self) -> Option<u64> {
        self.parser.retry_ms()
    }

    fn take_unread(&mut self) {
        self.body.read(&mut self.http.unread, &mut self.raw);
        let new = &self.raw[self.parsed..];
        if let Err(error) = self.parser.push(new) {
            panic!("{error}");
        }
        self.parsed = self.raw.len();
    }

    #[track_caller]
    fn next_until(&mut self, until: Until) -> Result<Option<Event>, ()> {
        loop {
            self.take_unread();
            if let Some(event) = self.parser.next() {
                return Ok(Some(Event {
                    id: event.id,
                    event: event.event,
                    data: event.data,
                }));
            }
            if self.body.is_done {
                return Ok(None);
            }
            match self.http.try_more(until) {
                None => return Err(()),
                Some(0) => self.body.end(),
                Some(_) => (),
            }
        }
    }
}
