//! Rows and cells of tables. A header line belongs under the first row; where that is no header, an empty one is put above it.

use super::super::space::trim;
use super::super::{Document, NodeId, Selector};
use super::Work;

/// The most columns one cell may claim.
const COLUMNS_MAX: usize = 1_000;
/// What a column takes in the two lines of a header.
const COLUMN_BYTES: usize = 9;

/// A cell with the bar behind it, and one more for each further column it spans.
pub(super) fn cell(document: &Document, id: NodeId, text: &str) -> String {
    let bars = " |".repeat(columns(document, id));
    format!(" {}{bars}", trim(text).replace('\n', " "))
}

fn columns(document: &Document, id: NodeId) -> usize {
    let span = document.attribute(id, "colspan").unwrap_or_default();
    if span.is_empty() || !span.bytes().all(|byte| byte.is_ascii_digit()) {
        return 1;
    }
    span.parse().unwrap_or(COLUMNS_MAX).clamp(1, COLUMNS_MAX)
}

/// A row of cells that came to `text`, with the header line that belongs to it.
pub(super) fn row(document: &Document, id: NodeId, text: &str, work: &mut Work) -> String {
    let shape = Shape::of(document, id, work);
    work.add(shape.columns.saturating_mul(COLUMN_BYTES));
    if work.is_too_much() {
        return String::new();
    }
    let mut out = String::with_capacity(text.len().saturating_add(2));
    let rule = |out: &mut String| {
        out.push_str("| ");
        out.push_str(&vec!["---"; shape.columns].join(" | "));
        out.push_str(" |\n");
    };
    let needs_header = shape.is_first && !shape.is_header && shape.may_need_header;
    if needs_header {
        out.push_str("| ");
        out.push_str(&vec![""; shape.columns].join(" | "));
        out.push_str(" |\n");
        rule(&mut out);
    }
    out.push('|');
    out.push_str(text);
    out.push('\n');
    if shape.is_first && shape.is_header {
        rule(&mut out);
    }
    out
}

struct Shape {
    /// All its cells together, those of tables inside included.
    columns: usize,
    /// No element stands before it.
    is_first: bool,
    is_header: bool,
    /// It is not in the body of a table that has a head.
    may_need_header: bool,
}

impl Shape {
    fn of(document: &Document, id: NodeId, work: &mut Work) -> Shape {
        let parent = document.parent(id).unwrap_or(document.root());
        let mut columns_all: usize = 0;
        let mut is_header = true;
        for node in document.descendants(id) {
            work.add(1);
            let is_head = document.is(node, "th");
            if is_head || document.is(node, "td") {
                columns_all = columns_all.saturating_add(columns(document, node));
                is_header &= is_head;
            }
        }
        let is_first = !has_element_before(document, id);
        if !is_header && document.is(parent, "thead") {
            is_header = document
                .select(parent, &Selector::Tag("tr"))
                .nth(1)
                .is_none();
        }
        // A head below the body heads nothing, if the body is the first thing in the table.
        let is_headed =
            is_first && document.is(parent, "tbody") && has_element_before(document, parent) && {
                let table = document.parent(parent).unwrap_or(parent);
                document.descendants(table).any(|node| {
                    work.add(1);
                    document.is(node, "thead")
                })
            };
        Shape {
            columns: columns_all,
            is_first,
            is_header,
            may_need_header: !is_headed,
        }
    }
}

fn has_element_before(document: &Document, id: NodeId) -> bool {
    let mut before = std::iter::successors(document.previous(id), |node| document.previous(*node));
    before.any(|node| document.is_element(node))
}
