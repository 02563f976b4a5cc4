//! The effective configuration as text: TOML with the origin of each value behind it and secrets masked.

#![expect(clippy::expect_used, reason = "a string can always be written to")]

use std::fmt::Write as _;

use super::keys::{SECTIONS, Service, TOP_SERVICES};
use super::kind::{Kind, MASK, Value, quote};
use super::load::Loaded;
use super::target::service_key;

impl Loaded {
    /// Every key with its value and origin. Keys that are unset stand as comments, so the text can be used as a file
    /// once the masked secrets are filled in.
    pub fn render_effective(&self) -> String {
        let mut text = String::new();
        for listener in self.config.listeners() {
            writeln!(
                text,
                "# listens on {} ({}{})",
                listener.address,
                listener.groups,
                listener.tls_note()
            )
            .expect(INFALLIBLE);
        }
        for section in SECTIONS {
            writeln!(text, "[{}]", section.name).expect(INFALLIBLE);
            for row in section.rows {
                let key = format!("{}.{}", section.name, row.name);
                self.write_line(
                    &mut text,
                    &key,
                    row.name,
                    row.kind,
                    &self.config.value(section.name, row.name),
                );
            }
            text.push('\n');
        }
        for (id, service) in &self.config.services {
            match TOP_SERVICES.contains(&id.as_str()) {
                true => writeln!(text, "[{id}]"),
                false => writeln!(text, "[services.{id}]"),
            }
            .expect(INFALLIBLE);
            for row in Service::SECTION.rows {
                self.write_line(
                    &mut text,
                    &service_key(id, row.name),
                    row.name,
                    row.kind,
                    &service.value(row.name),
                );
            }
            for name in service.options.keys() {
                let origin = self
                    .origins
                    .get(&service_key(id, name))
                    .cloned()
                    .unwrap_or_default();
                writeln!(text, "{name} = {}  # {origin}", quote(MASK)).expect(INFALLIBLE);
            }
            text.push('\n');
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }

    fn write_line(&self, text: &mut String, key: &str, name: &str, kind: Kind, value: &Value) {
        let origin = self.origins.get(key).cloned().unwrap_or_default();
        match value {
            Value::Unset => writeln!(text, "# {name} is unset  # {origin}"),
            value => writeln!(text, "{name} = {}  # {origin}", kind.show(value)),
        }
        .expect(INFALLIBLE);
    }
}

const INFALLIBLE: &str = "a string can always be written to";
