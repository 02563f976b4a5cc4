//! Arguments checked against a tool's input schema, made to fit where that is safe, and completed by
//! defaults. Values in, values or sentences out: no clock, no file, nothing fetched.
//!
//! The part of JSON Schema 2020-12 that is understood:
//!
//! | about | keywords |
//! |---|---|
//! | any value | `type` (also a list), `enum`, `const`, `default`, `oneOf`, `anyOf`, `allOf`, `not`, `$ref` within the schema, `$defs` |
//! | numbers | `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf` |
//! | strings | `minLength`, `maxLength` (code points), `pattern` (`pattern/mod.rs`), `format` (`format.rs`) |
//! | arrays | `items`, `prefixItems`, `minItems`, `maxItems`, `uniqueItems` |
//! | objects | `properties`, `required`, `additionalProperties`, `minProperties`, `maxProperties`, `propertyNames` |
//! | nothing here | `title`, `description`, `examples`, `deprecated`, `readOnly`, `$comment`, `$schema`, `$id` at the root, `x-mcp-header` |
//!
//! Every other keyword is refused when the schema is compiled, with its place. Where we differ from
//! the standard: an argument that no `properties` names is refused even if nothing is said of
//! `additionalProperties` (deeper down the standard's rule holds); `"5"` is taken as 5 where an
//! integer is wanted, and so on (`coerce.rs`); a `null` leaves out what may be left out and cannot be
//! null; `format` is always checked; and what is `writeOnly` or of the format `password` appears in
//! no message.
//!
//! Bounded: the size and depth of a schema, the depth of the arguments, the work of a check, the
//! number and length of messages.

mod canonical;
mod check;
mod coerce;
mod compile;
mod decimal;
mod format;
mod kind;
mod node;
mod path;
mod pattern;
mod words;
mod work;

use std::fmt;

use serde_json::{Map, Value};

use check::Check;
use kind::Kind;
use node::Node;
use path::Path;

use crate::sorted::SortedSet;

pub(in crate::tools) use pattern::Pattern;

/// How many problems one check reports.
pub const PROBLEMS_MAX: usize = 10;

/// A compiled schema of a tool's arguments.
#[derive(Clone, Debug)]
pub struct Schema {
    nodes: Vec<Node>,
    /// The names of all arguments; absent if the schema leaves open which there are.
    known: Option<SortedSet<String>>,
    arrays_from_strings: bool,
}

/// What is wrong with a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaProblem {
    /// Where, as a JSON pointer; empty for the root.
    pub pointer: String,
    /// What is wrong there, and what to do.
    pub text: String,
}

impl fmt::Display for SchemaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => write!(f, "the schema {}", self.text),
            pointer => write!(f, "`{pointer}` {}", self.text),
        }
    }
}

impl std::error::Error for SchemaProblem {}

/// What is wrong with an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentProblem {
    /// Which, as `tags[2].name`; empty for all of them.
    pub path: String,
    /// What was found and what is expected. Shows nothing of a secret's value.
    pub text: String,
}

impl fmt::Display for ArgumentProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "arguments: {}", self.text),
            path => write!(f, "`{path}`: {}", self.text),
        }
    }
}

/// One text of all problems, for [`CallError::Arguments`](super::CallError::Arguments).
pub fn describe(problems: &[ArgumentProblem]) -> String {
    let mut text = String::new();
    for problem in problems {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&problem.to_string());
    }
    if problems.len() >= PROBLEMS_MAX {
        text.push_str("\nthere may be more; these are the first");
    }
    text
}

impl Schema {
    /// Compiles the schema of a tool's arguments.
    ///
    /// # Errors
    /// The first thing in it that is wrong, or that would not be checked.
    pub fn compile(schema: &Value) -> Result<Schema, SchemaProblem> {
        compile::compile(schema)
    }

    /// The same, but a string that holds a JSON array is taken as an array where one is wanted:
    /// some clients write lists so.
    #[must_use]
    pub fn with_arrays_from_strings(mut self) -> Schema {
        self.arrays_from_strings = true;
        self
    }

