//! Requests read and built.

use super::*;
use crate::tools::declarative::source::Source;
use serde_json::json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

fn with_spec<T>(text: &str, then: impl FnOnce(Option<RequestSpec>, Vec<String>) -> T) -> T {
    let table = DeTable::parse(text).unwrap().into_inner();
    let document = Spanned::new(0..0, DeValue::Table(table));
    let source = Source::new("p", text, &document);
    let names = Names {
        arguments: [("id", true), ("tag", false), ("tags", false), ("t", false)].into(),
        ..Names::of_options(Vec::new())
    };
    let root = source.root();
    let spec = RequestSpec::read(&root, &names);
    let problems = source.into_problems();
    then(spec, problems.iter().map(ToString::to_string).collect())
}

fn build(text: &str, arguments: &Value) -> Result<Outgoing, Unfit> {
    with_spec(text, |spec, problems| {
        assert_eq!(problems, Vec::<String>::new(), "{text}");
        spec.unwrap().build(&Scope {
            arguments: arguments.as_object().unwrap(),
            befores: &[],
            options: &Default::default(),
            result: None,
            token: None,
            login: None,
            now_ms: 0,
        })
    })
}

#[track_caller]
fn check_url(text: &str, arguments: Value, expected: &str) {
    assert_eq!(build(text, &arguments).unwrap().url(""), expected);
}

#[track_caller]
fn refuse(text: &str, arguments: Value, expected: &str) {
    assert_eq!(build(text, &arguments).unwrap_err().to_string(), expected);
}

#[test]
fn f1_an_argument_is_one_segment_and_with_path_it_is_several() {
    let one = "path = '/c/{id}/stop'";
    check_url(one, json!({"id": "web"}), "/c/web/stop");
    check_url(one, json!({"id": 5}), "/c/5/stop");
    check_url(one, json!({"id": "../../users"}), "/c/..%2F..%2Fusers/stop");
    check_url(one, json!({"id": "web?t=0#"}), "/c/web%3Ft%3D0%23/stop");
    check_url(
        one,
        json!({"id": "a b+ü%2e"}),
        "/c/a%20b%2B%C3%BC%252e/stop",
    );
    check_url(one, json!({"id": "..."}), "/c/.../stop");
    refuse(
        one,
        json!({"id": ".."}),
        "`id`: found a path segment of dots, expected a name",
    );
    refuse(
        one,
        json!({"id": "."}),
        "`id`: found a path segment of dots, expected a name",
    );
    refuse(
        one,
        json!({"id": ""}),
        "`id`: found an empty path segment, expected a name",
    );
    let several = "path = '/.fs/{id:path}.md'";
    check_url(
        several,
        json!({"id": "Projects/A b"}),
        "/.fs/Projects/A%20b.md",
    );
    check_url(several, json!({"id": "a/..b"}), "/.fs/a/..b.md");
    for bad in ["../x", "a/../x", "a//b", "/a", "a/./b", "a/", "a/..", "."] {
        assert!(build(several, &json!({"id": bad})).is_err(), "{bad}");
    }
}

#[test]
fn f1_the_first_path_with_all_its_values_is_taken() {
    let text = "path = ['/projects/{tag}/tasks', '/tasks']";
    check_url(text, json!({"tag": 7}), "/projects/7/tasks");
    check_url(text, json!({}), "/tasks");
}

#[test]
fn f2_query() {
    let text = r#"path = "/q"
query = { stdout = 1, tag = "{tag}", "match[]" = ["{tags}", "up"], return_response = { "$flag" = true }, minimal = { "$flag" = "{t}" }, filters = { "$json" = { name = ["{tag}"] } } }"#;
    check_url(
        text,
        json!({"tag": "a&b", "tags": ["x", "y=1"], "t": true}),
        "/q?stdout=1&tag=a%26b&match%5B%5D=x&match%5B%5D=y%3D1&match%5B%5D=up&return_response&minimal&filters=%7B%22name%22%3A%5B%22a%26b%22%5D%7D",
    );
    check_url(
        text,
        json!({"t": false}),
        "/q?stdout=1&match%5B%5D=up&return_response",
    );
    check_url(
        "path = '/q'\nquery = { a = '{tag}' }",
        json!({"tag": ""}),
        "/q?a=",
    );
}

