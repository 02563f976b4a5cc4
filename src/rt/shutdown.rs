//! Ending in two steps: gracefully, letting work finish, and then at once.
//!
//! ```text
//!   Running ──trigger(Graceful)──▶ Graceful ──trigger(Now)──▶ Now
//!      └────────────────trigger(Now)─────────────────────────▶
//! ```

use std::cell::Cell;
use std::rc::Rc;

use super::sync::Notify;

/// How far the end has come. Only ever goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Serving.
    Running,
    /// No new work; what runs may finish.
    Graceful,
    /// Whatever still runs is dropped.
    Now,
}

/// The switch everybody waits on. Cloning shares it.
#[derive(Clone, Default)]
pub struct Shutdown(Rc<State>);

#[derive(Default)]
struct State {
    phase: Cell<Option<Phase>>,
    changed: Notify,
    work: Cell<usize>,
    idle: Notify,
}

impl Shutdown {
    /// A switch that is not triggered.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves on to `phase` and wakes everybody; going back is ignored.
    pub fn trigger(&self, phase: Phase) {
        if phase > self.phase() {
            self.0.phase.set(Some(phase));
            self.0.changed.notify_all();
        }
    }

    /// How far it is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.0.phase.get().unwrap_or(Phase::Running)
    }

    /// Whether any end was asked for: a cheap look for hot paths.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        self.phase() > Phase::Running
    }

    /// Waits until `phase` or a later one.
    pub async fn wait(&self, phase: Phase) {
        while self.phase() < phase {
            self.0.changed.notified().await;
        }
    }

    /// Counts as running work until dropped: a connection, a request.
    #[must_use = "the work ends when the guard is dropped"]
    pub fn work(&self) -> Work {
        self.0.work.set(self.0.work.get() + 1);
        Work(Rc::clone(&self.0))
    }

    /// How much work runs.
    #[must_use]
    pub fn working(&self) -> usize {
        self.0.work.get()
    }

    /// Waits until no work runs.
    pub async fn drained(&self) {
        while self.working() > 0 {
            self.0.idle.notified().await;
        }
    }
}

/// A piece of running work; see [`Shutdown::work`].
pub struct Work(Rc<State>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.work.set(self.0.work.get() - 1);
        if self.0.work.get() == 0 {
            self.0.idle.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt::{run, spawn, yield_now};

    #[test]
    fn phases_go_forward_only() {
        let shutdown = Shutdown::new();
        assert!(!shutdown.is_triggered());
        shutdown.trigger(Phase::Now);
        shutdown.trigger(Phase::Graceful);
        assert_eq!(shutdown.phase(), Phase::Now);
    }

    #[test]
    fn waiters_wake_at_their_phase() {
        run(async {
            let shutdown = Shutdown::new();
            let wait = |phase| {
                let shutdown = shutdown.clone();
                spawn(async move { shutdown.wait(phase).await })
            };
            let (graceful, now) = (wait(Phase::Graceful), wait(Phase::Now));
            yield_now().await;
            assert!(!graceful.is_finished());
            shutdown.trigger(Phase::Graceful);
            graceful.await;
            assert!(!now.is_finished());
            shutdown.trigger(Phase::Now);
            now.await;
            shutdown.wait(Phase::Graceful).await;
        });
    }

    #[test]
    fn drained_when_the_last_guard_goes() {
        run(async {
            let shutdown = Shutdown::new();
            shutdown.drained().await;
            let (a, b) = (shutdown.work(), shutdown.work());
            let other = shutdown.clone();
            let drained = spawn(async move { other.drained().await });
            drop(a);
            yield_now().await;
            assert!(!drained.is_finished());
            drop(b);
            drained.await;
            assert_eq!(shutdown.working(), 0);
        });
    }
}
