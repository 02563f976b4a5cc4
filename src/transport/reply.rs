//! The answer to a POST that carries messages: JSON if one text says it all, a stream if there is
//! more to say before the answer.
//!
//! ```text
//!   waiting ──all answers──▶ JSON
//!      │
//!      └──a message, or a keep-alive tick──▶ stream ──all answers──▶ end of stream
//! ```
//!
//! While it waits or streams, the client's side of the connection is watched. What a client's going
//! away means is the revision's business: `Running` cancels when dropped, or does not.
//!
//! A client that closes its side (FIN) may have gone, or may only have nothing more to say and still
//! wait for its answer: on TCP both look the same until something is sent, which a client that has
//! gone answers with a reset. So where going away cancels, something harmless is sent at once (a
//! comment on a stream, an interim response before that), and the socket is looked at from then on:
//! a reset, or a write that fails, is the end; nothing of that, and the answer is sent when it is
//! there.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use crate::gate::cors;
use crate::http1::Version;
use crate::http1::accept::{accepts, prefers};
use crate::http1::encode::{CONTINUE, Persistence};
use crate::metrics::{Close, Disconnect, Limit, SseGuard};
use crate::rt::shutdown::Phase;
use crate::server::arrival::{Answer, Reply, Running};
use crate::server::outlet::{EndReason, Item, Outlet, Packet, Status};
use crate::server::{StreamPermit, join_batch};

use super::connection::{After, Connection, More};
use super::http::Http;
use super::respond::Response;
use super::site::Settings;
use super::sse_out::{EventFraming, write_stream_head};

/// What the client takes, by its `Accept` header.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Either; JSON if one text says it all.
    Both,
    /// Either, but rather a stream: also what is ready at once comes as one.
    BothRatherStream,
    /// A single JSON text: whatever would come before the answer is dropped.
    Json,
    /// A stream.
    Stream,
}

/// What the SDKs send with every request. Reading it took a tenth of a small request's instructions.
const USUAL_ACCEPT: &str = "application/json, text/event-stream";
/// More input than this is not read ahead while a request is being answered.
const READ_AHEAD_BYTES: usize = 64 * 1024;
/// How often a connection whose client closed its side is looked at. The reactor cannot tell: such a
/// socket is readable for ever.
const BROKEN_CHECK: Duration = Duration::from_millis(250);

impl Takes {
    /// Reads `Accept`; a missing one takes both. None if it excludes both.
    pub fn of(accept: Option<&str>) -> Option<Takes> {
        if accept == Some(USUAL_ACCEPT) {
            return Some(Takes::Both);
        }
        let (json, stream) = ("application/json", "text/event-stream");
        match (accepts(accept, json), accepts(accept, stream)) {
            (true, true) if prefers(accept, stream, json) => Some(Takes::BothRatherStream),
            (true, true) => Some(Takes::Both),
            (true, false) => Some(Takes::Json),
            (false, true) => Some(Takes::Stream),
            (false, false) => None,
        }
    }

    /// Whether what is ready at once comes as a stream, too.
    pub fn rather_a_stream(self) -> bool {
        matches!(self, Takes::BothRatherStream | Takes::Stream)
    }
}

/// Sends what became of a message.
pub async fn send(
    connection: &mut Connection,
    settings: &Settings,
    reply: Reply,
    takes: Takes,
) -> After {
    let response = match reply {
        // Exactly 202: some clients open their stream only after it.
        Reply::Accepted => Response::empty(202),
        Reply::Ready(answer) if takes.rather_a_stream() && answer.status == Status::Answered => {
            return send_as_stream(connection, answer).await;
        }
        Reply::Ready(answer) => {
            let mut response = Response::json(status_code(answer.status), answer.text);
            if answer.status == Status::Busy {
                response = response.with("Retry-After", "1");
            }
            if let Some(session) = &answer.opened {
                response = response.with("Mcp-Session-Id", &*session.id);
            }
            response
        }
        Reply::Running(running) if running.has_stream_permit && takes == Takes::Json => {
            let text = "`Accept` must allow text/event-stream for a stream of notifications";
            Response::error(406, text)
        }
        Reply::Running(running) => {
            return Box::pin(drive(connection, settings, running, takes)).await;
        }
    };
    connection.send(response).await
}

/// The status code of an outcome.
pub fn status_code(status: Status) -> u16 {
    match status {
        Status::Answered => 200,
        Status::BadRequest => 400,
        Status::Busy => 503,
        Status::NotFound => 404,
    }
}

