//! A server is built as an author would, and spoken to in JSON-RPC without a socket.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::gate::Principal;
use crate::jsonrpc::{self, Envelope, Incoming, Rules};
use crate::mcp::capabilities::{ClientCapabilities, TASKS_EXTENSION};
use crate::mcp::tool::TaskSupport;
use crate::metrics::{Metrics, Transport};
use crate::rt::{self, Clock, Deadlines};
use crate::server::Server;
use crate::server::arrival::{Arrival, Carrier, Reply};
use crate::server::outlet::{Item, Outlet};
use crate::server::session::Session;
use crate::tools::{Ask, NoArguments};

use super::*;

/// One client of the stateless era.
struct Client {
    server: Rc<Server>,
    caller: Rc<Principal>,
    capabilities: Value,
    clock: Clock,
}

impl Client {
    /// Sends one request of 2026-07-28 and returns the whole response.
    async fn send(&self, method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": self.capabilities,
        });
        self.exchange(json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}))
            .await
    }

    /// Sends one request of the era before.
    async fn send_legacy(&self, method: &str, params: Value) -> Value {
        self.exchange(json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}))
            .await
    }

    async fn exchange(&self, request: Value) -> Value {
        let text = request.to_string();
        let answer = match self.receive(&text, Carrier::Plain) {
            Reply::Accepted => panic!("{text} was taken for a notification"),
            Reply::Ready(answer) => answer.text,
            Reply::Running(running) => loop {
                match running.outlet.next().await {
                    Ok(Item::Answer(packet, _)) => break packet.text.to_vec(),
                    Ok(_) => (),
                    Err(reason) => panic!("{text} ended without an answer: {reason:?}"),
                }
            },
        };
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["id"], 7);
        answer
    }

    fn receive(&self, text: &str, carrier: Carrier<'_>) -> Reply {
        let rules = Rules {
            batch_len_max: 1,
            depth_max: 64,
            envelope: Envelope::Strict,
        };
        let Ok(Incoming::Single(message)) = jsonrpc::parse(text.as_bytes(), &rules) else {
            panic!("{text} is not a message");
        };
        let arrival = Arrival {
            transport: Transport::Http,
            caller: &self.caller,
            carrier,
        };
        self.server.receive(message, &arrival)
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        self.send("tools/call", params).await["result"].take()
    }
}

fn speak<T>(server: McpServer, capabilities: Value, test: impl AsyncFnOnce(Client) -> T) -> T {
    let (settings, catalog) = server.into_parts();
    rt::run(async move {
        let clock = Clock::manual();
        let (metrics, deadlines) = (Rc::new(Metrics::new()), Deadlines::new(&clock));
        let server = Server::new(settings, catalog, metrics, deadlines, [7; 32]);
        let client = Client {
            server,
            caller: Rc::new(Principal::anonymous()),
            capabilities,
            clock,
        };
        test(client).await
    })
}

#[derive(Deserialize)]
struct Add {
    a: i64,
    b: i64,
}

fn add() -> Tool {
    Tool::new("add")
        .description("Adds.")
        .integer("a", "")
        .integer("b", "")
}

fn builder() -> Builder {
    Builder::new("test", "1")
}

