//! The `siskin` binary: arguments in, exit code out; nothing else.

use std::process::ExitCode;

use siskin::cli;

// 32-bit Arm has an unwinder of another shape (EHABI) under other names.
#[cfg(all(panic = "abort", target_env = "musl", not(target_arch = "arm")))]
siskin::end_every_stack_walk!();

#[cfg(target_env = "musl")]
siskin::compare_by_words!(bcmp);

#[cfg(target_env = "musl")]
siskin::name_own_thread!();

// Where `build.rs` has the linker take these.
#[cfg(all(
    any(feature = "jwt", feature = "tls"),
    any(target_arch = "aarch64", target_arch = "x86_64"),
    target_env = "musl"
))]
siskin::multiply_without_tables! {
    __wrap_ring_core_0_17_14__p256_point_mul_base
    __wrap_ring_core_0_17_14__p256_point_mul_base_vartime
}

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: siskin::rt::sys::KeepSmall = siskin::rt::sys::KeepSmall;

fn main() -> ExitCode {
    siskin::rt::sys::report_bugs();
    let mut args = std::env::args_os();
    let implied = args.next().and_then(|name| cli::command_of_name(&name));
    cli::run(implied.into_iter().chain(args), &siskin::app::Siskin).into()
}
