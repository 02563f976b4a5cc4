//! Reads the layers in order into a `Config`, remembering where each value came from.
//!
//! Nothing stops at the first problem: a value that is refused leaves the one before it in place, and all findings
//! come out together at the end.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::checks;
use super::error::{ConfigErrors, Fault, Finding, Origin, Problem};
use super::field::Row;
use super::keys::{Config, SECTIONS, Service, TOP_SERVICES};
use super::kind::{Context, Given, Kind, Value};
use super::nearest::nearest;
use super::sources::{Sources, is_absent};

/// A configuration and what is known about its making.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What to run on.
    pub config: Config,
    /// Where each value came from that is not a built-in default, by dotted key.
    pub origins: BTreeMap<String, Origin>,
    /// What is worth a line in the log, sorted.
    pub warnings: Vec<Finding>,
    /// The folder the configuration was read from, whether or not it exists; packs lie in `packs` below it.
    pub folder: PathBuf,
}

/// Makes a configuration from `sources`, or says everything that is wrong with them.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigErrors> {
    let mut draft = Draft::new(sources);
    draft.read_folder();
    for path in &sources.files {
        draft.read_file(&sources.working_dir.join(path), Absence::IsAnError);
    }
    draft.read_environment();
    draft.read_overrides();
    checks::check(&mut draft);
    draft.finish()
}

/// A configuration in the making.
pub(super) struct Draft<'s> {
    sources: &'s Sources,
    pub config: Config,
    pub origins: BTreeMap<String, Origin>,
    pub errors: Vec<Finding>,
    pub warnings: Vec<Finding>,
    folder: PathBuf,
    /// Keys the current layer has set, with the names they were set under.
    set_in_layer: BTreeMap<String, String>,
}

/// What a missing file means.
#[derive(Clone, Copy, PartialEq)]
enum Absence {
    IsAWarning,
    IsAnError,
    IsFine,
}

/// Where a layer's values stand.
#[derive(Clone, Copy)]
enum Place<'a> {
    File {
        path: &'a Arc<str>,
        text: &'a str,
        folder: &'a Path,
    },
    Environment {
        name: &'a str,
        folder: &'a Path,
    },
    CommandLine {
        folder: &'a Path,
    },
}

/// What a dotted key stands for.
enum Target {
    Row {
        section: &'static str,
        row: &'static Row,
    },
    Service {
        id: String,
        row: &'static Row,
    },
    Option {
        id: String,
        name: String,
    },
}

