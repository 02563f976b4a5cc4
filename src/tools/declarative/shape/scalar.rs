//! What packs may write as a value: text, a number or a boolean; and lists of one or several.

use serde_json::{Number, Value};
use toml::de::DeValue;

use crate::tools::written::{Misfit, Value as Place, Written, misfit, read, unfit};

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

impl Written for Scalar {
    fn blank() -> Scalar {
        Scalar::Bool(false)
    }

    fn fill(&mut self, value: &Place<'_>) -> Result<(), Misfit> {
        *self = read_scalar(value, "a text, a number or a boolean")?;
        Ok(())
    }
}

impl Written for Scalars {
    fn blank() -> Scalars {
        Scalars::List(Vec::new())
    }

    fn fill(&mut self, value: &Place<'_>) -> Result<(), Misfit> {
        *self = match value.get_ref() {
            DeValue::Array(_) => Scalars::List(read(value)?),
            _ => Scalars::One(read_scalar(
                value,
                "a text, a number, a boolean or a list of them",
            )?),
        };
        Ok(())
    }
}

impl Written for Texts {
    fn blank() -> Texts {
        Texts(Vec::new())
    }

    fn fill(&mut self, value: &Place<'_>) -> Result<(), Misfit> {
        self.0 = match value.get_ref() {
            DeValue::Array(_) => read(value)?,
            DeValue::String(text) => vec![text.to_string()],
            _ => return Err(unfit(value, "a text or a list of texts")),
        };
        Ok(())
    }
}

fn read_scalar(value: &Place<'_>, expected: &str) -> Result<Scalar, Misfit> {
    Ok(match value.get_ref() {
        DeValue::Boolean(yes) => Scalar::Bool(*yes),
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) if f64::is_finite(number) => Scalar::Float(number),
            _ => {
                let text = "found a number that is not finite".to_owned();
                return Err(misfit(value.span(), text));
            }
        },
        DeValue::Integer(_) => Scalar::Integer(read(value)?),
        DeValue::String(text) => Scalar::Text(text.to_string()),
        DeValue::Array(_) | DeValue::Datetime(_) | DeValue::Table(_) => {
            return Err(unfit(value, expected));
        }
    })
}
