//! URI templates: a template on the first line, an address on the second.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| siskin::mcp::template::fuzz_template(text));
