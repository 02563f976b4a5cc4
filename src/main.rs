//! The `siskin` binary: arguments in, exit code out; nothing else.

// 32-bit Arm has an unwinder of another shape (EHABI) under other names.
#[cfg(all(panic = "abort", target_env = "musl", not(target_arch = "arm")))]
mod unwinder;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args = std::env::args_os().skip(1);
    siskin::cli::run(args, &siskin::app::Siskin).into()
}
