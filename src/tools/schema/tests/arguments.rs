//! What arguments come to: types, bounds, defaults, messages.

use super::*;

fn logs() -> Schema {
    compiled(json!({
        "type": "object",
        "properties": {
            "container": {"type": "string", "minLength": 1},
            "tail": {"type": "integer", "minimum": 1, "maximum": 5000, "default": 100},
            "level": {"enum": ["debug", "info", "error"]},
            "follow": {"type": "boolean"},
            "tags": {"type": "array", "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "weight": {"type": "number", "default": 1}},
                "required": ["name"],
                "additionalProperties": false
            }}
        },
        "required": ["container"]
    }))
}

#[test]
fn arguments_are_coerced_and_completed() {
    let logs = logs();
    gives(
        &logs,
        json!({"container": "a"}),
        json!({"container": "a", "tail": 100}),
    );
    gives(
        &logs,
        json!({"container": "5", "tail": "7", "follow": "true", "level": "info"}),
        json!({"container": "5", "tail": 7, "follow": true, "level": "info"}),
    );
    gives(
        &logs,
        json!({"container": "a", "tail": 5.0, "tags": [{"name": "x", "weight": "2.5"}, {"name": "y"}]}),
        json!({"container": "a", "tail": 5, "tags": [{"name": "x", "weight": 2.5}, {"name": "y", "weight": 1}]}),
    );
    let names: Vec<_> = logs.names().unwrap().collect();
    assert_eq!(names, ["container", "follow", "level", "tags", "tail"]);
}

#[test]
fn every_problem_is_told_at_once() {
    refuses(
        &logs(),
        json!({"container": 7, "tail": "abc", "level": "warn", "follow": "yes", "tags": [
            {"name": "x"}, {"nmae": "y", "weight": []}, 3
        ]}),
        "`container`: found the number 7, expected a string of at least 1 character\n\
         `follow`: found the string \"yes\", expected true or false\n\
         `level`: found the string \"warn\", expected one of \"debug\", \"info\", \"error\"\n\
         `tags[1].name`: is missing, expected a string\n\
         `tags[1].nmae`: is an unknown member, did you mean `name`?; known are `name`, `weight`\n\
         `tags[1].weight`: found an array of 0 elements, expected a number\n\
         `tags[2]`: found the number 3, expected an object with `name`\n\
         `tail`: found the string \"abc\", expected an integer from 1 to 5000",
    );
    refuses(
        &logs(),
        json!({}),
        "`container`: is missing, expected a string of at least 1 character",
    );
    let many: Map<String, Value> = (0..30).map(|n| (format!("x{n}"), json!(1))).collect();
    let problems = logs().check(many).unwrap_err();
    assert_eq!(problems.len(), PROBLEMS_MAX);
    assert!(describe(&problems).ends_with("these are the first"));
}

#[test]
fn unknown_arguments_are_refused() {
    refuses(
        &logs(),
        json!({"container": "a", "tial": 5}),
        "`tial`: is an unknown argument, did you mean `tail`?; \
         known are `container`, `follow`, `level`, `tags`, `tail`",
    );
    refuses(
        &compiled(json!({"type": "object", "properties": {}})),
        json!({"a": 1}),
        "`a`: is an unknown argument; none is expected",
    );
    refuses(
        &compiled(json!({"properties": {"a": true}, "additionalProperties": false})),
        json!({"b": 1}),
        "`b`: is an unknown argument, did you mean `a`?; known are `a`",
    );
    // The schema leaves it open, by words or by saying nothing of properties.
    for schema in [
        json!({"type": "object"}),
        json!({"properties": {"b": true}, "additionalProperties": true}),
        json!({"properties": {"b": true}, "additionalProperties": {"type": "integer"}}),
    ] {
        gives(&compiled(schema), json!({"a": 1}), json!({"a": 1}));
    }
    // Deeper down, what is not said is allowed.
    fits(json!({"properties": {"b": true}}), &[json!({"c": 1})]);
    // What a part of the schema declares is known.
    let parts = compiled(json!({
        "properties": {"a": true},
        "allOf": [{"$ref": "#/$defs/more"}],
        "anyOf": [{"properties": {"c": true}}, {"properties": {"d": true}}],
        "$defs": {"more": {"properties": {"b": true}}}
    }));
    gives(
        &parts,
        json!({"a": 1, "b": 2, "c": 3, "d": 4}),
        json!({"a": 1, "b": 2, "c": 3, "d": 4}),
    );
    assert!(parts.check(members(json!({"e": 1}))).is_err());
}

