//! One running handler: the server's side of a [`Context`](crate::tools::Context).
//!
//! Three ways to ask the client stand behind one method. In a legacy session a request is sent and
//! its answer awaited. In the stateless era answers come with the retry of the whole call, so a
//! question without one ends this round. In a task the question is put on the task.

mod rounds;

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use crate::gate::Principal;
use crate::mcp::answer::Answer;
use crate::mcp::capabilities::ClientCapabilities;
use crate::mcp::errors::ProtocolError;
use crate::mcp::logging::Level;
use crate::mcp::notifications::{self, Progress};
use crate::mcp::revision::Revision;
use crate::rt::{self, Deadline, Expired};
use crate::tools::{Ask, CallError, Change, Host, Interrupt, LocalFuture};

use super::Server;
use super::dispatch::{Era, Exchange};
use super::running::{Route, Switch};
use super::session::Session;
use super::tasks::TaskEntry;

use rounds::{Bound, Round};

/// See the module.
pub struct Call {
    server: Rc<Server>,
    session: Option<Rc<Session>>,
    caller: Rc<Principal>,
    revision: Revision,
    client: Rc<ClientCapabilities>,
    /// Made when something is sent: most calls are answered at once and send nothing.
    route: OnceCell<Route>,
    /// Whether the client may come back for the response.
    is_resumable: bool,
    /// Made when the call has to wait, or somebody for its end.
    switch: OnceCell<Rc<Switch>>,
    /// It ended without having waited.
    is_finished: Cell<bool>,
    /// When its result was written.
    ended: Cell<Option<Instant>>,
    progress_token: Option<Box<str>>,
    /// The level this one request wants, in revisions where each says so.
    log_level: Option<Level>,
    /// By the clock of the deadlines.
    started: Instant,
    /// Runs while the handler works, rests while the client is being asked. Made when it has to wait.
    deadline: OnceCell<Deadline>,
    /// What sealed state is bound to; none in revisions that have no such state, and for handlers that leave none.
    bound: OnceCell<Bound>,
    /// Most calls have one round and nothing to remember of it.
    round: RefCell<Option<Box<Round>>>,
    task: RefCell<TaskState>,
    /// Whether tool and client support tasks.
    may_become_task: Cell<bool>,
}

enum TaskState {
    None,
    Running(Rc<TaskEntry>),
}

impl Call {
    /// A call for this request. A retry brings answers and sealed state; state that we did not
    /// seal for this caller and request is an error (2026-07-28 `basic/patterns/mrtr`).
    pub fn new(exchange: &Exchange<'_>) -> Result<Rc<Call>, ProtocolError> {
        let server = exchange.server;
        let (bound, round) = rounds::open(exchange)?;
        let log_level = match exchange.era {
            Era::Stateless { claim, .. } => claim.log_level,
            Era::Legacy { .. } => None,
        };
        let call = Rc::new(Call {
            server: server.clone(),
            session: exchange.session().cloned(),
            caller: exchange.caller().clone(),
            revision: exchange.revision(),
            client: exchange.client().clone(),
            route: exchange
                .shared_route()
                .map(OnceCell::from)
                .unwrap_or_default(),
            is_resumable: exchange.is_resumable(),
            switch: OnceCell::new(),
            is_finished: Cell::new(false),
            ended: Cell::new(None),
            progress_token: (exchange.meta.progress_token).map(|token| token.get().into()),
            log_level,
            started: server.deadlines.now(),
            deadline: OnceCell::new(),
            bound,
            round: RefCell::new(round),
            task: RefCell::new(TaskState::None),
            may_become_task: Cell::new(false),
        });
        exchange.run_by(&call);
        Ok(call)
    }

    /// A call whose handler may wait, and so outlive the request.
    pub fn pending(exchange: &Exchange<'_>) -> Result<Rc<Call>, ProtocolError> {
        let call = Call::new(exchange)?;
        call.keep_request(exchange.request);
        Ok(call)
    }

    /// The server it runs in.
    pub fn server(&self) -> &Rc<Server> {
        &self.server
    }

    fn route(&self) -> &Route {
        self.route.get_or_init(|| {
            let session = self.session.clone().filter(|_| self.is_resumable);
            Route::response(session, 1, &self.server.settings().limits)
        })
    }

