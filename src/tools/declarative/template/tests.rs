//! Templates read and filled.

use super::*;
use serde_json::json;

fn names() -> Names<'static> {
    Names {
        arguments: [("id", true), ("tag", false), ("board", false)].into(),
        befores: vec!["task"],
        may_name_token: true,
        ..Names::of_options(vec!["space"])
    }
}

fn value(template: &str, arguments: Value) -> Result<Option<Value>, Unfit> {
    let template = Template::parse(template, &names()).unwrap();
    let befores = [("task", json!({"title": "old", "due": null}))];
    template.value(&Scope {
        arguments: arguments.as_object().unwrap(),
        befores: &befores,
        options: &[("space".to_owned(), "work".to_owned())].into(),
        result: None,
        token: Some("ann:pass:word"),
        login: None,
        now_ms: 0,
    })
}

#[track_caller]
fn check(template: &str, arguments: Value, expected: Option<Value>) {
    assert_eq!(value(template, arguments), Ok(expected), "{template}");
}

#[test]
fn one_reference_keeps_its_type_and_within_text_it_is_formatted() {
    check("{id}", json!({"id": 5}), Some(json!(5)));
    check("n{id}", json!({"id": 5}), Some(json!("n5")));
    check("{id}{id}", json!({"id": false}), Some(json!("falsefalse")));
    check(
        "{board}",
        json!({"board": {"a": [1]}}),
        Some(json!({"a": [1]})),
    );
    check("{board/a/0}", json!({"board": {"a": [1]}}), Some(json!(1)));
    check("{{{id}}}", json!({"id": "x"}), Some(json!("{x}")));
    check("", json!({}), Some(json!("")));
    check("{null}", json!({}), Some(json!(null)));
}

#[test]
fn a_reference_to_nothing_makes_the_whole_absent() {
    check("{tag}", json!({}), None);
    check("a{tag}b", json!({}), None);
    check("{tag}", json!({"tag": null}), None);
    check("{tag}", json!({"tag": ""}), Some(json!("")));
    check("{tag|default:x}", json!({}), Some(json!("x")));
    check("{tag|upper|default:x|upper}", json!({}), Some(json!("X")));
    check("{before.task/due}", json!({}), None);
    check("{before.task/title|upper}", json!({}), Some(json!("OLD")));
    check("{option.space}", json!({}), Some(json!("work")));
    check(
        "{token.user}-{token.password}",
        json!({}),
        Some(json!("ann-pass:word")),
    );
}

#[test]
fn filter_arguments_may_hold_the_marks() {
    check(
        r"{tag|prefix:\}\|\\:}",
        json!({"tag": "t"}),
        Some(json!(r"}|\:t")),
    );
}

#[test]
fn a_value_that_does_not_fit_names_its_reference() {
    let unfit = value("{board/x|int}", json!({"board": {"x": "y"}})).unwrap_err();
    assert_eq!(
        unfit.to_string(),
        "`board/x`: found `y`, expected an integer"
    );
}

#[test]
fn mistakes_are_found_when_the_pack_is_read() {
    for (text, part) in [
        ("{idd}", "no argument `idd`; did you mean `id`?"),
        ("{zzz}", "there are `board`, `id`, `tag`"),
        ("{option.spcae}", "did you mean `space`?"),
        ("{before.tusk}", "did you mean `task`?"),
        ("{result}", "cannot stand here"),
        ("{login}", "cannot stand here"),
        ("{id", "without `}`"),
        ("id}", "without `{`"),
        ("{id|nope}", "unknown filter"),
        ("{id/a~2}", "no JSON pointer"),
        ("{token/a}", "leads nowhere"),
        ("{}", "no argument ``"),
    ] {
        let problems = Template::parse(text, &names()).unwrap_err();
        assert!(problems[0].contains(part), "{text}: {problems:?}");
    }
}

#[test]
fn certainty_is_known_beforehand() {
    for (text, expected) in [
        ("{id}", true),
        ("{tag}", false),
        ("{tag|default:x}", true),
        ("{id/a}", false),
        ("x", true),
        ("{id}{tag}", false),
    ] {
        let template = Template::parse(text, &names()).unwrap();
        assert_eq!(template.is_certain(), expected, "{text}");
    }
}
