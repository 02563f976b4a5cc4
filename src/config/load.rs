//! Reads the layers in order into a `Config`, remembering where each value came from.
//!
//! Nothing stops at the first problem: a value that is refused leaves the one before it in place, and all findings
//! come out together at the end.

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::checks;
use super::error::{ConfigErrors, Fault, Finding, Origin, Problem};
use super::given::{Context, Given};
use super::keys::{Config, SECTIONS, Service, TOP_SERVICES};
use super::kind::Value;
use super::place::Place;
use super::sources::{Sources, is_absent};
use super::target::{Target, resolve, service_named};
use crate::nearest::nearest;
use crate::sorted::SortedMap;

/// A configuration and what is known about its making.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What to run on.
    pub config: Config,
    /// Where each value came from that is not a built-in default, by dotted key.
    pub origins: SortedMap<String, Origin>,
    /// What is worth a line in the log, sorted.
    pub warnings: Vec<Finding>,
    /// The folder the configuration was read from, whether or not it exists; packs lie in `packs` below it.
    pub folder: PathBuf,
    /// Every file that was read, secrets' files included, in the order of reading: what `reload.watch` looks at.
    pub files: Vec<PathBuf>,
}

/// Makes a configuration from `sources`, or says everything that is wrong with them.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigErrors> {
    let mut draft = Draft::new(sources);
    draft.read_folder();
    for path in &sources.files {
        draft.read_file(&sources.working_dir.join(path), Absence::Fails);
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
    pub origins: SortedMap<String, Origin>,
    pub errors: Vec<Finding>,
    pub warnings: Vec<Finding>,
    folder: PathBuf,
    files: RefCell<Vec<PathBuf>>,
    /// Keys the current layer has set, with the names they were set under.
    set_in_layer: SortedMap<String, String>,
}

/// What a missing file means.
#[derive(Clone, Copy, PartialEq)]
enum Absence {
    Warns,
    Fails,
    Passes,
}

impl<'s> Draft<'s> {
    fn new(sources: &'s Sources) -> Draft<'s> {
        Draft {
            sources,
            config: Config::default(),
            origins: SortedMap::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
            folder: sources.folder(),
            files: RefCell::default(),
            set_in_layer: SortedMap::new(),
        }
    }

    fn finish(mut self) -> Result<Loaded, ConfigErrors> {
        self.errors.sort_unstable();
        self.errors.dedup();
        self.warnings.sort_unstable();
        if !self.errors.is_empty() {
            return Err(ConfigErrors(self.errors));
        }
        Ok(Loaded {
            config: self.config,
            origins: self.origins,
            warnings: self.warnings,
            folder: self.folder,
            files: self.files.into_inner(),
        })
    }

    fn read_folder(&mut self) {
        let folder = self.folder.clone();
        let named = self.sources.config_dir.is_some();
        let absence = if named {
            Absence::Warns
        } else {
            Absence::Passes
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
        self.read_file(&folder.join(format!("{env}.toml")), Absence::Warns);
    }

    /// Reads a file and remembers that it was read.
    fn read(&self, path: &Path) -> std::io::Result<String> {
        let text = (self.sources.read)(path)?;
        self.files.borrow_mut().push(path.to_owned());
        Ok(text)
    }

    fn read_file(&mut self, path: &Path, absence: Absence) {
        self.set_in_layer.clear();
        let name: Arc<str> = path.to_string_lossy().into();
        let text = match self.read(path) {
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
                    Absence::Passes if is_absent(&error) => (),
                    Absence::Warns if is_absent(&error) => self.warnings.push(finding),
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
                let members = value.get_ref().as_table().into_iter().flatten();
                let names: Vec<&str> = members.map(|(name, _)| name.get_ref().as_ref()).collect();
                let nearest = nearest(section, known).or_else(|| service_named(section, &names));
                let problem = Problem::Unknown {
                    what: "section",
                    nearest,
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
                    Problem::expected("`key=value`", "an argument without `=`").into(),
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
        // Where the system's bytes were no UTF-8, `Sources::of_process` has put this character.
        if let (Place::Environment { .. }, Given::Text(text)) = (place, given)
            && text.contains('\u{fffd}')
        {
            let problem = Problem::expected("UTF-8 text", "other bytes");
            return self.report(place, &key, problem.into());
        }
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
        match self.parse(&target, from_file, given, place) {
            Ok(value) => {
                let offset = given.offset();
                self.origins.insert(key, place.origin(offset));
                target.put(&mut self.config, value);
            }
            Err(faults) => faults
                .into_iter()
                .for_each(|fault| self.report(place, &key, fault)),
        }
    }

    /// The value itself, or the one in the file it names.
    fn parse(
        &self,
        target: &Target,
        from_file: bool,
        given: Given<'_>,
        place: Place<'_>,
    ) -> Result<Value, Vec<Fault>> {
        let context = Context {
            read: &|path| self.read(path),
            folder: place.folder(),
        };
        if !from_file {
            return target.parse(given, context);
        }
        let path = given.text().filter(|path| !path.is_empty());
        let text = path
            .ok_or_else(|| Problem::expected("a path", given.found()))
            .and_then(|path| context.read_value(path))
            .map_err(|problem| vec![given.fault(problem)])?;
        target
            .parse(Given::Text(&text), context)
            .map_err(|mut faults| {
                // The fault lies in that file; the place to name is the one that names it.
                faults
                    .iter_mut()
                    .for_each(|fault| fault.offset = given.offset());
                faults
            })
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