    /// The names of the arguments, sorted; nothing if the schema leaves open which there are.
    pub fn names(&self) -> Option<impl ExactSizeIterator<Item = &str> + Clone> {
        let names = self.known.as_ref()?;
        Some(names.iter().map(String::as_str))
    }

    /// Whether the argument can only be a number, a boolean or null, by its own `type`.
    pub(in crate::tools) fn is_scalar(&self, name: &str) -> bool {
        let properties = node::node(&self.nodes, 0)
            .object
            .as_ref()
            .and_then(|rules| rules.properties.as_ref());
        let node = properties
            .and_then(|properties| properties.get(name))
            .map(|id| node::node(&self.nodes, *id));
        let is_textual = |kind| matches!(kind, Kind::Array | Kind::Object | Kind::String);
        node.and_then(|node| node.kinds)
            .is_some_and(|kinds| !kinds.iter().any(is_textual))
    }

    /// Checks `arguments`, and returns them with what was coerced and with the defaults filled in.
    ///
    /// # Errors
    /// What is wrong, all of it up to [`PROBLEMS_MAX`].
    pub fn check(
        &self,
        mut arguments: Map<String, Value>,
    ) -> Result<Map<String, Value>, Vec<ArgumentProblem>> {
        let problems = self.take_unknown(&mut arguments);
        let check = Check::coercing(&self.nodes, self.arrays_from_strings);
        match check.corrected(0, Value::Object(arguments), problems)? {
            Value::Object(arguments) => Ok(arguments),
            // No edit is ever made at the root.
            _ => Ok(Map::new()),
        }
    }

    /// Takes out what is not known, so that it is reported here and nowhere else.
    fn take_unknown(&self, arguments: &mut Map<String, Value>) -> Vec<ArgumentProblem> {
        let Some(known) = &self.known else {
            return Vec::new();
        };
        let names = arguments.keys().filter(|name| !known.contains(*name));
        let unknown: Vec<String> = names.cloned().collect();
        let mut problems = Vec::new();
        for name in unknown {
            arguments.remove(&name);
            if problems.len() < PROBLEMS_MAX {
                let known = known.iter().map(String::as_str);
                problems.push(ArgumentProblem {
                    path: Path::Name(&Path::Root, &name).text(),
                    text: check::unknown("argument", &name, known),
                });
            }
        }
        problems
    }
}

/// For fuzzing: `text` holds a schema and arguments, each on its own line. Nothing panics, and what
/// was accepted fits the schema word for word.
#[doc(hidden)]
pub fn fuzz_schema(text: &str) {
    let Some((schema, arguments)) = text.split_once('\n') else {
        return;
    };
    let Ok(schema) = serde_json::from_str::<Value>(schema) else {
        return;
    };
    let Ok(schema) = Schema::compile(&schema) else {
        return;
    };
    let Ok(Value::Object(arguments)) = serde_json::from_str(arguments) else {
        return;
    };
    for schema in [schema.clone(), schema.with_arrays_from_strings()] {
        match schema.check(arguments.clone()) {
            Ok(checked) => {
                let problems = Check::strict(&schema.nodes).problems(0, &checked.into());
                assert_eq!(problems, [], "what comes out fits as it is");
            }
            Err(problems) => assert!((1..=PROBLEMS_MAX).contains(&problems.len())),
        }
    }
}

/// For fuzzing: a pattern on the first line and a text behind it. Whatever it is, matching ends within its budget, and a
/// pattern that matches the whole text matches it somewhere.
#[doc(hidden)]
pub fn fuzz_pattern(input: &str) {
    let (source, text) = input.split_once('\n').unwrap_or((input, ""));
    let Ok(pattern) = pattern::Pattern::compile(source) else {
        return;
    };
    let whole = pattern::Pattern::compile_whole(source);
    let whole = whole.is_ok_and(|whole| whole.fits(text));
    let mut work = work::Work::new();
    let fits = pattern.matches(text, &mut work);
    assert!(
        fits || !whole || work.is_used_up(),
        "{source:?} on {text:?}"
    );
}

#[cfg(test)]
mod tests;
