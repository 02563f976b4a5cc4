//! Container logs, framed and not.
#![no_main]

libfuzzer_sys::fuzz_target!(
    |bytes: &[u8]| siskin::tools::declarative::decode::fuzz_docker_logs(bytes)
);
