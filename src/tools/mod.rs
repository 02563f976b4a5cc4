//! Tools: what a handler is given, what it returns, and the built-in ones.

pub mod device;