impl<'s> Draft<'s> {
    fn new(sources: &'s Sources) -> Draft<'s> {
        Draft {
            sources,
            config: Config::default(),
            origins: BTreeMap::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
            folder: sources.folder(),
            set_in_layer: BTreeMap::new(),
        }
    }

    fn finish(mut self) -> Result<Loaded, ConfigErrors> {
        self.errors.sort();
        self.errors.dedup();
        self.warnings.sort();
        if !self.errors.is_empty() {
            return Err(ConfigErrors(self.errors));
        }
        Ok(Loaded {
            config: self.config,
            origins: self.origins,
            warnings: self.warnings,
            folder: self.folder,
        })
    }

    fn read_folder(&mut self) {
        let folder = self.folder.clone();
        let named = self.sources.config_dir.is_some();
        let absence = if named {
            Absence::IsAWarning
        } else {
            Absence::IsFine
        };
        self.read_file(&folder.join("base.toml"), absence);
        let Some(env) = self
            .sources
            .environment
            .get("ENV")
            .filter(|env| !env.is_empty())
        else {
            return;
        };
        // A POSIX shell takes `ENV` for its start-up file, so a path here is no mistake of ours to fail on.
        let is_name = env
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if !is_name {
            let origin = Origin::Environment {
                name: "ENV".to_owned(),
            };
            let problem = Problem::NotAName {
                found: env.chars().take(60).collect(),
            };
            self.warnings.push(Finding {
                origin,
                key: String::new(),
                problem,
            });
            return;
        }
        self.read_file(&folder.join(format!("{env}.toml")), Absence::IsAWarning);
    }

    fn read_file(&mut self, path: &Path, absence: Absence) {
        self.set_in_layer.clear();
        let name: Arc<str> = path.to_string_lossy().into();
        let text = match (self.sources.read)(path) {
            Ok(text) => text,
            Err(error) => {
                let origin = Origin::File {
                    path: name.clone(),
                    line: 0,
                    column: 0,
                };
                let problem = Problem::Unreadable {
                    path: name.as_ref().to_owned(),
                    cause: error.to_string(),
                };
                let finding = Finding {
                    origin,
                    key: String::new(),
                    problem,
                };
                match absence {
                    Absence::IsFine if is_absent(&error) => (),
                    Absence::IsAWarning if is_absent(&error) => self.warnings.push(finding),
                    _ => self.errors.push(finding),
                }
                return;
            }
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        self.read_toml(&name, &text, folder);
    }

    fn read_toml(&mut self, path: &Arc<str>, text: &str, folder: &Path) {
        let place = Place::File { path, text, folder };
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let message = error.message().to_owned();
            let fault = Fault {
                offset: error.span().map(|span| span.start),
                ..Problem::Syntax { message }.into()
            };
            self.report(place, "", fault);
        }
        // What a broken document says about keys is a guess, and guesses would bury the real mistake.
        if errors.is_empty() {
            self.read_document(document.get_ref(), place);
        }
    }

    fn read_document(&mut self, document: &DeTable<'_>, place: Place<'_>) {
        for (name, value) in document {
            let section = name.get_ref().as_ref();
            let is_known = SECTIONS.iter().any(|known| known.name == section)
                || TOP_SERVICES.contains(&section);
            if !is_known && section != "services" {
                let known = SECTIONS
                    .iter()
                    .map(|section| section.name)
                    .chain(TOP_SERVICES)
                    .chain(["services"]);
                let problem = Problem::Unknown {
                    what: "section",
                    nearest: nearest(section, known),
                };
                self.report(
                    place,
                    section,
                    Fault {
                        offset: Some(name.span().start),
                        ..problem.into()
                    },
                );
                continue;
            }
            let Some(members) = self.expect_table(section, value, place) else {
                continue;
            };
            if section != "services" {
                self.read_section(&[section], members, place);
                continue;
            }
            for (id, value) in members {
                let key = format!("services.{}", id.get_ref());
                if let Some(members) = self.expect_table(&key, value, place) {
                    self.read_section(&[section, id.get_ref()], members, place);
                }
            }
        }
    }

    fn expect_table<'v>(
        &mut self,
        key: &str,
        value: &'v Spanned<DeValue<'v>>,
        place: Place<'_>,
    ) -> Option<&'v DeTable<'v>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let given = Given::Toml(value);
            self.report(
                place,
                key,
                given.fault(Problem::expected("a section", given.found())),
            );
        }
        table
    }

    fn read_section(&mut self, path: &[&str], members: &DeTable<'_>, place: Place<'_>) {
        for (name, value) in members {
            let segments: Vec<&str> = path
                .iter()
                .copied()
                .chain([name.get_ref().as_ref()])
                .collect();
            self.assign(&segments, Given::Toml(value), Some(name.span()), place);
        }
    }

    /// The foreign names first, so that our own win.
    fn read_environment(&mut self) {
        let environment = &self.sources.environment;
        self.set_in_layer.clear();
        for section in SECTIONS {
            for row in section.rows {
                let Some(alias) = row.alias else { continue };
                let file_alias = format!("{alias}_FILE");
                for name in [alias, &file_alias] {
                    let Some(value) = environment.get(name) else {
                        continue;
                    };
                    let named_row = if name == alias {
                        row.name.to_owned()
                    } else {
                        format!("{}_file", row.name)
                    };
                    let place = self.environment_place(name);
                    self.assign(&[section.name, &named_row], Given::Text(value), None, place);
                }
            }
        }
        let foreign = std::mem::take(&mut self.set_in_layer);
        for (name, value) in environment {
            // A platform may set `APP_ENV` or `APP_NAME` for itself; only a name with a section in it is meant for us.
            let Some(dotted) = name.strip_prefix("APP_").filter(|rest| rest.contains("__")) else {
                continue;
            };
            let dotted = dotted.to_ascii_lowercase().replace("__", ".");
            let segments: Vec<&str> = dotted.split('.').collect();
            let place = self.environment_place(name);
            self.assign(&segments, Given::Text(value), None, place);
        }
        for (key, foreign_name) in &foreign {
            let Some(by) = self.set_in_layer.get(key).cloned() else {
                continue;
            };
            if environment.get(foreign_name) != environment.get(&by) {
                let origin = Origin::Environment {
                    name: foreign_name.clone(),
                };
                self.warnings.push(Finding {
                    origin,
                    key: key.clone(),
                    problem: Problem::Shadowed { by },
                });
            }
        }
    }

    fn environment_place<'a>(&self, name: &'a str) -> Place<'a>
    where
        's: 'a,
    {
        Place::Environment {
            name,
            folder: &self.sources.working_dir,
        }
    }

    fn read_overrides(&mut self) {
        let place = Place::CommandLine {
            folder: &self.sources.working_dir,
        };
        for argument in &self.sources.overrides {
            // The last of two equal keys wins, as with most command lines.
            self.set_in_layer.clear();
            let Some((key, value)) = argument.split_once('=') else {
                self.report(
                    place,
                    "",
                    Problem::expected("`key=value`", format!("`{argument}`")).into(),
                );
                continue;
            };
            let segments: Vec<&str> = key.trim().split('.').collect();
            self.assign(&segments, Given::Text(value), None, place);
        }
    }

    /// Finds what the key stands for, parses the value, and puts it into its field.
    fn assign(
        &mut self,
        segments: &[&str],
        given: Given<'_>,
        name_span: Option<Range<usize>>,
        place: Place<'_>,
    ) {
        let written = segments.join(".");
        let (target, from_file) = match resolve(segments, place) {
            Ok(found) => found,
            Err(problem) => {
                let offset = name_span.map(|span| span.start);
                return self.report(
                    place,
                    &written,
                    Fault {
                        offset,
                        ..problem.into()
                    },
                );
            }
        };
        let key = target.key();
        let said_as = place.name(&written);
        if let Some(other) = self.set_in_layer.insert(key.clone(), said_as) {
            return self.report(
                place,
                &key,
                given.fault(Problem::SaidTwice {
                    other: format!("`{other}`"),
                }),
            );
        }
        self.warn_of_slips(&target, &key, place, name_span);
        let sources = self.sources;
        let context = Context {
            read: &*sources.read,
            folder: place.folder(),
        };
        let value = match from_file {
            false => target.parse(given, context),
            true => given
                .text()
                .filter(|text| !text.is_empty())
                .ok_or_else(|| Problem::expected("a path", given.found()))
                .and_then(|path| context.read_value(path))
                .map_err(|problem| vec![given.fault(problem)])
                .and_then(|text| {
                    target
                        .parse(Given::Text(&text), context)
                        .map_err(|mut faults| {
                            faults.iter_mut().for_each(|fault| {
                                fault.offset = given.fault(Problem::Insecure).offset
                            });
                            faults
                        })
                }),
        };
        match value {
            Ok(value) => {
                let offset = given.fault(Problem::Insecure).offset;
                self.origins.insert(key, place.origin(offset));
                target.put(&mut self.config, value);
            }
            Err(faults) => faults
                .into_iter()
                .for_each(|fault| self.report(place, &key, fault)),
        }
    }

    /// Services are open tables, so a misspelt `tokn` is an option; say that it looks odd.
    fn warn_of_slips(
        &mut self,
        target: &Target,
        key: &str,
        place: Place<'_>,
        name_span: Option<Range<usize>>,
    ) {
        let Target::Option { name, .. } = target else {
            return;
        };
        let known = Service::SECTION.rows.iter().map(|row| row.name);
        if let Some(nearest) = nearest(name, known) {
            let origin = place.origin(name_span.map(|span| span.start));
            self.warnings.push(Finding {
                origin,
                key: key.to_owned(),
                problem: Problem::OptionLooksLike { nearest },
            });
        }
    }

    fn report(&mut self, place: Place<'_>, key: &str, fault: Fault) {
        let origin = place.origin(fault.offset);
        self.errors.push(Finding {
            origin,
            key: format!("{key}{}", fault.at),
            problem: fault.problem,
        });
    }

    /// Where the value of `key` came from.
    pub(super) fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or_default()
    }
}

