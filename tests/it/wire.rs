//! HTTP/1.1 framing on the live server (RFC 9112): what belongs to which request, what ends a
//! connection, and that nothing behind an ambiguous request is ever answered.

use std::io::Write as _;

use crate::support::{Http, Request, Response, Server, Until, Value, json, poll_until};
use siskin::http1::Method;
use siskin::http1::response::ResponseFraming;

/// Plain JSON-RPC.
pub const CALL: &str = "/api/mcp/v1/call";

/// A request whose answer shows its id.
pub fn ping(id: u32) -> Request {
    Request::post(CALL, &json!({"jsonrpc": "2.0", "id": id, "method": "ping"}))
}

/// The id a ping was answered with.
#[track_caller]
pub fn pong(response: &Response) -> u64 {
    assert_eq!(response.status, 200, "{response:?}");
    let answer = response.json();
    assert_eq!(answer["result"], json!({}), "{answer}");
    answer["id"].as_u64().expect("the id is the one sent")
}

/// All responses until the server closes the connection.
#[track_caller]
pub fn responses(http: &mut Http) -> Vec<Response> {
    let mut responses = Vec::new();
    while !http.unread.is_empty() || http.more(Until::soon()) > 0 {
        responses.push(http.response());
    }
    responses
}

/// The text of an error, which must be JSON of the common shape.
#[track_caller]
pub fn error_text(response: &Response) -> String {
    let body: Value = response.json();
    assert_eq!(body["jsonrpc"], "2.0", "{body}");
    assert!(body["error"]["code"].is_i64(), "{body}");
    let text = body["error"]["message"]
        .as_str()
        .expect("an error has a message");
    assert!(!text.is_empty(), "{body}");
    text.to_owned()
}

/// Asks on a connection of its own, and reads no further than the head where the answer is a stream.
#[track_caller]
pub fn ask(server: &Server, request: &Request) -> Response {
    let mut http = server.connect();
    http.send(request);
    let mut response = http.response_head(Method::parse(request.method.as_bytes()));
    if let ResponseFraming::Length(len) = response.framing {
        let len = usize::try_from(len).unwrap();
        while http.unread.len() < len {
            assert!(
                http.more(Until::soon()) > 0,
                "the connection ended in a body"
            );
        }
        response.body = http.unread.drain(..len).collect();
    }
    response
}

/// Lets the server work off what it has: it answers this after whatever came before.
fn take_turn(other: &mut Http) {
    assert_eq!(other.ask(&Request::get("/health")).status, 200);
}

/// What does not change from one answer to the next.
fn essence(response: &Response) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let mut headers = response.headers.clone();
    headers.retain(|(name, _)| name != "Date");
    (response.status, headers, response.body.clone())
}

/// A ping with a chunked body: `body` as it goes over the wire.
fn chunked(body: &str) -> Request {
    Request::new("POST", CALL)
        .header("Content-Type", "application/json")
        .header("Transfer-Encoding", "chunked")
        .body(body)
}

/// Ping 7 in chunks, with `extension` on each size line and these trailer lines.
fn chunked_ping(extension: &str, trailers: &str) -> Request {
    let text = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;
    let (first, second) = text.split_at(0x11);
    let len = second.len();
    chunked(&format!(
        "11{extension}\r\n{first}\r\n{len:x}{extension}\r\n{second}\r\n0{extension}\r\n{trailers}\r\n"
    ))
}

// --- connections ----------------------------------------------------------------------------------

