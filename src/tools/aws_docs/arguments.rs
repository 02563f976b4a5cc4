//! Reads arguments leniently: `"50"` for a number, a list as JSON text, members nobody knows.
//!
//! Models send all of these, and the reference takes them. What does not fit is refused, all of it in one text.

use serde_json::{Map, Value};

use super::Refused;

/// The arguments of one call, and what was wrong with those asked for so far.
pub(super) struct Arguments {
    members: Map<String, Value>,
    problems: Vec<String>,
}

impl Arguments {
    /// Reads the JSON of an `arguments` object; the protocol has seen to it that it is one.
    pub(super) fn parse(text: &str) -> Arguments {
        Arguments {
            members: serde_json::from_str(text).unwrap_or_default(),
            problems: Vec::new(),
        }
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, name: &str) -> String {
        match self.members.remove(name) {
            Some(Value::String(text)) => text,
            found => {
                self.refuse(name, found.as_ref(), "a string");
                String::new()
            }
        }
    }

    /// A text that may be left out, but not null.
    pub(super) fn text_or_empty(&mut self, name: &str) -> String {
        match self.members.contains_key(name) {
            true => self.text(name),
            false => String::new(),
        }
    }

    /// A text that may be left out or null.
    pub(super) fn optional_text(&mut self, name: &str) -> Option<String> {
        match self.members.get(name) {
            None | Some(Value::Null) => None,
            Some(_) => Some(self.text(name)),
        }
    }

    /// A whole number within bounds, or what it is when left out.
    pub(super) fn integer(&mut self, name: &str, default: u64, min: u64, max: u64) -> u64 {
        let Some(found) = self.members.remove(name) else {
            return default;
        };
        let number = match &found {
            Value::Number(number) => whole(number),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number.filter(|number| (min..=max).contains(number)) {
            Some(number) => number,
            None => {
                let expected = match max {
                    u64::MAX => format!("a whole number from {min} on"),
                    _ => format!("a whole number from {min} to {max}"),
                };
                self.refuse(name, Some(&found), &expected);
                default
            }
        }
    }

    /// A list of texts that must be there.
    pub(super) fn list(&mut self, name: &str) -> Vec<String> {
        let found = self.members.remove(name);
        let list = match &found {
            Some(Value::String(text)) => serde_json::from_str(text).ok(),
            Some(value) => serde_json::from_value(value.clone()).ok(),
            None => None,
        };
        list.unwrap_or_else(|| {
            self.refuse(name, found.as_ref(), "a list of strings");
            Vec::new()
        })
    }

    /// A list of texts that may be left out or null.
    pub(super) fn optional_list(&mut self, name: &str) -> Vec<String> {
        match self.members.get(name) {
            None | Some(Value::Null) => Vec::new(),
            Some(_) => self.list(name),
        }
    }

    /// Whether all that was asked for was fine.
    pub(super) fn finish(&mut self) -> Result<(), Refused> {
        match self.problems.is_empty() {
            true => Ok(()),
            false => Err(Refused::Arguments(self.problems.join("; "))),
        }
    }

    fn refuse(&mut self, name: &str, found: Option<&Value>, expected: &str) {
        let found = match found {
            None => "found nothing".to_owned(),
            Some(value) => {
                let mut text = value.to_string();
                if let Some((at, _)) = text.char_indices().nth(SHOWN_CHARS_MAX) {
                    text.truncate(at);
                    text.push('…');
                }
                format!("found {text}")
            }
        };
        self.problems
            .push(format!("`{name}`: {found}, expected {expected}"));
    }
}

/// How much of a wrong value is shown.
const SHOWN_CHARS_MAX: usize = 80;

/// A number without a fraction: `5` and `5.0`.
fn whole(number: &serde_json::Number) -> Option<u64> {
    number.as_u64().or_else(|| {
        let text = number.to_string();
        text.strip_suffix(".0").and_then(|whole| whole.parse().ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(arguments: &mut Arguments) -> String {
        match arguments.finish() {
            Err(Refused::Arguments(text)) => text,
            _ => panic!("the arguments were taken"),
        }
    }

    #[test]
    fn lenient_where_models_are() {
        let text = r#"{"n":"50","m":5.0,"l":"[\"a\",\"b\"]","k":["c"],"o":null,"extra":{}}"#;
        let mut arguments = Arguments::parse(text);
        assert_eq!(arguments.integer("n", 1, 1, 50), 50);
        assert_eq!(arguments.integer("m", 1, 1, 50), 5);
        assert_eq!(arguments.integer("absent", 7, 1, 50), 7);
        assert_eq!(arguments.list("l"), ["a", "b"]);
        assert_eq!(arguments.optional_list("k"), ["c"]);
        assert_eq!(arguments.optional_list("o"), [""; 0]);
        assert_eq!(arguments.optional_text("o"), None);
        assert!(arguments.finish().is_ok());
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let mut arguments = Arguments::parse(r#"{"u":7,"n":51,"m":-1,"l":["a",1],"t":null}"#);
        arguments.text("u");
        arguments.text("missing");
        arguments.integer("n", 1, 1, 50);
        arguments.integer("m", 0, 0, u64::MAX);
        arguments.list("l");
        arguments.text_or_empty("t");
        assert_eq!(
            refused(&mut arguments),
            "`u`: found 7, expected a string; `missing`: found nothing, expected a string; \
             `n`: found 51, expected a whole number from 1 to 50; `m`: found -1, expected a whole number from 0 on; \
             `l`: found [\"a\",1], expected a list of strings; `t`: found null, expected a string"
        );
    }
}
