//! Types as a pack writes them, read from the parsed TOML with the place of whatever does not fit.
//!
//! In place of serde: a type is read from one kind of tree, so that nothing here is generic over a format, and the readers of all
//! types together weigh what a single one did. [`written_table`] and [`written_words`] list the keys and the words of a type once;
//! tests hold the reference against these lists.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::nearest::nearest;

/// What does not fit, boxed because every table around it passes it on.
pub(in crate::tools) type Misfit = Box<Wrong>;

/// Something wrong, and where in the file.
#[derive(Debug)]
pub(in crate::tools) struct Wrong {
    /// In bytes.
    pub span: Range<usize>,
    /// What is wrong, and what would be right.
    pub text: String,
}

/// What is wrong at a place.
pub(in crate::tools) fn misfit(span: Range<usize>, text: String) -> Misfit {
    Box::new(Wrong { span, text })
}

/// A value with its place.
pub(in crate::tools) type Value<'a> = Spanned<DeValue<'a>>;

/// Can be read from a value. The fields of a table are filled one by one through this, in one loop for all types: to make each of
/// them where it is read would weigh ten times as much.
pub(in crate::tools) trait Written {
    /// What it is before it is filled, and where its key is missing if it may be.
    fn blank() -> Self
    where
        Self: Sized;

    /// Takes what is written. Worth nothing after a misfit.
    fn fill(&mut self, value: &Value<'_>) -> Result<(), Misfit>;

    /// Whether its key may be missing.
    fn may_be_missing(&self) -> bool {
        false
    }
}

/// Reads a value.
pub(in crate::tools) fn read<T: Written>(value: &Value<'_>) -> Result<T, Misfit> {
    let mut read = T::blank();
    read.fill(value)?;
    Ok(read)
}

/// That something else than `expected` is written here.
pub(in crate::tools) fn unfit(value: &Value<'_>, expected: &str) -> Misfit {
    let found = kind(value.get_ref());
    misfit(value.span(), format!("expected {expected}, found {found}"))
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
        _ => Err(misfit(
            value.span(),
            format!("{number} is outside {min} to {max}"),
        )),
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

/// Reads a table all of whose keys are known, each into its field.
pub(in crate::tools) fn fill_table(
    value: &Value<'_>,
    keys: &[&str],
    fields: &mut [&mut dyn Written],
) -> Result<(), Misfit> {
    let members = members(value)?;
    for key in members.keys() {
        let text: &str = key.get_ref();
        if !keys.contains(&text) {
            let text = format!("unknown key `{text}`; {}", remedy(text, keys));
            return Err(misfit(key.span(), text));
        }
    }
    for (key, field) in keys.iter().zip(fields) {
        match members.get(*key) {
            Some(value) => field.fill(value)?,
            None if field.may_be_missing() => (),
            None => return Err(misfit(value.span(), format!("`{key}` is missing"))),
        }
    }
    Ok(())
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
    found.ok_or_else(|| {
        let words = quoted(&mut words.iter().copied());
        misfit(value.span(), format!("expected {words}, found `{text}`"))
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
            fn blank() -> $type {
                $type {
                    $($field: $crate::tools::written::Written::blank()),+
                }
            }

            fn fill(
                &mut self,
                value: &$crate::tools::written::Value<'_>,
            ) -> Result<(), $crate::tools::written::Misfit> {
                $crate::tools::written::fill_table(
                    value,
                    $type::KEYS,
                    &mut [$(&mut self.$field),+],
                )
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

/// Reads an enum from a word. Where its key is missing it is the type's default.
macro_rules! written_words {
    ($type:ident { $($word:literal => $variant:ident),+ $(,)? }) => {
        impl $type {
            /// All words.
            pub(in crate::tools) const WORDS: &'static [&'static str] = &[$($word),+];
        }

        impl $crate::tools::written::Written for $type {
            fn blank() -> $type {
                $type::default()
            }

            fn fill(
                &mut self,
                value: &$crate::tools::written::Value<'_>,
            ) -> Result<(), $crate::tools::written::Misfit> {
                let at = $crate::tools::written::word(value, $type::WORDS)?;
                let mut variants = [$($type::$variant),+].into_iter();
                *self = variants.nth(at).unwrap_or_default();
                Ok(())
            }

            fn may_be_missing(&self) -> bool {
                true
            }
        }
    };
}

pub(in crate::tools) use {key, written_table, written_words};

impl Written for String {
    fn blank() -> String {
        String::new()
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        let text = value.get_ref().as_str();
        *self = text.ok_or_else(|| unfit(value, "a text"))?.to_owned();
        Ok(())
    }
}

impl Written for bool {
    fn blank() -> bool {
        false
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        let flag = value.get_ref().as_bool();
        *self = flag.ok_or_else(|| unfit(value, "`true` or `false`"))?;
        Ok(())
    }

    fn may_be_missing(&self) -> bool {
        true
    }
}

macro_rules! written_integers {
    ($($type:ident),+) => {
        $(impl Written for $type {
            fn blank() -> $type {
                0
            }

            fn fill(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
                // What is wider than TOML's integers ends where they do.
                let bound = |bound| i64::try_from(bound).unwrap_or(i64::MAX);
                let number = integer(value, i64::try_from($type::MIN).unwrap_or(0), bound($type::MAX))?;
                *self = $type::try_from(number).expect("within its bounds");
                Ok(())
            }
        })+
    };
}

written_integers!(i32, i64, u32, u64, usize);

impl<T: Written> Written for Option<T> {
    fn blank() -> Option<T> {
        None
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        self.insert(T::blank()).fill(value)
    }

    fn may_be_missing(&self) -> bool {
        true
    }
}

impl<T: Written> Written for Box<T> {
    fn blank() -> Box<T> {
        Box::new(T::blank())
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        T::fill(self, value)
    }
}

impl<T: Written> Written for Spanned<T> {
    fn blank() -> Spanned<T> {
        Spanned::new(0..0, T::blank())
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        *self = Spanned::new(value.span(), read(value)?);
        Ok(())
    }
}

impl<T: Written> Written for Vec<T> {
    fn blank() -> Vec<T> {
        Vec::new()
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        let Some(items) = value.get_ref().as_array() else {
            return Err(unfit(value, "a list"));
        };
        self.reserve_exact(items.len());
        for item in items {
            self.push(read(item)?);
        }
        Ok(())
    }

    fn may_be_missing(&self) -> bool {
        true
    }
}

/// A table with free names, in their order.
pub(in crate::tools) type FreeTable<T> = Vec<(Spanned<String>, T)>;

impl<T: Written> Written for FreeTable<T> {
    fn blank() -> FreeTable<T> {
        Vec::new()
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        let members = members(value)?;
        self.reserve_exact(members.len());
        for (name, value) in members {
            let name = Spanned::new(name.span(), name.get_ref().to_string());
            self.push((name, read(value)?));
        }
        Ok(())
    }

    fn may_be_missing(&self) -> bool {
        true
    }
}

/// Reads a whole text, which must be TOML.
#[cfg(test)]
pub(in crate::tools) fn from_text<T: Written>(text: &str) -> Result<T, Misfit> {
    let table = DeTable::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let span = table.span();
    read(&Spanned::new(span, DeValue::Table(table.into_inner())))
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

    written_words!(Colour { "black" => Black, "red_wine" => RedWine });

    #[derive(Debug, PartialEq)]
    struct Paint {
        colour: Colour,
        kind: Option<String>,
        litres: u32,
        marks: Vec<Spanned<i64>>,
        names: FreeTable<bool>,
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
        let (name, flag) = &paint.names[0];
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
