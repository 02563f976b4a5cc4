//! From a loaded configuration to a running server: logging, the plan, what is said at the start, reloads.
//!
//! Called by the commands; what a server is made of is `plan`'s business, its life is `serve`'s.

use std::cell::RefCell;
use std::fmt;

use crate::config::{Config, Loaded, LogFormat, Sources};
use crate::log as logging;
use crate::rt;
use crate::transport::stdio::StdioEnd;

use super::greeting;
use super::plan::{Parts, Plan, PlanError};
use super::reload::Reloader;
use super::serve::{self, Hooks, ServeError};

/// Why a server did not start.
#[derive(Debug)]
pub enum LaunchError {
    /// What is configured cannot be put to work.
    Plan(PlanError),
    /// The system does not give what is needed.
    Serve(ServeError),
}

/// Serves HTTP until SIGTERM or SIGINT. SIGHUP reads `sources` again.
///
/// # Errors
/// When it cannot start.
pub fn run_http(loaded: Loaded, sources: Sources) -> Result<(), LaunchError> {
    start_logging(&loaded);
    let parts = Parts::new();
    let plan = Plan::new(&loaded.config, &loaded.folder, &parts, 1).map_err(LaunchError::Plan)?;
    plan.services.announce();
    let reloader = Reloader::new(&loaded, sources, parts);
    let bound = RefCell::new(Vec::new());
    let has_changed = || reloader.has_changed();
    let hooks = Hooks {
        ready: &|scheme, address| {
            greeting::print_listening(scheme, address);
            bound.borrow_mut().push(address.to_owned());
        },
        all_ready: &|| greeting::print_hint(&loaded.config, &bound.borrow()),
        reload: &|generation| reloader.reload(generation),
        has_changed: match reloader.is_watching() {
            true => Some(&has_changed),
            false => None,
        },
    };
    serve::serve(plan, &hooks).map_err(LaunchError::Serve)
}

/// Serves one client on standard input and output.
///
/// # Errors
/// When it cannot start.
pub fn run_stdio(loaded: &Loaded) -> Result<StdioEnd, LaunchError> {
    start_logging(loaded);
    let plan =
        Plan::new(&loaded.config, &loaded.folder, &Parts::new(), 1).map_err(LaunchError::Plan)?;
    plan.services.announce();
    serve::serve_stdio(plan).map_err(LaunchError::Serve)
}

fn start_logging(loaded: &Loaded) {
    rt::process::leave_no_core();
    let Config { log, server, .. } = &loaded.config;
    let format = match log.format {
        LogFormat::Json => logging::Format::Json,
        LogFormat::Text => logging::Format::Text,
    };
    // A second server in one process logs where the first does.
    _ = logging::init(format, log.level.filter());
    for warning in &loaded.warnings {
        log::warn!("{warning}");
    }
    if server.protocol_version.is_some() {
        log::info!(
            "server.protocol_version: the revision is settled with each client; the key does nothing"
        );
    }
}

impl fmt::Display for LaunchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LaunchError::Plan(error) => error.fmt(f),
            LaunchError::Serve(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LaunchError {}
