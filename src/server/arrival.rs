//! The seam between `transport` and the protocol: what a transport says of a message that came
//! in, and what it gets to send back. Handlers never see either.

use std::rc::Rc;

use crate::gate::Principal;
use crate::mcp::headers::HeaderSource;
use crate::metrics::Transport;

use super::outlet::{EventId, Outlet, Status};
use super::running::{Route, Switch};
use super::session::Session;

/// What a transport knows about a message.
pub struct Arrival<'a> {
    /// For metrics.
    pub transport: Transport,
    /// Whose token came with it.
    pub caller: &'a Rc<Principal>,
    /// How it came, with what only that way has.
    pub carrier: Carrier<'a>,
}

/// The ways a message can come, told apart by what they carry beside it.
pub enum Carrier<'a> {
    /// One connection for everything, with a session of its own (stdio, HTTP+SSE).
    Connection {
        /// Its session.
        session: &'a Rc<Session>,
        /// Its outlet.
        outlet: &'a Outlet,
        /// Whether stateless requests may come this way too (stdio), or only legacy ones.
        is_dual: bool,
    },
    /// A POST that is answered in its body and has neither session nor stream.
    Plain,
    /// A POST to the Streamable HTTP endpoint.
    Streamable(StreamableHead<'a>),
}

/// The parts of a Streamable HTTP head that the protocol looks at.
pub struct StreamableHead<'a> {
    /// `MCP-Protocol-Version`.
    pub version: Option<&'a str>,
    /// `Mcp-Session-Id`.
    pub session_id: Option<&'a str>,
    /// All headers, for the routing headers of 2026-07-28.
    pub headers: &'a dyn HeaderSource,
}

/// What becomes of a message, or of a batch.
pub enum Reply {
    /// It was a notification or a response: 202 over HTTP, nothing elsewhere.
    Accepted,
    /// It is answered.
    Ready(Answer),
    /// It is running; its messages and answers come by an outlet.
    Running(Running),
}

/// A complete answer.
pub struct Answer {
    /// JSON text on one line: a response, or an array of them for a batch.
    pub text: Vec<u8>,
    /// What it means in HTTP.
    pub status: Status,
    /// The session it opened, for the `Mcp-Session-Id` header.
    pub opened: Option<Rc<Session>>,
}

/// A request, or batch, on its way.
pub struct Running {
    /// Where its messages and answers arrive. For a connection carrier it is the connection's own.
    pub outlet: Outlet,
    /// How many answers (or `Unanswered`) will come.
    pub answers: usize,
    /// Whether it came as an array and is to be answered as one.
    pub is_batch: bool,
    /// Whether the request itself holds a place among `limits.streams`.
    pub has_stream_permit: bool,
    route: Route,
    /// Cancelled when dropped: requests of a revision in which a disconnect cancels.
    cancelled_with: Vec<Rc<Switch>>,
}

impl Running {
    /// A request whose answers come by `outlet`.
    pub(super) fn new(outlet: Outlet, route: Route, answers: usize, is_batch: bool) -> Running {
        Running {
            outlet,
            answers,
            is_batch,
            has_stream_permit: false,
            route,
            cancelled_with: Vec::new(),
        }
    }

    /// Ties a request to the client's interest in it.
    pub(super) fn cancel_with(&mut self, switch: Rc<Switch>) {
        self.cancelled_with.push(switch);
    }

    /// Whether the client's going away ends it.
    pub fn is_cancelled_by_disconnect(&self) -> bool {
        !self.cancelled_with.is_empty()
    }

    /// The transport commits to a stream. Returns the id of the priming event, if there is one.
    pub fn begin_stream(&self) -> Option<EventId> {
        self.route.begin_stream()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for switch in &self.cancelled_with {
            switch.cancel();
        }
    }
}
