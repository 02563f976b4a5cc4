//! A request that is not answered yet: where its messages go, and how it is stopped.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::mcp::revision::Revision;
use crate::rt::Task;
use crate::rt::sync::Notify;

use super::Limits;
use super::outlet::{EventId, Item, Outlet, Status};
use super::session::Session;

/// Stops one running request. Dropping its task drops the handler, and with it whatever the
/// handler holds: child processes, upstream connections, questions to the client.
#[derive(Default)]
pub struct Switch {
    task: RefCell<Option<Task<()>>>,
    is_over: Cell<bool>,
    over: Notify,
}

impl Switch {
    /// Takes the task that runs the request.
    pub fn hold(&self, task: Task<()>) {
        if self.is_over.get() {
            // It ended while it was being set up.
            task.detach();
            return;
        }
        self.task.replace(Some(task));
    }

    /// Drops the request where it stands.
    pub fn cancel(&self) {
        let task = self.task.take();
        self.set_over();
        drop(task);
    }

    /// Notes that the request has ended by itself.
    pub fn finish(&self) {
        if let Some(task) = self.task.take() {
            task.detach();
        }
        self.set_over();
    }

    /// Whether it was cancelled or has ended.
    pub fn is_over(&self) -> bool {
        self.is_over.get()
    }

    /// Completes when it is cancelled or ends.
    pub async fn over(&self) {
        while !self.is_over.get() {
            self.over.notified().await;
        }
    }

    fn set_over(&self) {
        self.is_over.set(true);
        self.over.notify_all();
    }
}

/// Where the messages of one HTTP response, or one connection, go. Clones share it.
#[derive(Clone)]
pub enum Route {
    /// The connection's own outlet, shared with everything else on it (stdio, HTTP+SSE).
    Direct(Outlet),
    /// The response to one POST and nothing else.
    Response(Outlet),
    /// The response to one POST of a session: once it streams, the client may come back for it.
    Resumable(Rc<Resumable>),
}

/// See [`Route::Resumable`].
pub struct Resumable {
    session: Rc<Session>,
    outlet: Outlet,
    ring_bytes_max: usize,
    /// Its stream, once it has one. A response that turns out to be a single JSON text never does.
    stream: Cell<Option<u32>>,
    unanswered: Cell<usize>,
}

impl Route {
    /// The response to one POST that carries `requests` requests, and the session in which the
    /// client may come back for it.
    pub fn response(session: Option<Rc<Session>>, requests: usize, limits: &Limits) -> Route {
        let outlet = Outlet::new(limits.stream_queue_bytes);
        match session {
            None => Route::Response(outlet),
            Some(session) => Route::Resumable(Rc::new(Resumable {
                session,
                outlet,
                ring_bytes_max: limits.replay_bytes,
                stream: Cell::new(None),
                unanswered: Cell::new(requests),
            })),
        }
    }

    /// Where what is sent by it waits for its reader.
    pub fn outlet(&self) -> &Outlet {
        match self {
            Route::Direct(outlet) | Route::Response(outlet) => outlet,
            Route::Resumable(resumable) => &resumable.outlet,
        }
    }

    /// Sends a notification, or a request of ours.
    pub fn message(&self, text: Vec<u8>) {
        match self {
            Route::Direct(outlet) | Route::Response(outlet) => _ = outlet.push(Item::message(text)),
            Route::Resumable(resumable) => {
                let stream = resumable.stream();
                resumable
                    .session
                    .push(stream, text.into(), false, resumable.ring_bytes_max);
            }
        }
    }

    /// Sends the answer to a request.
    pub fn answer(&self, text: Vec<u8>, status: Status) {
        match self {
            Route::Direct(outlet) | Route::Response(outlet) => {
                _ = outlet.push(Item::answer(text, status))
            }
            Route::Resumable(resumable) => match resumable.stream.get() {
                None => {
                    resumable.outlet.push(Item::answer(text, status));
                    resumable.count_answer();
                }
                Some(stream) => {
                    let ring_bytes_max = resumable.ring_bytes_max;
                    resumable
                        .session
                        .push(stream, text.into(), true, ring_bytes_max);
                    resumable.count_answer();
                }
            },
        }
    }

