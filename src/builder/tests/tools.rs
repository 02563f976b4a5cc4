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
