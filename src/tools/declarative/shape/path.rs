//! Paths: which part of an item a key speaks of.
//!
//! ```text
//! path = "." | step *( "." step )          "." is the item itself
//! step = name *( "[" inside "]" ) | 1*( "[" inside "]" )
//! inside = ""                              every element of a list, every value of an object
//!        | integer                         one element; negative from the end
//!        | DQUOTE text DQUOTE              a member whose name is no plain one
//!        | "keys"                          the names of an object's members
//! ```
//!
//! Every walk is bounded by the number of steps, which is at most [`STEPS_MAX`].

use serde_json::Value;

/// Steps of one path.
pub const STEPS_MAX: usize = 16;

/// A parsed path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// `[]`
    Each,
    /// `[0]`, `[-1]`
    Index(i32),
    /// `[keys]`
    Keys,
    /// `name`, `["name"]`
    Member(String),
}

impl Path {
    /// Reads a path; the error says what was expected, without naming the key.
    pub fn parse(text: &str) -> Result<Path, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        if text == "." {
            return Ok(Path { steps });
        }
        if text.is_empty() {
            return Err("an empty path: write `.` for the item itself".into());
        }
        loop {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.is_empty() && !after.starts_with('[') {
                return Err(format!("`{text}` has an empty step: write `a.b`"));
            }
            if name.contains([']', '"', '{', '}', '|', '=', ' ']) {
                return Err(format!(
                    "`{name}` in `{text}` is not a plain name: write `[\"…\"]` around it"
                ));
            }
            if !name.is_empty() {
                steps.push(Step::Member(name.to_owned()));
            }
            rest = brackets(after, text, &mut steps)?;
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None if rest.is_empty() => break,
                None => return Err(format!("expected `.` or `[` before `{rest}` in `{text}`")),
            }
        }
        if steps.len() > STEPS_MAX {
            let found = steps.len();
            return Err(format!(
                "`{text}` has {found} steps, at most {STEPS_MAX} are allowed"
            ));
        }
        Ok(Path { steps })
    }

    /// Whether it gives a list instead of one value.
    pub fn is_many(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step, Step::Each | Step::Keys))
    }

    /// Whether it ends in the names of members, which are no place in the value.
    pub fn is_keys(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Keys))
    }

    /// Whether it names the item itself.
    pub fn is_item(&self) -> bool {
        self.steps.is_empty()
    }

    /// The last name in it: what a picked member is called unless said otherwise.
    pub fn name(&self) -> Option<&str> {
        self.steps.iter().rev().find_map(|step| match step {
            Step::Member(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether both may reach the same place, so that taking one would empty the other.
    pub fn overlaps(&self, other: &Path) -> bool {
        !self.steps.iter().zip(&other.steps).any(|pair| match pair {
            (Step::Member(a), Step::Member(b)) => a != b,
            (Step::Index(a), Step::Index(b)) => a != b && (*a < 0) == (*b < 0),
            (Step::Member(_), Step::Index(_)) | (Step::Index(_), Step::Member(_)) => true,
            _ => false,
        })
    }

    /// Calls `see` with everything the path reaches.
    pub fn visit(&self, value: &Value, see: &mut dyn FnMut(&Value)) {
        visit(&self.steps, value, see);
    }

    /// Calls `change` with everything the path reaches; `[keys]` reaches nothing here.
    pub fn visit_mut(&self, value: &mut Value, change: &mut dyn FnMut(&mut Value)) {
        visit_mut(&self.steps, value, change);
    }

    /// Moves out what the path reaches and leaves null there. `None` if it reaches nothing but
    /// nulls.
    pub fn take(&self, value: &mut Value) -> Option<Value> {
        self.gather(value, &mut |value| std::mem::take(value))
    }

    /// Like [`Path::take`], but leaves the values where they are.
    pub fn copy(&self, value: &mut Value) -> Option<Value> {
        self.gather(value, &mut |value| value.clone())
    }

    /// One value, or for a path of many the list of them.
    fn gather(&self, value: &mut Value, get: &mut dyn FnMut(&mut Value) -> Value) -> Option<Value> {
        if !self.is_many() {
            let mut found = None;
            visit_mut(&self.steps, value, &mut |value| {
                if !value.is_null() {
                    found = Some(get(value));
                }
            });
            return found;
        }
        let mut found = Vec::new();
        let mut push = |value: Value| found.push(value);
        let there = match self.steps.split_last() {
            Some((Step::Keys, before)) => {
                let mut there = false;
                visit(before, value, &mut |value| {
                    if let Value::Object(members) = value {
                        there = true;
                        members
                            .keys()
                            .for_each(|name| push(Value::String(name.clone())));
                    }
                });
                there
            }
            _ => {
                visit_mut(&self.steps, value, &mut |value| {
                    if !value.is_null() {
                        push(get(value));
                    }
                });
                self.has_list(value)
            }
        };
        (there || !found.is_empty()).then_some(Value::Array(found))
    }

    /// Whether the list that the first `[]` speaks of is there, be it empty.
    fn has_list(&self, value: &Value) -> bool {
        let first = self.steps.iter().position(|step| *step == Step::Each);
        let mut there = false;
        let before = first.and_then(|first| self.steps.get(..first));
        visit(before.unwrap_or_default(), value, &mut |value| {
            there |= value.is_array() || value.is_object();
        });
        there
    }

    /// Removes what the path reaches from the object or list around it.
    pub fn remove(&self, value: &mut Value) {
        let Some((last, before)) = self.steps.split_last() else {
            return;
        };
        visit_mut(before, value, &mut |value| match (last, value) {
            (Step::Each, Value::Array(elements)) => elements.clear(),
            (Step::Each, Value::Object(members)) => members.clear(),
            (Step::Index(index), Value::Array(elements)) => {
                if let Some(at) = place(*index, elements.len()) {
                    elements.remove(at);
                }
            }
            (Step::Member(name), Value::Object(members)) => {
                members.remove(name);
            }
            _ => (),
        });
    }

    /// Everything a path of many reaches, moved out; lists among it are flattened.
    pub fn flatten(&self, mut value: Value) -> Vec<Value> {
        let mut found = Vec::new();
        visit_mut(&self.steps, &mut value, &mut |value| match value.take() {
            Value::Null => (),
            Value::Array(elements) => found.extend(elements),
            other => found.push(other),
        });
        found
    }
}

/// Reads the brackets at the start of `rest` and returns what is behind them.
fn brackets<'t>(mut rest: &'t str, text: &str, steps: &mut Vec<Step>) -> Result<&'t str, String> {
    let unclosed = || format!("a bracket of `{text}` is not closed");
    while let Some(inside) = rest.strip_prefix('[') {
        if let Some(quoted) = inside.strip_prefix('"') {
            let (name, after) = quoted.split_once("\"]").ok_or_else(unclosed)?;
            steps.push(Step::Member(name.to_owned()));
            rest = after;
            continue;
        }
        let (inside, after) = inside.split_once(']').ok_or_else(unclosed)?;
        steps.push(match inside {
            "" => Step::Each,
            "keys" => Step::Keys,
            number => Step::Index(number.parse().map_err(|_| {
                format!(
                    "`[{inside}]` in `{text}`: expected `[]`, a number, `[keys]` or a name in quotes"
                )
            })?),
        });
        rest = after;
    }
    Ok(rest)
}

/// Where an index points in a list of `len` elements.
fn place(index: i32, len: usize) -> Option<usize> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    let at = match index < 0 {
        true => len.checked_sub(distance)?,
        false => distance,
    };
    (at < len).then_some(at)
}

