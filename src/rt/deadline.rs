//! Deadlines for thousands of connections on one reactor timer.
//!
//! ```text
//!   slot:   Off ──set──▶ At(t) ──clear──▶ Off
//!                          │  ▲
//!              timer rings │  │ set (later or earlier)
//!                          ▼  │
//!                        Expired ──clear──▶ Off
//! ```
//!
//! A keep-alive connection moves its deadline with every request, so moving one later must cost a store and nothing
//! else. One driver task waits for the earliest time anybody asked for; when it rings it looks at all slots, marks the
//! expired ones, wakes their tasks and waits for the earliest of the rest. A deadline that was cleared or moved later
//! meanwhile costs one wake-up at its old time; with nothing armed there is none.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;
use slab::Slab;

use super::clock::{Clock, later};
use super::executor::{Task, spawn};

/// Looking at all slots again sooner than this after the last time would let many close deadlines make the work
/// quadratic; a deadline may therefore ring up to this much late.
const SWEEP_INTERVAL_MIN: Duration = Duration::from_millis(50);

/// The deadline passed before the work was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired;

impl fmt::Display for Expired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deadline expired")
    }
}

impl std::error::Error for Expired {}

/// Drives `future` until `deadline` expires: [`Expired`] when that came first. The caller sets the deadline before; it
/// stays set afterwards.
pub fn within<F: Future>(deadline: &Deadline, future: F) -> Within<'_, F> {
    Within { future, deadline }
}

pin_project! {
    /// The future of [`within`]. Not an `async fn`, which would keep room for its argument twice: connections hold
    /// several of these inside each other.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Within<'a, F> {
        #[pin]
        future: F,
        deadline: &'a Deadline,
    }
}

impl<F: Future> Future for Within<'_, F> {
    type Output = Result<F::Output, Expired>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        this.deadline.poll_expired(cx).map(Err)
    }
}

/// The table of deadlines of one executor. Cloning shares it.
#[derive(Clone)]
pub struct Deadlines {
    table: Rc<Table>,
    _driver: Rc<Task<()>>,
}

impl Deadlines {
    /// An empty table on `clock`. Called inside [`run`](super::run), where its driver task lives.
    #[must_use]
    pub fn new(clock: &Clock) -> Self {
        let table = Rc::new(Table {
            clock: clock.clone(),
            slots: RefCell::default(),
            alarm_at: Cell::new(None),
            swept_at: Cell::new(None),
            driver: RefCell::default(),
            rings: Cell::new(0),
        });
        let driver = spawn(drive(Rc::clone(&table)));
        Self {
            table,
            _driver: Rc::new(driver),
        }
    }

    /// A new deadline, not set. Its slot is given back when it is dropped.
    #[must_use]
    pub fn slot(&self) -> Deadline {
        let key = self.table.slots.borrow_mut().insert(Slot {
            due: Due::Off,
            waker: None,
        });
        Deadline {
            table: Rc::clone(&self.table),
            key,
        }
    }

    /// Now, or a moment ago, by the clock of the table.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.table.clock.recent()
    }

    /// How many slots are taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.slots.borrow().len()
    }

    /// Whether no slot is taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often the timer has woken the driver since the start: what an idle server must not do.
    #[must_use]
    pub fn rings(&self) -> u64 {
        self.table.rings.get()
    }
}

/// One connection's deadline: set, moved and cleared as its phases go by.
pub struct Deadline {
    table: Rc<Table>,
    key: usize,
}

impl Deadline {
    /// Expires `after` from now, whatever was set before.
    pub fn set(&self, after: Duration) {
        self.set_at(later(self.table.clock.recent(), after));
    }

    /// Expires at `at`, whatever was set before.
    pub fn set_at(&self, at: Instant) {
        self.with_slot(|slot| slot.due = Due::At(at));
        self.table.want_alarm(at);
    }

    /// Unset: never expires. Does not touch the timer.
    pub fn clear(&self) {
        self.with_slot(|slot| slot.due = Due::Off);
    }

    /// When it expires, if it is set and has not yet.
    #[must_use]
    pub fn at(&self) -> Option<Instant> {
        self.with_slot(|slot| match slot.due {
            Due::At(at) => Some(at),
            Due::Expired | Due::Off => None,
        })
    }

