//! Cancellation: by notification everywhere, by closing the stream in 2026-07-28 and only there.
//! What became of a call is asked of the probe, not guessed from silence.

use crate::support::{Incoming, Mcp, Server, StdioServer, Value, Way, json};

fn wait_call(mcp: &mut Mcp, key: &str, before: u32) -> Value {
    mcp.build(
        "tools/call",
        json!({
            "name": "wait",
            "arguments": {"key": key, "before": before},
            "_meta": {"progressToken": key},
        }),
    )
}

#[test]
fn a_stateless_client_that_goes_away_cancels() {
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    // Before the server has begun to answer, and in the middle of the stream.
    for (key, before) in [("silent", 0), ("streaming", 1)] {
        let call = wait_call(&mut mcp, key, before);
        let mut incoming = mcp.send(&call).unwrap();
        if before > 0 {
            assert_eq!(incoming.next()["method"], "notifications/progress");
        }
        mcp.wait_outcome(key, "waiting");
        drop(incoming);
        mcp.wait_outcome(key, "cancelled");
    }
}

#[test]
fn a_client_with_a_session_that_goes_away_does_not_cancel() {
    let server = Server::probe();
    for revision in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut mcp = Mcp::open(Way::Streamable, &server, revision);
        let mut reference = Mcp::open(Way::Streamable, &server, "2026-07-28");
        for (place, before) in [("silent", 0), ("streaming", 1)] {
            let key = format!("{revision} {place}");
            let call = wait_call(&mut mcp, &key, before);
            let mut incoming = mcp.send(&call).unwrap();
            if before > 0 {
                incoming.head();
            }
            mcp.wait_outcome(&key, "waiting");
            drop(incoming);
            // The server has noticed a disconnect that came after this one.
            let key_after = format!("{key} after");
            let after = wait_call(&mut reference, &key_after, 0);
            let incoming = reference.send(&after).unwrap();
            reference.wait_outcome(&key_after, "waiting");
            drop(incoming);
            reference.wait_outcome(&key_after, "cancelled");
            assert_eq!(mcp.call_text("outcome", json!({"key": key})), "waiting");
            mcp.release(&key);
            mcp.wait_outcome(&key, "done");
        }
    }
}

#[test]
fn closing_a_plain_connection_does_not_cancel() {
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Plain, &server, "2025-11-25");
    let call = wait_call(&mut mcp, "a", 0);
    let incoming = mcp.send(&call).unwrap();
    mcp.wait_outcome("a", "waiting");
    drop(incoming);
    mcp.release("a");
    mcp.wait_outcome("a", "done");
}

#[test]
fn a_half_closed_connection_is_still_answered() {
    let server = Server::probe();
    for revision in ["2025-06-18", "2026-07-28"] {
        let mut mcp = Mcp::open(Way::Streamable, &server, revision);
        let message = mcp.build("tools/list", json!({}));
        let mut http = server.connect();
        http.send(&mcp.post(&message));
        http.half_close();
        assert_eq!(http.response().json()["id"], message["id"], "{revision}");
        http.expect_closed();
    }
}

#[test]
fn a_call_outlives_the_half_close_of_its_connection() {
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    for accept in ["application/json", "application/json, text/event-stream"] {
        let call = wait_call(&mut mcp, accept, 0);
        let mut http = server.connect();
        http.send(&mcp.post(&call).with("Accept", accept));
        http.half_close();
        // The server has seen it: this is how it finds out whether somebody still reads.
        assert_eq!(http.response().status, 100, "{accept}");
        assert_eq!(mcp.call_text("outcome", json!({"key": accept})), "waiting");
        mcp.release(accept);
        let answer = http.response();
        assert_eq!((answer.status, &answer.json()["id"]), (200, &call["id"]));
        http.expect_closed();
    }
    // In the middle of a stream.
    let call = wait_call(&mut mcp, "streaming", 1);
    let mut stream = server.connect().into_sse(&mcp.post(&call));
    assert_eq!(stream.message()["params"]["progress"], 0);
    let seen = stream.raw.len();
    stream.http.half_close();
    stream.wait_raw("a comment", |raw| raw[seen..].contains(":\n\n"));
    mcp.release("streaming");
    assert_eq!(stream.message()["id"], call["id"]);
    stream.expect_end();
    stream.http.expect_closed();
}

#[test]
fn going_away_after_a_half_close_cancels() {
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    // At once, so that what the server sends finds nobody; and by a reset later on.
    let call = wait_call(&mut mcp, "at once", 0);
    let mut http = server.connect();
    http.send(&mcp.post(&call));
    mcp.wait_outcome("at once", "waiting");
    http.half_close();
    drop(http);
    mcp.wait_outcome("at once", "cancelled");
    let call = wait_call(&mut mcp, "later", 0);
    let mut http = server.connect();
    http.send(&mcp.post(&call));
    http.half_close();
    assert_eq!(http.response().status, 100);
    assert_eq!(mcp.call_text("outcome", json!({"key": "later"})), "waiting");
    let at_once = Some(std::time::Duration::ZERO);
    rustix::net::sockopt::set_socket_linger(&http.socket, at_once).unwrap();
    drop(http);
    mcp.wait_outcome("later", "cancelled");
}

#[test]
fn a_client_of_http_1_0_has_gone_when_it_closes_its_side() {
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let call = wait_call(&mut mcp, "a", 0);
    let request = String::from_utf8(mcp.post(&call).bytes(server.addr)).unwrap();
    let mut http = server.connect();
    http.send_bytes(request.replacen("HTTP/1.1", "HTTP/1.0", 1));
    mcp.wait_outcome("a", "waiting");
    http.half_close();
    mcp.wait_outcome("a", "cancelled");
    http.expect_closed();
}

