//! The Streamable HTTP endpoint inside somebody else's HTTP server: `http_types` requests in,
//! `http_types` responses out, as async-h1 and its relatives pass them.
//!
//! In scope: POST, GET and DELETE of one path, tokens, `Origin`. Not in scope: what the host
//! server does itself, which is connections, their deadlines, routes and the `Host` header.
//!
//! A client that goes away is noticed with the next event or comment: until then the host server
//! does not look.

#![allow(
    clippy::result_large_err,
    reason = "a refusal is a response, and those of `http_types` are large; none is on a hot path"
)]

use std::io;
use std::rc::Rc;
use std::time::Duration;

use http_types::{Body, Method, Request, Response, StatusCode};

use crate::gate::auth::Auth;
use crate::gate::origin::{OriginRefusal, OriginRule};
use crate::gate::{Principal, Scope, Scopes};
use crate::http1::accept::accepts;
use crate::http1::sse::encode_comment;
use crate::jsonrpc::{self, Envelope, Incoming, write_json_string};
use crate::mcp::headers::{HeaderSource, HeaderValue};
use crate::mcp::revision::Revision;
use crate::metrics::{Disconnect, Transport};
use crate::rt::pipe::{PipeWriter, pipe, read_to_end};
use crate::rt::{self, Clock, Ticker};
use crate::server::arrival::{Answer, Arrival, Carrier, Reply, Running, StreamableHead};
use crate::server::outlet::{EndReason, EventId, Item, Outlet, Packet, Status};
use crate::server::session::Session;
use crate::server::{Server, StreamPermit, join_batch};

use super::reply::{Takes, status_code};
use super::site::Settings;
use super::sse_out::EventFraming;
use super::streamable::rules;

/// A server to be asked by [`respond`](Mount::respond). Cloning shares it.
#[derive(Clone)]
pub struct Mount(Rc<Inner>);

struct Inner {
    server: Rc<Server>,
    auth: Auth,
    origin: OriginRule,
    settings: Settings,
    keepalive: Ticker<Outlet>,
    /// Ends with the mount: comments on streams, and the end of idle sessions.
    _tasks: [rt::Task<()>; 2],
}

/// A stream that is being sent.
struct Sending {
    outlet: Outlet,
    writer: PipeWriter,
    permit: StreamPermit,
}

impl Mount {
    /// Mounts `server`. Of the settings, the limits of messages and the tokens apply. Called inside
    /// [`rt::run`], and so is everything else here.
    pub fn new(
        server: Rc<Server>,
        settings: Settings,
        origin: OriginRule,
        clock: &Clock,
        keepalive: Duration,
    ) -> Mount {
        let keepalive = Ticker::new(clock, keepalive);
        let comments = keepalive.clone();
        let ticking = rt::spawn(async move {
            comments
                .run(|outlet: Outlet| _ = outlet.push(Item::KeepAlive))
                .await;
        });
        let expiring = rt::spawn(server.clone().expire_sessions());
        Mount(Rc::new(Inner {
            server,
            auth: settings.auth.clone(),
            origin,
            settings,
            keepalive,
            _tasks: [ticking, expiring],
        }))
    }

    /// Answers one request to the endpoint's path. Streams go on in the response's body.
    pub async fn respond(&self, mut request: Request) -> Response {
        let body = request.take_body();
        match self.answer(&request, body).await {
            Ok(response) | Err(response) => response,
        }
    }

    async fn answer(&self, request: &Request, body: Body) -> Result<Response, Response> {
        let origin = header(request, "origin");
        let admitted = self.0.origin.admit(origin, header(request, "host"));
        admitted.map_err(|refusal| json(OriginRefusal::STATUS, refusal.body().into_bytes()))?;
        let authorization = header(request, "authorization");
        let auth = &self.0.auth;
        let admitted = auth.admit(authorization, rt::unix_time());
        let caller = admitted.map_err(|refusal| {
            let needed = Scopes::NONE.with(Scope::Write);
            let challenge = auth.challenge(refusal, needed, None);
            let mut response = json(refusal.status(), refusal.body().into_bytes());
            response.insert_header("WWW-Authenticate", challenge);
            response
        })?;
        match request.method() {
            Method::Post => self.post(request, body, &caller).await,
            Method::Get => self.get(request, &caller),
            Method::Delete => {
                let session = self.session(request, &caller)?;
                self.0.server.end_session(&session, EndReason::SessionOver);
                Ok(Response::new(StatusCode::NoContent))
            }
            _ => Err(not_allowed("this endpoint takes POST, GET and DELETE")),
        }
    }

