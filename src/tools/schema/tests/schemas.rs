//! What a schema may say.

use super::*;

#[track_caller]
fn refused(schema: Value, pointer: &str, expected: &str) {
    let problem = Schema::compile(&schema).unwrap_err();
    assert_eq!(problem.pointer, pointer, "{problem}");
    assert!(problem.text.contains(expected), "{problem}");
}

#[track_caller]
fn refused_at_a(schema: Value, pointer: &str, expected: &str) {
    let pointer = format!("/properties/a{pointer}");
    refused(json!({"properties": {"a": schema}}), &pointer, expected);
}

#[test]
fn what_is_not_checked_is_refused() {
    for keyword in [
        "if",
        "then",
        "else",
        "contains",
        "minContains",
        "patternProperties",
        "dependentRequired",
        "dependentSchemas",
        "dependencies",
        "unevaluatedProperties",
        "unevaluatedItems",
        "$anchor",
        "$dynamicRef",
        "$vocabulary",
        "additionalItems",
        "contentEncoding",
        "discriminator",
        "nullable",
        "x-other",
        "Type",
    ] {
        let pointer = format!("/{}", keyword.replace('/', "~1"));
        refused_at_a(json!({keyword: true}), &pointer, "not checked");
    }
    // In every place where a schema may stand.
    let bad = json!({"if": true});
    for (place, schema) in [
        ("/items/if", json!({"items": bad})),
        ("/prefixItems/1/if", json!({"prefixItems": [true, bad]})),
        (
            "/additionalProperties/if",
            json!({"additionalProperties": bad}),
        ),
        ("/propertyNames/if", json!({"propertyNames": bad})),
        ("/oneOf/0/if", json!({"oneOf": [bad]})),
        ("/anyOf/0/if", json!({"anyOf": [bad]})),
        ("/allOf/0/if", json!({"allOf": [bad]})),
        ("/not/if", json!({"not": bad})),
        ("/$defs/a~1b~0/if", json!({"$defs": {"a/b~": bad}})),
        ("/properties/if/if", json!({"properties": {"if": bad}})),
    ] {
        refused_at_a(schema, place, "not checked");
    }
}

#[test]
fn annotations_are_passed_over() {
    compiled(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://example.org/tool",
        "title": "t", "description": "d", "$comment": "c",
        "properties": {"a": {
            "examples": [{"if": 1}], "deprecated": true, "readOnly": true, "writeOnly": false,
            "type": "string", "x-mcp-header": "Region", "default": "eu"
        }}
    }));
    refused(
        json!({"$schema": "http://json-schema.org/draft-07/schema#"}),
        "/$schema",
        "2020-12",
    );
    refused_at_a(json!({"$id": "b"}), "/$id", "root only");
    refused_at_a(json!({"$schema": "b"}), "/$schema", "root only");
    refused_at_a(
        json!({"writeOnly": 1}),
        "/writeOnly",
        "is 1, expected true or false",
    );
    refused_at_a(
        json!({"x-mcp-header": 1}),
        "/x-mcp-header",
        "is 1, expected a string",
    );
}

