//! Container logs as the Docker Engine API sends them (`GET /containers/{id}/logs`).
//!
//! Without a terminal the body is a chain of frames, stdout and stderr multiplexed:
//!
//! ```text
//! byte 0        1 2 3   4 5 6 7             8 …
//! stream 0–3    0 0 0   length, big endian  payload
//! ```
//! With a terminal it is the bytes themselves. `Content-Type` tells the two apart only from API 1.42 on, and not through
//! every proxy, so the body is looked at: it is framed if headers follow one another to the end. A frame may be cut at the
//! end of the body.

use super::{Decoded, text};

/// The log as text, in the order in which it came.
pub(super) fn decode(body: &[u8]) -> Decoded {
    let (bytes, cut) = match payloads(body) {
        Some((bytes, cut)) => (std::borrow::Cow::Owned(bytes), cut),
        None => (std::borrow::Cow::Borrowed(body), false),
    };
    let (text, lossy) = text::lossy(&bytes);
    let cut = cut.then(|| "the last line is incomplete".to_owned());
    let notes: Vec<String> = lossy.into_iter().chain(cut).collect();
    Decoded {
        value: text::plain(&text).into(),
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    }
}

const HEADER_LEN: usize = 8;

/// The payloads of a framed body, one behind the other, and whether the last is cut; `None` if it is not framed.
fn payloads(body: &[u8]) -> Option<(Vec<u8>, bool)> {
    if body.len() < HEADER_LEN {
        return None;
    }
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = body;
    while !rest.is_empty() {
        let Some((header, after)) = rest.split_first_chunk::<HEADER_LEN>() else {
            // A cut header: what there is of it has to be one's beginning.
            return starts_frame(rest).then_some((bytes, true));
        };
        if !starts_frame(header) {
            return None;
        }
        let [.., a, b, c, d] = *header;
        let len = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
        let Some((payload, next)) = after.split_at_checked(len) else {
            bytes.extend_from_slice(after);
            return Some((bytes, true));
        };
        bytes.extend_from_slice(payload);
        rest = next;
    }
    Some((bytes, false))
}

/// Whether the bytes are the start of a header: stdin, stdout, stderr or the daemon's own error stream.
fn starts_frame(header: &[u8]) -> bool {
    header.first().is_some_and(|stream| *stream <= 3)
        && header.iter().skip(1).take(3).all(|byte| *byte == 0)
}

/// For fuzzing: no bytes panic, nothing for terminals is left, and framed bytes read as the bytes themselves.
#[expect(clippy::expect_used, reason = "what is expected is the test")]
pub fn fuzz_docker_logs(bytes: &[u8]) {
    let decoded = decode(bytes);
    let shown = decoded.value.as_str().expect("a log is a text");
    assert!(
        shown
            .chars()
            .all(|c| matches!(c, '\n' | '\t') || !c.is_control())
    );
    let mut framed = Vec::new();
    for (at, payload) in bytes.chunks(7).enumerate() {
        let len = u32::try_from(payload.len()).expect("seven bytes at most");
        framed.extend([if at % 2 == 0 { 2 } else { 1 }, 0, 0, 0]);
        framed.extend(len.to_be_bytes());
        framed.extend(payload);
    }
    let (text, _) = text::lossy(bytes);
    assert_eq!(decode(&framed).value, text::plain(&text));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stream: u8, payload: &[u8]) -> Vec<u8> {
        let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&[stream, 0, 0, 0], &len[..], payload].concat()
    }

    #[track_caller]
    fn check(body: &[u8], expected: &str, note: Option<&str>) {
        let decoded = decode(body);
        assert_eq!(decoded.value, expected);
        assert_eq!(decoded.note.as_deref(), note);
    }

    fn two() -> Vec<u8> {
        [
            frame(1, b"2026-08-01T10:00:00Z GET / 200\r\n"),
            frame(2, "\u{1b}[31mwarn\u{1b}[0m käse\n".as_bytes()),
        ]
        .concat()
    }

    #[test]
    fn frames_are_joined() {
        check(&two(), "2026-08-01T10:00:00Z GET / 200\nwarn käse\n", None);
        check(&frame(3, b"daemon says no\n"), "daemon says no\n", None);
        check(&frame(1, b""), "", None);
        // A character over two frames is one.
        let split = [frame(1, b"k\xc3"), frame(1, b"\xa4se")].concat();
        check(&split, "käse", None);
    }

    #[test]
    fn the_last_frame_may_be_cut_anywhere() {
        let whole = two();
        let first = frame(1, b"2026-08-01T10:00:00Z GET / 200\r\n").len();
        for end in first + 1..whole.len() {
            let decoded = decode(&whole[..end]);
            let shown = decoded.value.as_str().unwrap();
            assert!(
                shown.starts_with("2026-08-01T10:00:00Z GET / 200\n"),
                "{end}: {shown:?}"
            );
            assert!(
                decoded
                    .note
                    .unwrap()
                    .contains("the last line is incomplete"),
                "{end}"
            );
            assert!(
                !shown.contains('\u{1}') && !shown.contains('\u{2}'),
                "{end}"
            );
        }
        check(&whole[..first], "2026-08-01T10:00:00Z GET / 200\n", None);
    }

    #[test]
    fn what_is_not_framed_is_text() {
        check(b"plain line\r\nsecond\r\n", "plain line\nsecond\n", None);
        check(b"", "", None);
        check(b"\x01\0\0", "", None);
        // A chain that breaks is no chain: a stream 4, a byte that should be 0, text after a frame.
        check(&frame(4, b"abc"), "abc", None);
        check(&[1, 9, 0, 0, 0, 0, 0, 1, b'x'], "\tx", None);
        check(
            &[frame(1, b"ab"), b"rest of it".to_vec()].concat(),
            "abrest of it",
            None,
        );
    }

    #[test]
    fn binary_is_marked() {
        let body = [frame(1, b"\xff\xfe\0\x01ok\n"), frame(2, b"\xc3(\n")].concat();
        check(
            &body,
            "\u{fffd}\u{fffd}ok\n\u{fffd}(\n",
            Some("bytes that are not UTF-8, shown as \u{fffd}: 3"),
        );
    }

    #[test]
    fn fuzzed_seeds() {
        for bytes in [
            &b""[..],
            b"\x01\0\0\0\0\0\0\x05hello",
            b"\x1b[1mx\r",
            &two(),
            &[0xff; 40],
        ] {
            fuzz_docker_logs(bytes);
        }
    }
}
