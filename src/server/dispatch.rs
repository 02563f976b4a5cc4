//! From a message to its handler: which era it belongs to, which method it names, and what becomes
//! of its answer.
//!
//! ```text
//!   message ─▶ classify (era) ─▶ METHODS (one table) ─▶ handler ─┬─ answered at once ─▶ Ready
//!                                                                └─ pending ─▶ task ─▶ Running
//! ```

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use serde_json::value::RawValue;

use crate::catalog::Catalog;
use crate::gate::Principal;
use crate::jsonrpc::{
    Id, Message, Notification, ParseError, ParseErrorKind, Request, Response, UnknownId,
    encode_error,
};
use crate::log::{RequestId, traced};
use crate::mcp::capabilities::ClientCapabilities;
use crate::mcp::errors::{self, ProtocolError};
use crate::mcp::headers::{self, HeaderMismatch, HeaderProblem, Routing};
use crate::mcp::meta::{self, Claim, Envelope, RequestMeta};
use crate::mcp::result::Dialect;
use crate::mcp::revision::Revision;
use crate::metrics::{Limit, MethodLabel, Transport};
use crate::rt;
use crate::tools::LocalFuture;

use super::Server;
use super::arrival::{Answer, Arrival, Carrier, Reply, Running, StreamableHead};
use super::handlers::{self, METHODS, Method};
use super::outlet::{Outlet, Status};
use super::running::{Route, Switch};
use super::session::Session;

/// What a method's handler does next.
pub enum Flow {
    /// A limit of the whole server is reached: the error that says so.
    Busy(ProtocolError),
    /// The result is written.
    Done,
    /// The result of `initialize` is written, and this session was opened by it.
    Opened(Rc<Session>),
    /// The result comes later.
    Later(Work),
    /// The result comes when the stream of notifications that has been opened ends. It is no work:
    /// `limits.streams` bounds it, not `limits.requests_in_flight`.
    Listening(Work),
}

/// The rest of a request: its `result` as JSON text, or the error in its place.
pub type Work = LocalFuture<'static, Result<Vec<u8>, ProtocolError>>;

/// The two eras a request can belong to (2026-07-28 `basic/versioning`).
pub enum Era<'a> {
    /// `initialize` opens it; state is kept between requests.
    Legacy {
        /// Agreed on, or assumed where there is no session.
        revision: Revision,
        /// Absent on plain endpoints and for `initialize` over Streamable HTTP.
        session: Option<Rc<Session>>,
    },
    /// Everything a request needs stands in its `_meta`.
    Stateless {
        /// What stands there.
        claim: Claim<'a>,
        /// The revision it claims.
        revision: Revision,
    },
}

/// One request on its way through a handler.
pub struct Exchange<'a> {
    /// The server.
    pub server: &'a Rc<Server>,
    /// The request.
    pub request: &'a Request<'a>,
    /// Its `_meta`.
    pub meta: &'a RequestMeta<'a>,
    /// How it came.
    pub arrival: &'a Arrival<'a>,
    /// Its era.
    pub era: &'a Era<'a>,
    /// What is offered, as of now.
    pub catalog: &'a Rc<Catalog>,
    lane: &'a Lane<'a>,
    switch: OnceCell<Rc<Switch>>,
}

/// The way back for the messages of one POST, or of one connection. Made only if it is needed: a
/// request that is answered at once never has a queue.
struct Lane<'a> {
    arrival: &'a Arrival<'a>,
    requests: usize,
    /// The answers of a batch are collected, also where single ones go out by themselves.
    is_batch: bool,
    queue_bytes_max: usize,
    ring_bytes_max: usize,
    outlet: OnceCell<Outlet>,
    route: OnceCell<Route>,
    /// A request has taken a place among the streams already.
    has_stream_permit: Cell<bool>,
}

