//! A bounded queue of messages to one reader: an HTTP response, a stream, or stdout.
//!
//! Whoever pushes never waits. A reader that does not keep up loses its own stream
//! ([`EndReason::SlowReader`]) and nobody else's; the answer to a request is the one thing that is
//! always taken, because its size is bounded where it is made.
//!
//! ```text
//!            push, answer              end / overflow
//!   Open ──────────────────▶ Open ──────────────────────▶ Ended(reason)
//!     │  reader takes items                                │ reader takes the rest, then sees the end
//! ```

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::metrics::EventKind;

use super::held;

/// What a reader takes from an outlet.
#[derive(Clone, Debug)]
pub enum Item {
    /// The answer to a request, and what it means in HTTP; a response that carries one request
    /// ends after it.
    Answer(Packet, Status),
    /// A request ended unanswered, because it was cancelled; counts as an answer for who waits.
    Unanswered,
    /// A notification or a request of ours.
    Message(Packet),
    /// An event of the plain event stream: already a complete `text/event-stream` block.
    Event(EventKind, Rc<[u8]>),
    /// Time for a comment, so that proxies keep the stream open.
    KeepAlive,
}

/// The outcome of a message as HTTP sees it; each names the status codes of the transport pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 200: answered, be it with a JSON-RPC error.
    Answered,
    /// 400: not a message, or one that breaks the rules of its revision.
    BadRequest,
    /// 503: a limit of the whole server is reached.
    Busy,
    /// 404: no such session (legacy), or no such method (2026-07-28).
    NotFound,
}

/// One JSON-RPC message as text, with its place in a resumable stream.
#[derive(Clone, Debug)]
pub struct Packet {
    /// The `id` of the Server-Sent Event, where the stream can be resumed.
    pub event_id: Option<EventId>,
    /// The message: JSON text on one line. Shared with the replay ring and with other streams.
    pub text: Rc<[u8]>,
}

/// Where an event stands: which stream of the session, and how far along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventId {
    /// The stream's number within its session.
    pub stream: u32,
    /// Counts from 0, the priming event.
    pub sequence: u64,
}

/// Why an outlet takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// All that was to be said has been said.
    Complete,
    /// The reader went away.
    ReaderGone,
    /// A newer stream took this one's place.
    Replaced,
    /// The session was ended or expired.
    SessionOver,
    /// The server is stopping.
    Shutdown,
    /// More than `limits.stream_queue_bytes` were waiting.
    SlowReader,
}

impl EndReason {
    /// The word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            EndReason::Complete => "complete",
            EndReason::ReaderGone => "client",
            EndReason::Replaced => "replaced",
            EndReason::SessionOver => "session",
            EndReason::Shutdown => "shutdown",
            EndReason::SlowReader => "slow_reader",
        }
    }
}

/// The queue; clones share it. One reader at a time.
#[derive(Clone)]
pub struct Outlet(Rc<Queue>);

struct Queue {
    items: RefCell<VecDeque<Item>>,
    /// Bytes of text in `items`.
    /// Invariant: the sum of `Item::len` over `items`.
    queued_bytes: Cell<usize>,
    /// In 32 bits for the sake of ten thousand queues; `limits.stream_queue_bytes` ends far below.
    queue_bytes_max: u32,
    end: Cell<Option<EndReason>>,
    reader: Cell<Option<Waker>>,
}

impl Outlet {
    /// An empty outlet that holds at most `queue_bytes_max` bytes for its reader.
    pub fn new(queue_bytes_max: usize) -> Outlet {
        Outlet(Rc::new(Queue {
            items: RefCell::default(),
            queued_bytes: Cell::new(0),
            queue_bytes_max: u32::try_from(queue_bytes_max).unwrap_or(u32::MAX),
            end: Cell::new(None),
            reader: Cell::new(None),
        }))
    }

    /// Queues an item. A message that does not fit ends the outlet and is dropped with what was
    /// queued; returns whether the item was taken.
    pub fn push(&self, item: Item) -> bool {
        let queue = &*self.0;
        if queue.end.get().is_some() {
            return false;
        }
        let len = item.len();
        let queued = queue.queued_bytes.get();
        let must_fit = !matches!(item, Item::Answer(..) | Item::Unanswered);
        let queue_bytes_max = usize::try_from(queue.queue_bytes_max).unwrap_or(usize::MAX);
        if must_fit && queued > 0 && queued + len > queue_bytes_max {
            queue.items.borrow_mut().clear();
            held::queued(0, queue.queued_bytes.take());
            self.end(EndReason::SlowReader);
            return false;
        }
        if matches!(item, Item::KeepAlive) && queued > 0 {
            // What is queued keeps the stream alive as well as a comment does.
            return true;
        }
        queue.queued_bytes.set(queued + len);
        held::queued(len, 0);
        queue.items.borrow_mut().push_back(item);
        self.wake();
        true
    }

    /// Takes no more. The reader still gets what is queued. The first reason stands.
    pub fn end(&self, reason: EndReason) {
        if self.0.end.get().is_none() {
            self.0.end.set(Some(reason));
            self.wake();
        }
    }

