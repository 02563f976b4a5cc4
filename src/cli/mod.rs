//! The command line: arguments in, exit code out. One file per command.
//!
//! `main` calls [`run`]. The way of a command line: `front` sorts the arguments (global options may stand anywhere),
//! argh fills the command's struct, the command's `run` writes into a text, and [`run`] prints that text. Nothing below
//! prints; nothing here binds a socket, knows a tool or speaks MCP: that is behind the [`App`] trait.
//!
//! Exit codes, [`ExitCode`]: 0 done · 1 what was asked failed · 2 usage · 69 an address cannot be bound · 70 a bug of
//! ours · 78 the configuration is wrong.

// What runs here ends with its answer. What a string cannot take, nothing can tell the operator either.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the commands of an operator: no peer is heard"
)]

mod app;
mod exit;

mod front;
mod help;
mod options;

mod call;
mod check;
mod config;
mod healthcheck;
mod pack;
mod serve;
mod stdio;
mod token;
mod tools;
mod version;

mod arguments;
mod show;
mod target;
mod text;
mod types;

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;

pub use app::{Answer, App, CallOutcome, Checked, Exchange, HttpsAsk, PackFile, ToolLine, Trial};
pub use exit::{ExitCode, Failure};

use crate::config::{Loaded, Sources, load};
use front::Asked;

/// The command that a program's name stands for: images of the AWS documentation server have their health check under
/// `docker-healthcheck-sse.sh`, and in an image without a shell that is another name of this program.
#[must_use]
pub fn command_of_name(program: &OsStr) -> Option<OsString> {
    let name = Path::new(program).file_name()?.to_str()?;
    name.starts_with("docker-healthcheck")
        .then(|| "healthcheck".into())
}

/// Runs the command that `args` (without the program's name) asks for, with the process's own environment and streams.
pub fn run(args: impl Iterator<Item = OsString>, app: &dyn App) -> ExitCode {
    let mut context = Context {
        app,
        sources: Sources::of_process(),
        columns: columns(),
        out: String::new(),
    };
    let mut stdout = io::stdout();
    let mut stderr = io::stderr();
    run_in(args, &mut context, &mut stdout, &mut stderr)
}

/// What a command works with.
struct Context<'a> {
    app: &'a dyn App,
    /// Where the configuration comes from; the command line's part is filled in before the command runs.
    sources: Sources,
    /// The width of the terminal on standard output; `None` when it is a file or a pipe, which has none.
    columns: Option<usize>,
    /// What goes to standard output, however the command ends.
    out: String,
}

impl Context<'_> {
    fn load(&self) -> Result<Loaded, Failure> {
        Ok(load(&self.sources)?)
    }
}

fn run_in(
    args: impl Iterator<Item = OsString>,
    context: &mut Context<'_>,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> ExitCode {
    let ended = answer(args, context);
    let printed = print(stdout, &context.out);
    let failure = match (ended, printed) {
        (Ok(()), Ok(())) => return ExitCode::Ok,
        (Err(failure), _) => failure,
        (Ok(()), Err(error)) => {
            let message = format!("cannot write to standard output: {error}");
            Failure::new(ExitCode::Failed, message)
        }
    };
    // Without standard error there is nobody left to tell; the exit code still says it.
    let _ = print(stderr, &complaint(&failure));
    failure.exit
}

fn answer(args: impl Iterator<Item = OsString>, context: &mut Context<'_>) -> Result<(), Failure> {
    let args = front::texts(args)?;
    let options = match front::read(&args)? {
        Asked::Help { text } => {
            context.out.push_str(&text);
            return Ok(());
        }
        Asked::Version => {
            version::write(context);
            return Ok(());
        }
        Asked::Run(options) => *options,
    };
    options.run(context)
}

fn complaint(failure: &Failure) -> String {
    match failure.message.is_empty() {
        true => String::new(),
        false => format!("siskin: {}\n", failure.message),
    }
}

/// Writes it all. A reader that has seen enough (`siskin tools | head -1`) is no failure: the process ignores SIGPIPE,
/// so the write says so instead.
fn print(stream: &mut dyn Write, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let written = stream
        .write_all(text.as_bytes())
        .and_then(|()| stream.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// `COLUMNS` if it is set, else what the terminal says.
fn columns() -> Option<usize> {
    let said = std::env::var("COLUMNS")
        .ok()
        .and_then(|text| text.parse().ok());
    if said.is_some_and(|columns: usize| columns > 0) {
        return said;
    }
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    // A serial console says 0.
    match rustix::termios::tcgetwinsize(&stdout) {
        Ok(size) if size.ws_col > 0 => Some(size.ws_col.into()),
        _ => Some(text::COLUMNS_DEFAULT),
    }
}

#[cfg(test)]
mod tests;