enum Begun {
    Ready(Answer),
    Running(Rc<Switch>, Cancellation),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cancellation {
    OnDisconnect,
    OnRequest,
}

struct Refusal {
    status: Status,
    error: ProtocolError,
}

impl Server {
    /// Takes one message.
    pub fn receive(self: &Rc<Self>, message: Message<'_>, arrival: &Arrival<'_>) -> Reply {
        match message {
            Message::Notification(notification) => self.notified(&notification, arrival),
            Message::Response(response) => self.responded(&response, arrival),
            Message::Request(request) => {
                let lane = Lane::new(self, arrival, 1);
                match self.begin(&request, arrival, &lane, false) {
                    Begun::Ready(answer) => Reply::Ready(answer),
                    Begun::Running(switch, cancellation) => {
                        let has_stream_permit = lane.has_stream_permit.get();
                        let mut running = Running::new(lane.outlet(), lane.into_route(), 1, false);
                        running.has_stream_permit = has_stream_permit;
                        if cancellation == Cancellation::OnDisconnect {
                            running.cancel_with(switch);
                        }
                        Reply::Running(running)
                    }
                }
            }
        }
    }

    /// Takes a batch: only revisions and endpoints that allow one (2025-03-26 `basic/index`,
    /// "Batching").
    pub fn receive_batch(
        self: &Rc<Self>,
        messages: Vec<Result<Message<'_>, ParseError>>,
        arrival: &Arrival<'_>,
    ) -> Reply {
        if let Err(refusal) = self.check_batch(arrival) {
            return Reply::Ready(refusal.answer(None, UnknownId::Null));
        }
        let requests = |message: &Result<Message<'_>, ParseError>| {
            matches!(message, Ok(Message::Request(_)) | Err(_))
        };
        let answers = messages.iter().filter(|message| requests(message)).count();
        let lane = Lane {
            is_batch: true,
            ..Lane::new(self, arrival, answers)
        };
        let mut ready = Vec::new();
        let mut running = Vec::new();
        for message in messages {
            match message {
                Err(error) => ready.push(refuse_element(&error)),
                Ok(Message::Notification(notification)) => {
                    _ = self.notified(&notification, arrival);
                }
                Ok(Message::Response(response)) => _ = self.responded(&response, arrival),
                Ok(Message::Request(request)) => match self.begin(&request, arrival, &lane, true) {
                    Begun::Ready(answer) => ready.push(answer.text),
                    Begun::Running(switch, cancellation) => running.push((switch, cancellation)),
                },
            }
        }
        if running.is_empty() && !lane.must_keep_order() {
            if ready.is_empty() {
                return Reply::Accepted;
            }
            let text = join_batch(ready.iter().map(Vec::as_slice));
            return Reply::Ready(Answer {
                text,
                status: Status::Answered,
                opened: None,
            });
        }
        let (outlet, route) = (lane.outlet(), lane.into_route());
        for text in ready {
            route.answer(text, Status::Answered);
        }
        let mut reply = Running::new(outlet, route, answers, true);
        for (switch, cancellation) in running {
            if cancellation == Cancellation::OnDisconnect {
                reply.cancel_with(switch);
            }
        }
        Reply::Running(reply)
    }

    /// The answer to a text that is no message.
    pub fn refuse(&self, error: &ParseError, arrival: &Arrival<'_>) -> Answer {
        match error.kind {
            ParseErrorKind::BatchTooLong { .. } => self.metrics.limit_hit(Limit::Batch),
            ParseErrorKind::TooDeep { .. } => self.metrics.limit_hit(Limit::JsonDepth),
            _ => (),
        }
        let error_object = ProtocolError::new(error.code(), error.to_string());
        self.metrics.rpc_request(
            MethodLabel::Other,
            arrival.transport,
            std::time::Duration::ZERO,
            Some(error_object.code),
        );
        let unknown = match &arrival.carrier {
            Carrier::Streamable(head) => unknown_id(head.version.and_then(Revision::from_text)),
            Carrier::Connection { session, .. } => unknown_id(session.revision()),
            Carrier::Plain => UnknownId::Null,
        };
        Refusal {
            status: Status::BadRequest,
            error: error_object,
        }
        .answer(error.id.as_ref(), unknown)
    }

