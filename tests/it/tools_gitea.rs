//! The tools of `config/packs/gitea.toml` against a fake Gitea.

use crate::fakes::gitea::{Gitea, TOKEN};
use crate::support::{Answer, Rig, Upstream, Value, json};

fn rig() -> Rig<Gitea> {
    Rig::start(
        "services__gitea",
        Some(TOKEN),
        Upstream::start(Gitea::new()),
    )
}

/// Arguments about the one repository there is.
fn garden(more: Value) -> Value {
    let mut arguments = json!({"owner": "ada", "repo": "garden"});
    for (name, value) in more.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    arguments
}

fn numbers(list: &Value) -> Vec<u64> {
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| item["number"].as_u64().unwrap()).collect()
}

#[test]
fn tools_and_their_hints() {
    let expected = [
        "r get_file",
        "r get_issue",
        "r list_issues",
        "r list_notifications",
        "r list_runs",
        "r search_repos",
        "w add_comment",
        "w create_issue",
    ];
    assert_eq!(rig().offers("gitea_"), expected);
}

#[test]
fn repositories_are_found() {
    let mut rig = rig();
    let call = rig.expect_list(
        "gitea_search_repos",
        json!({"query": "gard"}),
        "GET /api/v1/repos/search?q=gard&page=1&limit=50",
        json!([{"full_name": "ada/garden", "description": "What grows where", "private": false, "archived": false, "fork": false, "language": "Rust",
            "stars": 2, "open_issues": 118, "open_pulls": 1, "branch": "main", "updated": "2026-11-20T08:00:00Z"}]),
    );
    assert_eq!(
        call.header("authorization"),
        Some(format!("token {TOKEN}").as_str())
    );
}

#[test]
fn issues_come_in_pages_of_fifty_at_most() {
    let mut rig = rig();
    let few = rig.json("gitea_list_issues", garden(json!({"limit": 2})));
    assert_eq!(numbers(&few), [118, 117]);
    assert_eq!(
        (&few["shown"], &few["total"]),
        (&json!(2), &json!(118)),
        "{few}"
    );
    assert_eq!(
        rig.upstream.lines(),
        ["GET /api/v1/repos/ada/garden/issues?state=open&type=issues&page=1&limit=50"]
    );

    let all = rig.json("gitea_list_issues", garden(json!({"limit": 500})));
    assert_eq!((numbers(&all).len(), &all["total"]), (118, &json!(118)));
    let lines = rig.upstream.lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[2].ends_with("&page=3&limit=50"), "{lines:?}");

    // A server with a smaller cap gives shorter pages, which are not the last.
    rig.upstream.state(|gitea| gitea.page_max = 40);
    let all = rig.json("gitea_list_issues", garden(json!({"limit": 500})));
    assert_eq!((numbers(&all).len(), &all["total"]), (118, &json!(118)));
    assert_eq!(rig.upstream.lines().len(), 3);
    let some = rig.json("gitea_list_issues", garden(json!({"limit": 45})));
    assert_eq!((numbers(&some).len(), &some["total"]), (45, &json!(118)));
    assert_eq!(rig.upstream.lines().len(), 2);
}

#[test]
fn issues_are_filtered_there() {
    let mut rig = rig();
    let pulls = rig.json(
        "gitea_list_issues",
        garden(json!({"type": "pulls", "state": "all"})),
    );
    assert_eq!(numbers(&pulls), [119]);
    let found = rig.json(
        "gitea_list_issues",
        garden(json!({"query": "Issue 77", "labels": "soil,water"})),
    );
    assert_eq!(
        found["items"],
        json!([{"number": 77, "title": "Issue 77", "state": "open", "author": "ada", "labels": ["soil"], "assignees": ["ada"], "comments": 0, "updated": "2026-11-20T08:00:00Z"}])
    );
    assert_eq!(
        rig.upstream.lines()[1],
        "GET /api/v1/repos/ada/garden/issues?state=open&type=issues&q=Issue%2077&labels=soil%2Cwater&page=1&limit=50"
    );
}

#[test]
fn an_issue_is_opened_read_and_commented() {
    let mut rig = rig();
    let call = rig.expect(
        "gitea_create_issue",
        garden(json!({"title": "Slugs", "body": "Many.", "assignees": ["ada"]})),
        "POST /api/v1/repos/ada/garden/issues",
        json!({"number": 121, "title": "Slugs", "state": "open", "url": "http://git.lan/ada/garden/issues/121"}),
    );
    assert_eq!(
        call.json(),
        json!({"title": "Slugs", "body": "Many.", "assignees": ["ada"]})
    );
    rig.expect(
        "gitea_get_issue",
        garden(json!({"index": 121})),
        "GET /api/v1/repos/ada/garden/issues/121",
        json!({"number": 121, "title": "Slugs", "body": "Many.", "state": "open", "author": "ada", "labels": ["soil"], "assignees": ["ada"],
            "comments": 0, "created": "2026-11-20T08:00:00Z", "updated": "2026-11-20T08:00:00Z", "url": "http://git.lan/ada/garden/issues/121"}),
    );
    let call = rig.expect(
        "gitea_add_comment",
        garden(json!({"index": 121, "body": "Beer helps."})),
        "POST /api/v1/repos/ada/garden/issues/121/comments",
        json!({"id": 901, "url": "http://git.lan/ada/garden/issues/121#issuecomment-901"}),
    );
    assert_eq!(call.json(), json!({"body": "Beer helps."}));
    rig.upstream.state(|gitea| {
        assert_eq!(gitea.comments, [(121, "Beer helps.".to_owned())]);
        gitea.is_archived = true;
    });
    let told = rig.failure("gitea_create_issue", garden(json!({"title": "More slugs"})));
    assert!(
        told.contains("`ada/garden` is archived and takes no issues"),
        "{told}"
    );
}

