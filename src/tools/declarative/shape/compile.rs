//! From what a pack writes to what runs: everything that can be wrong is found here, once, with its place in the file.

use std::fmt;
use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;

use crate::sorted::SortedSet;

use super::path::Path;
use super::scalar::Scalar;

/// Something in a pack that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecProblem {
    /// Where in the file, in bytes.
    pub span: Range<usize>,
    /// What is wrong, and what would be right.
    pub text: String,
}

impl fmt::Display for SpecProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// A value that a pack gives, or leaves to the caller.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    /// The argument of this name.
    Argument(String),
    /// This value.
    Constant(Value),
}

impl Operand {
    /// The value in this call; `None` for an argument that was not given.
    pub(super) fn value<'v>(&'v self, arguments: &'v Map<String, Value>) -> Option<&'v Value> {
        match self {
            Operand::Constant(value) => Some(value),
            Operand::Argument(name) => given(arguments, name),
        }
    }

    /// The value as a number of things; `None` if there is none, or it is no whole number.
    pub(super) fn count(&self, arguments: &Map<String, Value>) -> Option<usize> {
        let count = self.value(arguments)?.as_u64()?;
        Some(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// The argument's name, if it is one.
    pub(super) fn argument(&self) -> Option<&str> {
        match self {
            Operand::Argument(name) => Some(name),
            Operand::Constant(_) => None,
        }
    }
}

/// An argument that was given and is not null.
pub(super) fn given<'v>(arguments: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    arguments.get(name).filter(|value| !value.is_null())
}

/// Whether a boolean argument was given and is true.
pub(super) fn is_set(arguments: &Map<String, Value>, name: &str) -> bool {
    arguments.get(name).and_then(Value::as_bool) == Some(true)
}

/// The name in a text that is exactly `{name}`.
pub(super) fn reference(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    is_name(name).then_some(name)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Gathers problems and the arguments that are used.
pub(super) struct Compiler<'a> {
    pub is_argument: &'a dyn Fn(&str) -> bool,
    pub arguments: SortedSet<String>,
    pub problems: Vec<SpecProblem>,
}

impl Compiler<'_> {
    pub(super) fn problem(&mut self, span: Range<usize>, text: impl Into<String>) {
        let text = text.into();
        self.problems.push(SpecProblem { span, text });
    }

    /// A path; `key` is told in the problem.
    pub(super) fn path(&mut self, key: &str, text: &Spanned<String>) -> Option<Path> {
        self.path_at(key, text.span(), text.get_ref())
    }

    pub(super) fn path_at(&mut self, key: &str, span: Range<usize>, text: &str) -> Option<Path> {
        match Path::parse(text.trim()) {
            Ok(path) => Some(path),
            Err(problem) => {
                self.problem(span, format!("`{key}`: {problem}"));
                None
            }
        }
    }

    /// A path to a place that can be changed: not the names of members.
    pub(super) fn place(&mut self, key: &str, text: &Spanned<String>) -> Option<Path> {
        let path = self.path(key, text)?;
        if path.is_keys() {
            self.problem(
                text.span(),
                format!("`{key}`: `[keys]` reaches names, which cannot be changed: end with the member or `[]`"),
            );
            return None;
        }
        Some(path)
    }

    /// A JSON pointer (RFC 6901).
    pub(super) fn pointer(&mut self, key: &str, span: Range<usize>, text: &str) -> Option<String> {
        let escapes_are_right = text
            .split('~')
            .skip(1)
            .all(|rest| rest.starts_with(['0', '1']));
        if (text.is_empty() || text.starts_with('/')) && escapes_are_right {
            return Some(text.to_owned());
        }
        self.problem(
            span,
            format!("`{key}`: `{text}` is no JSON pointer: write `/a/b`, or an empty text for the whole document"),
        );
        None
    }

    /// Checks that there is such an argument, and notes that it is used.
    pub(super) fn argument(&mut self, key: &str, span: Range<usize>, name: &str) -> bool {
        if !(self.is_argument)(name) {
            self.problem(
                span,
                format!("`{key}`: the tool has no argument `{name}`: declare it, or mend the name"),
            );
            return false;
        }
        self.arguments.insert(name.to_owned());
        true
    }

    /// A text that has to be an argument reference.
    pub(super) fn flag(&mut self, key: &str, text: &Spanned<String>) -> Option<String> {
        let Some(name) = reference(text.get_ref()) else {
            let problem = format!(
                "`{key}`: found `{text}`, expected a boolean argument: write `\"{{name}}\"`"
            );
            self.problem(text.span(), problem);
            return None;
        };
        self.argument(key, text.span(), name)
            .then(|| name.to_owned())
    }

    /// A scalar that may be an argument reference.
    pub(super) fn operand(&mut self, key: &str, scalar: &Spanned<Scalar>) -> Option<Operand> {
        if let Scalar::Text(text) = scalar.get_ref()
            && let Some(name) = reference(text)
        {
            let known = self.argument(key, scalar.span(), name);
            return known.then(|| Operand::Argument(name.to_owned()));
        }
        Some(Operand::Constant(scalar.get_ref().to_value()))
    }

    /// A number of things, at least one, or the argument that says it.
    pub(super) fn count(&mut self, key: &str, scalar: &Spanned<Scalar>) -> Option<Operand> {
        let operand = self.operand(key, scalar)?;
        let is_count = match &operand {
            Operand::Constant(value) => value.as_u64().is_some_and(|count| count > 0),
            Operand::Argument(_) => true,
        };
        if !is_count {
            let found = scalar.get_ref().to_value();
            self.problem(
                scalar.span(),
                format!("`{key}`: found {found}, expected a whole number from 1, or an argument: `\"{{{key}}}\"`"),
            );
            return None;
        }
        Some(operand)
    }
}
