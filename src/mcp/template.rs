//! URI templates: `{id}` is one percent-encoded segment, `{+path}` may hold reserved characters.
//!
//! RFC 6570 level 1 and the `+` operator of level 2; other operators, modifiers and lists are
//! refused at load. Two variables must have a literal between them, so that a URI has at most one
//! reading. Called by resource templates and by completion.

use std::fmt;

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriTemplate {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable { name: String, reserved: bool },
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// Two variables touch; where one ends and the other begins could not be told.
    Adjacent {
        /// The name of the second.
        name: String,
    },
    /// Two variables have one name.
    Duplicate {
        /// The name.
        name: String,
    },
    /// An expression that is not `{name}` or `{+name}`.
    Expression {
        /// What stands between the braces.
        text: String,
    },
    /// A brace without its partner.
    Unbalanced {
        /// Byte position of the brace.
        at: usize,
    },
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TemplateError::Adjacent { name } => {
                write!(
                    f,
                    "variable `{name}` follows another without a literal between them"
                )
            }
            TemplateError::Duplicate { name } => write!(f, "variable `{name}` stands twice"),
            TemplateError::Expression { text } => {
                write!(
                    f,
                    "expression `{{{text}}}` is neither `{{name}}` nor `{{+name}}`"
                )
            }
            TemplateError::Unbalanced { at } => write!(f, "brace at byte {at} has no partner"),
        }
    }
}

impl std::error::Error for TemplateError {}

impl UriTemplate {
    /// Parses a template; one without variables is fine and matches itself.
    pub fn parse(text: &str) -> Result<UriTemplate, TemplateError> {
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (literal, tail) = rest.split_at(rest.find(['{', '}']).unwrap_or(rest.len()));
            let unbalanced = TemplateError::Unbalanced {
                at: text.len().saturating_sub(tail.len()),
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let Some(expression) = tail.strip_prefix('{') else {
                if tail.is_empty() {
                    break;
                }
                return Err(unbalanced);
            };
            let Some((expression, tail)) = expression.split_once('}') else {
                return Err(unbalanced);
            };
            parts.push(parse_variable(expression, &parts)?);
            rest = tail;
        }
        Ok(UriTemplate {
            text: text.to_owned(),
            parts,
        })
    }

    /// The text it was parsed from.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of the variables, in their order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Variable { name, .. } => Some(name.as_str()),
        })
    }

    /// The variables' values, decoded, if `uri` is of this family. A value is never empty. A
    /// simple one has no `/`, `?` or `#`, not even encoded, and is neither `.` nor `..`; in a
    /// reserved one no segment is `.` or `..`, for they would walk out of the family.
    pub fn matches(&self, uri: &str) -> Option<Vec<(&str, String)>> {
        let mut values = Vec::new();
        match_parts(&self.parts, uri, &mut values)?;
        Some(values)
    }

    /// The URI for these values; `None` if one is missing, empty, or could not be matched back.
    pub fn expand(&self, value_of: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut uri = String::new();
        let mut values = Vec::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => uri.push_str(literal),
                Part::Variable { name, reserved } => {
                    let value = value_of(name)?;
                    encode_into(&mut uri, &value, *reserved);
                    values.push((name.as_str(), value));
                }
            }
        }
        // A value that has the literal behind it in itself would be cut there: `a.b` for `x` in `{x}.{y}`.
        (self.matches(&uri)? == values).then_some(uri)
    }
}

fn parse_variable(expression: &str, before: &[Part]) -> Result<Part, TemplateError> {
    let (reserved, name) = match expression.strip_prefix('+') {
        Some(name) => (true, name),
        None => (false, expression),
    };
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name {
        return Err(TemplateError::Expression {
            text: expression.to_owned(),
        });
    }
    let name = name.to_owned();
    if matches!(before.last(), Some(Part::Variable { .. })) {
        return Err(TemplateError::Adjacent { name });
    }
    let is_known =
        |part: &Part| matches!(part, Part::Variable { name: known, .. } if *known == name);
    if before.iter().any(is_known) {
        return Err(TemplateError::Duplicate { name });
    }
    Ok(Part::Variable { name, reserved })
}

