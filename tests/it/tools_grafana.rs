//! The tools of `config/packs/grafana.toml` against a fake Grafana.

use crate::fakes::grafana::{Grafana, TOKEN};
use crate::support::{Answer, Rig, Upstream, Value, json};

fn rig() -> Rig<Grafana> {
    Rig::start("grafana", Some(TOKEN), Upstream::start(Grafana::new()))
}

/// One call that succeeds: the request that arrives, with its credentials, and the result.
#[track_caller]
fn check(rig: &mut Rig<Grafana>, tool: &str, arguments: Value, line: &str, expected: Value) {
    let found = rig.json(tool, arguments);
    let call = rig.upstream.only();
    assert_eq!(call.line(), line, "{tool}");
    let expected_token = format!("Bearer {TOKEN}");
    assert_eq!(
        call.header("authorization"),
        Some(expected_token.as_str()),
        "{tool}"
    );
    assert_eq!(found, expected, "{tool}");
}

#[test]
fn dashboards_and_folders_are_found() {
    let mut rig = rig();
    let nodes = json!({"uid": "nodes", "title": "Node overview", "folder": "Infrastructure", "folder_uid": "infra",
        "tags": ["linux", "prod"], "url": "/d/nodes/nodes"});
    let layout = json!({"uid": "layout", "title": "New layout", "url": "/d/layout/layout"});
    check(
        &mut rig,
        "grafana_list_dashboards",
        json!({}),
        "GET /api/search?type=dash-db&limit=100",
        json!({"items": [layout, nodes], "shown": 2, "total": 2}),
    );
    // The other name, and everything that narrows.
    check(
        &mut rig,
        "grafana_search_dashboards",
        json!({"query": "node over", "tag": ["prod", "linux"], "folder_uid": "infra", "limit": 5, "page": 1}),
        "GET /api/search?type=dash-db&query=node%20over&tag=prod&tag=linux&folderUIDs=infra&limit=5&page=1",
        json!({"items": [nodes], "shown": 1, "total": 1}),
    );
    check(
        &mut rig,
        "grafana_list_dashboards",
        json!({"tag": ["prod", "windows"]}),
        "GET /api/search?type=dash-db&tag=prod&tag=windows&limit=100",
        json!({"items": [], "shown": 0, "total": 0}),
    );
    check(
        &mut rig,
        "grafana_list_folders",
        json!({"parent_uid": "infra"}),
        "GET /api/folders?parentUid=infra&limit=100",
        json!({"items": [{"uid": "infra", "title": "Infrastructure"}, {"uid": "home", "title": "Home"}],
            "shown": 2, "total": 2}),
    );
}

#[test]
fn a_dashboard_is_shown_short_or_whole() {
    let mut rig = rig();
    check(
        &mut rig,
        "grafana_get_dashboard",
        json!({"uid": "nodes"}),
        "GET /api/dashboards/uid/nodes?apiVersion=v1beta1",
        json!({
            "title": "Node overview", "uid": "nodes", "tags": ["linux", "prod"], "folder_uid": "infra",
            "variables": [{"name": "instance", "type": "query", "query": "label_values(up, instance)", "current": "a:9100"}],
            "panels": [
                {"id": 1, "type": "timeseries", "title": "CPU", "datasource": "prom1",
                 "queries": [{"query": "rate(node_cpu_seconds_total[5m])"}]},
                {"id": 2, "type": "row", "title": "Disks"},
            ],
        }),
    );
    let whole = rig.json(
        "grafana_get_dashboard",
        json!({"uid": "nodes", "full": true}),
    );
    assert_eq!(whole["panels"][0]["gridPos"]["w"], 12);
}

