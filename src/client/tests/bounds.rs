//! Hostile upstreams: each costs what the route allows and no more, and says so.

use std::io::Write as _;
use std::net::TcpStream;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::{ClientError, HEAD_BYTES_MAX, HEADERS_MAX, Phase, Route};
use super::upstream::{answering, get, hasty, outcome, patient, read_request, send, upstream};
use crate::metrics::UpstreamOutcome;

const LIMIT: usize = 1000;

fn narrow() -> Route {
    Route {
        body_bytes_max: LIMIT,
        ..patient()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn with_length(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(100) {
        answer.extend(format!("{:x}\r\n", chunk.len()).bytes());
        answer.extend_from_slice(chunk);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    answer
}

#[test]
fn a_body_of_exactly_the_limit_is_read() {
    for (len, fits) in [(LIMIT - 1, true), (LIMIT, true), (LIMIT + 1, false)] {
        let body = vec![b'x'; len];
        let until_end = [b"HTTP/1.1 200 OK\r\n\r\n", &body[..]].concat();
        let packed = with_length("Content-Encoding: gzip\r\n", &gzip(&body));
        for answer in [with_length("", &body), chunked(&body), until_end, packed] {
            match send(get(answering(answer)), narrow()) {
                Ok(response) => assert!(fits && response.body == body, "{len}"),
                Err(error) => {
                    assert!(
                        !fits && matches!(error, ClientError::TooLarge { limit: LIMIT, .. }),
                        "{len}: {error}"
                    );
                    assert_eq!(error.outcome(), UpstreamOutcome::TooLarge);
                }
            }
        }
    }
}

/// Writes until the client has had enough.
fn flood(mut stream: TcpStream, begin: &[u8], again: &[u8]) {
    read_request(&mut stream);
    _ = stream.write_all(begin);
    while stream.write_all(again).is_ok() {}
}

#[test]
fn an_endless_body_ends_at_the_limit() {
    for (begin, again) in [
        (&b"HTTP/1.1 200 OK\r\n\r\n"[..], &[b'x'; 4096][..]),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"3\r\nxxx\r\n",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n",
            &[b'['; 4096],
        ),
    ] {
        let addr = upstream(move |_, stream| flood(stream, begin, again));
        let text = outcome(send(get(addr), narrow()));
        assert!(text.contains("a body of more than 1000 bytes"), "{text}");
    }
}

#[test]
fn a_long_body_that_is_announced_is_not_waited_for() {
    // Nothing follows the head: only the announcement can be the reason.
    for len in ["1001", "18446744073709551613"] {
        let addr = answering(format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n"));
        let text = outcome(send(get(addr), narrow()));
        assert!(text.contains("a body of more than 1000 bytes"), "{text}");
    }
}

#[test]
fn a_bomb_does_not_go_off() {
    let bomb = gzip(&vec![0; 20 << 20]);
    assert!(bomb.len() < 64 << 10, "{}", bomb.len());
    let route = Route {
        body_bytes_max: 1 << 20,
        ..patient()
    };
    let answer = with_length("Content-Encoding: gzip\r\n", &bomb);
    let text = outcome(send(get(answering(answer)), route));
    assert!(text.contains("a body of more than 1048576 bytes"), "{text}");
}

#[test]
fn compressed_bytes_that_inflate_to_nothing_end_too() {
    // Members of an empty body, for ever.
    let empty = gzip(b"");
    let head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n";
    let addr = upstream(move |_, stream| flood(stream, head, &empty));
    let text = outcome(send(get(addr), narrow()));
    assert!(text.contains("a body of more than 1000 bytes"), "{text}");
}

#[test]
fn encodings_nobody_asked_for() {
    for (encoding, body, expected) in [
        (
            "br",
            &b"x"[..],
            "the content encoding `br`, expected `gzip`, `deflate` or none",
        ),
        (
            "gzip",
            b"{\"plain\": true}",
            "a body that is no intact `gzip`",
        ),
        (
            "deflate",
            b"{\"plain\": true}",
            "a body that is no intact `deflate`",
        ),
    ] {
        let answer = with_length(&format!("Content-Encoding: {encoding}\r\n"), body);
        let text = outcome(send(get(answering(answer)), patient()));
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn so_many_headers_and_no_more() {
    let answer = |count: usize| {
        let fields: String = (0..count - 1).map(|n| format!("X-{n}: y\r\n")).collect();
        with_length(&fields, b"ok")
    };
    assert_eq!(
        outcome(send(get(answering(answer(HEADERS_MAX))), patient())),
        "200 ok"
    );
    let text = outcome(send(get(answering(answer(HEADERS_MAX + 1))), patient()));
    assert!(
        text.contains("a head of more than 32768 bytes or 128 fields"),
        "{text}"
    );
}

#[test]
fn a_head_of_so_many_bytes_and_no_more() {
    let answer = |len: usize| {
        let rest = "HTTP/1.1 200 OK\r\nX: \r\nContent-Length: 2\r\n\r\n".len();
        with_length(&format!("X: {}\r\n", "y".repeat(len - rest)), b"ok")
    };
    for len in [HEAD_BYTES_MAX - 1, HEAD_BYTES_MAX] {
        assert_eq!(
            outcome(send(get(answering(answer(len))), patient())),
            "200 ok"
        );
    }
    let text = outcome(send(get(answering(answer(HEAD_BYTES_MAX + 1))), patient()));
    assert!(text.contains("a head of more than 32768 bytes"), "{text}");
}

#[test]
fn endless_heads_end() {
    for (begin, again) in [
        (&b"HTTP/1.1 200 OK\r\n"[..], &b"X: y\r\n"[..]),
        (b"HTTP/1.1 200 OK\r\nX: ", &[b'y'; 4096]),
        (b"HTTP/1.1 200 ", &[b'O'; 4096]),
    ] {
        let addr = upstream(move |_, stream| flood(stream, begin, again));
        let text = outcome(send(get(addr), patient()));
        assert!(text.contains("a head of more than"), "{text}");
    }
}

#[test]
fn endless_trailers_and_extensions_end() {
    for begin in ["5\r\nhello\r\n0\r\n", "5;"] {
        let head = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{begin}");
        let again = if begin == "5;" {
            "extension"
        } else {
            "X-Trailer: y\r\n"
        };
        let addr = upstream(move |_, stream| flood(stream, head.as_bytes(), again.as_bytes()));
        let result = send(get(addr), patient());
        assert!(
            matches!(
                result,
                Err(ClientError::NotHttp { .. } | ClientError::Truncated { .. })
            ),
            "{}",
            outcome(result)
        );
    }
}

#[test]
fn early_answers_for_ever_end() {
    let again = b"HTTP/1.1 103 Early Hints\r\n\r\n";
    let addr = upstream(move |_, stream| flood(stream, b"", again));
    let error = send(get(addr), patient()).unwrap_err();
    assert!(matches!(error, ClientError::HeadTooLarge { .. }), "{error}");
    // A few of them, large ones, are passed over.
    let large = format!(
        "HTTP/1.1 103 Early Hints\r\nX: {}\r\n\r\n",
        "y".repeat(20_000)
    )
    .repeat(5);
    let answer = [large.as_bytes(), &with_length("", b"ok")].concat();
    assert_eq!(outcome(send(get(answering(answer)), patient())), "200 ok");
}

#[test]
fn a_silent_and_a_dripping_upstream_run_out_of_time() {
    let silent = upstream(|_, mut stream| {
        read_request(&mut stream);
        read_request(&mut stream);
    });
    let error = send(get(silent), hasty()).unwrap_err();
    assert_eq!(error.outcome(), UpstreamOutcome::Timeout);
    let text = outcome(Err(error));
    assert!(
        text.ends_with("no answer came within 300 ms (time limit `first_byte`)"),
        "{text}"
    );

    let dripping = upstream(|_, mut stream| {
        read_request(&mut stream);
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    });
    let text = outcome(send(get(dripping), hasty()));
    assert!(
        text.ends_with("the body did not end within 600 ms (time limit `total`)"),
        "{text}"
    );
}

#[test]
fn a_request_nobody_reads_runs_out_of_time() {
    let addr = upstream(|_, stream| {
        std::thread::park();
        drop(stream);
    });
    let body = vec![b'x'; 32 << 20];
    let error = send(get(addr).body(body), hasty()).unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::Timeout {
                phase: Phase::FirstByte,
                ..
            }
        ),
        "{error}"
    );
}
