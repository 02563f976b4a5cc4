//! What the server remembers of a legacy client: one session per `initialize` over Streamable
//! HTTP, per HTTP+SSE stream, or per stdio process. Requests of the stateless era have none.
//!
//! ```text
//!   opened ──initialize──▶ negotiated ──(DELETE · idle · evicted · stream closed)──▶ over
//! ```

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Instant;

use serde_json::value::RawValue;

use crate::gate::Principal;
use crate::jsonrpc::{Id, Response, ResponseBody, encode_request};
use crate::mcp::capabilities::ClientCapabilities;
use crate::mcp::{logging::Level, revision::Revision};
use crate::rt::sync::{Receiver, Sender, oneshot};

use super::outlet::{EndReason, EventId, Item, Outlet};
use super::running::Switch;
use super::sessions::Sessions;
use super::stream::SessionStream;

/// The number of the stream that carries messages unrelated to any request.
pub const GENERAL_STREAM: u32 = 0;

/// One legacy session.
pub struct Session {
    /// 128 random bits as text, visible ASCII; empty for stdio.
    pub id: Box<str>,
    /// The token that opened it; others do not see it.
    pub owner: Rc<Principal>,
    /// The one stream of a session bound to its connection (stdio, HTTP+SSE).
    direct: Option<Outlet>,
    /// Set by `initialize`.
    revision: Cell<Option<Revision>>,
    client: RefCell<Rc<ClientCapabilities>>,
    log_level: Cell<Level>,
    last_used: Cell<Instant>,
    is_over: Cell<bool>,
    streams: RefCell<Vec<SessionStream>>,
    next_stream: Cell<u32>,
    /// Bytes in all rings.
    ring_bytes: Cell<usize>,
    in_flight: RefCell<Vec<(Id, Rc<Switch>)>>,
    seldom: RefCell<Option<Box<Seldom>>>,
    /// Where it is found; told what it keeps for replay, which is bounded for all sessions together.
    store: OnceCell<Weak<Sessions>>,
}

/// What few sessions have; the others do without its memory.
#[derive(Default)]
struct Seldom {
    subscriptions: Vec<Box<str>>,
    /// Our requests that wait for their answers.
    asked: Vec<(u64, Sender<ClientAnswer>)>,
    /// The number of our last request.
    last_request: u64,
}

/// The client's result, or its error.
type ClientAnswer = Result<Box<RawValue>, Box<str>>;

/// The part of a session that outlives a restart.
pub struct Remembered {
    /// See [`Session::id`].
    pub id: Box<str>,
    /// What `initialize` agreed on.
    pub revision: Revision,
    /// What the client said of itself.
    pub client: ClientCapabilities,
    /// The level set by `logging/setLevel`.
    pub log_level: Level,
    /// Subscribed resource URIs.
    pub subscriptions: Vec<Box<str>>,
    /// Streams with their rings.
    pub streams: Vec<SessionStream>,
    /// The number for the next stream.
    pub next_stream: u32,
}

impl Session {
    /// A session of Streamable HTTP, or one that has not been initialised yet on its own `direct`
    /// connection.
    pub fn new(
        id: Box<str>,
        owner: Rc<Principal>,
        direct: Option<Outlet>,
        now: Instant,
    ) -> Session {
        Session {
            id,
            owner,
            direct,
            revision: Cell::new(None),
            client: RefCell::default(),
            log_level: Cell::new(Level::Info),
            last_used: Cell::new(now),
            is_over: Cell::new(false),
            streams: RefCell::default(),
            next_stream: Cell::new(GENERAL_STREAM + 1),
            ring_bytes: Cell::new(0),
            in_flight: RefCell::default(),
            seldom: RefCell::default(),
            store: OnceCell::new(),
        }
    }

    /// Tells `store` from now on what changes of what it keeps.
    pub fn report_to(&self, store: &Rc<Sessions>) {
        // A session is put into one store once.
        if self.store.set(Rc::downgrade(store)).is_ok() {
            store.note_ring(0, self.ring_bytes.get());
        }
    }

