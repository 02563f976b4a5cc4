//! The tools of `config/packs/portainer.toml` against a fake Portainer.

use crate::fakes::portainer::{self, Portainer, TOKEN};
use crate::support::{Answer, Rig, Upstream, Value, json};

fn rig() -> Rig<Portainer> {
    rig_of(Portainer::new())
}

fn rig_of(portainer: Portainer) -> Rig<Portainer> {
    Rig::start("portainer", Some(TOKEN), Upstream::start(portainer))
}

/// One call that succeeds: the request that arrives, with its credentials, and the result.
#[track_caller]
fn check(rig: &mut Rig<Portainer>, tool: &str, arguments: Value, line: &str, expected: Value) {
    let found = rig.json(tool, arguments);
    let call = rig.upstream.only();
    assert_eq!(call.line(), line, "{tool}");
    assert_eq!(call.header("x-api-key"), Some(TOKEN), "{tool}");
    assert_eq!(found, expected, "{tool}");
}

fn web() -> Value {
    json!({
        "id": "a1b2c3d4a1b2", "name": "web", "image": "nginx:1.29", "state": "running",
        "status": "Up 4 days", "ports": ["8080:80/tcp"], "project": "shop",
    })
}

fn db() -> Value {
    json!({
        "id": "0f0f0f0f0f0f", "name": "db", "image": "nginx:1.29", "state": "exited",
        "status": "Exited (0) 2 hours ago", "project": "shop",
    })
}

fn shop() -> Value {
    json!({
        "id": 7, "name": "shop", "type": "compose", "status": "active", "endpoint_id": 1,
        "env": ["DB_PASSWORD", "REGION"],
        "created": "2023-11-14T22:13:20Z", "updated": "2023-11-15T22:13:20Z",
    })
}

#[test]
fn environments_and_containers_are_listed() {
    let mut rig = rig();
    check(
        &mut rig,
        "portainer_list_environments",
        json!({}),
        "GET /api/endpoints?excludeSnapshots=true",
        json!({"items": [{"id": 1, "name": "local", "type": "docker", "status": "up",
            "url": "unix:///var/run/docker.sock"}], "shown": 1, "total": 1}),
    );
    check(
        &mut rig,
        "portainer_list_containers",
        json!({}),
        "GET /api/endpoints/1/docker/containers/json?all=1",
        json!({"items": [web(), db()], "shown": 2, "total": 2}),
    );
    check(
        &mut rig,
        "portainer_list_containers",
        json!({"status": "exited"}),
        "GET /api/endpoints/1/docker/containers/json?all=1&filters=%7B%22status%22%3A%5B%22exited%22%5D%7D",
        json!({"items": [db()], "shown": 1, "total": 1}),
    );
    check(
        &mut rig,
        "portainer_list_containers",
        json!({"running_only": true, "name": "b"}),
        "GET /api/endpoints/1/docker/containers/json?filters=%7B%22name%22%3A%5B%22b%22%5D%7D",
        json!({"items": [web()], "shown": 1, "total": 1}),
    );
    let limited = rig.json("portainer_list_containers", json!({"limit": 1}));
    assert_eq!(
        (&limited["shown"], &limited["total"]),
        (&json!(1), &json!(2))
    );
    assert!(
        limited["note"].as_str().unwrap().contains("1 of 2"),
        "{limited}"
    );
}

#[test]
fn a_container_is_started_stopped_and_restarted_once() {
    let mut rig = rig();
    for (tool, arguments, line, expected) in [
        (
            "portainer_start_container",
            json!({"container_id": "db"}),
            "/docker/containers/db/start",
            "Container `db` started.",
        ),
        (
            "portainer_start_container",
            json!({"container_id": "/db"}),
            "/docker/containers/db/start",
            "Container `/db` was already running.",
        ),
        (
            "portainer_stop_container",
            json!({"container_id": "db", "timeout_s": 20}),
            "/docker/containers/db/stop?t=20",
            "Container `db` stopped.",
        ),
        (
            "portainer_stop_container",
            json!({"container_id": "0f0f0f0f0f0f"}),
            "/docker/containers/0f0f0f0f0f0f/stop",
            "Container `0f0f0f0f0f0f` was already stopped.",
        ),
        (
            "portainer_restart_container",
            json!({"container_id": "db", "timeout_s": 0}),
            "/docker/containers/db/restart?t=0",
            "Container `db` restarted.",
        ),
    ] {
        assert_eq!(rig.text(tool, arguments), expected);
        let call = rig.upstream.only();
        assert_eq!(call.line(), format!("POST /api/endpoints/1{line}"));
        assert_eq!(
            (call.body.len(), call.header("x-api-key")),
            (0, Some(TOKEN))
        );
    }
    rig.upstream.state(|portainer| {
        let db = &portainer.containers[1];
        assert_eq!((db.state, db.starts), ("running", 2));
    });
}

