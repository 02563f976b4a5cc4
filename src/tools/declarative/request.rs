//! Requests as a pack writes them, and as one call makes them.
//!
//! The one place where values of a caller become part of a URL or a header: every reference in a path is encoded and
//! may not climb, no control character gets into a header.

use serde_json::Value;

use super::filter::text_of;
use super::source::{Node, Table};
use super::template::{Names, Part, Scope, Template, Unfit};
use super::time;
use super::tree::Tree;
use crate::client::Method;

/// A request that depends on a call.
#[derive(Debug)]
pub(super) struct RequestSpec {
    pub method: Method,
    paths: Box<[Template]>,
    query: Box<[(Box<str>, Tree)]>,
    headers: Box<[(Box<str>, Template)]>,
    body: Body,
    content_type: Option<Box<str>>,
    accept: Option<Box<str>>,
    timeout: Option<TimeoutSpec>,
}

#[derive(Debug)]
enum Body {
    Form(Box<[(Box<str>, Tree)]>),
    Json(Tree),
    None,
    Text(Template),
}

/// `"15s"`, `"15s + {timeout_s}"`.
#[derive(Debug)]
struct TimeoutSpec {
    fixed_ms: i64,
    more: Option<Template>,
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

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

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
                .and_then(|at| METHODS[at].parse::<Method>().ok()),
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
            let host = base.find("://").map_or(0, |at| at + "://".len());
            let root = base[host..]
                .find('/')
                .map_or(base.len(), |slash| host + slash);
            let mut url = format!("{}{target}", &base[..root]);
            if !self.query.is_empty() {
                url.push(if target.contains('?') { '&' } else { '?' });
                write_query(&mut url, &self.query);
            }
            return url;
        }
        let mut url = String::with_capacity(base.len() + self.path.len() + 64);
        url.push_str(base);
        url.push_str(&self.path);
        if !self.query.is_empty() {
            url.push('?');
            write_query(&mut url, &self.query);
        }
        url
    }
}

fn read_paths(node: &Node<'_>, names: &Names<'_>) -> Option<Box<[Template]>> {
    let nodes = match node.value.get_ref().as_array() {
        Some(_) => node.items(),
        None => vec![node.clone()],
    };
    let templates: Vec<Option<Template>> = (nodes.iter())
        .map(|node| {
            let text = node.text()?;
            if !text.starts_with('/') {
                node.report("a path begins with `/`");
            }
            if text.contains(['?', '#']) && !text.contains('{') {
                node.report("a path holds no `?` and no `#`; parameters go into `query`");
            }
            Template::read(node, names)
        })
        .collect();
    let templates: Vec<Template> = templates.into_iter().collect::<Option<_>>()?;
    match (templates.last(), nodes.last()) {
        (Some(template), Some(node)) if !template.is_certain() => {
            let open = template
                .references()
                .find(|reference| !reference.is_certain());
            let name = open
                .map(super::template::Reference::name)
                .unwrap_or_default();
            node.report(format!(
                "`{name}` may have no value: make it required, give it a default, or add a path without it"
            ));
        }
        (None, _) => node.report("at least one path is needed"),
        _ => (),
    }
    Some(templates.into())
}

fn read_fields(
    node: &Node<'_>,
    names: &Names<'_>,
    may_have_flags: bool,
) -> Option<Box<[(Box<str>, Tree)]>> {
    let members = node.members();
    let fields: Vec<Option<(Box<str>, Tree)>> = (members.iter())
        .map(|(name, node)| {
            let tree = Tree::read(node, names)?;
            if matches!(tree, Tree::Flag(_)) && !may_have_flags {
                node.report("`$flag` stands in `query` only");
            }
            if matches!(tree, Tree::Object(_)) {
                node.report("a table has no form here; `{ \"$json\" = … }` sends it as JSON text");
            }
            Some(((*name).into(), tree))
        })
        .collect();
    fields.into_iter().collect()
}