#[test]
fn a_connection_is_kept_until_either_side_says_otherwise() {
    let server = Server::start(&[]);
    let mut http = server.connect();
    for id in 1..=3 {
        let response = http.ask(&ping(id));
        assert_eq!(pong(&response), u64::from(id));
        assert!(response.keep_alive && response.header("connection").is_none());
        assert!(response.header("date").is_some());
    }
    let last = http.ask(&ping(4).header("Connection", "foo, CLOSE"));
    assert_eq!(pong(&last), 4);
    assert_eq!(last.header("connection"), Some("close"));
    http.expect_closed();
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(&[]);
    let mut http = server.connect();
    // The first takes a while (it measures), the others could all overtake it.
    let slow = json!({"jsonrpc": "2.0", "id": 0, "method": "tools/call",
        "params": {"name": "device_cpu", "arguments": {}}});
    let mut bytes = Request::post(CALL, &slow).bytes(server.addr);
    for id in 1..=50 {
        bytes.extend(
            match id % 3 {
                0 => ping(id),
                1 => ping(id).header("X-Filler", &"x".repeat(4000)),
                _ => {
                    let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
                    chunked(&format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()))
                }
            }
            .bytes(server.addr),
        );
    }
    http.send_bytes(bytes);
    let first = http.response().json();
    assert_eq!(first["id"], 0, "{first}");
    assert!(first["result"]["structuredContent"].is_object(), "{first}");
    for id in 1..=50 {
        assert_eq!(pong(&http.response()), id);
    }
}

#[test]
fn what_follows_the_last_request_is_not_answered() {
    let server = Server::start(&[]);
    let mut http = server.connect();
    let mut bytes = ping(1).header("Connection", "close").bytes(server.addr);
    bytes.extend(ping(2).bytes(server.addr));
    http.send_bytes(bytes);
    let responses = responses(&mut http);
    assert_eq!(responses.iter().map(pong).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_client_that_closed_its_side_is_still_answered() {
    let server = Server::start(&[]);
    let mut http = server.connect();
    let mut bytes = ping(1).bytes(server.addr);
    bytes.extend(ping(2).bytes(server.addr));
    http.send_bytes(bytes);
    http.half_close();
    let answered = responses(&mut http);
    assert_eq!(answered.iter().map(pong).collect::<Vec<_>>(), [1, 2]);

    // Also one that has to wait for its answer, where a disconnect does not cancel.
    let mut http = server.connect();
    http.send(&Request::post(
        CALL,
        &json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call",
        "params": {"name": "device_cpu", "arguments": {}}}),
    ));
    http.half_close();
    let answered = responses(&mut http);
    assert_eq!(answered.len(), 1);
    assert_eq!(answered[0].json()["id"], 3);

    // What is not whole is no request.
    for bytes in ["GET /health HTTP/1.1\r\nHost: localhost\r\n", "GET"] {
        let mut http = server.connect();
        http.send_bytes(bytes);
        http.half_close();
        http.expect_closed();
    }
    let mut http = server.connect();
    let bytes = ping(1).bytes(server.addr);
    http.send_bytes(&bytes[..bytes.len() - 1]);
    http.half_close();
    assert!(
        responses(&mut http)
            .iter()
            .all(|response| response.status == 400)
    );
}

#[test]
fn connections_cut_in_the_middle_leave_nothing_behind() {
    let server = Server::start(&[]);
    let request = ping(1).bytes(server.addr);
    for round in 0..100 {
        let mut http = server.connect();
        http.send_bytes(&request[..1 + round % request.len()]);
        if round % 2 == 0 {
            // A reset instead of an orderly end.
            rustix::net::sockopt::set_socket_linger(&http.socket, Some(std::time::Duration::ZERO))
                .expect("a socket has options");
        }
    }
    // The one that asks is the only one left.
    poll_until("all connections to be gone", || {
        (server.metric("mcp_http_active_connections")? <= 1.0).then_some(())
    });
    assert_eq!(pong(&server.ask(&ping(2))), 2);
}

// --- arrival --------------------------------------------------------------------------------------

#[test]
fn a_request_is_the_same_however_it_arrives() {
    let server = Server::start(&[]);
    let tools = Request::new("HEAD", "/api/mcp/v1/tools").header("Connection", "keep-alive");
    let absolute = format!("http://{}{CALL}", server.addr);
    let requests = [
        ping(1),
        chunked_ping(";a=\"b\";c", "X-Trailer: a\r\nContent-Length: 999\r\n"),
        Request {
            target: absolute,
            ..ping(3)
        },
        Request::get("/nowhere")
            .header("Content-Length", "3")
            .body("abc"),
        tools,
    ];
    let mut other = server.connect();
    for request in requests {
        let method = Method::parse(request.method.as_bytes());
        let bytes = request.bytes(server.addr);
        let mut http = server.connect();
        http.send_bytes(&bytes);
        let whole = essence(&http.response_to(method));
        for split in 1..bytes.len() {
            http.send_bytes(&bytes[..split]);
            take_turn(&mut other);
            http.send_bytes(&bytes[split..]);
            let answer = essence(&http.response_to(method));
            // A refusal that was sent before the body had come ends the connection.
            if answer.1.iter().any(|(name, _)| name == "Connection") {
                assert_eq!((answer.0, &answer.2), (404, &whole.2), "split at {split}");
                http.expect_closed();
                http = server.connect();
            } else {
                assert_eq!(answer, whole, "split at {split}: {}", bytes.escape_ascii());
            }
        }
    }
    let bytes = ping(5).bytes(server.addr);
    let mut http = server.connect();
    for byte in bytes {
        http.send_bytes([byte]);
        take_turn(&mut other);
    }
    assert_eq!(pong(&http.response()), 5);
}

