//! The integration tests: the real programs as child processes, spoken to by pipes and sockets.
//!
//! ```text
//!   support      the server on a port of its own, raw HTTP, event streams, an MCP client
//!   smoke        each way in, once: if this fails, look here first
//!   wire         HTTP/1.1 framing: what belongs to which request, what ends a connection
//!   sse          event streams on the wire
//!   limits       each limit and deadline at n-1, n and n+1, with its counter
//!   auth         tokens, scopes, refusals
//!   browser_rules  Host, Origin, CORS, and JSON on every error
//! ```

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests are not known as such to clippy"
)]

mod support;

mod auth;
mod browser_rules;
mod house;
#[cfg(feature = "http-types")]
mod http_types;
mod interop;
mod limits;
mod smoke;
mod sse;
mod wire;
