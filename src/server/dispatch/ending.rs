//! Requests that go on in a task of their own, and how each of them ends: once.

use std::cell::Cell;
use std::rc::Rc;

use crate::jsonrpc::{Id, UnknownId, encode_result};
use crate::log::{RequestId, traced};
use crate::mcp::errors::ProtocolError;
use crate::rt;
use crate::server::Server;
use crate::server::arrival::Answer;
use crate::server::outlet::Status;
use crate::server::running::{Route, Switch};
use crate::server::session::Session;

use super::Measure;
use super::era::Era;
use super::exchange::{Exchange, Work};
use super::refusal::{Refusal, status_of};

impl Server {
    /// Lets a request go on in a task of its own.
    pub(super) fn spawn(
        self: &Rc<Self>,
        exchange: &Exchange<'_>,
        mut work: Work,
        measure: Measure,
        kind: Kind,
    ) -> Rc<Switch> {
        let id = &exchange.request.id;
        let is_stateless = matches!(exchange.era, Era::Stateless { .. });
        exchange.keep_route();
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
        switch.hold(rt::spawn_in_place(work));
        switch
    }

    fn count_of(&self, kind: Kind) -> &Cell<usize> {
        match kind {
            Kind::Listening => &self.listening,
            Kind::Work => &self.running,
        }
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
pub(super) enum Kind {
    /// A stream of notifications.
    Listening,
    /// Anything else.
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

/// The answer that says how a request ended.
pub(super) fn encode_outcome(
    id: &Id,
    outcome: Result<Vec<u8>, ProtocolError>,
    is_stateless: bool,
) -> Answer {
    match outcome {
        Ok(result) => {
            let mut text = Vec::with_capacity(result.len() + id.as_json().len() + 40);
            encode_result(&mut text, id, |out| out.extend_from_slice(&result));
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
