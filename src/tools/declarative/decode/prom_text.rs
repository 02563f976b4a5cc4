//! The exposition format of Prometheus (text format 0.0.4, and what OpenMetrics adds to it).
//!
//! ```text
//! # HELP name text          # TYPE name counter
//! name{label="value",…} value [timestamp]
//! {"name", "label"="value"} value            names beyond ASCII
//! ```
//! Samples and families are two lists, so that a long help text is there once, and not with every sample: repeated, a body
//! of 2 MiB could ask for gigabytes.

use serde_json::{Map, Number, Value};

use super::{DecodeError, Decoded, GROWN_MAX, object, text};

/// `{"samples": […], "families": {…}}`
pub(super) fn decode(body: &[u8]) -> Result<Decoded, DecodeError> {
    let (text, lossy) = text::lossy(super::without_mark(body));
    let mut families = Map::new();
    let mut samples = Vec::new();
    let (mut bad, mut grown) = (0_usize, text.len() as u64);
    for line in text.lines() {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            if read_comment(comment, &mut families) {
                grown = grown.saturating_add(FAMILY_BYTES);
            }
        } else if !line.is_empty() {
            match read_sample(line, &families) {
                Some((sample, labels)) => {
                    let labels = (labels as u64).saturating_mul(LABEL_BYTES);
                    grown = grown.saturating_add(SAMPLE_BYTES).saturating_add(labels);
                    samples.push(sample);
                }
                None => bad = bad.saturating_add(1),
            }
        }
        if grown > GROWN_MAX {
            // As if the rest were like this.
            return Err(DecodeError::TooMany { grown });
        }
    }
    if samples.is_empty() && bad > 0 {
        return Err(DecodeError::Format {
            expected: "in Prometheus' text format",
        });
    }
    let bad = (bad > 0).then(|| format!("lines left out that are not in the text format: {bad}"));
    let notes: Vec<String> = lossy.into_iter().chain(bad).collect();
    Ok(Decoded {
        value: object(&mut [
            ("samples", Some(samples.into())),
            ("families", Some(families.into())),
        ]),
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    })
}

/// About what a sample takes in memory: two objects.
const SAMPLE_BYTES: u64 = 1400;
const LABEL_BYTES: u64 = 80;
const FAMILY_BYTES: u64 = 900;

/// `HELP` and `TYPE`; returns whether it was one of them.
fn read_comment(comment: &str, families: &mut Map<String, Value>) -> bool {
    let mut words = comment.trim_start().splitn(3, [' ', '\t']);
    let (keyword, Some(name), rest) = (words.next(), words.next(), words.next().unwrap_or(""))
    else {
        return false;
    };
    let (key, value) = match keyword {
        Some("HELP") => ("help", unescape(rest.trim())),
        Some("TYPE") => ("type", rest.trim().to_owned()),
        _ => return false,
    };
    let name = unescape(name.trim_matches('"'));
    let family = families.entry(name).or_insert_with(|| Map::new().into());
    if let Value::Object(family) = family {
        family.insert(key.to_owned(), value.into());
    }
    true
}

/// A sample, and how many labels it has.
fn read_sample(line: &str, families: &Map<String, Value>) -> Option<(Value, usize)> {
    let (name, rest) = line.split_at_checked(line.find(['{', ' ', '\t'])?)?;
    let (mut name, mut rest) = (name.to_owned(), rest.trim_start());
    let mut labels = Map::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = read_labels(inside, &mut name, &mut labels)?;
    }
    if name.is_empty() {
        return None;
    }
    // Behind ` # ` stands an exemplar of OpenMetrics.
    let rest = rest.split_once(" # ").map_or(rest, |(before, _)| before);
    let mut words = rest.split_ascii_whitespace();
    let value = read_value(words.next()?)?;
    let time: Option<f64> = match words.next() {
        Some(time) => Some(time.parse().ok()?),
        None => None,
    };
    if words.next().is_some() {
        return None;
    }
    let count = labels.len();
    let sample = object(&mut [
        ("type", kind(&name, families).map(Value::from)),
        ("metric", Some(name.into())),
        ("labels", Some(labels.into())),
        ("value", Some(value)),
        ("time", time.and_then(Number::from_f64).map(Value::Number)),
    ]);
    Some((sample, count))
}

