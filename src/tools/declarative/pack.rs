//! A pack file: `[service]` and its `[[tool]]`s, read and checked whole.
//!
//! Everything that can be wrong with a pack is found here, with its place, before anybody calls a tool. Nothing here
//! knows a URL or a secret; those come when the pack is opened (`service`).

use std::borrow::Cow;
use std::rc::Rc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::arguments::Argument;
use super::auth::AuthSpec;
use super::header::read_headers;
use super::limit::read_timeout;
use super::request::RequestSpec;
use super::shipped::Shipped;
use super::source::{Named, Node, PackProblem, Source, Table};
use super::status::{StatusMatch, read_list, read_pointers};
use super::template::{Names, Template};
use super::tool::ToolSpec;
use crate::client::Method;
use crate::sorted::SortedSet;

/// A pack that is free of mistakes.
#[derive(Debug)]
pub struct Pack {
    pub(super) service: ServiceSpec,
    pub(super) tools: Vec<ToolSpec>,
    /// Each name and alias, with what is to be said if another pack has it too.
    names: ToolNames,
    pub(super) text: Rc<PackText>,
}

/// See [`Pack::doubles`].
pub type ToolNames = Vec<(Box<str>, PackProblem)>;

/// What a reading gives: the service, its tools, and their names.
type Parts = (ServiceSpec, Vec<ToolSpec>, ToolNames);

/// A pack as it is written.
#[derive(Debug)]
pub(super) struct PackText {
    id: Box<str>,
    text: Text,
}

/// Where a pack is written.
#[derive(Clone, Debug)]
pub enum Text {
    /// In a file that was read.
    Own(String),
    /// In the binary.
    Shipped(Shipped),
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text::Own(text)
    }
}

impl From<Shipped> for Text {
    fn from(shipped: Shipped) -> Text {
        Text::Shipped(shipped)
    }
}

/// `[service]`.
#[derive(Debug)]
pub(super) struct ServiceSpec {
    pub id: Box<str>,
    pub title: Box<str>,
    /// Put behind the configured URL; empty, or with a slash in front and none behind.
    pub path: Box<str>,
    pub needs_url: bool,
    pub headers: Named<Template>,
    pub auth: AuthSpec,
    pub error_at: Box<[Box<str>]>,
    pub timeout_ms: Option<u64>,
    pub follows_redirects: bool,
    pub response_bytes_max: Option<usize>,
    pub probe: Option<ProbeSpec>,
    pub options: Vec<OptionSpec>,
}

/// `[service.options.NAME]`.
#[derive(Debug)]
pub(super) struct OptionSpec {
    pub name: Box<str>,
    pub default: Option<Box<str>>,
    pub is_secret: bool,
    pub is_required: bool,
}

/// `probe`.
#[derive(Debug)]
pub(super) struct ProbeSpec {
    pub request: RequestSpec,
    pub expect: Box<[StatusMatch]>,
    pub has_auth: bool,
}

/// Tables of the file.
pub(super) const ROOT_KEYS: &[&str] = &["service", "tool"];

pub(super) const OPTION_KEYS: &[&str] = &["description", "default", "secret", "required"];

pub(super) const SERVICE_KEYS: &[&str] = &[
    "id",
    "title",
    "description",
    "setup",
    "path",
    "needs_url",
    "headers",
    "auth",
    "error_at",
    "timeout",
    "redirects",
    "max_response",
    "probe",
    "options",
    "args",
    "login",
];

/// Those of a request that has no body, and two more.
pub(super) const PROBE_KEYS: &[&str] = &[
    "method", "path", "query", "headers", "accept", "timeout", "expect", "auth",
];

impl Pack {
    /// Reads the text of a pack; `file` names it in messages, `id` is what its name says. The text is kept: it is read
    /// again when a tool is called.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the text.
    pub fn read(file: &str, id: &str, text: Text) -> Result<Pack, Vec<PackProblem>> {
        let text = PackText {
            id: id.into(),
            text,
        };
        match text.read(file, None) {
            (Some((service, tools, names)), problems) if problems.is_empty() => Ok(Pack {
                service,
                tools,
                names,
                text: Rc::new(text),
            }),
            (_, problems) => Err(problems),
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.service.id
    }

    /// Its service, for people.
    pub fn title(&self) -> &str {
        &self.service.title
    }

    /// Whether it talks to a service, which has to have a URL.
    pub fn needs_url(&self) -> bool {
        self.service.needs_url
    }

    /// Whether it runs programs.
    pub fn has_commands(&self) -> bool {
        self.tools.iter().any(|tool| tool.is_command)
    }

    /// The names of its tools and their aliases.
    pub fn tool_names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| &**name)
    }

    /// The names that an earlier pack, `id` with `names`, has too, each with what is to be said.
    pub fn doubles(&self, id: &str, names: &ToolNames) -> Vec<PackProblem> {
        let is_double =
            |(name, _): &&(Box<str>, PackProblem)| names.iter().any(|(known, _)| known == name);
        let doubles = self.names.iter().filter(is_double);
        doubles
            .map(|(name, problem)| PackProblem {
                text: format!("the pack `{id}` has a tool named `{name}` too: rename one"),
                ..problem.clone()
            })
            .collect()
    }

    /// Takes the names out, for the comparison with packs that are read later.
    pub fn take_names(&mut self) -> ToolNames {
        std::mem::take(&mut self.names)
    }
}

