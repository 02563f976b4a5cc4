//! State files.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| siskin::server::fuzz_state(bytes));
