//! What a pack writes under `[tool.response]`, as types. Nothing is checked here but names and kinds; the rest, with
//! positions, is `super::compile`'s.
//!
//! [`super::keys`] holds the documentation of every key; a test compares it with the fields here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use toml::Spanned;

use super::scalar::{Scalar, Scalars, Texts};
use crate::tools::declarative::decode::Decode;

/// A table whose keys are paths of the shaped result, or other free text.
pub type Table<T> = BTreeMap<Spanned<String>, T>;

/// `[tool.response]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "each key is documented in `keys`, which a test holds against these fields"
)]
pub struct ResponseSpec {
    // Whether it is an answer at all: the engine's.
    pub status: Option<Table<Spanned<Scalar>>>,
    pub errors: Option<Table<Spanned<String>>>,
    pub error_at: Option<Spanned<Texts>>,
    pub fail_at: Option<Table<Spanned<Scalars>>>,
    // Bytes to items.
    #[serde(default)]
    pub decode: Decode,
    pub max_response: Option<Spanned<Scalar>>,
    pub at: Option<Spanned<Texts>>,
    pub beside: Option<BTreeMap<String, Spanned<String>>>,
    pub headers: Option<BTreeMap<String, Spanned<String>>>,
    pub total: Option<Spanned<String>>,
    pub each: Option<Spanned<String>>,
    pub entries: Option<Spanned<String>>,
    #[serde(default)]
    pub lines: bool,
    #[serde(default)]
    pub list: bool,
    // Which items.
    #[serde(default, rename = "where")]
    pub conditions: Vec<Spanned<ConditionSpec>>,
    pub sort: Option<Spanned<Texts>>,
    pub limit: Option<Spanned<Scalar>>,
    // Which members.
    pub redact: Option<RedactSpec>,
    #[serde(default)]
    pub drop: Vec<Spanned<String>>,
    #[serde(default)]
    pub pick: Vec<Spanned<PickSpec>>,
    pub full: Option<Spanned<String>>,
    // How they look.
    pub drop_empty: Option<bool>,
    #[serde(default)]
    pub map: Table<BTreeMap<String, Scalar>>,
    #[serde(default)]
    pub time: Table<TimeUnit>,
    #[serde(default)]
    pub trim: Table<TrimSpec>,
    #[serde(default)]
    pub round: Table<Spanned<i64>>,
    pub points: Option<PointsSpec>,
    // What comes out.
    pub text: Option<Spanned<String>>,
    pub structured: Option<bool>,
    pub max_output: Option<Spanned<Scalar>>,
    #[serde(default)]
    pub keep: Keep,
    pub narrow: Option<Spanned<Vec<String>>>,
}

/// One condition of `where`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "each key is documented in `keys`, which a test holds against these fields"
)]
pub struct ConditionSpec {
    pub path: Option<Spanned<String>>,
    pub eq: Option<Spanned<Scalar>>,
    pub ne: Option<Spanned<Scalar>>,
    pub contains: Option<Spanned<Scalar>>,
    pub icontains: Option<Spanned<Scalar>>,
    pub starts_with: Option<Spanned<Scalar>>,
    pub ends_with: Option<Spanned<Scalar>>,
    pub exists: Option<bool>,
    #[serde(rename = "in")]
    pub one_of: Option<Spanned<Scalars>>,
    pub any: Option<Vec<Spanned<ConditionSpec>>>,
    pub all: Option<Vec<Spanned<ConditionSpec>>>,
    pub not: Option<Box<Spanned<ConditionSpec>>>,
    pub when: Option<Spanned<String>>,
    pub unless: Option<Spanned<String>>,
}

/// `redact`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "each key is documented in `keys`, which a test holds against these fields"
)]
pub struct RedactSpec {
    #[serde(default)]
    pub env: Vec<Spanned<String>>,
    #[serde(default)]
    pub values: Vec<Spanned<String>>,
    #[serde(default)]
    pub keys: Vec<Spanned<String>>,
}

/// One entry of `pick`.
#[derive(Clone, Debug)]
pub enum PickSpec {
    /// A table: a nested object or a text for each element.
    Nested(Box<NestedSpec>),
    /// `path`, `name = path`, `name = path | path`.
    Text(String),
}

/// The table form of an entry of `pick`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "each key is documented in `keys`, which a test holds against these fields"
)]
pub struct NestedSpec {
    #[serde(rename = "as")]
    pub name: Option<String>,
    pub at: Option<Spanned<String>>,
    #[serde(default, rename = "where")]
    pub conditions: Vec<Spanned<ConditionSpec>>,
    #[serde(default)]
    pub pick: Vec<Spanned<PickSpec>>,
    pub format: Option<Spanned<String>>,
}

/// What a number counts since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Milliseconds.
    Ms,
    /// Nanoseconds.
    Ns,
    /// Seconds, perhaps with a fraction.
    Unix,
}

/// What `trim` takes away from a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "each key is documented in `keys`, which a test holds against these fields"
)]
pub struct TrimSpec {
    pub prefix: Option<String>,
    pub suffix: Option<String>,
    pub until: Option<String>,
    pub chars: Option<usize>,
    pub excerpt: Option<usize>,
}

/// `points`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "each key is documented in `keys`, which a test holds against these fields"
)]
pub struct PointsSpec {
    pub path: Spanned<String>,
    pub max: Spanned<Scalar>,
}

/// Which end of a result that is too long is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The beginning.
    #[default]
    Head,
    /// The end, as for logs.
    Tail,
}

impl<'de> Deserialize<'de> for PickSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PickSpec, D::Error> {
        deserializer.deserialize_any(PickVisitor)
    }
}

struct PickVisitor;

impl<'de> Visitor<'de> for PickVisitor {
    type Value = PickSpec;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a path, `name = path`, or a table with `at`")
    }

    fn visit_str<E>(self, text: &str) -> Result<PickSpec, E> {
        Ok(PickSpec::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PickSpec, A::Error> {
        NestedSpec::deserialize(MapAccessDeserializer::new(map))
            .map(|nested| PickSpec::Nested(Box::new(nested)))
    }
}
