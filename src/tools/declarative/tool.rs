//! `[[tool]]`: one tool of a pack, with every name in it checked.

use super::arguments::{Argument, input_schema};
use super::pack::{OptionSpec, option_default};
use super::pages::PagesSpec;
use super::request::RequestSpec;
use super::source::{Node, Table};
use super::steps::{AnswerSpec, BeforeSpec, FallbackSpec, read_written};
use super::template::Names;
use crate::mcp::tool::Tool;
use crate::nearest::nearest;
use crate::sorted::SortedSet;
use crate::tools::command::{CommandSpec, CommandTool};

/// One tool.
#[derive(Debug)]
pub(super) struct ToolSpec {
    pub name: Box<str>,
    pub title: Option<Box<str>>,
    pub description: Box<str>,
    pub access: Access,
    pub is_idempotent: bool,
    pub aliases: Vec<Box<str>>,
    pub if_option: Option<Box<str>>,
    pub arguments: Vec<Argument>,
    /// Whether it runs a program instead of sending requests.
    pub is_command: bool,
    /// Dropped after the check of a whole pack: it weighs the most, and is read again when the tool is called.
    pub work: Option<Work>,
}

/// What a call does.
#[derive(Debug)]
pub(super) enum Work {
    Command(Box<CommandTool>),
    Http(Box<HttpSpec>),
}

/// What a call may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Destructive,
    Read,
    Write,
}

/// Requests and what becomes of their answers.
#[derive(Debug)]
pub(super) struct HttpSpec {
    pub befores: Box<[BeforeSpec]>,
    pub request: RequestSpec,
    pub answer: AnswerSpec,
    pub pages: Option<PagesSpec>,
    pub fallback: Option<FallbackSpec>,
    /// Arguments that are read as a time or a duration: a number will do for them too.
    pub times: SortedSet<String>,
}

pub(super) const TOOL_KEYS: &[&str] = &[
    "name",
    "title",
    "description",
    "access",
    "idempotent",
    "confirm",
    "aliases",
    "if_option",
    "use",
    "args",
    "before",
    "request",
    "response",
    "pages",
    "fallback",
    "kind",
    "command",
];

/// Two are a look and a look at what it found; more is a program.
const BEFORES_MAX: usize = 2;

impl ToolSpec {
    /// Reads a tool; what it takes of the shared arguments goes into `used`.
    pub(super) fn read(
        node: &Node<'_>,
        options: &[OptionSpec],
        shared: &[Argument],
        used: &mut SortedSet<String>,
    ) -> Option<ToolSpec> {
        let table = node.table(TOOL_KEYS)?;
        let name = table.require("name").and_then(|node| {
            let name = node.text()?;
            if let Err(error) = Tool::new(name).validate() {
                node.report(error.to_string());
            }
            Some(name)
        });
        let description = table.require("description").and_then(|node| node.text());
        let access = table.require("access").and_then(|node| {
            Some(match node.word(&["read", "write", "destructive"])? {
                0 => Access::Read,
                1 => Access::Write,
                _ => Access::Destructive,
            })
        });
        let if_option = table.get("if_option").and_then(|node| {
            let option = node.text()?;
            if !options.iter().any(|known| *known.name == *option) {
                node.report(format!(
                    "no option `{option}`; declare it in `[service.options]`"
                ));
            }
            Some(option.into())
        });
        let arguments = read_arguments(&table, options, shared, used);
        let work = read_work(&table, options, &arguments, access);
        let description = match table.text("confirm") {
            Some(confirm) => format!("{} {confirm}", description?.trim_end()),
            None => description?.to_owned(),
        };
        let spec = ToolSpec {
            name: name?.into(),
            title: table.text("title").map(Box::from),
            description: description.into(),
            access: access?,
            is_idempotent: table.boolean("idempotent", access == Some(Access::Read)),
            aliases: read_aliases(&table),
            if_option,
            arguments,
            is_command: matches!(work.as_ref()?, Work::Command(_)),
            work: Some(work?),
        };
        spec.check_schema(&table);
        Some(spec)
    }

