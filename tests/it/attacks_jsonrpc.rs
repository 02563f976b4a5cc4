//! Attacks with messages: texts that are none, and calls that must not run.

use crate::support::{Footprint, Mcp, Request, Response, Server, Way, json, parse};
use crate::wire::{CALL, ping, pong};

fn post(path: &str, bytes: &[u8]) -> Request {
    Request::post_text(path, "").body(bytes)
}

/// The code of the error, by which the message is refused.
fn code(response: &Response) -> i64 {
    parse(&response.body)["error"]["code"].as_i64().unwrap()
}

#[test]
fn texts_that_are_no_messages_are_refused_and_leave_nothing() {
    let server = Server::start(&[]);
    let before = Footprint::of(&server);
    let deep = |open: &str, close: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"a":{}{}}}}}"#,
            open.repeat(100_000),
            close.repeat(100_000)
        )
    };
    let message =
        |params: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{params}}}"#);
    let utf16: Vec<u8> = message("{}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let whole = message("{}");
    let mut samples: Vec<(Vec<u8>, &[i64])> = vec![
        (deep("[", "]").into(), &[-32600, -32700]),
        (deep("{\"a\":", "}").into(), &[-32600, -32700]),
        ("[".repeat(1_000_000).into(), &[-32600, -32700]),
        (utf16, &[-32700]),
        (b"\xef\xbb\xbf{}".to_vec(), &[-32700, -32600]),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\xfe\"}".to_vec(),
            &[-32700],
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xed\xa0\x80\"}".to_vec(),
            &[-32700],
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\0b\"}".to_vec(),
            &[-32700],
        ),
        (b"\0".to_vec(), &[-32700]),
        (message("NaN").into(), &[-32700]),
        (message("{\"a\":Infinity}").into(), &[-32700]),
        (message("{\"a\":01}").into(), &[-32700]),
        (message("{\"a\":1,}").into(), &[-32700]),
        (message("{'a':1}").into(), &[-32700]),
        (message("{\"a\":\"\\ud800\"}").into(), &[-32700]),
        (message("{} /* */").into(), &[-32700]),
        (message("{}}").into(), &[-32700]),
        (
            br#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#.to_vec(),
            &[-32600, -32700],
        ),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}"#.to_vec(),
            &[-32600, -32700],
        ),
        (
            br#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#.to_vec(),
            &[-32600],
        ),
        (
            br#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#.to_vec(),
            &[-32600],
        ),
        (Vec::new(), &[-32700]),
    ];
    // Cut anywhere.
    samples.extend((1..whole.len()).map(|len| (whole.as_bytes()[..len].to_vec(), &[-32700][..])));
    let mut http = server.connect();
    for (bytes, codes) in &samples {
        let shown = || bytes[..bytes.len().min(120)].escape_ascii().to_string();
        for path in [CALL, "/mcp", "/messages/"] {
            let refused = http.ask(&post(path, bytes));
            assert_eq!(refused.status, 400, "{path}: {}", shown());
            assert!(
                codes.contains(&code(&refused)),
                "{path}: {}: {}",
                shown(),
                refused.text()
            );
        }
    }
    assert_eq!(pong(&http.ask(&ping(1))), 1);
    drop(http);
    before.check_is_back(&server);
}

/// A lone surrogate has no UTF-8 of its own; what is written of it must be valid all the same.
#[test]
fn what_comes_back_is_always_utf8_and_json() {
    let server = Server::start(&[]);
    let mut http = server.connect();
    for id in [
        r#""\ud83d\ude00""#,
        r#""\u0000\u001f\u2028""#,
        r#""\\\"\/""#,
        "1e2",
    ] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"no\u0000such"}}"#);
        let response = http.ask(&post(CALL, text.as_bytes()));
        assert!(std::str::from_utf8(&response.body).is_ok(), "{id}");
        assert_eq!(parse(&response.body)["jsonrpc"], "2.0", "{id}");
    }
}

