//! `pick`: the members a model gets to see, under names that say what they are.
//!
//! ```text
//! entry = [ name "=" ] path *( "|" path )        the first path that reaches something
//!       | { as, at, where, pick | format }       an object, or a text, for each element
//! ```
//!
//! Values are moved out of the item, not copied, unless another entry reaches the same place; that
//! is known when the pack is loaded.

use serde_json::{Map, Value};
use toml::Spanned;

use super::compile::Compiler;
use super::condition::{self, Condition};
use super::path::Path;
use super::spec::{NestedSpec, PickSpec};
use super::template::Template;

/// Picks within picks.
const DEPTH_MAX: usize = 8;

/// The entries of one `pick`.
#[derive(Clone, Debug, Default)]
pub(super) struct Pick {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    name: String,
    /// Tried in this order.
    paths: Vec<Path>,
    /// Whether nobody else reaches the same place.
    may_move: bool,
    nested: Option<Nested>,
}

#[derive(Clone, Debug)]
struct Nested {
    conditions: Vec<Condition>,
    make: Make,
}

#[derive(Clone, Debug)]
enum Make {
    Object(Pick),
    Text(Template),
}

impl Pick {
    pub(super) fn compile(compiler: &mut Compiler<'_>, specs: &[Spanned<PickSpec>]) -> Pick {
        compile(compiler, specs, DEPTH_MAX)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The object of the picked members. An item that is no object and has nothing to pick from
    /// passes as it is: a list of names may have a few objects in it, and the other way round.
    pub(super) fn apply(&self, mut item: Value, arguments: &Map<String, Value>) -> Value {
        let mut members = Map::new();
        for entry in &self.entries {
            if let Some(value) = entry.value(&mut item, arguments) {
                members.insert(entry.name.clone(), value);
            }
        }
        match members.is_empty() && !item.is_object() {
            true => item,
            false => Value::Object(members),
        }
    }
}

impl Entry {
    fn value(&self, item: &mut Value, arguments: &Map<String, Value>) -> Option<Value> {
        let mut empty = None;
        for path in &self.paths {
            let found = match self.may_move {
                true => path.take(item),
                false => path.copy(item),
            };
            match found {
                Some(Value::Array(elements)) if elements.is_empty() => {
                    empty = Some(Value::Array(elements))
                }
                Some(value) => return self.made_of(value, arguments),
                None => (),
            }
        }
        empty
    }

    /// None for a single value that `where` leaves out; of a list nothing may be left.
    fn made_of(&self, value: Value, arguments: &Map<String, Value>) -> Option<Value> {
        let Some(nested) = &self.nested else {
            return Some(value);
        };
        let conditions = condition::bind_all(&nested.conditions, arguments);
        let make = |element: Value| match &nested.make {
            Make::Object(pick) => pick.apply(element, arguments),
            Make::Text(template) => Value::String(template.render(&element, arguments)),
        };
        let holds = |element: &Value| condition::all_hold(&conditions, element);
        match value {
            Value::Array(elements) => Some(elements.into_iter().filter(holds).map(make).collect()),
            one => holds(&one).then(|| make(one)),
        }
    }
}

fn compile(compiler: &mut Compiler<'_>, specs: &[Spanned<PickSpec>], depth: usize) -> Pick {
    let mut entries: Vec<Entry> = Vec::new();
    for spec in specs {
        let entry = match spec.get_ref() {
            PickSpec::Nested(nested) => nested_entry(compiler, spec.span(), nested, depth),
            PickSpec::Text(text) => plain_entry(compiler, spec.span(), text),
        };
        let Some(entry) = entry else { continue };
        if entries.iter().any(|other| other.name == entry.name) {
            let name = &entry.name;
            compiler.problem(
                spec.span(),
                format!(
                    "`pick`: two members would be called `{name}`: rename one, `other = {name}`"
                ),
            );
            continue;
        }
        entries.push(entry);
    }
    let moves = |(at, entry): (usize, &Entry)| {
        let others = entries.iter().enumerate().filter(|(other, _)| *other != at);
        !others
            .flat_map(|(_, other)| &other.paths)
            .any(|theirs| entry.paths.iter().any(|ours| ours.overlaps(theirs)))
    };
    let may_move: Vec<bool> = entries.iter().enumerate().map(moves).collect();
    for (entry, may_move) in entries.iter_mut().zip(may_move) {
        entry.may_move = may_move;
    }
    Pick { entries }
}

fn plain_entry(
    compiler: &mut Compiler<'_>,
    span: std::ops::Range<usize>,
    text: &str,
) -> Option<Entry> {
    let (name, paths) = split_name(text);
    let found: Vec<Option<Path>> = paths
        .split('|')
        .map(|path| compiler.path_at("pick", span.clone(), path))
        .collect();
    let paths: Vec<Path> = found.into_iter().collect::<Option<_>>()?;
    let name = match name {
        Some(name) => name.to_owned(),
        None => paths
            .first()
            .and_then(Path::name)
            .unwrap_or_default()
            .to_owned(),
    };
    entry(compiler, span, name, paths, None)
}

fn nested_entry(
    compiler: &mut Compiler<'_>,
    span: std::ops::Range<usize>,
    spec: &NestedSpec,
    depth: usize,
) -> Option<Entry> {
    if depth == 0 {
        compiler.problem(
            span,
            format!("`pick`: entries stand more than {DEPTH_MAX} deep within each other"),
        );
        return None;
    }
    let Some(at) = &spec.at else {
        compiler.problem(
            span,
            "`pick`: a table needs `at`, the path of what it is made of",
        );
        return None;
    };
    let path = compiler.path("at", at);
    let conditions = condition::compile(compiler, &spec.conditions);
    let make = match (&spec.format, spec.pick.is_empty()) {
        (Some(format), true) => Make::Text(Template::compile_item(compiler, "format", format)?),
        (None, false) => Make::Object(compile(compiler, &spec.pick, depth.saturating_sub(1))),
        _ => {
            compiler.problem(
                span,
                "`pick`: a table needs exactly one of `pick` and `format`",
            );
            return None;
        }
    };
    let path = path?;
    let name = spec.name.clone().or_else(|| path.name().map(str::to_owned));
    entry(
        compiler,
        span,
        name.unwrap_or_default(),
        vec![path],
        Some(Nested { conditions, make }),
    )
}

fn entry(
    compiler: &mut Compiler<'_>,
    span: std::ops::Range<usize>,
    name: String,
    paths: Vec<Path>,
    nested: Option<Nested>,
) -> Option<Entry> {
    if name.is_empty() {
        compiler.problem(
            span,
            "`pick`: the path has no name in it: give one, `name = path`, or `as` in a table",
        );
        return None;
    }
    Some(Entry {
        name,
        paths,
        may_move: false,
        nested,
    })
}

/// `name = path` in two; an `=` within a quoted name of the path is part of it.
fn split_name(text: &str) -> (Option<&str>, &str) {
    match text.split_once('=') {
        Some((name, paths)) if !name.contains('[') => (Some(name.trim()), paths),
        _ => (None, text),
    }
}
