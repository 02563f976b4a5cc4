//! Shell completions and the man page, made from the table of commands; kept in `deploy` and compared with it here, so that
//! the binary need not carry them. `SISKIN_BLESS=1 cargo test --lib cli::` writes them anew.

use std::fmt::Write as _;
use std::path::Path;

use argh::{ArgsInfo as _, CommandInfoWithArgs, FlagInfo, FlagInfoKind};

use crate::cli::exit::ExitCode;
use crate::cli::options::Options;

#[track_caller]
fn check(path: &str, current: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy")
        .join(path);
    if std::env::var_os("SISKIN_BLESS").is_some() {
        std::fs::write(&path, current).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == current,
        "{} is not what the commands are now; run SISKIN_BLESS=1 cargo test --lib cli::",
        path.display()
    );
}

fn flags<'a>(
    command: &'a CommandInfoWithArgs,
    table: &'a CommandInfoWithArgs,
) -> Vec<&'a FlagInfo<'a>> {
    let own = command.flags.iter();
    let inherited = table.flags.iter().filter(|_| command.name != table.name);
    own.chain(inherited)
        .filter(|flag| flag.long != "--help")
        .collect()
}

/// A shell command that prints the names of the tools on offer.
const TOOLS: &str = "siskin tools 2>/dev/null | tail -n +2 | cut -d ' ' -f 1";

/// The words of all options of a command, `-h` and `-V` included.
fn words(command: &CommandInfoWithArgs, table: &CommandInfoWithArgs) -> String {
    let names = (command
        .commands
        .iter()
        .filter(|_| command.name != table.name))
    .map(|inner| inner.name);
    let own = nested(command)
        .into_iter()
        .filter(|_| command.name != table.name);
    let own = own.chain(flags(command, table)).map(|flag| flag.long);
    (names.chain(own))
        .chain(["--help", "--version"])
        .collect::<Vec<_>>()
        .join(" ")
}

/// The options of a command's own commands, each once.
fn nested<'a>(command: &'a CommandInfoWithArgs) -> Vec<&'a FlagInfo<'a>> {
    let all = command.commands.iter();
    let mut flags: Vec<&FlagInfo<'_>> = all.flat_map(|inner| inner.command.flags).collect();
    flags.retain(|flag| flag.long != "--help");
    flags.sort_by_key(|flag| flag.long);
    flags.dedup_by_key(|flag| flag.long);
    flags
}

/// Every command with the words that name it, a group's own commands behind it.
fn with_nested(table: &CommandInfoWithArgs) -> Vec<(String, &CommandInfoWithArgs)> {
    let mut all = Vec::new();
    for outer in &table.commands {
        all.push((outer.name.to_owned(), &outer.command));
        for inner in &outer.command.commands {
            all.push((format!("{} {}", outer.name, inner.name), &inner.command));
        }
    }
    all
}

/// What a shell completes after an option that takes a value.
fn value_of(flag: &FlagInfo<'_>) -> Option<&'static str> {
    let FlagInfoKind::Option { arg_name } = flag.kind else {
        return None;
    };
    Some(match arg_name {
        "FILE" => "file",
        "DIR" => "directory",
        _ => "nothing",
    })
}

#[test]
fn bash() {
    let table = Options::get_args_info();
    let names: Vec<&str> = table.commands.iter().map(|command| command.name).collect();
    let mut out = String::from(
        "# Completion of siskin for bash; generated from its commands. Goes to /usr/share/bash-completion/completions/siskin.\n\
         _siskin() {\n    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} word command='' options\n\
         \x20   COMPREPLY=()\n    case $previous in\n",
    );
    for kind in ["file", "directory", "nothing"] {
        let mut options: Vec<&str> = table
            .flags
            .iter()
            .chain(
                with_nested(&table)
                    .into_iter()
                    .flat_map(|(_, command)| command.flags),
            )
            .filter(|flag| value_of(flag) == Some(kind))
            .map(|flag| flag.long)
            .collect();
        options.sort_unstable();
        options.dedup();
        if options.is_empty() {
            continue;
        }
        let action = match kind {
            "file" => "mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); return",
            "directory" => "mapfile -t COMPREPLY < <(compgen -d -- \"$current\"); return",
            _ => "return",
        };
        writeln!(out, "        {}) {action} ;;", options.join(" | ")).unwrap();
    }
    writeln!(
        out,
        "    esac\n    for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n        case $word in\n            {}) command=$word; break ;;\n        esac\n    done\n    case $command in",
        names.join(" | ")
    )
    .unwrap();
    for command in &table.commands {
        writeln!(
            out,
            "        {}) options=\"{}\" ;;",
            command.name,
            words(&command.command, &table)
        )
        .unwrap();
    }
    writeln!(
        out,
        "        *) options=\"{} {}\" ;;\n    esac\n    if [[ $command == call || $command == tools ]] && [[ $current != -* ]]; then\n\
         \x20       # The tools that the configuration of this folder offers.\n\
         \x20       options=$({TOOLS})\n    fi\n\
         \x20   mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")\n}}\ncomplete -F _siskin siskin",
        names.join(" "),
        words(&table, &table)
    )
    .unwrap();
    check("completions/siskin.bash", &out);
}

