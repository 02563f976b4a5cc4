//! JSON-RPC 2.0 on borrowed text: messages, ids, parsing and encoding. Pure: no sockets, no clock.
//!
//! In scope: what the JSON-RPC 2.0 specification says of one message or one batch, and the bounds
//! that keep hostile text cheap. Not in scope: which methods exist and what their parameters mean;
//! that is `mcp`. Called by `transport` to read and by `server` to answer.
//!
//! Ids, params and results stay the text they arrived as ([`Raw`](crate::raw::Raw)): an id is echoed byte for
//! byte, and arguments are parsed once, by the tool that wants them.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod encode;
mod id;
mod message;
mod parse;

pub use encode::{
    UnknownId, encode_error, encode_notification, encode_request, encode_result, write_json_string,
};
pub use id::{Id, IdError};
pub use message::{Incoming, Message, Notification, Request, Response, ResponseBody};
pub use parse::{Envelope, ParseError, ParseErrorKind, Rules, fuzz_parse, parse};

/// Invalid JSON was received (JSON-RPC 2.0, section 5.1).
pub const PARSE_ERROR: i64 = -32700;
/// The JSON is not a valid Request object (JSON-RPC 2.0, section 5.1).
pub const INVALID_REQUEST: i64 = -32600;
