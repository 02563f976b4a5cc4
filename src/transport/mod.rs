//! How messages come in and go out: stdio, HTTP routes, streams.
//!
//! A transport turns bytes into messages for [`Server`](crate::server::Server) and replies back
//! into bytes. It knows no method; the server knows no transport.
//!
//! ```text
//!   accept ─▶ (handshake) ─▶ connection ─▶ routes + gate ─▶ body ─▶ streamable · http_sse · plain · events · admin
//!                                                          │
//!                                            reply (JSON or a stream on this connection)
//!                                            stream (a GET stream, in a small task of its own)
//! ```

pub mod certificates;
pub mod http;
pub mod site;
pub mod stdio;

#[cfg(feature = "http-types")]
pub mod http_types;

mod admin;
mod body;
mod connection;
mod events;
mod handshake;
mod http_sse;
mod places;
mod plain;
mod reply;
mod respond;
mod routes;
mod sse_out;
mod stream;
mod streamable;

#[cfg(test)]
mod tests;
