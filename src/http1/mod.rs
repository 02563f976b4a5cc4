//! HTTP/1.1 and Server-Sent Events on bytes (RFC 9110, RFC 9112, WHATWG HTML 9.2). Pure: no
//! sockets, no clock.
//!
//! In scope: request heads and their body framing, chunked bodies, response heads out (and, for
//! tests and raw clients, in), event streams out and in, media type matching, query strings.
//! Everything takes bytes and answers a value, "need more" or an error that knows its status;
//! whatever has two readings is refused. Responses in are read as leniently as a client may
//! (`response`), requests are not.
//!
//! Out of scope: sockets, deadlines and the order of requests on a connection (`transport`), who
//! may ask (`gate`).

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod head;

mod fields;
pub mod framing;
pub mod host;
pub mod method;
pub mod name;
mod scan;
mod target;

pub mod accept;
pub mod chunked;
pub mod query;

pub mod date;
pub mod encode;
pub mod sse;
mod status;

pub mod response;

#[cfg(test)]
#[path = "../../tests/wire/samples.rs"]
mod samples;

pub use framing::{Framing, FramingError};
pub use head::{Expectation, Head, HeadError, HeadLimits, Version};
pub use host::{Host, HostError};
pub use method::Method;
pub use name::Name;
