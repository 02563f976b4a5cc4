//! Readiness of sockets, on an epoll of our own: what a request costs beside reading and writing.
//!
//! ```text
//!   source:  ready ──would block, or less than asked for──▶ not ready ──the kernel reports an edge──▶ ready
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

use std::cell::RefCell;
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
    /// that once, which may be together with bytes, so it must not be forgotten when they have been read.
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
            wake,
        }))
    }

    /// Drives `future` to its end; waits for events while it does not move.
    pub(super) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let waker = Waker::from(Arc::clone(&self.wake));
        let mut cx = Context::from_waker(&waker);
        loop {
            self.wake.state.store(RUNNING, Ordering::SeqCst);
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
            // Woken meanwhile: only looked at what is there already.
            let may_sleep = self.wake.may_sleep();
            self.wait(if may_sleep { None } else { Some(&AT_ONCE) });
        }
    }

    /// Takes events and wakes whom they are for.
    fn wait(&self, timeout: Option<&Timespec>) {
        let mut events = [const { MaybeUninit::uninit() }; EVENTS_LEN];
        // Failing is only possible by a signal: the epoll is ours, and its events have room.
        let taken = epoll::wait(&self.epoll, &mut events, timeout);
        // Before anybody is woken: who is woken from here need not be told by the event.
        self.wake.state.store(RUNNING, Ordering::SeqCst);
        let Ok((events, _)) = taken else { return };
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
pub(super) struct Watched<T> {
    io: T,
    /// Of its source. Half a word: streams are counted in thousands.
    key: u32,
    reactor: Rc<Reactor>,
}

impl<T: AsFd> Watched<T> {
    /// Registers `io`, which does not block.
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

    /// Says that a call found nothing, or took all there was: the kernel reports when there is more.
    pub(super) fn set_not_ready(&self, towards: Towards) {
        self.with(towards, |direction| {
            if direction.state != State::Over {
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

    fn with<R>(&self, towards: Towards, f: impl FnOnce(&mut Direction) -> R) -> R {
        let source = &mut self.reactor.sources.borrow_mut()[self.key as usize];
        f(match towards {
            Towards::Reading => &mut source.read,
            Towards::Writing => &mut source.write,
        })
    }
}

impl<T> Drop for Watched<T> {
    fn drop(&mut self) {
        // Closing the socket, which follows, takes it out of the epoll: nobody else has it. Dropped after the borrow, for
        // a waker may be the last of its task.
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
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use super::*;
    use crate::rt::{run, spawn, yield_now};

    fn pair() -> (Watched<UnixStream>, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        (Watched::new(ours).unwrap(), theirs)
    }

    async fn readable(watched: &Watched<UnixStream>) {
        poll_fn(|cx| watched.poll_ready(Towards::Reading, cx)).await;
    }

    #[test]
    fn a_reader_is_woken_by_bytes_and_by_the_end() {
        run(async {
            let (ours, mut theirs) = pair();
            ours.set_not_ready(Towards::Reading);
            let mut buf = [0; 8];
            theirs.write_all(b"a").unwrap();
            readable(&ours).await;
            assert_eq!(ours.get_ref().read(&mut buf).unwrap(), 1);
            ours.set_not_ready(Towards::Reading);
            drop(theirs);
            readable(&ours).await;
            assert_eq!(ours.get_ref().read(&mut buf).unwrap(), 0);
            // The end is reported once and remembered for ever.
            ours.set_not_ready(Towards::Reading);
            readable(&ours).await;
        });
    }

    #[test]
    fn an_end_that_comes_with_bytes_is_not_forgotten() {
        run(async {
            let (ours, mut theirs) = pair();
            theirs.write_all(b"a").unwrap();
            drop(theirs);
            ours.set_not_ready(Towards::Reading);
            readable(&ours).await;
            assert_eq!(ours.get_ref().read(&mut [0; 8]).unwrap(), 1);
            ours.set_not_ready(Towards::Reading);
            assert!(ours.is_ready(Towards::Reading));
        });
    }

    #[test]
    fn a_writer_is_woken_when_there_is_room() {
        run(async {
            let (ours, mut theirs) = pair();
            let piece = [0; 64 * 1024];
            let mut sent = 0;
            while let Ok(count) = ours.get_ref().write(&piece) {
                sent += count;
            }
            ours.set_not_ready(Towards::Writing);
            let mut buf = vec![0; sent];
            theirs.read_exact(&mut buf).unwrap();
            poll_fn(|cx| ours.poll_ready(Towards::Writing, cx)).await;
            assert!(ours.get_ref().write(&piece).unwrap() > 0);
        });
    }

    #[test]
    fn other_threads_wake_this_one() {
        run(async {
            let (ours, theirs) = pair();
            ours.set_not_ready(Towards::Reading);
            let (sender, receiver) = smol::channel::bounded(1);
            for number in 0..100 {
                let sender = sender.clone();
                let thread = std::thread::spawn(move || {
                    if number % 10 == 0 {
                        // Late enough to find the other asleep.
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    sender.send_blocking(number).unwrap();
                });
                assert_eq!(receiver.recv().await, Ok(number));
                thread.join().unwrap();
            }
            drop(theirs);
        });
    }

    #[test]
    fn a_source_that_is_dropped_gives_its_place_back_and_wakes_nobody() {
        run(async {
            let (ours, theirs) = pair();
            let reactor = Rc::clone(&ours.reactor);
            let before = reactor.sources.borrow().len();
            let woken = Rc::new(Cell::new(false));
            let flag = Rc::clone(&woken);
            ours.set_not_ready(Towards::Reading);
            let task = spawn(async move {
                readable(&ours).await;
                flag.set(true);
            });
            yield_now().await;
            drop(theirs);
            drop(task);
            yield_now().await;
            assert!(!woken.get());
            assert_eq!(reactor.sources.borrow().len(), before - 1);
        });
    }

    #[test]
    fn a_source_is_small() {
        assert!(size_of::<Source>() <= 48, "{} bytes", size_of::<Source>());
    }
}
