//! The `siskin` binary: arguments in, exit code out; nothing else.

use std::process::ExitCode;

use siskin::cli;

// 32-bit Arm has an unwinder of another shape (EHABI) under other names.
#[cfg(all(panic = "abort", target_env = "musl", not(target_arch = "arm")))]
siskin::end_every_stack_walk!();

#[cfg(target_env = "musl")]
siskin::compare_by_words!(bcmp);

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: siskin::rt::sys::KeepSmall = siskin::rt::sys::KeepSmall;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let implied = args.next().and_then(|name| cli::command_of_name(&name));
    cli::run(implied.into_iter().chain(args), &siskin::app::Siskin).into()
}
