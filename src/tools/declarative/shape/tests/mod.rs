//! The pipeline, key by key, and with the bodies that services document.

mod documentation;
mod items;
mod looks;
mod members;
mod refused;
mod services;

use serde_json::{Map, Value, json};

use super::{Response, ResponseSpec};
use crate::mcp::tool::ToolResult;
use crate::tools::written::from_text;

/// The arguments every tool of these tests has.
const ARGUMENTS: [&str; 6] = ["query", "limit", "state", "full", "names", "only_down"];

#[track_caller]
fn response(toml: &str) -> Response {
    let spec: ResponseSpec = from_text(toml).unwrap_or_else(|misfit| panic!("{misfit:?}"));
    let compiled = spec.compile(&|name| ARGUMENTS.contains(&name));
    compiled.unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

#[track_caller]
fn answer(toml: &str, arguments: Value, body: &[u8]) -> ToolResult {
    let result = response(toml).answer(body, None, &object(arguments));
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// The value that the pipeline makes of another.
#[track_caller]
fn shaped(toml: &str, arguments: Value, value: Value) -> Value {
    let response = response(toml);
    let document = response
        .document(value)
        .unwrap_or_else(|error| panic!("{error}"));
    response.shape(document, &object(arguments)).into_value()
}

/// Checks one without arguments.
#[track_caller]
fn check(toml: &str, value: Value, expected: Value) {
    assert_eq!(shaped(toml, json!({}), value), expected, "{toml}");
}

/// Checks that loading fails at `place` with `expected`.
#[track_caller]
fn refused(toml: &str, place: &str, expected: &str) {
    let spec: ResponseSpec = from_text(toml).unwrap_or_else(|misfit| panic!("{misfit:?}"));
    let problems = spec.compile(&|name| ARGUMENTS.contains(&name)).unwrap_err();
    let found: Vec<(&str, &str)> = problems
        .iter()
        .map(|problem| (&toml[problem.span.clone()], problem.text.as_str()))
        .collect();
    assert_eq!(found, [(place, expected)], "{toml}");
}

/// Checks that the types themselves refuse it, and say what they do not want.
#[track_caller]
fn unread(toml: &str, expected: &str) {
    let misfit = from_text::<ResponseSpec>(toml).expect_err(toml);
    assert!(misfit.text.contains(expected), "{toml}: {}", misfit.text);
    assert!(
        misfit.span.end <= toml.len() && !misfit.span.is_empty(),
        "{toml} has no place"
    );
}
