//! What differs between two configurations, and which of it a running server can take over.

use super::field::{Change, Row};
use super::keys::{Config, SECTIONS, Service};
use super::target::service_key;

/// The keys that differ, sorted by section and table order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReloadPlan {
    /// All of them.
    pub changed: Vec<String>,
    /// Those among them that take effect only after a restart.
    pub needs_restart: Vec<String>,
}

/// Compares the running configuration with a new one.
pub fn diff(old: &Config, new: &Config) -> ReloadPlan {
    let mut plan = ReloadPlan::default();
    for section in SECTIONS {
        for row in section.rows {
            if old.value(section.name, row.name) != new.value(section.name, row.name) {
                plan.add(format!("{}.{}", section.name, row.name), row.change);
            }
        }
    }
    let absent = Service::default();
    let ids = old.services.keys().chain(
        new.services
            .keys()
            .filter(|id| !old.services.contains_key(*id)),
    );
    for id in ids {
        let (old, new) = (
            old.services.get(id).unwrap_or(&absent),
            new.services.get(id).unwrap_or(&absent),
        );
        let differs = |row: &&Row| old.value(row.name) != new.value(row.name);
        for row in Service::SECTION.rows.iter().filter(differs) {
            plan.add(service_key(id, row.name), row.change);
        }
        let names = old.options.keys().chain(
            new.options
                .keys()
                .filter(|name| !old.options.contains_key(*name)),
        );
        for name in names.filter(|name| old.options.get(*name) != new.options.get(*name)) {
            plan.add(service_key(id, name), Change::Reload);
        }
    }
    plan
}

impl ReloadPlan {
    fn add(&mut self, key: String, change: Change) {
        if change == Change::Restart {
            self.needs_restart.push(key.clone());
        }
        self.changed.push(key);
    }
}
