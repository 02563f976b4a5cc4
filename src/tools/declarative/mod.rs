//! Tools that are declared instead of programmed: what a service answers, made readable for a model.
//!
//! [`decode`] makes a JSON value of an answer's bytes, [`shape`] chooses and arranges what is in it,
//! [`output`] writes the result within its limit. None of it waits or asks anything: bytes and
//! arguments in, a result out.

pub mod decode;
pub mod output;
pub mod reference;
pub mod shape;

mod arguments;
mod auth;
mod filter;
mod header;
mod limit;
mod offer;
mod pack;
mod pages;
mod request;
mod run;
pub mod scaffold;
mod service;
mod session;
pub mod shipped;
mod source;
mod status;
mod steps;
mod template;
mod time;
mod tool;
mod tree;
pub mod trial;
mod words;

pub use offer::OfferedTool;
pub use pack::Pack;
pub use service::{Service, ServiceSettings, Upstream, World};
pub use source::PackProblem;
