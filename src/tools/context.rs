//! What a running handler may ask of the server, one API for every revision.
//!
//! Questions to the client (`elicit`, `sample`, `roots`) show why: up to 2025-11-25 the server
//! sends a request and the handler waits; from 2026-07-28 on the call ends as `input_required` and
//! the handler runs again with the answers; inside a task the answer comes by `tasks/update`. A
//! handler writes `ctx.elicit("name", …).await?` and need not know.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use crate::mcp::answer::{Answer, Elicited, Root, Sampled};
use crate::mcp::capabilities::ClientCapabilities;
use crate::mcp::input::InputRequest;
use crate::mcp::logging::Level;
use crate::mcp::revision::Revision;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{CallError, Interrupt};

/// A boxed future of the one executor thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Something that changed on the server and that clients may have subscribed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The list of prompts.
    Prompts,
    /// The content of one resource, by URI.
    Resource(String),
    /// The list of resources.
    Resources,
    /// The list of tools.
    Tools,
}

/// The server's side of a [`Context`]: one running call. Implemented by `server`, and by tests.
pub trait Host {
    /// The protocol revision of the request.
    fn revision(&self) -> Revision;
    /// The name of the token the request came with, `anonymous` without one.
    fn caller(&self) -> &str;
    /// What the client says it can do.
    fn client(&self) -> &ClientCapabilities;
    /// Sends a progress notification if the request asked for progress.
    fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>);
    /// Sends a log message, JSON text, if the client wants this level.
    fn log(&self, level: Level, logger: Option<&str>, data: &RawValue);
    /// Asks the client several questions at once, each under its key.
    fn ask<'a>(&'a self, asks: Vec<Ask>) -> LocalFuture<'a, Result<Vec<Answer>, Interrupt>>;
    /// What [`Host::set_state`] kept in an earlier round of this call.
    fn state(&self) -> Option<String>;
    /// Keeps a text for the next round of this call, sealed.
    fn set_state(&self, state: String);
    /// Turns the rest of this call into a task, where the client supports it.
    fn start_task(&self) -> bool;
    /// Tells subscribers of a change.
    fn changed(&self, change: Change);
    /// Ends the response stream so that the client polls for the rest (2025-11-25).
    fn close_stream(&self);
    /// Whether the call was cancelled or has ended.
    fn is_over(&self) -> bool;
    /// Completes when the call is cancelled or has ended.
    fn over(&self) -> LocalFuture<'_, ()>;
    /// Lets the call run at least this long from now on, whatever its limit is; without a limit this does nothing.
    fn extend(&self, _at_least: Duration) {}
    /// Completes after the given time.
    fn sleep(&self, duration: Duration) -> LocalFuture<'_, ()>;
}

/// One question to the client, under a key that is unique within the call.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Names the question across rounds (2026-07-28 `basic/patterns/mrtr`).
    pub key: String,
    /// What is asked.
    pub request: InputRequest,
}

impl Ask {
    /// Asks the user for structured input; see [`Context::elicit`].
    pub fn elicit(key: &str, message: &str, schema: &str) -> Result<Ask, CallError> {
        Ok(Ask::new(key, InputRequest::elicit_json(message, schema)?))
    }

    /// Asks the client's model to go on after `prompt`, in at most `max_tokens`.
    pub fn sample(key: &str, prompt: &str, max_tokens: u32) -> Ask {
        Ask::new(key, InputRequest::sample_text(prompt, max_tokens))
    }

    /// Asks for the folders the client works in.
    pub fn roots(key: &str) -> Ask {
        Ask::new(key, InputRequest::ListRoots)
    }

    fn new(key: &str, request: InputRequest) -> Ask {
        Ask {
            key: key.to_owned(),
            request,
        }
    }
}

/// Given to every handler. Cheap to clone; clones may outlive the call and then do nothing.
#[derive(Clone)]
pub struct Context {
    host: Rc<dyn Host>,
}

impl Context {
    /// A context over any host; `server` makes these, and so may tests.
    pub fn new(host: Rc<dyn Host>) -> Context {
        Context { host }
    }

    /// The protocol revision of the request.
    pub fn revision(&self) -> Revision {
        self.host.revision()
    }

    /// The name of the token the request came with, `anonymous` without one.
    pub fn caller(&self) -> &str {
        self.host.caller()
    }

