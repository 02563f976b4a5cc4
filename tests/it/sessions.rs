//! Sessions of `/mcp` and their streams (2025-03-26 to 2025-11-25 `basic/transports`): ids, DELETE,
//! expiry, and coming back to a stream with `Last-Event-ID`.

use crate::support::{Incoming, Mcp, Request, Response, Server, Way, json, poll_until};

const SESSION_REVISIONS: [&str; 3] = ["2025-03-26", "2025-06-18", "2025-11-25"];

fn wait_call(mcp: &mut Mcp, key: &str, before: u32, after: u32) -> crate::support::Value {
    mcp.build(
        "tools/call",
        json!({
            "name": "wait",
            "arguments": {"key": key, "before": before, "after": after},
            "_meta": {"progressToken": key},
        }),
    )
}

// --- ids and ends -----------------------------------------------------------------------------

#[test]
fn a_session_has_a_visible_unguessable_id_of_its_own() {
    let server = Server::start(&[]);
    let ids: Vec<String> = (0..8)
        .map(|_| {
            Mcp::open(Way::Streamable, &server, "2025-06-18")
                .session()
                .to_owned()
        })
        .collect();
    for (index, id) in ids.iter().enumerate() {
        assert!(id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{id}");
        assert!(id.len() >= 22, "fewer than 128 bits: {id}");
        assert!(!ids[..index].contains(id), "{id}");
    }
}

#[test]
fn only_initialize_tells_the_session_id_and_a_stateless_request_has_none() {
    let server = Server::start(&[]);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let message = mcp.build("ping", json!({}));
    let response = server.ask(&mcp.post(&message));
    assert_eq!(response.header("mcp-session-id"), None);
    let mut modern = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let message = modern.build("server/discover", json!({}));
    // A session id there is ignored, known or not, and not echoed.
    for id in [mcp.session(), "none"] {
        let response = server.ask(&modern.post(&message).header("Mcp-Session-Id", id));
        assert_eq!(response.status, 200);
        assert_eq!(response.header("mcp-session-id"), None);
    }
}

#[test]
fn without_its_session_a_message_is_400_and_with_an_unknown_one_404() {
    let server = Server::start(&[]);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let message = mcp.build("ping", json!({}));
    let request = mcp.post(&message);
    assert_eq!(
        server
            .ask(&request.clone().without("Mcp-Session-Id"))
            .status,
        400
    );
    for id in ["none", "AAAAAAAAAAAAAAAAAAAAAA"] {
        let response = server.ask(&request.clone().with("Mcp-Session-Id", id));
        assert_eq!(response.status, 404, "{response:?}");
        assert_eq!(response.json()["id"], message["id"]);
    }
    assert_eq!(server.ask(&request).status, 200);
}

#[test]
fn a_version_header_nobody_knows_is_400_and_a_missing_one_is_forgiven() {
    let server = Server::start(&[]);
    for revision in SESSION_REVISIONS {
        let mut mcp = Mcp::open(Way::Streamable, &server, revision);
        let message = mcp.build("ping", json!({}));
        let request = mcp.post(&message);
        let name = "MCP-Protocol-Version";
        assert_eq!(
            server.ask(&request.clone().with(name, "1999-01-01")).status,
            400
        );
        assert_eq!(server.ask(&request.clone().without(name)).status, 200);
        let delete = mcp.delete().with(name, "1999-01-01");
        assert_eq!(server.ask(&delete).status, 400);
        assert_eq!(server.ask(&mcp.get().with(name, "1999-01-01")).status, 400);
    }
}

#[test]
fn delete_ends_the_session_its_stream_and_its_calls() {
    let server = Server::probe();
    let mut watcher = Mcp::open(Way::Streamable, &server, "2026-07-28");
    for revision in SESSION_REVISIONS {
        let mut mcp = Mcp::open(Way::Streamable, &server, revision);
        let mut stream = mcp.listen();
        let call = wait_call(&mut mcp, revision, 1, 0);
        let mut waiting = mcp.send(&call).unwrap();
        assert_eq!(waiting.next()["method"], "notifications/progress");
        let response = server.ask(&mcp.delete());
        assert!(matches!(response.status, 200 | 204), "{response:?}");
        assert!(
            stream.rest().iter().all(|event| event.data.is_empty()),
            "{revision}"
        );
        watcher.wait_outcome(revision, "cancelled");
        let message = mcp.build("tools/list", json!({}));
        assert_eq!(server.ask(&mcp.post(&message)).status, 404);
        assert_eq!(server.ask(&mcp.get()).status, 404);
        assert_eq!(server.ask(&mcp.delete()).status, 404);
    }
}

#[test]
fn get_and_delete_without_a_session_are_405() {
    let server = Server::start(&[]);
    for method in ["GET", "DELETE"] {
        let request = Request::new(method, "/mcp").header("Accept", "text/event-stream");
        let response = server.ask(&request);
        assert_eq!(response.status, 405, "{response:?}");
        assert!(
            response.header("allow").unwrap().contains("POST"),
            "{response:?}"
        );
        assert!(response.json()["error"]["message"].is_string());
    }
}

#[test]
fn an_idle_session_expires_and_a_busy_one_does_not() {
    let server = Server::start(&[("APP_TIMEOUT__SESSION_IDLE", "1s")]);
    let mut idle = Mcp::open(Way::Streamable, &server, "2025-11-25");
    // An open stream is use enough.
    let mut busy = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let stream = busy.listen();
    let is_gone = |server: &Server| {
        server.metric(r#"mcp_sessions_active{revision="2025-11-25"}"#) == Some(1.0)
    };
    poll_until("the expiry", || is_gone(&server).then_some(()));
    let message = idle.build("ping", json!({}));
    assert_eq!(server.ask(&idle.post(&message)).status, 404);
    busy.result("ping", json!({}));
    drop(stream);
    let message = busy.build("ping", json!({}));
    poll_until("the expiry of the other", || {
        let count = server.metric(r#"mcp_sessions_active{revision="2025-11-25"}"#);
        (count == Some(0.0)).then_some(())
    });
    assert_eq!(server.ask(&busy.post(&message)).status, 404);
}

#[test]
fn sessions_are_bounded_and_the_least_recently_used_one_gives_way() {
    let server = Server::start(&[("APP_LIMITS__SESSIONS", "2")]);
    let mut first = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let mut second = Mcp::open(Way::Streamable, &server, "2025-06-18");
    first.result("ping", json!({}));
    let mut third = Mcp::open(Way::Streamable, &server, "2025-06-18");
    first.result("ping", json!({}));
    third.result("ping", json!({}));
    let message = second.build("ping", json!({}));
    assert_eq!(server.ask(&second.post(&message)).status, 404);
    // None gives way while both are in use.
    let (_a, _b) = (first.listen(), third.listen());
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "it", "version": "1"},
    }});
    let refused = server.ask(&Request::post("/mcp", &initialize));
    let text = refused.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(text.contains("`limits.sessions` (2)"), "{text}");
    assert_eq!(refused.header("mcp-session-id"), None);
}

