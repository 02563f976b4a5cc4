//! Attacks by way of commands that are tools: what arguments could become, and children that do not behave.

use std::path::Path;
use std::time::Duration;

use crate::limits::hits;
use crate::support::{
    Folder, Footprint, Mcp, Program, Server, Value, Way, children, json, poll_until, status_kb,
};

/// Commands that show what they were given, or misbehave. `MARK` is where a shell would leave its trace.
const PACK: &str = r#"
[service]
id = "shed"
title = "Shed"
description = "Commands."
needs_url = false

[[tool]]
name = "shed_show"
title = "Show"
description = "Shows its arguments, one a line."
access = "read"
kind = "command"
[tool.args]
a = { required = true, description = "Anything." }
[tool.command]
program = "/usr/bin/printf"
args = ["--", "<%s>", "{a}"]

[[tool]]
name = "shed_list"
title = "List"
description = "Lists what an argument names."
access = "read"
kind = "command"
[tool.args]
a = { required = true, description = "A file." }
[tool.command]
program = "/bin/ls"
args = ["{a}"]

[[tool]]
name = "shed_environment"
title = "Environment"
description = "Shows what it inherits."
access = "read"
kind = "command"
[tool.command]
program = "/bin/sh"
args = ["-c", "env; ls /proc/$$/fd; tr '\\0' ' ' < /proc/$$/cmdline; grep core /proc/$$/limits"]

[[tool]]
name = "shed_misbehave"
title = "Misbehave"
description = "Does it."
access = "read"
kind = "command"
[tool.args]
how = { required = true, enum = ["crash", "hang", "flood", "errors", "fork", "escape", "eat"], description = "How." }
[tool.command]
program = "/bin/sh"
args = ["-c", 'case "$1" in crash) kill -SEGV $$;; hang) sleep 1000;; flood) while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done;; errors) while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy >&2; done;; fork) (sleep 1000 & sleep 1000 & sleep 1000 &) ; sleep 1000;; escape) setsid sh -c "sleep 1000 & sleep 1000" & ;; eat) exec tail /dev/zero;; esac', "sh", "{how}"]
patterns = { how = "[a-z]+" }
timeout = "300ms"
max_output = 4096
memory = 67108864

[[tool]]
name = "shed_wait"
title = "Wait"
description = "Waits for ever."
access = "read"
kind = "command"
[tool.command]
program = "/bin/sleep"
args = ["1000"]
timeout = "1h"

[[tool]]
name = "shed_report"
title = "Report"
description = "Reports progress all the time."
access = "read"
kind = "command"
[tool.command]
program = "/bin/sh"
args = ["-c", "i=0; while [ $i -lt 200000 ]; do echo line $i; i=$((i+1)); done"]
progress = true
timeout = "1m"
"#;

fn start(env: &[(&str, &str)]) -> Server {
    let folder = Folder::new();
    folder.write("config/base.toml", "");
    folder.write("config/packs/shed.toml", PACK);
    Server::start_in(folder, Program::Siskin, env)
}

#[test]
fn arguments_stay_arguments() {
    let server = start(&[]);
    let before = Footprint::of(&server);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let mark = server.process.folder().join("mark");
    let touch = format!("touch {}", mark.display());
    for text in [
        format!("; {touch}"),
        format!("$({touch})"),
        format!("`{touch}`"),
        format!("| {touch}"),
        format!("&& {touch}"),
        format!("\n{touch}\n"),
        format!("'; {touch}; '"),
        "-n".to_owned(),
        "--help".to_owned(),
        "{a}".to_owned(),
        "%s%n".to_owned(),
        "*".to_owned(),
        "~".to_owned(),
        "ü \u{202e}".to_owned(),
    ] {
        assert_eq!(
            mcp.call_text("shed_show", json!({"a": text})),
            format!("<{text}>")
        );
    }
    assert!(!mark.exists(), "a shell has read an argument");
    for text in ["-la", "--color=always", "-"] {
        let result = mcp.call("shed_list", json!({"a": text}));
        assert_eq!(result["isError"], true, "{text}: {result}");
        assert!(result.to_string().contains("begin"), "{text}: {result}");
    }
    let result = mcp.call("shed_list", json!({"a": "a\0b"}));
    assert_eq!(result["isError"], true, "{result}");
    assert_eq!(server.ask(&mcp.delete()).status, 204);
    before.check_is_back(&server);
}

#[test]
fn a_child_inherits_nothing() {
    let server = start(&[("APP_SERVER__NAME", "n4me"), ("SECRET", "s3cret-canary")]);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let shown = mcp.call_text("shed_environment", json!({}));
    assert!(shown.contains("PATH="), "{shown}");
    for word in ["s3cret-canary", "APP_", "n4me", "LISTEN_", "NOTIFY_"] {
        assert!(!shown.contains(word), "{word}: {shown}");
    }
    // Its three standard ones, and the one `ls` reads the list by; nor does a crash leave an image.
    let open: Vec<&str> = shown
        .lines()
        .filter(|line| line.parse::<u32>().is_ok())
        .collect();
    assert!(
        open.len() <= 4 && open.starts_with(&["0", "1", "2"]),
        "{shown}"
    );
    let core = shown
        .lines()
        .find(|line| line.contains("core file"))
        .unwrap();
    assert_eq!(
        core.split_whitespace().filter(|word| *word == "0").count(),
        2,
        "{core}"
    );
}

