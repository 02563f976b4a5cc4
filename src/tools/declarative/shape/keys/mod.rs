//! Every key of `[tool.response]` with its meaning: the one list of tables from which the written reference and the JSON Schema are
//! made.
//!
//! [`super::reference`] makes both. Tests hold it against the fields of [`super::spec`], load every example, and so keep it from telling of what is not
//! there or leaving out what is.

mod nested;

use nested::{CONDITION, PICK, POINTS, REDACT, TRIM};

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What may be written.
    pub kind: Kind,
    /// What holds without it; empty if nothing does.
    pub default: &'static str,
    /// Meaning and limits.
    pub doc: &'static str,
    /// A line of a pack with it.
    pub example: &'static str,
}

/// A table that a pack may write.
#[derive(Debug)]
pub struct Table {
    /// Its name in the reference and the schema.
    pub name: &'static str,
    /// Where it stands.
    pub place: &'static str,
    /// What it is about.
    pub doc: &'static str,
    /// Its keys, in the order in which they work.
    pub keys: &'static [Key],
}

/// What may be written as a value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Anything that JSON has.
    Any,
    /// `true` or `false`.
    Bool,
    /// A boolean argument, as `"{name}"`.
    BoolArgument,
    /// One of some words.
    Choice(&'static [&'static str]),
    /// A whole number from 1, or an argument.
    Count,
    /// A whole number from one to another.
    Integer(u64, u64),
    /// A duration with its unit.
    Duration,
    /// Elements of a command line.
    Elements,
    /// Several of a kind.
    List(&'static Kind),
    /// A list of another table's.
    ListOf(&'static str),
    /// A number.
    Number,
    /// One of a kind, or several.
    OneOrMany(&'static Kind),
    /// A path.
    Path,
    /// Several paths.
    PathList,
    /// A path or several, each with `-` before it or not.
    Paths,
    /// Entries of `pick`.
    Picks,
    /// A JSON pointer.
    Pointer,
    /// A JSON pointer or several.
    Pointers,
    /// A text, a number, a boolean or an argument.
    Scalar,
    /// A list of those, or an argument that is a list.
    Scalars,
    /// JSON Schema.
    Schema,
    /// Bytes, up to so many MiB.
    Size(u64),
    /// A status or a class of them.
    Status,
    /// Another table.
    Table(&'static str),
    /// A table with free names.
    TableOf(&'static Kind),
    /// A table of path to another table.
    TableOfTables(&'static str),
    /// A text with references.
    Template,
    /// A text.
    Text,
    /// Several texts.
    TextList,
    /// A text or a boolean.
    TextOrBool,
    /// Values with references in them.
    Tree,
    /// A value or a list of them.
    ValueOrList,
}

/// What stands for a default where there must be a value.
pub const REQUIRED: &str = "required";

/// A row.
pub const fn key(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    example: &'static str,
    doc: &'static str,
) -> Key {
    Key {
        name,
        kind,
        default,
        doc,
        example,
    }
}

/// All tables, the outermost first.
pub const TABLES: [Table; 6] = [
    Table {
        name: "response",
        place: "[tool.response]",
        doc: "What is made of an answer. All keys may be left out; then JSON is shown as it comes, 32 KiB at most.",
        keys: RESPONSE,
    },
    Table {
        name: "condition",
        place: "an element of `where`, `any`, `all`, or `not`",
        doc: "Either a `path` with exactly one test, or one of `any`, `all`, `not`; each may have `when` and `unless`. A test whose \
            argument is absent is not there. A path with several values passes if one of them does (`ne`: if none is equal); a \
            missing member fails every test but `ne` and `exists = false`.",
        keys: CONDITION,
    },
    Table {
        name: "redact",
        place: "`redact`",
        doc: "Secrets are replaced by `***` before anything is picked, also with `full`.",
        keys: REDACT,
    },
    Table {
        name: "pick",
        place: "a table in `pick`",
        doc: "A member made of a part: an object (`pick`) or a text (`format`) for each element of a list, or for the one value there is.",
        keys: PICK,
    },
    Table {
        name: "trim",
        place: "a value of `trim`",
        doc: "What is cut off a text, in this order.",
        keys: TRIM,
    },
    Table {
        name: "points",
        place: "`points`",
        doc: "Long lists within an item, such as the samples of a series.",
        keys: POINTS,
    },
];

const RESPONSE: &[Key] = &[
    key(
        "status",
        Kind::TableOf(&Kind::TextOrBool),
        "",
        "status = { 304 = 'already stopped', 503 = true }",
        "Statuses accepted beside 2xx. A text replaces the result; `\"2xx\"` may have one too.",
    ),
    key(
        "errors",
        Kind::TableOf(&Kind::Text),
        "",
        "errors = { 404 = 'no page `{query}`' }",
        "Texts for statuses that mean failure, in place of the service's own message.",
    ),
    key(
        "error_at",
        Kind::Pointers,
        "the service's",
        "error_at = ['/error/message', '/message']",
        "Where a failed answer holds its message.",
    ),
    key(
        "fail_at",
        Kind::TableOf(&Kind::ValueOrList),
        "",
        "fail_at = { '/status' = 'error', '/code' = [-1, 2] }",
        "Values that make an answer with status 2xx a failure.",
    ),
    key(
        "decode",
        Kind::Choice(DECODERS),
        "`json`",
        "decode = 'docker_logs'",
        "How the bytes are read. `text` marks what is not UTF-8; `docker_logs` joins frames and leaves out terminal sequences; `prom_api` \
         makes `items` of a query's result, `prom_text` `samples` of metrics, `grafana_frames` `items` with rows; `none` reads nothing.",
    ),
    key(
        "max_response",
        Kind::Size(16),
        "the service's",
        "max_response = '4MiB'",
        "Bytes of an answer that are read; more is an error.",
    ),
    key(
        "at",
        Kind::Pointers,
        "the whole document",
        "at = ['/data/result', '/spec']",
        "Where the payload is: the first that exists. If none does, the call fails; an empty answer is the empty list.",
    ),
    key(
        "beside",
        Kind::TableOf(&Kind::Pointer),
        "",
        "beside = { warnings = '/warnings' }",
        "Members put next to the result, unless they are empty.",
    ),
    key(
        "headers",
        Kind::TableOf(&Kind::Text),
        "",
        "headers = { modified = 'X-Last-Modified' }",
        "Headers of the answer put next to the result; without a payload they are the result.",
    ),
    key(
        "total",
        Kind::Pointer,
        "",
        "total = '/count'",
        "The service's own count of all items, for \"N of M shown\".",
    ),
    key(
        "each",
        Kind::Path,
        "",
        "each = 'groups[].rules[]'",
        "The items are all that the path reaches; lists among it are flattened.",
    ),
    key(
        "entries",
        Kind::Text,
        "",
        "entries = 'metric'",
        "An object becomes a list of its members, each with its name under this one; what is no object goes under `value`.",
    ),
    key(
        "lines",
        Kind::Bool,
        "`false`",
        "lines = true",
        "A text becomes the list of its lines that are not empty.",
    ),
    key(
        "list",
        Kind::Bool,
        "`false`",
        "list = true",
        "The result is a list: null is the empty one, one value a list of one. `each`, `entries`, `lines`, `where`, `sort` and `limit` imply it.",
    ),
    key(
        "where",
        Kind::ListOf("condition"),
        "",
        "where = [{ path = 'name', icontains = '{query}' }]",
        "Items that stay: those that meet all conditions.",
    ),
    key(
        "sort",
        Kind::Paths,
        "",
        "sort = ['-modified', 'name']",
        "The order, by the first path that tells two items apart; `-` is descending. Numbers by value, text without regard to ASCII case, missing last.",
    ),
    key(
        "limit",
        Kind::Count,
        "",
        "limit = '{limit}'",
        "How many items are shown; the result says how many there were.",
    ),
    key(
        "redact",
        Kind::Table("redact"),
        "",
        "redact = { env = ['Config.Env'], keys = ['password'] }",
        "Secrets in the answer that are not shown.",
    ),
    key(
        "drop",
        Kind::PathList,
        "",
        "drop = ['data', 'meta.links']",
        "Members that are removed, by the service's names.",
    ),
    key(
        "pick",
        Kind::Picks,
        "everything",
        "pick = ['id = Id', 'image = Image | Config.Image', { at = 'Mounts[]', pick = ['Source'] }]",
        "Members that are shown: `path`, `name = path`, `name = path | path` (the first that is there), or a table.",
    ),
    key(
        "full",
        Kind::BoolArgument,
        "",
        "full = '{full}'\npick = ['id']",
        "When the argument is true, `drop`, `pick` and all keys below up to `points` are skipped; `redact` is not.",
    ),
    key(
        "drop_empty",
        Kind::Bool,
        "`true` with `pick`",
        "drop_empty = true",
        "Removes members that are null, `\"\"`, `[]`, `{}` or a time of year 1, at any depth. `false` and 0 stay.",
    ),
    key(
        "map",
        Kind::TableOf(&Kind::TableOf(&Kind::Scalar)),
        "",
        "map = { status = { 1 = 'active', '*' = 'other' } }",
        "Words for values, by the path in the result; `*` is for all others.",
    ),
    key(
        "time",
        Kind::TableOf(&Kind::Choice(TIME_UNITS)),
        "",
        "time = { created = 'unix' }",
        "Numbers that are times become RFC 3339, in UTC.",
    ),
    key(
        "trim",
        Kind::TableOfTables("trim"),
        "",
        "trim = { name = { prefix = '/' }, id = { chars = 12 } }",
        "What is cut off texts, by the path in the result.",
    ),
    key(
        "round",
        Kind::TableOf(&Kind::Integer(1, 15)),
        "",
        "round = { 'values[][1]' = 6 }",
        "Significant digits of numbers and of texts that are numbers, by the path in the result. Only the fraction is rounded.",
    ),
    key(
        "points",
        Kind::Table("points"),
        "",
        "points = { path = 'values', max = '{limit}' }",
        "Thins long lists within an item, evenly, the first and the last kept.",
    ),
    key(
        "text",
        Kind::Text,
        "",
        "text = 'page {query} has id {result.id}'",
        "The result as this text: `{name}` is an argument, `{result}` and `{result.path}` what was shaped, `{{` a brace.",
    ),
    key(
        "structured",
        Kind::Bool,
        "`true`",
        "structured = false",
        "Whether JSON goes out as `structuredContent` as well as text.",
    ),
    key(
        "max_output",
        Kind::Size(1),
        "`32KiB`",
        "max_output = '64KiB'",
        "Bytes that are shown, cut between items or lines.",
    ),
    key(
        "keep",
        Kind::Choice(ENDS),
        "`head`",
        "keep = 'tail'",
        "Which end of a longer result is shown.",
    ),
    key(
        "narrow",
        Kind::TextList,
        "those of `limit` and `where`",
        "narrow = ['limit', 'query']",
        "Arguments that a cut result names as ways to ask for less.",
    ),
];

pub(in crate::tools::declarative) const DECODERS: &[&str] = &[
    "json",
    "text",
    "docker_logs",
    "ndjson",
    "prom_api",
    "prom_text",
    "grafana_frames",
    "none",
];
pub(super) const TIME_UNITS: &[&str] = &["unix", "ms", "ns"];
pub(super) const ENDS: &[&str] = &["head", "tail"];
