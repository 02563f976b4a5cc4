//! The walk over the arguments.
//!
//! Values are not changed while they are looked at: what is to be changed is noted as edits, so that
//! an alternative that is tried and does not fit leaves no trace. Two modes: `Coerce` notes edits
//! (types made to fit, defaults), `Strict` takes everything as it is. What comes out of the first is
//! put through the second; a value that the tool gets therefore satisfies its schema word for word.

mod alternatives;

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::canonical::canonical;
use super::coerce::coerced;
use super::decimal::Decimal;
use super::kind::Kind;
use super::node::{Additional, ArrayRules, Bound, Node, NodeId, NumberRules, ObjectRules, node};
use super::path::{Edit, Path};
use super::words::{expected, found, list_names};
use super::work::Work;
use super::{ArgumentProblem, PROBLEMS_MAX};
use crate::nearest::nearest;
use crate::sorted::SortedMap;

/// How deeply the walk goes: members in members, and schemas for the same value.
const DEPTH_MAX: usize = 256;

/// What parts of a check cost, in steps of [`Work`].
const VISIT: usize = 16;
const EDIT: usize = 20;
const PROBLEM: usize = 400;
/// For each name that is compared.
const NEAREST: usize = 10;

/// One check of one value.
pub(super) struct Check<'a> {
    nodes: &'a [Node],
    mode: Mode,
    arrays_from_strings: bool,
    edits: Vec<Edit>,
    problems: Vec<ArgumentProblem>,
    work: Work,
    depth: usize,
    is_too_deep: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Coerce,
    Strict,
}

