//! The store of legacy sessions: found by id and owner, bounded, expiring.

use std::borrow::Borrow;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::base64;
use crate::gate::Principal;
use crate::mcp::capabilities::ClientCapabilities;
use crate::mcp::revision::Revision;
use crate::metrics::{Limit, Metrics, RevisionLabel};
use crate::rt;
use crate::rt::sync::Notify;

use super::Server;
use super::outlet::{EndReason, Outlet};
use super::session::Session;

/// All sessions that have an id.
pub struct Sessions {
    by_id: RefCell<HashSet<ById, BuildHasherDefault<IdHasher>>>,
    /// What the last client said of itself. Most sessions are opened by a few programs, so that
    /// they can share it.
    last_client: RefCell<Rc<ClientCapabilities>>,
    /// Woken when the store stops being empty.
    opened: Notify,
    /// Holds a permit when something of the saved state has changed.
    pub(super) dirty: Notify,
    /// Bytes of past events that all sessions keep for replay.
    /// Invariant: the sum of `Session::ring_bytes`, and at most `replay_bytes_max` between two calls.
    replay_bytes: Cell<usize>,
    /// `limits.replay_total_bytes`.
    replay_bytes_max: Cell<usize>,
    metrics: Rc<Metrics>,
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

/// Takes some of an id for its hash. Clients only look ids up; those that are put in are our own, and
/// random where this reads them, so that nobody can have them collide.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, id: &[u8]) {
        // Behind the prefix. 48 random bits, spread over all of the hash.
        if let Some(end) = id.last_chunk() {
            let product = u64::from_le_bytes(*end).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            self.0 = product.rotate_left(32);
        }
    }

    /// What `str` ends with.
    fn write_u8(&mut self, _: u8) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// `limits.sessions` are open and all of them are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionsFull {
    /// The limit.
    pub limit: usize,
}

impl Sessions {
    /// An empty store.
    pub fn new(metrics: Rc<Metrics>, replay_bytes_max: usize) -> Rc<Sessions> {
        Rc::new(Sessions {
            by_id: RefCell::default(),
            last_client: RefCell::default(),
            opened: Notify::new(),
            dirty: Notify::new(),
            replay_bytes: Cell::new(0),
            replay_bytes_max: Cell::new(replay_bytes_max),
            metrics,
        })
    }

    /// Sets `limits.replay_total_bytes`.
    pub fn set_replay_bytes_max(&self, replay_bytes_max: usize) {
        self.replay_bytes_max.set(replay_bytes_max);
        self.bound_replay();
    }

    /// Takes note that a session keeps `after` bytes for replay instead of `before`.
    pub fn note_ring(&self, before: usize, after: usize) {
        self.replay_bytes
            .set(self.replay_bytes.get() - before + after);
        self.bound_replay();
        self.dirty.notify_one();
    }

    /// If all sessions together keep too much, those not heard of for longest lose their past first.
    fn bound_replay(&self) {
        let (bytes, bytes_max) = (self.replay_bytes.get(), self.replay_bytes_max.get());
        if bytes <= bytes_max {
            return;
        }
        self.metrics.limit_hit(Limit::ReplayTotalBytes);
        // More than has to be: all sessions are looked at, which must not happen for every event.
        let mut excess = bytes - (bytes_max - bytes_max / 8);
        let mut sessions = Vec::new();
        self.visit(|session| sessions.push(session.clone()));
        sessions.sort_by_key(|session| session.last_used());
        for session in sessions {
            let freed = session.forget_past(excess);
            self.replay_bytes.set(self.replay_bytes.get() - freed);
            excess = excess.saturating_sub(freed);
            if excess == 0 {
                break;
            }
        }
    }

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
        let by_id = &self.sessions.by_id;
        by_id.borrow_mut().replace(ById(session.clone()));
        session.report_to(&self.sessions);
        self.sessions.opened.notify_all();
        self.sessions.dirty.notify_one();
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
        self.sessions.dirty.notify_one();
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

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;

