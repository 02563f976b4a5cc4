//! The one table of keys. A row: documentation, field and type, kind with bounds, default, when a change takes
//! effect, and the foreign environment variable that also sets it, if there is one.
//!
//! Every row can be set in the environment as `APP_<SECTION>__<KEY>`; after a change here run the tests of
//! `config::reference` with `SISKIN_BLESS=1` to write the reference and the schema anew.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::gate::forwarded::Proxy;
use crate::sorted::SortedMap;

use super::auth::Token;
use super::certificates::Certificate;
use super::field::{Section, choices, sections};
use super::kind::{Bounds, Item, Kind, Value};
use super::listen::Listener;
use super::secret::Secret;

sections! {
    /// What the server is called, where it listens and under which paths.
    "server" Server {
        /// Name told to clients in `serverInfo`.
        name: String = Kind::Text, Some("siskin"), Restart;
        /// Version told to clients in `serverInfo`.
        version: String = Kind::Text, Some(env!("CARGO_PKG_VERSION")), Restart;
        /// Name for people, told to clients in `serverInfo`.
        title: Option<String> = Kind::Text, None, Restart;
        /// What clients may tell their model about this server.
        instructions: Option<String> = Kind::Text, None, Restart;
        /// Accepted for configurations of the axinova server and only logged: the revision is settled with each client.
        protocol_version: Option<String> = Kind::Text, None, Restart;
        /// What a bare start does: the three HTTP words all serve every HTTP route, `stdio` speaks on stdin and stdout.
        transport: Transport = Transport::KIND, Some("http"), Restart, "FASTMCP_TRANSPORT";
        /// Address to listen on; `127.0.0.1` when unset. Beyond loopback a token is required.
        host: Option<IpAddr> = Kind::Host, None, Restart, "FASTMCP_HOST";
        /// Port for all routes, 0 for any free one; `8000` when unset, or none if `server.listeners` is given.
        port: Option<u16> = int(0, 65_535), None, Restart, "FASTMCP_PORT";
        /// Places to listen on with the route groups each serves: `mcp`, `api`, `admin`; all groups when left out. `tls` as `tls.cert_file` says when left out.
        listeners: Vec<Listener> = Kind::Listeners, Some(""), Restart;
        /// Whether a further port for health and metrics is open; when unset, it is if `server.http_port` is given.
        http_enabled: Option<bool> = Kind::Bool, None, Restart;
        /// Further port for the `admin` routes; `9001` if only enabled.
        http_port: Option<u16> = int(0, 65_535), None, Restart;
        /// Whether a further port for the plain JSON-RPC API is open; when unset, it is if `server.api_port` is given.
        api_enabled: Option<bool> = Kind::Bool, None, Restart;
        /// Further port for the `api` routes; `8080` if only enabled.
        api_port: Option<u16> = int(0, 65_535), None, Restart;
        /// A bearer token with all rights; in logs it goes by the name `api`.
        api_token: Option<Secret> = Kind::Secret, None, Reload;
        /// Whether a further port for event streams is open; when unset, it is if `server.sse_port` is given.
        sse_enabled: Option<bool> = Kind::Bool, None, Restart;
        /// Further port for the `mcp` and `api` routes; `8081` if only enabled.
        sse_port: Option<u16> = int(0, 65_535), None, Restart;
        /// Route of Streamable HTTP.
        mcp_path: String = Kind::UrlPath, Some("/mcp"), Restart;
        /// Route of the HTTP+SSE stream; served with and without the last slash.
        sse_path: String = Kind::UrlPath, Some("/sse/"), Restart, "FASTMCP_SSE_PATH";
        /// Route for the messages of the HTTP+SSE stream; served with and without the last slash.
        message_path: String = Kind::UrlPath, Some("/messages/"), Restart, "FASTMCP_MESSAGE_PATH";
        /// Put before each session id, with a dot: a proxy in front of several servers sends a session by it where it is.
        session_prefix: Option<String> = Kind::Word, None, Reload;
        /// `Host` values accepted beside the loopback names; when empty, a listener beyond loopback accepts any.
        allowed_hosts: Vec<String> = Kind::List(Item::HostName), Some(""), Reload;
        /// `Origin` values accepted beside the server's own; a browser page of another origin gets 403.
        allowed_origins: Vec<String> = Kind::List(Item::Origin), Some(""), Reload;
        /// Origins that get CORS answers, so that scripts of browser pages may read ours.
        cors_origins: Vec<String> = Kind::List(Item::Origin), Some(""), Reload;
        /// Peers whose `X-Forwarded-For` or `Forwarded` is believed; the last address in it that is none of these asks.
        trusted_proxies: Vec<Proxy> = Kind::List(Item::Proxy), Some(""), Reload;
    }

    /// Bounds on what peers can make the server hold. 10,000 streams are a matter of raising the first four.
    "limits" Limits {
        /// Connections open at once, over all listeners.
        connections: usize = int(1, 1_000_000), Some("256"), Reload;
        /// Connections open at once from one address; an IPv6 network of 64 bits is one.
        connections_per_address: usize = int(1, 1_000_000), Some("64"), Reload;
        /// Event streams open at once.
        streams: usize = int(1, 1_000_000), Some("128"), Reload;
        /// Sessions of the revisions that have them.
        sessions: usize = int(1, 1_000_000), Some("1024"), Reload;
        /// Of the connections, those kept for callers on this machine and with a token; an eighth when unset.
        connections_reserved: Option<usize> = int(0, 1_000_000), None, Reload;
        /// Requests a minute from one token, or from one address without a token; unset is no bound.
        requests_per_minute: Option<usize> = int(1, 1_000_000), None, Reload;
        /// Of those, as many as may come at once; what comes in ten seconds when unset, and at least 10.
        burst: Option<usize> = int(1, 1_000_000), None, Reload;
        /// Paths whose requests are not counted for `limits.requests_per_minute`.
        rate_exempt: Vec<String> = Kind::List(Item::Path), Some("/health,/ready"), Reload;
        /// Wrong tokens from one address before it has to wait: a second, then twice as long each time, up to a minute.
        auth_failures: usize = int(1, 1_000_000), Some("10"), Reload;
        /// Requests being worked on at once.
        requests_in_flight: usize = int(1, 100_000), Some("64"), Reload;
        /// Request head, request line included.
        head_bytes: usize = size(512, 1 << 20), Some("8KiB"), Reload;
        /// Header fields in one head.
        headers: usize = int(8, 256), Some("64"), Reload;
        /// Request body, and one line on stdio.
        body_bytes: usize = size(1 << 10, 256 << 20), Some("1MiB"), Reload;
        /// Depth of arrays and objects in a message.
        json_depth: usize = int(8, 512), Some("64"), Reload;
        /// Messages in one batch.
        batch: usize = int(1, 10_000), Some("32"), Reload;
        /// Entries on one page of a list; more than a server offers, for not all clients ask for a second page.
        page: usize = int(1, 10_000), Some("250"), Reload;
        /// Bytes waiting for a slow reader of one stream before it is cut off.
        stream_queue_bytes: usize = size(4 << 10, 64 << 20), Some("64KiB"), Reload;
        /// Bytes of past events kept per session, for clients that come back to a stream.
        replay_bytes: usize = size(4 << 10, 64 << 20), Some("64KiB"), Reload;
        /// The same for all sessions together; beyond it, those not heard of for longest lose their past events first.
        replay_total_bytes: usize = size(64 << 10, 1 << 30), Some("4MiB"), Reload;
        /// Resources one session, or one listen stream, is subscribed to.
        subscriptions: usize = int(1, 10_000), Some("64"), Reload;
        /// Tasks kept at once, running or ended.
        tasks: usize = int(1, 100_000), Some("256"), Reload;
        /// Output of one tool call, as it goes over the wire; longer output is a failure that says so.
        tool_output_bytes: usize = size(1 << 10, 64 << 20), Some("256KiB"), Reload;
        /// Response body read from an upstream.
        upstream_bytes: usize = size(1 << 10, 256 << 20), Some("2MiB"), Reload;
        /// Child processes at once.
        children: usize = int(1, 1_000), Some("16"), Reload;
        /// Memory to stay within: what is held at once is derived from it where nobody set it, as the table below shows.
        memory: Option<usize> = size(4 << 20, 1 << 30), None, Reload;
    }

    /// How long each phase may take. Every duration needs a unit.
    "timeout" Timeout {
        /// One request to an upstream, from connect to the last byte.
        http: Duration = duration(100, HOUR), Some("30s"), Reload;
        /// One call of a tool, prompt, resource or completion, all its upstream requests included.
        operation: Duration = duration(100, DAY), Some("60s"), Reload;
        /// Connecting to an upstream, TLS included.
        connect: Duration = duration(10, HOUR), Some("5s"), Reload;
        /// From a sent request to the first byte of the upstream's answer.
        first_byte: Duration = duration(10, HOUR), Some("30s"), Reload;
        /// From the first byte of a request head to its end.
        head: Duration = duration(100, HOUR), Some("10s"), Reload;
        /// Silence within a request body.
        body: Duration = duration(100, HOUR), Some("15s"), Reload;
        /// Least rate of a request body, in bytes per second, counted after `timeout.body`.
        body_bytes_per_second_min: u64 = int(0, 1 << 30), Some("256"), Reload;
        /// A kept connection without a request.
        idle: Duration = duration(100, DAY), Some("30s"), Reload;
        /// A write during which the peer takes no byte.
        write_stall: Duration = duration(100, HOUR), Some("15s"), Reload;
        /// A session without a request or a stream; long enough to outlast a laptop's nap at lunch.
        session_idle: Duration = duration(1_000, 30 * DAY), Some("30m"), Reload;
        /// Time between comments on a silent stream; proxies cut silent ones after 30 to 60 s.
        sse_keepalive: Duration = duration(1_000, HOUR), Some("15s"), Restart;
        /// Time between `ping` events on `/api/mcp/v1/sse`.
        sse_ping: Duration = duration(1_000, HOUR), Some("30s"), Restart;
        /// Wait before reconnecting that clients are told in `retry`.
        sse_retry: Duration = duration(10, HOUR), Some("1s"), Reload;
        /// From the signal to stop until open requests are cut off.
        shutdown_grace: Duration = duration(0, HOUR), Some("5s"), Reload;
    }

    /// Who may come in.
    "auth" Auth {
        /// Serve requests without a token. While there are no tokens, loopback does so anyway; beyond it this must be said.
        allow_anonymous: bool = Kind::Bool, Some("false"), Reload;
        /// Tokens with names and rights: `read`, `write` (these two when left out), `admin`, `publish`.
        tokens: Vec<Token> = Kind::Tokens, Some(""), Reload;
        /// URL of the MCP endpoint as clients know it, such as `https://nas.lan/mcp`: told to clients that need a token, and the audience of JWTs.
        resource: Option<String> = Kind::Url, None, Reload;
        /// Where clients get tokens; told to them with `auth.resource`. When empty, the issuer.
        authorization_servers: Vec<String> = Kind::List(Item::Url), Some(""), Reload;
        /// Issuer of the JWTs that are accepted beside `auth.tokens`: their `iss`, to the letter.
        jwt_issuer: Option<String> = Kind::Text, None, Reload;
        /// Audiences accepted beside `auth.resource`: one of them has to be in `aud`.
        jwt_audience: Vec<String> = Kind::List(Item::Word), Some(""), Reload;
        /// File with the keys that sign JWTs: public keys in PEM, a JWK or a JWK set.
        jwt_key_file: Option<PathBuf> = Kind::File, None, Reload;
        /// Where the issuer publishes its keys; fetched when needed, again for an unknown key at most once a minute.
        jwt_jwks_url: Option<String> = Kind::Url, None, Reload;
        /// Certificates, in PEM, to trust for `auth.jwt_jwks_url` beside the usual ones.
        jwt_jwks_ca_file: Option<PathBuf> = Kind::File, None, Reload;
        /// Secret of JWTs signed by HS256, at least 32 bytes.
        jwt_secret: Option<Secret> = Kind::Secret, None, Reload;
        /// Algorithms accepted; when empty, all that the keys are for: `RS256`, `ES256`, `EdDSA`, `HS256`.
        jwt_algorithms: Vec<String> = Kind::List(Item::Algorithm), Some(""), Reload;
        /// How far the issuer's clock may differ from ours.
        jwt_leeway: Duration = duration(0, 60_000), Some("30s"), Reload;
        /// Claims that hold scopes; when empty, `scope` and `scp`.
        jwt_scope_claims: Vec<String> = Kind::List(Item::Word), Some(""), Reload;
        /// What the issuer's scopes mean here, each `scope=right`; a right is `read`, `write`, `admin`, `publish` or `tools:` and a pattern. When empty, the four mean themselves.
        jwt_scopes: Vec<String> = Kind::List(Item::Grant), Some(""), Reload;
        /// Rights of a JWT whose scopes give none; when empty, it is refused.
        jwt_default_scopes: Vec<String> = Kind::List(Item::Scope), Some(""), Reload;
        /// Client certificates with names and rights, for those that `tls.client_ca_file` has signed; then no token is needed.
        certificates: Vec<Certificate> = Kind::Certificates, Some(""), Reload;
    }

    /// What is logged to stderr.
    "log" Log {
        /// Least level that is logged.
        level: LogLevel = LogLevel::KIND, Some("info"), Reload, "FASTMCP_LOG_LEVEL";
        /// Lines for people or JSON lines for collectors.
        format: LogFormat = LogFormat::KIND, Some("text"), Restart;
    }

    /// The Prometheus endpoint.
    "metrics" Metrics {
        /// Whether `/metrics` is served.
        enabled: bool = Kind::Bool, Some("true"), Reload;
        /// Whether `/metrics` and `/status` are served without a token while other routes ask for one.
        public: bool = Kind::Bool, Some("false"), Reload;
    }

    /// The file that lets sessions outlive a restart.
    "state" State {
        /// Whether the file is read and written; without `state.file` there is none.
        enabled: bool = Kind::Bool, Some("true"), Restart;
        /// Path of the file; its folder must exist and be writable.
        file: Option<PathBuf> = Kind::File, None, Restart;
    }

    /// Which tools are offered.
    "tools" Tools {
        /// Offer only tools that change nothing.
        read_only: bool = Kind::Bool, Some("false"), Reload;
        /// Offer only tools that match one of these; empty means all.
        allow: Vec<String> = Kind::List(Item::Pattern), Some(""), Reload;
        /// Never offer tools that match one of these; wins over `tools.allow`.
        deny: Vec<String> = Kind::List(Item::Pattern), Some(""), Reload;
        /// Offer the `device_*` tools and resources, which read facts about this machine.
        device: bool = Kind::Bool, Some("true"), Reload;
        /// Offer `net_check`, which tries whether a host and port can be reached from here.
        net_check: bool = Kind::Bool, Some("true"), Reload;
        /// Offer `wake_on_lan`, which sends a packet that switches a machine on.
        wake_on_lan: bool = Kind::Bool, Some("false"), Reload;
    }

    /// The AWS documentation tools.
    "aws" Aws {
        /// Which documentation the tools read; unset means no such tools.
        partition: Option<Partition> = Partition::KIND, None, Reload, "AWS_DOCUMENTATION_PARTITION";
        /// First part of the `User-Agent` sent to the documentation hosts.
        user_agent: Option<String> = Kind::Text, None, Reload, "MCP_USER_AGENT";
        /// Other places to reach a documentation host at, for mirrors and tests.
        hosts: SortedMap<String, String> = Kind::List(Item::HostUrl), Some(""), Reload;
    }

    /// TLS: of our own listeners, and towards all upstreams.
    "tls" Tls {
        /// Our certificate and those between it and its authority, in PEM. With it every TCP listener speaks TLS, but for those with `tls = false`.
        cert_file: Option<PathBuf> = Kind::File, None, Reload;
        /// Private key, in PEM, of `tls.cert_file`.
        key_file: Option<PathBuf> = Kind::File, None, Reload;
        /// Authorities, in PEM, whose certificates clients may show; `auth.certificates` says whose each is.
        client_ca_file: Option<PathBuf> = Kind::File, None, Reload;
        /// Shake hands only with clients that show such a certificate; then no token is asked for beyond loopback either.
        client_cert_required: bool = Kind::Bool, Some("false"), Reload;
        /// Do not check the certificate of any service. Better: `ca_file` or `insecure` of the one service.
        skip_verify: bool = Kind::Bool, Some("false"), Reload;
    }

    /// When the configuration is read anew.
    "reload" Reload {
        /// Also reload when a file changes, not only on SIGHUP.
        watch: bool = Kind::Bool, Some("false"), Restart;
    }
}