#[test]
fn a_hundred_unruly_children_leave_nothing() {
    let server = start(&[("APP_LIMITS__CHILDREN", "8")]);
    let before = Footprint::of(&server);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let size = status_kb(&server, "VmHWM");
    let hows = ["crash", "hang", "flood", "errors", "fork", "escape", "eat"];
    for round in 0..15 {
        let open: Vec<_> = hows
            .iter()
            .map(|how| {
                let call = mcp.build(
                    "tools/call",
                    json!({"name": "shed_misbehave", "arguments": {"how": how}}),
                );
                (how, mcp.send(&call).unwrap())
            })
            .collect();
        for (how, incoming) in open {
            let answer = incoming.all().pop().unwrap();
            let text = answer.to_string();
            assert!(text.len() < 20_000, "{round} {how}: {} bytes", text.len());
            if *how != "escape" {
                assert_eq!(answer["result"]["isError"], true, "{round} {how}: {text}");
            }
        }
    }
    let grown = status_kb(&server, "VmHWM") - size;
    assert!(grown < 16 * 1024, "{grown} kB more");
    assert_eq!(server.ask(&mcp.delete()).status, 204);
    before.check_is_back(&server);
}

/// Clients that leave take with them what they have started.
#[test]
fn a_client_that_leaves_takes_its_child_with_it() {
    let server = start(&[]);
    let before = Footprint::of(&server);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let call = mcp.build("tools/call", json!({"name": "shed_wait", "arguments": {}}));
    let open: Vec<_> = (0..4).map(|_| mcp.send(&call).unwrap()).collect();
    let pid = server.process.pid();
    poll_until("the children", || (children(pid).len() >= 4).then_some(()));
    drop(open);
    before.check_is_back(&server);
}

#[test]
fn a_cancelled_call_takes_its_child_with_it_and_so_does_the_end_of_the_server() {
    let server = start(&[("APP_TIMEOUT__SHUTDOWN_GRACE", "100ms")]);
    let before = Footprint::of(&server);
    let pid = server.process.pid();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let call = mcp.build("tools/call", json!({"name": "shed_wait", "arguments": {}}));
    let open = mcp.send(&call).unwrap();
    poll_until("the child", || (!children(pid).is_empty()).then_some(()));
    mcp.notify("notifications/cancelled", json!({"requestId": call["id"]}));
    poll_until("no child", || children(pid).is_empty().then_some(()));
    assert_eq!(open.all(), Vec::<Value>::new());
    assert_eq!(server.ask(&mcp.delete()).status, 204);
    before.check_is_back(&server);

    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let call = mcp.build("tools/call", json!({"name": "shed_wait", "arguments": {}}));
    let _open = mcp.send(&call).unwrap();
    let child = poll_until("the child", || children(pid).pop());
    assert!(server.stop().status.success());
    let stat = format!("/proc/{child}");
    poll_until("no orphan", || (!Path::new(&stat).exists()).then_some(()));
}

#[test]
fn children_beyond_the_limit_wait_or_are_refused() {
    let server = start(&[("APP_LIMITS__CHILDREN", "2")]);
    let before = Footprint::of(&server);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let wait = mcp.build("tools/call", json!({"name": "shed_wait", "arguments": {}}));
    let open: Vec<_> = (0..2).map(|_| mcp.send(&wait).unwrap()).collect();
    let pid = server.process.pid();
    poll_until("the children", || (children(pid).len() == 2).then_some(()));
    let result = mcp.call("shed_show", json!({"a": "x"}));
    assert_eq!(result["isError"], true, "{result}");
    assert!(result.to_string().contains("limits.children"), "{result}");
    assert_eq!(hits(&server, "children"), 1.0);
    drop(open);
    before.check_is_back(&server);
    assert_eq!(mcp.call_text("shed_show", json!({"a": "x"})), "<x>");
}

/// A tool that reports all the time: what is not read is not kept.
#[test]
fn a_flood_of_progress_is_bounded() {
    let server = start(&[
        ("APP_TIMEOUT__OPERATION", "2m"),
        ("APP_TIMEOUT__WRITE_STALL", "30s"),
    ]);
    let before = Footprint::of(&server);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let size = status_kb(&server, "VmHWM");
    let call = mcp.build(
        "tools/call",
        json!({"name": "shed_report", "arguments": {}, "_meta": {"progressToken": "p"}}),
    );
    let incoming = mcp.send(&call).unwrap();
    // Nobody reads for a while; the server goes on answering others.
    for _ in 0..50 {
        assert_eq!(server.get("/health").status, 200);
        std::thread::sleep(Duration::from_millis(2));
    }
    let all = incoming.all();
    let reports = all
        .iter()
        .filter(|it| it["method"] == "notifications/progress")
        .count();
    assert!(reports < 200_000, "every line became a message");
    assert!(
        all.last().unwrap()["result"].is_object(),
        "{:?}",
        all.last()
    );
    let grown = status_kb(&server, "VmHWM") - size;
    assert!(grown < 8 * 1024, "{grown} kB more");
    assert_eq!(server.ask(&mcp.delete()).status, 204);
    before.check_is_back(&server);
}
