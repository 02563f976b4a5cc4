//! Sorts the arguments before argh sees them, by the table argh itself keeps.
//!
//! argh has no options that stand on either side of the command, no `--name=value`, no `-V`, and names no likely word
//! for a misspelt one. So the words are brought into the order it reads, global options first, and every word it would
//! stumble over is refused here, with the remedy.

use std::ffi::OsString;

use argh::{
    ArgsInfo as _, CommandInfoWithArgs, FlagInfo, FlagInfoKind, FromArgs as _, Optionality,
};

use super::exit::Failure;
use super::help;
use super::options::Options;
use crate::config::nearest;
use crate::sorted::SortedSet;

/// What a command line asks for.
pub(super) enum Asked {
    Help { text: String },
    Version,
    Run(Box<Options>),
}

/// The arguments as text. Every path or value we take ends up in messages and in TOML, so other bytes are refused.
pub(super) fn texts(args: impl Iterator<Item = OsString>) -> Result<Vec<String>, Failure> {
    args.enumerate()
        .map(|(index, arg)| {
            arg.into_string().map_err(|bytes| {
                let (number, shown) = (index + 1, bytes.to_string_lossy());
                Failure::usage(format!(
                    "argument {number}, `{}`, is not UTF-8: rename the file, or set the key in a file",
                    shown.escape_debug()
                ))
            })
        })
        .collect()
}

pub(super) fn read(args: &[String]) -> Result<Asked, Failure> {
    let table = Options::get_args_info();
    let mut sorted = Sorted::new(&table);
    let mut words = args.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--" => {
                sorted.rest_is_positional(&mut words)?;
                break;
            }
            "-h" | "--help" => sorted.help = true,
            "-V" | "--version" => sorted.version = true,
            _ if word.starts_with('-') => sorted.take_option(word, &mut words)?,
            _ => sorted.take_word(word)?,
        }
    }
    if sorted.help {
        let text = help::render(&table, &sorted.path, sorted.command);
        return Ok(Asked::Help { text });
    }
    if sorted.version {
        return Ok(Asked::Version);
    }
    let remedy = sorted.remedy();
    if let (Some(group), Some(_)) = (sorted.group(), sorted.command) {
        let names: Vec<String> = (group.commands.iter())
            .map(|command| format!("`{}`", command.name))
            .collect();
        return Err(Failure::usage(format!(
            "`{}` needs one of its commands, {}; {remedy}",
            sorted.path.join(" "),
            names.join(" or ")
        )));
    }
    Options::from_args(&["siskin"], &sorted.into_words())
        .map(|options| Asked::Run(Box::new(options)))
        .map_err(|exit| Failure::usage(format!("{}; {remedy}", in_house_style(&exit.output))))
}

/// The words so far. Invariant: `local` is empty while there is no command.
struct Sorted<'a> {
    table: &'a CommandInfoWithArgs,
    command: Option<&'a CommandInfoWithArgs>,
    /// The words that name the command: `pack`, `new`.
    path: Vec<&'a str>,
    global: Vec<&'a str>,
    local: Vec<&'a str>,
    /// Options seen, to refuse a second one.
    seen: SortedSet<&'a str>,
    help: bool,
    version: bool,
}

impl<'a> Sorted<'a> {
    fn new(table: &'a CommandInfoWithArgs) -> Sorted<'a> {
        Sorted {
            table,
            command: None,
            path: Vec::new(),
            global: Vec::new(),
            local: Vec::new(),
            seen: SortedSet::new(),
            help: false,
            version: false,
        }
    }

    fn take_word(&mut self, word: &'a str) -> Result<(), Failure> {
        let Some(group) = self.group() else {
            self.local.push(word);
            return Ok(());
        };
        if word == "help" {
            self.help = true;
            return Ok(());
        }
        let commands = || group.commands.iter();
        let Some(found) = commands().find(|command| command.name == word) else {
            let guess = nearest(word, commands().map(|command| command.name));
            let guess = did_you_mean(guess.as_deref());
            let path = self.prefix();
            let shown = word.escape_debug();
            return Err(Failure::usage(format!(
                "unknown command `{path}{shown}`{guess}; `siskin {path}--help` lists all"
            )));
        };
        self.command = Some(&found.command);
        self.path.push(found.name);
        Ok(())
    }

    /// The table that the next word names a command of, if it has to.
    fn group(&self) -> Option<&'a CommandInfoWithArgs> {
        match self.command {
            None => Some(self.table),
            Some(command) => Some(command).filter(|command| !command.commands.is_empty()),
        }
    }

