//! Prometheus' exposition format.
#![no_main]

libfuzzer_sys::fuzz_target!(
    |bytes: &[u8]| siskin::tools::declarative::decode::fuzz_prom_text(bytes)
);