sections! {
    /// One service that a pack of tools talks to, under the pack's id; the five of the axinova server may also stand
    /// at the top, as `[portainer]`. Further keys are options for the pack; they are texts and kept as secrets.
    "services.*" Service
        + /// Options for the pack beside the keys above.
        options: SortedMap<String, Secret>
    {
        /// Where the service is; while unset, its tools are not offered.
        url: Option<String> = Kind::Url, None, Reload;
        /// The credential the pack sends.
        token: Option<Secret> = Kind::Secret, None, Reload;
        /// Whether its tools are offered.
        enabled: bool = Kind::Bool, Some("true"), Reload;
        /// Do not check its certificate.
        insecure: bool = Kind::Bool, Some("false"), Reload;
        /// Certificates, in PEM, to trust for it beside the usual ones.
        ca_file: Option<PathBuf> = Kind::File, None, Reload;
        /// Certificate chain, in PEM, to show to a service that asks who we are; goes with `client_key`.
        client_cert: Option<PathBuf> = Kind::File, None, Reload;
        /// Private key, in PEM, of `client_cert`.
        client_key: Option<PathBuf> = Kind::File, None, Reload;
        /// Name to expect in its certificate instead of the host of `url`.
        server_name: Option<String> = Kind::Text, None, Reload;
        /// One request to it, from connect to the last byte; `timeout.http` when unset.
        timeout: Option<Duration> = duration(100, HOUR), None, Reload;
        /// Offer only those of its tools that change nothing.
        read_only: bool = Kind::Bool, Some("false"), Reload;
        /// Offer only those of its tools that match one of these; empty means all.
        allow: Vec<String> = Kind::List(Item::Pattern), Some(""), Reload;
        /// Never offer those of its tools that match one of these; wins over `allow`.
        deny: Vec<String> = Kind::List(Item::Pattern), Some(""), Reload;
    }
}

