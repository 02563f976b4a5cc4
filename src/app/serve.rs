//! Start-up and shutdown, in order.
//!
//! ```text
//!   state file ─▶ bind all ─▶ ready ─▶ serve ⟲ SIGHUP
//!                                        │ SIGTERM, SIGINT
//!                                        ▼
//!   stop accepting ─▶ finish what runs (grace) ─▶ end streams ─▶ save state ─▶ exit
//! ```

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use crate::gate::Principal;
use crate::gate::auth::Auth;
use crate::jsonrpc::{Envelope, Rules};
use crate::metrics::Metrics;
use crate::rt::shutdown::{Phase, Shutdown};
use crate::rt::signal::{Signal, Signals};
use crate::rt::{self, Clock, Deadlines, ListenAddr, Listener};
use crate::server::{Server, StateFile};
use crate::transport::http::{Http, SiteCell};
use crate::transport::stdio::{self, StdioEnd};

use super::plan::Plan;

/// Sessions change with every request; the file is written at most this often.
const SAVE_PERIOD: Duration = Duration::from_secs(5);

/// Why a server cannot start.
#[derive(Debug)]
pub enum ServeError {
    /// An address cannot be listened on.
    Bind {
        /// Which.
        address: ListenAddr,
        /// Why.
        error: io::Error,
    },
    /// The system is out of something.
    Io(io::Error),
}

/// What happens around a running server.
pub struct Hooks<'a> {
    /// Told each address as soon as it takes connections, e.g. `127.0.0.1:8000`.
    pub ready: &'a dyn Fn(&str),
    /// Makes a new plan on SIGHUP; `None` keeps the old one, and the reason has been logged.
    pub reload: &'a dyn Fn(u64) -> Option<Plan>,
}

/// Serves HTTP until SIGTERM or SIGINT.
pub fn serve(plan: Plan, hooks: &Hooks<'_>) -> Result<(), ServeError> {
    rt::run(async {
        let clock = Clock::system();
        let deadlines = Deadlines::new(&clock);
        let mut signals = Signals::new().map_err(ServeError::Io)?;
        let Plan {
            server,
            catalog,
            http,
            listeners,
            keepalive,
            ping,
            grace,
            state,
            announces_device,
        } = plan;
        let saved = state.as_ref().and_then(StateFile::read_or_set_aside);
        let seal_key = saved
            .as_ref()
            .and_then(|saved| saved.seal_key())
            .unwrap_or_else(rt::random);
        let metrics = Rc::new(Metrics::new());
        let server = Server::new(server, catalog, metrics.clone(), deadlines, seal_key);
        if let Some(saved) = &saved {
            let restored = server.restore(saved, |owner| owner_of(&http.auth, owner));
            log::info!("{restored} of {} sessions taken over", saved.len());
        }
        drop(saved);
        let shutdown = Shutdown::new();
        let http = Http::new(
            server.clone(),
            http,
            shutdown.clone(),
            &clock,
            keepalive,
            ping,
        );
        let mut sites: Vec<SiteCell> = Vec::new();
        let mut bound = Vec::new();
        for (address, site) in listeners {
            // All or nothing: a server that listens on half its addresses looks healthy and is not.
            let listener = Listener::bind(&address)
                .map_err(|error| ServeError::Bind { address, error })?
                .with_metrics(metrics.clone());
            let site: SiteCell = Rc::new(RefCell::new(Rc::new(site)));
            sites.push(site.clone());
            bound.push((listener, site));
        }
        for (listener, site) in bound {
            (hooks.ready)(&listener.local_addr());
            rt::spawn(http.clone().listen(listener, site)).detach();
        }
        rt::spawn(server.clone().expire_sessions()).detach();
        if announces_device {
            rt::spawn(super::device::announce_updates(server.clone())).detach();
        }
        if let Some(state) = &state {
            rt::spawn(save_changes(server.clone(), state.clone())).detach();
        }
        let mut generation = 1;
        loop {
            let signal = signals.next().await;
            if signal != Signal::Hangup {
                log::info!("{signal}: stopping");
                break;
            }
            generation += 1;
            if let Some(plan) = (hooks.reload)(generation) {
                apply(plan, &server, &http, &sites);
            }
        }
        shutdown.trigger(Phase::Graceful);
        let drained = async {
            server.stop().await;
            shutdown.drained().await;
        };
        let finished = rt::race(rt::timeout(grace, drained), signals.next()).await;
        match finished {
            Ok(Ok(())) => log::info!("stopped"),
            Ok(Err(_)) => {
                log::warn!(
                    "{} requests did not finish within {grace:?}",
                    server.requests_running()
                );
            }
            Err(signal) => log::warn!("{signal} again: stopping at once"),
        }
        shutdown.trigger(Phase::Now);
        server.end_streams();
        if let Some(state) = &state
            && let Err(error) = state.write(&server.save())
        {
            log::error!("state file {}: {error}", state.path().display());
        }
        Ok(())
    })
}

