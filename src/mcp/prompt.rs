//! Prompts: the definition, the request for one, and its messages.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::content::{Content, Icon, Role};
use super::errors::ProtocolError;
use super::json::{self, Object};
use super::result::Dialect;
use super::revision::Revision;
use crate::raw::Raw;
use crate::sorted::SortedMap;

/// A prompt as `prompts/list` shows it.
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    /// Its name for programs.
    pub name: String,
    /// Its name for people, since 2025-06-18.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What it can be given.
    pub arguments: Vec<PromptArgument>,
    /// Pictures of it.
    pub icons: Vec<Icon>,
    /// `_meta`, a JSON object.
    pub meta: Option<Box<RawValue>>,
}

/// One argument; its value is always a string.
#[derive(Clone, Debug, Default)]
pub struct PromptArgument {
    /// Its name for programs.
    pub name: String,
    /// Its name for people, since 2025-06-18.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether the prompt is refused without it.
    pub required: bool,
}

impl Prompt {
    /// A prompt with nothing but its name.
    pub fn new(name: impl Into<String>) -> Prompt {
        Prompt {
            name: name.into(),
            ..Prompt::default()
        }
    }

    /// The same with a title.
    pub fn title(mut self, title: impl Into<String>) -> Prompt {
        self.title = Some(title.into());
        self
    }

    /// The same with a description.
    pub fn description(mut self, description: impl Into<String>) -> Prompt {
        self.description = Some(description.into());
        self
    }

    /// The same with an argument it needs.
    pub fn argument(self, name: impl Into<String>, description: impl Into<String>) -> Prompt {
        self.with_argument(name.into(), description.into(), true)
    }

    /// The same with an argument it can do without.
    pub fn optional_argument(
        self,
        name: impl Into<String>,
        description: impl Into<String>,
    ) -> Prompt {
        self.with_argument(name.into(), description.into(), false)
    }

    fn with_argument(mut self, name: String, description: String, required: bool) -> Prompt {
        let description = Some(description).filter(|text| !text.is_empty());
        self.arguments.push(PromptArgument {
            name,
            title: None,
            description,
            required,
        });
        self
    }

    /// The first required argument that `given` lacks.
    pub fn missing_argument(&self, given: &SortedMap<Cow<'_, str>, Cow<'_, str>>) -> Option<&str> {
        let missing = |argument: &&PromptArgument| {
            argument.required && !given.contains_key(argument.name.as_str())
        };
        self.arguments
            .iter()
            .find(missing)
            .map(|argument| argument.name.as_str())
    }

    /// Writes the object as `prompts/list` shows it.
    pub fn write(&self, out: &mut Vec<u8>, revision: Revision) {
        json::object(out, |prompt| {
            prompt.string("name", &self.name);
            if revision.has_titles() {
                prompt.optional_string("title", self.title.as_deref());
            }
            prompt.optional_string("description", self.description.as_deref());
            if !self.arguments.is_empty() {
                prompt.array("arguments", |array| {
                    for argument in &self.arguments {
                        array.object(|object| argument.write_members(object, revision));
                    }
                });
            }
            if revision.has_icons() {
                Icon::write_all(&self.icons, prompt);
            }
            if revision.has_meta_on_items() {
                prompt.optional_raw("_meta", self.meta.as_deref());
            }
        });
    }
}

impl PromptArgument {
    fn write_members(&self, argument: &mut Object<'_>, revision: Revision) {
        argument.string("name", &self.name);
        if revision.has_titles() {
            argument.optional_string("title", self.title.as_deref());
        }
        argument.optional_string("description", self.description.as_deref());
        if self.required {
            argument.boolean("required", true);
        }
    }
}

/// What `prompts/get` asks for.
#[derive(Clone, Debug)]
pub struct GetPromptParams<'a> {
    /// The prompt's name.
    pub name: Cow<'a, str>,
    /// The arguments; absent means none.
    pub arguments: SortedMap<Cow<'a, str>, Cow<'a, str>>,
}

impl<'a> GetPromptParams<'a> {
    /// Reads the params.
    pub fn parse(params: Option<Raw<'a>>) -> Result<GetPromptParams<'a>, ProtocolError> {
        params.and_then(Self::read).ok_or_else(|| {
            ProtocolError::invalid_params(
                "`prompts/get` needs a string `name`, and strings for `arguments` if it has any",
            )
        })
    }
}

impl<'a> GetPromptParams<'a> {
    fn read(params: Raw<'a>) -> Option<GetPromptParams<'a>> {
        let [name, given] = params.pick(["name", "arguments"]).ok()?;
        Some(GetPromptParams {
            name: name?.text()?,
            arguments: arguments(given)?,
        })
    }
}

/// Also used by completion: a map of strings that a client may leave out or set to null.
pub(super) fn arguments<'a>(raw: Option<Raw<'a>>) -> Option<SortedMap<Cow<'a, str>, Cow<'a, str>>> {
    let mut pairs = Vec::new();
    if let Some(raw) = raw {
        let mut members = raw.members();
        while let Some((name, value)) = members.next_member().ok()? {
            pairs.push((name, value.text()?));
        }
    }
    Some(SortedMap::of(pairs))
}

/// Copies arguments out of the message they were read from.
pub fn owned(arguments: &SortedMap<Cow<'_, str>, Cow<'_, str>>) -> SortedMap<String, String> {
    // A loop, because `collect` brings a sort of its own for each iterator.
    let mut owned = SortedMap::new();
    for (name, value) in arguments {
        owned.insert(name.to_string(), value.to_string());
    }
    owned
}

/// One message of a prompt.
#[derive(Clone, Debug)]
pub struct PromptMessage {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: Content,
}

impl PromptMessage {
    /// A message of the person.
    pub fn user(content: impl Into<Content>) -> PromptMessage {
        PromptMessage {
            role: Role::User,
            content: content.into(),
        }
    }

