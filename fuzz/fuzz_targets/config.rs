//! Configuration files.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| siskin::config::fuzz_config(text));