    async fn post(
        &self,
        request: &Request,
        body: Body,
        caller: &Rc<Principal>,
    ) -> Result<Response, Response> {
        let takes = Takes::of(header(request, "accept")).ok_or_else(|| {
            error(
                406,
                "`Accept` must allow application/json or text/event-stream",
            )
        })?;
        let limit = self.0.settings.body_bytes_max;
        let bytes =
            read_to_end(body.into_reader(), limit)
                .await
                .map_err(|failure| match failure.kind() {
                    io::ErrorKind::FileTooLarge => error(
                        413,
                        &format!("the body exceeds `limits.body_bytes` ({limit})"),
                    ),
                    _ => error(400, "the connection ended within the body"),
                })?;
        let routing = RoutingHeaders(request);
        let arrival = Arrival {
            transport: Transport::Streamable,
            caller,
            carrier: Carrier::Streamable(StreamableHead {
                version: header(request, "mcp-protocol-version"),
                session_id: header(request, "mcp-session-id"),
                headers: &routing,
            }),
        };
        let server = &self.0.server;
        let reply = match jsonrpc::parse(&bytes, &rules(&self.0.settings, Envelope::Strict)) {
            Ok(Incoming::Single(message)) => server.receive(message, &arrival),
            Ok(Incoming::Batch(messages)) => server.receive_batch(messages, &arrival),
            Err(error) => Reply::Ready(server.refuse(&error, &arrival)),
        };
        match reply {
            Reply::Accepted => Ok(Response::new(StatusCode::Accepted)),
            Reply::Ready(answer) => Ok(self.ready(answer, takes)),
            Reply::Running(running) => Ok(self.running(running, takes).await),
        }
    }

    fn ready(&self, answer: Answer, takes: Takes) -> Response {
        let mut response = if takes.rather_a_stream() && answer.status == Status::Answered {
            let packet = Packet {
                event_id: None,
                text: answer.text.into(),
            };
            let mut bytes = Vec::new();
            let item = Item::Answer(packet, Status::Answered);
            EventFraming::PLAIN.item(&mut bytes, &self.0.server.metrics, &item);
            event_stream(Body::from_bytes(bytes))
        } else {
            json(status_code(answer.status), answer.text)
        };
        if let Some(session) = &answer.opened {
            response.insert_header("Mcp-Session-Id", &*session.id);
        }
        response
    }

    /// JSON if the answers are all there is, a stream from the first other message on.
    async fn running(&self, running: Running, takes: Takes) -> Response {
        let outlet = running.outlet.clone();
        let member = self.0.keepalive.join(outlet.clone());
        let mut answers: Vec<(Packet, Status)> = Vec::new();
        let mut answered = 0;
        let mut first = None;
        while answered < running.answers && (takes != Takes::Stream) {
            match outlet.next().await {
                Ok(Item::Answer(packet, status)) => {
                    answered += 1;
                    answers.push((packet, status));
                }
                Ok(Item::Unanswered) => answered += 1,
                Ok(item) if takes != Takes::Json => {
                    first = Some(item);
                    break;
                }
                Ok(_) => (),
                Err(_) => break,
            }
        }
        let must_stream = takes == Takes::Stream || first.is_some();
        let permit = match self.0.server.stream_permit() {
            Some(permit) if must_stream => permit,
            None if must_stream => return too_many_streams(),
            _ => return joined(&answers, running.is_batch),
        };
        let mut opening = opening();
        let metrics = &self.0.server.metrics;
        if let Some(id) = running.begin_stream() {
            self.prime(&mut opening, id);
        }
        let items = answers
            .into_iter()
            .map(|(packet, status)| Item::Answer(packet, status));
        for item in items.chain(first) {
            EventFraming::PLAIN.item(&mut opening, metrics, &item);
        }
        let left = running.answers - answered;
        let (writer, reader) = pipe();
        let sending = Sending {
            outlet,
            writer,
            permit,
        };
        let mount = self.clone();
        rt::spawn(async move {
            mount.send(sending, opening, left).await;
            drop((member, running));
        })
        .detach();
        event_stream(Body::from_reader(reader, None))
    }

    fn get(&self, request: &Request, caller: &Rc<Principal>) -> Result<Response, Response> {
        if !accepts(header(request, "accept"), "text/event-stream") {
            return Err(error(406, "`Accept` must allow text/event-stream"));
        }
        let session = self.session(request, caller)?;
        let last_event = header(request, "last-event-id")
            .map(|id| {
                EventId::parse(id)
                    .ok_or_else(|| error(400, "`Last-Event-ID` is not an id of this server"))
            })
            .transpose()?;
        let server = &self.0.server;
        let permit = server.stream_permit().ok_or_else(too_many_streams)?;
        let outlet = server.stream_outlet();
        let mut opening = opening();
        match last_event {
            Some(id) if !session.resume(id, outlet.clone()) => {
                return Err(error(
                    404,
                    "the stream of `Last-Event-ID` is not known any more",
                ));
            }
            Some(_) => server.metrics.sse_resume(),
            None => {
                let id = session.attach_general(outlet.clone());
                if session.revision().is_some_and(Revision::primes_streams) {
                    self.prime(&mut opening, id);
                }
            }
        }
        session.touch(rt::now());
        let (writer, reader) = pipe();
        let member = self.0.keepalive.join(outlet.clone());
        let sending = Sending {
            outlet,
            writer,
            permit,
        };
        let mount = self.clone();
        rt::spawn(async move {
            // It ends with its session, or its reader: no number of answers ends it.
            mount.send(sending, opening, usize::MAX).await;
            drop(member);
        })
        .detach();
        Ok(event_stream(Body::from_reader(reader, None)))
    }