    /// A store that bounds what it keeps for replay, and so many sessions in it, the first of them
    /// heard of longest ago.
    fn store(replay_bytes_max: usize, count: usize) -> (Rc<Sessions>, Vec<Rc<Session>>) {
        let store = Sessions::new(Rc::new(Metrics::new()), replay_bytes_max);
        let owner = Rc::new(Principal::anonymous());
        let now = rt::now();
        let sessions = (0..count).map(|index| {
            let used = now + Duration::from_secs(u64::try_from(index).unwrap());
            let id = index.to_string().into();
            let session = Rc::new(Session::new(id, owner.clone(), None, used));
            store.by_id.borrow_mut().insert(ById(session.clone()));
            session.report_to(&store);
            session
        });
        let sessions = sessions.collect();
        (store, sessions)
    }

    fn push(session: &Session, bytes: usize) {
        session.push(1, vec![b'x'; bytes].into(), false, 400);
    }

    fn kept(session: &Session) -> usize {
        let mut bytes = 0;
        session.visit_streams(|stream| {
            bytes += stream
                .ring
                .iter()
                .map(|event| event.text.len())
                .sum::<usize>();
        });
        bytes
    }

    fn hits(store: &Sessions) -> bool {
        let mut text = String::new();
        store.metrics.render(&mut text);
        let sample = "mcp_limit_hits_total{limit=\"replay_total_bytes\"} ";
        let (_, rest) = text.split_once(sample).unwrap();
        !rest.starts_with("0\n")
    }

    #[test]
    fn ids_are_spread_and_found_whatever_their_length() {
        let hasher = BuildHasherDefault::<IdHasher>::default();
        let (mut buckets, mut tags) = (HashSet::new(), HashSet::new());
        for _ in 0..4096 {
            let id = format!("node-1.{}", base64::encode_url(&rt::random::<16>()));
            let hash = hasher.hash_one(id.as_str());
            // What the table chooses by: the lowest bits, and the highest seven.
            buckets.insert(hash & 0xfff);
            tags.insert(hash >> 57);
        }
        // By chance it is 2589 of 4096, give or take 20.
        assert!(buckets.len() > 2400, "{}", buckets.len());
        assert_eq!(tags.len(), 128);
        let (store, sessions) = store(800, 12);
        for session in &sessions {
            let by_id = store.by_id.borrow();
            assert!(Rc::ptr_eq(&by_id.get(&*session.id).unwrap().0, session));
        }
    }

    #[test]
    fn exactly_the_bound_is_kept_and_one_byte_more_costs_those_not_heard_of() {
        for (last, is_over) in [(99, false), (100, false), (101, true)] {
            let (store, sessions) = store(800, 4);
            for session in &sessions {
                push(session, 100);
                push(session, 75);
            }
            push(&sessions[3], last);
            assert_eq!(hits(&store), is_over, "{last}");
            let sum: usize = sessions.iter().map(|session| kept(session)).sum();
            assert_eq!(store.replay_bytes.get(), sum);
            let (first, second) = (kept(&sessions[0]), kept(&sessions[1]));
            match is_over {
                // An eighth of the bound is made free at once, the oldest events first.
                true => assert_eq!((first, second, sum), (0, 175, 801 - 175)),
                false => assert_eq!((first, second, sum), (175, 175, 700 + last)),
            }
        }
    }

    #[test]
    fn what_ends_or_is_forgotten_does_not_count() {
        let (store, sessions) = store(800, 2);
        // Each keeps 400 at most.
        for _ in 0..9 {
            push(&sessions[0], 100);
            push(&sessions[1], 100);
        }
        assert_eq!(store.replay_bytes.get(), 800);
        sessions[0].end(EndReason::SessionOver);
        assert_eq!((store.replay_bytes.get(), kept(&sessions[0])), (400, 0));
        // A request of it that is still running keeps nothing any more.
        push(&sessions[0], 100);
        assert_eq!(store.replay_bytes.get(), 400);
        assert!(!hits(&store));
        // A smaller bound holds at once.
        store.set_replay_bytes_max(300);
        assert_eq!((store.replay_bytes.get(), kept(&sessions[1])), (200, 200));
        assert!(hits(&store));
    }
}
