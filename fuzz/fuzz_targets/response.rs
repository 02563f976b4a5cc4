//! Responses of upstreams: their heads, and their bodies by what the heads say.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| siskin::http1::response::fuzz_response(bytes));