#[test]
fn keywords_have_values_of_their_kind() {
    for (schema, pointer, expected) in [
        (json!(7), "", "is 7, expected a schema"),
        (
            json!({"type": "int"}),
            "/type",
            "is \"int\", expected one of array, boolean",
        ),
        (json!({"type": []}), "/type", "is [], expected"),
        (json!({"type": ["null", "null"]}), "/type", "twice"),
        (json!({"enum": []}), "/enum", "list of values"),
        (json!({"enum": 1}), "/enum", "list of values"),
        (json!({"minimum": "1"}), "/minimum", "expected a number"),
        (json!({"multipleOf": 0}), "/multipleOf", "above 0"),
        (json!({"multipleOf": -0.5}), "/multipleOf", "above 0"),
        (json!({"minLength": -1}), "/minLength", "whole number"),
        (json!({"maxItems": 1.5}), "/maxItems", "whole number"),
        (json!({"pattern": "(?=a)"}), "/pattern", "look-around"),
        (
            json!({"format": "regex"}),
            "/format",
            "expected one of date, date-time",
        ),
        (json!({"uniqueItems": 1}), "/uniqueItems", "true or false"),
        (json!({"items": [true]}), "/items", "prefixItems"),
        (
            json!({"prefixItems": []}),
            "/prefixItems",
            "list of schemas",
        ),
        (json!({"required": "a"}), "/required", "list of names"),
        (json!({"required": ["b", "b"]}), "/required", "twice"),
        (
            json!({"properties": []}),
            "/properties",
            "object of schemas",
        ),
        (json!({"anyOf": {}}), "/anyOf", "list of schemas"),
        (json!({"not": null}), "/not", "expected a schema"),
        (json!({"const": 1, "enum": [1]}), "", "keep one"),
        (
            json!({"type": "string", "minimum": 1}),
            "/minimum",
            "the type here, string",
        ),
        (
            json!({"type": ["null", "object"], "items": true}),
            "/items",
            "null or object",
        ),
        (
            json!({"type": "integer", "enum": [1, "2"]}),
            "",
            "\"2\", which `type` excludes",
        ),
        (
            json!({"default": 1, "type": "string"}),
            "",
            "found the number 1, expected a string",
        ),
        (
            json!({"default": {"b": "5"}, "properties": {"b": {"type": "integer"}}}),
            "",
            "at `b`",
        ),
        (
            json!({"required": ["b"], "additionalProperties": false}),
            "",
            "requires `b`",
        ),
    ] {
        refused_at_a(schema, pointer, expected);
    }
    of_a(json!({"type": ["integer", "null"], "minimum": 1}));
}

#[test]
fn the_root_is_of_arguments() {
    refused(json!({"type": "array"}), "", "without `object`");
    refused(json!(false), "", "allows nothing");
    refused(json!([]), "", "expected a schema");
    refused(
        json!({"properties": {"a": true}, "required": ["b"]}),
        "",
        "requires `b`, which `properties` lacks",
    );
    for schema in [json!(true), json!({}), json!({"type": ["object", "null"]})] {
        compiled(schema);
    }
}

#[test]
fn references_lead_somewhere_within() {
    refused_at_a(
        json!({"$ref": "https://example.org/s"}),
        "/$ref",
        "nothing is fetched",
    );
    refused_at_a(
        json!({"$ref": "other.json#/a"}),
        "/$ref",
        "nothing is fetched",
    );
    refused_at_a(
        json!({"$ref": "#/$defs/b"}),
        "/$ref",
        "where there is no schema",
    );
    refused_at_a(
        json!({"$ref": "#name"}),
        "/$ref",
        "where there is no schema",
    );
    // A place that holds no schema.
    refused(
        json!({"properties": {"a": {"$ref": "#/properties"}}}),
        "/properties/a/$ref",
        "no schema",
    );
    refused_at_a(json!({"$ref": "#/properties/a"}), "", "contains itself");
    let circle = json!({"allOf": [{"anyOf": [true, {"not": {"$ref": "#/properties/a"}}]}]});
    let problem = Schema::compile(&json!({"properties": {"a": circle}})).unwrap_err();
    assert!(problem.text.contains("contains itself"), "{problem}");
}

#[test]
fn schemas_are_bounded() {
    let mut deep = json!(true);
    for _ in 0..28 {
        deep = json!({"items": deep});
    }
    of_a(deep.clone());
    for _ in 0..5 {
        deep = json!({"items": deep});
    }
    let problem = Schema::compile(&deep).unwrap_err();
    assert!(problem.text.contains("32 schemas deep"), "{problem}");

    let wide = |count: usize| json!({"properties": {"a": {"anyOf": vec![true; count]}}});
    compiled(wide(1998));
    let problem = Schema::compile(&wide(1999)).unwrap_err();
    assert_eq!(problem.pointer, "/properties/a/anyOf/1998");
    assert!(problem.text.contains("2000"), "{problem}");

    let chain = |length: usize| {
        let mut defs = Map::new();
        defs.insert("0".to_owned(), json!(true));
        for step in 1..=length {
            defs.insert(
                step.to_string(),
                json!({"$ref": format!("#/$defs/{}", step - 1)}),
            );
        }
        json!({"$defs": defs})
    };
    compiled(chain(32));
    let problem = Schema::compile(&chain(33)).unwrap_err();
    assert!(problem.text.contains("more than 32 steps"), "{problem}");
}
