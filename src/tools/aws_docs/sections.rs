//! `read_sections`: the parts of a page under certain headings, as a page of their own.

use std::collections::BTreeMap;

use crate::html::{Document, NodeId, Selector, TooMuchWork, space};

use super::arguments::Arguments;
use super::budget::Budget;
use super::page::{self, Unreadable};
use super::read::Page;
use super::{Answer, AwsDocs, Failure, address, output};

/// Nodes that the sections may come to, copies included: a heading in a section in a section makes many.
const NODES_MAX: usize = 2_000_000;

impl AwsDocs {
    /// Reads some sections of a page, in the order of the page.
    pub(super) async fn read_sections(&self, arguments: &mut Arguments) -> Answer {
        let url = arguments.text("url");
        let titles = arguments.list("section_titles");
        arguments.finish()?;
        self.checked(&url)?;
        if titles.is_empty() {
            return Err(Failure::new("section_titles parameter cannot be empty").into());
        }
        let encoded: Vec<String> = titles
            .iter()
            .map(|title| address::encode(space::trim(title), ""))
            .collect();
        let page = self.page(&url, &[("sections", &encoded.join(","))]).await?;
        if !page.is_html {
            let text = "Cannot extract sections from non-HTML content. Please use the read_documentation tool instead to get the \
                        full document content.";
            return Err(page.failure(text).into());
        }
        if page.text.is_empty() {
            // Not a failure for the reference either.
            return Ok(page.answer("No content or section titles provided"));
        }
        let markdown = self.sections_of(&page, &titles)?;
        Ok(page.answer(&output::shorten_tables(&markdown, &page.served)))
    }

    fn sections_of(&self, page: &Page, titles: &[String]) -> Result<String, Failure> {
        let unreadable = |reason: Unreadable| self.unreadable(page, &reason.to_string());
        let mut document = Document::parse(&page.text);
        if !page::has_text(&document) {
            return Err(unreadable(Unreadable::NoText));
        }
        let sections = Sections::find(&document, titles)
            .map_err(|error| unreadable(Unreadable::TooMuchWork(error)))?;
        if sections.nodes.is_empty() {
            return Err(page.failure(&nothing_found(titles, &sections.available)));
        }
        if !document.keep_copies(&sections.nodes, NODES_MAX) {
            return Err(unreadable(Unreadable::TooMuchWork(TooMuchWork)));
        }
        if !sections.missing.is_empty() {
            // As markup, since it becomes part of the page: a container in a section replaces it too.
            document.parse_more(&format!(
                "\n\n<blockquote><strong>Note</strong>: The following requested sections were not found: {}</blockquote>",
                quoted(&sections.missing)
            ));
        }
        page::article(&mut document).map_err(unreadable)
    }
}

struct Sections<'a> {
    /// Headings and what follows them.
    nodes: Vec<NodeId>,
    /// All headings of the page.
    available: Vec<String>,
    /// Titles without a heading, as they were asked for.
    missing: Vec<&'a str>,
}

impl<'a> Sections<'a> {
    fn find(document: &Document, titles: &'a [String]) -> Result<Sections<'a>, TooMuchWork> {
        let mut budget = Budget::new();
        let normal = |text: &str| space::collapse(text).to_lowercase();
        // Of titles that are equal but for their spelling the last one counts as found.
        let mut wanted: BTreeMap<String, (&str, bool)> = BTreeMap::new();
        for title in titles {
            wanted.insert(normal(title), (space::trim(title), false));
        }
        let mut sections = Sections {
            nodes: Vec::new(),
            available: Vec::new(),
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
