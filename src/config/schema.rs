//! The JSON Schema (draft 2020-12) of the configuration files, made from the table, for editors to complete and check
//! by. `config/siskin.schema.json` is this text.
//!
//! It knows types, bounds and names. Rules between keys are the loader's.

#![expect(
    clippy::indexing_slicing,
    reason = "a page of our own tables: nothing from outside comes in"
)]

use serde_json::{Map, Value as Json, json};

use crate::gate::Scope;
use crate::gate::jwt::Algorithm;

use super::auth::RATE_MAX;
use super::field::{Row, Section};
use super::keys::{SECTIONS, Service, TOP_SERVICES};
use super::kind::{Bounds, Item, Kind, Value};

/// The schema, indented, with a newline at its end.
pub fn json_schema() -> String {
    let service = json!({ "$ref": "#/$defs/service" });
    let mut properties = Map::new();
    for section in SECTIONS {
        properties.insert(section.name.to_owned(), section_schema(section));
    }
    for id in TOP_SERVICES {
        properties.insert(id.to_owned(), service.clone());
    }
    let services = json!({
        "type": "object",
        "description": "The services by id.",
        "propertyNames": { "pattern": "^[a-z0-9_]{1,64}$" },
        "additionalProperties": service,
    });
    properties.insert("services".to_owned(), services);
    let mut one_service = section_schema(&Service::SECTION);
    one_service["additionalProperties"] = json!({ "type": "string" });
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "siskin configuration",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": { "service": one_service },
    });
    format!("{schema:#}\n")
}

fn section_schema(section: &Section) -> Json {
    let mut properties = Map::new();
    for row in section.rows {
        properties.insert(row.name.to_owned(), row_schema(row));
        if matches!(row.kind, Kind::Secret) {
            let description = format!("Path of a file that holds `{}`.", row.name);
            let file = json!({ "type": "string", "description": description });
            properties.insert(format!("{}_file", row.name), file);
        }
    }
    json!({
        "type": "object",
        "description": section.doc.trim(),
        "properties": properties,
        "additionalProperties": false,
    })
}

fn row_schema(row: &Row) -> Json {
    let mut schema = kind_schema(row.kind);
    schema["description"] = json!(row.doc.trim());
    let default = match row.default_value() {
        Value::Bool(yes) => json!(yes),
        // Sizes and durations as people write them.
        Value::Number(number) if matches!(row.kind, Kind::Integer(_)) => json!(number),
        Value::Number(number) => json!(row.kind.show_number(number)),
        // The version would change this text with every release.
        Value::Text(text) if text != env!("CARGO_PKG_VERSION") => json!(text),
        Value::Certificates(_) | Value::List(_) | Value::Listeners(_) | Value::Tokens(_) => {
            json!([])
        }
        Value::Secret(_) | Value::Text(_) | Value::Unset => return schema,
    };
    schema["default"] = default;
    schema
}

/// Written as the text they are: that weighs a tenth of the code that would put them together.
#[expect(clippy::expect_used, reason = "a test makes the schema of every kind")]
fn kind_schema(kind: Kind) -> Json {
    let text = match kind {
        Kind::Bool => r#"{"type":"boolean"}"#.to_owned(),
        Kind::Certificates => array(CERTIFICATE),
        Kind::Choice(words) => {
            let words = words.iter();
            let all = words.flat_map(|(word, aliases)| [word].into_iter().chain(*aliases));
            one_of(&all.copied().collect::<Vec<_>>())
        }
        Kind::Duration(_) => pattern("^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"),
        Kind::Integer(bounds) => integer(bounds),
        Kind::List(item) => array(&item_schema(item)),
        Kind::Listeners => array(LISTENER),
        Kind::File | Kind::Host | Kind::Secret | Kind::Text => r#"{"type":"string"}"#.to_owned(),
        Kind::Size(bounds) => format!(
            r#"{{"anyOf":[{},{}]}}"#,
            integer(bounds),
            pattern("^[0-9]+([KMGkmg][Ii]?)?[Bb]$")
        ),
        Kind::Tokens => array(&TOKEN.replace("RATE_MAX", &RATE_MAX.to_string())),
        Kind::Url => pattern("^$|^https?://[^/?#@]+(/[^?#]*)?$"),
        Kind::UrlPath => pattern("^/[^?#%]+$"),
        Kind::Word => pattern("^[A-Za-z0-9_-]{1,64}$"),
    };
    serde_json::from_str(&text).expect("what is written here is JSON")
}

