//! The pipeline: from the bytes of an answer to what a model reads.
//!
//! ```text
//! decode → at (+ beside, total) → each → entries → lines        what the items are
//!        → where → sort → limit                                 which items
//!        → redact → drop → pick                                 which members
//!        → points → drop_empty → map → time → trim → round      how they look
//!        → text | JSON → max_output
//! ```
//! The order is fixed, whatever the order in the file: up to `pick` paths use the service's names, behind it those that
//! `pick` made. [`ResponseSpec`] is what a pack writes, [`Response`] what runs; in between stands
//! [`ResponseSpec::compile`], which finds everything that can be wrong.
//!
//! In scope: values. Not in scope: requests, statuses, pages; the engine brings pages together and hands the list to
//! [`Response::document`].
//!
//! Work is linear in the size of the answer, but for sorting. Values are moved, not copied. Recursion follows the
//! nesting of the JSON text, which the reader limits to 128.

mod compile;
mod condition;
pub mod keys;
mod load;
mod look;
mod path;
mod pick;
mod redact;
pub mod reference;
pub mod scalar;
mod sort;
pub mod spec;
mod template;

#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Map, Value};

use super::decode::{self, Decode, DecodeError};
use super::output::{self, OutputLimits};
use crate::mcp::tool::ToolResult;
use crate::sorted::SortedSet;
pub use compile::SpecProblem;
use compile::{Operand, is_set};
use condition::Condition;
use look::{Look, Thinned, is_empty};
pub use path::{Path, STEPS_MAX, fuzz_path};
use pick::Pick;
pub use redact::MASK;
use redact::Redact;
use sort::Sort;
pub use spec::{Keep, ResponseSpec};
use template::Template;

/// Bytes a model gets to see, unless a pack says otherwise.
pub const MAX_OUTPUT: usize = 32 << 10;

/// A response as it runs.
#[derive(Clone, Debug)]
pub struct Response {
    /// How bytes become a value.
    pub decode: Decode,
    /// Bytes to read of an answer at most; `None` if the pack leaves it to the service.
    pub max_response: Option<usize>,
    at: Vec<String>,
    /// Members beside the result, with where they are found; sorted.
    beside: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    total: Option<String>,
    each: Option<Path>,
    entries: Option<String>,
    lines: bool,
    is_list: bool,
    conditions: Vec<Condition>,
    sort: Sort,
    limit: Option<Operand>,
    redact: Redact,
    drop: Vec<Path>,
    pick: Pick,
    full: Option<String>,
    look: Look,
    text: Option<Template>,
    output: OutputLimits,
    arguments: SortedSet<String>,
}

/// A decoded answer with its payload found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    payload: Payload,
    beside: Map<String, Value>,
    total: Option<u64>,
    notes: Vec<String>,
}

/// One value, or the items of a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Payload {
    Items(Vec<Value>),
    One(Value),
}

impl Default for Payload {
    fn default() -> Payload {
        Payload::One(Value::Null)
    }
}

/// What the pipeline made of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Shaped {
    pub(super) payload: Payload,
    pub(super) beside: Map<String, Value>,
    /// Of a list: how many items there were before `limit`.
    pub(super) total: u64,
    pub(super) notes: Vec<String>,
}

/// Why an answer could not be shaped.
#[derive(Debug)]
pub enum ResponseError {
    /// The bytes are not what they should be.
    Decode(DecodeError),
    /// None of the pointers of `at` leads anywhere.
    Missing {
        /// The pointers.
        at: Vec<String>,
    },
    /// `lines` needs a text.
    NotText,
}

impl fmt::Display for ResponseError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResponseError::Decode(error) => error.fmt(out),
            ResponseError::Missing { at } => {
                write!(
                    out,
                    "the answer has nothing at `{}`: the service may be of another version",
                    at.join("` or `")
                )
            }
            ResponseError::NotText => out.write_str("the answer holds no text to take lines from"),
        }
    }
}

impl std::error::Error for ResponseError {}

