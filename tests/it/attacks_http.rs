//! Attacks on the framing of HTTP that are about what stays behind; single rules are `wire`'s and `limits`'.

use std::io::Write as _;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use crate::limits::{hits, wait_closed};
use crate::support::{Footprint, Http, Request, Server, json, poll_until, status_kb};
use crate::wire::{CALL, error_text, ping, pong, responses};

/// A request with a body of which nothing comes.
fn promise(bytes: u64) -> String {
    format!(
        "POST {CALL} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {bytes}\r\n\r\n"
    )
}

#[test]
fn slow_heads_and_promised_bodies_cost_a_place_and_no_memory() {
    let server = Server::start(&[
        ("APP_TIMEOUT__HEAD", "2s"),
        ("APP_TIMEOUT__BODY", "2s"),
        ("APP_LIMITS__BODY_BYTES", "256MiB"),
        ("APP_LIMITS__CONNECTIONS_PER_ADDRESS", "200"),
    ]);
    let before = Footprint::of(&server);
    let size = status_kb(&server, "VmData");
    let mut slow: Vec<Http> = Vec::new();
    for round in 0..40 {
        let (mut head, mut body) = (server.connect(), server.connect());
        head.send_bytes(&b"GET /health HTTP/1.1\r\nHost: localhost"[..1 + round % 30]);
        body.send_bytes(promise(256 << 20) + "{");
        slow.extend([head, body]);
    }
    // While they wait others are served, and what they have promised is not made room for: 10 GiB.
    assert_eq!(pong(&server.ask(&ping(1))), 1);
    let grown = status_kb(&server, "VmData").saturating_sub(size);
    assert!(grown < 256 * 1024, "{grown} kB more");
    for mut http in slow {
        let refused = responses(&mut http);
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].status, 408);
        error_text(&refused[0]);
    }
    wait_closed(&server, "head_timeout", 40.0);
    wait_closed(&server, "body_timeout", 40.0);
    before.check_is_back(&server);
}

/// One sample of every kind of broken message, and what it is answered with; none for no answer at all.
const BROKEN: [(&str, &[u16]); 24] = [
    ("GET / HTTP/9.9\r\n\r\n", &[505]),
    ("GET /\r\n", &[400]),
    ("\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03", &[400]),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[400, 505]),
    ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", &[501]),
    (
        "TRACE /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        &[405],
    ),
    (
        "MKCOL /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        &[405],
    ),
    ("GET /health HTTP/1.1\r\n\r\n", &[400]),
    ("GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", &[400]),
    (
        "GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        &[421],
    ),
    (
        "GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\nConnection: close\r\n\r\n",
        &[403],
    ),
    ("GET /health HTTP/1.1\nHost: localhost\n\n", &[400]),
    (
        "GET /health HTTP/1.1\r\nHost: localhost\r\nA : b\r\n\r\n",
        &[400],
    ),
    (
        "GET /health HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
        &[400],
    ),
    (
        "GET /health HTTP/1.1\r\nHost: localhost\r\nA: \0\r\n\r\n",
        &[400],
    ),
    (
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: +1\r\n\r\n1",
        &[400],
    ),
    (
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        &[400],
    ),
    (
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999\r\nContent-Type: application/json\r\n\r\n",
        &[413],
    ),
    (
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
        &[400],
    ),
    (
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        &[400],
    ),
    (
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1",
        &[415],
    ),
    (
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nExpect: 200-ok\r\nConnection: close\r\n\r\n",
        &[417],
    ),
];

