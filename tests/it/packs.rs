//! The packs that are shipped: each one passes the checker, and says of each tool what a client
//! needs to know.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Env, Folder, LEDGER, Mcp, Outcome, Server, Value, Way, json};

/// The names that the server we replace gave its tools. None may go.
const OLD_NAMES: [&str; 38] = [
    "portainer_list_containers",
    "portainer_start_container",
    "portainer_stop_container",
    "portainer_restart_container",
    "portainer_get_container_logs",
    "portainer_list_stacks",
    "portainer_get_stack",
    "portainer_inspect_container",
    "grafana_list_dashboards",
    "grafana_get_dashboard",
    "grafana_create_dashboard",
    "grafana_delete_dashboard",
    "grafana_list_datasources",
    "grafana_create_datasource",
    "grafana_query_datasource",
    "grafana_list_alert_rules",
    "grafana_get_health",
    "prometheus_query",
    "prometheus_query_range",
    "prometheus_list_label_names",
    "prometheus_list_label_values",
    "prometheus_find_series",
    "prometheus_list_targets",
    "prometheus_get_metadata",
    "silverbullet_list_pages",
    "silverbullet_get_page",
    "silverbullet_create_page",
    "silverbullet_update_page",
    "silverbullet_delete_page",
    "silverbullet_search_pages",
    "vikunja_list_projects",
    "vikunja_get_project",
    "vikunja_create_project",
    "vikunja_list_tasks",
    "vikunja_get_task",
    "vikunja_create_task",
    "vikunja_update_task",
    "vikunja_delete_task",
];

/// Ids and texts of the shipped packs.
fn packs() -> Vec<(String, toml::Table)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/packs");
    let mut packs = Vec::new();
    for entry in fs::read_dir(folder).expect("packs are shipped") {
        let path = entry.expect("a folder can be read").path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).expect("a pack is text");
        let table = text.parse().unwrap_or_else(|error| panic!("{id}: {error}"));
        packs.push((id, table));
    }
    packs.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(packs.len() >= 5, "only {} packs found", packs.len());
    packs
}

/// A server to which every shipped pack's service is known, none of them being there.
fn server(packs: &[(String, toml::Table)], more: Env) -> Server {
    let mut env = Vec::new();
    for (id, _) in packs {
        let id = id.to_uppercase();
        // Port 9 refuses.
        env.push((
            format!("APP_SERVICES__{id}__URL"),
            "http://127.0.0.1:9".to_owned(),
        ));
        env.push((
            format!("APP_SERVICES__{id}__TOKEN"),
            "user:password".to_owned(),
        ));
    }
    let mut env: Vec<_> = env
        .iter()
        .map(|(name, value)| (&name[..], &value[..]))
        .collect();
    env.extend(more);
    // It would not start with a pack that the checker refuses.
    Server::start(&env)
}

fn tools(mcp: &mut Mcp) -> Vec<Value> {
    let mut tools = Vec::new();
    let mut params = json!({});
    loop {
        let listed = mcp.result("tools/list", params);
        tools.extend(listed["tools"].as_array().unwrap().clone());
        match listed.get("nextCursor") {
            Some(cursor) => params = json!({"cursor": cursor}),
            None => return tools,
        }
    }
}

#[test]
fn every_pack_is_offered_with_annotations_and_without_doubles() {
    let packs = packs();
    let server = server(&packs, &[]);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let tools = tools(&mut mcp);
    let mut names = BTreeSet::new();
    let mut seen = 0;
    for tool in &tools {
        let name = tool["name"].as_str().unwrap();
        assert!(names.insert(name), "`{name}` stands there twice");
        let of_a_pack = |id: &str| {
            name.strip_prefix(id)
                .is_some_and(|rest| rest.starts_with('_'))
        };
        if !packs.iter().any(|(id, _)| of_a_pack(id)) {
            // Built in.
            continue;
        }
        seen += 1;
        let hints = &tool["annotations"];
        for hint in [
            "readOnlyHint",
            "destructiveHint",
            "idempotentHint",
            "openWorldHint",
        ] {
            assert!(hints[hint].is_boolean(), "`{name}` has no {hint}: {tool}");
        }
        assert!(
            !(hints["readOnlyHint"] == true && hints["destructiveHint"] == true),
            "`{name}` cannot be both: {hints}"
        );
        let description = tool["description"].as_str().unwrap_or_default();
        assert!(
            (15..=500).contains(&description.len()),
            "`{name}` is described in {} characters",
            description.len()
        );
        assert!(tool["title"].is_string(), "`{name}` has no title");
        let schema = &tool["inputSchema"];
        assert_eq!(schema["additionalProperties"], false, "`{name}`: {schema}");
        let properties = schema["properties"].as_object().into_iter().flatten();
        for (argument, about) in properties {
            assert!(
                about["description"].is_string(),
                "`{name}`: `{argument}` has no description"
            );
        }
    }
    assert!(seen > 50, "only {seen} tools of packs found");
    for name in OLD_NAMES {
        assert!(names.contains(name), "`{name}` is gone");
    }
    // Every pack gave something.
    for (id, _) in &packs {
        let begin = format!("{id}_");
        assert!(
            names.iter().any(|name| name.starts_with(&begin)),
            "nothing of `{id}`"
        );
    }
}

