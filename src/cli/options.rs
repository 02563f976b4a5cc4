//! The table of the command line: the options every command takes, and the commands.

use argh::{ArgsInfo, FromArgs};

use super::{Context, Failure};
use super::{
    call::Call, check::Check, config::Config, healthcheck::Healthcheck, pack::Pack, serve::Serve,
    stdio::Stdio, token::Token, tools::Tools, version::Version,
};
use crate::config::Transport;

/// an MCP server for small machines
#[derive(FromArgs, ArgsInfo)]
#[argh(
    help_triggers("--help"),
    note = "Without a command it serves HTTP, or stdio when `server.transport` is `stdio` (`FASTMCP_TRANSPORT=stdio`). \
            Options stand before or after the command.",
    example = "siskin --set server.port=9000",
    example = "siskin call device_memory"
)]
pub(super) struct Options {
    /// read this file too, after base.toml; may be repeated
    #[argh(option, arg_name = "FILE")]
    config: Vec<String>,

    /// folder with base.toml and packs; else ./config, else /etc/siskin
    #[argh(option, arg_name = "DIR")]
    config_dir: Option<String>,

    /// set one key, as in server.port=9000; wins over files and the environment; may be repeated
    #[argh(option, arg_name = "KEY=VALUE")]
    set: Vec<String>,

    #[argh(subcommand)]
    command: Option<Command>,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Serve(Serve),
    Stdio(Stdio),
    Check(Check),
    Config(Config),
    Tools(Tools),
    Call(Call),
    Pack(Pack),
    Token(Token),
    Healthcheck(Healthcheck),
    Version(Version),
}

impl Options {
    pub(super) fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let sources = &mut context.sources;
        sources.config_dir = self.config_dir.map(Into::into);
        sources.files = self.config.into_iter().map(Into::into).collect();
        sources.overrides = self.set;
        match self.command {
            None => run_bare(context),
            Some(Command::Serve(serve)) => serve.run(context),
            Some(Command::Stdio(stdio)) => stdio.run(context),
            Some(Command::Check(check)) => check.run(context),
            Some(Command::Config(config)) => config.run(context),
            Some(Command::Tools(tools)) => tools.run(context),
            Some(Command::Call(call)) => call.run(context),
            Some(Command::Pack(pack)) => pack.run(context),
            Some(Command::Token(token)) => token.run(context),
            Some(Command::Healthcheck(healthcheck)) => healthcheck.run(context),
            Some(Command::Version(version)) => version.run(context),
        }
    }
}

fn run_bare(context: &mut Context<'_>) -> Result<(), Failure> {
    let loaded = context.load()?;
    let sources = std::mem::take(&mut context.sources);
    match loaded.config.server.transport {
        Transport::Stdio => context.app.stdio(loaded, sources),
        Transport::Http | Transport::Sse | Transport::StreamableHttp => {
            context.app.serve(loaded, sources)
        }
    }
}
