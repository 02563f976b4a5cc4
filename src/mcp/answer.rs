//! Whether what a client answered fits what it was asked.
//!
//! A client's word is outside input: an answer of the wrong shape is treated as missing, and the
//! server asks again or fails the call. Called for multi round-trip retries, for task updates and
//! for the results of a legacy server's own requests.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::input::InputRequest;
use crate::raw::Raw;

/// An answer of the right shape.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To a form or a page.
    Elicited(Elicited),
    /// To a question about folders.
    Roots(Vec<Root>),
    /// To a question to the model: the JSON text of a `CreateMessageResult`.
    Sampled(Sampled),
}

/// What the person did.
#[derive(Clone, Debug)]
pub enum Elicited {
    /// Filled in the form, or went to the page. The content satisfies the form as far as
    /// [`Answer::parse`] checks it; for a page it is `{}`.
    Accepted(Box<RawValue>),
    /// Neither yes nor no.
    Cancelled,
    /// Said no.
    Declined,
}

/// One folder a client works in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Root {
    /// Where it is.
    pub uri: String,
    /// What it is called.
    #[serde(default)]
    pub name: Option<String>,
}

/// What the model answered.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// The text of its text blocks, one per line.
    pub text: String,
    /// The whole result.
    pub json: Box<RawValue>,
}

impl Elicited {
    /// The word on the wire.
    pub fn action(&self) -> &'static str {
        match self {
            Elicited::Accepted(_) => "accept",
            Elicited::Cancelled => "cancel",
            Elicited::Declined => "decline",
        }
    }

    /// The content of an accepted form as JSON text, `{}` otherwise.
    pub fn content(&self) -> &str {
        match self {
            Elicited::Accepted(content) => content.get(),
            Elicited::Cancelled | Elicited::Declined => "{}",
        }
    }

    /// One field of an accepted form, if it is a string.
    pub fn text(&self, field: &str) -> Option<String> {
        match self.field(field)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// One field of an accepted form.
    pub fn field(&self, field: &str) -> Option<Value> {
        let Elicited::Accepted(content) = self else {
            return None;
        };
        let mut fields: Map<String, Value> = serde_json::from_str(content.get()).ok()?;
        fields.remove(field)
    }
}

impl Answer {
    /// Reads an answer to `request`; `None` if it does not fit.
    pub fn parse(request: &InputRequest, raw: &RawValue) -> Option<Answer> {
        Answer::read(request, raw.into())
    }

    /// The same for what was not kept.
    pub(super) fn read(request: &InputRequest, raw: Raw<'_>) -> Option<Answer> {
        match request {
            InputRequest::Elicit { schema, .. } => {
                parse_elicited(raw, Some(schema)).map(Answer::Elicited)
            }
            InputRequest::ElicitUrl { .. } => parse_elicited(raw, None).map(Answer::Elicited),
            InputRequest::ListRoots => parse_roots(raw).map(Answer::Roots),
            InputRequest::Sample { .. } => parse_sampled(raw).map(Answer::Sampled),
        }
    }

    /// What the person did, if that was the question.
    pub fn elicited(self) -> Option<Elicited> {
        match self {
            Answer::Elicited(elicited) => Some(elicited),
            Answer::Roots(_) | Answer::Sampled(_) => None,
        }
    }

    /// The folders, if that was the question.
    pub fn roots(self) -> Option<Vec<Root>> {
        match self {
            Answer::Roots(roots) => Some(roots),
            Answer::Elicited(_) | Answer::Sampled(_) => None,
        }
    }

    /// What the model said, if that was the question.
    pub fn sampled(self) -> Option<Sampled> {
        match self {
            Answer::Sampled(sampled) => Some(sampled),
            Answer::Elicited(_) | Answer::Roots(_) => None,
        }
    }
}

fn parse_elicited(raw: Raw<'_>, schema: Option<&RawValue>) -> Option<Elicited> {
    let [action, content] = raw.pick(["action", "content"]).ok()?;
    match action?.text()?.as_ref() {
        "accept" => (),
        "cancel" => return Some(Elicited::Cancelled),
        "decline" => return Some(Elicited::Declined),
        _ => return None,
    }
    let Some(schema) = schema else {
        return RawValue::from_string("{}".to_owned())
            .ok()
            .map(Elicited::Accepted);
    };
    let content = content.filter(|content| content_fits(*content, schema))?;
    Some(Elicited::Accepted(content.keep()))
}

/// Every required field is there, and every field of the form has its type. Fields the form does
/// not know are ignored.
fn content_fits(content: Raw<'_>, form: &RawValue) -> bool {
    let Ok(Value::Object(fields)) = serde_json::from_str(content.get()) else {
        return false;
    };
    // Our own form; if it is beyond this reading, only the shape of the answer is judged.
    let form: Value = serde_json::from_str(form.get()).unwrap_or_default();
    let Some(form) = Form::read(&form) else {
        return true;
    };
    let mut required = form.required.iter().filter_map(Value::as_str);
    required.all(|name| fields.contains_key(name))
        && fields.iter().all(|(name, value)| {
            let property = form.properties.and_then(|properties| properties.get(name));
            property.is_none_or(|property| admits(property, value))
        })
}

