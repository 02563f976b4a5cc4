//! What one JSON-RPC message is once parsed. Everything borrows from the received text.

use std::borrow::Cow;

use crate::raw::Raw;

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
    pub params: Option<Raw<'a>>,
}

/// A call that expects no answer.
#[derive(Debug)]
pub struct Notification<'a> {
    /// The method name, unescaped.
    pub method: Cow<'a, str>,
    /// The `params` member as text: an object or an array, absent if not sent.
    pub params: Option<Raw<'a>>,
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
    Error(Raw<'a>),
    /// The `result` member as text.
    Result(Raw<'a>),
}
