//! The written reference of `[tool.response]` and its JSON Schema, made from the table in [`super::keys`].

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a page of our own tables: nothing from outside comes in"
)]

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::keys::{Kind, REQUIRED, TABLES, Table};

/// The reference of all keys, in Markdown, from the level of a section down.
pub fn response_markdown() -> String {
    let mut text = String::from(NOTATION);
    write_tables(&mut text, &TABLES);
    text
}

/// Writes tables of keys, each with a heading.
pub fn write_tables(text: &mut String, tables: &[Table]) {
    for table in tables {
        writeln!(
            text,
            "### `{}`\n\n{}: {}\n",
            table.name,
            upper(table.place),
            table.doc
        )
        .expect(INFALLIBLE);
        text.push_str("| key | value | without it | meaning | example |\n|---|---|---|---|---|\n");
        for key in table.keys {
            let (name, default, doc) = (key.name, key.default, escape(key.doc));
            let example = escape(key.example.lines().next().unwrap_or_default());
            let words = escape(&words(key.kind));
            writeln!(
                text,
                "| `{name}` | {words} | {default} | {doc} | `` {example} `` |"
            )
            .expect(INFALLIBLE);
        }
        text.push('\n');
    }
}

const NOTATION: &str = "\
The keys work in this order, whatever the order in the file:

```text
decode → at (beside, headers, total) → each → entries → lines     what the items are
       → where → sort → limit                                     which items
       → redact → drop → pick                                     which members
       → points → drop_empty → map → time → trim → round          how they look
       → text or JSON → max_output
```

Up to `pick` paths use the service's names, behind it those that `pick` made. Three notations:

