//! The written reference of packs, `config/packs/README.md`, and their JSON Schema for editors,
//! `config/packs/pack.schema.json`. Both are made from tables of keys; tests hold the tables against what the readers know,
//! and load every example.

mod argument;
mod command;
mod request;
mod service;
mod tool;

use serde_json::{Value, json};

use super::shape::keys::Table;
use super::shape::reference::{definitions, response_markdown, response_schema, write_tables};

/// The tables of a pack but for those of `[tool.response]`, the outermost first.
pub const TABLES: [Table; 14] = [
    Table {
        name: "service",
        place: "[service]",
        doc: "What all tools of the pack share.",
        keys: service::SERVICE,
    },
    Table {
        name: "option",
        place: "[service.options.NAME]",
        doc: "A setting that is the pack's own.",
        keys: service::OPTION,
    },
    Table {
        name: "auth",
        place: "`auth`",
        doc: "The credential. Templates here and in `login` may name `{token}`, `{token.user}` and `{token.password}`, the parts of \
            `user:password`; nothing else may. Where a value is absent or empty nothing is sent.",
        keys: service::AUTH,
    },
    Table {
        name: "login",
        place: "[service.login]",
        doc: "A session: begun when the first request needs it, kept while it is used, begun anew when the service has ended it.",
        keys: service::LOGIN,
    },
    Table {
        name: "send",
        place: "`send` of a login",
        doc: "The header that carries the session.",
        keys: service::SEND,
    },
    Table {
        name: "probe",
        place: "`probe`",
        doc: "A request that only looks. No references but to options.",
        keys: request::PROBE,
    },
    Table {
        name: "tool",
        place: "[[tool]]",
        doc: "One tool.",
        keys: tool::TOOL,
    },
    Table {
        name: "argument",
        place: "[tool.args.NAME], [service.args.NAME]",
        doc: "An argument: four keys of ours and the keywords of JSON Schema 2020-12 that are checked. `before`, `login`, `null`, \
            `option`, `result` and `token` cannot be names. A JSON null for an optional argument counts as absent; an argument nobody \
            knows is refused.",
        keys: argument::ARGUMENT,
    },
    Table {
        name: "request",
        place: "[tool.request], and `request` and `logout` elsewhere",
        doc: "What is sent. At most one of `json`, `form` and `text`, and none with GET and HEAD.",
        keys: request::REQUEST,
    },
    Table {
        name: "before",
        place: "[[tool.before]]",
        doc: "What comes before the request.",
        keys: tool::BEFORE,
    },
    Table {
        name: "pages",
        place: "[tool.pages]",
        doc: "How a list goes on.",
        keys: tool::PAGES,
    },
    Table {
        name: "fallback",
        place: "[tool.fallback]",
        doc: "What is tried instead.",
        keys: tool::FALLBACK,
    },
    Table {
        name: "command",
        place: "[tool.command]",
        doc: "A program of this machine. It runs in a process group of its own, which is ended with the call.",
        keys: command::COMMAND,
    },
    Table {
        name: "if",
        place: "a table in `args` of a command",
        doc: "Arguments by a value.",
        keys: command::IF,
    },
];

/// What stands in trees; no table of a schema, since a tree may hold anything.
pub const OPERATORS: [Table; 1] = [Table {
    name: "operators",
    place: "in `json`, `query` and `form`",
    doc: "Tables, lists, numbers and booleans are sent as they stand, texts are templates; absent members and elements are left \
        out, `false`, `0` and `\"\"` are not. A table with one of these keys is what it says. A real member that begins with `$` is \
        written `$$`.",
    keys: request::OPERATOR,
}];