/// Reads up to the closing brace and returns what is behind it. A quoted text without a value is the metric's name.
fn read_labels<'t>(
    mut rest: &'t str,
    name: &mut String,
    labels: &mut Map<String, Value>,
) -> Option<&'t str> {
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some(after);
        }
        let (label, after) = match rest.strip_prefix('"') {
            Some(quoted) => read_quoted(quoted)?,
            None => {
                let (label, after) = rest.split_at_checked(rest.find('=')?)?;
                let label = label.trim_end();
                let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
                if label.is_empty() || !label.chars().all(is_word) {
                    return None;
                }
                (label.to_owned(), after)
            }
        };
        rest = after.trim_start();
        match rest.strip_prefix('=') {
            Some(after) => {
                let (value, after) = read_quoted(after.trim_start().strip_prefix('"')?)?;
                labels.insert(label, value.into());
                rest = after;
            }
            None if name.is_empty() => *name = label,
            None => return None,
        }
        if !rest.trim_start().starts_with([',', '}']) {
            return None;
        }
    }
}

/// Reads up to the closing quote.
fn read_quoted(text: &str) -> Option<(String, &str)> {
    let mut is_escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })?;
    let (quoted, rest) = text.split_at_checked(end)?;
    Some((unescape(quoted), rest.strip_prefix('"')?))
}

/// `\\`, `\n` and `\"`; another backslash stands for itself.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some(c @ ('\\' | '"')) => out.push(c),
            Some(c) => out.extend(['\\', c]),
            None => out.push('\\'),
        }
    }
    out
}

/// A number, whole if it is written so; NaN and the infinities, which JSON lacks, as their texts.
fn read_value(text: &str) -> Option<Value> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(number.into());
    }
    let number: f64 = text.parse().ok()?;
    Some(match Number::from_f64(number) {
        Some(number) => number.into(),
        None if number.is_nan() => "NaN".into(),
        None if number > 0.0 => "+Inf".into(),
        None => "-Inf".into(),
    })
}

/// The type of a sample's family; parts of histograms and summaries have their own names.
fn kind<'f>(name: &str, families: &'f Map<String, Value>) -> Option<&'f str> {
    let kind = |name: &str| families.get(name)?.get("type")?.as_str();
    let suffixes = ["_bucket", "_count", "_sum", "_total", "_created", "_info"];
    let found = kind(name).or_else(|| {
        suffixes
            .iter()
            .find_map(|suffix| kind(name.strip_suffix(suffix)?))
    });
    // The text comes from the service and is repeated with each sample: only the words that are known.
    found.filter(|kind| KINDS.contains(kind))
}

const KINDS: [&str; 8] = [
    "counter",
    "gauge",
    "histogram",
    "gaugehistogram",
    "summary",
    "info",
    "stateset",
    "untyped",
];

