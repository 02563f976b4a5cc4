//! The tools of `config/packs/silverbullet.toml` against a fake SilverBullet.

use crate::fakes::silverbullet::{SilverBullet, TOKEN};
use crate::support::{Answer, Rig, Upstream, Value, json};

const WITH_GREP: &[(&str, &str)] = &[("APP_SILVERBULLET__GREP", "true")];

fn rig() -> Rig<SilverBullet> {
    let upstream = Upstream::start(SilverBullet::new());
    Rig::start_with("silverbullet", Some(TOKEN), upstream, WITH_GREP)
}

#[track_caller]
fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

#[test]
fn pages_are_listed_without_pictures_and_library() {
    let mut rig = rig();
    let listed = rig.json("silverbullet_list_pages", json!({}));
    let call = rig.upstream.only();
    assert_eq!(call.line(), "GET /.fs");
    assert_eq!(call.header("x-sync-mode"), Some("true"));
    assert_eq!(
        call.header("authorization"),
        Some(format!("Bearer {TOKEN}").as_str())
    );
    assert_eq!(
        listed,
        json!({"items": [
            {"name": "Projects/Garden plan", "modified": "2023-11-14T22:17:20Z", "size": 28, "permission": "rw"},
            {"name": "index", "modified": "2023-11-14T22:14:20Z", "size": 38, "permission": "rw"},
        ], "shown": 2, "total": 2})
    );
    for (arguments, expected) in [
        (json!({"prefix": "Projects/"}), vec!["Projects/Garden plan"]),
        (json!({"contains": "GARDEN"}), vec!["Projects/Garden plan"]),
        (
            json!({"include_library": true, "limit": 2}),
            vec!["Projects/Garden plan", "Library/Std"],
        ),
        (json!({"prefix": "Nowhere/"}), vec![]),
    ] {
        let listed = rig.json("silverbullet_list_pages", arguments);
        assert_eq!(names(&listed), expected);
    }
}

#[test]
fn a_search_finds_what_matches_and_nothing_else() {
    let mut rig = rig();
    for (arguments, expected) in [
        (json!({"query": "garden"}), vec!["Projects/Garden plan"]),
        (json!({"query": "std"}), vec![]),
        (
            json!({"query": "std", "include_library": true}),
            vec!["Library/Std"],
        ),
        (
            json!({"query": ".md"}),
            vec!["Projects/Garden plan", "index"],
        ),
        (json!({"query": "nothing of the kind"}), vec![]),
    ] {
        let found = rig.json("silverbullet_search_pages", arguments.clone());
        assert_eq!(names(&found), expected, "{arguments}");
        assert_eq!(rig.upstream.only().line(), "GET /.fs");
    }
}

#[test]
fn contents_are_searched_by_the_servers_grep() {
    let mut rig = rig();
    let found = rig.json("silverbullet_grep", json!({"text": "TOMATO"}));
    assert_eq!(
        found["items"],
        json!(["Library/Std", "Projects/Garden plan"])
    );
    let call = rig.upstream.only();
    assert_eq!(call.line(), "POST /.shell");
    assert_eq!(
        call.json(),
        json!({"cmd": "grep", "args": ["-rilF", "--include=*.md", "--", "TOMATO", "."]})
    );
    // What looks like an option, or like a second command, is text.
    for text in ["--version", "; rm -rf /", "$(id)"] {
        let found = rig.json("silverbullet_grep", json!({"text": text}));
        assert_eq!(found["items"], json!([]), "{text}");
    }
    // "Not allowed" is 200.
    rig.upstream.taken();
    rig.upstream.next(
        "POST",
        "/.shell",
        Answer::json(
            200,
            &json!({"stdout": "", "stderr": "Not allowed, command not in whitelist", "code": -1}),
        ),
    );
    let text = rig.failure("silverbullet_grep", json!({"text": "x"}));
    assert!(text.contains("not in whitelist"), "{text}");
    let broken = json!({"stdout": "", "stderr": "grep: .: Permission denied", "code": 2});
    rig.upstream
        .next("POST", "/.shell", Answer::json(200, &broken));
    let text = rig.failure("silverbullet_grep", json!({"text": "x"}));
    assert!(text.contains("Permission denied"), "{text}");
    rig.upstream.state(|space| space.has_shell = false);
    let text = rig.failure("silverbullet_grep", json!({"text": "x"}));
    assert!(
        text.contains("405") && text.contains("Shell commands are disabled"),
        "{text}"
    );
}

