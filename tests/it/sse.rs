//! Event streams on the wire (WHATWG HTML 9.2): when bytes come, in which chunks, with which fields,
//! and how a stream ends.

use siskin::http1::response::ResponseFraming;
use siskin::http1::{Method, chunked::ChunkedDecoder, chunked::ChunkedLimits};

use crate::limits::Plug;
use crate::support::{Http, Mcp, Request, Response, Server, Sse, Until, Way, json};
use crate::wire::{error_text, ping, pong};

const EVENTS: &str = "/api/mcp/v1/sse";
const PUBLISH: &str = "/api/mcp/v1/events";

/// The bytes of the next chunk, from its size line to the CRLF behind its data.
#[track_caller]
fn next_chunk(http: &mut Http) -> String {
    loop {
        let buf = &http.unread;
        if let Some(line) = buf.windows(2).position(|end| end == b"\r\n") {
            let size = std::str::from_utf8(&buf[..line]).unwrap();
            let size = usize::from_str_radix(size, 16).expect("a chunk begins with its size");
            let end = line + 2 + size + 2;
            if buf.len() >= end {
                let data = String::from_utf8(buf[line + 2..end - 2].to_vec()).unwrap();
                assert_eq!(&buf[end - 2..end], b"\r\n");
                http.unread.drain(..end);
                return data;
            }
        }
        assert!(
            http.more(Until::soon()) > 0,
            "the connection ended in a stream"
        );
    }
}

/// Sends a request whose answer must be a stream, and reads its head.
#[track_caller]
fn open(server: &Server, request: &Request) -> (Http, Response) {
    let mut http = server.connect();
    http.send(request);
    let head = http.response_head(Method::Get);
    check_head(&head);
    (http, head)
}

/// What the head of every stream says.
#[track_caller]
fn check_head(head: &Response) {
    assert_eq!(head.status, 200, "{head:?}");
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    assert_eq!(head.header("cache-control"), Some("no-store, no-transform"));
    assert_eq!(head.header("x-accel-buffering"), Some("no"));
    assert!(head.header("content-length").is_none() && head.header("content-encoding").is_none());
}

fn publish(server: &Server, body: &str) -> Response {
    server.ask(&Request::post_text(PUBLISH, body))
}

fn stateless(server: &Server) -> Mcp {
    Mcp::connect(Way::Streamable, server.addr, "2026-07-28")
}

/// A listen request of 2026-07-28.
fn listen(server: &Server) -> Request {
    let client = stateless(server);
    let filter = json!({"notifications": {"toolsListChanged": true}});
    client.post(&client.build_with_id(json!("l"), "subscriptions/listen", filter))
}

#[test]
fn something_comes_at_once_on_every_stream() {
    let server = Server::start(&[]);
    let session = Mcp::open(Way::Streamable, &server, "2025-06-18");
    for request in [
        session.get(),
        Request::get("/sse/"),
        Request::get("/sse"),
        Request::get(EVENTS),
        listen(&server),
        session
            .post(&json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}))
            .with("Accept", "text/event-stream"),
    ] {
        let (mut http, head) = open(&server, &request);
        assert_eq!(head.framing, ResponseFraming::Chunked);
        assert_eq!(next_chunk(&mut http), ":\n\n", "{request:?}");
    }
}

#[test]
fn each_event_is_one_chunk() {
    let server = Server::start(&[]);
    let (mut http, _) = open(&server, &Request::get("/sse/"));
    assert_eq!(next_chunk(&mut http), ":\n\n");
    let endpoint = next_chunk(&mut http);
    let target = endpoint
        .strip_prefix("event: endpoint\ndata: ../messages/?session_id=")
        .and_then(|rest| rest.strip_suffix("\n\n"))
        .unwrap_or_else(|| panic!("{endpoint}"));
    // 128 bits.
    assert!(
        target.len() >= 22
            && target
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    );
    let target = format!("/messages/?session_id={target}");
    for id in 1..=3 {
        let ping = json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
        let taken = server.ask(&Request::post(&target, &ping));
        assert_eq!((taken.status, taken.body.len()), (202, 0));
        let event = next_chunk(&mut http);
        let data = event
            .strip_prefix("event: message\ndata: ")
            .unwrap()
            .strip_suffix("\n\n")
            .unwrap();
        assert!(!data.contains('\n'));
        assert_eq!(crate::support::parse(data)["id"], id);
    }
    // Nothing that could be answered on the stream: the POST is.
    let refused = server.ask(&Request::post_text(&target, "{"));
    assert_eq!(refused.status, 400);
    error_text(&refused);
    drop(http);
    crate::support::poll_until("the session's end", || {
        let ping = json!({"jsonrpc": "2.0", "id": 9, "method": "ping"});
        (server.ask(&Request::post(&target, &ping)).status == 404).then_some(())
    });
}

