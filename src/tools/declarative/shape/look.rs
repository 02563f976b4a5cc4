//! How chosen values look: `drop_empty`, `map`, `time`, `trim`, `round`, `points`.
//!
//! What does not fit a rule (a text where a number should be) stays as it is: a service that changes
//! its answer should cost a prettier value, not the value.

use serde_json::{Map, Number, Value};

use super::compile::{Compiler, Operand};
use super::condition::text;
use super::path::Path;
use super::scalar::Scalar;
use super::spec::{PointsSpec, ResponseSpec, TimeUnit, TrimSpec};
use crate::sorted::SortedMap;
use crate::tools::declarative::decode::rfc3339;

/// All of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    drop_empty: bool,
    maps: Vec<(Path, SortedMap<String, Scalar>)>,
    times: Vec<(Path, TimeUnit)>,
    trims: Vec<(Path, TrimSpec)>,
    rounds: Vec<(Path, usize)>,
    points: Option<(Path, Operand)>,
}

/// What thinning did, for the note.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Thinned {
    /// Lists that were thinned.
    pub lists: usize,
    /// The longest of them, before.
    pub longest: usize,
    /// Elements each has now.
    pub max: usize,
}

impl Look {
    pub(super) fn compile(compiler: &mut Compiler<'_>, spec: &ResponseSpec) -> Look {
        let mut look = Look {
            drop_empty: spec.drop_empty.unwrap_or(!spec.pick.is_empty()),
            ..Look::default()
        };
        for (path, texts) in &spec.map {
            let texts = texts
                .iter()
                .map(|(from, to)| (from.get_ref().clone(), to.clone()));
            if let Some(path) = compiler.place("map", path) {
                look.maps.push((path, texts.collect()));
            }
        }
        for (path, unit) in &spec.time {
            look.times
                .extend(compiler.place("time", path).map(|path| (path, *unit)));
        }
        for (path, trim) in &spec.trim {
            if *trim == TrimSpec::default() {
                let text = "`trim`: nothing to trim: write `prefix`, `suffix`, `until`, `chars` or `excerpt`";
                compiler.problem(path.span(), text);
            }
            look.trims.extend(
                compiler
                    .place("trim", path)
                    .map(|path| (path, trim.clone())),
            );
        }
        for (path, digits) in &spec.round {
            let place = compiler.place("round", path);
            match usize::try_from(*digits.get_ref()) {
                Ok(count @ 1..=15) => look.rounds.extend(place.map(|path| (path, count))),
                _ => {
                    let text = format!("`round`: found {digits} digits, expected 1 to 15");
                    compiler.problem(digits.span(), text);
                }
            }
        }
        if let Some(PointsSpec { path, max }) = &spec.points {
            let (path, max) = (compiler.place("points", path), compiler.count("max", max));
            look.points = path.zip(max);
        }
        look
    }

    /// How many elements a list may keep in this call.
    pub(super) fn points_max(&self, arguments: &Map<String, Value>) -> Option<usize> {
        self.points.as_ref()?.1.count(arguments)
    }

    /// Changes one value. `points_max` is asked once per call, not once per item.
    pub(super) fn apply(&self, item: &mut Value, points_max: Option<usize>, thinned: &mut Thinned) {
        // Thinned first: what is thrown away need not be rounded.
        if let (Some((path, _)), Some(max)) = (&self.points, points_max) {
            path.visit_mut(item, &mut |value| thin(value, max, thinned));
        }
        if self.drop_empty {
            drop_empty(item);
        }
        for (path, texts) in &self.maps {
            path.visit_mut(item, &mut |value| map(value, texts));
        }
        for (path, unit) in &self.times {
            path.visit_mut(item, &mut |value| time(value, *unit));
        }
        for (path, spec) in &self.trims {
            path.visit_mut(item, &mut |value| {
                if let Value::String(text) = value {
                    trim(text, spec);
                }
            });
        }
        for (path, digits) in &self.rounds {
            path.visit_mut(item, &mut |value| round(value, *digits));
        }
    }
}

/// Removes members that say nothing, the innermost first, so that what becomes empty goes as well.
fn drop_empty(value: &mut Value) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(drop_empty),
        Value::Object(members) => members.retain(|_, member| {
            drop_empty(member);
            !is_empty(member)
        }),
        _ => (),
    }
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        // Go's zero time: a field that was never set.
        Value::String(text) => text.is_empty() || text.starts_with("0001-01-01T"),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn map(value: &mut Value, texts: &SortedMap<String, Scalar>) {
    let Some(word) = text(value) else { return };
    if let Some(new) = texts.get(&*word).or_else(|| texts.get("*")) {
        *value = new.to_value();
    }
}

