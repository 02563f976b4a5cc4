//! One request as its handler sees it, and what the handler says comes next.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Instant;

use crate::catalog::Catalog;
use crate::gate::Principal;
use crate::jsonrpc::Request;
use crate::mcp::capabilities::ClientCapabilities;
use crate::mcp::errors::ProtocolError;
use crate::mcp::meta::RequestMeta;
use crate::mcp::params::Params;
use crate::mcp::result::Dialect;
use crate::mcp::revision::Revision;
use crate::rt;
use crate::server::Server;
use crate::server::arrival::{Arrival, Carrier};
use crate::server::call::Call;
use crate::server::running::{Route, Switch};
use crate::server::session::Session;
use crate::tools::LocalFuture;

use super::era::Era;
use super::lane::Lane;

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

/// One request on its way through a handler.
pub struct Exchange<'a> {
    /// The server.
    pub server: &'a Rc<Server>,
    /// The request.
    pub request: &'a Request<'a>,
    /// Its params, as far as more than one ask for them.
    pub params: &'a Params<'a>,
    /// Its `_meta`, less what its era has taken.
    pub meta: &'a RequestMeta<'a>,
    /// How it came.
    pub arrival: &'a Arrival<'a>,
    /// Its era.
    pub era: &'a Era<'a>,
    /// What is offered, as of now.
    pub catalog: &'a Rc<Catalog>,
    /// When it was begun.
    pub started: Instant,
    pub(super) lane: &'a Lane<'a>,
    /// See [`Exchange::client`].
    pub(super) client: OnceCell<Rc<ClientCapabilities>>,
    /// Of a request without a call.
    pub(super) switch: OnceCell<Rc<Switch>>,
    /// What runs its handler, if anything does.
    pub(super) call: OnceCell<Rc<Call>>,
}

/// What ends a request besides itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancellation {
    OnDisconnect,
    OnRequest,
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
    pub fn client(&self) -> &Rc<ClientCapabilities> {
        self.client.get_or_init(|| match self.era {
            Era::Legacy {
                session: Some(session),
                ..
            } => session.client(),
            Era::Legacy { session: None, .. } => Rc::default(),
            Era::Stateless { claim, .. } => Rc::new(claim.capabilities.clone()),
        })
    }

    /// Whose request it is.
    pub fn caller(&self) -> &Rc<Principal> {
        self.arrival.caller
    }

    /// Where messages of this request go.
    pub fn route(&self) -> Route {
        self.lane.route().clone()
    }

    /// The same, if it is shared with other requests.
    pub fn shared_route(&self) -> Option<Route> {
        self.lane.shared_route().cloned()
    }

    /// Whether the client may come back for the response, in its session.
    pub fn is_resumable(&self) -> bool {
        self.lane.is_resumable()
    }

    /// Runs a handler by this call, which makes a route and a switch only if they are needed.
    pub fn run_by(&self, call: &Rc<Call>) {
        // A request has one call.
        _ = self.call.set(call.clone());
    }

    /// Where its call has sent something, the answer goes the same way.
    pub(super) fn settle_route(&self) {
        if let Some(route) = self.call.get().and_then(|call| call.route_made()) {
            self.lane.take_route(route);
        }
    }

    /// The request goes on: its call sends by the way at which the answer is waited for.
    pub(super) fn keep_route(&self) {
        if let Some(call) = self.call.get() {
            call.take_route(self.lane.route());
        }
    }

    /// When its call ended, or now.
    pub(super) fn ended(&self) -> Instant {
        let ended = self.call.get().and_then(|call| call.ended());
        ended.unwrap_or_else(rt::now)
    }

    /// The request holds a place among `limits.streams`: its response needs no second one.
    pub fn note_stream_permit(&self) {
        self.lane.note_stream_permit();
    }

    /// What stops this request.
    pub fn switch(&self) -> Rc<Switch> {
        match self.call.get() {
            Some(call) => call.switch().clone(),
            None => self.switch.get_or_init(Rc::default).clone(),
        }
    }

    /// What ends this request besides itself.
    pub(super) fn cancellation(&self) -> Cancellation {
        let has_disconnect = matches!(self.arrival.carrier, Carrier::Streamable(_));
        match self.era {
            Era::Stateless { revision, .. } if has_disconnect && revision.disconnect_cancels() => {
                Cancellation::OnDisconnect
            }
            _ => Cancellation::OnRequest,
        }
    }

    /// The session in which `notifications/cancelled` looks for this request.
    pub(super) fn tracking_session(&self) -> Option<&Rc<Session>> {
        match &self.arrival.carrier {
            Carrier::Connection { session, .. } => Some(session),
            _ => self.session(),
        }
    }
}
