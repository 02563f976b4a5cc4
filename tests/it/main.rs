//! The integration tests: the real programs as child processes, spoken to by pipes and sockets.
//!
//! ```text
//!   support      the server on a port of its own, raw HTTP, event streams, an MCP client
//!   smoke        each way in, once: if this fails, look here first
//!   reload       the configuration read again
//!   signals      how a server ends
//! ```

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests are not known as such to clippy"
)]

mod support;

mod smoke;

mod reload;
mod signals;
