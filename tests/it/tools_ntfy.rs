//! The tools of `config/packs/ntfy.toml` against a fake ntfy.

use siskin::base64;

use crate::fakes::ntfy::{Ntfy, TOKEN};
use crate::support::{Answer, Rig, Upstream, json};

fn rig() -> Rig<Ntfy> {
    Rig::start("services__ntfy", Some(TOKEN), Upstream::start(Ntfy::new()))
}

#[test]
fn tools_and_their_hints() {
    assert_eq!(rig().offers("ntfy_"), ["r list_messages", "w publish"]);
}

#[test]
fn a_message_is_published_as_json_to_the_root() {
    let mut rig = rig();
    let call = rig.expect(
        "ntfy_publish",
        json!({"topic": "alerts", "message": "Backup \"done\"\nin 5 min", "title": "nas", "priority": 4, "tags": ["tada"], "click": "https://nas.lan"}),
        "POST /",
        json!({"id": "hwQ2YpKdmg11", "topic": "alerts", "time": "2025-11-20T14:46:40Z"}),
    );
    assert_eq!(
        call.header("authorization"),
        Some(format!("Bearer {TOKEN}").as_str())
    );
    assert_eq!(
        call.json(),
        json!({"topic": "alerts", "message": "Backup \"done\"\nin 5 min", "title": "nas", "priority": 4, "tags": ["tada"], "click": "https://nas.lan"})
    );
    rig.upstream
        .state(|ntfy| assert_eq!(ntfy.messages.len(), 3));
    let told = rig.failure(
        "ntfy_publish",
        json!({"topic": "alerts", "message": "x", "delay": "soon"}),
    );
    assert_eq!(
        told,
        "ntfy_publish: ntfy answered 400: invalid delay parameter: unable to parse delay"
    );
}

#[test]
fn the_topic_may_be_configured() {
    let topic = ("APP_SERVICES__NTFY__TOPIC", "alerts");
    let mut rig = Rig::start_with(
        "services__ntfy",
        Some(TOKEN),
        Upstream::start(Ntfy::new()),
        &[topic],
    );
    rig.json("ntfy_publish", json!({"message": "x"}));
    assert_eq!(
        rig.upstream.only().json(),
        json!({"topic": "alerts", "message": "x"})
    );
    rig.json("ntfy_list_messages", json!({"topic": "other"}));
    assert_eq!(rig.upstream.only().path(), "/other/json");
}

#[test]
fn messages_are_polled_and_not_waited_for() {
    let mut rig = rig();
    let fine = json!({"time": "2025-11-20T01:53:20Z", "message": "Disk is fine"});
    let full = json!({"time": "2025-11-20T00:53:20Z", "title": "nas", "message": "Disk is full", "priority": 5, "tags": ["warning"]});
    rig.expect_list(
        "ntfy_list_messages",
        json!({"topic": "alerts", "since": "2025-11-20"}),
        "GET /alerts/json?poll=1&since=1763596800",
        json!([fine, full]),
    );
    rig.expect_list(
        "ntfy_list_messages",
        json!({"topic": "alerts", "since": "1763596800", "min_priority": 4}),
        "GET /alerts/json?poll=1&since=1763596800&priority=4%2C5",
        json!([full]),
    );
    // Days are no unit of its own; they are counted here.
    let none = rig.json(
        "ntfy_list_messages",
        json!({"topic": "alerts", "since": "7d"}),
    );
    let since = rig.upstream.only().query("since").unwrap();
    assert!(since.parse::<u64>().is_ok(), "{since}");
    assert_eq!(none["items"], json!([]));
    // An answer without a line is an empty list.
    rig.expect_list(
        "ntfy_list_messages",
        json!({"topic": "quiet", "since": "0"}),
        "GET /quiet/json?poll=1&since=0",
        json!([]),
    );
}

#[test]
fn a_password_and_an_open_server_do_as_well() {
    let mut rig = Rig::start(
        "services__ntfy",
        Some("ada:pass"),
        Upstream::start(Ntfy::new()),
    );
    let told = rig.failure("ntfy_publish", json!({"topic": "a", "message": "x"}));
    assert_eq!(told, "ntfy_publish: ntfy answered 401: unauthorized");
    let header = rig
        .upstream
        .only()
        .header("authorization")
        .unwrap()
        .to_owned();
    assert_eq!(header, format!("Basic {}", base64::encode(b"ada:pass")));

    let mut closed = Rig::start("services__ntfy", None, Upstream::start(Ntfy::new()));
    let told = closed.failure("ntfy_publish", json!({"topic": "a", "message": "x"}));
    assert_eq!(told, "ntfy_publish: ntfy answered 403: forbidden");
    let open = Upstream::start(Ntfy {
        is_closed: false,
        ..Ntfy::new()
    });
    let mut open = Rig::start("services__ntfy", None, open);
    open.json("ntfy_publish", json!({"topic": "a", "message": "x"}));
    assert_eq!(open.upstream.only().header("authorization"), None);
}

#[test]
fn failures_are_told_in_its_words() {
    let mut rig = rig();
    let limit = json!({"code": 42901, "http": 429, "error": "limit reached: too many requests", "link": "https://ntfy.sh/docs/publish/#limitations"});
    rig.expect_failures(
        &Answer::json(429, &limit),
        "ntfy answered 429: limit reached: too many requests",
        &[
            (
                "ntfy_publish",
                json!({"topic": "a", "message": "x"}),
                "POST",
                "/",
            ),
            (
                "ntfy_list_messages",
                json!({"topic": "a"}),
                "GET",
                "/a/json",
            ),
        ],
    );
}

#[test]
fn bad_arguments_are_refused_before_anything_is_sent() {
    rig().expect_refusals(&[
        ("ntfy_publish", json!({"message": "x"}), "`topic`"),
        (
            "ntfy_publish",
            json!({"topic": "a/b", "message": "x"}),
            "`topic`",
        ),
        (
            "ntfy_publish",
            json!({"topic": "a", "message": ""}),
            "`message`",
        ),
        (
            "ntfy_publish",
            json!({"topic": "a", "message": "x", "priority": 6}),
            "`priority`",
        ),
        (
            "ntfy_publish",
            json!({"topic": "a", "message": "x", "click": "nas.lan"}),
            "`click`",
        ),
        (
            "ntfy_list_messages",
            json!({"topic": "a", "since": "breakfast"}),
            "since",
        ),
        (
            "ntfy_list_messages",
            json!({"topic": "a", "min_priority": 0}),
            "`min_priority`",
        ),
    ]);
}
