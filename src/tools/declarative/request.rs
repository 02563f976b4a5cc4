//! Requests as a pack writes them, and as one call makes them.
//!
//! The one place where values of a caller become part of a URL or a header: every reference in a path is encoded and
//! may not climb, no control character gets into a header.

use serde_json::Value;

use super::filter::text_of;
use super::header::{check_value, header_value, read_headers};
use super::limit::TimeoutSpec;
use super::source::{Named, Node, Table};
use super::template::{Names, Part, Scope, Template, Unfit};
use super::tree::Tree;
use crate::client::Method;

/// A request that depends on a call.
#[derive(Debug)]
pub(super) struct RequestSpec {
    pub method: Method,
    paths: Box<[Template]>,
    query: Named<Tree>,
    headers: Named<Template>,
    body: Body,
    content_type: Option<Box<str>>,
    accept: Option<Box<str>>,
    timeout: Option<TimeoutSpec>,
}

#[derive(Debug)]
enum Body {
    Form(Named<Tree>),
    Json(Tree),
    None,
    Text(Template),
}

/// The request of one call, not yet sent to anybody.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outgoing {
    pub method: Method,
    /// Path, encoded, with its slash in front.
    pub path: String,
    /// Parameters in order; `None` is a name without `=`.
    pub query: Vec<(String, Option<String>)>,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub timeout_ms: Option<u64>,
    /// What we can read, unless a header says it otherwise.
    pub accept: &'static str,
    /// Path and query of a link that was followed, from the root of the origin; in place of `path`.
    pub target: Option<String>,
}

/// Keys of a request.
pub(super) const KEYS: [&str; 10] = [
    "method",
    "path",
    "query",
    "headers",
    "json",
    "form",
    "text",
    "content_type",
    "accept",
    "timeout",
];

pub(super) const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

impl RequestSpec {
    /// Reads a request.
    pub(super) fn read(node: &Node<'_>, names: &Names<'_>) -> Option<RequestSpec> {
        RequestSpec::read_table(&node.table(&KEYS)?, names)
    }

    /// Reads a request from a table whose keys have been checked; it may have more than [`KEYS`].
    pub(super) fn read_table(table: &Table<'_>, names: &Names<'_>) -> Option<RequestSpec> {
        let method = match table.get("method") {
            None => Some(Method::Get),
            Some(node) => node
                .word(&METHODS)
                .and_then(|at| METHODS.get(at)?.parse::<Method>().ok()),
        };
        let paths = table
            .require("path")
            .and_then(|node| read_paths(&node, names));
        let query = table
            .get("query")
            .map_or(Some(Box::default()), |node| read_fields(&node, names, true));
        let headers = table
            .get("headers")
            .map_or(Some(Box::default()), |node| read_headers(&node, names));
        let body = read_body(table, names);
        let timeout = match table.get("timeout") {
            None => Some(None),
            Some(node) => TimeoutSpec::read(&node, names).map(Some),
        };
        let fixed = |key: &str| {
            let node = table.get(key)?;
            let text = node.text()?;
            if let Err(problem) = check_value(text) {
                node.report(problem);
            }
            Some(text.into())
        };
        let spec = RequestSpec {
            content_type: fixed("content_type"),
            accept: fixed("accept"),
            method: method?,
            paths: paths?,
            query: query?,
            headers: headers?,
            body: body?,
            timeout: timeout?,
        };
        if matches!(spec.method, Method::Get | Method::Head) && !matches!(spec.body, Body::None) {
            table.node.report(format!(
                "{} carries no body; give another `method`, or use `query`",
                spec.method
            ));
        }
        Some(spec)
    }

    /// Whether it only reads, by its method.
    pub(super) fn is_safe(&self) -> bool {
        self.method.is_safe()
    }

