//! Start-up and shutdown, in order.
//!
//! ```text
//!   state file ─▶ bind all ─▶ ready ─▶ serve ⟲ SIGHUP
//!                                        │ SIGTERM, SIGINT
//!                                        ▼
//!   stop accepting ─▶ finish what runs (grace) ─▶ end streams ─▶ save state ─▶ exit
//!        └── a second signal skips the grace ──────────▲
//! ```

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use crate::gate::Principal;
use crate::gate::auth::{Auth, Standing};
use crate::jsonrpc::{Envelope, Rules};
use crate::rt::shutdown::{Phase, Shutdown};
use crate::rt::signal::{Signal, Signals};
use crate::rt::{self, Clock, Deadlines, ListenAddr, Listener};
use crate::server::{Server, StateFile};
use crate::transport::certificates::Certificates;
use crate::transport::http::{Http, SiteCell};
use crate::transport::site::Settings;
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
    /// The service manager handed over sockets that nothing is configured to use.
    NotConfigured {
        /// What they are bound to.
        addresses: Vec<String>,
    },
}

/// How often the files of the configuration are looked at, if they are watched.
const WATCH_PERIOD: Duration = Duration::from_secs(1);
/// After the grace: how long streams get to be written their end. Enough for every peer that reads.
const LAST_WRITES: Duration = Duration::from_millis(500);

/// What happens around a running server.
pub struct Hooks<'a> {
    /// Told each scheme and address as soon as it takes connections, e.g. `http` and `127.0.0.1:8000`.
    pub ready: &'a dyn Fn(&str, &str),
    /// Told once when all of them do.
    pub all_ready: &'a dyn Fn(),
    /// Makes a new plan on SIGHUP; `None` keeps the old one, and the reason has been logged.
    pub reload: &'a dyn Fn(u64) -> Option<Plan>,
    /// Looks whether the files of the configuration have changed and come to rest; asked every
    /// second. Without it only SIGHUP reloads.
    pub has_changed: Option<&'a dyn Fn() -> bool>,
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
            limits,
            state,
            announces_device,
            mut services,
            metrics,
            jwks: _,
        } = plan;
        // Kept for the comparison with the next: who may come in then and could before.
        let mut callers = Callers::of(&http);
        let saved = state.as_ref().and_then(StateFile::read_or_set_aside);
        let seal_key = saved
            .as_ref()
            .and_then(|saved| saved.seal_key())
            .unwrap_or_else(rt::random);
        metrics.set_limits(limits);
        let server = Server::new(server, catalog, metrics.clone(), deadlines, seal_key);
        if let Some(saved) = &saved {
            let restored = server.restore(saved, |owner| callers.principal(owner));
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
        let mut inherited = rt::Inherited::take().map_err(ServeError::Io)?;
        for (address, site) in listeners {
            // All or nothing: a server that listens on half its addresses looks healthy and is not.
            let listener = Listener::inherit_or_bind(&address, &mut inherited)
                .map_err(|error| ServeError::Bind { address, error })?
                .with_metrics(metrics.clone());
            let site: SiteCell = Rc::new(RefCell::new(Rc::new(site)));
            sites.push(site.clone());
            bound.push((listener, site));
        }
        let addresses = inherited.left();
        if !addresses.is_empty() {
            return Err(ServeError::NotConfigured { addresses });
        }
        for (listener, site) in bound {
            let scheme = if site.borrow().tls.is_some() {
                "https"
            } else {
                "http"
            };
            (hooks.ready)(scheme, &listener.local_addr());
            rt::spawn(http.clone().listen(listener, site)).detach();
        }
        rt::spawn(server.clone().expire_sessions()).detach();
        if announces_device {
            rt::spawn(super::device::announce_updates(server.clone())).detach();
        }
        let saver = state.map(|state| {
            let saved = save_changes(server.clone(), state, shutdown.clone());
            rt::spawn(saved)
        });
        (hooks.all_ready)();
        tell_supervisor("READY=1");
        if let Some(period) = rt::watchdog_period() {
            rt::spawn(feed_watchdog(period)).detach();
        }
        let mut generation = 1;
        loop {
            // What read the configuration is not needed until the next time.
            rt::sys::release_program_pages();
            match rt::race(signals.next(), settled_change(hooks.has_changed)).await {
                Ok(Signal::Hangup) => log::info!("{}: reading the configuration", Signal::Hangup),
                Ok(signal) => {
                    log::info!("{signal}: stopping");
                    break;
                }
                Err(()) => log::info!("a file changed: reading the configuration"),
            }
            generation += 1;
            if let Some(plan) = (hooks.reload)(generation) {
                let before = std::mem::replace(&mut services, plan.services.clone());
                rt::spawn(async move { before.log_out().await }).detach();
                callers = apply(plan, &server, &http, &sites, &callers);
            }
        }
        tell_supervisor("STOPPING=1");
        shutdown.trigger(Phase::Graceful);
        let drained = async {
            server.stop().await;
            shutdown.drained().await;
        };
        let again = next_end(&mut signals);
        let is_patient = match rt::race(rt::timeout(grace, drained), again).await {
            Ok(Ok(())) => true,
            Ok(Err(_)) => {
                log::warn!(
                    "{} requests and {} connections did not finish within `timeout.shutdown_grace` ({grace:?})",
                    server.requests_running(),
                    shutdown.working()
                );
                true
            }
            Err(signal) => {
                log::warn!("{signal} again: stopping at once");
                false
            }
        };
        shutdown.trigger(Phase::Now);
        server.end_streams();
        if is_patient {
            let written = rt::race(shutdown.drained(), next_end(&mut signals));
            _ = rt::timeout(LAST_WRITES, written).await;
        }
        if let Some(saver) = saver {
            saver.await;
        }
        if is_patient {
            services.log_out().await;
        }
        log::info!("stopped");
        Ok(())
    })
}

