//! The result of a call: JSON as text and as structured content, or text alone; never more than a limit, and honest about
//! what is missing.
//!
//! A list is cut between items, text between lines. What was left out is said in a note that names the arguments by which
//! to ask for less.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::shape::{Keep, MAX_OUTPUT, Payload, Shaped};
use crate::mcp::content::Content;
use crate::mcp::tool::ToolResult;

/// How much of a result is shown.
#[derive(Clone, Debug)]
pub struct OutputLimits {
    /// Bytes of text at most.
    pub max_output: usize,
    /// Which end is shown of what is longer.
    pub keep: Keep,
    /// Arguments by which a caller would see less.
    pub narrow: Vec<String>,
    /// Whether JSON goes out as `structuredContent` as well.
    pub structured: bool,
}

impl Default for OutputLimits {
    fn default() -> OutputLimits {
        OutputLimits {
            max_output: MAX_OUTPUT,
            keep: Keep::Head,
            narrow: Vec::new(),
            structured: true,
        }
    }
}

/// Writes what the pipeline made.
pub fn render(shaped: Shaped, limits: &OutputLimits) -> ToolResult {
    let Shaped {
        payload,
        beside,
        total,
        mut notes,
    } = shaped;
    match payload {
        Payload::Items(items) => list(items, beside, total, notes, limits),
        Payload::One(Value::Object(mut members)) => {
            for (name, value) in beside {
                members.entry(name).or_insert(value);
            }
            let json = Value::Object(members).to_string();
            one(json.clone(), json, notes, limits)
        }
        Payload::One(Value::String(value)) => {
            notes.extend(beside_note(&beside, limits));
            text(value, notes, limits)
        }
        Payload::One(Value::Null) => {
            notes.extend(beside_note(&beside, limits));
            text("done".into(), notes, limits)
        }
        Payload::One(scalar) => {
            notes.extend(beside_note(&beside, limits));
            let json = scalar.to_string();
            let structured = format!("{{\"value\":{json}}}");
            one(json, structured, notes, limits)
        }
    }
}

/// What stands beside a text can only be said, and not at length.
fn beside_note(beside: &Map<String, Value>, limits: &OutputLimits) -> Option<String> {
    let said: Vec<String> = beside
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let said = said.join("; ");
    (!said.is_empty()).then(|| head(&said, limits.max_output / 4).to_owned())
}

/// A list: as many items as fit.
fn list(
    items: Vec<Value>,
    beside: Map<String, Value>,
    total: u64,
    mut notes: Vec<String>,
    limits: &OutputLimits,
) -> ToolResult {
    let mut beside_json = String::new();
    for (name, value) in beside {
        let json = value.to_string();
        if beside_json.len().saturating_add(json.len()) > limits.max_output / 4 {
            notes.push(format!("`{name}` is left out, it has {} bytes", json.len()));
            continue;
        }
        beside_json.push_str(&format!(",{}:{json}", Value::String(name)));
    }
    let end = |shown: usize, is_cut: bool| -> String {
        let cut = is_cut.then(|| shown_note(shown, total, limits));
        let notes: Vec<&str> = cut
            .as_deref()
            .into_iter()
            .chain(notes.iter().map(String::as_str))
            .collect();
        let note = match notes.is_empty() {
            true => String::new(),
            false => format!(",\"note\":{}", Value::String(notes.join("; "))),
        };
        format!("],\"shown\":{shown},\"total\":{total}{beside_json}{note}}}")
    };
    let available = items.len();
    let mut parts = Vec::new();
    let mut bytes = START.len();
    let mut in_order = items.into_iter();
    // From the end that is kept, until it cannot fit any more whatever stands around it.
    while let Some(item) = match limits.keep {
        Keep::Head => in_order.next(),
        Keep::Tail => in_order.next_back(),
    } {
        let part = item.to_string();
        bytes = bytes.saturating_add(len_in_list(&part, &parts));
        parts.push(part);
        if bytes > limits.max_output {
            break;
        }
    }
    // `limit` may have left out some already.
    let mut last = end(available, (available as u64) < total);
    let is_cut = parts.len() < available;
    if is_cut || bytes.saturating_add(last.len()) > limits.max_output {
        // As long as any that says how much is missing: a smaller number has no more digits.
        let budget = limits.max_output.saturating_sub(end(available, true).len());
        while bytes > budget
            && let Some(part) = parts.pop()
        {
            bytes = bytes.saturating_sub(len_in_list(&part, &parts));
            if parts.is_empty() {
                // One item larger than all that may be shown: its beginning is better than nothing.
                let cut = format!("an item of {} bytes, 1 of {total}", part.len());
                return cut_text(part, &cut, notes, limits);
            }
        }
        last = end(parts.len(), true);
    }
    if limits.keep == Keep::Tail {
        parts.reverse();
    }
    let json = [START, &parts.join(","), &last].concat();
    json_result(json.clone(), json, Vec::new(), limits)
}