    fn take_option(
        &mut self,
        word: &'a str,
        words: &mut dyn Iterator<Item = &'a str>,
    ) -> Result<(), Failure> {
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let global = self.table.flags.iter().find(|flag| flag.long == name);
        let local = self.local_flags().iter().find(|flag| flag.long == name);
        let Some(flag) = global.or(local) else {
            return Err(self.unknown_option(name));
        };
        if flag.optionality != Optionality::Repeating && !self.seen.insert(flag.long) {
            return Err(Failure::usage(format!(
                "`{name}` is given twice: keep one of them"
            )));
        }
        let list = if global.is_some() {
            &mut self.global
        } else {
            &mut self.local
        };
        list.push(flag.long);
        match (&flag.kind, attached) {
            (FlagInfoKind::Switch, None) => (),
            (FlagInfoKind::Switch, Some(_)) => {
                return Err(Failure::usage(format!("`{name}` takes no value")));
            }
            (FlagInfoKind::Option { arg_name }, attached) => {
                let Some(value) = attached.or_else(|| words.next()) else {
                    return Err(Failure::usage(format!(
                        "`{name}` needs a value: `{name} {arg_name}`"
                    )));
                };
                list.push(value);
            }
        }
        Ok(())
    }

    fn rest_is_positional(
        &mut self,
        words: &mut dyn Iterator<Item = &'a str>,
    ) -> Result<(), Failure> {
        if self.command.is_none() {
            return Err(Failure::usage(
                "`--` stands before the command; put the command first",
            ));
        }
        self.local.push("--");
        self.local.extend(words);
        Ok(())
    }

    fn unknown_option(&self, name: &str) -> Failure {
        // Before the command is named, an option of any of them may be meant.
        let open = || self.group().into_iter().flat_map(|group| &group.commands);
        let further = open().flat_map(|command| command.command.flags);
        let flags = self.table.flags.iter().chain(self.local_flags());
        let names = flags.chain(further).map(|flag| flag.long);
        let guess = nearest(name, names.chain(["--version"]));
        // An option of a command that has not been named yet is the likely slip on a bare `siskin --port 1`.
        let owner =
            open().find(|command| command.command.flags.iter().any(|flag| flag.long == name));
        let shown = name.escape_debug();
        match owner {
            Some(owner) => {
                let path = self.prefix();
                Failure::usage(format!(
                    "`{shown}` is an option of `{path}{0}`: `siskin {path}{0} {shown} ...`",
                    owner.name
                ))
            }
            None => Failure::usage(format!(
                "unknown option `{shown}`{}; {}",
                did_you_mean(guess.as_deref()),
                self.remedy()
            )),
        }
    }

    fn local_flags(&self) -> &'a [FlagInfo<'static>] {
        self.command.map_or(&[], |command| command.flags)
    }

    /// The command so far with a space behind each word.
    fn prefix(&self) -> String {
        self.path.iter().map(|word| format!("{word} ")).collect()
    }

    fn remedy(&self) -> String {
        let path = self.prefix();
        format!("`siskin {path}--help` shows the usage")
    }

    fn into_words(self) -> Vec<&'a str> {
        let mut words = self.global;
        words.extend(self.path);
        words.extend(self.local);
        words
    }
}

pub(super) fn did_you_mean(guess: Option<&str>) -> String {
    guess.map_or_else(String::new, |guess| format!("; did you mean `{guess}`?"))
}

/// What is left for argh to say (a positional that is missing or too many), on one line and starting in lower case.
fn in_house_style(output: &str) -> String {
    let line = output.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut chars = line.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => line,
    }
}
