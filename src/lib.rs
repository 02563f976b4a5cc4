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

pub mod app;
pub mod cli;