impl From<DecodeError> for ResponseError {
    fn from(error: DecodeError) -> ResponseError {
        ResponseError::Decode(error)
    }
}

impl Response {
    /// The arguments it uses.
    pub fn arguments(&self) -> &SortedSet<String> {
        &self.arguments
    }

    /// The headers it wants beside the result, as member and header name: for [`Document::put_beside`].
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .map(|(member, header)| (member.as_str(), header.as_str()))
    }

    /// Everything: bytes to result.
    pub fn answer(
        &self,
        body: &[u8],
        content_type: Option<&str>,
        arguments: &Map<String, Value>,
    ) -> Result<ToolResult, ResponseError> {
        let document = self.read(body, content_type)?;
        Ok(self.render(self.shape(document, arguments), arguments))
    }

    /// Decodes and finds the payload.
    pub fn read(&self, body: &[u8], content_type: Option<&str>) -> Result<Document, ResponseError> {
        let decoded = decode::decode(self.decode, body, content_type)?;
        let mut document = self.document(decoded.value)?;
        document.notes.extend(decoded.note);
        Ok(document)
    }

    /// Finds the payload of a value that is decoded already, such as the items of all pages.
    pub fn document(&self, mut value: Value) -> Result<Document, ResponseError> {
        let mut beside = Map::new();
        for (name, pointer) in &self.beside {
            if let Some(found) = value.pointer(pointer).filter(|found| !is_empty(found)) {
                beside.insert(name.clone(), found.clone());
            }
        }
        let total = self
            .total
            .as_ref()
            .and_then(|pointer| value.pointer(pointer)?.as_u64());
        let at_root = self.at.is_empty() || value.is_null();
        if !at_root {
            let found = self
                .at
                .iter()
                .find_map(|pointer| value.pointer_mut(pointer).map(Value::take));
            value = found.ok_or_else(|| ResponseError::Missing {
                at: self.at.clone(),
            })?;
        }
        Ok(Document {
            payload: self.payload(value)?,
            beside,
            total,
            notes: Vec::new(),
        })
    }

    fn payload(&self, mut value: Value) -> Result<Payload, ResponseError> {
        if let Some(each) = &self.each {
            return Ok(Payload::Items(each.flatten(value)));
        }
        if let (Some(name), Value::Object(members)) = (&self.entries, &mut value) {
            let members = std::mem::take(members);
            let rows = members
                .into_iter()
                .map(|(key, value)| row(name, key, value));
            return Ok(Payload::Items(rows.collect()));
        }
        if self.lines {
            return match value {
                Value::Null => Ok(Payload::Items(Vec::new())),
                Value::String(text) => {
                    let lines = text.lines().filter(|line| !line.is_empty());
                    Ok(Payload::Items(lines.map(Value::from).collect()))
                }
                _ => Err(ResponseError::NotText),
            };
        }
        Ok(match (value, self.is_list) {
            (Value::Array(items), _) => Payload::Items(items),
            (Value::Null, true) => Payload::Items(Vec::new()),
            (one, true) => Payload::Items(vec![one]),
            (one, false) => Payload::One(one),
        })
    }

    /// Chooses and arranges.
    pub fn shape(&self, document: Document, arguments: &Map<String, Value>) -> Shaped {
        let Document {
            mut payload,
            mut beside,
            total,
            mut notes,
        } = document;
        // Nothing but what stands beside it: then that is the result, and may be made readable like any other.
        if payload == Payload::One(Value::Null) && !beside.is_empty() {
            payload = Payload::One(Value::Object(std::mem::take(&mut beside)));
        }
        let mut thinned = Thinned::default();
        let full = self
            .full
            .as_ref()
            .is_some_and(|full| is_set(arguments, full));
        let points_max = self.look.points_max(arguments);
        let mut finish = |mut item: Value| {
            self.redact.apply(&mut item);
            if full {
                return item;
            }
            for path in &self.drop {
                path.remove(&mut item);
            }
            if !self.pick.is_empty() {
                item = self.pick.apply(item, arguments);
            }
            self.look.apply(&mut item, points_max, &mut thinned);
            item
        };
        let (payload, total) = match payload {
            Payload::One(value) => (Payload::One(finish(value)), 1),
            Payload::Items(mut items) => {
                let conditions = condition::bind_all(&self.conditions, arguments);
                if !conditions.is_empty() {
                    items.retain(|item| condition::all_hold(&conditions, item));
                }
                let found = items.len() as u64;
                // The service counts what it was asked for, not what conditions left of it.
                let total = total.filter(|_| conditions.is_empty());
                let mut items = self.sort.apply(items);
                if let Some(limit) = self.limit.as_ref().and_then(|limit| limit.count(arguments)) {
                    items.truncate(limit);
                }
                let items = items.into_iter().map(&mut finish).collect();
                (Payload::Items(items), total.unwrap_or(0).max(found))
            }
        };
        if thinned.lists > 0 {
            let Thinned { longest, max, .. } = thinned;
            notes.push(format!(
                "lists of up to {longest} elements are thinned to {max}"
            ));
        }
        let mut beside = Value::Object(beside);
        self.redact.apply(&mut beside);
        Shaped {
            payload,
            beside: match beside {
                Value::Object(members) => members,
                _ => Map::new(),
            },
            total,
            notes,
        }
    }

    /// Writes the result.
    pub fn render(&self, shaped: Shaped, arguments: &Map<String, Value>) -> ToolResult {
        if let Some(template) = &self.text {
            let notes = shaped.notes.clone();
            let text = template.render(&shaped.into_value(), arguments);
            return output::text(text, notes, &self.output);
        }
        output::render(shaped, &self.output)
    }
}

