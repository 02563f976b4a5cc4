//! Which statuses count as what, and what is said of them.

use serde_json::Value;
use toml::de::DeValue;

use super::arguments::plain;
use super::source::{Named, Node};
use super::template::{Names, Template, check_pointer};

/// A status, or a class of them: `404`, `4xx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatusMatch {
    Class(u16),
    Exact(u16),
}

impl StatusMatch {
    fn parse(text: &str) -> Option<StatusMatch> {
        let first = text
            .bytes()
            .next()
            .filter(|byte| (b'1'..=b'5').contains(byte))?;
        if text.len() != 3 {
            return None;
        }
        if text.ends_with("xx") {
            return Some(StatusMatch::Class(u16::from(first.wrapping_sub(b'0'))));
        }
        text.parse().ok().map(StatusMatch::Exact)
    }

    pub(super) fn matches(self, status: u16) -> bool {
        match self {
            StatusMatch::Class(class) => status / 100 == class,
            StatusMatch::Exact(exact) => status == exact,
        }
    }

    fn read(name: &str, node: &Node<'_>) -> Option<StatusMatch> {
        let status = StatusMatch::parse(name);
        if status.is_none() {
            node.report(format!(
                "expected a status such as `404` or `4xx`, found `{name}`"
            ));
        }
        status
    }
}

/// A list of statuses: `[404]`, `["2xx", 304]`.
pub(super) fn read_list(node: &Node<'_>) -> Option<Box<[StatusMatch]>> {
    node.each(&mut |node| match node.value.get_ref() {
        DeValue::Integer(number) => StatusMatch::read(number.as_str(), node),
        _ => StatusMatch::read(node.text()?, node),
    })
}

/// A table from statuses to what is said.
#[derive(Debug, Default)]
pub(super) struct StatusTexts(Vec<(StatusMatch, Option<Template>)>);

impl StatusTexts {
    /// Reads `{ 404 = "no such page" }`, and `{ 503 = true }` if a status alone will do.
    pub(super) fn read(
        node: &Node<'_>,
        names: &Names<'_>,
        may_be_bare: bool,
    ) -> Option<StatusTexts> {
        let read = node.each_named(&mut |name, node| {
            let status = StatusMatch::read(name, node)?;
            if may_be_bare && matches!(node.value.get_ref(), DeValue::Boolean(true)) {
                return Some((status, None));
            }
            Some((status, Some(Template::read(node, names)?)))
        })?;
        // An exact status goes before its class.
        let mut texts = Vec::new();
        let mut classes = Vec::new();
        for (_, (status, text)) in read {
            match status {
                StatusMatch::Class(_) => classes.push((status, text)),
                StatusMatch::Exact(_) => texts.push((status, text)),
            }
        }
        texts.append(&mut classes);
        Some(StatusTexts(texts))
    }

    /// Whether a status is named, and its text if it has one.
    pub(super) fn of(&self, status: u16) -> Option<Option<&Template>> {
        let found = self.0.iter().find(|(known, _)| known.matches(status));
        found.map(|(_, text)| text.as_ref())
    }
}

/// JSON pointers: one, or a list of them.
pub(super) fn read_pointers(node: &Node<'_>) -> Option<Box<[Box<str>]>> {
    match node.value.get_ref() {
        DeValue::Array(_) => node.each(&mut |node| read_pointer(node)),
        _ => Some([read_pointer(node)?].into()),
    }
}

/// A JSON pointer.
pub(super) fn read_pointer(node: &Node<'_>) -> Option<Box<str>> {
    let text = node.text()?;
    if let Err(problem) = check_pointer(text) {
        node.report(problem);
    }
    Some(text.into())
}

/// A table from pointers to values that mean failure.
pub(super) fn read_fail_at(node: &Node<'_>) -> Option<Named<Value>> {
    node.each_named(&mut |name, node| {
        if let Err(problem) = check_pointer(name) {
            node.report(problem);
        }
        plain(node)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f12_statuses_and_classes() {
        for (text, yes, no) in [("404", 404, 403), ("4xx", 499, 500), ("200", 200, 201)] {
            let status = StatusMatch::parse(text).unwrap();
            assert!(status.matches(yes) && !status.matches(no), "{text}");
        }
        for text in [
            "", "40", "4004", "4x4", "600", "6xx", "xxx", "-40", "+40", "4xX",
        ] {
            assert_eq!(StatusMatch::parse(text), None, "{text}");
        }
    }
}