    /// The answer to a stdio line that was too long to be read.
    pub fn refuse_line(&self, bytes: u64, limit: usize, arrival: &Arrival<'_>) -> Answer {
        let unknown = match &arrival.carrier {
            Carrier::Connection { session, .. } => unknown_id(session.revision()),
            Carrier::Plain | Carrier::Streamable(_) => UnknownId::Null,
        };
        let text = format!("line of {bytes} bytes exceeds `limits.body_bytes` ({limit})");
        Refusal::bad(ProtocolError::invalid_request(text)).answer(None, unknown)
    }

    fn check_batch(&self, arrival: &Arrival<'_>) -> Result<(), Refusal> {
        let revision = match &arrival.carrier {
            Carrier::Plain => return Ok(()),
            Carrier::Connection { session, .. } => session.revision(),
            Carrier::Streamable(head) => self.legacy_session(head, arrival)?.revision(),
        };
        if revision.is_some_and(Revision::allows_batch) {
            return Ok(());
        }
        Err(Refusal::bad(ProtocolError::invalid_request(
            "batches exist only in 2025-03-26; send one message at a time",
        )))
    }

    // --- requests -----------------------------------------------------------------------------

    fn begin(
        self: &Rc<Self>,
        request: &Request<'_>,
        arrival: &Arrival<'_>,
        lane: &Lane<'_>,
        is_in_batch: bool,
    ) -> Begun {
        let started = rt::now();
        let meta = RequestMeta::of_params(request.params);
        let method = METHODS.iter().find(|method| method.name == request.method);
        let label = method.map_or(MethodLabel::Other, |method| method.label);
        let measure = Measure {
            label,
            transport: arrival.transport,
            started,
        };
        let refuse = |refusal: Refusal| {
            self.measured(&measure, Some(refusal.error.code));
            Begun::Ready(refusal.answer(Some(&request.id), UnknownId::Absent))
        };
        let era = match self.classify(request, &meta, arrival) {
            Ok(era) => era,
            Err(refusal) => return refuse(refusal),
        };
        let catalog = self.catalog();
        let Some(method) = method.filter(|method| method.is_served(&era, &catalog)) else {
            return refuse(Refusal::in_era(
                &era,
                ProtocolError::method_not_found(&request.method),
            ));
        };
        if let Err(refusal) = self.check_request(request, method, &era, arrival, is_in_batch) {
            return refuse(refusal);
        }
        if let Era::Legacy {
            revision,
            session: Some(session),
        } = &era
        {
            session.touch(started);
            self.dirty.notify_one();
            if revision.has_resumable_streams() {
                lane.resume_in(session);
            }
        }
        let switch = OnceCell::new();
        let exchange = Exchange {
            server: self,
            request,
            meta: &meta,
            arrival,
            era: &era,
            catalog: &catalog,
            lane,
            switch,
        };
        let mut text = Vec::with_capacity(256);
        text.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
        text.extend_from_slice(request.id.as_json().as_bytes());
        text.extend_from_slice(br#","result":"#);
        let opened = match (method.handle)(&exchange, &mut text) {
            Ok(Flow::Done) => None,
            Ok(Flow::Opened(session)) => Some(session),
            Ok(Flow::Later(work)) => return self.run(&exchange, work, measure),
            Ok(Flow::Listening(work)) => {
                let switch = self.spawn(&exchange, work, measure, Kind::Listening);
                return Begun::Running(switch, exchange.cancellation());
            }
            Ok(Flow::Busy(error)) => return refuse(Refusal::busy(error)),
            Err(error) => return refuse(Refusal::in_era(&era, error)),
        };
        text.push(b'}');
        self.measured(&measure, None);
        if lane.must_keep_order() {
            // A handler that answered at once but sent messages first: they keep their order.
            lane.route().answer(text, Status::Answered);
            return Begun::Running(exchange.switch(), Cancellation::OnRequest);
        }
        Begun::Ready(Answer {
            text,
            status: Status::Answered,
            opened,
        })
    }

    /// Starts what could not be answered at once. It is polled here first: most handlers finish
    /// without waiting, and then neither a task nor a queue is made.
    fn run(self: &Rc<Self>, exchange: &Exchange<'_>, mut work: Work, measure: Measure) -> Begun {
        let id = &exchange.request.id;
        let limit = self.settings().limits.requests_in_flight;
        if self.running.get() >= limit {
            self.metrics.limit_hit(Limit::RequestsInFlight);
            let error = ProtocolError::internal(format!(
                "`limits.requests_in_flight` ({limit}) requests are running; try again later"
            ));
            self.measured(&measure, Some(error.code));
            return Begun::Ready(Refusal::busy(error).answer(Some(id), UnknownId::Absent));
        }
        let is_stateless = matches!(exchange.era, Era::Stateless { .. });
        let route = exchange.lane.route().clone();
        let finish = |outcome: Result<Vec<u8>, ProtocolError>, server: &Server| {
            server.measured(&measure, outcome.as_ref().err().map(|error| error.code));
            encode_outcome(id, outcome, is_stateless)
        };
        if let Poll::Ready(outcome) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            let answer = finish(outcome, self);
            exchange.switch().finish();
            if exchange.lane.must_keep_order() {
                route.answer(answer.text, answer.status);
                return Begun::Running(exchange.switch(), Cancellation::OnRequest);
            }
            return Begun::Ready(answer);
        }
        let switch = self.spawn(exchange, work, measure, Kind::Work);
        Begun::Running(switch, exchange.cancellation())
    }