/// What does not fit is told before anything runs: the call counts as refused, or as a failure that says what is wrong,
/// and no connection is opened.
#[test]
fn calls_that_do_not_fit_run_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = Server::start(&[]);
    let before = Footprint::of(&server);
    for revision in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let mut mcp = Mcp::open(Way::Streamable, &server, revision);
        for arguments in [
            json!({"host": "127.0.0.1"}),
            json!({"host": "127.0.0.1", "port": "many"}),
            json!({"host": "127.0.0.1", "port": 70_000}),
            json!({"host": ["127.0.0.1"], "port": port}),
            json!({"host": {"$ref": "http://127.0.0.1/"}, "port": port}),
            json!({"host": "127.0.0.1", "port": port, "also": "this"}),
            json!([]),
            json!("x"),
        ] {
            let answer = mcp.request(
                "tools/call",
                json!({"name": "net_check", "arguments": arguments}),
            );
            let is_refused =
                answer["error"]["code"] == -32602 || answer["result"]["isError"] == true;
            assert!(is_refused, "{revision}: {arguments}: {answer}");
        }
        for name in [
            json!("no_such"),
            json!(""),
            json!(7),
            json!("net_check\0"),
            json!("../net_check"),
        ] {
            let arguments = json!({"host": "127.0.0.1", "port": port});
            let answer = mcp.request("tools/call", json!({"name": name, "arguments": arguments}));
            assert_eq!(
                answer["error"]["code"], -32602,
                "{revision}: {name}: {answer}"
            );
        }
        assert_eq!(server.ask(&mcp.delete()).status, 204);
    }
    let came = listener.accept().map(|_| ());
    assert_eq!(came.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    before.check_is_back(&server);
}

/// A resource is a name in a list, not a path.
#[test]
fn uris_of_resources_lead_to_no_file() {
    let server = Server::start(&[]);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let known = mcp.result("resources/list", json!({}))["resources"][0]["uri"]
        .as_str()
        .unwrap()
        .to_owned();
    let (scheme, _) = known.split_once("://").unwrap();
    for uri in [
        "file:///etc/passwd".to_owned(),
        "/etc/passwd".to_owned(),
        "../../etc/passwd".to_owned(),
        format!("{scheme}://../../etc/passwd"),
        format!("{known}/../../../etc/passwd"),
        format!("{known}/%2e%2e/%2e%2e/etc/passwd"),
        format!("{known}%252e%252e%252fetc%252fpasswd"),
        format!("{known}\\..\\..\\etc\\passwd"),
        format!("{known}\0"),
        format!("{known}?x=/etc/passwd"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        format!("{scheme}:///proc/self/environ"),
    ] {
        let error = mcp.error("resources/read", json!({"uri": uri}));
        assert!(
            matches!(error["code"].as_i64(), Some(-32002 | -32602)),
            "{uri}: {error}"
        );
        assert!(!error.to_string().contains("root:"), "{uri}: {error}");
    }
    mcp.result("resources/read", json!({"uri": known}));
}

/// States of 2026-07-28 that the client sends back: made up, another's, another call's.
#[test]
fn made_up_states_and_cursors_are_refused() {
    let server = Server::everything();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    for state in ["", "AAAA", "!", &"A".repeat(10_000), "eyJhIjoxfQ.AAAA"] {
        let answer = mcp.request(
            "tools/call",
            json!({"name": "test_input_required_result_multi_round", "requestState": state,
                   "inputResponses": {"step1": {"action": "accept", "content": {"name": "Ada"}}}}),
        );
        assert_eq!(answer["error"]["code"], -32602, "{state}: {answer}");
    }
    for cursor in ["", "AAAA", "!", "9999999"] {
        let answer = mcp.request("tools/list", json!({"cursor": cursor}));
        assert_eq!(answer["error"]["code"], -32602, "{cursor}: {answer}");
    }
}