#[test]
fn comments_keep_every_silent_stream_alive() {
    let server = Server::start(&[
        ("APP_TIMEOUT__SSE_KEEPALIVE", "1s"),
        ("APP_TIMEOUT__IDLE", "500ms"),
    ]);
    let session = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let plug = Plug::new();
    let requests = [
        session.get(),
        Request::get("/sse/"),
        Request::get(EVENTS),
        listen(&server),
        // An answer that takes its time becomes a stream so as to be kept alive.
        session.post(&plug.call(5)),
        stateless_call(&server, &plug),
    ];
    let mut streams: Vec<Http> = requests
        .iter()
        .map(|request| {
            let mut http = server.connect();
            http.send(request);
            http
        })
        .collect();
    for http in &mut streams {
        check_head(&http.response_head(Method::Get));
        assert_eq!(next_chunk(http), ":\n\n");
        let mut comments = 0;
        while comments < 3 {
            let chunk = next_chunk(http);
            let is_comment = chunk == ":\n\n";
            assert!(is_comment || chunk.contains("\ndata: "), "{chunk}");
            comments += usize::from(is_comment);
        }
    }
    plug.let_go();
    for http in &mut streams[4..] {
        let answer = loop {
            match next_chunk(http) {
                chunk if chunk == ":\n\n" => (),
                chunk => break chunk,
            }
        };
        assert!(answer.contains("\"result\""), "{answer}");
        assert_eq!(next_chunk(http), "", "the last chunk");
        // The connection is kept.
        assert_eq!(pong(&http.ask(&ping(6))), 6);
    }
}

fn stateless_call(server: &Server, plug: &Plug) -> Request {
    let client = stateless(server);
    let mut params = plug.call(5)["params"].clone();
    params["_meta"] = json!({});
    client.post(&client.build_with_id(json!(5), "tools/call", params))
}

#[test]
fn a_client_that_takes_only_json_waits_for_its_answer() {
    let server = Server::start(&[("APP_TIMEOUT__SSE_KEEPALIVE", "1s")]);
    let session = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let plug = Plug::new();
    let mut http = server.connect();
    http.send(
        &session
            .post(&plug.call(5))
            .with("Accept", "application/json"),
    );
    // Two ticks pass on another stream.
    let (mut other, _) = open(&server, &Request::get(EVENTS));
    let mut comments = 0;
    while comments < 3 {
        comments += usize::from(next_chunk(&mut other) == ":\n\n");
    }
    plug.let_go();
    assert_eq!(http.response().json()["id"], 5);
}

#[test]
fn ids_and_retry_are_told_where_a_stream_can_be_resumed() {
    let server = Server::start(&[("APP_TIMEOUT__SSE_RETRY", "1234ms")]);
    let session = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let mut stream = session.listen();
    stream.wait_raw("a priming event", |raw| raw.contains("retry: 1234\n"));
    let raw = String::from_utf8(stream.raw.clone()).unwrap();
    assert_eq!(raw, ":\n\nid: 0-0\nretry: 1234\ndata:\n\n");
    assert_eq!(
        (stream.last_event_id(), stream.retry_ms()),
        ("0-0", Some(1234))
    );

    assert_eq!(stream.next().data, "");
    // A later GET takes the stream over; the earlier one ends in order.
    let second = session.listen();
    stream.expect_end();
    // What is not an id of ours, and what we do not know any more.
    for (id, status) in [
        ("x", 400),
        ("0", 400),
        ("-1-0", 400),
        ("0-0\t", 200),
        ("4000000000-7", 404),
    ] {
        let (mut http, request) = (server.connect(), session.get().header("Last-Event-ID", id));
        http.send(&request);
        assert_eq!(http.response_head(Method::Get).status, status, "{id}");
    }
    drop(second);

    // Of a revision that knows no priming: no id without an event.
    let session = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let (mut http, _) = open(&server, &session.get());
    assert_eq!(next_chunk(&mut http), ":\n\n");
    assert_eq!(server.ask(&session.delete()).status, 204);
    assert_eq!(next_chunk(&mut http), "");
}