    /// Lets a request go on in a task of its own.
    fn spawn(
        self: &Rc<Self>,
        exchange: &Exchange<'_>,
        mut work: Work,
        measure: Measure,
        kind: Kind,
    ) -> Rc<Switch> {
        let id = &exchange.request.id;
        let is_stateless = matches!(exchange.era, Era::Stateless { .. });
        let switch = exchange.switch();
        let session = exchange.tracking_session().cloned();
        if let Some(session) = &session {
            session.begin_request(id, &switch);
        }
        let count = self.count_of(kind);
        count.set(count.get() + 1);
        let mut ending = Ending {
            server: self.clone(),
            session,
            id: id.clone(),
            switch: switch.clone(),
            route: exchange.lane.route().clone(),
            kind,
            is_answered: false,
        };
        // Its lines in the log belong to the request, wherever it runs.
        let request = RequestId::current().unwrap_or_else(RequestId::next);
        let work = traced(request, async move {
            let outcome = work.as_mut().await;
            // The handler's resources are released before the client hears that it is done.
            drop(work);
            let error = outcome.as_ref().err().map(|error| error.code);
            ending.server.measured(&measure, error);
            ending.answer(encode_outcome(&ending.id, outcome, is_stateless));
        });
        switch.hold(rt::spawn(work));
        switch
    }

    fn count_of(&self, kind: Kind) -> &Cell<usize> {
        match kind {
            Kind::Listening => &self.listening,
            Kind::Work => &self.running,
        }
    }