    /// The route, if anything was sent by it.
    pub fn route_made(&self) -> Option<&Route> {
        self.route.get()
    }

    /// Sends by this route from now on, unless it has one.
    pub fn take_route(&self, route: &Route) {
        self.route.get_or_init(|| route.clone());
    }

    /// What stops it.
    pub fn switch(&self) -> &Rc<Switch> {
        self.switch.get_or_init(Rc::default)
    }

    /// It has ended without having waited.
    pub fn finish(&self) {
        self.is_finished.set(true);
        if let Some(switch) = self.switch.get() {
            switch.finish();
        }
    }

    /// Reads the clock for whoever measures the call.
    pub fn note_end(&self) -> Instant {
        let now = rt::now();
        self.ended.set(Some(now));
        now
    }

    /// When its result was written, if it has been.
    pub fn ended(&self) -> Option<Instant> {
        self.ended.get()
    }

    fn deadline(&self) -> &Deadline {
        self.deadline.get_or_init(|| {
            let deadline = self.server.deadlines.slot();
            deadline.set_at(rt::later(self.started, self.server.settings().tool_call));
            deadline
        })
    }

    /// Lets the handler turn this call into a task.
    pub fn allow_task(&self) {
        self.may_become_task.set(true);
    }

    /// The task this call has become, if it has.
    pub fn task(&self) -> Option<Rc<TaskEntry>> {
        match &*self.task.borrow() {
            TaskState::None => None,
            TaskState::Running(entry) => Some(entry.clone()),
        }
    }

    /// Whether the handler has had its time.
    pub fn poll_deadline(&self, cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        self.deadline().poll_expired(cx).map(|_| ())
    }

    /// Drives the handler of a prompt, a resource or a completion until it is done or has had its
    /// time; `what` names it to the client.
    pub async fn drive<T>(
        &self,
        what: &str,
        future: LocalFuture<'static, Result<T, CallError>>,
    ) -> Result<T, CallError> {
        match rt::within(self.deadline(), future).await {
            Ok(outcome) => outcome,
            Err(Expired) => Err(self.overdue(what)),
        }
    }

    /// What is said of a handler that has had its time.
    pub fn overdue(&self, what: &str) -> CallError {
        let limit = self.server.settings().tool_call;
        CallError::Failed(format!(
            "the {what} ran longer than `timeout.operation` ({limit:?})"
        ))
    }

    /// Turns a handler's failure into what the protocol says of it. `Ok` is a result to be shown
    /// as a failure to the model; only tools have those.
    pub fn failure(&self, error: CallError) -> Result<Failure, ProtocolError> {
        match error {
            CallError::Protocol(error) => Err(error),
            CallError::Arguments(text) if !self.revision.bad_arguments_are_results() => {
                Err(ProtocolError::invalid_params(text))
            }
            CallError::Interrupted(Interrupt::InputRequired) => Ok(Failure::InputRequired),
            CallError::Interrupted(Interrupt::Undeclared(missing))
                if self.revision.has_input_required() =>
            {
                Err(ProtocolError::missing_capabilities(&missing))
            }
            other => Ok(Failure::Text(other.text().into_owned())),
        }
    }

    async fn ask_session(
        &self,
        session: &Session,
        asks: Vec<Ask>,
    ) -> Result<Vec<Answer>, Interrupt> {
        let settings = self.server.settings();
        let mut questions = Vec::with_capacity(asks.len());
        for ask in &asks {
            let mut params = Vec::new();
            if ask.request.has_params() {
                ask.request.write_params(&mut params, self.revision);
            }
            let params = (!params.is_empty()).then_some(params);
            let (text, question) = session.ask(ask.request.method(), params.as_deref());
            self.route().message(text);
            questions.push(question);
        }
        self.deadline().clear();
        let mut answers = Vec::with_capacity(asks.len());
        for (question, ask) in questions.into_iter().zip(&asks) {
            match rt::timeout(settings.client_answer, question.answer()).await {
                Ok(Ok(raw)) => match Answer::parse(&ask.request, &raw) {
                    Some(answer) => answers.push(answer),
                    None => {
                        let text = "the client's answer does not fit the question".to_owned();
                        return Err(Interrupt::Client(text));
                    }
                },
                Ok(Err(reason)) => return Err(Interrupt::Client(reason)),
                Err(_) => {
                    let seconds = settings.client_answer.as_secs();
                    let text = format!("the client did not answer within {seconds} s");
                    return Err(Interrupt::Client(text));
                }
            }
        }
        self.deadline().set(settings.tool_call);
        Ok(answers)
    }
}

