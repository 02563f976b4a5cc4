//! A pack's text as a tree that knows where everything stands, and the list of what is wrong with it.
//!
//! Reading goes on after a mistake, so that all of them come out at once. A reader asks a [`Node`] for what it expects;
//! when something else is there, the node says so and the reader gets `None`.

use std::cell::RefCell;
use std::fmt;

use toml::de::{DeTable, DeValue};

use crate::position::position;
use crate::tools::written::{self, Misfit, Value, remedy};

/// One thing that is wrong with a pack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackProblem {
    /// The file, as the operator knows it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The dotted place, `vikunja_get_task.request.path`; empty for the file as a whole.
    pub place: String,
    /// What is wrong there.
    pub text: String,
}

impl fmt::Display for PackProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.text)
    }
}

/// Things under names, in the order of the file.
pub(super) type Named<T> = Box<[(Box<str>, T)]>;

/// A file that is being read, with what was found wrong so far.
pub(super) struct Source<'a> {
    file: &'a str,
    text: &'a str,
    document: &'a Value<'a>,
    problems: RefCell<Vec<PackProblem>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a str, text: &'a str, document: &'a Value<'a>) -> Source<'a> {
        Source {
            file,
            text,
            document,
            problems: RefCell::default(),
        }
    }

    /// The document as a whole.
    pub(super) fn root(&'a self) -> Node<'a> {
        Node {
            source: self,
            value: self.document,
        }
    }

    /// Notes a problem at a byte of the text.
    pub(super) fn report(&self, offset: usize, place: &str, text: String) {
        let problem = self.problem(offset, place, text);
        self.problems.borrow_mut().push(problem);
    }

    /// A problem that may turn out to be one, once other files have been read.
    pub(super) fn problem(&self, offset: usize, place: &str, text: String) -> PackProblem {
        let (line, column) = position(self.text, offset);
        PackProblem {
            file: self.file.to_owned(),
            line,
            column,
            place: place.to_owned(),
            text,
        }
    }

    /// Everything that was found, in the order of the text.
    pub(super) fn into_problems(self) -> Vec<PackProblem> {
        let mut problems = self.problems.into_inner();
        problems.sort_unstable();
        problems.dedup();
        problems
    }
}

/// A value of the file.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    source: &'a Source<'a>,
    pub value: &'a Value<'a>,
}

impl<'a> Node<'a> {
    /// Notes a problem here.
    pub(super) fn report(&self, text: impl Into<String>) {
        self.report_at(self.value.span().start, text.into());
    }

    /// Notes a problem at a byte of the text within this value.
    pub(super) fn report_at(&self, offset: usize, text: String) {
        // Looked for only now, because hardly a value has a problem, and a text for each would be a text too many.
        let place = place_of(self.source.document, self.value);
        self.source.report(offset, &place, text);
    }

    /// The problem of a tool's node that may turn out to be one here, once other files have been read.
    pub(super) fn problem_of(&self, tool: &str) -> PackProblem {
        let start = self.value.span().start;
        self.source.problem(start, tool, String::new())
    }

    fn unfit(&self, expected: &str) {
        self.report(written::unfit(self.value, expected).text);
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        let text = self.value.get_ref().as_str();
        if text.is_none() {
            self.unfit("a text");
        }
        text
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        let flag = self.value.get_ref().as_bool();
        if flag.is_none() {
            self.unfit("`true` or `false`");
        }
        flag
    }

    /// An integer within bounds.
    pub(super) fn integer(&self, min: i64, max: i64) -> Option<i64> {
        self.fitting(written::integer(self.value, min, max))
    }

    /// One of some words, by its index.
    pub(super) fn word(&self, words: &[&str]) -> Option<usize> {
        self.fitting(written::word(self.value, words))
    }

    fn fitting<T>(&self, read: Result<T, Misfit>) -> Option<T> {
        read.map_err(|misfit| self.report(misfit.text)).ok()
    }