    fn check_request(
        &self,
        request: &Request<'_>,
        method: &Method,
        era: &Era<'_>,
        arrival: &Arrival<'_>,
        is_in_batch: bool,
    ) -> Result<(), Refusal> {
        if is_in_batch && method.is_handshake() {
            // 2025-03-26 basic/lifecycle, "Initialization".
            return Err(Refusal::bad(ProtocolError::invalid_request(
                "`initialize` must not be part of a batch",
            )));
        }
        let session = match (&arrival.carrier, era) {
            (Carrier::Connection { session, .. }, _) => Some(*session),
            (_, Era::Legacy { session, .. }) => session.as_ref(),
            _ => None,
        };
        if session.is_some_and(|session| session.is_running(&request.id)) {
            return Err(Refusal::bad(ProtocolError::invalid_request(format!(
                "a request with id {} is still running; use a new id",
                request.id.as_json()
            ))));
        }
        if let (Carrier::Streamable(head), Era::Stateless { claim, .. }) = (&arrival.carrier, era) {
            let name = headers::name_member(&request.method)
                .and_then(|member| text_member(request.params, member));
            let routing = Routing {
                version: &claim.version,
                method: &request.method,
                name: name.as_deref(),
            };
            headers::match_routing(head.headers, &routing)
                .map_err(|error| Refusal::bad(error.into()))?;
        }
        Ok(())
    }

