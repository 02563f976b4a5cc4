//! Texts with references: `"/tasks/{task_id}"`, `"{since|time:unix}"`, `"{before.task/title}"`.
//!
//! Parsed once, against the names that exist; what is left can only fail on the values of a call. A template that is one
//! reference keeps the value's type. A reference to nothing makes the whole template absent.

use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::nearest::nearest;
use crate::sorted::{SortedMap, SortedSet};

use super::filter::{Filter, text_of};
use super::source::Node;
use crate::tools::written::quoted;

/// A text with references.
#[derive(Debug)]
pub(super) struct Template {
    parts: Box<[Part]>,
}

#[derive(Debug)]
pub(super) enum Part {
    Text(Box<str>),
    Reference(Reference),
}

#[derive(Debug)]
pub(super) struct Reference {
    root: Root,
    /// A JSON pointer into the value; empty for all of it.
    pointer: Box<str>,
    /// Whether it may hold several path segments.
    pub is_path: bool,
    filters: Box<[Filter]>,
    /// Whether there is always a value, as far as can be known beforehand.
    is_certain: bool,
}

#[derive(Debug)]
enum Root {
    Argument(Box<str>),
    Before(Box<str>),
    Login,
    Null,
    Option(Box<str>),
    Result,
    Token,
    TokenPassword,
    TokenUser,
}

/// What a reference may name, and what has been named so far.
pub(super) struct Names<'n> {
    /// Arguments by name; whether each always has a value.
    pub arguments: SortedMap<&'n str, bool>,
    /// Names of preliminary requests.
    pub befores: Vec<&'n str>,
    /// Options of the service.
    pub options: Vec<&'n str>,
    /// Those of them that always have a value.
    pub certain_options: Vec<&'n str>,
    /// Whether `{token}` may stand here.
    pub may_name_token: bool,
    /// Whether `{login}` may stand here.
    pub may_name_login: bool,
    /// Whether `{result}` may stand here.
    pub may_name_result: bool,
    /// Arguments that are read as a time or a duration.
    pub times: RefCell<SortedSet<String>>,
    /// Arguments and befores that something refers to.
    pub used: RefCell<SortedSet<String>>,
}

impl<'n> Names<'n> {
    /// Nothing but the options of a service.
    pub(super) fn of_options(options: Vec<&'n str>) -> Names<'n> {
        Names {
            arguments: SortedMap::new(),
            befores: Vec::new(),
            options,
            certain_options: Vec::new(),
            may_name_token: false,
            may_name_login: false,
            may_name_result: false,
            times: RefCell::default(),
            used: RefCell::default(),
        }
    }

    /// Notes that an argument is used. Returns whether it is declared.
    pub(super) fn note(&self, argument: &str) -> bool {
        self.used.borrow_mut().insert(argument.to_owned());
        self.arguments.contains_key(argument)
    }
}

/// The values a call has.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub arguments: &'a Map<String, Value>,
    pub befores: &'a [(&'a str, Value)],
    pub options: &'a SortedMap<String, String>,
    pub result: Option<&'a Value>,
    pub token: Option<&'a str>,
    pub login: Option<&'a str>,
    /// The present, in milliseconds since 1970.
    pub now_ms: i64,
}

