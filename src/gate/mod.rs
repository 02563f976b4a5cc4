//! Decisions on a parsed request head: who may come in. Pure; time is an argument.
//!
//! In the order they are asked, before any byte of a body is read: [`forwarded`] for whose request it is, [`host`],
//! [`origin`], [`cors`] for preflights, [`brake`] and [`auth`] for the token, [`rate`]. Each takes header values as text
//! and answers with a value or a refusal that knows its status, its body and, for the operator, the key to set. Not
//! here: parsing heads (`http1`), sending answers (`transport`).

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod forwarded;

pub mod host;

pub mod origin;

pub mod cors;

pub mod auth;

pub mod brake;

pub mod jwt;

mod network;
mod pattern;
mod principal;
pub mod rate;
pub mod resource;
mod tokens;
pub use network::Network;
pub use pattern::Pattern;
pub use principal::{Principal, Scope, Scopes};

/// A refusal's body, shaped as the old server's: a JSON-RPC error without an id.
fn error_body(message: &str) -> String {
    let message = serde_json::Value::from(message);
    format!(
        r#"{{"jsonrpc":"2.0","error":{{"code":-32000,"message":{message},"data":null}},"id":null}}"#
    )
}
