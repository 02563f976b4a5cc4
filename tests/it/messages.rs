//! Single messages at the edge of JSON-RPC, as bytes, because a JSON library would tidy them up:
//! ids come back verbatim, notifications get no answer, what is no message gets the right error.

use crate::support::{Http, Incoming, Mcp, Request, Server, StdioServer, Value, Way, json, parse};

/// A way to send a text and get back the text of the answer, and what HTTP says of it.
enum Link {
    Stdio(Box<Mcp>),
    Plain(Server),
    Streamable(Server, Mcp),
}

impl Link {
    fn all() -> [Link; 3] {
        let plain = Server::start(&[]);
        let streamable = Server::start(&[]);
        let mcp = Mcp::open(Way::Streamable, &streamable, "2025-06-18");
        [
            Link::Stdio(Box::new(Mcp::stdio(StdioServer::start(&[]), "2025-06-18"))),
            Link::Plain(plain),
            Link::Streamable(streamable, mcp),
        ]
    }

    #[track_caller]
    fn ask(&mut self, text: &str) -> (Option<u16>, String) {
        match self {
            Link::Stdio(mcp) => {
                mcp.stdio_server().send_line(text);
                (None, mcp.stdio_server().line())
            }
            Link::Plain(server) => {
                let response = server.ask(&Request::post_text("/api/mcp/v1/call", text));
                (Some(response.status), response.text())
            }
            Link::Streamable(server, mcp) => {
                let response = server.ask(&mcp.post(&json!({})).body(text));
                (Some(response.status), response.text())
            }
        }
    }
}

#[test]
fn ids_come_back_as_they_were_written() {
    for mut link in Link::all() {
        for id in [
            "0",
            "-0",
            "-1",
            "9007199254740993",
            "18446744073709551616",
            "123456789012345678901234567890",
            r#""""#,
            r#""0""#,
            r#""\u0041\n""#,
            r#""ü""#,
            r#""server-discover-probe-1""#,
        ] {
            for (method, member) in [("tools/list", "result"), ("no/such", "error")] {
                let text = format!(r#"{{"id":{id},"method":"{method}","jsonrpc":"2.0"}}"#);
                let (_, answer) = link.ask(&text);
                let start = format!(r#"{{"jsonrpc":"2.0","id":{id},"{member}":"#);
                assert!(answer.starts_with(&start), "{text}: {answer}");
            }
        }
    }
}

#[test]
fn what_is_no_id_is_refused() {
    for mut link in Link::all() {
        for id in ["null", "1.0", "1e3", "true", "{}", "[1]"] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list"}}"#);
            let (status, answer) = link.ask(&text);
            assert!(
                status.is_none_or(|status| status == 400),
                "{text}: {status:?}"
            );
            let answer = parse(answer);
            assert_eq!(answer["error"]["code"], -32600, "{text}: {answer}");
            assert_eq!(answer["id"], Value::Null, "{text}: {answer}");
        }
        let fits = format!(
            r#"{{"jsonrpc":"2.0","id":"{}","method":"x"}}"#,
            "i".repeat(254)
        );
        assert_eq!(parse(link.ask(&fits).1)["error"]["code"], -32601);
        let long = format!(
            r#"{{"jsonrpc":"2.0","id":"{}","method":"x"}}"#,
            "i".repeat(255)
        );
        assert_eq!(parse(link.ask(&long).1)["error"]["code"], -32600);
    }
}

#[test]
fn what_is_no_message_gets_the_error_for_it() {
    for mut link in Link::all() {
        for (text, code) in [
            ("{", -32700),
            ("nonsense", -32700),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}}"#, -32700),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","id":2}"#,
                -32600,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a","result":{}}"#,
                -32600,
            ),
            (r#"{"jsonrpc":"1.0","id":1,"method":"tools/list"}"#, -32600),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":7}"#,
                -32600,
            ),
            (r#"{"jsonrpc":"2.0","id":1}"#, -32600),
            (r#""text""#, -32600),
            ("7", -32600),
        ] {
            let (status, answer) = link.ask(text);
            assert!(
                status.is_none_or(|status| status == 400),
                "{text}: {status:?}"
            );
            assert_eq!(parse(&answer)["error"]["code"], code, "{text}: {answer}");
        }
        // The link still works.
        let (_, answer) = link.ask(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
        assert!(parse(answer)["result"].is_object());
    }
}