#[test]
fn f4_bodies() {
    let body = |text: &str, arguments: Value| {
        let outgoing = build(text, &arguments).unwrap();
        let media_type = outgoing
            .headers
            .iter()
            .find(|(name, _)| name == "Content-Type");
        (
            String::from_utf8(outgoing.body).unwrap(),
            media_type
                .map(|(_, value)| value.clone())
                .unwrap_or_default(),
        )
    };
    let json_body = "method = 'POST'\npath = '/b'\njson = { a = '{tag}', b = '{t}' }";
    assert_eq!(
        body(json_body, json!({"t": false})),
        (r#"{"b":false}"#.to_owned(), "application/json".to_owned())
    );
    let form = "method = 'POST'\npath = '/b'\nform = { a = '{tag}', b = 'x y&z' }";
    assert_eq!(
        body(form, json!({})),
        (
            "b=x%20y%26z".to_owned(),
            "application/x-www-form-urlencoded".to_owned()
        )
    );
    let text = "method = 'PUT'\npath = '/b'\ntext = '{tag}'\ncontent_type = 'text/markdown'";
    assert_eq!(
        body(text, json!({"tag": "# ü"})),
        ("# ü".to_owned(), "text/markdown".to_owned())
    );
    assert_eq!(body(text, json!({})), (String::new(), String::new()));
    assert_eq!(
        body(text, json!({"tag": ""})),
        (String::new(), "text/markdown".to_owned())
    );
}

#[test]
fn f7_headers_are_set_once_and_cannot_be_injected() {
    let text = "path = '/h'\nheaders = { X-Mode = 'true', X-Tag = '{tag}' }\naccept = 'a/b'";
    let outgoing = build(text, &json!({"tag": "v"})).unwrap();
    let expected = [("X-Mode", "true"), ("X-Tag", "v"), ("Accept", "a/b")];
    assert_eq!(
        outgoing.headers,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(build(text, &json!({})).unwrap().headers.len(), 2);
    for value in ["v\r\nX-Evil: 1", "v\n", "\0", "é"] {
        let unfit = build(text, &json!({"tag": value})).unwrap_err();
        assert!(unfit.text.contains("cannot stand in a header"), "{unfit}");
    }
}

#[test]
fn f10_a_timeout_may_grow_with_an_argument() {
    let text = "path = '/t'\ntimeout = '15s + {t}'";
    let timeout = |arguments: Value| build(text, &arguments).unwrap().timeout_ms;
    assert_eq!(timeout(json!({"t": 10})), Some(25_000));
    assert_eq!(timeout(json!({"t": "2m"})), Some(135_000));
    assert_eq!(timeout(json!({})), Some(15_000));
    assert_eq!(timeout(json!({"t": "99w"})), Some(3_600_000));
    assert!(build(text, &json!({"t": "soon"})).is_err());
    assert_eq!(build("path = '/t'", &json!({})).unwrap().timeout_ms, None);
}

#[test]
fn mistakes_of_a_pack_have_a_place() {
    for (text, expected) in [
        ("path = 'x'", "p:1:8: path: a path begins with `/`"),
        ("path = '/x/{tag}'", "p:1:8: path: `tag` may have no value"),
        ("path = '/x?y=1'", "parameters go into `query`"),
        ("path = []", "at least one path"),
        (
            "method = 'FETCH'\npath = '/'",
            "p:1:10: method: expected `GET`",
        ),
        ("path = '/'\njson = {}", "GET carries no body"),
        (
            "method = 'POST'\npath = '/'\njson = {}\nform = {}",
            "`json` and `form` are both given",
        ),
        (
            "path = '/'\nheaders = { 'X Y' = 'a' }",
            "`X Y` is no header name",
        ),
        (
            "path = '/'\nheaders = { Host = 'a' }",
            "not a pack's to set",
        ),
        (
            "path = '/'\nheaders = { X = \"a\\nb\" }",
            "cannot stand in a header",
        ),
        (
            "path = '/'\nquery = { a = { b = 1 } }",
            "sends it as JSON text",
        ),
        (
            "method = 'POST'\npath = '/'\njson = { '$flag' = true }",
            "`query` only",
        ),
        ("path = '/'\ntimeout = '15'", "expected a time"),
        ("path = '/'\ntimeout = '15s + {x}'", "no argument `x`"),
        ("path = '/'\ncontent_type = 'a/b'", "there is no body"),
        ("pth = '/'", "did you mean `path`?"),
    ] {
        with_spec(text, |_, problems| {
            assert!(
                problems.iter().any(|problem| problem.contains(expected)),
                "{text}: {problems:?}"
            );
        });
    }
}
