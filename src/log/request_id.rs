//! Which request a log line belongs to.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

thread_local! {
    static CURRENT: Cell<Option<RequestId>> = const { Cell::new(None) };
    static LAST: Cell<u64> = const { Cell::new(0) };
}

/// A request's number since the start, as `r1f`: short, and enough to find its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u64);

impl RequestId {
    /// The next number.
    #[must_use]
    pub fn next() -> Self {
        LAST.set(LAST.get().wrapping_add(1));
        Self(LAST.get())
    }

    /// The request whose future is being polled on this thread, inside [`traced`].
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.get()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{:x}", self.0)
    }
}

/// Drives `future`; lines logged meanwhile carry `id`. Tasks share the thread, so the id is set for each poll only.
pub fn traced<F: Future>(id: RequestId, future: F) -> Traced<F> {
    Traced { future, id }
}

pin_project! {
    /// The future of [`traced`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Traced<F> {
        #[pin]
        future: F,
        id: RequestId,
    }
}

impl<F: Future> Future for Traced<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _restore = Restore(CURRENT.replace(Some(*this.id)));
        this.future.poll(cx)
    }
}

/// Puts the outer id back, on unwinding too.
struct Restore(Option<RequestId>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Waker;

    use super::*;

    #[test]
    fn an_id_is_current_only_while_its_future_is_polled() {
        let cx = &mut Context::from_waker(Waker::noop());
        let mut yielded = false;
        let (outer, inner) = (RequestId::next(), RequestId::next());
        assert_ne!(outer.to_string(), inner.to_string());
        let mut future = pin!(traced(outer, async {
            assert_eq!(RequestId::current(), Some(outer));
            traced(inner, async {
                assert_eq!(RequestId::current(), Some(inner))
            })
            .await;
            assert_eq!(RequestId::current(), Some(outer));
            poll_fn(|_| {
                if std::mem::replace(&mut yielded, true) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            assert_eq!(RequestId::current(), Some(outer));
        }));
        assert!(future.as_mut().poll(cx).is_pending());
        assert_eq!(RequestId::current(), None);
        assert!(future.as_mut().poll(cx).is_ready());
        assert_eq!(RequestId::current(), None);
    }
}
