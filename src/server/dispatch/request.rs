//! A request's way through the server: its era, its method, its handler, and the first poll of what
//! the handler leaves to be waited for.

use std::cell::OnceCell;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::jsonrpc::{Request, UnknownId};
use crate::mcp::errors::ProtocolError;
use crate::mcp::headers::{self, Routing};
use crate::mcp::meta::{Envelope, RequestMeta};
use crate::mcp::params::Params;
use crate::metrics::{Limit, MethodLabel};
use crate::rt;
use crate::server::Server;
use crate::server::arrival::{Answer, Carrier};
use crate::server::handlers::{METHODS, Method};
use crate::server::outlet::Status;

use super::Measure;
use super::ending::{Kind, encode_outcome};
use super::era::Era;
use super::exchange::{Cancellation, Exchange, Flow, Work};
use super::lane::{Lane, Tie};
use super::refusal::Refusal;

/// What has become of a request.
pub(super) enum Begun {
    /// It is answered.
    Ready(Answer),
    /// It goes on, or its answer has gone the way of its messages.
    Running(Tie),
}

impl Server {
    /// Takes a request as far as it goes without waiting.
    pub(super) fn begin(self: &Rc<Self>, request: &Request<'_>, lane: &Lane<'_>) -> Begun {
        let arrival = lane.arrival;
        let started = rt::now();
        let params = Params::of(request.params);
        let mut meta = RequestMeta::of_params(&params);
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
        let envelope = std::mem::replace(&mut meta.envelope, Envelope::Absent);
        let era = match self.classify(request, envelope, arrival) {
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
        if let Err(refusal) = self.check_request(request, &params, method, &era, lane) {
            return refuse(refusal);
        }
        if let Era::Legacy {
            revision,
            session: Some(session),
        } = &era
        {
            session.touch(started);
            self.sessions.dirty.notify_one();
            if revision.has_resumable_streams() {
                lane.resume_in(session);
            }
        }
        let exchange = Exchange {
            server: self,
            request,
            params: &params,
            meta: &meta,
            arrival,
            era: &era,
            catalog: &catalog,
            started,
            lane,
            client: OnceCell::new(),
            switch: OnceCell::new(),
            call: OnceCell::new(),
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
                return Begun::Running((switch, exchange.cancellation()));
            }
            Ok(Flow::Busy(error)) => return refuse(Refusal::busy(error)),
            Err(error) => return refuse(Refusal::in_era(&era, error)),
        };
        text.push(b'}');
        self.measured_at(exchange.ended(), &measure, None);
        exchange.settle_route();
        if lane.must_keep_order() {
            // A handler that answered at once but sent messages first: they keep their order.
            lane.route().answer(text, Status::Answered);
            return Begun::Running((exchange.switch(), Cancellation::OnRequest));
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
        let finish = |outcome: Result<Vec<u8>, ProtocolError>, server: &Server| {
            let code = outcome.as_ref().err().map(|error| error.code);
            server.measured_at(exchange.ended(), &measure, code);
            encode_outcome(id, outcome, is_stateless)
        };
        let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        exchange.settle_route();
        if let Poll::Ready(outcome) = polled {
            let answer = finish(outcome, self);
            if let Some(call) = exchange.call.get() {
                call.finish();
            }
            if exchange.lane.must_keep_order() {
                exchange.lane.route().answer(answer.text, answer.status);
                return Begun::Running((exchange.switch(), Cancellation::OnRequest));
            }
            return Begun::Ready(answer);
        }
        let switch = self.spawn(exchange, work, measure, Kind::Work);
        Begun::Running((switch, exchange.cancellation()))
    }

    fn check_request(
        &self,
        request: &Request<'_>,
        params: &Params<'_>,
        method: &Method,
        era: &Era<'_>,
        lane: &Lane<'_>,
    ) -> Result<(), Refusal> {
        let arrival = lane.arrival;
        if lane.is_batch && method.is_handshake() {
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
            let name = headers::name_member(&request.method).and_then(|member| params.text(member));
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
}
