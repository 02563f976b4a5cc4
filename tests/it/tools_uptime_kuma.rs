//! The tools of `config/packs/uptime_kuma.toml` against a fake Uptime Kuma.

use siskin::base64;

use crate::fakes::uptime_kuma::{KEY, PUSH_TOKEN, UptimeKuma};
use crate::support::{Answer, Rig, Upstream, json};

fn rig() -> Rig<UptimeKuma> {
    let push = ("APP_SERVICES__UPTIME_KUMA__PUSH_TOKEN", PUSH_TOKEN);
    Rig::start_with(
        "services__uptime_kuma",
        Some(KEY),
        Upstream::start(UptimeKuma::new()),
        &[push],
    )
}

#[test]
fn tools_and_their_hints() {
    let mut expected = vec![
        "r get_status_page",
        "r get_status_page_heartbeats",
        "r list_certificates",
        "r list_monitors",
        "r list_response_times",
        "r list_uptimes",
    ];
    // Without a push token there is nothing to push to.
    let mut without = Rig::start(
        "services__uptime_kuma",
        Some(KEY),
        Upstream::start(UptimeKuma::new()),
    );
    assert_eq!(without.offers("uptime_kuma_"), expected);
    expected.push("w push");
    assert_eq!(rig().offers("uptime_kuma_"), expected);
}

#[test]
fn monitors_come_from_the_metrics() {
    let mut rig = rig();
    let backup = json!({"name": "Backup", "status": "maintenance", "type": "push"});
    let nas =
        json!({"name": "NAS \"old\"", "status": "down", "type": "ping", "host": "192.168.1.5"});
    let wiki = json!({"name": "Wiki", "status": "up", "type": "http", "url": "https://wiki.lan"});
    let tool = "uptime_kuma_list_monitors";
    let call = rig.expect_list(tool, json!({}), "GET /metrics", json!([backup, nas, wiki]));
    let header = call
        .header("authorization")
        .and_then(|it| it.strip_prefix("Basic "));
    assert_eq!(
        header.and_then(base64::decode),
        Some(format!("siskin:{KEY}").into_bytes())
    );
    rig.expect_list(
        tool,
        json!({"down_only": true}),
        "GET /metrics",
        json!([backup, nas]),
    );
    rig.expect_list(
        tool,
        json!({"query": "WIKI"}),
        "GET /metrics",
        json!([wiki]),
    );

    rig.expect_list(
        "uptime_kuma_list_response_times",
        json!({}),
        "GET /metrics",
        json!([{"name": "Wiki", "ms": 12}]),
    );
    rig.expect_list(
        "uptime_kuma_list_uptimes",
        json!({"window": "1d"}),
        "GET /metrics",
        json!([{"name": "NAS \"old\"", "uptime": 0.25}, {"name": "Wiki", "uptime": 0.99931}]),
    );
    rig.expect_list(
        "uptime_kuma_list_certificates",
        json!({}),
        "GET /metrics",
        json!([{"name": "Wiki", "url": "https://wiki.lan", "days": 12}]),
    );
}

#[test]
fn a_user_and_password_do_while_there_are_no_keys() {
    let mut rig = Rig::start(
        "services__uptime_kuma",
        Some("ada:pass"),
        Upstream::start(UptimeKuma::new()),
    );
    let told = rig.failure("uptime_kuma_list_monitors", json!({}));
    let header = rig
        .upstream
        .only()
        .header("authorization")
        .unwrap()
        .to_owned();
    assert_eq!(header, format!("Basic {}", base64::encode(b"ada:pass")));
    assert!(
        told.starts_with("uptime_kuma_list_monitors: Uptime Kuma answered 401"),
        "{told}"
    );
}

#[test]
fn too_many_calls_look_like_a_wrong_key() {
    let mut rig = rig();
    rig.upstream.state(|it| it.calls_left = 1);
    rig.json("uptime_kuma_list_monitors", json!({}));
    let told = rig.failure("uptime_kuma_list_monitors", json!({}));
    assert!(told.contains("answered 401"), "{told}");
    // One try each: trying again would only make it last.
    assert_eq!(rig.upstream.lines().len(), 2);
}

