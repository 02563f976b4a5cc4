//! The tools of `config/packs/pihole.toml` against a fake Pi-hole 6.

use crate::fakes::pihole::Pihole;
use crate::support::{Answer, Hold, Rig, Upstream, json};

const PASSWORD: &str = "correct horse";

fn rig_of(pihole: Pihole) -> Rig<Pihole> {
    Rig::start("services__pihole", Some(PASSWORD), Upstream::start(pihole))
}

/// One that has logged in already, so that each call is one request.
fn rig() -> Rig<Pihole> {
    let mut rig = rig_of(Pihole::new());
    rig.json("pihole_get_blocking", json!({}));
    rig.upstream.taken();
    rig
}

#[test]
fn tools_and_their_hints() {
    let expected = [
        "di remove_domain",
        "r get_blocking",
        "r get_summary",
        "r list_queries",
        "r list_top_domains",
        "r search_domain",
        "w add_domain",
        "wi set_blocking",
    ];
    assert_eq!(rig().offers("pihole_"), expected);
}

#[test]
fn one_session_serves_all_calls_and_is_given_back() {
    // With one seat, a second login would be refused.
    let mut rig = rig_of(Pihole {
        seats: 1,
        ..Pihole::new()
    });
    for _ in 0..3 {
        rig.json("pihole_get_blocking", json!({}));
    }
    let calls = rig.upstream.taken();
    let lines: Vec<_> = calls.iter().map(|call| call.line()).collect();
    let blocking = "GET /api/dns/blocking";
    assert_eq!(lines, ["POST /api/auth", blocking, blocking, blocking]);
    assert_eq!(calls[0].json(), json!({"password": PASSWORD}));
    assert_eq!(calls[0].header("x-ftl-sid"), None);
    for call in &calls[1..] {
        assert_eq!(call.header("x-ftl-sid"), Some("vFA+EP4MQ5/Jv1="));
    }
    let Rig {
        mcp,
        server,
        upstream,
    } = rig;
    drop(mcp);
    server.stop();
    upstream.state(|pihole| assert_eq!((pihole.logins, pihole.sessions.len()), (1, 0)));
    assert_eq!(upstream.only().line(), "DELETE /api/auth");
}

#[test]
fn calls_that_come_together_wait_for_one_login() {
    let mut rig = rig_of(Pihole::new());
    let hold = Hold::new();
    let session = json!({"valid": true, "totp": false, "sid": "one", "validity": 1800, "message": "correct password"});
    let login = Answer::json(200, &json!({"session": session, "took": 0.1}));
    rig.upstream
        .state(|pihole| pihole.sessions.push("one".to_owned()));
    rig.upstream.next("POST", "/api/auth", login.held(&hold));
    let mut calls = Vec::new();
    for _ in 0..3 {
        let params = json!({"name": "pihole_get_blocking", "arguments": {}});
        let message = rig.mcp.build("tools/call", params);
        calls.extend(rig.mcp.send(&message));
    }
    rig.upstream.wait_calls(1);
    // Nothing else is kept waiting meanwhile.
    rig.mcp.result("ping", json!({}));
    hold.release();
    for mut call in calls {
        let answer = call.next();
        assert_ne!(answer["result"]["isError"], true, "{answer}");
    }
    let blocking = "GET /api/dns/blocking";
    assert_eq!(
        rig.upstream.lines(),
        ["POST /api/auth", blocking, blocking, blocking]
    );
}

#[test]
fn a_session_that_is_gone_is_opened_once_more() {
    let mut rig = rig();
    rig.upstream.state(|pihole| pihole.sessions.clear());
    rig.json("pihole_get_blocking", json!({}));
    let blocking = "GET /api/dns/blocking";
    assert_eq!(rig.upstream.lines(), [blocking, "POST /api/auth", blocking]);
}