/// A value that does not fit where it goes: shown to the model as a problem of that argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    /// The reference as it is named in the pack.
    pub name: String,
    /// What is wrong with the value.
    pub text: String,
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`: {}", self.name, self.text)
    }
}

impl Template {
    /// Reads the text of a node; what is wrong is reported there.
    pub(super) fn read(node: &Node<'_>, names: &Names<'_>) -> Option<Template> {
        let text = node.text()?;
        match Template::parse(text, names) {
            Ok(template) => Some(template),
            Err(problems) => {
                problems.into_iter().for_each(|text| node.report(text));
                None
            }
        }
    }

    /// Parses a text.
    pub(super) fn parse(text: &str, names: &Names<'_>) -> Result<Template, Vec<String>> {
        let (mut parts, mut problems) = (Vec::new(), Vec::new());
        let mut fixed = String::new();
        let mut rest = text;
        while let Some((before, brace, after)) = at_brace(rest) {
            fixed.push_str(before);
            rest = after;
            if let Some(after) = rest.strip_prefix(brace) {
                fixed.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                problems.push("a `}` without `{`; a brace itself is written twice".to_owned());
                continue;
            }
            let Some((pieces, after)) = split_reference(rest) else {
                problems.push("a `{` without `}`; a brace itself is written twice".to_owned());
                break;
            };
            rest = after;
            match Reference::parse(&pieces, names) {
                Ok(reference) => {
                    if !fixed.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut fixed).into()));
                    }
                    parts.push(Part::Reference(reference));
                }
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        fixed.push_str(rest);
        if !fixed.is_empty() {
            parts.push(Part::Text(fixed.into()));
        }
        Ok(Template {
            parts: parts.into(),
        })
    }

    /// The text, if there is no reference in it.
    pub(super) fn constant(&self) -> Option<&str> {
        match &*self.parts {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it always has a value, as far as can be known beforehand.
    pub(super) fn is_certain(&self) -> bool {
        self.references().all(|reference| reference.is_certain)
    }

    /// The pieces, for paths, which encode each reference.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(super) fn references(&self) -> impl Iterator<Item = &Reference> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Reference(reference) => Some(reference),
        })
    }

    /// Its value: typed if it is one reference, else text; `None` if a reference has none.
    pub(super) fn value(&self, scope: &Scope<'_>) -> Result<Option<Value>, Unfit> {
        if let [Part::Reference(reference)] = &*self.parts {
            return reference.value(scope);
        }
        Ok(self.text(scope)?.map(Value::String))
    }

    /// Its value as text.
    pub(super) fn text(&self, scope: &Scope<'_>) -> Result<Option<String>, Unfit> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Reference(reference) => {
                    let Some(value) = reference.value(scope)? else {
                        return Ok(None);
                    };
                    out.push_str(&text_of(&value));
                }
            }
        }
        Ok(Some(out))
    }
}

/// The inside of a reference, split at `|` with escapes kept, and what follows its brace.
fn split_reference(text: &str) -> Option<(Vec<&str>, &str)> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let mut is_escaped = false;
        let at = rest.find(|c| {
            let ends = !is_escaped && matches!(c, '|' | '}');
            is_escaped = !is_escaped && c == '\\';
            ends
        })?;
        let (piece, after) = rest.split_at_checked(at)?;
        pieces.push(piece);
        match after.strip_prefix('|') {
            Some(after) => rest = after,
            None => return Some((pieces, after.strip_prefix('}')?)),
        }
    }
}

/// What stands before the first brace, the brace, and what stands behind it.
pub(super) fn at_brace(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_at_checked(text.find(['{', '}'])?)?;
    let (brace, after) = rest.split_at_checked(1)?;
    Some((before, brace, after))
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_escaped = false;
    for c in text.chars() {
        if c == '\\' && !is_escaped {
            is_escaped = true;
            continue;
        }
        is_escaped = false;
        out.push(c);
    }
    out
}

impl Reference {
    #[inline(never)]
    fn parse(pieces: &[&str], names: &Names<'_>) -> Result<Reference, String> {
        let (head, filters_given) = pieces.split_first().unwrap_or((&"", &[]));
        let head = head.trim();
        let (head, is_path) = match head.strip_suffix(":path") {
            Some(head) => (head, true),
            None => (head, false),
        };
        let (name, pointer) = match head.find('/') {
            Some(at) => head.split_at(at),
            None => (head, ""),
        };
        check_pointer(pointer)?;
        let (root, is_certain) = Root::parse(name, names)?;
        if !pointer.is_empty() && !root.has_members() {
            return Err(format!("`{name}` is a text, `{pointer}` leads nowhere"));
        }
        let mut filters = Vec::new();
        for piece in filters_given {
            let (name, argument) = match piece.split_once(':') {
                Some((name, argument)) => (name.trim(), Some(unescape(argument))),
                None => (piece.trim(), None),
            };
            filters.push(Filter::parse(name, argument.as_deref())?);
        }
        if let (Root::Argument(name), "", Some(first)) = (&root, pointer, filters.first())
            && first.reads_time()
        {
            names.times.borrow_mut().insert(name.to_string());
        }
        let has_default = filters
            .iter()
            .any(|filter| matches!(filter, Filter::Default(_)));
        Ok(Reference {
            root,
            pointer: pointer.into(),
            is_path,
            filters: filters.into(),
            is_certain: has_default || (is_certain && pointer.is_empty()),
        })
    }

    /// Whether there is always a value, as far as can be known beforehand.
    pub(super) fn is_certain(&self) -> bool {
        self.is_certain
    }

    /// What it names, as in the pack.
    pub(super) fn name(&self) -> String {
        let (kind, name): (&str, &str) = match &self.root {
            Root::Argument(name) => ("", name),
            Root::Before(name) => ("before.", name),
            Root::Login => ("", "login"),
            Root::Null => ("", "null"),
            Root::Option(name) => ("option.", name),
            Root::Result => ("", "result"),
            Root::Token => ("", "token"),
            Root::TokenPassword => ("", "token.password"),
            Root::TokenUser => ("", "token.user"),
        };
        format!("{kind}{name}{}", self.pointer)
    }

    /// The value, filtered; `None` if there is none.
    pub(super) fn value(&self, scope: &Scope<'_>) -> Result<Option<Value>, Unfit> {
        let mut value = self.found(scope);
        for filter in &self.filters {
            value = match (value, filter) {
                (None, Filter::Default(text)) => Some(Value::from(&**text)),
                (None, _) => None,
                (Some(value), filter) => {
                    let filtered = filter.apply(value, scope.now_ms);
                    let unfit = |text| Unfit {
                        name: self.name(),
                        text,
                    };
                    Some(filtered.map_err(unfit)?)
                }
            };
        }
        Ok(value)
    }

    fn found(&self, scope: &Scope<'_>) -> Option<Value> {
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(Value::from);
        let whole = match &self.root {
            Root::Null => return Some(Value::Null),
            Root::Argument(name) => scope.arguments.get(&**name),
            Root::Before(name) => {
                let before = scope.befores.iter().find(|(known, _)| *known == &**name);
                before.map(|(_, value)| value)
            }
            Root::Result => scope.result,
            Root::Login => return text(scope.login),
            Root::Option(name) => return text(scope.options.get(&**name).map(String::as_str)),
            Root::Token => return text(scope.token),
            Root::TokenPassword => return text(scope.token.map(|token| halves(token).1)),
            Root::TokenUser => return text(scope.token.and_then(|token| halves(token).0)),
        };
        whole?
            .pointer(&self.pointer)
            .filter(|value| !value.is_null())
            .cloned()
    }
}

/// User and password of a credential; without a colon it is all password.
pub(super) fn halves(token: &str) -> (Option<&str>, &str) {
    match token.split_once(':') {
        Some((user, password)) => (Some(user), password),
        None => (None, token),
    }
}

/// Whether a text is a JSON pointer (RFC 6901 section 3).
pub(super) fn check_pointer(pointer: &str) -> Result<(), String> {
    if pointer.is_empty() {
        return Ok(());
    }
    if !pointer.starts_with('/') {
        return Err(format!(
            "`{pointer}` is no JSON pointer: it begins with `/`"
        ));
    }
    for after in pointer.split('~').skip(1) {
        if !after.starts_with(['0', '1']) {
            return Err(format!(
                "`{pointer}` is no JSON pointer: `~` is written `~0`, and `/` within a name `~1`"
            ));
        }
    }
    Ok(())
}

impl Root {
    /// What a name stands for, and whether it always has a value.
    #[inline(never)]
    fn parse(name: &str, names: &Names<'_>) -> Result<(Root, bool), String> {
        let missing = |what: &str, name: &str, known: &mut dyn Iterator<Item = &str>| {
            let known: Vec<&str> = known.collect();
            let remedy = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", quoted(&mut known.into_iter())),
            };
            Err(format!("no {what} `{name}`; {remedy}"))
        };
        let only = |is_allowed: bool, root: Root, is_certain: bool| match is_allowed {
            true => Ok((root, is_certain)),
            false => Err(format!("`{{{name}}}` cannot stand here")),
        };
        if let Some(option) = name.strip_prefix("option.") {
            if !names.options.contains(&option) {
                return missing("option", option, &mut names.options.iter().copied());
            }
            let is_certain = names.certain_options.contains(&option);
            return Ok((Root::Option(option.into()), is_certain));
        }
        if let Some(before) = name.strip_prefix("before.") {
            if !names.befores.contains(&before) {
                return missing(
                    "earlier request",
                    before,
                    &mut names.befores.iter().copied(),
                );
            }
            names.used.borrow_mut().insert(format!("before.{before}"));
            // Whether it was sent and what it brought shows at run time.
            return Ok((Root::Before(before.into()), true));
        }
        match name {
            "null" => Ok((Root::Null, true)),
            "login" => only(names.may_name_login, Root::Login, true),
            "result" => only(names.may_name_result, Root::Result, true),
            "token" => only(names.may_name_token, Root::Token, false),
            "token.user" => only(names.may_name_token, Root::TokenUser, false),
            "token.password" => only(names.may_name_token, Root::TokenPassword, false),
            _ => {
                if !names.note(name) {
                    return missing("argument", name, &mut names.arguments.keys().copied());
                }
                let is_certain = names.arguments.get(name).copied().unwrap_or_default();
                Ok((Root::Argument(name.into()), is_certain))
            }
        }
    }

    fn has_members(&self) -> bool {
        matches!(self, Root::Argument(_) | Root::Before(_) | Root::Result)
    }
}

#[cfg(test)]
mod tests;
