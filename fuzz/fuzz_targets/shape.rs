//! Paths and filters of packs: one of them on the first line, JSON behind it.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    siskin::tools::declarative::shape::fuzz_path(text);
    siskin::tools::declarative::fuzz_filter(text);
});