#[test]
fn a_reset_cancels_at_once() {
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let call = wait_call(&mut mcp, "a", 0);
    let mut http = server.connect();
    http.send(&mcp.post(&call));
    mcp.wait_outcome("a", "waiting");
    let at_once = Some(std::time::Duration::ZERO);
    rustix::net::sockopt::set_socket_linger(&http.socket, at_once).unwrap();
    drop(http);
    mcp.wait_outcome("a", "cancelled");
}

#[test]
fn on_connections_a_notification_cancels_and_no_answer_comes() {
    let server = Server::probe();
    let mut clients = vec![
        Mcp::open(Way::HttpSse, &server, "2024-11-05"),
        Mcp::open(Way::HttpSse, &server, "2025-11-25"),
    ];
    for revision in [
        "2024-11-05",
        "2025-03-26",
        "2025-06-18",
        "2025-11-25",
        "2026-07-28",
    ] {
        clients.push(Mcp::stdio(StdioServer::probe(), revision));
    }
    for mut mcp in clients {
        let call = wait_call(&mut mcp, "a", 1);
        assert!(mcp.send(&call).is_none());
        assert_eq!(mcp.next()["method"], "notifications/progress");
        // Another id, and the same digits as a text, are other requests.
        mcp.notify("notifications/cancelled", json!({"requestId": 99}));
        let text = call["id"].to_string();
        mcp.notify("notifications/cancelled", json!({"requestId": text}));
        assert_eq!(mcp.call_text("outcome", json!({"key": "a"})), "waiting");
        mcp.notify(
            "notifications/cancelled",
            json!({"requestId": call["id"], "reason": "test"}),
        );
        mcp.wait_outcome("a", "cancelled");
        assert_eq!(mcp.call_text("release", json!({"key": "a"})), "not waiting");
        // Everything that came since answers something else.
        assert_eq!(mcp.heard, Vec::<Value>::new());
        // Its id is free again, and a cancellation that comes too late does nothing.
        mcp.notify("notifications/cancelled", json!({"requestId": call["id"]}));
        let again = mcp.build_with_id(call["id"].clone(), "tools/list", json!({}));
        assert!(mcp.ask(&again)["result"].is_object());
    }
}

#[test]
fn in_a_session_of_mcp_a_notification_cancels_and_ends_the_stream() {
    let server = Server::probe();
    for revision in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut mcp = Mcp::open(Way::Streamable, &server, revision);
        let call = wait_call(&mut mcp, revision, 1);
        let mut incoming = mcp.send(&call).unwrap();
        assert_eq!(incoming.next()["method"], "notifications/progress");
        mcp.notify("notifications/cancelled", json!({"requestId": call["id"]}));
        assert_eq!(incoming.all(), Vec::<Value>::new(), "{revision}");
        mcp.wait_outcome(revision, "cancelled");
        // Before anything was streamed it ends as a stream without an answer.
        let key = format!("{revision} silent");
        let call = wait_call(&mut mcp, &key, 0);
        let incoming = mcp.send(&call).unwrap();
        mcp.wait_outcome(&key, "waiting");
        mcp.notify("notifications/cancelled", json!({"requestId": call["id"]}));
        assert_eq!(incoming.all(), Vec::<Value>::new(), "{revision}");
        mcp.wait_outcome(&key, "cancelled");
    }
}

#[test]
fn one_session_does_not_cancel_for_another() {
    let server = Server::probe();
    let mut owner = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let mut other = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let call = wait_call(&mut owner, "a", 0);
    let mut incoming = owner.send(&call).unwrap();
    owner.wait_outcome("a", "waiting");
    other.notify("notifications/cancelled", json!({"requestId": call["id"]}));
    // A stateless client has no requests that could be named; over HTTP it closes the stream.
    let mut stateless = Mcp::open(Way::Streamable, &server, "2026-07-28");
    stateless.notify("notifications/cancelled", json!({"requestId": call["id"]}));
    assert_eq!(owner.call_text("outcome", json!({"key": "a"})), "waiting");
    owner.release("a");
    assert_eq!(incoming.next()["id"], call["id"]);
}

#[test]
fn the_end_of_stdin_lets_what_runs_finish() {
    let mut mcp = Mcp::stdio(StdioServer::probe(), "2025-11-25");
    let call = wait_call(&mut mcp, "a", 1);
    assert!(mcp.send(&call).is_none());
    assert_eq!(mcp.next()["method"], "notifications/progress");
    let release = mcp.build(
        "tools/call",
        json!({"name": "release", "arguments": {"key": "a"}}),
    );
    assert!(mcp.send(&release).is_none());
    mcp.stdio_server().close_stdin();
    let mut ids = vec![mcp.next()["id"].clone(), mcp.next()["id"].clone()];
    ids.sort_by_key(Value::to_string);
    assert_eq!(ids, [call["id"].clone(), release["id"].clone()]);
    assert_eq!(mcp.stdio_server().try_line(), None);
    assert!(mcp.stdio_server().process.wait().status.success());
}

#[test]
fn several_calls_on_one_connection_each_have_their_own_fate() {
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let calls: Vec<Incoming> = ["a", "b", "c"]
        .iter()
        .map(|key| {
            let call = wait_call(&mut mcp, key, 0);
            let incoming = mcp.send(&call).unwrap();
            mcp.wait_outcome(key, "waiting");
            incoming
        })
        .collect();
    let [mut a, b, mut c] = <[Incoming; 3]>::try_from(calls).ok().unwrap();
    drop(b);
    mcp.wait_outcome("b", "cancelled");
    mcp.release("c");
    assert_eq!(c.next()["result"]["content"][0]["text"], "released c");
    mcp.release("a");
    assert_eq!(a.next()["result"]["content"][0]["text"], "released a");
}
