//! Questions to the client, in rounds and as requests; what the client must have declared.

use super::*;

const FORM: &str = r#"{"type":"object","properties":{"name":{"type":"string"}}}"#;

fn asker() -> McpServer {
    let server = builder().tool(Tool::new("ask"), async |ctx: Context, _: NoArguments| {
        let rounds: u32 = ctx.state().unwrap_or_default();
        ctx.set_state(&(rounds + 1));
        let name = ctx.elicit("name", "Your name?", FORM).await?;
        let answers = ctx
            .ask(vec![Ask::sample("poem", "A poem", 9), Ask::roots("roots")])
            .await?;
        let name = name.text("name").unwrap_or_default();
        Ok(format!(
            "{name}, {} answers, round {}",
            answers.len(),
            rounds + 1
        ))
    });
    server.build().unwrap()
}

#[test]
fn questions_take_rounds_in_the_stateless_era() {
    let capabilities = json!({"elicitation": {}, "sampling": {}, "roots": {}});
    speak(asker(), capabilities, async |client| {
        let round = async |responses: Value, state: &Value| {
            let mut params = json!({"name": "ask", "inputResponses": responses});
            if !state.is_null() {
                params["requestState"] = state.clone();
            }
            client.send("tools/call", params).await
        };
        let first = round(json!({}), &Value::Null).await["result"].take();
        assert_eq!(first["resultType"], "input_required");
        assert_eq!(
            first["inputRequests"]["name"]["method"],
            "elicitation/create"
        );

        let name = json!({"name": {"action": "accept", "content": {"name": "Ann"}}});
        let second = round(name, &first["requestState"]).await["result"].take();
        let asked = second["inputRequests"].as_object().unwrap();
        assert_eq!(asked.keys().collect::<Vec<_>>(), ["poem", "roots"]);

        let poem =
            json!({"role": "assistant", "content": {"type": "text", "text": "."}, "model": "m"});
        let answers = json!({"poem": poem, "roots": {"roots": []}});
        let third = round(answers.clone(), &second["requestState"]).await["result"].take();
        assert_eq!(third["content"][0]["text"], "Ann, 2 answers, round 3");

        let forged = json!(format!("{}x", second["requestState"].as_str().unwrap()));
        assert_eq!(round(answers, &forged).await["error"]["code"], -32602);
    });
}

/// The same handler, and the questions are requests on the connection.
#[test]
fn questions_are_requests_in_the_era_before() {
    speak(asker(), json!({}), async |client| {
        let outlet = Outlet::new(1 << 16);
        let direct = Some(outlet.clone());
        let session = Rc::new(Session::new(
            "".into(),
            client.caller.clone(),
            direct,
            rt::now(),
        ));
        let send = |message: Value| {
            let carrier = Carrier::Connection {
                session: &session,
                outlet: &outlet,
                is_dual: true,
            };
            client.receive(&message.to_string(), carrier)
        };
        let params = json!({
            "protocolVersion": "2025-11-25", "clientInfo": {"name": "t", "version": "1"},
            "capabilities": {"elicitation": {}, "sampling": {}, "roots": {}},
        });
        _ = send(json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}));
        let params = json!({"name": "ask"});
        _ = send(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
        let mut asked = Vec::new();
        let answer = loop {
            let (Item::Message(packet) | Item::Answer(packet, _)) = outlet.next().await.unwrap()
            else {
                panic!("neither a message nor an answer");
            };
            let message: Value = serde_json::from_slice(&packet.text).unwrap();
            let Some(method) = message["method"].as_str() else {
                break message;
            };
            asked.push(method.to_owned());
            let text = json!({"type": "text", "text": "."});
            let result = match method {
                "elicitation/create" => json!({"action": "accept", "content": {"name": "Ann"}}),
                "roots/list" => json!({"roots": []}),
                _ => json!({"role": "assistant", "content": text, "model": "m"}),
            };
            _ = send(json!({"jsonrpc": "2.0", "id": message["id"], "result": result}));
        };
        assert_eq!(
            asked,
            ["elicitation/create", "sampling/createMessage", "roots/list"]
        );
        let text = &answer["result"]["content"][0]["text"];
        assert_eq!(
            (&answer["id"], text),
            (&json!(1), &json!("Ann, 2 answers, round 1"))
        );
    });
}

#[test]
fn a_question_the_client_cannot_answer_is_not_asked() {
    speak(asker(), json!({"sampling": {}}), async |client| {
        let answer = client.send("tools/call", json!({"name": "ask"})).await;
        assert_eq!(answer["error"]["code"], -32021);
    });
    let result = asker().call("ask", "{}");
    assert!(result.is_error, "{}", result.text_blocks());
}

#[test]
fn what_a_tool_needs_is_asked_of_the_client() {
    let picky = || {
        let needs = ClientCapabilities {
            sampling: true,
            ..ClientCapabilities::default()
        };
        let tool = Tool::new("picky").needs(needs);
        let server = builder().tool(tool, async |_: Context, _: NoArguments| Ok("ok"));
        server.build().unwrap()
    };
    speak(picky(), json!({"sampling": {}}), async |client| {
        assert_eq!(
            client.call("picky", json!({})).await["content"][0]["text"],
            "ok"
        );
    });
    speak(picky(), json!({}), async |client| {
        let error = client.send("tools/call", json!({"name": "picky"})).await["error"].take();
        let required = json!({"requiredCapabilities": {"sampling": {}}});
        assert_eq!(
            (&error["code"], &error["data"]),
            (&json!(-32021), &required)
        );
    });
}
