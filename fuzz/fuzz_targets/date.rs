//! Points in time as people and services write them.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| siskin::calendar::fuzz_rfc3339(text));