/// Name, what goes in and what comes out, of each filter.
pub const FILTERS: [(&str, &str); 18] = [
    ("int", "`5`, `5.0`, `\"5\"` → 5; anything else is refused"),
    ("string", "anything → text"),
    ("lower", "text in lower case"),
    ("upper", "text in upper case"),
    ("trim", "text without space around it"),
    ("prefix:X", "X in front"),
    ("suffix:X", "X behind"),
    ("trim_prefix:X", "without X in front, if it is there"),
    ("trim_suffix:X", "without X behind, if it is there"),
    ("default:X", "X where there is no value"),
    ("join:X", "list → text, X between"),
    (
        "split:X",
        "text → list of texts, trimmed, empty ones left out",
    ),
    ("json", "anything → its JSON text"),
    ("html", "text → the same as HTML, newlines as `<br>`"),
    ("base64", "text → base64"),
    ("not", "`true` ↔ `false`"),
    (
        "time:unix",
        "also `time:ms`, `time:rfc3339`: RFC 3339, a date, unix seconds or milliseconds, `now`, `now-1h`, `7d` (ago) → that",
    ),
    (
        "dur:s",
        "also `dur:ms`: `90` (seconds), `5m`, `1h30m` → that",
    ),
];

/// The content of `config/packs/README.md`.
pub fn pack_markdown() -> String {
    let mut text = walkthrough();
    text.push_str(REFERENCE);
    let (service, tool) = TABLES.split_at(6);
    write_tables(&mut text, service);
    let (before_response, behind) = tool.split_at(3);
    write_tables(&mut text, before_response);
    text.push_str(TEMPLATES);
    for (name, doc) in FILTERS {
        let doc = doc.replace('|', "\\|");
        text.push_str(&format!("| `{name}` | {doc} |\n"));
    }
    text.push('\n');
    write_tables(&mut text, &OPERATORS);
    text.push_str(RESPONSE);
    text.push_str(&response_markdown());
    write_tables(&mut text, behind);
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The introduction with the pieces of the example's pack in it, so that the two cannot differ.
fn walkthrough() -> String {
    let pack = include_str!("../../../../examples/packs/miniflux.toml");
    let mut text = include_str!("../../../../examples/packs/walkthrough.template").to_owned();
    let transcript = include_str!("../../../../examples/packs/miniflux.transcript.txt");
    text = text.replace("@transcript", transcript.trim_end());
    for (index, piece) in pack.split("\n[[tool]]\n").enumerate() {
        let piece = match index {
            0 => piece.trim_end().to_owned(),
            _ => format!("[[tool]]\n{}", piece.trim_end()),
        };
        text = text.replace(&format!("@piece{index}"), &piece);
    }
    text
}

const REFERENCE: &str = "
## Reference

Every key, generated from the tables in `src/tools/declarative`; a test keeps it current. An unknown key, a reference to nothing, an
argument that nothing uses are mistakes, told with line and column by `siskin pack test FILE` and `siskin check`.

";

const TEMPLATES: &str = "\
### Templates

A text with references in braces; `{{` and `}}` are braces. A template that is exactly one reference keeps the value's type, within
other text it is written out. If one reference has no value, the whole template has none, and whatever it stands for is left out; JSON
null counts as no value, but for `{null}`.

`{NAME}`, `{NAME/pointer}` for a part of it, `{NAME:path}` in a path for several segments, `{NAME|filter|filter:argument}`. NAME is:

| name | what it is |
|---|---|
| an argument | `{title}` |
| `before.NAME` | what an earlier request brought: `{before.task/description}` |
| `option.NAME` | an option of the service |
| `null` | JSON null: `id = \"{null}\"` |
| `token`, `token.user`, `token.password` | the credential, in `auth` and `login` alone |
| `login` | the session, in `send` alone |

Filters work from left to right; `\\|`, `\\}` and `\\\\` stand for the characters themselves. No value stays none through all but `default`.

| filter | what comes of it |
|---|---|
";

const RESPONSE: &str = "\
### Answers

";

/// The content of `config/packs/pack.schema.json`, a JSON Schema of draft 2020-12.
pub fn pack_schema() -> String {
    let mut all = response_schema();
    all.extend(definitions(&TABLES));
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A pack of tools for siskin",
        "type": "object",
        "properties": {
            "service": { "$ref": "#/$defs/service" },
            "tool": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/tool" } },
        },
        "required": ["service", "tool"],
        "additionalProperties": false,
        "$defs": Value::Object(all),
    });
    format!("{schema:#}\n")
}

#[cfg(test)]
mod tests;
