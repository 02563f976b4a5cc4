//! `siskin call`: runs one tool in this process and shows what it answers.

use std::fmt::Write as _;

use argh::{ArgsInfo, FromArgs};
use serde_json::{Value, json};

use super::app::{CallOutcome, ToolLine};
use super::arguments::Schema;
use super::text::clean;
use super::tools::find;
use super::{Context, ExitCode, Failure, show};

/// run one tool and show its result
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "call",
    help_triggers("--help"),
    note = "Values are read by the types of the tool's input schema. A list is given by repeating the key or as JSON; \
            an object as JSON. `siskin tools TOOL` shows the arguments. Exits with 1 when the tool fails.",
    example = "siskin call net_check host=192.168.1.1 port=22",
    example = "siskin call device_memory --json"
)]
pub(super) struct Call {
    /// arguments as one JSON object; KEY=VALUE may add others
    #[argh(option, arg_name = "JSON")]
    args: Option<String>,

    /// print the whole result as JSON
    #[argh(switch)]
    json: bool,

    /// name of the tool
    #[argh(positional, arg_name = "TOOL")]
    tool: String,

    /// an argument of the tool
    #[argh(positional, arg_name = "KEY=VALUE")]
    pairs: Vec<String>,
}

impl Call {
    pub(super) fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let loaded = context.load()?;
        let tools = context.app.tools(&loaded)?;
        let tool = find(&tools, &self.tool, "siskin tools")?;
        let shown_by = format!("siskin tools {}", tool.name);
        let arguments = read_arguments(tool, self.args.as_deref(), &self.pairs, &shown_by)?;
        let outcome = context.app.call(&loaded, &tool.name, &arguments)?;
        if self.json {
            write_json(&mut context.out, &outcome);
        }
        match (outcome.is_error, self.json) {
            (false, false) => context.out.push_str(&readable(&outcome)),
            (false, true) => (),
            (true, false) => {
                let text = readable(&outcome);
                let message = format!("`{}` failed: {}", self.tool, text.trim_end());
                return Err(Failure::new(ExitCode::Failed, message));
            }
            (true, true) => {
                return Err(Failure::new(
                    ExitCode::Failed,
                    format!("`{}` failed", self.tool),
                ));
            }
        }
        Ok(())
    }
}

/// The arguments of a tool as one JSON object, from words and from JSON.
pub(super) fn read_arguments(
    tool: &ToolLine,
    json: Option<&str>,
    pairs: &[String],
    shown_by: &str,
) -> Result<String, Failure> {
    let schema = Schema::parse(&tool.input_schema_json);
    schema.read(json, pairs).map_err(|error| {
        let name = &tool.name;
        Failure::usage(format!(
            "`{name}`: {error}; `{shown_by}` shows its arguments"
        ))
    })
}

/// The text blocks as they are. Structured content shows where no text says it better: tools owe older clients the same
/// JSON as text (2025-06-18 server/tools, "Structured Content"), and of the two the keys and values read easier.
fn readable(outcome: &CallOutcome) -> String {
    let mut out = String::new();
    for text in outcome.text.iter().filter(|text| !show::is_json(text)) {
        out.push_str(clean(text).trim_end());
        out.push('\n');
    }
    if !out.is_empty() {
        return out;
    }
    let documents = match &outcome.structured_json {
        Some(structured) => std::slice::from_ref(structured),
        None => outcome.text.as_slice(),
    };
    for json in documents {
        out.push_str(&show::lines(json));
    }
    if out.is_empty() {
        out.push_str("(no content)\n");
    }
    out
}

fn write_json(out: &mut String, outcome: &CallOutcome) {
    let structured: Option<Value> = outcome
        .structured_json
        .as_deref()
        .and_then(|json| serde_json::from_str(json).ok());
    let mut all = json!({ "isError": outcome.is_error, "text": outcome.text });
    if let Some(structured) = structured {
        all["structuredContent"] = structured;
    }
    writeln!(out, "{all:#}").expect("a string can always be written to");
}