    /// Ready when expired. One task waits at a time: the last to poll is woken.
    pub fn poll_expired(&self, cx: &mut Context<'_>) -> Poll<Expired> {
        self.with_slot(|slot| {
            if slot.due == Due::Expired {
                return Poll::Ready(Expired);
            }
            match &mut slot.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                None => slot.waker = Some(cx.waker().clone()),
            }
            Poll::Pending
        })
    }

    /// Waits until expired; for ever while it is not set.
    pub async fn expired(&self) -> Expired {
        poll_fn(|cx| self.poll_expired(cx)).await
    }

    #[expect(clippy::indexing_slicing, reason = "the slot goes when this does")]
    fn with_slot<T>(&self, f: impl FnOnce(&mut Slot) -> T) -> T {
        f(&mut self.table.slots.borrow_mut()[self.key])
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        // Dropped after the borrow: the last waker of a task may drop the task and come back here.
        let slot = self.table.slots.borrow_mut().remove(self.key);
        drop(slot);
    }
}

struct Table {
    clock: Clock,
    slots: RefCell<Slab<Slot>>,
    /// When the driver will look next. Invariant: no slot is due earlier, except within `SWEEP_INTERVAL_MIN`.
    alarm_at: Cell<Option<Instant>>,
    swept_at: Cell<Option<Instant>>,
    driver: RefCell<Option<Waker>>,
    rings: Cell<u64>,
}

struct Slot {
    due: Due,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    At(Instant),
    Expired,
    Off,
}