fn visit(steps: &[Step], value: &Value, see: &mut dyn FnMut(&Value)) {
    let Some((step, rest)) = steps.split_first() else {
        return see(value);
    };
    match (step, value) {
        (Step::Each, Value::Array(elements)) => {
            elements
                .iter()
                .for_each(|element| visit(rest, element, see));
        }
        (Step::Each, Value::Object(members)) => {
            members.values().for_each(|member| visit(rest, member, see));
        }
        (Step::Index(index), Value::Array(elements)) => {
            let at = place(*index, elements.len());
            if let Some(element) = at.and_then(|at| elements.get(at)) {
                visit(rest, element, see);
            }
        }
        (Step::Keys, Value::Object(members)) => {
            for name in members.keys() {
                visit(rest, &Value::String(name.clone()), see);
            }
        }
        (Step::Member(name), Value::Object(members)) => {
            if let Some(member) = members.get(name) {
                visit(rest, member, see);
            }
        }
        _ => (),
    }
}

fn visit_mut(steps: &[Step], value: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    let Some((step, rest)) = steps.split_first() else {
        return change(value);
    };
    match (step, value) {
        (Step::Each, Value::Array(elements)) => {
            elements
                .iter_mut()
                .for_each(|element| visit_mut(rest, element, change));
        }
        (Step::Each, Value::Object(members)) => {
            members
                .values_mut()
                .for_each(|member| visit_mut(rest, member, change));
        }
        (Step::Index(index), Value::Array(elements)) => {
            let at = place(*index, elements.len());
            if let Some(element) = at.and_then(|at| elements.get_mut(at)) {
                visit_mut(rest, element, change);
            }
        }
        (Step::Member(name), Value::Object(members)) => {
            if let Some(member) = members.get_mut(name) {
                visit_mut(rest, member, change);
            }
        }
        _ => (),
    }
}

