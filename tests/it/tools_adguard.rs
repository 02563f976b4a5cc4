//! The tools of `config/packs/adguard.toml` against a fake AdGuard Home.

use crate::fakes::adguard::AdGuard;
use crate::support::{Answer, Rig, Upstream, json};

/// The password has a colon: only the first one parts it from the name.
const TOKEN: &str = "admin:se:cret";

fn rig() -> Rig<AdGuard> {
    Rig::start(
        "services__adguard",
        Some(TOKEN),
        Upstream::start(AdGuard::new()),
    )
}

#[test]
fn tools_and_their_hints() {
    let expected = [
        "di delete_rewrite",
        "r check_host",
        "r get_stats",
        "r get_status",
        "r list_rewrites",
        "r search_query_log",
        "w add_rewrite",
        "wi set_protection",
    ];
    assert_eq!(rig().offers("adguard_"), expected);
}

#[test]
fn status_and_statistics_are_short() {
    let mut rig = rig();
    let call = rig.expect(
        "adguard_get_status",
        json!({}),
        "GET /control/status",
        json!({"running": true, "protection_enabled": true, "protection_off_ms": 0, "version": "v0.107.79",
            "addresses": ["127.0.0.1", "192.168.1.2"], "port": 53}),
    );
    assert_eq!(
        call.header("authorization"),
        Some("Basic YWRtaW46c2U6Y3JldA==")
    );
    rig.expect(
        "adguard_get_stats",
        json!({"hours": 24}),
        "GET /control/stats?recent=86400000",
        json!({
            "queries": 1230, "blocked": 200, "safe_browsing": 1, "safe_search": 0, "parental": 0, "seconds": 0.0346,
            "top_domains": [{"example.org": 312}, {"example.com": 12}], "top_blocked": [{"ads.example": 150}],
            "top_clients": [{"192.168.1.14": 900}], "top_upstreams": [{"https://dns.example/dns-query": 700}],
        }),
    );
    rig.json("adguard_get_stats", json!({}));
    assert_eq!(rig.upstream.only().line(), "GET /control/stats");
}

#[test]
fn the_query_log_is_searched() {
    let mut rig = rig();
    rig.expect_list(
        "adguard_search_query_log",
        json!({"search": "ads", "reason": "FilteredBlackList", "limit": 5}),
        "GET /control/querylog?search=ads&reason=FilteredBlackList&limit=5",
        json!([{
            "time": "2026-11-20T00:02:41.123456789+03:00", "name": "ads.example", "type": "A", "client": "192.168.1.14", "client_name": "tablet",
            "reason": "FilteredBlackList", "rules": ["||ads.example^"], "answers": ["A 217.69.139.201"], "status": "NOERROR", "ms": "54.024",
        }]),
    );
    let all = rig.json("adguard_search_query_log", json!({}));
    assert_eq!(all["shown"], 3);
    assert_eq!(rig.upstream.only().line(), "GET /control/querylog?limit=50");
}

#[test]
fn protection_is_switched_in_milliseconds() {
    let mut rig = rig();
    let tool = "adguard_set_protection";
    let call = rig.expect_text(
        tool,
        json!({"enabled": false, "duration": "10m"}),
        "POST /control/protection",
        "protection enabled: false",
    );
    assert_eq!(call.json(), json!({"enabled": false, "duration": 600_000}));
    assert_eq!(call.header("content-type"), Some("application/json"));
    rig.upstream
        .state(|it| assert_eq!((it.is_protecting, it.pause_ms), (false, 600_000)));
    let call = rig.expect_text(
        tool,
        json!({"enabled": true}),
        "POST /control/protection",
        "protection enabled: true",
    );
    assert_eq!(call.json(), json!({"enabled": true}));
    let told = rig.failure(tool, json!({"enabled": true, "duration": "1h"}));
    assert_eq!(
        told,
        "adguard_set_protection: AdGuard Home answered 400: Setting a duration is only allowed with protection disabling"
    );
}