const START: &str = "{\"items\":[";

/// What is missing, and how to ask for less.
fn shown_note(shown: usize, total: u64, limits: &OutputLimits) -> String {
    format!("{shown} of {total} shown{}", hint(limits))
}

fn hint(limits: &OutputLimits) -> String {
    match limits.narrow.is_empty() {
        true => String::new(),
        false => format!("; narrow with `{}`", limits.narrow.join("`, `")),
    }
}

/// How much longer the list of `parts` is for one more, its comma included.
fn len_in_list(part: &str, parts: &[String]) -> usize {
    part.len().saturating_add(usize::from(!parts.is_empty()))
}

/// How long a text is with its notes, each with what stands around it.
fn len_with(text: &str, notes: &[String], around_note: usize) -> usize {
    let lens = notes
        .iter()
        .map(|note| note.len().saturating_add(around_note));
    lens.fold(text.len(), usize::saturating_add)
}

/// JSON that is no list: whole, or cut as text.
fn one(json: String, structured: String, notes: Vec<String>, limits: &OutputLimits) -> ToolResult {
    if len_with(&json, &notes, 2) > limits.max_output {
        let what = format!("a value of {} bytes", json.len());
        return cut_text(json, &what, notes, limits);
    }
    json_result(json, structured, notes, limits)
}

fn json_result(
    json: String,
    structured: String,
    notes: Vec<String>,
    limits: &OutputLimits,
) -> ToolResult {
    // It was written by a JSON writer a moment ago, so that it can only be one.
    let structured = limits
        .structured
        .then(|| RawValue::from_string(structured).ok())
        .flatten();
    let mut result = ToolResult {
        structured,
        ..ToolResult::text(json)
    };
    if !notes.is_empty() {
        result = result.and(Content::text(format!("[{}]", notes.join("; "))));
    }
    result
}

/// Text as it is, or cut at a line.
pub fn text(text: String, notes: Vec<String>, limits: &OutputLimits) -> ToolResult {
    if len_with(&text, &notes, 3) > limits.max_output {
        let what = format!("a text of {} bytes", text.len());
        return cut_text(text, &what, notes, limits);
    }
    match notes.is_empty() {
        true => ToolResult::text(text),
        false => {
            let end = if text.is_empty() || text.ends_with('\n') {
                ""
            } else {
                "\n"
            };
            ToolResult::text(format!("{text}{end}[{}]", notes.join("; ")))
        }
    }
}

/// The kept end of a text, with a note at the place where it was cut.
fn cut_text(text: String, what: &str, notes: Vec<String>, limits: &OutputLimits) -> ToolResult {
    let said: String = notes.iter().map(|note| format!("; {note}")).collect();
    let end = match limits.keep {
        Keep::Head => "first",
        Keep::Tail => "last",
    };
    let note = |shown: usize| {
        format!(
            "[the {end} {shown} bytes of {what} shown{}{said}]",
            hint(limits)
        )
    };
    let note_len = note(text.len()).len().saturating_add(1);
    let budget = limits.max_output.saturating_sub(note_len);
    let kept = match limits.keep {
        Keep::Head => head(&text, budget),
        Keep::Tail => tail(&text, budget),
    };
    let note = note(kept.len());
    ToolResult::text(match limits.keep {
        Keep::Head => format!("{kept}\n{note}"),
        Keep::Tail => format!("{note}\n{kept}"),
    })
}