// --- streams ----------------------------------------------------------------------------------

#[test]
fn streams_are_primed_in_2025_11_25_only() {
    let server = Server::probe();
    for revision in SESSION_REVISIONS {
        let primes = revision == "2025-11-25";
        let mut mcp = Mcp::open(Way::Streamable, &server, revision);
        // The stream of a GET.
        let mut stream = mcp.listen();
        stream.wait_raw("the first bytes", |raw| raw.contains("\n\n"));
        if primes {
            let first = stream.next();
            assert_eq!((first.data.as_str(), first.event.as_str()), ("", "message"));
            assert!(!first.id.is_empty(), "{first:?}");
        }
        assert_eq!(stream.last_event_id().is_empty(), !primes, "{revision}");
        assert_eq!(stream.retry_ms().is_some(), primes, "{revision}");
        // The stream of a POST.
        let call = wait_call(&mut mcp, revision, 1, 0);
        let mut stream = mcp.send(&call).unwrap().into_sse();
        let first = stream.next();
        assert_eq!(first.data.is_empty(), primes, "{revision}: {first:?}");
        assert!(!first.id.is_empty(), "{revision}: {first:?}");
        assert_eq!(stream.retry_ms().is_some(), primes, "{revision}");
        mcp.release(revision);
        let answer = stream.rest().pop().unwrap().json();
        assert_eq!(answer["id"], call["id"], "{revision}");
    }
}