#[test]
fn a_login_that_fails_says_why_and_is_not_tried_for_ever() {
    let mut full = rig_of(Pihole {
        seats: 0,
        ..Pihole::new()
    });
    let told = full.failure("pihole_get_summary", json!({}));
    assert!(
        told.contains("429") && told.contains("API seats exceeded"),
        "{told}"
    );
    assert_eq!(full.upstream.lines(), ["POST /api/auth"]);

    let upstream = Upstream::start(Pihole {
        password: Some("another"),
        ..Pihole::new()
    });
    let mut wrong = Rig::start("services__pihole", Some(PASSWORD), upstream);
    let told = wrong.failure("pihole_get_summary", json!({}));
    assert!(
        told.contains("401") && told.contains("password incorrect"),
        "{told}"
    );
    assert!(!told.contains(PASSWORD), "{told}");
    assert!(
        wrong
            .upstream
            .lines()
            .iter()
            .all(|line| line == "POST /api/auth")
    );
    assert!(
        !wrong.server.log().contains(PASSWORD),
        "{}",
        wrong.server.log()
    );
}

#[test]
fn without_a_password_nothing_is_sent() {
    // Pi-hole has none and neither has siskin: no login at all.
    let upstream = Upstream::start(Pihole {
        password: None,
        ..Pihole::new()
    });
    let mut rig = Rig::start("services__pihole", None, upstream);
    rig.json("pihole_get_blocking", json!({}));
    assert_eq!(rig.upstream.only().header("x-ftl-sid"), None);
    // siskin has one and Pi-hole does not: the session's id is null.
    let mut rig = rig_of(Pihole {
        password: None,
        ..Pihole::new()
    });
    rig.json("pihole_get_blocking", json!({}));
    let calls = rig.upstream.taken();
    let last = calls.last().unwrap();
    assert_eq!(
        (last.line().as_str(), last.header("x-ftl-sid")),
        ("GET /api/dns/blocking", None)
    );
}

#[test]
fn numbers_and_queries_are_shown() {
    let mut rig = rig();
    rig.expect(
        "pihole_get_summary",
        json!({}),
        "GET /api/stats/summary",
        json!({
            "queries": {"total": 7497, "blocked": 3465, "percent_blocked": 46.2, "unique_domains": 445, "forwarded": 4574, "cached": 9765, "per_second": 1.1},
            "clients": {"active": 10, "total": 22}, "domains_on_lists": 104_756, "lists_updated": "2025-11-20T00:53:20Z",
        }),
    );
    rig.expect_list(
        "pihole_list_top_domains",
        json!({"blocked": true, "count": 1}),
        "GET /api/stats/top_domains?blocked=true&count=1",
        json!([{"domain": "ads.example", "count": 812}]),
    );
    rig.expect_list(
        "pihole_list_queries",
        json!({"domain": "ads.example", "status": "GRAVITY", "from": "2025-11-20T00:00:00Z"}),
        "GET /api/queries?length=50&domain=ads.example&status=GRAVITY&from=1763596800",
        json!([{"time": "2025-11-20T14:46:40.539Z", "domain": "ads.example", "type": "A", "status": "GRAVITY",
            "client": "desktop.lan", "ip": "192.168.0.14", "reply": "IP", "upstream": "localhost#5353"}]),
    );
    let some = rig.json("pihole_list_queries", json!({"limit": 2}));
    assert_eq!(
        (&some["shown"], &some["total"]),
        (&json!(2), &json!(3)),
        "{some}"
    );
    assert_eq!(rig.upstream.only().line(), "GET /api/queries?length=2");
}

#[test]
fn blocking_is_switched_for_a_while_or_for_good() {
    let mut rig = rig();
    let tool = "pihole_set_blocking";
    let line = "POST /api/dns/blocking";
    let call = rig.expect(
        tool,
        json!({"blocking": false, "seconds": 300}),
        line,
        json!({"blocking": "disabled", "timer": 300.0}),
    );
    assert_eq!(call.json(), json!({"blocking": false, "timer": 300}));
    rig.expect(
        "pihole_get_blocking",
        json!({}),
        "GET /api/dns/blocking",
        json!({"blocking": "disabled", "timer": 300.0}),
    );
    let call = rig.expect(
        tool,
        json!({"blocking": true}),
        line,
        json!({"blocking": "enabled", "timer": null}),
    );
    assert_eq!(call.json(), json!({"blocking": true, "timer": null}));
}

