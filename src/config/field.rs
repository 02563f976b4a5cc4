//! How a table row becomes a typed field: the `sections!` macro and the conversions it uses.
//!
//! The macro exists so that a key is written once. From one row come the struct field with its documentation, the
//! default, the parser with its bounds, the name in the environment, and the lines of the reference and the schema.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::gate::forwarded::Proxy;
use crate::sorted::SortedMap;

use super::auth::Token;
use super::certificates::Certificate;
use super::given::{Context, Given};
use super::kind::{Kind, Value};
use super::listen::Listener;
use super::secret::Secret;

/// One key.
#[derive(Debug)]
pub(super) struct Row {
    /// The name within its section.
    pub name: &'static str,
    pub kind: Kind,
    /// As it would be written in the environment; `None` for a key that may stay unset.
    pub default: Option<&'static str>,
    /// Meaning, unit and reason, one or two sentences.
    pub doc: &'static str,
    pub change: Change,
    /// A foreign environment variable that also sets it.
    pub alias: Option<&'static str>,
}

/// When a changed value takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Reload,
    Restart,
}

/// A section: its name, what it is about, its rows.
#[derive(Debug)]
pub(super) struct Section {
    pub name: &'static str,
    pub doc: &'static str,
    pub rows: &'static [Row],
}

impl Row {
    /// The default as a value. The table is checked by a test, so a default always parses.
    pub(super) fn default_value(&self) -> Value {
        let Some(text) = self.default else {
            return Value::Unset;
        };
        let context = Context {
            read: &|_| Err(std::io::ErrorKind::Unsupported.into()),
            folder: Path::new(""),
        };
        self.kind
            .parse(Given::Text(text), false, context)
            .unwrap_or(Value::Unset)
    }

    pub(super) fn is_optional(&self) -> bool {
        self.default.is_none()
    }
}

/// A type a key's value is kept in.
pub(super) trait Field: Sized {
    /// `None` if the value is of another kind, which only a wrong row can cause.
    fn from_value(value: Value) -> Option<Self>;
    fn to_value(&self) -> Value;
}

/// Puts a value into its field. Returns whether it fitted.
#[inline(never)]
pub(super) fn put<T: Field>(field: &mut T, value: Value) -> bool {
    match T::from_value(value) {
        Some(new) => {
            *field = new;
            true
        }
        None => false,
    }
}

/// The two ways to a field of a section.
pub(super) struct Access<S> {
    pub put: fn(&mut S, Value) -> bool,
    pub value: fn(&S) -> Value,
}

impl<T: Field> Field for Option<T> {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Unset => Some(None),
            value => T::from_value(value).map(Some),
        }
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Unset, T::to_value)
    }
}

/// Implements `Field` by a pattern for the way in and an expression for the way out.
macro_rules! field {
    ($($ty:ty: $pattern:pat => $from:expr, $this:ident => $to:expr;)+) => { $(
        impl Field for $ty {
            fn from_value(value: Value) -> Option<Self> {
                match value {
                    $pattern => $from,
                    _ => None,
                }
            }

            fn to_value(&self) -> Value {
                let $this = self;
                $to
            }
        }
    )+ };
}

field! {
    bool: Value::Bool(yes) => Some(yes), this => Value::Bool(*this);
    u16: Value::Number(n) => n.try_into().ok(), this => Value::Number((*this).into());
    u64: Value::Number(n) => Some(n), this => Value::Number(*this);
    // Bounds keep every size below 2 GiB, so it also fits where a pointer has 32 bits.
    usize: Value::Number(n) => n.try_into().ok(), this => Value::Number(u64::try_from(*this).unwrap_or(u64::MAX));
    Duration: Value::Number(ms) => Some(Duration::from_millis(ms)),
        this => Value::Number(u64::try_from(this.as_millis()).unwrap_or(u64::MAX));
    String: Value::Text(text) => Some(text), this => Value::Text(this.clone());
    PathBuf: Value::Text(text) => Some(text.into()), this => Value::Text(this.to_string_lossy().into_owned());
    IpAddr: Value::Text(text) => text.parse().ok(), this => Value::Text(this.to_string());
    Secret: Value::Secret(secret) => Some(secret), this => Value::Secret(this.clone());
    Vec<String>: Value::List(list) => Some(list), this => Value::List(this.clone());
    Vec<Proxy>: Value::List(list) => list.iter().map(|text| Proxy::parse(text)).collect(),
        this => Value::List(this.iter().map(Proxy::to_string).collect());
    Vec<Listener>: Value::Listeners(list) => Some(list), this => Value::Listeners(this.clone());
    Vec<Certificate>: Value::Certificates(list) => Some(list), this => Value::Certificates(this.clone());
    Vec<Token>: Value::Tokens(list) => Some(list), this => Value::Tokens(this.clone());
    // Each is `host=url`; the parser has seen to that.
    SortedMap<String, String>: Value::List(list) => list.iter().try_fold(SortedMap::new(), |mut hosts, text| {
            let (host, url) = text.split_once('=')?;
            hosts.insert(host.to_owned(), url.to_owned());
            Some(hosts)
        }),
        this => Value::List(this.iter().map(|(host, url)| format!("{host}={url}")).collect());
}