/// The first lines that fit; of a line that is longer than most of it, its beginning.
fn head(text: &str, budget: usize) -> &str {
    let mut ends = (0..=budget.min(text.len())).rev();
    let cut = ends.find_map(|end| text.get(..end)).unwrap_or_default();
    let lines = cut.rsplit_once('\n').map(|(lines, _)| lines);
    lines
        .filter(|lines| lines.len() >= cut.len() / 2)
        .unwrap_or(cut)
}

/// The last lines that fit.
fn tail(text: &str, budget: usize) -> &str {
    let mut starts = text.len().saturating_sub(budget)..=text.len();
    let halves = starts.find_map(|start| text.split_at_checked(start));
    let (before, cut) = halves.unwrap_or_default();
    // The text may have been cut at a line already.
    if before.ends_with('\n') {
        return cut;
    }
    match cut.split_once('\n') {
        Some((line, lines)) if line.len() < cut.len() / 2 => lines,
        _ => cut,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn limits(max_output: usize, keep: Keep) -> OutputLimits {
        OutputLimits {
            max_output,
            keep,
            narrow: vec!["limit".into(), "query".into()],
            structured: true,
        }
    }

    fn shaped(payload: Payload, notes: &[&str]) -> Shaped {
        let total = match &payload {
            Payload::Items(items) => items.len() as u64,
            Payload::One(_) => 1,
        };
        Shaped {
            payload,
            beside: Map::new(),
            total,
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
        }
    }

    fn items(count: usize, len: usize) -> Payload {
        Payload::Items((0..count).map(|at| json!(format!("{at:0len$}"))).collect())
    }

    /// Renders, and checks what every result has to keep to.
    #[track_caller]
    fn rendered(payload: Payload, notes: &[&str], limits: &OutputLimits) -> String {
        let result = render(shaped(payload, notes), limits);
        let text = result.text_blocks();
        assert!(
            text.len() <= limits.max_output,
            "{} bytes: {text}",
            text.len()
        );
        if let Some(structured) = &result.structured {
            assert!(
                text.starts_with(structured.get()) || structured.get().starts_with("{\"value\":")
            );
        }
        text
    }

    #[test]
    fn a_list_is_cut_between_items() {
        let whole = rendered(items(100, 20), &[], &limits(1 << 20, Keep::Head));
        for keep in [Keep::Head, Keep::Tail] {
            assert_eq!(
                rendered(items(100, 20), &[], &limits(whole.len(), keep)),
                whole
            );
            assert_eq!(
                rendered(items(100, 20), &[], &limits(whole.len() + 1, keep)),
                whole
            );
            let cut = rendered(items(100, 20), &[], &limits(whole.len() - 1, keep));
            let value: Value = serde_json::from_str(&cut).unwrap();
            let shown = value["items"].as_array().unwrap();
            assert!((90..100).contains(&shown.len()), "{}", shown.len());
            assert_eq!(value["shown"], shown.len());
            assert_eq!(value["total"], 100);
            let note = format!("{} of 100 shown; narrow with `limit`, `query`", shown.len());
            assert_eq!(value["note"], note.as_str());
            let numbers: Vec<usize> = shown
                .iter()
                .map(|item| item.as_str().unwrap().parse().unwrap())
                .collect();
            let first = if keep == Keep::Head {
                0
            } else {
                100 - shown.len()
            };
            assert_eq!(numbers, (first..first + shown.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_limit_is_kept() {
        for max_output in 1024..1200 {
            for len in [1, 40, 300, 900] {
                for keep in [Keep::Head, Keep::Tail] {
                    let text = rendered(items(60, len), &["a note"], &limits(max_output, keep));
                    assert!(
                        text.contains(" of 60 shown; ") || len == 1 || text.contains("1 of 60"),
                        "{text}"
                    );
                    assert!(text.contains("a note"), "{text}");
                    let lines = Payload::One("äöü line\n".repeat(len).into());
                    rendered(lines, &["a note"], &limits(max_output, keep));
                }
            }
        }
    }

    #[test]
    fn what_is_larger_than_everything_is_cut_as_text() {
        let text = rendered(items(3, 5000), &[], &limits(1024, Keep::Head));
        let (json, note) = text.split_once('\n').unwrap();
        assert!(json.starts_with("\"0000"), "{json}");
        assert_eq!(
            note,
            format!(
                "[the first {} bytes of an item of 5002 bytes, 1 of 3 shown; narrow with `limit`, `query`]",
                json.len()
            )
        );
        let big = json!({"text": "x".repeat(2000)});
        let result = render(
            shaped(Payload::One(big.clone()), &[]),
            &limits(1024, Keep::Head),
        );
        assert!(result.structured.is_none());
        assert!(
            result
                .text_blocks()
                .contains(" bytes of a value of 2011 bytes shown; narrow with")
        );
        let fits = limits(2011, Keep::Head);
        assert_eq!(
            rendered(Payload::One(big.clone()), &[], &fits),
            big.to_string()
        );
    }

    #[test]
    fn text_is_cut_between_lines() {
        let log: String = (0..200).map(|at| format!("line {at:03}\n")).collect();
        let one =
            |max: usize, keep| rendered(Payload::One(log.clone().into()), &[], &limits(max, keep));
        assert_eq!(one(log.len(), Keep::Head), log);
        assert_eq!(one(log.len(), Keep::Tail), log);
        let head = one(log.len() - 1, Keep::Head);
        let (kept, note) = head.rsplit_once('\n').unwrap();
        assert!(
            log.starts_with(kept) && log[kept.len()..].starts_with('\n'),
            "{kept}"
        );
        let expected = format!(
            "[the first {} bytes of a text of 1800 bytes shown; narrow with `limit`, `query`]",
            kept.len()
        );
        assert_eq!(note, expected);
        let kept_head = kept.len();
        let tail = one(log.len() - 1, Keep::Tail);
        let (note, kept) = tail.split_once('\n').unwrap();
        assert!(log.ends_with(kept) && kept.starts_with("line "), "{kept}");
        assert_eq!(
            note,
            expected
                .replace("first", "last")
                .replace(&kept_head.to_string(), &kept.len().to_string())
        );
        // A line without end is cut where a character ends.
        for keep in [Keep::Head, Keep::Tail] {
            let text = rendered(
                Payload::One("ä".repeat(2000).into()),
                &[],
                &limits(1024, keep),
            );
            assert!(text.len() > 1020, "{}", text.len());
        }
    }

    #[test]
    fn what_stands_beside_may_not_take_all_the_room() {
        let mut shaped = shaped(items(2, 3), &[]);
        shaped.beside.insert("a".into(), json!("x".repeat(240)));
        shaped.beside.insert("b".into(), json!(["y"]));
        let text = render(shaped.clone(), &limits(1024, Keep::Head)).text_blocks();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (value["a"].as_str().map(str::len), &value["note"]),
            (Some(240), &Value::Null)
        );
        shaped.beside.insert("a".into(), json!("x".repeat(260)));
        let text = render(shaped, &limits(1024, Keep::Head)).text_blocks();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["a"], Value::Null);
        assert_eq!(value["b"], json!(["y"]));
        assert_eq!(value["note"], "`a` is left out, it has 262 bytes");
    }

    #[test]
    fn notes_on_what_is_no_list() {
        let wide = limits(1 << 20, Keep::Head);
        assert_eq!(
            rendered(Payload::One(json!({"a": 1})), &["n", "m"], &wide),
            "{\"a\":1}\n[n; m]"
        );
        assert_eq!(
            rendered(Payload::One(json!("text\n")), &["n"], &wide),
            "text\n[n]"
        );
        assert_eq!(
            rendered(Payload::One(json!("text")), &["n"], &wide),
            "text\n[n]"
        );
        assert_eq!(rendered(Payload::One(json!("")), &[], &wide), "");
        assert_eq!(rendered(Payload::One(Value::Null), &[], &wide), "done");
        assert_eq!(rendered(Payload::One(json!(1.5)), &[], &wide), "1.5");
        let mut shaped = shaped(Payload::One(json!("text")), &[]);
        shaped.beside.insert("a".into(), json!("x".repeat(3000)));
        let text = render(shaped, &limits(1024, Keep::Head)).text_blocks();
        assert_eq!(text, format!("text\n[a: \"{}]", "x".repeat(256 - 4)));
    }
}
