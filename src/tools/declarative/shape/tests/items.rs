//! What the items are and which of them stay: `at` to `limit`.

use serde_json::{Value, json};

use super::{answer, check, object, response, shaped};

#[test]
fn the_payload_is_found() {
    let value = json!({"data": {"result": [1, 2]}, "spec": {"a": 1}});
    check("at = '/data/result'", value.clone(), json!([1, 2]));
    check(
        "at = ['/dashboard', '/spec']",
        value.clone(),
        json!({"a": 1}),
    );
    check("at = ''", value.clone(), value.clone());
    check("", value.clone(), value.clone());
    check("at = '/a~1b/~0c'", json!({"a/b": {"~c": 5}}), json!(5));
    let error = response("at = ['/x', '/data/y']")
        .document(value)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the answer has nothing at `/x` or `/data/y`: the service may be of another version"
    );
}

#[test]
fn nothing_is_the_empty_list_where_a_list_is_meant() {
    for toml in [
        "list = true",
        "limit = 5",
        "sort = 'a'",
        "at = '/data'\nlist = true",
        "each = '[].a'",
        "entries = 'k'\nlist = true",
        "lines = true",
    ] {
        check(toml, Value::Null, json!([]));
    }
    check(
        "at = '/data'\nlist = true",
        json!({"data": null}),
        json!([]),
    );
    check("list = true", json!({"a": 1}), json!([{"a": 1}]));
    // Without it, one value stays one value.
    check("", json!({"a": 1}), json!({"a": 1}));
    check("", Value::Null, Value::Null);
}

#[test]
fn lists_of_lists_entries_and_lines() {
    let groups = json!({"groups": [{"rules": [{"n": 1}, {"n": 2}]}, {"rules": []}, {"x": 1}, {"rules": [{"n": 3}]}]});
    check(
        "at = '/groups'\neach = '[].rules'",
        groups.clone(),
        json!([{"n": 1}, {"n": 2}, {"n": 3}]),
    );
    check(
        "each = 'groups[].rules[].n'",
        groups.clone(),
        json!([1, 2, 3]),
    );
    check("each = 'groups[].nothing[]'", groups, json!([]));
    let metadata = json!({"up": [{"type": "gauge"}], "x": {"type": "counter"}, "y": 3});
    check(
        "entries = 'metric'",
        metadata,
        json!([{"metric": "up", "value": [{"type": "gauge"}]}, {"metric": "x", "type": "counter"}, {"metric": "y", "value": 3}]),
    );
    check("entries = 'k'", json!([{"a": 1}]), json!([{"a": 1}]));
    check(
        "at = '/stdout'\nlines = true",
        json!({"stdout": "a.md\n\nb.md\r\n"}),
        json!(["a.md", "b.md"]),
    );
    assert!(response("lines = true").document(json!([1])).is_err());
}

#[test]
fn every_test_has_its_opposite() {
    let items = || json!([{"n": "Web-1", "s": "up", "c": 5, "t": ["a", "b"], "on": true}, {"n": "db", "s": "down", "c": 7}]);
    for (condition, expected) in [
        ("{ path = 's', eq = 'up' }", "Web-1"),
        ("{ path = 's', ne = 'up' }", "db"),
        ("{ path = 'c', eq = 5 }", "Web-1"),
        ("{ path = 'c', eq = '7' }", "db"),
        ("{ path = 'c', eq = 7.0 }", "db"),
        ("{ path = 'on', eq = true }", "Web-1"),
        ("{ path = 'on', ne = true }", "db"),
        ("{ path = 'n', contains = 'eb' }", "Web-1"),
        ("{ path = 'n', contains = 'web' }", ""),
        ("{ path = 'n', icontains = 'WEB' }", "Web-1"),
        ("{ path = 't', contains = 'a' }", "Web-1"),
        ("{ path = 't', icontains = 'B' }", "Web-1"),
        ("{ path = 't[]', eq = 'b' }", "Web-1"),
        ("{ path = 't[]', ne = 'b' }", "db"),
        ("{ path = 'n', starts_with = 'd' }", "db"),
        ("{ path = 'n', ends_with = '-1' }", "Web-1"),
        ("{ path = 't', exists = true }", "Web-1"),
        ("{ path = 't', exists = false }", "db"),
        ("{ path = 's', in = ['down', 'gone'] }", "db"),
        ("{ path = 's', in = ['gone'] }", ""),
        ("{ not = { path = 's', eq = 'up' } }", "db"),
        (
            "{ any = [{ path = 'c', eq = 7 }, { path = 'x', eq = 1 }] }",
            "db",
        ),
        (
            "{ all = [{ path = 'c', eq = 7 }, { path = 's', eq = 'up' }] }",
            "",
        ),
    ] {
        let found = shaped(
            &format!("where = [{condition}]\npick = ['n']"),
            json!({}),
            items(),
        );
        let names: Vec<&str> = found
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["n"].as_str().unwrap())
            .collect();
        assert_eq!(names.join(","), expected, "{condition}");
    }
    // All conditions of the list must hold.
    check(
        "where = [{ path = 'c', eq = 7 }, { path = 's', eq = 'up' }]",
        items(),
        json!([]),
    );
}

