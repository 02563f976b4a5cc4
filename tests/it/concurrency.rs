//! Many things at once on one thread: a slow tool delays nobody, questions to the client wait
//! beside other calls, old and new clients share a port and a process. Measured by the order in
//! which things complete; the slow tool ends when the test says so.

use crate::support::{Incoming, Mcp, Request, Server, StdioServer, Value, Way, json};

fn wait_call(mcp: &mut Mcp, key: &str) -> Value {
    mcp.build(
        "tools/call",
        json!({"name": "wait", "arguments": {"key": key}}),
    )
}

#[test]
fn a_slow_tool_delays_nobody_over_http() {
    let server = Server::probe();
    let mut slow = Vec::new();
    let ways = [
        (Way::Streamable, "2025-03-26"),
        (Way::Streamable, "2025-11-25"),
        (Way::Streamable, "2026-07-28"),
        (Way::Plain, "2025-11-25"),
        (Way::HttpSse, "2024-11-05"),
    ];
    let mut clients: Vec<Mcp> = ways
        .iter()
        .map(|(way, revision)| Mcp::open(*way, &server, revision))
        .collect();
    // In each session, a call that does not end.
    for (index, mcp) in clients.iter_mut().enumerate() {
        let call = wait_call(mcp, &index.to_string());
        slow.push((call["id"].clone(), mcp.send(&call)));
        mcp.wait_outcome(&index.to_string(), "waiting");
    }
    // Meanwhile, in the same sessions and in new ones: everything else completes.
    for mcp in &mut clients {
        mcp.result("tools/list", json!({}));
        assert_eq!(mcp.call_text("outcome", json!({"key": "0"})), "waiting");
    }
    for (way, revision) in ways {
        let mut mcp = Mcp::open(way, &server, revision);
        mcp.result("tools/list", json!({}));
        if !mcp.is_stateless() {
            mcp.result("ping", json!({}));
        }
    }
    let stream = clients[1].listen();
    assert_eq!(server.get("/health").status, 200);
    drop(stream);
    // They are released in another order than they were started, and end in that.
    for index in [3, 0, 4, 2, 1] {
        let (id, incoming) = &mut slow[index];
        if let Some(incoming) = incoming {
            assert!(!incoming.is_answered(), "{:?}", ways[index]);
        }
        clients[(index + 1) % ways.len()].release(&index.to_string());
        let answer = match incoming {
            Some(incoming) => incoming.next(),
            None => clients[index]
                .heard
                .pop()
                .unwrap_or_else(|| clients[index].next()),
        };
        assert_eq!(&answer["id"], id, "{:?}", ways[index]);
    }
}

#[test]
fn a_slow_tool_delays_nobody_on_stdio() {
    for revision in [
        "2024-11-05",
        "2025-03-26",
        "2025-06-18",
        "2025-11-25",
        "2026-07-28",
    ] {
        let mut mcp = Mcp::stdio(StdioServer::probe(), revision);
        let calls: Vec<Value> = ["a", "b", "c"]
            .iter()
            .map(|key| wait_call(&mut mcp, key))
            .collect();
        for call in &calls {
            assert!(mcp.send(call).is_none());
        }
        // Answered while the three before it are not.
        mcp.result("tools/list", json!({}));
        assert_eq!(mcp.heard, Vec::<Value>::new(), "{revision}");
        for (key, index) in [("c", 2), ("a", 0), ("b", 1)] {
            mcp.release(key);
            let answer = mcp.heard.pop().unwrap_or_else(|| mcp.next());
            assert_eq!(answer["id"], calls[index]["id"], "{revision}: {answer}");
        }
    }
}

