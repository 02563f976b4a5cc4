//! The members of a request's `params`, read once for all who ask for one.
//!
//! A request is asked for its `_meta`, its name, its arguments and what a retry brings. Reading the text once for each took
//! a fifth of a small request's instructions. What else stands there is passed over.

use std::borrow::Cow;

use crate::raw::Raw;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Params<'a>(Option<[Found<'a>; PARAMS.len()]>);

/// The members that more than one asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// `_meta`
    Meta,
    /// `name`
    Name,
    /// `arguments`
    Arguments,
    /// `uri`
    Uri,
    /// `taskId`
    TaskId,
    /// `inputResponses`
    InputResponses,
    /// `requestState`
    RequestState,
}

/// Their names, each where the number of its `Param` is.
const PARAMS: [&str; 7] = [
    "_meta",
    "name",
    "arguments",
    "uri",
    "taskId",
    "inputResponses",
    "requestState",
];

#[derive(Clone, Copy, Debug, Default)]
enum Found<'a> {
    #[default]
    Nowhere,
    Once(Raw<'a>),
    Twice,
}

/// Who reads the member cannot tell which value is meant: it stands twice, or the params are no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

impl<'a> Params<'a> {
    /// Reads them; absent and null are the same as `{}`.
    pub fn of(params: Option<Raw<'a>>) -> Params<'a> {
        let mut all = [Found::Nowhere; PARAMS.len()];
        if let Some(params) = params.filter(|params| !params.is_null()) {
            let mut members = params.members();
            loop {
                let (name, value) = match members.next_member() {
                    Ok(Some(member)) => member,
                    Ok(None) => break,
                    Err(_) => return Params(None),
                };
                let slot = PARAMS.iter().position(|known| *known == name);
                if let Some(found) = slot.and_then(|at| all.get_mut(at)) {
                    *found = match found {
                        Found::Nowhere => Found::Once(value),
                        Found::Once(_) | Found::Twice => Found::Twice,
                    };
                }
            }
        }
        Params(Some(all))
    }

    /// This member. Null is the same as none.
    ///
    /// # Errors
    /// [`Ambiguous`].
    pub fn one(&self, param: Param) -> Result<Option<Raw<'a>>, Ambiguous> {
        let all = self.0.as_ref().ok_or(Ambiguous)?;
        match all.get(param as usize) {
            Some(Found::Once(value)) if !value.is_null() => Ok(Some(*value)),
            Some(Found::Once(_) | Found::Nowhere) | None => Ok(None),
            Some(Found::Twice) => Err(Ambiguous),
        }
    }

    /// The text of this member, if it is one.
    pub fn text(&self, param: Param) -> Option<Cow<'a, str>> {
        self.one(param).ok().flatten().and_then(Raw::text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<Option<&str>, Ambiguous>) {
        let found = Params::of(Raw::parse(text)).one(Param::Uri);
        assert_eq!(found.map(|raw| raw.map(Raw::get)), expected, "{text}");
    }

    #[test]
    fn a_member_stands_once_or_not_at_all() {
        check(
            r#"{"b":1,"uri": {"c" : 2} ,"b":3}"#,
            Ok(Some(r#"{"c" : 2}"#)),
        );
        check(r#"{"\u0075ri":1}"#, Ok(Some("1")));
        for absent in [r#"{"name":1}"#, "{}", "null", r#"{"uri":null}"#] {
            check(absent, Ok(None));
        }
        for twice in [
            r#"{"uri":1,"uri":1}"#,
            r#"{"uri":1,"\u0075ri":2}"#,
            r#"{"uri":null,"uri":1,"uri":2}"#,
        ] {
            check(twice, Err(Ambiguous));
        }
        for other in ["[]", r#"[{"uri":1}]"#, "1", r#""uri""#] {
            check(other, Err(Ambiguous));
        }
        assert_eq!(
            Params::of(None).one(Param::Uri).map(|raw| raw.is_some()),
            Ok(false)
        );
    }

    #[test]
    fn each_has_its_name() {
        for (param, name) in [
            (Param::Meta, "_meta"),
            (Param::Name, "name"),
            (Param::Arguments, "arguments"),
            (Param::Uri, "uri"),
            (Param::TaskId, "taskId"),
            (Param::InputResponses, "inputResponses"),
            (Param::RequestState, "requestState"),
        ] {
            let text = format!(r#"{{"{name}":"it","other":1}}"#);
            let params = Params::of(Raw::parse(&text));
            assert_eq!(params.text(param).as_deref(), Some("it"), "{name}");
        }
    }

    #[test]
    fn texts_are_texts() {
        let of = |text| Params::of(Raw::parse(text)).text(Param::Name);
        assert_eq!(of(r#"{"name":"x\ny"}"#).as_deref(), Some("x\ny"));
        assert!(matches!(of(r#"{"name":"x"}"#), Some(Cow::Borrowed("x"))));
        for other in [
            r#"{"name":1}"#,
            r#"{"name":null}"#,
            r#"{"name":"x","name":"x"}"#,
            "[]",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
