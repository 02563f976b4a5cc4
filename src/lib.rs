//! siskin: an MCP server for small machines.

pub mod log;
pub mod metrics;

pub mod http1;
pub mod jsonrpc;
pub mod mcp;

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

pub use builder::{BuildError, Builder, McpServer, ServeError, default_limits};
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
