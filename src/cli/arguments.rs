//! `key=value` words into the arguments of a tool, typed by its input schema.
//!
//! The schema is used for reading, not for checking: what is refused here is what cannot be read as any type the schema
//! allows, a name it does not know, and a required one that is missing. The rest is the tool's own check.

use std::fmt;

use serde_json::{Map, Value};

use super::front::did_you_mean;
use super::types::Types;
use crate::config::nearest;
use crate::sorted::SortedMap;

/// The input schema of a tool.
pub(super) struct Schema(Value);

/// Why words are no arguments of the tool.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ArgumentError {
    /// The value cannot be read as what the schema wants.
    Expected {
        name: String,
        expected: String,
        found: String,
    },
    /// Required arguments are missing.
    Missing { names: Vec<String> },
    /// `--args` is no JSON object.
    NotAnObject { problem: String },
    /// A word without `=`, or without a name before it.
    NotAPair { word: String },
    /// Two values for what is no list.
    SaidTwice { name: String },
    /// The tool has no such argument.
    Unknown {
        name: String,
        nearest: Option<String>,
        known: Vec<String>,
    },
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArgumentError::Expected {
                name,
                expected,
                found,
            } => {
                let found = found.escape_debug();
                write!(f, "argument `{name}`: expected {expected}, found `{found}`")
            }
            ArgumentError::Missing { names } => {
                let word = if names.len() == 1 {
                    "argument"
                } else {
                    "arguments"
                };
                write!(f, "missing {word} {}", quoted(names))
            }
            ArgumentError::NotAnObject { problem } => {
                write!(f, "`--args`: expected a JSON object, {problem}")
            }
            ArgumentError::NotAPair { word } => {
                write!(f, "expected `KEY=VALUE`, found `{}`", word.escape_debug())
            }
            ArgumentError::SaidTwice { name } => {
                write!(f, "argument `{name}` is given twice and is no list")
            }
            ArgumentError::Unknown {
                name,
                nearest,
                known,
            } => {
                let name = name.escape_debug();
                let guess = did_you_mean(nearest.as_deref());
                write!(f, "unknown argument `{name}`{guess}; ")?;
                match known.as_slice() {
                    [] => f.write_str("it takes none"),
                    known => write!(f, "it takes {}", quoted(known)),
                }
            }
        }
    }
}

impl Schema {
    /// A schema that is no JSON knows no argument and allows all: the tool's own check has the last word.
    pub(super) fn parse(json: &str) -> Schema {
        Schema(serde_json::from_str(json).unwrap_or(Value::Bool(true)))
    }

    /// The arguments as a JSON object: `json` first, then the `pairs`.
    pub(super) fn read(
        &self,
        json: Option<&str>,
        pairs: &[String],
    ) -> Result<String, ArgumentError> {
        let mut arguments = match json {
            Some(json) => parse_object(json)?,
            None => Map::new(),
        };
        for (name, texts) in group(pairs)? {
            let schema = self.property(name)?;
            let said_twice = || ArgumentError::SaidTwice {
                name: name.to_owned(),
            };
            if arguments.contains_key(name) {
                return Err(said_twice());
            }
            let types = Types::of(schema);
            if texts.len() > 1 && !types.has("array") {
                return Err(said_twice());
            }
            let value = types.read(schema, &texts).map_err(|(expected, found)| {
                ArgumentError::Expected {
                    name: name.to_owned(),
                    expected,
                    found,
                }
            })?;
            arguments.insert(name.to_owned(), value);
        }
        let missing: Vec<String> = self
            .required()
            .filter(|name| !arguments.contains_key(*name))
            .map(str::to_owned)
            .collect();
        if !missing.is_empty() {
            return Err(ArgumentError::Missing { names: missing });
        }
        Ok(Value::Object(arguments).to_string())
    }

    /// One line for each argument.
    pub(super) fn describe(&self) -> Vec<String> {
        let required: Vec<&str> = self.required().collect();
        let Some(properties) = self.properties() else {
            return Vec::new();
        };
        properties
            .iter()
            .map(|(name, schema)| {
                let types = Types::of(schema).words(schema);
                let need = if required.contains(&name.as_str()) {
                    ", required"
                } else {
                    ""
                };
                let description = schema["description"].as_str().unwrap_or_default();
                let first = description.lines().next().unwrap_or_default();
                let line = format!("{name}: {types}{need}. {first}");
                line.trim_end().to_owned()
            })
            .collect()
    }

    fn properties(&self) -> Option<&Map<String, Value>> {
        self.0.get("properties").and_then(Value::as_object)
    }

    fn required(&self) -> impl Iterator<Item = &str> {
        let list = self.0.get("required").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    }

