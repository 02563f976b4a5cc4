//! Reading the configuration again for a server that runs: a complete new plan, or none.
//!
//! In scope: what changed, what of it a running server can take over, what is logged. Out of scope: when it happens
//! and how the plan is put in place; see `serve`.

use std::cell::{Cell, RefCell};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::config::{self, Config, Loaded, Sources};
use crate::log as logging;
use crate::sorted::SortedSet;

use super::packs;
use super::plan::{Parts, Plan};

/// What a reload starts from: the sources, and what the server runs on now.
pub struct Reloader {
    sources: Sources,
    running: RefCell<Config>,
    parts: Parts,
    files: RefCell<SortedSet<PathBuf>>,
    /// The files as they were when they were read last.
    read: RefCell<Stamps>,
    /// The files as they were at the last look, while they are changing.
    changing: RefCell<Option<Stamps>>,
    is_watching: Cell<bool>,
}

/// What tells one content of a file from another without reading it: device, inode, time and length; `None` where
/// there is no file. Secrets of containers are replaced by turning a link, so links are followed.
type Stamps = Vec<Option<(u64, u64, i64, i64, u64)>>;

impl Reloader {
    /// For a server that was started from `loaded`, which `sources` gave.
    pub fn new(loaded: &Loaded, sources: Sources, parts: Parts) -> Reloader {
        let reloader = Reloader {
            sources,
            running: RefCell::new(loaded.config.clone()),
            parts,
            files: RefCell::default(),
            read: RefCell::default(),
            changing: RefCell::default(),
            is_watching: Cell::new(loaded.config.reload.watch),
        };
        reloader.remember_files(loaded);
        reloader
    }

    /// Whether the files are to be looked at (`reload.watch`).
    pub fn is_watching(&self) -> bool {
        self.is_watching.get()
    }

    /// Reads all layers again. Everything that is wrong is logged, and then the server goes on as it is.
    pub fn reload(&self, generation: u64) -> Option<Plan> {
        self.changing.take();
        // Before the reading: what is written meanwhile is read again.
        let stamps = self.stamps();
        self.read.replace(stamps);
        let loaded = match config::load(&self.sources) {
            Ok(loaded) => loaded,
            Err(errors) => {
                for finding in &errors.0 {
                    log::error!("{finding}");
                }
                log::error!("{}", kept(errors.0.len()));
                return None;
            }
        };
        let running = self.running.borrow().clone();
        let difference = config::diff(&running, &loaded.config);
        let next = running.take_over(&loaded.config);
        let exposed = next.exposed();
        if !exposed.is_empty() {
            let key = match running.asks_who() {
                true => "server.api_token",
                false => "tls.client_cert_required",
            };
            log::error!(
                "{key}: removed while {} is still open to other machines; restart to close it first",
                exposed.join(", ")
            );
            log::error!("{}", kept(1));
            return None;
        }
        let plan = match Plan::new(&next, &loaded.folder, &self.parts, generation) {
            Ok(plan) => plan,
            Err(error) => {
                let lines = error.lines();
                lines.iter().for_each(|line| log::error!("{line}"));
                log::error!("{}", kept(lines.len()));
                return None;
            }
        };
        for warning in &loaded.warnings {
            log::warn!("{warning}");
        }
        logging::set_level(next.log.level.filter());
        report(&difference);
        plan.services.announce();
        self.remember_files(&loaded);
        self.running.replace(next);
        Some(plan)
    }

    /// Whether the files are others than those that were read last, and were the same at the last look: a file that is
    /// being written may look complete and lack the tokens at its end.
    pub fn has_changed(&self) -> bool {
        let stamps = self.stamps();
        if stamps == *self.read.borrow() {
            self.changing.take();
            return false;
        }
        let is_at_rest = self.changing.borrow().as_ref() == Some(&stamps);
        self.changing.replace(Some(stamps));
        is_at_rest
    }

    /// What to look at: the files that were read, and those that would have been if they existed.
    fn remember_files(&self, loaded: &Loaded) {
        let Loaded { folder, config, .. } = loaded;
        let mut files = SortedSet::new();
        files.extend(loaded.files.iter().cloned());
        // A certificate that is renewed every few weeks is what this is for.
        let tls = &config.tls;
        files.extend(tls.cert_file.iter().cloned());
        files.extend(tls.key_file.iter().cloned());
        files.extend(tls.client_ca_file.iter().cloned());
        // Read for the plan.
        files.extend(config.auth.jwt_key_file.clone());
        files.insert(folder.join("base.toml"));
        if let Some(env) = self.sources.environment.get("ENV") {
            files.insert(folder.join(format!("{env}.toml")));
        }
        // The folder itself changes when a pack comes or goes.
        let packs = packs::folder_of(folder);
        files.extend(packs::files(&packs));
        files.insert(packs);
        if *self.files.borrow() != files {
            self.files.replace(files);
            let stamps = self.stamps();
            self.read.replace(stamps);
        }
    }

    fn stamps(&self) -> Stamps {
        if !self.is_watching.get() {
            return Stamps::new();
        }
        let files = self.files.borrow();
        files.iter().map(|path| stamp(path)).collect()
    }
}

fn stamp(path: &Path) -> Option<(u64, u64, i64, i64, u64)> {
    let file = std::fs::metadata(path).ok()?;
    Some((
        file.dev(),
        file.ino(),
        file.mtime(),
        file.mtime_nsec(),
        file.len(),
    ))
}

fn kept(problems: usize) -> String {
    format!("{problems} problems: the configuration stays as it was")
}

fn report(difference: &config::ReloadPlan) {
    if difference.changed.is_empty() {
        log::info!("reloaded: nothing changed");
        return;
    }
    let applied: Vec<&str> = difference
        .changed
        .iter()
        .filter(|key| !difference.needs_restart.contains(key))
        .map(String::as_str)
        .collect();
    if !applied.is_empty() {
        log::info!("reloaded: {}", applied.join(", "));
    }
    if !difference.needs_restart.is_empty() {
        log::warn!("restart to apply: {}", difference.needs_restart.join(", "));
    }
}