#[test]
fn inspection_shows_names_of_variables_and_no_values() {
    let mut rig = rig();
    check(
        &mut rig,
        "portainer_inspect_container",
        json!({"container_id": "web"}),
        "GET /api/endpoints/1/docker/containers/web/json",
        json!({
            "id": "a1b2c3d4a1b2", "name": "web", "created": "2025-02-17T16:51:36Z",
            "state": {"status": "running", "exit_code": 0, "started": "2025-02-17T16:51:37Z", "health": "healthy"},
            "restarts": 3, "image": "nginx:1.29", "cmd": ["nginx"], "env": ["PATH", "DB_PASSWORD"],
            "labels": {"com.docker.compose.project": "shop"}, "restart_policy": "unless-stopped",
            "mounts": [{"type": "bind", "source": "/srv", "destination": "/data", "writable": true}],
            "ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]},
            "networks": ["shop_default"],
        }),
    );
    for tool in ["portainer_inspect_container", "portainer_get_container"] {
        let whole = rig.json(tool, json!({"container_id": "web", "full": true}));
        assert_eq!(whole["Path"], "nginx");
        let env = whole["Config"]["Env"].to_string();
        assert!(
            env.contains("DB_PASSWORD=***") && !env.contains("hunter2"),
            "{env}"
        );
    }
}

#[test]
fn logs_are_text_whatever_the_stream_looks_like() {
    let mut rig = rig();
    let text = rig.text(
        "portainer_get_container_logs",
        json!({"container_id": "web"}),
    );
    // Frame headers and terminal colours are off.
    assert_eq!(text, "listening on 80\nupstream gone\ncaf\u{e9} served\n");
    assert_eq!(
        rig.upstream.only().line(),
        "GET /api/endpoints/1/docker/containers/web/logs?stdout=1&stderr=1&tail=100"
    );

    let text = rig.text(
        "portainer_get_container_logs",
        json!({"container_id": "web", "tail": 1, "since": "2023-11-14T22:14:00Z", "until": 1_700_000_150, "timestamps": true}),
    );
    assert_eq!(text, "2023-11-14T22:15:00.000000000Z upstream gone\n");
    assert_eq!(
        rig.upstream.only().line(),
        "GET /api/endpoints/1/docker/containers/web/logs?stdout=1&stderr=1&tail=1&since=1700000040&until=1700000150&timestamps=1"
    );

    // A terminal's log has no frames.
    let text = rig.text(
        "portainer_get_container_logs",
        json!({"container_id": "db"}),
    );
    assert_eq!(text, "ready\n");

    // How long ago is counted from now: the clock of the server decides, not a test's.
    rig.upstream.taken();
    rig.text(
        "portainer_get_container_logs",
        json!({"container_id": "web", "since": "1h"}),
    );
    let since = rig.upstream.only().query("since").unwrap();
    assert!(
        since
            .parse::<u64>()
            .is_ok_and(|since| since > 1_700_000_000),
        "{since}"
    );
}

#[test]
fn a_long_log_keeps_its_end() {
    let mut portainer = Portainer::new();
    portainer.containers[0].log = (0..3000)
        .map(|at| (1, 1_700_000_000 + at, "the same line again"))
        .chain([(1, 1_700_009_000, "the last line")])
        .collect();
    let mut rig = rig_of(portainer);
    let text = rig.text(
        "portainer_get_container_logs",
        json!({"container_id": "web", "tail": 5000}),
    );
    assert!(text.len() <= 33 * 1024, "{}", text.len());
    assert!(
        text.trim_end().ends_with("the last line"),
        "{}",
        &text[text.len() - 80..]
    );
    assert!(
        text.lines().next().unwrap().contains("narrow"),
        "{}",
        &text[..120]
    );
}

