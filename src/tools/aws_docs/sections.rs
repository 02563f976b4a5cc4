//! The parts of a page under certain headings, as a page of their own, for `read_sections`.

use crate::html::{Document, NodeId, Selector, TooMuchWork, space};
use crate::sorted::SortedMap;

use super::budget::Budget;
use super::page::{self, Unreadable};

/// Nodes that the sections may come to, copies included: a heading in a section in a section makes many.
const NODES_MAX: usize = 500_000;

/// Why there are no sections.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The page has none of them; what to do.
    All(String),
    /// The page cannot be read.
    Page(Unreadable),
}

impl From<TooMuchWork> for Missing {
    fn from(error: TooMuchWork) -> Missing {
        Missing::Page(Unreadable::TooMuchWork(error))
    }
}

/// Makes certain sections the whole page, in the order they have on it, with a note on those that it does not have.
pub(super) fn keep(document: &mut Document, titles: &[String]) -> Result<(), Missing> {
    if !page::has_text(document) {
        return Err(Missing::Page(Unreadable::NoText));
    }
    let sections = Sections::find(document, titles)?;
    if sections.nodes.is_empty() {
        return Err(Missing::All(nothing_found(titles, &sections.available)));
    }
    if !document.keep_copies(&sections.nodes, NODES_MAX) {
        return Err(TooMuchWork.into());
    }
    // Asked for twice, a section is missing once, though the list of the missing is empty then.
    if sections.found < titles.len() {
        // As markup, since it becomes part of the page: a container in a section replaces it too.
        document.parse_more(&format!(
            "\n\n<blockquote><strong>Note</strong>: The following requested sections were not found: {}</blockquote>",
            quoted(&sections.missing)
        ));
    }
    Ok(())
}

struct Sections<'a> {
    /// Headings and what follows them.
    nodes: Vec<NodeId>,
    /// All headings of the page.
    available: Vec<String>,
    /// How many different titles have one.
    found: usize,
    /// Titles without a heading, as they were asked for.
    missing: Vec<&'a str>,
}

impl<'a> Sections<'a> {
    fn find(document: &Document, titles: &'a [String]) -> Result<Sections<'a>, TooMuchWork> {
        let mut budget = Budget::new();
        let normal = |text: &str| space::collapse(text).to_lowercase();
        // Of titles that are equal but for their spelling the last one counts as found.
        let wanted = |title: &'a String| (normal(title), (space::trim(title), false));
        let mut wanted = SortedMap::of(titles.iter().map(wanted).collect());
        let mut sections = Sections {
            nodes: Vec::new(),
            available: Vec::new(),
            found: 0,
            missing: Vec::new(),
        };
        for heading in document.select(document.root(), &Selector::Tag("h2")) {
            let text = budget.line(document, heading)?;
            if let Some((_, is_found)) = wanted.get_mut(&text.to_lowercase()) {
                *is_found = true;
                sections.nodes.push(heading);
                let is_end = |id: &NodeId| document.is(*id, "h1") || document.is(*id, "h2");
                // Text between the elements is lost.
                let elements = document
                    .following(heading)
                    .filter(|id| document.is_element(*id));
                sections.nodes.extend(elements.take_while(|id| !is_end(id)));
            }
            sections.available.push(text);
        }
        let is_found = |title: &&str| {
            wanted
                .values()
                .any(|(spelling, is_found)| *is_found && spelling == title)
        };
        sections.found = wanted.values().filter(|(_, is_found)| *is_found).count();
        let trimmed = titles.iter().map(|title| space::trim(title));
        sections.missing = trimmed.filter(|title| !is_found(title)).collect();
        Ok(sections)
    }
}

fn nothing_found(titles: &[String], available: &[String]) -> String {
    if available.is_empty() {
        return "This document does not contain subsections. Please use the read_documentation tool instead to get the full document \
                content."
            .to_owned();
    }
    format!(
        "No matching sections were found: {}. Available sections: {}. Please retry with one or more of these sections or use the \
         read_documentation tool instead to get the full document content.",
        quoted(titles),
        quoted(available)
    )
}

/// Each in quotation marks, with commas between.
pub(super) fn quoted<T: AsRef<str>>(texts: &[T]) -> String {
    let quoted: Vec<String> = texts
        .iter()
        .map(|text| format!("\"{}\"", text.as_ref()))
        .collect();
    quoted.join(", ")
}
