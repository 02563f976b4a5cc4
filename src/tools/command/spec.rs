//! `[tool.command]` as it is written.

use toml::Spanned;
use toml::de::DeValue;

use super::Output;
use crate::tools::written::{FreeTable, Misfit, Value, Written, read, unfit, written_table};

/// The table, read but not yet checked: [`compile`](CommandSpec::compile) does that.
#[derive(Debug)]
pub struct CommandSpec {
    pub(super) program: Spanned<String>,
    pub(super) args: Vec<Spanned<ElementSpec>>,
    pub(super) patterns: FreeTable<Spanned<String>>,
    pub(super) env: FreeTable<Spanned<String>>,
    pub(super) dir: Option<Spanned<String>>,
    pub(super) stdin: Option<Spanned<String>>,
    pub(super) timeout: Option<Spanned<String>>,
    pub(super) max_output: Option<Spanned<u32>>,
    pub(super) memory: Option<Spanned<u64>>,
    pub(super) user: Option<Spanned<String>>,
    pub(super) success: Option<Spanned<Vec<i32>>>,
    pub(super) output: Output,
    pub(super) progress: bool,
}

written_table!(CommandSpec {
    program,
    args,
    patterns,
    env,
    dir,
    stdin,
    timeout,
    max_output,
    memory,
    user,
    success,
    output,
    progress,
});

/// An element of `args`.
#[derive(Debug)]
pub(super) enum ElementSpec {
    All(Vec<Spanned<String>>),
    If(Box<IfSpec>),
    One(String),
}

/// `{ "$if" = "{all}", then = ["--all"], else = [] }`
#[derive(Debug)]
pub(in crate::tools) struct IfSpec {
    pub(super) condition: Spanned<String>,
    pub(super) then: Texts,
    pub(super) otherwise: Texts,
}

written_table!(IfSpec { condition = "$if", then, otherwise = "else" });

/// One text, or a list of them.
#[derive(Debug, Default)]
pub(super) struct Texts(pub(super) Vec<Spanned<String>>);

impl Written for Texts {
    fn blank() -> Texts {
        Texts::default()
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        self.0.fill(value)
    }

    fn may_be_missing(&self) -> bool {
        true
    }
}

impl Written for ElementSpec {
    fn blank() -> ElementSpec {
        ElementSpec::One(String::new())
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Misfit> {
        *self = match value.get_ref() {
            DeValue::Array(_) => ElementSpec::All(read(value)?),
            DeValue::String(text) => ElementSpec::One(text.to_string()),
            DeValue::Table(_) => ElementSpec::If(read(value)?),
            _ => {
                return Err(unfit(
                    value,
                    "a text, a list of texts, or a table with `$if`",
                ));
            }
        };
        Ok(())
    }
}
