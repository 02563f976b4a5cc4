//! Time: the monotonic clock for deadlines, the wall clock for dates, and a clock tests can move by hand.
//!
//! Deadlines never use wall time, so a jump by NTP on a board without a battery-backed clock closes nothing.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_io::Timer;
use pin_project_lite::pin_project;

use super::deadline::Expired;

/// Waits for `duration`.
pub async fn sleep(duration: Duration) {
    Timer::after(duration).await;
}

/// Drives `future` for at most `duration`: [`Expired`] when that ran out first. A timer of its own: for rare waits such
/// as a connect. Connections use [`Deadlines`](super::Deadlines), which share one.
pub fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    Timeout {
        future,
        timer: Timer::after(duration),
    }
}

pin_project! {
    /// The future of [`timeout`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        timer: Timer,
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Expired>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        Pin::new(this.timer).poll(cx).map(|_| Err(Expired))
    }
}

thread_local! {
    /// When the clock was read last, while the thread runs what its last wait woke.
    static RECENT: Cell<Option<Instant>> = const { Cell::new(None) };
    /// Seconds since 1970, and until when they are right.
    static UNIX: Cell<Option<(i64, Instant)>> = const { Cell::new(None) };
}

/// Monotonic now.
#[must_use]
pub fn now() -> Instant {
    let now = Instant::now();
    if RECENT.get().is_some() {
        RECENT.set(Some(now));
    }
    now
}

/// The time at the last look at the clock since this thread was woken: at most as old as what it has done since then without
/// looking. For deadlines and dates; durations are measured by [`now`]. A look costs as much as a hundred instructions or
/// two, in a virtual machine more, and a request needs the time five times.
fn recent() -> Instant {
    RECENT.get().unwrap_or_else(Instant::now)
}

/// The thread has been woken, and looks at the clock for everybody it will run.
pub(super) fn woken() {
    RECENT.set(Some(Instant::now()));
}

/// Nobody looks at the clock for everybody any more.
pub(super) fn forget_recent() {
    RECENT.set(None);
}

/// So much after `at`. What the clock cannot say any more is a century, which nobody waits for either.
#[must_use]
pub fn later(at: Instant, by: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    let far = || at.checked_add(CENTURY).unwrap_or(at);
    at.checked_add(by).unwrap_or_else(far)
}

/// Seconds since 1970-01-01 UTC by the wall clock; negative before it. Looked up once a second: a clock that was set is heard
/// of that much later.
#[must_use]
pub fn unix_time() -> i64 {
    let now = recent();
    match UNIX.get() {
        Some((seconds, until)) if now < until => seconds,
        _ => {
            let ms = ms_since_epoch(SystemTime::now());
            let left =
                Duration::from_millis(1000_u64.saturating_sub(ms.rem_euclid(1000).unsigned_abs()));
            UNIX.set(Some((ms.div_euclid(1000), later(now, left))));
            ms.div_euclid(1000)
        }
    }
}

/// Milliseconds since 1970-01-01 UTC by the wall clock; 0 before it, so that times to live need no sign.
#[must_use]
pub fn unix_ms() -> u64 {
    u64::try_from(ms_since_epoch(SystemTime::now())).unwrap_or_default()
}

fn ms_since_epoch(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_millis()).map_or(i64::MIN, i64::wrapping_neg)
        }
    }
}

/// Where monotonic time comes from: the system, or a test that moves it.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Manual(Rc<Manual>),
    System,
}

struct Manual {
    now: Cell<Instant>,
    /// Alarms to look again when time moves. A stale one costs a spurious wake-up in a test.
    wakers: RefCell<Vec<Waker>>,
}

impl Clock {
    /// The system's monotonic clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`advance`](Clock::advance) moves it. Clones show the same time.
    #[must_use]
    pub fn manual() -> Self {
        Self(Source::Manual(Rc::new(Manual {
            now: Cell::new(Instant::now()),
            wakers: RefCell::default(),
        })))
    }

    /// Now by this clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::Manual(manual) => manual.now.get(),
            Source::System => now(),
        }
    }

    /// Now by this clock, or a moment ago: for deadlines.
    #[must_use]
    pub fn recent(&self) -> Instant {
        match &self.0 {
            Source::Manual(manual) => manual.now.get(),
            Source::System => recent(),
        }
    }

    /// Moves a manual clock forward and wakes what waits on it. Tasks run at the next [`yield_now`](super::yield_now).
    ///
    /// # Panics
    /// On the system clock, which nobody moves.
    #[expect(clippy::panic, reason = "a mistake of a test")]
    pub fn advance(&self, by: Duration) {
        let Source::Manual(manual) = &self.0 else {
            panic!("only a manual clock is moved by hand")
        };
        manual.now.set(manual.now.get() + by);
        let wakers = manual.wakers.take();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// An alarm on this clock, not yet set.
    #[must_use]
    pub fn alarm(&self) -> Alarm {
        let bell = match &self.0 {
            Source::Manual(manual) => Bell::Manual(Rc::clone(manual)),
            Source::System => Bell::Reactor(Timer::never()),
        };
        Alarm { at: None, bell }
    }
}

