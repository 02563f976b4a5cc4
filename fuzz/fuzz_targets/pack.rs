//! Pack files.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| siskin::tools::declarative::fuzz_pack(text));
