//! The help, made from the table of options and commands; it needs no configuration, so it works with a broken one.

use std::fmt::Write as _;

use argh::{CommandInfoWithArgs, FlagInfo, FlagInfoKind, Optionality, PositionalInfo};

use super::exit::ExitCode;
use super::text::{COLUMNS_DEFAULT, wrap};

/// Where descriptions start.
const INDENT: usize = 24;

/// The help of `command`, which `path` names, or of the program.
pub(super) fn render(
    table: &CommandInfoWithArgs,
    path: &[&str],
    command: Option<&CommandInfoWithArgs>,
) -> String {
    let mut help = String::new();
    let shown = command.unwrap_or(table);
    write_usage(&mut help, shown, path);
    line(&mut help, &sentence(shown.description));
    for note in shown.notes {
        help.push('\n');
        line(&mut help, note);
    }
    if !shown.commands.is_empty() {
        help.push_str("\nCommands:\n");
        for command in &shown.commands {
            row(&mut help, command.name, command.command.description);
        }
    } else if !shown.positionals.is_empty() {
        help.push_str("\nArguments:\n");
        for positional in shown.positionals {
            row(&mut help, positional.name, positional.description);
        }
    }
    help.push_str("\nOptions:\n");
    let own = shown.flags.iter();
    let inherited = table.flags.iter().filter(|_| command.is_some());
    // argh lists its own `--help`; ours has a short form and stands last.
    for flag in own.chain(inherited).filter(|flag| flag.long != "--help") {
        row(&mut help, &option(flag), flag.description);
    }
    row(
        &mut help,
        "-h, --help",
        "show this, or after a command its own help",
    );
    row(&mut help, "-V, --version", "show the version");
    if !shown.examples.is_empty() {
        help.push_str("\nExamples:\n");
        for example in shown.examples {
            writeln!(help, "  {example}").expect(INFALLIBLE);
        }
    }
    if command.is_none() {
        help.push_str("\nExit codes:\n");
        for (_, number, meaning) in ExitCode::TABLE {
            row(&mut help, &number.to_string(), meaning);
        }
    }
    help
}

fn write_usage(help: &mut String, shown: &CommandInfoWithArgs, path: &[&str]) {
    let path = path.join(" ");
    let usage = if path.is_empty() {
        "Usage: siskin [OPTIONS] [COMMAND]".to_owned()
    } else if !shown.commands.is_empty() {
        format!("Usage: siskin {path} [OPTIONS] COMMAND")
    } else {
        let positionals: String = shown.positionals.iter().map(placeholder).collect();
        format!("Usage: siskin {path} [OPTIONS]{positionals}")
    };
    line(help, &usage);
    help.push('\n');
}

fn placeholder(positional: &PositionalInfo<'_>) -> String {
    let name = positional.name;
    match positional.optionality {
        Optionality::Required => format!(" {name}"),
        Optionality::Optional => format!(" [{name}]"),
        Optionality::Repeating | Optionality::Greedy => format!(" [{name}]..."),
    }
}

fn option(flag: &FlagInfo<'_>) -> String {
    match flag.kind {
        FlagInfoKind::Switch => flag.long.to_owned(),
        FlagInfoKind::Option { arg_name } => format!("{} {arg_name}", flag.long),
    }
}

fn row(help: &mut String, name: &str, description: &str) {
    let wrapped = wrap(description, INDENT, INDENT, COLUMNS_DEFAULT);
    let width = INDENT - 2;
    if name.len() < width {
        writeln!(help, "  {name:width$}{wrapped}").expect(INFALLIBLE);
    } else {
        writeln!(help, "  {name}\n{}{wrapped}", " ".repeat(INDENT)).expect(INFALLIBLE);
    }
}

fn line(help: &mut String, text: &str) {
    writeln!(help, "{}", wrap(text, 0, 0, COLUMNS_DEFAULT)).expect(INFALLIBLE);
}

/// argh wants descriptions in lower case; on a line of its own one reads as a sentence.
fn sentence(description: &str) -> String {
    let mut chars = description.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).chain(['.']).collect()
}

const INFALLIBLE: &str = "a string can always be written to";
