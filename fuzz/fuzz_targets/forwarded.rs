//! Who asks, and for whom: `Forwarded`, `X-Forwarded-For`, `Host`, `Origin` and the lists they are looked up in.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| siskin::gate::forwarded::fuzz_headers(text));