#[test]
fn a_slow_tool_does_not_hold_up_streams() {
    let server = Server::everything();
    let slow = json!({"name": "slow_compute", "arguments": {"seconds": 3600}});
    let mut new = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let mut old = Mcp::open(Way::HttpSse, &server, "2024-11-05");
    let mut session = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let mut running = Vec::new();
    for mcp in [&mut new, &mut old, &mut session] {
        let call = mcp.build("tools/call", slow.clone());
        running.push(mcp.send(&call));
    }
    let mut stream = session.listen();
    let params = json!({"notifications": {"toolsListChanged": true}});
    let message = new.build("subscriptions/listen", params);
    let mut listening = new.send(&message).unwrap();
    assert_eq!(
        listening.next()["method"],
        "notifications/subscriptions/acknowledged"
    );
    let mut events = server.connect().into_sse(&Request::get("/api/mcp/v1/sse"));
    assert_eq!(events.next().event, "connected");
    for _ in 0..3 {
        new.call("test_trigger_tool_change", json!({}));
        for note in [old.next(), stream.message(), listening.next()] {
            assert_eq!(note["method"], "notifications/tools/list_changed");
        }
        let event = json!({"event": "news", "data": {"n": 1}});
        let published = server.ask(&Request::post("/api/mcp/v1/events", &event));
        assert!((200..300).contains(&published.status), "{published:?}");
        assert_eq!(events.next().event, "news");
    }
    assert_eq!(server.get_json("/status")["requestsInFlight"], 3);
    assert!(
        running
            .iter_mut()
            .flatten()
            .all(|incoming| !incoming.is_answered())
    );
}

#[test]
fn a_slow_tool_on_a_keep_alive_connection_delays_only_that_connection() {
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let call = wait_call(&mut mcp, "a");
    let ping = mcp.build("ping", json!({}));
    let mut http = server.connect();
    let mut bytes = mcp.post(&call).bytes(server.addr);
    bytes.extend(mcp.post(&ping).bytes(server.addr));
    http.send_bytes(bytes);
    mcp.wait_outcome("a", "waiting");
    mcp.release("a");
    // HTTP answers in order; the second was not lost.
    assert_eq!(http.response().json()["id"], call["id"]);
    assert_eq!(http.response().json()["id"], ping["id"]);
}

#[test]
fn requests_in_flight_are_bounded_and_the_others_go_on() {
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let mut running: Vec<Incoming> = Vec::new();
    // As many as the probe allows.
    for index in 0..8 {
        let call = wait_call(&mut mcp, &index.to_string());
        running.push(mcp.send(&call).unwrap());
    }
    mcp.wait_outcome("7", "waiting");
    let call = wait_call(&mut mcp, "one more");
    let refused = server.ask(&mcp.post(&call));
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(refused.json()["id"], call["id"]);
    mcp.result("tools/list", json!({}));
    mcp.release("5");
    assert_eq!(
        running[5].next()["result"]["content"][0]["text"],
        "released 5"
    );
    let call = wait_call(&mut mcp, "one more");
    let mut again = mcp.send(&call).unwrap();
    mcp.wait_outcome("one more", "waiting");
    mcp.release("one more");
    assert_eq!(again.next()["id"], call["id"]);
}

// --- questions to the client ------------------------------------------------------------------

#[test]
fn a_question_waits_for_its_answer_while_other_calls_go_on() {
    let server = Server::everything();
    let capabilities = json!({"sampling": {}, "elicitation": {}});
    for revision in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut mcp = Mcp::open_with(Way::Streamable, &server, revision, capabilities.clone());
        let ask = |mcp: &mut Mcp, prompt: &str| {
            let arguments = json!({"prompt": prompt});
            let params = json!({"name": "test_sampling", "arguments": arguments});
            let call = mcp.build("tools/call", params);
            let mut incoming = mcp.send(&call).unwrap();
            let question = incoming.next();
            assert_eq!(question["method"], "sampling/createMessage", "{question}");
            assert_eq!(question["params"]["messages"][0]["content"]["text"], prompt);
            (call, incoming, question["id"].clone())
        };
        let (first_call, mut first, first_id) = ask(&mut mcp, "one");
        let (second_call, mut second, second_id) = ask(&mut mcp, "two");
        assert_ne!(first_id, second_id);
        mcp.result("ping", json!({}));
        mcp.call("greet", json!({"name": "x"}));
        // Answered the other way round; each finds its own call.
        for (id, text) in [(second_id, "to two"), (first_id, "to one")] {
            let result = json!({
                "role": "assistant", "model": "m", "content": {"type": "text", "text": text},
            });
            let reply = json!({"jsonrpc": "2.0", "id": id, "result": result});
            assert!(mcp.send(&reply).is_none());
        }
        for (call, incoming, text) in [
            (first_call, &mut first, "LLM response: to one"),
            (second_call, &mut second, "LLM response: to two"),
        ] {
            let answer = incoming.next();
            assert_eq!(answer["id"], call["id"], "{revision}");
            assert_eq!(answer["result"]["content"][0]["text"], text, "{revision}");
        }
    }
}

