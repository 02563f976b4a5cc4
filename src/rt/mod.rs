//! The runtime: the only folder that names smol and async-io.
pub mod sys;