/// For fuzzing: no bytes panic, and every sample has a name and a value.
pub fn fuzz_prom_text(bytes: &[u8]) {
    let Ok(decoded) = decode(bytes) else { return };
    let samples = decoded.value.get("samples").and_then(Value::as_array);
    let samples = samples.map_or(&[][..], Vec::as_slice);
    assert!(decoded.value.get("samples").is_some_and(Value::is_array));
    for sample in samples {
        assert!(
            sample["metric"]
                .as_str()
                .is_some_and(|name| !name.is_empty()),
            "{sample}"
        );
        assert!(
            sample["labels"].is_object() && !sample["value"].is_null(),
            "{sample}"
        );
    }
    assert!(samples.len() <= bytes.len() / 3);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<Value>) {
        let decoded = decode(line.as_bytes());
        let sample = decoded
            .ok()
            .and_then(|decoded| decoded.value["samples"].get(0).cloned());
        assert_eq!(sample, expected, "{line}");
        fuzz_prom_text(line.as_bytes());
    }

    #[test]
    fn lines() {
        check(
            "up 1",
            Some(json!({"metric": "up", "labels": {}, "value": 1})),
        );
        check(
            r#"http_requests_total{method="post",code="400"}    3 1395066363000"#,
            Some(
                json!({"metric": "http_requests_total", "labels": {"method": "post", "code": "400"}, "value": 3, "time": 1395066363000.0}),
            ),
        );
        check(
            r#"msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9"#,
            Some(
                json!({"metric": "msdos_file_access_time_seconds", "labels": {"path": "C:\\DIR\\FILE.TXT", "error": "Cannot find file:\n\"FILE.TXT\""}, "value": 1458255915.0}),
            ),
        );
        check(
            "a{b=\"}, c\",} NaN",
            Some(json!({"metric": "a", "labels": {"b": "}, c"}, "value": "NaN"})),
        );
        check(
            "a { b = \"c\" } +Inf",
            Some(json!({"metric": "a", "labels": {"b": "c"}, "value": "+Inf"})),
        );
        check(
            "a -Inf",
            Some(json!({"metric": "a", "labels": {}, "value": "-Inf"})),
        );
        check(
            r#"{"my.metric", "a.b"="x"} 2"#,
            Some(json!({"metric": "my.metric", "labels": {"a.b": "x"}, "value": 2})),
        );
        check(
            r#"foo_bucket{le="0.1"} 8 # {trace_id="x"} 0.054"#,
            Some(json!({"metric": "foo_bucket", "labels": {"le": "0.1"}, "value": 8})),
        );
    }

    #[test]
    fn what_is_no_line() {
        for line in [
            "up",
            "up x",
            "up 1 2 3",
            "up 1 x",
            "a{b=\"c\" 1",
            "a{b=c} 1",
            "a{b=\"c\"d=\"e\"} 1",
            "a{b-c=\"d\"} 1",
            "a{\"b\"} 1",
            "{} 1",
            "{b=\"c\"} 1",
            "a{b=\"c} 1",
            "<html><body> 1 2 3",
        ] {
            check(line, None);
        }
    }

    #[test]
    fn families() {
        let text = "# HELP monitor_status Monitor Status (1 = UP, 0= DOWN)\\nsecond\n# TYPE monitor_status gauge\n\
            # a comment\n#\nmonitor_status{monitor_name=\"web\"} 1\n\
            # TYPE rpc_seconds histogram\nrpc_seconds_bucket{le=\"+Inf\"} 5\nrpc_seconds_sum 0.5\n\
            # TYPE odd whatever\nodd 1\n# EOF\nnot a line\n";
        let decoded = decode(text.as_bytes()).unwrap();
        assert_eq!(
            decoded.value["families"],
            json!({
                "monitor_status": {"type": "gauge", "help": "Monitor Status (1 = UP, 0= DOWN)\nsecond"},
                "rpc_seconds": {"type": "histogram"},
                "odd": {"type": "whatever"},
            })
        );
        let samples = decoded.value["samples"].as_array().unwrap();
        let kinds: Vec<&str> = samples
            .iter()
            .map(|sample| sample["type"].as_str().unwrap_or("-"))
            .collect();
        assert_eq!(kinds, ["gauge", "histogram", "histogram", "-"]);
        assert_eq!(
            decoded.note.unwrap(),
            "lines left out that are not in the text format: 1"
        );
    }

    #[test]
    fn memory_is_bounded() {
        let lines = |count: usize| "a 1\n".repeat(count);
        let most = usize::try_from((GROWN_MAX - 4) / (SAMPLE_BYTES + 4)).unwrap();
        assert!(decode(lines(most).as_bytes()).is_ok());
        assert!(matches!(
            decode(lines(most + 1).as_bytes()),
            Err(DecodeError::TooMany { .. })
        ));
    }
}
