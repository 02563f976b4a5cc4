//! HTTP+SSE sessions (2024-11-05 `basic/transports`): the stream says where to post, answers come
//! on it, and the session lives as long as it does.

use crate::support::{Http, Mcp, Request, Server, Way, json, poll_until, resolve};

fn stream_request(path: &str) -> Request {
    Request::get(path).header("Accept", "text/event-stream")
}

#[test]
fn the_first_event_names_a_relative_endpoint_that_holds_below_any_prefix() {
    let server = Server::start(&[]);
    for path in ["/sse/", "/sse"] {
        let mut stream = server.connect().into_sse(&stream_request(path));
        let first = stream.next();
        assert_eq!(first.event, "endpoint");
        assert!(
            !first.data.starts_with('/') && !first.data.contains(':'),
            "{first:?}"
        );
        let target = resolve(path, &first.data);
        assert!(target.starts_with("/messages/?session_id="), "{target}");
        let behind_proxy = resolve(&format!("/a/b{path}"), &first.data);
        assert_eq!(behind_proxy, format!("/a/b{target}"));
        let id = target.split_once('=').unwrap().1;
        assert!(id.len() >= 22, "fewer than 128 bits: {id}");
    }
}

#[test]
fn the_head_of_the_stream_keeps_proxies_from_holding_it_back() {
    let server = Server::start(&[]);
    let stream = server.connect().into_sse(&stream_request("/sse/"));
    assert_eq!(stream.head.status, 200);
    assert_eq!(
        stream.head.header("content-type"),
        Some("text/event-stream")
    );
    assert_eq!(stream.head.header("x-accel-buffering"), Some("no"));
    let cache = stream.head.header("cache-control").unwrap_or_default();
    assert!(cache.contains("no-store"), "{cache}");
}

#[test]
fn configured_paths_are_used_in_the_endpoint() {
    let server = Server::start(&[
        ("FASTMCP_SSE_PATH", "/old/events"),
        ("FASTMCP_MESSAGE_PATH", "/old/in"),
    ]);
    let mut stream = server.connect().into_sse(&stream_request("/old/events"));
    let target = resolve("/old/events", &stream.next().data);
    assert!(target.starts_with("/old/in?session_id="), "{target}");
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    assert_eq!(server.ask(&Request::post(&target, &ping)).status, 202);
    assert_eq!(stream.message()["id"], 1);
}

#[test]
fn a_post_is_accepted_and_answered_on_its_own_stream_alone() {
    let server = Server::start(&[]);
    let mut first = Mcp::open(Way::HttpSse, &server, "2024-11-05");
    let mut second = Mcp::open(Way::HttpSse, &server, "2024-11-05");
    assert_ne!(first.target(), second.target());
    let message = first.build_with_id(json!("for the first"), "ping", json!({}));
    let response = server.ask(&first.post(&message));
    assert_eq!((response.status, &response.body[..]), (202, &b""[..]));
    assert_eq!(
        first.next(),
        json!({"jsonrpc": "2.0", "id": "for the first", "result": {}})
    );
    // The other's next message is its own.
    assert_eq!(second.request("ping", json!({}))["result"], json!({}));
    assert!(second.heard.is_empty());
}

#[test]
fn what_cannot_be_answered_on_the_stream_refuses_the_post() {
    let server = Server::start(&[]);
    let mut mcp = Mcp::open(Way::HttpSse, &server, "2024-11-05");
    for text in ["{", "7", r#"{"jsonrpc":"2.0"}"#] {
        let response = server.ask(&Request::post_text(mcp.target(), text));
        assert_eq!(response.status, 400, "{text}");
        assert!(response.json()["error"]["code"].is_number());
    }
    mcp.result("ping", json!({}));
}

