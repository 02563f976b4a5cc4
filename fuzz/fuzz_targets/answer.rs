//! Answers of services in all formats but container logs and Prometheus' text.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| siskin::tools::declarative::decode::fuzz_answer(bytes));
