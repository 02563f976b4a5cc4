//! The table of tasks (SEP-2663): calls that go on after their response, until they end, are
//! cancelled, or their time to live is over. Found by id and owner, bounded.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::value::RawValue;

use crate::base64;
use crate::gate::Principal;
use crate::mcp::answer::Answer;
use crate::mcp::capabilities::ClientCapabilities;
use crate::mcp::errors::ProtocolError;
use crate::mcp::input::InputRequest;
use crate::mcp::result::Dialect;
use crate::mcp::revision::Revision;
use crate::mcp::task::{Task, TaskState, TaskStatus};
use crate::mcp::tool::ToolResult;
use crate::metrics::Limit;
use crate::rt;
use crate::rt::sync::Notify;
use crate::tools::{Ask, CallError, Interrupt, LocalFuture};

use super::Server;
use super::call::{Call, Failure};
use super::running::Switch;

/// How long a task is kept, from its creation.
const TTL_MS: u64 = 60 * 60 * 1000;
/// How often clients are told to poll.
const POLL_INTERVAL_MS: u64 = 500;

/// All tasks.
#[derive(Default)]
pub struct Tasks {
    // Keyed by client-supplied text, so std's keyed hasher stays.
    by_id: RefCell<HashMap<Box<str>, Rc<TaskEntry>>>,
}

/// One task.
pub struct TaskEntry {
    id: Box<str>,
    owner: Rc<str>,
    created_ms: u64,
    updated_ms: Cell<u64>,
    state: RefCell<State>,
    /// Answers that came and were not asked for again yet.
    answers: RefCell<Vec<(String, Answer)>>,
    answered: Notify,
    next_key: Cell<u64>,
    switch: Rc<Switch>,
}

enum State {
    Cancelled,
    Completed(Box<RawValue>),
    Failed(ProtocolError),
    InputRequired(Vec<(String, InputRequest)>),
    Working,
}

impl Server {
    /// Opens a task for this caller. None at `limits.tasks`, when all of them are still running.
    pub(super) fn open_task(
        &self,
        owner: &Principal,
        client: &ClientCapabilities,
    ) -> Option<Rc<TaskEntry>> {
        if !client.has_tasks() {
            return None;
        }
        let now_ms = rt::unix_ms();
        let limit = self.settings().limits.tasks;
        let mut by_id = self.tasks.by_id.borrow_mut();
        by_id.retain(|_, task| !task.is_outlived(now_ms));
        if by_id.len() >= limit {
            self.metrics.limit_hit(Limit::Tasks);
            let ended = by_id.values().filter(|task| task.is_over());
            let oldest = ended.min_by_key(|task| task.created_ms)?.id.clone();
            by_id.remove(&oldest);
        }
        let entry = Rc::new(TaskEntry {
            id: base64::encode_url(&rt::random::<16>()).into(),
            owner: owner.name.clone(),
            created_ms: now_ms,
            updated_ms: Cell::new(now_ms),
            state: RefCell::new(State::Working),
            answers: RefCell::default(),
            answered: Notify::new(),
            next_key: Cell::new(1),
            switch: Rc::default(),
        });
        by_id.insert(entry.id.clone(), entry.clone());
        Some(entry)
    }

    /// The task of this id, if it is the caller's and not outlived.
    pub(super) fn task(&self, id: &str, caller: &Principal) -> Option<Rc<TaskEntry>> {
        let task = self.tasks.by_id.borrow().get(id).cloned()?;
        (task.owner == caller.name && !task.is_outlived(rt::unix_ms())).then_some(task)
    }

    /// Runs the rest of a handler as a task.
    pub(super) fn run_task(
        self: &Rc<Self>,
        task: &Rc<TaskEntry>,
        call: Rc<Call>,
        revision: Revision,
        rest: LocalFuture<'static, Result<ToolResult, CallError>>,
    ) {
        let (server, entry) = (self.clone(), task.clone());
        let running = rt::spawn(async move {
            let ended = match rest.await {
                Ok(result) => Ok(result),
                Err(error) => call.failure(error).map(|failure| match failure {
                    Failure::Text(text) => ToolResult::error(text),
                    Failure::InputRequired => ToolResult::error("the task asked outside its input"),
                }),
            };
            let state = match ended {
                Ok(result) => {
                    let mut out = Vec::new();
                    let result = server.bounded(result);
                    server.with_dialect(revision, |dialect| result.write(&mut out, dialect));
                    match String::from_utf8(out)
                        .ok()
                        .and_then(|text| RawValue::from_string(text).ok())
                    {
                        Some(result) => State::Completed(result),
                        None => State::Failed(ProtocolError::internal("the result is not JSON")),
                    }
                }
                Err(error) => State::Failed(error),
            };
            entry.enter(state);
            entry.switch.finish();
        });
        task.switch.hold(running);
    }
}

