//! A whole server under a script of several clients, time and raw bytes; the format is in `src/builder/fuzz.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| siskin::builder::fuzz_connection(script));
