//! `siskin pack`: for whoever writes a pack of tools.

mod new;
mod test;

use argh::{ArgsInfo, FromArgs};

use super::{Context, Failure};

/// write a pack of tools, and try it out
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "pack",
    help_triggers("--help"),
    note = "A pack is one file, `packs/ID.toml` of the configuration folder: a service and its tools."
)]
pub(super) struct Pack {
    #[argh(subcommand)]
    command: Command,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    New(new::New),
    Test(test::Test),
}

impl Pack {
    pub(super) fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        match self.command {
            Command::New(new) => new.run(context),
            Command::Test(test) => test.run(context),
        }
    }
}
