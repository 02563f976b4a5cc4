//! What is said when a service does not do as it was asked: one line, short, without secrets.

use serde_json::Value;

use super::filter::text_of;

/// Longest message in characters. A model needs the cause; the rest of a stack trace is noise it would have to read.
const TEXT_CHARS_MAX: usize = 300;
/// Shorter texts are no secrets, and masking them would make nonsense of a message.
const SECRET_BYTES_MIN: usize = 3;

/// A text as one line of at most [`TEXT_CHARS_MAX`] characters.
pub(super) fn one_line(text: &str) -> String {
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    let words = text.split(is_gap).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(TEXT_CHARS_MAX) {
        None => line,
        Some(_) => {
            let mut cut: String = line.chars().take(TEXT_CHARS_MAX - 1).collect();
            cut.push('…');
            cut
        }
    }
}

/// A text without any of the secrets, as they are, as they stand in a URL and as they stand in JSON.
pub(super) fn masked<'s>(text: &str, secrets: impl Iterator<Item = &'s str>) -> String {
    let mut text = text.to_owned();
    for secret in secrets.filter(|secret| secret.len() >= SECRET_BYTES_MIN) {
        let json = Value::from(secret).to_string();
        let within = json
            .strip_prefix('"')
            .and_then(|json| json.strip_suffix('"'));
        let json = within.unwrap_or(&json).to_owned();
        for shape in [secret.to_owned(), super::request::encoded(secret), json] {
            if text.contains(&shape) {
                text = text.replace(&shape, "***");
            }
        }
    }
    text
}

/// The message in the body of a failed answer: at the first pointer that leads to one, else a body that is one short
/// line. Never markup: the page of a proxy says nothing to a model.
pub(super) fn message(body: &[u8], error_at: &[Box<str>]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        let found = error_at
            .iter()
            .find_map(|pointer| said(value.pointer(pointer)?));
        return found.or_else(|| said(&value).filter(|_| value.is_string()));
    }
    let is_line = !text.is_empty()
        && text.chars().count() <= TEXT_CHARS_MAX
        && !text.starts_with(['<', '{', '['])
        && !text.contains('\n');
    is_line.then(|| text.to_owned())
}

/// What a value says, if it says anything.
fn said(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null | Value::Bool(_) => return None,
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().filter_map(said).collect();
            texts.join("; ")
        }
        Value::Object(members) => {
            let texts = members
                .iter()
                .filter_map(|(name, value)| Some(format!("{name}: {}", said(value)?)));
            texts.collect::<Vec<_>>().join("; ")
        }
        other => text_of(other),
    };
    Some(text).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f17_a_message_is_one_line_of_300_characters_at_most() {
        assert_eq!(one_line(" a\r\n\tb\u{1b}[1m  c "), "a b [1m c");
        let exact = "ä".repeat(300);
        assert_eq!(one_line(&exact), exact);
        let long = one_line(&"ä".repeat(301));
        assert_eq!(long.chars().count(), 300);
        assert!(long.ends_with("ä…"));
    }

    #[test]
    fn f17_secrets_are_masked_in_every_shape() {
        let mask = |text: &str| masked(text, ["to/ken", "a\"b", "ab", ""].into_iter());
        assert_eq!(mask("x to/ken y to%2Fken z"), "x *** y *** z");
        assert_eq!(mask(r#"{"password":"a\"b"}"#), r#"{"password":"***"}"#);
        assert_eq!(mask("abcab"), "abcab");
    }

    #[test]
    fn f17_the_message_comes_from_the_first_pointer_that_leads_to_one() {
        let at = ["/message", "/errors"].map(Box::from);
        let message = |body: &str| message(body.as_bytes(), &at);
        for (body, expected) in [
            (
                r#"{"message":"no such container"}"#,
                Some("no such container"),
            ),
            (r#"{"message":"","errors":["a",{"b":1}]}"#, Some("a; b: 1")),
            (r#"{"message":null,"errors":[]}"#, None),
            (
                r#"{"message":{"tags":["Invalid pk","x"],"n":null}}"#,
                Some("tags: Invalid pk; x"),
            ),
            (r#"{"other":"x"}"#, None),
            (r#""just text""#, Some("just text")),
            ("404 page not found\n", Some("404 page not found")),
            ("<html>secret page</html>", None),
            ("two\nlines", None),
            ("{broken", None),
            ("", None),
        ] {
            assert_eq!(message(body).as_deref(), expected, "{body}");
        }
        assert_eq!(super::message(b"\xff\xfe", &at), None);
    }
}
