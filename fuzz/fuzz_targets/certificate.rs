//! Names in certificates of clients.
#![no_main]

libfuzzer_sys::fuzz_target!(|der: &[u8]| siskin::rt::tls::fuzz_certificate(der));
