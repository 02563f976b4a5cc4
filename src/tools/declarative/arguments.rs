//! The arguments of a tool as a pack declares them, and the JSON Schema that comes of it.
//!
//! What JSON Schema means by its keywords is `tools::schema`'s business; here are the four keys that are ours:
//! `required`, `ignored`, `default_option`, and a `type` that is text unless it says otherwise.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};
use toml::de::DeValue;

use super::source::Node;
use crate::sorted::SortedMap;
use crate::tools::schema::Schema;
use crate::tools::written::quoted;

/// One declared argument.
#[derive(Clone, Debug)]
pub(super) struct Argument {
    pub name: Box<str>,
    pub is_required: bool,
    /// Accepted and never used.
    pub is_ignored: bool,
    /// Whether a call always has a value for it.
    pub is_certain: bool,
    default_option: Option<Box<str>>,
    /// The members of its schema, in the order of the file.
    members: Vec<(Box<str>, Value)>,
}

/// Names a template reads otherwise.
const RESERVED: [&str; 6] = ["before", "login", "null", "option", "result", "token"];

impl Argument {
    /// Reads a table of arguments. `option_default` knows the options, and which have a default.
    pub(super) fn read_all(
        node: &Node<'_>,
        option_default: &dyn Fn(&str) -> Option<bool>,
    ) -> Vec<Argument> {
        let members = node.members();
        let read = |(name, node): &(&str, Node<'_>)| Argument::read(name, node, option_default);
        members.iter().filter_map(read).collect()
    }

    fn read(
        name: &str,
        node: &Node<'_>,
        option_default: &dyn Fn(&str) -> Option<bool>,
    ) -> Option<Argument> {
        if !is_argument_name(name) {
            node.report(format!(
                "`{}` cannot name an argument: letters, digits and `_` can, but for {}",
                name.escape_debug(),
                quoted(&mut RESERVED.into_iter())
            ));
        }
        let mut argument = Argument {
            name: name.into(),
            is_required: false,
            is_ignored: false,
            is_certain: false,
            default_option: None,
            members: Vec::new(),
        };
        let mut has_default = false;
        if node.value.get_ref().as_table().is_none() {
            node.table(&[]);
            return None;
        }
        for (key, node) in node.members() {
            match key {
                "required" => argument.is_required = node.boolean()?,
                "ignored" => argument.is_ignored = node.boolean()?,
                "default_option" => {
                    let option = node.text()?;
                    match option_default(option) {
                        Some(default) => has_default |= default,
                        None => node.report(format!(
                            "no option `{option}`; declare it in `[service.options]`"
                        )),
                    }
                    argument.default_option = Some(option.into());
                }
                key => {
                    has_default |= key == "default";
                    argument.members.push((key.into(), plain(&node)?));
                }
            }
        }
        if !argument.has("type") {
            let kind = ("type".into(), Value::from("string"));
            argument.members.insert(0, kind);
        }
        if argument.is_required && has_default {
            node.report("is required and has a default: one of the two does nothing");
        }
        argument.is_certain = argument.is_required || has_default;
        Some(argument)
    }

    /// Whether its schema has a keyword.
    pub(super) fn has(&self, keyword: &str) -> bool {
        self.members.iter().any(|(key, _)| **key == *keyword)
    }

    /// The type it is said to have, if that is one word.
    fn kind(&self) -> Option<&str> {
        let (_, kind) = self.members.iter().find(|(key, _)| **key == *"type")?;
        kind.as_str()
    }

    /// The schema of this argument alone, with the default that the configuration gives.
    fn property(&self, options: &SortedMap<String, String>) -> Map<String, Value> {
        let mut property: Map<String, Value> = (self.members.iter())
            .map(|(key, value)| (key.to_string(), value.clone()))
            .collect();
        let option = (self.default_option.as_deref()).and_then(|name| options.get(name));
        if let Some(text) = option.filter(|text| !text.is_empty()) {
            property.insert("default".to_owned(), self.typed(text));
        }
        property
    }

    /// An option's text as a value of the argument's type; as it is where it does not fit, which the check finds.
    fn typed(&self, text: &str) -> Value {
        match self.kind() {
            Some("string") | None => text.into(),
            Some(_) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        }
    }
}

fn is_argument_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let begins = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    begins
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !RESERVED.contains(&name)
}

/// A value as JSON, without templates.
pub(super) fn plain(node: &Node<'_>) -> Option<Value> {
    Some(match node.value.get_ref() {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(_) => node.integer(i64::MIN, i64::MAX)?.into(),
        DeValue::Float(number) => {
            let number = number.as_str().parse().ok().and_then(Number::from_f64);
            if number.is_none() {
                node.report("JSON has no such number");
            }
            Value::Number(number?)
        }
        DeValue::Boolean(yes) => (*yes).into(),
        DeValue::Datetime(_) => {
            node.report("a date has no type in JSON; put it in quotes");
            return None;
        }
        DeValue::Array(_) => node.items().iter().map(plain).collect::<Option<_>>()?,
        DeValue::Table(_) => {
            let mut object = Map::new();
            for (name, node) in node.members() {
                object.insert(name.to_owned(), plain(&node)?);
            }
            object.into()
        }
    })
}

/// The input schema of some arguments, in their order, and its compiled form.
///
/// # Errors
/// The argument, the pointer within it and what is wrong there.
pub(super) fn input_schema(
    arguments: &[Argument],
    options: &SortedMap<String, String>,
) -> Result<(String, Schema), (String, String, String)> {
    // By hand, because the order of arguments says something to a reader and a map would lose it.
    let mut text = String::from("{\"type\":\"object\",\"properties\":{");
    for (index, argument) in arguments.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let property = Value::Object(argument.property(options));
        _ = write!(text, "{comma}\"{}\":{property}", argument.name);
    }
    text.push_str("},\"additionalProperties\":false");
    let required: Vec<&str> = (arguments.iter())
        .filter(|argument| argument.is_required)
        .map(|argument| &*argument.name)
        .collect();
    if !required.is_empty() {
        _ = write!(text, ",\"required\":{}", Value::from(required));
    }
    text.push('}');
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| (String::new(), String::new(), error.to_string()))?;
    match Schema::compile(&value) {
        Ok(schema) => Ok((text, schema)),
        Err(problem) => {
            let rest = problem
                .pointer
                .strip_prefix("/properties/")
                .unwrap_or_default();
            let (name, pointer) = match rest.find('/') {
                Some(at) => rest.split_at(at),
                None => (rest, ""),
            };
            Err((name.to_owned(), pointer.to_owned(), problem.text))
        }
    }
}
