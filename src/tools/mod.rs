//! Tools: what a handler is given and what it may return, and the built-in ones.
//!
//! A handler sees a [`Context`] and its arguments; it never sees ids, sockets or bytes. The
//! context is a trait object behind which `server` stands, so that this folder needs nothing above
//! it and a handler can be tested with a few lines of its own.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod context;
mod error;
pub mod handler;
mod local;
mod typed;
mod written;

pub use context::{Ask, Change, Context, Host, LocalFuture};
pub use error::{CallError, Interrupt};
pub use handler::{
    Arguments, CompletionHandler, CompletionQuery, PromptHandler, ResourceHandler, ToolHandler, Uri,
};
pub use local::LocalHost;
pub use typed::NoArguments;

#[cfg(feature = "aws")]
pub mod aws_docs;
pub mod command;
pub mod declarative;
pub mod device;
pub mod schema;