    /// A session as an earlier process left it.
    pub fn restore(remembered: Remembered, owner: Rc<Principal>, now: Instant) -> Session {
        let session = Session::new(remembered.id, owner, None, now);
        let ring_bytes: usize = (remembered.streams.iter())
            .flat_map(|stream| stream.ring.iter().map(|stored| stored.text.len()))
            .sum();
        session.revision.set(Some(remembered.revision));
        session.client.replace(Rc::new(remembered.client));
        session.log_level.set(remembered.log_level);
        if !remembered.subscriptions.is_empty() {
            session.with_seldom(|seldom| seldom.subscriptions = remembered.subscriptions);
        }
        session.next_stream.set(remembered.next_stream);
        session.ring_bytes.set(ring_bytes);
        session.streams.replace(remembered.streams);
        session
    }

    /// What `initialize` agreed on.
    pub fn revision(&self) -> Option<Revision> {
        self.revision.get()
    }

    /// Records what `initialize` agreed on.
    pub fn negotiate(&self, revision: Revision, client: Rc<ClientCapabilities>) {
        self.revision.set(Some(revision));
        self.client.replace(client);
    }

    /// What the client said it can do.
    pub fn client(&self) -> Rc<ClientCapabilities> {
        self.client.borrow().clone()
    }

    /// The least severe level the client wants.
    pub fn log_level(&self) -> Level {
        self.log_level.get()
    }

    /// Sets the least severe level the client wants (`logging/setLevel`).
    pub fn set_log_level(&self, level: Level) {
        self.log_level.set(level);
    }

    /// Notes that the client was heard of.
    pub fn touch(&self, now: Instant) {
        self.last_used.set(now);
    }

    /// When the client was last heard of.
    pub fn last_used(&self) -> Instant {
        self.last_used.get()
    }

    /// Whether something of it is going on: such a session neither expires nor is evicted.
    pub fn is_active(&self) -> bool {
        !self.in_flight.borrow().is_empty()
            || self
                .direct
                .as_ref()
                .is_some_and(|outlet| outlet.ended().is_none())
            || self.streams.borrow().iter().any(SessionStream::is_attached)
    }

    /// The connection it is bound to, if it is.
    pub fn outlet(&self) -> Option<&Outlet> {
        self.direct.as_ref()
    }

    /// Whether it was ended.
    pub fn is_over(&self) -> bool {
        self.is_over.get()
    }

    /// Whether it is bound to one connection and cannot be resumed.
    pub fn is_direct(&self) -> bool {
        self.direct.is_some()
    }

    /// Ends the session: its streams end, its calls are cancelled, its questions fail.
    pub fn end(&self, reason: EndReason) {
        self.is_over.set(true);
        if let Some(outlet) = &self.direct {
            outlet.end(reason);
        }
        for stream in self.streams.borrow_mut().iter_mut() {
            stream.detach(reason);
            stream.ring.clear();
        }
        self.set_ring_bytes(0);
        let asked =
            (self.seldom.borrow_mut().as_mut()).map(|seldom| std::mem::take(&mut seldom.asked));
        drop(asked);
        for (_, switch) in self.in_flight.take() {
            switch.cancel();
        }
    }

    /// Ends its streams without ending the session, so that clients come back to it.
    pub fn detach_streams(&self, reason: EndReason) {
        if let Some(outlet) = &self.direct {
            outlet.end(reason);
        }
        for stream in self.streams.borrow_mut().iter_mut() {
            stream.detach(reason);
        }
    }

    // --- streams ------------------------------------------------------------------------------

    /// Sends a message that belongs to no request: on the session's one stream, or the stream of
    /// the client's GET.
    pub fn send(&self, text: Vec<u8>, ring_bytes_max: usize) {
        match &self.direct {
            Some(outlet) => _ = outlet.push(Item::message(text)),
            None => self.push(GENERAL_STREAM, text.into(), false, ring_bytes_max),
        }
    }

    /// Opens a stream for the response to one POST.
    pub fn open_stream(&self, reader: Outlet) -> u32 {
        let number = self.next_stream.get();
        self.next_stream
            .set(number.wrapping_add(1).max(GENERAL_STREAM + 1));
        let mut stream = SessionStream::new(number);
        stream.attach(reader);
        push_exact(&mut self.streams.borrow_mut(), stream);
        number
    }

    /// Attaches the reader of a GET without `Last-Event-ID`: it gets what comes from now on.
    pub fn attach_general(&self, reader: Outlet) -> EventId {
        self.with_stream(GENERAL_STREAM, |stream| {
            stream.attach(reader);
            stream.priming_id()
        })
    }

