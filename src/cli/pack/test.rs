//! `siskin pack test`: a pack's file checked, and one of its tools tried against the live service.

use std::fmt::Write as _;
use std::path::Path;

use argh::{ArgsInfo, FromArgs};

use super::super::app::{CallOutcome, Exchange, PackFile};
use super::super::arguments::Schema;
use super::super::call::read_arguments;
use super::super::text::clean;
use super::super::tools::{find, write_table};
use super::super::{Context, ExitCode, Failure};

/// check a pack, or run one of its tools and show what goes over the wire
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "test",
    help_triggers("--help"),
    note = "Without TOOL every problem of the file is listed, or its tools. With TOOL each request and answer is shown, \
            secrets masked, and what a client would get. Address and token come from `[services.ID]`, ID being the file's \
            name. Exits with 78 when the file has a problem, with 1 when the tool fails.",
    example = "siskin pack test packs/kettle.toml",
    example = "siskin pack test packs/kettle.toml kettle_list_items limit=3",
    example = "siskin pack test kettle.toml kettle_off --set services.kettle.url=http://pi"
)]
pub(super) struct Test {
    /// arguments as one JSON object; KEY=VALUE may add others
    #[argh(option, arg_name = "JSON")]
    args: Option<String>,

    /// show bodies whole; else their first 2000 characters
    #[argh(switch)]
    whole: bool,

    /// the pack's file
    #[argh(positional, arg_name = "FILE")]
    file: String,

    /// name of the tool, and behind it its arguments
    #[argh(positional, arg_name = "TOOL KEY=VALUE")]
    words: Vec<String>,
}

/// As much of a body as shows what it is made of.
const BODY_CHARS_MAX: usize = 2000;

impl Test {
    pub(super) fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let file = Path::new(&self.file);
        let pack = context.app.read_pack(file)?;
        if !pack.problems.is_empty() {
            for problem in &pack.problems {
                writeln!(context.out, "{}", clean(problem)).expect(INFALLIBLE);
            }
            return Err(verdict(&self.file, pack.problems.len()));
        }
        let Some((name, pairs)) = self.words.split_first() else {
            if self.args.is_some() {
                return Err(Failure::usage(
                    "`--args` is for a tool: name one behind the file",
                ));
            }
            write_pack(context, &self.file, &pack);
            return Ok(());
        };
        let listed_by = format!("siskin pack test {}", self.file);
        let tool = find(&pack.tools, name, &listed_by)?;
        let arguments = read_arguments(tool, self.args.as_deref(), pairs, &listed_by)?;
        let loaded = context.load()?;
        let trial = context.app.try_tool(&loaded, file, name, &arguments)?;
        let chars_max = match self.whole {
            true => usize::MAX,
            false => BODY_CHARS_MAX,
        };
        for exchange in &trial.exchanges {
            write_exchange(&mut context.out, exchange, chars_max);
        }
        write_outcome(&mut context.out, &trial.outcome);
        match trial.outcome.is_error {
            true => Err(Failure::new(ExitCode::Failed, format!("`{name}` failed"))),
            false => Ok(()),
        }
    }
}

fn verdict(file: &str, count: usize) -> Failure {
    let problems = if count == 1 { "problem" } else { "problems" };
    Failure::new(ExitCode::Config, format!("`{file}` has {count} {problems}"))
}

fn write_pack(context: &mut Context<'_>, file: &str, pack: &PackFile) {
    let out = &mut context.out;
    let tools = match pack.tools.len() {
        1 => "1 tool".to_owned(),
        count => format!("{count} tools"),
    };
    writeln!(out, "{file} is sound: {}, {tools}\n", clean(&pack.title)).expect(INFALLIBLE);
    write_table(out, &pack.tools, context.columns);
    for tool in &pack.tools {
        let arguments = Schema::parse(&tool.input_schema_json).describe();
        if arguments.is_empty() {
            continue;
        }
        writeln!(out, "\n{}", clean(&tool.name)).expect(INFALLIBLE);
        for line in arguments {
            writeln!(out, "  {}", clean(&line)).expect(INFALLIBLE);
        }
    }
}

/// A request behind `>` and its answer behind `<`, as HTTP writes them.
fn write_exchange(out: &mut String, exchange: &Exchange, chars_max: usize) {
    writeln!(out, "> {}", clean(&exchange.request)).expect(INFALLIBLE);
    write_message(out, '>', &exchange.headers, &exchange.body, chars_max);
    match &exchange.answer {
        Ok(answer) => {
            writeln!(out, "< {}", clean(&answer.status)).expect(INFALLIBLE);
            write_message(out, '<', &answer.headers, &answer.body, chars_max);
        }
        Err(problem) => writeln!(out, "< no answer: {}\n", clean(problem)).expect(INFALLIBLE),
    }
}

fn write_message(
    out: &mut String,
    mark: char,
    headers: &[(String, String)],
    body: &str,
    chars_max: usize,
) {
    for (name, value) in headers {
        writeln!(out, "{mark} {}: {}", clean(name), clean(value)).expect(INFALLIBLE);
    }
    out.push('\n');
    if body.is_empty() {
        return;
    }
    let shown: String = body.chars().take(chars_max).collect();
    let left = body.len() - shown.len();
    out.push_str(clean(&shown).trim_end());
    if left > 0 {
        write!(out, "…\n({left} more bytes; `--whole` shows them)").expect(INFALLIBLE);
    }
    out.push_str("\n\n");
}

/// What a client gets, as the model reads it.
fn write_outcome(out: &mut String, outcome: &CallOutcome) {
    let text = outcome.text.join("\n");
    let word = match (outcome.is_error, outcome.structured_json.is_some()) {
        (true, _) => "failure",
        (false, true) => "result, also structured",
        (false, false) => "result",
    };
    writeln!(out, "= {word}, {} bytes\n", text.len()).expect(INFALLIBLE);
    out.push_str(clean(&text).trim_end());
    out.push('\n');
}

const INFALLIBLE: &str = "a string can always be written to";
