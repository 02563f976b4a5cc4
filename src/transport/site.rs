//! What one listener serves and to whom, and the settings all listeners share.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use crate::gate::Principal;
use crate::gate::auth::Auth;
use crate::gate::forwarded::Proxies;
use crate::gate::host::HostRule;
use crate::gate::origin::OriginRule;
use crate::gate::rate::Rates;
use crate::gate::resource::Resource;
use crate::http1::HeadLimits;
use crate::rt::tls::Acceptor;

use super::certificates::Certificates;

/// One listener's share of the routes and its rules.
pub struct Site {
    /// Which groups of routes it serves.
    pub groups: Groups,
    /// Whose `Host` it accepts.
    pub host: HostRule,
    /// Whose `Origin` it accepts.
    pub origin: OriginRule,
    /// What shakes hands there; without it, it speaks plain HTTP.
    pub tls: Option<Acceptor>,
}

/// The groups of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups {
    /// `/mcp`, HTTP+SSE.
    pub mcp: bool,
    /// `/api/mcp/v1/…`.
    pub api: bool,
    /// `/health`, `/ready`, `/status`, `/metrics`.
    pub admin: bool,
}

impl Groups {
    /// All of them.
    pub const ALL: Groups = Groups {
        mcp: true,
        api: true,
        admin: true,
    };
}

/// Asks the services we stand in front of: each with whether it answers as it should.
pub type Readiness = Rc<dyn Fn() -> Pin<Box<dyn Future<Output = Vec<(Box<str>, bool)>>>>>;

/// Where the keys of an issuer come from, which changes them when it likes.
pub trait KeySource {
    /// A token was signed by a key that is not known: fetches the keys, unless that was tried a short while ago. Ends
    /// within a few seconds, with whether it is worth looking at the token again.
    fn refresh(&self) -> Pin<Box<dyn Future<Output = bool>>>;

    /// A token was good. Keys that are old are fetched anew, while nobody waits.
    fn used(&self);

    /// Whether there is any key to look for. Without one, no token says anything of who shows it.
    fn are_here(&self) -> bool;
}

/// Settings of all listeners; replaced whole by a reload.
pub struct Settings {
    /// Who may come in.
    pub auth: Auth,
    /// Who needs no token, by their certificate.
    pub certificates: Certificates,
    /// `limits.auth_failures`.
    pub auth_failures_max: u32,
    /// `server.trusted_proxies`.
    pub proxies: Proxies,
    /// `limits.requests_per_minute`, `limits.burst` and those of single tokens.
    pub rates: Rates,
    /// `limits.rate_exempt`.
    pub rate_exempt: Vec<String>,
    /// What callers are told who may not, if they can ask an issuer for a token.
    pub resource: Option<Resource>,
    /// Where the keys of tokens come from, if not from the configuration.
    pub keys: Option<Rc<dyn KeySource>>,
    /// `limits.head_bytes` and `limits.headers`.
    pub head: HeadLimits,
    /// `limits.body_bytes`.
    pub body_bytes_max: usize,
    /// All bodies together, but for the first 16 KiB of each: as many whole ones as `limits.requests_in_flight`.
    pub bodies_bytes_max: usize,
    /// `limits.json_depth`.
    pub json_depth_max: usize,
    /// `limits.batch`.
    pub batch_len_max: usize,
    /// `limits.connections`.
    pub connections_max: usize,
    /// `limits.connections_reserved`.
    pub connections_reserved: usize,
    /// `limits.connections_per_address`.
    pub connections_per_address_max: usize,
    /// `timeout.head`: from the first byte of a head to its last.
    pub head_timeout: Duration,
    /// `timeout.body`: silence within a body.
    pub body_timeout: Duration,
    /// `timeout.body_bytes_per_second_min`: what a body must average after that; 0 is no bound.
    pub body_rate_min: u64,
    /// `timeout.idle`: between requests.
    pub idle_timeout: Duration,
    /// `timeout.write_stall`: a write during which the peer takes nothing.
    pub write_stall: Duration,
    /// `timeout.sse_retry`, told to clients that may reconnect.
    pub retry: Duration,
    /// Path of the Streamable HTTP endpoint.
    pub mcp_path: String,
    /// Path of the HTTP+SSE stream.
    pub sse_path: String,
    /// Path of the HTTP+SSE messages.
    pub message_path: String,
    /// Whether `/metrics` is served.
    pub metrics_enabled: bool,
    /// Whether `/metrics` and `/status` are served without a token.
    pub metrics_public: bool,
    /// What `/ready` asks; without it a server is ready that is not stopping.
    pub readiness: Option<Readiness>,
}

impl Settings {
    /// Whether this caller has shown a token or a certificate of ours, and not just come in.
    pub fn knows(&self, caller: &Rc<Principal>) -> bool {
        self.auth.knows(caller) || self.certificates.knows(caller)
    }

    /// `timeout.sse_retry` as the `retry` field of an event has it.
    pub fn retry_ms(&self) -> u64 {
        u64::try_from(self.retry.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            auth: Auth::off(),
            certificates: Certificates::default(),
            auth_failures_max: 10,
            proxies: Proxies::default(),
            rates: Rates::default(),
            rate_exempt: Vec::new(),
            resource: None,
            keys: None,
            head: HeadLimits {
                head_bytes_max: 8192,
                headers_max: 64,
            },
            body_bytes_max: 1 << 20,
            bodies_bytes_max: 64 << 20,
            json_depth_max: 64,
            batch_len_max: 32,
            connections_max: 256,
            connections_reserved: 32,
            connections_per_address_max: 64,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(15),
            body_rate_min: 256,
            idle_timeout: Duration::from_secs(30),
            write_stall: Duration::from_secs(15),
            retry: Duration::from_secs(1),
            mcp_path: "/mcp".to_owned(),
            sse_path: "/sse/".to_owned(),
            message_path: "/messages/".to_owned(),
            metrics_enabled: true,
            metrics_public: false,
            readiness: None,
        }
    }
}