#[test]
fn a_stream_ends_with_its_last_chunk() {
    let server = Server::start(&[]);
    // By the end of the session.
    let session = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let (mut ended, _) = open(&server, &session.get());
    assert_eq!(server.ask(&session.delete()).status, 204);
    // With the answer, and the connection goes on.
    let session = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let post = session
        .post(&json!({"jsonrpc": "2.0", "id": 3, "method": "ping"}))
        .with("Accept", "text/event-stream");
    let mut stream = server.connect().into_sse(&post);
    assert_eq!(stream.message()["id"], 3);
    stream.expect_end();
    assert_eq!(pong(&stream.http.ask(&ping(4))), 4);
    // By the end of the server.
    let streams = [
        session.get(),
        Request::get(EVENTS),
        Request::get("/sse/"),
        listen(&server),
    ];
    let mut streams: Vec<Http> = streams
        .iter()
        .map(|request| open(&server, request).0)
        .collect();
    let exit = server.stop();
    assert!(exit.status.success(), "{exit:?}");
    streams.push({
        assert_eq!(next_chunk(&mut ended), ":\n\n");
        ended
    });
    for http in &mut streams {
        while !next_chunk(http).is_empty() {}
        http.expect_closed();
    }
}

#[test]
fn http_1_0_gets_a_stream_without_chunks() {
    let server = Server::start(&[]);
    let session = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let mut http = server.connect();
    let keep = session
        .get()
        .header("Connection", "keep-alive")
        .bytes(server.addr);
    http.send_bytes(
        String::from_utf8(keep)
            .unwrap()
            .replace("HTTP/1.1", "HTTP/1.0"),
    );
    let head = http.response_head(Method::Get);
    check_head(&head);
    assert_eq!(head.framing, ResponseFraming::CloseDelimited);
    // Only the end of the connection can end it, whatever the client asked for.
    assert_eq!(head.header("connection"), Some("close"));
    let mut stream = Sse::new(http, head);
    stream.wait_raw("a priming event", |raw| {
        raw.starts_with(":\n\nid: 0-0\nretry: 1000\ndata:\n\n")
    });
    assert_eq!(stream.next().id, "0-0");
    assert_eq!(server.ask(&session.delete()).status, 204);
    stream.expect_end();

    // The answer to a POST as a stream.
    let post = Mcp::open(Way::Streamable, &server, "2025-06-18")
        .post(&json!({"jsonrpc": "2.0", "id": 3, "method": "ping"}))
        .with("Accept", "text/event-stream")
        .bytes(server.addr);
    let mut http = server.connect();
    http.send_bytes(
        String::from_utf8(post)
            .unwrap()
            .replace("HTTP/1.1", "HTTP/1.0"),
    );
    let head = http.response_head(Method::Get);
    let mut stream = Sse::new(http, head);
    assert_eq!(stream.message()["id"], 3);
    stream.expect_end();
    stream.http.expect_closed();
}

