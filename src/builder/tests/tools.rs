//! Tools: run, called, waiting, failing.

use super::*;

#[test]
fn a_tool_runs_without_a_client() {
    let server = adder();
    for (tool, expected) in [("add", "5"), ("plus", "5"), ("sub", "-1")] {
        let result = server.call(tool, r#"{"a":2,"b":3}"#);
        assert_eq!(
            (result.text_blocks().as_str(), result.is_error),
            (expected, false)
        );
    }
    for (tool, arguments, expected) in [
        ("mul", "{}", "unknown tool `mul`"),
        ("add", "{}", "arguments: missing field `a`"),
        (
            "add",
            r#"{"a":1,"b":"x"}"#,
            r#"argument `b`: invalid type: string "x", expected i64"#,
        ),
        (
            "sub",
            r#"{"a":[],"b":1}"#,
            "argument `a`: invalid type: sequence, expected i64",
        ),
    ] {
        let result = server.call(tool, arguments);
        assert_eq!(
            (result.text_blocks().as_str(), result.is_error),
            (expected, true)
        );
    }
}

#[test]
fn a_client_gets_the_same_and_sees_no_alias() {
    speak(adder(), json!({}), async |client| {
        for (tool, expected) in [("add", "5"), ("plus", "5"), ("sub", "-1")] {
            let result = client.call(tool, json!({"a": 2, "b": 3})).await;
            assert_eq!(result["content"][0]["text"], expected);
            assert_eq!(result.get("isError"), None);
        }
        let result = client.call("sub", json!({"a": 2, "b": null})).await;
        assert_eq!(result["isError"], true);
        let expected = "argument `b`: invalid type: null, expected i64";
        assert_eq!(result["content"][0]["text"], expected);

        let tools = client.send("tools/list", json!({})).await;
        let names: Vec<&Value> = (tools["result"]["tools"].as_array().unwrap().iter())
            .map(|tool| &tool["name"])
            .collect();
        assert_eq!(names, ["add", "sub"]);
    });
}

#[test]
fn a_waiting_handler_does_not_hold_up_the_next() {
    let order = Rc::new(RefCell::new(Vec::new()));
    let (slow, quick) = (order.clone(), order.clone());
    let server = builder()
        .tool(
            Tool::new("slow"),
            async move |_: Context, _: NoArguments| {
                slow.borrow_mut().push("slow begins");
                while !slow.borrow().contains(&"quick") {
                    rt::yield_now().await;
                }
                slow.borrow_mut().push("slow ends");
                Ok("slow")
            },
        )
        .tool_now(Tool::new("quick"), move |_: &Context, _: NoArguments| {
            quick.borrow_mut().push("quick");
            Ok("quick")
        });
    speak(server.build().unwrap(), json!({}), async |client| {
        let client = Rc::new(client);
        let other = client.clone();
        let slow = rt::spawn(async move { other.call("slow", json!({})).await });
        while order.borrow().is_empty() {
            rt::yield_now().await;
        }
        client.call("quick", json!({})).await;
        slow.await;
    });
    assert_eq!(*order.borrow(), ["slow begins", "quick", "slow ends"]);
}

#[test]
fn failures_of_every_kind() {
    let server = builder()
        .tool(Tool::new("fails"), async |_: Context, _: NoArguments| {
            let number: i32 = "x".parse()?;
            Ok(number.to_string())
        })
        .tool(Tool::new("breaks"), async |_: Context, _: NoArguments| {
            Err::<String, _>(CallError::protocol(-32603, "broken"))
        });
    speak(server.build().unwrap(), json!({}), async |client| {
        let result = client.call("fails", json!({})).await;
        assert_eq!(result["isError"], true);
        assert_eq!(
            result["content"][0]["text"],
            "invalid digit found in string"
        );
        let answer = client.send("tools/call", json!({"name": "breaks"})).await;
        assert_eq!(
            answer["error"],
            json!({"code": -32603, "message": "broken"})
        );
    });
}

/// Three ways to come to an answer: at once, at the first poll, and after a wait. The clones of the contexts stay in `kept`.
fn reporters(kept: &Rc<RefCell<Vec<Context>>>) -> McpServer {
    let keep =
        |kept: &Rc<RefCell<Vec<Context>>>, ctx: &Context| kept.borrow_mut().push(ctx.clone());
    let (now, soon, late) = (kept.clone(), kept.clone(), kept.clone());
    let server = builder()
        .tool_now(Tool::new("now"), move |ctx: &Context, _: NoArguments| {
            keep(&now, ctx);
            ctx.progress(1.0, None);
            Ok("done")
        })
        .tool(
            Tool::new("soon"),
            async move |ctx: Context, _: NoArguments| {
                keep(&soon, &ctx);
                ctx.progress(1.0, None);
                Ok("done")
            },
        )
        .tool(
            Tool::new("late"),
            async move |ctx: Context, _: NoArguments| {
                keep(&late, &ctx);
                ctx.progress(1.0, None);
                rt::yield_now().await;
                ctx.progress(2.0, None);
                Ok("done")
            },
        )
        .tool(
            Tool::new("later"),
            async move |ctx: Context, _: NoArguments| {
                rt::yield_now().await;
                ctx.progress(1.0, None);
                Ok("done")
            },
        );
    server.build().unwrap()
}

/// No headers but those that the arrival itself has.
struct NoHeaders;

impl HeaderSource for NoHeaders {
    fn values(&self, _: &str) -> HeaderValue<'_> {
        HeaderValue::Absent
    }
}

