//! What a call of a tool came to.

use crate::raw::Raw;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::mcp::content::{Body, Content};
use crate::mcp::json;
use crate::mcp::result::Dialect;
use crate::mcp::revision::Revision;

/// The result of `tools/call`. A failure of the tool is a result too, one the model can read.
#[derive(Clone, Debug, Default)]
pub struct ToolResult {
    /// What the model is shown.
    pub content: Vec<Content>,
    /// `structuredContent`: what a program is given, since 2025-06-18.
    pub structured: Option<Box<RawValue>>,
    /// Whether the tool failed.
    pub is_error: bool,
    /// `_meta`, a JSON object.
    pub meta: Option<Box<RawValue>>,
}

impl ToolResult {
    /// Text.
    pub fn text(text: impl Into<String>) -> ToolResult {
        Content::text(text).into()
    }

    /// A failure, told in text.
    pub fn error(text: impl Into<String>) -> ToolResult {
        ToolResult {
            is_error: true,
            ..ToolResult::text(text)
        }
    }

    /// A value, both as structured content and as the same JSON in text, for clients that do not
    /// know the former (2025-06-18 server/tools, "Structured Content").
    pub fn structured<T: Serialize + ?Sized>(value: &T) -> ToolResult {
        match serde_json::value::to_raw_value(value) {
            Ok(json) => ToolResult::structured_json(json),
            Err(error) => ToolResult::error(format!("the result is not JSON: {error}")),
        }
    }

    /// The same for what is JSON text already.
    pub fn structured_json(json: Box<RawValue>) -> ToolResult {
        let text = Content::text(json.get());
        ToolResult {
            content: vec![text],
            structured: Some(json),
            ..ToolResult::default()
        }
    }

    /// The same with one more block.
    pub fn and(mut self, content: impl Into<Content>) -> ToolResult {
        self.content.push(content.into());
        self
    }

    /// The text of its text blocks, one after the other on lines of their own: for the command line
    /// and for tests.
    pub fn text_blocks(&self) -> String {
        let texts = self
            .content
            .iter()
            .filter_map(|content| match &content.body {
                Body::Text(text) => Some(text.as_str()),
                _ => None,
            });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// How many bytes it takes on the wire, but for what stands around them, for output limits.
    pub fn size_bytes(&self) -> usize {
        let structured = self.structured.as_ref().map_or(0, |json| json.get().len());
        let sizes = self.content.iter().map(Content::size_bytes);
        sizes.fold(structured, usize::saturating_add)
    }

    /// Writes the result.
    pub fn write(&self, out: &mut Vec<u8>, dialect: &Dialect<'_>) {
        dialect.complete_with_meta(out, self.meta.as_deref(), |result| {
            json::array(result.known(r#""content":"#), |array| {
                for content in &self.content {
                    content.write(array.element(), dialect.revision);
                }
            });
            result.optional_raw("structuredContent", self.structured_for(dialect.revision));
            if self.is_error {
                result.boolean("isError", true);
            }
        });
    }

    fn structured_for(&self, revision: Revision) -> Option<&RawValue> {
        let json = self.structured.as_deref()?;
        let fits = revision.structured_may_be_any_json()
            || (revision.has_structured_content() && Raw::from(json).is_object());
        fits.then_some(json)
    }
}

impl From<Content> for ToolResult {
    fn from(content: Content) -> ToolResult {
        ToolResult {
            content: vec![content],
            ..ToolResult::default()
        }
    }
}

impl From<Vec<Content>> for ToolResult {
    fn from(content: Vec<Content>) -> ToolResult {
        ToolResult {
            content,
            ..ToolResult::default()
        }
    }
}

impl From<String> for ToolResult {
    fn from(text: String) -> ToolResult {
        ToolResult::text(text)
    }
}

impl From<&str> for ToolResult {
    fn from(text: &str) -> ToolResult {
        ToolResult::text(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(result: &ToolResult, revision: Revision, expected: &str) {
        let mut out = Vec::new();
        result.write(
            &mut out,
            &Dialect {
                revision,
                server_info: "",
            },
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn text_and_failure() {
        check(
            &"hi".into(),
            Revision::V2024_11_05,
            r#"{"content":[{"type":"text","text":"hi"}]}"#,
        );
        check(
            &ToolResult::error("no"),
            Revision::LATEST,
            r#"{"resultType":"complete","content":[{"type":"text","text":"no"}],"isError":true}"#,
        );
        check(
            &ToolResult::default(),
            Revision::V2025_11_25,
            r#"{"content":[]}"#,
        );
    }

    #[test]
    fn structured_content_by_revision() {
        let object = ToolResult::structured(&serde_json::json!({"a": 1}));
        let text = r#"{"type":"text","text":"{\"a\":1}"}"#;
        check(
            &object,
            Revision::V2025_03_26,
            &format!(r#"{{"content":[{text}]}}"#),
        );
        check(
            &object,
            Revision::V2025_06_18,
            &format!(r#"{{"content":[{text}],"structuredContent":{{"a":1}}}}"#),
        );
        let list = ToolResult::structured(&[1, 2]);
        let text = r#"{"type":"text","text":"[1,2]"}"#;
        check(
            &list,
            Revision::V2025_11_25,
            &format!(r#"{{"content":[{text}]}}"#),
        );
        check(
            &list,
            Revision::LATEST,
            &format!(r#"{{"resultType":"complete","content":[{text}],"structuredContent":[1,2]}}"#),
        );
    }

    #[test]
    fn what_is_not_json_is_a_failure() {
        let map = std::collections::BTreeMap::from([((1, 2), 3)]);
        let result = ToolResult::structured(&map);
        assert!(result.is_error && result.structured.is_none());
    }
}
