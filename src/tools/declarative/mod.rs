//! Tools that are declared instead of programmed: packs, and the engine that runs them.
//!
//! ```text
//!   pack file ─▶ Pack::read: every name, pointer and template checked, problems with line and column
//!                   │ open: URL, credential, options
//!                   ▼
//!   Service + tools ─▶ call: arguments ─▶ before ─▶ request ─▶ pages | fallback ─▶ response ─▶ result
//! ```
//!
//! A pack is data: it names arguments, requests and what is shown of answers. There is no expression language and
//! nothing loops but pages, which are counted. [`decode`] makes a JSON value of an answer's bytes, [`shape`] chooses and
//! arranges what is in it, [`output`] writes the result within its limit; these three ask and wait for nothing.
//!
//! Out of scope: HTTP itself (`client`), the check of arguments (`schema`), which packs there are (`app::packs`).

pub mod decode;
pub mod output;
pub mod reference;
pub mod shape;

mod source;

mod filter;
mod template;
mod time;
mod tree;

mod header;
mod limit;
mod request;
mod status;

mod arguments;
mod auth;
mod pack;
mod pages;
mod steps;
mod tool;

mod offer;
mod run;
mod service;
mod session;
mod words;

pub mod scaffold;
pub mod shipped;
pub mod trial;

#[cfg(test)]
mod tests;

pub use filter::fuzz_filter;
pub use offer::OfferedTool;
pub use pack::{Pack, Text, ToolNames, fuzz_pack};
pub use service::{Service, ServiceSettings, Upstream, World};
pub use source::PackProblem;