    /// Makes the request of a call.
    pub(super) fn build(&self, scope: &Scope<'_>) -> Result<Outgoing, Unfit> {
        let mut outgoing = Outgoing {
            method: self.method,
            path: self.path(scope)?,
            query: fields(&self.query, scope)?,
            headers: Vec::new(),
            body: Vec::new(),
            timeout_ms: match &self.timeout {
                Some(timeout) => Some(timeout.ms(scope)?),
                None => None,
            },
            accept: "*/*",
            target: None,
        };
        for (name, template) in &self.headers {
            if let Some(value) = template.text(scope)? {
                let value = header_value(name, value)?;
                outgoing.headers.push(((**name).to_owned(), value));
            }
        }
        let media_type = match &self.body {
            Body::None => None,
            Body::Json(tree) => tree.value(scope)?.map(|value| {
                outgoing.body = value.to_string().into_bytes();
                "application/json"
            }),
            Body::Form(members) => {
                let mut text = String::new();
                write_query(&mut text, &fields(members, scope)?);
                outgoing.body = text.into_bytes();
                Some("application/x-www-form-urlencoded")
            }
            Body::Text(template) => template.text(scope)?.map(|text| {
                outgoing.body = text.into_bytes();
                "text/plain; charset=utf-8"
            }),
        };
        if let Some(media_type) = media_type {
            let media_type = self.content_type.as_deref().unwrap_or(media_type);
            outgoing.set_header("Content-Type", media_type);
        }
        if let Some(accept) = &self.accept {
            outgoing.set_header("Accept", accept);
        }
        Ok(outgoing)
    }

    /// The first path whose references all have a value.
    fn path(&self, scope: &Scope<'_>) -> Result<String, Unfit> {
        for template in &self.paths {
            if let Some(path) = build_path(template, scope)? {
                return Ok(path);
            }
        }
        let missing = self.paths.iter().rev().flat_map(Template::references);
        for reference in missing {
            if reference.value(scope)?.is_none() {
                return Err(Unfit {
                    name: reference.name(),
                    text: "has no value, and the request needs one".to_owned(),
                });
            }
        }
        Ok("/".to_owned())
    }
}

impl Outgoing {
    /// Sets a header unless the pack has.
    pub(super) fn set_header(&mut self, name: &str, value: &str) {
        let is_set = |(known, _): &(String, String)| known.eq_ignore_ascii_case(name);
        if !self.headers.iter().any(is_set) {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Sets a header whatever the pack has.
    pub(super) fn put_header(&mut self, name: &str, value: String) {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value));
    }

    /// Sets a query parameter, in the place of one of that name if there is one.
    pub(super) fn put_query(&mut self, name: &str, value: String) {
        match self.query.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = Some(value),
            None => self.query.push((name.to_owned(), Some(value))),
        }
    }

    /// Path and query behind a base, which ends without a slash.
    pub(super) fn url(&self, base: &str) -> String {
        if let Some(target) = &self.target {
            // The slashes of `://` are the first two.
            let root_end = base.match_indices('/').nth(2).map(|(at, _)| at);
            let root = root_end.and_then(|end| base.get(..end)).unwrap_or(base);
            let mut url = format!("{root}{target}");
            if !self.query.is_empty() {
                url.push(if target.contains('?') { '&' } else { '?' });
                write_query(&mut url, &self.query);
            }
            return url;
        }
        let mut url = String::with_capacity(
            base.len()
                .saturating_add(self.path.len())
                .saturating_add(64),
        );
        url.push_str(base);
        url.push_str(&self.path);
        if !self.query.is_empty() {
            url.push('?');
            write_query(&mut url, &self.query);
        }
        url
    }
}

fn read_paths<'a>(node: &Node<'a>, names: &Names<'_>) -> Option<Box<[Template]>> {
    let mut last = *node;
    let mut read = |node: &Node<'a>| {
        last = *node;
        let text = node.text()?;
        if !text.starts_with('/') {
            node.report("a path begins with `/`");
        }
        if text.contains(['?', '#']) && !text.contains('{') {
            node.report("a path holds no `?` and no `#`; parameters go into `query`");
        }
        Template::read(node, names)
    };
    let templates = match node.value.get_ref().as_array() {
        Some(_) => node.each(&mut read)?,
        None => [read(node)?].into(),
    };
    match templates.last() {
        Some(template) if !template.is_certain() => {
            let open = template
                .references()
                .find(|reference| !reference.is_certain());
            let name = open
                .map(super::template::Reference::name)
                .unwrap_or_default();
            last.report(format!(
                "`{name}` may have no value: make it required, give it a default, or add a path without it"
            ));
        }
        None => node.report("at least one path is needed"),
        Some(_) => (),
    }
    Some(templates)
}

fn read_fields(node: &Node<'_>, names: &Names<'_>, may_have_flags: bool) -> Option<Named<Tree>> {
    node.each_named(&mut |_, node| {
        let tree = Tree::read(node, names)?;
        if matches!(tree, Tree::Flag(_)) && !may_have_flags {
            node.report("`$flag` stands in `query` only");
        }
        if matches!(tree, Tree::Object(_)) {
            node.report("a table has no form here; `{ \"$json\" = … }` sends it as JSON text");
        }
        Some(tree)
    })
}

