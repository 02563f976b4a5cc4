//! Meeting points between tasks of one thread: a [`oneshot`] and a [`Notify`]. No atomics, nothing crosses threads.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use slab::Slab;

/// A channel for exactly one value.
#[must_use]
pub fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let slot = Rc::new(Slot {
        state: RefCell::new(SlotState::Empty(None)),
    });
    (
        Sender {
            slot: Rc::clone(&slot),
        },
        Receiver { slot },
    )
}

struct Slot<T> {
    state: RefCell<SlotState<T>>,
}

enum SlotState<T> {
    /// Nothing sent yet; the receiver's waker if it waits.
    Empty(Option<Waker>),
    Full(T),
    /// The sender went away without a value, or the value was taken.
    Closed,
}

/// The sending half of [`oneshot`]. Dropping it unsent makes the receiver see [`Closed`].
pub struct Sender<T> {
    slot: Rc<Slot<T>>,
}

/// The other half went away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl<T> Sender<T> {
    /// Hands over the value.
    ///
    /// # Errors
    /// The value comes back when the receiver is gone.
    pub fn send(self, value: T) -> Result<(), T> {
        if !self.is_wanted() {
            return Err(value);
        }
        // The waker is woken after the borrow has ended.
        let before = self.slot.state.replace(SlotState::Full(value));
        wake(before);
        Ok(())
    }

    /// Whether somebody still holds the receiver.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        Rc::strong_count(&self.slot) > 1
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let empty = matches!(*self.slot.state.borrow(), SlotState::Empty(_));
        if empty {
            wake(self.slot.state.replace(SlotState::Closed));
        }
    }
}

fn wake<T>(state: SlotState<T>) {
    if let SlotState::Empty(Some(waker)) = state {
        waker.wake();
    }
}

/// The receiving half of [`oneshot`]: a future of the value.
pub struct Receiver<T> {
    slot: Rc<Slot<T>>,
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, Closed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.slot.state.replace(SlotState::Closed) {
            SlotState::Full(value) => Poll::Ready(Ok(value)),
            SlotState::Closed => Poll::Ready(Err(Closed)),
            SlotState::Empty(_) => {
                self.slot
                    .state
                    .replace(SlotState::Empty(Some(cx.waker().clone())));
                Poll::Pending
            }
        }
    }
}

/// Wakes waiting tasks: all of them, or the one that has waited longest.
///
/// A [`Notified`] remembers when it was made: a `notify_all` after that is never missed, even before its first poll.
/// A `notify_one` with nobody waiting is kept as one permit for the next to come.
#[derive(Default)]
pub struct Notify {
    /// How many times everybody was woken.
    round: Cell<u64>,
    permit: Cell<bool>,
    next_ticket: Cell<u64>,
    /// Waiting tasks.
    waiting: RefCell<Slab<Waiting>>,
}

/// A task that waits.
struct Waiting {
    /// The lowest has waited longest.
    ticket: u64,
    /// `None`: chosen by `notify_one`.
    waker: Option<Waker>,
}

impl Notify {
    /// Nobody waiting, no permit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes everybody who waits now.
    pub fn notify_all(&self) {
        self.round.set(self.round.get() + 1);
        // Taken out: a waker may run code that comes back here.
        let waiting = self.waiting.take();
        let wakers = waiting.into_iter().filter_map(|(_, waiting)| waiting.waker);
        wakers.for_each(Waker::wake);
    }

    /// Wakes the task that has waited longest, or leaves a permit for the next.
    pub fn notify_one(&self) {
        // Few wait for this: it is the end of the server that every connection waits for.
        let mut waiting = self.waiting.borrow_mut();
        let unchosen = waiting.iter_mut().map(|(_, waiting)| waiting);
        let unchosen = unchosen.filter(|waiting| waiting.waker.is_some());
        let first = unchosen.min_by_key(|waiting| waiting.ticket);
        let chosen = first.and_then(|first| first.waker.take());
        drop(waiting);
        match chosen {
            Some(waker) => waker.wake(),
            None => self.permit.set(true),
        }
    }

    /// Waits for the next notification.
    #[must_use]
    pub fn notified(&self) -> Notified<'_> {
        Notified {
            notify: self,
            round: self.round.get(),
            key: None,
        }
    }

    /// How many tasks wait now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.borrow().len()
    }
}

