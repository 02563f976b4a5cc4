//! Base64, mirrored headers, sealed states and cursors.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| siskin::mcp::headers::fuzz_encoded(bytes));
