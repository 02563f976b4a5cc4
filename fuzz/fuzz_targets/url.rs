//! URLs, and references behind a line end.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| siskin::client::fuzz_url(text));