/// A variable takes as little as lets the literal after it match, the last one all the rest. No
/// backtracking: the time is linear in the URI, which comes from outside.
fn match_parts<'t>(
    parts: &'t [Part],
    uri: &str,
    values: &mut Vec<(&'t str, String)>,
) -> Option<()> {
    let mut rest = uri;
    let mut parts = parts;
    while let [part, following @ ..] = parts {
        parts = following;
        match part {
            Part::Literal(literal) => rest = rest.strip_prefix(literal.as_str())?,
            Part::Variable { name, reserved } => {
                let end = match following {
                    [] => rest.len(),
                    // The last literal must end the URI, so it is looked for from the end.
                    [Part::Literal(literal)] => rest
                        .len()
                        .checked_sub(literal.len())
                        .filter(|_| rest.ends_with(literal.as_str()))?,
                    [Part::Literal(literal), ..] => rest.find(literal.as_str())?,
                    [Part::Variable { .. }, ..] => return None,
                };
                let (encoded, tail) = rest.split_at(end);
                if !reserved && encoded.contains(['/', '?', '#']) {
                    return None;
                }
                let value = decode(encoded)?;
                if !value_is_allowed(&value, *reserved) {
                    return None;
                }
                values.push((name.as_str(), value));
                rest = tail;
            }
        }
    }
    rest.is_empty().then_some(())
}

fn value_is_allowed(value: &str, reserved: bool) -> bool {
    if value.is_empty() || value.chars().any(char::is_control) {
        return false;
    }
    if reserved {
        return value
            .split(['/', '\\'])
            .all(|segment| segment != "." && segment != "..");
    }
    !value.contains(['/', '\\', '?', '#']) && value != "." && value != ".."
}

/// Percent-decoding; `None` on a broken escape or on bytes that are not UTF-8.
fn decode(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        if byte != b'%' {
            bytes.push(byte);
            rest = tail;
            continue;
        }
        let [high, low, tail @ ..] = tail else {
            return None;
        };
        bytes.push(hex(*high)? << 4 | hex(*low)?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16)?.try_into().ok()
}

/// RFC 6570 section 3.2.1: everything but unreserved characters is encoded; with `+` the reserved
/// ones (RFC 3986 section 2.2) stay as well.
fn encode_into(uri: &mut String, value: &str, reserved: bool) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in value.as_bytes() {
        let is_unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if is_unreserved || (reserved && b":/?#[]@!$&'()*+,;=".contains(&byte)) {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            for digit in [byte >> 4, byte & 0x0f] {
                // Four bits are below 16.
                uri.extend(
                    DIGITS
                        .get(usize::from(digit))
                        .map(|digit| char::from(*digit)),
                );
            }
        }
    }
}

