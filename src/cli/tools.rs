//! `siskin tools`: what a server of this configuration would offer.

use std::fmt::Write as _;

use argh::{ArgsInfo, FromArgs};
use serde_json::{Value, json};

use super::app::ToolLine;
use super::arguments::Schema;
use super::front::did_you_mean;
use super::text::{clean, cut};
use super::{Context, Failure};
use crate::config::nearest;

/// list the tools, or show one with its arguments
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "tools",
    help_triggers("--help"),
    note = "The table fits the terminal; into a file or a pipe it is written in full width."
)]
pub(super) struct Tools {
    /// print JSON, input schemas included
    #[argh(switch)]
    json: bool,

    /// a tool to show alone, with its arguments
    #[argh(positional, arg_name = "TOOL")]
    tool: Option<String>,
}

impl Tools {
    pub(super) fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let loaded = context.load()?;
        let mut tools = context.app.tools(&loaded)?;
        if let Some(name) = &self.tool {
            let tool = find(&tools, name, "siskin tools")?.clone();
            tools = vec![tool];
        }
        let out = &mut context.out;
        match (tools.as_slice(), &self.tool) {
            (tools, _) if self.json => write_json(out, tools),
            ([tool], Some(_)) => write_one(out, tool),
            ([], _) => out.push_str("no tools are offered; `siskin config` shows what is set\n"),
            (tools, _) => write_table(out, tools, context.columns),
        }
        Ok(())
    }
}

/// The tool of that name, or the one that may have been meant. `listed_by` is the command that lists them.
pub(super) fn find<'t>(
    tools: &'t [ToolLine],
    name: &str,
    listed_by: &str,
) -> Result<&'t ToolLine, Failure> {
    tools.iter().find(|tool| tool.name == name).ok_or_else(|| {
        let guess = nearest(name, tools.iter().map(|tool| tool.name.as_str()));
        let guess = did_you_mean(guess.as_deref());
        let shown = name.escape_debug();
        Failure::usage(format!(
            "unknown tool `{shown}`{guess}; `{listed_by}` lists all"
        ))
    })
}

pub(super) fn write_table(out: &mut String, tools: &[ToolLine], columns: Option<usize>) {
    const HEADING: (&str, &str, &str) = ("TOOL", "ACCESS", "WHAT IT DOES");
    /// Less than this says nothing; a narrower terminal breaks the lines.
    const TEXT_COLUMNS_MIN: usize = 12;
    let name_width = tools
        .iter()
        .map(|tool| tool.name.chars().count())
        .chain([HEADING.0.len()])
        .max()
        .unwrap_or_default();
    let access_width = HEADING.1.len();
    let text_columns = columns.map(|columns| {
        columns
            .saturating_sub(name_width + access_width + 4)
            .max(TEXT_COLUMNS_MIN)
    });
    let rows = tools.iter().map(|tool| {
        let text = tool.description.as_deref().or(tool.title.as_deref());
        let text = cut(text.unwrap_or_default().trim_start(), text_columns);
        (clean(&tool.name), access(tool), text)
    });
    let heading = (HEADING.0.to_owned(), HEADING.1, HEADING.2.to_owned());
    for (name, access, text) in [heading].into_iter().chain(rows) {
        let row = format!("{name:name_width$}  {access:access_width$}  {text}");
        writeln!(out, "{}", row.trim_end()).expect(INFALLIBLE);
    }
}

fn access(tool: &ToolLine) -> &'static str {
    if tool.read_only { "read" } else { "write" }
}

fn write_one(out: &mut String, tool: &ToolLine) {
    let title = tool
        .title
        .as_deref()
        .map_or_else(String::new, |title| format!(": {title}"));
    writeln!(out, "{} ({}){title}", clean(&tool.name), access(tool)).expect(INFALLIBLE);
    if let Some(description) = &tool.description {
        writeln!(out, "\n{}", clean(description.trim_end())).expect(INFALLIBLE);
    }
    let lines = Schema::parse(&tool.input_schema_json).describe();
    if !lines.is_empty() {
        out.push_str("\nArguments:\n");
    }
    for line in lines {
        writeln!(out, "  {}", clean(&line)).expect(INFALLIBLE);
    }
}

fn write_json(out: &mut String, tools: &[ToolLine]) {
    let tools: Vec<Value> = tools
        .iter()
        .map(|tool| {
            let schema: Value = serde_json::from_str(&tool.input_schema_json).unwrap_or_default();
            json!({
                "name": tool.name,
                "title": tool.title,
                "description": tool.description,
                "readOnly": tool.read_only,
                "inputSchema": schema,
            })
        })
        .collect();
    writeln!(out, "{:#}", json!({ "tools": tools })).expect(INFALLIBLE);
}

const INFALLIBLE: &str = "a string can always be written to";
