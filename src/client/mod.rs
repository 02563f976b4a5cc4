//! Outbound HTTP and HTTPS: one request, one whole response, within limits of size and time.
//!
//! In scope: connections and their reuse, TLS, proxies, redirects, gzip, which addresses may be reached, and an error
//! for each way this can go wrong. Not in scope: what a response means, authentication, retries by status. Called by
//! the tools that ask other services.
//!
//! ```text
//!   Client::send ─▶ redirect (each hop) ─▶ exchange ─▶ pool: a connection that waits ──┐
//!        │ total time                          └─▶ connect: look up, check the address,│
//!        │                                          TCP, proxy, TLS ───────────────────┤
//!        └── body: read, inflate, never beyond the limit ◀── conn: request out, head in ◀┘
//! ```
//!
//! A connection has no task. Whoever waits for a response holds and drives it, so dropping the future of
//! [`Client::send`] closes it. What the bytes of an answer mean is read by `src/http1`, as for requests.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod url;
pub use url::{Origin, Scheme, URL_LEN_MAX, Url, UrlError, fuzz_url};

mod method;
pub use method::{Method, UnknownMethod};

mod headers;
pub use headers::Headers;

mod request;
pub use request::{Request, Response};

mod route;
pub use route::{Egress, Redirects, Route, Timeouts};

mod proxies;
pub use proxies::Proxies;

mod error;
pub use error::{ClientError, Limit, Phase, ProxyProblem, RedirectProblem};

mod exchange;
pub use exchange::{Client, ClientSettings};

mod body;
mod conn;
mod connect;
mod egress;
mod inflate;
mod pool;
mod redirect;

pub use crate::rt::tls::{TlsProblem, Trust, TrustError, TrustSettings};

/// Longest head of a response in bytes.
pub const HEAD_BYTES_MAX: usize = 32 * 1024;

/// Most header fields of a response.
pub const HEADERS_MAX: usize = 128;

#[cfg(test)]
mod tests;