    /// Attaches a reader where it left off. False if no such stream is known any more.
    pub fn resume(&self, last_event: EventId, reader: Outlet) -> bool {
        let mut streams = self.streams.borrow_mut();
        let found = streams
            .iter_mut()
            .find(|stream| stream.number == last_event.stream);
        let Some(stream) = found else { return false };
        stream.resume(last_event.sequence, reader);
        true
    }

    /// The id to prime a stream with.
    pub fn priming_id(&self, number: u32) -> EventId {
        self.with_stream(number, |stream| stream.priming_id())
    }

    /// Numbers and sends a message of one stream, and keeps the rings within their bound.
    pub fn push(&self, number: u32, text: Rc<[u8]>, is_answer: bool, ring_bytes_max: usize) {
        if self.is_over.get() {
            // Nobody reads it, and nobody can come back for it.
            return;
        }
        let added = self.with_stream(number, |stream| stream.push(text, is_answer));
        let ring_bytes = self.ring_bytes.get() + added;
        let excess = ring_bytes.saturating_sub(ring_bytes_max);
        self.set_ring_bytes(ring_bytes - self.forget(excess));
    }

    /// Forgets past events of at least so many bytes, or all; what that frees is no more held against
    /// the session. Returns how many bytes they had. For the store, which does its own sums.
    pub fn forget_past(&self, bytes: usize) -> usize {
        let freed = self.forget(bytes);
        self.ring_bytes.set(self.ring_bytes.get() - freed);
        freed
    }

    fn forget(&self, bytes: usize) -> usize {
        let mut streams = self.streams.borrow_mut();
        let mut freed = 0;
        // The oldest streams lose their events first; a stream that is complete and empty is gone.
        while freed < bytes {
            let Some(stream) = streams.iter_mut().find(|stream| !stream.ring.is_empty()) else {
                break;
            };
            freed += stream.forget_oldest();
        }
        streams.retain(|stream| !stream.is_complete || !stream.ring.is_empty());
        freed
    }

    fn set_ring_bytes(&self, after: usize) {
        let before = self.ring_bytes.replace(after);
        if let Some(store) = self.store.get().and_then(Weak::upgrade) {
            store.note_ring(before, after);
        }
    }

    /// Marks a stream complete: no event follows.
    pub fn complete_stream(&self, number: u32) {
        self.with_stream(number, SessionStream::complete);
    }

    /// Ends the reader of a stream that goes on (2025-11-25, polling).
    pub fn detach_stream(&self, number: u32) {
        self.with_stream(number, |stream| stream.detach(EndReason::Complete));
    }

    fn with_stream<T>(&self, number: u32, act: impl FnOnce(&mut SessionStream) -> T) -> T {
        let mut streams = self.streams.borrow_mut();
        if let Some(stream) = streams.iter_mut().find(|stream| stream.number == number) {
            return act(stream);
        }
        let mut stream = SessionStream::new(number);
        let done = act(&mut stream);
        push_exact(&mut streams, stream);
        done
    }

    /// Shows the streams, for the state file.
    pub fn visit_streams(&self, mut visit: impl FnMut(&SessionStream)) {
        self.streams.borrow().iter().for_each(&mut visit);
    }

    /// The number the next stream will get, for the state file.
    pub fn next_stream(&self) -> u32 {
        self.next_stream.get()
    }

    // --- subscriptions ------------------------------------------------------------------------

    /// Subscribes to a resource. False if `max` are subscribed already.
    pub fn subscribe(&self, uri: &str, max: usize) -> bool {
        if self.is_subscribed(uri) {
            return true;
        }
        self.with_seldom(|seldom| {
            let has_room = seldom.subscriptions.len() < max;
            if has_room {
                seldom.subscriptions.push(uri.into());
            }
            has_room
        })
    }

    /// Ends the subscription to a resource, if there is one.
    pub fn unsubscribe(&self, uri: &str) {
        if let Some(seldom) = self.seldom.borrow_mut().as_mut() {
            seldom.subscriptions.retain(|known| &**known != uri);
        }
    }

    /// Whether the client subscribed to this resource.
    pub fn is_subscribed(&self, uri: &str) -> bool {
        let seldom = self.seldom.borrow();
        let mut known = seldom.iter().flat_map(|seldom| &seldom.subscriptions);
        known.any(|known| &**known == uri)
    }

