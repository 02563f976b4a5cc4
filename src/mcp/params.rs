//! The members of a request's `params`, read once for all who ask for one.
//!
//! A request is asked for its `_meta`, its name, its arguments and what a retry brings. Reading the text once for each took
//! a fifth of a small request's instructions. What else stands there is passed over, unread.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Params<'a>(Option<Vec<Member<'a>>>);

type Member<'a> = (Cow<'a, str>, &'a RawValue);

/// Who reads the member cannot tell which value is meant: it stands twice, or the params are no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

impl<'a> Params<'a> {
    /// Reads them; absent and null are the same as `{}`.
    pub fn of(params: Option<&'a RawValue>) -> Params<'a> {
        match params.filter(|params| params.get() != "null") {
            None => Params(Some(Vec::new())),
            Some(params) => Params(json::read::<Members<'a>>(params).map(|members| members.0)),
        }
    }

    /// The member of this name. Null is the same as none.
    ///
    /// # Errors
    /// [`Ambiguous`].
    pub fn one(&self, name: &str) -> Result<Option<&'a RawValue>, Ambiguous> {
        let members = self.0.as_ref().ok_or(Ambiguous)?;
        let mut found = members.iter().filter(|(known, _)| known == name);
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some((_, value)), None) => Ok(Some(*value).filter(|value| value.get() != "null")),
            (Some(_), Some(_)) => Err(Ambiguous),
        }
    }

    /// The text of this name, if it is one.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.one(name).ok().flatten().and_then(json::text)
    }
}

struct Members<'a>(Vec<Member<'a>>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'de>, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((json::Text(key), value)) = map.next_entry()? {
                    members.push((key, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<Option<&str>, Ambiguous>) {
        let raw: &RawValue = serde_json::from_str(text).unwrap();
        let found = Params::of(Some(raw)).one("a");
        assert_eq!(found.map(|raw| raw.map(RawValue::get)), expected, "{text}");
    }

    #[test]
    fn a_member_stands_once_or_not_at_all() {
        check(r#"{"b":1,"a": {"c" : 2} ,"b":3}"#, Ok(Some(r#"{"c" : 2}"#)));
        check(r#"{"\u0061":1}"#, Ok(Some("1")));
        for absent in [r#"{"b":1}"#, "{}", "null", r#"{"a":null}"#] {
            check(absent, Ok(None));
        }
        for twice in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":null,"a":1}"#,
        ] {
            check(twice, Err(Ambiguous));
        }
        for other in ["[]", r#"[{"a":1}]"#, "1", r#""a""#] {
            check(other, Err(Ambiguous));
        }
        assert_eq!(
            Params::of(None).one("a").map(|raw| raw.is_some()),
            Ok(false)
        );
    }

    #[test]
    fn texts_are_texts() {
        let of = |text| Params::of(Some(serde_json::from_str(text).unwrap())).text("a");
        assert_eq!(of(r#"{"a":"x\ny"}"#).as_deref(), Some("x\ny"));
        assert!(matches!(of(r#"{"a":"x"}"#), Some(Cow::Borrowed("x"))));
        for other in [r#"{"a":1}"#, r#"{"a":null}"#, r#"{"a":"x","a":"x"}"#, "[]"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