    /// Compiles the schema as the configuration's defaults leave it, to report what is wrong where it stands.
    fn check_schema(&self, table: &Table<'_>) {
        let report = |name: &str, pointer: &str, text: String| {
            let Some(args) = table.get("args") else {
                return table.node.report(text);
            };
            let Some((_, mut node)) = args.members().into_iter().find(|(known, _)| *known == name)
            else {
                return args.report(format!("{name}: {text}"));
            };
            for step in pointer.split('/').skip(1) {
                let step = step.replace("~1", "/").replace("~0", "~");
                let Some(member) = node.member(&step) else {
                    break;
                };
                node = member;
            }
            node.report(text);
        };
        match input_schema(&self.arguments, &Default::default()) {
            Err((name, pointer, text)) => report(&name, &pointer, text),
            Ok((text, _)) => {
                let tool = Tool::new(&*self.name).input_schema_json(&text);
                if let Err(error) = tool.validate() {
                    let argument = self.arguments.iter().find(|argument| {
                        error.to_string().contains(&format!("`{}`", argument.name))
                            || argument.has("x-mcp-header")
                    });
                    match argument {
                        Some(argument) => {
                            report(&argument.name, "/x-mcp-header", error.to_string())
                        }
                        None => table.node.report(error.to_string()),
                    }
                }
            }
        }
    }
}

fn read_aliases(table: &Table<'_>) -> Vec<Box<str>> {
    let Some(node) = table.get("aliases") else {
        return Vec::new();
    };
    let read = |node: &Node<'_>| {
        let name = node.text()?;
        if let Err(error) = Tool::new(name).validate() {
            node.report(error.to_string());
        }
        Some(name.into())
    };
    node.items().iter().filter_map(read).collect()
}