#[test]
fn stacks_show_names_of_variables_and_no_values() {
    let mut rig = rig();
    check(
        &mut rig,
        "portainer_list_stacks",
        json!({}),
        "GET /api/stacks",
        json!({"items": [shop()], "shown": 1, "total": 1}),
    );
    check(
        &mut rig,
        "portainer_list_stacks",
        json!({"endpoint_id": 4}),
        "GET /api/stacks?filters=%7B%22EndpointID%22%3A4%7D",
        // 204 without a body: none.
        json!({"items": [], "shown": 0, "total": 0}),
    );
    let mut stack = shop();
    stack["entry_point"] = json!("docker-compose.yml");
    stack["created_by"] = json!("admin");
    stack["updated_by"] = json!("admin");
    check(
        &mut rig,
        "portainer_get_stack",
        json!({"stack_id": "7"}),
        "GET /api/stacks/7",
        stack,
    );
    let file = rig.text("portainer_get_stack_file", json!({"stack_id": 7}));
    assert!(file.starts_with("services:\n  web:\n"), "{file}");
    assert_eq!(rig.upstream.only().line(), "GET /api/stacks/7/file");
}

#[test]
fn errors_of_portainer_and_of_docker_reach_the_model() {
    let mut rig = rig();
    for (tool, arguments, words) in [
        (
            "portainer_start_container",
            json!({"container_id": "gone"}),
            "No such container: gone",
        ),
        (
            "portainer_stop_container",
            json!({"container_id": "gone"}),
            "No such container: gone",
        ),
        (
            "portainer_restart_container",
            json!({"container_id": "gone"}),
            "No such container: gone",
        ),
        (
            "portainer_inspect_container",
            json!({"container_id": "gone"}),
            "No such container: gone",
        ),
        (
            "portainer_get_container_logs",
            json!({"container_id": "gone"}),
            "No such container: gone",
        ),
        (
            "portainer_list_containers",
            json!({"endpoint_id": 9}),
            "Unable to find an environment",
        ),
        (
            "portainer_get_stack",
            json!({"stack_id": 8}),
            "Unable to find a stack",
        ),
        (
            "portainer_get_stack_file",
            json!({"stack_id": 8}),
            "Unable to find a stack",
        ),
    ] {
        let text = rig.failure(tool, arguments);
        assert!(
            text.contains(words) && text.contains("404") && text.contains("Portainer"),
            "{tool}: {text}"
        );
        rig.upstream.only();
    }
    rig.upstream.next(
        "GET",
        "/api/endpoints/1/docker/containers/json",
        portainer::docker_error(
            400,
            "client version 1.24 is too old. Minimum supported API version is 1.44",
        ),
    );
    let text = rig.failure("portainer_list_containers", json!({}));
    assert!(text.contains("client version 1.24 is too old"), "{text}");
    for path in ["/api/stacks", "/api/endpoints"] {
        rig.upstream.next(
            "GET",
            path,
            Answer::new(502, "text/html", "<html>Bad gateway</html>"),
        );
    }
    for tool in ["portainer_list_stacks", "portainer_list_environments"] {
        let text = rig.failure(tool, json!({}));
        assert!(text.contains("502") && !text.contains('<'), "{text}");
    }
}

#[test]
fn a_wrong_key_is_named_and_not_shown() {
    let wrong = "ptr_wrong_key_of_someone";
    let mut rig = Rig::start("portainer", Some(wrong), Upstream::start(Portainer::new()));
    let text = rig.failure("portainer_list_stacks", json!({}));
    assert!(
        text.contains("401") && text.contains("Invalid API key"),
        "{text}"
    );
    assert!(!text.contains(wrong), "{text}");
    let log = rig.server.log();
    assert!(!log.contains(wrong), "{log}");
}

#[test]
fn no_argument_reaches_another_path() {
    let mut rig = rig();
    for tool in [
        "portainer_inspect_container",
        "portainer_start_container",
        "portainer_stop_container",
        "portainer_restart_container",
        "portainer_get_container_logs",
    ] {
        for id in [
            "../../../users",
            "web?t=0#",
            "a/b",
            "..",
            ".",
            "",
            "web%2F..",
            "a b",
        ] {
            rig.refused(tool, json!({"container_id": id}), "container_id");
        }
    }
    rig.upstream.state(|portainer| {
        assert_eq!(portainer.containers[0].state, "running");
        assert_eq!(portainer.containers[0].starts, 0);
    });
}

