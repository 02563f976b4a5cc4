//! The way back: where the messages and answers of one POST go, or of one connection.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use crate::server::Server;
use crate::server::arrival::{Arrival, Carrier, Running};
use crate::server::running::{Route, Switch};
use crate::server::session::Session;

use super::exchange::Cancellation;

/// A running request, and what ends it besides itself.
pub(super) type Tie = (Rc<Switch>, Cancellation);

/// The way back for the messages of one POST, or of one connection. Made only if it is needed: a
/// request that is answered at once never has a queue.
pub(super) struct Lane<'a> {
    server: &'a Server,
    pub(super) arrival: &'a Arrival<'a>,
    requests: usize,
    /// The answers of a batch are collected, also where single ones go out by themselves.
    pub(super) is_batch: bool,
    /// In which the client may come back for the response.
    resumable_in: OnceCell<Rc<Session>>,
    route: OnceCell<Route>,
    /// A request has taken a place among the streams already.
    has_stream_permit: Cell<bool>,
}

impl<'a> Lane<'a> {
    /// For a message, or a batch with so many requests.
    pub(super) fn new(server: &'a Server, arrival: &'a Arrival<'a>, requests: usize) -> Lane<'a> {
        Lane {
            server,
            arrival,
            requests,
            is_batch: false,
            resumable_in: OnceCell::new(),
            route: OnceCell::new(),
            has_stream_permit: Cell::new(false),
        }
    }

    /// For a batch with so many requests.
    pub(super) fn of_batch(
        server: &'a Server,
        arrival: &'a Arrival<'a>,
        requests: usize,
    ) -> Lane<'a> {
        Lane {
            is_batch: true,
            ..Lane::new(server, arrival, requests)
        }
    }

    pub(super) fn route(&self) -> &Route {
        self.route.get_or_init(|| match &self.arrival.carrier {
            Carrier::Connection { outlet, .. } if !self.is_batch => {
                Route::Direct((*outlet).clone())
            }
            _ => {
                let session = self.resumable_in.get().cloned();
                Route::response(session, self.requests, &self.server.settings().limits)
            }
        })
    }

    /// The route, where it is shared with others; that of a single request is made by whoever
    /// needs it first, which is mostly nobody.
    pub(super) fn shared_route(&self) -> Option<&Route> {
        let is_shared = self.is_batch || matches!(self.arrival.carrier, Carrier::Connection { .. });
        is_shared.then(|| self.route())
    }

    /// Takes the route that its one request has made.
    pub(super) fn take_route(&self, route: &Route) {
        // One that is there already is the same.
        _ = self.route.set(route.clone());
    }

    /// Whether the client may come back for the response, in its session.
    pub(super) fn is_resumable(&self) -> bool {
        self.resumable_in.get().is_some()
    }

    /// One of its requests holds a place among `limits.streams`.
    pub(super) fn note_stream_permit(&self) {
        self.has_stream_permit.set(true);
    }

    /// Makes the route of a legacy session's POST resumable. Called before anything is sent.
    pub(super) fn resume_in(&self, session: &Rc<Session>) {
        if matches!(self.arrival.carrier, Carrier::Streamable(_)) {
            self.resumable_in.get_or_init(|| session.clone());
        }
    }

    /// What is on its way by it: answers to `requests`, of which these are not there yet.
    pub(super) fn into_running(self, ties: impl IntoIterator<Item = Tie>) -> Running {
        let route = self.route().clone();
        let outlet = route.outlet().clone();
        let mut running = Running::new(outlet, route, self.requests, self.is_batch);
        running.has_stream_permit = self.has_stream_permit.get();
        for (switch, cancellation) in ties {
            if cancellation == Cancellation::OnDisconnect {
                running.cancel_with(switch);
            }
        }
        running
    }

    /// Whether something was sent that the answer must not overtake.
    pub(super) fn must_keep_order(&self) -> bool {
        self.route.get().is_some_and(Route::is_used)
    }
}