fn adder() -> McpServer {
    let server = builder()
        .tool(add(), async |_: Context, Add { a, b }| {
            Ok((a + b).to_string())
        })
        .tool_now(Tool::new("sub"), |_: &Context, Add { a, b }| {
            Ok((a - b).to_string())
        })
        .alias("plus", "add");
    server.build().unwrap()
}

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
                while slow.borrow().len() < 2 {
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

fn library() -> McpServer {
    let books = ResourceTemplate::new("book://{id}/text", "books").unwrap();
    let server = builder()
        .resource(
            Resource::new("book://index", "index").mime_type("text/plain"),
            async |_: Context, uri: Uri| Ok(ResourceContents::text(uri, "1 2")),
        )
        .template(
            books.mime_type("text/markdown"),
            async |_: Context, uri: Uri| match uri.variable("id") {
                Some("1") => Ok(vec![
                    ResourceContents::text(&uri, "# One"),
                    ResourceContents::blob(&uri, &[0]).mime_type("image/png"),
                ]),
                _ => Err(CallError::NotFound),
            },
        )
        .complete_template(
            "book://{id}/text",
            async |_: Context, query: CompletionQuery| {
                Ok(Completion::by_prefix(&query.value, ["1", "2"].into_iter()))
            },
        )
        .prompt(
            Prompt::new("summary")
                .argument("book", "which")
                .optional_argument("style", ""),
            async |_: Context, arguments: Arguments| {
                let style = arguments.get("style").map_or("short", String::as_str);
                Ok(format!("Summarise book {}, {style}.", arguments["book"]))
            },
        )
        .complete_prompt("summary", async |_: Context, query: CompletionQuery| {
            Ok(vec![format!("{}={}", query.argument, query.value)])
        });
    server.build().unwrap()
}

#[test]
fn resources_and_templates() {
    speak(library(), json!({}), async |client| {
        let read = async |uri: &str| client.send("resources/read", json!({"uri": uri})).await;
        assert_eq!(
            read("book://index").await["result"]["contents"],
            json!([{"uri": "book://index", "mimeType": "text/plain", "text": "1 2"}])
        );
        assert_eq!(
            read("book://1/text").await["result"]["contents"],
            json!([
                {"uri": "book://1/text", "mimeType": "text/markdown", "text": "# One"},
                {"uri": "book://1/text", "mimeType": "image/png", "blob": "AA=="},
            ])
        );
        for absent in ["book://2/text", "book://1", "other:"] {
            let error = &read(absent).await["error"];
            assert_eq!(
                (&error["code"], &error["data"]["uri"]),
                (&json!(-32602), &json!(absent))
            );
        }
    });
}

#[test]
fn prompts() {
    speak(library(), json!({}), async |client| {
        let rendered = async |arguments: Value| {
            let params = json!({"name": "summary", "arguments": arguments});
            client.send("prompts/get", params).await
        };
        let said = rendered(json!({"book": "1"})).await;
        let text = &said["result"]["messages"][0]["content"]["text"];
        assert_eq!(*text, "Summarise book 1, short.");
        let said = rendered(json!({"style": "long"})).await;
        assert_eq!(said["error"]["code"], -32602);
        assert_eq!(said["error"]["message"], "argument `book` is missing");
    });
}

#[test]
fn completions() {
    speak(library(), json!({}), async |client| {
        let complete = async |reference: Value, value: &str| {
            let argument = json!({"name": "id", "value": value});
            let params = json!({"ref": reference, "argument": argument});
            client.send("completion/complete", params).await
        };
        let template = json!({"type": "ref/resource", "uri": "book://{id}/text"});
        let prompt = json!({"type": "ref/prompt", "name": "summary"});
        let absent = json!({"type": "ref/prompt", "name": "sumary"});
        let values = |answer: Value| answer["result"]["completion"]["values"].clone();
        assert_eq!(values(complete(template, "2").await), json!(["2"]));
        assert_eq!(values(complete(prompt, "x").await), json!(["id=x"]));
        assert_eq!(complete(absent, "x").await["error"]["code"], -32602);
    });
}

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

/// A server whose tool becomes a task and goes on when `gate` opens.
fn job(gate: &Rc<Cell<bool>>, support: TaskSupport) -> McpServer {
    let gate = gate.clone();
    let tool = Tool::new("job").task(support);
    let server = builder()
        .tool(tool, async move |ctx: Context, _: NoArguments| {
            let is_task = ctx.start_task();
            while is_task && !gate.get() {
                rt::yield_now().await;
            }
            Ok(format!("task: {is_task}"))
        })
        .tool_now(
            Tool::new("now").task(TaskSupport::Optional),
            |ctx: &Context, _: NoArguments| Ok(format!("task: {}", ctx.start_task())),
        );
    server.build().unwrap()
}

fn with_tasks() -> Value {
    json!({"extensions": {TASKS_EXTENSION: {}}})
}

#[test]
fn a_call_becomes_a_task_and_ends() {
    let gate = Rc::new(Cell::new(false));
    speak(
        job(&gate, TaskSupport::Required),
        with_tasks(),
        async |client| {
            let created = client.call("job", json!({})).await;
            assert_eq!(
                (&created["resultType"], &created["status"]),
                (&json!("task"), &json!("working"))
            );
            let id = json!({"taskId": created["taskId"]});
            let status = async || client.send("tasks/get", id.clone()).await["result"].take();
            assert_eq!(status().await["status"], "working");
            gate.set(true);
            let ended = loop {
                let task = status().await;
                if task["status"] != "working" {
                    break task;
                }
                rt::yield_now().await;
            };
            assert_eq!(ended["status"], "completed");
            assert_eq!(ended["result"]["content"][0]["text"], "task: true");
        },
    );
}

#[test]
fn a_cancelled_task_stays_cancelled() {
    let gate = Rc::new(Cell::new(false));
    speak(
        job(&gate, TaskSupport::Optional),
        with_tasks(),
        async |client| {
            let created = client.call("job", json!({})).await;
            let id = json!({"taskId": created["taskId"]});
            let cancelled = client.send("tasks/cancel", id.clone()).await;
            assert_eq!(cancelled["result"]["resultType"], "complete");
            gate.set(true);
            rt::yield_now().await;
            let task = client.send("tasks/get", id).await;
            assert_eq!(task["result"]["status"], "cancelled");
        },
    );
}

#[test]
fn clients_without_tasks_wait_or_are_refused() {
    let gate = Rc::new(Cell::new(false));
    speak(
        job(&gate, TaskSupport::Optional),
        json!({}),
        async |client| {
            let result = client.call("job", json!({})).await;
            assert_eq!(result["content"][0]["text"], "task: false");
        },
    );
    speak(
        job(&gate, TaskSupport::Required),
        json!({}),
        async |client| {
            let answer = client.send("tools/call", json!({"name": "job"})).await;
            assert_eq!(answer["error"]["code"], -32021);
        },
    );
    assert_eq!(
        job(&gate, TaskSupport::Required)
            .call("job", "{}")
            .text_blocks(),
        "task: false"
    );
}

#[test]
fn what_answers_at_once_is_never_a_task() {
    let gate = Rc::new(Cell::new(false));
    speak(
        job(&gate, TaskSupport::Optional),
        with_tasks(),
        async |client| {
            let result = client.call("now", json!({})).await;
            assert_eq!(result["resultType"], "complete");
            assert_eq!(result["content"][0]["text"], "task: false");
        },
    );
}

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

#[test]
fn a_tool_that_takes_too_long_is_ended() {
    let server = builder().tool_timeout(Duration::from_secs(3)).tool(
        Tool::new("stuck"),
        async |_: Context, _: NoArguments| {
            std::future::pending::<Result<String, CallError>>().await
        },
    );
    speak(server.build().unwrap(), json!({}), async |client| {
        let client = Rc::new(client);
        let other = client.clone();
        let call = rt::spawn(async move { other.call("stuck", json!({})).await });
        while client.server.requests_running() == 0 {
            rt::yield_now().await;
        }
        client.clock.advance(Duration::from_millis(2_999));
        for _ in 0..9 {
            rt::yield_now().await;
        }
        assert_eq!(client.server.requests_running(), 1);
        client.clock.advance(Duration::from_millis(101));
        let result = call.await;
        assert_eq!(result["isError"], true);
    });
}

#[track_caller]
fn refused(builder: Builder, expected: &str) {
    match builder.build() {
        Ok(_) => panic!("built, though {expected}"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

#[test]
fn mistakes_are_found_when_it_is_built() {
    let tool = |name: &str| {
        let tool = Tool::new(name);
        builder().tool_now(tool, |_: &Context, _: NoArguments| Ok("ok"))
    };
    let again = |builder: Builder, name: &str| {
        builder.tool(Tool::new(name), async |_: Context, _: NoArguments| Ok("ok"))
    };
    assert!(again(tool("a"), "b").alias("c", "b").build().is_ok());
    refused(again(tool("a"), "a"), "two tools are named `a`; rename one");
    refused(
        tool("a").alias("a", "a"),
        "two tools are named `a`; rename one",
    );
    refused(
        tool("a").alias("b", "c"),
        "alias `b` stands for the tool `c`, which does not exist",
    );
    refused(
        tool("a b"),
        "tool name `a b` has 3 characters; use 1 to 128 of `A-Za-z0-9_.-`",
    );

    let resource = |builder: Builder| {
        let resource = Resource::new("x:y", "n");
        builder.resource(resource, async |_: Context, uri: Uri| {
            Ok(ResourceContents::text(uri, ""))
        })
    };
    assert!(resource(builder()).build().is_ok());
    refused(
        resource(resource(builder())),
        "two resources are named `x:y`; rename one",
    );

    let template = |builder: Builder| {
        let template = ResourceTemplate::new("x:{y}", "n").unwrap();
        builder.template(template, async |_: Context, uri: Uri| {
            Ok(ResourceContents::text(uri, ""))
        })
    };
    assert!(template(builder()).build().is_ok());
    refused(
        template(template(builder())),
        "two resource templates are named `x:{y}`; rename one",
    );

    let prompt = |builder: Builder| {
        builder.prompt(Prompt::new("p"), async |_: Context, _: Arguments| Ok("hi"))
    };
    assert!(prompt(builder()).build().is_ok());
    refused(
        prompt(prompt(builder())),
        "two prompts are named `p`; rename one",
    );

    let completed = |builder: Builder| {
        builder.complete_prompt("p", async |_: Context, _: CompletionQuery| Ok(vec!["x"]))
    };
    assert!(completed(prompt(builder())).build().is_ok());
    let message = "a completion for the prompt `p` has nothing to complete; \
                   add the prompt, and one completion for it";
    refused(completed(builder()), message);
    refused(completed(completed(prompt(builder()))), message);
}

#[test]
fn tokens_are_looked_at_when_it_is_built() {
    assert!(
        builder()
            .token("ann", "a-secret-of-some-length")
            .build()
            .is_ok()
    );
    let two = |second: &str| {
        builder()
            .token("ann", "a-secret-of-some-length")
            .token("bob", second)
            .build()
    };
    assert!(two("another-secret-of-length").is_ok());
    for bad in ["", "a b", "sha256:12"] {
        let error = two(bad).err().map(|error| error.to_string());
        assert!(error.unwrap().starts_with("token `bob`: "), "{bad:?}");
    }
}

#[test]
fn addresses_that_cannot_be_served_are_refused() {
    let refusal = |builder: Builder, address: &str| {
        let never = |_: &str| panic!("listens on {address}");
        let served = builder.build().unwrap().serve_http_then(address, never);
        served.unwrap_err().to_string()
    };
    let open = refusal(builder(), "0.0.0.0:0");
    assert!(
        open.starts_with("other machines can reach 0.0.0.0:0"),
        "{open}"
    );
    let unread = refusal(builder(), "here:80:80");
    assert!(
        unread.starts_with("`here:80:80` is not a listen address"),
        "{unread}"
    );
    // With a token it gets as far as the system, which has no such address.
    let bound = refusal(
        builder().token("ann", "a-secret-of-some-length"),
        "192.0.2.1:0",
    );
    assert!(bound.starts_with("cannot listen on 192.0.2.1:0"), "{bound}");
}