#[test]
fn an_answer_counts_only_in_its_own_session() {
    let server = Server::everything();
    let capabilities = json!({"sampling": {}});
    let open = || Mcp::open_with(Way::Streamable, &server, "2025-06-18", capabilities.clone());
    let (mut asked, mut other) = (open(), open());
    let params = json!({"name": "test_sampling", "arguments": {"prompt": "who?"}});
    let call = asked.build("tools/call", params);
    let mut incoming = asked.send(&call).unwrap();
    let id = incoming.next()["id"].clone();
    let reply = |text: &str| {
        json!({"jsonrpc": "2.0", "id": id, "result": {
            "role": "assistant", "model": "m", "content": {"type": "text", "text": text},
        }})
    };
    assert!(other.send(&reply("from another")).is_none());
    assert!(asked.send(&reply("from the right one")).is_none());
    let answer = incoming.next();
    assert_eq!(
        answer["result"]["content"][0]["text"],
        "LLM response: from the right one"
    );
}

#[test]
fn on_one_line_questions_and_calls_of_both_sides_mix() {
    let server = StdioServer::everything();
    let mut mcp = Mcp::stdio_with(server, "2025-11-25", json!({"sampling": {}}));
    let params = json!({"name": "test_sampling", "arguments": {"prompt": "p"}});
    let call = mcp.build("tools/call", params);
    assert!(mcp.send(&call).is_none());
    let question = mcp.next();
    // The client's own request may have the very id of the server's.
    let same_id = mcp.build_with_id(question["id"].clone(), "tools/list", json!({}));
    let answer = match same_id["id"] == call["id"] {
        true => mcp.request("tools/list", json!({})),
        false => mcp.ask(&same_id),
    };
    assert!(answer["result"]["tools"].is_array(), "{answer}");
    mcp.result("ping", json!({}));
    let result = json!({
        "role": "assistant", "model": "m", "content": {"type": "text", "text": "t"},
    });
    let reply = json!({"jsonrpc": "2.0", "id": question["id"], "result": result});
    assert!(mcp.send(&reply).is_none());
    let answer = mcp.next();
    assert_eq!(answer["id"], call["id"]);
    assert_eq!(answer["result"]["content"][0]["text"], "LLM response: t");
}

// --- old and new at once ----------------------------------------------------------------------