#[test]
fn empty_lines_before_a_request_are_skipped() {
    let server = Server::start(&[]);
    let mut http = server.connect();
    for id in 1..=2 {
        let mut bytes = b"\r\n".to_vec();
        bytes.extend(ping(id).bytes(server.addr));
        http.send_bytes(bytes);
        assert_eq!(pong(&http.response()), u64::from(id));
    }
}

// --- bodies ---------------------------------------------------------------------------------------

#[test]
fn chunked_bodies_may_have_extensions_and_trailers() {
    let server = Server::start(&[]);
    let mut http = server.connect();
    for request in [
        chunked_ping("", ""),
        chunked_ping(";name", ""),
        chunked_ping(";a=1;b=\"two, \\\" three\"", ""),
        chunked_ping("", "X-Checksum: 1\r\nX-Other:\r\n"),
        // A trailer is not a header: it neither changes the length nor who asks.
        chunked_ping(
            "",
            "Content-Length: 3\r\nConnection: close\r\nOrigin: http://evil.example\r\n",
        ),
    ] {
        assert_eq!(pong(&http.ask(&request)), 7, "{request:?}");
        assert_eq!(pong(&http.ask(&ping(8))), 8, "after {request:?}");
    }
}

#[test]
fn a_body_of_a_refused_request_is_never_taken_for_a_request() {
    let server = Server::start(&[]);
    let inner = String::from_utf8(ping(99).bytes(server.addr)).expect("it is text");
    let refused = Request::new("POST", "/nowhere")
        .header("Content-Type", "application/json")
        .body(&inner);

    // All of it is there: it is skipped and the connection goes on.
    let mut http = server.connect();
    let mut bytes = refused.bytes(server.addr);
    bytes.extend(ping(1).header("Connection", "close").bytes(server.addr));
    http.send_bytes(bytes);
    let answers = responses(&mut http);
    assert_eq!(
        answers
            .iter()
            .map(|answer| answer.status)
            .collect::<Vec<_>>(),
        [404, 200]
    );
    assert_eq!(pong(&answers[1]), 1);

    // A part of it is there: the connection ends, whatever follows.
    let bytes = refused.bytes(server.addr);
    let (begin, end) = bytes.split_at(bytes.len() - inner.len());
    let mut http = server.connect();
    http.send_bytes(begin);
    assert_eq!(http.response().status, 404);
    _ = http.socket.write_all(end);
    assert!(responses(&mut http).is_empty());

    // In chunks: nobody knows where it ends without reading it.
    let mut http = server.connect();
    let mut bytes = Request {
        target: "/nowhere".into(),
        ..chunked_ping("", "")
    }
    .bytes(server.addr);
    bytes.extend(ping(1).bytes(server.addr));
    http.send_bytes(bytes);
    let answers = responses(&mut http);
    assert_eq!(
        answers
            .iter()
            .map(|answer| answer.status)
            .collect::<Vec<_>>(),
        [404]
    );
}

