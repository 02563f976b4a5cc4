//! One table as columns and rows: header texts, cells that span, rows that belong together.

use std::collections::HashMap;
use std::rc::Rc;

use crate::html::{Document, NodeId, Step, TooMuchWork};
use crate::mcp::json;
use crate::rt;
use crate::tools::aws_docs::budget::Budget;

use super::cell;

/// A table that can be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// The heading it stands under.
    pub heading: Option<String>,
    /// What its columns are called, each differently.
    pub columns: Rc<[Rc<str>]>,
    /// Which of them hold for several rows, if any do.
    pub grouping: Option<Grouping>,
    /// Its rows, or groups of rows.
    pub rows: Vec<Row>,
}

/// The columns of a table in which cells span rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// Those whose cells do, by place.
    pub parents: Vec<usize>,
    /// The others.
    pub children: Vec<usize>,
}

/// The name of a column and a value in it.
pub type Field = (Rc<str>, Rc<str>);

/// A row, or a group of rows under common cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Column names and values: all of them, or the common ones.
    pub values: Vec<Field>,
    /// The rows of a group, without their empty values.
    pub group: Option<Vec<Vec<Field>>>,
}

/// Columns a cell may span, as in the HTML standard, section 4.9.11.
const COLUMNS_MAX: usize = 1_000;
/// What a place in a table costs of the budget, whatever stands in it, so that a million of them are the most.
const PLACE_COST: usize = 16;
/// Rows between two pauses.
const SLICE_ROWS: usize = 64;
/// Rows a cell may span, likewise.
const ROWS_MAX: usize = 65_534;

/// Reads a table; none without a header.
pub(super) async fn read(
    document: &Document,
    table: NodeId,
    heading: Option<String>,
    budget: &mut Budget,
) -> Result<Option<Table>, TooMuchWork> {
    rt::yield_now().await;
    let columns = distinct(header(document, table, budget)?);
    if columns.is_empty() {
        return Ok(None);
    }
    let lines = rows(document, table, budget)?;
    let grid = fill(document, &lines, columns.len(), budget).await?;
    if grid.is_empty() {
        return Ok(None);
    }
    let (grouping, rows) = grouped(&grid, &columns);
    Ok(Some(Table {
        heading,
        columns: columns.into(),
        grouping,
        rows,
    }))
}

/// The texts above the columns.
fn header(
    document: &Document,
    table: NodeId,
    budget: &mut Budget,
) -> Result<Vec<String>, TooMuchWork> {
    let head = budget.select(document, table, "thead")?.first().copied();
    // A head without rows is no header, and nothing takes its place.
    let mut lines = budget.select(document, head.unwrap_or(table), "tr")?;
    if head.is_none() {
        lines.truncate(1);
    }
    if lines.len() > 1 {
        return stacked_header(document, &lines, budget);
    }
    let Some(line) = lines.first().copied() else {
        return Ok(Vec::new());
    };
    let mut texts = Vec::new();
    for id in cells(document, line, budget)? {
        let text = cell::text(document, id, budget)?;
        let columns = span(document, id, "colspan", COLUMNS_MAX);
        for _ in 0..columns.min(COLUMNS_MAX.saturating_sub(texts.len())) {
            budget.spend(text.len().saturating_add(PLACE_COST))?;
            texts.push(text.clone());
        }
    }
    Ok(texts)
}

