//! Utilities that the transcripts only touch: pagination, completion, log levels, arguments
//! mirrored in headers.

use crate::support::{Mcp, Response, Server, StdioServer, Value, Way, json};

const REVISIONS: [(Way, &str); 6] = [
    (Way::HttpSse, "2024-11-05"),
    (Way::Streamable, "2025-03-26"),
    (Way::Streamable, "2025-06-18"),
    (Way::Streamable, "2025-11-25"),
    (Way::Streamable, "2026-07-28"),
    (Way::Plain, "2025-11-25"),
];

// --- pagination -------------------------------------------------------------------------------

const LISTS: [(&str, &str, &str, usize); 4] = [
    ("tools/list", "tools", "name", 7),
    ("resources/list", "resources", "uri", 3),
    (
        "resources/templates/list",
        "resourceTemplates",
        "uriTemplate",
        3,
    ),
    ("prompts/list", "prompts", "name", 3),
];

/// All pages of a list; the probe has two entries on each.
#[track_caller]
fn pages(mcp: &mut Mcp, method: &str, member: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut params = json!({});
    loop {
        let result = mcp.result(method, params);
        pages.push(result[member].as_array().unwrap().clone());
        match result.get("nextCursor") {
            Some(cursor) => params = json!({"cursor": cursor}),
            None => return pages,
        }
        assert!(pages.len() < 10, "{method} does not end");
    }
}

#[test]
fn lists_come_in_pages_that_add_up() {
    let server = Server::probe();
    for (way, revision) in REVISIONS {
        let mut mcp = Mcp::open(way, &server, revision);
        for (method, member, key, count) in LISTS {
            let pages = pages(&mut mcp, method, member);
            assert!(
                pages[..pages.len() - 1].iter().all(|page| page.len() == 2),
                "{method}"
            );
            let mut keys: Vec<&Value> = pages.iter().flatten().map(|entry| &entry[key]).collect();
            assert_eq!(keys.len(), count, "{method}: {keys:?}");
            keys.sort_by_key(|key| key.to_string());
            keys.dedup();
            assert_eq!(keys.len(), count, "{method}: {keys:?}");
        }
    }
}

#[test]
fn a_cursor_is_good_for_its_own_list_only_and_cannot_be_made_up() {
    let server = Server::probe();
    for (way, revision) in REVISIONS {
        let mut mcp = Mcp::open(way, &server, revision);
        let cursor = mcp.result("tools/list", json!({}))["nextCursor"].clone();
        let text = cursor.as_str().unwrap().to_owned();
        // The same page again, as often as one likes.
        let page = mcp.result("tools/list", json!({"cursor": cursor}));
        assert_eq!(mcp.result("tools/list", json!({"cursor": cursor})), page);
        let mut changed = text.clone().into_bytes();
        let middle = changed.len() / 2;
        changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
        for (method, cursor) in [
            ("resources/list", json!(text)),
            ("prompts/list", json!(text)),
            ("tools/list", json!(String::from_utf8(changed).unwrap())),
            ("tools/list", json!(format!("{text}A"))),
            ("tools/list", json!("")),
            ("tools/list", json!("2")),
            ("tools/list", json!(2)),
        ] {
            let error = mcp.error(method, json!({"cursor": cursor}));
            assert_eq!(
                error["code"], -32602,
                "{revision} {method} {cursor}: {error}"
            );
        }
    }
}

// --- completion -------------------------------------------------------------------------------

#[test]
fn at_most_a_hundred_values_are_suggested_and_the_rest_is_counted() {
    let server = Server::probe();
    for (way, revision) in REVISIONS {
        let mut mcp = Mcp::open(way, &server, revision);
        let params = json!({
            "ref": {"type": "ref/prompt", "name": "one"},
            "argument": {"name": "word", "value": "w"},
        });
        let completion = mcp.result("completion/complete", params)["completion"].clone();
        assert_eq!(
            completion["values"].as_array().unwrap().len(),
            100,
            "{revision}"
        );
        assert_eq!(completion["values"][0], "w0");
        assert_eq!(completion["total"], 101, "{revision}: {completion}");
        assert_eq!(completion["hasMore"], true, "{revision}: {completion}");
    }
}

