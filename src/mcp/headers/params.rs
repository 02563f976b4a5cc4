//! `Mcp-Param-*`: arguments of a tool call that a client repeats in headers.
//!
//! Which arguments those are stands in the tool's schema and was checked at load
//! ([`HeaderParam`]). Called by the dispatcher after the tool is known and before it runs.

use serde_json::Value;

use super::{HeaderMismatch, HeaderProblem, HeaderSource, mismatch, one_value};
use crate::mcp::tool::{HeaderParam, HeaderParamKind};
use crate::raw::Raw;

/// Compares the mirrored arguments of a tool call with their headers. `arguments` is the JSON
/// object of the call.
pub fn match_params(
    headers: &dyn HeaderSource,
    params: &[HeaderParam],
    arguments: Option<Raw<'_>>,
) -> Result<(), HeaderMismatch> {
    if params.is_empty() {
        return Ok(());
    }
    let arguments = arguments.and_then(|arguments| serde_json::from_str(arguments.get()).ok());
    let arguments: Value = arguments.unwrap_or(Value::Null);
    for param in params {
        let header = one_value(headers, &param.header)?;
        let value = param
            .path
            .iter()
            .try_fold(&arguments, |value, name| value.get(name));
        match (header, value.filter(|value| !value.is_null())) {
            (None, None) => (),
            (None, Some(_)) => return Err(mismatch(&param.header, HeaderProblem::Missing)),
            (Some(_), None) => return Err(mismatch(&param.header, HeaderProblem::Unexpected)),
            (Some(header), Some(value)) => match_value(param, &header, value)?,
        }
    }
    Ok(())
}

fn match_value(param: &HeaderParam, header: &str, value: &Value) -> Result<(), HeaderMismatch> {
    let is_same = match (param.kind, value) {
        (HeaderParamKind::Boolean, Value::Bool(flag)) => {
            header == if *flag { "true" } else { "false" }
        }
        (HeaderParamKind::Integer, Value::Number(number)) => {
            let number = number.as_f64().and_then(safe_integer);
            number.is_some() && header_integer(header) == number
        }
        (HeaderParamKind::String, Value::String(text)) => header == text,
        // An argument of the wrong type is refused by the check of arguments; here it only must
        // not be waved through with a header that says something else.
        (_, Value::String(text)) => header == text,
        (_, other) => {
            let text = other.to_string();
            header == text
        }
    };
    if is_same {
        return Ok(());
    }
    let body = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let problem = HeaderProblem::Differs {
        header: header.to_owned(),
        body,
    };
    Err(mismatch(&param.header, problem))
}

/// The integer a header spells: decimal, with a fraction only if that is zero (`42.0` is 42).
fn header_integer(text: &str) -> Option<i64> {
    const DIGITS_MAX: usize = 16;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_decimal = (1..=DIGITS_MAX).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=DIGITS_MAX).contains(&fraction.len())
        && fraction.bytes().all(|byte| byte == b'0');
    if !is_decimal {
        return None;
    }
    whole
        .parse()
        .ok()
        .filter(|number: &i64| number.unsigned_abs() < SAFE_INTEGER_END)
}

/// 2^53: integers below it are exact in every JSON reader.
const SAFE_INTEGER_END: u64 = 1 << 53;