    /// Notes that a request was cancelled and stays unanswered.
    pub fn unanswered(&self) {
        match self {
            Route::Direct(_) => (),
            Route::Response(outlet) => _ = outlet.push(Item::Unanswered),
            Route::Resumable(resumable) => {
                if resumable.stream.get().is_none() {
                    resumable.outlet.push(Item::Unanswered);
                }
                resumable.count_answer();
            }
        }
    }

    /// The transport commits to streaming: from here on everything can be resumed. Returns the id
    /// to prime the stream with, where the revision primes.
    pub fn begin_stream(&self) -> Option<EventId> {
        let Route::Resumable(resumable) = self else {
            return None;
        };
        let primes = resumable
            .session
            .revision()
            .is_some_and(|revision| revision.primes_streams());
        let number = resumable.stream();
        primes.then_some(EventId {
            stream: number,
            sequence: 0,
        })
    }

    /// Whether anything was sent by it that waits for its reader. A connection's own outlet keeps
    /// the order by itself.
    pub fn is_used(&self) -> bool {
        match self {
            Route::Direct(_) => false,
            Route::Response(outlet) => outlet.is_used(),
            Route::Resumable(resumable) => {
                resumable.stream.get().is_some() || resumable.outlet.is_used()
            }
        }
    }

    /// Ends the response's connection; the stream goes on (2025-11-25, polling). Does nothing where
    /// streams are not primed: such a client would have no event id to come back by.
    pub fn close_stream(&self) {
        if let Route::Resumable(resumable) = self
            && (resumable.session.revision()).is_some_and(Revision::primes_streams)
        {
            let stream = resumable.stream();
            resumable.session.detach_stream(stream);
        }
    }
}

impl Resumable {
    fn stream(&self) -> u32 {
        self.stream.get().unwrap_or_else(|| {
            let number = self.session.open_stream(self.outlet.clone());
            self.stream.set(Some(number));
            number
        })
    }

    fn count_answer(&self) {
        let left = self.unanswered.get().saturating_sub(1);
        self.unanswered.set(left);
        if let (0, Some(stream)) = (left, self.stream.get()) {
            self.session.complete_stream(stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Principal;
    use crate::mcp::capabilities::ClientCapabilities;
    use crate::rt;
    use crate::server::outlet::EndReason;

    fn in_session(revision: Revision) -> (Rc<Session>, Outlet, Route) {
        let owner = Rc::new(Principal::anonymous());
        let session = Rc::new(Session::new("id".into(), owner, None, rt::now()));
        session.negotiate(revision, ClientCapabilities::default().into());
        let route = Route::response(Some(session.clone()), 1, &Limits::default());
        (session, route.outlet().clone(), route)
    }

    #[test]
    fn a_client_that_was_primed_is_sent_away_and_comes_back() {
        let (session, outlet, route) = in_session(Revision::V2025_11_25);
        route.close_stream();
        assert_eq!(outlet.ended(), Some(EndReason::Complete));
        let primed = route.begin_stream().unwrap();
        route.answer(b"{}".to_vec(), Status::Answered);
        assert!(outlet.try_next().is_none());
        let again = Outlet::new(1 << 16);
        assert!(session.resume(primed, again.clone()));
        assert!(
            matches!(again.try_next(), Some(Item::Answer(packet, _)) if *packet.text == *b"{}")
        );
    }

    #[test]
    fn a_client_that_could_not_come_back_is_kept() {
        let (_, outlet, route) = in_session(Revision::V2025_06_18);
        route.close_stream();
        assert_eq!(outlet.ended(), None);
        route.answer(b"{}".to_vec(), Status::Answered);
        assert!(matches!(outlet.try_next(), Some(Item::Answer(..))));
    }
}