    /// The schema of one argument. A schema that is silent about further members allows them, but on a command line a
    /// name it does not list is a slip; `--args` passes anything.
    fn property(&self, name: &str) -> Result<&Value, ArgumentError> {
        let properties = self.properties();
        if let Some(schema) = properties.and_then(|all| all.get(name)) {
            return Ok(schema);
        }
        match self.0.get("additionalProperties") {
            Some(further @ (Value::Bool(true) | Value::Object(_))) => return Ok(further),
            None if properties.is_none() && !self.0.is_object() => return Ok(&self.0),
            _ => (),
        }
        let known: Vec<String> = properties
            .into_iter()
            .flat_map(Map::keys)
            .cloned()
            .collect();
        Err(ArgumentError::Unknown {
            name: name.to_owned(),
            nearest: nearest(name, known.iter().map(String::as_str)),
            known,
        })
    }
}

fn parse_object(json: &str) -> Result<Map<String, Value>, ArgumentError> {
    let problem = match serde_json::from_str(json) {
        Ok(Value::Object(members)) => return Ok(members),
        Ok(other) => format!("found {}", kind_of(&other)),
        Err(error) => error.to_string(),
    };
    Err(ArgumentError::NotAnObject { problem })
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "an array",
        Value::Bool(_) => "a boolean",
        Value::Null => "null",
        Value::Number(_) => "a number",
        Value::Object(_) => "an object",
        Value::String(_) => "a string",
    }
}

/// The values of each name, in order.
fn group(pairs: &[String]) -> Result<SortedMap<&str, Vec<&str>>, ArgumentError> {
    let mut groups: SortedMap<&str, Vec<&str>> = SortedMap::new();
    for word in pairs {
        match word.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                groups.or_default(name).push(value);
            }
            _ => return Err(ArgumentError::NotAPair { word: word.clone() }),
        }
    }
    Ok(groups)
}

