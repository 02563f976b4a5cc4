//! From what the configuration says to what the parts are given.

use std::fmt;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use crate::catalog::{Catalog, CatalogBuilder, CatalogError};
use crate::config::{self, Config};
use crate::gate::auth::TokenError;
use crate::gate::forwarded::Proxies;
use crate::gate::host::{HostRule, NotAHost, Reach};
use crate::gate::origin::{NotAnOrigin, OriginRule};
use crate::gate::rate::{Rate, Rates};
use crate::gate::{Pattern, Principal};
use crate::http1::HeadLimits;
use crate::mcp::capabilities::Implementation;
use crate::mcp::result::{CacheHint, CacheScope};
use crate::metrics::Metrics;
use crate::rt::ListenAddr;
use crate::rt::tls::{Acceptor, AcceptorFile, AcceptorSettings, TrustError};
use crate::server::{self, Limits, StateFile};
use crate::transport::certificates::{Certificates, Mark};
use crate::transport::site::{Groups, KeySource, Readiness, Settings, Site};

use super::auth::Door;
use super::aws;
use super::device::DeviceTools;
use super::jwks::{self, Jwks, Published};
use super::packs::{Look, Outside, Reading, Services};

/// Everything a server is made of. A reload makes another one.
pub struct Plan {
    /// For the protocol server.
    pub server: server::Settings,
    /// What it offers.
    pub catalog: Catalog,
    /// For the HTTP transport.
    pub http: Settings,
    /// Where to listen, and what each listener serves.
    pub listeners: Vec<(ListenAddr, Site)>,
    /// Period of comments on streams.
    pub keepalive: Duration,
    /// Period of `ping` events.
    pub ping: Duration,
    /// How long running requests may take to end.
    pub grace: Duration,
    /// What the limits are, for the metrics.
    pub limits: Vec<(&'static str, u64)>,
    /// Where sessions are kept over a restart.
    pub state: Option<StateFile>,
    /// The services behind its packs.
    pub services: Rc<Services>,
    /// Where the keys of tokens are fetched from, for a check.
    pub jwks: Option<Rc<Jwks>>,
    /// Where everything is counted.
    pub metrics: Rc<Metrics>,
    /// Whether the built-in resources are offered, which somebody has to announce updates of.
    pub announces_device: bool,
}

/// What plans are made with, and what outlives them.
#[derive(Clone)]
pub struct Parts {
    /// The built-in tools.
    pub device: Rc<DeviceTools>,
    /// The way to the services.
    pub outside: Outside,
    /// What the AWS tools remember.
    pub aws: Rc<aws::Memory>,
    /// The keys that an issuer has published.
    pub published: Published,
}

impl Parts {
    /// Those of this process.
    pub fn new() -> Parts {
        Parts {
            device: DeviceTools::new(),
            outside: Outside::new(),
            aws: Rc::new(aws::Memory::new()),
            published: Published::default(),
        }
    }
}

impl Default for Parts {
    fn default() -> Parts {
        Parts::new()
    }
}

/// Why a checked configuration cannot be put to work all the same.
#[derive(Debug)]
pub enum PlanError {
    /// Two things are offered under one name, or a tool breaks a rule.
    Catalog(CatalogError),
    /// A key asks for what this binary is built without.
    Feature {
        /// The key.
        key: &'static str,
        /// The cargo feature that brings it.
        feature: &'static str,
    },
    /// An entry of `server.allowed_hosts`.
    Host(NotAHost),
    /// An entry of `server.allowed_origins` or `server.cors_origins`.
    Origin(NotAnOrigin),
    /// What is wrong with packs and their services, a line each.
    Packs(Vec<String>),
    /// A key of `auth` for the tokens of an issuer.
    Jwt {
        /// Which.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A file that our listeners speak TLS by.
    Tls {
        /// The key that names it.
        key: &'static str,
        /// What is wrong with it.
        error: TrustError,
    },
    /// A token of `auth.tokens`.
    Token {
        /// Its name.
        name: String,
        /// What is wrong with it.
        error: TokenError,
    },
}

/// How long clients may keep lists. A change is announced to those that listen; for the others a
/// minute is short enough.
const LIST_TTL_MS: u64 = 60_000;
/// Longest wait for the client's answer to a question: a person has to read it.
const CLIENT_ANSWER: Duration = Duration::from_secs(10 * 60);

impl Plan {
    /// The plan of a configuration that was read from `folder`. `generation` differs from those of earlier plans.
    pub fn new(
        config: &Config,
        folder: &Path,
        parts: &Parts,
        generation: u64,
    ) -> Result<Plan, PlanError> {
        Plan::read(config, folder, parts, generation, Reading::Needed)
    }