    /// The members of a list.
    pub(super) fn items(&self) -> Vec<Node<'a>> {
        let Some(items) = self.value.get_ref().as_array() else {
            self.unfit("a list");
            return Vec::new();
        };
        items.iter().map(|value| self.within(value)).collect()
    }

    /// Reads each member of a list. All are read before any is missed, so that every mistake is reported.
    pub(super) fn each<T>(&self, read: &mut dyn FnMut(&Node<'a>) -> Option<T>) -> Option<Box<[T]>> {
        each(self.items(), read)
    }

    /// The same for a table with free names.
    pub(super) fn each_named<T>(
        &self,
        read: &mut dyn FnMut(&'a str, &Node<'a>) -> Option<T>,
    ) -> Option<Named<T>> {
        each(self.members(), &mut |(name, node)| {
            Some(((*name).into(), read(name, node)?))
        })
    }

    /// The texts of a list.
    pub(super) fn texts(&self) -> Vec<&'a str> {
        self.items().iter().filter_map(Node::text).collect()
    }

    /// The members of a table with free names, in the order of the file: the parser sorts them, their places do not.
    pub(super) fn members(&self) -> Vec<(&'a str, Node<'a>)> {
        let Some(members) = self.value.get_ref().as_table() else {
            self.unfit("a table");
            return Vec::new();
        };
        let mut sorted: Vec<_> = members.iter().collect();
        sorted.sort_by_key(|(name, _)| name.span().start);
        sorted
            .into_iter()
            .map(|(name, value)| (name.get_ref().as_ref(), self.within(value)))
            .collect()
    }

    /// A table whose keys are all among `known`; the others are reported.
    pub(super) fn table(&self, known: &'static [&'static str]) -> Option<Table<'a>> {
        let Some(members) = self.value.get_ref().as_table() else {
            self.unfit("a table");
            return None;
        };
        let table = Table {
            node: *self,
            members,
        };
        table.check_keys(known);
        Some(table)
    }

    /// A member that is not asked for by a reader, or not yet; nothing is reported.
    pub(super) fn member(&self, name: &str) -> Option<Node<'a>> {
        self.value
            .get_ref()
            .get(name)
            .map(|value| self.within(value))
    }

    /// A value that stands in this one.
    fn within(&self, value: &'a Value<'a>) -> Node<'a> {
        Node {
            source: self.source,
            value,
        }
    }
}

fn each<N, T>(nodes: Vec<N>, read: &mut dyn FnMut(&N) -> Option<T>) -> Option<Box<[T]>> {
    let mut all = Vec::with_capacity(nodes.len());
    for node in &nodes {
        all.extend(read(node));
    }
    (all.len() == nodes.len()).then(|| all.into())
}

/// A step from a value to one in it.
enum Step<'a> {
    Member(&'a str),
    Item(usize, &'a Value<'a>),
}

/// Puts the steps that lead from `value` to `wanted` onto `steps`; false if they do not.
fn steps_to<'a>(value: &'a Value<'a>, wanted: &Value<'_>, steps: &mut Vec<Step<'a>>) -> bool {
    let mut leads_there = |step, within: &'a Value<'a>| {
        steps.push(step);
        let is_there = steps_to(within, wanted, steps);
        if !is_there {
            steps.pop();
        }
        is_there
    };
    std::ptr::eq(value, wanted)
        || match value.get_ref() {
            DeValue::Table(members) => members
                .iter()
                .any(|(name, member)| leads_there(Step::Member(name.get_ref()), member)),
            DeValue::Array(items) => items
                .iter()
                .enumerate()
                .any(|(index, item)| leads_there(Step::Item(index, item), item)),
            _ => false,
        }
}

/// The dotted place of a value within its document.
fn place_of(document: &Value<'_>, wanted: &Value<'_>) -> String {
    let mut steps = Vec::new();
    steps_to(document, wanted, &mut steps);
    let mut place = String::new();
    for step in steps {
        match step {
            Step::Member(name) => {
                if !place.is_empty() {
                    place.push('.');
                }
                place.push_str(name);
            }
            Step::Item(index, item) => {
                // A tool by its name, which says more than its number.
                let name = item.get_ref().get("name").filter(|_| place == "tool");
                match name.and_then(|name| name.get_ref().as_str()) {
                    Some(name) => name.clone_into(&mut place),
                    None => place.push_str(&format!("[{index}]")),
                }
            }
        }
    }
    place
}

/// A table with known keys.
pub(super) struct Table<'a> {
    pub node: Node<'a>,
    members: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    fn check_keys(&self, known: &'static [&'static str]) {
        for name in self.members.keys() {
            let text: &str = name.get_ref();
            if known.contains(&text) {
                continue;
            }
            let remedy = remedy(text, known);
            let text = format!("unknown key `{text}`; {remedy}");
            self.node.report_at(name.span().start, text);
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        let value = self.members.get(key)?;
        Some(self.node.within(value))
    }

    /// The same, reported if it is not there.
    pub(super) fn require(&self, key: &str) -> Option<Node<'a>> {
        let node = self.get(key);
        if node.is_none() {
            self.node.report(format!("`{key}` is missing"));
        }
        node
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.text()
    }

    pub(super) fn boolean(&self, key: &str, default: bool) -> bool {
        self.get(key)
            .and_then(|node| node.boolean())
            .unwrap_or(default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_name_the_nearest_and_every_mistake_is_found() {
        let text = "[service]\nidd = 1\nzzz = 2\n";
        let document = toml::Spanned::new(
            0..0,
            DeValue::Table(DeTable::parse(text).unwrap().into_inner()),
        );
        let source = Source::new("p.toml", text, &document);
        let (_, service) = source.root().members().remove(0);
        let table = service.table(&["id", "title"]).unwrap();
        assert!(table.require("id").is_none());
        let problems = unspan(source);
        assert_eq!(
            problems,
            [
                "p.toml:1:1: service: `id` is missing",
                "p.toml:2:1: service: unknown key `idd`; did you mean `id`?",
                "p.toml:3:1: service: unknown key `zzz`; known are `id`, `title`",
            ]
        );
    }

    fn unspan(source: Source<'_>) -> Vec<String> {
        source
            .into_problems()
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}
