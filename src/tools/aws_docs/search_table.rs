//! `search_table`: rows of a page's tables that have all words of a query.

use std::rc::Rc;

use crate::mcp::json;
use crate::mcp::tool::ToolResult;

use super::arguments::Arguments;
use super::output::{text_or_null, texts_or_null};
use super::page::{self, Unreadable};
use super::read::{Page, object_answer};
use super::sections::quoted;
use super::tables::{self, Found, Query, Row, SectionProblem, Table};
use super::{Answer, AwsDocs, Failure, address};

/// Rows of one table, unless said otherwise, and at most.
const ROWS: u64 = 20;
const ROWS_MAX: u64 = 100;

/// Bytes of names and values in one answer. Each row repeats the names of all columns.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// The answer.
struct Response<'a> {
    url: &'a str,
    section_title: &'a str,
    query: &'a str,
    tables_searched: usize,
    tables_with_matches: usize,
    results: Vec<TableResult<'a>>,
    hint: Option<String>,
}

struct TableResult<'a> {
    table_heading: Option<&'a str>,
    columns: Vec<&'a str>,
    parent_columns: Option<Vec<&'a str>>,
    child_columns: Option<Vec<&'a str>>,
    total_rows: usize,
    matched_rows: usize,
    showing: usize,
    rows: Vec<&'a Row>,
}

impl AwsDocs {
    /// Finds rows.
    pub(super) async fn search_table(&self, arguments: &mut Arguments) -> Answer {
        let url = arguments.text("url");
        let query = arguments.text("query");
        let section = arguments
            .optional_text("section_title")
            .filter(|title| !title.is_empty());
        let rows_max = arguments.integer("max_rows", ROWS, 1, ROWS_MAX);
        arguments.finish()?;
        self.checked(&url)?;
        if crate::html::space::is_blank(&query) {
            return Err(Failure::new("query parameter cannot be empty").into());
        }
        let encoded = (
            address::encode(&query, ""),
            section.as_deref().map(|title| address::encode(title, "")),
        );
        let mut parameters = vec![("tool", "search_table"), ("query", encoded.0.as_str())];
        if let Some(section) = &encoded.1 {
            parameters.push(("section", section));
        }
        let page = self.page(&url, &parameters).await?;
        if !page.is_html {
            let text = "Page content is not HTML. Use read_documentation to view this page.";
            return Err(page.failure(text).into());
        }
        let found = self.tables_of(&page, section.as_deref()).await?;
        let section = section.unwrap_or_default();
        let response = Response {
            url: &page.served,
            section_title: &section,
            query: &query,
            tables_searched: 0,
            tables_with_matches: 0,
            results: Vec::new(),
            hint: None,
        };
        let (tables, detected) = match found {
            Found::Tables { tables, section } => (tables, section),
            Found::None => {
                return Ok(without_result(
                    response,
                    &page,
                    "No tables found on this page.",
                ));
            }
            Found::BadSection { problem, available } => {
                let text = section_hint(problem, &section, &available);
                return Ok(without_result(response, &page, &text));
            }
        };
        let rows_max = usize::try_from(rows_max).unwrap_or(usize::MAX);
        let query = Query::new(&query);
        let results: Vec<TableResult<'_>> = tables
            .iter()
            .filter_map(|table| result(table, &query, rows_max))
            .collect();
        let detected = detected.unwrap_or_else(|| "(all tables)".to_owned());
        let response = Response {
            section_title: if section.is_empty() {
                &detected
            } else {
                &section
            },
            tables_searched: tables.len(),
            ..response
        };
        if results.is_empty() {
            let text = "No rows matched all query words. Try fewer or broader terms, or check spelling. Each word must appear \
                        somewhere in the row.";
            return Ok(without_result(response, &page, text));
        }
        if bytes(&results) > ANSWER_BYTES_MAX {
            let text = "The rows found are too large to answer with. Use more words, or a smaller max_rows.";
            return Err(page.failure(text).into());
        }
        let response = Response {
            tables_with_matches: results.len(),
            results,
            hint: page.note.clone(),
            ..response
        };
        Ok(response.answer())
    }