impl<'a> Place<'a> {
    fn folder(self) -> &'a Path {
        match self {
            Place::File { folder, .. }
            | Place::Environment { folder, .. }
            | Place::CommandLine { folder } => folder,
        }
    }

    /// How the operator wrote the key here.
    fn name(self, written: &str) -> String {
        match self {
            Place::Environment { name, .. } => name.to_owned(),
            Place::File { .. } | Place::CommandLine { .. } => written.to_owned(),
        }
    }

    fn origin(self, offset: Option<usize>) -> Origin {
        match self {
            Place::File { path, text, .. } => {
                let (line, column) = offset.map_or((0, 0), |offset| position(text, offset));
                Origin::File {
                    path: path.clone(),
                    line,
                    column,
                }
            }
            Place::Environment { name, .. } => Origin::Environment {
                name: name.to_owned(),
            },
            Place::CommandLine { .. } => Origin::CommandLine,
        }
    }
}

/// Line and column of a byte, both from 1, the column in characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line_start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = String::from_utf8_lossy(&before[line_start..])
        .chars()
        .count()
        + 1;
    (line, column)
}

/// What `segments` name, and whether the value is to be read from a file.
///
/// In the environment `<NAME>_FILE` works for every key, in TOML and on the command line `<key>_file` for secrets. A
/// key that ends so by itself (`ca_file`) is meant as such.
fn resolve(segments: &[&str], place: Place<'_>) -> Result<(Target, bool), Problem> {
    let unknown = || Problem::Unknown {
        what: "key",
        nearest: nearest_key(segments),
    };
    let (id, name) = match segments {
        ["services", id, name] => (*id, *name),
        [id, name] if TOP_SERVICES.contains(id) => (*id, *name),
        [section, name] => {
            let section = SECTIONS
                .iter()
                .find(|known| known.name == *section)
                .ok_or_else(unknown)?;
            let (row, from_file) = find_row(section.rows, name, place).ok_or_else(unknown)?;
            return Ok((
                Target::Row {
                    section: section.name,
                    row,
                },
                from_file,
            ));
        }
        _ => return Err(unknown()),
    };
    if !is_plain_name(id) {
        return Err(Problem::expected(
            "a service id of lower-case letters, digits and `_`",
            format!("`{id}`"),
        ));
    }
    let id = id.to_owned();
    if let Some((row, from_file)) = find_row(Service::SECTION.rows, name, place) {
        return Ok((Target::Service { id, row }, from_file));
    }
    if !is_plain_name(name) {
        return Err(Problem::expected(
            "an option name of lower-case letters, digits and `_`",
            format!("`{name}`"),
        ));
    }
    let bare = name.strip_suffix("_file").filter(|bare| !bare.is_empty());
    Ok((
        Target::Option {
            id,
            name: bare.unwrap_or(name).to_owned(),
        },
        bare.is_some(),
    ))
}

