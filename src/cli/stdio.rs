//! `siskin stdio`: one client on standard input and output, whatever `server.transport` says.

use argh::{ArgsInfo, FromArgs};

use super::{Context, Failure};

/// speak MCP on standard input and output
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "stdio",
    help_triggers("--help"),
    note = "For clients that start the server themselves. Nothing listens; the log goes to standard error."
)]
pub(super) struct Stdio {}

impl Stdio {
    pub(super) fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let overrides = &mut context.sources.overrides;
        overrides.push("server.transport=stdio".to_owned());
        let loaded = context.load()?;
        let sources = std::mem::take(&mut context.sources);
        context.app.stdio(loaded, sources)
    }
}
