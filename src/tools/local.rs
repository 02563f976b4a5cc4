//! A call without a client: from the shell, from a test, from a doctest.
//!
//! Nobody is there to be asked, to see progress or to poll a task, and the host says so.

use std::time::Duration;

use serde_json::value::RawValue;

use crate::mcp::answer::Answer;
use crate::mcp::capabilities::ClientCapabilities;
use crate::mcp::logging::Level;
use crate::mcp::revision::Revision;
use crate::rt;

use super::{Ask, Change, Host, Interrupt, LocalFuture};

/// The host of a call that comes from the process itself.
#[derive(Debug, Default)]
pub struct LocalHost {
    client: ClientCapabilities,
}

/// The caller's name; no token is named so, since the names of tokens come from the configuration
/// and this one never meets it.
const CALLER: &str = "local";

impl Host for LocalHost {
    fn revision(&self) -> Revision {
        Revision::LATEST
    }

    fn caller(&self) -> &str {
        CALLER
    }

    fn client(&self) -> &ClientCapabilities {
        &self.client
    }

    fn progress(&self, _progress: f64, _total: Option<f64>, _message: Option<&str>) {}

    fn log(&self, level: Level, _logger: Option<&str>, data: &RawValue) {
        log::debug!("{}: {}", level.as_str(), data.get());
    }

    fn ask<'a>(&'a self, asks: Vec<Ask>) -> LocalFuture<'a, Result<Vec<Answer>, Interrupt>> {
        let missing = asks
            .iter()
            .find_map(|ask| self.client.missing(&ask.request.needs()));
        Box::pin(std::future::ready(match missing {
            Some(missing) => Err(Interrupt::Undeclared(Box::new(missing))),
            None => Ok(Vec::new()),
        }))
    }

    fn state(&self) -> Option<String> {
        None
    }

    fn set_state(&self, _state: String) {}

    fn start_task(&self) -> bool {
        false
    }

    fn changed(&self, _change: Change) {}

    fn close_stream(&self) {}

    fn is_over(&self) -> bool {
        false
    }

    fn over(&self) -> LocalFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn sleep(&self, duration: Duration) -> LocalFuture<'_, ()> {
        Box::pin(rt::sleep(duration))
    }
}