#[test]
fn a_dashboard_of_the_second_schema_is_found_either_way() {
    // 13 converts when asked.
    let mut rig = rig();
    let shown = rig.json("grafana_get_dashboard", json!({"uid": "layout"}));
    assert_eq!(
        (&shown["title"], &shown["uid"]),
        (&json!("New layout"), &json!("layout"))
    );
    rig.upstream.only();
    // 12 does not know the question, refuses, and names the other path.
    rig.upstream.state(|grafana| grafana.major = 12);
    let shown = rig.json("grafana_get_dashboard", json!({"uid": "layout"}));
    assert_eq!(shown["title"], "New layout");
    assert_eq!(shown["uid"], "layout");
    assert_eq!(
        rig.upstream.lines(),
        [
            "GET /api/dashboards/uid/layout?apiVersion=v1beta1",
            "GET /apis/dashboard.grafana.app/v1beta1/namespaces/default/dashboards/layout",
        ]
    );
    // What is nowhere is refused once.
    let text = rig.failure("grafana_get_dashboard", json!({"uid": "gone"}));
    assert!(
        text.contains("404") && text.contains("Dashboard not found"),
        "{text}"
    );
    rig.upstream.only();
    // An update would write the classic form over it.
    let text = rig.failure(
        "grafana_update_dashboard",
        json!({"uid": "layout", "title": "x"}),
    );
    assert!(text.contains("second schema"), "{text}");
    assert_eq!(rig.upstream.lines(), ["GET /api/dashboards/uid/layout"]);
}

#[test]
fn a_dashboard_is_created_changed_and_deleted() {
    let mut rig = rig();
    let made = rig.json("grafana_create_dashboard", json!({"title": "Empty"}));
    let call = rig.upstream.only();
    assert_eq!(call.line(), "POST /api/dashboards/db");
    assert_eq!(
        call.json(),
        json!({"dashboard": {"tags": ["mcp"], "title": "Empty", "id": null}, "overwrite": false,
            "message": "Created via MCP"})
    );
    assert_eq!(call.header("content-type"), Some("application/json"));
    let uid = made["uid"].as_str().unwrap().to_owned();
    assert_eq!(
        made,
        json!({"uid": uid, "url": format!("/d/{uid}/empty"), "status": "success", "version": 1})
    );

    // A pasted id would be taken for an update of that dashboard.
    let pasted = json!({"id": 11, "uid": "copy", "title": "Old title", "panels": [{"id": 1}]});
    let made = rig.json(
        "grafana_create_dashboard",
        json!({"title": "Copy", "dashboard": pasted, "folder_uid": "infra", "message": "copied"}),
    );
    assert_eq!(
        rig.upstream.only().json(),
        json!({"dashboard": {"id": null, "uid": "copy", "title": "Copy", "panels": [{"id": 1}]},
            "folderUid": "infra", "overwrite": false, "message": "copied"})
    );
    assert_eq!(
        (&made["uid"], &made["folder_uid"]),
        (&json!("copy"), &json!("infra"))
    );

    // The same uid again only by overwriting.
    let again = json!({"title": "Copy 2", "dashboard": {"uid": "copy"}});
    let text = rig.failure("grafana_create_dashboard", again);
    assert!(text.contains("grafana_update_dashboard"), "{text}");
    let again = json!({"title": "Copy 2", "dashboard": {"uid": "copy"}, "overwrite": true, "folder_uid": "infra"});
    assert_eq!(rig.json("grafana_create_dashboard", again)["version"], 2);
    rig.upstream.taken();

    // A change keeps what was not named, and the folder.
    let changed = rig.json(
        "grafana_update_dashboard",
        json!({"uid": "nodes", "title": "Nodes", "dashboard": {"tags": ["linux"], "uid": "other", "id": 5}}),
    );
    assert_eq!(changed["version"], 2);
    let calls = rig.upstream.taken();
    assert_eq!(calls[0].line(), "GET /api/dashboards/uid/nodes");
    let sent = calls[1].json();
    assert_eq!(sent["dashboard"]["uid"], "nodes");
    assert_eq!(sent["dashboard"]["panels"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&sent["overwrite"], &sent["folderUid"]),
        (&json!(false), &json!("infra"))
    );
    rig.upstream.state(|grafana| {
        let nodes = &grafana.dashboards["nodes"];
        assert_eq!(nodes.model["title"], "Nodes");
        assert_eq!(nodes.model["tags"], json!(["linux"]));
        assert_eq!(nodes.folder, "infra");
    });

    let text = rig.text("grafana_delete_dashboard", json!({"uid": "nodes"}));
    assert_eq!(text, "Dashboard `nodes` deleted: Nodes");
    assert_eq!(
        rig.upstream.only().line(),
        "DELETE /api/dashboards/uid/nodes"
    );
    let text = rig.failure("grafana_delete_dashboard", json!({"uid": "nodes"}));
    assert!(text.contains("no dashboard `nodes`"), "{text}");
}

