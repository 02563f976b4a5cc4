//! Each way in, once: connect, list, call. If one of these fails, look here first.

use crate::support::{Mcp, Server, StdioServer, Way, json};

#[test]
fn every_way_lists_and_calls() {
    let server = Server::start(&[]);
    let ways = [
        (Way::HttpSse, "2024-11-05"),
        (Way::Plain, "2025-03-26"),
        (Way::Streamable, "2025-03-26"),
        (Way::Streamable, "2025-06-18"),
        (Way::Streamable, "2025-11-25"),
        (Way::Streamable, "2026-07-28"),
    ];
    for (way, revision) in ways {
        check(Mcp::open(way, &server, revision));
    }
    let exit = server.stop();
    assert!(exit.status.success(), "{exit:?}");
}

#[test]
fn stdio_lists_and_calls_in_every_revision() {
    for revision in [
        "2024-11-05",
        "2025-03-26",
        "2025-06-18",
        "2025-11-25",
        "2026-07-28",
    ] {
        check(Mcp::stdio(StdioServer::start(&[]), revision));
    }
}

#[test]
fn the_end_of_stdin_ends_a_stdio_server() {
    let exit = StdioServer::start(&[]).close();
    assert!(exit.status.success(), "{exit:?}");
}

#[track_caller]
fn check(mut mcp: Mcp) {
    let tools = mcp.result("tools/list", json!({}));
    let names = tools["tools"].as_array().unwrap().iter();
    let mut names = names.filter_map(|tool| tool["name"].as_str());
    assert!(names.any(|name| name == "device_memory"), "{tools}");
    let result = mcp.call("device_memory", json!({}));
    assert_ne!(result["isError"], true, "{result}");
    assert_eq!(result["content"][0]["type"], "text", "{result}");
}