struct Form<'a> {
    properties: Option<&'a Map<String, Value>>,
    required: &'a [Value],
}

impl<'a> Form<'a> {
    fn read(form: &'a Value) -> Option<Form<'a>> {
        let required = match form.get("required") {
            None => &[],
            Some(required) => required.as_array()?.as_slice(),
        };
        let properties = match form.get("properties") {
            None => None,
            Some(properties) => Some(properties.as_object()?),
        };
        let is_readable = form.is_object()
            && required.iter().all(Value::is_string)
            && (properties.into_iter().flatten()).all(|(_, property)| is_readable(property));
        is_readable.then_some(Form {
            properties,
            required,
        })
    }
}

/// What holds the choices of a property in objects, each a `const` with a title.
const TITLED_CHOICES: [&str; 2] = ["oneOf", "anyOf"];

/// Whether the part of a form's field is understood that decides whether a value fits: its type and its choices. Lengths,
/// formats and bounds are for the tool, which can say in words what it wants.
fn is_readable(property: &Value) -> bool {
    let list = |name| match property.get(name) {
        None | Some(Value::Null) => Some(&[][..]),
        Some(list) => list.as_array().map(Vec::as_slice),
    };
    let has_const = |choice: &Value| choice.get("const").is_some();
    property.is_object()
        && property.get("type").is_none_or(Value::is_string)
        && list("enum").is_some()
        && TITLED_CHOICES
            .iter()
            .all(|name| list(name).is_some_and(|choices| choices.iter().all(has_const)))
        && (property.get("items")).is_none_or(|items| items.is_null() || is_readable(items))
}

/// Whether a value fits a property that is readable.
fn admits(property: &Value, value: &Value) -> bool {
    let member = |name| property.get(name);
    let has_type = match member("type").and_then(Value::as_str).unwrap_or_default() {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        _ => true,
    };
    let has_choice =
        (member("enum").and_then(Value::as_array)).is_none_or(|choices| choices.contains(value));
    let has_titled_choice = TITLED_CHOICES.iter().all(|name| {
        (member(name).and_then(Value::as_array)).is_none_or(|choices| {
            choices
                .iter()
                .any(|choice| choice.get("const") == Some(value))
        })
    });
    let admits_items = match (member("items"), value) {
        (Some(items), Value::Array(values)) => values.iter().all(|value| admits(items, value)),
        _ => true,
    };
    has_type && has_choice && has_titled_choice && admits_items
}

fn parse_roots(raw: Raw<'_>) -> Option<Vec<Root>> {
    let [roots] = raw.pick(["roots"]).ok()?;
    let mut elements = roots?.elements();
    let mut roots = Vec::new();
    while let Some(root) = elements.next_element().ok()? {
        let [uri, name] = root.pick(["uri", "name"]).ok()?;
        let name = match name {
            Some(name) => Some(name.text()?.into_owned()),
            None => None,
        };
        let uri = uri?.text()?.into_owned();
        roots.push(Root { uri, name });
    }
    Some(roots)
}

/// The content is a block, or since 2025-11-25 several.
fn parse_sampled(raw: Raw<'_>) -> Option<Sampled> {
    let [role, content] = raw.pick(["role", "content"]).ok()?;
    if !matches!(role?.text()?.as_ref(), "assistant" | "user") {
        return None;
    }
    let content = content?;
    let mut text = String::new();
    if content.first_byte() == b'[' {
        let mut blocks = content.elements();
        while let Some(block) = blocks.next_element().ok()? {
            add_text(&mut text, block)?;
        }
    } else {
        add_text(&mut text, content)?;
    }
    Some(Sampled {
        text,
        json: raw.keep(),
    })
}

/// Adds a line with the text of a block, if it is one of text.
fn add_text(lines: &mut String, block: Raw<'_>) -> Option<()> {
    let [kind, text] = block.pick(["type", "text"]).ok()?;
    let text = match text {
        Some(text) => Some(text.text()?),
        None => None,
    };
    if kind?.text()? == "text" {
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(&text?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).unwrap()
    }

    fn form(properties: &str, required: &str) -> InputRequest {
        let text =
            format!(r#"{{"type":"object","properties":{properties},"required":{required}}}"#);
        InputRequest::elicit_json("m", &text).unwrap()
    }

    #[track_caller]
    fn fits(request: &InputRequest, content: &str, expected: bool) {
        let answer = format!(r#"{{"action":"accept","content":{content}}}"#);
        assert_eq!(
            Answer::parse(request, raw(&answer)).is_some(),
            expected,
            "{content}"
        );
    }

    #[test]
    fn actions() {
        let request = form(r#"{"name":{"type":"string"}}"#, r#"["name"]"#);
        let parse = |text| Answer::parse(&request, raw(text)).and_then(Answer::elicited);
        assert!(matches!(
            parse(r#"{"action":"decline"}"#),
            Some(Elicited::Declined)
        ));
        assert!(matches!(
            parse(r#"{"action":"cancel","content":null}"#),
            Some(Elicited::Cancelled)
        ));
        let accepted = parse(r#"{"action":"accept","content":{"name":"n"}}"#).unwrap();
        assert_eq!(accepted.text("name").as_deref(), Some("n"));
        assert_eq!(accepted.text("other"), None);
        for bad in [
            "42",
            "null",
            "\"accept\"",
            "[]",
            "{}",
            "true",
            r#"{"action":"yes"}"#,
            r#"{"action":null}"#,
            r#"{"action":"accept"}"#,
            r#"{"action":"accept","content":null}"#,
            r#"{"action":"accept","content":[]}"#,
            r#"{"action":"accept","content":{}}"#,
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn pages_have_no_content() {
        let page = InputRequest::ElicitUrl {
            message: "m".into(),
            url: "https://x".into(),
            elicitation_id: "e".into(),
        };
        let answer = Answer::parse(&page, raw(r#"{"action":"accept"}"#)).unwrap();
        assert!(matches!(answer.elicited(), Some(Elicited::Accepted(_))));
        assert!(Answer::parse(&page, raw(r#"{"action":"visit"}"#)).is_none());
    }

    #[test]
    fn types_of_fields() {
        let request = form(
            r#"{"s":{"type":"string"},"i":{"type":"integer"},"n":{"type":"number"},"b":{"type":"boolean"}}"#,
            r#"["s"]"#,
        );
        fits(&request, r#"{"s":"","i":30,"n":95.5,"b":true}"#, true);
        fits(&request, r#"{"s":"","i":30.0,"extra":{}}"#, true);
        fits(&request, r#"{"i":30}"#, false);
        fits(&request, r#"{"s":1}"#, false);
        fits(&request, r#"{"s":null}"#, false);
        fits(&request, r#"{"s":"","i":30.5}"#, false);
        fits(&request, r#"{"s":"","i":"30"}"#, false);
        fits(&request, r#"{"s":"","n":"x"}"#, false);
        fits(&request, r#"{"s":"","b":"true"}"#, false);
    }

    #[test]
    fn choices() {
        let request = form(
            r#"{"e":{"type":"string","enum":["a","b"],"enumNames":["A","B"]},
                "t":{"type":"string","oneOf":[{"const":"a","title":"A"}]},
                "m":{"type":"array","items":{"type":"string","enum":["a","b"]}},
                "u":{"type":"array","items":{"anyOf":[{"const":"a","title":"A"}]}}}"#,
            "[]",
        );
        fits(
            &request,
            r#"{"e":"a","t":"a","m":["a","b"],"u":["a"]}"#,
            true,
        );
        fits(&request, r#"{"m":[],"u":[]}"#, true);
        fits(&request, r#"{"e":"c"}"#, false);
        fits(&request, r#"{"t":"A"}"#, false);
        fits(&request, r#"{"m":["a","c"]}"#, false);
        fits(&request, r#"{"m":"a"}"#, false);
        fits(&request, r#"{"u":["b"]}"#, false);
    }

    #[test]
    fn roots() {
        let parse =
            |text| Answer::parse(&InputRequest::ListRoots, raw(text)).and_then(Answer::roots);
        let roots = parse(r#"{"roots":[{"uri":"file:///a","name":"A"},{"uri":"b:"}]}"#).unwrap();
        assert_eq!(roots.len(), 2);
        assert_eq!(
            roots[1],
            Root {
                uri: "b:".into(),
                name: None
            }
        );
        assert_eq!(parse(r#"{"roots":[]}"#), Some(Vec::new()));
        for bad in [
            "3",
            "null",
            "{}",
            r#"{"roots":{}}"#,
            r#"{"roots":[1]}"#,
            r#"{"roots":[{}]}"#,
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn sampling() {
        let request = InputRequest::sample_text("?", 1);
        let parse = |text| Answer::parse(&request, raw(text)).and_then(Answer::sampled);
        let one =
            parse(r#"{"role":"assistant","content":{"type":"text","text":"Pa\"ris"},"model":"m"}"#);
        assert_eq!(one.unwrap().text, "Pa\"ris");
        let several = r#"{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"image","data":""},{"type":"text","text":"b"}]}"#;
        assert_eq!(parse(several).unwrap().text, "a\nb");
        for bad in [
            "1",
            "null",
            "{}",
            r#"{"role":"assistant"}"#,
            r#"{"content":{"type":"text","text":""}}"#,
            r#"{"role":"system","content":{"type":"text","text":""}}"#,
            r#"{"role":"assistant","content":"text"}"#,
            r#"{"role":"assistant","content":{"type":"text"}}"#,
            r#"{"role":"assistant","content":null}"#,
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }
}