#[test]
fn an_absent_argument_is_no_filter() {
    let toml = "
where = [
  { path = '.', icontains = '{query}' },
  { path = '.', in = '{names}' },
  { path = '.', ne = 'b', when = '{only_down}' },
  { not = { path = '.', starts_with = 'Lib' }, unless = '{full}' },
  { any = [{ path = '.', eq = '{state}' }] },
]";
    let items = json!(["a", "b", "Ab", "Lib/a"]);
    for (arguments, expected) in [
        (json!({}), json!(["a", "b", "Ab"])),
        (json!({"query": null}), json!(["a", "b", "Ab"])),
        (json!({"query": "A"}), json!(["a", "Ab"])),
        (
            json!({"query": "A", "full": true}),
            json!(["a", "Ab", "Lib/a"]),
        ),
        (json!({"only_down": true}), json!(["a", "Ab"])),
        (
            json!({"only_down": false, "full": false}),
            json!(["a", "b", "Ab"]),
        ),
        (json!({"names": ["b", "Ab"]}), json!(["b", "Ab"])),
        (json!({"names": "b"}), json!(["b"])),
        (json!({"names": []}), json!([])),
        (json!({"state": "b"}), json!(["b"])),
    ] {
        assert_eq!(
            shaped(toml, arguments.clone(), items.clone()),
            expected,
            "{arguments}"
        );
    }
}

#[test]
fn sorting() {
    let items = json!([{"n": "b", "v": 10}, {"n": "a", "v": "9"}, {"n": "C"}, {"n": "a", "v": 10.5}, {"n": "inf", "v": "x"}]);
    let names = |toml: &str| {
        let sorted = shaped(toml, json!({}), items.clone());
        let names: Vec<String> = sorted
            .as_array()
            .unwrap()
            .iter()
            .map(|item| format!("{}{}", item["n"], item["v"]))
            .collect();
        names.join(" ").replace('"', "").replace("null", "")
    };
    assert_eq!(names("sort = 'v'"), "a9 b10 a10.5 infx C");
    assert_eq!(names("sort = '-v'"), "infx a10.5 b10 a9 C");
    assert_eq!(names("sort = ['n', '-v']"), "a10.5 a9 b10 C infx");
    // Equal ones keep their order.
    assert_eq!(names("sort = 'n'"), "a9 a10.5 b10 C infx");
    assert_eq!(names("sort = 'none'"), "b10 a9 C a10.5 infx");
}

#[test]
fn limits_and_what_they_tell() {
    let items = json!([1, 2, 3]);
    check("limit = 2", items.clone(), json!([1, 2]));
    check("limit = 3", items.clone(), items.clone());
    for (limit, expected) in [
        (json!(1), json!([1])),
        (json!(4), items.clone()),
        (json!(null), items.clone()),
        (json!("1"), items.clone()),
    ] {
        assert_eq!(
            shaped("limit = '{limit}'", json!({"limit": limit}), items.clone()),
            expected
        );
    }
    let told = answer(
        "limit = '{limit}'\nwhere = [{ path = '.', ne = '{query}' }]",
        json!({"limit": 1}),
        b"[1,2,3]",
    );
    assert_eq!(
        told.text_blocks(),
        r#"{"items":[1],"shown":1,"total":3,"note":"1 of 3 shown; narrow with `limit`, `query`"}"#
    );
    let all = answer("limit = '{limit}'", json!({"limit": 3}), b"[1,2,3]");
    assert_eq!(
        all.text_blocks(),
        r#"{"items":[1,2,3],"shown":3,"total":3}"#
    );
}

#[test]
fn the_service_may_count() {
    let body = br#"{"count":90,"results":[1,2]}"#;
    let toml = "at = '/results'\ntotal = '/count'\nwhere = [{ path = '.', eq = '{query}' }]\nnarrow = ['state']";
    assert_eq!(
        answer(toml, json!({}), body).text_blocks(),
        r#"{"items":[1,2],"shown":2,"total":90,"note":"2 of 90 shown; narrow with `state`"}"#
    );
    // It did not count what our condition left.
    assert_eq!(
        answer(toml, json!({"query": 1}), body).text_blocks(),
        r#"{"items":[1],"shown":1,"total":1}"#
    );
}

#[test]
fn pages_become_one_list() {
    let response = response("at = '/items'\nbeside = { warnings = '/w' }\nsort = '-n'\nlimit = 3");
    let page = |value: Value| response.document(value).unwrap();
    let mut all = page(json!({"items": [{"n": 1}, {"n": 4}]}));
    all.append(page(json!({"items": [{"n": 3}], "w": ["late"]})));
    all.append(page(json!({"items": [{"n": 2}], "w": ["later"]})));
    assert_eq!(all.items_len(), Some(4));
    let mut shaped = response.shape(all, &object(json!({})));
    shaped.note("only the first 3 pages were read");
    assert_eq!(
        response.render(shaped, &object(json!({}))).text_blocks(),
        r#"{"items":[{"n":4},{"n":3},{"n":2}],"shown":3,"total":4,"warnings":["late"],"note":"3 of 4 shown; only the first 3 pages were read"}"#
    );
}