#[test]
fn arguments_settled_before_are_given_to_the_completion() {
    let server = Server::probe();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let mut params = json!({
        "ref": {"type": "ref/resource", "uri": "probe://one/{word}"},
        "argument": {"name": "word", "value": "after "},
        "context": {"arguments": {"before": "it"}},
    });
    let result = mcp.result("completion/complete", params.clone());
    assert_eq!(result["completion"]["values"], json!(["after it"]));
    params["ref"]["uri"] = json!("probe://no/{such}");
    assert_eq!(mcp.error("completion/complete", params)["code"], -32002);
}

// --- log levels -------------------------------------------------------------------------------

const LEVELS: [&str; 8] = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
];

/// The levels heard during one call of `log`.
#[track_caller]
fn levels_heard(mcp: &mut Mcp, params: Value) -> Vec<String> {
    assert_eq!(
        mcp.result("tools/call", params)["content"][0]["text"],
        "logged"
    );
    let heard = mcp.heard.drain(..);
    heard
        .map(|message| {
            assert_eq!(message["method"], "notifications/message");
            assert_eq!(message["params"]["data"], message["params"]["level"]);
            message["params"]["level"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn a_session_hears_its_level_and_what_is_more_severe() {
    let server = Server::probe();
    let mut clients = vec![
        Mcp::open(Way::HttpSse, &server, "2024-11-05"),
        Mcp::stdio(StdioServer::probe(), "2024-11-05"),
        Mcp::stdio(StdioServer::probe(), "2025-11-25"),
    ];
    for revision in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        clients.push(Mcp::open(Way::Streamable, &server, revision));
    }
    let call = || json!({"name": "log"});
    for mut mcp in clients {
        // Each session has a level of its own; nobody set one in this.
        assert_eq!(
            levels_heard(&mut mcp, call()),
            LEVELS[1..],
            "{}",
            mcp.revision
        );
        for (index, level) in LEVELS.iter().enumerate() {
            assert_eq!(
                mcp.result("logging/setLevel", json!({"level": level})),
                json!({})
            );
            assert_eq!(
                levels_heard(&mut mcp, call()),
                LEVELS[index..],
                "{}",
                mcp.revision
            );
        }
        for level in [json!("Debug"), json!(""), json!(3), Value::Null] {
            let error = mcp.error("logging/setLevel", json!({"level": level}));
            assert_eq!(error["code"], -32602, "{level}: {error}");
        }
        // The level stays what it was.
        assert_eq!(levels_heard(&mut mcp, call()), LEVELS[7..]);
    }
}

#[test]
fn a_stateless_request_hears_what_it_asks_for_and_leaves_nothing_behind() {
    let server = Server::probe();
    for mut mcp in [
        Mcp::open(Way::Streamable, &server, "2026-07-28"),
        Mcp::stdio_unopened(StdioServer::probe(), "2026-07-28"),
    ] {
        assert_eq!(levels_heard(&mut mcp, json!({"name": "log"})), [""; 0]);
        for (index, level) in LEVELS.iter().enumerate() {
            let meta = json!({"io.modelcontextprotocol/logLevel": level});
            let heard = levels_heard(&mut mcp, json!({"name": "log", "_meta": meta}));
            assert_eq!(heard, LEVELS[index..]);
            assert_eq!(levels_heard(&mut mcp, json!({"name": "log"})), [""; 0]);
        }
        let meta = json!({"io.modelcontextprotocol/logLevel": "loud"});
        let error = mcp.error("tools/call", json!({"name": "log", "_meta": meta}));
        assert_eq!(error["code"], -32602);
    }
}

// --- arguments mirrored in headers ------------------------------------------------------------

#[track_caller]
fn mirror(server: &Server, arguments: &Value, headers: &[(&str, &str)]) -> Response {
    let mut mcp = Mcp::open(Way::Streamable, server, "2026-07-28");
    let message = mcp.build(
        "tools/call",
        json!({"name": "mirror", "arguments": arguments}),
    );
    let mut request = mcp.post(&message);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    server.ask(&request)
}

#[test]
fn mirrored_arguments_must_say_the_same_as_their_headers() {
    let server = Server::probe();
    let all = json!({"text": "Hello", "flag": true, "deep": {"number": 42}});
    let accepted: [(Value, &[(&str, &str)]); 8] = [
        (json!({}), &[]),
        (json!({"text": null}), &[]),
        (json!({"text": "Hello"}), &[("Mcp-Param-Text", "Hello")]),
        (
            json!({"text": "Hello"}),
            &[("mcp-param-text", "=?base64?SGVsbG8=?=")],
        ),
        (
            json!({"text": "Grüße"}),
            &[("Mcp-Param-Text", "=?base64?R3LDvMOfZQ==?=")],
        ),
        (
            json!({"text": "=?base64?SGVsbG8="}),
            &[("Mcp-Param-Text", "=?base64?SGVsbG8=")],
        ),
        (
            json!({"deep": {"number": 42}}),
            &[("Mcp-Param-Number", "42.0")],
        ),
        (
            all.clone(),
            &[
                ("Mcp-Param-Text", "Hello"),
                ("Mcp-Param-Flag", "true"),
                ("Mcp-Param-Number", "42"),
            ],
        ),
    ];
    for (arguments, headers) in accepted {
        let response = mirror(&server, &arguments, headers);
        assert_eq!(
            response.status,
            200,
            "{arguments} {headers:?}: {}",
            response.text()
        );
        let text = response.json()["result"]["content"][0]["text"].clone();
        assert_eq!(crate::support::parse(text.as_str().unwrap()), arguments);
    }
    let refused: [(Value, &[(&str, &str)]); 11] = [
        (json!({"text": "Hello"}), &[]),
        (json!({"text": "Hello"}), &[("Mcp-Param-Text", "hello")]),
        (
            json!({"text": "Hello"}),
            &[("Mcp-Param-Text", "=?base64?SGVsbG8?=")],
        ),
        (
            json!({"text": "Hello"}),
            &[("Mcp-Param-Text", "=?base64?SGVs*G8=?=")],
        ),
        (
            json!({"text": "Hello"}),
            &[("Mcp-Param-Text", "=?BASE64?SGVsbG8=?=")],
        ),
        (
            json!({"text": "Hello"}),
            &[("Mcp-Param-Text", "Hello"), ("Mcp-Param-Text", "Hello")],
        ),
        (json!({}), &[("Mcp-Param-Text", "Hello")]),
        (json!({"flag": true}), &[("Mcp-Param-Flag", "True")]),
        (json!({"flag": true}), &[("Mcp-Param-Flag", "1")]),
        (
            json!({"deep": {"number": 42}}),
            &[("Mcp-Param-Number", "43")],
        ),
        (
            all,
            &[("Mcp-Param-Text", "Hello"), ("Mcp-Param-Flag", "true")],
        ),
    ];
    for (arguments, headers) in refused {
        let response = mirror(&server, &arguments, headers);
        assert_eq!(
            response.status,
            400,
            "{arguments} {headers:?}: {}",
            response.text()
        );
        assert_eq!(
            response.json()["error"]["code"],
            -32020,
            "{arguments} {headers:?}"
        );
    }
}

#[test]
fn only_stateless_http_has_mirrored_headers() {
    let server = Server::probe();
    let arguments = json!({"text": "Hello"});
    for (way, revision) in REVISIONS {
        if revision < "2026-07-28" {
            let mut mcp = Mcp::open(way, &server, revision);
            mcp.call("mirror", arguments.clone());
        }
    }
    for revision in ["2025-11-25", "2026-07-28"] {
        let mut mcp = Mcp::stdio(StdioServer::probe(), revision);
        mcp.call("mirror", arguments.clone());
    }
}

#[test]
fn routing_headers_must_say_the_same_as_the_body() {
    let server = Server::everything();
    let mut mcp = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let params = json!({"name": "greet", "arguments": {"name": "x"}});
    let message = mcp.build("tools/call", params);
    let request = mcp.post(&message);
    assert_eq!(server.ask(&request).status, 200);
    let padded = request.clone().with("mcp-NAME", "  greet\t");
    assert_eq!(server.ask(&padded).status, 200);
    let encoded = request.clone().with("Mcp-Name", "=?base64?Z3JlZXQ=?=");
    assert_eq!(server.ask(&encoded).status, 200);
    for (name, value) in [
        ("Mcp-Method", "tools/list"),
        ("Mcp-Method", "Tools/Call"),
        ("Mcp-Name", "Greet"),
        ("Mcp-Name", "test_simple_text"),
        ("MCP-Protocol-Version", "2025-11-25"),
        ("Mcp-Method", ""),
    ] {
        let repeated = request.clone().header(name, value);
        for changed in [
            request.clone().with(name, value),
            request.clone().without(name),
            repeated,
        ] {
            let response = server.ask(&changed);
            assert_eq!(response.status, 400, "{name}: {value}: {}", response.text());
            let versions = changed.headers.iter();
            let versions = versions.filter(|(name, _)| name == "MCP-Protocol-Version");
            if versions.count() > 1 {
                // Which revision speaks is not known, so the body is not even read.
                assert_eq!(response.json()["error"]["code"], -32600);
                continue;
            }
            assert_eq!(response.json()["error"]["code"], -32020, "{name}: {value}");
            assert_eq!(response.json()["id"], message["id"]);
        }
    }
}

#[test]
fn a_tool_whose_mirrored_headers_break_the_rules_is_refused_at_load() {
    #[track_caller]
    fn check(properties: &str, is_sound: bool) {
        let schema = format!(r#"{{"type":"object","properties":{properties}}}"#);
        let tool = siskin::Tool::new("t")
            .description("d")
            .input_schema_json(&schema);
        let built = siskin::Builder::new("s", "1")
            .tool_now(tool, |_: &siskin::Context, _: Value| Ok("x"))
            .build();
        match built {
            Ok(_) => assert!(is_sound, "{properties} was taken"),
            Err(error) => {
                assert!(!is_sound, "{properties}: {error}");
                assert!(error.to_string().contains("x-mcp-header"), "{error}");
            }
        }
    }
    check(r#"{"a":{"type":"string","x-mcp-header":"A"}}"#, true);
    check(r#"{"a":{"type":"integer","x-mcp-header":"A"}}"#, true);
    check(r#"{"a":{"type":"boolean","x-mcp-header":"A"}}"#, true);
    check(r#"{"a":{"type":"number","x-mcp-header":"A"}}"#, false);
    check(r#"{"a":{"type":"array","x-mcp-header":"A"}}"#, false);
    check(r#"{"a":{"x-mcp-header":"A"}}"#, false);
    check(r#"{"a":{"type":"string","x-mcp-header":""}}"#, false);
    check(r#"{"a":{"type":"string","x-mcp-header":"A B"}}"#, false);
    check(r#"{"a":{"type":"string","x-mcp-header":"A:"}}"#, false);
    check(r#"{"a":{"type":"string","x-mcp-header":7}}"#, false);
    let two = |first: &str, second: &str| {
        format!(
            r#"{{"a":{{"type":"string","x-mcp-header":"{first}"}},
                "b":{{"type":"string","x-mcp-header":"{second}"}}}}"#
        )
    };
    check(&two("A", "B"), true);
    check(&two("Same", "sAME"), false);
    let inner = r#"{"type":"string","x-mcp-header":"A"}"#;
    check(
        &format!(r#"{{"o":{{"type":"object","properties":{{"a":{inner}}}}}}}"#),
        true,
    );
    check(
        &format!(r#"{{"o":{{"type":"array","items":{inner}}}}}"#),
        false,
    );
    check(&format!(r#"{{"o":{{"oneOf":[{inner}]}}}}"#), false);
}

#[test]
fn a_page_is_as_long_as_configured() {
    let whole = tools_of_first_page(&Server::start(&[]));
    assert!(whole.1.is_none(), "all of it fits the default page");
    let count = whole.0;
    for (page, expected, is_all) in [
        (count - 1, count - 1, false),
        (count, count, true),
        (count + 1, count, true),
    ] {
        let server = Server::start(&[("APP_LIMITS__PAGE", &page.to_string())]);
        let (len, cursor) = tools_of_first_page(&server);
        assert_eq!((len, cursor.is_none()), (expected, is_all), "page {page}");
    }
}

/// How many tools the first page has, and the cursor of the next.
#[track_caller]
fn tools_of_first_page(server: &Server) -> (usize, Option<Value>) {
    let mut mcp = Mcp::connect(Way::Streamable, server.addr, "2026-07-28");
    let result = mcp.result("tools/list", json!({}));
    let len = result["tools"].as_array().unwrap().len();
    (len, result.get("nextCursor").cloned())
}
