//! Helper threads for what cannot wait on the executor: named `siskin-…`, counted, few.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads started here and still alive. Atomic because it is lowered from the threads themselves.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// How many helper threads are alive.
#[must_use]
pub fn running() -> usize {
    RUNNING.load(Ordering::Relaxed)
}

/// Starts `siskin-{name}`. Linux shows the first 15 bytes.
pub(super) fn start(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    start_boxed(name, Box::new(body))
}

/// One piece of code for all threads: the standard library's, for starting one, is large.
fn start_boxed(name: &str, body: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    RUNNING.fetch_add(1, Ordering::Relaxed);
    let count = Count;
    std::thread::Builder::new()
        .name(format!("siskin-{name}"))
        .spawn(move || {
            let _count = count;
            body();
        })
        .map(drop)
}

/// One running thread; dropped with its closure, also when it never started.
struct Count;

impl Drop for Count {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs `work` on a helper thread named `siskin-{name}` and waits for what it returns. For the few
/// things that block, such as syncing a file to a disk.
///
/// # Errors
/// The system's, when it has no thread left; `Interrupted` when the work panicked.
pub async fn run<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = smol::channel::bounded(1);
    start(name, move || {
        // Nobody waits any more when the receiver is gone.
        _ = sender.try_send(work());
    })?;
    receiver
        .recv()
        .await
        .map_err(|_| io::ErrorKind::Interrupted.into())
}
