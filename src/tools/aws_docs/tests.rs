//! The samples of `tests/fixtures/aws-docs` that are about HTML alone: what the reference makes of them, byte for byte.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::budget::Budget;
use super::page::{Unreadable, article};
use super::tables::{self, Found, Query, Row, SectionProblem, Table};
use super::{Memory, Search, uuid};
use crate::html::Document;
use crate::rt;

fn samples(name: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/aws-docs");
    let text = fs::read_to_string(folder.join(name)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn pages_become_markdown() {
    let samples = samples("markdown-snippets.jsonl");
    assert_eq!(samples.len(), 300);
    for sample in samples {
        let html = sample["html"].as_str().unwrap();
        let markdown = rt::run(article(&mut Document::parse(html)));
        match sample["markdown"].as_str() {
            Some(expected) => assert_eq!(markdown.as_deref(), Ok(expected), "{html}"),
            None => {
                assert_eq!(markdown, Err(Unreadable::Nothing), "{html}");
                assert_eq!(sample["error"], Unreadable::Nothing.to_string());
            }
        }
    }
}

#[test]
fn tables_become_rows() {
    let samples = samples("table-snippets.jsonl");
    assert_eq!(samples.len(), 150);
    for sample in samples {
        let html = sample["html"].as_str().unwrap();
        let document = Document::parse(html);
        let section = sample["section"].as_str();
        let found = rt::run(tables::find(&document, section)).unwrap();
        assert_eq!(parsed(&found, section), sample["parsed"], "{html}");
        let Found::Tables { tables, .. } = found else {
            continue;
        };
        let query = Query::new(sample["query"].as_str().unwrap());
        let matches: Vec<_> = tables
            .iter()
            .map(|table| rows(query.filter(&table.rows)))
            .collect();
        assert_eq!(json!(matches), sample["matches"], "{html}");
    }
}

/// What was found in the words of the samples.
fn parsed(found: &Found, section: Option<&str>) -> Value {
    match (found, section) {
        (Found::None, _) => Value::Null,
        (Found::BadSection { problem, available }, title) => {
            let title = title.unwrap_or_default();
            let error = match problem {
                SectionProblem::NothingReadable => {
                    format!("No parseable table data in section \"{title}\"")
                }
                SectionProblem::NoTable => format!("No table found in section \"{title}\""),
                SectionProblem::NotFound => format!("Section \"{title}\" not found"),
            };
            json!({"error": error, "available_sections": available})
        }
        (Found::Tables { tables, section }, None) => {
            let section = section.as_deref().unwrap_or("(all tables)");
            json!({"tables": tables.iter().map(table).collect::<Vec<_>>(), "detected_section": section})
        }
        (Found::Tables { tables, .. }, Some(_)) => match tables.as_slice() {
            [one] => table(one),
            _ => json!({"tables": tables.iter().map(table).collect::<Vec<_>>()}),
        },
    }
}

fn table(table: &Table) -> Value {
    let names = |places: &[usize]| -> Vec<String> {
        places
            .iter()
            .map(|at| table.columns[*at].to_string())
            .collect()
    };
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let mut value =
        json!({"columns": names(&all), "rows": rows(&table.rows), "table_heading": table.heading});
    if let Some(grouping) = &table.grouping {
        value["parent_columns"] = json!(names(&grouping.parents));
        value["child_columns"] = json!(names(&grouping.children));
    }
    value
}

fn rows<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Vec<Value> {
    let row = |row: &Row| {
        let mut out = Vec::new();
        row.write(&mut out);
        serde_json::from_slice(&out).unwrap()
    };
    rows.into_iter().map(row).collect()
}

#[test]
fn wide_and_nested_tables_have_an_end() {
    let rows = r#"<tr><td colspan="1000">x</td></tr>"#.repeat(40);
    let wide = format!("<table>{rows}</table>");
    let nested = format!("{}x", "<table><tr><td>".repeat(60));
    let headings = format!("{}x", "<h2>".repeat(300));
    for html in [wide, nested, headings] {
        let document = Document::parse(&html);
        let find = |work_max| {
            rt::run(tables::find_within(
                &document,
                Some("x"),
                Budget::of(work_max),
            ))
        };
        let all = |work_max| rt::run(tables::find_within(&document, None, Budget::of(work_max)));
        assert!(find(20_000).is_err() || all(20_000).is_err(), "{html}");
        assert!(find(20_000_000).is_ok() && all(20_000_000).is_ok());
    }
}

#[test]
fn the_newest_of_three_searches_counts() {
    let memory = Memory::new();
    for (id, url) in [("1", "a"), ("2", "a"), ("", "b"), ("4", "c")] {
        memory.remember(Search {
            query_id: id.to_owned(),
            urls: vec![url.to_owned()],
        });
    }
    let id = |url| memory.query_id(url);
    assert_eq!(id("a").as_deref(), Some("2"));
    assert_eq!(id("b"), None);
    assert_eq!(id("c").as_deref(), Some("4"));
    memory.remember(Search {
        query_id: "5".to_owned(),
        urls: vec!["c".to_owned()],
    });
    assert_eq!((id("a"), id("c").as_deref()), (None, Some("5")));
}

#[test]
fn a_session_is_a_uuid() {
    assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
}