#[test]
fn a_change_between_reading_and_writing_is_not_lost() {
    let mut rig = rig();
    rig.upstream.next(
        "POST",
        "/api/dashboards/db",
        Answer::json(
            412,
            &json!({"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}),
        ),
    );
    let text = rig.failure(
        "grafana_update_dashboard",
        json!({"uid": "nodes", "title": "Mine"}),
    );
    assert!(text.contains("changed by someone else"), "{text}");
    rig.upstream
        .state(|grafana| assert_eq!(grafana.dashboards["nodes"].model["title"], "Node overview"));
}

#[test]
fn data_sources_are_listed_made_tested_and_queried() {
    let mut rig = rig();
    let known = json!({"uid": "prom1", "name": "Prometheus", "type": "prometheus", "url": "http://prometheus:9090", "default": true});
    check(
        &mut rig,
        "grafana_list_datasources",
        json!({}),
        "GET /api/datasources",
        json!({"items": [known], "shown": 1, "total": 1}),
    );
    let made = rig.json(
        "grafana_create_datasource",
        json!({"name": "Logs", "type": "loki", "url": "http://gone:9090", "json_data": {"maxLines": 10}}),
    );
    let call = rig.upstream.only();
    assert_eq!(call.line(), "POST /api/datasources");
    assert_eq!(
        call.json(),
        json!({"name": "Logs", "type": "loki", "url": "http://gone:9090", "access": "proxy",
            "isDefault": false, "jsonData": {"maxLines": 10}})
    );
    let uid = made["uid"]
        .as_str()
        .expect("the uid is what the next call needs")
        .to_owned();
    assert_eq!(
        made,
        json!({"uid": uid, "name": "Logs", "type": "loki", "url": "http://gone:9090", "default": false})
    );
    let text = rig.failure(
        "grafana_create_datasource",
        json!({"name": "Logs", "type": "loki", "url": "http://x"}),
    );
    assert!(
        text.contains("409") && text.contains("same name already exists"),
        "{text}"
    );
    rig.upstream.taken();

    check(
        &mut rig,
        "grafana_test_datasource",
        json!({"datasource_uid": "prom1"}),
        "GET /api/datasources/uid/prom1/health",
        json!({"status": "OK", "message": "Successfully queried the Prometheus API."}),
    );
    let bad = rig.json("grafana_test_datasource", json!({"datasource_uid": uid}));
    assert_eq!(
        bad,
        json!({"status": "ERROR", "message": "dial tcp: lookup gone: no such host"})
    );
    let text = rig.failure("grafana_test_datasource", json!({"datasource_uid": "gone"}));
    assert!(text.contains("Data source not found"), "{text}");
}

#[test]
fn a_query_names_its_data_source_where_grafana_looks_for_it() {
    let mut rig = rig();
    let rows = rig.json(
        "grafana_query_datasource",
        json!({"datasource_uid": "prom1", "query": "up", "from": "2023-11-14T22:13:20Z", "to": 1_700_000_600}),
    );
    let call = rig.upstream.only();
    assert_eq!(call.line(), "POST /api/ds/query");
    assert_eq!(
        call.json(),
        json!({"from": "1700000000000", "to": "1700000600000", "queries": [{
            "refId": "A", "datasource": {"uid": "prom1"}, "expr": "up", "format": "time_series",
            "instant": false, "range": true, "maxDataPoints": 100, "intervalMs": 15000,
        }]})
    );
    assert_eq!((&rows["shown"], &rows["total"]), (&json!(2), &json!(2)));
    assert_eq!(rows["items"][0]["ref"], "A");
    assert_eq!(
        rows["items"][0]["rows"][0],
        json!(["2023-11-14T22:13:20Z", 1.5])
    );

    rig.json(
        "grafana_query_datasource",
        json!({"datasource_uid": "prom1", "query": "select 1", "field": "rawSql", "instant": true, "max_points": 7}),
    );
    let sent = rig.upstream.only().json();
    let query = &sent["queries"][0];
    assert_eq!(
        (
            &query["rawSql"],
            &query["format"],
            &query["instant"],
            &query["range"],
            &query["maxDataPoints"]
        ),
        (
            &json!("select 1"),
            &json!("table"),
            &json!(true),
            &json!(false),
            &json!(7)
        )
    );
    assert!(
        query.get("expr").is_none() && query.get("query").is_none(),
        "{query}"
    );
    // An hour, by one clock.
    let ms = |name: &str| sent[name].as_str().unwrap().parse::<i64>().unwrap();
    assert_eq!(ms("to") - ms("from"), 3_600_000);

    let text = rig.failure(
        "grafana_query_datasource",
        json!({"datasource_uid": "prom1", "query": "bad("}),
    );
    assert!(text.contains("unclosed left parenthesis"), "{text}");
    let text = rig.failure(
        "grafana_query_datasource",
        json!({"datasource_uid": "gone", "query": "up"}),
    );
    assert!(text.contains("Data source not found"), "{text}");
}

#[test]
fn alert_rules_and_their_states_are_listed() {
    let mut rig = rig();
    check(
        &mut rig,
        "grafana_list_alert_rules",
        json!({}),
        "GET /api/v1/provisioning/alert-rules",
        json!({"items": [{"uid": "disk", "title": "Disk full", "folder_uid": "infra", "group": "disks", "for": "5m",
            "labels": {"severity": "page"}, "summary": "A disk is full", "paused": false}], "shown": 1, "total": 1}),
    );
    let states = rig.json("grafana_list_alert_states", json!({}));
    assert_eq!(
        rig.upstream.only().line(),
        "GET /api/prometheus/grafana/api/v1/rules"
    );
    let names: Vec<_> = states["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| &rule["name"])
        .collect();
    assert_eq!(names, [&json!("Disk full"), &json!("Link down")]);
    assert_eq!(
        states["items"][0],
        json!({"name": "Disk full", "state": "firing", "health": "ok", "labels": {"severity": "page"},
            "summary": "Disk full firing",
            "alerts": [{"state": "Alerting", "since": "2026-01-01T00:00:00Z", "labels": {"instance": "a"}}]})
    );
    let all = rig.json(
        "grafana_list_alert_states",
        json!({"include_inactive": true, "limit": 2}),
    );
    assert_eq!((&all["shown"], &all["total"]), (&json!(2), &json!(3)));
}

#[test]
fn bad_health_is_an_answer() {
    let mut rig = rig();
    check(
        &mut rig,
        "grafana_get_health",
        json!({}),
        "GET /api/health",
        json!({"database": "ok", "version": "13.0.2", "commit": "9e9f4a8"}),
    );
    rig.upstream.state(|grafana| grafana.is_database_ok = false);
    let health = rig.json("grafana_get_health", json!({}));
    assert_eq!(health["database"], "failing");
    rig.upstream
        .next("GET", "/api/health", Answer::text(500, "broken"));
    let text = rig.failure("grafana_get_health", json!({}));
    assert!(text.contains("500") && text.contains("broken"), "{text}");
}

#[test]
fn the_token_stays_where_it_belongs() {
    let elsewhere = Upstream::start(Grafana::new());
    let mut rig = rig();
    // Reading may be sent on within the origin, and only there.
    let on = |place: &str| Answer::empty(302).header("Location", place);
    rig.upstream
        .next("GET", "/api/folders", on("/api/folders?limit=1"));
    rig.json("grafana_list_folders", json!({}));
    assert_eq!(
        rig.upstream.lines(),
        ["GET /api/folders?limit=100", "GET /api/folders?limit=1"]
    );
    let away = format!("{}/api/folders", elsewhere.url());
    rig.upstream.next("GET", "/api/folders", on(&away));
    let text = rig.failure("grafana_list_folders", json!({}));
    assert!(text.contains("302") || text.contains("redirect"), "{text}");
    // Writing is not repeated anywhere else.
    rig.upstream
        .next("POST", "/api/dashboards/db", on("/api/dashboards/db"));
    rig.failure("grafana_create_dashboard", json!({"title": "x"}));
    assert_eq!(
        rig.upstream.lines(),
        ["GET /api/folders?limit=100", "POST /api/dashboards/db"]
    );
    elsewhere.expect_untouched();
}

#[test]
fn an_answer_that_is_none_is_an_error() {
    let mut rig = rig();
    let long = format!("[\"{}\"]", "x".repeat(3 << 20));
    for (answer, words) in [
        (Answer::new(200, "text/html", "<html>log in</html>"), "JSON"),
        (
            Answer::new(200, "application/json", "[{\"uid\": \"x\""),
            "JSON",
        ),
        (Answer::raw(""), "Grafana"),
        (
            Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]"),
            "Grafana",
        ),
        (Answer::raw("SSH-2.0-OpenSSH_9.2\r\n"), "Grafana"),
        (Answer::new(200, "application/json", &long), "2097152 bytes"),
    ] {
        // Twice: a connection that ends before an answer may be tried again once.
        for _ in 0..2 {
            rig.upstream.next("GET", "/api/search", answer.clone());
        }
        let text = rig.failure("grafana_list_dashboards", json!({}));
        assert!(text.contains(words) && !text.contains('<'), "{text}");
        rig.upstream.taken();
        // Whatever was left of the two.
        rig.upstream.forget();
    }
    assert_eq!(rig.json("grafana_list_dashboards", json!({}))["total"], 2);
}

#[test]
fn errors_reach_the_model_without_the_token() {
    let wrong = "glsa_wrong_token_of_someone";
    let mut rig = Rig::start("grafana", Some(wrong), Upstream::start(Grafana::new()));
    for (tool, arguments) in [
        ("grafana_list_dashboards", json!({})),
        ("grafana_list_folders", json!({})),
        ("grafana_list_datasources", json!({})),
        ("grafana_list_alert_rules", json!({})),
        ("grafana_list_alert_states", json!({})),
        ("grafana_create_dashboard", json!({"title": "x"})),
        ("grafana_update_dashboard", json!({"uid": "nodes"})),
    ] {
        let text = rig.failure(tool, arguments);
        assert!(
            text.contains("401") && text.contains("Invalid API key"),
            "{tool}: {text}"
        );
        assert!(!text.contains(wrong), "{text}");
        rig.upstream.only();
    }
    let log = rig.server.log();
    assert!(!log.contains(wrong), "{log}");
}

#[test]
fn arguments_mean_what_they_say_or_are_refused() {
    let mut rig = rig();
    for (tool, arguments, words) in [
        ("grafana_get_health", json!({"verbose": true}), "verbose"),
        ("grafana_list_dashboards", json!({"limit": 0}), "limit"),
        ("grafana_list_dashboards", json!({"tag": [5, {}]}), "tag"),
        ("grafana_list_folders", json!({"limit": "many"}), "limit"),
        ("grafana_get_dashboard", json!({}), "uid"),
        ("grafana_get_dashboard", json!({"uid": ".."}), "uid"),
        (
            "grafana_get_dashboard",
            json!({"uid": "u".repeat(41)}),
            "uid",
        ),
        ("grafana_create_dashboard", json!({"title": ""}), "title"),
        (
            "grafana_create_dashboard",
            json!({"title": "x", "dashboard": "{}"}),
            "dashboard",
        ),
        ("grafana_update_dashboard", json!({"title": "x"}), "uid"),
        ("grafana_delete_dashboard", json!({"id": 3}), "uid"),
        ("grafana_list_datasources", json!({"type": "loki"}), "type"),
        (
            "grafana_create_datasource",
            json!({"name": "x", "type": "loki"}),
            "url",
        ),
        (
            "grafana_create_datasource",
            json!({"name": "x", "type": "loki", "url": "http://x", "secure_json_data": {"a": "b"}}),
            "secure_json_data",
        ),
        (
            "grafana_test_datasource",
            json!({"datasource_uid": "."}),
            "datasource_uid",
        ),
        (
            "grafana_query_datasource",
            json!({"datasource_uid": "prom1"}),
            "query",
        ),
        (
            "grafana_query_datasource",
            json!({"datasource_uid": "prom1", "query": "up", "field": "sql"}),
            "rawSql",
        ),
        (
            "grafana_query_datasource",
            json!({"datasource_uid": "prom1", "query": "up", "from": "last week"}),
            "from",
        ),
        (
            "grafana_list_alert_rules",
            json!({"state": "firing"}),
            "state",
        ),
        ("grafana_list_alert_states", json!({"limit": 501}), "limit"),
    ] {
        rig.refused(tool, arguments, words);
    }
    // A uid is one segment of the path, whatever stands in it.
    let text = rig.failure("grafana_delete_dashboard", json!({"uid": "../db?x#"}));
    assert!(text.contains("no dashboard"), "{text}");
    assert_eq!(
        rig.upstream.only().line(),
        "DELETE /api/dashboards/uid/..%2Fdb%3Fx%23"
    );
}

#[test]
fn readiness_asks_the_service_with_the_token() {
    let line = "GET /api/search?limit=1".to_owned();
    assert_eq!(rig().probe(), (line.clone(), true));
    let wrong = Rig::start("grafana", Some("wrong"), Upstream::start(Grafana::new()));
    assert_eq!(wrong.probe(), (line, false));
}
