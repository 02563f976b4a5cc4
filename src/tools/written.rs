//! Types as a pack writes them, read from the parsed TOML with the place of whatever does not fit.
//!
//! In place of serde: a type is read from one kind of tree, so that nothing here is generic over a format, and the readers of all
//! types together weigh what a single one did. [`written_table`] and [`written_words`] list the keys and the words of a type once;
//! tests hold the reference against these lists.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::nearest::nearest;

/// What does not fit, and where in the file.
#[derive(Debug)]
pub(in crate::tools) struct Misfit {
    /// In bytes.
    pub span: Range<usize>,
    /// What is wrong, and what would be right.
    pub text: String,
}

/// A value with its place.
pub(in crate::tools) type Value<'a> = Spanned<DeValue<'a>>;

/// Can be read from a value.
pub(in crate::tools) trait Written: Sized {
    /// Reads it.
    fn read(value: &Value<'_>) -> Result<Self, Misfit>;

    /// What it is where its key is missing; none where there must be one.
    fn absent() -> Option<Self> {
        None
    }
}

/// That something else than `expected` is written here.
pub(in crate::tools) fn unfit(value: &Value<'_>, expected: &str) -> Misfit {
    Misfit {
        span: value.span(),
        text: format!("expected {expected}, found {}", kind(value.get_ref())),
    }
}

/// What a value is, in words.
pub(in crate::tools) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date; put it in quotes",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// An integer within bounds.
pub(in crate::tools) fn integer(value: &Value<'_>, min: i64, max: i64) -> Result<i64, Misfit> {
    let DeValue::Integer(number) = value.get_ref() else {
        return Err(unfit(value, "an integer"));
    };
    match i64::from_str_radix(number.as_str(), number.radix()) {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(Misfit {
            span: value.span(),
            text: format!("{number} is outside {min} to {max}"),
        }),
    }
}

/// What stands behind an unknown key: the known one that was probably meant, or all of them.
pub(in crate::tools) fn remedy(key: &str, known: &[&str]) -> String {
    match nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", quoted(&mut known.iter().copied())),
    }
}

/// Names for a message: `` `a`, `b` ``.
pub(in crate::tools) fn quoted(names: &mut dyn Iterator<Item = &str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}

/// A table all of whose keys are known.
pub(in crate::tools) struct Fields<'a> {
    span: Range<usize>,
    members: &'a DeTable<'a>,
}

impl<'a> Fields<'a> {
    pub(in crate::tools) fn of(value: &'a Value<'a>, known: &[&str]) -> Result<Fields<'a>, Misfit> {
        let members = members(value)?;
        for key in members.keys() {
            let text: &str = key.get_ref();
            if !known.contains(&text) {
                return Err(Misfit {
                    span: key.span(),
                    text: format!("unknown key `{text}`; {}", remedy(text, known)),
                });
            }
        }
        Ok(Fields {
            span: value.span(),
            members,
        })
    }

    pub(in crate::tools) fn read<T: Written>(&self, key: &str) -> Result<T, Misfit> {
        match self.members.get(key) {
            Some(value) => T::read(value),
            None => T::absent().ok_or_else(|| self.missing(key)),
        }
    }

    fn missing(&self, key: &str) -> Misfit {
        Misfit {
            span: self.span.clone(),
            text: format!("`{key}` is missing"),
        }
    }
}

fn members<'a>(value: &'a Value<'a>) -> Result<&'a DeTable<'a>, Misfit> {
    let members = value.get_ref().as_table();
    members.ok_or_else(|| unfit(value, "a table"))
}

/// The word that stands here, by its place among all.
pub(in crate::tools) fn word(value: &Value<'_>, words: &[&str]) -> Result<usize, Misfit> {
    let Some(text) = value.get_ref().as_str() else {
        return Err(unfit(value, "a text"));
    };
    let found = words.iter().position(|word| *word == text);
    found.ok_or_else(|| Misfit {
        span: value.span(),
        text: format!(
            "expected {}, found `{text}`",
            quoted(&mut words.iter().copied())
        ),
    })
}