    /// The subscribed URIs.
    pub fn subscriptions(&self) -> Vec<Box<str>> {
        let seldom = self.seldom.borrow();
        let subscriptions = seldom.iter().flat_map(|seldom| &seldom.subscriptions);
        subscriptions.cloned().collect()
    }

    fn with_seldom<T>(&self, act: impl FnOnce(&mut Seldom) -> T) -> T {
        act(self.seldom.borrow_mut().get_or_insert_default())
    }

    // --- requests of the client ---------------------------------------------------------------

    /// Notes a running request. False if one with the same id is running.
    pub fn begin_request(&self, id: &Id, switch: &Rc<Switch>) -> bool {
        let mut in_flight = self.in_flight.borrow_mut();
        if in_flight.iter().any(|(known, _)| known == id) {
            return false;
        }
        in_flight.push((id.clone(), switch.clone()));
        true
    }

    /// Whether a request with this id is running.
    pub fn is_running(&self, id: &Id) -> bool {
        self.in_flight.borrow().iter().any(|(known, _)| known == id)
    }

    /// Forgets a request that has ended.
    pub fn end_request(&self, id: &Id) {
        let mut in_flight = self.in_flight.borrow_mut();
        in_flight.retain(|(known, _)| known != id);
        if in_flight.is_empty() {
            // Idle sessions are many; they keep no room for what may come.
            *in_flight = Vec::new();
        }
    }

    /// Cancels a running request; one that is not running any more is ignored, as the race
    /// between answer and cancellation requires.
    pub fn cancel_request(&self, id: &Id) {
        let switch = {
            let mut in_flight = self.in_flight.borrow_mut();
            let index = in_flight.iter().position(|(known, _)| known == id);
            index.map(|index| in_flight.swap_remove(index).1)
        };
        if let Some(switch) = switch {
            switch.cancel();
        }
    }

    // --- requests of ours ---------------------------------------------------------------------

    /// Makes a request to the client: its text, and where the answer will arrive.
    pub fn ask(&self, method: &str, params: Option<&[u8]>) -> (Vec<u8>, Question<'_>) {
        let (sender, receiver) = oneshot();
        let number = self.with_seldom(|seldom| {
            seldom.last_request += 1;
            seldom.asked.push((seldom.last_request, sender));
            seldom.last_request
        });
        let mut text = Vec::new();
        encode_request(&mut text, &Id::number(number), method, params);
        (
            text,
            Question {
                session: self,
                number,
                receiver,
            },
        )
    }

    /// Takes the client's answer to a request of ours. False if none with this id is waiting.
    pub fn answer(&self, response: &Response<'_>) -> bool {
        let sender = {
            let mut seldom = self.seldom.borrow_mut();
            let is_it = |(number, _): &(u64, _)| response.id == Id::number(*number);
            let Some(asked) = seldom.as_mut().map(|seldom| &mut seldom.asked) else {
                return false;
            };
            match asked.iter().position(is_it) {
                Some(index) => asked.swap_remove(index).1,
                None => return false,
            }
        };
        let outcome = match &response.body {
            ResponseBody::Result(result) => Ok(result.keep()),
            ResponseBody::Error(error) => Err(error.get().into()),
        };
        // The handler may have been cancelled meanwhile; then nobody wants the answer.
        _ = sender.send(outcome);
        true
    }
}

/// Appends without room for more: most sessions have one stream, and a vector starts with four.
fn push_exact<T>(vec: &mut Vec<T>, value: T) {
    vec.reserve_exact(1);
    vec.push(value);
}

/// A request of ours that waits for its answer; dropped, it is forgotten.
pub struct Question<'a> {
    session: &'a Session,
    number: u64,
    receiver: Receiver<ClientAnswer>,
}

impl Question<'_> {
    /// The client's result, or the sentence that tells why there is none.
    pub async fn answer(mut self) -> Result<Box<RawValue>, String> {
        match (&mut self.receiver).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => Err(format!("the client refused: {error}")),
            Err(_) => Err("the session ended before the client answered".to_owned()),
        }
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        if let Some(seldom) = self.session.seldom.borrow_mut().as_mut() {
            seldom.asked.retain(|(number, _)| *number != self.number);
        }
    }
}