fn item_schema(item: Item) -> String {
    match item {
        Item::HostUrl => pattern("^[^=]+=https?://"),
        Item::Origin => pattern(r"^(\*|null|[A-Za-z][A-Za-z0-9+.-]*://[^/?#@]+)$"),
        Item::Algorithm => one_of(&Algorithm::ALL.map(Algorithm::as_str)),
        Item::Grant => pattern("^[^ =]+=(read|write|admin|publish|tools:.+)$"),
        Item::Scope => one_of(&Scope::ALL.map(Scope::as_str)),
        Item::Url => pattern("^https?://"),
        Item::HostName | Item::Path | Item::Pattern | Item::Proxy | Item::Word => {
            r#"{"type":"string","minLength":1}"#.to_owned()
        }
    }
}

fn array(items: &str) -> String {
    format!(r#"{{"type":"array","items":{items}}}"#)
}

fn integer(bounds: Bounds) -> String {
    let Bounds { min, max } = bounds;
    format!(r#"{{"type":"integer","minimum":{min},"maximum":{max}}}"#)
}

fn one_of(words: &[&str]) -> String {
    format!(r#"{{"enum":["{}"]}}"#, words.join(r#"",""#))
}

fn pattern(pattern: &str) -> String {
    let pattern = pattern.replace('\\', r"\\");
    format!(r#"{{"type":"string","pattern":"{pattern}"}}"#)
}

const LISTENER: &str = r#"{
"anyOf": [{ "type": "string" }, {
"type": "object",
"properties": {
"address": { "type": "string" },
"groups": { "type": "array", "items": { "enum": ["mcp", "api", "admin"] }, "minItems": 1 },
"tls": { "type": "boolean" }
},
"required": ["address"],
"additionalProperties": false
}]
}"#;

const CERTIFICATE: &str = r#"{
"type": "object",
"properties": {
"name": { "type": "string", "pattern": "^[A-Za-z0-9_.@-]{1,64}$" },
"subject": { "type": "string", "minLength": 1, "maxLength": 255 },
"fingerprint": { "type": "string", "pattern": "^([0-9A-Fa-f]:?){64}$" },
"scopes": { "type": "array", "items": { "enum": ["read", "write", "admin", "publish"] } },
"tools": { "type": "array", "items": { "type": "string", "minLength": 1 } }
},
"required": ["name"],
"oneOf": [{ "required": ["subject"] }, { "required": ["fingerprint"] }],
"additionalProperties": false
}"#;

/// With [`RATE_MAX`] to be put in.
const TOKEN: &str = r#"{
"type": "object",
"properties": {
"name": { "type": "string", "pattern": "^[A-Za-z0-9_.@-]{1,64}$" },
"token": { "type": "string", "minLength": 1 },
"token_file": { "type": "string", "minLength": 1 },
"token_sha256": { "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" },
"scopes": { "type": "array", "items": { "enum": ["read", "write", "admin", "publish"] } },
"tools": { "type": "array", "items": { "type": "string", "minLength": 1 } },
"requests_per_minute": { "type": "integer", "minimum": 0, "maximum": RATE_MAX },
"burst": { "type": "integer", "minimum": 1, "maximum": RATE_MAX }
},
"required": ["name"],
"oneOf": [{ "required": ["token"] }, { "required": ["token_file"] }, { "required": ["token_sha256"] }],
"additionalProperties": false
}"#;