/// One timer that can be set, moved and cleared; unset it never wakes anybody.
pub struct Alarm {
    at: Option<Instant>,
    bell: Bell,
}

enum Bell {
    Manual(Rc<Manual>),
    Reactor(Timer),
}

impl Alarm {
    /// Moves the alarm. Setting the time it already has costs nothing.
    pub fn set(&mut self, at: Option<Instant>) {
        if self.at == at {
            return;
        }
        self.at = at;
        if let Bell::Reactor(timer) = &mut self.bell {
            match at {
                Some(at) => timer.set_at(at),
                None => *timer = Timer::never(),
            }
        }
    }

    /// Ready once the time has come; the alarm is unset then.
    pub fn poll_rings(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else {
            return Poll::Pending;
        };
        match &mut self.bell {
            Bell::Manual(manual) if manual.now.get() < at => {
                manual.wakers.borrow_mut().push(cx.waker().clone());
                return Poll::Pending;
            }
            Bell::Manual(_) => (),
            Bell::Reactor(timer) => {
                if Pin::new(timer).poll(cx).is_pending() {
                    return Poll::Pending;
                }
            }
        }
        self.at = None;
        Poll::Ready(())
    }

    /// Waits until the alarm rings; for ever while it is unset.
    pub async fn rings(&mut self) {
        poll_fn(|cx| self.poll_rings(cx)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn wall_time_before_1970_and_after_2106_is_a_number() {
        assert_eq!(ms_since_epoch(UNIX_EPOCH), 0);
        assert_eq!(
            ms_since_epoch(UNIX_EPOCH - Duration::from_millis(1500)),
            -1500
        );
        assert_eq!((-1500_i64).div_euclid(1000), -2);
        assert_eq!(
            ms_since_epoch(UNIX_EPOCH + Duration::from_secs(1 << 33)),
            1000 << 33
        );
        assert!(unix_time() > 1_700_000_000);
    }

    #[test]
    fn between_two_waits_the_clock_is_looked_at_for_all() {
        assert!(RECENT.get().is_none());
        woken();
        let woken_at = recent();
        assert_eq!(recent(), woken_at);
        let seen = now();
        assert!(seen >= woken_at);
        assert_eq!(Clock::system().recent(), seen);
        forget_recent();
        _ = now();
        assert!(RECENT.get().is_none());
        assert!(recent() >= seen);
        run_once(|| assert!(RECENT.get().is_some()));
        assert!(RECENT.get().is_none());
    }

    /// Calls `look` in a run that has waited.
    fn run_once(look: impl FnOnce()) {
        rt::run(async {
            rt::yield_now().await;
            look();
        });
    }

    #[test]
    fn a_second_is_looked_up_once() {
        let at = now();
        UNIX.set(Some((7, at + SECOND * 3600)));
        assert_eq!(unix_time(), 7);
        UNIX.set(Some((7, at)));
        let real = unix_time();
        assert!(real > 1_700_000_000);
        let (seconds, until) = UNIX.get().unwrap();
        assert_eq!(seconds, real);
        assert!(until > at && until <= now() + SECOND);
    }

    #[test]
    fn what_no_clock_says_is_far_away() {
        let at = now();
        assert_eq!(later(at, SECOND), at + SECOND);
        assert!(later(at, Duration::MAX) > at + 1_000_000_000 * SECOND);
    }

    #[test]
    fn an_alarm_rings_at_its_time_and_once() {
        rt::run(async {
            let clock = Clock::manual();
            let mut alarm = clock.alarm();
            alarm.set(Some(clock.now() + SECOND));
            clock.advance(SECOND - Duration::from_nanos(1));
            let early = poll_fn(|cx| Poll::Ready(alarm.poll_rings(cx))).await;
            assert!(early.is_pending());
            clock.advance(Duration::from_nanos(1));
            alarm.rings().await;
            let again = poll_fn(|cx| Poll::Ready(alarm.poll_rings(cx))).await;
            assert!(again.is_pending());
        });
    }

    #[test]
    fn moving_time_wakes_the_waiting_task() {
        rt::run(async {
            let clock = Clock::manual();
            let mut alarm = clock.alarm();
            alarm.set(Some(clock.now() + SECOND));
            let task = rt::spawn(async move { alarm.rings().await });
            rt::yield_now().await;
            assert!(!task.is_finished());
            clock.advance(SECOND);
            task.await;
        });
    }

    #[test]
    fn the_reactor_rings_too() {
        rt::run(async {
            let mut alarm = Clock::system().alarm();
            alarm.set(Some(now()));
            alarm.rings().await;
            sleep(Duration::ZERO).await;
        });
    }

    #[test]
    fn a_timeout_keeps_a_ready_answer_and_drops_a_pending_one() {
        rt::run(async {
            assert_eq!(timeout(Duration::ZERO, async { 7 }).await, Ok(7));
            assert_eq!(
                timeout(Duration::ZERO, std::future::pending::<()>()).await,
                Err(Expired)
            );
        });
    }
}
