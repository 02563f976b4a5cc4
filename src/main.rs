//! The `siskin` binary: arguments in, exit code out; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args = std::env::args_os().skip(1);
    siskin::cli::run(args, &siskin::app::Siskin).into()
}
