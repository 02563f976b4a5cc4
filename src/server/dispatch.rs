//! From a message to its handler: which era it belongs to, which method it names, and what becomes
//! of its answer.
//!
//! ```text
//!   message ─▶ classify (era) ─▶ METHODS (one table) ─▶ handler ─┬─ answered at once ─▶ Ready
//!                                                                └─ pending ─▶ task ─▶ Running
//! ```
//!
//! What comes in is told apart here; the steps of a request are the modules below, in this order.

mod request;

mod era;
mod exchange;
mod lane;

mod ending;
mod refusal;

mod one_way;

use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::jsonrpc::{Message, ParseError, ParseErrorKind, UnknownId, encode_error};
use crate::mcp::errors::ProtocolError;
use crate::metrics::{Limit, MethodLabel, Transport};
use crate::rt;

use super::Server;
use super::arrival::{Answer, Arrival, Reply};
use super::outlet::Status;

use lane::Lane;
use refusal::{Refusal, unknown_id};
use request::Begun;

pub use era::Era;
pub use exchange::{Exchange, Flow};

impl Server {
    /// Takes one message.
    pub fn receive(self: &Rc<Self>, message: Message<'_>, arrival: &Arrival<'_>) -> Reply {
        match message {
            Message::Notification(notification) => self.notified(&notification, arrival),
            Message::Response(response) => self.responded(&response, arrival),
            Message::Request(request) => {
                let lane = Lane::new(self, arrival, 1);
                match self.begin(&request, &lane) {
                    Begun::Ready(answer) => Reply::Ready(answer),
                    Begun::Running(tie) => Reply::Running(lane.into_running([tie])),
                }
            }
        }
    }

    /// Takes a batch: only revisions and endpoints that allow one (2025-03-26 `basic/index`,
    /// "Batching").
    pub fn receive_batch(
        self: &Rc<Self>,
        messages: Vec<Result<Message<'_>, ParseError>>,
        arrival: &Arrival<'_>,
    ) -> Reply {
        if let Err(refusal) = self.check_batch(arrival) {
            return Reply::Ready(refusal.answer(None, UnknownId::Null));
        }
        let requests = |message: &Result<Message<'_>, ParseError>| {
            matches!(message, Ok(Message::Request(_)) | Err(_))
        };
        let answers = messages.iter().filter(|message| requests(message)).count();
        let lane = Lane::of_batch(self, arrival, answers);
        let mut ready = Vec::new();
        let mut running = Vec::new();
        for message in messages {
            match message {
                Err(error) => ready.push(refuse_element(&error)),
                Ok(Message::Notification(notification)) => {
                    _ = self.notified(&notification, arrival);
                }
                Ok(Message::Response(response)) => _ = self.responded(&response, arrival),
                Ok(Message::Request(request)) => match self.begin(&request, &lane) {
                    Begun::Ready(answer) => ready.push(answer.text),
                    Begun::Running(tie) => running.push(tie),
                },
            }
        }
        if running.is_empty() && !lane.must_keep_order() {
            if ready.is_empty() {
                return Reply::Accepted;
            }
            let text = join_batch(ready.iter().map(Vec::as_slice));
            return Reply::Ready(Answer {
                text,
                status: Status::Answered,
                opened: None,
            });
        }
        for text in ready {
            lane.route().answer(text, Status::Answered);
        }
        Reply::Running(lane.into_running(running))
    }

    /// The answer to a text that is no message.
    pub fn refuse(&self, error: &ParseError, arrival: &Arrival<'_>) -> Answer {
        match error.kind {
            ParseErrorKind::BatchTooLong { .. } => self.metrics.limit_hit(Limit::Batch),
            ParseErrorKind::TooDeep { .. } => self.metrics.limit_hit(Limit::JsonDepth),
            _ => (),
        }
        let error_object = ProtocolError::new(error.code(), error.to_string());
        self.metrics.rpc_request(
            MethodLabel::Other,
            arrival.transport,
            Duration::ZERO,
            Some(error_object.code),
        );
        Refusal::bad(error_object).answer(error.id.as_ref(), unknown_id(arrival))
    }

    /// The answer to a stdio line that was too long to be read.
    pub fn refuse_line(&self, bytes: u64, limit: usize, arrival: &Arrival<'_>) -> Answer {
        let text = format!("line of {bytes} bytes exceeds `limits.body_bytes` ({limit})");
        Refusal::bad(ProtocolError::invalid_request(text)).answer(None, unknown_id(arrival))
    }

    fn measured(&self, measure: &Measure, error: Option<i64>) {
        self.measured_at(rt::now(), measure, error);
    }

    fn measured_at(&self, now: Instant, measure: &Measure, error: Option<i64>) {
        let duration = now.saturating_duration_since(measure.started);
        self.metrics
            .rpc_request(measure.label, measure.transport, duration, error);
    }
}

/// What the metrics say of one message.
struct Measure {
    label: MethodLabel,
    transport: Transport,
    started: Instant,
}

fn refuse_element(error: &ParseError) -> Vec<u8> {
    let object = ProtocolError::new(error.code(), error.to_string());
    let mut text = Vec::new();
    encode_error(&mut text, error.id.as_ref(), UnknownId::Null, |out| {
        object.write(out)
    });
    text
}

/// Several answers as one JSON array.
pub fn join_batch<'a>(answers: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut text = vec![b'['];
    for (index, answer) in answers.enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(answer);
    }
    text.push(b']');
    text
}