#[test]
fn only_the_plain_endpoint_forgives_a_missing_version() {
    for mut link in Link::all() {
        let (status, answer) = link.ask(r#"{"id":5,"method":"tools/list"}"#);
        match link {
            Link::Plain(_) => {
                assert_eq!(status, Some(200));
                assert_eq!(parse(&answer)["id"], 5, "{answer}");
                assert!(parse(&answer)["result"].is_object(), "{answer}");
            }
            _ => assert_eq!(parse(&answer)["error"]["code"], -32600, "{answer}"),
        }
    }
}

#[test]
fn an_unknown_id_in_an_error_is_null_until_it_may_be_left_out() {
    let server = Server::start(&[]);
    for (revision, is_null) in [
        ("2025-03-26", true),
        ("2025-06-18", true),
        ("2025-11-25", false),
        ("2026-07-28", false),
    ] {
        let mcp = Mcp::open(Way::Streamable, &server, revision);
        let answer = server.ask(&mcp.post(&json!({})).body("{")).json();
        assert_eq!(
            answer.get("id"),
            is_null.then_some(&Value::Null),
            "{revision}: {answer}"
        );
    }
    for (revision, is_null) in [("2024-11-05", true), ("2025-11-25", false)] {
        let mut mcp = Mcp::stdio(StdioServer::start(&[]), revision);
        mcp.stdio_server().send_line("{");
        let answer = mcp.next();
        assert_eq!(
            answer.get("id"),
            is_null.then_some(&Value::Null),
            "{revision}: {answer}"
        );
    }
}

#[test]
fn a_notification_gets_202_without_a_body_and_on_connections_nothing() {
    let notifications = [
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "method": "notifications/no_such"}),
        json!({"jsonrpc": "2.0", "method": "tools/list"}),
        json!({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "no such"}}),
        json!({"jsonrpc": "2.0", "method": "initialize", "params": {}}),
    ];
    let server = Server::start(&[]);
    for (way, revision) in [
        (Way::Streamable, "2025-03-26"),
        (Way::Streamable, "2025-11-25"),
        (Way::Streamable, "2026-07-28"),
        (Way::Plain, "2025-11-25"),
        (Way::HttpSse, "2024-11-05"),
    ] {
        let mut mcp = Mcp::open(way, &server, revision);
        for notification in &notifications {
            let response = server.ask(&mcp.post(notification));
            assert_eq!(response.status, 202, "{way:?} {revision} {notification}");
            assert!(
                response.body.is_empty(),
                "{way:?} {revision} {notification}"
            );
            assert_eq!(response.header("content-type"), None);
        }
        // Nothing was queued for the stream either: the next message answers this.
        let answer = mcp.request("tools/list", json!({}));
        assert!(answer["result"].is_object(), "{answer}");
    }
    let mut mcp = Mcp::stdio(StdioServer::start(&[]), "2025-06-18");
    for notification in &notifications {
        mcp.stdio_server().send(notification);
    }
    let answer = mcp.request("tools/list", json!({}));
    assert!(
        answer["result"].is_object() && mcp.heard.is_empty(),
        "{answer} {:?}",
        mcp.heard
    );
}

#[test]
fn an_answer_nobody_asked_for_is_taken_and_forgotten() {
    let server = Server::start(&[]);
    let answers = [
        json!({"jsonrpc": "2.0", "id": 1, "result": {}}),
        json!({"jsonrpc": "2.0", "id": "x", "error": {"code": 1, "message": "m"}}),
    ];
    for (way, revision) in [
        (Way::Streamable, "2025-03-26"),
        (Way::HttpSse, "2024-11-05"),
    ] {
        let mut mcp = Mcp::open(way, &server, revision);
        for answer in &answers {
            assert_eq!(server.ask(&mcp.post(answer)).status, 202);
        }
        mcp.result("ping", json!({}));
    }
    // A stateless client is never asked anything, and has no session to be asked in.
    let mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    for answer in &answers {
        let response = server.ask(&mcp.post(answer));
        assert_eq!(response.status, 400, "{response:?}");
    }
}