#[test]
fn numbers() {
    let schema = json!({"type": "number", "minimum": 1, "maximum": 2.5});
    fits(schema.clone(), &[json!(1), json!(2.5), json!(1.0)]);
    unfit(
        schema,
        &[json!(0.999), json!(2.500001), json!(true), json!("x")],
    );
    let schema = json!({"exclusiveMinimum": 1, "exclusiveMaximum": 3});
    fits(schema.clone(), &[json!(2), json!(1.0001), json!("1")]);
    unfit(schema, &[json!(1), json!(3)]);
    fits(
        json!({"multipleOf": 0.1}),
        &[json!(0.3), json!(0), json!(-7)],
    );
    unfit(json!({"multipleOf": 0.1}), &[json!(0.35)]);
    // 2^53 + 1, which a float cannot hold.
    let big = 9_007_199_254_740_993_u64;
    let schema = json!({"type": "integer", "minimum": big});
    fits(schema.clone(), &[json!(big), json!(u64::MAX)]);
    unfit(
        schema.clone(),
        &[json!(big - 1), json!((big - 1).to_string())],
    );
    gives(
        &of_a(schema),
        json!({"a": big.to_string()}),
        json!({"a": big}),
    );
    gives(
        &of_a(json!({"const": big})),
        json!({"a": big}),
        json!({"a": big}),
    );
    unfit(json!({"const": big}), &[json!(big - 1)]);
}

#[test]
fn strings() {
    let schema = json!({"minLength": 2, "maxLength": 3});
    fits(schema.clone(), &[json!("éé"), json!("😀😀😀"), json!(7)]);
    unfit(schema, &[json!("é"), json!("aaaa")]);
    fits(json!({"pattern": "^a+$"}), &[json!("aa")]);
    unfit(json!({"pattern": "^a+$"}), &[json!("ab")]);
    fits(json!({"format": "date"}), &[json!("2026-07-28")]);
    unfit(json!({"format": "date"}), &[json!("28.7.2026")]);
    refuses(
        &of_a(json!({"type": "string", "maxLength": 3, "format": "ipv4", "pattern": "^1"})),
        json!({"a": "x\n"}),
        "`a`: found the string \"x\\n\", expected a string of at most 3 characters that is an IPv4 \
         address that matches `^1`",
    );
    let long = "x".repeat(1000);
    refuses(
        &of_a(json!({"type": "integer"})),
        json!({"a": long}),
        &format!(
            "`a`: found the string \"{}…\" of 1000 characters, expected an integer",
            "x".repeat(60)
        ),
    );
}

#[test]
fn arrays() {
    let pair = json!({"prefixItems": [{"type": "integer"}, {"type": "string"}], "items": false});
    fits(pair.clone(), &[json!([]), json!([1]), json!([1, "a"])]);
    unfit(pair, &[json!(["a"]), json!([1, "a", null])]);
    fits(
        json!({"minItems": 1, "maxItems": 2}),
        &[json!([1]), json!([1, 2])],
    );
    unfit(
        json!({"minItems": 1, "maxItems": 2}),
        &[json!([]), json!([1, 2, 3])],
    );
    fits(
        json!({"uniqueItems": true}),
        &[json!([1, "1", [1], {"a": 1}])],
    );
    unfit(
        json!({"uniqueItems": true}),
        &[json!([1, 1.0]), json!([{"a": [1]}, {"a": [1.0]}])],
    );
    gives(
        &of_a(json!({"type": "array", "items": {"type": "integer"}})),
        json!({"a": ["1", 2.0, 3]}),
        json!({"a": [1, 2, 3]}),
    );
}

#[test]
fn arrays_out_of_strings_are_an_option() {
    let list = json!({"type": "array", "items": {"type": "integer"}});
    unfit(list.clone(), &[json!("[1]")]);
    let lenient = of_a(list).with_arrays_from_strings();
    gives(&lenient, json!({"a": "[1, \"2\"]"}), json!({"a": [1, 2]}));
    refuses(
        &lenient,
        json!({"a": "[1, \"x\"]"}),
        "`a[1]`: found the string \"x\", expected an integer",
    );
    refuses(
        &lenient,
        json!({"a": "1, 2"}),
        "`a`: found the string \"1, 2\", expected an array",
    );
    // Where a string will do, it stays one.
    let either = of_a(json!({"type": ["array", "string"]})).with_arrays_from_strings();
    gives(&either, json!({"a": "[1]"}), json!({"a": "[1]"}));
}