choices! {
    /// What a bare start serves.
    Transport {
        /// All HTTP routes.
        Http = "http",
        /// As `Http`.
        Sse = "sse",
        /// Messages on stdin and stdout.
        Stdio = "stdio",
        /// As `Http`.
        StreamableHttp = "streamable-http",
    }
    /// Least level that is logged.
    LogLevel {
        /// Nothing.
        Off = "off",
        /// What failed.
        Error = "error" | "critical" | "fatal",
        /// What an operator should look at.
        Warn = "warn" | "warning",
        /// What happens at start and stop.
        Info = "info",
        /// What happens per request.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
    /// The shape of log lines.
    LogFormat {
        /// One JSON object a line.
        Json = "json",
        /// Lines for people.
        Text = "text" | "console",
    }
    /// A partition of AWS with documentation of its own.
    Partition {
        /// The commercial regions.
        Aws = "aws",
        /// The regions in China.
        AwsCn = "aws-cn",
    }
}

impl Limits {
    /// Every limit that is set, by its key.
    pub fn numbers(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Limits::SECTION
            .rows
            .iter()
            .filter_map(|row| match self.value(row.name) {
                Value::Number(number) => Some((row.name, number)),
                _ => None,
            })
    }
}

impl LogLevel {
    /// The same for the `log` crate.
    pub fn filter(self) -> log::LevelFilter {
        match self {
            LogLevel::Off => log::LevelFilter::Off,
            LogLevel::Error => log::LevelFilter::Error,
            LogLevel::Warn => log::LevelFilter::Warn,
            LogLevel::Info => log::LevelFilter::Info,
            LogLevel::Debug => log::LevelFilter::Debug,
            LogLevel::Trace => log::LevelFilter::Trace,
        }
    }
}

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

const fn int(min: u64, max: u64) -> Kind {
    Kind::Integer(Bounds { min, max })
}

const fn size(min: u64, max: u64) -> Kind {
    Kind::Size(Bounds { min, max })
}

const fn duration(min_ms: u64, max_ms: u64) -> Kind {
    Kind::Duration(Bounds {
        min: min_ms,
        max: max_ms,
    })
}

/// Makes `Config` and its look-ups from the list of sections.
macro_rules! config {
    ($($field:ident: $ty:ident,)+) => {
        /// What the program runs on: typed, checked, owned.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Config {
            $(#[doc = concat!("Section `[", stringify!($field), "]`.")] pub $field: $ty,)+
            /// The services by id.
            pub services: SortedMap<String, Service>,
        }

        /// All sections with a fixed name, in the order they are shown.
        pub(super) const SECTIONS: &[Section] = &[$($ty::SECTION,)+];

        impl Config {
            /// Puts a parsed value into its field. Returns whether it fitted.
            pub(super) fn set(&mut self, section: &str, name: &str, value: Value) -> bool {
                match section {
                    $(stringify!($field) => self.$field.set(name, value),)+
                    _ => false,
                }
            }

            /// The value of a key, as its row would parse it.
            pub(super) fn value(&self, section: &str, name: &str) -> Value {
                match section {
                    $(stringify!($field) => self.$field.value(name),)+
                    _ => Value::Unset,
                }
            }
        }
    };
}

config! {
    server: Server,
    auth: Auth,
    log: Log,
    metrics: Metrics,
    tools: Tools,
    aws: Aws,
    limits: Limits,
    timeout: Timeout,
    state: State,
    tls: Tls,
    reload: Reload,
}

/// The services of the axinova server, which may stand at the top: `[portainer]`, `APP_PORTAINER__URL`.
pub(super) const TOP_SERVICES: [&str; 5] = [
    "grafana",
    "portainer",
    "prometheus",
    "silverbullet",
    "vikunja",
];
