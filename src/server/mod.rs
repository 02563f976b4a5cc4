//! The protocol server: sessions, dispatch, handlers, fan-out. Knows no transport: it is given
//! messages with an [`Arrival`](arrival::Arrival) and answers with a [`Reply`](arrival::Reply).
//!
//! Everything runs on one thread; shared state is `Rc` and `Cell`, and no borrow is held across an
//! await.

pub mod arrival;
pub mod outlet;
pub mod session;

mod call;
mod dispatch;
mod events;
mod handlers;
mod listen;
mod running;
mod sessions;
mod state;
mod stream;
mod tasks;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::catalog::Catalog;
use crate::gate::auth::Standing;
use crate::mcp::capabilities::{Implementation, ServerCapabilities};
use crate::mcp::result::{CacheHint, Dialect};
use crate::mcp::revision::Revision;
use crate::mcp::seal::Sealer;
use crate::metrics::{Limit, Metrics};
use crate::rt::Deadlines;
use crate::rt::sync::Notify;
use crate::tools::Change;

pub use dispatch::join_batch;
pub use events::{EventFilter, PublishError};
pub use sessions::SessionsFull;
pub use state::{StateError, StateFile, fuzz_state};

/// What a server is told at its start and at each reload.
#[derive(Clone)]
pub struct Settings {
    /// Name and version of the server, shown to clients.
    pub implementation: Implementation,
    /// A hint to the model about the server, if any.
    pub instructions: Option<String>,
    /// See [`Limits`].
    pub limits: Limits,
    /// Longest run of a handler (`timeout.operation`), not counting the time the client takes to
    /// answer questions.
    pub tool_call: Duration,
    /// Longest wait for the client's answer to a question of ours.
    pub client_answer: Duration,
    /// A session not heard of for so long is ended.
    pub session_idle: Duration,
    /// Entries on one page of a list (`limits.page`).
    pub page_len: usize,
    /// Put before each session id, with a dot; a proxy routes by it.
    pub session_prefix: Option<String>,
    /// How long clients may keep lists (2026-07-28 `server/utilities/caching`).
    pub cache: CacheHint,
}

/// The caps of the protocol layer, each with its key in `[limits]`.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Legacy sessions (`sessions`).
    pub sessions: usize,
    /// Open streams of all kinds (`streams`).
    pub streams: usize,
    /// Requests that are running (`requests_in_flight`).
    pub requests_in_flight: usize,
    /// Bytes waiting for one slow reader (`stream_queue_bytes`).
    pub stream_queue_bytes: usize,
    /// Bytes kept for replay per session (`replay_bytes`).
    pub replay_bytes: usize,
    /// Bytes kept for replay for all sessions together (`replay_total_bytes`).
    pub replay_total_bytes: usize,
    /// Bytes of one tool's result (`tool_output_bytes`).
    pub tool_output_bytes: usize,
    /// Resource subscriptions per session or listen stream (`subscriptions`).
    pub subscriptions: usize,
    /// Tasks kept, running or finished (`tasks`).
    pub tasks: usize,
}

/// The defaults of `[limits]`.
impl Default for Limits {
    fn default() -> Limits {
        Limits {
            sessions: 1024,
            streams: 128,
            requests_in_flight: 64,
            stream_queue_bytes: 64 * 1024,
            replay_bytes: 64 * 1024,
            replay_total_bytes: 4 * 1024 * 1024,
            tool_output_bytes: 256 * 1024,
            subscriptions: 64,
            tasks: 256,
        }
    }
}

/// The server. Transports share it by `Rc`.
pub struct Server {
    settings: RefCell<Rc<Settings>>,
    catalog: RefCell<Rc<Catalog>>,
    /// Counters; transports count here too.
    pub metrics: Rc<Metrics>,
    /// Deadlines of everything that waits.
    pub deadlines: Deadlines,
    sessions: Rc<sessions::Sessions>,
    listeners: listen::Listeners,
    events: events::Events,
    tasks: tasks::Tasks,
    /// Requests that are running, listen streams not included.
    running: Cell<usize>,
    /// Listen streams that are open.
    listening: Cell<usize>,
    /// Open streams of all kinds.
    streams: Cell<usize>,
    /// Woken whenever a running request ends.
    idle: Notify,
    /// Signs what travels through clients: request state, page cursors.
    sealer: Sealer,
    /// Kept for the state file, so that what clients hold outlives a restart.
    seal_key: [u8; 32],
    /// Our name as clients of typed revisions see it, rendered once.
    server_info: RefCell<Rc<str>>,
    is_stopping: Cell<bool>,
    resource_watch: Notify,
}

/// A place among `limits.streams`, given back when dropped.
pub struct StreamPermit(Rc<Server>);

impl Server {
    /// A server that offers `catalog`.
    pub fn new(
        settings: Settings,
        catalog: Catalog,
        metrics: Rc<Metrics>,
        deadlines: Deadlines,
        seal_key: [u8; 32],
    ) -> Rc<Server> {
        let server_info = settings.implementation.render(Revision::LATEST).into();
        let replay_bytes_max = settings.limits.replay_total_bytes;
        let sessions = sessions::Sessions::new(metrics.clone(), replay_bytes_max);
        let server = Rc::new(Server {
            settings: RefCell::new(Rc::new(settings)),
            catalog: RefCell::new(Rc::new(catalog)),
            metrics,
            deadlines,
            sessions,
            listeners: listen::Listeners::default(),
            events: events::Events::default(),
            tasks: tasks::Tasks::default(),
            running: Cell::new(0),
            listening: Cell::new(0),
            streams: Cell::new(0),
            idle: Notify::new(),
            sealer: Sealer::new(&seal_key),
            seal_key,
            server_info: RefCell::new(server_info),
            is_stopping: Cell::new(false),
            resource_watch: Notify::new(),
        });
        server.count_catalog();
        server
    }

