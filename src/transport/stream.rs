//! A stream that has nothing to do with a request any more: the GET streams. It lives in a small
//! task of its own, because a server may hold ten thousand of them and each should cost little
//! more than its socket.
//!
//! That is why its future is written by hand: an `async` block keeps what it captured beside what
//! it moved out of the captures, and the state of every call below; it took 504 bytes where this
//! takes 240.
//!
//! ```text
//!   writing ──all written──▶ waiting ──an item──▶ writing
//!      │                        ├──outlet ended──▶ writing the end ──▶ over
//!      └──stalled, gone──▶ over └──client gone──▶ over
//! ```

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use crate::metrics::{Close, ConnectionGuard, Disconnect, Limit, StreamGuard};
use crate::rt::{self, Deadline, Member, Stream};
use crate::server::StreamPermit;
use crate::server::outlet::{EndReason, Outlet};
use crate::server::session::Session;

use super::http::Http;
use super::places::Place;
use super::sse_out::EventFraming;

/// What a stream needs to go on without its connection.
pub struct StreamPlan {
    /// What has been written of it so far: the head and the first events.
    pub opening: Vec<u8>,
    /// Where its events come from.
    pub outlet: Outlet,
    /// How they are framed.
    pub framing: EventFraming,
    /// What ends with it.
    pub owner: StreamOwner,
    /// Its place among `limits.streams`.
    pub permit: StreamPermit,
}

/// What a stream belongs to.
pub enum StreamOwner {
    /// The plain event stream: nothing but its subscription.
    Events,
    /// HTTP+SSE: the session ends with it (2024-11-05 `basic/transports`).
    HttpSse(Rc<Session>),
    /// Streamable HTTP: the session goes on.
    Streamable,
}

/// Input bytes a client may send on a stream, where none belong, before it is cut.
const STRAY_BYTES_MAX: u16 = 16 * 1024;

/// A running stream.
struct Live {
    stream: Stream,
    outlet: Outlet,
    framing: EventFraming,
    stray_bytes: u16,
    /// What does not fit into the socket yet. Boxed, for few streams have it at any time.
    writing: Option<Box<Writing>>,
    tie: Tie,
    place: Place,
    guard: Option<StreamGuard>,
    _keepalive: Member<Outlet>,
    _permit: StreamPermit,
}

/// What a running stream belongs to.
enum Tie {
    Events { _ping: Member<Outlet> },
    HttpSse(Rc<Session>),
    Streamable,
}

struct Writing {
    bytes: Vec<u8>,
    written: usize,
    /// Set while the socket takes nothing.
    deadline: Option<Deadline>,
    /// Why the stream is over once this has been written.
    last: Option<EndReason>,
}

impl StreamPlan {
    /// Starts the stream's task.
    pub fn spawn(self, http: &Http, stream: Stream, place: Place, guard: ConnectionGuard) {
        let StreamPlan {
            opening,
            outlet,
            framing,
            owner,
            permit,
        } = self;
        let tie = match owner {
            StreamOwner::Events => Tie::Events {
                _ping: http.pings.join(outlet.clone()),
            },
            StreamOwner::HttpSse(session) => Tie::HttpSse(session),
            StreamOwner::Streamable => Tie::Streamable,
        };
        // A stream has little to say at once, and there may be many.
        _ = stream.set_send_buffer(http.server.settings().limits.stream_queue_bytes);
        let live = Live {
            stream,
            framing,
            stray_bytes: 0,
            writing: Some(Box::new(Writing::new(opening, None))),
            tie,
            place,
            guard: Some(guard.into_stream()),
            _keepalive: http.keepalive.join(outlet.clone()),
            _permit: permit,
            outlet,
        };
        rt::spawn_in_place(live).detach();
    }
}

impl Future for Live {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let (close, disconnect) = ready!(self.poll_over(cx));
        let disconnect = match self.outlet.ended() {
            Some(EndReason::SlowReader) => {
                let metrics = &self.place.http().server.metrics;
                metrics.limit_hit(Limit::StreamQueueBytes);
                Disconnect::Slow
            }
            _ => disconnect,
        };
        if let Some(guard) = self.guard.take() {
            guard.close(close, disconnect);
        }
        Poll::Ready(())
    }
}