fn safe_integer(number: f64) -> Option<i64> {
    // A whole float within ±(2^53 − 1) prints as that integer, and parsing it avoids a cast.
    if number.fract() != 0.0 || number.abs() >= 9_007_199_254_740_992.0 {
        return None;
    }
    format!("{number:.0}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::head;
    use super::*;

    fn params() -> Vec<HeaderParam> {
        let param = |name: &str, path: &[&str], kind| HeaderParam {
            header: format!("Mcp-Param-{name}"),
            path: path.iter().map(|name| (*name).to_owned()).collect(),
            kind,
        };
        vec![
            param("S", &["s"], HeaderParamKind::String),
            param("I", &["deep", "i"], HeaderParamKind::Integer),
            param("B", &["b"], HeaderParamKind::Boolean),
        ]
    }

    #[track_caller]
    fn check(headers: &[(&'static str, &str)], arguments: &str, expected: Option<HeaderProblem>) {
        let arguments = Raw::parse(arguments).unwrap();
        let result = match_params(&head(headers), &params(), Some(arguments));
        assert_eq!(
            result.err().map(|error| error.problem),
            expected,
            "{headers:?} {arguments:?}"
        );
    }

    fn differs(header: &str, body: &str) -> Option<HeaderProblem> {
        Some(HeaderProblem::Differs {
            header: header.into(),
            body: body.into(),
        })
    }

    #[test]
    fn strings() {
        let hello = r#"{"s":"Hello"}"#;
        check(&[("mcp-param-s", "Hello")], hello, None);
        check(&[("Mcp-Param-S", "=?base64?SGVsbG8=?=")], hello, None);
        check(&[], hello, Some(HeaderProblem::Missing));
        check(
            &[("Mcp-Param-S", "hello")],
            hello,
            differs("hello", "Hello"),
        );
        check(
            &[("Mcp-Param-S", "=?base64?SGVsbG8?=")],
            hello,
            Some(HeaderProblem::Malformed),
        );
        check(
            &[("Mcp-Param-S", "=?base64?SGVs!G8=?=")],
            hello,
            Some(HeaderProblem::Malformed),
        );
        check(
            &[("Mcp-Param-S", "=?base64?/w==?=")],
            hello,
            Some(HeaderProblem::Malformed),
        );
        check(
            &[("Mcp-Param-S", "SGVsbG8=?=")],
            hello,
            differs("SGVsbG8=?=", "Hello"),
        );
        check(
            &[("Mcp-Param-S", "SGVsbG8=?=")],
            r#"{"s":"SGVsbG8=?="}"#,
            None,
        );
        check(
            &[("Mcp-Param-S", "=?base64?SGVsbG8=")],
            r#"{"s":"=?base64?SGVsbG8="}"#,
            None,
        );
        check(
            &[("Mcp-Param-S", "=?BASE64?SGVsbG8=?=")],
            hello,
            differs("=?BASE64?SGVsbG8=?=", "Hello"),
        );
        check(&[("Mcp-Param-S", "=?base64??=")], r#"{"s":""}"#, None);
        check(
            &[("Mcp-Param-S", "=?base64?=")],
            r#"{"s":"=?base64?="}"#,
            None,
        );
        check(
            &[("Mcp-Param-S", "a"), ("Mcp-Param-S", "a")],
            r#"{"s":"a"}"#,
            Some(HeaderProblem::Repeated),
        );
    }

    #[test]
    fn absent_and_null_want_no_header() {
        check(&[], "{}", None);
        check(&[], r#"{"s":null,"deep":{"i":null}}"#, None);
        check(&[], r#"{"deep":null}"#, None);
        check(
            &[("Mcp-Param-S", "x")],
            "{}",
            Some(HeaderProblem::Unexpected),
        );
        check(
            &[("Mcp-Param-S", "null")],
            r#"{"s":null}"#,
            Some(HeaderProblem::Unexpected),
        );
        assert_eq!(match_params(&head(&[]), &params(), None), Ok(()));
        assert_eq!(
            match_params(&head(&[("Mcp-Param-X", "x")]), &[], None),
            Ok(())
        );
    }

    #[test]
    fn integers_by_value() {
        for (header, body) in [
            ("42", "42"),
            ("42.0", "42"),
            ("42", "42.0"),
            ("-7", "-7"),
            ("-0", "0"),
            ("007", "7"),
            ("9007199254740991", "9007199254740991"),
        ] {
            check(
                &[("Mcp-Param-I", header)],
                &format!(r#"{{"deep":{{"i":{body}}}}}"#),
                None,
            );
        }
        for (header, body) in [
            ("43", "42"),
            ("42.5", "42"),
            ("42.", "42"),
            (".0", "0"),
            ("", "0"),
            ("+1", "1"),
            ("1e2", "100"),
            ("0x1", "1"),
            ("9007199254740992", "9007199254740992"),
            ("1", "true"),
        ] {
            let arguments = format!(r#"{{"deep":{{"i":{body}}}}}"#);
            check(
                &[("Mcp-Param-I", header)],
                &arguments,
                differs(header, body),
            );
        }
    }

    #[test]
    fn booleans() {
        check(&[("Mcp-Param-B", "true")], r#"{"b":true}"#, None);
        check(&[("Mcp-Param-B", "false")], r#"{"b":false}"#, None);
        check(
            &[("Mcp-Param-B", "True")],
            r#"{"b":true}"#,
            differs("True", "true"),
        );
        check(
            &[("Mcp-Param-B", "1")],
            r#"{"b":true}"#,
            differs("1", "true"),
        );
        check(
            &[("Mcp-Param-B", "false")],
            r#"{"b":true}"#,
            differs("false", "true"),
        );
    }
}