    /// Why it ended, if it did.
    pub fn ended(&self) -> Option<EndReason> {
        self.0.end.get()
    }

    /// Whether anything waits in it, or it has ended.
    pub fn is_used(&self) -> bool {
        !self.0.items.borrow().is_empty() || self.ended().is_some()
    }

    /// Bytes waiting for the reader.
    pub fn queued_bytes(&self) -> usize {
        self.0.queued_bytes.get()
    }

    /// The next item if one is queued.
    pub fn try_next(&self) -> Option<Item> {
        let mut items = self.0.items.borrow_mut();
        let item = items.pop_front()?;
        if items.is_empty() {
            // Most outlets are empty most of the time, and there may be ten thousand.
            *items = VecDeque::new();
        }
        let len = item.len();
        self.0.queued_bytes.set(self.0.queued_bytes.get() - len);
        held::queued(0, len);
        Some(item)
    }

    /// The next item, or the end once everything queued was taken.
    pub fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Result<Item, EndReason>> {
        if let Some(item) = self.try_next() {
            return Poll::Ready(Ok(item));
        }
        if let Some(reason) = self.0.end.get() {
            return Poll::Ready(Err(reason));
        }
        let known = self.0.reader.take();
        let known = known.filter(|waker| waker.will_wake(cx.waker()));
        self.0
            .reader
            .set(Some(known.unwrap_or_else(|| cx.waker().clone())));
        Poll::Pending
    }

    /// Waits for the next item, or the end once everything queued was taken.
    pub async fn next(&self) -> Result<Item, EndReason> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Whether both are the same queue.
    pub fn is(&self, other: &Outlet) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    fn wake(&self) {
        if let Some(waker) = self.0.reader.take() {
            waker.wake();
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        held::queued(0, self.queued_bytes.get());
    }
}

impl Item {
    fn len(&self) -> usize {
        match self {
            Item::Answer(packet, _) | Item::Message(packet) => packet.text.len(),
            Item::Event(_, block) => block.len(),
            Item::KeepAlive | Item::Unanswered => 0,
        }
    }

    /// A message outside any resumable stream.
    pub fn message(text: Vec<u8>) -> Item {
        Item::Message(Packet {
            event_id: None,
            text: text.into(),
        })
    }

    /// An answer outside any resumable stream.
    pub fn answer(text: Vec<u8>, status: Status) -> Item {
        Item::Answer(
            Packet {
                event_id: None,
                text: text.into(),
            },
            status,
        )
    }
}

impl EventId {
    /// Reads the text of a `Last-Event-ID` header.
    pub fn parse(text: &str) -> Option<EventId> {
        let (stream, sequence) = text.split_once('-')?;
        let digits = |text: &str| {
            (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(stream) || !digits(sequence) {
            return None;
        }
        Some(EventId {
            stream: stream.parse().ok()?,
            sequence: sequence.parse().ok()?,
        })
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.stream, self.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(len: usize) -> Item {
        Item::message(vec![b'x'; len])
    }

    #[test]
    fn a_reader_gets_everything_in_order_and_then_the_end() {
        let outlet = Outlet::new(10);
        assert!(outlet.push(message(4)));
        assert!(outlet.push(Item::answer(vec![b'y'; 4], Status::Answered)));
        outlet.end(EndReason::Complete);
        outlet.end(EndReason::Shutdown);
        assert!(!outlet.push(message(1)));
        crate::rt::run(async {
            assert!(matches!(outlet.next().await, Ok(Item::Message(_))));
            assert!(matches!(outlet.next().await, Ok(Item::Answer(..))));
            assert_eq!(outlet.next().await.unwrap_err(), EndReason::Complete);
        });
        assert_eq!(outlet.queued_bytes(), 0);
    }

    #[test]
    fn the_queue_is_bounded() {
        for (second, taken) in [(5, true), (6, true), (7, false)] {
            let outlet = Outlet::new(10);
            assert!(outlet.push(message(4)));
            assert_eq!(outlet.push(message(second)), taken);
            assert_eq!(outlet.ended().is_some(), !taken);
        }
    }

    #[test]
    fn one_large_message_fits_an_empty_queue_and_an_answer_fits_always() {
        let outlet = Outlet::new(10);
        assert!(outlet.push(message(100)));
        assert!(outlet.push(Item::answer(vec![0; 100], Status::Answered)));
        assert!(!outlet.push(message(1)));
        assert_eq!(outlet.ended(), Some(EndReason::SlowReader));
    }

    #[test]
    fn event_ids_read_back_and_others_do_not() {
        let id = EventId {
            stream: 7,
            sequence: 12,
        };
        assert_eq!(EventId::parse(&id.to_string()), Some(id));
        for text in [
            "",
            "7",
            "7-",
            "-1",
            "7-x",
            "+7-1",
            "7-1-1",
            "4294967296-1",
            "1-99999999999999999999",
        ] {
            assert_eq!(EventId::parse(text), None, "{text}");
        }
    }
}