#[test]
fn continue_is_said_only_to_who_waits_for_it_and_may_go_on() {
    let server = Server::start(&[("APP_LIMITS__BODY_BYTES", "1024")]);
    let waiting = ping(1).header("Expect", "100-continue");
    let bytes = waiting.bytes(server.addr);
    let head_len = bytes
        .windows(4)
        .position(|end| end == b"\r\n\r\n")
        .expect("a head ends")
        + 4;

    let mut http = server.connect();
    http.send_bytes(&bytes[..head_len]);
    let interim = http.response();
    assert_eq!(
        (interim.status, interim.headers.len()),
        (100, 0),
        "{interim:?}"
    );
    http.send_bytes(&bytes[head_len..]);
    assert_eq!(pong(&http.response()), 1);

    // The body came along: nobody waits.
    http.send_bytes(&bytes);
    assert_eq!(pong(&http.response()), 1);

    // In chunks.
    let chunks = chunked_ping("", "")
        .header("Expect", "100-Continue")
        .bytes(server.addr);
    let head_len = chunks
        .windows(4)
        .position(|end| end == b"\r\n\r\n")
        .expect("a head ends")
        + 4;
    http.send_bytes(&chunks[..head_len]);
    assert_eq!(http.response().status, 100);
    http.send_bytes(&chunks[head_len..]);
    assert_eq!(pong(&http.response()), 7);

    // An HTTP/1.0 client would take it for the answer (RFC 9110 section 10.1.1).
    let old = String::from_utf8(bytes.clone())
        .expect("it is text")
        .replace("HTTP/1.1", "HTTP/1.0");
    let mut http = server.connect();
    let head_len = old.find("\r\n\r\n").expect("a head ends") + 4;
    http.send_bytes(&old[..head_len]);
    take_turn(&mut server.connect());
    http.send_bytes(&old[head_len..]);
    assert_eq!(pong(&http.response()), 1);

    // Whoever is refused hears it at once, and keeps the body.
    let expect = |request: Request, status: u16| {
        let bytes = request.header("Expect", "100-continue").bytes(server.addr);
        let head_len = bytes
            .windows(4)
            .position(|end| end == b"\r\n\r\n")
            .expect("a head ends")
            + 4;
        let mut http = server.connect();
        http.send_bytes(&bytes[..head_len]);
        let response = http.response();
        assert_eq!(response.status, status, "{response:?}");
        error_text(&response);
        assert!(responses(&mut http).is_empty());
    };
    expect(ping(1).with("Content-Length", "1025"), 413);
    expect(ping(1).with("Content-Type", "text/plain"), 415);
    expect(
        Request {
            target: "/nowhere".into(),
            ..ping(1)
        },
        404,
    );
    expect(
        Request {
            target: "/health".into(),
            ..ping(1)
        },
        405,
    );
    expect(ping(1).with("Host", "evil.example"), 421);
    expect(ping(1).header("Origin", "http://evil.example"), 403);

    for other in ["100-continued", "200-ok", "100-continue, foo", ""] {
        let response = server.ask(&ping(1).header("Expect", other));
        assert_eq!(response.status, 417, "{other}: {response:?}");
        error_text(&response);
    }
}

// --- methods, targets, versions -------------------------------------------------------------------

#[test]
fn head_is_get_without_the_body() {
    let server = Server::start(&[]);
    let mut http = server.connect();
    for path in ["/api/mcp/v1/tools", "/ready"] {
        let get = essence(&http.ask(&Request::get(path)));
        let head = essence(&http.ask(&Request::new("HEAD", path)));
        assert_eq!((get.0, &get.1), (head.0, &head.1), "{path}");
        assert!(!get.2.is_empty() && head.2.is_empty());
    }
    // Refusals have no body either.
    for path in ["/mcp", "/nowhere"] {
        let response = http.ask(&Request::new("HEAD", path));
        assert!(response.body.is_empty() && response.status >= 400);
        assert_ne!(response.header("content-length"), Some("0"));
    }
    assert_eq!(pong(&http.ask(&ping(1))), 1);
}