    /// What the client says it can do.
    pub fn client(&self) -> &ClientCapabilities {
        self.host.client()
    }

    /// Reports progress, if the client asked for it. `progress` must not decrease.
    pub fn progress(&self, progress: f64, total: Option<f64>) {
        self.host.progress(progress, total, None);
    }

    /// Reports progress with a sentence for a person (2025-03-26 and later; left out before).
    pub fn progress_message(&self, progress: f64, total: Option<f64>, message: &str) {
        self.host.progress(progress, total, Some(message));
    }

    /// Sends a log message to the client, if it wants this level.
    pub fn log(&self, level: Level, text: &str) {
        self.log_data(level, None, &text);
    }

    /// Sends structured log data under a logger name, if the client wants this level. Data that
    /// cannot be written as JSON is dropped.
    pub fn log_data(&self, level: Level, logger: Option<&str>, data: &impl Serialize) {
        if let Ok(data) = serde_json::value::to_raw_value(data) {
            self.host.log(level, logger, &data);
        }
    }

    /// Asks several questions at once and returns the answers in the same order.
    pub async fn ask(&self, asks: Vec<Ask>) -> Result<Vec<Answer>, Interrupt> {
        self.host.ask(asks).await
    }

    /// Asks the user for structured input; `schema` is the requested JSON Schema as text, an
    /// object of primitive properties (`client/elicitation`, "Requested Schema").
    pub async fn elicit(
        &self,
        key: &str,
        message: &str,
        schema: &str,
    ) -> Result<Elicited, CallError> {
        let answer = self.ask_one(Ask::elicit(key, message, schema)?).await?;
        answer.elicited().ok_or_else(unfit)
    }

    /// Asks the client's model to go on after `prompt`.
    pub async fn sample(
        &self,
        key: &str,
        prompt: &str,
        max_tokens: u32,
    ) -> Result<Sampled, CallError> {
        let answer = self.ask_one(Ask::sample(key, prompt, max_tokens)).await?;
        answer.sampled().ok_or_else(unfit)
    }

    /// Asks for the folders the client works in.
    pub async fn roots(&self, key: &str) -> Result<Vec<Root>, CallError> {
        self.ask_one(Ask::roots(key))
            .await?
            .roots()
            .ok_or_else(unfit)
    }

    async fn ask_one(&self, ask: Ask) -> Result<Answer, CallError> {
        let mut answers = self.host.ask(vec![ask]).await?;
        answers.pop().ok_or_else(unfit)
    }

    /// What [`Context::set_state`] kept in an earlier round of this call, if it was of this type.
    pub fn state<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.host.state()?).ok()
    }

    /// Keeps a value for the next round of this call. It travels through the client, readable but
    /// sealed: do not put secrets in it. State that cannot be written as JSON is dropped.
    pub fn set_state(&self, state: &impl Serialize) {
        if let Ok(state) = serde_json::to_string(state) {
            self.host.set_state(state);
        }
    }

    /// Turns the rest of this call into a task that the client polls, if client and tool support
    /// it; returns whether it did. Progress is not sent from then on, questions go by
    /// `tasks/update`.
    pub fn start_task(&self) -> bool {
        self.host.start_task()
    }

    /// Tells subscribed clients of a change.
    pub fn changed(&self, change: Change) {
        self.host.changed(change);
    }

    /// Ends the response stream after what was sent so far; a 2025-11-25 client reconnects for the
    /// rest (`basic/transports`, polling). Does nothing where no such stream is open.
    pub fn close_stream(&self) {
        self.host.close_stream();
    }

    /// Whether the call was cancelled or has ended. A cancelled handler is dropped at its next
    /// await; this is for clones held elsewhere.
    pub fn is_over(&self) -> bool {
        self.host.is_over()
    }

    /// Completes when the call is cancelled or has ended.
    pub async fn over(&self) {
        self.host.over().await;
    }

    /// Lets the call run at least this long from now on, for a handler that was asked to do what takes its time.
    /// `timeout.operation` holds for everything else.
    pub fn extend(&self, at_least: Duration) {
        self.host.extend(at_least);
    }

    /// Waits on the server's own timer.
    pub async fn sleep(&self, duration: Duration) {
        self.host.sleep(duration).await;
    }
}

fn unfit() -> CallError {
    CallError::Interrupted(Interrupt::Client(
        "the client's answer does not fit".to_owned(),
    ))
}