fn find_row(rows: &'static [Row], name: &str, place: Place<'_>) -> Option<(&'static Row, bool)> {
    if let Some(row) = rows.iter().find(|row| row.name == name) {
        return Some((row, false));
    }
    let bare = name.strip_suffix("_file")?;
    let row = rows.iter().find(|row| row.name == bare)?;
    let is_allowed = matches!(row.kind, Kind::Secret) || matches!(place, Place::Environment { .. });
    is_allowed.then_some((row, true))
}

/// Fits a variable of the environment, which is where every key must be reachable.
fn is_plain_name(text: &str) -> bool {
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    (1..=64).contains(&text.len()) && is_plain && !text.contains("__")
}

fn nearest_key(segments: &[&str]) -> Option<String> {
    let written = segments.join(".");
    let all: Vec<String> = SECTIONS
        .iter()
        .flat_map(|section| {
            section
                .rows
                .iter()
                .map(|row| format!("{}.{}", section.name, row.name))
        })
        .chain(TOP_SERVICES.iter().flat_map(|id| {
            Service::SECTION
                .rows
                .iter()
                .map(move |row| format!("{id}.{}", row.name))
        }))
        .collect();
    nearest(&written, all.iter().map(String::as_str))
}

/// The dotted key of a service's member, in the form its section has.
pub(super) fn service_key(id: &str, name: &str) -> String {
    match TOP_SERVICES.contains(&id) {
        true => format!("{id}.{name}"),
        false => format!("services.{id}.{name}"),
    }
}

impl Target {
    fn key(&self) -> String {
        match self {
            Target::Row { section, row } => format!("{section}.{}", row.name),
            Target::Service { id, row } => service_key(id, row.name),
            Target::Option { id, name } => service_key(id, name),
        }
    }

    fn parse(&self, given: Given<'_>, context: Context<'_>) -> Result<Value, Vec<Fault>> {
        match self {
            Target::Row { row, .. } | Target::Service { row, .. } => {
                row.kind.parse(given, row.is_optional(), context)
            }
            Target::Option { .. } => Kind::Secret.parse(given, true, context),
        }
    }

    fn put(self, config: &mut Config, value: Value) {
        let fitted = match self {
            Target::Row { section, row } => config.set(section, row.name, value),
            Target::Service { id, row } => {
                config.services.entry(id).or_default().set(row.name, value)
            }
            Target::Option { id, name } => {
                let options = &mut config.services.entry(id).or_default().options;
                match value {
                    Value::Secret(secret) => drop(options.insert(name, secret)),
                    _ => drop(options.remove(&name)),
                }
                true
            }
        };
        debug_assert!(
            fitted,
            "the kind of a row and the type of its field disagree"
        );
    }
}
