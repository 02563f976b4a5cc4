//! A value as its layer gives it, before its key's kind has a say: typed from TOML, or bare text.

use std::borrow::Cow;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Fault, Problem};
use super::kind::quote;

/// A value as it was given.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    Text(&'a str),
    Toml(&'a Spanned<DeValue<'a>>),
}

/// What a parser may need beside the text.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// Reads a file named by a value, such as a token file.
    pub read: &'a (dyn Fn(&Path) -> std::io::Result<String> + 'a),
    /// The folder relative paths start from.
    pub folder: &'a Path,
}

impl<'a> Given<'a> {
    /// The text, if the value is one.
    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Given::Text(text) => Some(text),
            Given::Toml(value) => value.get_ref().as_str(),
        }
    }

    /// What stands there, short enough for a message.
    pub(super) fn found(self) -> String {
        match self {
            Given::Text(text) => clip(text),
            Given::Toml(value) => match value.get_ref() {
                DeValue::String(text) => format!("the string {}", clip(text)),
                DeValue::Integer(number) => format!("the integer {number}"),
                DeValue::Float(number) => format!("the float {number}"),
                DeValue::Boolean(yes) => format!("the boolean {yes}"),
                DeValue::Datetime(time) => format!("the date {time}"),
                DeValue::Array(_) => "an array".to_owned(),
                DeValue::Table(_) => "a table".to_owned(),
            },
        }
    }

    /// What stands there, without the content.
    pub(super) fn found_masked(self) -> String {
        match self {
            Given::Text(text) => format!("a text of {} bytes", text.len()),
            Given::Toml(value) => match value.get_ref() {
                DeValue::String(text) => format!("a string of {} bytes", text.len()),
                other => format!("type {}", other.type_str()),
            },
        }
    }

    pub(super) fn fault(self, problem: Problem) -> Fault {
        Fault {
            offset: self.offset(),
            at: String::new(),
            problem,
        }
    }

    /// Where it starts in its file, in bytes.
    pub(super) fn offset(self) -> Option<usize> {
        match self {
            Given::Text(_) => None,
            Given::Toml(value) => Some(value.span().start),
        }
    }
}

impl Context<'_> {
    /// The value a file holds: its text without the newline editors and `echo` put at the end.
    pub(super) fn read_value(self, path: &str) -> Result<String, Problem> {
        let path = self.folder.join(path);
        let text = (self.read)(&path).map_err(|cause| Problem::Unreadable {
            path: path.to_string_lossy().into_owned(),
            cause: cause.to_string(),
        })?;
        Ok(text.trim_end_matches(['\n', '\r']).to_owned())
    }
}

/// Parses each member of an array; what is wrong with any of them is the error.
pub(super) fn parse_members<T>(
    given: Given<'_>,
    parse: &mut dyn FnMut(Given<'_>) -> Result<T, Vec<Fault>>,
) -> Result<Vec<T>, Vec<Fault>> {
    let mut members = Vec::new();
    let faults = for_each_member(given, &mut |member| match parse(member) {
        Ok(parsed) => {
            members.push(parsed);
            Vec::new()
        }
        Err(faults) => faults,
    });
    if faults.is_empty() {
        Ok(members)
    } else {
        Err(faults)
    }
}

/// Each two of `all`, once.
pub(super) fn pairs<T>(all: &[T]) -> impl Iterator<Item = (&T, &T)> {
    all.iter().enumerate().flat_map(|(index, one)| {
        let others = all.iter().skip(index.saturating_add(1));
        others.map(move |other| (one, other))
    })
}

/// What came of looking at a member.
type Visited = Result<(), Vec<Fault>>;

/// Calls `visit` with each member of a table, by name, and collects what it finds wrong. It has nothing to say to a name that is none
/// of `known`.
pub(super) fn for_each_key(
    table: &DeTable<'_>,
    known: &[&str],
    visit: &mut dyn FnMut(&str, Given<'_>) -> Option<Visited>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let found = visit(name, Given::Toml(value))
            .unwrap_or_else(|| Err(vec![unknown_member(key.span().start, name, known)]));
        for mut fault in found.err().unwrap_or_default() {
            fault.at.insert_str(0, &format!(".{name}"));
            faults.push(fault);
        }
    }
    faults
}

/// A member of an inline table that we do not know.
fn unknown_member(offset: usize, name: &str, known: &[&str]) -> Fault {
    let nearest = crate::nearest::nearest(name, known.iter().copied());
    Fault {
        offset: Some(offset),
        at: String::new(),
        problem: Problem::Unknown {
            what: "key",
            nearest,
        },
    }
}

/// Calls `visit` with each member of an array and collects what it finds wrong. Bare text is either an array in TOML
/// or a list with commas.
pub(super) fn for_each_member(
    given: Given<'_>,
    visit: &mut dyn FnMut(Given<'_>) -> Vec<Fault>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut collect = |index: usize, member: Given<'_>| {
        for mut fault in visit(member) {
            fault.at.insert_str(0, &format!("[{index}]"));
            faults.push(fault);
        }
    };
    let value;
    let array = match given {
        Given::Toml(value) => value.get_ref().as_array(),
        // `[::1]:8000` begins as an array does, but only arrays of strings and tables are wanted here.
        Given::Text(text) if text.starts_with('[') && text.contains(['"', '\'', '{']) => {
            value = match DeValue::parse(text) {
                Ok(value) => value,
                Err(error) => {
                    let message = error.message().to_owned();
                    return vec![Problem::Syntax { message }.into()];
                }
            };
            value.get_ref().as_array()
        }
        Given::Text(text) => {
            let members = text
                .split(',')
                .map(str::trim)
                .filter(|member| !member.is_empty());
            members
                .enumerate()
                .for_each(|(index, member)| collect(index, Given::Text(member)));
            return faults;
        }
    };
    let Some(array) = array else {
        return vec![given.fault(Problem::expected("an array", given.found_masked()))];
    };
    array
        .iter()
        .enumerate()
        .for_each(|(index, member)| collect(index, Given::Toml(member)));
    faults
}

/// The text in quotes, cut to what fits a message.
fn clip(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 60;
    let shown: Cow<'_, str> = match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    };
    quote(&shown)
}