- A JSON pointer (RFC 6901) finds the payload: `/data/result`; the empty text is the whole document.
- A path finds values in an item: `name`, `labels.job`, `Names[0]`, `Names[-1]` (from the end), `panels[].title` (each element of a
  list, or each value of an object), `Networks[keys]` (an object's names), `Labels[\"a.b\"]` (a name with dots), `.` (the item).
- An argument is a text that is exactly `{name}`. If it was not given, the limit or condition is not there.

";

/// The tables as definitions of a JSON Schema (draft 2020-12), for its `$defs`; `response` is the outermost.
pub fn response_schema() -> Map<String, Json> {
    definitions(&TABLES)
}

/// Tables of keys as definitions of a JSON Schema.
pub fn definitions(tables: &[Table]) -> Map<String, Json> {
    let tables = tables.iter().map(|table| {
        let properties: Map<String, Json> = table
            .keys
            .iter()
            .map(|key| {
                let mut schema = kind_schema(key.kind);
                schema["description"] = key.doc.into();
                (key.name.to_owned(), schema)
            })
            .collect();
        let required = table.keys.iter().filter(|key| key.default == REQUIRED);
        let required: Vec<&str> = required.map(|key| key.name).collect();
        let mut schema = json!({
            "type": "object",
            "description": table.doc,
            "properties": properties,
            "additionalProperties": false,
        });
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        (table.name.to_owned(), schema)
    });
    tables.collect()
}

fn words(kind: Kind) -> String {
    match kind {
        Kind::Any => "any value".into(),
        Kind::Bool => "`true` or `false`".into(),
        Kind::BoolArgument => "`\"{argument}\"`".into(),
        Kind::Choice(words) => format!("`{}`", words.join("`, `")),
        Kind::Count => "whole number from 1, or `\"{argument}\"`".into(),
        Kind::Duration => "duration, such as `45s`".into(),
        Kind::Elements => "list of texts, lists of texts, and `if` tables".into(),
        Kind::Integer(min, max) => format!("whole number, {min} to {max}"),
        Kind::List(inner) => format!("list of {}", plural(*inner)),
        Kind::ListOf(table) => format!("list of `{table}`"),
        Kind::Number => "number".into(),
        Kind::OneOrMany(inner) => format!("{}, or list of them", words(*inner)),
        Kind::Path => "path".into(),
        Kind::PathList => "list of paths".into(),
        Kind::Paths => "path or list of paths".into(),
        Kind::Picks => "list of texts and `pick` tables".into(),
        Kind::Pointer => "JSON pointer".into(),
        Kind::Pointers => "JSON pointer or list of them".into(),
        Kind::Scalar => "text, number, boolean or `\"{argument}\"`".into(),
        Kind::Scalars => "list of texts, numbers and booleans, or `\"{argument}\"`".into(),
        Kind::Schema => "JSON Schema".into(),
        Kind::Size(mib) => format!("bytes, `1KiB` to `{mib}MiB`"),
        Kind::Status => "status, such as `404` or `\"4xx\"`".into(),
        Kind::Table(table) => format!("`{table}`"),
        Kind::TableOf(inner) => format!("table of {}", plural(*inner)),
        Kind::TableOfTables(table) => format!("table of `{table}`"),
        Kind::Template => "template".into(),
        Kind::Text => "text".into(),
        Kind::TextList => "list of texts".into(),
        Kind::TextOrBool => "text or boolean".into(),
        Kind::Tree => "value with references".into(),
        Kind::ValueOrList => "text, number, boolean or a list of them".into(),
    }
}

/// The words for several of a kind.
fn plural(kind: Kind) -> String {
    match kind {
        Kind::Path | Kind::Template | Kind::Text => format!("{}s", words(kind)),
        Kind::Pointer => "JSON pointers".into(),
        Kind::Status => "statuses, such as `404` and `\"4xx\"`".into(),
        Kind::Tree => "values with references".into(),
        Kind::Any => "values".into(),
        kind => words(kind),
    }
}

fn kind_schema(kind: Kind) -> Json {
    let scalar = || json!({ "type": ["string", "number", "boolean"] });
    let one_or_many =
        |one: Json| json!({ "anyOf": [one.clone(), { "type": "array", "items": one }] });
    match kind {
        Kind::Any | Kind::Tree => json!({}),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::BoolArgument => json!({ "type": "string", "pattern": ARGUMENT }),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Count => {
            json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string", "pattern": ARGUMENT }] })
        }
        Kind::Duration => json!({ "type": "string", "pattern": DURATION }),
        Kind::Elements => json!({
            "type": "array",
            "items": {
                "anyOf": [
                    { "type": "string" },
                    { "type": "array", "items": { "type": "string" } },
                    reference("if"),
                ],
            },
        }),
        Kind::Integer(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::List(inner) => json!({ "type": "array", "items": kind_schema(*inner) }),
        Kind::ListOf(table) => json!({ "type": "array", "items": reference(table) }),
        Kind::Number => json!({ "type": "number" }),
        Kind::OneOrMany(inner) => one_or_many(kind_schema(*inner)),
        Kind::Path => path(),
        Kind::PathList => json!({ "type": "array", "items": path() }),
        Kind::Paths => one_or_many(path()),
        Kind::Picks => {
            json!({ "type": "array", "items": { "anyOf": [path(), reference("pick")] } })
        }
        Kind::Pointer => pointer(),
        Kind::Pointers => one_or_many(pointer()),
        Kind::Scalar => scalar(),
        Kind::Scalars => {
            json!({ "anyOf": [{ "type": "array", "items": scalar() }, { "type": "string", "pattern": ARGUMENT }] })
        }
        Kind::Schema => json!({ "type": ["object", "boolean"] }),
        Kind::Size(mib) => json!({
            "anyOf": [
                { "type": "integer", "minimum": 1024, "maximum": mib << 20 },
                { "type": "string", "pattern": "^[0-9]+ *[KM]iB$" },
            ],
        }),
        Kind::Status => json!({
            "anyOf": [
                { "type": "integer", "minimum": 100, "maximum": 599 },
                { "type": "string", "pattern": "^[1-5]([0-9][0-9]|xx)$" },
            ],
        }),
        Kind::Table(table) => reference(table),
        Kind::TableOf(inner) => {
            json!({ "type": "object", "additionalProperties": kind_schema(*inner) })
        }
        Kind::TableOfTables(table) => {
            json!({ "type": "object", "additionalProperties": reference(table) })
        }
        Kind::Template | Kind::Text => json!({ "type": "string" }),
        Kind::TextList => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::TextOrBool => json!({ "type": ["string", "boolean"] }),
        Kind::ValueOrList => one_or_many(scalar()),
    }
}

const DURATION: &str = "^([0-9]+([.][0-9]+)?(ms|s|m|min|h|d|w))+$";
const ARGUMENT: &str = "^\\{[A-Za-z_][A-Za-z0-9_]*\\}$";

fn reference(table: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{table}") })
}

fn path() -> Json {
    json!({ "type": "string", "minLength": 1 })
}

fn pointer() -> Json {
    json!({ "type": "string", "pattern": "^(/([^~]|~[01])*)?$" })
}

/// A bar would end the cell, an angle bracket would start a tag.
fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

const INFALLIBLE: &str = "a string can always be written to";
