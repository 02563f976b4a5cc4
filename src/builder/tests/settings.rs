//! Who the server is, and its bounds.

use super::*;

#[test]
fn who_the_server_is() {
    let server = adder_named();
    speak(server, json!({}), async |client| {
        let params = json!({
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"},
        });
        let result = client.send_legacy("initialize", params).await["result"].take();
        assert_eq!(result["instructions"], "Add.");
        assert_eq!(
            result["serverInfo"],
            json!({
                "name": "adder", "title": "Adder", "version": "2.1", "description": "Adds.",
                "websiteUrl": "https://example.org", "icons": [{"src": "data:,"}],
            })
        );
    });
}

fn adder_named() -> McpServer {
    Builder::new("adder", "2.1")
        .title("Adder")
        .description("Adds.")
        .website_url("https://example.org")
        .icon(Icon::new("data:,"))
        .instructions("Add.")
        .build()
        .unwrap()
}

#[test]
fn pages_and_limits_are_those_that_were_set() {
    let server = adder_with(|builder| builder.page_len(1));
    speak(server, json!({}), async |client| {
        let first = client.send("tools/list", json!({})).await["result"].take();
        assert_eq!(first["tools"].as_array().unwrap().len(), 1);
        let cursor = json!({"cursor": first["nextCursor"]});
        let second = client.send("tools/list", cursor).await["result"].take();
        assert_eq!(second["tools"][0]["name"], "long");
        assert_eq!(second.get("nextCursor"), None);
    });
    for (bytes, is_error) in [(9, true), (10, false), (11, false)] {
        let limits = Limits {
            tool_output_bytes: bytes,
            ..Limits::default()
        };
        let server = adder_with(|builder| builder.limits(limits));
        speak(server, json!({}), async |client| {
            let result = client.call("long", json!({})).await;
            assert_eq!(
                result.get("isError").is_some(),
                is_error,
                "{bytes}: {result}"
            );
        });
    }
}

fn adder_with(change: impl FnOnce(Builder) -> Builder) -> McpServer {
    let builder = builder()
        .tool(add(), async |_: Context, Add { a, b }| {
            Ok((a + b).to_string())
        })
        .tool(Tool::new("long"), async |_: Context, _: NoArguments| {
            Ok("0123456789")
        });
    change(builder).build().unwrap()
}

/// What never ends by itself is still running right before its time is over, and ended after it.
#[track_caller]
fn check_overdue(method: &'static str, params: Value) -> Value {
    const TIMEOUT: Duration = Duration::from_secs(3);
    let server = builder()
        .tool_timeout(TIMEOUT)
        .tool(Tool::new("t"), async |_: Context, _: NoArguments| {
            stuck::<String>().await
        })
        .prompt(Prompt::new("p"), async |_: Context, _: Arguments| {
            stuck::<String>().await
        })
        .complete_prompt("p", async |_: Context, _: CompletionQuery| {
            stuck::<Vec<String>>().await
        })
        .resource(Resource::new("x://r", "r"), async |_: Context, _: Uri| {
            stuck::<Vec<ResourceContents>>().await
        });
    speak(server.build().unwrap(), json!({}), async |client| {
        let client = Rc::new(client);
        let other = client.clone();
        let call = rt::spawn(async move { other.send(method, params).await });
        while client.server.requests_running() == 0 {
            rt::yield_now().await;
        }
        client.clock.advance(TIMEOUT - Duration::from_millis(1));
        for _ in 0..9 {
            rt::yield_now().await;
        }
        assert_eq!(client.server.requests_running(), 1);
        client.clock.advance(Duration::from_millis(101));
        call.await
    })
}

async fn stuck<T>() -> Result<T, CallError> {
    std::future::pending().await
}

#[test]
fn a_tool_that_takes_too_long_is_ended() {
    let answer = check_overdue("tools/call", json!({"name": "t"}));
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    let text = &answer["result"]["content"][0]["text"];
    assert_eq!(text, "the tool ran longer than `timeout.operation` (3s)");
}

#[test]
fn so_are_prompts_resources_and_completions() {
    let argument = json!({"name": "a", "value": ""});
    for (method, params, what) in [
        ("prompts/get", json!({"name": "p"}), "prompt"),
        ("resources/read", json!({"uri": "x://r"}), "resource"),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "p"}, "argument": argument}),
            "completion",
        ),
    ] {
        let answer = check_overdue(method, params);
        assert_eq!(answer["error"]["code"], -32603, "{answer}");
        assert_eq!(
            answer["error"]["message"],
            format!("the {what} ran longer than `timeout.operation` (3s)")
        );
    }
}

#[test]
fn connections_are_at_least_one_and_reserve_no_more_than_they_have() {
    for (asked, expected) in [((0, 0), (1, 1)), ((1000, 500), (1000, 500))] {
        let builder = Builder::new("adder", "1").connections(asked.0, asked.1);
        let connections = builder.connections.unwrap();
        assert_eq!((connections.max, connections.per_address_max), expected);
        let settings = super::super::serve::http_settings(Default::default(), Some(connections));
        assert_eq!(settings.connections_max, expected.0);
        assert_eq!(settings.connections_per_address_max, expected.1);
        assert!(settings.connections_reserved < settings.connections_max);
    }
}
