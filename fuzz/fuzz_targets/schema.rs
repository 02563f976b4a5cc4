//! Schemas of arguments, and arguments against them: a schema on the first line, arguments behind it.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| siskin::tools::schema::fuzz_schema(text));