#[test]
fn arguments_mean_what_they_say_or_are_refused() {
    let mut rig = rig_of(Portainer::with_environment(2));
    // A number in quotation marks is the number, not the default.
    let text = rig.text(
        "portainer_stop_container",
        json!({"container_id": "web", "endpoint_id": "2"}),
    );
    assert_eq!(text, "Container `web` stopped.");
    assert_eq!(
        rig.upstream.only().line(),
        "POST /api/endpoints/2/docker/containers/web/stop"
    );
    for (tool, arguments, words) in [
        (
            "portainer_get_container_logs",
            json!({"container_id": "web", "tail": 1e99}),
            "tail",
        ),
        (
            "portainer_get_container_logs",
            json!({"container_id": "web", "tail": 2.9}),
            "tail",
        ),
        (
            "portainer_get_container_logs",
            json!({"container_id": "web", "tail": 0}),
            "tail",
        ),
        (
            "portainer_get_container_logs",
            json!({"container_id": "web", "tail": 5001}),
            "tail",
        ),
        (
            "portainer_get_container_logs",
            json!({"container_id": "web", "since": "yesterday"}),
            "since",
        ),
        ("portainer_get_container_logs", json!({}), "container_id"),
        (
            "portainer_stop_container",
            json!({"container_id": "web", "endpoint_id": "two"}),
            "endpoint_id",
        ),
        (
            "portainer_stop_container",
            json!({"container_id": "web", "endpoint": 2}),
            "endpoint_id",
        ),
        (
            "portainer_stop_container",
            json!({"container_id": "web", "timeout_s": -1}),
            "timeout_s",
        ),
        (
            "portainer_start_container",
            json!({"container_id": 5}),
            "container_id",
        ),
        (
            "portainer_restart_container",
            json!({"container_id": ["web"]}),
            "container_id",
        ),
        (
            "portainer_inspect_container",
            json!({"container_id": "web", "full": "perhaps"}),
            "full",
        ),
        (
            "portainer_list_containers",
            json!({"status": "asleep"}),
            "running",
        ),
        (
            "portainer_list_stacks",
            json!({"endpoint_id": 0}),
            "endpoint_id",
        ),
        (
            "portainer_get_stack",
            json!({"stack_id": "seven"}),
            "stack_id",
        ),
        (
            "portainer_get_stack_file",
            json!({"stack_id": "../users"}),
            "stack_id",
        ),
        ("portainer_list_environments", json!({"all": true}), "all"),
    ] {
        rig.refused(tool, arguments, words);
    }
}

#[test]
fn the_default_environment_is_configured() {
    let upstream = Upstream::start(Portainer::with_environment(3));
    let mut rig = Rig::start_with(
        "portainer",
        Some(TOKEN),
        upstream,
        &[("APP_PORTAINER__ENDPOINT_ID", "3")],
    );
    rig.json("portainer_list_containers", json!({}));
    assert_eq!(
        rig.upstream.only().line(),
        "GET /api/endpoints/3/docker/containers/json?all=1"
    );
    let tools = rig.tools();
    let tool = tools
        .iter()
        .find(|tool| tool["name"] == "portainer_list_containers");
    let schema = &tool.unwrap()["inputSchema"];
    assert_eq!(
        schema["properties"]["endpoint_id"]["default"], 3,
        "{schema}"
    );
}

#[test]
fn a_redirect_is_an_error_that_names_it() {
    let mut rig = rig();
    let login = Answer::empty(307).header("Location", "/#!/auth");
    rig.upstream.next("GET", "/api/stacks", login);
    let text = rig.failure("portainer_list_stacks", json!({}));
    assert!(text.contains("307"), "{text}");
    rig.upstream.only();
}

#[test]
fn a_base_path_stays_in_front() {
    let upstream = Upstream::start_under("/apps/portainer", Portainer::new());
    let mut rig = Rig::start("portainer", Some(TOKEN), upstream);
    rig.json("portainer_list_stacks", json!({}));
    assert_eq!(rig.upstream.only().line(), "GET /apps/portainer/api/stacks");
}

#[test]
fn readiness_asks_the_service_with_the_token() {
    let line = "GET /api/endpoints?limit=1&excludeSnapshots=true".to_owned();
    assert_eq!(rig().probe(), (line.clone(), true));
    let wrong = Rig::start(
        "portainer",
        Some("wrong"),
        Upstream::start(Portainer::new()),
    );
    assert_eq!(wrong.probe(), (line, false));
}
