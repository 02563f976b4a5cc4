//! `[tool.command]` as it is written.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use super::Output;

/// The table, read but not yet checked: [`compile`](CommandSpec::compile) does that.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandSpec {
    pub(super) program: Spanned<String>,
    #[serde(default)]
    pub(super) args: Vec<Spanned<ElementSpec>>,
    #[serde(default)]
    pub(super) patterns: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pub(super) env: BTreeMap<Spanned<String>, Spanned<String>>,
    pub(super) dir: Option<Spanned<String>>,
    pub(super) stdin: Option<Spanned<String>>,
    pub(super) timeout: Option<Spanned<String>>,
    pub(super) max_output: Option<Spanned<u32>>,
    pub(super) memory: Option<Spanned<u64>>,
    pub(super) user: Option<Spanned<String>>,
    pub(super) success: Option<Spanned<Vec<i32>>>,
    #[serde(default)]
    pub(super) output: Output,
    #[serde(default)]
    pub(super) progress: bool,
}

/// An element of `args`.
#[derive(Debug)]
pub(super) enum ElementSpec {
    All(Vec<Spanned<String>>),
    If(Box<IfSpec>),
    One(String),
}

/// `{ "$if" = "{all}", then = ["--all"], else = [] }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::tools) struct IfSpec {
    #[serde(rename = "$if")]
    pub(super) condition: Spanned<String>,
    #[serde(default)]
    pub(super) then: Texts,
    #[serde(default, rename = "else")]
    pub(super) otherwise: Texts,
}

/// One text, or a list of them.
#[derive(Debug, Default)]
pub(super) struct Texts(pub(super) Vec<Spanned<String>>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Texts, D::Error> {
        Vec::deserialize(deserializer).map(Texts)
    }
}

// By hand, since serde's `untagged` would lose every position.
impl<'de> Deserialize<'de> for ElementSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ElementSpec, D::Error> {
        struct ElementVisitor;

        impl<'de> Visitor<'de> for ElementVisitor {
            type Value = ElementSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a list of texts, or a table with `$if`")
            }

            fn visit_str<E>(self, text: &str) -> Result<ElementSpec, E> {
                Ok(ElementSpec::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ElementSpec, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = seq.next_element()? {
                    texts.push(text);
                }
                Ok(ElementSpec::All(texts))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ElementSpec, A::Error> {
                let choice = IfSpec::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ElementSpec::If(Box::new(choice)))
            }
        }

        deserializer.deserialize_any(ElementVisitor)
    }
}
