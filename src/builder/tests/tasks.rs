//! Calls that become tasks.

use super::*;

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
