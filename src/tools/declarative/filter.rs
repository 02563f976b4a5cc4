//! The filters of a reference, `{since|time:unix}`: small, total, and with no way to loop.

use serde_json::Value;

use crate::base64;
use crate::nearest::nearest;

use super::time;
use crate::tools::written::quoted;

/// One step between a value and its place in a request.
#[derive(Debug)]
pub(super) enum Filter {
    Base64,
    Default(Box<str>),
    DurationMs,
    DurationSeconds,
    Html,
    Int,
    Join(Box<str>),
    Json,
    Lower,
    Not,
    Prefix(Box<str>),
    Split(Box<str>),
    String,
    Suffix(Box<str>),
    TimeMs,
    TimeRfc3339,
    TimeUnix,
    Trim,
    TrimPrefix(Box<str>),
    TrimSuffix(Box<str>),
    Upper,
}

pub(super) const NAMES: [&str; 18] = [
    "base64",
    "default",
    "dur",
    "html",
    "int",
    "join",
    "json",
    "lower",
    "not",
    "prefix",
    "split",
    "string",
    "suffix",
    "time",
    "trim",
    "trim_prefix",
    "trim_suffix",
    "upper",
];

impl Filter {
    /// Reads `name` or `name:argument`; the argument without escapes.
    pub(super) fn parse(name: &str, argument: Option<&str>) -> Result<Filter, String> {
        let bare = |filter| match argument {
            None => Ok(filter),
            Some(_) => Err(format!("filter `{name}` takes no argument")),
        };
        let with = |make: fn(Box<str>) -> Filter| match argument {
            Some(argument) => Ok(make(argument.into())),
            None => Err(format!("filter `{name}` needs an argument: `{name}:…`")),
        };
        match name {
            "base64" => bare(Filter::Base64),
            "default" => with(Filter::Default),
            "html" => bare(Filter::Html),
            "int" => bare(Filter::Int),
            "join" => with(Filter::Join),
            "json" => bare(Filter::Json),
            "lower" => bare(Filter::Lower),
            "not" => bare(Filter::Not),
            "prefix" => with(Filter::Prefix),
            "split" => with(Filter::Split),
            "string" => bare(Filter::String),
            "suffix" => with(Filter::Suffix),
            "trim" => bare(Filter::Trim),
            "trim_prefix" => with(Filter::TrimPrefix),
            "trim_suffix" => with(Filter::TrimSuffix),
            "upper" => bare(Filter::Upper),
            "time" => match argument {
                Some("unix") => Ok(Filter::TimeUnix),
                Some("ms") => Ok(Filter::TimeMs),
                Some("rfc3339") => Ok(Filter::TimeRfc3339),
                _ => Err("filter `time` is `time:unix`, `time:ms` or `time:rfc3339`".to_owned()),
            },
            "dur" => match argument {
                Some("s") => Ok(Filter::DurationSeconds),
                Some("ms") => Ok(Filter::DurationMs),
                _ => Err("filter `dur` is `dur:s` or `dur:ms`".to_owned()),
            },
            _ => {
                let known = || NAMES.into_iter().chain(["upper"]);
                let remedy = match nearest(name, known()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known are {}", quoted(&mut known())),
                };
                Err(format!("unknown filter `{name}`; {remedy}"))
            }
        }
    }

    /// Whether it makes something of a time or a duration.
    pub(super) fn reads_time(&self) -> bool {
        matches!(
            self,
            Filter::DurationMs
                | Filter::DurationSeconds
                | Filter::TimeMs
                | Filter::TimeRfc3339
                | Filter::TimeUnix
        )
    }

    /// Puts a value through. The error says what was found and what would have done.
    pub(super) fn apply(&self, value: Value, now_ms: i64) -> Result<Value, String> {
        let text = |value: &Value| text_of(value);
        Ok(match self {
            // Whoever comes here is present.
            Filter::Default(_) => value,
            Filter::Base64 => base64::encode(text(&value).as_bytes()).into(),
            Filter::DurationMs => duration(&value)?.into(),
            Filter::DurationSeconds => (duration(&value)? / 1000).into(),
            Filter::Html => html(&text(&value)).into(),
            Filter::Int => int(&value)?.into(),
            Filter::Join(between) => match &value {
                Value::Array(items) => {
                    let texts: Vec<String> = items.iter().map(text_of).collect();
                    texts.join(between).into()
                }
                other => text_of(other).into(),
            },
            Filter::Json => value.to_string().into(),
            Filter::Lower => text(&value).to_lowercase().into(),
            Filter::Not => match value {
                Value::Bool(yes) => Value::Bool(!yes),
                other => return Err(format!("found {other}, expected `true` or `false`")),
            },
            Filter::Prefix(prefix) => format!("{prefix}{}", text(&value)).into(),
            Filter::Split(at) => {
                let text = text(&value);
                let pieces = text.split(&**at).map(str::trim);
                pieces.filter(|piece| !piece.is_empty()).collect()
            }
            Filter::String => text(&value).into(),
            Filter::Suffix(suffix) => format!("{}{suffix}", text(&value)).into(),
            Filter::TimeMs => point(&value, now_ms)?.into(),
            Filter::TimeRfc3339 => {
                let ms = point(&value, now_ms)?;
                time::rfc3339(ms)
                    .ok_or("the year is outside 0 to 9999")?
                    .into()
            }
            Filter::TimeUnix => point(&value, now_ms)?.div_euclid(1000).into(),
            Filter::Trim => text(&value).trim().into(),
            Filter::TrimPrefix(prefix) => {
                let text = text(&value);
                text.strip_prefix(&**prefix).unwrap_or(&text).into()
            }
            Filter::TrimSuffix(suffix) => {
                let text = text(&value);
                text.strip_suffix(&**suffix).unwrap_or(&text).into()
            }
            Filter::Upper => text(&value).to_uppercase().into(),
        })
    }
}

