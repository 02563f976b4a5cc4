//! Header lines behind a sound request line: what they say of the body's length.
#![no_main]

libfuzzer_sys::fuzz_target!(|fields: &[u8]| {
    let head = [b"POST / HTTP/1.1\r\nHost: a\r\n", fields, b"\r\n\r\n"].concat();
    siskin::http1::head::fuzz_head(&head);
});