#[test]
fn broken_messages_get_one_answer_and_leave_nothing() {
    let server = Server::start(&[]);
    let before = Footprint::of(&server);
    for round in 0..5 {
        for (text, statuses) in BROKEN {
            let mut http = server.connect();
            // Whatever comes behind it is not answered.
            http.send_bytes(text.as_bytes());
            _ = http
                .socket
                .write_all(b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let got: Vec<u16> = responses(&mut http)
                .iter()
                .map(|answer| answer.status)
                .collect();
            let [status] = got[..] else {
                panic!("{round}: {}: {got:?}", text.escape_debug());
            };
            assert!(
                statuses.contains(&status),
                "{}: {status}",
                text.escape_debug()
            );
        }
    }
    before.check_is_back(&server);
}

/// Every part of a head that has a length, far beyond it.
#[test]
fn parts_of_a_head_without_end_are_cut_at_the_limit() {
    let server = Server::start(&[]);
    let before = Footprint::of(&server);
    let size = status_kb(&server, "VmData");
    let long = "x".repeat(4 << 20);
    for (begin, status) in [
        (String::new(), &[414, 400, 431][..]),
        ("GET /".to_owned(), &[414]),
        ("GET / HTTP/1.1\r\n".to_owned(), &[431]),
        ("GET / HTTP/1.1\r\nA: ".to_owned(), &[431]),
        ("GET / HTTP/1.1\r\nHost: ".to_owned(), &[431]),
    ] {
        let mut http = server.connect();
        http.send_bytes(&begin);
        // It need not be taken whole.
        _ = http.socket.write_all(long.as_bytes());
        let answers = responses(&mut http);
        assert_eq!(answers.len(), 1, "{begin}");
        assert!(
            status.contains(&answers[0].status),
            "{begin}: {}",
            answers[0].status
        );
    }
    let mut http = server.connect();
    http.send_bytes("GET / HTTP/1.1\r\n");
    _ = http.socket.write_all("A: b\r\n".repeat(100_000).as_bytes());
    assert_eq!(responses(&mut http)[0].status, 431);
    let grown = status_kb(&server, "VmData").saturating_sub(size);
    assert!(grown < 4096, "{grown} kB more");
    before.check_is_back(&server);
}

#[test]
fn resets_at_any_time_leave_nothing() {
    let server = Server::start(&[("APP_LIMITS__CONNECTIONS_PER_ADDRESS", "256")]);
    let before = Footprint::of(&server);
    let request = ping(1).bytes(server.addr);
    let events = Request::get("/api/mcp/v1/sse");
    let reset = |http: Http| {
        set_socket_linger(&http.socket, Some(Duration::ZERO)).expect("a socket has options");
    };
    for round in 0..200 {
        let mut http = server.connect();
        http.send_bytes(&request[..1 + round % request.len()]);
        reset(http);
        let mut stream = server.connect().into_sse(&events);
        assert_eq!(stream.next().event, "connected");
        reset(stream.http);
        let mut unread = server.connect();
        unread.send(&events);
        reset(unread);
    }
    before.check_is_back(&server);
    assert_eq!(hits(&server, "streams"), 0.0);
}

#[test]
fn a_deep_pipeline_is_answered_in_order() {
    let server = Server::start(&[]);
    let before = Footprint::of(&server);
    let mut http = server.connect();
    let mut writer = http.socket.try_clone().unwrap();
    let addr = server.addr;
    let sender = std::thread::spawn(move || {
        for id in 0..5000 {
            writer.write_all(&ping(id).bytes(addr)).unwrap();
        }
    });
    for id in 0..5000 {
        assert_eq!(pong(&http.response()), id);
    }
    sender.join().unwrap();
    drop(http);
    before.check_is_back(&server);
}

/// Bytes that look like a request, in a body that is refused, are not one.
#[test]
fn a_poisoned_pipeline_answers_nothing_behind_the_doubt() {
    let server = Server::start(&[]);
    let before = Footprint::of(&server);
    let smuggled = "GET /api/mcp/v1/tools HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for headers in [
        format!(
            "Content-Length: {}\r\nTransfer-Encoding: chunked\r\n",
            smuggled.len()
        ),
        "Transfer-Encoding: chunked, identity\r\n".to_owned(),
        "Content-Length: 0\r\nContent-Length: 0\r\n".to_owned(),
    ] {
        let mut http = server.connect();
        let mut bytes = ping(1).bytes(server.addr);
        let post = format!(
            "POST {CALL} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}\r\n0\r\n\r\n{smuggled}"
        );
        bytes.extend_from_slice(post.as_bytes());
        http.send_bytes(bytes);
        let statuses: Vec<u16> = responses(&mut http)
            .iter()
            .map(|answer| answer.status)
            .collect();
        assert_eq!(statuses, [200, 400], "{headers}");
    }
    before.check_is_back(&server);
}

/// An answer's head holds nothing a client wrote, wherever it wrote line ends.
#[test]
fn no_answer_is_split() {
    let server = Server::start(&[]);
    let evil = "x%0d%0aSet-Cookie:%20evil=1";
    let body = json!({"jsonrpc": "2.0", "id": "a\r\nSet-Cookie: evil=1", "method": "b\r\nSet-Cookie: evil=1"});
    for request in [
        Request::get(&format!("/{evil}")),
        Request::get(&format!("/health?{evil}")),
        Request::post(CALL, &body),
        Request::post("/mcp", &body).header("Mcp-Session-Id", evil),
        Request::post(&format!("/messages/?session_id={evil}"), &body),
        Request::get("/mcp").header("Last-Event-ID", evil),
    ] {
        let mut http = server.connect();
        let response = http.ask(&request);
        assert_eq!(response.header("set-cookie"), None, "{request:?}");
        // And it ends where it says.
        assert_eq!(pong(&http.ask(&ping(9))), 9, "{request:?}");
    }
    poll_until("a quiet server", || {
        (server.metric("mcp_http_active_connections")? <= 1.0).then_some(())
    });
}