impl TaskEntry {
    /// Writes the result that stands in for the result of the call that became this task.
    pub fn write_created(&self, out: &mut Vec<u8>, dialect: &Dialect<'_>) {
        self.facts().write_created(out, dialect, self.status());
    }

    /// Writes the result of `tasks/get`.
    pub fn write(&self, out: &mut Vec<u8>, dialect: &Dialect<'_>) {
        let state = self.state.borrow();
        let state = match &*state {
            State::Cancelled => TaskState::Cancelled,
            State::Completed(result) => TaskState::Completed(result),
            State::Failed(error) => TaskState::Failed(error),
            State::InputRequired(requests) => TaskState::InputRequired(requests),
            State::Working => TaskState::Working,
        };
        self.facts().write_state(out, dialect, &state);
    }

    /// Puts questions on the task and waits until all of them are answered. The keys are ours: a
    /// task may ask the same thing twice.
    pub async fn ask(&self, asks: Vec<Ask>) -> Result<Vec<Answer>, Interrupt> {
        let requests: Vec<(String, InputRequest)> = asks
            .into_iter()
            .map(|ask| {
                let number = self.next_key.get();
                self.next_key.set(number + 1);
                (format!("{}-{number}", ask.key), ask.request)
            })
            .collect();
        self.enter(State::InputRequired(requests.clone()));
        loop {
            let is_waiting = matches!(&*self.state.borrow(), State::InputRequired(_));
            if !is_waiting {
                break;
            }
            self.answered.notified().await;
        }
        let mut answers = self.answers.borrow_mut();
        let mut taken = Vec::with_capacity(requests.len());
        for (key, _) in &requests {
            let index = answers.iter().position(|(known, _)| known == key);
            let Some(index) = index else {
                return Err(Interrupt::Client(
                    "the task ended before it was answered".to_owned(),
                ));
            };
            taken.push(answers.swap_remove(index).1);
        }
        Ok(taken)
    }

    /// Takes the answer to one question. Unknown keys and answers that do not fit are ignored: the
    /// question stays open.
    pub fn answer(&self, key: &str, answer: &RawValue) {
        let all_answered = {
            let mut state = self.state.borrow_mut();
            let State::InputRequired(requests) = &mut *state else {
                return;
            };
            let mut asked = requests.iter().enumerate();
            let Some((index, (_, request))) = asked.find(|(_, (known, _))| known == key) else {
                return;
            };
            let Some(answer) = Answer::parse(request, answer) else {
                return;
            };
            requests.remove(index);
            self.answers.borrow_mut().push((key.to_owned(), answer));
            requests.is_empty()
        };
        self.updated_ms.set(rt::unix_ms());
        if all_answered {
            self.enter(State::Working);
        }
    }

    /// Cancels the task, unless it has ended.
    pub fn cancel(&self) {
        if !self.is_over() {
            self.enter(State::Cancelled);
            self.switch.cancel();
        }
    }

    fn enter(&self, state: State) {
        // What was cancelled stays cancelled, even if its handler ends in the same moment.
        if self.is_over() {
            return;
        }
        self.state.replace(state);
        self.updated_ms.set(rt::unix_ms());
        self.answered.notify_all();
    }

    fn status(&self) -> TaskStatus {
        match &*self.state.borrow() {
            State::Cancelled => TaskStatus::Cancelled,
            State::Completed(_) => TaskStatus::Completed,
            State::Failed(_) => TaskStatus::Failed,
            State::InputRequired(_) => TaskStatus::InputRequired,
            State::Working => TaskStatus::Working,
        }
    }

    fn is_over(&self) -> bool {
        self.status().is_terminal()
    }

    fn is_outlived(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.created_ms) > TTL_MS
    }

    fn facts(&self) -> Task {
        Task {
            id: self.id.to_string(),
            status_message: None,
            created_ms: self.created_ms,
            updated_ms: self.updated_ms.get(),
            ttl_ms: Some(TTL_MS),
            poll_interval_ms: Some(POLL_INTERVAL_MS),
        }
    }
}
