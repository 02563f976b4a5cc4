//! The keys of `[tool.command]`.

use crate::tools::declarative::shape::keys::{Key, Kind, REQUIRED, key};

pub(super) const COMMAND: &[Key] = &[
    key(
        "program",
        Kind::Text,
        REQUIRED,
        "program = '/usr/sbin/smartctl'",
        "Absolute, or a name to be found in PATH; never a template.",
    ),
    key(
        "args",
        Kind::Elements,
        "",
        "args = ['--json', ['-n', '{name}'], '--', '{query}']",
        "Each is one argument, there is no shell. One whose argument is absent is left out, of a list all are. A reference to a list \
         gives one for each element. A value cannot become an option.",
    ),
    key(
        "patterns",
        Kind::TableOf(&Kind::Text),
        "",
        "patterns = { query = '/dev/[a-z0-9]+' }\nargs = ['{query}']",
        "What the whole value of an argument must match.",
    ),
    key(
        "env",
        Kind::TableOf(&Kind::Template),
        "",
        "env = { LC_ALL = 'C' }",
        "Its environment, beside PATH, LANG, TERM and NO_COLOR.",
    ),
    key(
        "dir",
        Kind::Text,
        "`/`",
        "dir = '/var/log'",
        "The folder it runs in, absolute.",
    ),
    key(
        "stdin",
        Kind::Template,
        "",
        "stdin = '{query}'",
        "Its input.",
    ),
    key(
        "timeout",
        Kind::Duration,
        "`timeout.operation`",
        "timeout = '30s'",
        "Then it and what it started are ended; at most 24h.",
    ),
    key(
        "max_output",
        Kind::Integer(0, 16_777_216),
        "`limits.tool_output_bytes`",
        "max_output = 65536",
        "Bytes of output that are kept.",
    ),
    key(
        "memory",
        Kind::Integer(0, 1 << 50),
        "",
        "memory = 268435456",
        "Bytes of address space.",
    ),
    key(
        "user",
        Kind::Text,
        "ours",
        "user = '65534:65534'",
        "Who runs it: a name, a number, or `uid:gid`; only where the server is root.",
    ),
    key(
        "success",
        Kind::List(&Kind::Integer(0, 255)),
        "`[0]`",
        "success = [0, 4]",
        "Exit statuses that are no failure.",
    ),
    key(
        "output",
        Kind::Choice(&["text", "json"]),
        "`text`",
        "output = 'json'",
        "What its output is.",
    ),
    key(
        "progress",
        Kind::Bool,
        "`false`",
        "progress = true",
        "Its lines as progress, where the client asks for it.",
    ),
];

pub(super) const IF: &[Key] = &[
    key(
        "$if",
        Kind::BoolArgument,
        REQUIRED,
        "'$if' = '{full}'",
        "An argument: whether it is there and not `false`.",
    ),
    key(
        "then",
        Kind::TextList,
        "",
        "then = ['--all']",
        "Arguments if so.",
    ),
    key(
        "else",
        Kind::TextList,
        "",
        "else = ['--brief']",
        "Arguments if not.",
    ),
];
