//! siskin: an MCP server for small machines, as a program and as a library.
//!
//! The program offers a homelab's services as tools, by TOML files. The library is for what data
//! cannot say: a small MCP server in Rust, on one thread and without tokio, that speaks every
//! revision of the protocol from 2024-11-05 to 2026-07-28 over HTTP and stdio at once.
//!
//! # A server
//!
//! ```no_run
//! use serde::Deserialize;
//! use siskin::{Builder, Context, Tool};
//!
//! #[derive(Deserialize)]
//! struct Add {
//!     a: f64,
//!     b: f64,
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let add = Tool::new("add")
//!         .description("Adds two numbers.")
//!         .number("a", "the first number")
//!         .number("b", "the second number");
//!     let server = Builder::new("hello", "1.0.0")
//!         .tool(add, async |_: Context, Add { a, b }| Ok(format!("{}", a + b)))
//!         .build()?;
//!     server.serve_http("127.0.0.1:8000")?; // or `serve_stdio()`
//!     Ok(())
//! }
//! ```
//!
//! Handlers are async closures. They return anything that makes a [`ToolResult`]: a text,
//! [`Content`], or a value by [`ToolResult::structured`]. An error of any kind, by `?`, becomes a
//! result that tells the model what went wrong; [`CallError`] has the finer choices. Arguments are
//! a type of your own, and what does not fit it is refused with the name of the argument:
//!
//! ```
//! # use siskin::{Builder, Context, Tool};
//! # #[derive(serde::Deserialize)]
//! # struct Add { a: f64, b: f64 }
//! let server = Builder::new("hello", "1.0.0")
//!     .tool_now(Tool::new("add"), |_: &Context, Add { a, b }| Ok(format!("{}", a + b)))
//!     .build()?;
//! // A tool runs without a client too: in a test, or from a shell.
//! assert_eq!(server.call("add", r#"{"a": 2, "b": 0.5}"#).text_blocks(), "2.5");
//! let refused = server.call("add", r#"{"a": 2, "b": "half"}"#);
//! assert!(refused.is_error);
//! assert_eq!(
//!     refused.text_blocks(),
//!     r#"argument `b`: invalid type: string "half", expected f64"#
//! );
//! # Ok::<(), siskin::BuildError>(())
//! ```
//!
//! # What a handler can do
//!
//! Its [`Context`] reports [progress](Context::progress) and [logs](Context::log), asks the user
//! ([`elicit`](Context::elicit)), the client's model ([`sample`](Context::sample)) or for its
//! folders ([`roots`](Context::roots)), turns the rest of the call into a
//! [task](Context::start_task), and tells subscribers of a [change](Context::changed). One way of
//! asking serves every revision, but know how it works: from 2026-07-28 on a question ends the
//! round, and the handler **runs again from its start** when the answers are there. What must not
//! happen twice belongs behind the last question, or into [`set_state`](Context::set_state).
//!
//! ```
//! use siskin::{Builder, CallError, Context, NoArguments, Tool};
//!
//! const FORM: &str = r#"{"type": "object", "properties": {"sure": {"type": "boolean"}}}"#;
//!
//! let reboot = Tool::new("reboot").description("Reboots, if the user agrees.").destructive();
//! let server = Builder::new("example", "1.0.0")
//!     .tool(reboot, async |ctx: Context, _: NoArguments| {
//!         let answer = ctx.elicit("sure", "Reboot now?", FORM).await?;
//!         match answer.field("sure") == Some(true.into()) {
//!             true => Ok("rebooting"),
//!             false => Err(CallError::failed("the user does not want to")),
//!         }
//!     })
//!     .build()?;
//! // There is no user here.
//! assert!(server.call("reboot", "{}").is_error);
//! # Ok::<(), siskin::BuildError>(())
//! ```
//!
//! Everything runs on one thread: a handler that waits holds up nobody, one that blocks or computes
//! for long holds up everybody. State is shared by `Rc` and `Cell`; nothing has to be `Send`.
//!
//! `examples/hello.rs` is the server above; `examples/everything.rs` has one of everything and is
//! what the conformance suite is run against.
//!
//! # Modules, in reading order
//!
//! - [`calendar`], [`log`], [`metrics`]: what the others tell the time and report by.
//! - [`sorted`]: small maps, which are all over the place.
//! - [`raw`], [`jsonrpc`], [`http1`], [`mcp`]: the wire, without sockets or clocks. What a revision of the
//!   protocol can do stands in [`mcp::revision`] and nowhere else.
//! - [`html`]: pages as trees, and trees as Markdown; pure as well.
//! - [`config`], [`gate`]: what the operator wrote, and who may come in.
//! - [`rt`]: the runtime, and the only place that names it.
//! - [`tools`], [`catalog`]: what a handler is given, and what is offered now.
//! - [`server`]: sessions, dispatch, tasks, subscriptions; knows no transport.
//! - [`client`], [`transport`]: bytes out, and bytes in.
//! - [`builder`]: what this page is about.
//! - [`app`], [`cli`]: the program.
//!
//! # Features
//!
//! - `aws` (default): the AWS documentation tools and the HTML reader [`html`].
//! - `packs` (default): packs of tools, for services and for programs.
//! - `edge`: the set for the smallest binary, without the other defaults but `stderr`.
//! - `tls` (default): HTTPS towards other services; without it an `https` URL is an error that says so.
//! - `stderr` (default): log lines as text on stderr; without it only as JSON.

// Nothing from outside may end the process, and a panic would end it for everybody: what could panic is not used, and where it stays it
// says why it cannot. Arithmetic that could overflow is no better, since what a release makes of it is a wrong number; it is denied in
// the folders that read what others wrote.
#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable
    )
)]

pub mod base64;
pub mod calendar;
mod constant_time;
pub mod log;
pub mod metrics;
pub mod raw;
mod sha256;
pub mod sorted;

#[cfg(feature = "aws")]
pub mod html;
pub mod http1;
pub mod jsonrpc;
pub mod mcp;

mod deflated;
#[cfg(test)]
mod dice;
mod find;
mod nearest;
mod position;

pub mod config;
pub mod gate;
pub mod rt;

pub mod catalog;
pub mod client;
pub mod server;
pub mod tools;
pub mod transport;

pub mod builder;

pub mod app;
pub mod cli;

// What an author of a server names.
pub use builder::{BuildError, Builder, McpServer, ServeError};
pub use catalog::CatalogError;
pub use mcp::answer::{Answer, Elicited, Root, Sampled};
pub use mcp::capabilities::ClientCapabilities;
pub use mcp::completion::Completion;
pub use mcp::content::{Annotations, Content, Icon, ResourceContents};
pub use mcp::logging::Level;
pub use mcp::prompt::{Prompt, PromptMessage, PromptResult};
pub use mcp::resource::{Resource, ResourceTemplate};
pub use mcp::result::{CacheHint, CacheScope};
pub use mcp::revision::Revision;
pub use mcp::tool::{TaskSupport, Tool, ToolResult};
pub use server::Limits;
pub use tools::{Arguments, Ask, CallError, Change, CompletionQuery, Context, NoArguments, Uri};