/// An object's member as a row of a list.
fn row(name: &str, key: String, value: Value) -> Value {
    let mut row = match value {
        Value::Object(members) => members,
        other => Map::from_iter([("value".to_owned(), other)]),
    };
    row.insert(name.to_owned(), Value::String(key));
    Value::Object(row)
}

impl Document {
    /// Adds another page. What stands beside the items is the first page's, unless it had none.
    pub fn append(&mut self, next: Document) {
        let payload = std::mem::take(&mut self.payload);
        let mut items = payload.into_items();
        items.extend(next.payload.into_items());
        self.payload = Payload::Items(items);
        self.total = self.total.max(next.total);
        for (name, value) in next.beside {
            self.beside.entry(name).or_insert(value);
        }
        for note in next.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }

    /// Puts something beside the result, such as a header's text; what is there already stays.
    pub fn put_beside(&mut self, member: &str, value: Value) {
        if !is_empty(&value) {
            self.beside.entry(member).or_insert(value);
        }
    }

    /// Sets the service's own count of all items, for a service that tells it in a header.
    pub fn set_total(&mut self, total: u64) {
        self.total = Some(total);
    }

    /// Leaves the first `len` items of a list; the others are still counted.
    pub fn truncate(&mut self, len: usize) {
        if let Payload::Items(items) = &mut self.payload
            && items.len() > len
        {
            self.total = self.total.max(Some(items.len() as u64));
            items.truncate(len);
        }
    }

    /// How many items it has; `None` if it is no list.
    pub fn items_len(&self) -> Option<usize> {
        match &self.payload {
            Payload::Items(items) => Some(items.len()),
            Payload::One(_) => None,
        }
    }

    /// The service's own count of all items, from `total`.
    pub fn total(&self) -> Option<u64> {
        self.total
    }
}

impl Payload {
    fn into_items(self) -> Vec<Value> {
        match self {
            Payload::Items(items) => items,
            Payload::One(Value::Null) => Vec::new(),
            Payload::One(value) => vec![value],
        }
    }
}

impl Shaped {
    /// Something a reader of the result has to know, as a clause: `only the first 10 pages were read`.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// The value alone.
    pub fn into_value(self) -> Value {
        match self.payload {
            Payload::Items(items) => Value::Array(items),
            Payload::One(value) => value,
        }
    }
}