impl PackText {
    /// Reads it all, or what `only` one tool needs.
    fn read(&self, file: &str, only: Option<&str>) -> (Option<Parts>, Vec<PackProblem>) {
        let text = match &self.text {
            Text::Own(text) => Cow::Borrowed(text),
            Text::Shipped(shipped) => Cow::Owned(shipped.text()),
        };
        let (document, errors) = DeTable::parse_recoverable(&text);
        let document = Spanned::new(0..0, DeValue::Table(document.into_inner()));
        let source = Source::new(file, &text, &document);
        for error in &errors {
            let offset = error.span().map_or(0, |span| span.start);
            source.report(offset, "", format!("not valid TOML: {}", error.message()));
        }
        let mut read = None;
        // What a broken document says is a guess, and guesses would bury the real mistake.
        if errors.is_empty() {
            read = read_root(&source.root(), &self.id, only);
        }
        (read, source.into_problems())
    }

    /// One tool of a text that is free of mistakes.
    pub(super) fn tool(&self, name: &str) -> Option<ToolSpec> {
        let (read, _) = self.read("", Some(name));
        read?.1.pop()
    }
}

fn read_root(root: &Node<'_>, id: &str, only: Option<&str>) -> Option<Parts> {
    let table = root.table(ROOT_KEYS)?;
    let head = table.require("service")?.table(SERVICE_KEYS)?;
    let service = ServiceSpec::read(&head, id);
    let options = read_options(&head);
    let shared = match head.get("args") {
        Some(node) => Argument::read_all(&node, &option_default(&options)),
        None => Vec::new(),
    };
    let mut used: SortedSet<String> = SortedSet::new();
    let mut tools = Vec::new();
    let mut names = ToolNames::new();
    let mut nodes = table.require("tool")?.items();
    if let Some(only) = only {
        nodes.retain(|node| {
            let name = node.value.get_ref().get("name");
            name.and_then(|name| name.get_ref().as_str()) == Some(only)
        });
    }
    if nodes.is_empty() {
        root.report("a pack without a `[[tool]]` does nothing");
    }
    let needs_url = head.boolean("needs_url", true);
    for node in &nodes {
        let Some(mut tool) = ToolSpec::read(node, &options, &shared, &mut used) else {
            continue;
        };
        if !needs_url && !tool.is_command {
            node.report("sends requests, so the service cannot say `needs_url = false`");
        }
        for name in std::iter::once(&tool.name).chain(&tool.aliases) {
            if names.iter().any(|(known, _)| known == name) {
                node.report(format!(
                    "another tool of this pack is named `{name}` too: rename one"
                ));
            }
            names.push((name.clone(), node.problem_of(&tool.name)));
        }
        if only.is_none() {
            tool.work = None;
        }
        tools.push(tool);
    }
    if let Some(node) = head.get("args") {
        for (name, node) in node.members() {
            if !used.contains(name) {
                node.report(format!("no tool takes `{name}` by `use`"));
            }
        }
    }
    let service = ServiceSpec {
        options,
        ..service?
    };
    Some((service, tools, names))
}

/// Whether an option exists and has a default.
pub(super) fn option_default(options: &[OptionSpec]) -> impl Fn(&str) -> Option<bool> {
    |name| {
        let option = options.iter().find(|option| *option.name == *name)?;
        Some(option.default.is_some() || option.is_required)
    }
}

impl ServiceSpec {
    fn read(table: &Table<'_>, file_id: &str) -> Option<ServiceSpec> {
        let id = table.require("id").and_then(|node| {
            let id = node.text()?;
            if !is_plain_name(id) {
                node.report("expected a name of lower-case letters, digits and `_`, a letter first");
            } else if id != file_id {
                node.report(format!(
                    "the file is named `{file_id}.toml`: name it `{id}.toml`, or say `{file_id}` here"
                ));
            }
            Some(id)
        });
        for key in ["description", "setup"] {
            table.text(key);
        }
        let options: Vec<&str> = match table.get("options") {
            Some(node) => node.members().into_iter().map(|(name, _)| name).collect(),
            None => Vec::new(),
        };
        let names = Names::of_options(options.clone());
        let headers = table
            .get("headers")
            .map_or(Some(Box::default()), |node| read_headers(&node, &names));
        let auth = AuthSpec::read(table, &options);
        let probe = match table.get("probe") {
            None => Some(None),
            Some(node) => ProbeSpec::read(&node, &names).map(Some),
        };
        let error_at = match table.get("error_at") {
            None => Some(["/message", "/error", "/detail"].map(Box::from).into()),
            Some(node) => read_pointers(&node),
        };
        let timeout_ms = match table.get("timeout") {
            None => None,
            Some(node) => {
                let ms = read_timeout(node.text().unwrap_or("1s"));
                if ms.is_none() {
                    node.report("expected a time such as `45s`");
                }
                ms.map(i64::unsigned_abs)
            }
        };
        let id = id?;
        Some(ServiceSpec {
            id: id.into(),
            title: table.text("title").unwrap_or(id).into(),
            path: read_prefix(table),
            needs_url: table.boolean("needs_url", true),
            headers: headers?,
            auth: auth?,
            error_at: error_at?,
            timeout_ms,
            follows_redirects: table.boolean("redirects", true),
            response_bytes_max: table.get("max_response").and_then(|node| read_size(&node)),
            probe: probe?,
            options: Vec::new(),
        })
    }
}

