//! The way back: where the messages and answers of one POST go, or of one connection.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use crate::server::Server;
use crate::server::arrival::{Arrival, Carrier, Running};
use crate::server::outlet::Outlet;
use crate::server::running::{Route, Switch};
use crate::server::session::Session;

use super::exchange::Cancellation;

/// A running request, and what ends it besides itself.
pub(super) type Tie = (Rc<Switch>, Cancellation);

/// The way back for the messages of one POST, or of one connection. Made only if it is needed: a
/// request that is answered at once never has a queue.
pub(super) struct Lane<'a> {
    pub(super) arrival: &'a Arrival<'a>,
    requests: usize,
    /// The answers of a batch are collected, also where single ones go out by themselves.
    pub(super) is_batch: bool,
    queue_bytes_max: usize,
    ring_bytes_max: usize,
    outlet: OnceCell<Outlet>,
    route: OnceCell<Route>,
    /// A request has taken a place among the streams already.
    has_stream_permit: Cell<bool>,
}

impl<'a> Lane<'a> {
    /// For a message, or a batch with so many requests.
    pub(super) fn new(server: &Server, arrival: &'a Arrival<'a>, requests: usize) -> Lane<'a> {
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

    /// For a batch with so many requests.
    pub(super) fn of_batch(server: &Server, arrival: &'a Arrival<'a>, requests: usize) -> Lane<'a> {
        Lane {
            is_batch: true,
            ..Lane::new(server, arrival, requests)
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

    pub(super) fn route(&self) -> &Route {
        self.route.get_or_init(|| match &self.arrival.carrier {
            Carrier::Connection { outlet, .. } if !self.is_batch => {
                Route::Direct((*outlet).clone())
            }
            _ => Route::Response(self.outlet()),
        })
    }

    /// One of its requests holds a place among `limits.streams`.
    pub(super) fn note_stream_permit(&self) {
        self.has_stream_permit.set(true);
    }

    /// Makes the route of a legacy session's POST resumable. Called before anything is sent.
    pub(super) fn resume_in(&self, session: &Rc<Session>) {
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

    /// What is on its way by it: answers to `requests`, of which these are not there yet.
    pub(super) fn into_running(self, ties: impl IntoIterator<Item = Tie>) -> Running {
        let route = self.route().clone();
        let mut running = Running::new(self.outlet(), route, self.requests, self.is_batch);
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
