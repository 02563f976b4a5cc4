//! The tools of `config/packs/vikunja.toml` against a fake Vikunja.

use crate::fakes::vikunja::{NEVER, TOKEN, Vikunja};
use crate::support::{Answer, Rig, Upstream, Value, json};

fn rig() -> Rig<Vikunja> {
    Rig::start("vikunja", Some(TOKEN), Upstream::start(Vikunja::new()))
}

/// One call that succeeds: the request that arrives, with its credentials, and the result.
#[track_caller]
fn check(rig: &mut Rig<Vikunja>, tool: &str, arguments: Value, line: &str, expected: Value) {
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

fn gutter() -> Value {
    json!({"id": 3, "identifier": "HOME-1", "title": "Mend the gutter", "project_id": 1, "done": false,
        "due": "2026-12-01T09:00:00Z", "priority": 3, "labels": ["urgent"], "assignees": ["ada"], "percent_done": 0.25})
}

fn paint() -> Value {
    json!({"id": 4, "identifier": "HOME-2", "title": "Paint", "project_id": 1, "done": true, "priority": 0, "percent_done": 0})
}

#[test]
fn projects_are_listed_shown_and_created() {
    let mut rig = rig();
    let home = json!({"id": 1, "title": "Home", "identifier": "HOME", "parent_project_id": 0, "archived": false});
    let old = json!({"id": 2, "title": "Old", "parent_project_id": 0, "archived": true});
    check(
        &mut rig,
        "vikunja_list_projects",
        json!({}),
        "GET /api/v1/projects?page=1&per_page=50",
        json!({"items": [home], "shown": 1, "total": 1}),
    );
    check(
        &mut rig,
        "vikunja_list_projects",
        json!({"search": "ol", "include_archived": true}),
        "GET /api/v1/projects?s=ol&is_archived=true&page=1&per_page=50",
        json!({"items": [old], "shown": 1, "total": 1}),
    );
    check(
        &mut rig,
        "vikunja_get_project",
        json!({"project_id": 1}),
        "GET /api/v1/projects/1",
        json!({"id": 1, "title": "Home", "description": "<p>house</p>", "identifier": "HOME", "parent_project_id": 0,
            "archived": false, "favorite": false, "owner": "ada",
            "created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z"}),
    );
    // PUT creates: POST would be 405.
    check(
        &mut rig,
        "vikunja_create_project",
        json!({"title": "Garden", "description": "beds & paths\nand <trees>", "parent_project_id": 1, "identifier": "GRD"}),
        "PUT /api/v1/projects",
        json!({"id": 5, "title": "Garden", "identifier": "GRD", "parent_project_id": 1, "created": "2026-01-01T00:00:00Z"}),
    );
    let sent = rig.upstream.calls().last().unwrap().json();
    assert_eq!(
        sent,
        json!({"title": "Garden", "description": "beds &amp; paths<br>and &lt;trees&gt;",
            "parent_project_id": 1, "identifier": "GRD"})
    );
    let listed = rig.json("vikunja_list_projects", json!({"search": "garden"}));
    assert_eq!(listed["items"][0]["id"], 5);
}

#[test]
fn tasks_are_listed_by_project_or_over_all() {
    let mut rig = rig();
    check(
        &mut rig,
        "vikunja_list_tasks",
        json!({"project_id": 1}),
        "GET /api/v1/projects/1/tasks?filter=done%20%3D%20false&page=1&per_page=50",
        json!({"items": [gutter()], "shown": 1, "total": 1}),
    );
    check(
        &mut rig,
        "vikunja_list_tasks",
        json!({"include_done": true, "sort_by": "title", "descending": true}),
        "GET /api/v1/tasks?sort_by=title&order_by=desc&page=1&per_page=50",
        json!({"items": [paint(), gutter()], "shown": 2, "total": 2}),
    );
    check(
        &mut rig,
        "vikunja_list_tasks",
        json!({"filter": "priority >= 4 || percent_done > 0.2", "search": "gutter"}),
        "GET /api/v1/tasks?filter=done%20%3D%20false%20%26%26%20%28priority%20%3E%3D%204%20%7C%7C%20percent_done%20%3E%200.2%29&s=gutter&page=1&per_page=50",
        json!({"items": [gutter()], "shown": 1, "total": 1}),
    );
    check(
        &mut rig,
        "vikunja_search_tasks",
        json!({"query": "paint", "include_done": true}),
        "GET /api/v1/tasks?s=paint&page=1&per_page=50",
        json!({"items": [{"id": 4, "identifier": "HOME-2", "title": "Paint", "project_id": 1, "done": true, "priority": 0}],
            "shown": 1, "total": 1}),
    );
    let open = rig.json("vikunja_search_tasks", json!({"query": "paint"}));
    assert_eq!(open["items"], json!([]));
    rig.upstream.taken();
    check(
        &mut rig,
        "vikunja_list_labels",
        json!({}),
        "GET /api/v1/labels?page=1&per_page=50",
        json!({"items": [{"id": 4, "title": "urgent", "color": "ff0000"}], "shown": 1, "total": 1}),
    );
    let text = rig.failure("vikunja_list_tasks", json!({"filter": "colour = red"}));
    assert!(
        text.contains("400") && text.contains("filter expression"),
        "{text}"
    );
}

#[test]
fn lists_go_on_after_the_first_fifty() {
    let mut vikunja = Vikunja::new();
    for at in 0..120 {
        vikunja.add_task(2, &json!({"title": format!("task {at}")}));
    }
    let mut rig = Rig::start("vikunja", Some(TOKEN), Upstream::start(vikunja));
    let pages = |count: usize| -> Vec<String> {
        let page = |at| format!("GET /api/v1/projects/2/tasks?page={at}&per_page=50");
        (1..=count).map(page).collect()
    };
    let listed = rig.json(
        "vikunja_list_tasks",
        json!({"project_id": 2, "include_done": true, "limit": 500}),
    );
    assert_eq!(rig.upstream.lines(), pages(3));
    let items = listed["items"].as_array().unwrap();
    assert_eq!(
        (items.len(), &items[119]["title"]),
        (120, &json!("task 119"))
    );

    // No more pages than the limit needs, and it is said that there are more.
    let listed = rig.json(
        "vikunja_list_tasks",
        json!({"project_id": 2, "include_done": true, "limit": 60}),
    );
    assert_eq!(rig.upstream.lines(), pages(2));
    assert_eq!(listed["items"].as_array().unwrap().len(), 60);
    assert!(
        listed["note"]
            .as_str()
            .is_some_and(|note| note.contains("60")),
        "{listed}"
    );

    // A page that fails fails the call.
    let url = "/api/v1/projects/2/tasks";
    rig.upstream.next("GET", url, first_page());
    rig.upstream.next(
        "GET",
        url,
        Answer::json(500, &json!({"message": "Internal Server Error"})),
    );
    let text = rig.failure(
        "vikunja_list_tasks",
        json!({"project_id": 2, "include_done": true}),
    );
    assert!(text.contains("500"), "{text}");
}

fn first_page() -> Answer {
    let tasks: Value = (0..50).map(|id| json!({"id": id, "title": "x"})).collect();
    Answer::json(200, &tasks).header("x-pagination-total-pages", "2")
}

#[test]
fn a_task_is_created_and_read_where_vikunja_keeps_it() {
    let mut rig = rig();
    let made = rig.json(
        "vikunja_create_task",
        json!({"project_id": 1, "title": "Prune", "description": "roses\nand vines", "priority": 2, "due_date": "2027-02-01"}),
    );
    let call = rig.upstream.only();
    assert_eq!(call.line(), "PUT /api/v1/projects/1/tasks");
    assert_eq!(
        call.json(),
        json!({"title": "Prune", "description": "roses<br>and vines", "priority": 2, "due_date": "2027-02-01T00:00:00Z"})
    );
    assert_eq!(
        made,
        json!({"id": 5, "identifier": "HOME-3", "title": "Prune", "project_id": 1, "due": "2027-02-01T00:00:00Z", "priority": 2})
    );
    let shown = rig.json("vikunja_get_task", json!({"task_id": 5}));
    assert_eq!(shown["description"], "roses<br>and vines");
    rig.upstream.taken();
    // Without a date none is sent, and the null date is not shown.
    let made = rig.json(
        "vikunja_create_task",
        json!({"project_id": 1, "title": "Weed"}),
    );
    assert_eq!(rig.upstream.only().json(), json!({"title": "Weed"}));
    assert!(made.get("due").is_none(), "{made}");

    // The project is not part of the path; old clients still name it.
    check(
        &mut rig,
        "vikunja_get_task",
        json!({"project_id": 99, "task_id": 3}),
        "GET /api/v1/tasks/3",
        json!({"id": 3, "identifier": "HOME-1", "title": "Mend the gutter", "description": "<p>north side</p>",
            "project_id": 1, "done": false, "due": "2026-12-01T09:00:00Z", "priority": 3, "percent_done": 0.25,
            "labels": ["urgent"], "assignees": ["ada"], "reminders": ["2026-11-30T09:00:00Z"], "repeat_after_s": 86400,
            "color": "00ff00", "favorite": true, "created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z",
            "created_by": "ada"}),
    );
}

#[test]
fn an_update_changes_what_was_named_and_keeps_the_rest() {
    let mut rig = rig();
    let before = rig.upstream.state(|vikunja| vikunja.tasks[0].clone());
    let shown = rig.json(
        "vikunja_update_task",
        json!({"project_id": 1, "task_id": 3, "percent_done": 0.5}),
    );
    assert_eq!(shown["percent_done"], 0.5);
    let calls = rig.upstream.taken();
    let lines: Vec<_> = calls.iter().map(|call| call.line()).collect();
    assert_eq!(lines, ["GET /api/v1/tasks/3", "POST /api/v1/tasks/3"]);
    assert!(
        calls[1].json().get("labels").is_none(),
        "labels have an endpoint of their own"
    );
    let mut expected = before;
    expected["percent_done"] = json!(0.5);
    rig.upstream
        .state(|vikunja| assert_eq!(vikunja.tasks[0], expected));

    // Done, open again, and what repeats opens by itself.
    for (task_id, done, expected) in [(4, false, false), (4, true, true), (3, true, false)] {
        let shown = rig.json(
            "vikunja_update_task",
            json!({"task_id": task_id, "done": done}),
        );
        assert_eq!(shown["done"], expected, "task {task_id}");
    }

    // False, zero and empty are values.
    rig.json(
        "vikunja_update_task",
        json!({"task_id": 3, "done": false, "priority": 0, "description": "", "percent_done": 0}),
    );
    rig.upstream.state(|vikunja| {
        let task = &vikunja.tasks[0];
        assert_eq!(
            (
                &task["done"],
                &task["priority"],
                &task["description"],
                &task["percent_done"]
            ),
            (&json!(false), &json!(0), &json!(""), &json!(0))
        );
        assert_eq!(task["title"], "Mend the gutter");
        assert_eq!(task["due_date"], "2026-12-01T09:00:00Z");
    });

    // A date is set, and taken away.
    rig.json(
        "vikunja_update_task",
        json!({"task_id": 3, "title": "Gutter", "due_date": "2027-01-01T10:00:00+02:00"}),
    );
    rig.upstream
        .state(|vikunja| assert_eq!(vikunja.tasks[0]["due_date"], "2027-01-01T08:00:00Z"));
    rig.json(
        "vikunja_update_task",
        json!({"task_id": 3, "due_date": "none"}),
    );
    rig.upstream.state(|vikunja| {
        let task = &vikunja.tasks[0];
        assert_eq!(
            (&task["due_date"], &task["title"]),
            (&json!(NEVER), &json!("Gutter"))
        );
        assert_eq!(task["assignees"][0]["username"], "ada");
        assert_eq!(task["reminders"][0]["reminder"], "2026-11-30T09:00:00Z");
    });
}

#[test]
fn a_task_is_deleted_once() {
    let mut rig = rig();
    assert_eq!(
        rig.text("vikunja_delete_task", json!({"task_id": 4})),
        "Task 4 deleted."
    );
    assert_eq!(rig.upstream.only().line(), "DELETE /api/v1/tasks/4");
    let text = rig.failure(
        "vikunja_delete_task",
        json!({"project_id": 1, "task_id": 4}),
    );
    assert!(text.contains("no task 4"), "{text}");
    rig.upstream
        .state(|vikunja| assert_eq!(vikunja.tasks.len(), 1));
}

#[test]
fn errors_of_vikunja_reach_the_model() {
    let mut rig = rig();
    for (tool, arguments, words) in [
        (
            "vikunja_get_project",
            json!({"project_id": 9}),
            "This project does not exist",
        ),
        (
            "vikunja_list_tasks",
            json!({"project_id": 9}),
            "This project does not exist",
        ),
        (
            "vikunja_create_task",
            json!({"project_id": 9, "title": "x"}),
            "This project does not exist",
        ),
        ("vikunja_get_task", json!({"task_id": 9}), "no task 9"),
        (
            "vikunja_update_task",
            json!({"task_id": 9, "done": true}),
            "no task 9",
        ),
    ] {
        let text = rig.failure(tool, arguments);
        assert!(text.contains(words), "{tool}: {text}");
        rig.upstream.only();
    }
    rig.upstream.next(
        "PUT",
        "/api/v1/projects",
        Answer::json(412, &json!({"code": 2002, "message": "Invalid Data", "invalid_fields": ["identifier: taken"]})),
    );
    let text = rig.failure("vikunja_create_project", json!({"title": "x"}));
    assert!(
        text.contains("412") && text.contains("identifier: taken"),
        "{text}"
    );

    let wrong = "tk_wrong_token_of_someone";
    let mut rig = Rig::start("vikunja", Some(wrong), Upstream::start(Vikunja::new()));
    for (tool, arguments) in [
        ("vikunja_list_projects", json!({})),
        ("vikunja_list_labels", json!({})),
        ("vikunja_search_tasks", json!({"query": "x"})),
        ("vikunja_delete_task", json!({"task_id": 3})),
    ] {
        let text = rig.failure(tool, arguments);
        assert!(
            text.contains("401") && text.contains("otherwise invalid token"),
            "{tool}: {text}"
        );
        assert!(!text.contains(wrong), "{text}");
    }
}

#[test]
fn arguments_mean_what_they_say_or_are_refused() {
    let mut rig = rig();
    for (tool, arguments, words) in [
        ("vikunja_list_projects", json!({"page": 2}), "page"),
        ("vikunja_get_project", json!({}), "project_id"),
        (
            "vikunja_get_project",
            json!({"project_id": "../tasks/1"}),
            "project_id",
        ),
        (
            "vikunja_get_project",
            json!({"project_id": 0}),
            "project_id",
        ),
        (
            "vikunja_create_project",
            json!({"title": "t".repeat(251)}),
            "title",
        ),
        (
            "vikunja_create_project",
            json!({"title": "x", "identifier": "ELEVENCHARS"}),
            "identifier",
        ),
        ("vikunja_list_tasks", json!({"limit": 501}), "limit"),
        (
            "vikunja_list_tasks",
            json!({"sort_by": "colour"}),
            "due_date",
        ),
        ("vikunja_search_tasks", json!({}), "query"),
        ("vikunja_list_labels", json!({"limit": 5}), "limit"),
        ("vikunja_get_task", json!({"project_id": 1}), "task_id"),
        ("vikunja_create_task", json!({"project_id": 1}), "title"),
        (
            "vikunja_create_task",
            json!({"project_id": 1, "title": "x", "priority": 6}),
            "priority",
        ),
        (
            "vikunja_create_task",
            json!({"project_id": 1, "title": "x", "due_date": "7d"}),
            "due_date",
        ),
        (
            "vikunja_create_task",
            json!({"project_id": 1, "title": "x", "due_date": "2026-02-30"}),
            "due_date",
        ),
        (
            "vikunja_update_task",
            json!({"task_id": 3, "done": "perhaps"}),
            "done",
        ),
        (
            "vikunja_update_task",
            json!({"task_id": 3, "title": ""}),
            "title",
        ),
        (
            "vikunja_update_task",
            json!({"task_id": 3, "due": "none"}),
            "due_date",
        ),
        ("vikunja_delete_task", json!({"task_id": 3.5}), "task_id"),
    ] {
        rig.refused(tool, arguments, words);
    }
}

#[test]
fn readiness_asks_the_service_with_the_token() {
    let line = "GET /api/v1/projects?per_page=1".to_owned();
    assert_eq!(rig().probe(), (line.clone(), true));
    let wrong = Rig::start("vikunja", Some("wrong"), Upstream::start(Vikunja::new()));
    assert_eq!(wrong.probe(), (line, false));
}