fn read_prefix(table: &Table<'_>) -> Box<str> {
    let Some(node) = table.get("path") else {
        return Box::default();
    };
    let text = node.text().unwrap_or_default();
    let is_path = text.is_empty() || (text.starts_with('/') && !text.ends_with('/'));
    if !is_path || text.contains(['{', '?', '#']) {
        node.report(
            "expected a path such as `/api/v1`, without references and without a slash at its end",
        );
    }
    text.into()
}

fn read_options(service: &Table<'_>) -> Vec<OptionSpec> {
    let Some(node) = service.get("options") else {
        return Vec::new();
    };
    /// Keys that every service has.
    const TAKEN: [&str; 13] = [
        "url",
        "token",
        "enabled",
        "insecure",
        "ca_file",
        "client_cert",
        "client_key",
        "server_name",
        "timeout",
        "read_only",
        "allow",
        "deny",
        "options",
    ];
    let read = |(name, node): (&str, Node<'_>)| {
        if !is_plain_name(name) || TAKEN.contains(&name) {
            node.report(format!("`{}` cannot name an option", name.escape_debug()));
        }
        let table = node.table(OPTION_KEYS)?;
        table.require("description").and_then(|node| node.text());
        let option = OptionSpec {
            name: name.into(),
            default: table.text("default").map(Box::from),
            is_secret: table.boolean("secret", false),
            is_required: table.boolean("required", false),
        };
        if option.is_secret && option.default.is_some() {
            node.report("a secret with a default is none");
        }
        if option.is_required && option.default.is_some() {
            node.report("is required and has a default: one of the two does nothing");
        }
        Some(option)
    };
    node.members().into_iter().filter_map(read).collect()
}

impl ProbeSpec {
    fn read(node: &Node<'_>, names: &Names<'_>) -> Option<ProbeSpec> {
        let table = node.table(PROBE_KEYS)?;
        let expect = match table.get("expect") {
            None => Some(Box::from([StatusMatch::Class(2)])),
            Some(node) => read_list(&node),
        };
        let request = RequestSpec::read_table(&table, names)?;
        if !matches!(request.method, Method::Get | Method::Head) {
            node.report("a probe only looks: use GET or HEAD");
        }
        Some(ProbeSpec {
            request,
            expect: expect?,
            has_auth: table.boolean("auth", true),
        })
    }
}

/// A number of bytes, as one or as `"2MiB"`.
fn read_size(node: &Node<'_>) -> Option<usize> {
    const MIN: usize = 1 << 10;
    const MAX: usize = 16 << 20;
    let bytes = match node.value.get_ref() {
        DeValue::Integer(number) => number.as_str().parse().ok(),
        DeValue::String(text) => {
            let (number, shift) = match text.strip_suffix("MiB") {
                Some(number) => (Some(number), 20),
                None => (text.strip_suffix("KiB"), 10),
            };
            number
                .and_then(|number| number.trim_end().parse::<usize>().ok())
                .and_then(|number| number.checked_mul(1 << shift))
        }
        _ => None,
    };
    let bytes = bytes.filter(|bytes| (MIN..=MAX).contains(bytes));
    if bytes.is_none() {
        node.report(format!(
            "expected {MIN} to {MAX} bytes, as a number or as `512KiB` or `2MiB`"
        ));
    }
    bytes
}

fn is_plain_name(name: &str) -> bool {
    let begins = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase());
    begins
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Reads `text` as a pack: it is either sound or wrong somewhere within the text.
#[doc(hidden)]
pub fn fuzz_pack(text: &str) {
    let lines = text.split('\n').count();
    match Pack::read("p.toml", "svc", text.to_owned().into()) {
        Ok(pack) => assert!(pack.tool_names().count() > 0 || pack.tools.is_empty()),
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a word:\n{text}");
            for problem in problems {
                assert!((1..=lines).contains(&problem.line), "{problem}");
            }
        }
    }
}