/// The tool's own arguments, behind those it shares with others.
fn read_arguments(
    table: &Table<'_>,
    options: &[OptionSpec],
    shared: &[Argument],
    used: &mut SortedSet<String>,
) -> Vec<Argument> {
    let mut arguments: Vec<Argument> = Vec::new();
    for node in table.get("use").iter().flat_map(Node::items) {
        let Some(name) = node.text() else { continue };
        used.insert(name.to_owned());
        match shared.iter().find(|argument| *argument.name == *name) {
            Some(argument) => arguments.push(argument.clone()),
            None => {
                let known = shared.iter().map(|argument| &*argument.name);
                let remedy = nearest(name, known).map_or_else(
                    || "declare it there".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                node.report(format!("`[service.args]` has no `{name}`; {remedy}"));
            }
        }
    }
    let Some(node) = table.get("args") else {
        return arguments;
    };
    for argument in Argument::read_all(&node, &option_default(options)) {
        if arguments.iter().any(|known| known.name == argument.name) {
            node.report(format!(
                "`{}` is taken by `use` too: keep one",
                argument.name
            ));
            continue;
        }
        arguments.push(argument);
    }
    arguments
}

fn read_work(
    table: &Table<'_>,
    options: &[OptionSpec],
    arguments: &[Argument],
    access: Option<Access>,
) -> Option<Work> {
    if let Some(node) = table.get("kind")
        && node.word(&["http", "command"])? == 1
    {
        return read_command(table, arguments);
    }
    if let Some(node) = table.get("command") {
        node.report("needs `kind = \"command\"`");
    }
    let befores = table
        .get("before")
        .map_or_else(Vec::new, |node| node.items());
    if let Some(node) = befores.get(BEFORES_MAX) {
        node.report(format!("at most {BEFORES_MAX} requests may come before"));
    }
    let mut names = Names::of_options(options.iter().map(|option| &*option.name).collect());
    // One with a default has a value, one that is required too, and without `if_option` the tool is not there.
    let if_option = table.get("if_option");
    let if_option = if_option
        .as_ref()
        .and_then(|node| node.value.get_ref().as_str());
    let is_certain = |option: &&OptionSpec| {
        option.is_required || option.default.is_some() || if_option == Some(&*option.name)
    };
    let certain = options.iter().filter(is_certain);
    names.certain_options = certain.map(|option| &*option.name).collect();
    names.arguments = (arguments.iter())
        .map(|argument| (&*argument.name, argument.is_certain))
        .collect();
    let mut read: Vec<Option<BeforeSpec>> = Vec::new();
    for node in &befores {
        let before = BeforeSpec::read(node, &mut names);
        read.push(before);
    }
    let request = table
        .require("request")
        .and_then(|node| RequestSpec::read(&node, &names));
    if let (Some(request), Some(Access::Read)) = (&request, access)
        && matches!(request.method, crate::client::Method::Delete)
    {
        table
            .node
            .report("a DELETE that only reads: `access` says so");
    }
    let pages = match table.get("pages") {
        None => Some(None),
        Some(node) => PagesSpec::read(&node, &names).map(Some),
    };
    let answer = match table.get("response") {
        None => Some(AnswerSpec::default()),
        Some(node) => AnswerSpec::read(&node, &names),
    };
    let fallback = match table.get("fallback") {
        None => Some(None),
        Some(node) => FallbackSpec::read(&node, &names).map(Some),
    };
    if let (Some(node), true) = (table.get("pages"), table.get("fallback").is_some()) {
        node.report("`pages` and `fallback` do not go together");
    }
    report_unused(table, arguments, &befores, &names);
    Some(Work::Http(Box::new(HttpSpec {
        befores: read.into_iter().collect::<Option<_>>()?,
        request: request?,
        answer: answer?,
        pages: pages?,
        fallback: fallback?,
        times: names.times.take(),
    })))
}

/// A tool that runs a program.
fn read_command(table: &Table<'_>, arguments: &[Argument]) -> Option<Work> {
    for key in ["before", "request", "response", "pages", "fallback"] {
        if let Some(node) = table.get(key) {
            node.report("means nothing to the kind `command`");
        }
    }
    let node = table.require("command")?;
    let spec: CommandSpec = read_written(&node)?;
    // What is wrong with the schema is reported where the whole tool is.
    let (_, schema) = input_schema(arguments, &Default::default()).ok()?;
    let command = match spec.compile(&schema) {
        Ok(command) => command,
        Err(problems) => {
            for problem in problems {
                node.report_at(problem.span.start, problem.text);
            }
            return None;
        }
    };
    let names = Names::of_options(Vec::new());
    for argument in arguments
        .iter()
        .filter(|argument| command.uses(&argument.name))
    {
        names.note(&argument.name);
    }
    report_unused(table, arguments, &[], &names);
    Some(Work::Command(Box::new(command)))
}

/// What is declared and does nothing is a slip of the pen, or a promise that is not kept.
fn report_unused(
    table: &Table<'_>,
    arguments: &[Argument],
    befores: &[Node<'_>],
    names: &Names<'_>,
) {
    let used = names.used.borrow();
    let declared = table
        .get("args")
        .map(|node| node.members())
        .unwrap_or_default();
    for argument in arguments {
        if argument.is_ignored || used.contains(&*argument.name) {
            continue;
        }
        let place = declared.iter().find(|(name, _)| *name == &*argument.name);
        let node = place.map_or(&table.node, |(_, node)| node);
        node.report(format!(
            "the argument `{}` is used by nothing; use it, or say `ignored = true`",
            argument.name
        ));
    }
    for node in befores {
        let name = node
            .value
            .get_ref()
            .get("as")
            .and_then(|name| name.get_ref().as_str());
        if let Some(name) = name.filter(|name| !used.contains(&format!("before.{name}"))) {
            node.report(format!(
                "`{{before.{name}}}` is used by nothing; leave `as` out"
            ));
        }
    }
}
