//! Request heads, whole and byte by byte.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| siskin::http1::head::fuzz_head(bytes));
