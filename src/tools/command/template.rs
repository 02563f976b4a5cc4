//! Texts with references to arguments: `--name={name}`; `{{` and `}}` are braces.

use serde_json::{Map, Value};

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(String),
    Reference(String),
}

impl Template {
    /// Reads a template, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            literal.push_str(before);
            if let Some(behind) = from.strip_prefix("{{") {
                literal.push('{');
                rest = behind;
            } else if let Some(behind) = from.strip_prefix("}}") {
                literal.push('}');
                rest = behind;
            } else {
                let reference = from
                    .strip_prefix('{')
                    .and_then(|inner| inner.split_once('}'));
                let Some((name, behind)) = reference else {
                    return Err("has a lone brace; write `{{` or `}}` for the character".to_owned());
                };
                if !is_name(name) {
                    return Err(format!(
                        "refers to `{name}`, which is no name of an argument; write `{{{{` and `}}}}` for braces"
                    ));
                }
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(Part::Reference(name.to_owned()));
                rest = behind;
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() || parts.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Template { parts })
    }

    /// The names it refers to.
    pub(super) fn references(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Reference(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The text, if it refers to nothing.
    pub(super) fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The one reference it consists of.
    pub(super) fn sole_reference(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Reference(name)] => Some(name),
            _ => None,
        }
    }

    /// The text for these arguments; nothing if one of them is absent.
    pub(super) fn fill(&self, arguments: &Map<String, Value>) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Reference(name) => text.push_str(&text_of(present(arguments, name)?)),
            }
        }
        Some(text)
    }
}

/// The value of an argument; null is absent.
pub(super) fn present<'a>(arguments: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    arguments.get(name).filter(|value| !value.is_null())
}

/// Strings as they are, all else as JSON.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_name(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(is_word) && name.starts_with(|c: char| !c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(template: &str, expected: Option<&str>) {
        let template = Template::parse(template).unwrap();
        let arguments = json!({"a": "x", "n": 5, "yes": true, "list": [1, "b"], "none": null});
        let filled = template.fill(arguments.as_object().unwrap());
        assert_eq!(filled.as_deref(), expected);
    }

    #[test]
    fn references_are_filled_in() {
        check("", Some(""));
        check("plain", Some("plain"));
        check("{a}", Some("x"));
        check("--n={n},{a}{yes}", Some("--n=5,xtrue"));
        check("{list}", Some("[1,\"b\"]"));
        check("{{{a}}} {{.Names}}", Some("{x} {.Names}"));
        check("{none}", None);
        check("--{missing}", None);
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for text in [
            "{", "}", "{a", "a}", "{}", "{a b}", "{.Names}", "{1a}", "{a|int}", "{ä}",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