#[test]
fn hosts_are_checked_and_rewritten() {
    let mut rig = rig();
    rig.expect(
        "adguard_check_host",
        json!({"name": "ads.example", "client": "192.168.1.14"}),
        "GET /control/filtering/check_host?name=ads.example&client=192.168.1.14",
        json!({"reason": "FilteredBlackList", "rules": ["||ads.example^"]}),
    );
    rig.expect(
        "adguard_check_host",
        json!({"name": "nas.lan"}),
        "GET /control/filtering/check_host?name=nas.lan",
        json!({"reason": "Rewrite", "cname": "disk.lan", "addresses": ["192.168.1.5"]}),
    );
    rig.expect(
        "adguard_check_host",
        json!({"name": "video.example"}),
        "GET /control/filtering/check_host?name=video.example",
        json!({"reason": "FilteredBlockedService", "rules": ["||video.example^"], "service": "video"}),
    );
    let call = rig.expect_text(
        "adguard_add_rewrite",
        json!({"domain": "*.lan", "answer": "192.168.1.9"}),
        "POST /control/rewrite/add",
        "`*.lan` is answered with `192.168.1.9` now.",
    );
    assert_eq!(
        call.json(),
        json!({"domain": "*.lan", "answer": "192.168.1.9"})
    );
    let nas = json!({"domain": "nas.lan", "answer": "192.168.1.5"});
    rig.expect_text(
        "adguard_delete_rewrite",
        nas.clone(),
        "POST /control/rewrite/delete",
        "`nas.lan` is not answered with `192.168.1.5` now.",
    );
    rig.expect_text(
        "adguard_delete_rewrite",
        nas,
        "POST /control/rewrite/delete",
        "`nas.lan` is not answered with `192.168.1.5` now.",
    );
    rig.expect_list(
        "adguard_list_rewrites",
        json!({}),
        "GET /control/rewrite/list",
        json!([{"domain": "*.lan", "answer": "192.168.1.9", "enabled": true}]),
    );
}

#[test]
fn failures_are_told_in_its_words() {
    let mut rig = rig();
    let rewrite = json!({"domain": "a", "answer": "b"});
    rig.expect_failures(
        &Answer::text(500, "couldn't write the file\n"),
        "AdGuard Home answered 500: couldn't write the file",
        &[
            ("adguard_get_status", json!({}), "GET", "/control/status"),
            ("adguard_get_stats", json!({}), "GET", "/control/stats"),
            (
                "adguard_search_query_log",
                json!({}),
                "GET",
                "/control/querylog",
            ),
            (
                "adguard_set_protection",
                json!({"enabled": true}),
                "POST",
                "/control/protection",
            ),
            (
                "adguard_check_host",
                json!({"name": "a"}),
                "GET",
                "/control/filtering/check_host",
            ),
            (
                "adguard_list_rewrites",
                json!({}),
                "GET",
                "/control/rewrite/list",
            ),
            (
                "adguard_add_rewrite",
                rewrite.clone(),
                "POST",
                "/control/rewrite/add",
            ),
            (
                "adguard_delete_rewrite",
                rewrite,
                "POST",
                "/control/rewrite/delete",
            ),
        ],
    );
    // Its 401 says nothing at all.
    let mut stranger = Rig::start(
        "services__adguard",
        Some("admin:guess"),
        Upstream::start(AdGuard::new()),
    );
    let told = stranger.failure("adguard_get_status", json!({}));
    assert!(
        told.starts_with("adguard_get_status: AdGuard Home answered 401"),
        "{told}"
    );
    assert!(!told.contains("guess"), "{told}");
}

#[test]
fn bad_arguments_are_refused_before_anything_is_sent() {
    rig().expect_refusals(&[
        ("adguard_get_status", json!({"x": 1}), "`x`"),
        ("adguard_get_stats", json!({"hours": 0}), "`hours`"),
        (
            "adguard_search_query_log",
            json!({"reason": "Blocked"}),
            "`reason`",
        ),
        (
            "adguard_set_protection",
            json!({"enabled": false, "duration": "a while"}),
            "duration",
        ),
        (
            "adguard_set_protection",
            json!({"duration": "1h"}),
            "`enabled`",
        ),
        ("adguard_check_host", json!({"name": ""}), "`name`"),
        ("adguard_list_rewrites", json!({"x": 1}), "`x`"),
        ("adguard_add_rewrite", json!({"domain": "a"}), "`answer`"),
        ("adguard_delete_rewrite", json!({"answer": "a"}), "`domain`"),
    ]);
}