#[test]
fn clients_of_every_age_share_a_port() {
    let server = Server::everything();
    let mut clients: Vec<Mcp> = [
        (Way::HttpSse, "2024-11-05"),
        (Way::Streamable, "2025-03-26"),
        (Way::Streamable, "2025-06-18"),
        (Way::Streamable, "2025-11-25"),
        (Way::Streamable, "2026-07-28"),
        (Way::Plain, "2025-11-25"),
        (Way::Plain, "2026-07-28"),
        (Way::HttpSse, "2025-11-25"),
    ]
    .map(|(way, revision)| Mcp::open(way, &server, revision))
    .into();
    for round in 0..3 {
        for mcp in &mut clients {
            let name = format!("{} {round}", mcp.revision);
            let result = mcp.call("greet", json!({"name": name}));
            assert_eq!(result["content"][0]["text"], format!("Hello, {name}!"));
            // Each in the form of its own revision.
            let has_result_type = result.get("resultType").is_some();
            assert_eq!(
                has_result_type,
                mcp.is_stateless(),
                "{} {result}",
                mcp.revision
            );
        }
    }
    let audio: Vec<String> = clients
        .iter_mut()
        .map(|mcp| mcp.call("test_audio_content", json!({}))["content"][0]["type"].to_string())
        .collect();
    assert_eq!(audio[0], r#""text""#);
    assert!(
        audio[1..].iter().all(|kind| kind == r#""audio""#),
        "{audio:?}"
    );
}

#[test]
fn on_one_keep_alive_connection_every_request_is_of_its_own_age() {
    let server = Server::everything();
    let mut old = Mcp::open(Way::Streamable, &server, "2025-03-26");
    let mut new = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let mut http = server.connect();
    for round in 0..3 {
        for mcp in [&mut old, &mut new] {
            let params = json!({"name": "greet", "arguments": {"name": round.to_string()}});
            let message = mcp.build("tools/call", params);
            let response = http.ask(&mcp.post(&message));
            assert!(response.keep_alive);
            let result = response.json()["result"].clone();
            assert_eq!(
                result.get("resultType").is_some(),
                mcp.is_stateless(),
                "{result}"
            );
        }
    }
}

#[test]
fn one_stdio_process_serves_old_and_new_requests_in_turn() {
    let mut mcp = Mcp::stdio(StdioServer::everything(), "2025-03-26");
    let new = Mcp::connect_nowhere("2026-07-28");
    for round in 0..3 {
        let params = json!({"name": "test_audio_content"});
        let message =
            new.build_with_id(json!(format!("new {round}")), "tools/call", params.clone());
        let answer = mcp.ask(&message);
        assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
        let answer = mcp.request("tools/call", params);
        assert_eq!(answer["result"].get("resultType"), None, "{answer}");
        // What one era lacks, the other has.
        mcp.result("ping", json!({}));
        let message = new.build_with_id(json!("p"), "ping", json!({}));
        assert_eq!(mcp.ask(&message)["error"]["code"], -32601);
        let message = new.build_with_id(json!("d"), "server/discover", json!({}));
        assert_eq!(mcp.ask(&message)["result"]["resultType"], "complete");
    }
}

#[test]
fn a_probe_of_a_new_client_comes_before_the_handshake_of_an_old_one() {
    // Python clients send `server/discover` first, on the same process, and fall back to
    // `initialize` there if they do not like the answer.
    let mut mcp = Mcp::stdio_unopened(StdioServer::everything(), "2025-11-25");
    let new = Mcp::connect_nowhere("2026-07-28");
    let probe = new.build_with_id(json!(0), "server/discover", json!({}));
    let discovered = mcp.ask(&probe);
    assert_eq!(discovered["result"]["resultType"], "complete");
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "it", "version": "1"},
    });
    let result = mcp.result("initialize", params);
    assert_eq!(result["protocolVersion"], "2025-11-25");
    mcp.notify("notifications/initialized", json!({}));
    mcp.result("ping", json!({}));
}

#[test]
fn both_eras_hear_of_the_same_change() {
    let server = Server::everything();
    let mut old = Mcp::open(Way::HttpSse, &server, "2024-11-05");
    let session = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let mut stream = session.listen();
    let new = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let params = json!({"notifications": {"toolsListChanged": true}});
    let message = new.build_with_id(json!("l"), "subscriptions/listen", params);
    let request: Request = new.post(&message);
    let mut listening = Incoming::start(server.addr, &request);
    assert_eq!(
        listening.next()["method"],
        "notifications/subscriptions/acknowledged"
    );
    let mut plain = Mcp::open(Way::Plain, &server, "2025-11-25");
    plain.call("test_trigger_tool_change", json!({}));
    for note in [old.next(), stream.message(), listening.next()] {
        assert_eq!(note["method"], "notifications/tools/list_changed");
    }
}
