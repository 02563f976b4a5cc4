//! The runtime: the only folder that names smol, async-io and rustls.
//!
//! One executor on one thread drives every task and waits for its sockets; [`run`] starts it, [`spawn`] adds to it. Everything
//! here is single-threaded (`Rc`, `Cell`) unless it says otherwise. Not here: what the bytes mean (`http1`, `jsonrpc`)
//! and what is served (`transport`, `server`).
//!
//! Threads: the caller's one, async-io's reactor helper (always), and, only while needed, the helpers of [`thread`]:
//! name lookups, the two ends of stdio. Theirs are named `siskin-…` and counted by [`thread::running`].

mod reactor;

mod executor;
pub use executor::{Task, let_others_catch_up, run, spawn, spawn_in_place, yield_now};

mod clock;
pub use clock::{Alarm, Clock, Timeout, later, now, sleep, timeout, unix_ms, unix_time};

mod deadline;
pub use deadline::{Deadline, Deadlines, Expired, Within, within};

mod ticker;
pub use ticker::{Member, Ticker};

mod race;
pub use race::race;

pub mod sync;

pub mod shutdown;

mod addr;
pub use addr::{AddrError, ListenAddr, Peer};

mod memory;
mod stream;
pub use stream::Stream;

mod inherit;
pub use inherit::Inherited;

mod listener;
pub use listener::{Accepted, Listener};

mod connect;
pub use connect::{resolve, tcp_connect, tcp_connect_any, udp_send, unix_connect};

pub mod process;

pub mod thread;

mod lines;
pub use lines::{Line, LineSplitter};
pub mod stdio;

#[cfg(feature = "http-types")]
pub mod pipe;

pub mod signal;

mod supervisor;
pub use supervisor::{notify_supervisor, watchdog_period};

pub mod sys;

pub mod tls;

/// `N` bytes from the operating system's random source, for ids and keys.
///
/// # Panics
/// When the system has no random source at all: better to stop than to hand out guessable ids.
#[must_use]
#[expect(clippy::expect_used, reason = "as above")]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .expect("the kernel's random source answers on every supported system");
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn random_bytes_differ() {
        assert_ne!(super::random::<16>(), super::random::<16>());
        assert!(super::random::<0>().is_empty());
    }
}