fn read_body(table: &Table<'_>, names: &Names<'_>) -> Option<Body> {
    let kinds = ["json", "form", "text"];
    let given: Vec<&str> = kinds
        .into_iter()
        .filter(|kind| table.get(kind).is_some())
        .collect();
    if let [one, other, ..] = given.as_slice() {
        let text = format!("`{one}` and `{other}` are both given: keep one");
        table.node.report(text);
    }
    let kind = given.first().copied().unwrap_or_default();
    let Some(node) = table.get(kind) else {
        if let Some(node) = table.get("content_type") {
            node.report("there is no body that could be of this type");
        }
        return Some(Body::None);
    };
    Some(match kind {
        "json" => {
            let tree = Tree::read(&node, names)?;
            if matches!(tree, Tree::Flag(_)) {
                node.report("`$flag` stands in `query` only");
            }
            Body::Json(tree)
        }
        "form" => Body::Form(read_fields(&node, names, false)?),
        _ => Body::Text(Template::read(&node, names)?),
    })
}

/// A path with its references encoded; `None` if one of them has no value.
fn build_path(template: &Template, scope: &Scope<'_>) -> Result<Option<String>, Unfit> {
    let mut path = String::new();
    for part in template.parts() {
        match part {
            Part::Text(text) => path.push_str(text),
            Part::Reference(reference) => {
                let Some(value) = reference.value(scope)? else {
                    return Ok(None);
                };
                let text = text_of(&value);
                // By themselves, whatever the pack puts around them: nothing that climbs, and nothing strange.
                let mut segments = text.split(|c| c == '/' && reference.is_path);
                if let Some(problem) = segments.find_map(segment_problem) {
                    return Err(Unfit {
                        name: reference.name(),
                        text: problem.to_owned(),
                    });
                }
                encode_segments(&mut path, &text, reference.is_path);
            }
        }
    }
    Ok(Some(path))
}

/// Why a text cannot be a segment of a path: servers and proxies resolve such segments, each in its own way.
fn segment_problem(segment: &str) -> Option<&'static str> {
    match segment {
        "" => Some("found an empty path segment, expected a name"),
        "." | ".." => Some("found a path segment of dots, expected a name"),
        _ => None,
    }
}

/// Percent-encodes what is not unreserved (RFC 3986 section 2.3); `/` stays only if there may be several segments.
fn encode_segments(out: &mut String, text: &str, keeps_slashes: bool) {
    for byte in text.bytes() {
        match byte {
            b'/' if keeps_slashes => out.push('/'),
            byte => encode_byte(out, byte),
        }
    }
}

fn encode_byte(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        out.push(char::from(byte));
        return;
    }
    out.push('%');
    for digit in [byte >> 4, byte & 15] {
        // Four bits have 16 values.
        let digit = DIGITS.get(usize::from(digit));
        out.extend(digit.map(|digit| char::from(*digit)));
    }
}

/// Text as it stands in a URL.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    encode_segments(&mut out, text, false);
    out
}

/// Parameters of one call: absent ones left out, lists repeated.
fn fields(
    members: &[(Box<str>, Tree)],
    scope: &Scope<'_>,
) -> Result<Vec<(String, Option<String>)>, Unfit> {
    let mut fields = Vec::with_capacity(members.len());
    for (name, tree) in members {
        let name = (**name).to_owned();
        if matches!(tree, Tree::Flag(_)) {
            if tree.value(scope)? == Some(Value::Bool(true)) {
                fields.push((name, None));
            }
            continue;
        }
        push_field(&mut fields, &name, tree.value(scope)?);
    }
    Ok(fields)
}

fn push_field(fields: &mut Vec<(String, Option<String>)>, name: &str, value: Option<Value>) {
    match value {
        None | Some(Value::Null) => (),
        // An argument that is a list spreads, also among others.
        Some(Value::Array(items)) => {
            for item in items {
                push_field(fields, name, Some(item));
            }
        }
        Some(value) => fields.push((name.to_owned(), Some(text_of(&value)))),
    }
}

fn write_query(out: &mut String, fields: &[(String, Option<String>)]) {
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 {
            out.push('&');
        }
        encode_segments(out, name, false);
        if let Some(value) = value {
            out.push('=');
            encode_segments(out, value, false);
        }
    }
}

#[cfg(test)]
mod tests;