async fn send_as_stream(connection: &mut Connection, answer: Answer) -> After {
    let session = answer.opened.as_ref().map(|session| session.id.clone());
    let frame = connection.answer_frame();
    let http = connection.http.clone();
    let (framing, persistence) =
        write_stream_head(&http, &mut connection.output, frame, session.as_deref());
    connection.set_persistence(persistence);
    let packet = Packet {
        event_id: None,
        text: answer.text.into(),
    };
    let item = Item::Answer(packet, Status::Answered);
    framing.item(&mut connection.output, &http.server.metrics, &item);
    framing.end(&mut connection.output);
    connection.flush().await
}

/// A POST response that has become a stream.
struct Streaming {
    framing: EventFraming,
    _permit: Option<StreamPermit>,
    guard: SseGuard,
}

async fn drive(
    connection: &mut Connection,
    settings: &Settings,
    running: Running,
    takes: Takes,
) -> After {
    let http = connection.http.clone();
    let outlet = running.outlet.clone();
    let _member = http.keepalive.join(outlet.clone());
    let mut answers: Vec<(Packet, Status)> = Vec::new();
    let mut answered = 0;
    let mut ticks = 0;
    let mut streaming = None;
    if takes == Takes::Stream {
        streaming = begin(connection, settings, &running);
    }
    let after = loop {
        if answered >= running.answers {
            break After::Answered;
        }
        if !connection.output.is_empty() && !outlet.is_used() {
            // Nothing to say yet but the head: a client that asked for a stream sees it at once, with
            // the id it can come back by.
            if let After::Close(reason) = connection.flush().await {
                outlet.end(EndReason::ReaderGone);
                return After::Close(reason);
            }
        }
        let item = match next(connection, &running, &outlet).await {
            Next::Item(item) => item,
            Next::Ended(EndReason::Shutdown) if streaming.is_none() && answers.is_empty() => {
                let text = "the server stopped before the answer was ready";
                let response = Response::error(503, text).with("Retry-After", "5");
                return connection.send(response).await;
            }
            Next::Ended(reason) => {
                log::debug!("response stream ended: {}", reason.as_str());
                count_slow_reader(&http, &outlet);
                break After::Answered;
            }
            Next::HalfClosed if can_probe(connection, &streaming) => {
                connection.note_end_of_input();
                match &streaming {
                    Some(Streaming { framing, .. }) => {
                        let metrics = &http.server.metrics;
                        framing.item(&mut connection.output, metrics, &Item::KeepAlive);
                    }
                    None => connection.output.extend_from_slice(CONTINUE),
                }
                if let After::Close(reason) = connection.flush().await {
                    outlet.end(EndReason::ReaderGone);
                    return After::Close(reason);
                }
                continue;
            }
            Next::Gone | Next::HalfClosed => {
                // Dropping `running` cancels it, where the revision says so. Where it does not,
                // what is still to come goes into the session's ring.
                outlet.end(EndReason::ReaderGone);
                if let Some(Streaming { guard, .. }) = streaming {
                    guard.close(Disconnect::Client);
                }
                return After::Close(Close::Client);
            }
        };
        // The first tick may come right after the request; by the second a proxy may have waited
        // for as long as it is going to.
        ticks += usize::from(matches!(item, Item::KeepAlive));
        let must_stream = matches!(item, Item::Message(_)) || ticks > 1;
        if must_stream && streaming.is_none() && takes != Takes::Json {
            streaming = begin(connection, settings, &running);
            if let Some(Streaming { framing, .. }) = &streaming {
                for (packet, status) in answers.drain(..) {
                    let item = Item::Answer(packet, status);
                    framing.item(&mut connection.output, &http.server.metrics, &item);
                }
            }
        }
        if matches!(item, Item::Answer(..) | Item::Unanswered) {
            answered += 1;
        }
        match &streaming {
            Some(Streaming { framing, .. }) => {
                framing.item(&mut connection.output, &http.server.metrics, &item);
                if let After::Close(reason) = connection.flush().await {
                    count_slow_reader(&http, &outlet);
                    outlet.end(EndReason::ReaderGone);
                    return After::Close(reason);
                }
            }
            None => {
                if let Item::Answer(packet, status) = item {
                    answers.push((packet, status));
                }
            }
        }
    };
    // Unanswered: it was cancelled, or its stream goes on elsewhere. A stream without an answer
    // says so; 202 to a request would leave some clients waiting.
    if streaming.is_none() && answers.is_empty() && takes != Takes::Json {
        streaming = begin(connection, settings, &running);
    }
    let Some(Streaming { framing, guard, .. }) = streaming else {
        return send_json(connection, &running, answers).await;
    };
    framing.end(&mut connection.output);
    let sent = connection.flush().await;
    guard.close(Disconnect::Complete);
    match (after, sent) {
        (After::Answered, sent) => sent,
        (after, _) => after,
    }
}

