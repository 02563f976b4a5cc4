//! The tools of `config/packs/node_red.toml` against a fake Node-RED.

use crate::fakes::node_red::NodeRed;
use crate::support::{Answer, Rig, Upstream, json};

const TOKEN: &str = "admin:pass:word&more";

fn rig_of(token: Option<&str>, node_red: NodeRed) -> Rig<NodeRed> {
    Rig::start("services__node_red", token, Upstream::start(node_red))
}

/// One that has logged in already, so that each call is one request.
fn rig() -> Rig<NodeRed> {
    let mut rig = rig_of(Some(TOKEN), NodeRed::new());
    rig.json("node_red_list_flows", json!({}));
    rig.upstream.taken();
    rig
}

#[test]
fn tools_and_their_hints() {
    let expected = [
        "r find_nodes",
        "r get_context_value",
        "r get_diagnostics",
        "r get_flow",
        "r list_context_keys",
        "r list_flows",
        "r list_modules",
        "w inject",
    ];
    assert_eq!(rig().offers("node_red_"), expected);
}

#[test]
fn one_login_serves_all_calls() {
    let mut rig = rig_of(Some(TOKEN), NodeRed::new());
    rig.json("node_red_list_flows", json!({}));
    rig.json("node_red_get_diagnostics", json!({}));
    let calls = rig.upstream.taken();
    let lines: Vec<_> = calls.iter().map(|call| call.line()).collect();
    assert_eq!(
        lines,
        ["POST /auth/token", "GET /flows", "GET /diagnostics"]
    );
    let form: Vec<_> = calls[0].form();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        form,
        [
            pair("client_id", "node-red-admin"),
            pair("client_secret", "not_available"),
            pair("grant_type", "password"),
            pair("scope", "*"),
            pair("username", "admin"),
            pair("password", "pass:word&more"),
        ]
    );
    assert_eq!(calls[1].header("authorization"), Some("Bearer A4FF0==/x"));

    // Tokens that it has forgotten are asked for once more.
    rig.upstream.state(|it| it.tokens.clear());
    rig.json("node_red_list_flows", json!({}));
    assert_eq!(
        rig.upstream.lines(),
        ["GET /flows", "POST /auth/token", "GET /flows"]
    );
}

#[test]
fn a_wrong_password_is_tried_once_a_call() {
    let mut rig = rig_of(Some("admin:guess"), NodeRed::new());
    let told = rig.failure("node_red_list_flows", json!({}));
    assert!(
        told.contains("403") && told.contains("Invalid resource owner credentials"),
        "{told}"
    );
    assert!(!told.contains("guess"), "{told}");
    // Five attempts in ten minutes shut the door for the user of the editor, too.
    assert_eq!(rig.upstream.lines(), ["POST /auth/token"]);
}

#[test]
fn without_admin_auth_nothing_is_sent() {
    let open = NodeRed {
        login: None,
        ..NodeRed::new()
    };
    let mut rig = rig_of(None, open);
    rig.json("node_red_list_flows", json!({}));
    assert_eq!(rig.upstream.only().header("authorization"), None);
}

#[test]
fn it_may_lie_behind_a_path() {
    // `httpAdminRoot`
    let upstream = Upstream::start_under("/red", NodeRed::new());
    let mut rig = Rig::start("services__node_red", Some(TOKEN), upstream);
    rig.json("node_red_list_flows", json!({}));
    let lines = rig.upstream.lines();
    assert_eq!(lines, ["POST /red/auth/token", "GET /red/flows"]);
}

#[test]
fn flows_and_nodes_are_found() {
    let mut rig = rig();
    let call = rig.expect_list(
        "node_red_list_flows",
        json!({}),
        "GET /flows",
        json!([{"id": "f1", "type": "tab", "label": "Garden", "disabled": false, "info": "Waters the beds"}]),
    );
    assert_eq!(call.header("node-red-api-version"), Some("v2"));
    let water = json!({"id": "n1", "type": "inject", "name": "Water now", "flow": "f1"});
    rig.expect_list(
        "node_red_find_nodes",
        json!({"type": "inject"}),
        "GET /flows",
        json!([water]),
    );
    rig.expect_list(
        "node_red_find_nodes",
        json!({"query": "WATER", "flow_id": "f1"}),
        "GET /flows",
        json!([water]),
    );
    let all = rig.json("node_red_find_nodes", json!({"limit": 1}));
    assert_eq!(
        (&all["shown"], &all["total"]),
        (&json!(1), &json!(3)),
        "{all}"
    );
}

#[test]
fn a_flow_is_shown_without_secrets() {
    let mut rig = rig();
    let flow = rig.json("node_red_get_flow", json!({"flow_id": "f1"}));
    assert_eq!(rig.upstream.only().line(), "GET /flow/f1");
    assert_eq!(flow["nodes"][1]["topic"], "garden/valve");
    assert_eq!(
        flow["env"],
        json!([{"name": "KEY", "value": "***", "type": "str"}])
    );
    assert!(
        !flow.to_string().contains("hunter2") && flow["nodes"][0].get("x").is_none(),
        "{flow}"
    );
    let told = rig.failure("node_red_get_flow", json!({"flow_id": "f9"}));
    assert!(
        told.contains("no flow `f9`; see node_red_list_flows"),
        "{told}"
    );
}

