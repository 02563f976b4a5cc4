//! What a dotted key names: a row of the table, a row of a service, or an open option of a service.

use super::error::{Fault, Problem};
use super::field::Row;
use super::given::{Context, Given};
use super::keys::{Config, SECTIONS, Service, TOP_SERVICES};
use super::kind::{Kind, Value};
use super::place::Place;
use crate::nearest::nearest;

/// What a dotted key stands for.
pub(super) enum Target {
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

impl Target {
    pub(super) fn key(&self) -> String {
        match self {
            Target::Row { section, row } => format!("{section}.{}", row.name),
            Target::Service { id, row } => service_key(id, row.name),
            Target::Option { id, name } => service_key(id, name),
        }
    }

    pub(super) fn parse(
        &self,
        given: Given<'_>,
        context: Context<'_>,
    ) -> Result<Value, Vec<Fault>> {
        match self {
            Target::Row { row, .. } | Target::Service { row, .. } => {
                row.kind.parse(given, row.is_optional(), context)
            }
            Target::Option { .. } => Kind::Secret.parse(given, true, context),
        }
    }

    pub(super) fn put(self, config: &mut Config, value: Value) {
        let fitted = match self {
            Target::Row { section, row } => config.set(section, row.name, value),
            Target::Service { id, row } => config.services.or_default(id).set(row.name, value),
            Target::Option { id, name } => {
                let options = &mut config.services.or_default(id).options;
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

/// What `segments` name, and whether the value is to be read from a file.
///
/// In the environment `<NAME>_FILE` works for every key, in TOML and on the command line `<key>_file` for secrets. A
/// key that ends so by itself (`ca_file`) is meant as such.
pub(super) fn resolve(segments: &[&str], place: Place<'_>) -> Result<(Target, bool), Problem> {
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
    let mut all = Vec::new();
    for section in SECTIONS {
        all.extend(
            section
                .rows
                .iter()
                .map(|row| format!("{}.{}", section.name, row.name)),
        );
    }
    for id in TOP_SERVICES {
        all.extend(
            Service::SECTION
                .rows
                .iter()
                .map(|row| service_key(id, row.name)),
        );
    }
    let near = |written: &str| nearest(written, all.iter().map(String::as_str));
    let without_file = || near(written.strip_suffix("_file")?);
    near(&written)
        .or_else(without_file)
        .or_else(|| match segments {
            [id, name] => service_named(id, &[name]).map(|section| format!("{section}.{name}")),
            _ => None,
        })
}

/// A section of ours it is not, but with a `url` in it is most likely meant for a service.
pub(super) fn service_named(id: &str, names: &[&str]) -> Option<String> {
    let is_service = names.contains(&"url") || names.contains(&"token");
    (is_service && is_plain_name(id)).then(|| format!("services.{id}"))
}

/// The dotted key of a service's member, in the form its section has.
pub(super) fn service_key(id: &str, name: &str) -> String {
    match TOP_SERVICES.contains(&id) {
        true => format!("{id}.{name}"),
        false => format!("services.{id}.{name}"),
    }
}
