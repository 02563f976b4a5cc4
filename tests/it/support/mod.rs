//! What the tests share: the real server as a child process, raw HTTP on `std::net`, event streams,
//! and an MCP client thin enough to send what no sound client would.
//!
//! Every wait is bounded by [`WAIT`] and ends as soon as what it waits for is there; no test sleeps
//! to get its order right, and that nothing came is seen by what comes next. Nothing is shared
//! between tests: each starts a server of its own on a port of its own in a folder of its own, so
//! all of them may run at once.
//!
//! ```text
//!   Server ──addr──▶ Http ──send/response──▶ Response
//!     │                └────── into_sse ───▶ Sse ──▶ Event
//!     ├──▶ Mcp (a session over /mcp, HTTP+SSE, stdio or plain JSON-RPC) ◀── StdioServer
//!     └── calls ──▶ Upstream (a service that is not there; `fakes`)
//! ```

#![allow(
    dead_code,
    unused_imports,
    reason = "each module of tests uses its part"
)]

mod child;
mod expect;
mod footprint;
mod http;
mod mcp;
mod rig;
mod server;
mod sse;
mod stdio;
mod upstream;

use std::time::{Duration, Instant};

pub use child::{Env, Exit, Folder, Process};
pub use expect::listed;
pub use footprint::{Footprint, children, status_kb};
pub use http::{BodyReader, Http, Request, Response};
pub use mcp::{Incoming, Mcp, STATELESS, Way, resolve, result_of};
pub use rig::{LEDGER, Outcome, Rig};
pub use rustix::process::Signal;
pub use serde_json::{Value, json};
pub use server::{Program, Server};
pub use siskin::http1::Method;
pub use siskin::http1::response::ResponseFraming;
pub use sse::{Event, Sse};
pub use stdio::StdioServer;
pub use upstream::{Answer, Call, Hold, Paths, Route, Service, Upstream, percent_decoded};

/// The longest any wait may take. Far longer than anything here takes, so that a busy machine does
/// not fail a sound server; a test that reaches it has failed.
pub const WAIT: Duration = Duration::from_secs(30);

/// A point in time that waits count down to.
#[derive(Clone, Copy)]
pub struct Until(Instant);

impl Until {
    /// [`WAIT`] from now.
    pub fn soon() -> Until {
        Until::after(WAIT)
    }

    /// `duration` from now.
    pub fn after(duration: Duration) -> Until {
        Until(Instant::now() + duration)
    }

    /// What is left, or none if it has passed.
    pub fn left(self) -> Option<Duration> {
        self.0
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }
}

/// Asks `question` again and again until it has an answer; fails with `what` when [`WAIT`] is over.
#[track_caller]
pub fn poll_until<T>(what: &str, mut question: impl FnMut() -> Option<T>) -> T {
    let until = Until::soon();
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(until.left().is_some(), "{what}: not within {WAIT:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A text as JSON.
#[track_caller]
pub fn parse(text: impl AsRef<[u8]>) -> Value {
    let text = text.as_ref();
    serde_json::from_slice(text)
        .unwrap_or_else(|error| panic!("not JSON ({error}): {}", text.escape_ascii()))
}