/// Reads a struct from a table: each field by its key, which is the field's name unless another one is given.
macro_rules! written_table {
    ($type:ident { $($field:ident $(= $key:literal)?),+ $(,)? }) => {
        impl $type {
            /// All keys.
            pub(in crate::tools) const KEYS: &'static [&'static str] =
                &[$($crate::tools::written::key!($field $($key)?)),+];
        }

        impl $crate::tools::written::Written for $type {
            fn read(
                value: &$crate::tools::written::Value<'_>,
            ) -> Result<$type, $crate::tools::written::Misfit> {
                let fields = $crate::tools::written::Fields::of(value, $type::KEYS)?;
                Ok($type {
                    $($field: fields.read($crate::tools::written::key!($field $($key)?))?),+
                })
            }
        }
    };
}

/// The key of a field.
macro_rules! key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $key:literal) => {
        $key
    };
}

/// Reads an enum from a word. Where one may be missing, its type says so with `or default`.
macro_rules! written_words {
    ($type:ident $(or $default:ident)? { $($word:literal => $variant:ident),+ $(,)? }) => {
        impl $type {
            /// All words.
            pub(in crate::tools) const WORDS: &'static [&'static str] = &[$($word),+];
        }

        impl $crate::tools::written::Written for $type {
            fn read(
                value: &$crate::tools::written::Value<'_>,
            ) -> Result<$type, $crate::tools::written::Misfit> {
                let at = $crate::tools::written::word(value, $type::WORDS)?;
                let mut variants = [$($type::$variant),+].into_iter();
                let variant = variants.nth(at);
                variant.ok_or_else(|| $crate::tools::written::unfit(value, "a known word"))
            }

            $(fn absent() -> Option<$type> {
                Some($type::$default())
            })?
        }
    };
}

pub(in crate::tools) use {key, written_table, written_words};

impl Written for String {
    fn read(value: &Value<'_>) -> Result<String, Misfit> {
        let text = value.get_ref().as_str();
        text.map(str::to_owned)
            .ok_or_else(|| unfit(value, "a text"))
    }
}

impl Written for bool {
    fn read(value: &Value<'_>) -> Result<bool, Misfit> {
        let flag = value.get_ref().as_bool();
        flag.ok_or_else(|| unfit(value, "`true` or `false`"))
    }

    fn absent() -> Option<bool> {
        Some(false)
    }
}

impl Written for i64 {
    fn read(value: &Value<'_>) -> Result<i64, Misfit> {
        integer(value, i64::MIN, i64::MAX)
    }
}

macro_rules! written_integers {
    ($($type:ident),+) => {
        $(impl Written for $type {
            fn read(value: &Value<'_>) -> Result<$type, Misfit> {
                // What is wider than TOML's integers ends where they do.
                let bound = |bound| i64::try_from(bound).unwrap_or(i64::MAX);
                let number = integer(value, i64::try_from($type::MIN).unwrap_or(0), bound($type::MAX))?;
                Ok($type::try_from(number).expect("within its bounds"))
            }
        })+
    };
}

written_integers!(i32, u32, u64, usize);

impl<T: Written> Written for Option<T> {
    fn read(value: &Value<'_>) -> Result<Option<T>, Misfit> {
        T::read(value).map(Some)
    }

    fn absent() -> Option<Option<T>> {
        Some(None)
    }
}

impl<T: Written> Written for Box<T> {
    fn read(value: &Value<'_>) -> Result<Box<T>, Misfit> {
        T::read(value).map(Box::new)
    }
}

impl<T: Written> Written for Spanned<T> {
    fn read(value: &Value<'_>) -> Result<Spanned<T>, Misfit> {
        Ok(Spanned::new(value.span(), T::read(value)?))
    }
}

impl<T: Written> Written for Vec<T> {
    fn read(value: &Value<'_>) -> Result<Vec<T>, Misfit> {
        let Some(items) = value.get_ref().as_array() else {
            return Err(unfit(value, "a list"));
        };
        let mut read = Vec::with_capacity(items.len());
        for item in items {
            read.push(T::read(item)?);
        }
        Ok(read)
    }

    fn absent() -> Option<Vec<T>> {
        Some(Vec::new())
    }
}

/// A table with free names.
impl<T: Written> Written for BTreeMap<Spanned<String>, T> {
    fn read(value: &Value<'_>) -> Result<BTreeMap<Spanned<String>, T>, Misfit> {
        let mut read = BTreeMap::new();
        for (name, value) in members(value)? {
            let name = Spanned::new(name.span(), name.get_ref().to_string());
            read.insert(name, T::read(value)?);
        }
        Ok(read)
    }