#[test]
fn grep_is_offered_only_where_it_is_configured() {
    let mut with = rig();
    let has_grep = |tools: Vec<Value>| tools.iter().any(|tool| tool["name"] == "silverbullet_grep");
    assert!(has_grep(with.tools()));
    let upstream = Upstream::start(SilverBullet::new());
    let mut without = Rig::start("silverbullet", Some(TOKEN), upstream);
    assert!(!has_grep(without.tools()));
}

#[test]
fn a_page_is_made_read_replaced_and_deleted() {
    let mut rig = rig();
    let page = "Projects/C++ & 100% #1?";
    let path = "/.fs/Projects/C%2B%2B%20%26%20100%25%20%231%3F.md";
    let text = rig.text(
        "silverbullet_create_page",
        json!({"page_name": page, "content": "# Caf\u{e9}\n"}),
    );
    assert_eq!(text, format!("Page `{page}` created."));
    let calls = rig.upstream.taken();
    assert_eq!(calls[0].line(), format!("GET {path}"));
    assert_eq!(calls[0].header("x-get-meta"), Some("true"));
    assert_eq!(calls[1].line(), format!("PUT {path}"));
    assert_eq!(calls[1].header("content-type"), Some("text/markdown"));
    assert_eq!(calls[1].header("x-get-meta"), None);
    assert_eq!(calls[1].text(), "# Caf\u{e9}\n");

    for tool in ["silverbullet_get_page", "silverbullet_read_page"] {
        assert_eq!(rig.text(tool, json!({"page_name": page})), "# Caf\u{e9}\n");
        let call = rig.upstream.only();
        assert_eq!(
            (call.line(), call.header("x-get-meta")),
            (format!("GET {path}"), None)
        );
    }

    // It is in the list, changed last.
    let listed = rig.json("silverbullet_list_pages", json!({"limit": 1}));
    assert_eq!(names(&listed), [page]);
    rig.upstream.taken();

    // What exists is not made again, what does not is not replaced.
    let text = rig.failure(
        "silverbullet_create_page",
        json!({"page_name": page, "content": "lost"}),
    );
    assert!(text.contains("exists already"), "{text}");
    let text = rig.failure(
        "silverbullet_update_page",
        json!({"page_name": "New", "content": "lost"}),
    );
    assert!(text.contains("silverbullet_create_page"), "{text}");
    assert_eq!(
        rig.upstream.lines(),
        [format!("GET {path}"), "GET /.fs/New.md".to_owned()]
    );

    rig.text(
        "silverbullet_update_page",
        json!({"page_name": page, "content": ""}),
    );
    assert_eq!(
        rig.upstream.lines(),
        [format!("GET {path}"), format!("PUT {path}")]
    );
    rig.upstream
        .state(|space| assert_eq!(space.text(&format!("{page}.md")).as_deref(), Some("")));

    // With or without asking.
    rig.text(
        "silverbullet_write_page",
        json!({"page_name": "New.md", "content": "a"}),
    );
    rig.text(
        "silverbullet_write_page",
        json!({"page_name": "New", "content": "b"}),
    );
    assert_eq!(rig.upstream.lines(), ["PUT /.fs/New.md", "PUT /.fs/New.md"]);
    rig.upstream
        .state(|space| assert_eq!(space.text("New.md").as_deref(), Some("b")));

    let text = rig.text("silverbullet_delete_page", json!({"page_name": page}));
    assert_eq!(text, format!("Page `{page}` deleted."));
    assert_eq!(rig.upstream.only().line(), format!("DELETE {path}"));
    for tool in [
        "silverbullet_delete_page",
        "silverbullet_get_page",
        "silverbullet_get_page_meta",
    ] {
        let text = rig.failure(tool, json!({"page_name": page}));
        assert!(text.contains("no page `Projects/C++"), "{tool}: {text}");
    }
}

#[test]
fn facts_of_a_page_come_from_headers() {
    let mut rig = rig();
    let facts = rig.json("silverbullet_get_page_meta", json!({"page_name": "index"}));
    assert_eq!(
        facts,
        json!({"created": "2023-11-14T22:14:20Z", "modified": "2023-11-14T22:14:20Z", "size": "38", "permission": "rw"})
    );
    let call = rig.upstream.only();
    assert_eq!(
        (call.line().as_str(), call.header("x-get-meta")),
        ("GET /.fs/index.md", Some("true"))
    );
}

#[test]
fn servers_before_the_rewrite_are_served_too() {
    let mut space = SilverBullet::new();
    space.is_old = true;
    let mut rig = Rig::start("silverbullet", Some(TOKEN), Upstream::start(space));
    assert_eq!(
        names(&rig.json("silverbullet_list_pages", json!({}))).len(),
        2
    );
    // Those read `+` as a space: it must not stand there bare.
    rig.text(
        "silverbullet_write_page",
        json!({"page_name": "C++", "content": "x"}),
    );
    rig.upstream
        .state(|space| assert!(space.text("C++.md").is_some()));
}