#[test]
fn zsh() {
    let table = Options::get_args_info();
    let spec = |flag: &FlagInfo<'_>| {
        let text = flag
            .description
            .replace('\'', "'\\''")
            .replace('[', "\\[")
            .replace(']', "\\]")
            .replace(':', "\\:");
        let value = match (value_of(flag), &flag.kind) {
            (Some("file"), _) => ":file:_files",
            (Some("directory"), _) => ":folder:_files -/",
            (Some(_), FlagInfoKind::Option { arg_name }) => &format!(":{arg_name}:"),
            _ => "",
        };
        format!("'{}[{text}]{value}'", flag.long)
    };
    let mut out = String::from(
        "#compdef siskin\n# Completion of siskin for zsh; generated from its commands. Goes to /usr/share/zsh/vendor-completions/_siskin.\n\
         _siskin() {\n    local context state line\n    typeset -A opt_args\n    _arguments -C \\\n",
    );
    for flag in flags(&table, &table) {
        writeln!(out, "        {} \\", spec(flag)).unwrap();
    }
    out.push_str("        '(-h --help)'{-h,--help}'[show help]' \\\n        '(-V --version)'{-V,--version}'[show the version]' \\\n        '1:command:->command' '*::argument:->argument'\n    case $state in\n        command)\n            local -a commands=(\n");
    for command in &table.commands {
        let text = command.command.description.replace('\'', "'\\''");
        writeln!(out, "                '{}:{text}'", command.name).unwrap();
    }
    out.push_str("            )\n            _describe command commands\n            ;;\n        argument)\n            case $line[1] in\n");
    for command in &table.commands {
        write!(out, "                {}) _arguments", command.name).unwrap();
        for flag in nested(&command.command)
            .into_iter()
            .chain(flags(&command.command, &table))
        {
            write!(out, " \\\n                    {}", spec(flag)).unwrap();
        }
        if !command.command.commands.is_empty() {
            let inner = command.command.commands.iter();
            let names: Vec<&str> = inner.map(|inner| inner.name).collect();
            write!(
                out,
                " \\\n                    '1:command:({})' '*:file:_files'",
                names.join(" ")
            )
            .unwrap();
        }
        if matches!(command.name, "call" | "tools") {
            write!(out, " \\\n                    \"1:tool:($({TOOLS}))\"").unwrap();
        }
        out.push_str(" ;;\n");
    }
    out.push_str("            esac\n            ;;\n    esac\n}\n_siskin \"$@\"\n");
    check("completions/_siskin", &out);
}

#[test]
fn fish() {
    let table = Options::get_args_info();
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let mut out = String::from(
        "# Completion of siskin for fish; generated from its commands. Goes to /usr/share/fish/vendor_completions.d/siskin.fish.\n\
         complete -c siskin -f\ncomplete -c siskin -s h -l help -d 'show help'\ncomplete -c siskin -s V -l version -d 'show the version'\n",
    );
    let mut option = |condition: &str, flag: &FlagInfo<'_>| {
        let value = match value_of(flag) {
            Some("file") => " -r -F",
            Some("directory") => " -x -a '(__fish_complete_directories)'",
            Some(_) => " -x",
            None => "",
        };
        let long = flag.long.trim_start_matches('-');
        let text = quoted(flag.description);
        writeln!(
            out,
            "complete -c siskin{condition} -l {long}{value} -d {text}"
        )
        .unwrap();
    };
    for flag in flags(&table, &table) {
        option("", flag);
    }
    for command in &table.commands {
        let condition = format!(" -n '__fish_seen_subcommand_from {}'", command.name);
        let own = command
            .command
            .flags
            .iter()
            .filter(|flag| flag.long != "--help");
        for flag in own.chain(nested(&command.command)) {
            option(&condition, flag);
        }
    }
    for command in &table.commands {
        let text = quoted(command.command.description);
        writeln!(
            out,
            "complete -c siskin -n __fish_use_subcommand -a {} -d {text}",
            command.name
        )
        .unwrap();
        let names: Vec<&str> = (command.command.commands.iter())
            .map(|inner| inner.name)
            .collect();
        for inner in &command.command.commands {
            writeln!(
                out,
                "complete -c siskin -F -n '__fish_seen_subcommand_from {}; and not __fish_seen_subcommand_from {}' -a {} -d {}",
                command.name,
                names.join(" "),
                inner.name,
                quoted(inner.command.description)
            )
            .unwrap();
        }
    }
    writeln!(
        out,
        "complete -c siskin -n '__fish_seen_subcommand_from call tools' -a \"({TOOLS})\""
    )
    .unwrap();
    check("completions/siskin.fish", &out);
}

