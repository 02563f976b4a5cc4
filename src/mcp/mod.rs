//! The Model Context Protocol: revisions, wire types and rules. Pure.
//!
//! In scope: what the five revisions say, how each message body is read and written, which rules a
//! server checks. Out of scope: JSON-RPC framing (`jsonrpc`), sockets, time (an argument where it
//! matters), and who offers which tool (`catalog`, `server`).
//!
//! Texts are read member by member from borrowed bytes (`raw`) and written straight into a `Vec<u8>`; results
//! that carry `resultType` and the server's name do so through a [`result::Dialect`].

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod revision;

pub mod errors;
pub mod json;
pub mod params;

pub mod capabilities;
pub mod lifecycle;
pub mod meta;
pub mod result;

pub mod content;
pub mod prompt;
pub mod resource;
pub mod template;
pub mod tool;

pub mod completion;
pub mod list;
pub mod logging;
pub mod notifications;
pub mod pagination;

pub mod answer;
pub mod headers;
pub mod input;
pub mod seal;
pub mod subscription;
pub mod task;