#[test]
fn a_space_below_a_path_and_a_login_page_are_told_apart() {
    let upstream = Upstream::start_under("/garden", SilverBullet::new());
    let mut rig = Rig::start("silverbullet", Some(TOKEN), upstream);
    assert_eq!(
        rig.text("silverbullet_get_page", json!({"page_name": "index"})),
        "Welcome. See [[Projects/Garden plan]]."
    );
    assert_eq!(rig.upstream.only().line(), "GET /garden/.fs/index.md");

    // Without a token an old server sends to its login page, which is no page of the space.
    let mut space = SilverBullet::new();
    space.is_old = true;
    let mut rig = Rig::start("silverbullet", None, Upstream::start(space));
    let text = rig.failure("silverbullet_get_page", json!({"page_name": "index"}));
    assert!(text.contains("302"), "{text}");
    let call = rig.upstream.only();
    assert_eq!(call.header("authorization"), None);
}

#[test]
fn a_colon_in_the_token_means_basic() {
    let upstream = Upstream::start(SilverBullet::new());
    let mut rig = Rig::start("silverbullet", Some("ada:secret"), upstream);
    for (tool, arguments) in [
        ("silverbullet_list_pages", json!({})),
        ("silverbullet_search_pages", json!({"query": "x"})),
    ] {
        let text = rig.failure(tool, arguments);
        assert!(text.contains("401") && !text.contains("secret"), "{text}");
        let call = rig.upstream.only();
        let basic = Some("Basic YWRhOnNlY3JldA==");
        assert_eq!(call.header("authorization"), basic);
    }
}

#[test]
fn a_read_only_space_says_so() {
    let mut rig = rig();
    rig.upstream.state(|space| space.is_read_only = true);
    for (tool, arguments) in [
        (
            "silverbullet_create_page",
            json!({"page_name": "New", "content": "x"}),
        ),
        (
            "silverbullet_update_page",
            json!({"page_name": "index", "content": "x"}),
        ),
        (
            "silverbullet_write_page",
            json!({"page_name": "New", "content": "x"}),
        ),
        ("silverbullet_delete_page", json!({"page_name": "index"})),
    ] {
        let text = rig.failure(tool, arguments);
        assert!(
            text.contains("403") && text.contains("read-only"),
            "{tool}: {text}"
        );
    }
    rig.upstream.state(|space| assert_eq!(space.files.len(), 4));
}

#[test]
fn arguments_stay_inside_the_space_or_are_refused() {
    let mut rig = rig();
    for tool in [
        "silverbullet_get_page",
        "silverbullet_get_page_meta",
        "silverbullet_delete_page",
    ] {
        for name in [
            "../secrets",
            "a/../../b",
            "a//b",
            "/etc/passwd",
            "./a",
            "a/.",
            "..",
            "",
        ] {
            rig.refused(tool, json!({"page_name": name}), "page_name");
        }
    }
    for (tool, arguments, words) in [
        (
            "silverbullet_create_page",
            json!({"page_name": "../x", "content": "x"}),
            "page_name",
        ),
        (
            "silverbullet_create_page",
            json!({"page_name": "x"}),
            "content",
        ),
        (
            "silverbullet_update_page",
            json!({"content": "x"}),
            "page_name",
        ),
        (
            "silverbullet_write_page",
            json!({"page_name": "../x", "content": "x"}),
            "page_name",
        ),
        ("silverbullet_list_pages", json!({"limit": 0}), "limit"),
        ("silverbullet_search_pages", json!({}), "query"),
        ("silverbullet_search_pages", json!({"query": ""}), "query"),
        ("silverbullet_grep", json!({"query": "x"}), "text"),
    ] {
        rig.refused(tool, arguments, words);
    }
    // What is encoded already is a name like any other.
    let text = rig.failure("silverbullet_get_page", json!({"page_name": "%2e%2e/x"}));
    assert!(text.contains("no page"), "{text}");
    assert_eq!(rig.upstream.only().line(), "GET /.fs/%252e%252e/x.md");
}

#[test]
fn readiness_asks_the_service_with_the_token() {
    let line = "GET /.config".to_owned();
    assert_eq!(rig().probe(), (line.clone(), true));
    let wrong = Rig::start(
        "silverbullet",
        Some("wrong"),
        Upstream::start(SilverBullet::new()),
    );
    assert_eq!(wrong.probe(), (line, false));
}
