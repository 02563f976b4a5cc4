//! Readiness of sockets, on an epoll of our own: what a request costs beside reading and writing.
//!
//! ```text
//!   direction:  Ready ──would block, or took all there was──▶ NotReady ──the kernel reports an edge──▶ Ready
//!                 └──────────── the kernel reports an end ────────┴──▶ Over ──would block──▶ NotReady
//! ```
//!
//! A source is registered once, edge-triggered and in both directions, and remembers whether a call may succeed. While
//! it may not, no call is made; so a connection that waits for its next request costs no system call, and a request
//! costs one read, one write and its share of an `epoll_wait`. async-io arms its sources one by one and a timer and an
//! event beside them with every wait: nine calls for a request, measured, where here are three.
//!
//! The thread of [`run`](super::run) waits here. Timers, signals, processes and outgoing connects stay with async-io,
//! whose helper thread wakes this one when they are due. In scope: readiness and waking. Not in scope: bytes (`stream`)
//! and accepting (`listener`).

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use slab::Slab;

/// Events taken from the kernel at once.
const EVENTS_LEN: usize = 128;
/// The key of the event by which other threads wake this one.
const WAKE: u64 = u64::MAX;

/// What one thread waits for.
pub(super) struct Reactor {
    epoll: OwnedFd,
    sources: RefCell<Slab<Source>>,
    /// Events of the last wait.
    events: Cell<usize>,
    wake: Arc<WakeUp>,
}

/// Ready or not, and who waits, in each direction.
#[derive(Default)]
struct Source {
    read: Direction,
    write: Direction,
}

#[derive(Default)]
struct Direction {
    state: State,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// The last call found nothing.
    NotReady,
    /// A call may succeed.
    #[default]
    Ready,
    /// The other side is over, or the connection is broken: every call returns at once from now on. The kernel reports
    /// that once, which may be together with bytes, so it must not be forgotten when they have been read. A call that
    /// would block all the same knows better: else whoever waits would spin.
    Over,
}

/// A direction of a [`Watched`] source.
#[derive(Clone, Copy)]
pub(super) enum Towards {
    Reading,
    Writing,
}

impl Reactor {
    pub(super) fn new() -> io::Result<Rc<Reactor>> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let wake = Arc::new(WakeUp {
            state: AtomicU8::new(RUNNING),
            event: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        });
        let flags = EventFlags::IN | EventFlags::ET;
        epoll::add(&epoll, &wake.event, EventData::new_u64(WAKE), flags)?;
        Ok(Rc::new(Reactor {
            epoll,
            sources: RefCell::default(),
            events: Cell::new(0),
            wake,
        }))
    }

    /// Drives `future` to its end; waits for events while it does not move.
    pub(super) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let waker = Waker::from(Arc::clone(&self.wake));
        let mut cx = Context::from_waker(&waker);
        loop {
            self.wake.is_heard();
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
            // Woken meanwhile: only looked at what is there already.
            let may_sleep = self.wake.may_sleep();
            self.wait(if may_sleep { None } else { Some(&AT_ONCE) });
        }
    }

    /// Whether the last wait brought several events, so that others run now who were woken with the caller.
    pub(super) fn is_busy(&self) -> bool {
        self.events.get() > 1
    }

    /// Takes events and wakes whom they are for.
    fn wait(&self, timeout: Option<&Timespec>) {
        let mut events = [const { MaybeUninit::uninit() }; EVENTS_LEN];
        // Failing is only possible by a signal: the epoll is ours, and its events have room.
        let taken = epoll::wait(&self.epoll, &mut events, timeout);
        // Before anybody is woken: who is woken from here need not be told by the event.
        self.wake.is_heard();
        super::clock::woken();
        let Ok((events, _)) = taken else { return };
        self.events.set(events.len());
        for event in events.iter() {
            let (key, flags) = (event.data.u64(), event.flags);
            if key == WAKE {
                continue;
            }
            let Ok(key) = usize::try_from(key) else {
                continue;
            };
            // Woken after the borrow: the last waker of a task may drop the task and come back here.
            let woken = match self.sources.borrow_mut().get_mut(key) {
                Some(source) => source.take_event(flags),
                // Closed while the event was on its way.
                None => continue,
            };
            woken.into_iter().flatten().for_each(Waker::wake);
        }
    }
}

/// A wait that only looks.
const AT_ONCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

