//! Access tokens, their parts, and keys in PEM and JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| siskin::gate::jwt::fuzz_jwt(text));
