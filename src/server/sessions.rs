//! The store of legacy sessions: found by id and owner, bounded, expiring.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::gate::Principal;
use crate::mcp::base64;
use crate::mcp::capabilities::ClientCapabilities;
use crate::mcp::revision::Revision;
use crate::metrics::{Limit, RevisionLabel};
use crate::rt;
use crate::rt::sync::Notify;

use super::Server;
use super::outlet::{EndReason, Outlet};
use super::session::Session;

/// All sessions that have an id.
#[derive(Default)]
pub struct Sessions {
    // Keyed by client-supplied text, so std's keyed hasher stays.
    by_id: RefCell<HashSet<ById>>,
    /// What the last client said of itself. Most sessions are opened by a few programs, so that
    /// they can share it.
    last_client: RefCell<Rc<ClientCapabilities>>,
    /// Woken when the store stops being empty.
    opened: Notify,
}

/// A session that is found by its id, which it holds itself.
struct ById(Rc<Session>);

impl Borrow<str> for ById {
    fn borrow(&self) -> &str {
        &self.0.id
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &ById) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for ById {}

impl Hash for ById {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // As `str` hashes: `Borrow` demands it.
        self.0.id.hash(state);
    }
}

/// `limits.sessions` are open and all of them are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionsFull {
    /// The limit.
    pub limit: usize,
}

impl Sessions {
    /// Shows every session.
    pub fn visit(&self, mut visit: impl FnMut(&Rc<Session>)) {
        // A copy of the handles: a visit may end sessions.
        let by_id = self.by_id.borrow();
        let sessions: Vec<Rc<Session>> = by_id.iter().map(|known| known.0.clone()).collect();
        drop(by_id);
        sessions.iter().for_each(&mut visit);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.borrow().len()
    }

    fn least_recently_used_idle(&self) -> Option<Rc<Session>> {
        let by_id = self.by_id.borrow();
        let idle = by_id
            .iter()
            .map(|known| &known.0)
            .filter(|session| !session.is_active());
        idle.min_by_key(|session| session.last_used()).cloned()
    }
}

impl Server {
    /// Opens a session under a new id: 128 bits from the system, as visible ASCII (2025-11-25
    /// `basic/transports`, "Session Management"). At the limit the idle session used longest ago
    /// makes room; one in use never does.
    pub fn open_session(
        &self,
        owner: &Rc<Principal>,
        direct: Option<Outlet>,
    ) -> Result<Rc<Session>, SessionsFull> {
        let limit = self.settings().limits.sessions;
        if self.sessions.len() >= limit {
            self.metrics.limit_hit(Limit::Sessions);
            let evicted = self
                .sessions
                .least_recently_used_idle()
                .ok_or(SessionsFull { limit })?;
            self.end_session(&evicted, EndReason::SessionOver);
        }
        let random = base64::encode_url(&rt::random::<16>());
        let id = match &self.settings().session_prefix {
            Some(prefix) => format!("{prefix}.{random}"),
            None => random,
        };
        let session = Rc::new(Session::new(id.into(), owner.clone(), direct, rt::now()));
        self.keep_session(session.clone());
        Ok(session)
    }

    /// Puts a session in the store: one of an earlier process, or the one of stdio, which has no
    /// id, so that it hears of changes.
    pub fn keep_session(&self, session: Rc<Session>) {
        session.report_changes(self.dirty.clone());
        self.sessions.by_id.borrow_mut().replace(ById(session));
        self.sessions.opened.notify_all();
        self.dirty.notify_one();
    }

    /// The session of this id, if it is the caller's. Someone else's does not exist for them.
    pub fn session(&self, id: &str, caller: &Principal) -> Option<Rc<Session>> {
        let session = self.sessions.by_id.borrow().get(id)?.0.clone();
        (session.owner.name == caller.name).then_some(session)
    }

    /// Records what `initialize` agreed on.
    pub(super) fn negotiate(
        &self,
        session: &Session,
        revision: Revision,
        client: ClientCapabilities,
    ) {
        let mut last = self.sessions.last_client.borrow_mut();
        if **last != client {
            *last = Rc::new(client);
        }
        session.negotiate(revision, last.clone());
    }

    /// Ends a session and forgets it.
    pub fn end_session(&self, session: &Session, reason: EndReason) {
        self.sessions.by_id.borrow_mut().remove(&*session.id);
        session.end(reason);
        self.dirty.notify_one();
    }

    /// How many sessions there are.
    pub fn sessions_open(&self) -> usize {
        self.sessions.len()
    }

    /// Calls `visit` with every session that has an id.
    pub(super) fn visit_sessions(&self, visit: impl FnMut(&Rc<Session>)) {
        self.sessions.visit(visit);
    }

    /// How many sessions there are of each revision.
    pub fn sessions_by_revision(&self) -> Vec<(RevisionLabel, usize)> {
        let by_id = self.sessions.by_id.borrow();
        let count = |revision: Revision| {
            by_id
                .iter()
                .filter(|known| known.0.revision() == Some(revision))
                .count()
        };
        Revision::ALL
            .into_iter()
            .filter_map(|revision| {
                let label = RevisionLabel::of(revision.as_str())?;
                Some((label, count(revision)))
            })
            .collect()
    }

    /// Ends sessions that have been idle for too long; runs as long as the server. Sleeps until
    /// the next one is due, and without sessions does not wake at all.
    pub async fn expire_sessions(self: Rc<Self>) {
        loop {
            let idle = self.settings().session_idle;
            let Some(due) = self.next_expiry(idle) else {
                self.sessions.opened.notified().await;
                continue;
            };
            rt::sleep(
                due.saturating_duration_since(rt::now())
                    .max(Duration::from_millis(10)),
            )
            .await;
            let now = rt::now();
            self.sessions.visit(|session| {
                if session.is_active() {
                    session.touch(now);
                } else if now.saturating_duration_since(session.last_used()) >= idle {
                    log::debug!("session expired after {idle:?}");
                    self.end_session(session, EndReason::SessionOver);
                }
            });
        }
    }

    fn next_expiry(&self, idle: Duration) -> Option<Instant> {
        let by_id = self.sessions.by_id.borrow();
        by_id.iter().map(|known| known.0.last_used() + idle).min()
    }
}