#[test]
fn options_says_what_a_path_can_do() {
    let server = Server::start(&[]);
    let mut http = server.connect();
    for (target, allow) in [
        ("/mcp", "GET, POST, DELETE, OPTIONS"),
        (CALL, "POST, OPTIONS"),
        ("/sse/", "GET, OPTIONS"),
        ("/health", "GET, HEAD, OPTIONS"),
        ("*", "GET, POST, DELETE, OPTIONS"),
    ] {
        let response = http.ask(&Request::new("OPTIONS", target));
        assert_eq!(
            (response.status, response.header("allow")),
            (204, Some(allow)),
            "{target}"
        );
        // RFC 9110 section 8.6.
        assert!(response.header("content-length").is_none());
        assert!(response.header("transfer-encoding").is_none());
    }
    for target in ["/", "/mcp/", "/nowhere", "/*"] {
        let response = http.ask(&Request::new("OPTIONS", target));
        assert_eq!(response.status, 404, "{target}");
        assert_eq!(
            error_text(&response),
            error_text(&http.ask(&Request::get(target)))
        );
    }
    assert_eq!(pong(&http.ask(&ping(1))), 1);
}

#[test]
fn other_methods_are_refused_by_name() {
    let server = Server::start(&[]);
    let mut http = server.connect();
    for method in ["PUT", "PATCH", "TRACE", "BREW", "get", "M-SEARCH"] {
        let response = http.ask(&Request::new(method, "/mcp"));
        assert_eq!(response.status, 405, "{method}");
        assert_eq!(response.header("allow"), Some("GET, POST, DELETE, OPTIONS"));
        error_text(&response);
    }
    // A tunnel's bytes are not requests.
    let mut http = server.connect();
    http.send_bytes("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let answers = responses(&mut http);
    assert_eq!(
        answers
            .iter()
            .map(|answer| answer.status)
            .collect::<Vec<_>>(),
        [501]
    );
    error_text(&answers[0]);
}

#[test]
fn an_upgrade_is_not_taken_up() {
    let server = Server::start(&[]);
    let mut http = server.connect();
    let request = ping(1)
        .header("Connection", "Upgrade, HTTP2-Settings")
        .header("Upgrade", "h2c")
        .header("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA");
    assert_eq!(pong(&http.ask(&request)), 1);
    assert_eq!(pong(&http.ask(&ping(2))), 2);
}

#[test]
fn an_absolute_target_counts_more_than_host() {
    let server = Server::start(&[]);
    let mut http = server.connect();
    let absolute = |authority: &str| Request {
        target: format!("http://{authority}{CALL}"),
        ..ping(1)
    };
    assert_eq!(pong(&http.ask(&absolute("localhost"))), 1);
    assert_eq!(pong(&http.ask(&absolute("LOCALHOST:1"))), 1);
    // RFC 9112 section 3.2.2.
    assert_eq!(
        pong(&http.ask(&absolute("localhost").header("Host", "evil.example"))),
        1
    );
    assert_eq!(
        http.ask(&absolute("evil.example").header("Host", "localhost"))
            .status,
        421
    );
    assert_eq!(
        http.ask(&Request::get("http://localhost/nowhere")).status,
        404
    );
    let mut http = server.connect();
    assert_eq!(
        http.ask(&Request::get("http://user@localhost/health"))
            .status,
        400
    );
    let mut http = server.connect();
    assert_eq!(
        http.ask(&Request::get("ftp://localhost/health")).status,
        400
    );
}

#[test]
fn http_1_0_is_closed_unless_asked() {
    let server = Server::start(&[]);
    let mut http = server.connect();
    http.send_bytes("GET /ready HTTP/1.0\r\n\r\n");
    // Without `Host` there is no telling whom it means, and on loopback that matters.
    assert_eq!(http.response().status, 421);
    http.expect_closed();

    let mut http = server.connect();
    http.send_bytes("GET /ready HTTP/1.0\r\nHost: localhost\r\n\r\nGET /ready HTTP/1.0\r\nHost: localhost\r\n\r\n");
    let answers = responses(&mut http);
    assert_eq!(answers.len(), 1);
    assert_eq!(
        (answers[0].status, answers[0].header("connection")),
        (200, Some("close"))
    );

    let mut http = server.connect();
    for _ in 0..2 {
        http.send_bytes("GET /ready HTTP/1.0\r\nHost: localhost\r\nConnection: Keep-Alive\r\n\r\n");
        let response = http.response();
        assert_eq!(
            (response.status, response.header("connection")),
            (200, Some("keep-alive"))
        );
        assert!(matches!(response.framing, ResponseFraming::Length(_)));
    }
    http.send_bytes("GET /ready HTTP/1.0\r\nHost: localhost\r\n\r\n");
    assert_eq!(http.response().status, 200);
    http.expect_closed();
}

// --- what is refused ------------------------------------------------------------------------------

/// Sends a request and, in the same write, another behind it: exactly one answer may come.
#[track_caller]
fn check_refused(server: &Server, request: &str, status: u16) {
    let mut http = server.connect();
    http.send_bytes(format!(
        "{request}GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    ));
    let answers = responses(&mut http);
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(
        statuses,
        [status],
        "{}: {answers:?}",
        request.escape_debug()
    );
    assert_eq!(answers[0].header("connection"), Some("close"), "{request}");
    error_text(&answers[0]);
}

/// Sends a request and, in the same write, another behind it: both are answered.
#[track_caller]
fn check_accepted(server: &Server, request: &str) {
    let mut http = server.connect();
    http.send_bytes(format!(
        "{request}GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    ));
    let answers = responses(&mut http);
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(
        statuses,
        [200, 200],
        "{}: {answers:?}",
        request.escape_debug()
    );
}

/// A POST of a ping with these header lines about its length.
fn post(headers: &str) -> String {
    let body = r#"{"id":1,"method":"ping"}"#;
    format!(
        "POST {CALL} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}\r\n{body}"
    )
}

/// A POST of a ping in this chunked body.
fn post_chunks(body: &str) -> String {
    let headers = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    format!("POST {CALL} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}")
}

#[test]
fn any_doubt_about_the_length_ends_the_connection() {
    let server = Server::start(&[]);
    check_accepted(&server, &post("Content-Length: 24\r\n"));
    check_accepted(&server, &post("content-length:  24 \t\r\n"));
    for headers in [
        "Content-Length: 24\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 24\r\n",
        "Content-Length: 24\r\nContent-Length: 24\r\n",
        "Content-Length: 24\r\nContent-Length: 5\r\n",
        "Content-Length: 24, 24\r\n",
        "Content-Length: +24\r\n",
        "Content-Length: -24\r\n",
        "Content-Length: 0x18\r\n",
        "Content-Length: 2_4\r\n",
        "Content-Length: 2 4\r\n",
        "Content-Length: 24.0\r\n",
        "Content-Length: 24;\r\n",
        "Content-Length: \"24\"\r\n",
        "Content-Length:\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 99999999999999999999999999\r\n",
        "Content-Length: ٢٤\r\n",
        "Content-Length : 24\r\n",
        " Content-Length: 24\r\n",
        "X: y\r\n Content-Length: 24\r\n",
        "Content-Length\r\n",
        "Content-Length: 24\n",
        "Content-Length: 24\r\r\n",
        "X: y\nContent-Length: 24\r\n",
        "X: y\rContent-Length: 24\r\n",
        "X: \0\r\nContent-Length: 24\r\n",
        "X: \u{b}\r\nContent-Length: 24\r\n",
        ": y\r\nContent-Length: 24\r\n",
        "X(): y\r\nContent-Length: 24\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: \u{b}chunked\r\n",
        "Transfer-Encoding: \u{c}chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding : chunked\r\n",
    ] {
        check_refused(&server, &post(headers), 400);
    }
    // To HTTP/1.0 the coding is unknown: the next hop may have read the body otherwise.
    let old = post_chunks("0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0");
    check_refused(&server, &old, 400);
    // An ordinary header that only looks like it: there is no body, and what follows is a request.
    let mut http = server.connect();
    http.send_bytes(post("Content_Length: 24\r\n") + "\r\n");
    let statuses: Vec<u16> = responses(&mut http)
        .iter()
        .map(|answer| answer.status)
        .collect();
    assert_eq!(statuses, [400, 400]);
}

#[test]
fn a_chunked_body_is_strict() {
    let server = Server::start(&[]);
    let ping = r#"{"id":1,"method":"ping"}"#;
    check_accepted(&server, &post_chunks(&format!("18\r\n{ping}\r\n0\r\n\r\n")));
    check_accepted(
        &server,
        &post_chunks(&format!("018;{}\r\n{ping}\r\n00\r\n\r\n", "x".repeat(255))),
    );
    for body in [
        format!("+18\r\n{ping}\r\n0\r\n\r\n"),
        format!("-18\r\n{ping}\r\n0\r\n\r\n"),
        format!("0x18\r\n{ping}\r\n0\r\n\r\n"),
        format!(" 18\r\n{ping}\r\n0\r\n\r\n"),
        format!("18 \r\n{ping}\r\n0\r\n\r\n"),
        format!("18 ;x\r\n{ping}\r\n0\r\n\r\n"),
        format!("18\n{ping}\r\n0\r\n\r\n"),
        format!("18\r{ping}\r\n0\r\n\r\n"),
        format!("18\r\n{ping}0\r\n\r\n"),
        format!("18\r\n{ping}\n0\r\n\r\n"),
        format!("18\r\n{ping} \r\n0\r\n\r\n"),
        format!("17\r\n{ping}\r\n0\r\n\r\n"),
        format!("18\r\n{ping}\r\n0\n\r\n"),
        format!("18\r\n{ping}\r\n0\r\nX\r\n\r\n"),
        format!("18\r\n{ping}\r\n0\r\nX : y\r\n\r\n"),
        format!("18\r\n{ping}\r\n0\r\nX: y\n\r\n"),
        format!("18\r\n{ping}\r\n0\r\n y\r\n\r\n"),
        format!("18;\n\r\n{ping}\r\n0\r\n\r\n"),
        format!("18;\0\r\n{ping}\r\n0\r\n\r\n"),
        format!("18;{}\r\n{ping}\r\n0\r\n\r\n", "x".repeat(256)),
        format!("18\r\n{ping}\r\n0\r\nX: {}\r\n\r\n", "y".repeat(1020)),
        format!("{}18\r\n{ping}\r\n0\r\n\r\n", "0".repeat(15)),
        "\r\n".to_owned(),
        "x\r\n".to_owned(),
    ] {
        check_refused(&server, &post_chunks(&body), 400);
    }
    check_refused(&server, &post_chunks("ffffffffffffffff\r\n"), 413);
}

#[test]
fn a_head_is_strict() {
    let server = Server::start(&[]);
    check_accepted(&server, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for (request, status) in [
        ("GET /health HTTP/1.1\nHost: localhost\n\n", 400),
        ("GET /health HTTP/1.1\r\nHost: localhost\n\r\n", 400),
        ("GET  /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET /health  HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET /health HTTP/1.1 \r\nHost: localhost\r\n\r\n", 400),
        ("GET\t/health\tHTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (" GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET /he alth HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET /health#x HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET /h\u{e9} HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET health HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("G(T /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET /health http/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET /health HTTP/1.1x\r\nHost: localhost\r\n\r\n", 400),
        ("GET /health HTTP/1.2\r\nHost: localhost\r\n\r\n", 505),
        ("GET /health HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
        ("GET /health HTTP/0.9\r\nHost: localhost\r\n\r\n", 505),
        ("GET /health HTTP/1.1\r\n\r\n", 400),
        (
            "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
            400,
        ),
        ("GET /health HTTP/1.1\r\nHost:\r\n\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost: user@localhost\r\n\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost: localhost/x\r\n\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost: localhost:80:80\r\n\r\n", 400),
        (
            "GET /health HTTP/1.1\r\nHost: localhost, evil.example\r\n\r\n",
            400,
        ),
    ] {
        check_refused(&server, request, status);
    }
}

#[test]
fn what_is_not_http_gets_one_answer_at_most() {
    let server = Server::start(&[]);
    let garbage: Vec<u8> = (0..=255).cycle().take(4096).collect();
    let hello = b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\x5f\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d";
    let samples: [&[u8]; 8] = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
        b"GET /health\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r\n",
        hello,
        &garbage,
        b"\0",
    ];
    for sample in samples {
        let mut http = server.connect();
        http.send_bytes(sample);
        let answers = responses(&mut http);
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert!(
            matches!(statuses[..], [] | [400] | [505]),
            "{}: {statuses:?}",
            sample.escape_ascii()
        );
    }
    assert!(server.metric(r#"mcp_connections_closed_total{reason="protocol_error"}"#) >= Some(8.0));
    assert_eq!(pong(&server.ask(&ping(1))), 1);
}