    /// Sends what comes until `answers` have been sent, the outlet ends or the reader goes.
    async fn send(&self, sending: Sending, opening: Vec<u8>, answers: usize) {
        let Sending {
            outlet,
            writer,
            permit,
        } = sending;
        let metrics = &self.0.server.metrics;
        let opened = metrics.sse_opened();
        let mut left = answers;
        let mut bytes = opening;
        let disconnect = loop {
            if !writer.write(std::mem::take(&mut bytes)).await {
                break Disconnect::Client;
            }
            if left == 0 {
                break Disconnect::Complete;
            }
            let Ok(item) = outlet.next().await else {
                break Disconnect::Complete;
            };
            if matches!(item, Item::Answer(..) | Item::Unanswered) {
                left -= 1;
            }
            EventFraming::PLAIN.item(&mut bytes, metrics, &item);
        };
        outlet.end(EndReason::ReaderGone);
        opened.close(disconnect);
        drop(permit);
    }

    fn prime(&self, out: &mut Vec<u8>, id: EventId) {
        let retry_ms = self.0.settings.retry_ms();
        EventFraming::PLAIN.prime(out, &self.0.server.metrics, id, retry_ms);
    }

    fn session(&self, request: &Request, caller: &Rc<Principal>) -> Result<Rc<Session>, Response> {
        let Some(id) = header(request, "mcp-session-id") else {
            return Err(not_allowed("this needs a session; send `initialize` first"));
        };
        let version = header(request, "mcp-protocol-version");
        if version.is_some_and(|version| Revision::from_text(version).is_none()) {
            return Err(error(
                400,
                "`MCP-Protocol-Version` is not a revision this server speaks",
            ));
        }
        let session = self.0.server.session(id, caller);
        session
            .filter(|session| !session.is_direct())
            .ok_or_else(|| error(404, "session not found; send `initialize` again"))
    }
}

/// The routing headers of 2026-07-28, as the protocol asks for them.
struct RoutingHeaders<'a>(&'a Request);

impl HeaderSource for RoutingHeaders<'_> {
    fn values(&self, name: &str) -> HeaderValue<'_> {
        let mut values = self.0.header(name).into_iter().flat_map(|all| all.iter());
        match (values.next(), values.next()) {
            (None, _) => HeaderValue::Absent,
            (Some(value), None) => HeaderValue::One(value.as_str().as_bytes()),
            (Some(_), Some(_)) => HeaderValue::Repeated,
        }
    }
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.header(name).map(|values| values.last().as_str())
}

/// Something arrives at once: some clients and proxies count the seconds until then.
fn opening() -> Vec<u8> {
    let mut out = Vec::new();
    encode_comment(&mut out, "");
    out
}

fn joined(answers: &[(Packet, Status)], is_batch: bool) -> Response {
    match (answers, is_batch) {
        // Cancelled: there is no answer, but HTTP needs a response.
        ([], _) => Response::new(StatusCode::Accepted),
        ([(packet, status)], false) => json(status_code(*status), packet.text.to_vec()),
        (answers, _) => json(
            200,
            join_batch(answers.iter().map(|(packet, _)| &*packet.text)),
        ),
    }
}

fn json(status: u16, body: Vec<u8>) -> Response {
    let mut response = Response::new(status);
    response.set_body(Body::from_bytes(body));
    response.insert_header("Content-Type", "application/json");
    response
}

fn error(status: u16, message: &str) -> Response {
    let mut body = br#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"#.to_vec();
    write_json_string(&mut body, message);
    body.extend_from_slice(b"}}");
    json(status, body)
}

fn not_allowed(message: &str) -> Response {
    let mut response = error(405, message);
    response.insert_header("Allow", "POST, GET, DELETE");
    response
}

fn too_many_streams() -> Response {
    let mut response = error(503, "all `limits.streams` are open; try again later");
    response.insert_header("Retry-After", "5");
    response
}

fn event_stream(body: Body) -> Response {
    let mut response = Response::new(StatusCode::Ok);
    response.set_body(body);
    response.insert_header("Content-Type", "text/event-stream");
    response.insert_header("Cache-Control", "no-store, no-transform");
    response.insert_header("X-Accel-Buffering", "no");
    response
}
