//! The few changes of type that lose nothing and leave no doubt: models write `"5"` for 5.
//!
//! Never from a number to a string: `007` and `1e3` are gone by then. Never by guessing: `"yes"` is
//! no boolean, `""` no number. A `null` is a member left out, at most (`check/mod.rs`).

use serde_json::{Number, Value};

use super::decimal::Decimal;
use super::kind::{Kind, Kinds};

/// `value` as one of the kinds of `targets`, if it is none of them and can be made one; also 5.0 as
/// 5 where integers are wanted.
pub(super) fn coerced(value: &Value, targets: Kinds, arrays_from_strings: bool) -> Option<Value> {
    match value {
        Value::Number(number) if number.is_f64() => {
            let is_wanted = targets.has(Kind::Integer) && !targets.has(Kind::Number);
            let integer = Decimal::of(number).to_integer().filter(|_| is_wanted);
            integer.map(Value::Number)
        }
        Value::String(_) if targets.has(Kind::String) => None,
        Value::String(text) => {
            let is_numeric = targets.has(Kind::Integer) || targets.has(Kind::Number);
            if targets.has(Kind::Boolean) && matches!(text.as_str(), "true" | "false") {
                return Some(Value::Bool(text == "true"));
            }
            if is_numeric && let Some(number) = number(text, targets) {
                return Some(Value::Number(number));
            }
            if targets.has(Kind::Array) && arrays_from_strings {
                return array(text);
            }
            None
        }
        _ => None,
    }
}

fn number(text: &str, targets: Kinds) -> Option<Number> {
    let decimal = Decimal::parse(text)?;
    if let Some(integer) = decimal.to_integer() {
        return Some(integer);
    }
    // Beyond 64 bits a whole number would lose digits without a word.
    if !targets.has(Kind::Number) || decimal.is_integer() {
        return None;
    }
    text.parse().ok().and_then(Number::from_f64)
}

fn array(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    value.is_array().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(value: Value, kinds: &[Kind], expected: Option<Value>) {
        let kinds = kinds.iter().copied().collect();
        let result = coerced(&value, kinds, false);
        // By text: 5 and 5.0 are to be told apart here.
        let text = |value: Option<Value>| value.map(|value| value.to_string());
        assert_eq!(text(result), text(expected), "{value}");
    }

    #[test]
    fn what_is_safe_is_coerced() {
        use Kind::{Array, Boolean, Integer, Null, Number, Object, String};
        check(json!("5"), &[Integer], Some(json!(5)));
        check(json!(5.0), &[Integer], Some(json!(5)));
        check(json!("5.0"), &[Integer], Some(json!(5)));
        check(json!("5"), &[Number], Some(json!(5)));
        check(json!("2.5"), &[Number], Some(json!(2.5)));
        check(json!("2.5"), &[Integer, Number], Some(json!(2.5)));
        check(json!("-1e-2"), &[Number], Some(json!(-0.01)));
        check(json!("true"), &[Boolean], Some(json!(true)));
        check(json!("false"), &[Boolean, Null], Some(json!(false)));
        check(
            json!("9007199254740993"),
            &[Integer],
            Some(json!(9_007_199_254_740_993_u64)),
        );
        for kinds in [
            &[Integer][..],
            &[Boolean],
            &[Null],
            &[Object],
            &[Array],
            &[],
        ] {
            for text in [
                "", " 5", "5 ", "+5", "0x5", "yes", "True", "null", "[1]", "{}", "٥",
            ] {
                check(json!(text), kinds, None);
            }
        }
        check(json!("2.5"), &[Integer], None);
        check(json!("5"), &[Integer, String], None);
        check(json!(5.5), &[Integer], None);
        check(json!(5.0), &[Number], None);
        check(json!(5.0), &[Integer, Number], None);
        check(json!(5), &[String], None);
        check(json!(true), &[String], None);
        check(json!(1), &[Boolean], None);
        check(json!(true), &[Integer], None);
        check(json!(null), &[Integer], None);
        check(json!("99999999999999999999"), &[Number], None);
        check(json!("1e999"), &[Number], None);
    }

    #[test]
    fn arrays_come_out_of_strings_only_when_asked_for() {
        let kinds = [Kind::Array].into_iter().collect();
        let read = |text: &str| coerced(&json!(text), kinds, true);
        assert_eq!(read("[1, \"a\"]"), Some(json!([1, "a"])));
        assert_eq!(read("{\"a\": 1}"), None);
        assert_eq!(read("1, 2"), None);
        assert_eq!(read("[1"), None);
        assert_eq!(coerced(&json!("[1]"), kinds, false), None);
    }
}
