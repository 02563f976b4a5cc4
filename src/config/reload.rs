//! What differs between two configurations, and which of it a running server can take over.

use super::field::{Change, Row};
use super::keys::{Config, SECTIONS, Service};
use super::listen;
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

impl Config {
    /// What a server that runs on this configuration can run on after reading `new`: all of `new` but the keys that
    /// take effect only after a restart, which keep the values they have.
    pub fn take_over(&self, new: &Config) -> Config {
        let mut next = new.clone();
        for section in SECTIONS {
            for row in section
                .rows
                .iter()
                .filter(|row| row.change == Change::Restart)
            {
                next.set(section.name, row.name, self.value(section.name, row.name));
            }
        }
        next
    }

    /// The addresses that other machines reach without a token although nobody wished so. A loaded configuration has
    /// none; one made by [`take_over`](Config::take_over) may, when new tokens meet old addresses.
    pub fn exposed(&self) -> Vec<String> {
        match self.auth.allow_anonymous {
            true => Vec::new(),
            false => listen::unguarded(self),
        }
    }
}

impl ReloadPlan {
    fn add(&mut self, key: String, change: Change) {
        if change == Change::Restart {
            self.needs_restart.push(key.clone());
        }
        self.changed.push(key);
    }
}
