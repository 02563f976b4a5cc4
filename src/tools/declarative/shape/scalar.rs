//! What packs may write as a value: text, a number or a boolean; and lists of one or several.
//!
//! The types read TOML directly, without an untagged detour that would lose positions.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde_json::{Number, Value};

/// A text, a number or a boolean.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// `true`, `false`.
    Bool(bool),
    /// A number with a fraction; finite.
    Float(f64),
    /// A whole number.
    Integer(i64),
    /// A text, which may be an argument reference where one is allowed.
    Text(String),
}

impl Scalar {
    /// The same as JSON.
    pub fn to_value(&self) -> Value {
        match self {
            Scalar::Bool(yes) => Value::Bool(*yes),
            Scalar::Float(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
            Scalar::Integer(number) => Value::from(*number),
            Scalar::Text(text) => Value::String(text.clone()),
        }
    }
}

/// One scalar, or a list of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalars {
    /// Several.
    List(Vec<Scalar>),
    /// One.
    One(Scalar),
}

/// One text, or a list of texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Texts(pub Vec<String>);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scalar, D::Error> {
        match deserializer.deserialize_any(Words("a text, a number or a boolean"))? {
            Scalars::One(scalar) => Ok(scalar),
            Scalars::List(_) => Err(de::Error::custom(
                "found a list, expected a text, a number or a boolean",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for Scalars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scalars, D::Error> {
        deserializer.deserialize_any(Words("a text, a number, a boolean or a list of them"))
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Texts, D::Error> {
        let text = |scalar| match scalar {
            Scalar::Text(text) => Ok(text),
            other => Err(de::Error::custom(format!(
                "found {}, expected a text or a list of texts",
                other.to_value()
            ))),
        };
        match deserializer.deserialize_any(Words("a text or a list of texts"))? {
            Scalars::One(scalar) => Ok(Texts(vec![text(scalar)?])),
            Scalars::List(scalars) => Ok(Texts(
                scalars.into_iter().map(text).collect::<Result<_, _>>()?,
            )),
        }
    }
}

/// Reads any of the three; holds what is expected, for messages.
struct Words(&'static str);

impl<'de> Visitor<'de> for Words {
    type Value = Scalars;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }

    fn visit_bool<E: de::Error>(self, yes: bool) -> Result<Scalars, E> {
        Ok(Scalars::One(Scalar::Bool(yes)))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalars, E> {
        Ok(Scalars::One(Scalar::Integer(number)))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Scalars, E> {
        match number.is_finite() {
            true => Ok(Scalars::One(Scalar::Float(number))),
            false => Err(E::custom("found a number that is not finite")),
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalars, E> {
        Ok(Scalars::One(Scalar::Text(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Scalars, A::Error> {
        let mut scalars = Vec::new();
        while let Some(scalar) = elements.next_element()? {
            scalars.push(scalar);
        }
        Ok(Scalars::List(scalars))
    }
}
