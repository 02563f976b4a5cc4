//! One value of the command line, read by the types its schema allows. `arguments` asks, and adds the name.

use serde_json::{Number, Value};

use super::arguments::quoted;

/// The JSON types a schema allows; none means any.
pub(super) struct Types<'s>(Vec<&'s str>);

/// What was expected, and what stood there.
pub(super) type Misfit = (String, String);

/// Reads a text as one JSON type, or not.
type Reading = fn(&str) -> Option<Value>;

impl<'s> Types<'s> {
    pub(super) fn of(schema: &'s Value) -> Types<'s> {
        let mut types = Vec::new();
        match schema.get("type") {
            Some(Value::String(one)) => types.push(one.as_str()),
            Some(Value::Array(several)) => types.extend(several.iter().filter_map(Value::as_str)),
            _ => {
                for branch in branches(schema) {
                    types.extend(Types::of(branch).0);
                }
                let listed = schema.get("enum").and_then(Value::as_array);
                if listed.is_some_and(|all| all.iter().all(Value::is_string)) {
                    types.push("string");
                }
            }
        }
        Types(types)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }

    pub(super) fn read(&self, schema: &Value, texts: &[&str]) -> Result<Value, Misfit> {
        let value = match texts {
            [text] => self.read_one(schema, text)?,
            several => read_list(schema, several)?,
        };
        let listed = schema.get("enum").and_then(Value::as_array);
        match listed {
            Some(listed) if !listed.contains(&value) => Err((self.words(schema), texts.join(", "))),
            _ => Ok(value),
        }
    }

    fn read_one(&self, schema: &Value, text: &str) -> Result<Value, Misfit> {
        if self.0.is_empty() {
            let as_json = serde_json::from_str(text);
            return Ok(as_json.unwrap_or_else(|_| text.into()));
        }
        // Where text is allowed all is text, except for a list or object that is written out.
        let is_text = self.has("string");
        let readings: [(&str, bool, Reading); 6] = [
            ("null", !is_text, read_null),
            ("boolean", !is_text, read_boolean),
            ("integer", !is_text, read_integer),
            ("number", !is_text, read_number),
            ("array", true, read_array),
            ("object", true, read_object),
        ];
        for (name, applies, reading) in readings {
            if let Some(value) = reading(text).filter(|_| applies && self.has(name)) {
                return Ok(value);
            }
        }
        if is_text {
            return Ok(text.into());
        }
        if self.has("array") {
            return read_list(schema, &[text]);
        }
        Err((self.words(schema), text.to_owned()))
    }

    pub(super) fn words(&self, schema: &Value) -> String {
        if let Some(listed) = schema.get("enum").and_then(Value::as_array) {
            let all: Vec<String> = listed
                .iter()
                .map(|value| {
                    value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned)
                })
                .collect();
            return format!("one of {}", quoted(&all));
        }
        let words: Vec<&str> = self.0.iter().map(|name| word(name)).collect();
        match words.as_slice() {
            [] => "any JSON".to_owned(),
            words => words.join(" or "),
        }
    }
}

/// The type in words, `type` of JSON Schema (draft 2020-12 validation, 6.1.1).
fn word(name: &str) -> &str {
    match name {
        "array" => "a list (the key repeated, or JSON)",
        "boolean" => "`true` or `false`",
        "integer" => "a whole number",
        "null" => "`null`",
        "number" => "a number",
        "object" => "a JSON object",
        "string" => "text",
        other => other,
    }
}

fn branches(schema: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf"]
        .into_iter()
        .filter_map(|name| schema.get(name).and_then(Value::as_array))
        .flatten()
}

fn read_list(schema: &Value, texts: &[&str]) -> Result<Value, Misfit> {
    let array = branches(schema)
        .find(|branch| Types::of(branch).has("array"))
        .unwrap_or(schema);
    let items = array.get("items").unwrap_or(&Value::Null);
    let types = Types::of(items);
    texts
        .iter()
        .map(|text| types.read(items, &[*text]))
        .collect::<Result<Vec<_>, _>>()
        .map(Value::Array)
}

fn read_null(text: &str) -> Option<Value> {
    (text == "null").then_some(Value::Null)
}

fn read_boolean(text: &str) -> Option<Value> {
    match text {
        "1" | "on" | "true" | "yes" => Some(true.into()),
        "0" | "false" | "no" | "off" => Some(false.into()),
        _ => None,
    }
}

fn read_integer(text: &str) -> Option<Value> {
    let negative = || text.parse::<i64>().ok().map(Value::from);
    text.parse::<u64>().ok().map(Value::from).or_else(negative)
}

fn read_number(text: &str) -> Option<Value> {
    read_integer(text).or_else(|| {
        let number: f64 = text.parse().ok()?;
        Number::from_f64(number).map(Value::Number)
    })
}

fn read_array(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(Value::is_array)
}

fn read_object(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(Value::is_object)
}