/// A failure that is not a protocol error.
pub enum Failure {
    /// The round ends with questions.
    InputRequired,
    /// A sentence.
    Text(String),
}

impl Host for Call {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn caller(&self) -> &str {
        &self.caller.name
    }

    fn client(&self) -> &ClientCapabilities {
        &self.client
    }

    fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        let Some(token) = &self.progress_token else {
            return;
        };
        if self.is_over() || self.task().is_some() {
            return;
        }
        let mut text = Vec::with_capacity(160);
        let report = Progress {
            progress,
            total,
            message,
        };
        notifications::progress(&mut text, self.revision, token, &report);
        self.route().message(text);
    }

    fn log(&self, level: Level, logger: Option<&str>, data: &RawValue) {
        let wanted = match (&self.session, self.revision.logs_are_per_request()) {
            (_, true) => self.log_level,
            (Some(session), false) => Some(session.log_level()),
            (None, false) => None,
        };
        if wanted.is_none_or(|wanted| level < wanted) || self.is_over() || self.task().is_some() {
            return;
        }
        let mut text = Vec::with_capacity(160);
        notifications::log(&mut text, level, logger, data);
        self.route().message(text);
    }

    fn ask<'a>(&'a self, asks: Vec<Ask>) -> LocalFuture<'a, Result<Vec<Answer>, Interrupt>> {
        Box::pin(async move {
            // A client may declare what its revision has no message for: it is not asked either.
            let missing = asks.iter().find_map(|ask| {
                let needs = ask.request.needs();
                match ask.request.exists_in(self.revision) {
                    true => self.client.missing(&needs),
                    false => Some(needs),
                }
            });
            if let Some(missing) = missing {
                return Err(Interrupt::Undeclared(Box::new(missing)));
            }
            if let Some(task) = self.task() {
                return task.ask(asks).await;
            }
            if self.revision.has_input_required() {
                return self.answers_at_hand(asks);
            }
            match &self.session {
                Some(session) => self.ask_session(session, asks).await,
                None => Err(Interrupt::Client(
                    "this endpoint cannot ask the client".to_owned(),
                )),
            }
        })
    }

    fn state(&self) -> Option<String> {
        self.round.borrow().as_ref()?.state.clone()
    }

    fn set_state(&self, state: String) {
        self.round.borrow_mut().get_or_insert_default().state = Some(state);
    }

    fn start_task(&self) -> bool {
        if self.task().is_some() {
            return true;
        }
        if !self.may_become_task.get() {
            return false;
        }
        let Some(entry) = self.server.open_task(&self.caller, &self.client) else {
            return false;
        };
        // A task may run for hours; it ends by itself, by `tasks/cancel` or with its time to live.
        self.deadline().clear();
        self.task.replace(TaskState::Running(entry));
        true
    }

    fn changed(&self, change: Change) {
        self.server.announce(&change);
    }

    fn close_stream(&self) {
        self.route().close_stream();
    }

    fn is_over(&self) -> bool {
        let is_over = |switch: &Rc<Switch>| switch.is_over();
        (self.is_finished.get() || self.switch.get().is_some_and(is_over)) && self.task().is_none()
    }

    fn over(&self) -> LocalFuture<'_, ()> {
        Box::pin(async {
            if !self.is_finished.get() {
                self.switch().over().await;
            }
        })
    }

    fn extend(&self, at_least: Duration) {
        // While the client is asked the deadline rests, and begins anew afterwards.
        if let Some(at) = self.deadline().at() {
            self.deadline()
                .set_at(at.max(rt::later(rt::now(), at_least)));
        }
    }

    fn sleep(&self, duration: Duration) -> LocalFuture<'_, ()> {
        Box::pin(rt::sleep(duration))
    }
}