#[test]
fn retry_is_what_was_configured() {
    let server = Server::start(&[("APP_TIMEOUT__SSE_RETRY", "1234ms")]);
    let mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let mut stream = mcp.listen();
    stream.next();
    assert_eq!(stream.retry_ms(), Some(1234));
}

#[test]
fn a_stream_born_by_post_is_resumed_where_it_broke_off() {
    let server = Server::probe();
    for revision in SESSION_REVISIONS {
        let mut mcp = Mcp::open(Way::Streamable, &server, revision);
        let call = wait_call(&mut mcp, revision, 3, 2);
        let mut stream = mcp.send(&call).unwrap().into_sse();
        let mut seen = Vec::new();
        while seen.len() < 2 {
            let event = stream.try_message().unwrap();
            seen.push(event);
        }
        drop(stream);
        // The call goes on without its client, and says more.
        mcp.wait_outcome(revision, "waiting");
        mcp.release(revision);
        mcp.wait_outcome(revision, "done");
        // From the last event seen on, the rest and no more, and then the end.
        let mut stream = mcp.resume(&seen[1].id);
        let rest = stream.rest();
        let progress: Vec<_> = rest[..rest.len() - 1]
            .iter()
            .map(|event| event.json()["params"]["progress"].as_f64().unwrap())
            .collect();
        assert_eq!(progress, [2.0, 3.0, 4.0], "{revision}: {rest:?}");
        let answer = rest.last().unwrap().json();
        assert_eq!(answer["id"], call["id"], "{revision}");
        assert_eq!(
            answer["result"]["content"][0]["text"],
            format!("released {revision}")
        );
        // From an earlier event on, everything again under the same ids.
        let again = mcp.resume(&seen[0].id).rest();
        assert_eq!(again[0], seen[1], "{revision}");
        assert_eq!(again[1..], rest[..], "{revision}");
        // From the last on, nothing: the stream is complete.
        assert_eq!(
            mcp.resume(&rest.last().unwrap().id).rest(),
            [],
            "{revision}"
        );
    }
}

#[test]
fn the_streams_of_a_batch_and_of_a_get_are_resumed_apart() {
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-03-26");
    // A GET stream that has said something, and is left.
    let mut general = mcp.listen();
    mcp.call("announce", json!({}));
    let announced = general.try_message().unwrap();
    drop(general);
    // A batch: one call that says something first, and one that only waits; left in between.
    let calls = [
        wait_call(&mut mcp, "a", 1, 1),
        wait_call(&mut mcp, "b", 0, 0),
    ];
    let mut batch = mcp.send(&json!(calls)).unwrap().into_sse();
    let progress = batch.try_message().unwrap();
    assert_eq!(progress.json()["params"]["progress"], 0);
    drop(batch);
    // Both go on while nobody reads.
    mcp.release("b");
    mcp.wait_outcome("b", "done");
    mcp.call("announce", json!({}));
    mcp.release("a");
    mcp.wait_outcome("a", "done");
    // Each id leads back to its own stream, and to nothing of the other.
    let rest: Vec<_> = mcp.resume(&progress.id).rest();
    let rest: Vec<_> = rest.iter().map(|event| event.json()).collect();
    assert_eq!(rest.len(), 3, "{rest:?}");
    assert_eq!(rest[0]["id"], calls[1]["id"], "{rest:?}");
    assert_eq!(rest[1]["params"]["progress"], 1, "{rest:?}");
    assert_eq!(rest[2]["id"], calls[0]["id"], "{rest:?}");
    let mut general = mcp.resume(&announced.id);
    let method = "notifications/tools/list_changed";
    assert_eq!(general.message()["method"], method);
    // It goes on live; the batch's stream was complete and did not.
    mcp.call("announce", json!({}));
    assert_eq!(general.message()["method"], method);
}

