//! The table of keys against the types, and what is made of it.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor, value};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use super::super::keys::{DECODERS, ENDS, TABLES, TIME_UNITS};
use super::super::reference::{response_markdown, response_schema};
use super::super::spec::{
    ConditionSpec, Keep, NestedSpec, PointsSpec, RedactSpec, TimeUnit, TrimSpec,
};
use super::super::{MAX_OUTPUT, ResponseSpec};
use crate::tools::declarative::decode::Decode;

/// Answers every question with the names that a type would read.
struct Names<'n>(&'n mut BTreeSet<&'static str>);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, value::Error> {
        Err(Error::custom("neither a struct nor an enum"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, value::Error> {
        self.0.extend(names);
        Err(Error::custom("known"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, value::Error> {
        self.0.extend(names);
        Err(Error::custom("known"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// What the type reads.
fn names<T: for<'de> Deserialize<'de>>() -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    assert!(T::deserialize(Names(&mut names)).is_err());
    assert!(!names.is_empty());
    names
}

#[test]
fn every_field_is_documented_and_nothing_else() {
    let fields = [
        ("response", names::<ResponseSpec>()),
        ("condition", names::<ConditionSpec>()),
        ("redact", names::<RedactSpec>()),
        ("pick", names::<NestedSpec>()),
        ("trim", names::<TrimSpec>()),
        ("points", names::<PointsSpec>()),
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
    let words = |words: &[&'static str]| words.iter().copied().collect::<BTreeSet<&str>>();
    assert_eq!(words(DECODERS), names::<Decode>());
    assert_eq!(words(TIME_UNITS), names::<TimeUnit>());
    assert_eq!(words(ENDS), names::<Keep>());
    assert_eq!(MAX_OUTPUT, 32 << 10, "the reference names it");
}

#[test]
fn every_example_loads_and_has_its_key() {
    for table in &TABLES {
        for key in table.keys {
            let spec: ResponseSpec = toml::from_str(key.example)
                .unwrap_or_else(|error| panic!("{}: {error}", key.example));
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
