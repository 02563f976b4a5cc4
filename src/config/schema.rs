//! The JSON Schema (draft 2020-12) of the configuration files, made from the table, for editors to complete and check
//! by. `config/siskin.schema.json` is this text.
//!
//! It knows types, bounds and names. Rules between keys are the loader's.

use serde_json::Value as Json;

use crate::gate::Scope;
use crate::gate::jwt::Algorithm;

use super::auth::RATE_MAX;
use super::field::{Row, Section};
use super::keys::{SECTIONS, Service, TOP_SERVICES};
use super::kind::{Bounds, Item, Kind, Value};

/// The schema, indented, with a newline at its end. Made as text, which weighs a tenth of the code that would put values together.
#[expect(clippy::expect_used, reason = "a test makes it")]
pub fn json_schema() -> String {
    let service = r##"{"$ref":"#/$defs/service"}"##;
    let mut properties = Vec::new();
    for section in SECTIONS {
        properties.push(member(section.name, &section_schema(section, "false")));
    }
    properties.extend(TOP_SERVICES.map(|id| member(id, service)));
    let services = format!(
        r#"{{
"type": "object",
"description": "The services by id.",
"propertyNames": {{ "pattern": "^[a-z0-9_]{{1,64}}$" }},
"additionalProperties": {service}
}}"#
    );
    properties.push(member("services", &services));
    let schema = format!(
        r#"{{
"$schema": "https://json-schema.org/draft/2020-12/schema",
"title": "siskin configuration",
"type": "object",
"properties": {{ {} }},
"additionalProperties": false,
"$defs": {{ "service": {} }}
}}"#,
        properties.join(","),
        section_schema(&Service::SECTION, r#"{"type":"string"}"#)
    );
    let schema: Json = serde_json::from_str(&schema).expect("what is written here is JSON");
    format!("{schema:#}\n")
}

fn member(name: &str, schema: &str) -> String {
    format!(r#""{name}":{schema}"#)
}

/// `others` is what its further members are.
fn section_schema(section: &Section, others: &str) -> String {
    let mut properties = Vec::new();
    for row in section.rows {
        properties.push(member(row.name, &row_schema(row)));
        if matches!(row.kind, Kind::Secret) {
            let file = format!(
                r#"{{"type":"string","description":"Path of a file that holds `{}`."}}"#,
                row.name
            );
            properties.push(member(&format!("{}_file", row.name), &file));
        }
    }
    format!(
        r#"{{"type":"object","description":{},"properties":{{{}}},"additionalProperties":{others}}}"#,
        quoted(section.doc.trim()),
        properties.join(",")
    )
}

fn row_schema(row: &Row) -> String {
    let default = match row.default_value() {
        Value::Bool(yes) => Some(yes.to_string()),
        // Sizes and durations as people write them.
        Value::Number(number) if matches!(row.kind, Kind::Integer(_)) => Some(number.to_string()),
        Value::Number(number) => Some(quoted(&row.kind.show_number(number))),
        // The version would change this text with every release.
        Value::Text(text) if text != env!("CARGO_PKG_VERSION") => Some(quoted(&text)),
        Value::Certificates(_) | Value::List(_) | Value::Listeners(_) | Value::Tokens(_) => {
            Some("[]".to_owned())
        }
        Value::Secret(_) | Value::Text(_) | Value::Unset => None,
    };
    let mut schema = kind_schema(row.kind);
    // Into the object that it is.
    schema.pop();
    schema.push_str(r#","description":"#);
    schema.push_str(&quoted(row.doc.trim()));
    if let Some(default) = default {
        schema.push_str(r#","default":"#);
        schema.push_str(&default);
    }
    schema + "}"
}

fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

fn kind_schema(kind: Kind) -> String {
    match kind {
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
    }
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
    format!(r#"{{"type":"string","pattern":{}}}"#, quoted(pattern))
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