impl<'a> Check<'a> {
    /// A check that takes the value as it is.
    pub(super) fn strict(nodes: &'a [Node]) -> Check<'a> {
        Check {
            nodes,
            mode: Mode::Strict,
            arrays_from_strings: false,
            edits: Vec::new(),
            problems: Vec::new(),
            work: Work::new(),
            depth: 0,
            is_too_deep: false,
        }
    }

    /// A check that makes the value fit where that is safe.
    pub(super) fn coercing(nodes: &'a [Node], arrays_from_strings: bool) -> Check<'a> {
        Check {
            mode: Mode::Coerce,
            arrays_from_strings,
            ..Check::strict(nodes)
        }
    }

    /// What is wrong with `value`; nothing if it fits.
    pub(super) fn problems(mut self, id: NodeId, value: &Value) -> Vec<ArgumentProblem> {
        self.visit(id, value, &Path::Root, false);
        self.verdict()
    }

    /// The value with its edits, or what is wrong with it, after the `problems` found before.
    pub(super) fn corrected(
        mut self,
        id: NodeId,
        mut value: Value,
        problems: Vec<ArgumentProblem>,
    ) -> Result<Value, Vec<ArgumentProblem>> {
        self.problems = problems;
        self.visit(id, &value, &Path::Root, false);
        let edits = std::mem::take(&mut self.edits);
        let is_as_sent = edits.is_empty();
        let fits = self.problems.is_empty() && !self.has_given_up();
        if fits && !is_as_sent {
            for edit in edits {
                edit.apply(&mut value);
            }
            self.mode = Mode::Strict;
            self.visit(id, &value, &Path::Root, false);
        }
        match self.verdict() {
            problems if problems.is_empty() => Ok(value),
            problems => Err(problems),
        }
    }

    fn has_given_up(&self) -> bool {
        self.is_too_deep || self.work.is_used_up()
    }

    fn verdict(self) -> Vec<ArgumentProblem> {
        let text = match (self.is_too_deep, self.work.is_used_up()) {
            (true, _) => "are nested too deeply to be checked; send less in one another",
            (_, true) => "take too long to check; send less at once",
            (false, false) => return self.problems,
        };
        vec![ArgumentProblem {
            path: String::new(),
            text: text.to_owned(),
        }]
    }

    /// Checks `value`; returns what it becomes, if that is something else, for other schemas that
    /// apply to it.
    fn visit(
        &mut self,
        id: NodeId,
        value: &Value,
        path: &Path<'_>,
        is_secret: bool,
    ) -> Option<Value> {
        if self.has_given_up() || !self.work.take(VISIT) {
            return None;
        }
        if self.depth >= DEPTH_MAX {
            self.is_too_deep = true;
            return None;
        }
        self.depth = self.depth.saturating_add(1);
        let changed = self.visit_node(id, value, path, is_secret);
        self.depth = self.depth.saturating_sub(1);
        changed
    }

    fn visit_node(
        &mut self,
        id: NodeId,
        value: &Value,
        path: &Path<'_>,
        is_secret: bool,
    ) -> Option<Value> {
        let nodes = self.nodes;
        let node = node(nodes, id);
        let is_secret = is_secret || node.is_secret;
        let place = Place {
            id,
            path,
            is_secret,
        };
        let in_place = node.in_place.as_deref();
        let mut changed: Option<Value> = None;
        for inner in in_place.iter().flat_map(|in_place| &in_place.all) {
            let value = changed.as_ref().unwrap_or(value);
            changed = self.visit(*inner, value, path, is_secret).or(changed);
        }
        if self.mode == Mode::Coerce {
            let value = changed.as_ref().unwrap_or(value);
            if let Some(value) = coerced(value, node.targets, self.arrays_from_strings) {
                self.edit(path, value.clone());
                changed = Some(value);
            }
        }
        let now = changed.as_ref().unwrap_or(value);
        if !self.fits_alone(node, now) {
            self.unfit(&place, now);
            return changed;
        }
        match now {
            Value::Array(elements) => {
                if let Some(rules) = &node.array {
                    self.visit_array(rules, elements, &place);
                }
            }
            Value::Object(members) => {
                if let Some(rules) = &node.object {
                    self.visit_object(rules, members, &place);
                }
            }
            _ => (),
        }
        let Some(in_place) = in_place else {
            return changed;
        };
        self.visit_choices(in_place, changed.as_ref().unwrap_or(value), &place)
            .or(changed)
    }

    /// The rules that need no look at members or elements.
    fn fits_alone(&mut self, node: &Node, value: &Value) -> bool {
        if node.is_never {
            return false;
        }
        if node.kinds.is_some_and(|kinds| !kinds.take(Kind::of(value))) {
            return false;
        }
        if let Some(values) = &node.values {
            let text = canonical(value);
            let cost = (text.len() / 8).saturating_add(values.canonical.len());
            self.work.take(cost);
            if !values.canonical.contains(&text) {
                return false;
            }
        }
        match value {
            Value::Number(number) => node
                .number
                .as_ref()
                .is_none_or(|rules| is_within(rules, Decimal::of(number))),
            Value::String(text) => node.string.as_ref().is_none_or(|rules| {
                self.work.take(text.len() / 16);
                rules.length.allows(text.chars().count())
                    && rules.format.is_none_or(|format| format.fits(text))
                    && rules
                        .pattern
                        .as_ref()
                        .is_none_or(|pattern| pattern.matches(text, &mut self.work))
            }),
            Value::Array(elements) => node.array.as_ref().is_none_or(|rules| {
                rules.count.allows(elements.len()) && self.is_unique(rules, elements)
            }),
            Value::Object(members) => node
                .object
                .as_ref()
                .is_none_or(|rules| rules.count.allows(members.len())),
            Value::Bool(_) | Value::Null => true,
        }
    }

    fn is_unique(&mut self, rules: &ArrayRules, elements: &[Value]) -> bool {
        let mut seen = Map::new();
        !rules.is_unique
            || elements.iter().all(|element| {
                let text = canonical(element);
                self.work.take(VISIT.saturating_add(text.len() / 8))
                    && seen.insert(text, Value::Null).is_none()
            })
    }

    fn visit_array(&mut self, rules: &ArrayRules, elements: &[Value], place: &Place<'_>) {
        for (index, element) in elements.iter().enumerate() {
            if let Some(id) = rules.first.get(index).copied().or(rules.rest) {
                let path = Path::Index(place.path, index);
                self.visit(id, element, &path, place.is_secret);
            }
        }
    }

    fn visit_object(
        &mut self,
        rules: &ObjectRules,
        members: &Map<String, Value>,
        place: &Place<'_>,
    ) {
        let no_properties = SortedMap::new();
        let properties = rules.properties.as_ref().unwrap_or(&no_properties);
        for name in &rules.required {
            let declared = properties.get(name);
            let has_default = declared.is_some_and(|id| node(self.nodes, *id).default.is_some());
            let is_filled_in = has_default && self.mode == Mode::Coerce;
            if !members.contains_key(name) && !is_filled_in {
                let nodes = self.nodes;
                self.problem(&Path::Name(place.path, name), || match declared {
                    Some(id) => format!("is missing, expected {}", expected(nodes, *id)),
                    None => "is missing".to_owned(),
                });
            }
        }
        if self.mode == Mode::Coerce {
            for (name, id) in properties {
                let default = node(self.nodes, *id).default.as_ref();
                if let Some(default) = default.filter(|_| !members.contains_key(name)) {
                    self.edit(&Path::Name(place.path, name), default.clone());
                }
            }
        }
        for (name, value) in members {
            let path = Path::Name(place.path, name);
            if let Some(id) = rules.names
                && self
                    .attempt(
                        id,
                        &Value::from(name.as_str()),
                        &Path::Root,
                        true,
                        Mode::Strict,
                    )
                    .is_err()
            {
                let nodes = self.nodes;
                self.problem(&path, || {
                    format!(
                        "has a name that is not allowed, expected {}",
                        expected(nodes, id)
                    )
                });
            }
            let declared = properties.get(name).copied();
            if value.is_null() && self.leave_out(declared, rules, name, &path) {
                continue;
            }
            match (declared, rules.additional) {
                (Some(id), _) | (None, Additional::Schema(id)) => {
                    self.visit(id, value, &path, place.is_secret);
                }
                (None, Additional::Unsaid) => (),
                (None, Additional::Refused) => {
                    let known = properties.keys().map(String::as_str);
                    self.problem(&path, || unknown("member", name, known));
                    self.work.take(properties.len().saturating_mul(NEAREST));
                }
            }
        }
    }

    /// A null for a member that need not be there and cannot be null is a client's way of leaving it
    /// out; whether it is one.
    fn leave_out(
        &mut self,
        declared: Option<NodeId>,
        rules: &ObjectRules,
        name: &String,
        path: &Path<'_>,
    ) -> bool {
        let Some(id) = declared.filter(|_| self.mode == Mode::Coerce) else {
            return false;
        };
        let is_wanted = rules.required.contains(name)
            || self
                .attempt(id, &Value::Null, path, true, Mode::Strict)
                .is_ok();
        if !is_wanted {
            match node(self.nodes, id).default.clone() {
                Some(default) => self.edit(path, default),
                None => self.edits.push(Edit::removing(path)),
            }
        }
        !is_wanted
    }

    fn edit(&mut self, path: &Path<'_>, value: Value) {
        self.work.take(EDIT);
        self.edits.push(Edit::new(path, value));
    }

    fn unfit(&mut self, place: &Place<'_>, value: &Value) {
        let nodes = self.nodes;
        self.problem(place.path, || {
            let found = found(value, place.is_secret);
            format!("found {found}, expected {}", expected(nodes, place.id))
        });
    }

    /// Adds a problem. Beyond the most that are reported, its text is not even made.
    fn problem(&mut self, path: &Path<'_>, text: impl FnOnce() -> String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.work.take(PROBLEM);
            self.problems.push(ArgumentProblem {
                path: path.text(),
                text: text(),
            });
        }
    }
}

/// Where a check stands.
struct Place<'a> {
    id: NodeId,
    path: &'a Path<'a>,
    is_secret: bool,
}

/// What to say of a name that is not known.
pub(super) fn unknown<'a>(
    what: &str,
    name: &str,
    known: impl ExactSizeIterator<Item = &'a str> + Clone,
) -> String {
    let guess = match nearest(name, known.clone()) {
        Some(nearest) => format!(", did you mean `{nearest}`?"),
        None => String::new(),
    };
    match known.len() {
        0 => format!("is an unknown {what}; none is expected"),
        _ => format!(
            "is an unknown {what}{guess}; known are {}",
            list_names(known)
        ),
    }
}

fn is_within(rules: &NumberRules, number: Decimal) -> bool {
    let compared = |bound: &Bound| number.compare(bound.decimal);
    let minimum = rules.minimum.as_ref().map(compared);
    let maximum = rules.maximum.as_ref().map(compared);
    let above = rules.above.as_ref().map(compared);
    let below = rules.below.as_ref().map(compared);
    minimum != Some(Ordering::Less)
        && maximum != Some(Ordering::Greater)
        && above.is_none_or(|order| order == Ordering::Greater)
        && below.is_none_or(|order| order == Ordering::Less)
        && rules
            .step
            .as_ref()
            .is_none_or(|step| number.is_multiple_of(step.decimal))
}
