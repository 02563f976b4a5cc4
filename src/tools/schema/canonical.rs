//! Values as texts that are equal exactly if JSON Schema calls the values equal: 1.0 is 1, and the
//! order of members says nothing (2020-12 Core, section 4.2.2).

use serde_json::Value;

use super::decimal::Decimal;

/// The text of a value.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) => text.push_str(&Decimal::of(number).canonical()),
        Value::Array(elements) => {
            text.push('[');
            for element in elements {
                write(element, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(members) => {
            // Sorted here, since whether a map is depends on a feature of serde_json.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (name, value) in members {
                write_string(name, text);
                text.push(':');
                write(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::String(string) => write_string(string, text),
        Value::Bool(_) | Value::Null => text.push_str(&value.to_string()),
    }
}

/// The length in front tells where the string ends, whatever is in it.
fn write_string(string: &str, text: &mut String) {
    text.push_str(&string.len().to_string());
    text.push('"');
    text.push_str(string);
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[track_caller]
    fn check(a: &str, b: &str, expected: bool) {
        let read = |text: &str| canonical(&serde_json::from_str(text).unwrap());
        assert_eq!(read(a) == read(b), expected, "{a} {b}");
    }

    #[test]
    fn equal_values_are_equal_texts() {
        check("1", "1.0", true);
        check("[100, -0.0]", "[1e2, 0]", true);
        check("9007199254740993", "9007199254740992", false);
        check(r#"{"a":1,"b":[2]}"#, r#"{"b":[2.0],"a":1}"#, true);
        check(r#"{"a":1}"#, r#"{"a":2}"#, false);
        check(r#"["a","b"]"#, r#"["a\",1\"b"]"#, false);
        check(r#""1""#, "1", false);
        check("false", "0", false);
        check("null", r#""null""#, false);
        check("[[1],[2]]", "[[1,2]]", false);
    }
}
