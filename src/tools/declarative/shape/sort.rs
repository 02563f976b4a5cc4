//! `sort`: the order of items.

use std::cmp::Ordering;

use serde_json::Value;
use toml::Spanned;

use super::compile::Compiler;
use super::condition::text;
use super::path::Path;
use super::scalar::Texts;

/// What items are ordered by.
#[derive(Clone, Debug, Default)]
pub(super) struct Sort {
    keys: Vec<(Path, Direction)>,
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Ascending,
    Descending,
}

/// What one item is compared by. Numbers stand before text.
#[derive(PartialEq)]
enum Key {
    Number(f64),
    Text(String),
    /// Last in either direction: what has no time is not the newest.
    Missing,
}

impl Sort {
    pub(super) fn compile(compiler: &mut Compiler<'_>, texts: &Spanned<Texts>) -> Sort {
        let mut sort = Sort::default();
        for written in &texts.get_ref().0 {
            let (text, direction) = match written.strip_prefix('-') {
                Some(text) => (text, Direction::Descending),
                None => (written.as_str(), Direction::Ascending),
            };
            if let Some(path) = compiler.path_at("sort", texts.span(), text) {
                sort.keys.push((path, direction));
            }
        }
        if texts.get_ref().0.is_empty() {
            compiler.problem(
                texts.span(),
                "`sort`: an empty list sorts by nothing: name a path",
            );
        }
        sort
    }

    /// Sorts; items that compare equal keep their order. Each item's keys are read once.
    pub(super) fn apply(&self, items: Vec<Value>) -> Vec<Value> {
        if self.keys.is_empty() {
            return items;
        }
        let keys = |item: &Value| -> Vec<Key> {
            self.keys.iter().map(|(path, _)| key(path, item)).collect()
        };
        let mut keyed: Vec<(Vec<Key>, Value)> =
            items.into_iter().map(|item| (keys(&item), item)).collect();
        keyed.sort_by(|(a, _), (b, _)| {
            let each = a.iter().zip(b).zip(&self.keys);
            each.map(|((a, b), (_, direction))| compare(a, b, *direction))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        keyed.into_iter().map(|(_, item)| item).collect()
    }
}

/// The first thing the path reaches.
fn key(path: &Path, item: &Value) -> Key {
    let mut found = Key::Missing;
    path.visit(item, &mut |value| {
        if found == Key::Missing
            && let Some(text) = text(value)
        {
            found = match number(&text) {
                Some(number) => Key::Number(number),
                None => Key::Text(text.to_ascii_lowercase()),
            };
        }
    });
    found
}

/// A text that is a number; not `inf` and `nan`, which are words.
fn number(text: &str) -> Option<f64> {
    let starts_like_one =
        text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    let number: f64 = text.parse().ok().filter(|_| starts_like_one)?;
    number.is_finite().then_some(number)
}

fn compare(a: &Key, b: &Key, direction: Direction) -> Ordering {
    let order = match (a, b) {
        (Key::Missing, Key::Missing) => return Ordering::Equal,
        (Key::Missing, _) => return Ordering::Greater,
        (_, Key::Missing) => return Ordering::Less,
        (Key::Number(a), Key::Number(b)) => a.total_cmp(b),
        (Key::Number(_), Key::Text(_)) => Ordering::Less,
        (Key::Text(_), Key::Number(_)) => Ordering::Greater,
        (Key::Text(a), Key::Text(b)) => a.cmp(b),
    };
    match direction {
        Direction::Ascending => order,
        Direction::Descending => order.reverse(),
    }
}