/// A header of several lines: what stands above a column, from top to bottom.
fn stacked_header(
    document: &Document,
    lines: &[NodeId],
    budget: &mut Budget,
) -> Result<Vec<String>, TooMuchWork> {
    let mut grid: Vec<Vec<String>> = vec![Vec::new(); lines.len()];
    for (at, line) in lines.iter().enumerate() {
        let mut column = 0;
        for id in cells(document, *line, budget)? {
            let row = grid.get(at).map_or(&[][..], Vec::as_slice);
            let filled = row.iter().skip(column).take_while(|text| !text.is_empty());
            column = filled.count().saturating_add(column);
            let text = cell::text(document, id, budget)?;
            let columns = span(document, id, "colspan", COLUMNS_MAX);
            let rows = span(document, id, "rowspan", ROWS_MAX);
            let end = column.saturating_add(columns).min(COLUMNS_MAX);
            for row in grid.iter_mut().skip(at).take(rows) {
                if row.len() < end {
                    let more = end.saturating_sub(row.len());
                    budget.spend(more.saturating_mul(PLACE_COST))?;
                    row.resize(end, String::new());
                }
                for place in row.iter_mut().take(end).skip(column) {
                    budget.spend(text.len().saturating_add(1))?;
                    place.clone_from(&text);
                }
            }
            column = end;
        }
    }
    let columns = grid.iter().map(Vec::len).max().unwrap_or(0);
    let mut texts = Vec::with_capacity(columns);
    for column in 0..columns {
        let mut parts: Vec<&str> = Vec::new();
        for text in grid.iter().filter_map(|row| row.get(column)) {
            budget.spend(parts.len().saturating_add(1))?;
            if !text.is_empty() && !parts.contains(&text.as_str()) {
                parts.push(text);
            }
        }
        texts.push(parts.join(" - "));
    }
    Ok(texts)
}

/// Repeated names with `_2`, `_3` and so on behind, as far as it takes.
fn distinct(names: Vec<String>) -> Vec<Rc<str>> {
    let mut taken: HashMap<Rc<str>, usize> = HashMap::new();
    let mut distinct = Vec::with_capacity(names.len());
    for name in names {
        let name: Rc<str> = name.into();
        let mut count = taken.get(&name).map_or(1, |count| count.saturating_add(1));
        let mut candidate = name.clone();
        while count > 1 {
            candidate = format!("{name}_{count}").into();
            if !taken.contains_key(&candidate) {
                break;
            }
            count = count.saturating_add(1);
        }
        taken.insert(name, count);
        taken.entry(candidate.clone()).or_insert(1);
        distinct.push(candidate);
    }
    distinct
}

/// The rows below the header.
fn rows(
    document: &Document,
    table: NodeId,
    budget: &mut Budget,
) -> Result<Vec<NodeId>, TooMuchWork> {
    let mut bodies = budget.select(document, table, "tbody")?;
    if bodies.is_empty() {
        bodies.push(table);
    }
    let mut rows = Vec::new();
    for body in bodies {
        let is_head = |id: &NodeId| document.is(*id, "thead");
        budget.spend(document.ancestors(body).count())?;
        let mut heads = document
            .ancestors(body)
            .chain([body])
            .filter(is_head)
            .count();
        for step in document.walk(body) {
            budget.spend(1)?;
            match step {
                Step::Enter(id) if document.is(id, "tr") && heads == 0 => rows.push(id),
                Step::Enter(id) => heads = heads.saturating_add(usize::from(is_head(&id))),
                Step::Leave(id) => heads = heads.saturating_sub(usize::from(is_head(&id))),
            }
        }
    }
    Ok(rows)
}

fn cells(
    document: &Document,
    line: NodeId,
    budget: &mut Budget,
) -> Result<Vec<NodeId>, TooMuchWork> {
    let mut cells = Vec::new();
    for id in document.descendants(line) {
        budget.spend(1)?;
        if document.is(id, "td") || document.is(id, "th") {
            cells.push(id);
        }
    }
    Ok(cells)
}

fn span(document: &Document, id: NodeId, name: &str, max: usize) -> usize {
    let text = document.attribute(id, name).unwrap_or_default().trim();
    match text.parse() {
        Ok(0) => 1,
        Ok(span) => std::cmp::min(span, max),
        Err(_) => 1,
    }
}

/// A row with every cell in its column.
struct GridRow {
    values: Vec<Rc<str>>,
    /// The columns of cells that hold for several rows. Cells that are wider than a column do not count.
    spanned: Vec<usize>,
    /// Whether one of these begins here.
    begins: bool,
}

/// What comes down from above in a column.
#[derive(Clone)]
struct Running {
    rows_left: usize,
    value: Rc<str>,
    groups: bool,
}

