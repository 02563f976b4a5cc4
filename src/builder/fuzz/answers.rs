//! Whether what a server sent is sound HTTP/1.1. Written anew rather than with the reader of `http1`, which would forgive
//! its own mistakes.

/// One answer after the other, each with a length that is kept, the last one perhaps cut. The answer to `HEAD` has none
/// of what its head announces, so that another may begin where its body would.
pub(super) fn check_answers(mut rest: &[u8]) {
    while !rest.is_empty() {
        let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") else {
            assert!(
                rest.starts_with(&b"HTTP/1.1 "[..rest.len().min(9)]),
                "no answer begins with {:?}",
                String::from_utf8_lossy(rest)
            );
            return;
        };
        let head = std::str::from_utf8(&rest[..end]).expect("heads are ASCII");
        assert!(
            head.starts_with("HTTP/1.1 "),
            "no answer begins with {head:?}"
        );
        assert!(
            !head.bytes().any(|byte| byte == 0 || byte == 0x7f),
            "{head:?}"
        );
        rest = &rest[end + 4..];
        if rest.starts_with(b"HTTP/1.1 ") {
            continue;
        }
        let field = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines
                .find(|line| line.0.eq_ignore_ascii_case(name))
                .map(|line| line.1)
        };
        if field("Transfer-Encoding").is_some() {
            match after_chunks(rest) {
                Some(after) => rest = after,
                None => return,
            }
        } else if let Some(len) = field("Content-Length") {
            let len: usize = len.parse().expect("a length is a number");
            match rest.get(len..) {
                Some(after) => rest = after,
                None => return,
            }
        } else if field("Content-Type").is_some() {
            // A stream for HTTP/1.0, to the end of the connection.
            return;
        }
    }
}

/// What follows a body in chunks; none if it is cut.
fn after_chunks(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).expect("chunk sizes are ASCII");
        let size = usize::from_str_radix(size, 16).expect("a chunk size is a number");
        let chunk = rest.get(end + 2..end + 2 + size + 2)?;
        assert!(chunk.ends_with(b"\r\n"), "a chunk has an end");
        rest = &rest[end + 2 + size + 2..];
        if size == 0 {
            return Some(rest);
        }
    }
}