pub(super) fn quoted(names: &[String]) -> String {
    let all: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::Schema;

    const SCHEMA: &str = r#"{
        "type": "object",
        "properties": {
            "host": { "type": "string", "description": "Who.\nMore." },
            "port": { "type": "integer" },
            "ratio": { "type": "number" },
            "deep": { "type": "boolean" },
            "names": { "type": "array", "items": { "type": "string" } },
            "sizes": { "type": "array", "items": { "type": "integer" } },
            "filter": { "type": "object" },
            "level": { "type": "string", "enum": ["low", "high"] },
            "maybe": { "anyOf": [{ "type": "integer" }, { "type": "null" }] },
            "either": { "type": ["string", "array"], "items": { "type": "string" } },
            "free": {}
        },
        "required": ["host"]
    }"#;

    fn read(json: Option<&str>, pairs: &[&str]) -> Result<String, String> {
        let pairs: Vec<String> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
        let schema = Schema::parse(SCHEMA);
        schema.read(json, &pairs).map_err(|error| error.to_string())
    }

    /// Reads the words beside the one required argument.
    #[track_caller]
    fn check(pairs: &[&str], expected: &str) {
        let actual = read(Some(r#"{"host":"h"}"#), pairs).unwrap();
        let actual: serde_json::Value = serde_json::from_str(&actual).unwrap();
        let mut wanted: serde_json::Value = serde_json::from_str(expected).unwrap();
        wanted["host"] = "h".into();
        assert_eq!(actual, wanted, "{pairs:?}");
    }

    #[track_caller]
    fn refused(pairs: &[&str], expected: &str) {
        let actual = read(Some(r#"{"host":"h"}"#), pairs).unwrap_err();
        assert_eq!(actual, expected, "{pairs:?}");
    }

    #[test]
    fn whole_numbers() {
        check(&["port=22"], r#"{"port":22}"#);
        check(&["port=-1"], r#"{"port":-1}"#);
        check(
            &["port=18446744073709551615"],
            r#"{"port":18446744073709551615}"#,
        );
        let refuse = |text: &str| {
            let words = format!("argument `port`: expected a whole number, found `{text}`");
            refused(&[&format!("port={text}")], &words);
        };
        ["ssh", "2.5", "", " 22", "18446744073709551616"]
            .into_iter()
            .for_each(refuse);
    }

    #[test]
    fn numbers() {
        check(&["ratio=2"], r#"{"ratio":2}"#);
        check(&["ratio=-2.5e1"], r#"{"ratio":-25.0}"#);
        for text in ["NaN", "inf", "x"] {
            let words = format!("argument `ratio`: expected a number, found `{text}`");
            refused(&[&format!("ratio={text}")], &words);
        }
    }

    #[test]
    fn booleans() {
        check(&["deep=true"], r#"{"deep":true}"#);
        check(&["deep=no"], r#"{"deep":false}"#);
        refused(
            &["deep=maybe"],
            "argument `deep`: expected `true` or `false`, found `maybe`",
        );
    }

    #[test]
    fn text_stays_text() {
        let read = |pairs| read(None, pairs).unwrap();
        assert_eq!(read(&["host=12"]), r#"{"host":"12"}"#);
        assert_eq!(read(&["host=a=b"]), r#"{"host":"a=b"}"#);
        assert_eq!(read(&["host="]), r#"{"host":""}"#);
        assert_eq!(read(&["host={}"]), r#"{"host":"{}"}"#);
    }

    #[test]
    fn lists() {
        check(&["names=a"], r#"{"names":["a"]}"#);
        check(&["names=a", "names=b,c"], r#"{"names":["a","b,c"]}"#);
        check(&[r#"names=["a","b"]"#], r#"{"names":["a","b"]}"#);
        check(&["names=[draft]"], r#"{"names":["[draft]"]}"#);
        check(&["sizes=1", "sizes=2"], r#"{"sizes":[1,2]}"#);
        refused(
            &["sizes=1", "sizes=x"],
            "argument `sizes`: expected a whole number, found `x`",
        );
        refused(
            &["port=1", "port=2"],
            "argument `port` is given twice and is no list",
        );
    }

    #[test]
    fn objects() {
        check(&[r#"filter={"a":1}"#], r#"{"filter":{"a":1}}"#);
        refused(
            &["filter=[1]"],
            "argument `filter`: expected a JSON object, found `[1]`",
        );
    }

    #[test]
    fn choices() {
        check(&["level=low"], r#"{"level":"low"}"#);
        refused(
            &["level=Low"],
            "argument `level`: expected one of `low`, `high`, found `Low`",
        );
    }

    #[test]
    fn several_types() {
        check(&["maybe=1"], r#"{"maybe":1}"#);
        check(&["maybe=null"], r#"{"maybe":null}"#);
        refused(
            &["maybe=x"],
            "argument `maybe`: expected a whole number or `null`, found `x`",
        );
        check(&["either=a"], r#"{"either":"a"}"#);
        check(&["either=a", "either=b"], r#"{"either":["a","b"]}"#);
        check(&["free=1"], r#"{"free":1}"#);
        check(&["free=007"], r#"{"free":"007"}"#);
    }

    #[test]
    fn names() {
        refused(
            &["prot=22"],
            "unknown argument `prot`; did you mean `port`?; it takes `deep`, `either`, `filter`, `free`, `host`, \
             `level`, `maybe`, `names`, `port`, `ratio`, `sizes`",
        );
        refused(&["port"], "expected `KEY=VALUE`, found `port`");
        refused(&["=1"], "expected `KEY=VALUE`, found `=1`");
        refused(&["host=x"], "argument `host` is given twice and is no list");
        assert_eq!(
            read(None, &["port=1"]),
            Err("missing argument `host`".to_owned())
        );
    }

    #[test]
    fn what_the_schema_leaves_open() {
        let read = |schema: &str| {
            Schema::parse(schema)
                .read(None, &["a=1".to_owned()])
                .map_err(|error| error.to_string())
        };
        assert_eq!(
            read(r#"{"type":"object"}"#),
            Err("unknown argument `a`; it takes none".to_owned())
        );
        assert_eq!(
            read(r#"{"type":"object","additionalProperties":true}"#),
            Ok(r#"{"a":1}"#.to_owned())
        );
        assert_eq!(
            read(r#"{"type":"object","additionalProperties":{"type":"string"}}"#),
            Ok(r#"{"a":"1"}"#.to_owned())
        );
        assert_eq!(read("no json"), Ok(r#"{"a":1}"#.to_owned()));
    }

    #[test]
    fn json_of_any_members() {
        assert_eq!(
            read(Some(r#"{"host":"h","other":[1]}"#), &[]).unwrap(),
            r#"{"host":"h","other":[1]}"#
        );
        assert_eq!(
            read(Some("[1]"), &[]).unwrap_err(),
            "`--args`: expected a JSON object, found an array"
        );
        let broken = read(Some("{"), &[]).unwrap_err();
        assert!(broken.contains("line 1 column 1"), "{broken}");
    }

    #[test]
    fn description() {
        let lines = Schema::parse(SCHEMA).describe();
        assert!(lines.contains(&"host: text, required. Who.".to_owned()));
        assert!(lines.contains(&"level: one of `low`, `high`.".to_owned()));
    }
}
