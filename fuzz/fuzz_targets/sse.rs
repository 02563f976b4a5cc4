//! Server-Sent Events: what we write reads back as it was, and any bytes can be read.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    siskin::http1::sse::parser::fuzz_parser(bytes);
    if let Ok(data) = std::str::from_utf8(bytes) {
        siskin::http1::sse::fuzz_event(data);
    }
});