#[test]
fn inject_nodes_are_fired() {
    let mut rig = rig();
    let call = rig.expect_text(
        "node_red_inject",
        json!({"node_id": "n1"}),
        "POST /inject/n1",
        "Fired.",
    );
    assert_eq!((call.body.len(), call.header("content-type")), (0, None));
    let call = rig.expect_text(
        "node_red_inject",
        json!({"node_id": "n1", "payload": "5"}),
        "POST /inject/n1",
        "Fired.",
    );
    let props = json!({"__user_inject_props__": [{"p": "payload", "v": "5", "vt": "str"}]});
    assert_eq!(call.json(), props);
    rig.upstream.state(|it| {
        assert_eq!(
            it.injected,
            [("n1".to_owned(), None), ("n1".to_owned(), Some(props))]
        );
    });
    let told = rig.failure("node_red_inject", json!({"node_id": "n9"}));
    assert!(told.contains("no node `n9` that runs"), "{told}");
}

#[test]
fn context_is_listed_by_name_and_read_one_by_one() {
    let mut rig = rig();
    rig.expect_list(
        "node_red_list_context_keys",
        json!({}),
        "GET /context/global?keysOnly",
        json!([{"store": "memory", "keys": ["litres", "password"]}]),
    );
    rig.expect(
        "node_red_get_context_value",
        json!({"key": "litres", "store": "memory"}),
        "GET /context/global/litres?store=memory",
        json!({"value": "42", "format": "number"}),
    );
}

#[test]
fn modules_and_diagnostics_are_shown() {
    let mut rig = rig();
    let pump = json!({"module": "node-red-contrib-pump", "version": "0.1.0", "types": ["pump"], "enabled": false, "error": "Error: Cannot find module 'gpio'"});
    let call = rig.expect_list(
        "node_red_list_modules",
        json!({"failed_only": true}),
        "GET /nodes",
        json!([pump]),
    );
    assert_eq!(call.header("accept"), Some("application/json"));
    let own = rig.json(
        "node_red_list_modules",
        json!({"query": "node-red", "limit": 2}),
    );
    assert_eq!((&own["shown"], &own["total"]), (&json!(2), &json!(3)));
    rig.upstream.taken();
    rig.expect(
        "node_red_get_diagnostics",
        json!({}),
        "GET /diagnostics",
        json!({"version": "5.0.4", "started": true, "flows": "start", "nodejs": "v22.1.0", "memory": 90_000_000, "load": [0.1, 0.2, 0.3],
            "free_memory": 1_000_000_000, "uptime": 1000.5, "container": "docker", "modules": {"node-red": "5.0.4"}}),
    );
}

#[test]
fn failures_are_told_in_its_words() {
    let mut rig = rig();
    rig.expect_failures(
        &Answer::json(
            400,
            &json!({"code": "unexpected_error", "message": "Error: disk is full"}),
        ),
        "Node-RED answered 400: Error: disk is full",
        &[
            ("node_red_list_flows", json!({}), "GET", "/flows"),
            ("node_red_find_nodes", json!({}), "GET", "/flows"),
            (
                "node_red_get_flow",
                json!({"flow_id": "f1"}),
                "GET",
                "/flow/f1",
            ),
            (
                "node_red_inject",
                json!({"node_id": "n1"}),
                "POST",
                "/inject/n1",
            ),
            (
                "node_red_list_context_keys",
                json!({}),
                "GET",
                "/context/global",
            ),
            (
                "node_red_get_context_value",
                json!({"key": "k"}),
                "GET",
                "/context/global/k",
            ),
            ("node_red_list_modules", json!({}), "GET", "/nodes"),
            ("node_red_get_diagnostics", json!({}), "GET", "/diagnostics"),
        ],
    );
    // The wrong root: Express answers with a page, which nobody wants to read.
    rig.upstream.next(
        "GET",
        "/flows",
        Answer::new(
            404,
            "text/html",
            "<!DOCTYPE html>\n<pre>Cannot GET /flows</pre>\n",
        ),
    );
    let told = rig.failure("node_red_list_flows", json!({}));
    assert!(
        told.contains("Node-RED answered 404") && !told.contains("<pre>"),
        "{told}"
    );
}

#[test]
fn bad_arguments_are_refused_before_anything_is_sent() {
    rig().expect_refusals(&[
        ("node_red_list_flows", json!({"x": 1}), "`x`"),
        ("node_red_find_nodes", json!({"limit": 0}), "`limit`"),
        (
            "node_red_get_flow",
            json!({"flow_id": "../settings"}),
            "`flow_id`",
        ),
        ("node_red_inject", json!({}), "`node_id`"),
        ("node_red_list_context_keys", json!({"x": 1}), "`x`"),
        ("node_red_get_context_value", json!({"key": ""}), "`key`"),
        ("node_red_get_context_value", json!({"key": ".."}), "key"),
        (
            "node_red_list_modules",
            json!({"failed_only": "some"}),
            "`failed_only`",
        ),
        ("node_red_get_diagnostics", json!({"x": 1}), "`x`"),
    ]);
}