    /// The ladder that tells the eras apart; each step names its rule.
    fn classify<'a>(
        &self,
        request: &Request<'_>,
        meta: &RequestMeta<'a>,
        arrival: &Arrival<'_>,
    ) -> Result<Era<'a>, Refusal> {
        let head = match &arrival.carrier {
            Carrier::Streamable(head) => head,
            Carrier::Connection {
                session, is_dual, ..
            } => {
                // stdio: `_meta` alone decides (2026-07-28 basic/versioning).
                if *is_dual && !matches!(meta.envelope, Envelope::Absent) {
                    return stateless(meta.envelope.clone());
                }
                let revision = session.revision().unwrap_or(match is_dual {
                    true => Revision::LATEST_LEGACY,
                    false => Revision::V2024_11_05,
                });
                return Ok(Era::Legacy {
                    revision,
                    session: Some((*session).clone()),
                });
            }
            Carrier::Plain => {
                if matches!(meta.envelope, Envelope::Complete(_)) {
                    return stateless(meta.envelope.clone());
                }
                return Ok(Era::Legacy {
                    revision: Revision::LATEST_LEGACY,
                    session: None,
                });
            }
        };
        let is_handshake = request.method == handlers::INITIALIZE;
        let header_is_stateless = head.version.is_some_and(Revision::looks_stateless);
        match &meta.envelope {
            Envelope::Complete(claim) => {
                let Some(header) = head.version else {
                    return Err(Refusal::version_header(HeaderProblem::Missing));
                };
                if header != claim.version {
                    return Err(Refusal::version_header(HeaderProblem::Differs {
                        header: header.to_owned(),
                        body: claim.version.clone().into_owned(),
                    }));
                }
                stateless(meta.envelope.clone())
            }
            Envelope::Partial { .. } | Envelope::Malformed { .. } => {
                stateless(meta.envelope.clone())
            }
            Envelope::Absent if is_handshake && !header_is_stateless => Ok(Era::Legacy {
                revision: Revision::LATEST_LEGACY,
                session: None,
            }),
            Envelope::Absent if header_is_stateless => {
                let header = head.version.unwrap_or_default();
                if Revision::from_text(header).is_none() {
                    return Err(Refusal::bad(ProtocolError::unsupported_version(header)));
                }
                if is_handshake {
                    return Err(Refusal::version_header(HeaderProblem::Unexpected));
                }
                stateless(Envelope::Partial {
                    missing: vec![meta::PROTOCOL_VERSION, meta::CLIENT_CAPABILITIES],
                })
            }
            Envelope::Absent => {
                let session = self.legacy_session(head, arrival)?;
                let revision = session.revision().unwrap_or(Revision::LATEST_LEGACY);
                Ok(Era::Legacy {
                    revision,
                    session: Some(session),
                })
            }
        }
    }

    /// The session a Streamable HTTP message names (2025-11-25 `basic/transports`, "Session
    /// Management" and "Protocol Version Header").
    fn legacy_session(
        &self,
        head: &StreamableHead<'_>,
        arrival: &Arrival<'_>,
    ) -> Result<Rc<Session>, Refusal> {
        if let Some(version) = head.version
            && Revision::from_text(version).is_none()
        {
            return Err(Refusal::bad(ProtocolError::unsupported_version(version)));
        }
        let Some(id) = head.session_id else {
            return Err(Refusal::bad(ProtocolError::invalid_request(
                "`Mcp-Session-Id` is missing; send `initialize` first, or 2026-07-28 `_meta`",
            )));
        };
        // A session of HTTP+SSE is answered on its own stream and is not to be reached from here.
        match self.session(id, arrival.caller) {
            Some(session) if !session.is_direct() => Ok(session),
            _ => Err(Refusal {
                status: Status::NotFound,
                error: ProtocolError::invalid_request("session not found; send `initialize` again"),
            }),
        }
    }

    fn measured(&self, measure: &Measure, error: Option<i64>) {
        let duration = rt::now().saturating_duration_since(measure.started);
        self.metrics
            .rpc_request(measure.label, measure.transport, duration, error);
    }

    // --- notifications and responses ----------------------------------------------------------

    fn notified(self: &Rc<Self>, notification: &Notification<'_>, arrival: &Arrival<'_>) -> Reply {
        let measure = Measure {
            label: MethodLabel::of(&notification.method),
            transport: arrival.transport,
            started: rt::now(),
        };
        let session = match &arrival.carrier {
            Carrier::Plain => None,
            Carrier::Connection { session, .. } => Some((*session).clone()),
            // A notification has no `_meta` to go by, so its header decides (digest of the
            // 2026-07-28 rules: header rules for notifications are left to the server).
            Carrier::Streamable(head) if head.version.is_some_and(Revision::looks_stateless) => {
                None
            }
            Carrier::Streamable(head) => match self.legacy_session(head, arrival) {
                Ok(session) => Some(session),
                Err(refusal) => {
                    self.measured(&measure, Some(refusal.error.code));
                    return Reply::Ready(
                        refusal
                            .answer(None, unknown_id(head.version.and_then(Revision::from_text))),
                    );
                }
            },
        };
        if let Some(session) = session {
            session.touch(rt::now());
            handlers::handle_notification(&session, notification);
        }
        self.measured(&measure, None);
        Reply::Accepted
    }

    fn responded(&self, response: &Response<'_>, arrival: &Arrival<'_>) -> Reply {
        let session = match &arrival.carrier {
            Carrier::Connection { session, .. } => (*session).clone(),
            Carrier::Plain => {
                let error = ProtocolError::invalid_request("this endpoint sends no requests");
                return Reply::Ready(Refusal::bad(error).answer(None, UnknownId::Null));
            }
            Carrier::Streamable(head) => match self.legacy_session(head, arrival) {
                Ok(session) => session,
                Err(refusal) => {
                    return Reply::Ready(
                        refusal
                            .answer(None, unknown_id(head.version.and_then(Revision::from_text))),
                    );
                }
            },
        };
        session.touch(rt::now());
        if !session.answer(response) {
            log::debug!("answer to no request of ours: id {}", response.id.as_json());
        }
        Reply::Accepted
    }
}

