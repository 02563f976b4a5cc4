//! The table of keys against the types, and what is made of it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::keys::{DECODERS, ENDS, TABLES, TIME_UNITS};
use super::super::reference::{response_markdown, response_schema};
use super::super::spec::{
    ConditionSpec, Keep, NestedSpec, PointsSpec, RedactSpec, TimeUnit, TrimSpec,
};
use super::super::{MAX_OUTPUT, ResponseSpec};
use crate::tools::declarative::decode::Decode;
use crate::tools::written::from_text;

#[test]
fn every_field_is_documented_and_nothing_else() {
    let words = |words: &[&'static str]| words.iter().copied().collect::<BTreeSet<&str>>();
    let fields = [
        ("response", words(ResponseSpec::KEYS)),
        ("condition", words(ConditionSpec::KEYS)),
        ("redact", words(RedactSpec::KEYS)),
        ("pick", words(NestedSpec::KEYS)),
        ("trim", words(TrimSpec::KEYS)),
        ("points", words(PointsSpec::KEYS)),
    ];
    assert_eq!(fields.len(), TABLES.len());
    for ((name, fields), table) in fields.into_iter().zip(&TABLES) {
        assert_eq!(name, table.name);
        let documented: BTreeSet<&str> = table.keys.iter().map(|key| key.name).collect();
        assert_eq!(documented, fields, "{name}");
        assert_eq!(documented.len(), table.keys.len(), "{name} has a key twice");
        assert!(
            table
                .keys
                .iter()
                .all(|key| key.doc.ends_with('.') || key.doc.ends_with("required."))
        );
    }
    assert_eq!(words(DECODERS), words(Decode::WORDS));
    assert_eq!(words(TIME_UNITS), words(TimeUnit::WORDS));
    assert_eq!(words(ENDS), words(Keep::WORDS));
    assert_eq!(MAX_OUTPUT, 32 << 10, "the reference names it");
}

#[test]
fn every_example_loads_and_has_its_key() {
    for table in &TABLES {
        for key in table.keys {
            let spec: ResponseSpec = from_text(key.example)
                .unwrap_or_else(|misfit| panic!("{}: {misfit:?}", key.example));
            let arguments = ["query", "limit", "full"];
            spec.compile(&|name| arguments.contains(&name))
                .unwrap_or_else(|problems| panic!("{}: {problems:?}", key.example));
            assert!(
                key.example.contains(&format!("{} = ", key.name)),
                "{} is not in {}",
                key.name,
                key.example
            );
        }
    }
}

#[test]
fn the_schema_has_every_key_and_no_dead_reference() {
    let schema = response_schema();
    for table in &TABLES {
        let properties = schema[table.name]["properties"].as_object().unwrap();
        assert_eq!(properties.len(), table.keys.len());
    }
    let text = Value::Object(schema.clone()).to_string();
    let references: Vec<&str> = text
        .split("#/$defs/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(references.len() > 5);
    for reference in references {
        assert!(schema.contains_key(reference), "{reference}");
    }
}

#[test]
fn the_reference_has_every_key() {
    let text = response_markdown();
    let rows = text.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(
        rows,
        TABLES.iter().map(|table| table.keys.len()).sum::<usize>()
    );
    // Five columns: bars within cells are escaped.
    for row in text.lines().filter(|line| line.starts_with('|')) {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 6, "{row}");
    }
}