/// What stands in a field until its default is put there.
pub(super) trait Blank {
    const BLANK: Self;
}

/// Implements `Blank` by an expression.
macro_rules! blank {
    ($($ty:ty = $blank:expr;)+) => { $(
        impl Blank for $ty {
            const BLANK: Self = $blank;
        }
    )+ };
}

blank! {
    bool = false;
    u64 = 0;
    usize = 0;
    Duration = Duration::ZERO;
    String = String::new();
}

impl<T> Blank for Option<T> {
    const BLANK: Self = None;
}

impl<T> Blank for Vec<T> {
    const BLANK: Self = Vec::new();
}

impl<K, V> Blank for SortedMap<K, V> {
    const BLANK: Self = SortedMap::new();
}

/// Makes an enum whose variants are words of the configuration, with other spellings after `|`.
macro_rules! choices {
    ($($(#[doc = $edoc:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $word:literal $(| $alias:literal)*,)+ })+) => { $(
        $(#[doc = $edoc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl $name {
            pub(super) const KIND: $crate::config::kind::Kind =
                $crate::config::kind::Kind::Choice(&[$(($word, &[$($alias),*])),+]);

            /// The word for it in the configuration.
            pub fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl $crate::config::field::Blank for $name {
            const BLANK: Self = [$($name::$variant),+][0];
        }

        impl $crate::config::field::Field for $name {
            fn from_value(value: $crate::config::kind::Value) -> Option<Self> {
                let $crate::config::kind::Value::Text(word) = value else { return None };
                match word.as_str() {
                    $($word => Some($name::$variant),)+
                    _ => None,
                }
            }

            fn to_value(&self) -> $crate::config::kind::Value {
                $crate::config::kind::Value::Text(self.word().to_owned())
            }
        }
    )+ };
}

/// Makes one struct and one list of rows per section.
macro_rules! sections {
    ($(
        $(#[doc = $sdoc:literal])+
        $section:literal $name:ident $(+ $(#[doc = $xdoc:literal])+ $xfield:ident: $xty:ty)? {
            $($(#[doc = $doc:literal])+ $field:ident: $ty:ty = $kind:expr, $default:expr, $change:ident $(, $alias:literal)?;)+
        }
    )+) => { $(
        $(#[doc = $sdoc])+
        #[derive(Debug, PartialEq)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: $ty,)+
            $($(#[doc = $xdoc])+ pub $xfield: $xty,)?
        }

        impl $name {
            pub(super) const SECTION: $crate::config::field::Section = $crate::config::field::Section {
                name: $section,
                doc: concat!($($sdoc),+),
                rows: &[$($crate::config::field::Row {
                    name: stringify!($field),
                    kind: $kind,
                    default: $default,
                    doc: concat!($($doc),+),
                    change: $crate::config::field::Change::$change,
                    alias: $crate::config::field::alias(&[$($alias)?]),
                }),+],
            };

            /// How to reach each field, in the order of the rows.
            const FIELDS: &[$crate::config::field::Access<$name>] = &[$($crate::config::field::Access {
                put: |section, value| $crate::config::field::put(&mut section.$field, value),
                value: |section| $crate::config::field::Field::to_value(&section.$field),
            }),+];

            fn field(name: &str) -> Option<&'static $crate::config::field::Access<$name>> {
                let mut fields = Self::SECTION.rows.iter().zip(Self::FIELDS);
                fields.find(|(row, _)| row.name == name).map(|(_, field)| field)
            }

            pub(super) fn set(&mut self, name: &str, value: $crate::config::kind::Value) -> bool {
                Self::field(name).is_some_and(|field| (field.put)(self, value))
            }

            pub(super) fn value(&self, name: &str) -> $crate::config::kind::Value {
                Self::field(name).map_or($crate::config::kind::Value::Unset, |field| (field.value)(self))
            }

            const BLANK: $name = $name {
                $($field: <$ty as $crate::config::field::Blank>::BLANK,)+
                $($xfield: <$xty as $crate::config::field::Blank>::BLANK,)?
            };
        }

        impl Default for $name {
            fn default() -> Self {
                let mut section = Self::BLANK;
                for (row, field) in Self::SECTION.rows.iter().zip(Self::FIELDS) {
                    let fitted = (field.put)(&mut section, row.default_value());
                    assert!(fitted, "a test parses the default of every row");
                }
                section
            }
        }

        impl Clone for $name {
            fn clone(&self) -> Self {
                let mut section = Self::BLANK;
                for field in Self::FIELDS {
                    let fitted = (field.put)(&mut section, (field.value)(self));
                    assert!(fitted, "each value is what its field was made from");
                }
                $(section.$xfield.clone_from(&self.$xfield);)?
                section
            }
        }
    )+ };
}

pub(super) use {choices, sections};

/// The only member of a list of none or one, for the macro.
pub(super) const fn alias(of: &[&'static str]) -> Option<&'static str> {
    match of {
        [name, ..] => Some(name),
        [] => None,
    }
}