/// Waits for the next signal that means the end.
async fn next_end(signals: &mut Signals) -> Signal {
    loop {
        match signals.next().await {
            Signal::Hangup => (),
            signal => return signal,
        }
    }
}

async fn settled_change(has_changed: Option<&dyn Fn() -> bool>) {
    let Some(has_changed) = has_changed else {
        return std::future::pending().await;
    };
    loop {
        rt::sleep(WATCH_PERIOD).await;
        if has_changed() {
            return;
        }
    }
}

/// Tells the service manager again and again that the loop still turns.
async fn feed_watchdog(period: Duration) {
    loop {
        rt::sleep(period).await;
        tell_supervisor("WATCHDOG=1");
    }
}

fn tell_supervisor(state: &str) {
    if let Err(error) = rt::notify_supervisor(state) {
        log::warn!("`NOTIFY_SOCKET`: {error}");
    }
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
            services,
            metrics,
            ..
        } = plan;
        let server = Server::new(server, catalog, metrics, deadlines, rt::random());
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
        let end = stdio::serve(server, rules, http.body_bytes_max, grace, shutdown).await;
        services.log_out().await;
        end.map_err(ServeError::Io)
    })
}

/// Puts a new plan in place and returns its callers. Its listeners are the old ones in the old order:
/// what a running server listens on needs a restart to change.
fn apply(
    plan: Plan,
    server: &Rc<Server>,
    http: &Http,
    sites: &[SiteCell],
    old: &Callers,
) -> Callers {
    let callers = Callers::of(&plan.http);
    server.metrics.set_limits(plan.limits);
    // Who may come in first: nobody is told of a change who may not know of it.
    http.reload(plan.http);
    for (cell, (_, site)) in sites.iter().zip(plan.listeners) {
        cell.replace(Rc::new(site));
    }
    server.reload(plan.server, plan.catalog, |caller| {
        callers.standing(old, caller)
    });
    callers
}

/// Who may come in: by token, or by certificate.
struct Callers {
    auth: Auth,
    certificates: Certificates,
}

impl Callers {
    fn of(http: &Settings) -> Callers {
        Callers {
            auth: http.auth.clone(),
            certificates: http.certificates.clone(),
        }
    }

    fn principal(&self, name: &str) -> Option<Rc<Principal>> {
        let certified = self.certificates.principal(name);
        certified.or_else(|| self.auth.principal(name))
    }

    fn standing(&self, old: &Callers, name: &str) -> Standing {
        let certified = self.certificates.standing(&old.certificates, name);
        certified.unwrap_or_else(|| self.auth.standing(&old.auth, name))
    }
}

/// Writes the state file at the start, some time after something changed, and at the end; an idle
/// server does nothing. The first write shows early whether the others will do.
///
/// One task does it all, so that no two writes ever meet in one temporary file.
async fn save_changes(server: Rc<Server>, state: StateFile, shutdown: Shutdown) {
    let mut works = true;
    loop {
        let is_last = shutdown.phase() == Phase::Now;
        let (bytes, file) = (server.save(), state.clone());
        let written = rt::thread::run("state", move || file.write(&bytes)).await;
        let outcome = written.and_then(|written| written);
        if let Err(error) = &outcome
            && works
        {
            log::warn!(
                "state file {}: {error}; sessions will not outlive a restart until it can be written",
                state.path().display()
            );
        }
        if outcome.is_ok() && !works {
            log::info!("state file {}: written again", state.path().display());
        }
        works = outcome.is_ok();
        if is_last {
            return;
        }
        let due = async {
            server.changed_state().await;
            rt::sleep(SAVE_PERIOD).await;
        };
        _ = rt::race(due, shutdown.wait(Phase::Now)).await;
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
            ServeError::NotConfigured { addresses } => write!(
                f,
                "the service manager handed over a socket for {}, where nothing is configured to listen; \
                 set `server.host` and `server.port`, or `ListenStream=` of the socket unit",
                addresses.join(", ")
            ),
        }
    }
}

impl std::error::Error for ServeError {}
