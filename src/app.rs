//! The only wiring: builds everything from a configuration; start-up and shutdown order.

use crate::cli::{App, CallOutcome, ExitCode, Failure, ToolLine};
use crate::config::{Loaded, Sources};
use crate::mcp::revision::Revision;

/// The program behind the command line.
pub struct Siskin;

impl App for Siskin {
    fn serve(&self, _: Loaded, _: Sources) -> Result<(), Failure> {
        Err(not_wired())
    }

    fn stdio(&self, _: Loaded, _: Sources) -> Result<(), Failure> {
        Err(not_wired())
    }

    fn tools(&self, _: &Loaded) -> Result<Vec<ToolLine>, Failure> {
        Err(not_wired())
    }

    fn call(&self, _: &Loaded, _: &str, _: &str) -> Result<CallOutcome, Failure> {
        Err(not_wired())
    }

    fn check(&self, _: &Loaded) -> Vec<String> {
        Vec::new()
    }

    fn revisions(&self) -> Vec<&'static str> {
        Revision::ALL.map(Revision::as_str).to_vec()
    }
}

fn not_wired() -> Failure {
    Failure::new(ExitCode::Internal, "this command is not wired yet")
}