/// The future of [`Notify::notified`]. Dropped after it was chosen by `notify_one`, it passes the choice on.
pub struct Notified<'a> {
    notify: &'a Notify,
    round: u64,
    /// Its place in `waiting`, unless a `notify_all` has emptied that since.
    key: Option<usize>,
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.notify.round.get() != self.round {
            self.key = None;
            return Poll::Ready(());
        }
        let mut waiting = self.notify.waiting.borrow_mut();
        let Some(key) = self.key else {
            if self.notify.permit.take() {
                return Poll::Ready(());
            }
            let ticket = self.notify.next_ticket.get();
            self.notify.next_ticket.set(ticket + 1);
            let key = waiting.insert(Waiting {
                ticket,
                waker: Some(cx.waker().clone()),
            });
            drop(waiting);
            self.key = Some(key);
            return Poll::Pending;
        };
        if let Some(waker) = waiting.get_mut(key).and_then(|mine| mine.waker.as_mut()) {
            waker.clone_from(cx.waker());
            return Poll::Pending;
        }
        waiting.try_remove(key);
        drop(waiting);
        self.key = None;
        Poll::Ready(())
    }
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        // After a `notify_all`, its place may be another's.
        let Some(key) = self.key.filter(|_| self.notify.round.get() == self.round) else {
            return;
        };
        let mine = self.notify.waiting.borrow_mut().try_remove(key);
        let was_chosen = mine.is_some_and(|mine| mine.waker.is_none());
        if was_chosen {
            self.notify.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::rt::{run, spawn, yield_now};

    async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
    }

    #[test]
    fn a_value_sent_before_or_after_waiting_arrives() {
        run(async {
            let (sender, receiver) = oneshot();
            sender.send(1).unwrap();
            assert_eq!(receiver.await, Ok(1));

            let (sender, receiver) = oneshot();
            let task = spawn(receiver);
            yield_now().await;
            sender.send(2).unwrap();
            assert_eq!(task.await, Ok(2));
        });
    }

    #[test]
    fn a_lost_half_is_seen_by_the_other() {
        run(async {
            let (sender, receiver) = oneshot::<u8>();
            let task = spawn(receiver);
            yield_now().await;
            drop(sender);
            assert_eq!(task.await, Err(Closed));

            let (sender, receiver) = oneshot();
            assert!(sender.is_wanted());
            drop(receiver);
            assert_eq!(sender.send(3), Err(3));
        });
    }

    #[test]
    fn notify_all_reaches_every_waiter_and_no_later_one() {
        run(async {
            let notify = Notify::new();
            let (mut a, mut b) = (notify.notified(), notify.notified());
            assert!(poll_once(&mut a).await.is_pending());
            notify.notify_all();
            assert!(poll_once(&mut a).await.is_ready());
            // Never polled before, but made before the call.
            assert!(poll_once(&mut b).await.is_ready());
            assert!(poll_once(&mut notify.notified()).await.is_pending());
            assert_eq!(notify.waiting(), 0);
        });
    }

    #[test]
    fn notify_one_wakes_in_order_and_leaves_one_permit() {
        run(async {
            let notify = Notify::new();
            // In the place that another has left.
            let mut early = notify.notified();
            assert!(poll_once(&mut early).await.is_pending());
            let (mut a, mut b) = (notify.notified(), notify.notified());
            assert!(poll_once(&mut a).await.is_pending());
            drop(early);
            assert!(poll_once(&mut b).await.is_pending());
            notify.notify_one();
            assert!(poll_once(&mut b).await.is_pending());
            assert!(poll_once(&mut a).await.is_ready());
            notify.notify_one();
            assert!(poll_once(&mut b).await.is_ready());
            notify.notify_one();
            notify.notify_one();
            assert!(poll_once(&mut notify.notified()).await.is_ready());
            assert!(poll_once(&mut notify.notified()).await.is_pending());
        });
    }

    #[test]
    fn who_was_woken_with_all_and_did_not_look_leaves_the_next_alone() {
        run(async {
            let notify = Notify::new();
            let mut a = notify.notified();
            assert!(poll_once(&mut a).await.is_pending());
            notify.notify_all();
            let mut b = notify.notified();
            assert!(poll_once(&mut b).await.is_pending());
            drop(a);
            assert_eq!(notify.waiting(), 1);
            assert!(poll_once(&mut b).await.is_pending());
            notify.notify_one();
            assert!(poll_once(&mut b).await.is_ready());
        });
    }

    #[test]
    fn a_chosen_waiter_that_is_dropped_passes_it_on() {
        run(async {
            let notify = Notify::new();
            let (mut a, mut b) = (notify.notified(), notify.notified());
            assert!(poll_once(&mut a).await.is_pending());
            assert!(poll_once(&mut b).await.is_pending());
            notify.notify_one();
            drop(a);
            assert!(poll_once(&mut b).await.is_ready());
            assert_eq!(notify.waiting(), 0);
        });
    }
}
