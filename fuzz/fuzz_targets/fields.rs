//! `Accept` and queries.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    siskin::http1::accept::fuzz_accept(text);
    siskin::http1::query::fuzz_query(text);
});
