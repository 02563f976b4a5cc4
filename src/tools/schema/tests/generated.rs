//! Made-up schemas and arguments: checking never panics, always ends, and keeps its promises.

use super::*;
use crate::dice::Dice;

const NAMES: [&str; 5] = ["a", "b", "c", "ab", ""];
const KINDS: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];
const STRINGS: [&str; 12] = [
    "",
    "5",
    "5.0",
    "2.5",
    "true",
    "[1,\"2\"]",
    "[",
    "é😀",
    "aaa",
    "-1e3",
    "2026-07-28",
    "9007199254740993",
];

fn value(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => Value::from(dice.below(2) == 0),
        2 => Value::from(dice.below(7)),
        3 => json!(5.0),
        4 => json!(-2.5),
        5 => Value::from(*dice.one(&STRINGS)),
        6 => (0..dice.below(4)).map(|_| value(dice, depth - 1)).collect(),
        _ => object(dice, depth),
    }
}

fn object(dice: &mut Dice, depth: usize) -> Value {
    let names: Vec<_> = (0..dice.below(4)).map(|_| *dice.one(&NAMES)).collect();
    let members = names
        .into_iter()
        .map(|name| (name.to_owned(), value(dice, depth.saturating_sub(1))));
    members.collect()
}

fn schemas(dice: &mut Dice, depth: usize) -> Vec<Value> {
    (0..=dice.below(2))
        .map(|_| schema(dice, depth - 1))
        .collect()
}

fn schema(dice: &mut Dice, depth: usize) -> Value {
    if depth == 0 {
        return match dice.below(4) {
            0 => json!(true),
            1 => json!({"$ref": "#/$defs/d"}),
            2 => json!({"enum": [value(dice, 1), 5, "5"]}),
            _ => json!({"type": dice.one(&KINDS)}),
        };
    }
    let mut keywords = Map::new();
    for _ in 0..dice.below(4) {
        let (keyword, rule) = match dice.below(22) {
            0 => ("type", json!(dice.one(&KINDS))),
            1 => ("enum", json!([value(dice, 1), value(dice, 1)])),
            2 => ("minimum", json!(dice.below(6))),
            3 => ("exclusiveMaximum", json!(5.5)),
            4 => ("multipleOf", json!(0.5)),
            5 => ("minLength", json!(dice.below(3))),
            6 => ("maxItems", json!(dice.below(4))),
            7 => (
                "pattern",
                json!(dice.one(&["^a*$", "(a|aa)+", "\\d", "[^a]"])),
            ),
            8 => ("format", json!(dice.one(&["date", "uuid", "password"]))),
            9 => ("items", schema(dice, depth - 1)),
            10 => ("prefixItems", schemas(dice, depth).into()),
            11 => ("uniqueItems", json!(true)),
            12 => ("required", json!([dice.one(&NAMES)])),
            13 => ("additionalProperties", schema(dice, depth - 1)),
            14 => ("propertyNames", schema(dice, depth - 1)),
            15 => ("allOf", schemas(dice, depth).into()),
            16 => ("anyOf", schemas(dice, depth).into()),
            17 => ("oneOf", schemas(dice, depth).into()),
            18 => ("not", schema(dice, depth - 1)),
            19 => ("default", value(dice, 1)),
            20 => ("writeOnly", json!(true)),
            _ => (
                "properties",
                json!({
                    "a": schema(dice, depth - 1),
                    *dice.one(&NAMES): schema(dice, depth - 1),
                }),
            ),
        };
        keywords.insert(keyword.to_owned(), rule);
    }
    Value::Object(keywords)
}

#[test]
fn checking_never_panics_and_always_ends() {
    let mut dice = Dice(0x5157_1233_9e37_79b9);
    let (mut compiled, mut accepted, mut refused) = (0, 0, 0);
    for _ in 0..6000 {
        let mut text = schema(&mut dice, 4);
        if let Value::Object(keywords) = &mut text {
            keywords.insert("$defs".to_owned(), json!({"d": schema(&mut dice, 2)}));
        }
        let Ok(schema) = Schema::compile(&text) else {
            continue;
        };
        compiled += 1;
        for _ in 0..8 {
            let arguments = object(&mut dice, 4);
            fuzz_schema(&format!("{text}\n{arguments}"));
            match schema.check(members(arguments)) {
                Ok(_) => accepted += 1,
                Err(_) => refused += 1,
            }
        }
    }
    // The generators are worth something: much is compiled, and both outcomes are common.
    assert!(compiled > 500, "{compiled}");
    assert!(accepted > 500 && refused > 500, "{accepted} {refused}");
}

#[test]
fn broken_texts_never_panic() {
    let mut dice = Dice(42);
    let whole = format!(
        "{}\n{}",
        json!({"properties": {"a": {"type": "integer", "pattern": "x", "default": 5}, "b": {"anyOf": [true]}}}),
        json!({"a": "5", "b": [1, {"c": null}]})
    );
    for _ in 0..3000 {
        let mut bytes = whole.clone().into_bytes();
        for _ in 0..=dice.below(3) {
            let at = dice.below(bytes.len());
            bytes[at] = *dice.one(b"{}[]\":,0aex\\\n");
        }
        if let Ok(text) = String::from_utf8(bytes) {
            fuzz_schema(&text);
        }
    }
}
