//! What a pack writes under `[tool.response]`, as types. Nothing is checked here but names and kinds; the rest, with
//! positions, is `super::compile`'s.
//!
//! [`super::keys`] holds the documentation of every key; a test compares it with the fields here.

use toml::Spanned;
use toml::de::DeValue;

use super::scalar::{Scalar, Scalars, Texts};
use crate::tools::declarative::decode::Decode;
use crate::tools::written::{
    FreeTable, Misfit, Value, Written, read, unfit, written_table, written_words,
};

/// A table whose keys are paths of the shaped result, or other free text.
pub type Table<T> = FreeTable<T>;

/// `[tool.response]`.
#[derive(Clone, Debug, Default)]
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
    pub decode: Decode,
    pub max_response: Option<Spanned<Scalar>>,
    pub at: Option<Spanned<Texts>>,
    pub beside: Option<Table<Spanned<String>>>,
    pub headers: Option<Table<Spanned<String>>>,
    pub total: Option<Spanned<String>>,
    pub each: Option<Spanned<String>>,
    pub entries: Option<Spanned<String>>,
    pub lines: bool,
    pub list: bool,
    // Which items.
    pub conditions: Vec<Spanned<ConditionSpec>>,
    pub sort: Option<Spanned<Texts>>,
    pub limit: Option<Spanned<Scalar>>,
    // Which members.
    pub redact: Option<RedactSpec>,
    pub drop: Vec<Spanned<String>>,
    pub pick: Vec<Spanned<PickSpec>>,
    pub full: Option<Spanned<String>>,
    // How they look.
    pub drop_empty: Option<bool>,
    pub map: Table<Table<Scalar>>,
    pub time: Table<TimeUnit>,
    pub trim: Table<TrimSpec>,
    pub round: Table<Spanned<i64>>,
    pub points: Option<PointsSpec>,
    // What comes out.
    pub text: Option<Spanned<String>>,
    pub structured: Option<bool>,
    pub max_output: Option<Spanned<Scalar>>,
    pub keep: Keep,
    pub narrow: Option<Spanned<Vec<String>>>,
}

written_table!(ResponseSpec {
    status, errors, error_at, fail_at, decode, max_response, at, beside, headers, total, each,
    entries, lines, list, conditions = "where", sort, limit, redact, drop, pick, full,
    drop_empty, map, time, trim, round, points, text, structured, max_output, keep, narrow,
});

/// One condition of `where`.
#[derive(Clone, Debug, Default)]
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
    pub one_of: Option<Spanned<Scalars>>,
    pub any: Option<Vec<Spanned<ConditionSpec>>>,
    pub all: Option<Vec<Spanned<ConditionSpec>>>,
    pub not: Option<Box<Spanned<ConditionSpec>>>,
    pub when: Option<Spanned<String>>,
    pub unless: Option<Spanned<String>>,
}

written_table!(ConditionSpec {
    path, eq, ne, contains, icontains, starts_with, ends_with, exists, one_of = "in", any, all,
    not, when, unless,
});

/// `redact`.
#[derive(Clone, Debug, Default)]
#[allow(
    missing_docs,
    reason = "each key is documented in `keys`, which a test holds against these fields"
)]
pub struct RedactSpec {
    pub env: Vec<Spanned<String>>,
    pub values: Vec<Spanned<String>>,
    pub keys: Vec<Spanned<String>>,
}

written_table!(RedactSpec { env, values, keys });

/// One entry of `pick`.
#[derive(Clone, Debug)]
pub enum PickSpec {
    /// A table: a nested object or a text for each element.
    Nested(Box<NestedSpec>),
    /// `path`, `name = path`, `name = path | path`.
    Text(String),
}

/// The table form of an entry of `pick`.
#[derive(Clone, Debug, Default)]
#[allow(
    missing_docs,
    reason = "each key is documented in `keys`, which a test holds against these fields"
)]
pub struct NestedSpec {
    pub name: Option<String>,
    pub at: Option<Spanned<String>>,
    pub conditions: Vec<Spanned<ConditionSpec>>,
    pub pick: Vec<Spanned<PickSpec>>,
    pub format: Option<Spanned<String>>,
}

written_table!(NestedSpec {
    name = "as", at, conditions = "where", pick, format,
});

/// What a number counts since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeUnit {
    /// Milliseconds.
    Ms,
    /// Nanoseconds.
    Ns,
    /// Seconds, perhaps with a fraction.
    #[default]
    Unix,
}

written_words!(TimeUnit { "ms" => Ms, "ns" => Ns, "unix" => Unix });

/// What `trim` takes away from a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

written_table!(TrimSpec {
    prefix,
    suffix,
    until,
    chars,
    excerpt,
});

/// `points`.
#[derive(Clone, Debug)]
#[allow(
    missing_docs,
    reason = "each key is documented in `keys`, which a test holds against these fields"
)]
pub struct PointsSpec {
    pub path: Spanned<String>,
    pub max: Spanned<Scalar>,
}

written_table!(PointsSpec { path, max });

/// Which end of a result that is too long is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The beginning.
    #[default]
    Head,
    /// The end, as for logs.
    Tail,
}

written_words!(Keep { "head" => Head, "tail" => Tail });

impl Written for PickSpec {
    fn blank() -> PickSpec {
        PickSpec::Text(String::new())
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        *self = match value.get_ref() {
            DeValue::String(text) => PickSpec::Text(text.to_string()),
            DeValue::Table(_) => PickSpec::Nested(read(value)?),
            _ => return Err(unfit(value, "a path, `name = path`, or a table with `at`")),
        };
        Ok(())
    }
}
