//! A JSON object each of whose members stands once. Which of two a reader takes differs from reader to reader, so two
//! of a name are refused (RFC 7519 4).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::sorted::SortedMap;

/// The members, their values still as text.
pub(super) struct Object<'a>(SortedMap<String, &'a RawValue>);

/// The value is of another type than was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WrongType;

impl<'a> Object<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        serde_json::from_str(std::str::from_utf8(text).ok()?).ok()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|value| value.get())
    }

    /// A text, if the member is there.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, WrongType> {
        self.read(name)
    }

    /// A text or an array of texts, if the member is there.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, WrongType> {
        match self.read::<String>(name) {
            Ok(text) => Ok(text.map(|text| vec![text])),
            Err(WrongType) => self.read(name),
        }
    }

    /// The objects of an array, if the member is there.
    pub(super) fn array(&self, name: &str) -> Result<Option<Vec<&'a RawValue>>, WrongType> {
        self.read(name)
    }

    fn read<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, WrongType> {
        let read = |text| serde_json::from_str(text).map_err(|_| WrongType);
        self.raw(name).map(read).transpose()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members).map(Self)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = SortedMap<String, &'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = members.next_entry()? {
            pairs.push(pair);
        }
        let written = pairs.len();
        let map = SortedMap::of(pairs);
        match map.len() == written {
            true => Ok(map),
            false => Err(A::Error::custom("a member stands twice")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, is_one: bool) {
        assert_eq!(Object::parse(text.as_bytes()).is_some(), is_one, "{text}");
    }

    #[test]
    fn each_member_stands_once() {
        check("{}", true);
        check(r#" {"a":1,"b":{"c":[]}} "#, true);
        check(r#"{"a":1,"a":1}"#, false);
        check(r#"{"a":1,"b":2,"\u0061":1}"#, false);
        check("[]", false);
        check("1", false);
        check("{} {}", false);
        check(r#"{"a":1,}"#, false);
        check("", false);
        assert!(Object::parse(b"{\"a\":\"\xff\"}").is_none());
    }

    #[test]
    fn values_have_types() {
        let text = br#"{"t":"a","l":["a","b"],"n":1,"m":["a",1],"z":null}"#;
        let object = Object::parse(text).unwrap();
        assert_eq!(object.text("t"), Ok(Some("a".to_owned())));
        assert_eq!(object.text("x"), Ok(None));
        assert_eq!(object.texts("t"), Ok(Some(vec!["a".to_owned()])));
        assert_eq!(
            object.texts("l"),
            Ok(Some(vec!["a".to_owned(), "b".to_owned()]))
        );
        for name in ["n", "m", "z"] {
            assert_eq!(object.text(name), Err(WrongType), "{name}");
            assert_eq!(object.texts(name), Err(WrongType), "{name}");
        }
    }
}
