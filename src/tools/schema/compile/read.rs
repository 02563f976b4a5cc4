//! The plain values that keywords have: words, numbers, lists of names.

use serde_json::Value;

use super::super::decimal::Decimal;
use super::super::kind::{Kind, Kinds};
use super::super::node::Bound;
use super::{Compiler, Problem};

impl Compiler {
    pub(super) fn boolean(&self, value: &Value) -> Result<bool, Problem> {
        match value.as_bool() {
            Some(value) => Ok(value),
            None => self.problem(format!("is {value}, expected true or false")),
        }
    }

    pub(super) fn string<'a>(&self, value: &'a Value) -> Result<&'a str, Problem> {
        match value.as_str() {
            Some(value) => Ok(value),
            None => self.problem(format!("is {value}, expected a string")),
        }
    }

    /// A type or a list of types.
    pub(super) fn kinds(&self, value: &Value) -> Result<Kinds, Problem> {
        let words = match value {
            Value::Array(words) if !words.is_empty() => words.as_slice(),
            word => std::slice::from_ref(word),
        };
        let mut kinds = Kinds::default();
        for word in words {
            let known = Kind::ALL
                .into_iter()
                .find(|kind| Some(kind.word()) == word.as_str());
            let Some(kind) = known else {
                let known: Vec<_> = Kind::ALL.iter().map(|kind| kind.word()).collect();
                return self.problem(format!("is {word}, expected one of {}", known.join(", ")));
            };
            if kinds.has(kind) {
                return self.problem(format!("lists {word} twice"));
            }
            kinds.add(kind);
        }
        Ok(kinds)
    }

    pub(super) fn bound(&self, value: &Value) -> Result<Bound, Problem> {
        match value {
            Value::Number(number) => Ok(Bound {
                decimal: Decimal::of(number),
                text: number.to_string(),
            }),
            other => self.problem(format!("is {other}, expected a number")),
        }
    }

    pub(super) fn step(&self, value: &Value) -> Result<Bound, Problem> {
        let step = self.bound(value)?;
        match step.decimal.is_positive() {
            true => Ok(step),
            false => self.problem(format!("is {value}, expected a number above 0")),
        }
    }

    pub(super) fn count(&self, value: &Value) -> Result<usize, Problem> {
        let number = value.as_number().map(Decimal::of);
        let count = number
            .and_then(Decimal::to_integer)
            .and_then(|number| number.as_u64())
            .and_then(|number| usize::try_from(number).ok());
        match count {
            Some(count) => Ok(count),
            None => self.problem(format!("is {value}, expected a whole number from 0 up")),
        }
    }

    pub(super) fn names(&self, value: &Value) -> Result<Vec<String>, Problem> {
        let list = value.as_array().map(|names| {
            let names = names.iter().map(|name| name.as_str().map(str::to_owned));
            names.collect::<Option<Vec<_>>>()
        });
        let Some(Some(names)) = list else {
            return self.problem(format!("is {value}, expected a list of names"));
        };
        for (index, name) in names.iter().enumerate() {
            if names.iter().take(index).any(|before| before == name) {
                return self.problem(format!("lists \"{name}\" twice"));
            }
        }
        Ok(names)
    }
}
