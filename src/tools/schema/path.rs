//! Where in the arguments a value stands, and what is to be changed there.

use std::fmt::Write as _;

use serde_json::Value;

/// A place, as a list that grows down the stack while the arguments are walked.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Root,
    Index(&'a Path<'a>, usize),
    Name(&'a Path<'a>, &'a str),
}

/// A step of a place that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Index(usize),
    Name(String),
}

/// A change of one place: coerced, a default, or left out.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    steps: Vec<Step>,
    /// Absent where a member is to go.
    value: Option<Value>,
}

/// Longest piece of a member's name that is shown.
const NAME_CHARS_MAX: usize = 60;

impl Path<'_> {
    fn steps(&self) -> Vec<Step> {
        match self {
            Path::Root => Vec::new(),
            Path::Index(above, index) => {
                let mut steps = above.steps();
                steps.push(Step::Index(*index));
                steps
            }
            Path::Name(above, name) => {
                let mut steps = above.steps();
                steps.push(Step::Name((*name).to_owned()));
                steps
            }
        }
    }

    /// `tags[2].name`; empty for the root. What could be misread is quoted.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for step in self.steps() {
            match step {
                Step::Index(index) => {
                    // Writing to a string does not fail.
                    let _ = write!(text, "[{index}]");
                }
                Step::Name(name) => push_name(&mut text, &name),
            }
        }
        text
    }
}

fn push_name(text: &mut String, name: &str) {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '@');
    if name.is_empty() || !name.chars().all(is_plain) || name.chars().count() > NAME_CHARS_MAX {
        text.push('[');
        text.push_str(&super::words::quoted(name, NAME_CHARS_MAX));
        text.push(']');
        return;
    }
    if !text.is_empty() {
        text.push('.');
    }
    text.push_str(name);
}

impl Edit {
    /// Puts a value in a place.
    pub(super) fn new(path: &Path<'_>, value: Value) -> Edit {
        Edit {
            steps: path.steps(),
            value: Some(value),
        }
    }

    /// Takes a member away.
    pub(super) fn removing(path: &Path<'_>) -> Edit {
        Edit {
            steps: path.steps(),
            value: None,
        }
    }

    /// Makes the change. The containers around the place are there: it, or one beside it, was visited
    /// in them.
    pub(super) fn apply(mut self, root: &mut Value) {
        let Some(last) = self.steps.pop() else { return };
        let mut place = root;
        for step in self.steps {
            let inner = match (step, place) {
                (Step::Index(index), Value::Array(elements)) => elements.get_mut(index),
                (Step::Name(name), Value::Object(members)) => members.get_mut(&name),
                _ => None,
            };
            match inner {
                Some(inner) => place = inner,
                None => return,
            }
        }
        match (last, place, self.value) {
            (Step::Index(index), Value::Array(elements), Some(value)) => {
                if let Some(element) = elements.get_mut(index) {
                    *element = value;
                }
            }
            (Step::Name(name), Value::Object(members), Some(value)) => {
                members.insert(name, value);
            }
            (Step::Name(name), Value::Object(members), None) => {
                members.remove(&name);
            }
            _ => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_read_like_code() {
        let tags = Path::Name(&Path::Root, "tags");
        let second = Path::Index(&tags, 2);
        assert_eq!(Path::Name(&second, "name").text(), "tags[2].name");
        assert_eq!(Path::Root.text(), "");
        assert_eq!(Path::Name(&tags, "a.b").text(), "tags[\"a.b\"]");
        assert_eq!(Path::Name(&Path::Root, "").text(), "[\"\"]");
        assert_eq!(Path::Name(&Path::Root, "a`\n").text(), "[\"a`\\n\"]");
        let long = "n".repeat(61);
        assert!(Path::Name(&Path::Root, &long).text().ends_with("…\"]"));
    }

    #[test]
    fn edits_replace_and_insert() {
        let mut value = json!({"a": [1, "2"]});
        let a = Path::Name(&Path::Root, "a");
        Edit::new(&Path::Index(&a, 1), json!(2)).apply(&mut value);
        Edit::new(&Path::Name(&Path::Root, "b"), json!(true)).apply(&mut value);
        assert_eq!(value, json!({"a": [1, 2], "b": true}));
        Edit::removing(&Path::Name(&Path::Root, "b")).apply(&mut value);
        assert_eq!(value, json!({"a": [1, 2]}));
        // A place that is not there changes nothing.
        Edit::new(&Path::Index(&a, 9), json!(0)).apply(&mut value);
        assert_eq!(value, json!({"a": [1, 2]}));
    }
}
