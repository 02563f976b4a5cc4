//! One timer for a whole crowd: ticks every period while there is at least one member, and not at all without.
//!
//! Made for the keep-alive comments of Server-Sent Events: ten thousand streams cost one wake-up per tick.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use slab::Slab;

use super::clock::Clock;
use super::executor::yield_now;
use super::sync::Notify;

/// Members visited before other tasks get a turn.
const VISITS_PER_TURN: usize = 256;

/// The crowd of `M` and its period. Cloning shares it. One task drives it by [`run`](Ticker::run).
pub struct Ticker<M> {
    crowd: Rc<Crowd<M>>,
}

struct Crowd<M> {
    clock: Clock,
    period: Duration,
    members: RefCell<Slab<M>>,
    /// Woken when the first member comes.
    first: Notify,
}

impl<M> Clone for Ticker<M> {
    fn clone(&self) -> Self {
        Self {
            crowd: Rc::clone(&self.crowd),
        }
    }
}

impl<M: Clone> Ticker<M> {
    /// A crowd of nobody that ticks every `period`.
    #[must_use]
    pub fn new(clock: &Clock, period: Duration) -> Self {
        let clock = clock.clone();
        Self {
            crowd: Rc::new(Crowd {
                clock,
                period,
                members: RefCell::default(),
                first: Notify::new(),
            }),
        }
    }

    /// Takes `member` in until the returned guard is dropped. The first tick it sees comes within one period.
    #[must_use = "the member leaves when the guard is dropped"]
    pub fn join(&self, member: M) -> Member<M> {
        let key = self.crowd.members.borrow_mut().insert(member);
        if self.len() == 1 {
            self.crowd.first.notify_all();
        }
        Member {
            crowd: Rc::clone(&self.crowd),
            key,
        }
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.crowd.members.borrow().len()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `visit` for every member at every tick, for ever. `visit` may let members join and leave.
    pub async fn run(&self, mut visit: impl FnMut(M)) {
        let mut alarm = self.crowd.clock.alarm();
        loop {
            let first = self.crowd.first.notified();
            if self.is_empty() {
                first.await;
            }
            alarm.set(Some(self.crowd.clock.now() + self.crowd.period));
            alarm.rings().await;
            self.visit_all(&mut visit).await;
        }
    }

    async fn visit_all(&self, visit: &mut impl FnMut(M)) {
        // By key, not by iterator: members come and go while others are visited. The end is fixed at the start, so a
        // crowd that grows meanwhile cannot keep the tick going.
        let keys = self.crowd.members.borrow().capacity();
        let mut visits = 0;
        for key in 0..keys {
            let member = self.crowd.members.borrow().get(key).cloned();
            let Some(member) = member else { continue };
            visit(member);
            visits += 1;
            if visits % VISITS_PER_TURN == 0 {
                yield_now().await;
            }
        }
    }
}

/// Membership in a [`Ticker`]; leaving is dropping it.
pub struct Member<M> {
    crowd: Rc<Crowd<M>>,
    key: usize,
}

impl<M> Drop for Member<M> {
    fn drop(&mut self) {
        // Dropped after the borrow: a member's own drop may come back here.
        let member = self.crowd.members.borrow_mut().remove(self.key);
        drop(member);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::rt::{run, spawn};

    const PERIOD: Duration = Duration::from_secs(15);

    struct Fixture {
        clock: Clock,
        ticker: Ticker<Rc<Cell<u32>>>,
    }

    fn check(test: impl AsyncFnOnce(Fixture)) {
        run(async {
            let clock = Clock::manual();
            let ticker = Ticker::new(&clock, PERIOD);
            let driven = ticker.clone();
            let task = spawn(async move {
                driven
                    .run(|seen: Rc<Cell<u32>>| seen.set(seen.get() + 1))
                    .await
            });
            test(Fixture { clock, ticker }).await;
            drop(task);
        });
    }

    impl Fixture {
        async fn pass(&self, time: Duration) {
            for _ in 0..4 {
                yield_now().await;
            }
            self.clock.advance(time);
            for _ in 0..50 {
                yield_now().await;
            }
        }
    }

    #[test]
    fn everybody_is_visited_once_per_tick() {
        check(async |fixture| {
            let seen: Vec<_> = (0..1000).map(|_| Rc::new(Cell::new(0))).collect();
            let guards: Vec<_> = seen
                .iter()
                .map(|seen| fixture.ticker.join(Rc::clone(seen)))
                .collect();
            fixture.pass(PERIOD - Duration::from_nanos(1)).await;
            assert!(seen.iter().all(|seen| seen.get() == 0));
            fixture.pass(Duration::from_nanos(1)).await;
            assert!(seen.iter().all(|seen| seen.get() == 1));
            fixture.pass(PERIOD).await;
            assert!(seen.iter().all(|seen| seen.get() == 2));
            drop(guards);
        });
    }

    #[test]
    fn who_left_is_not_visited_and_an_empty_crowd_sets_no_alarm() {
        check(async |fixture| {
            let (stays, leaves) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
            let guard = fixture.ticker.join(Rc::clone(&stays));
            drop(fixture.ticker.join(Rc::clone(&leaves)));
            fixture.pass(PERIOD).await;
            assert_eq!((stays.get(), leaves.get()), (1, 0));
            drop(guard);
            assert!(fixture.ticker.is_empty());
            // The tick already set finds nobody; afterwards the task waits for a member, not for the clock.
            fixture.pass(PERIOD).await;
            assert_eq!(fixture.ticker.crowd.first.waiting(), 1);
            fixture.pass(100 * PERIOD).await;
            assert_eq!(fixture.ticker.crowd.first.waiting(), 1);
            let _back = fixture.ticker.join(Rc::clone(&leaves));
            fixture.pass(PERIOD).await;
            assert_eq!((stays.get(), leaves.get()), (1, 1));
        });
    }

    #[test]
    fn a_visit_may_end_memberships() {
        run(async {
            let clock = Clock::manual();
            let ticker: Ticker<usize> = Ticker::new(&clock, PERIOD);
            let guards = Rc::new(RefCell::new(
                (0..10).map(|n| Some(ticker.join(n))).collect::<Vec<_>>(),
            ));
            let (driven, dropped) = (ticker.clone(), Rc::clone(&guards));
            let task = spawn(async move {
                driven
                    .run(|n| {
                        let guard = dropped.borrow_mut()[n].take();
                        drop(guard);
                    })
                    .await;
            });
            Fixture {
                clock,
                ticker: Ticker::new(&Clock::manual(), PERIOD),
            }
            .pass(PERIOD)
            .await;
            assert!(ticker.is_empty());
            drop(task);
        });
    }
}