    /// A message of the model.
    pub fn assistant(content: impl Into<Content>) -> PromptMessage {
        PromptMessage {
            role: Role::Assistant,
            content: content.into(),
        }
    }
}

/// The result of `prompts/get`.
#[derive(Clone, Debug, Default)]
pub struct PromptResult {
    /// What this prompt with these arguments is about.
    pub description: Option<String>,
    /// The messages.
    pub messages: Vec<PromptMessage>,
    /// `_meta`, a JSON object.
    pub meta: Option<Box<RawValue>>,
}

impl PromptResult {
    /// Messages without more.
    pub fn new(messages: Vec<PromptMessage>) -> PromptResult {
        PromptResult {
            messages,
            ..PromptResult::default()
        }
    }

    /// One message of the person.
    pub fn user(content: impl Into<Content>) -> PromptResult {
        PromptResult::new(vec![PromptMessage::user(content)])
    }

    /// Writes the result.
    pub fn write(&self, out: &mut Vec<u8>, dialect: &Dialect<'_>) {
        dialect.complete_with_meta(out, self.meta.as_deref(), |result| {
            result.optional_string("description", self.description.as_deref());
            result.array("messages", |array| {
                for message in &self.messages {
                    array.object(|object| {
                        object.string("role", message.role.as_str());
                        message
                            .content
                            .write(object.key("content"), dialect.revision);
                    });
                }
            });
        });
    }
}

impl From<PromptMessage> for PromptResult {
    fn from(message: PromptMessage) -> PromptResult {
        PromptResult::new(vec![message])
    }
}

impl From<Vec<PromptMessage>> for PromptResult {
    fn from(messages: Vec<PromptMessage>) -> PromptResult {
        PromptResult::new(messages)
    }
}

/// What the person says, and nothing else.
impl From<String> for PromptResult {
    fn from(text: String) -> PromptResult {
        PromptResult::user(text)
    }
}

impl From<&str> for PromptResult {
    fn from(text: &str) -> PromptResult {
        PromptResult::user(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definition_and_result() {
        let prompt = Prompt::new("p")
            .title("P")
            .argument("a", "first")
            .optional_argument("b", "");
        let mut out = Vec::new();
        prompt.write(&mut out, Revision::V2025_06_18);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"name":"p","title":"P","arguments":[{"name":"a","description":"first","required":true},{"name":"b"}]}"#
        );
        let result = PromptResult::new(vec![
            PromptMessage::user("hi"),
            PromptMessage::assistant(Content::audio(b"", "audio/wav")),
        ]);
        let mut out = Vec::new();
        result.write(
            &mut out,
            &Dialect {
                revision: Revision::V2025_03_26,
                server_info: "",
            },
        );
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"messages":[{"role":"user","content":{"type":"text","text":"hi"}},{"role":"assistant","content":{"type":"audio","data":"","mimeType":"audio/wav"}}]}"#
        );
    }

    #[track_caller]
    fn parse(text: &str) -> Result<GetPromptParams<'_>, ProtocolError> {
        GetPromptParams::parse(Raw::parse(text))
    }

    #[test]
    fn params() {
        let params = parse(r#"{"name":"p","arguments":{"a":"1\n"},"_meta":{}}"#).unwrap();
        assert_eq!(params.arguments["a"], "1\n");
        assert!(parse(r#"{"name":"p"}"#).unwrap().arguments.is_empty());
        assert!(
            parse(r#"{"name":"p","arguments":null}"#)
                .unwrap()
                .arguments
                .is_empty()
        );
        for bad in [
            "{}",
            "[]",
            r#"{"name":1}"#,
            r#"{"name":"p","arguments":{"a":1}}"#,
        ] {
            assert_eq!(parse(bad).unwrap_err().code, -32602, "{bad}");
        }
        assert!(GetPromptParams::parse(None).is_err());
    }

    #[test]
    fn required_arguments() {
        let prompt = Prompt::new("p")
            .optional_argument("o", "")
            .argument("a", "")
            .argument("b", "");
        let with = |text| {
            prompt
                .missing_argument(&parse(text).unwrap().arguments)
                .map(str::to_owned)
        };
        assert_eq!(with(r#"{"name":"p","arguments":{"a":"","b":""}}"#), None);
        assert_eq!(
            with(r#"{"name":"p","arguments":{"a":""}}"#).as_deref(),
            Some("b")
        );
        assert_eq!(with(r#"{"name":"p"}"#).as_deref(), Some("a"));
    }
}
