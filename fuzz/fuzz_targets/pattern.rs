//! Regular expressions: a pattern on the first line, a text behind it.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| siskin::tools::schema::fuzz_pattern(text));
