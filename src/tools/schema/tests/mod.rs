//! Schemas and arguments as data.

mod alternatives;
mod arguments;
mod generated;
mod schemas;

use serde_json::{Map, Value, json};

use super::*;

/// A schema of one argument, `a`.
fn of_a(schema: Value) -> Schema {
    compiled(json!({"type": "object", "properties": {"a": schema}}))
}

#[track_caller]
fn compiled(schema: Value) -> Schema {
    match Schema::compile(&schema) {
        Ok(schema) => schema,
        Err(problem) => panic!("{problem} in {schema}"),
    }
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

/// Values are compared as texts, so that 5 and 5.0 are told apart.
#[track_caller]
fn gives(schema: &Schema, arguments: Value, expected: Value) {
    match schema.check(members(arguments)) {
        Ok(checked) => assert_eq!(Value::from(checked).to_string(), expected.to_string()),
        Err(problems) => panic!("{}", describe(&problems)),
    }
}

/// The problems, one a line.
#[track_caller]
fn refuses(schema: &Schema, arguments: Value, expected: &str) {
    let problems = schema.check(members(arguments)).unwrap_err();
    let text: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(text.join("\n"), expected);
}

/// `a` is accepted as it is.
#[track_caller]
fn fits(schema: Value, values: &[Value]) {
    let schema = of_a(schema);
    for value in values {
        gives(&schema, json!({"a": value}), json!({"a": value}));
    }
}

/// `a` is refused.
#[track_caller]
fn unfit(schema: Value, values: &[Value]) {
    let schema = of_a(schema);
    for value in values {
        let checked = schema.check(members(json!({"a": value})));
        assert!(checked.is_err(), "{value} became {checked:?}");
    }
}