fn time(value: &mut Value, unit: TimeUnit) {
    let number = match &*value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let Some(number) = number else { return };
    let ms = match unit {
        TimeUnit::Ms => number,
        TimeUnit::Ns => number / 1e6,
        TimeUnit::Unix => number * 1e3,
    };
    if let Some(text) = rfc3339(ms) {
        *value = Value::String(text);
    }
}

fn trim(text: &mut String, spec: &TrimSpec) {
    let mut kept = text.as_str();
    if let Some(prefix) = &spec.prefix {
        kept = kept.strip_prefix(prefix.as_str()).unwrap_or(kept);
    }
    if let Some(suffix) = &spec.suffix {
        kept = kept.strip_suffix(suffix.as_str()).unwrap_or(kept);
    }
    if let Some(until) = &spec.until {
        kept = kept
            .split_once(until.as_str())
            .map_or(kept, |(before, _)| before);
    }
    if let Some(chars) = spec.chars {
        kept = first_chars(kept, chars);
    }
    let mut ellipsis = "";
    if let Some(chars) = spec.excerpt {
        let first = first_chars(kept, chars);
        if first.len() < kept.len() {
            (kept, ellipsis) = (first.trim_end(), "…");
        }
    }
    if kept.len() < text.len() {
        *text = [kept, ellipsis].concat();
    }
}

fn first_chars(text: &str, chars: usize) -> &str {
    match text.char_indices().nth(chars) {
        Some((at, _)) => text.get(..at).unwrap_or_default(),
        None => text,
    }
}

fn round(value: &mut Value, digits: usize) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let rounded = number.as_f64().and_then(|number| rounded(number, digits));
            // Through its text, so that a whole result reads `3`, not `3.0`.
            if let Some(number) = rounded.and_then(|text| text.parse::<Number>().ok()) {
                *value = Value::Number(number);
            }
        }
        Value::String(text) if text.contains('.') || text.contains(['e', 'E']) => {
            if let Some(rounded) = text.parse().ok().and_then(|number| rounded(number, digits)) {
                *text = rounded;
            }
        }
        _ => (),
    }
}

/// Rounds the fraction to so many significant digits. The integer part stays whole, because
/// 1234567 must not become 1230000. `None` for what is too large or too small to write out.
fn rounded(number: f64, digits: usize) -> Option<String> {
    let size = number.abs();
    if size == 0.0 || !(1e-9..1e15).contains(&size) {
        return None;
    }
    let mut leading = 0_usize;
    let mut power = 1.0;
    while power <= size {
        power *= 10.0;
        leading = leading.saturating_add(1);
    }
    let mut zeros = 0_usize;
    let mut tenth = 0.1;
    while size < tenth {
        tenth /= 10.0;
        zeros = zeros.saturating_add(1);
    }
    let decimals = digits.saturating_add(zeros).saturating_sub(leading);
    let text = format!("{number:.decimals$}");
    Some(match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    })
}

/// Keeps at most `max` elements, evenly, with the first and the last: trends stay visible.
fn thin(value: &mut Value, max: usize, thinned: &mut Thinned) {
    let Value::Array(elements) = value else {
        return;
    };
    let len = elements.len();
    if len <= max {
        return;
    }
    thinned.lists = thinned.lists.saturating_add(1);
    thinned.longest = thinned.longest.max(len);
    thinned.max = max;
    // The `kept`th of `max` stands at `kept * (len - 1) / (max - 1)`, a single one at the end, where the
    // newest is. In 64 bits: the product passes 32 for lists that fit into an answer.
    let (last, max) = (len.saturating_sub(1) as u64, max as u64);
    let (mut at, mut kept) = (0_u64, 0_u64);
    elements.retain(|_| {
        let next = match max {
            0 => u64::MAX,
            _ => kept
                .saturating_mul(last)
                .checked_div(max.saturating_sub(1))
                .unwrap_or(last),
        };
        let keep = at == next;
        at = at.saturating_add(1);
        kept = kept.saturating_add(u64::from(keep));
        keep
    });
}