#[test]
fn files_are_text_at_a_path_of_many_segments() {
    let mut rig = rig();
    rig.expect_text(
        "gitea_get_file",
        garden(json!({"path": "docs/how to/plant.md", "ref": "main"})),
        "GET /api/v1/repos/ada/garden/raw/docs/how%20to/plant.md?ref=main",
        "# Plant\n\nDig, put, water.\n",
    );
    let told = rig.failure("gitea_get_file", garden(json!({"path": "logo.png"})));
    assert!(told.starts_with("gitea_get_file: "), "{told}");
    let told = rig.failure("gitea_get_file", garden(json!({"path": "docs/none.md"})));
    assert!(
        told.contains("no file `docs/none.md` in `ada/garden`"),
        "{told}"
    );
    rig.upstream.taken();
    for path in [
        "../../../users",
        "docs/../../x",
        "/etc/passwd",
        "docs//x",
        ".",
    ] {
        rig.refused("gitea_get_file", garden(json!({"path": path})), "path");
    }
}

#[test]
fn notifications_and_runs_are_listed() {
    let mut rig = rig();
    let issue = |title: &str, is_unread: bool| {
        json!({"repo": "ada/garden", "type": "Issue", "title": title, "state": "open", "unread": is_unread,
            "updated": "2026-11-20T08:00:00Z", "url": "http://git.lan/ada/garden/issues/3"})
    };
    let line = |all: bool| format!("GET /api/v1/notifications?all={all}&page=1&limit=50");
    rig.expect_list(
        "gitea_list_notifications",
        json!({}),
        &line(false),
        json!([issue("Issue 3", true)]),
    );
    rig.expect_list(
        "gitea_list_notifications",
        json!({"all": true}),
        &line(true),
        json!([issue("Issue 3", true), issue("Issue 1", false)]),
    );
    rig.expect_list(
        "gitea_list_runs",
        garden(json!({"status": "failure"})),
        "GET /api/v1/repos/ada/garden/actions/runs?limit=20&status=failure",
        json!([{"id": 1, "title": "Water more", "workflow": "test.yml@refs/heads/main", "event": "push", "branch": "main", "commit": "8d1add8d99d8",
            "status": "completed", "conclusion": "failure", "started": "2026-11-20T08:00:00Z", "completed": "2026-11-20T08:00:00Z", "url": "http://git.lan/ada/garden/actions/runs/1"}]),
    );
}

#[test]
fn failures_are_told_in_its_words() {
    let mut rig = rig();
    let issues = "/api/v1/repos/ada/garden/issues";
    rig.expect_failures(
        &Answer::json(403, &json!({"message": "token does not have at least one of required scope(s): [read:issue]", "url": "http://git.lan/api/swagger"})),
        "Gitea answered 403: token does not have at least one of required scope(s): [read:issue]",
        &[
            ("gitea_search_repos", json!({}), "GET", "/api/v1/repos/search"),
            ("gitea_list_issues", garden(json!({})), "GET", issues),
            ("gitea_get_issue", garden(json!({"index": 1})), "GET", "/api/v1/repos/ada/garden/issues/1"),
            ("gitea_create_issue", garden(json!({"title": "x"})), "POST", issues),
            ("gitea_add_comment", garden(json!({"index": 1, "body": "x"})), "POST", "/api/v1/repos/ada/garden/issues/1/comments"),
            ("gitea_get_file", garden(json!({"path": "a"})), "GET", "/api/v1/repos/ada/garden/raw/a"),
            ("gitea_list_notifications", json!({}), "GET", "/api/v1/notifications"),
            ("gitea_list_runs", garden(json!({})), "GET", "/api/v1/repos/ada/garden/actions/runs"),
        ],
    );
    let hidden = "or the token may not see it";
    for (tool, arguments, more) in [
        ("gitea_list_issues", json!({}), hidden),
        ("gitea_create_issue", json!({"title": "x"}), hidden),
        (
            "gitea_list_runs",
            json!({}),
            "or this server does not tell of runs",
        ),
    ] {
        let mut arguments = garden(arguments);
        arguments["owner"] = json!("eve");
        let told = rig.failure(tool, arguments);
        assert_eq!(told, format!("{tool}: no repository `eve/garden`, {more}"));
    }
    let told = rig.failure("gitea_get_issue", garden(json!({"index": 999})));
    assert!(told.contains("no issue 999 in `ada/garden`"), "{told}");
}

#[test]
fn bad_arguments_are_refused_before_anything_is_sent() {
    rig().expect_refusals(&[
        ("gitea_search_repos", json!({"limit": 501}), "`limit`"),
        ("gitea_list_issues", json!({"owner": "ada"}), "`repo`"),
        (
            "gitea_list_issues",
            garden(json!({"state": "done"})),
            "`state`",
        ),
        (
            "gitea_get_issue",
            garden(json!({"index": "#12"})),
            "`index`",
        ),
        (
            "gitea_get_issue",
            json!({"owner": "ada/x", "repo": "garden", "index": 1}),
            "`owner`",
        ),
        (
            "gitea_create_issue",
            garden(json!({"title": ""})),
            "`title`",
        ),
        ("gitea_add_comment", garden(json!({"index": 1})), "`body`"),
        ("gitea_get_file", garden(json!({})), "`path`"),
        ("gitea_list_notifications", json!({"all": 3}), "`all`"),
        (
            "gitea_list_runs",
            garden(json!({"status": "broken"})),
            "`status`",
        ),
    ]);
}