/// Puts the cells into their columns. Rows that do not fill all of them are left out.
async fn fill(
    document: &Document,
    lines: &[NodeId],
    columns: usize,
    budget: &mut Budget,
) -> Result<Vec<GridRow>, TooMuchWork> {
    let mut grid = Vec::new();
    let nothing = Running {
        rows_left: 0,
        value: "".into(),
        groups: false,
    };
    let mut running = vec![nothing; columns];
    for (at, line) in lines.iter().enumerate() {
        if at % SLICE_ROWS == SLICE_ROWS - 1 {
            rt::yield_now().await;
        }
        let mut cells = cells(document, *line, budget)?.into_iter();
        let mut row = GridRow {
            values: Vec::with_capacity(columns),
            spanned: Vec::new(),
            begins: false,
        };
        budget.spend(columns.saturating_mul(PLACE_COST))?;
        // To the last column also when the cells are used up: what comes from above is a row shorter then.
        let mut column = 0;
        while let Some(above) = running.get_mut(column) {
            if above.rows_left > 0 {
                above.rows_left = above.rows_left.saturating_sub(1);
                if above.groups {
                    row.spanned.push(column);
                }
                row.values.push(above.value.clone());
                column = column.saturating_add(1);
                continue;
            }
            let Some(id) = cells.next() else {
                column = column.saturating_add(1);
                continue;
            };
            let value: Rc<str> = cell::text_with_links(document, id, budget)?.into();
            budget.spend(value.len())?;
            let colspan = span(document, id, "colspan", COLUMNS_MAX);
            let rowspan = span(document, id, "rowspan", ROWS_MAX);
            let groups = colspan == 1;
            if rowspan > 1 && groups {
                row.begins = true;
                row.spanned.push(column);
            }
            for place in running.iter_mut().skip(column).take(colspan) {
                row.values.push(value.clone());
                if rowspan > 1 {
                    *place = Running {
                        rows_left: rowspan.saturating_sub(1),
                        value: value.clone(),
                        groups,
                    };
                }
            }
            column = column.saturating_add(colspan);
        }
        if row.values.len() == columns {
            grid.push(row);
        }
    }
    Ok(grid)
}

/// Rows as they are, or in groups under the columns whose cells hold for several.
fn grouped(grid: &[GridRow], columns: &[Rc<str>]) -> (Option<Grouping>, Vec<Row>) {
    let named = |row: &GridRow, places: &[usize]| -> Vec<Field> {
        // A row has a value for each column.
        let pairs = places.iter().filter_map(|at| {
            let (name, value) = columns.get(*at).zip(row.values.get(*at))?;
            Some((name.clone(), value.clone()))
        });
        pairs.collect()
    };
    let all: Vec<usize> = (0..columns.len()).collect();
    if grid.iter().all(|row| row.spanned.is_empty()) {
        let flat = |row| Row {
            values: named(row, &all),
            group: None,
        };
        return (None, grid.iter().map(flat).collect());
    }
    let mut is_spanned = vec![false; all.len()];
    for at in grid
        .iter()
        .filter(|row| row.begins)
        .flat_map(|row| &row.spanned)
    {
        if let Some(is_spanned) = is_spanned.get_mut(*at) {
            *is_spanned = true;
        }
    }
    let (parents, children): (Vec<usize>, Vec<usize>) =
        (all.iter()).partition(|at| is_spanned.get(**at) == Some(&true));
    let mut groups: Vec<Row> = Vec::new();
    for row in grid {
        if row.begins || row.spanned.is_empty() || groups.is_empty() {
            groups.push(Row {
                values: named(row, &parents),
                group: Some(Vec::new()),
            });
        }
        let mut child = named(row, &children);
        child.retain(|(_, value)| !value.is_empty());
        let group = groups.last_mut().and_then(|last| last.group.as_mut());
        if let Some(group) = group.filter(|_| !child.is_empty()) {
            group.push(child);
        }
    }
    (Some(Grouping { parents, children }), groups)
}

impl Row {
    /// Writes it as an object in the order of the columns.
    pub fn write(&self, out: &mut Vec<u8>) {
        json::object(out, |object| {
            write_fields(object, &self.values);
            if let Some(group) = &self.group {
                object.array("rows", |rows| {
                    for row in group {
                        rows.object(|object| write_fields(object, row));
                    }
                });
            }
        });
    }
}

fn write_fields(object: &mut json::Object<'_>, fields: &[Field]) {
    for (name, value) in fields {
        object.string(name, value);
    }
}