/// Whether there is something harmless to send: before a stream has begun an interim response, which
/// any client takes but those of HTTP/1.0 (RFC 9110, section 15.2). With those, among them proxies
/// that close when their own client does, a closed side counts as gone.
fn can_probe(connection: &Connection, streaming: &Option<Streaming>) -> bool {
    streaming.is_some() || connection.head.version() == Version::Http11
}

/// Counts a reader whose queue ran over.
fn count_slow_reader(http: &Http, outlet: &Outlet) {
    if outlet.ended() == Some(EndReason::SlowReader) {
        http.server.metrics.limit_hit(Limit::StreamQueueBytes);
    }
}

/// Writes the head of the stream. None, so that the answer stays a JSON text, if there are too
/// many streams.
fn begin(connection: &mut Connection, settings: &Settings, running: &Running) -> Option<Streaming> {
    let http = connection.http.clone();
    let permit = match running.has_stream_permit {
        true => None,
        false => Some(http.server.stream_permit()?),
    };
    let frame: (Version, Persistence, Vec<cors::Header>) = connection.answer_frame();
    let (framing, persistence) = write_stream_head(&http, &mut connection.output, frame, None);
    connection.set_persistence(persistence);
    if let Some(id) = running.begin_stream() {
        let retry_ms = settings.retry_ms();
        framing.prime(&mut connection.output, &http.server.metrics, id, retry_ms);
    }
    Some(Streaming {
        framing,
        _permit: permit,
        guard: http.server.metrics.sse_opened(),
    })
}

async fn send_json(
    connection: &mut Connection,
    running: &Running,
    answers: Vec<(Packet, Status)>,
) -> After {
    let response = match (&answers[..], running.is_batch) {
        // Cancelled, and no stream to say it by: there is no answer, but HTTP needs a response.
        ([], _) => Response::empty(202),
        ([(packet, status)], false) => Response::json(status_code(*status), packet.text.to_vec()),
        (answers, _) => {
            let text = join_batch(answers.iter().map(|(packet, _)| &*packet.text));
            Response::json(200, text)
        }
    };
    connection.send(response).await
}

enum Next {
    Ended(EndReason),
    Gone,
    /// The client closed its side, which may or may not mean that it has gone.
    HalfClosed,
    Item(Item),
}

/// The next item, the client's going away, or the end of the server's patience.
async fn next(connection: &mut Connection, running: &Running, outlet: &Outlet) -> Next {
    let shutdown = connection.http.shutdown.clone();
    let mut stop = std::pin::pin!(shutdown.wait(Phase::Now));
    let is_watched = connection.input_is_over() && running.is_cancelled_by_disconnect();
    if is_watched {
        connection.deadline.set(BROKEN_CHECK);
    }
    poll_fn(|cx| {
        match outlet.poll_next(cx) {
            Poll::Ready(Ok(item)) => return Poll::Ready(Next::Item(item)),
            Poll::Ready(Err(reason)) => return Poll::Ready(Next::Ended(reason)),
            Poll::Pending => (),
        }
        while !connection.input_is_over() && connection.input.len() < READ_AHEAD_BYTES {
            match connection.poll_more(cx) {
                Poll::Pending => break,
                Poll::Ready(Ok(More::Bytes)) => (),
                Poll::Ready(Ok(More::End)) if !running.is_cancelled_by_disconnect() => {
                    connection.note_end_of_input();
                }
                Poll::Ready(Ok(More::End)) if !connection.stream.is_broken() => {
                    return Poll::Ready(Next::HalfClosed);
                }
                Poll::Ready(Ok(More::End) | Err(_)) => return Poll::Ready(Next::Gone),
            }
        }
        while is_watched && connection.deadline.poll_expired(cx).is_ready() {
            if connection.stream.is_broken() {
                return Poll::Ready(Next::Gone);
            }
            connection.deadline.set(BROKEN_CHECK);
        }
        stop.as_mut()
            .poll(cx)
            .map(|()| Next::Ended(EndReason::Shutdown))
    })
    .await
}
