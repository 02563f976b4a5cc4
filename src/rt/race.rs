//! Two futures, the first to complete wins. Called wherever a wait may be cut short.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Drives both; `Ok` if `work` completes first, or in the same moment, `Err` if `stop` does.
pub async fn race<T, S>(
    work: impl Future<Output = T>,
    stop: impl Future<Output = S>,
) -> Result<T, S> {
    let (mut work, mut stop) = (pin!(work), pin!(stop));
    poll_fn(|cx| {
        if let Poll::Ready(output) = work.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        stop.as_mut().poll(cx).map(Err)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    #[test]
    fn the_first_wins_and_work_wins_a_tie() {
        crate::rt::run(async {
            assert_eq!(super::race(ready(1), pending::<()>()).await, Ok(1));
            assert_eq!(super::race(pending::<()>(), ready(2)).await, Err(2));
            assert_eq!(super::race(ready(1), ready(2)).await, Ok(1));
        });
    }
}