/// For fuzzing: a path on the first line, JSON behind it. A copy changes nothing, and is what would be taken.
#[doc(hidden)]
pub fn fuzz_path(text: &str) {
    let (path, json) = text.split_once('\n').unwrap_or((text, "{}"));
    let (Ok(path), Ok(before)) = (Path::parse(path), serde_json::from_str::<Value>(json)) else {
        return;
    };
    let mut value = before.clone();
    let copied = path.copy(&mut value);
    assert!(value == before && path.overlaps(&path));
    assert_eq!(path.take(&mut value), copied);
    path.remove(&mut value);
    _ = path.flatten(before);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Option<Value>) {
        let mut value = json!({
            "Id": "a1",
            "Names": ["/web", "/www"],
            "State": {"Health": {"Status": "ok"}, "Error": null},
            "Labels": {"com.docker.compose.project": "shop", "x": "y"},
            "panels": [{"t": [{"e": 1}, {"e": 2}]}, {"t": []}, {"t": [{"e": null}]}, 7],
            "none": [],
            "nothing": null,
        });
        let parsed = Path::parse(path).unwrap();
        let whole = value.clone();
        assert_eq!(parsed.copy(&mut value), expected, "{path} copied");
        assert_eq!(value, whole, "{path} copied only");
        let mut seen = Vec::new();
        parsed.visit(&value, &mut |value| {
            if !value.is_null() {
                seen.push(value.clone());
            }
        });
        let listed = match (&expected, parsed.is_many()) {
            (Some(Value::Array(elements)), true) => elements.clone(),
            (expected, _) => expected.iter().cloned().collect(),
        };
        assert_eq!(seen, listed, "{path} visited");
        assert_eq!(parsed.take(&mut value), expected, "{path} taken");
        if expected.is_some() && !parsed.is_keys() && !listed.is_empty() {
            assert_ne!(value, whole, "{path} is gone");
        }
    }

    #[test]
    fn what_paths_reach() {
        check("Id", Some(json!("a1")));
        check("State.Health.Status", Some(json!("ok")));
        check("Names[0]", Some(json!("/web")));
        check("Names[-1]", Some(json!("/www")));
        check("Names[]", Some(json!(["/web", "/www"])));
        check(
            r#"Labels["com.docker.compose.project"]"#,
            Some(json!("shop")),
        );
        check("Labels[]", Some(json!(["shop", "y"])));
        check(
            "Labels[keys]",
            Some(json!(["com.docker.compose.project", "x"])),
        );
        check("panels[].t[].e", Some(json!([1, 2])));
        check("panels[0].t[1].e", Some(json!(2)));
        check("none[].x", Some(json!([])));
        // Their neighbours reach nothing.
        for path in [
            "id",
            "State.Health.status",
            "Names[2]",
            "Names[-3]",
            "Names.x",
            "Id[]",
        ] {
            check(path, None);
        }
        for path in [
            "Labels.com",
            "Names[keys]",
            "State.Error",
            "nothing[]",
            "Id.x",
            "Id[0]",
        ] {
            check(path, None);
        }
    }

    #[test]
    fn the_item_itself_and_lists_at_the_start() {
        let mut value = json!([[1, 2], [3]]);
        assert_eq!(
            Path::parse("[][]").unwrap().copy(&mut value),
            Some(json!([1, 2, 3]))
        );
        assert_eq!(
            Path::parse("[1][0]").unwrap().copy(&mut value),
            Some(json!(3))
        );
        assert_eq!(
            Path::parse(".").unwrap().take(&mut value),
            Some(json!([[1, 2], [3]]))
        );
        assert_eq!(value, Value::Null);
    }

    #[test]
    fn what_is_no_path() {
        for (text, expected) in [
            ("", "an empty path: write `.` for the item itself"),
            ("a..b", "`a..b` has an empty step: write `a.b`"),
            ("a.", "`a.` has an empty step: write `a.b`"),
            (".a", "`.a` has an empty step: write `a.b`"),
            ("a[", "a bracket of `a[` is not closed"),
            ("a[\"b]", "a bracket of `a[\"b]` is not closed"),
            (
                "a[x]",
                "`[x]` in `a[x]`: expected `[]`, a number, `[keys]` or a name in quotes",
            ),
            ("a[0]b", "expected `.` or `[` before `b` in `a[0]b`"),
            (
                "a b",
                "`a b` in `a b` is not a plain name: write `[\"…\"]` around it",
            ),
            (
                "a]",
                "`a]` in `a]` is not a plain name: write `[\"…\"]` around it",
            ),
        ] {
            assert_eq!(Path::parse(text).unwrap_err(), expected);
        }
        let long = |steps: usize| Path::parse(&vec!["a"; steps].join("."));
        assert!(long(STEPS_MAX).is_ok());
        assert!(
            long(STEPS_MAX + 1)
                .unwrap_err()
                .ends_with("at most 16 are allowed")
        );
    }

    #[test]
    fn what_overlaps() {
        let overlap = |a, b| {
            let (a, b) = (Path::parse(a).unwrap(), Path::parse(b).unwrap());
            assert_eq!(a.overlaps(&b), b.overlaps(&a));
            a.overlaps(&b)
        };
        for (a, b) in [
            ("a", "a.b"),
            ("a[]", "a[0].x"),
            (".", "x"),
            ("a[0]", "a[-1]"),
            ("a[]", "a.b"),
        ] {
            assert!(overlap(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("a", "b"),
            ("a[0]", "a[1]"),
            ("a.b", "a.c.d"),
            ("a[].x", "a[].y"),
        ] {
            assert!(!overlap(a, b), "{a} {b}");
        }
    }

    #[test]
    fn removal() {
        let remove = |path: &str, mut value: Value| {
            Path::parse(path).unwrap().remove(&mut value);
            value
        };
        let value = json!({"a": {"b": 1, "c": 2}, "l": [{"b": 1}, {"b": 2}]});
        assert_eq!(remove("a.b", value.clone())["a"], json!({"c": 2}));
        assert_eq!(remove("l[].b", value.clone())["l"], json!([{}, {}]));
        assert_eq!(remove("l[0]", value.clone())["l"], json!([{"b": 2}]));
        for path in ["a.x", "l[2]", "l.b", "x.y", "."] {
            assert_eq!(remove(path, value.clone()), value, "{path}");
        }
    }
}