/// Serves stdin and stdout until either ends, or SIGTERM or SIGINT.
pub fn serve_stdio(plan: Plan) -> Result<StdioEnd, ServeError> {
    rt::run(async {
        let deadlines = Deadlines::new(&Clock::system());
        let mut signals = Signals::new().map_err(ServeError::Io)?;
        let Plan {
            server,
            catalog,
            http,
            grace,
            announces_device,
            ..
        } = plan;
        let server = Server::new(
            server,
            catalog,
            Rc::new(Metrics::new()),
            deadlines,
            rt::random(),
        );
        if announces_device {
            rt::spawn(super::device::announce_updates(server.clone())).detach();
        }
        let shutdown = Shutdown::new();
        let signalled = shutdown.clone();
        rt::spawn(async move {
            loop {
                match (signals.next().await, signalled.is_triggered()) {
                    // There is nothing to reload: a client starts this process anew at will.
                    (Signal::Hangup, _) => (),
                    (_, false) => signalled.trigger(Phase::Graceful),
                    (_, true) => signalled.trigger(Phase::Now),
                }
            }
        })
        .detach();
        let rules = Rules {
            batch_len_max: http.batch_len_max,
            depth_max: http.json_depth_max,
            envelope: Envelope::Strict,
        };
        stdio::serve(server, rules, http.body_bytes_max, grace, shutdown)
            .await
            .map_err(ServeError::Io)
    })
}

fn apply(plan: Plan, server: &Rc<Server>, http: &Http, sites: &[SiteCell]) {
    let listeners_changed = plan.listeners.len() != sites.len();
    server.reload(plan.server, plan.catalog);
    http.reload(plan.http);
    if listeners_changed {
        log::warn!("the listeners changed: restart to apply that");
        return;
    }
    for (cell, (_, site)) in sites.iter().zip(plan.listeners) {
        cell.replace(Rc::new(site));
    }
}

fn owner_of(auth: &Auth, name: &str) -> Option<Rc<Principal>> {
    auth.principal(name)
}

/// Writes the state file some time after something changed; an idle server does nothing.
async fn save_changes(server: Rc<Server>, state: StateFile) {
    loop {
        server.changed_state().await;
        rt::sleep(SAVE_PERIOD).await;
        let (bytes, file) = (server.save(), state.clone());
        match rt::thread::run("state", move || file.write(&bytes)).await {
            Ok(Ok(())) => (),
            Ok(Err(error)) | Err(error) => {
                log::error!("state file {}: {error}", state.path().display());
            }
        }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServeError::Bind { address, error } => write!(
                f,
                "cannot listen on {address}: {error}; free it or set `server.port`"
            ),
            ServeError::Io(error) => write!(f, "cannot start: {error}"),
        }
    }
}

impl std::error::Error for ServeError {}
