//! Pages of a documentation: article and tables.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    siskin::tools::aws_docs::fuzz_page(&String::from_utf8_lossy(bytes));
});
