//! The sentences: what was found, and what is expected. Short, bounded, and without secrets.

use serde_json::Value;

use super::kind::{Kind, Kinds};
use super::node::{Bound, Count, Node, NodeId, NumberRules, ObjectRules, StringRules, node};

/// Longest piece of a string that is shown.
const STRING_CHARS_MAX: usize = 60;
/// How many values or names are listed.
const LIST_MAX: usize = 20;
/// How many schemas in one another are told.
const DEPTH_MAX: usize = 4;
/// How many schemas are told in all: each may have many alternatives, which have many.
const SCHEMAS_MAX: usize = 40;
/// Longest expectation.
const EXPECTED_CHARS_MAX: usize = 600;

/// What was found: `the string "abc"`.
pub(super) fn found(value: &Value, is_secret: bool) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Array(elements) if elements.len() == 1 => "an array of 1 element".to_owned(),
        Value::Array(elements) => format!("an array of {} elements", elements.len()),
        Value::Object(members) if members.len() == 1 => "an object with 1 member".to_owned(),
        Value::Object(members) => format!("an object with {} members", members.len()),
        value if is_secret => Kind::of(value).phrase().to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(string) => {
            let shown = quoted(string, STRING_CHARS_MAX);
            let length = string.chars().count();
            match length > STRING_CHARS_MAX {
                true => format!("the string {shown} of {length} characters"),
                false => format!("the string {shown}"),
            }
        }
    }
}

/// In quotes, escaped as in JSON, and cut off with `…` behind `chars_max`.
pub(super) fn quoted(text: &str, chars_max: usize) -> String {
    let cut = text.char_indices().nth(chars_max).map(|(at, _)| at);
    match cut {
        Some(at) => {
            let mut shown = Value::from(text.get(..at).unwrap_or_default()).to_string();
            shown.pop();
            shown + "…\""
        }
        None => Value::from(text).to_string(),
    }
}

/// What a node wants: `an integer from 1 to 5000`.
pub(super) fn expected(nodes: &[Node], id: NodeId) -> String {
    let mut left = SCHEMAS_MAX;
    let mut text = describe(nodes, id, 0, &mut left);
    if let Some((at, _)) = text.char_indices().nth(EXPECTED_CHARS_MAX) {
        text.truncate(at);
        text.push('…');
    }
    text
}

/// The names, each in backticks, as many as make sense in a sentence.
pub(super) fn list_names<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = names.len();
    listed(names.map(|name| format!("`{name}`")), count)
}

fn listed(items: impl Iterator<Item = String>, count: usize) -> String {
    let mut text = items.take(LIST_MAX).collect::<Vec<_>>().join(", ");
    if count > LIST_MAX {
        text.push_str(&format!(", … ({count} in all)"));
    }
    text
}

fn describe(nodes: &[Node], id: NodeId, depth: usize, left: &mut usize) -> String {
    if depth > DEPTH_MAX || *left == 0 {
        return "a value of another form".to_owned();
    }
    *left = left.saturating_sub(1);
    let node = node(nodes, id);
    if node.is_never {
        return "nothing: it is not allowed here".to_owned();
    }
    if let Some(values) = &node.values {
        let texts = values.given.iter().map(|value| match value {
            Value::String(string) => quoted(string, STRING_CHARS_MAX),
            other => quoted_json(other),
        });
        let texts = listed(texts, values.given.len());
        return match values.given.len() {
            1 => texts,
            _ => format!("one of {texts}"),
        };
    }
    let mut parts = Vec::new();
    let kinds = node.kinds.unwrap_or_else(|| kinds_of_rules(node));
    let phrases: Vec<String> = kinds.iter().map(|kind| of_kind(node, kind)).collect();
    if !phrases.is_empty() {
        parts.push(phrases.join(" or "));
    }
    if let Some(in_place) = &node.in_place {
        let mut inner = |id: &NodeId| describe(nodes, *id, depth.saturating_add(1), left);
        parts.extend(in_place.all.iter().map(&mut inner));
        for choice in in_place.any.iter().chain(&in_place.one) {
            let texts = choice.iter().take(LIST_MAX).map(&mut inner);
            let texts = texts.collect::<Vec<_>>();
            parts.push(texts.join(", or "));
        }
        if let Some(not) = in_place.not {
            parts.push(format!("not {}", inner(&not)));
        }
    }
    parts.dedup();
    match parts.is_empty() {
        true => "a value".to_owned(),
        false => parts.join(", and "),
    }
}

/// A value of an `enum` that is no string.
fn quoted_json(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(STRING_CHARS_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// The types that a node without `type` has something to say about.
fn kinds_of_rules(node: &Node) -> Kinds {
    let rules = [
        (node.number.is_some(), Kind::Number),
        (node.string.is_some(), Kind::String),
        (node.array.is_some(), Kind::Array),
        (node.object.is_some(), Kind::Object),
    ];
    rules
        .into_iter()
        .filter(|(has, _)| *has)
        .map(|(_, kind)| kind)
        .collect()
}

fn of_kind(node: &Node, kind: Kind) -> String {
    let phrase = kind.phrase();
    let rules = match kind {
        Kind::Integer | Kind::Number => node.number.as_deref().map(of_number),
        Kind::String => node.string.as_deref().map(of_string),
        Kind::Array => node.array.as_deref().map(|rules| {
            let unique = if rules.is_unique {
                " that all differ"
            } else {
                ""
            };
            counted(rules.count, "element") + unique
        }),
        Kind::Object => node.object.as_deref().map(of_object),
        Kind::Boolean | Kind::Null => None,
    };
    match kind {
        Kind::Boolean => "true or false".to_owned(),
        _ => phrase.to_owned() + &rules.unwrap_or_default(),
    }
}

fn of_number(rules: &NumberRules) -> String {
    let mut text = String::new();
    let mut add = |bound: &Option<Bound>, word: &str| {
        if let Some(bound) = bound {
            text.push_str(&format!("{word}{}", bound.text));
        }
    };
    match (&rules.minimum, &rules.maximum) {
        (Some(_), Some(_)) => {
            add(&rules.minimum, " from ");
            add(&rules.maximum, " to ");
        }
        _ => {
            add(&rules.minimum, " of at least ");
            add(&rules.maximum, " of at most ");
        }
    }
    add(&rules.above, " above ");
    add(&rules.below, " below ");
    add(&rules.step, ", a multiple of ");
    text
}

fn of_string(rules: &StringRules) -> String {
    let mut text = counted(rules.length, "character");
    if let Some(format) = rules.format {
        text.push_str(&format!(" that is {}", format.phrase()));
    }
    if let Some(pattern) = &rules.pattern {
        text.push_str(&format!(" that matches `{}`", pattern.source()));
    }
    text
}

fn of_object(rules: &ObjectRules) -> String {
    let mut text = counted(rules.count, "member");
    if !rules.required.is_empty() {
        let names = list_names(rules.required.iter().map(String::as_str));
        text.push_str(&format!(" with {names}"));
    }
    text
}

/// ` of 1 to 20 characters`
fn counted(count: Count, what: &str) -> String {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    match (count.least, count.most) {
        (None, None) | (Some(0), None) => String::new(),
        (Some(least), Some(most)) if least == most => format!(" of {most} {what}{}", plural(most)),
        (Some(least), Some(most)) => format!(" of {least} to {most} {what}{}", plural(most)),
        (Some(least), None) => format!(" of at least {least} {what}{}", plural(least)),
        (None, Some(most)) => format!(" of at most {most} {what}{}", plural(most)),
    }
}
