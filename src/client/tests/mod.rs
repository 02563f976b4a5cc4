//! The client against real sockets: upstreams on loopback that behave well, badly and not at all.
//!
//! - `upstream`: the threads that play them.
//! - `wire`: what an answer may look like on the wire, and what is no answer.
//! - `bounds`: hostile upstreams cost a bounded amount of memory and time.
//! - `requests`: what goes out, and redirects.
//! - `reuse`: connections that wait, and closed ones.
//! - `turns`: who speaks when, and whether the connection is used again.
//! - `reach`: names, addresses, time limits before there is a connection.
//! - `proxy`, `tls`: what stands in between.

mod bounds;
mod proxy;
mod reach;
mod requests;
mod reuse;
#[cfg(feature = "tls")]
mod tls;
mod turns;
mod upstream;
mod wire;
