//! Batches: 2025-03-26 must receive them (`basic/index`, "Batching"), the plain endpoint takes
//! them, everything else refuses them.

use crate::support::{Mcp, Response, Server, StdioServer, Value, Way, json};

const BATCH_MAX: &str = "4";

fn ping(id: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "ping"})
}

fn notification() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
}

/// The answers in the order of their ids' texts: a batch may be answered in any order (JSON-RPC
/// 2.0, section 6).
#[track_caller]
fn sorted(answers: &Value) -> Vec<Value> {
    let answers = answers.as_array();
    let mut answers = answers
        .unwrap_or_else(|| panic!("no array: {answers:?}"))
        .clone();
    answers.sort_by_key(|answer| answer["id"].to_string());
    answers
}

/// Posts a batch over HTTP, or writes it to stdin; what comes back is a JSON array.
#[track_caller]
fn ask(mcp: &mut Mcp, way: Way, batch: &Value) -> Value {
    match way {
        Way::Stdio => {
            mcp.stdio_server().send(batch);
            mcp.stdio_server().message()
        }
        Way::HttpSse => {
            assert!(mcp.send(batch).is_none());
            mcp.next()
        }
        Way::Plain | Way::Streamable => post(mcp, batch).json(),
    }
}

fn post(mcp: &Mcp, batch: &Value) -> Response {
    crate::support::Http::connect(mcp.addr()).ask(&mcp.post(batch))
}

/// A client of 2025-03-26 on each transport that takes batches; the server must be kept.
fn clients() -> Vec<(Way, Mcp, Option<Server>)> {
    let env = [("APP_LIMITS__BATCH", BATCH_MAX)];
    let mut clients = vec![(
        Way::Stdio,
        Mcp::stdio(StdioServer::start(&env), "2025-03-26"),
        None,
    )];
    for way in [Way::Streamable, Way::HttpSse, Way::Plain] {
        let server = Server::start(&env);
        clients.push((way, Mcp::open(way, &server, "2025-03-26"), Some(server)));
    }
    clients
}

#[test]
fn requests_are_answered_together_and_notifications_not() {
    for (way, mut mcp, _server) in clients() {
        let batch = json!([ping(json!(1)), notification(), ping(json!("2")), {
            "jsonrpc": "2.0", "id": 3, "method": "no/such"
        }]);
        let answers = sorted(&ask(&mut mcp, way, &batch));
        assert_eq!(answers.len(), 3, "{way:?}: {answers:?}");
        assert_eq!(
            answers[0],
            json!({"jsonrpc": "2.0", "id": "2", "result": {}}),
            "{way:?}"
        );
        assert_eq!(
            answers[1],
            json!({"jsonrpc": "2.0", "id": 1, "result": {}}),
            "{way:?}"
        );
        assert_eq!(answers[2]["id"], 3, "{way:?}");
        assert_eq!(answers[2]["error"]["code"], -32601, "{way:?}");
        // One element makes an array as well.
        let one = ask(&mut mcp, way, &json!([ping(json!(4))]));
        assert_eq!(
            one,
            json!([{"jsonrpc": "2.0", "id": 4, "result": {}}]),
            "{way:?}"
        );
    }
}

#[test]
fn what_is_no_message_in_a_batch_is_refused_alone() {
    for (way, mut mcp, _server) in clients() {
        let batch = json!([1, {"jsonrpc": "2.0", "id": 2, "method": 2}, ping(json!(3)), []]);
        let answers = sorted(&ask(&mut mcp, way, &batch));
        assert_eq!(answers.len(), 4, "{way:?}: {answers:?}");
        assert_eq!(
            (&answers[0]["id"], &answers[0]["error"]["code"]),
            (&json!(2), &json!(-32600))
        );
        assert_eq!(answers[1]["result"], json!({}), "{way:?}: {answers:?}");
        for answer in &answers[2..] {
            assert_eq!(
                (&answer["id"], &answer["error"]["code"]),
                (&Value::Null, &json!(-32600))
            );
        }
    }
}

#[test]
fn a_batch_is_bounded_and_not_empty() {
    let pings = |count: usize| Value::Array((0..count).map(|id| ping(json!(id))).collect());
    for (way, mut mcp, _server) in clients() {
        for count in [3, 4] {
            let answers = sorted(&ask(&mut mcp, way, &pings(count)));
            assert_eq!(answers.len(), count, "{way:?}");
        }
        for (refused, about) in [(pings(5), "`limits.batch`"), (json!([]), "")] {
            let answer = match way {
                Way::Stdio => ask(&mut mcp, way, &refused),
                _ => {
                    let response = post(&mcp, &refused);
                    assert_eq!(response.status, 400, "{way:?}: {response:?}");
                    response.json()
                }
            };
            assert_eq!(answer["error"]["code"], -32600, "{way:?}: {answer}");
            let message = answer["error"]["message"].as_str().unwrap();
            assert!(message.contains(about), "{way:?}: {message}");
        }
        // The connection goes on.
        ask(&mut mcp, way, &pings(1));
    }
}