    fn absent() -> Option<BTreeMap<Spanned<String>, T>> {
        Some(BTreeMap::new())
    }
}

/// The same where nobody asks for the places of the names.
impl<T: Written> Written for BTreeMap<String, T> {
    fn read(value: &Value<'_>) -> Result<BTreeMap<String, T>, Misfit> {
        let mut read = BTreeMap::new();
        for (name, value) in members(value)? {
            read.insert(name.get_ref().to_string(), T::read(value)?);
        }
        Ok(read)
    }

    fn absent() -> Option<BTreeMap<String, T>> {
        Some(BTreeMap::new())
    }
}

/// Reads a whole text, which must be TOML.
#[cfg(test)]
pub(in crate::tools) fn from_text<T: Written>(text: &str) -> Result<T, Misfit> {
    let table = DeTable::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let span = table.span();
    T::read(&Spanned::new(span, DeValue::Table(table.into_inner())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    enum Colour {
        #[default]
        Black,
        RedWine,
    }

    written_words!(Colour or default { "black" => Black, "red_wine" => RedWine });

    #[derive(Debug, PartialEq)]
    struct Paint {
        colour: Colour,
        kind: Option<String>,
        litres: u32,
        marks: Vec<Spanned<i64>>,
        names: BTreeMap<Spanned<String>, bool>,
    }

    written_table!(Paint { colour, kind = "type", litres, marks, names });

    #[test]
    fn a_table_is_read_with_places() {
        let paint: Paint = from_text(
            "litres = 0x10\ntype = 'oil'\ncolour = 'red_wine'\nmarks = [-1]\nnames = { a = true }",
        )
        .unwrap();
        assert_eq!(paint.colour, Colour::RedWine);
        assert_eq!(paint.kind.as_deref(), Some("oil"));
        assert_eq!(paint.litres, 16);
        assert_eq!(*paint.marks[0].get_ref(), -1);
        assert_eq!(paint.marks[0].span(), 56..58);
        let (name, flag) = paint.names.iter().next().unwrap();
        assert_eq!(
            (name.get_ref().as_str(), name.span(), *flag),
            ("a", 70..71, true)
        );

        let paint: Paint = from_text("litres = 4294967295").unwrap();
        assert_eq!(
            (paint.colour, paint.kind, paint.litres),
            (Colour::Black, None, u32::MAX)
        );
        assert!(paint.marks.is_empty() && paint.names.is_empty());
    }

    #[test]
    fn what_does_not_fit_has_a_place_and_a_remedy() {
        #[track_caller]
        fn check(text: &str, at: &str, expected: &str) {
            let misfit = from_text::<Paint>(text).unwrap_err();
            assert_eq!((&text[misfit.span], misfit.text.as_str()), (at, expected));
        }
        check(
            "litres = 1\nlitre = 2",
            "litre",
            "unknown key `litre`; did you mean `litres`?",
        );
        check(
            "litres = 1\nvolume = 2",
            "volume",
            "unknown key `volume`; known are `colour`, `type`, `litres`, `marks`, `names`",
        );
        check(
            "litres = 4294967296",
            "4294967296",
            "4294967296 is outside 0 to 4294967295",
        );
        check("litres = -1", "-1", "-1 is outside 0 to 4294967295");
        check("litres = 1.0", "1.0", "expected an integer, found a float");
        check(
            "litres = 1\ncolour = 'red'",
            "'red'",
            "expected `black`, `red_wine`, found `red`",
        );
        check(
            "litres = 1\ncolour = 1",
            "1",
            "expected a text, found an integer",
        );
        check(
            "litres = 1\nmarks = 1",
            "1",
            "expected a list, found an integer",
        );
        check(
            "litres = 1\nmarks = [true]",
            "true",
            "expected an integer, found a boolean",
        );
        check(
            "litres = 1\nnames = []",
            "[]",
            "expected a table, found a list",
        );
        check(
            "litres = 1\nnames = { a = 1 }",
            "1",
            "expected `true` or `false`, found an integer",
        );
        check(
            "litres = 1\ntype = 2024-01-01",
            "2024-01-01",
            "expected a text, found a date; put it in quotes",
        );
        let misfit = from_text::<Paint>("colour = 'black'").unwrap_err();
        assert_eq!(misfit.text, "`litres` is missing");
    }
}
