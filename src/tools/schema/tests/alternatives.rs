//! `oneOf`, `anyOf`, `allOf`, `not`, `$ref`, and how they share out coercion.

use super::*;

#[test]
fn the_alternative_taken_is_the_only_one_that_coerces() {
    let either = of_a(json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}));
    gives(&either, json!({"a": "5"}), json!({"a": "5"}));
    let either = of_a(json!({"oneOf": [{"type": "integer"}, {"type": "null"}]}));
    gives(&either, json!({"a": "5"}), json!({"a": 5}));
    let objects = of_a(json!({"oneOf": [
        {"properties": {"kind": {"const": "a"}, "n": {"type": "integer"}}, "required": ["kind"]},
        {"properties": {"kind": {"const": "b"}, "n": {"type": "string"}, "m": {"default": 2}}, "required": ["kind"]}
    ]}));
    gives(
        &objects,
        json!({"a": {"kind": "a", "n": "1"}}),
        json!({"a": {"kind": "a", "n": 1}}),
    );
    gives(
        &objects,
        json!({"a": {"kind": "b", "n": "1"}}),
        json!({"a": {"kind": "b", "m": 2, "n": "1"}}),
    );
    assert!(objects.check(members(json!({"a": {"kind": "c"}}))).is_err());
}

#[test]
fn one_means_one() {
    let schema = json!({"oneOf": [{"type": "integer"}, {"minimum": 5}]});
    fits(schema.clone(), &[json!(4), json!(5.5), json!("x")]);
    refuses(
        &of_a(schema),
        json!({"a": 5}),
        "`a`: found the number 5, which fits more than one of the forms it may have",
    );
}

#[test]
fn the_message_is_of_the_alternative_that_was_meant() {
    let schema = of_a(json!({"anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}}
    ]}));
    refuses(
        &schema,
        json!({"a": ["x", 1]}),
        "`a[1]`: found the number 1, expected a string",
    );
    refuses(
        &schema,
        json!({"a": 1}),
        "`a`: found the number 1, expected a string, or an array",
    );
}

#[test]
fn all_parts_hold_for_what_was_coerced() {
    let schema = of_a(json!({"allOf": [{"type": "integer"}, {"minimum": 5}]}));
    gives(&schema, json!({"a": "7"}), json!({"a": 7}));
    refuses(
        &schema,
        json!({"a": "3"}),
        "`a`: found the number 3, expected a number of at least 5",
    );
    // The second part sees strings where the first saw integers.
    let schema = of_a(json!({"allOf": [
        {"items": {"type": "integer"}},
        {"items": {"minimum": 5}, "uniqueItems": true}
    ]}));
    gives(&schema, json!({"a": ["5", "6"]}), json!({"a": [5, 6]}));
    refuses(
        &schema,
        json!({"a": ["5", "3"]}),
        "`a[1]`: found the number 3, expected a number of at least 5",
    );
    assert!(schema.check(members(json!({"a": ["5", 5]}))).is_err());
}

#[test]
fn what_must_not_be() {
    let schema = json!({"type": "integer", "not": {"const": 5}});
    fits(schema.clone(), &[json!(4)]);
    unfit(schema.clone(), &[json!(5), json!("5"), json!(5.0)]);
    refuses(
        &of_a(schema),
        json!({"a": 5}),
        "`a`: found the number 5, expected an integer, and not 5",
    );
    unfit(json!({"not": {}}), &[json!(1)]);
    fits(json!({"not": {"not": {"type": "string"}}}), &[json!("x")]);
}

#[test]
fn a_schema_may_contain_itself() {
    let tree = compiled(json!({
        "properties": {"root": {"$ref": "#/$defs/tree"}},
        "$defs": {"tree": {
            "type": "object",
            "properties": {
                "size": {"type": "integer"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}
            },
            "additionalProperties": false
        }}
    }));
    gives(
        &tree,
        json!({"root": {"children": [{"size": "1"}, {"children": [{"size": 2.0}]}]}}),
        json!({"root": {"children": [{"size": 1}, {"children": [{"size": 2}]}]}}),
    );
    refuses(
        &tree,
        json!({"root": {"children": [{"children": [{"size": []}]}]}}),
        "`root.children[0].children[0].size`: found an array of 0 elements, expected an integer",
    );
}

#[test]
fn depth_ends() {
    let list = compiled(json!({
        "properties": {"a": {"$ref": "#/$defs/list"}},
        "$defs": {"list": {"items": {"$ref": "#/$defs/list"}}}
    }));
    let nested = |depth: usize| {
        let mut value = json!([]);
        for _ in 1..depth {
            value = json!([value]);
        }
        members(json!({"a": value}))
    };
    // Two schemas for each level, and the root.
    assert!(list.check(nested(127)).is_ok());
    let problems = list.check(nested(128)).unwrap_err();
    assert_eq!(
        describe(&problems),
        "arguments: are nested too deeply to be checked; send less in one another"
    );
}

#[test]
fn work_ends() {
    // Each level doubles the work of the one above.
    let schema = compiled(json!({
        "properties": {"a": {"$ref": "#/$defs/t"}},
        "$defs": {"t": {"oneOf": [
            {"type": "array", "items": {"$ref": "#/$defs/t"}, "minItems": 1},
            {"type": "array", "items": {"$ref": "#/$defs/t"}, "maxItems": 1},
            {"const": 1}
        ]}}
    }));
    let mut value = json!(2);
    for _ in 0..60 {
        value = json!([value]);
    }
    let problems = schema.check(members(json!({"a": value}))).unwrap_err();
    assert_eq!(
        describe(&problems),
        "arguments: take too long to check; send less at once"
    );
}