impl Table {
    /// Makes sure the driver looks at `at` or soon after. The common case, a later time, is one comparison.
    fn want_alarm(&self, at: Instant) {
        if self.alarm_at.get().is_some_and(|alarm| alarm <= at) {
            return;
        }
        let at = match self.swept_at.get() {
            Some(swept_at) => at.max(later(swept_at, SWEEP_INTERVAL_MIN)),
            None => at,
        };
        if self.alarm_at.get().is_some_and(|alarm| alarm <= at) {
            return;
        }
        self.alarm_at.set(Some(at));
        let driver = self.driver.take();
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    /// Marks what is due at `now`, wakes its tasks, and says when to look again.
    fn sweep(&self, now: Instant) {
        self.swept_at.set(Some(now));
        self.alarm_at.set(None);
        let mut earliest: Option<Instant> = None;
        let mut wakers = Vec::new();
        for (_, slot) in self.slots.borrow_mut().iter_mut() {
            let Due::At(at) = slot.due else { continue };
            if at <= now {
                slot.due = Due::Expired;
                wakers.extend(slot.waker.take());
            } else {
                earliest = Some(earliest.map_or(at, |earliest| earliest.min(at)));
            }
        }
        if let Some(earliest) = earliest {
            self.want_alarm(earliest);
        }
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// The one task behind a table. It holds the table but not the other way round, so dropping `Deadlines` ends it.
async fn drive(table: Rc<Table>) {
    let mut alarm = table.clock.alarm();
    loop {
        poll_fn(|cx| {
            alarm.set(table.alarm_at.get());
            if alarm.poll_rings(cx).is_ready() {
                return Poll::Ready(());
            }
            // `want_alarm` wakes this task to move the alarm; many calls before it runs cost one move.
            table.driver.replace(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
        table.rings.set(table.rings.get().wrapping_add(1));
        table.sweep(table.clock.now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt::{run, yield_now};

    const SECOND: Duration = Duration::from_secs(1);

    /// Runs `test` with a manual clock and a table on it.
    fn check(test: impl AsyncFnOnce(Clock, Deadlines)) {
        run(async {
            let clock = Clock::manual();
            let deadlines = Deadlines::new(&clock);
            test(clock, deadlines).await;
        });
    }

    /// Moves the clock and lets the driver and whom it woke run.
    async fn pass(clock: &Clock, time: Duration) {
        settle().await;
        clock.advance(time);
        settle().await;
    }

    async fn settle() {
        for _ in 0..4 {
            yield_now().await;
        }
    }

    async fn is_expired(deadline: &Deadline) -> bool {
        poll_fn(|cx| Poll::Ready(deadline.poll_expired(cx).is_ready())).await
    }

    #[test]
    fn expires_at_its_time_and_not_before() {
        check(async |clock, deadlines| {
            let deadline = deadlines.slot();
            deadline.set(SECOND);
            pass(&clock, SECOND - Duration::from_nanos(1)).await;
            assert!(!is_expired(&deadline).await);
            pass(&clock, Duration::from_nanos(1)).await;
            assert!(is_expired(&deadline).await);
        });
    }

    #[test]
    fn moving_later_does_not_touch_the_timer_and_is_honoured() {
        check(async |clock, deadlines| {
            let deadline = deadlines.slot();
            deadline.set(SECOND);
            let armed = deadlines.table.alarm_at.get();
            for _ in 0..1000 {
                deadline.set(30 * SECOND);
            }
            assert_eq!(deadlines.table.alarm_at.get(), armed);
            pass(&clock, SECOND).await;
            assert!(!is_expired(&deadline).await);
            assert_eq!(deadlines.rings(), 1);
            pass(&clock, 29 * SECOND).await;
            assert!(is_expired(&deadline).await);
            assert_eq!(deadlines.rings(), 2);
        });
    }

    #[test]
    fn an_earlier_deadline_moves_the_timer() {
        check(async |clock, deadlines| {
            let (late, early) = (deadlines.slot(), deadlines.slot());
            late.set(10 * SECOND);
            settle().await;
            early.set(SECOND);
            pass(&clock, SECOND).await;
            assert!(is_expired(&early).await);
            assert!(!is_expired(&late).await);
        });
    }

    #[test]
    fn nothing_armed_means_no_wake_ups() {
        check(async |clock, deadlines| {
            let slots: Vec<_> = (0..100).map(|_| deadlines.slot()).collect();
            for slot in &slots {
                slot.set(SECOND);
                slot.clear();
            }
            pass(&clock, SECOND).await;
            assert_eq!(deadlines.rings(), 1);
            for _ in 0..10 {
                pass(&clock, 3600 * SECOND).await;
            }
            assert_eq!(deadlines.rings(), 1);
            for slot in &slots {
                assert!(!is_expired(slot).await);
            }
        });
    }

    #[test]
    fn close_deadlines_share_sweeps() {
        check(async |clock, deadlines| {
            let slots: Vec<_> = (0..1000).map(|_| deadlines.slot()).collect();
            for (slot, us) in slots.iter().zip(1..) {
                slot.set(SECOND + Duration::from_micros(100 * us));
            }
            for _ in 0..1200 {
                pass(&clock, Duration::from_millis(1)).await;
            }
            for slot in &slots {
                assert!(is_expired(slot).await);
            }
            // 100 ms of deadlines at one sweep per 50 ms.
            assert!(deadlines.rings() <= 4, "{} sweeps", deadlines.rings());
        });
    }

    #[test]
    fn the_waiting_task_is_woken() {
        check(async |clock, deadlines| {
            let deadline = deadlines.slot();
            deadline.set(SECOND);
            let task = spawn(async move { within(&deadline, std::future::pending::<()>()).await });
            pass(&clock, SECOND).await;
            assert!(task.is_finished());
            assert_eq!(task.await, Err(Expired));
        });
    }

    #[test]
    fn within_keeps_an_answer_and_the_deadline_can_be_used_again() {
        check(async |clock, deadlines| {
            let deadline = deadlines.slot();
            deadline.set(SECOND);
            assert_eq!(within(&deadline, async { 5 }).await, Ok(5));
            pass(&clock, SECOND).await;
            assert!(is_expired(&deadline).await);
            deadline.set(SECOND);
            assert!(!is_expired(&deadline).await);
            assert!(deadline.at().is_some());
            deadline.clear();
            assert!(deadline.at().is_none());
        });
    }

    #[test]
    fn slots_are_given_back() {
        check(async |_clock, deadlines| {
            assert!(deadlines.is_empty());
            let slots: Vec<_> = (0..10).map(|_| deadlines.slot()).collect();
            assert_eq!(deadlines.len(), 10);
            drop(slots);
            assert!(deadlines.is_empty());
        });
    }

    #[test]
    fn works_on_the_reactor() {
        run(async {
            let deadlines = Deadlines::new(&Clock::system());
            let deadline = deadlines.slot();
            deadline.set(Duration::ZERO);
            assert_eq!(deadline.expired().await, Expired);
        });
    }

    #[test]
    fn a_slot_is_small() {
        assert!(size_of::<Slot>() <= 40, "{} bytes", size_of::<Slot>());
        assert!(
            size_of::<Deadline>() <= 16,
            "{} bytes",
            size_of::<Deadline>()
        );
    }
}