    /// The settings as of now.
    pub fn settings(&self) -> Rc<Settings> {
        self.settings.borrow().clone()
    }

    /// What is offered as of now.
    pub fn catalog(&self) -> Rc<Catalog> {
        self.catalog.borrow().clone()
    }

    /// Puts new settings and a new catalog in place and tells clients which lists changed: all of
    /// them of what changed for all, and those whose rights changed of their tools. What belongs to
    /// a caller that is gone ends; running requests of the others keep what they started with.
    pub fn reload(
        self: &Rc<Self>,
        settings: Settings,
        catalog: Catalog,
        standing: impl Fn(&str) -> Standing,
    ) {
        self.end_callers(|caller| standing(caller) == Standing::Gone);
        let info: Rc<str> = settings.implementation.render(Revision::LATEST).into();
        self.server_info.replace(info);
        let replay_bytes_max = settings.limits.replay_total_bytes;
        self.sessions.set_replay_bytes_max(replay_bytes_max);
        self.settings.replace(Rc::new(settings));
        let changes = self.catalog.borrow().changes_to(&catalog);
        self.catalog.replace(Rc::new(catalog));
        self.count_catalog();
        for change in &changes {
            self.announce(change);
        }
        if !changes.contains(&Change::Tools) {
            self.announce_to(&Change::Tools, |caller| {
                standing(caller) == Standing::Changed
            });
        }
    }

    /// Ends sessions and streams of callers that may not come in any more. Requests outside
    /// sessions are answered: they were let in.
    fn end_callers(&self, is_gone: impl Fn(&str) -> bool) {
        self.listeners.finish(&is_gone);
        self.events.end(outlet::EndReason::SessionOver, &is_gone);
        self.visit_sessions(|session| {
            if is_gone(&session.owner.name) {
                self.end_session(session, outlet::EndReason::SessionOver);
            }
        });
    }

    fn count_catalog(&self) {
        let catalog = self.catalog.borrow();
        for entry in &catalog.tools {
            // Registered up front, so that the metrics show every tool from the start.
            _ = self.metrics.tool(entry.tool.name());
        }
        let resources = catalog.resources.len() + catalog.templates.len();
        self.metrics.set_registered(catalog.tools.len(), resources);
    }

    /// What the server can do, computed from what it offers.
    pub fn capabilities(&self) -> ServerCapabilities {
        let catalog = self.catalog.borrow();
        ServerCapabilities {
            tools: !catalog.tools.is_empty(),
            resources: !catalog.resources.is_empty() || !catalog.templates.is_empty(),
            prompts: !catalog.prompts.is_empty(),
            completions: catalog.has_completions(),
            logging: true,
            subscribe: true,
            list_changed: true,
            tasks: catalog.has_tasks(),
        }
    }

    /// How results of a revision are dressed.
    pub(crate) fn with_dialect<T>(
        &self,
        revision: Revision,
        act: impl FnOnce(&Dialect<'_>) -> T,
    ) -> T {
        let server_info = self.server_info.borrow().clone();
        act(&Dialect {
            revision,
            server_info: &server_info,
        })
    }

    /// Takes a place for a stream, unless `limits.streams` are open.
    pub fn stream_permit(self: &Rc<Self>) -> Option<StreamPermit> {
        if self.streams.get() >= self.settings.borrow().limits.streams {
            self.metrics.limit_hit(Limit::Streams);
            return None;
        }
        self.streams.set(self.streams.get() + 1);
        Some(StreamPermit(self.clone()))
    }

    /// An outlet for a new stream, with the bound of `limits.stream_queue_bytes`.
    pub fn stream_outlet(&self) -> outlet::Outlet {
        outlet::Outlet::new(self.settings.borrow().limits.stream_queue_bytes)
    }

    /// How many requests are running.
    pub fn requests_running(&self) -> usize {
        self.running.get()
    }

    /// How many streams are open.
    pub fn streams_open(&self) -> usize {
        self.streams.get()
    }

    /// Completes when something that the state file keeps has changed.
    pub async fn changed_state(&self) {
        self.sessions.dirty.notified().await;
    }

    /// Whether the server has been told to stop.
    pub fn is_stopping(&self) -> bool {
        self.is_stopping.get()
    }

    /// Stops orderly: listen streams get their last message, running requests may finish. Returns
    /// when nothing runs any more; the caller bounds the wait.
    pub async fn stop(&self) {
        self.is_stopping.set(true);
        self.listeners.finish(|_| true);
        while self.running.get() + self.listening.get() > 0 {
            self.idle.notified().await;
        }
        self.end_streams();
    }

    /// Ends every stream on an event boundary.
    pub fn end_streams(&self) {
        self.listeners.finish(|_| true);
        self.events.end(outlet::EndReason::Shutdown, |_| true);
        self.sessions
            .visit(|session| session.detach_streams(outlet::EndReason::Shutdown));
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        self.0.streams.set(self.0.streams.get() - 1);
    }
}