/// Reads a table of header templates; names and fixed values are checked.
pub(super) fn read_headers(
    node: &Node<'_>,
    names: &Names<'_>,
) -> Option<Box<[(Box<str>, Template)]>> {
    let members = node.members();
    let headers: Vec<Option<(Box<str>, Template)>> = (members.iter())
        .map(|(name, node)| {
            if let Err(problem) = check_header_name(name) {
                node.report(problem);
            }
            let template = Template::read(node, names)?;
            if let Some(Err(problem)) = template.constant().map(check_value) {
                node.report(problem);
            }
            Some(((*name).into(), template))
        })
        .collect();
    headers.into_iter().collect()
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
fn check_value(value: &str) -> Result<(), String> {
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

fn read_body(table: &Table<'_>, names: &Names<'_>) -> Option<Body> {
    let kinds = ["json", "form", "text"];
    let given: Vec<&str> = kinds
        .into_iter()
        .filter(|kind| table.get(kind).is_some())
        .collect();
    if given.len() > 1 {
        table.node.report(format!(
            "`{}` and `{}` are both given: keep one",
            given[0], given[1]
        ));
    }
    let Some(node) = given.first().and_then(|kind| table.get(kind)) else {
        if let Some(node) = table.get("content_type") {
            node.report("there is no body that could be of this type");
        }
        return Some(Body::None);
    };
    Some(match given[0] {
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
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
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

impl TimeoutSpec {
    fn read(node: &Node<'_>, names: &Names<'_>) -> Option<TimeoutSpec> {
        let text = node.text()?;
        let (fixed, more) = match text.split_once('+') {
            Some((fixed, more)) => (fixed, Some(more.trim())),
            None => (text, None),
        };
        let Some(fixed_ms) = read_timeout(fixed) else {
            node.report("expected a time such as `45s`, or `15s + {timeout_s}`");
            return None;
        };
        let more = match more {
            None => None,
            Some(more) => match Template::parse(more, names) {
                Ok(template) => Some(template),
                Err(problems) => {
                    problems.into_iter().for_each(|text| node.report(text));
                    return None;
                }
            },
        };
        Some(TimeoutSpec { fixed_ms, more })
    }

    fn ms(&self, scope: &Scope<'_>) -> Result<u64, Unfit> {
        let more = match &self.more {
            Some(template) => template.value(scope)?,
            None => None,
        };
        let more_ms = match more {
            None => 0,
            Some(value) => {
                let text = text_of(&value);
                time::parse_duration(&text).ok_or_else(|| Unfit {
                    name: self
                        .more
                        .iter()
                        .flat_map(Template::references)
                        .map(super::template::Reference::name)
                        .next()
                        .unwrap_or_default(),
                    text: format!("found `{text}`, expected a number of seconds or a duration"),
                })?
            }
        };
        let ms = self
            .fixed_ms
            .saturating_add(more_ms)
            .clamp(1, TIMEOUT_MS_MAX);
        Ok(ms.unsigned_abs())
    }
}

/// An hour, as for the keys of the configuration.
const TIMEOUT_MS_MAX: i64 = 3_600_000;

/// A time limit with its unit, in milliseconds.
pub(super) fn read_timeout(text: &str) -> Option<i64> {
    let text = text.trim();
    let has_unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
    time::parse_duration(text).filter(|ms| has_unit && (100..=TIMEOUT_MS_MAX).contains(ms))
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::*;
    use serde_json::json;
    use toml::Spanned;
    use toml::de::{DeTable, DeValue};

    fn with_spec<T>(text: &str, then: impl FnOnce(Option<RequestSpec>, Vec<String>) -> T) -> T {
        let table = DeTable::parse(text).unwrap().into_inner();
        let document = Spanned::new(0..0, DeValue::Table(table));
        let source = Source::new("p", text);
        let names = Names {
            arguments: [("id", true), ("tag", false), ("tags", false), ("t", false)].into(),
            ..Names::of_options(Vec::new())
        };
        let root = Node {
            source: &source,
            place: String::new(),
            value: &document,
        };
        let spec = RequestSpec::read(&root, &names);
        drop(root);
        let problems = source.into_problems();
        then(spec, problems.iter().map(ToString::to_string).collect())
    }

    fn build(text: &str, arguments: &Value) -> Result<Outgoing, Unfit> {
        with_spec(text, |spec, problems| {
            assert_eq!(problems, Vec::<String>::new(), "{text}");
            spec.unwrap().build(&Scope {
                arguments: arguments.as_object().unwrap(),
                befores: &[],
                options: &Default::default(),
                result: None,
                token: None,
                login: None,
                now_ms: 0,
            })
        })
    }

    #[track_caller]
    fn check_url(text: &str, arguments: Value, expected: &str) {
        assert_eq!(build(text, &arguments).unwrap().url(""), expected);
    }

    #[track_caller]
    fn refuse(text: &str, arguments: Value, expected: &str) {
        assert_eq!(build(text, &arguments).unwrap_err().to_string(), expected);
    }

    #[test]
    fn f1_an_argument_is_one_segment_and_with_path_it_is_several() {
        let one = "path = '/c/{id}/stop'";
        check_url(one, json!({"id": "web"}), "/c/web/stop");
        check_url(one, json!({"id": 5}), "/c/5/stop");
        check_url(one, json!({"id": "../../users"}), "/c/..%2F..%2Fusers/stop");
        check_url(one, json!({"id": "web?t=0#"}), "/c/web%3Ft%3D0%23/stop");
        check_url(
            one,
            json!({"id": "a b+ü%2e"}),
            "/c/a%20b%2B%C3%BC%252e/stop",
        );
        check_url(one, json!({"id": "..."}), "/c/.../stop");
        refuse(
            one,
            json!({"id": ".."}),
            "`id`: found a path segment of dots, expected a name",
        );
        refuse(
            one,
            json!({"id": "."}),
            "`id`: found a path segment of dots, expected a name",
        );
        refuse(
            one,
            json!({"id": ""}),
            "`id`: found an empty path segment, expected a name",
        );
        let several = "path = '/.fs/{id:path}.md'";
        check_url(
            several,
            json!({"id": "Projects/A b"}),
            "/.fs/Projects/A%20b.md",
        );
        check_url(several, json!({"id": "a/..b"}), "/.fs/a/..b.md");
        for bad in ["../x", "a/../x", "a//b", "/a", "a/./b", "a/", "a/..", "."] {
            assert!(build(several, &json!({"id": bad})).is_err(), "{bad}");
        }
    }

    #[test]
    fn f1_the_first_path_with_all_its_values_is_taken() {
        let text = "path = ['/projects/{tag}/tasks', '/tasks']";
        check_url(text, json!({"tag": 7}), "/projects/7/tasks");
        check_url(text, json!({}), "/tasks");
    }

    #[test]
    fn f2_query() {
        let text = r#"path = "/q"
query = { stdout = 1, tag = "{tag}", "match[]" = ["{tags}", "up"], return_response = { "$flag" = true }, minimal = { "$flag" = "{t}" }, filters = { "$json" = { name = ["{tag}"] } } }"#;
        check_url(
            text,
            json!({"tag": "a&b", "tags": ["x", "y=1"], "t": true}),
            "/q?stdout=1&tag=a%26b&match%5B%5D=x&match%5B%5D=y%3D1&match%5B%5D=up&return_response&minimal&filters=%7B%22name%22%3A%5B%22a%26b%22%5D%7D",
        );
        check_url(
            text,
            json!({"t": false}),
            "/q?stdout=1&match%5B%5D=up&return_response",
        );
        check_url(
            "path = '/q'\nquery = { a = '{tag}' }",
            json!({"tag": ""}),
            "/q?a=",
        );
    }

    #[test]
    fn f4_bodies() {
        let body = |text: &str, arguments: Value| {
            let outgoing = build(text, &arguments).unwrap();
            let media_type = outgoing
                .headers
                .iter()
                .find(|(name, _)| name == "Content-Type");
            (
                String::from_utf8(outgoing.body).unwrap(),
                media_type
                    .map(|(_, value)| value.clone())
                    .unwrap_or_default(),
            )
        };
        let json_body = "method = 'POST'\npath = '/b'\njson = { a = '{tag}', b = '{t}' }";
        assert_eq!(
            body(json_body, json!({"t": false})),
            (r#"{"b":false}"#.to_owned(), "application/json".to_owned())
        );
        let form = "method = 'POST'\npath = '/b'\nform = { a = '{tag}', b = 'x y&z' }";
        assert_eq!(
            body(form, json!({})),
            (
                "b=x%20y%26z".to_owned(),
                "application/x-www-form-urlencoded".to_owned()
            )
        );
        let text = "method = 'PUT'\npath = '/b'\ntext = '{tag}'\ncontent_type = 'text/markdown'";
        assert_eq!(
            body(text, json!({"tag": "# ü"})),
            ("# ü".to_owned(), "text/markdown".to_owned())
        );
        assert_eq!(body(text, json!({})), (String::new(), String::new()));
        assert_eq!(
            body(text, json!({"tag": ""})),
            (String::new(), "text/markdown".to_owned())
        );
    }

    #[test]
    fn f7_headers_are_set_once_and_cannot_be_injected() {
        let text = "path = '/h'\nheaders = { X-Mode = 'true', X-Tag = '{tag}' }\naccept = 'a/b'";
        let outgoing = build(text, &json!({"tag": "v"})).unwrap();
        let expected = [("X-Mode", "true"), ("X-Tag", "v"), ("Accept", "a/b")];
        assert_eq!(
            outgoing.headers,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(build(text, &json!({})).unwrap().headers.len(), 2);
        for value in ["v\r\nX-Evil: 1", "v\n", "\0", "é"] {
            let unfit = build(text, &json!({"tag": value})).unwrap_err();
            assert!(unfit.text.contains("cannot stand in a header"), "{unfit}");
        }
    }

    #[test]
    fn f10_a_timeout_may_grow_with_an_argument() {
        let text = "path = '/t'\ntimeout = '15s + {t}'";
        let timeout = |arguments: Value| build(text, &arguments).unwrap().timeout_ms;
        assert_eq!(timeout(json!({"t": 10})), Some(25_000));
        assert_eq!(timeout(json!({"t": "2m"})), Some(135_000));
        assert_eq!(timeout(json!({})), Some(15_000));
        assert_eq!(timeout(json!({"t": "99w"})), Some(3_600_000));
        assert!(build(text, &json!({"t": "soon"})).is_err());
        assert_eq!(build("path = '/t'", &json!({})).unwrap().timeout_ms, None);
    }

    #[test]
    fn mistakes_of_a_pack_have_a_place() {
        for (text, expected) in [
            ("path = 'x'", "p:1:8: path: a path begins with `/`"),
            ("path = '/x/{tag}'", "p:1:8: path: `tag` may have no value"),
            ("path = '/x?y=1'", "parameters go into `query`"),
            ("path = []", "at least one path"),
            (
                "method = 'FETCH'\npath = '/'",
                "p:1:10: method: expected `GET`",
            ),
            ("path = '/'\njson = {}", "GET carries no body"),
            (
                "method = 'POST'\npath = '/'\njson = {}\nform = {}",
                "`json` and `form` are both given",
            ),
            (
                "path = '/'\nheaders = { 'X Y' = 'a' }",
                "`X Y` is no header name",
            ),
            (
                "path = '/'\nheaders = { Host = 'a' }",
                "not a pack's to set",
            ),
            (
                "path = '/'\nheaders = { X = \"a\\nb\" }",
                "cannot stand in a header",
            ),
            (
                "path = '/'\nquery = { a = { b = 1 } }",
                "sends it as JSON text",
            ),
            (
                "method = 'POST'\npath = '/'\njson = { '$flag' = true }",
                "`query` only",
            ),
            ("path = '/'\ntimeout = '15'", "expected a time"),
            ("path = '/'\ntimeout = '15s + {x}'", "no argument `x`"),
            ("path = '/'\ncontent_type = 'a/b'", "there is no body"),
            ("pth = '/'", "did you mean `path`?"),
        ] {
            with_spec(text, |_, problems| {
                assert!(
                    problems.iter().any(|problem| problem.contains(expected)),
                    "{text}: {problems:?}"
                );
            });
        }
    }
}
