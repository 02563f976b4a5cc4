//! Tools that run a command: `kind = "command"` and a `[tool.command]` table in a pack.
//!
//! ```toml
//! [tool.command]
//! program = "/usr/sbin/smartctl"              # absolute, or a name to be found in PATH; never a template
//! args = ["--json", ["-n", "{mode}"], "--", "{device}"]
//! patterns = { device = "/dev/[a-z0-9]+" }    # what the whole value must match
//! env = { LC_ALL = "C" }                      # beside PATH, LANG, TERM and NO_COLOR nothing else is there
//! dir = "/"
//! stdin = "{text}"
//! timeout = "30s"
//! max_output = 65536                          # bytes of output that are kept
//! memory = 268435456                          # bytes of address space
//! user = "nobody"                             # a name, a number, or `uid:gid`; only where the server is root
//! success = [0, 4]                            # statuses that are no failure
//! output = "text"                             # or "json"
//! progress = true                             # lines of output as progress, where the client asks for it
//! ```
//!
//! Each element of `args` becomes one argument, whatever is in the values: there is no shell. A template whose argument
//! is absent is left out; so is a list of templates if any of theirs is, and `{ "$if" = "{all}", then = ["--all"] }`
//! chooses by a value. An element that is exactly one reference to a list becomes one argument for each of its elements.
//!
//! A value cannot become an option: one that begins with `-` is refused where an argument begins with it, unless a
//! literal `--` stands before or the value has a pattern. A template that could put a value into an option's name, or
//! into code for an interpreter, is refused when the pack is read.
//!
//! The command runs in a process group of its own, which is killed at its end, at its timeout, and when the call is
//! cancelled or its client goes away. Where the server adopts orphans (`rt::process::adopt_orphans`) that holds for what
//! has left the group too, once no other command runs; a library that embeds us does not, and there `setsid` escapes.
//! What runs as root under a server that does not (by `sudo`) cannot be killed by it; its place counts until it ends.

mod compile;
mod run;
mod spec;
mod template;
mod text;
mod user;

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use crate::sorted::{SortedMap, SortedSet};

use super::schema::Pattern;
use super::written::written_words;
pub use run::Defaults;
pub use spec::CommandSpec;
#[cfg(test)]
pub(in crate::tools) use spec::IfSpec;
use template::Template;
use user::User;

/// A `[tool.command]` that can be run.
#[derive(Debug)]
pub struct CommandTool {
    program: String,
    arguments: Vec<Element>,
    patterns: SortedMap<String, Pattern>,
    environment: Vec<(String, String)>,
    directory: PathBuf,
    input: Option<Template>,
    timeout: Option<Duration>,
    output_bytes_max: Option<usize>,
    memory_bytes_max: Option<u64>,
    user: Option<User>,
    success: Vec<i32>,
    output: Output,
    has_progress: bool,
    used: SortedSet<String>,
}

/// What becomes of `args`, in their order.
#[derive(Debug)]
enum Element {
    /// One argument; several for a list; none for what is absent.
    One(Template),
    /// All, or none if any is absent.
    All(Vec<Template>),
    /// By a value: `then` if it is there and not false.
    If {
        condition: String,
        then: Vec<Template>,
        otherwise: Vec<Template>,
    },
}

/// What the output is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Output {
    /// One JSON value.
    Json,
    /// Lines for a reader.
    #[default]
    Text,
}

written_words!(Output { "json" => Json, "text" => Text });

impl CommandTool {
    /// Whether a template or a pattern refers to this argument.
    pub fn uses(&self, argument: &str) -> bool {
        self.used.contains(argument)
    }
}

/// What is wrong with a `[tool.command]`, and where in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecProblem {
    /// In bytes.
    pub span: Range<usize>,
    /// What is wrong, and what would be right.
    pub text: String,
}

impl fmt::Display for SpecProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
