//! A JSON object each of whose members stands once. Which of two a reader takes differs from reader to reader, so two
//! of a name are refused (RFC 7519 4).

use std::borrow::Cow;

use crate::raw::{DEPTH_MAX, Members, Raw};
use crate::sorted::SortedMap;

/// The members, their values still as text.
pub(super) struct Object<'a>(SortedMap<Cow<'a, str>, Raw<'a>>);

/// The value is of another type than was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WrongType;

impl<'a> Object<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let pairs = Members::of(std::str::from_utf8(text).ok()?, DEPTH_MAX).all()?;
        let written = pairs.len();
        let map = SortedMap::of(pairs);
        (map.len() == written).then_some(Self(map))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|value| value.get())
    }

    /// A text, if the member is there.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, WrongType> {
        let text = self.0.get(name).map(|value| value.text().ok_or(WrongType));
        Ok(text.transpose()?.map(Cow::into_owned))
    }

    /// A text or an array of texts, if the member is there.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, WrongType> {
        match self.text(name) {
            Ok(text) => Ok(text.map(|text| vec![text])),
            Err(WrongType) => {
                let texts = self.0.get(name).map(|value| value.texts().ok_or(WrongType));
                texts.transpose()
            }
        }
    }

    /// The values of an array, if the member is one.
    pub(super) fn array(&self, name: &str) -> Option<Vec<Raw<'a>>> {
        let mut elements = self.0.get(name)?.elements();
        let mut values = Vec::new();
        while let Some(value) = elements.next_element().ok()? {
            values.push(value);
        }
        Some(values)
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
