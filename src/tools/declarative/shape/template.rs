//! Texts with values in them: `text` of a response, `format` of a picked list.
//!
//! ```text
//! text   = *( characters | "{{" | "}}" | "{" reference "}" )
//! reference of `text`   = argument | "result" [ "." path | "[" … ]
//! reference of `format` = path, from the element
//! ```

use std::borrow::Cow;

use serde_json::{Map, Value};
use toml::Spanned;

use super::super::template::at_brace;
use super::compile::{Compiler, given};
use super::condition::text;
use super::path::Path;

/// A text with references.
#[derive(Clone, Debug, Default)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Argument(String),
    Text(String),
    Value(Path),
}

impl Template {
    /// For `text`: arguments, and the result by the name `result`.
    pub(super) fn compile_result(
        compiler: &mut Compiler<'_>,
        key: &str,
        text: &Spanned<String>,
    ) -> Option<Template> {
        if (compiler.is_argument)("result") {
            compiler.problem(text.span(), format!("`{key}`: an argument is called `result`, which is the answer's name here: rename it"));
            return None;
        }
        compile(
            compiler,
            key,
            text,
            &mut |compiler, reference| match reference.strip_prefix("result") {
                Some("") => Some(Part::Value(Path::parse(".").ok()?)),
                Some(rest) if rest.starts_with(['.', '[']) => {
                    let path = rest.strip_prefix('.').unwrap_or(rest);
                    Some(Part::Value(compiler.path_at(key, text.span(), path)?))
                }
                _ => {
                    let known = compiler.argument(key, text.span(), reference);
                    known.then(|| Part::Argument(reference.to_owned()))
                }
            },
        )
    }

    /// For `format`: paths of the element.
    pub(super) fn compile_item(
        compiler: &mut Compiler<'_>,
        key: &str,
        text: &Spanned<String>,
    ) -> Option<Template> {
        compile(compiler, key, text, &mut |compiler, reference| {
            Some(Part::Value(compiler.path_at(
                key,
                text.span(),
                reference,
            )?))
        })
    }

    /// The text; what is absent leaves nothing.
    pub(super) fn render(&self, value: &Value, arguments: &Map<String, Value>) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Argument(name) => {
                    if let Some(value) = given(arguments, name) {
                        out.push_str(&plain(value));
                    }
                }
                Part::Text(text) => out.push_str(text),
                Part::Value(path) => {
                    let mut first = true;
                    path.visit(value, &mut |value| {
                        let shown = plain(value);
                        if !shown.is_empty() {
                            out.push_str(if first { "" } else { ", " });
                            out.push_str(&shown);
                            first = false;
                        }
                    });
                }
            }
        }
        out
    }
}

fn compile(
    compiler: &mut Compiler<'_>,
    key: &str,
    text: &Spanned<String>,
    part: &mut dyn FnMut(&mut Compiler<'_>, &str) -> Option<Part>,
) -> Option<Template> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text.get_ref().as_str();
    while let Some((before, brace, after)) = at_brace(rest) {
        plain.push_str(before);
        if let Some(after) = after.strip_prefix(brace) {
            plain.push_str(brace);
            rest = after;
            continue;
        }
        let inside = after
            .split_once('}')
            .filter(|(inside, _)| brace == "{" && !inside.contains('{'));
        let Some((reference, after)) = inside else {
            compiler.problem(
                text.span(),
                format!("`{key}`: a lone `{brace}`: write `{brace}{brace}` for the character"),
            );
            return None;
        };
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        parts.push(part(compiler, reference)?);
        rest = after;
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Some(Template { parts })
}

/// A value as people write it: text bare, lists of such with commas, the rest as JSON.
fn plain(value: &Value) -> Cow<'_, str> {
    if let Some(text) = text(value) {
        return text;
    }
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::Array(elements) if elements.iter().all(|element| text(element).is_some()) => {
            let texts: Vec<Cow<'_, str>> = elements.iter().filter_map(text).collect();
            Cow::Owned(texts.join(", "))
        }
        other => Cow::Owned(other.to_string()),
    }
}