    /// The same, with more packs read than are needed.
    pub fn read(
        config: &Config,
        folder: &Path,
        parts: &Parts,
        generation: u64,
        reading: Reading,
    ) -> Result<Plan, PlanError> {
        let mut builder = CatalogBuilder::default();
        parts.device.offer(&mut builder, config);
        aws::offer(&mut builder, config, &parts.outside, &parts.aws)?;
        let services = Services::offer(&mut builder, config, folder, &parts.outside, reading)
            .map_err(PlanError::Packs)?;
        let services = Rc::new(services);
        let catalog = builder.build(generation).map_err(PlanError::Catalog)?;
        let listeners = listeners(config)?;
        let door = Door::new(config, &parts.outside, &parts.published)?;
        Ok(Plan {
            server: server_settings(config),
            catalog,
            jwks: door.jwks.clone(),
            http: http_settings(config, &services, door),
            listeners,
            keepalive: config.timeout.sse_keepalive,
            ping: config.timeout.sse_ping,
            grace: config.timeout.shutdown_grace,
            limits: config.limits.numbers().collect(),
            state: (config.state.file.as_ref())
                .filter(|_| config.state.enabled)
                .map(StateFile::new),
            services,
            metrics: parts.outside.metrics(),
            // Also while the tools are off: a reload may bring them.
            announces_device: true,
        })
    }
}

fn server_settings(config: &Config) -> server::Settings {
    let limits = &config.limits;
    let mut implementation =
        Implementation::new(config.server.name.clone(), config.server.version.clone());
    implementation.title = config.server.title.clone();
    server::Settings {
        implementation,
        instructions: aws::instructions(config),
        limits: Limits {
            sessions: limits.sessions,
            streams: limits.streams,
            requests_in_flight: limits.requests_in_flight,
            stream_queue_bytes: limits.stream_queue_bytes,
            replay_bytes: limits.replay_bytes,
            replay_total_bytes: limits.replay_total_bytes,
            tool_output_bytes: limits.tool_output_bytes,
            subscriptions: limits.subscriptions,
            tasks: limits.tasks,
        },
        tool_call: config.timeout.operation,
        client_answer: CLIENT_ANSWER,
        session_idle: config.timeout.session_idle,
        page_len: limits.page,
        session_prefix: config.server.session_prefix.clone(),
        cache: CacheHint {
            ttl_ms: LIST_TTL_MS,
            scope: CacheScope::Private,
        },
    }
}

fn http_settings(config: &Config, services: &Rc<Services>, door: Door) -> Settings {
    let (limits, timeout) = (&config.limits, &config.timeout);
    let source = |jwks| Rc::new(jwks::Source(jwks)) as Rc<dyn KeySource>;
    Settings {
        auth: door.auth,
        certificates: certificates(config),
        auth_failures_max: small(limits.auth_failures),
        proxies: Proxies::new(&config.server.trusted_proxies),
        rates: rates(config),
        rate_exempt: limits.rate_exempt.clone(),
        resource: door.resource,
        keys: door.jwks.map(source),
        head: HeadLimits {
            head_bytes_max: limits.head_bytes,
            headers_max: limits.headers,
        },
        body_bytes_max: limits.body_bytes,
        bodies_bytes_max: limits.body_bytes.saturating_mul(limits.requests_in_flight),
        json_depth_max: limits.json_depth,
        batch_len_max: limits.batch,
        connections_max: limits.connections,
        connections_reserved: limits
            .connections_reserved
            .unwrap_or(limits.connections / 8),
        connections_per_address_max: limits.connections_per_address,
        head_timeout: timeout.head,
        body_timeout: timeout.body,
        body_rate_min: timeout.body_bytes_per_second_min,
        idle_timeout: timeout.idle,
        write_stall: timeout.write_stall,
        retry: timeout.sse_retry,
        mcp_path: config.server.mcp_path.clone(),
        sse_path: config.server.sse_path.clone(),
        message_path: config.server.message_path.clone(),
        metrics_enabled: config.metrics.enabled,
        metrics_public: config.metrics.public,
        readiness: readiness(services),
    }
}

fn rates(config: &Config) -> Rates {
    let limits = &config.limits;
    let burst = limits.burst.map(small);
    let rate = |requests: u32, burst: Option<u32>| {
        let burst = burst.unwrap_or_else(|| Rate::usual_burst(requests));
        (requests > 0).then(|| Rate::per_minute(requests, burst))
    };
    let usual = limits.requests_per_minute.map(small);
    let own = config.auth.tokens.iter().filter_map(|token| {
        let has_its_own = token.requests_per_minute.is_some() || token.burst.is_some();
        let requests = token.requests_per_minute.or(usual)?;
        has_its_own.then(|| {
            (
                token.name.as_str().into(),
                rate(requests, token.burst.or(burst)),
            )
        })
    });
    Rates {
        usual: usual.and_then(|requests| rate(requests, burst)),
        own: own.collect(),
    }
}

/// A number whose bounds in the configuration let it fit.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What `/ready` asks, if there is anything to ask.
fn readiness(services: &Rc<Services>) -> Option<Readiness> {
    if !services.have_probes() {
        return None;
    }
    let services = services.clone();
    Some(Rc::new(move || {
        let services = services.clone();
        Box::pin(async move {
            let looks = services.looks().await;
            let state = |look: &Look| (look.id.clone(), look.problem.is_none());
            looks.iter().map(state).collect()
        })
    }))
}

fn certificates(config: &Config) -> Certificates {
    let mut certificates = Certificates::default();
    for configured in &config.auth.certificates {
        let mark = match &configured.mark {
            config::CertificateMark::Fingerprint(print) => Mark::Fingerprint(*print),
            config::CertificateMark::Subject(name) => Mark::Subject(name.as_str().into()),
        };
        let patterns = configured.tools.iter();
        let principal = Principal {
            name: configured.name.as_str().into(),
            scopes: configured.scopes,
            tools: patterns.map(|pattern| Pattern::new(pattern)).collect(),
        };
        certificates.add(mark, principal);
    }
    certificates
}

/// What our listeners shake hands with, if there are files for it.
fn acceptor(config: &Config) -> Result<Option<Acceptor>, PlanError> {
    let tls = &config.tls;
    let (Some(cert_file), Some(key_file)) = (&tls.cert_file, &tls.key_file) else {
        return Ok(None);
    };
    let settings = AcceptorSettings {
        cert_file: cert_file.clone(),
        key_file: key_file.clone(),
        client_ca_file: tls.client_ca_file.clone(),
        client_cert_required: tls.client_cert_required,
    };
    let unfit = |(file, error)| PlanError::Tls {
        key: match file {
            AcceptorFile::Cert => "tls.cert_file",
            AcceptorFile::ClientCa => "tls.client_ca_file",
            AcceptorFile::Key => "tls.key_file",
        },
        error,
    };
    Acceptor::new(&settings).map(Some).map_err(unfit)
}

fn listeners(config: &Config) -> Result<Vec<(ListenAddr, Site)>, PlanError> {
    let acceptor = acceptor(config)?;
    config
        .listeners()
        .into_iter()
        .map(|listener| {
            let tls = acceptor.clone().filter(|_| listener.tls == Some(true));
            let (address, reach) = match listener.address {
                config::Address::Tcp(address) => {
                    let reach = match address.ip().to_canonical().is_loopback() {
                        true => Reach::Loopback,
                        false => Reach::Network,
                    };
                    (ListenAddr::Tcp(address), reach)
                }
                config::Address::Unix(path) => (ListenAddr::Unix(path), Reach::SocketFile),
            };
            Ok((address, site(config, listener.groups, reach, tls)?))
        })
        .collect()
}

fn site(
    config: &Config,
    groups: config::Groups,
    reach: Reach,
    tls: Option<Acceptor>,
) -> Result<Site, PlanError> {
    let server = &config.server;
    // Whoever may send requests from a page may also read the answers: two lists, one rule.
    let origins: Vec<String> = server
        .allowed_origins
        .iter()
        .chain(&server.cors_origins)
        .cloned()
        .collect();
    Ok(Site {
        groups: Groups {
            mcp: groups.contains(config::Groups::MCP),
            api: groups.contains(config::Groups::API),
            admin: groups.contains(config::Groups::ADMIN),
        },
        host: HostRule::new(reach, &server.allowed_hosts).map_err(PlanError::Host)?,
        origin: OriginRule::new(reach, &origins).map_err(PlanError::Origin)?,
        tls,
    })
}

impl PlanError {
    /// What is wrong, a line each.
    pub fn lines(&self) -> Vec<String> {
        match self {
            PlanError::Packs(lines) => lines.clone(),
            other => vec![other.to_string()],
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::Catalog(error) => error.fmt(f),
            PlanError::Feature { key, feature } => write!(
                f,
                "{key}: this siskin is built without the feature `{feature}`; unset the key, or build with it"
            ),
            PlanError::Host(error) => write!(f, "server.allowed_hosts: {error}"),
            PlanError::Origin(error) => write!(f, "server.allowed_origins: {error}"),
            PlanError::Jwt { key, problem } => write!(f, "{key}: {problem}"),
            PlanError::Packs(lines) => f.write_str(&lines.join("\n")),
            PlanError::Tls { key, error } => write!(f, "{key}: {error}"),
            PlanError::Token { name, error } => write!(f, "auth.tokens: `{name}`: {error}"),
        }
    }
}

impl std::error::Error for PlanError {}
