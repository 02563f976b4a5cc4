//! A resumable stream of a legacy session: numbered events, the last of them kept for replay
//! (2025-11-25 `basic/transports`, "Resumability and Redelivery").
//!
//! A stream outlives its connections. While a reader is attached, events go to it and into the
//! ring; while none is, into the ring alone. What fell out of the ring is gone: a client that asks
//! for more is told so by getting what is left.

use std::collections::VecDeque;
use std::rc::Rc;

use super::outlet::{EndReason, EventId, Item, Outlet, Packet, Status};

/// One stream; its session owns it.
pub struct SessionStream {
    /// Unique within the session, never used again; 0 is the stream of unrelated messages.
    pub number: u32,
    /// The sequence number of the next event. 0 is the priming event, which is never stored.
    pub next_sequence: u64,
    /// The last events, oldest first.
    pub ring: VecDeque<Stored>,
    /// Whether the last event has been pushed.
    pub is_complete: bool,
    reader: Option<Outlet>,
}

/// One event kept for replay.
#[derive(Clone)]
pub struct Stored {
    /// Its place in the stream.
    pub sequence: u64,
    /// The message.
    pub text: Rc<[u8]>,
    /// Whether it answers a request, so that a replay ends there.
    pub is_answer: bool,
}

impl SessionStream {
    /// A stream that has said nothing yet.
    pub fn new(number: u32) -> SessionStream {
        SessionStream {
            number,
            next_sequence: 1,
            ring: VecDeque::new(),
            is_complete: false,
            reader: None,
        }
    }

    /// Attaches the first reader of a stream born by a POST or GET.
    pub fn attach(&mut self, reader: Outlet) {
        if let Some(previous) = self.reader.replace(reader) {
            previous.end(EndReason::Replaced);
        }
    }

    /// Detaches the reader, which gets to know why; the stream goes on into its ring.
    pub fn detach(&mut self, reason: EndReason) {
        if let Some(reader) = self.reader.take() {
            reader.end(reason);
        }
    }

    /// Whether a reader is attached and still there.
    pub fn is_attached(&self) -> bool {
        self.reader
            .as_ref()
            .is_some_and(|reader| reader.ended().is_none())
    }

    /// The id of the event that a new reader may come back with before it got any other.
    pub fn priming_id(&self) -> EventId {
        EventId {
            stream: self.number,
            sequence: self.next_sequence - 1,
        }
    }

    /// Numbers a message, keeps it and hands it to the reader. Returns the bytes it added.
    pub fn push(&mut self, text: Rc<[u8]>, is_answer: bool) -> usize {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let len = text.len();
        let stored = Stored {
            sequence,
            text,
            is_answer,
        };
        self.hand_over(&stored);
        self.ring.push_back(stored);
        len
    }

    /// Gives a returning reader what it has not seen, and attaches it for the rest.
    pub fn resume(&mut self, last_seen: u64, reader: Outlet) {
        self.attach(reader);
        let missed: Vec<Stored> = self
            .ring
            .iter()
            .filter(|stored| stored.sequence > last_seen)
            .cloned()
            .collect();
        for stored in &missed {
            self.hand_over(stored);
        }
        if self.is_complete {
            self.detach(EndReason::Complete);
        }
    }

    /// No event will follow.
    pub fn complete(&mut self) {
        self.is_complete = true;
        self.detach(EndReason::Complete);
    }

    /// Drops the oldest event; returns the bytes it freed.
    pub fn forget_oldest(&mut self) -> usize {
        self.ring.pop_front().map_or(0, |stored| stored.text.len())
    }

    fn hand_over(&self, stored: &Stored) {
        let Some(reader) = &self.reader else { return };
        let event_id = Some(EventId {
            stream: self.number,
            sequence: stored.sequence,
        });
        let packet = Packet {
            event_id,
            text: stored.text.clone(),
        };
        reader.push(if stored.is_answer {
            Item::Answer(packet, Status::Answered)
        } else {
            Item::Message(packet)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(outlet: &Outlet) -> Vec<(u64, String)> {
        std::iter::from_fn(|| outlet.try_next())
            .map(|item| match item {
                Item::Message(packet) | Item::Answer(packet, _) => {
                    let text = String::from_utf8(packet.text.to_vec()).unwrap();
                    (packet.event_id.unwrap().sequence, text)
                }
                other => panic!("{other:?}"),
            })
            .collect()
    }

    fn seen(sequence: u64, text: &str) -> (u64, String) {
        (sequence, text.to_owned())
    }

    #[test]
    fn events_reach_the_reader_and_the_ring() {
        let mut stream = SessionStream::new(3);
        let outlet = Outlet::new(1000);
        stream.attach(outlet.clone());
        assert_eq!(stream.priming_id().to_string(), "3-0");
        stream.push(b"a"[..].into(), false);
        stream.push(b"b"[..].into(), true);
        assert_eq!(texts(&outlet), [seen(1, "a"), seen(2, "b")]);
        assert_eq!(stream.ring.len(), 2);
    }

    #[test]
    fn a_returning_reader_gets_what_it_missed_and_then_the_rest() {
        let mut stream = SessionStream::new(1);
        let first = Outlet::new(1000);
        stream.attach(first.clone());
        stream.push(b"a"[..].into(), false);
        stream.detach(EndReason::ReaderGone);
        assert_eq!(first.ended(), Some(EndReason::ReaderGone));
        stream.push(b"b"[..].into(), false);
        let second = Outlet::new(1000);
        stream.resume(1, second.clone());
        stream.push(b"c"[..].into(), true);
        stream.complete();
        assert_eq!(texts(&second), [seen(2, "b"), seen(3, "c")]);
        assert_eq!(second.ended(), Some(EndReason::Complete));
    }

    #[test]
    fn a_complete_stream_is_replayed_and_ends() {
        let mut stream = SessionStream::new(1);
        stream.push(b"a"[..].into(), true);
        stream.complete();
        let reader = Outlet::new(1000);
        stream.resume(0, reader.clone());
        assert_eq!(texts(&reader), [seen(1, "a")]);
        assert_eq!(reader.ended(), Some(EndReason::Complete));
        let up_to_date = Outlet::new(1000);
        stream.resume(1, up_to_date.clone());
        assert_eq!(texts(&up_to_date), []);
        assert_eq!(up_to_date.ended(), Some(EndReason::Complete));
    }
}