#[test]
fn an_unknown_session_is_404_as_json() {
    let server = Server::start(&[]);
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    for id in ["none", "", "AAAAAAAAAAAAAAAAAAAAAA"] {
        let response = server.ask(&Request::post(
            &format!("/messages/?session_id={id}"),
            &ping,
        ));
        assert_eq!(response.status, 404, "{id}: {response:?}");
        assert!(response.json()["error"]["message"].is_string());
    }
    // A session of /mcp is none here, and the other way round.
    let streamable = Mcp::open(Way::Streamable, &server, "2025-03-26");
    let target = format!("/messages/?session_id={}", streamable.session());
    assert_eq!(server.ask(&Request::post(&target, &ping)).status, 404);
    let direct = Mcp::open(Way::HttpSse, &server, "2024-11-05");
    let id = direct.target().split_once('=').unwrap().1.to_owned();
    let request = Request::get("/mcp")
        .header("Accept", "text/event-stream")
        .header("Mcp-Session-Id", &id);
    assert_eq!(server.ask(&request).status, 404);
    let request = Request::new("DELETE", "/mcp").header("Mcp-Session-Id", &id);
    assert_eq!(server.ask(&request).status, 404);
    let request = Request::post("/mcp", &ping).header("Mcp-Session-Id", &id);
    assert_eq!(server.ask(&request).status, 404);
}

#[test]
fn both_spellings_of_the_session_and_of_the_path_are_taken() {
    let server = Server::start(&[]);
    let mut mcp = Mcp::open(Way::HttpSse, &server, "2024-11-05");
    let id = mcp.target().split_once('=').unwrap().1.to_owned();
    for (number, target) in [
        format!("/messages/?session_id={id}"),
        format!("/messages?session_id={id}"),
        format!("/messages/?sessionId={id}"),
        format!("/messages/?other=1&session_id={id}"),
    ]
    .iter()
    .enumerate()
    {
        let ping = json!({"jsonrpc": "2.0", "id": number, "method": "ping"});
        assert_eq!(
            server.ask(&Request::post(target, &ping)).status,
            202,
            "{target}"
        );
        assert_eq!(mcp.next()["id"], number, "{target}");
    }
}

#[test]
fn without_a_session_the_answer_is_in_the_body() {
    let server = Server::start(&[]);
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let response = server.ask(&Request::post("/messages/", &list));
    assert_eq!(response.status, 200);
    assert!(response.json()["result"]["tools"].is_array());
}

#[test]
fn the_session_ends_with_its_stream() {
    let server = Server::probe();
    let mut watcher = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let mut mcp = Mcp::open(Way::HttpSse, &server, "2024-11-05");
    let target = mcp.target().to_owned();
    let call = mcp.build(
        "tools/call",
        json!({"name": "wait", "arguments": {"key": "a"}}),
    );
    mcp.send(&call);
    watcher.wait_outcome("a", "waiting");
    drop(mcp);
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    poll_until("404 for the session", || {
        (server.ask(&Request::post(&target, &ping)).status == 404).then_some(())
    });
    // What it was waiting for is over too: there is nobody to answer.
    watcher.wait_outcome("a", "cancelled");
}

#[test]
fn the_server_ends_streams_between_events_when_it_stops() {
    let server = Server::start(&[]);
    let mut mcp = Mcp::open(Way::HttpSse, &server, "2024-11-05");
    mcp.result("ping", json!({}));
    let exit = server.stop();
    assert!(exit.status.success(), "{exit:?}");
    assert!(mcp.stream().rest().is_empty());
}

#[test]
fn other_methods_are_405_and_name_what_is_allowed() {
    let server = Server::start(&[]);
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let response = server.ask(&Request::post("/sse/", &ping));
    assert_eq!(response.status, 405);
    assert!(
        response.header("allow").unwrap().contains("GET"),
        "{response:?}"
    );
    let response = server.get("/messages/");
    assert_eq!(response.status, 405);
    assert!(
        response.header("allow").unwrap().contains("POST"),
        "{response:?}"
    );
}

#[test]
fn a_client_of_http_1_0_gets_a_stream_that_ends_with_the_connection() {
    let server = Server::start(&[]);
    let mut http = Http::connect(server.addr);
    http.send_bytes("GET /sse/ HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    let head = http.response_head(crate::support::Method::Get);
    assert_eq!(
        head.framing,
        crate::support::ResponseFraming::CloseDelimited,
        "{head:?}"
    );
    let mut stream = crate::support::Sse::new(http, head);
    assert_eq!(stream.next().event, "endpoint");
}
