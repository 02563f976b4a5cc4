//! The types of JSON Schema, and sets of them.

use serde_json::Value;

use super::decimal::Decimal;

/// A type; numbers that are whole count as integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Array,
    Boolean,
    Integer,
    Null,
    Number,
    Object,
    String,
}

impl Kind {
    pub(super) const ALL: [Kind; 7] = [
        Kind::Array,
        Kind::Boolean,
        Kind::Integer,
        Kind::Null,
        Kind::Number,
        Kind::Object,
        Kind::String,
    ];

    pub(super) fn of(value: &Value) -> Kind {
        match value {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Boolean,
            Value::Number(number) if Decimal::of(number).is_integer() => Kind::Integer,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::String,
            Value::Array(_) => Kind::Array,
            Value::Object(_) => Kind::Object,
        }
    }

    /// The word of `type`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Array => "array",
            Kind::Boolean => "boolean",
            Kind::Integer => "integer",
            Kind::Null => "null",
            Kind::Number => "number",
            Kind::Object => "object",
            Kind::String => "string",
        }
    }

    /// In a sentence.
    pub(super) fn phrase(self) -> &'static str {
        match self {
            Kind::Array => "an array",
            Kind::Boolean => "a boolean",
            Kind::Integer => "an integer",
            Kind::Null => "null",
            Kind::Number => "a number",
            Kind::Object => "an object",
            Kind::String => "a string",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Kind::Array => 1,
            Kind::Boolean => 1 << 1,
            Kind::Integer => 1 << 2,
            Kind::Null => 1 << 3,
            Kind::Number => 1 << 4,
            Kind::Object => 1 << 5,
            Kind::String => 1 << 6,
        }
    }
}

/// A set of types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) fn add(&mut self, kind: Kind) {
        self.0 |= kind.bit();
    }

    pub(super) fn has(self, kind: Kind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Whether a value of this kind belongs here: an integer is a number.
    pub(super) fn take(self, kind: Kind) -> bool {
        self.has(kind) || (kind == Kind::Integer && self.has(Kind::Number))
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Kinds {
        let mut set = Kinds::default();
        kinds.into_iter().for_each(|kind| set.add(kind));
        set
    }
}
