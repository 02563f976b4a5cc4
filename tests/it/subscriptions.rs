//! What a client hears unasked: listen streams of 2026-07-28 (`basic/patterns/subscriptions`) and
//! notifications in sessions.

use crate::support::{Incoming, Mcp, Server, StdioServer, Value, Way, json};

const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";

/// Opens a listen stream and checks its acknowledgement.
#[track_caller]
fn listen(mcp: &Mcp, id: Value, filter: Value, honoured: Value) -> Incoming {
    let params = json!({"notifications": filter});
    let message = mcp.build_with_id(id.clone(), "subscriptions/listen", params);
    let mut stream = Incoming::start(mcp.addr(), &mcp.post(&message));
    assert!(stream.head().is_sse());
    assert_eq!(stream.head().header("x-accel-buffering"), Some("no"));
    assert_acknowledged(&stream.next(), &id, &honoured);
    stream
}

#[track_caller]
fn assert_acknowledged(message: &Value, id: &Value, honoured: &Value) {
    assert_eq!(
        message["method"], "notifications/subscriptions/acknowledged",
        "{message}"
    );
    assert_eq!(
        &message["params"]["_meta"][SUBSCRIPTION_ID], id,
        "{message}"
    );
    assert_eq!(&message["params"]["notifications"], honoured, "{message}");
    assert_eq!(message.get("id"), None, "{message}");
}

#[track_caller]
fn assert_note(message: &Value, id: &Value, method: &str) {
    assert_eq!(message["method"], method, "{message}");
    assert_eq!(
        &message["params"]["_meta"][SUBSCRIPTION_ID], id,
        "{message}"
    );
}

const TOOLS: &str = "notifications/tools/list_changed";
const PROMPTS: &str = "notifications/prompts/list_changed";
const UPDATED: &str = "notifications/resources/updated";

#[test]
fn each_stream_hears_what_it_asked_for_under_its_own_id() {
    let server = Server::everything();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let tools = json!({"toolsListChanged": true});
    let prompts = json!({"promptsListChanged": true});
    let both = json!({"toolsListChanged": true, "promptsListChanged": true});
    let watched = json!({"resourceSubscriptions": ["test://watched-resource"]});
    // Ids keep their type: 0 and "0" are two streams.
    let mut on_tools = listen(&mcp, json!(0), tools.clone(), tools);
    let mut on_prompts = listen(&mcp, json!("0"), prompts.clone(), prompts);
    let mut on_both = listen(&mcp, json!("listen:0"), both.clone(), both);
    let mut on_resource = listen(&mcp, json!(12345678901u64), watched.clone(), watched);
    // Calls go on while all of them are open.
    mcp.call("test_trigger_tool_change", json!({}));
    mcp.call("test_trigger_resource_update", json!({}));
    mcp.call("test_trigger_prompt_change", json!({}));
    assert_note(&on_tools.next(), &json!(0), TOOLS);
    assert_note(&on_prompts.next(), &json!("0"), PROMPTS);
    assert_note(&on_both.next(), &json!("listen:0"), TOOLS);
    assert_note(&on_both.next(), &json!("listen:0"), PROMPTS);
    let updated = on_resource.next();
    assert_note(&updated, &json!(12345678901u64), UPDATED);
    assert_eq!(updated["params"]["uri"], "test://watched-resource");
    // Nothing unrequested came: when the server ends them, the end is all there is.
    let exit = std::thread::spawn(move || server.stop());
    for (mut stream, id) in [
        (on_tools, json!(0)),
        (on_prompts, json!("0")),
        (on_both, json!("listen:0")),
        (on_resource, json!(12345678901u64)),
    ] {
        let end = stream.next();
        assert_eq!(end["id"], id, "{end}");
        assert_eq!(end["result"]["resultType"], "complete", "{end}");
        assert_eq!(end["result"]["_meta"][SUBSCRIPTION_ID], id, "{end}");
        assert_eq!(stream.all(), Vec::<Value>::new());
    }
    let exit = exit.join().unwrap();
    assert!(exit.status.success(), "{exit:?}");
}

#[test]
fn the_acknowledgement_says_what_is_honoured() {
    let server = Server::everything();
    let mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let filter = json!({
        "toolsListChanged": true,
        "promptsListChanged": false,
        "resourceSubscriptions": ["test://watched-resource", "test://no-such"],
        "fromTheFuture": true,
    });
    let honoured = json!({
        "toolsListChanged": true,
        "resourceSubscriptions": ["test://watched-resource"],
    });
    listen(&mcp, json!(1), filter, honoured);
    listen(&mcp, json!(2), json!({}), json!({}));
}

#[test]
fn a_filter_that_does_not_read_is_refused() {
    let server = Server::everything();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    for params in [
        json!({}),
        json!({"notifications": "all"}),
        json!({"notifications": []}),
        json!({"notifications": {"toolsListChanged": "yes"}}),
        json!({"notifications": {"resourceSubscriptions": "test://watched-resource"}}),
    ] {
        let error = mcp.error("subscriptions/listen", params.clone());
        assert_eq!(error["code"], -32602, "{params}: {error}");
    }
}

