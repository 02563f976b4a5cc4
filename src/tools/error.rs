//! How a handler fails.
//!
//! A tool's failure is never a protocol failure: [`CallError::Failed`] becomes a result with
//! `isError`, which the model can read and act on. The other variants are the few cases in which
//! the protocol itself has something to say.

use std::borrow::Cow;

use crate::mcp::capabilities::ClientCapabilities;
use crate::mcp::errors::ProtocolError;

/// Why a handler did not return a result. Any `std::error::Error` turns into
/// [`CallError::Failed`] by `?`.
#[derive(Debug)]
pub enum CallError {
    /// The arguments do not fit; the text names the argument, what was found and what is expected.
    /// A result with `isError` from 2025-11-25 on, error -32602 before (SEP-1303).
    Arguments(String),
    /// The tool ran and failed; the text is shown to the model.
    Failed(String),
    /// The resource or prompt does not exist, though its name had the right form.
    NotFound,
    /// The call cannot go on here; made by [`Context`](super::Context), passed on with `?`.
    Interrupted(Interrupt),
    /// An error object for the client itself.
    Protocol(ProtocolError),
}

/// Why the context could not give the handler what it asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interrupt {
    /// The client went away or declined to answer at the protocol level; the text says how.
    Client(String),
    /// The client must be asked first, and the revision has it ask again with the answers: this
    /// call ends as `input_required` and the handler runs anew on the retry
    /// (2026-07-28 `basic/patterns/mrtr`).
    InputRequired,
    /// The client has not declared these capabilities, which the question needs.
    Undeclared(Box<ClientCapabilities>),
}

impl CallError {
    /// A failure shown to the model.
    pub fn failed(text: impl Into<String>) -> CallError {
        CallError::Failed(text.into())
    }

    /// Arguments that do not fit.
    pub fn arguments(text: impl Into<String>) -> CallError {
        CallError::Arguments(text.into())
    }

    /// A JSON-RPC error in place of a result, with a code of the protocol or, outside
    /// -32768…-32000, one of your own. For models a failure says more.
    pub fn protocol(code: i64, message: impl Into<Cow<'static, str>>) -> CallError {
        CallError::Protocol(ProtocolError::new(code, message))
    }
}

// `CallError` is not an `Error` itself: that is what leaves room for this conversion, and nothing
// ever needs to box it.
impl<E: std::error::Error> From<E> for CallError {
    fn from(error: E) -> CallError {
        CallError::Failed(error.to_string())
    }
}

impl From<Interrupt> for CallError {
    fn from(interrupt: Interrupt) -> CallError {
        CallError::Interrupted(interrupt)
    }
}

impl From<ProtocolError> for CallError {
    fn from(error: ProtocolError) -> CallError {
        CallError::Protocol(error)
    }
}

impl CallError {
    /// The failure as one sentence, for results, tasks and the command line.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            CallError::Arguments(text) | CallError::Failed(text) => Cow::Borrowed(text),
            CallError::NotFound => Cow::Borrowed("not found"),
            CallError::Interrupted(Interrupt::Client(text)) => Cow::Borrowed(text),
            CallError::Interrupted(Interrupt::InputRequired) => {
                Cow::Borrowed("the client must be asked before this can go on")
            }
            CallError::Interrupted(Interrupt::Undeclared(missing)) => Cow::Owned(format!(
                "the client did not declare {missing}, which this needs"
            )),
            CallError::Protocol(error) => Cow::Borrowed(&error.message),
        }
    }
}