#[test]
fn objects() {
    let counted = json!({"type": "object", "minProperties": 1, "maxProperties": 2});
    fits(counted.clone(), &[json!({"x": 1}), json!({"x": 1, "y": 2})]);
    unfit(counted, &[json!({}), json!({"x": 1, "y": 2, "z": 3})]);
    let named = json!({"propertyNames": {"pattern": "^[a-z]+$"}, "additionalProperties": {"type": "integer"}});
    gives(
        &of_a(named.clone()),
        json!({"a": {"x": "1"}}),
        json!({"a": {"x": 1}}),
    );
    refuses(
        &of_a(named),
        json!({"a": {"X-1": 1, "y": "z"}}),
        "`a.X-1`: has a name that is not allowed, expected a string that matches `^[a-z]+$`\n\
         `a.y`: found the string \"z\", expected an integer",
    );
    fits(
        json!({"properties": {"x": true}, "additionalProperties": false}),
        &[json!({"x": 1})],
    );
    unfit(json!({"properties": {"x": false}}), &[json!({"x": 1})]);
}

#[test]
fn secrets_stay_out_of_messages() {
    for schema in [
        json!({"type": "integer", "writeOnly": true}),
        json!({"type": "integer", "allOf": [{"writeOnly": true}]}),
        json!({"anyOf": [{"type": "integer"}, {"type": "null", "writeOnly": true}]}),
        json!({"$ref": "#/$defs/pin"}),
    ] {
        let schema = compiled(json!({
            "properties": {"a": schema},
            "$defs": {"pin": {"type": "integer", "writeOnly": true}}
        }));
        let problems = schema.check(members(json!({"a": "hunter2"}))).unwrap_err();
        let text = describe(&problems);
        assert!(
            !text.contains("hunter2") && text.contains("found a string"),
            "{text}"
        );
    }
    let inner = of_a(json!({"writeOnly": true, "properties": {"b": {"maxLength": 3}}}));
    refuses(
        &inner,
        json!({"a": {"b": "hunter2"}}),
        "`a.b`: found a string, expected a string of at most 3 characters",
    );
    let password = of_a(json!({"type": "string", "format": "password", "minLength": 9}));
    refuses(
        &password,
        json!({"a": "hunter2"}),
        "`a`: found a string, expected a string of at least 9 characters",
    );
}

#[test]
fn defaults_stand_in_for_what_is_missing() {
    let schema = compiled(json!({
        "properties": {
            "a": {"$ref": "#/$defs/count"},
            "b": {"default": null},
            "c": {"type": "object", "default": {}, "properties": {"d": {"default": 1}}}
        },
        "required": ["a", "b"],
        "$defs": {"count": {"type": "integer", "default": 3}}
    }));
    gives(&schema, json!({}), json!({"a": 3, "b": null, "c": {}}));
    gives(
        &schema,
        json!({"c": {}, "a": 1}),
        json!({"a": 1, "b": null, "c": {"d": 1}}),
    );
    // An argument that does not fit is never replaced by its default.
    assert!(schema.check(members(json!({"a": "x"}))).is_err());
    assert!(schema.check(members(json!({"a": null}))).is_err());
}

#[test]
fn a_null_leaves_out_what_may_be_left_out() {
    let schema = compiled(json!({
        "properties": {
            "a": {"type": "integer"},
            "b": {"type": "integer", "default": 5},
            "c": {"type": ["integer", "null"], "default": 5},
            "d": {"type": "object", "properties": {"e": {"enum": ["x"]}}},
            "f": {"type": "integer"}
        },
        "required": ["f"]
    }));
    gives(
        &schema,
        json!({"a": null, "b": null, "c": null, "d": {"e": null}, "f": 1}),
        json!({"b": 5, "c": null, "d": {}, "f": 1}),
    );
    refuses(
        &schema,
        json!({"f": null}),
        "`f`: found null, expected an integer",
    );
}
