//! The packs of a configuration: which there are, which are put to work, and whether their services answer.
//!
//! A pack comes from the binary or from `packs` of the configuration's folder, where the same id replaces. Nothing is
//! read of a pack whose service has no `url`, unless somebody asks for a check.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::catalog::CatalogBuilder;
use crate::client::{Client, ClientSettings, Proxies, Timeouts, Trust, TrustSettings};
use crate::config::{self, Config};
use crate::gate::Pattern;
use crate::metrics::Metrics;
use crate::nearest::nearest;
use crate::rt::process::Children;
use crate::rt::sync::Notify;
use crate::rt::{self, Task};
use crate::sorted::SortedSet;
use crate::tools::command::Defaults;
use crate::tools::declarative::{
    OfferedTool, Pack, Service, ServiceSettings, Text, ToolNames, World, shipped,
};

use super::device::is_offered;

/// How long a look at the services holds: whoever asks more often gets the same answer, so that asking costs the
/// services nothing worth mentioning. Nobody asks, nothing runs.
const PROBE_AGE_MAX: Duration = Duration::from_secs(10);
/// At the end, for giving sessions back.
const LOG_OUT_MAX: Duration = Duration::from_secs(2);

/// What outlives a reload: connections to services, and the counters.
#[derive(Clone)]
pub struct Outside {
    client: Client,
    world: World,
}

impl Outside {
    /// A client that goes by the proxies of the environment. Nothing is opened yet.
    pub fn new() -> Outside {
        let client = Client::new(ClientSettings {
            proxies: Proxies::of_process(),
            ..ClientSettings::default()
        });
        let metrics = Rc::new(Metrics::new());
        let defaults = Config::default();
        Outside {
            client: client.clone(),
            world: World {
                upstream: Rc::new(client),
                now_ms: || i64::try_from(rt::unix_ms()).unwrap_or(i64::MAX),
                children: Rc::new(Children::new(
                    defaults.limits.children,
                    Some(metrics.clone()),
                )),
                commands: commands(&defaults),
                metrics,
            },
        }
    }

    /// The connections.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What services are opened with.
    pub(super) fn world(&self) -> World {
        self.world.clone()
    }

    /// The counters of the whole server.
    pub fn metrics(&self) -> Rc<Metrics> {
        self.world.metrics.clone()
    }
}

impl Default for Outside {
    fn default() -> Outside {
        Outside::new()
    }
}

/// What holds for programs where a pack says nothing.
pub(super) fn commands(config: &Config) -> Defaults {
    Defaults {
        timeout: config.timeout.operation,
        output_bytes_max: config.limits.tool_output_bytes,
    }
}

/// Where packs are found besides the binary.
pub fn folder_of(config_folder: &Path) -> PathBuf {
    config_folder.join("packs")
}

/// The files in a folder of packs, sorted; none if there is no such folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "toml"))
        .collect();
    files.sort();
    files
}

/// Which packs are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// All that lie in the folder: for a check.
    Everything,
    /// What the configuration puts to work.
    Needed,
}

/// The services that are put to work, with their tools.
#[derive(Default)]
pub struct Services {
    services: Vec<(Rc<Service>, usize)>,
    has_commands: bool,
    look: RefCell<Option<(Instant, Rc<[Look]>)>>,
    is_looking: Cell<bool>,
    looked: Notify,
}

/// What a look at a service found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The service's id.
    pub id: Box<str>,
    /// Why it is not ready, in one line without secrets.
    pub problem: Option<String>,
}