#[test]
fn man_page() {
    let table = Options::get_args_info();
    let roff = |text: &str| {
        let text = text.replace('\\', "\\e").replace('-', "\\-");
        match text.starts_with(['.', '\'']) {
            true => format!("\\&{text}"),
            false => text,
        }
    };
    let code = |text: &str| {
        let mut out = String::new();
        for (index, piece) in roff(text).split('`').enumerate() {
            if index > 0 {
                out.push_str(if index % 2 == 1 { "\\fB" } else { "\\fR" });
            }
            out.push_str(piece);
        }
        out
    };
    let mut out = format!(
        ".\\\" Generated from the commands of siskin.\n.TH SISKIN 1 \"\" \"siskin {}\" \"User Commands\"\n.SH NAME\nsiskin \\- {}\n\
         .SH SYNOPSIS\n.B siskin\n[\\fIOPTIONS\\fR] [\\fICOMMAND\\fR]\n.SH DESCRIPTION\n",
        env!("CARGO_PKG_VERSION"),
        table.description
    );
    for note in table.notes {
        writeln!(out, "{}", code(note)).unwrap();
    }
    let option = |out: &mut String, flag: &FlagInfo<'_>| {
        let name = match flag.kind {
            FlagInfoKind::Switch => format!("\\fB{}\\fR", roff(flag.long)),
            FlagInfoKind::Option { arg_name } => {
                format!("\\fB{}\\fR \\fI{arg_name}\\fR", roff(flag.long))
            }
        };
        writeln!(out, ".TP\n{name}\n{}", code(flag.description)).unwrap();
    };
    out.push_str(".SH OPTIONS\n");
    for flag in flags(&table, &table) {
        option(&mut out, flag);
    }
    out.push_str(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nshow help, after a command its own\n.TP\n\\fB\\-V\\fR, \\fB\\-\\-version\\fR\nshow the version\n.SH COMMANDS\n");
    for (name, info) in with_nested(&table) {
        let positionals: String = info
            .positionals
            .iter()
            .map(|positional| format!(" \\fI{}\\fR", positional.name))
            .collect();
        writeln!(
            out,
            ".SS siskin {name}{positionals}\n{}.",
            code(info.description)
        )
        .unwrap();
        for note in info.notes {
            writeln!(out, ".PP\n{}", code(note)).unwrap();
        }
        for positional in info.positionals {
            writeln!(
                out,
                ".TP\n\\fI{}\\fR\n{}",
                positional.name,
                code(positional.description)
            )
            .unwrap();
        }
        for flag in info.flags.iter().filter(|flag| flag.long != "--help") {
            option(&mut out, flag);
        }
        for example in info.examples {
            writeln!(out, ".PP\n.EX\n{}\n.EE", roff(example)).unwrap();
        }
    }
    out.push_str(".SH EXIT STATUS\n");
    for (_, number, meaning) in ExitCode::TABLE {
        writeln!(out, ".TP\n{number}\n{}", code(meaning)).unwrap();
    }
    out.push_str(
        ".SH FILES\n.TP\n/etc/siskin/base.toml\nthe configuration, if there is no ./config/base.toml; every key stands in its README.md\n\
         .TP\n/etc/siskin/packs\npacks of tools of your own\n.SH SIGNALS\n.TP\nSIGTERM, SIGINT\nfinish what runs and stop; a second one stops at once\n\
         .TP\nSIGHUP\nread the configuration again\n",
    );
    check("man/siskin.1", &out);
}
