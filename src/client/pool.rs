//! Connections that wait for their next request.
//!
//! What waits is dropped when its time is over. One timer serves all: each return starts it anew, so when it rings
//! nobody has been here for that long, everything has expired, and an idle server is woken once.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::rt::{self, Task};

use super::conn::Conn;
use super::url::Origin;

/// Most connections that wait, whoever they lead to.
const IDLE_MAX: usize = 32;

/// Who may use a connection again: requests that would have made the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) origin: Origin,
    /// [`Trust::id`](rt::tls::Trust::id): what another trust accepted is not accepted here.
    pub(super) trust: u64,
    /// Host and port.
    pub(super) proxy: Option<(String, u16)>,
    /// Whether the address was checked to be public.
    pub(super) is_public: bool,
}

/// The connections that wait.
pub(super) struct Pool {
    idle: Duration,
    idle_per_origin: usize,
    /// Oldest first.
    waiting: RefCell<Vec<Waiting>>,
    sweeper: RefCell<Option<Task<()>>>,
}

struct Waiting {
    key: Key,
    conn: Conn,
    since: Instant,
}

impl Pool {
    pub(super) fn new(idle: Duration, idle_per_origin: usize) -> Rc<Self> {
        Rc::new(Self {
            idle,
            idle_per_origin,
            waiting: RefCell::default(),
            sweeper: RefCell::default(),
        })
    }

    /// The connection that came back last, if it is still good.
    pub(super) fn take(&self, key: &Key) -> Option<Conn> {
        self.sweep();
        let mut waiting = self.waiting.borrow_mut();
        let at = waiting.iter().rposition(|waiting| waiting.key == *key)?;
        Some(waiting.remove(at).conn)
    }

    /// Drops what leads to the same place: one of them was closed, so the others are.
    pub(super) fn forget(&self, key: &Key) {
        self.waiting
            .borrow_mut()
            .retain(|waiting| waiting.key != *key);
    }

    /// Lets `conn` wait for the next request, in the place of the oldest where there are too many.
    pub(super) fn put(self: &Rc<Self>, key: Key, conn: Conn) {
        self.sweep();
        if self.idle.is_zero() || self.idle_per_origin == 0 {
            return;
        }
        let mut waiting = self.waiting.borrow_mut();
        let same = waiting.iter().filter(|waiting| waiting.key == key).count();
        if same >= self.idle_per_origin {
            let oldest = waiting.iter().position(|waiting| waiting.key == key);
            oldest.map(|oldest| waiting.remove(oldest));
        } else if waiting.len() >= IDLE_MAX {
            waiting.remove(0);
        }
        let since = rt::now();
        waiting.push(Waiting { key, conn, since });
        drop(waiting);

        let (idle, pool) = (self.idle, Rc::downgrade(self));
        let sweeper = rt::spawn(async move {
            rt::sleep(idle).await;
            if let Some(pool) = pool.upgrade() {
                pool.sweep();
            }
        });
        self.sweeper.replace(Some(sweeper));
    }

    /// Drops what has waited long enough or was closed.
    fn sweep(&self) {
        let now = rt::now();
        self.waiting.borrow_mut().retain_mut(|waiting| {
            now.duration_since(waiting.since) < self.idle && waiting.conn.is_usable()
        });
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.waiting.borrow().len()
    }

    #[cfg(test)]
    pub(super) fn usable(&self) -> usize {
        let mut waiting = self.waiting.borrow_mut();
        let usable = waiting.iter_mut().map(|waiting| waiting.conn.is_usable());
        usable.filter(|is_usable| *is_usable).count()
    }
}