#[test]
fn a_read_only_service_offers_what_reads() {
    let packs = packs();
    let names: Vec<_> = (packs.iter())
        .map(|(id, _)| format!("APP_SERVICES__{}__READ_ONLY", id.to_uppercase()))
        .collect();
    let more: Vec<_> = names.iter().map(|name| (&name[..], "true")).collect();
    let server = server(&packs, &more);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let tools = tools(&mut mcp);
    let is_of_a_pack = |tool: &Value| tool["annotations"]["readOnlyHint"].is_boolean();
    assert!(tools.iter().filter(|tool| is_of_a_pack(tool)).count() > 30);
    for tool in tools.iter().filter(|tool| is_of_a_pack(tool)) {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
    }
    // Not only unlisted.
    let arguments = json!({"name": "vikunja_delete_task", "arguments": {"task_id": 1}});
    let error = mcp.error("tools/call", arguments);
    assert_eq!(error["code"], -32602, "{error}");
}

#[test]
fn every_pack_says_where_a_token_comes_from_and_how_to_see_that_it_works() {
    for (id, pack) in packs() {
        let service = &pack["service"];
        assert_eq!(service["id"].as_str(), Some(&id[..]));
        for key in ["title", "description", "setup"] {
            assert!(
                service.get(key).is_some_and(|value| value.is_str()),
                "{id}: no `{key}`"
            );
        }
        let needs_url = service.get("needs_url").and_then(|value| value.as_bool());
        if needs_url != Some(false) {
            assert!(service.get("probe").is_some(), "{id}: no `probe`");
        }
    }
}

#[test]
fn aliases_are_names_of_their_own() {
    let mut names = BTreeSet::new();
    let mut aliases = Vec::new();
    for (id, pack) in packs() {
        for tool in pack["tool"].as_array().unwrap() {
            let name = tool["name"].as_str().unwrap();
            assert!(name.starts_with(&format!("{id}_")), "{id}: `{name}`");
            assert!(names.insert(name.to_owned()), "`{name}` twice");
            let own = tool.get("aliases").and_then(|aliases| aliases.as_array());
            aliases.extend(
                own.into_iter()
                    .flatten()
                    .map(|alias| alias.as_str().unwrap().to_owned()),
            );
        }
    }
    assert!(!aliases.is_empty());
    for alias in aliases {
        assert!(
            names.insert(alias.clone()),
            "alias `{alias}` is a name already"
        );
    }
}

/// The packs whose verbs are known one by one.
const VERBS_OF: [&str; 5] = [
    "grafana",
    "portainer",
    "prometheus",
    "silverbullet",
    "vikunja",
];

#[test]
fn what_reads_is_asked_for_by_verbs_that_read() {
    // Questions that are too long for a URL, or run something that only reads.
    let reading_posts = [
        "grafana_query_datasource",
        "prometheus_query",
        "prometheus_query_range",
        "silverbullet_grep",
    ];
    let mut seen = 0;
    for (id, pack) in packs() {
        if !VERBS_OF.contains(&id.as_str()) {
            continue;
        }
        for tool in pack["tool"].as_array().unwrap() {
            seen += 1;
            let name = tool["name"].as_str().unwrap();
            let method = tool["request"]
                .get("method")
                .and_then(|method| method.as_str());
            let is_get = method.is_none_or(|method| method == "GET");
            let access = tool["access"].as_str().unwrap();
            let is_reading = is_get || reading_posts.contains(&name);
            assert_eq!(
                access == "read",
                is_reading,
                "`{name}` is {access} by {method:?}"
            );
            if method == Some("DELETE") {
                assert_eq!(access, "destructive", "`{name}`");
            }
        }
    }
    assert!(seen > 45, "only {seen} tools found");
}

/// Runs the tests of all packs and counts what their rigs write down: a tool whose failure nobody
/// has seen, or whose arguments nobody has tried, is not tested.
#[test]
fn every_tool_succeeds_fails_and_refuses() {
    let folder = Folder::new();
    let ledger = folder.path().join("ledger");
    let packs = packs();
    let output = Command::new(std::env::current_exe().expect("a test has a file"))
        .args(packs.iter().map(|(id, _)| format!("tools_{id}::")))
        .env(LEDGER, &ledger)
        .output()
        .expect("a test can be run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    let ledger = fs::read_to_string(ledger).expect("the rigs write");
    let seen: BTreeSet<&str> = ledger.lines().collect();
    let mut tools = 0;
    let mut missing = Vec::new();
    for (_, pack) in &packs {
        for tool in pack["tool"].as_array().unwrap() {
            tools += 1;
            for outcome in [
                Outcome::Success,
                Outcome::UpstreamError,
                Outcome::BadArgument,
            ] {
                let line = format!("{} {outcome:?}", tool["name"].as_str().unwrap());
                if !seen.contains(&line[..]) {
                    missing.push(line);
                }
            }
        }
    }
    assert!(tools >= OLD_NAMES.len(), "only {tools} tools found");
    assert!(missing.is_empty(), "never tested: {missing:#?}");
}
