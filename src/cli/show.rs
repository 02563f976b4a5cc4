//! JSON as indented lines for people: `key: value`, lists with dashes, no quotes. Not a format to be read back.
//!
//! Members keep the order they have in the text, which is the order the tool found sensible; `serde_json::Value` would
//! sort them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::text::clean;

/// Whether the text is a JSON object or array, and so worth showing as lines.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<Node>(text).is_ok()
}

/// The document as lines, each with its newline. What is no JSON comes back as text.
pub(super) fn lines(json: &str) -> String {
    let mut out = String::new();
    match serde_json::from_str(json) {
        Ok(node) => write_block(&mut out, &node, 0),
        Err(_) => {
            out.push_str(clean(json).trim_end());
            out.push('\n');
        }
    }
    out
}

enum Node {
    Scalar(String),
    List(Vec<Node>),
    Members(Vec<(String, Node)>),
}

/// Writes a node on lines of its own.
fn write_block(out: &mut String, node: &Node, indent: usize) {
    match node {
        Node::Members(members) if !members.is_empty() => {
            for (key, value) in members {
                pad(out, indent);
                write_member(out, key, value, indent);
            }
        }
        Node::List(items) if !items.is_empty() => {
            for item in items {
                pad(out, indent);
                write_item(out, item, indent);
            }
        }
        small => {
            pad(out, indent);
            write_text(out, &inline(small), indent);
        }
    }
}

fn write_member(out: &mut String, key: &str, value: &Node, indent: usize) {
    out.push_str(&clean(key).replace('\n', " "));
    out.push(':');
    match value {
        Node::Scalar(text) if text.contains('\n') => {
            out.push('\n');
            pad(out, indent + 2);
            write_text(out, text, indent + 2);
        }
        value if is_small(value) => {
            out.push(' ');
            write_text(out, &inline(value), indent);
        }
        value => {
            out.push('\n');
            write_block(out, value, indent + 2);
        }
    }
}

/// An item after its dash; the first member of an object stands on the dash's line.
fn write_item(out: &mut String, item: &Node, indent: usize) {
    out.push('-');
    match item {
        Node::Members(members) if !members.is_empty() => {
            out.push(' ');
            for (index, (key, value)) in members.iter().enumerate() {
                if index > 0 {
                    pad(out, indent + 2);
                }
                write_member(out, key, value, indent + 2);
            }
        }
        item if is_small(item) => {
            out.push(' ');
            write_text(out, &inline(item), indent + 2);
        }
        item => {
            out.push('\n');
            write_block(out, item, indent + 2);
        }
    }
}

/// Whether it fits behind its key: a scalar, something empty, or a short list of scalars.
fn is_small(node: &Node) -> bool {
    const LIST_BYTES_MAX: usize = 60;
    match node {
        Node::Scalar(_) => true,
        Node::Members(members) => members.is_empty(),
        Node::List(items) => {
            let is_flat = items
                .iter()
                .all(|item| matches!(item, Node::Scalar(text) if !text.contains(['\n', ','])));
            is_flat && inline(node).len() <= LIST_BYTES_MAX
        }
    }
}

fn inline(node: &Node) -> String {
    match node {
        Node::Scalar(text) => text.clone(),
        Node::List(items) if items.is_empty() => "none".to_owned(),
        Node::Members(members) if members.is_empty() => "none".to_owned(),
        Node::List(items) => items.iter().map(inline).collect::<Vec<_>>().join(", "),
        Node::Members(members) => members
            .iter()
            .map(|(key, value)| format!("{key}: {}", inline(value)))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// Text whose further lines stay under the first.
fn write_text(out: &mut String, text: &str, indent: usize) {
    let text = clean(text);
    for (index, line) in text.trim_end().lines().enumerate() {
        if index > 0 {
            out.push('\n');
            pad(out, indent);
        }
        out.push_str(line);
    }
    out.push('\n');
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar("-".to_owned()))
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Node, E> {
        Ok(Node::Scalar(if yes { "yes" } else { "no" }.to_owned()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Scalar(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Scalar(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Scalar(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Scalar(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::{is_json, lines};

    #[track_caller]
    fn check(json: &str, expected: &str) {
        assert_eq!(lines(json), expected);
    }

    #[test]
    fn members_keep_their_order() {
        check(
            r#"{"total":8,"free":2.5,"swap":null,"ok":true}"#,
            "total: 8\nfree: 2.5\nswap: -\nok: yes\n",
        );
    }

    #[test]
    fn nesting_is_indented() {
        check(
            r#"{"a":{"b":[{"c":1,"d":{"e":2}},{"c":3}]},"none":{},"short":["x","y"]}"#,
            "a:\n  b:\n    - c: 1\n      d:\n        e: 2\n    - c: 3\nnone: none\nshort: x, y\n",
        );
    }

    #[test]
    fn items_that_would_blur_get_lines_of_their_own() {
        check(r#"{"a":["x,y","z"]}"#, "a:\n  - x,y\n  - z\n");
        check(r#"{"a":["x y","z"]}"#, "a: x y, z\n");
        check(
            r#"[[1,2],[[3,[]],{}]]"#,
            "- 1, 2\n-\n  -\n    - 3\n    - none\n  - none\n",
        );
    }

    #[test]
    fn texts_of_several_lines_stay_under_their_key() {
        check(
            r#"{"log":"one\ntwo\u001b[0m","x":1}"#,
            "log:\n  one\n  two\\u{1b}[0m\nx: 1\n",
        );
    }

    #[test]
    fn anything_else_is_text() {
        check("{not json", "{not json\n");
        check("\"x\"", "x\n");
        assert!(is_json(" {\"a\":1}"));
        assert!(!is_json("{\"a\":1} trailing"));
        assert!(!is_json("[note] plain"));
        assert!(!is_json("12"));
    }
}