#[test]
fn domains_are_added_found_and_removed() {
    let mut rig = rig();
    let regex = json!({"list": "deny", "kind": "regex", "domain": r"(^|\.)track[0-9]+\.example$", "comment": "trackers"});
    let text = format!(
        "`{}` is on the deny list now (regex).",
        r"(^|\.)track[0-9]+\.example$"
    );
    let call = rig.expect_text(
        "pihole_add_domain",
        regex,
        "POST /api/domains/deny/regex",
        &text,
    );
    assert_eq!(
        call.json(),
        json!({"domain": r"(^|\.)track[0-9]+\.example$", "comment": "trackers"})
    );

    // 201, and yet it was not added.
    let again = json!({"list": "deny", "domain": "ads.example"});
    let told = rig.failure("pihole_add_domain", again);
    assert!(told.contains("UNIQUE constraint failed"), "{told}");
    let told = rig.failure(
        "pihole_add_domain",
        json!({"list": "deny", "kind": "regex", "domain": "[a"}),
    );
    assert!(told.contains("Pi-hole answered 400: Missing ']'"), "{told}");
    rig.upstream.taken();

    rig.expect(
        "pihole_search_domain",
        json!({"domain": "ads.example"}),
        "GET /api/search/ads.example?partial=false",
        json!({"own_lists": [{"domain": "ads.example", "list": "deny", "kind": "exact", "enabled": true, "comment": "seen on TV"}], "total": 1}),
    );
    rig.expect(
        "pihole_search_domain",
        json!({"domain": "double", "partial": true}),
        "GET /api/search/double?partial=true",
        json!({"block_lists": [{"domain": "doubleclick.example", "list": "block", "address": "https://lists.example/hosts", "enabled": true}], "total": 1}),
    );

    let ads = json!({"list": "deny", "domain": "ads.example"});
    rig.expect_text(
        "pihole_remove_domain",
        ads.clone(),
        "DELETE /api/domains/deny/exact/ads.example",
        "`ads.example` is off the deny list.",
    );
    rig.upstream
        .state(|pihole| assert_eq!(pihole.domains.len(), 1));
    let told = rig.failure("pihole_remove_domain", ads);
    assert!(
        told.contains("`ads.example` is not on the deny list (exact)"),
        "{told}"
    );
}

#[test]
fn failures_are_told_in_its_words() {
    let mut rig = rig();
    let error = json!({"error": {"key": "internal_error", "message": "Database is busy", "hint": null}, "took": 0.1});
    rig.expect_failures(
        &Answer::json(500, &error),
        "Pi-hole answered 500: Database is busy",
        &[
            ("pihole_get_summary", json!({}), "GET", "/api/stats/summary"),
            (
                "pihole_list_top_domains",
                json!({}),
                "GET",
                "/api/stats/top_domains",
            ),
            ("pihole_list_queries", json!({}), "GET", "/api/queries"),
            ("pihole_get_blocking", json!({}), "GET", "/api/dns/blocking"),
            (
                "pihole_set_blocking",
                json!({"blocking": true}),
                "POST",
                "/api/dns/blocking",
            ),
            (
                "pihole_add_domain",
                json!({"list": "allow", "domain": "a.b"}),
                "POST",
                "/api/domains/allow/exact",
            ),
            (
                "pihole_remove_domain",
                json!({"list": "allow", "domain": "a.b"}),
                "DELETE",
                "/api/domains/allow/exact/a.b",
            ),
            (
                "pihole_search_domain",
                json!({"domain": "a.b"}),
                "GET",
                "/api/search/a.b",
            ),
        ],
    );
}

#[test]
fn bad_arguments_are_refused_before_anything_is_sent() {
    rig().expect_refusals(&[
        ("pihole_get_summary", json!({"x": 1}), "`x`"),
        ("pihole_list_top_domains", json!({"count": 1000}), "`count`"),
        ("pihole_list_queries", json!({"from": "once"}), "from"),
        ("pihole_get_blocking", json!({"x": 1}), "`x`"),
        ("pihole_set_blocking", json!({}), "`blocking`"),
        (
            "pihole_set_blocking",
            json!({"blocking": "perhaps"}),
            "`blocking`",
        ),
        (
            "pihole_add_domain",
            json!({"list": "grey", "domain": "a.b"}),
            "`list`",
        ),
        (
            "pihole_add_domain",
            json!({"list": "deny", "domain": ""}),
            "`domain`",
        ),
        (
            "pihole_remove_domain",
            json!({"list": "deny", "domain": ".."}),
            "domain",
        ),
        ("pihole_search_domain", json!({"partial": true}), "`domain`"),
    ]);
}