impl Source {
    fn take_event(&mut self, flags: EventFlags) -> [Option<Waker>; 2] {
        let is_broken = flags.intersects(EventFlags::ERR | EventFlags::HUP);
        let read = if is_broken || flags.contains(EventFlags::RDHUP) {
            self.read.becomes(State::Over)
        } else if flags.contains(EventFlags::IN) {
            self.read.becomes(State::Ready)
        } else {
            None
        };
        let write = if is_broken {
            self.write.becomes(State::Over)
        } else if flags.contains(EventFlags::OUT) {
            self.write.becomes(State::Ready)
        } else {
            None
        };
        [read, write]
    }
}

impl Direction {
    fn becomes(&mut self, state: State) -> Option<Waker> {
        if self.state != State::Over {
            self.state = state;
        }
        self.waker.take()
    }
}

/// A socket and its readiness. Belongs to the thread of [`run`](super::run), like everything here.
pub(super) struct Watched<T: AsFd> {
    io: T,
    /// Of its source. Half a word: streams are counted in thousands.
    key: u32,
    reactor: Rc<Reactor>,
}

impl<T: AsFd> Watched<T> {
    /// Registers `io`, which does not block.
    #[expect(clippy::expect_used, reason = "it says why")]
    pub(super) fn new(io: T) -> io::Result<Watched<T>> {
        let reactor = super::executor::reactor();
        let key = reactor.sources.borrow_mut().insert(Source::default());
        let key = u32::try_from(key).expect("a process has fewer files than that");
        // Made first, so that the key is given back if the kernel refuses.
        let watched = Watched { io, key, reactor };
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        let data = EventData::new_u64(key.into());
        epoll::add(&watched.reactor.epoll, &watched.io, data, flags)?;
        Ok(watched)
    }

    pub(super) fn get_ref(&self) -> &T {
        &self.io
    }

    /// Whether a call may succeed.
    pub(super) fn is_ready(&self, towards: Towards) -> bool {
        self.with(towards, |direction| direction.state != State::NotReady)
    }

    /// Says that a call would have blocked. The kernel reports when it would not, and what has changed since that call
    /// has not been taken from it yet.
    pub(super) fn set_not_ready(&self, towards: Towards) {
        self.with(towards, |direction| direction.state = State::NotReady);
    }

    /// Says that a call took all there was, so that the next one would block, unless the other side is over.
    pub(super) fn set_drained(&self, towards: Towards) {
        self.with(towards, |direction| {
            if direction.state == State::Ready {
                direction.state = State::NotReady;
            }
        });
    }

    /// Ready when a call may succeed. One task waits in each direction: the last to poll is woken.
    pub(super) fn poll_ready(&self, towards: Towards, cx: &mut Context<'_>) -> Poll<()> {
        self.with(towards, |direction| {
            if direction.state != State::NotReady {
                return Poll::Ready(());
            }
            match &mut direction.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                None => direction.waker = Some(cx.waker().clone()),
            }
            Poll::Pending
        })
    }

    #[expect(clippy::indexing_slicing, reason = "a source goes when this does")]
    fn with<R>(&self, towards: Towards, f: impl FnOnce(&mut Direction) -> R) -> R {
        let source = &mut self.reactor.sources.borrow_mut()[self.key as usize];
        f(match towards {
            Towards::Reading => &mut source.read,
            Towards::Writing => &mut source.write,
        })
    }
}

impl<T: AsFd> Drop for Watched<T> {
    fn drop(&mut self) {
        // Closing the socket, which follows, takes it out of the epoll only if nobody else has it: a listener may be the
        // supervisor's too, and a child has everything until its `exec`. Events would come for whoever has the key next.
        _ = epoll::delete(&self.reactor.epoll, &self.io);
        // Dropped after the borrow, for a waker may be the last of its task.
        let source = self.reactor.sources.borrow_mut().remove(self.key as usize);
        drop(source);
    }
}

const RUNNING: u8 = 0;
const SLEEPING: u8 = 1;
const WOKEN: u8 = 2;

/// Wakes the thread of [`Reactor::block_on`], from itself without a system call.
struct WakeUp {
    state: AtomicU8,
    event: OwnedFd,
}

impl WakeUp {
    /// The thread is going to look at everything. Not a store: what was done before a wake-up must be seen after it.
    fn is_heard(&self) {
        self.state.swap(RUNNING, Ordering::SeqCst);
    }

    /// Whether nobody has woken the thread since it began to run. From now on a wake-up needs the event.
    fn may_sleep(&self) -> bool {
        let (order, failure) = (Ordering::SeqCst, Ordering::SeqCst);
        self.state
            .compare_exchange(RUNNING, SLEEPING, order, failure)
            .is_ok()
    }
}

impl Wake for WakeUp {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(WOKEN, Ordering::SeqCst) == SLEEPING {
            // Edge-triggered, so that nobody has to read it. It is full after 2⁶⁴ wake-ups.
            _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