impl Services {
    /// Reads the packs, opens their services and adds what the configuration allows of their tools.
    ///
    /// # Errors
    /// Everything that is wrong with packs and settings, a line each.
    pub fn offer(
        builder: &mut CatalogBuilder,
        config: &Config,
        config_folder: &Path,
        outside: &Outside,
        reading: Reading,
    ) -> Result<Services, Vec<String>> {
        let mut problems = Vec::new();
        let texts = wanted(config, config_folder, reading, &mut problems);
        let mut services = Vec::new();
        let mut has_commands = false;
        let mut earlier: Vec<(String, ToolNames)> = Vec::new();
        // One after the other: what reading takes is free again before the next one is read.
        for PackText { file, id, text } in texts {
            let mut pack = match Pack::read(&file, &id, text) {
                Ok(pack) => pack,
                Err(wrong) => {
                    problems.extend(wrong.iter().map(ToString::to_string));
                    continue;
                }
            };
            for (other, names) in &earlier {
                let doubles = pack.doubles(other, names);
                problems.extend(doubles.iter().map(ToString::to_string));
            }
            earlier.push((id.clone(), pack.take_names()));
            let default = config::Service::default();
            let service = config.services.get(&id).unwrap_or(&default);
            let is_on = service.enabled && (service.url.is_some() || !pack.needs_url());
            if !is_on {
                continue;
            }
            let settings = match settings(config, &id, service) {
                Ok(settings) => settings,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let world = World {
                commands: commands(config),
                ..outside.world.clone()
            };
            has_commands |= pack.has_commands();
            match pack.open(settings, world) {
                Ok((opened, tools)) => {
                    let count = add(builder, config, service, tools);
                    services.push((opened, count));
                }
                Err(wrong) => problems.extend(wrong),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        outside.world.children.set_max(config.limits.children);
        Ok(Services {
            services,
            has_commands,
            ..Services::default()
        })
    }

    /// Says what is there, a line for each service, and gets ready for what their tools may start.
    pub fn announce(&self) {
        if self.has_commands
            && let Err(error) = rt::process::adopt_orphans()
        {
            log::warn!("orphans of commands will not be stopped with them: {error}");
        }
        for (service, tools) in &self.services {
            log::info!("{}", line(service, *tools));
        }
    }

    /// Whether any service can be looked at.
    pub fn have_probes(&self) -> bool {
        self.services.iter().any(|(service, _)| service.has_probe())
    }

    /// Looks at all services that can be looked at, all at once; or says what the last look found, if it is fresh.
    pub async fn looks(&self) -> Rc<[Look]> {
        loop {
            if let Some((at, looks)) = &*self.look.borrow()
                && at.elapsed() < PROBE_AGE_MAX
            {
                return looks.clone();
            }
            if !self.is_looking.get() {
                break;
            }
            self.looked.notified().await;
        }
        let _turn = Turn::of(self);
        let looks = self.look_now().await;
        self.report(&looks);
        self.look.replace(Some((rt::now(), looks.clone())));
        looks
    }

    async fn look_now(&self) -> Rc<[Look]> {
        let probes: Vec<Task<Look>> = self
            .services
            .iter()
            .filter(|(service, _)| service.has_probe())
            .map(|(service, _)| {
                let service = service.clone();
                rt::spawn(async move {
                    Look {
                        id: service.id().into(),
                        problem: service.probe().await.err(),
                    }
                })
            })
            .collect();
        let mut looks = Vec::with_capacity(probes.len());
        for probe in probes {
            looks.push(probe.await);
        }
        looks.into()
    }

    /// Logs what has changed since the last look.
    fn report(&self, looks: &[Look]) {
        let last = self.look.borrow();
        let before = |id: &str| {
            let (_, looks) = last.as_ref()?;
            looks.iter().find(|look| *look.id == *id)
        };
        for look in looks {
            let was_ready = before(&look.id).is_none_or(|look| look.problem.is_none());
            match &look.problem {
                Some(problem) if was_ready => log::warn!("{}: not ready: {problem}", look.id),
                None if !was_ready => log::info!("{}: ready again", look.id),
                _ => (),
            }
        }
    }

    /// What a check of the configuration finds: problems, and what is worth telling.
    pub async fn check(&self) -> (Vec<String>, Vec<String>) {
        let looks = self.looks().await;
        let (mut problems, mut notes) = (Vec::new(), Vec::new());
        for (service, tools) in &self.services {
            let look = looks.iter().find(|look| *look.id == *service.id());
            match look.map(|look| &look.problem) {
                Some(Some(problem)) => {
                    problems.push(format!("services.{}: {problem}", service.id()))
                }
                Some(None) => notes.push(format!("{}, answers", line(service, *tools))),
                None => notes.push(line(service, *tools)),
            }
        }
        (problems, notes)
    }

    /// Gives sessions back, as well as can be done in a short time.
    pub async fn log_out(&self) {
        let all = async {
            for (service, _) in &self.services {
                service.log_out().await;
            }
        };
        _ = rt::timeout(LOG_OUT_MAX, all).await;
    }
}

fn line(service: &Service, tools: usize) -> String {
    let place = match service.url() {
        "" => String::new(),
        url => format!(" at {url}"),
    };
    let insecure = match service.is_insecure() {
        true => ", certificate not checked",
        false => "",
    };
    format!("{}: {tools} tools{place}{insecure}", service.id())
}

/// One look at a time; a dropped one lets the next begin.
struct Turn<'a>(&'a Services);

impl<'a> Turn<'a> {
    fn of(services: &'a Services) -> Turn<'a> {
        services.is_looking.set(true);
        Turn(services)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.is_looking.set(false);
        self.0.looked.notify_all();
    }
}

/// A pack that has not been read.
struct PackText {
    file: String,
    id: String,
    text: Text,
}

/// The packs that are wanted, in the order of their ids.
fn wanted(
    config: &Config,
    config_folder: &Path,
    reading: Reading,
    problems: &mut Vec<String>,
) -> Vec<PackText> {
    let mut packs = Vec::new();
    let mut found: SortedSet<String> = SortedSet::new();
    let is_on = |id: &str| {
        let service = config.services.get(id);
        service.is_some_and(|service| service.enabled && service.url.is_some())
    };
    for path in files(&folder_of(config_folder)) {
        let id = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // One that replaces a shipped pack talks to a service, and has nothing to do without its `url`.
        let is_needed = is_on(&id) || shipped::find(&id).is_none();
        if is_needed || reading == Reading::Everything {
            match std::fs::read_to_string(&path) {
                Ok(text) => packs.push(PackText {
                    file: path.to_string_lossy().into_owned(),
                    id: id.clone(),
                    text: text.into(),
                }),
                Err(error) => problems.push(format!("{}: cannot be read: {error}", path.display())),
            }
        }
        found.insert(id);
    }
    for shipped in shipped::PACKS {
        let id = shipped.id;
        if is_on(id) && !found.contains(id) {
            packs.push(PackText {
                file: format!("<{id}.toml>"),
                id: id.to_owned(),
                text: (*shipped).into(),
            });
        }
        found.insert(id.to_owned());
    }
    for id in config.services.keys().filter(|id| is_on(id)) {
        if !found.contains(id.as_str()) {
            let remedy = match nearest(id, found.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "put one into `{}`",
                    folder_of(config_folder)
                        .join(format!("{id}.toml"))
                        .display()
                ),
            };
            problems.push(format!(
                "services.{id}: there is no pack of this name; {remedy}"
            ));
        }
    }
    packs.sort_by(|a, b| a.id.cmp(&b.id));
    packs
}

/// What a pack is told of the configuration.
pub(super) fn settings(
    config: &Config,
    id: &str,
    service: &config::Service,
) -> Result<ServiceSettings, String> {
    let client_cert = match (&service.client_cert, &service.client_key) {
        (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
        (None, None) => None,
        (Some(_), None) => {
            return Err(format!(
                "services.{id}.client_key: is missing beside `client_cert`"
            ));
        }
        (None, Some(_)) => {
            return Err(format!(
                "services.{id}.client_cert: is missing beside `client_key`"
            ));
        }
    };
    let chosen = TrustSettings {
        ca_file: service.ca_file.clone(),
        insecure: service.insecure || config.tls.skip_verify,
        client_cert,
        server_name: service.server_name.clone(),
    };
    let trust = match chosen == TrustSettings::default() {
        true => Trust::standard(),
        false => Trust::new(chosen).map_err(|error| format!("services.{id}: {error}"))?,
    };
    Ok(ServiceSettings {
        url: service.url.clone(),
        token: service
            .token
            .as_ref()
            .map(|token| token.expose().to_owned()),
        options: (service.options.iter())
            .map(|(name, secret)| (name.clone(), secret.expose().to_owned()))
            .collect(),
        trust,
        timeout: service.timeout,
        timeouts: Timeouts {
            connect: config.timeout.connect,
            first_byte: config.timeout.first_byte,
            total: config.timeout.http,
        },
        response_bytes_max: config.limits.upstream_bytes,
    })
}

/// Adds what the policies of the configuration and of the service leave. Returns how many tools.
fn add(
    builder: &mut CatalogBuilder,
    config: &Config,
    service: &config::Service,
    tools: Vec<OfferedTool>,
) -> usize {
    let mut count = 0;
    for offered in tools {
        let name = offered.tool.name().to_owned();
        let is_read_only = offered.tool.hints().read_only == Some(true);
        if !is_offered(config, &name, is_read_only) || !is_allowed(service, &name, is_read_only) {
            continue;
        }
        for alias in &offered.aliases {
            builder.alias(&**alias, &name);
        }
        builder.tool(offered.tool, offered.handler);
        count += 1;
    }
    count
}

/// Whether the service's own policy lets a tool be offered.
fn is_allowed(service: &config::Service, name: &str, is_read_only: bool) -> bool {
    let matches = |patterns: &[String]| {
        patterns
            .iter()
            .any(|pattern| Pattern::new(pattern).matches(name))
    };
    (is_read_only || !service.read_only)
        && (service.allow.is_empty() || matches(&service.allow))
        && !matches(&service.deny)
}