#[test]
fn a_resumed_stream_goes_on_live() {
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let call = wait_call(&mut mcp, "a", 1, 1);
    let mut first = mcp.send(&call).unwrap().into_sse();
    let primed = first.next();
    assert!(primed.data.is_empty());
    first.message();
    // While the first reader is still there: the newer one takes over.
    let mut second = mcp.resume(&primed.id);
    assert_eq!(second.message()["params"]["progress"], 0);
    assert!(first.rest().is_empty());
    mcp.release("a");
    assert_eq!(second.message()["params"]["progress"], 1);
    assert_eq!(second.message()["id"], call["id"]);
    second.expect_end();
}

#[test]
fn the_stream_of_a_get_is_resumed_with_what_came_meanwhile() {
    let server = Server::everything();
    for revision in SESSION_REVISIONS {
        let mut mcp = Mcp::open(Way::Streamable, &server, revision);
        mcp.result(
            "resources/subscribe",
            json!({"uri": "test://watched-resource"}),
        );
        let mut stream = mcp.listen();
        mcp.call("test_trigger_resource_update", json!({}));
        let seen = stream.try_message().unwrap();
        assert_eq!(seen.json()["method"], "notifications/resources/updated");
        drop(stream);
        mcp.call("test_trigger_tool_change", json!({}));
        mcp.call("test_trigger_resource_update", json!({}));
        let mut stream = mcp.resume(&seen.id);
        assert_eq!(
            stream.message()["method"],
            "notifications/tools/list_changed"
        );
        assert_eq!(
            stream.message()["method"],
            "notifications/resources/updated"
        );
        // And goes on.
        mcp.call("test_trigger_prompt_change", json!({}));
        assert_eq!(
            stream.message()["method"],
            "notifications/prompts/list_changed"
        );
        mcp.result(
            "resources/unsubscribe",
            json!({"uri": "test://watched-resource"}),
        );
    }
}

#[test]
fn a_priming_event_is_enough_to_come_back_by() {
    let server = Server::everything();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let mut stream = mcp.listen();
    let primed = stream.next();
    drop(stream);
    mcp.call("test_trigger_tool_change", json!({}));
    let mut stream = mcp.resume(&primed.id);
    assert_eq!(
        stream.message()["method"],
        "notifications/tools/list_changed"
    );
}

#[test]
fn a_new_get_stream_takes_the_place_of_the_old_one() {
    let server = Server::everything();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let mut old = mcp.listen();
    let mut new = mcp.listen();
    mcp.call("test_trigger_tool_change", json!({}));
    assert_eq!(new.message()["method"], "notifications/tools/list_changed");
    assert_eq!(old.rest(), []);
}

#[test]
fn ids_of_other_streams_lead_nowhere() {
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let ask = |id: &str| -> Response { server.ask(&mcp.get().header("Last-Event-ID", id)) };
    for id in ["nonsense", "", "1", "-1", "1-", "99999999999-0"] {
        assert_eq!(ask(id).status, 400, "{id}");
    }
    assert_eq!(ask("77-1").status, 404);
    // A stream belongs to its session.
    let call = wait_call(&mut mcp, "a", 1, 0);
    let mut stream = mcp.send(&call).unwrap().into_sse();
    let id = stream.next().id;
    let other = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let response = server.ask(&other.get().header("Last-Event-ID", &id));
    assert_eq!(response.status, 404, "{response:?}");
    mcp.release("a");
}

#[test]
fn a_call_that_has_its_client_poll_is_answered_on_the_get() {
    let server = Server::everything();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let call = mcp.build("tools/call", json!({"name": "test_reconnection"}));
    let mut stream = mcp.send(&call).unwrap().into_sse();
    let primed = stream.next();
    assert!(
        primed.data.is_empty() && !primed.id.is_empty(),
        "{primed:?}"
    );
    assert!(stream.retry_ms().is_some());
    assert!(stream.rest().is_empty());
    let mut stream = mcp.resume(&primed.id);
    assert_eq!(stream.message()["id"], call["id"]);
    stream.expect_end();
}