impl Exchange<'_> {
    /// The revision the request is served in.
    pub fn revision(&self) -> Revision {
        match self.era {
            Era::Legacy { revision, .. } | Era::Stateless { revision, .. } => *revision,
        }
    }

    /// Gives `act` the way results of this request are dressed.
    pub fn with_dialect<T>(&self, act: impl FnOnce(&Dialect<'_>) -> T) -> T {
        self.server.with_dialect(self.revision(), act)
    }

    /// The legacy session, if there is one.
    pub fn session(&self) -> Option<&Rc<Session>> {
        match self.era {
            Era::Legacy { session, .. } => session.as_ref(),
            Era::Stateless { .. } => None,
        }
    }

    /// What the client said it can do.
    pub fn client(&self) -> Rc<ClientCapabilities> {
        match self.era {
            Era::Legacy {
                session: Some(session),
                ..
            } => session.client(),
            Era::Legacy { session: None, .. } => Rc::default(),
            Era::Stateless { claim, .. } => Rc::new(claim.capabilities.clone()),
        }
    }

    /// Whose request it is.
    pub fn caller(&self) -> &Rc<Principal> {
        self.arrival.caller
    }

    /// Where messages of this request go.
    pub fn route(&self) -> Route {
        self.lane.route().clone()
    }

    /// The request holds a place among `limits.streams`: its response needs no second one.
    pub fn note_stream_permit(&self) {
        self.lane.has_stream_permit.set(true);
    }

    /// What stops this request.
    pub fn switch(&self) -> Rc<Switch> {
        self.switch.get_or_init(Rc::default).clone()
    }

    /// What ends this request besides itself.
    fn cancellation(&self) -> Cancellation {
        let has_disconnect = matches!(self.arrival.carrier, Carrier::Streamable(_));
        match self.era {
            Era::Stateless { revision, .. } if has_disconnect && revision.disconnect_cancels() => {
                Cancellation::OnDisconnect
            }
            _ => Cancellation::OnRequest,
        }
    }

    /// The session in which `notifications/cancelled` looks for this request.
    fn tracking_session(&self) -> Option<&Rc<Session>> {
        match &self.arrival.carrier {
            Carrier::Connection { session, .. } => Some(session),
            _ => self.session(),
        }
    }
}

impl<'a> Lane<'a> {
    fn new(server: &Server, arrival: &'a Arrival<'a>, requests: usize) -> Lane<'a> {
        let limits = &server.settings().limits;
        Lane {
            arrival,
            requests,
            is_batch: false,
            queue_bytes_max: limits.stream_queue_bytes,
            ring_bytes_max: limits.replay_bytes,
            outlet: OnceCell::new(),
            route: OnceCell::new(),
            has_stream_permit: Cell::new(false),
        }
    }

    fn outlet(&self) -> Outlet {
        match &self.arrival.carrier {
            Carrier::Connection { outlet, .. } if !self.is_batch => (*outlet).clone(),
            _ => self
                .outlet
                .get_or_init(|| Outlet::new(self.queue_bytes_max))
                .clone(),
        }
    }

    fn route(&self) -> &Route {
        self.route.get_or_init(|| match &self.arrival.carrier {
            Carrier::Connection { outlet, .. } if !self.is_batch => {
                Route::Direct((*outlet).clone())
            }
            _ => Route::Response(self.outlet()),
        })
    }

    /// Makes the route of a legacy session's POST resumable. Called before anything is sent.
    fn resume_in(&self, session: &Rc<Session>) {
        if matches!(self.arrival.carrier, Carrier::Streamable(_)) {
            self.route.get_or_init(|| {
                Route::resumable(
                    session.clone(),
                    self.outlet(),
                    self.requests,
                    self.ring_bytes_max,
                )
            });
        }
    }

    fn into_route(self) -> Route {
        self.route().clone()
    }

    /// Whether something was sent that the answer must not overtake.
    fn must_keep_order(&self) -> bool {
        self.route.get().is_some_and(Route::is_used)
    }
}

/// Ends a spawned request exactly once: with its answer, or, when its task is dropped, without.
struct Ending {
    server: Rc<Server>,
    session: Option<Rc<Session>>,
    id: Id,
    switch: Rc<Switch>,
    route: Route,
    kind: Kind,
    is_answered: bool,
}

/// What a spawned request counts as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Listening,
    Work,
}

impl Ending {
    fn answer(&mut self, answer: Answer) {
        self.is_answered = true;
        self.route.answer(answer.text, answer.status);
        self.switch.finish();
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let count = self.server.count_of(self.kind);
        count.set(count.get() - 1);
        self.server.idle.notify_all();
        if let Some(session) = &self.session {
            session.end_request(&self.id);
            session.touch(rt::now());
        }
        if !self.is_answered {
            self.route.unanswered();
            self.switch.finish();
        }
    }
}

