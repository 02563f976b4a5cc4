//! The tables of a page as columns and rows, for `search_table`.
//!
//! In scope: which tables a page or a section has, under which headings, and what is in them. Not in scope: how a page came here, and
//! what the answer looks like. The rules are written down in the samples of `tests/fixtures/aws-docs/table-snippets.jsonl`.

mod cell;
mod grid;
mod matching;

pub use grid::{Grouping, Row, Table};
pub use matching::Query;

use crate::html::{Document, NodeId, TooMuchWork, space};

use super::budget::Budget;

/// What was found.
#[derive(Debug)]
pub enum Found {
    /// Tables that can be read; those that cannot are left out.
    Tables {
        /// In the order of the page.
        tables: Vec<Table>,
        /// The heading before the table with the most rows; not for a section that was asked for.
        section: Option<String>,
    },
    /// There is none, or none that can be read.
    None,
    /// The section that was asked for is no help.
    BadSection {
        /// Why.
        problem: SectionProblem,
        /// The headings that can be asked for.
        available: Vec<String>,
    },
}

/// Why there is nothing to search in a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionProblem {
    /// It has tables, but none that can be read.
    NothingReadable,
    /// It has no table.
    NoTable,
    /// The page has no such heading.
    NotFound,
}

/// The tables of the whole page, or of one section; others get their turns meanwhile.
pub async fn find(document: &Document, section: Option<&str>) -> Result<Found, TooMuchWork> {
    find_within(document, section, Budget::new()).await
}

/// The same for what it may cost.
pub(super) async fn find_within(
    document: &Document,
    section: Option<&str>,
    mut budget: Budget,
) -> Result<Found, TooMuchWork> {
    match section {
        None => find_all(document, &mut budget).await,
        Some(title) => find_in_section(document, title, &mut budget).await,
    }
}

async fn find_all(document: &Document, budget: &mut Budget) -> Result<Found, TooMuchWork> {
    let mut tables = Vec::new();
    let mut section = None;
    let mut rows_most = 0;
    // The headings last met: of any level, and of the three that name sections.
    let (mut heading, mut section_heading) = (None, None);
    for id in document.descendants(document.root()) {
        budget.spend(1)?;
        if let Some(level) = heading_level(document, id) {
            if level <= SECTION_LEVEL_MAX {
                section_heading = Some(id);
            }
            if !is_in_note(document, id, budget)? {
                heading = Some(id);
            }
        }
        if !document.is(id, "table") {
            continue;
        }
        let rows = budget.select(document, id, "tr")?.len();
        let heading = heading
            .map(|heading| budget.line(document, heading))
            .transpose()?;
        if let Some(table) = grid::read(document, id, heading, budget).await? {
            tables.push(table);
        }
        if rows > rows_most {
            rows_most = rows;
            section = section_heading
                .map(|heading| budget.line(document, heading))
                .transpose()?;
        }
    }
    Ok(match tables.is_empty() {
        true => Found::None,
        false => Found::Tables { tables, section },
    })
}

/// Headings below this level name no sections.
const SECTION_LEVEL_MAX: u8 = 3;

async fn find_in_section(
    document: &Document,
    title: &str,
    budget: &mut Budget,
) -> Result<Found, TooMuchWork> {
    let wanted = space::collapse(title).to_lowercase();
    let mut available = Vec::new();
    let mut start = None;
    for id in document.descendants(document.root()) {
        budget.spend(1)?;
        let Some(level) = heading_level(document, id).filter(|level| *level <= SECTION_LEVEL_MAX)
        else {
            continue;
        };
        let text = budget.line(document, id)?;
        if text.to_lowercase() == wanted {
            // Of several the last one counts.
            start = Some((id, level));
        }
        available.push(text);
    }
    let Some((start, level)) = start else {
        let problem = SectionProblem::NotFound;
        return Ok(Found::BadSection { problem, available });
    };
    let mut heading = None;
    let mut seen = 0_usize;
    let mut tables = Vec::new();
    for id in document.following(start) {
        budget.spend(1)?;
        if let Some(found) = heading_level(document, id) {
            if found <= level {
                break;
            }
            heading = Some(budget.line(document, id)?);
            continue;
        }
        let inside: Vec<NodeId> = match document.is(id, "table") {
            true => vec![id],
            false => budget.select(document, id, "table")?,
        };
        for table in inside {
            seen = seen.saturating_add(1);
            tables.extend(grid::read(document, table, heading.clone(), budget).await?);
        }
    }
    let problem = match (seen, tables.len()) {
        (0, _) => SectionProblem::NoTable,
        (_, 0) => SectionProblem::NothingReadable,
        _ => {
            return Ok(Found::Tables {
                tables,
                section: None,
            });
        }
    };
    Ok(Found::BadSection { problem, available })
}

/// The level of `h1` to `h6`.
fn heading_level(document: &Document, id: NodeId) -> Option<u8> {
    match document.name(id)?.as_bytes() {
        [b'h', digit @ b'1'..=b'6'] => Some(digit.wrapping_sub(b'0')),
        _ => None,
    }
}

/// Whether a heading is that of a note rather than of a part of the page.
fn is_in_note(document: &Document, id: NodeId, budget: &mut Budget) -> Result<bool, TooMuchWork> {
    for around in document.ancestors(id) {
        budget.spend(1)?;
        if document.has_class(around, "awsdocs-note")
            || document.has_class(around, "awsdocs-note-title")
        {
            return Ok(true);
        }
    }
    Ok(false)
}