impl Live {
    /// Moves items from the outlet to the socket until one of them ends.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<(Close, Disconnect)> {
        loop {
            if let Some(writing) = &mut self.writing {
                if let Err(close) = ready!(writing.poll(cx, &self.stream, self.place.http())) {
                    return Poll::Ready((close, disconnect_of(close)));
                }
                let last = writing.last;
                self.writing = None;
                if let Some(reason) = last {
                    _ = self.stream.shutdown_write();
                    return Poll::Ready(ended_as(reason));
                }
            }
            let metrics = &self.place.http().server.metrics;
            let mut bytes = Vec::new();
            let last = match self.outlet.poll_next(cx) {
                Poll::Ready(Ok(item)) => {
                    self.framing.item(&mut bytes, metrics, &item);
                    // What else is ready goes out in the same write.
                    while let Some(item) = self.outlet.try_next() {
                        self.framing.item(&mut bytes, metrics, &item);
                    }
                    None
                }
                Poll::Ready(Err(reason)) => {
                    self.framing.end(&mut bytes);
                    Some(reason)
                }
                Poll::Pending => {
                    ready!(self.poll_gone(cx));
                    return Poll::Ready((Close::Client, Disconnect::Client));
                }
            };
            // An idle stream holds no deadline and no buffer: most writes fit at once.
            let written = self.stream.try_write(&bytes).unwrap_or(0);
            if written < bytes.len() || last.is_some() {
                let mut writing = Box::new(Writing::new(bytes, last));
                writing.written = written;
                self.writing = Some(writing);
            }
        }
    }

    /// Ready when the client has closed its side, or says too much where nothing is to be said.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut buf = [0; 64];
        loop {
            let Ok(count) = ready!(self.stream.poll_read(cx, &mut buf)) else {
                return Poll::Ready(());
            };
            let count = u16::try_from(count).unwrap_or(u16::MAX);
            self.stray_bytes = self.stray_bytes.saturating_add(count);
            if count == 0 || self.stray_bytes > STRAY_BYTES_MAX {
                return Poll::Ready(());
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.outlet.end(EndReason::ReaderGone);
        let server = &self.place.http().server;
        match &self.tie {
            Tie::Events { .. } => server.unsubscribe_events(&self.outlet),
            Tie::HttpSse(session) => server.end_session(session, EndReason::ReaderGone),
            Tie::Streamable => (),
        }
    }
}

impl Writing {
    fn new(bytes: Vec<u8>, last: Option<EndReason>) -> Writing {
        Writing {
            bytes,
            written: 0,
            deadline: None,
            last,
        }
    }

    /// Ready when all is written, or not in time.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        stream: &Stream,
        http: &Http,
    ) -> Poll<Result<(), Close>> {
        while let Some(rest) = (self.bytes.get(self.written..)).filter(|rest| !rest.is_empty()) {
            match stream.poll_write(cx, rest) {
                Poll::Ready(Ok(count)) => {
                    self.written += count;
                    self.deadline = None;
                }
                Poll::Ready(Err(_)) => return Poll::Ready(Err(Close::IoError)),
                Poll::Pending => {
                    let deadline = self.deadline.get_or_insert_with(|| {
                        let deadline = http.server.deadlines.slot();
                        deadline.set(http.settings().write_stall);
                        deadline
                    });
                    ready!(deadline.poll_expired(cx));
                    return Poll::Ready(Err(Close::WriteStall));
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn disconnect_of(close: Close) -> Disconnect {
    match close {
        Close::WriteStall => Disconnect::WriteStall,
        _ => Disconnect::Client,
    }
}

fn ended_as(reason: EndReason) -> (Close, Disconnect) {
    match reason {
        EndReason::Complete => (Close::Asked, Disconnect::Complete),
        EndReason::ReaderGone => (Close::Client, Disconnect::Client),
        EndReason::Replaced => (Close::Asked, Disconnect::Replaced),
        EndReason::SessionOver => (Close::Asked, Disconnect::SessionEnded),
        EndReason::Shutdown => (Close::Shutdown, Disconnect::Shutdown),
        EndReason::SlowReader => (Close::WriteStall, Disconnect::Slow),
    }
}