#[test]
fn what_is_reported_before_the_answer_comes_before_it_on_every_way() {
    let kept = Rc::default();
    speak(reporters(&kept), json!({}), async |client| {
        let direct = Outlet::new(1 << 16);
        let open = |direct| client.server.open_session(&client.caller, direct).unwrap();
        let (session, bound) = (open(None), open(Some(direct.clone())));
        for session in [&session, &bound] {
            session.negotiate(Revision::V2025_11_25, Rc::default());
        }
        for (tool, reports) in [("now", 1), ("soon", 1), ("late", 2), ("later", 1)] {
            let carriers = [
                Carrier::Plain,
                Carrier::Streamable(StreamableHead {
                    version: None,
                    session_id: Some(&session.id),
                    headers: &NoHeaders,
                }),
                Carrier::Connection {
                    session: &bound,
                    outlet: &direct,
                    is_dual: false,
                },
            ];
            for (way, carrier) in carriers.into_iter().enumerate() {
                for reports in [reports, 0] {
                    let meta = match reports {
                        0 => json!({}),
                        _ => json!({"progressToken": "t"}),
                    };
                    let params = json!({"name": tool, "_meta": meta});
                    let request = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params});
                    let mut seen = Vec::new();
                    let carrier = copy(&carrier);
                    let outlet = match client.receive(&request.to_string(), carrier) {
                        Reply::Accepted => panic!("a request"),
                        Reply::Ready(answer) => {
                            seen.push(answer.text);
                            direct.clone()
                        }
                        Reply::Running(running) => running.outlet.clone(),
                    };
                    let is_last = |seen: &Vec<Vec<u8>>| {
                        seen.last()
                            .is_some_and(|text| text.ends_with(br#""text":"done"}]}}"#))
                    };
                    while !is_last(&seen) {
                        match outlet.next().await {
                            Ok(Item::Message(packet) | Item::Answer(packet, _)) => {
                                seen.push(packet.text.to_vec());
                            }
                            other => panic!("{other:?}"),
                        }
                    }
                    // Over one connection a message is on its way when the answer is ready.
                    while let Some(Item::Message(packet)) = outlet.try_next() {
                        seen.insert(seen.len() - 1, packet.text.to_vec());
                    }
                    assert_eq!(seen.len(), reports + 1, "{tool} by way {way}: {seen:?}");
                }
            }
        }
    });
    // Whoever has waited, or could have, is told that its call is over.
    let ended = kept.borrow().iter().filter(|ctx| ctx.is_over()).count();
    assert_eq!((ended, kept.borrow().len()), (2 * 6, 3 * 6));
}

fn copy<'a>(carrier: &Carrier<'a>) -> Carrier<'a> {
    match carrier {
        Carrier::Plain => Carrier::Plain,
        Carrier::Connection {
            session, outlet, ..
        } => Carrier::Connection {
            session,
            outlet,
            is_dual: false,
        },
        Carrier::Streamable(head) => Carrier::Streamable(StreamableHead {
            version: head.version,
            session_id: head.session_id,
            headers: head.headers,
        }),
    }
}