/// A value within text: texts as they are, the rest as JSON writes it.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn int(value: &Value) -> Result<i64, String> {
    let found = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    let whole = match found.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
            whole
        }
        _ => &found,
    };
    whole
        .parse()
        .map_err(|_| format!("found `{found}`, expected an integer"))
}

fn duration(value: &Value) -> Result<i64, String> {
    let found = text_of(value);
    time::parse_duration(&found).ok_or_else(|| {
        format!("found `{found}`, expected a duration such as `90`, `5m` or `1h30m`")
    })
}

/// The point in time a value names, in milliseconds.
pub(super) fn point(value: &Value, now_ms: i64) -> Result<i64, String> {
    let found = text_of(value);
    time::parse_time(&found, now_ms).ok_or_else(|| {
        format!(
            "found `{found}`, expected a time: RFC 3339, unix seconds, `now`, `now-1h`, or `7d` for that long ago"
        )
    })
}

/// Text as HTML: what would be markup is escaped, lines stay apart.
fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(text.len() / 8));
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' => out.push_str("<br>"),
            c => out.push(c),
        }
    }
    out
}

/// For fuzzing: a filter on the first line, as `name` or `name:argument`, and JSON behind it.
#[doc(hidden)]
pub fn fuzz_filter(text: &str) {
    let (filter, json) = text.split_once('\n').unwrap_or((text, "\"\""));
    let (name, argument) = match filter.split_once(':') {
        Some((name, argument)) => (name, Some(argument)),
        None => (filter, None),
    };
    let (Ok(filter), Ok(value)) = (Filter::parse(name, argument), serde_json::from_str(json))
    else {
        return;
    };
    for now_ms in [0, 1_795_262_400_000, i64::MAX, i64::MIN] {
        if let Err(problem) = filter.apply(Value::clone(&value), now_ms) {
            assert!(!problem.is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// 2026-11-21T12:00:00Z.
    const NOW: i64 = 1_795_262_400_000;

    #[track_caller]
    fn check(filter: &str, given: Value, expected: Value) {
        let (name, argument) = match filter.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (filter, None),
        };
        let filter = Filter::parse(name, argument).unwrap();
        assert_eq!(filter.apply(given, NOW), Ok(expected));
    }

    #[track_caller]
    fn refuse(filter: &str, given: Value) {
        let (name, argument) = match filter.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (filter, None),
        };
        let filter = Filter::parse(name, argument).unwrap();
        let error = filter.apply(given, NOW).unwrap_err();
        assert!(error.contains("expected"), "{error}");
    }

    #[test]
    fn f6_filters_change_values() {
        check("int", json!("5"), json!(5));
        check("int", json!(5.0), json!(5));
        check("int", json!("-7"), json!(-7));
        refuse("int", json!("5x"));
        refuse("int", json!(5.5));
        refuse("int", json!([5]));
        check("lower", json!("AbÄ"), json!("abä"));
        check("upper", json!("ab"), json!("AB"));
        check("trim", json!(" a "), json!("a"));
        check("trim_prefix:/", json!("/web"), json!("web"));
        check("trim_prefix:/", json!("web"), json!("web"));
        check("trim_suffix:.md", json!("a.md"), json!("a"));
        check("prefix:(", json!("a"), json!("(a"));
        check("suffix:.md", json!("a"), json!("a.md"));
        check("join:,", json!(["a", 1, true]), json!("a,1,true"));
        check("join:,", json!("a"), json!("a"));
        check("split:,", json!("a, b,,"), json!(["a", "b"]));
        check("json", json!({"a": [1]}), json!("{\"a\":[1]}"));
        check("string", json!(5), json!("5"));
        check("html", json!("a<b>\r\n&c"), json!("a&lt;b&gt;<br>&amp;c"));
        check("base64", json!("abc"), json!("YWJj"));
        check("not", json!(true), json!(false));
        refuse("not", json!("true"));
        check("default:x", json!("y"), json!("y"));
    }

    #[test]
    fn f6_times_and_durations() {
        check("time:unix", json!("now"), json!(NOW / 1000));
        check("time:unix", json!(1_795_262_400), json!(NOW / 1000));
        check("time:ms", json!("1h"), json!(NOW - 3_600_000));
        check(
            "time:rfc3339",
            json!("2026-11-21"),
            json!("2026-11-21T00:00:00Z"),
        );
        refuse("time:unix", json!("tomorrow"));
        refuse("time:unix", json!({}));
        check("dur:s", json!("1h30m"), json!(5400));
        check("dur:ms", json!(90), json!(90_000));
        refuse("dur:s", json!("7 days"));
    }

    #[test]
    fn unknown_filters_and_missing_arguments_are_refused() {
        for (name, argument, part) in [
            ("lowr", None, "did you mean `lower`?"),
            ("frobnicate", None, "known are"),
            ("lower", Some("x"), "takes no argument"),
            ("join", None, "needs an argument"),
            ("time", Some("iso"), "time:unix"),
            ("dur", None, "dur:s"),
        ] {
            let error = Filter::parse(name, argument).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
