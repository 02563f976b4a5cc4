//! Chunked bodies, whole and byte by byte.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| siskin::http1::chunked::fuzz_chunked(bytes));