struct Measure {
    label: MethodLabel,
    transport: Transport,
    started: Instant,
}

impl Refusal {
    fn bad(error: ProtocolError) -> Refusal {
        Refusal {
            status: Status::BadRequest,
            error,
        }
    }

    fn busy(error: ProtocolError) -> Refusal {
        Refusal {
            status: Status::Busy,
            error,
        }
    }

    fn version_header(problem: HeaderProblem) -> Refusal {
        let header = headers::PROTOCOL_VERSION.into();
        Refusal::bad(HeaderMismatch { header, problem }.into())
    }

    fn in_era(era: &Era<'_>, error: ProtocolError) -> Refusal {
        let is_stateless = matches!(era, Era::Stateless { .. });
        Refusal {
            status: status_of(error.code, is_stateless),
            error,
        }
    }

    fn answer(&self, id: Option<&Id>, unknown: UnknownId) -> Answer {
        let mut text = Vec::with_capacity(192);
        encode_error(&mut text, id, unknown, |out| self.error.write(out));
        Answer {
            text,
            status: self.status,
            opened: None,
        }
    }
}

/// What a JSON-RPC error means in HTTP (2026-07-28 `basic/transports/streamable-http`). Legacy
/// revisions answer 200 once a message has reached its session.
fn status_of(code: i64, is_stateless: bool) -> Status {
    match code {
        _ if !is_stateless => Status::Answered,
        errors::METHOD_NOT_FOUND => Status::NotFound,
        errors::HEADER_MISMATCH
        | errors::MISSING_CLIENT_CAPABILITY
        | errors::UNSUPPORTED_VERSION => Status::BadRequest,
        _ => Status::Answered,
    }
}

fn stateless(envelope: Envelope<'_>) -> Result<Era<'_>, Refusal> {
    let claim = envelope.require().map_err(Refusal::bad)?;
    let revision = claim.revision().map_err(Refusal::bad)?;
    Ok(Era::Stateless { claim, revision })
}

fn unknown_id(revision: Option<Revision>) -> UnknownId {
    match revision {
        Some(revision) if revision.error_id_may_be_absent() => UnknownId::Absent,
        _ => UnknownId::Null,
    }
}

fn refuse_element(error: &ParseError) -> Vec<u8> {
    let object = ProtocolError::new(error.code(), error.to_string());
    let mut text = Vec::new();
    encode_error(&mut text, error.id.as_ref(), UnknownId::Null, |out| {
        object.write(out)
    });
    text
}

fn encode_outcome(id: &Id, outcome: Result<Vec<u8>, ProtocolError>, is_stateless: bool) -> Answer {
    match outcome {
        Ok(result) => {
            let mut text = Vec::with_capacity(result.len() + id.as_json().len() + 40);
            crate::jsonrpc::encode_result(&mut text, id, |out| out.extend_from_slice(&result));
            Answer {
                text,
                status: Status::Answered,
                opened: None,
            }
        }
        Err(error) => {
            let status = status_of(error.code, is_stateless);
            Refusal { status, error }.answer(Some(id), UnknownId::Absent)
        }
    }
}

/// A member of the params, if it is a text.
fn text_member<'a>(params: Option<&'a RawValue>, member: &str) -> Option<Cow<'a, str>> {
    let members: BTreeMap<&str, &'a RawValue> = serde_json::from_str(params?.get()).ok()?;
    let text: String = serde_json::from_str(members.get(member)?.get()).ok()?;
    Some(Cow::Owned(text))
}

/// Several answers as one JSON array.
pub fn join_batch<'a>(answers: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut text = vec![b'['];
    for (index, answer) in answers.enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(answer);
    }
    text.push(b']');
    text
}
