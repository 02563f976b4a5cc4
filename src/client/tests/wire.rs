//! Answers on the wire: the good, the odd and the broken, each whole and byte by byte.

use super::super::{Method, Request};
use super::upstream::{answering, dripping, get, outcome, patient, send, url};

/// `expected` is status and body, or a part of the error's text.
#[track_caller]
fn check(answer: &str, expected: &str) {
    for addr in [answering(answer), dripping(answer)] {
        let found = outcome(send(get(addr), patient()));
        if expected.starts_with(|c: char| c.is_ascii_digit()) {
            assert_eq!(found, expected, "{answer:?}");
        } else {
            assert!(found.contains(expected), "{answer:?}: {found}");
        }
    }
}

#[test]
fn bodies_by_length_by_chunks_and_by_the_end() {
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "200 hello",
    );
    check("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 ");
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more",
        "200 hello",
    );
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "200 hello",
    );
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b;c=\"d\"\r\nhe\r\n3\r\nllo\r\n0;x\r\n\r\n",
        "200 hello",
    );
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
        "200 hello",
    );
    check("HTTP/1.1 200 OK\r\n\r\nhello", "200 hello");
    check("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", "200 ");
}

#[test]
fn old_servers() {
    check("HTTP/1.0 200 OK\r\n\r\nhello", "200 hello");
    check(
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
        "200 hello",
    );
    check("HTTP/0.9 200 OK\r\n\r\nhello", "did not answer in HTTP/1.1");
}

#[test]
fn every_status_is_a_response() {
    check("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "200 ok");
    check("HTTP/1.1 299 \r\nContent-Length: 2\r\n\r\nok", "299 ok");
    check(
        "HTTP/1.1 404 Nicht gefunden: \u{fc}\r\nContent-Length: 2\r\n\r\nno",
        "404 no",
    );
    check("HTTP/1.1 599 Odd\r\nContent-Length: 2\r\n\r\nno", "599 no");
    check(
        "HTTP/1.1 999 Odder\r\nContent-Length: 2\r\n\r\nno",
        "999 no",
    );
    check(
        "HTTP/1.1 1000 Oddest\r\nContent-Length: 2\r\n\r\nno",
        "did not answer in HTTP/1.1",
    );
    check(
        "HTTP/1.1 99 Small\r\nContent-Length: 2\r\n\r\nno",
        "did not answer in HTTP/1.1",
    );
    check("HTTP/1.1 204 No Content\r\n\r\n", "204 ");
    check(
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        "304 ",
    );
}

#[test]
fn answers_before_the_answer_are_passed_over() {
    check(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "200 ok",
    );
    check(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "200 ok",
    );
    check(
        "HTTP/1.1 103 Early Hints\r\n\r\n",
        "closed the connection without an answer",
    );
    check(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "switched protocols",
    );
}

#[test]
fn a_body_that_stops_is_not_a_body() {
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
        "inside the body, after 5 bytes",
    );
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n",
        "inside the body, after 0 bytes",
    );
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "inside the body",
    );
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "inside the body, after 5 bytes",
    );
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "inside the body, after 5 bytes",
    );
}

#[test]
fn framing_that_can_be_read_in_two_ways_is_refused() {
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "200 hello",
    );
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "did not answer in HTTP/1.1",
    );
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        "did not answer in HTTP/1.1",
    );
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
        "did not answer in HTTP/1.1",
    );
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
        "did not answer in HTTP/1.1",
    );
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nhello\r\n0\r\n\r\n",
        "did not answer in HTTP/1.1",
    );
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        "did not answer in HTTP/1.1",
    );
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
        "did not answer in HTTP/1.1",
    );
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n",
        "did not answer in HTTP/1.1",
    );
}

/// RFC 9112 section 6.3: the chunks win, and the connection is not used again.
#[test]
fn chunks_win_over_a_length() {
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "200 hello",
    );
}

/// What small devices and old servers send; RFC 9112 lets a client read it.
#[test]
fn answers_beside_the_grammar_with_one_reading() {
    check("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "200 hello");
    check("HTTP/1.0 200 OK\nServer: x\r\n\nhello", "200 hello");
    check(
        "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 005\r\n\r\nhello",
        "200 hello",
    );
    check(
        "HTTP/1.1 100 Continue\n\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "200 hello",
    );
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2   ;a\r\nhe\r\n3 \t \r\nllo\r\n0  \r\n\r\n",
        "200 hello",
    );
}

#[test]
fn what_is_no_answer() {
    check("", "closed the connection without an answer");
    check(
        "HTTP/1.1 200 OK\r\nContent-Le",
        "closed the connection without an answer",
    );
    check(
        "HTTP/1.1 200 OK\r\nno colon\r\n",
        "did not answer in HTTP/1.1 (a header line is not `name: value`)",
    );
    check(
        &format!("HTTP/1.1 200 OK\r\n{}", "X: y\r\n".repeat(129)),
        "a head of more than 32768 bytes or 128 fields",
    );
    check("SSH-2.0-OpenSSH_9.6\r\n", "did not answer in HTTP/1.1");
    check("\r\nSSH-2.0-x\r\n", "did not answer in HTTP/1.1");
    check(
        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        "did not answer in HTTP/1.1",
    );
    check("<html>hello</html>", "did not answer in HTTP/1.1");
    check("HTTP/2 200\r\n\r\n", "did not answer in HTTP/1.1");
    check(
        "\u{15}\u{3}\u{1}\0\u{2}\u{2}F",
        "did not answer in HTTP/1.1",
    );
    check(
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "did not answer in HTTP/1.1",
    );
    check(
        "HTTP/1.1 200 OK\r\nX : 1\r\n\r\n",
        "did not answer in HTTP/1.1",
    );
    check(
        "HTTP/1.1 200 OK\r\nX: 1\r\n folded\r\n\r\n",
        "did not answer in HTTP/1.1",
    );
    check(
        "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        "did not answer in HTTP/1.1",
    );
}

#[test]
fn a_head_request_has_no_body_whatever_its_headers_say() {
    for encoding in ["gzip", "deflate", "br"] {
        let addr = answering(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\nContent-Encoding: {encoding}\r\n\r\n"
        ));
        let response = send(Request::new(Method::Head, url(addr)), patient()).unwrap();
        assert_eq!((response.status, response.body.len()), (200, 0));
        assert_eq!(response.headers.value("Content-Length"), Some("99999999"));
    }
}

#[test]
fn bytes_that_are_no_text_come_through() {
    let mut answer = b"HTTP/1.1 200 OK\r\nX-Name: \xe9\r\nContent-Length: 3\r\n\r\n".to_vec();
    answer.extend_from_slice(b"\xff\0\xfe");
    let response = send(get(answering(answer)), patient()).unwrap();
    assert_eq!(response.body, b"\xff\0\xfe");
    assert_eq!(response.headers.value("x-name"), Some("é"));
}
