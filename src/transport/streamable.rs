//! Streamable HTTP: `/mcp` by POST, GET and DELETE, all revisions at once (2025-03-26 to
//! 2026-07-28 `basic/transports`).

use std::rc::Rc;

use crate::gate::Principal;
use crate::http1::accept::accepts;
use crate::http1::{Head, Name};
use crate::jsonrpc::{self, Envelope, Incoming, Rules};
use crate::mcp::headers::{HeaderSource, HeaderValue};
use crate::mcp::revision::Revision;
use crate::metrics::Transport;
use crate::server::arrival::{Arrival, Carrier, Reply, StreamableHead};
use crate::server::outlet::{EndReason, EventId};
use crate::server::session::Session;

use super::connection::{After, Connection};
use super::reply::{self, Takes};
use super::respond::Response;
use super::site::Settings;
use super::sse_out::write_stream_head;
use super::stream::{StreamOwner, StreamPlan};

/// The routing headers of 2026-07-28, as the protocol asks for them.
struct RoutingHeaders<'a>(&'a Head);

impl HeaderSource for RoutingHeaders<'_> {
    fn values(&self, name: &str) -> HeaderValue<'_> {
        if let Some(name) = Name::of(name.as_bytes()) {
            return match (self.0.header_bytes(name), self.0.repeated(&[name])) {
                (None, _) => HeaderValue::Absent,
                (Some(value), None) => HeaderValue::One(value),
                (Some(_), Some(_)) => HeaderValue::Repeated,
            };
        }
        let mut values = self.0.all_bytes(name);
        match (values.next(), values.next()) {
            (None, _) => HeaderValue::Absent,
            (Some(value), None) => HeaderValue::One(value),
            (Some(_), Some(_)) => HeaderValue::Repeated,
        }
    }
}

/// Takes a message or a batch.
pub async fn post(
    connection: &mut Connection,
    settings: &Settings,
    caller: &Rc<Principal>,
    bytes: &[u8],
) -> After {
    let head = &connection.head;
    let Some(takes) = Takes::of(head.list(Name::Accept).as_deref()) else {
        let text = "`Accept` must allow application/json or text/event-stream";
        return connection.send(Response::error(406, text)).await;
    };
    let routing = RoutingHeaders(head);
    let arrival = Arrival {
        transport: Transport::Streamable,
        caller,
        carrier: Carrier::Streamable(StreamableHead {
            version: head.header(Name::McpProtocolVersion),
            session_id: head.header(Name::McpSessionId),
            headers: &routing,
        }),
    };
    let server = &connection.http.server;
    let reply = match jsonrpc::parse(bytes, &rules(settings, Envelope::Strict)) {
        Ok(Incoming::Single(message)) => server.receive(message, &arrival),
        Ok(Incoming::Batch(messages)) => server.receive_batch(messages, &arrival),
        Err(error) => Reply::Ready(server.refuse(&error, &arrival)),
    };
    reply::send(connection, settings, reply, takes).await
}

/// The parser's rules for this endpoint.
pub fn rules(settings: &Settings, envelope: Envelope) -> Rules {
    Rules {
        batch_len_max: settings.batch_len_max,
        depth_max: settings.json_depth_max,
        envelope,
    }
}

/// Opens the stream of messages that belong to no request, or resumes any stream of the session.
pub async fn get(
    connection: &mut Connection,
    settings: &Settings,
    caller: &Rc<Principal>,
) -> After {
    let head = &connection.head;
    if !accepts(head.list(Name::Accept).as_deref(), "text/event-stream") {
        let text = "`Accept` must allow text/event-stream";
        return connection.send(Response::error(406, text)).await;
    }
    // Streams by GET exist only in sessions: without one this is a client of another revision.
    if head.header(Name::McpSessionId).is_none() {
        let text = "GET needs a session; send `initialize` first, or `subscriptions/listen`";
        let response = Response::error(405, text).with("Allow", "POST, OPTIONS");
        return connection.send(response).await;
    }
    let session = match find_session(connection, caller) {
        Ok(session) => session,
        Err(refusal) => return connection.send(refusal).await,
    };
    let last_event = match head.header(Name::LastEventId).map(EventId::parse) {
        Some(None) => {
            let text = "`Last-Event-ID` is not an id of this server";
            return connection.send(Response::error(400, text)).await;
        }
        Some(Some(id)) => Some(id),
        None => None,
    };
    let http = connection.http.clone();
    let Some(permit) = http.server.stream_permit() else {
        return connection.send(too_many_streams()).await;
    };
    let outlet = http.server.stream_outlet();
    let priming = match last_event {
        None => Some(session.attach_general(outlet.clone())),
        Some(last_event) => {
            if !session.resume(last_event, outlet.clone()) {
                let text = "the stream of `Last-Event-ID` is not known any more";
                return connection.send(Response::error(404, text)).await;
            }
            http.server.metrics.sse_resume();
            None
        }
    };
    session.touch(crate::rt::now());
    let frame = connection.answer_frame();
    let mut opening = std::mem::take(&mut connection.output);
    let (framing, _) = write_stream_head(&http, &mut opening, frame, Some(&session.id));
    let primes = session.revision().is_some_and(Revision::primes_streams);
    if let Some(id) = priming.filter(|_| primes) {
        let retry_ms = settings.retry_ms();
        framing.prime(&mut opening, &http.server.metrics, id, retry_ms);
    }
    After::Stream(Box::new(StreamPlan {
        opening,
        outlet,
        framing,
        owner: StreamOwner::Streamable,
        permit,
    }))
}

/// Ends the session (2025-03-26 `basic/transports`, "Session Management").
pub async fn delete(connection: &mut Connection, caller: &Rc<Principal>) -> After {
    if connection.head.header(Name::McpSessionId).is_none() {
        let text = "DELETE needs `Mcp-Session-Id`";
        let response = Response::error(405, text).with("Allow", "POST, OPTIONS");
        return connection.send(response).await;
    }
    match find_session(connection, caller) {
        Ok(session) => {
            connection
                .http
                .server
                .end_session(&session, EndReason::SessionOver);
            connection.send(Response::empty(204)).await
        }
        Err(refusal) => connection.send(refusal).await,
    }
}

fn find_session(connection: &Connection, caller: &Rc<Principal>) -> Result<Rc<Session>, Response> {
    let head = &connection.head;
    if head
        .header(Name::McpProtocolVersion)
        .is_some_and(|version| Revision::from_text(version).is_none())
    {
        let text = "`MCP-Protocol-Version` is not a revision this server speaks";
        return Err(Response::error(400, text));
    }
    let id = head.header(Name::McpSessionId).unwrap_or_default();
    let session = connection.http.server.session(id, caller);
    // A session of HTTP+SSE has its own stream and is not to be reached from here.
    session
        .filter(|session| !session.is_direct())
        .ok_or_else(|| Response::error(404, "session not found; send `initialize` again"))
}

/// The answer where `limits.streams` are open.
pub fn too_many_streams() -> Response {
    Response::error(503, "all `limits.streams` are open; try again later").with("Retry-After", "5")
}