#[test]
fn a_stream_that_is_left_takes_no_place() {
    let server = Server::start(&[("APP_LIMITS__STREAMS", "2")]);
    let mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let open = |id: u32| listen(&mcp, json!(id), json!({}), json!({}));
    let (first, _second) = (open(1), open(2));
    let message = mcp.build_with_id(
        json!(3),
        "subscriptions/listen",
        json!({"notifications": {}}),
    );
    let response = server.ask(&mcp.post(&message));
    let text = response.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(text.contains("`limits.streams` (2)"), "{text}");
    drop(first);
    crate::support::poll_until("a free stream", || {
        let mut stream = Incoming::start(server.addr, &mcp.post(&message));
        stream.head().is_sse().then_some(())
    });
}

#[test]
fn on_stdio_several_subscriptions_share_the_line() {
    let mut mcp = Mcp::stdio_unopened(StdioServer::everything(), "2026-07-28");
    for (id, filter) in [
        (json!("a"), json!({"toolsListChanged": true})),
        (
            json!(7),
            json!({"toolsListChanged": true, "promptsListChanged": true}),
        ),
    ] {
        let params = json!({"notifications": filter});
        let message = mcp.build_with_id(id.clone(), "subscriptions/listen", params);
        assert!(mcp.send(&message).is_none());
        assert_acknowledged(&mcp.next(), &id, &filter);
    }
    mcp.call("test_trigger_prompt_change", json!({}));
    mcp.call("test_trigger_tool_change", json!({}));
    let heard = std::mem::take(&mut mcp.heard);
    assert_eq!(heard.len(), 3, "{heard:?}");
    assert_note(&heard[0], &json!(7), PROMPTS);
    assert_note(&heard[1], &json!("a"), TOOLS);
    assert_note(&heard[2], &json!(7), TOOLS);
    // One is cancelled, and hears nothing any more.
    mcp.notify("notifications/cancelled", json!({"requestId": 7}));
    mcp.call_until("greet", json!({"name": "x"}), "Hello, x!");
    mcp.call("test_trigger_tool_change", json!({}));
    let heard = std::mem::take(&mut mcp.heard);
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_note(&heard[0], &json!("a"), TOOLS);
    // With the process the other one ends in good order.
    mcp.stdio_server().close_stdin();
    let end = mcp.next();
    assert_eq!(
        (&end["id"], &end["result"]["resultType"]),
        (&json!("a"), &json!("complete"))
    );
    assert_eq!(mcp.stdio_server().try_line(), None);
}

#[test]
fn a_listening_connection_that_goes_away_leaves_the_others() {
    let server = Server::everything();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let tools = json!({"toolsListChanged": true});
    let first = listen(&mcp, json!(1), tools.clone(), tools.clone());
    let mut second = listen(&mcp, json!(2), tools.clone(), tools);
    drop(first);
    for _ in 0..3 {
        mcp.call("test_trigger_tool_change", json!({}));
        assert_note(&second.next(), &json!(2), TOOLS);
    }
}

#[test]
fn in_a_session_notes_come_on_the_get_stream_and_on_no_post() {
    let server = Server::everything();
    for revision in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut mcp = Mcp::open(Way::Streamable, &server, revision);
        let other = Mcp::open(Way::Streamable, &server, revision);
        let (mut stream, mut other_stream) = (mcp.listen(), other.listen());
        mcp.result(
            "resources/subscribe",
            json!({"uri": "test://watched-resource"}),
        );
        mcp.call("test_trigger_resource_update", json!({}));
        mcp.call("test_trigger_tool_change", json!({}));
        assert_eq!(mcp.heard, Vec::<Value>::new());
        let updated = stream.message();
        assert_eq!(updated["method"], UPDATED);
        assert_eq!(updated["params"], json!({"uri": "test://watched-resource"}));
        assert_eq!(stream.message()["method"], TOOLS);
        // Who did not subscribe hears of the lists alone.
        assert_eq!(other_stream.message()["method"], TOOLS);
        mcp.result(
            "resources/unsubscribe",
            json!({"uri": "test://watched-resource"}),
        );
        mcp.call("test_trigger_resource_update", json!({}));
        mcp.call("test_trigger_prompt_change", json!({}));
        assert_eq!(stream.message()["method"], PROMPTS);
    }
}

#[test]
fn subscriptions_are_bounded() {
    // The probe allows two.
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let subscribe = |mcp: &mut Mcp, name: &str| {
        mcp.request(
            "resources/subscribe",
            json!({"uri": format!("probe://{name}")}),
        )
    };
    assert_eq!(subscribe(&mut mcp, "one")["result"], json!({}));
    assert_eq!(subscribe(&mut mcp, "two")["result"], json!({}));
    // The same once more is none more.
    assert_eq!(subscribe(&mut mcp, "two")["result"], json!({}));
    let refused = subscribe(&mut mcp, "three");
    let text = refused["error"]["message"].as_str().unwrap();
    assert!(text.contains("`limits.subscriptions` (2)"), "{text}");
    mcp.result("resources/unsubscribe", json!({"uri": "probe://one"}));
    assert_eq!(subscribe(&mut mcp, "three")["result"], json!({}));
}

#[test]
fn a_client_that_takes_no_stream_cannot_listen() {
    let server = Server::everything();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let message = mcp.build("subscriptions/listen", json!({"notifications": {}}));
    let request = mcp.post(&message).with("Accept", "application/json");
    assert_eq!(server.ask(&request).status, 406);
    // Nor can one of the plain endpoint, which has no streams.
    let mut mcp = Mcp::open(Way::Plain, &server, "2026-07-28");
    let error = mcp.error("subscriptions/listen", json!({"notifications": {}}));
    assert_eq!(error["code"], -32600, "{error}");
}
