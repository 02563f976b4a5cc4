//! What one JSON-RPC message is once parsed. Everything borrows from the received text.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{Id, ParseError};

/// One received text: a message or, where the protocol revision allows it, a batch of them.
#[derive(Debug)]
pub enum Incoming<'a> {
    /// A JSON array. Elements that are not messages keep their own error and place.
    Batch(Vec<Result<Message<'a>, ParseError>>),
    /// A JSON object.
    Single(Message<'a>),
}

/// One message (JSON-RPC 2.0, sections 4 and 5).
#[derive(Debug)]
pub enum Message<'a> {
    /// Has a method and no id: it is never answered, not even with an error.
    Notification(Notification<'a>),
    /// Has a method and an id: it is answered exactly once.
    Request(Request<'a>),
    /// Has an id and a result or an error: the answer to a request of ours.
    Response(Response<'a>),
}

/// A call that expects an answer.
#[derive(Debug)]
pub struct Request<'a> {
    /// Echoed verbatim in the answer.
    pub id: Id,
    /// The method name, unescaped.
    pub method: Cow<'a, str>,
    /// The `params` member as text: an object or an array, absent if not sent.
    pub params: Option<&'a RawValue>,
}

/// A call that expects no answer.
#[derive(Debug)]
pub struct Notification<'a> {
    /// The method name, unescaped.
    pub method: Cow<'a, str>,
    /// The `params` member as text: an object or an array, absent if not sent.
    pub params: Option<&'a RawValue>,
}

/// An answer to a request that this side sent.
#[derive(Debug)]
pub struct Response<'a> {
    /// The id of the request it answers.
    pub id: Id,
    /// Its outcome.
    pub body: ResponseBody<'a>,
}

/// Exactly one of `result` and `error` (JSON-RPC 2.0, section 5).
#[derive(Debug)]
pub enum ResponseBody<'a> {
    /// The `error` member as text.
    Error(&'a RawValue),
    /// The `result` member as text.
    Result(&'a RawValue),
}

/// An error object to be sent (JSON-RPC 2.0, section 5.1).
#[derive(Debug, Clone, PartialEq)]
pub struct RpcError {
    /// One of the codes of the JSON-RPC or MCP tables.
    pub code: i64,
    /// One sentence for a person; names the thing and the remedy.
    pub message: Cow<'static, str>,
    /// The `data` member as JSON text, if the code has one.
    pub data: Option<Box<str>>,
}

impl RpcError {
    /// An error without `data`.
    pub fn new(code: i64, message: impl Into<Cow<'static, str>>) -> RpcError {
        RpcError {
            code,
            message: message.into(),
            data: None,
        }
    }

    /// The same error with a `data` member, given as JSON text.
    pub fn with_data(mut self, data: impl Into<Box<str>>) -> RpcError {
        self.data = Some(data.into());
        self
    }

    /// -32601 naming the method.
    pub fn method_not_found(method: &str) -> RpcError {
        RpcError::new(
            super::METHOD_NOT_FOUND,
            format!("method `{}` not found", printable(method)),
        )
    }

    /// -32602 with the given sentence.
    pub fn invalid_params(message: impl Into<Cow<'static, str>>) -> RpcError {
        RpcError::new(super::INVALID_PARAMS, message)
    }

    /// -32600 with the given sentence.
    pub fn invalid_request(message: impl Into<Cow<'static, str>>) -> RpcError {
        RpcError::new(super::INVALID_REQUEST, message)
    }

    /// -32603; the detail belongs in the log, not on the wire.
    pub fn internal() -> RpcError {
        RpcError::new(
            super::INTERNAL_ERROR,
            "internal error; the server's log has the detail",
        )
    }
}

impl std::fmt::Display for RpcError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}


/// The peer's text as it may stand in an error message: bounded, so that an answer is never much
/// larger than what asked for it.
fn printable(text: &str) -> Cow<'_, str> {
    const CHARS_MAX: usize = 64;
    match text.char_indices().nth(CHARS_MAX) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}
