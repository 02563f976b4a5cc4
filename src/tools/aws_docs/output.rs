//! What pages look like in answers: their header, a part of them at a time, and large tables cut short.

use crate::html::space;
use crate::mcp::json::Object;

/// Rows of a table that is left whole.
const ROWS_MAX: usize = 20;
/// Rows that are left of a larger one.
const ROWS_SHOWN: usize = 5;

/// What stands above every page.
pub(super) fn header(url: &str) -> String {
    format!("AWS Documentation from {url}:\n\n")
}

/// The part of a text from `start` on, in characters, with a word on how to go on.
pub(super) fn part(text: &str, start: usize, length: usize) -> String {
    let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let (Some(begin), true) = (ends.nth(start), start < text.chars().count()) else {
        return "<e>No more content available.</e>".to_owned();
    };
    match length.checked_sub(1).and_then(|more| ends.nth(more)) {
        Some(end) if end < text.len() => format!(
            "{}\n\n<e>Content truncated. Call the read_documentation tool with start_index={} to get more content.</e>",
            text.get(begin..end).unwrap_or_default(),
            start.saturating_add(length)
        ),
        _ => text.get(begin..).unwrap_or_default().to_owned(),
    }
}

/// Cuts tables of more than [`ROWS_MAX`] rows, with a word on how to find rows in them.
pub(super) fn shorten_tables(markdown: &str, url: &str) -> String {
    let lines: Vec<&str> = markdown.split('\n').collect();
    let is_row = |line: &str| space::trim(line).starts_with('|');
    let mut out: Vec<&str> = Vec::with_capacity(lines.len());
    let mut notes = Vec::new();
    let mut is_code = false;
    let mut rest = lines.as_slice();
    while let Some((line, behind)) = rest.split_first() {
        let trimmed = space::trim(line);
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            is_code = !is_code;
        }
        if is_code || !is_row(line) {
            out.push(line);
            rest = behind;
            continue;
        }
        let len = rest.iter().take_while(|line| is_row(line)).count();
        let (run, behind) = rest.split_at(len);
        rest = behind;
        let rows = len.saturating_sub(2);
        let has_header = run.get(1).is_some_and(|line| is_rule(line));
        if rows <= ROWS_MAX || !has_header {
            out.extend(run);
            continue;
        }
        out.extend(run.iter().take(2 + ROWS_SHOWN));
        notes.push((out.len(), rows));
        out.push("");
    }
    with_notes(&out, &notes, url)
}

/// Whether a line separates the header of a table from its rows.
fn is_rule(line: &str) -> bool {
    line.contains('-')
        && line
            .chars()
            .all(|c| matches!(c, '|' | ':' | '-') || space::is_space(c))
}

/// Puts the lines together, with a note in place of each line that stands for one.
fn with_notes(lines: &[&str], notes: &[(usize, usize)], url: &str) -> String {
    let mut notes = notes.iter().peekable();
    let mut out = String::new();
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        match notes.next_if(|(place, _)| *place == at) {
            None => out.push_str(line),
            Some((_, rows)) => out.push_str(&format!(
                "\n\nTable truncated (showing {ROWS_SHOWN} of {rows} rows). Use the `search_table` tool to find specific rows.\n  \
                 Example: search_table(url=\"{url}\", section_title=\"<section>\", query=\"your search term\")"
            )),
        }
    }
    out
}

/// A member that is there in any case.
pub(super) fn text_or_null(object: &mut Object<'_>, name: &str, text: Option<&str>) {
    match text {
        Some(text) => object.string(name, text),
        None => object.raw(name, "null"),
    }
}

/// A list likewise.
pub(super) fn texts_or_null(object: &mut Object<'_>, name: &str, texts: Option<&[&str]>) {
    match texts {
        Some(texts) => object.strings(name, texts),
        None => object.raw(name, "null"),
    }
}

/// Compact JSON with a line for each member, as the reference shows it: indented by two spaces, nothing between empty brackets.
pub(super) fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len().saturating_mul(2));
    let mut depth = 0_usize;
    let (mut in_string, mut escaped) = (false, false);
    let mut last = ' ';
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        (0..depth).for_each(|_| out.push_str("  "));
    };
    for c in json.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            out.push(c);
            last = c;
            continue;
        }
        let is_close = matches!(c, ']' | '}');
        if is_close {
            depth = depth.saturating_sub(1);
        }
        // Behind a comma, and behind and before brackets, but not between two that hold nothing.
        let opened = matches!(last, '[' | '{');
        if last == ',' || opened != is_close {
            line(&mut out, depth);
        }
        out.push(c);
        match c {
            '[' | '{' => depth = depth.saturating_add(1),
            ':' => out.push(' '),
            '"' => in_string = true,
            _ => (),
        }
        last = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indented_as_serde_json_does() {
        for json in [
            "7",
            "[]",
            "{}",
            r#"{"a":{},"b":[],"c":[[],{}]}"#,
            r#"{"a":"{\"b\":[1,2]}\\","c":[1,-2.5,null,true],"d":{"é,":""}}"#,
        ] {
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!(indented(json), format!("{value:#}"));
        }
    }

    #[track_caller]
    fn check_part(start: usize, length: usize, expected: &str) {
        assert_eq!(part("aé日b", start, length), expected, "{start} {length}");
    }

    #[test]
    fn parts_are_counted_in_characters() {
        let more = |n| {
            format!(
                "<e>Content truncated. Call the read_documentation tool with start_index={n} to get more content.</e>"
            )
        };
        check_part(0, 3, &format!("aé日\n\n{}", more(3)));
        check_part(0, 4, "aé日b");
        check_part(1, 1, &format!("é\n\n{}", more(2)));
        check_part(3, 9, "b");
        check_part(4, 1, "<e>No more content available.</e>");
        check_part(usize::MAX, 999_999, "<e>No more content available.</e>");
        assert_eq!(part("", 0, 5), "<e>No more content available.</e>");
    }

    #[track_caller]
    fn check_rows(table: &str, is_cut: bool) {
        let shortened = shorten_tables(table, "u");
        assert_eq!(shortened.contains("Table truncated"), is_cut, "{table}");
        assert!(is_cut || shortened == table);
    }

    #[test]
    fn tables_of_21_rows_are_cut() {
        let table = |rule: &str, rows| format!("x\n\n| a |\n{rule}\n{}\ny", "| b |\n".repeat(rows));
        check_rows(&table("| --- |", 20), false);
        check_rows(&table("| --- |", 21), true);
        check_rows(&table("  |:-|", 21), true);
        check_rows(&table("| |", 21), false);
        check_rows(&table("| -x |", 21), false);
        check_rows(&format!("```\n{}\n```", table("| - |", 21)), false);
        check_rows(&table("| - |", 21).replace("| b", "  | b"), true);
        check_rows(&table("| - |", 21).replace('|', "> |"), false);
    }

    #[test]
    fn what_is_left_of_a_table() {
        let table = format!("| a |\n| - |\n{}end", "| b |\n".repeat(21));
        let expected = format!(
            "| a |\n| - |\n{}\n\nTable truncated (showing 5 of 21 rows). Use the `search_table` tool to find specific rows.\n  \
             Example: search_table(url=\"u\", section_title=\"<section>\", query=\"your search term\")\nend",
            "| b |\n".repeat(5)
        );
        assert_eq!(shorten_tables(&table, "u"), expected);
    }
}
