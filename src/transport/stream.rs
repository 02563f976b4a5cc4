//! A stream that has nothing to do with a request any more: the GET streams. It lives in a small
//! task of its own, because a server may hold ten thousand of them and each should cost little
//! more than its socket.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use crate::metrics::{Close, ConnectionGuard, Disconnect, Limit};
use crate::rt::{self, Stream};
use crate::server::StreamPermit;
use crate::server::outlet::{EndReason, Item, Outlet};
use crate::server::session::Session;

use super::connection::write_within;
use super::http::{Http, Place};
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
const STRAY_BYTES_MAX: usize = 16 * 1024;

impl StreamPlan {
    /// Starts the stream's task.
    pub fn spawn(
        self: Box<Self>,
        http: Rc<Http>,
        stream: Stream,
        place: Place,
        guard: ConnectionGuard,
    ) {
        rt::spawn(async move {
            let StreamPlan {
                opening,
                outlet,
                framing,
                owner,
                permit,
            } = *self;
            let opened = http.server.metrics.sse_opened();
            let member = http.keepalive.join(outlet.clone());
            let ping = match owner {
                StreamOwner::Events => Some(http.pings.join(outlet.clone())),
                StreamOwner::HttpSse(_) | StreamOwner::Streamable => None,
            };
            // A stream has little to say at once, and there may be many.
            _ = stream.set_send_buffer(http.server.settings().limits.stream_queue_bytes);
            let (close, disconnect) = pump(&http, &stream, &outlet, framing, opening).await;
            drop((member, ping, permit));
            outlet.end(EndReason::ReaderGone);
            let disconnect = match outlet.ended() {
                Some(EndReason::SlowReader) => {
                    http.server.metrics.limit_hit(Limit::StreamQueueBytes);
                    Disconnect::Slow
                }
                _ => disconnect,
            };
            match owner {
                StreamOwner::Events => http.server.unsubscribe_events(&outlet),
                StreamOwner::HttpSse(session) => {
                    http.server.end_session(&session, EndReason::ReaderGone);
                }
                StreamOwner::Streamable => (),
            }
            opened.close(disconnect);
            guard.close(close);
            drop((stream, place));
        })
        .detach();
    }
}

/// Moves items from the outlet to the socket until one of them ends.
async fn pump(
    http: &Http,
    stream: &Stream,
    outlet: &Outlet,
    framing: EventFraming,
    opening: Vec<u8>,
) -> (Close, Disconnect) {
    let server = &http.server;
    let write = async |bytes: &[u8]| {
        // An idle stream keeps no deadline: its slot lives only while a write waits.
        // An error shows again when the rest is written.
        let written = stream.try_write(bytes).unwrap_or(0);
        let rest = &bytes[written..];
        if rest.is_empty() {
            return Ok(());
        }
        let deadline = server.deadlines.slot();
        write_within(stream, rest, &deadline, http.settings().write_stall).await
    };
    let mut stray = 0;
    let mut bytes = opening;
    loop {
        if !bytes.is_empty() {
            if let Err(close) = Box::pin(write(&bytes)).await {
                return (close, disconnect_of(close));
            }
            bytes = Vec::new();
        }
        match next(stream, outlet, &mut stray).await {
            Next::Item(item) => {
                framing.item(&mut bytes, &server.metrics, &item);
                // What else is ready goes out in the same write.
                while let Some(item) = outlet.try_next() {
                    framing.item(&mut bytes, &server.metrics, &item);
                }
            }
            Next::Ended(reason) => {
                framing.end(&mut bytes);
                _ = Box::pin(write(&bytes)).await;
                _ = stream.shutdown_write();
                return ended_as(reason);
            }
            Next::Gone => return (Close::Client, Disconnect::Client),
        }
    }
}

enum Next {
    Ended(EndReason),
    Gone,
    Item(Item),
}

async fn next(stream: &Stream, outlet: &Outlet, stray: &mut usize) -> Next {
    poll_fn(|cx| {
        match outlet.poll_next(cx) {
            Poll::Ready(Ok(item)) => return Poll::Ready(Next::Item(item)),
            Poll::Ready(Err(reason)) => return Poll::Ready(Next::Ended(reason)),
            Poll::Pending => (),
        }
        loop {
            let mut buf = [0; 64];
            match stream.poll_read(cx, &mut buf) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(count)) if count > 0 && *stray < STRAY_BYTES_MAX => *stray += count,
                Poll::Ready(_) => return Poll::Ready(Next::Gone),
            }
        }
    })
    .await
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