#[test]
fn status_pages_are_shown() {
    let mut rig = rig();
    rig.expect(
        "uptime_kuma_get_status_page",
        json!({"slug": "home"}),
        "GET /api/status-page/home",
        json!({
            "title": "At home", "description": "What runs here",
            "incidents": [{"title": "New router", "content": "Short breaks until noon.", "style": "warning", "since": "2026-11-20 08:00:00"}],
            "groups": [{"name": "Services", "monitors": [{"id": 1, "name": "Wiki", "type": "http"}, {"id": 2, "name": "NAS", "type": "ping"}]}],
        }),
    );
    let told = rig.failure("uptime_kuma_get_status_page", json!({"slug": "away"}));
    assert!(told.contains("no status page `away`"), "{told}");
    rig.upstream.taken();

    let beats = rig.json(
        "uptime_kuma_get_status_page_heartbeats",
        json!({"slug": "home", "max_points": 2}),
    );
    assert_eq!(
        rig.upstream.only().line(),
        "GET /api/status-page/heartbeat/home"
    );
    assert_eq!(
        beats["uptime_24h"],
        json!({"1_24": 0.999_305_555, "2_24": 0.25})
    );
    assert_eq!(
        beats["items"][1],
        json!({"monitor": "2", "checks": [
            {"time": "2026-11-20 08:00:00.000", "status": "up", "ms": 12}, {"time": "2026-11-20 08:01:00.000", "status": "down"}]})
    );
}

#[test]
fn a_heartbeat_is_pushed_and_its_token_stays_secret() {
    let mut rig = rig();
    let call = rig.expect_text(
        "uptime_kuma_push",
        json!({"status": "down", "message": "no disk", "ping_ms": 12.5}),
        "GET /api/push/pQ7rT?status=down&msg=no%20disk&ping=12.5",
        "Reported: down.",
    );
    assert_eq!(call.method, "GET");
    rig.upstream
        .state(|it| assert_eq!(it.beats[0][1].as_deref(), Some("no disk")));
    let away = Answer::json(
        404,
        &json!({"ok": false, "msg": "Monitor not found or not active."}),
    );
    rig.upstream.next("GET", "/api/push/pQ7rT", away);
    let told = rig.failure("uptime_kuma_push", json!({}));
    assert_eq!(
        told,
        "uptime_kuma_push: Uptime Kuma answered 404: Monitor not found or not active."
    );
    assert!(
        !rig.server.log().contains(PUSH_TOKEN),
        "{}",
        rig.server.log()
    );
}

#[test]
fn failures_are_told_in_its_words() {
    let mut rig = rig();
    rig.expect_failures(
        &Answer::json(503, &json!({"status": "fail", "msg": "SQLITE_BUSY"})),
        "Uptime Kuma answered 503: SQLITE_BUSY",
        &[
            ("uptime_kuma_list_monitors", json!({}), "GET", "/metrics"),
            (
                "uptime_kuma_list_response_times",
                json!({}),
                "GET",
                "/metrics",
            ),
            ("uptime_kuma_list_uptimes", json!({}), "GET", "/metrics"),
            (
                "uptime_kuma_list_certificates",
                json!({}),
                "GET",
                "/metrics",
            ),
            (
                "uptime_kuma_get_status_page",
                json!({"slug": "home"}),
                "GET",
                "/api/status-page/home",
            ),
            (
                "uptime_kuma_get_status_page_heartbeats",
                json!({"slug": "home"}),
                "GET",
                "/api/status-page/heartbeat/home",
            ),
        ],
    );
    // What it does not know it answers with its own page and 200: that is no answer.
    rig.upstream.next(
        "GET",
        "/metrics",
        Answer::new(200, "text/html", "<!DOCTYPE html><html></html>"),
    );
    let told = rig.failure("uptime_kuma_list_monitors", json!({}));
    assert!(told.starts_with("uptime_kuma_list_monitors: "), "{told}");
}

#[test]
fn bad_arguments_are_refused_before_anything_is_sent() {
    rig().expect_refusals(&[
        (
            "uptime_kuma_list_monitors",
            json!({"down_only": "x"}),
            "`down_only`",
        ),
        ("uptime_kuma_list_response_times", json!({"x": 1}), "`x`"),
        (
            "uptime_kuma_list_uptimes",
            json!({"window": "7d"}),
            "`window`",
        ),
        (
            "uptime_kuma_list_certificates",
            json!({"query": 7.5}),
            "`query`",
        ),
        (
            "uptime_kuma_get_status_page",
            json!({"slug": "a/b"}),
            "`slug`",
        ),
        (
            "uptime_kuma_get_status_page_heartbeats",
            json!({"slug": "a", "max_points": 1}),
            "`max_points`",
        ),
        ("uptime_kuma_push", json!({"ping_ms": -1}), "`ping_ms`"),
    ]);
}
