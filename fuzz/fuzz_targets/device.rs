//! Files of the kernel.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| siskin::tools::device::fuzz_files(text));
