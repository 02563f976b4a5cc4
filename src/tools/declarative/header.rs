//! Headers: what may be one, at load and at run time.

use super::source::{Named, Node};
use super::template::{Names, Template, Unfit};

/// Reads a table of header templates; names and fixed values are checked.
pub(super) fn read_headers(node: &Node<'_>, names: &Names<'_>) -> Option<Named<Template>> {
    node.each_named(&mut |name, node| {
        if let Err(problem) = check_header_name(name) {
            node.report(problem);
        }
        let template = Template::read(node, names)?;
        if let Some(Err(problem)) = template.constant().map(check_value) {
            node.report(problem);
        }
        Some(template)
    })
}

/// Whether a text may be the name of a header (RFC 9110 section 5.6.2, "token") that is not about framing.
pub(super) fn check_header_name(name: &str) -> Result<(), String> {
    const FRAMING: [&str; 9] = [
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(format!("`{}` is no header name", name.escape_debug()));
    }
    match FRAMING.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        true => Err(format!("the header `{name}` is not a pack's to set")),
        false => Ok(()),
    }
}

/// Whether a text may be the value of a header.
pub(super) fn check_value(value: &str) -> Result<(), String> {
    match value.chars().find(|c| !matches!(c, '\t' | ' '..='~')) {
        None => Ok(()),
        Some(c) => Err(format!(
            "the character `{}` cannot stand in a header; visible ASCII can",
            c.escape_default()
        )),
    }
}

/// A value for a header, or why it cannot be one: a line break would begin another header.
pub(super) fn header_value(name: &str, value: String) -> Result<String, Unfit> {
    match check_value(&value) {
        Ok(()) => Ok(value),
        Err(text) => Err(Unfit {
            name: name.to_owned(),
            text,
        }),
    }
}
