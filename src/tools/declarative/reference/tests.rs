//! The tables against what the readers know, every example against the checker and the JSON Schema, and the written files
//! against what is made now.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use toml::{Table as Toml, Value as Item};

use super::super::auth::{AUTH_KEYS, LOGIN_KEYS, SEND_KEYS};
use super::super::filter::NAMES;
use super::super::pack::{OPTION_KEYS, PROBE_KEYS, ROOT_KEYS, SERVICE_KEYS};
use super::super::pages::PAGES_KEYS;
use super::super::request;
use super::super::steps::{BEFORE_KEYS, FALLBACK_KEYS};
use super::super::tool::TOOL_KEYS;
use super::super::{Pack, shipped, tree};
use super::*;
use crate::tools::command::{CommandSpec, IfSpec};
use crate::tools::declarative::shape::keys::Key;

fn names(keys: &[Key]) -> BTreeSet<&'static str> {
    let found: BTreeSet<&str> = keys.iter().map(|key| key.name).collect();
    assert_eq!(found.len(), keys.len(), "a key stands there twice");
    found
}

fn set(names: &[&'static str]) -> BTreeSet<&'static str> {
    names.iter().copied().collect()
}

/// The keywords that the compiler of schemas has a branch for, but for those of a root.
fn schema_keywords() -> BTreeSet<&'static str> {
    let source = include_str!("../../schema/compile/mod.rs");
    let begin = source.find("\"title\" | ").expect("the branches begin so");
    let end = begin + source[begin..].find("_ =>").expect("the branches end so");
    let arms = source[begin..end]
        .lines()
        .filter_map(|line| line.split_once("=>"));
    arms.flat_map(|(words, _)| words.split('"').skip(1).step_by(2))
        .filter(|word| !["$schema", "$id", "$defs", "definitions", "$ref"].contains(word))
        .collect()
}

#[test]
fn every_key_is_documented_and_nothing_else() {
    assert_eq!(
        set(ROOT_KEYS),
        set(&["service", "tool"]),
        "the schema names them"
    );
    let mut argument = schema_keywords();
    assert!(argument.len() > 30, "{argument:?}");
    argument.extend(["required", "ignored", "default_option"]);
    let known = [
        ("service", set(SERVICE_KEYS)),
        ("option", set(OPTION_KEYS)),
        ("auth", set(AUTH_KEYS)),
        ("login", set(LOGIN_KEYS)),
        ("send", set(SEND_KEYS)),
        ("probe", set(PROBE_KEYS)),
        ("tool", set(TOOL_KEYS)),
        ("argument", argument),
        ("request", set(&request::KEYS)),
        ("before", set(BEFORE_KEYS)),
        ("pages", set(PAGES_KEYS)),
        ("fallback", set(FALLBACK_KEYS)),
        ("command", set(CommandSpec::KEYS)),
        ("if", set(IfSpec::KEYS)),
    ];
    for ((name, known), table) in known.into_iter().zip(&TABLES) {
        assert_eq!(name, table.name);
        assert_eq!(names(table.keys), known, "{name}");
    }
    assert_eq!(names(OPERATORS[0].keys), set(&tree::OPERATORS));
    for name in NAMES {
        let is_it = |(text, _): &(&str, &str)| text.split(':').next() == Some(name);
        assert!(FILTERS.iter().any(is_it), "{name}");
    }
    assert_eq!(FILTERS.len(), NAMES.len());
}

/// A pack in which everything an example may name is there.
const BASE: &str = "
[service]
id = 'kettle'
auth = { kind = 'basic' }
probe = { path = '/health' }
[service.options.region]
description = 'Which region.'
[service.args.cup]
description = 'Which cup.'
ignored = true
[[tool]]
name = 'kettle_fill'
description = 'Fills it.'
access = 'write'
use = ['cup']
[tool.args]
query = { ignored = true }
name = { default = 'x', ignored = true }
limit = { type = 'integer', ignored = true }
seconds = { type = 'integer', ignored = true }
full = { type = 'boolean', ignored = true }
[tool.request]
method = 'POST'
path = '/water'
";

/// Where a table stands, and what is there besides an example's keys.
fn place_of(table: &str) -> (&'static str, &'static str) {
    match table {
        "service" => ("service", ""),
        "option" => ("service.options.region", ""),
        "auth" => ("service.auth", ""),
        "login" => (
            "service.login",
            "request = { path = '/in' }\nvalue = '/sid'\nsend = { header = 'X-SID' }",
        ),
        "send" => ("service.login.send", "header = 'X'"),
        "probe" => ("service.probe", ""),
        "tool" => ("tool", ""),
        "argument" => ("tool.args.cups", "ignored = true"),
        "request" | "operators" => ("tool.request", ""),
        "before" => ("tool.before", "request = { path = '/lid' }"),
        "pages" => ("tool.pages", "mode = 'page'\nparam = 'page'"),
        "fallback" => ("tool.fallback", "on = [406]\nrequest = { path = '/other' }"),
        "command" => ("tool.command", "program = 'uptime'"),
        "if" => ("tool.command.args", "'$if' = '{full}'\nthen = ['a']"),
        other => panic!("{other} has no place"),
    }
}

fn tool(pack: &mut Toml) -> &mut Toml {
    let tools = pack["tool"].as_array_mut().unwrap();
    tools[0].as_table_mut().unwrap()
}

/// The base with an example in its place.
fn with_example(table: &str, key: &Key) -> Toml {
    let mut pack: Toml = BASE.parse().unwrap();
    let example: Toml = key
        .example
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", key.example));
    let (place, beside) = place_of(table);
    let mut keys: Toml = beside.parse().unwrap();
    let is_command = example.contains_key("command")
        || key.name == "needs_url"
        || ["command", "if"].contains(&table);
    if is_command {
        tool(&mut pack).remove("request");
        tool(&mut pack).insert("kind".to_owned(), "command".into());
        let program: Toml = "program = 'uptime'".parse().unwrap();
        tool(&mut pack).insert("command".to_owned(), program.into());
    }
    if table == "login" || table == "send" {
        let service = pack["service"].as_table_mut().unwrap();
        if table == "send" {
            let login: Toml = place_of("login").1.parse().unwrap();
            service.insert("login".to_owned(), login.into());
        }
        service.insert(
            "auth".to_owned(),
            "kind = 'login'".parse::<Toml>().unwrap().into(),
        );
    }
    if key.name == "cookie" {
        keys.remove("value");
    }
    if key.name == "required" || key.name == "secret" {
        keys.remove("default");
    }
    keys.extend(example);
    let mut at = &mut pack;
    let mut steps = place.split('.').peekable();
    while let Some(step) = steps.next() {
        let is_last = steps.peek().is_none();
        if is_last && matches!(step, "before" | "args") {
            at.insert(step.to_owned(), Item::Array(vec![keys.into()]));
            return pack;
        }
        let entry = at.entry(step).or_insert_with(|| Toml::new().into());
        at = match entry {
            Item::Array(items) => items[0].as_table_mut().unwrap(),
            entry => entry.as_table_mut().unwrap(),
        };
    }
    at.extend(keys);
    pack
}

/// The schema by a validator that is not ours.
struct Schema(Schemas, SchemaIndex);

impl Schema {
    fn new() -> Schema {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let schema: Value = serde_json::from_str(&pack_schema()).unwrap();
        compiler.add_resource("pack.json", schema).unwrap();
        let index = compiler.compile("pack.json", &mut schemas).unwrap();
        Schema(schemas, index)
    }

    #[track_caller]
    fn check(&self, what: &str, pack: &Toml) {
        let value = serde_json::to_value(pack).unwrap();
        if let Err(error) = self.0.validate(&value, self.1) {
            panic!("{what}: {error}");
        }
    }

    fn refuses(&self, text: &str) -> bool {
        let pack: Toml = text.parse().unwrap();
        self.0
            .validate(&serde_json::to_value(pack).unwrap(), self.1)
            .is_err()
    }
}

#[test]
fn every_example_is_sound() {
    let schema = Schema::new();
    let mut wrong = Vec::new();
    for table in TABLES.iter().chain(&OPERATORS) {
        for key in table.keys {
            let first = key.example.lines().next().unwrap();
            assert!(first.replace(['\'', '"'], "").contains(key.name), "{first}");
            // A look at a service has no arguments; `path` stands for the requests that have some.
            if table.name == "probe" && key.example.contains('{') {
                continue;
            }
            let pack = with_example(table.name, key);
            schema.check(key.example, &pack);
            let text = toml::to_string(&pack).unwrap();
            if let Err(problems) = Pack::read("p", "kettle", text.clone().into()) {
                // What came before is there to be used, which an example of one key cannot show.
                let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                let left: Vec<&String> = lines
                    .iter()
                    .filter(|line| !line.contains("is used by nothing"))
                    .collect();
                wrong.extend(left.iter().map(|line| format!("{}: {line}", key.example)));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_pack_keeps_to_the_schema_and_says_so() {
    let schema = Schema::new();
    for shipped in shipped::PACKS {
        let (id, text) = (shipped.id, shipped.text());
        assert!(
            text.starts_with("#:schema ./pack.schema.json\n"),
            "{id} does not name the schema"
        );
        schema.check(id, &text.parse().unwrap());
    }
    let example = include_str!("../../../../examples/packs/miniflux.toml");
    schema.check("miniflux", &example.parse().unwrap());
    let scaffold = super::super::scaffold::scaffold("kettle", "http://k").unwrap();
    schema.check("scaffold", &scaffold.parse().unwrap());
}

#[test]
fn what_the_checker_refuses_the_schema_does_not_take() {
    let schema = Schema::new();
    assert!(!schema.refuses(BASE));
    for (from, to) in [
        ("[service]", "[service]\nidd = 1"),
        ("id = 'kettle'", "title = 'x'"),
        ("kind = 'basic'", "kind = 'bsic'"),
        ("path = '/health'", "path = 1"),
        ("access = 'write'", "access = 'wirte'"),
        ("access = 'write'", ""),
        ("method = 'POST'", "method = 'post'"),
        ("method = 'POST'", "timeout = 5"),
        ("type = 'boolean'", "type = 'bool'"),
        ("description = 'Which region.'", ""),
        (
            "path = '/water'",
            "path = '/water'\n[tool.response]\nlist = 1",
        ),
        (
            "path = '/water'",
            "path = '/water'\n[tool.pages]\nmode = 'pages'",
        ),
    ] {
        let text = BASE.replacen(from, to, 1);
        assert_ne!(text, BASE, "{from}");
        assert!(schema.refuses(&text), "{to}");
        assert!(Pack::read("p", "kettle", text.into()).is_err(), "{to}");
    }
}

/// Compares with a file of the repository, or writes it when `SISKIN_BLESS` is set.
#[track_caller]
fn check_file(path: &str, actual: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("SISKIN_BLESS").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let shown = path.display();
    assert!(
        actual == expected,
        "{shown} is not current; SISKIN_BLESS=1 cargo test --lib declarative::reference writes it"
    );
}

#[test]
fn the_reference_is_current() {
    let text = pack_markdown();
    assert!(!text.contains("@piece") && !text.contains("@transcript"));
    check_file("config/packs/README.md", &text);
}

#[test]
fn the_schema_is_current() {
    check_file("config/packs/pack.schema.json", &pack_schema());
}

#[test]
fn tables_have_as_many_columns_as_their_heads() {
    let (mut columns, mut rows) = (0, 0);
    for line in pack_markdown().lines() {
        if !line.starts_with('|') {
            columns = 0;
            continue;
        }
        let count = line.replace("\\|", "").matches('|').count();
        assert!(columns == 0 || columns == count, "{line}");
        (columns, rows) = (count, rows + 1);
    }
    assert!(rows > 150, "{rows}");
}
