//! HTML pages as trees, and trees as Markdown.
//!
//! In scope: reading pages as they are found, with unclosed, crossed and invented tags; looking for elements; taking parts out; writing
//! Markdown; the text of an element. Not in scope: how a page came here and which part of it matters, nor the rules of browsers: no end
//! tag is implied and nothing is moved, so that `<p>a<p>b` nests. That is how the tolerant parsers of scripting languages read, whose
//! answers people are used to.
//!
//! Nothing here fails on any input and nothing recurses: depth costs memory in proportion to the page, never stack.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod entities;
mod parse;
mod reference;
mod select;
mod tokens;
mod tree;

pub mod markdown;
pub mod space;

pub use markdown::{Conversion, TooMuchWork, to_markdown};
pub use parse::{Parsing, Source};
pub use select::Selector;
pub use tree::{Document, NodeId, Step};

/// For fuzzing: whatever the page, reading it, taking things out and writing it ends, within bounds.
#[doc(hidden)]
pub fn fuzz_html(page: &str) {
    let mut document = Document::parse(page);
    let text = document.text(document.root());
    // An entity of five bytes may stand for six; U+FFFD takes the place of one byte.
    assert!(text.len() <= page.len().saturating_mul(3));
    let links: Vec<NodeId> = document
        .select(document.root(), &Selector::Tag("a"))
        .collect();
    for link in links {
        document.unwrap(link);
    }
    if let Some(table) = document.find(document.root(), &Selector::Tag("table")) {
        document.remove(table);
    }
    document.merge_texts();
    let _ = to_markdown(&document);
    if let Some(main) = document.find(document.root(), &Selector::Tag("main")) {
        document.keep(main);
        let _ = to_markdown(&document);
    }
}

#[cfg(test)]
mod tests;