/// For fuzzing: a template on the first line, an address on the second. What matches is expanded to an address that
/// matches with the same values.
#[doc(hidden)]
pub fn fuzz_template(text: &str) {
    let (template, uri) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(template) = UriTemplate::parse(template) else {
        return;
    };
    let Some(values) = template.matches(uri) else {
        return;
    };
    let value_of = |name: &str| values.iter().find(|value| value.0 == name);
    let expanded = template.expand(|name| value_of(name).map(|value| value.1.clone()));
    // None where an escape hid the literal behind a variable: what we make has no such escape.
    if let Some(expanded) = expanded {
        assert_eq!(template.matches(&expanded), Some(values), "{expanded}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, uri: &str, expected: Option<&[(&str, &str)]>) {
        let template = UriTemplate::parse(template).unwrap();
        let matched = template.matches(uri);
        let matched: Option<Vec<(&str, &str)>> = matched.as_ref().map(|values| {
            values
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect()
        });
        assert_eq!(matched.as_deref(), expected, "{uri}");
        if let Some(values) = expected {
            let again = template
                .expand(|name| {
                    values
                        .iter()
                        .find(|(known, _)| *known == name)
                        .map(|(_, v)| (*v).into())
                })
                .unwrap();
            assert_eq!(template.matches(&again), template.matches(uri));
        }
    }

    #[test]
    fn one_segment() {
        let t = "test://template/{id}/data";
        check(t, "test://template/123/data", Some(&[("id", "123")]));
        check(
            t,
            "test://template/a%20b%C3%A9/data",
            Some(&[("id", "a bé")]),
        );
        check(t, "test://template//data", None);
        check(t, "test://template/1/2/data", None);
        check(t, "test://template/1%2F2/data", None);
        check(t, "test://template/../data", None);
        check(t, "test://template/%2e%2E/data", None);
        check(t, "test://template/1/data/", None);
        check(t, "test://template/1/dat", None);
        check(t, "test://template/%zz/data", None);
        check(t, "test://template/%2/data", None);
        check(t, "test://template/%ff/data", None);
        check(t, "test://template/%00/data", None);
        check(t, "Test://template/1/data", None);
        check(t, "", None);
    }

    #[test]
    fn several_and_none() {
        check(
            "d://{a}/{b}.txt",
            "d://x/y.z.txt",
            Some(&[("a", "x"), ("b", "y.z")]),
        );
        check(
            "d://{a}-{b}",
            "d://x-y-z",
            Some(&[("a", "x"), ("b", "y-z")]),
        );
        check("d://fixed", "d://fixed", Some(&[]));
        check("d://fixed", "d://fixed2", None);
        check("{a}", "x", Some(&[("a", "x")]));
    }

    #[test]
    fn reserved_values() {
        let t = "file:///{+path}";
        check(t, "file:///a/b%20c.txt", Some(&[("path", "a/b c.txt")]));
        check(t, "file:///a/../b", None);
        check(t, "file:///a/%2e%2e/b", None);
        check(t, "file:///..%5cb", None);
        check(t, "file:///", None);
        check("f:{+p}/end", "f:a/end/end", Some(&[("p", "a/end")]));
    }

    #[test]
    fn expansion_encodes() {
        let template = UriTemplate::parse("a:{x}/{+y}").unwrap();
        let uri = template.expand(|name| Some(if name == "x" { "é b" } else { "p/q r" }.into()));
        assert_eq!(uri.as_deref(), Some("a:%C3%A9%20b/p/q%20r"));
        assert_eq!(template.expand(|_| None), None);
        assert_eq!(template.expand(|_| Some(String::new())), None);
        assert_eq!(template.expand(|_| Some("a/b".into())), None);
        // Values that hold the literal behind them are read otherwise, or not at all.
        let dotted = UriTemplate::parse("test://{x}.{y}").unwrap();
        let expand = |x: &str| dotted.expand(|name| Some(if name == "x" { x } else { "z" }.into()));
        assert_eq!(expand("a").as_deref(), Some("test://a.z"));
        assert_eq!(expand("a."), None);
        assert_eq!(expand(".a"), None);
        assert_eq!(template.variables().collect::<Vec<_>>(), ["x", "y"]);
    }

    #[test]
    fn refused_templates() {
        use TemplateError::*;
        for (text, expected) in [
            ("a{", Unbalanced { at: 1 }),
            ("a}", Unbalanced { at: 1 }),
            ("{a", Unbalanced { at: 0 }),
            ("x{a}}", Unbalanced { at: 4 }),
            ("{}", Expression { text: "".into() }),
            ("{/a}", Expression { text: "/a".into() }),
            ("{a,b}", Expression { text: "a,b".into() }),
            ("{a*}", Expression { text: "a*".into() }),
            ("{{a}}", Expression { text: "{a".into() }),
            ("{a}{b}", Adjacent { name: "b".into() }),
            ("{a}/{+a}", Duplicate { name: "a".into() }),
        ] {
            assert_eq!(UriTemplate::parse(text), Err(expected), "{text}");
        }
    }
}
