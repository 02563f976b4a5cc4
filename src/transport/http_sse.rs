//! HTTP+SSE, the transport of 2024-11-05 (`basic/transports`): a stream by GET, whose first event
//! says where to POST, and messages by POST, whose answers come on the stream.

use std::rc::Rc;

use crate::gate::Principal;
use crate::http1::query;
use crate::jsonrpc::{self, Envelope, Incoming};
use crate::metrics::{EventKind, Limit, Transport};
use crate::server::arrival::{Arrival, Carrier, Reply};
use crate::server::outlet::Item;
use crate::server::session::Session;

use super::connection::{After, Connection};
use super::reply::status_code;
use super::respond::Response;
use super::site::Settings;
use super::sse_out::{named_event, write_stream_head};
use super::stream::{StreamOwner, StreamPlan};
use super::streamable::{rules, too_many_streams};
use super::{plain, stdio};

/// Opens a session and its stream.
pub async fn open(
    connection: &mut Connection,
    settings: &Settings,
    caller: &Rc<Principal>,
) -> After {
    let http = connection.http.clone();
    let server = &http.server;
    let Some(permit) = server.stream_permit() else {
        return connection.send(too_many_streams()).await;
    };
    let outlet = server.stream_outlet();
    let session = match server.open_session(caller, Some(outlet.clone())) {
        Ok(session) => session,
        Err(full) => {
            let text = format!("all `limits.sessions` ({}) are in use", full.limit);
            let response = Response::error(503, &text).with("Retry-After", "5");
            return connection.send(response).await;
        }
    };
    let endpoint = format!(
        "{}?session_id={}",
        relative(connection.head.path(), &settings.message_path),
        session.id
    );
    let frame = connection.answer_frame();
    let mut opening = std::mem::take(&mut connection.output);
    let (framing, _) = write_stream_head(&http, &mut opening, frame, None);
    server.metrics.sse_event(EventKind::Endpoint);
    framing.frame(&mut opening, |out| {
        out.extend_from_slice(&named_event("endpoint", &endpoint));
    });
    let owner = StreamOwner::HttpSse(session);
    After::Stream(Box::new(StreamPlan {
        opening,
        outlet,
        framing,
        owner,
        permit,
    }))
}

/// A reference to the path `to` that is relative to the path `from`, so that it stays right below
/// any prefix a proxy puts before both.
fn relative(from: &str, to: &str) -> String {
    let depth = from.matches('/').count().saturating_sub(1);
    format!("{}{}", "../".repeat(depth), to.trim_start_matches('/'))
}

/// Takes a message. With a `session_id` the answer comes on the session's stream; without, in the
/// body, which is how the deployment guide of the AWS documentation server posts.
pub async fn post(
    connection: &mut Connection,
    settings: &Rc<Settings>,
    caller: &Rc<Principal>,
    bytes: &[u8],
) -> After {
    let query = connection.head.query().unwrap_or_default();
    let id = query::first(query, "session_id").or_else(|| query::first(query, "sessionId"));
    let Some(id) = id else {
        return plain::post(connection, settings, caller, bytes).await;
    };
    let session = connection
        .http
        .server
        .session(&id, caller)
        .filter(|session| session.is_direct());
    let Some(session) = session else {
        let text = "session not found; open the stream again";
        return connection.send(Response::error(404, text)).await;
    };
    if let Some(limit) = overfull(connection, &session) {
        let text = format!(
            "more than `limits.stream_queue_bytes` ({limit}) wait on the stream; read it first"
        );
        let response = Response::error(503, &text).with("Retry-After", "1");
        return connection.send(response).await;
    }
    let refused = receive(connection, settings, caller, &session, bytes);
    match refused {
        Some(refused) => connection.send(refused).await,
        None => connection.send(Response::empty(202)).await,
    }
}

/// The limit, if more waits on the session's stream. Answers are always taken there, so whoever asks
/// without reading them has to be stopped here, or would have the server hold any number of them.
pub fn overfull(connection: &Connection, session: &Session) -> Option<usize> {
    let server = &connection.http.server;
    let limit = server.settings().limits.stream_queue_bytes;
    if session.outlet()?.queued_bytes() <= limit {
        return None;
    }
    server.metrics.limit_hit(Limit::StreamQueueBytes);
    Some(limit)
}

fn receive(
    connection: &Connection,
    settings: &Settings,
    caller: &Rc<Principal>,
    session: &Rc<Session>,
    bytes: &[u8],
) -> Option<Response> {
    let server = &connection.http.server;
    let outlet = session.outlet()?;
    session.touch(crate::rt::now());
    let arrival = Arrival {
        transport: Transport::HttpSse,
        caller,
        carrier: Carrier::Connection {
            session,
            outlet,
            is_dual: false,
        },
    };
    let reply = match jsonrpc::parse(bytes, &rules(settings, Envelope::Strict)) {
        Ok(Incoming::Single(message)) => server.receive(message, &arrival),
        Ok(Incoming::Batch(messages)) => server.receive_batch(messages, &arrival),
        // Nothing that could be answered on the stream: the POST itself is refused.
        Err(error) => {
            let answer = server.refuse(&error, &arrival);
            return Some(Response::json(status_code(answer.status), answer.text));
        }
    };
    match reply {
        Reply::Accepted => (),
        Reply::Ready(answer) => _ = outlet.push(Item::answer(answer.text, answer.status)),
        Reply::Running(running) => stdio::forward(running, outlet),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_hold_below_any_prefix() {
        assert_eq!(relative("/sse/", "/messages/"), "../messages/");
        assert_eq!(relative("/sse", "/messages/"), "messages/");
        assert_eq!(relative("/a/b/sse/", "/a/m"), "../../../a/m");
    }
}
