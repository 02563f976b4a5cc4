//! Pages of any bytes: reading, taking out, converting.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| siskin::html::fuzz_html(&String::from_utf8_lossy(bytes)));
