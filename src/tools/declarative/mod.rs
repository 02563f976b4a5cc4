//! Tools that are declared instead of programmed: what a service answers, made readable for a model.
//!
//! [`decode`] makes a JSON value of an answer's bytes, [`shape`] chooses and arranges what is in it,
//! [`output`] writes the result within its limit. None of it waits or asks anything: bytes and
//! arguments in, a result out.

pub mod decode;
pub mod output;
pub mod shape;

mod arguments;
mod auth;
mod filter;
mod pack;
mod pages;
mod request;
mod source;
mod status;
mod template;
mod time;
mod tool;
mod tree;