#[test]
fn published_events_reach_those_who_want_them_line_by_line() {
    let server = Server::start(&[("APP_TIMEOUT__SSE_PING", "1s")]);
    let all = Request::get(EVENTS);
    let some = Request::get("/api/mcp/v1/sse?events=build,%64eploy");
    let mut all = server.connect().into_sse(&all);
    let mut some = server.connect().into_sse(&some);
    for stream in [&mut all, &mut some] {
        let connected = stream.next();
        assert_eq!(connected.event, "connected");
        assert!(connected.json()["clientId"].is_string(), "{connected:?}");
    }
    let next = |stream: &mut Sse| loop {
        let event = stream.next();
        if event.event != "ping" {
            return (event.event, event.data);
        }
    };
    // Data with lines of its own arrives with them; CR counts as a line end too.
    let response = publish(
        &server,
        "{\"event\": \"deploy\", \"data\": {\r\n \"a\": 1,\n\"b\":\r 2}}",
    );
    assert_eq!(
        (response.status, response.json()),
        (200, json!({"delivered": 2}))
    );
    let expected = ("deploy".to_owned(), "{\n \"a\": 1,\n\"b\":\n 2}".to_owned());
    assert_eq!(next(&mut all), expected);
    assert_eq!(next(&mut some), expected);
    let raw = String::from_utf8(some.raw.clone()).unwrap();
    assert!(
        raw.contains("event: deploy\ndata: {\ndata:  \"a\": 1,\ndata: \"b\":\ndata:  2}\n\n"),
        "{raw}"
    );
    // Others are not bothered.
    assert_eq!(
        publish(&server, r#"{"event":"tick"}"#).json(),
        json!({"delivered": 1})
    );
    assert_eq!(
        publish(&server, r#"{"event":"build","data":"2"}"#).json(),
        json!({"delivered": 2})
    );
    assert_eq!(next(&mut all), ("tick".to_owned(), "null".to_owned()));
    assert_eq!(next(&mut all).0, "build");
    assert_eq!(next(&mut some).0, "build");
    // Every stream is pinged, whatever it asked for.
    for stream in [&mut all, &mut some] {
        let ping = loop {
            let event = stream.next();
            if event.event == "ping" {
                break event;
            }
        };
        assert!(ping.json()["timestamp"].is_u64(), "{ping:?}");
    }
    let sent = |kind: &str| {
        server.metric(&format!(
            r#"mcp_sse_events_sent_total{{event_type="{kind}"}}"#
        ))
    };
    assert!(sent("ping") >= Some(2.0));
    assert_eq!(
        (sent("published"), sent("connected")),
        (Some(5.0), Some(2.0))
    );
}

#[test]
fn what_cannot_be_published_is_refused() {
    let server = Server::start(&[]);
    let mut stream = server.connect().into_sse(&Request::get(EVENTS));
    stream.next();
    for body in [
        "",
        "{}",
        "[]",
        r#"{"event":""}"#,
        r#"{"event":"a\nb"}"#,
        r#"{"event":"ping"}"#,
        r#"{"event":"message"}"#,
        r#"{"event":"a","data":}"#,
        r#"{"event":"a","more":1}"#,
    ] {
        let response = publish(&server, body);
        assert_eq!(response.status, 400, "{body}");
        error_text(&response);
    }
    let long = "x".repeat(65);
    assert_eq!(
        publish(&server, &format!(r#"{{"event":"{long}"}}"#)).status,
        400
    );
    assert_eq!(
        publish(&server, &format!(r#"{{"event":"{}"}}"#, &long[1..])).status,
        200
    );
    assert_eq!(stream.next().event, &long[1..]);
    let names = vec!["x"; 33].join(",");
    let refused = server.get(&format!("{EVENTS}?events={names}"));
    assert_eq!(refused.status, 400);
    error_text(&refused);
}

#[test]
fn a_stream_needs_a_client_that_takes_one() {
    let server = Server::start(&[]);
    let session = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let status = |request: Request| {
        let mut http = server.connect();
        http.send(&request);
        let head = http.response_head(Method::Get);
        (head.status, head.is_sse())
    };
    for accept in [
        "text/event-stream",
        "*/*",
        "text/*",
        "text/event-stream;q=0.5, application/json",
    ] {
        assert_eq!(
            status(session.get().with("Accept", accept)),
            (200, true),
            "{accept}"
        );
    }
    assert_eq!(status(session.get().without("Accept")), (200, true));
    // On several lines it is still one list.
    let lines = session.get().with("Accept", "application/json");
    let lines = lines.header("Accept", "text/event-stream");
    assert_eq!(status(lines), (200, true));
    for accept in ["application/json", "text/plain", "text/event-stream;q=0"] {
        assert_eq!(
            status(session.get().with("Accept", accept)),
            (406, false),
            "{accept}"
        );
    }
    // Without a session there is nothing to hear by GET.
    let response = server.ask(&Request::get("/mcp").header("Accept", "text/event-stream"));
    assert_eq!(
        (response.status, response.header("allow")),
        (405, Some("POST, OPTIONS"))
    );
    error_text(&response);
    let post = session.post(&json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}));
    for accept in [
        "text/html",
        "image/*",
        "application/json;q=0, text/event-stream;q=0",
    ] {
        let response = server.ask(&post.clone().with("Accept", accept));
        assert_eq!(response.status, 406, "{accept}");
        error_text(&response);
    }
    assert_eq!(server.ask(&post.without("Accept")).json()["id"], 1);
}

#[test]
fn stray_bytes_do_not_disturb_a_stream_and_too_many_end_it() {
    let server = Server::start(&[]);
    let mut stream = server.connect().into_sse(&Request::get(EVENTS));
    stream.next();
    // A pipelined request: no answer may come into the stream.
    stream.http.send(&ping(1));
    assert_eq!(
        publish(&server, r#"{"event":"a"}"#).json(),
        json!({"delivered": 1})
    );
    assert_eq!(stream.next().event, "a");
    let stray = vec![b'x'; 1024];
    crate::support::poll_until("the end of the stream", || {
        _ = std::io::Write::write_all(&mut stream.http.socket, &stray);
        (publish(&server, r#"{"event":"b"}"#).json() == json!({"delivered": 0})).then_some(())
    });
    let mut decoder = ChunkedDecoder::new(ChunkedLimits::default());
    let mut events = Vec::new();
    while stream.http.more(Until::soon()) > 0 {}
    let progress = decoder
        .decode(&stream.http.unread, &mut events, usize::MAX)
        .unwrap();
    assert!(!progress.done, "cut, not ended");
    assert!(!String::from_utf8(events).unwrap().contains("HTTP/1.1"));
}