#[test]
fn blank_lines_on_stdin_are_nothing_and_a_line_may_come_in_pieces() {
    let mut mcp = Mcp::stdio(StdioServer::start(&[]), "2025-06-18");
    let server = mcp.stdio_server();
    server.write(b"\n  \r\n\t\n{\"jsonrpc\":\"2.0\",");
    server.write(b"\"id\":1,\"method\":");
    server.write(b"\"ping\"}\r\n");
    assert_eq!(
        server.message(),
        json!({"jsonrpc": "2.0", "id": 1, "result": {}})
    );
}

#[test]
fn the_answer_to_what_stdin_ends_with_still_comes() {
    let mut mcp = Mcp::stdio(StdioServer::start(&[]), "2025-06-18");
    let server = mcp.stdio_server();
    server.send_line(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    server.write(br#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#);
    server.close_stdin();
    assert_eq!(server.message()["id"], 1);
    assert_eq!(server.message()["id"], 2);
    assert_eq!(server.try_line(), None);
    assert!(server.process.wait().status.success());
}

#[test]
fn requests_pipelined_on_one_connection_are_answered_in_order() {
    let server = Server::start(&[]);
    let mcp = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let mut http = Http::connect(server.addr);
    let mut bytes = Vec::new();
    for id in 0..10 {
        let message = json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
        bytes.extend(mcp.post(&message).bytes(server.addr));
    }
    http.send_bytes(bytes);
    for id in 0..10 {
        assert_eq!(
            http.response().json(),
            json!({"jsonrpc": "2.0", "id": id, "result": {}})
        );
    }
}

#[test]
fn an_id_in_use_is_refused_and_free_again_once_answered() {
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let wait = json!({"name": "wait", "arguments": {"key": "a"}});
    let message = mcp.build_with_id(json!(7), "tools/call", wait);
    let mut waiting = Incoming::start(server.addr, &mcp.post(&message));
    mcp.wait_outcome("a", "waiting");
    let again = mcp.build_with_id(json!(7), "ping", json!({}));
    let refused = server.ask(&mcp.post(&again));
    assert_eq!(
        (refused.status, &refused.json()["error"]["code"]),
        (400, &json!(-32600))
    );
    // The same number as text is another id.
    let other = mcp.build_with_id(json!("7"), "ping", json!({}));
    assert_eq!(server.ask(&mcp.post(&other)).status, 200);
    mcp.release("a");
    assert_eq!(waiting.next()["result"]["content"][0]["text"], "released a");
    assert_eq!(server.ask(&mcp.post(&again)).status, 200);
}

#[test]
fn on_stdio_an_id_in_use_is_refused_in_either_era() {
    let mut mcp = Mcp::stdio(StdioServer::probe(), "2025-11-25");
    let new = Mcp::connect_nowhere("2026-07-28");
    let params = json!({"name": "wait", "arguments": {"key": "a"}, "_meta": {"progressToken": 1}});
    let call = mcp.build_with_id(json!(70), "tools/call", params);
    assert!(mcp.send(&call).is_none());
    mcp.wait_outcome("a", "waiting");
    for again in [
        mcp.build_with_id(json!(70), "ping", json!({})),
        new.build_with_id(json!(70), "server/discover", json!({})),
    ] {
        assert_eq!(mcp.ask(&again)["error"]["code"], -32600);
    }
    mcp.release("a");
    let answer = mcp.heard.pop().unwrap_or_else(|| mcp.next());
    assert_eq!(
        (&answer["id"], answer["result"].is_object()),
        (&json!(70), true)
    );
}

#[test]
fn initialize_on_the_plain_endpoint_opens_nothing() {
    let server = Server::start(&[]);
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "it", "version": "1"},
    }});
    let response = server.ask(&Request::post("/api/mcp/v1/call", &initialize));
    assert_eq!(response.header("mcp-session-id"), None);
    assert_eq!(response.json()["result"]["protocolVersion"], "2025-06-18");
    assert_eq!(server.get_json("/status")["sessions"], 0);
}