#[test]
fn a_batch_of_notifications_gets_202() {
    for (way, mut mcp, _server) in clients() {
        let batch = json!([notification(), notification()]);
        match way {
            Way::Stdio => mcp.stdio_server().send(&batch),
            _ => {
                let response = post(&mcp, &batch);
                assert_eq!(
                    (response.status, &response.body[..]),
                    (202, &b""[..]),
                    "{way:?}"
                );
            }
        }
        let answer = ask(&mut mcp, way, &json!([ping(json!(1))]));
        assert_eq!(
            answer,
            json!([{"jsonrpc": "2.0", "id": 1, "result": {}}]),
            "{way:?}"
        );
    }
}

#[test]
fn initialize_must_not_be_part_of_a_batch() {
    for (way, mut mcp, _server) in clients() {
        let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-03-26",
            "capabilities": {},
            "clientInfo": {"name": "it", "version": "1"},
        }});
        let answers = sorted(&ask(&mut mcp, way, &json!([initialize, ping(json!(2))])));
        assert_eq!(answers[0]["error"]["code"], -32600, "{way:?}: {answers:?}");
        assert_eq!(answers[1]["result"], json!({}), "{way:?}: {answers:?}");
    }
}

#[test]
fn other_revisions_refuse_batches() {
    let server = Server::start(&[]);
    let batch = json!([ping(json!(1))]);
    for (way, revision) in [
        (Way::Streamable, "2025-06-18"),
        (Way::Streamable, "2025-11-25"),
        (Way::Streamable, "2026-07-28"),
        (Way::HttpSse, "2024-11-05"),
        (Way::HttpSse, "2025-06-18"),
    ] {
        let mut mcp = Mcp::open(way, &server, revision);
        let answer = match way {
            Way::HttpSse => {
                assert_eq!(post(&mcp, &batch).status, 202);
                mcp.next()
            }
            _ => {
                let response = post(&mcp, &batch);
                assert_eq!(response.status, 400, "{way:?} {revision}: {response:?}");
                response.json()
            }
        };
        assert_eq!(
            answer["error"]["code"], -32600,
            "{way:?} {revision}: {answer}"
        );
    }
    for revision in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let mut mcp = Mcp::stdio(StdioServer::start(&[]), revision);
        mcp.stdio_server().send(&batch);
        assert_eq!(mcp.next()["error"]["code"], -32600, "{revision}");
        // Single messages go on.
        mcp.result("ping", json!({}));
    }
    let mut mcp = Mcp::stdio_unopened(StdioServer::start(&[]), "2026-07-28");
    let element = mcp.build("tools/list", json!({}));
    mcp.stdio_server().send(&json!([element]));
    assert_eq!(mcp.next()["error"]["code"], -32600);
}

#[test]
fn a_batch_waits_for_its_slowest_and_streams_what_comes_before() {
    let server = Server::everything();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-03-26");
    let slow = mcp.build(
        "tools/call",
        json!({
            "name": "test_tool_with_progress",
            "_meta": {"progressToken": "p"},
        }),
    );
    let batch = json!([slow, ping(json!("quick"))]);
    let mut incoming = mcp.send(&batch).unwrap();
    assert!(incoming.head().is_sse());
    let messages = incoming.all();
    let progress = messages
        .iter()
        .filter(|it| it["method"] == "notifications/progress");
    assert_eq!(progress.count(), 3, "{messages:?}");
    let answers = messages.iter().filter(|it| it.get("id").is_some());
    assert_eq!(answers.count(), 2, "{messages:?}");
    assert_eq!(messages.last().unwrap()["id"], slow["id"], "{messages:?}");
}

#[test]
fn a_request_of_a_batch_can_be_cancelled_alone() {
    let server = StdioServer::probe();
    let mut mcp = Mcp::stdio(server, "2025-03-26");
    let call = |key: &str| {
        json!({
            "jsonrpc": "2.0", "id": key, "method": "tools/call",
            "params": {"name": "wait", "arguments": {"key": key}},
        })
    };
    mcp.stdio_server().send(&json!([call("a"), call("b")]));
    mcp.notify("notifications/cancelled", json!({"requestId": "a"}));
    mcp.wait_outcome("a", "cancelled");
    mcp.release("b");
    let answers = mcp.heard.pop().unwrap_or_else(|| mcp.next());
    assert_eq!(answers.as_array().unwrap().len(), 1, "{answers}");
    assert_eq!(answers[0]["id"], "b", "{answers}");
}