#[test]
fn a_quick_answer_is_json_and_a_client_that_would_rather_have_a_stream_gets_one() {
    let server = Server::start(&[]);
    for revision in ["2025-03-26", "2025-11-25", "2026-07-28"] {
        let mut mcp = Mcp::open(Way::Streamable, &server, revision);
        let message = mcp.build("tools/list", json!({}));
        let request = mcp.post(&message);
        assert_eq!(server.ask(&request).json()["id"], message["id"]);
        let only_json = request.clone().with("Accept", "application/json");
        assert_eq!(server.ask(&only_json).json()["id"], message["id"]);
        let any = request.clone().without("Accept");
        assert_eq!(server.ask(&any).json()["id"], message["id"]);
        for accept in [
            "text/event-stream",
            "text/event-stream, application/json",
            "application/json;q=0.9, text/event-stream",
        ] {
            let stream = request.clone().with("Accept", accept);
            let mut stream = Incoming::start(server.addr, &stream).into_sse();
            assert_eq!(stream.message()["id"], message["id"], "{accept}");
            stream.expect_end();
        }
        let rather_json = request
            .clone()
            .with("Accept", "text/event-stream;q=0.9, application/json");
        assert_eq!(server.ask(&rather_json).json()["id"], message["id"]);
        let neither = request.with("Accept", "text/html");
        assert_eq!(server.ask(&neither).status, 406);
    }
}

#[test]
fn a_burst_larger_than_the_queue_ends_the_stream_and_the_ring_keeps_its_end() {
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    // Some 110 bytes each, all at once: twice what `limits.stream_queue_bytes` and the ring hold.
    let count = 1200;
    let call = wait_call(&mut mcp, "a", count, 1);
    let mut stream = mcp.send(&call).unwrap().into_sse();
    let primed = stream.next();
    assert!(primed.data.is_empty(), "{primed:?}");
    assert_eq!(stream.rest(), []);
    mcp.wait_outcome("a", "waiting");
    mcp.release("a");
    mcp.wait_outcome("a", "done");
    let rest = mcp.resume(&primed.id).rest();
    assert!((10..1000).contains(&rest.len()), "{}", rest.len());
    assert_eq!(rest.last().unwrap().json()["id"], call["id"]);
    let progress = |event: &crate::support::Event| event.json()["params"]["progress"].as_f64();
    let last = f64::from(count);
    assert_eq!(progress(&rest[rest.len() - 2]), Some(last));
    // No gap in what is left.
    for pair in rest[..rest.len() - 1].windows(2) {
        assert_eq!(
            progress(&pair[0]).unwrap() + 1.0,
            progress(&pair[1]).unwrap()
        );
    }
}

#[test]
fn what_all_sessions_keep_is_bounded_and_the_oldest_lose_theirs_first() {
    // 64 KiB for each and 4 MiB for all: the defaults.
    const FIT: usize = 64;
    let server = Server::probe();
    // The client of a session that keeps all it may, and the first event of the stream.
    let full = |index: usize| {
        let mut mcp = Mcp::open(Way::Streamable, &server, "2025-06-18");
        let key = index.to_string();
        let call = wait_call(&mut mcp, &key, 800, 0);
        drop(mcp.send(&call));
        // On a connection of its own: it may come after what is sent later.
        mcp.wait_outcome(&key, "waiting");
        mcp.release(&key);
        mcp.wait_outcome(&key, "done");
        mcp
    };
    // What comes after the first event of the first stream, as far as it is still there.
    let status = |mcp: &Mcp| {
        let mut http = server.connect();
        http.send(&mcp.get().header("Last-Event-ID", "1-1"));
        http.response_head(siskin::http1::Method::Get).status
    };
    let mut clients: Vec<Mcp> = (0..FIT).map(full).collect();
    // All of it is there. Whoever comes back is heard of again.
    assert_eq!(status(&clients[0]), 200);
    clients.extend((FIT..FIT + 2).map(full));
    assert_eq!(status(&clients[1]), 404);
    for index in [0, FIT / 2, FIT + 1] {
        assert_eq!(status(&clients[index]), 200, "{index}");
    }
}
