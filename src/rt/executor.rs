//! The single-threaded executor: `run` drives it and the reactor of its sockets, `spawn` adds a task from inside.

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use smol::LocalExecutor;

use super::reactor::Reactor;
use super::sys;

thread_local! {
    static CURRENT: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// What a thread inside [`run`] has.
#[derive(Clone)]
struct Running {
    executor: Rc<LocalExecutor<'static>>,
    reactor: Rc<Reactor>,
}

/// Drives `future`, and every task spawned by it, on this thread until `future` is done.
///
/// Tasks still alive then are dropped before `run` returns, so their guards run while the thread is still whole.
///
/// # Panics
/// When called from inside another `run`: two executors on one thread would starve each other. When the system has no
/// file left for the reactor.
#[expect(clippy::expect_used, reason = "it says why")]
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let mut output = None;
    drive(pin!(async { output = Some(future.await) }));
    output.expect("`drive` returns when the future is done")
}

/// The same for every kind of future.
#[expect(clippy::expect_used, reason = "before anybody is served")]
fn drive(future: Pin<&mut dyn Future<Output = ()>>) {
    let executor = Rc::new(LocalExecutor::new());
    // Timers need async-io's own reactor, which panics when it finds no file left: it is made now, by a timer that
    // nobody waits for, and not at the first pause of an accept that has found none.
    let mut timer = async_io::Timer::after(Duration::from_secs(3600));
    _ = Pin::new(&mut timer).poll(&mut Context::from_waker(Waker::noop()));
    drop(timer);
    let reactor = Reactor::new().expect("the system has two files left when the server starts");
    let running = Running {
        executor: Rc::clone(&executor),
        reactor: Rc::clone(&reactor),
    };
    let nested = CURRENT.with(|current| current.borrow_mut().replace(running));
    assert!(
        nested.is_none(),
        "`rt::run` inside `rt::run`: spawn a task instead"
    );
    sys::keep_small_pieces();
    let _leave = Leave;
    reactor.block_on(smol::future::or(future, run_tasks(&executor)));
}

/// Turns of tasks before the sockets are looked at again: tasks that are always ready must not keep events from others. More
/// than a wait brings to a busy server, and few enough for a third of a millisecond.
const TURNS_MAX: usize = 64;

/// Runs tasks for ever.
async fn run_tasks(executor: &LocalExecutor<'static>) {
    loop {
        for _ in 0..TURNS_MAX {
            executor.tick().await;
        }
        yield_now().await;
    }
}

/// Forgets the thread's executor, on return and on unwinding alike.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        super::clock::forget_recent();
        // Taken out first: dropping the executor drops tasks, whose guards may come here for `CURRENT`.
        let running = CURRENT.with(|current| current.borrow_mut().take());
        drop(running);
        sys::return_small_pieces();
    }
}

/// Starts a task on this thread's executor. Dropping the returned [`Task`] cancels it; see [`Task::detach`].
///
/// # Panics
/// Outside [`run`]: there is nobody to drive the task.
pub fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Task<T> {
    // In a box, all futures of one output share the executor's code for a task, which is a kilobyte for each of its own.
    let future: Pin<Box<dyn Future<Output = T>>> = Box::pin(future);
    spawn_in_place(future)
}

/// The same with the future in the task's own piece of memory: for small ones of which there are thousands.
///
/// # Panics
/// As [`spawn`].
#[expect(clippy::expect_used, reason = "a mistake of ours, and of no peer")]
pub fn spawn_in_place<T: 'static>(future: impl Future<Output = T> + 'static) -> Task<T> {
    CURRENT.with(|current| {
        let current = current.borrow();
        let running = current
            .as_ref()
            .expect("`rt::spawn` is only called inside `rt::run`");
        Task(running.executor.spawn(future))
    })
}

/// The reactor of this thread.
///
/// # Panics
/// Outside [`run`]: there is nobody to wait for the socket.
#[expect(clippy::expect_used, reason = "a mistake of ours, and of no peer")]
pub(super) fn reactor() -> Rc<Reactor> {
    CURRENT.with(|current| {
        let current = current.borrow();
        let running = current
            .as_ref()
            .expect("sockets are only opened inside `rt::run`");
        Rc::clone(&running.reactor)
    })
}

/// Whether this thread is inside [`run`], where tasks can be spawned. Guards ask it: they may be dropped at its end.
pub(super) fn is_running() -> bool {
    // The thread may be on its way out.
    CURRENT
        .try_with(|current| current.borrow().is_some())
        .unwrap_or(false)
}

/// A running task. Await it for its output, [`detach`](Task::detach) it to let it run, drop it to cancel it.
#[must_use = "a dropped task is cancelled; call `detach` to let it run"]
pub struct Task<T>(smol::Task<T>);

impl<T> Task<T> {
    /// Lets the task run to its end without a handle.
    pub fn detach(self) {
        self.0.detach();
    }

    /// Cancels the task and waits until its future has been dropped; the output if it had finished before.
    pub async fn cancel(self) -> Option<T> {
        self.0.cancel().await
    }

    /// Whether the task has finished and its output is waiting.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(cx)
    }
}

/// Lets those run first who were woken together with this task, if there are any. For whoever is about to send: answers that
/// leave one right after the other cost less than the same answers with work between them, for whoever reads them all, as a
/// proxy does, is woken once. At 32 connections that is a sixth of a call, and each waits less.
pub async fn let_others_catch_up() {
    if reactor().is_busy() {
        yield_now().await;
    }
}

/// Lets every other ready task run once. Long loops call it.
pub async fn yield_now() {
    smol::future::yield_now().await;
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Sets its flag when dropped.
    struct Flag(Rc<Cell<bool>>);

    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }

    #[test]
    fn runs_a_future_and_its_tasks() {
        let sum = run(async {
            let task = spawn(async {
                yield_now().await;
                40
            });
            task.await + 2
        });
        assert_eq!(sum, 42);
    }

    #[test]
    fn dropping_a_handle_cancels_and_detaching_does_not() {
        let (cancelled, detached) = run(async {
            let (cancelled, detached) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
            let (a, b) = (Rc::clone(&cancelled), Rc::clone(&detached));
            drop(spawn(async move { a.set(true) }));
            spawn(async move { b.set(true) }).detach();
            for _ in 0..3 {
                yield_now().await;
            }
            (cancelled.get(), detached.get())
        });
        assert_eq!((cancelled, detached), (false, true));
    }

    #[test]
    fn tasks_left_over_are_dropped_before_run_returns() {
        let dropped = Rc::new(Cell::new(false));
        let flag = Flag(Rc::clone(&dropped));
        run(async move {
            spawn(async move {
                let _flag = flag;
                std::future::pending::<()>().await;
            })
            .detach();
            yield_now().await;
        });
        assert!(dropped.get());
    }

    #[test]
    fn a_second_run_on_the_same_thread_works_after_the_first() {
        assert_eq!(
            run(async { 1 }) + run(async { spawn(async { 2 }).await }),
            3
        );
    }

    #[test]
    #[should_panic(expected = "inside `rt::run`")]
    fn spawning_outside_is_a_bug() {
        drop(spawn(async {}));
    }

    #[test]
    #[should_panic(expected = "spawn a task instead")]
    fn nesting_is_a_bug() {
        run(async { run(async {}) });
    }
}
