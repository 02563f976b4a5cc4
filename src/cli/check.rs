//! `siskin check`: every problem of the configuration at once. The findings are its result, so they go to standard
//! output; the exit code tells a script.

use std::fmt::Write as _;

use argh::{ArgsInfo, FromArgs};

use super::app::Checked;
use super::text::clean;
use super::{Context, ExitCode, Failure};
use crate::config::{Loaded, Transport, load};

/// check the configuration, packs and services, and list every problem
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "check",
    help_triggers("--help"),
    note = "Each problem is a line `origin: key: what is wrong`. Warnings do not fail the check. \
            Exits with 78 when there is a problem."
)]
pub(super) struct Check {}

impl Check {
    pub(super) fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let loaded = match load(&context.sources) {
            Ok(loaded) => loaded,
            Err(errors) => {
                writeln!(context.out, "{errors}").expect(INFALLIBLE);
                return Err(verdict(errors.0.len()));
            }
        };
        let out = &mut context.out;
        for warning in &loaded.warnings {
            writeln!(out, "warning: {warning}").expect(INFALLIBLE);
        }
        let Checked { problems, notes } = context.app.check(&loaded);
        for problem in &problems {
            writeln!(out, "{}", clean(problem)).expect(INFALLIBLE);
        }
        if !problems.is_empty() {
            return Err(verdict(problems.len()));
        }
        write_summary(out, &loaded);
        for note in &notes {
            writeln!(out, "{}", clean(note)).expect(INFALLIBLE);
        }
        Ok(())
    }
}

fn verdict(count: usize) -> Failure {
    let problems = if count == 1 { "problem" } else { "problems" };
    Failure::new(
        ExitCode::Config,
        format!("the configuration has {count} {problems}"),
    )
}

/// What a sound configuration amounts to: the mistakes that no rule finds show here.
fn write_summary(out: &mut String, loaded: &Loaded) {
    out.push_str("the configuration is sound\n");
    match loaded.files.as_slice() {
        [] => writeln!(
            out,
            "read no file: there is none in `{}`",
            loaded.folder.display()
        )
        .expect(INFALLIBLE),
        files => files
            .iter()
            .for_each(|file| writeln!(out, "read `{}`", file.display()).expect(INFALLIBLE)),
    }
    if loaded.config.server.transport == Transport::Stdio {
        out.push_str("serves stdio\n");
        return;
    }
    for listener in loaded.config.listeners() {
        let (address, groups) = (&listener.address, listener.groups);
        let tls = listener.tls_note();
        writeln!(out, "listens on {address} ({groups}{tls})").expect(INFALLIBLE);
    }
}

const INFALLIBLE: &str = "a string can always be written to";