    async fn tables_of(&self, page: &Page, section: Option<&str>) -> Result<Found, Failure> {
        let unreadable = |reason: Unreadable| self.unreadable(page, &reason.to_string());
        let document = page::read(&page.text).await;
        if !page::has_text(&document) {
            return Err(unreadable(Unreadable::NoText));
        }
        tables::find(&document, section)
            .await
            .map_err(|error| unreadable(Unreadable::TooMuchWork(error)))
    }
}

fn without_result(response: Response<'_>, page: &Page, hint: &str) -> ToolResult {
    let hint = match &page.note {
        Some(note) => format!("{note} {hint}"),
        None => hint.to_owned(),
    };
    let response = Response {
        hint: Some(hint),
        ..response
    };
    response.answer()
}

impl Response<'_> {
    fn answer(&self) -> ToolResult {
        let mut out = Vec::new();
        json::object(&mut out, |object| {
            object.string("url", self.url);
            object.string("section_title", self.section_title);
            object.string("query", self.query);
            size(object, "tables_searched", self.tables_searched);
            size(object, "tables_with_matches", self.tables_with_matches);
            object.array("results", |results| {
                for result in &self.results {
                    results.object(|object| result.write(object));
                }
            });
            text_or_null(object, "hint", self.hint.as_deref());
        });
        object_answer(out)
    }
}

impl TableResult<'_> {
    fn write(&self, object: &mut json::Object<'_>) {
        text_or_null(object, "table_heading", self.table_heading);
        object.strings("columns", &self.columns);
        texts_or_null(object, "parent_columns", self.parent_columns.as_deref());
        texts_or_null(object, "child_columns", self.child_columns.as_deref());
        size(object, "total_rows", self.total_rows);
        size(object, "matched_rows", self.matched_rows);
        size(object, "showing", self.showing);
        object.array("rows", |rows| {
            for row in &self.rows {
                row.write(rows.element());
            }
        });
    }
}

fn size(object: &mut json::Object<'_>, name: &str, size: usize) {
    object.unsigned(name, u64::try_from(size).unwrap_or(u64::MAX));
}

/// About how large an answer is.
fn bytes(results: &[TableResult<'_>]) -> usize {
    let fields = |row: &&Row| -> usize {
        let fields = row
            .values
            .iter()
            .chain(row.group.iter().flatten().flatten());
        fields
            .map(|(name, value)| name.len().saturating_add(value.len()))
            .sum()
    };
    results
        .iter()
        .flat_map(|result| &result.rows)
        .map(fields)
        .sum()
}

fn section_hint(problem: SectionProblem, title: &str, available: &[String]) -> String {
    let problem = match problem {
        SectionProblem::NothingReadable => {
            format!("No parseable table data in section \"{title}\"")
        }
        SectionProblem::NoTable => format!("No table found in section \"{title}\""),
        SectionProblem::NotFound => format!("Section \"{title}\" not found"),
    };
    format!("{problem}. Available sections: {}", quoted(available))
}

fn result<'a>(table: &'a Table, query: &Query, rows_max: usize) -> Option<TableResult<'a>> {
    let mut rows = query.filter(&table.rows);
    let matched_rows = rows.len();
    if matched_rows == 0 {
        return None;
    }
    rows.truncate(rows_max);
    let name = |name: &'a Rc<str>| -> &'a str { name };
    let named = |places: &'a Vec<usize>| {
        let columns = places.iter().filter_map(|at| table.columns.get(*at));
        columns.map(name).collect()
    };
    let grouping = table.grouping.as_ref();
    Some(TableResult {
        table_heading: table.heading.as_deref(),
        columns: table.columns.iter().map(name).collect(),
        parent_columns: grouping.map(|grouping| named(&grouping.parents)),
        child_columns: grouping.map(|grouping| named(&grouping.children)),
        total_rows: table.rows.len(),
        matched_rows,
        showing: rows.len(),
        rows,
    })
}
