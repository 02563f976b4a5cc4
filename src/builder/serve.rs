//! From a built server to a served one: the binary's own start-up with the library's defaults in
//! place of a configuration.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::app::serve::Hooks;
use crate::app::{self, Plan};
use crate::catalog::Catalog;
use crate::gate::auth::{Auth, Tokens};
use crate::gate::host::{HostRule, Reach};
use crate::gate::origin::OriginRule;
use crate::metrics::Metrics;
use crate::rt::{AddrError, ListenAddr};
use crate::server;
use crate::transport::site::{Groups, Settings, Site};

use super::{Connections, McpServer};

/// Period of comments on streams; proxies cut silent ones after 30 to 60 s.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// Period of `ping` events on plain event streams.
const PING: Duration = Duration::from_secs(30);
/// How long running requests may take to end when the process is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// What is served.
struct Parts {
    /// What the server is told.
    settings: server::Settings,
    /// What it offers.
    catalog: Catalog,
    /// Who may call it; empty means everyone who reaches it.
    tokens: Tokens,
    /// How many connections are served at a time; the usual limits without it.
    connections: Option<Connections>,
}

/// Where it is served.
enum Serve<'a> {
    /// Over HTTP: `/mcp`, `/sse/`, `/messages/`, `/health`.
    Http {
        /// Where to listen.
        address: ListenAddr,
        /// Called once with the bound address, when connections are accepted.
        ready: &'a dyn Fn(&str),
    },
    /// One client on standard input and output.
    Stdio,
}

/// Why a server cannot be served.
#[derive(Debug)]
pub enum ServeError {
    /// The address does not read.
    Address(AddrError),
    /// Other machines could reach it, and it has no token.
    Open {
        /// The address.
        address: ListenAddr,
    },
    /// It cannot start.
    Start(app::ServeError),
}

impl McpServer {
    /// Serves one client on standard input and output until it closes them. Blocks. Nothing else
    /// may write to standard output.
    pub fn serve_stdio(self) -> Result<(), ServeError> {
        run(self.into(), Serve::Stdio)
    }

    /// Serves HTTP at an address such as `127.0.0.1:8000`, `localhost:8000` or `unix:/run/my.sock`
    /// until SIGINT or SIGTERM. Blocks. An address that other machines can reach is refused
    /// without a [`Builder::token`](super::Builder::token).
    ///
    /// `/mcp` speaks Streamable HTTP of every revision, `/sse/` with `/messages/` the transport of
    /// 2024-11-05, `/health` answers 200, `/metrics` counts. The bound address goes to the log.
    pub fn serve_http(self, address: impl AsRef<str>) -> Result<(), ServeError> {
        self.serve_http_then(address, |address| log::info!("listening http {address}"))
    }

    /// The same, and calls `ready` with the bound address once connections are accepted: the way to
    /// learn which port 0 became.
    pub fn serve_http_then(
        self,
        address: impl AsRef<str>,
        ready: impl Fn(&str),
    ) -> Result<(), ServeError> {
        let address: ListenAddr = address.as_ref().parse().map_err(ServeError::Address)?;
        if !address.is_loopback() && self.tokens.is_empty() {
            return Err(ServeError::Open { address });
        }
        run(
            self.into(),
            Serve::Http {
                address,
                ready: &ready,
            },
        )
    }
}

#[cfg(feature = "http-types")]
impl McpServer {
    /// Makes ready to be asked by an HTTP server of your own, in the types of `http_types`: mount
    /// it at a path such as `/mcp`. Everything happens on this thread, so the HTTP server has to
    /// run inside [`rt::run`](crate::rt::run). Pages of any origin but the server's own are
    /// refused; the `Host` header is the HTTP server's to check.
    ///
    /// ```no_run
    /// # async fn serve(stream: impl Sync + Send + Clone + Unpin + 'static
    /// #     + smol::io::AsyncRead + smol::io::AsyncWrite) -> http_types::Result<()> {
    /// let server = siskin::Builder::new("mounted", "1.0.0").build()?;
    /// let mcp = server.mount();
    /// async_h1::accept(stream, |request| {
    ///     let mcp = mcp.clone();
    ///     async move { Ok(mcp.respond(request).await) }
    /// })
    /// .await
    /// # }
    /// ```
    pub fn mount(self) -> crate::transport::http_types::Mount {
        use crate::metrics::Metrics;
        use crate::rt::{Clock, Deadlines, random};

        let clock = Clock::system();
        let Parts {
            settings,
            catalog,
            tokens,
            connections,
        } = self.into();
        let server = server::Server::new(
            settings,
            catalog,
            std::rc::Rc::new(Metrics::new()),
            Deadlines::new(&clock),
            random(),
        );
        let http = http_settings(tokens, connections);
        let origin = site(&ListenAddr::Tcp(([127, 0, 0, 1], 0).into())).origin;
        crate::transport::http_types::Mount::new(server, http, origin, &clock, KEEPALIVE)
    }
}

pub(super) fn http_settings(tokens: Tokens, connections: Option<Connections>) -> Settings {
    let mut settings = Settings {
        auth: match tokens.is_empty() {
            true => Auth::off(),
            false => Auth::Tokens(tokens),
        },
        ..Settings::default()
    };
    if let Some(connections) = connections {
        settings.connections_max = connections.max;
        // The usual share for callers with a token, as far as so few connections have room for it.
        settings.connections_reserved = settings.connections_reserved.min(connections.max / 8);
        settings.connections_per_address_max = connections.per_address_max;
    }
    settings
}

fn run(parts: Parts, how: Serve<'_>) -> Result<(), ServeError> {
    let Parts {
        settings,
        catalog,
        tokens,
        connections,
    } = parts;
    let mut plan = Plan {
        server: settings,
        catalog,
        http: http_settings(tokens, connections),
        listeners: Vec::new(),
        keepalive: KEEPALIVE,
        ping: PING,
        grace: GRACE,
        limits: Vec::new(),
        state: None,
        announces_device: false,
        services: Rc::default(),
        metrics: Rc::new(Metrics::new()),
        jwks: None,
    };
    match how {
        Serve::Stdio => app::serve_stdio(plan)
            .map(|_| ())
            .map_err(ServeError::Start),
        Serve::Http { address, ready } => {
            let site = site(&address);
            plan.listeners.push((address, site));
            // There is no configuration to read again.
            let hooks = Hooks {
                ready: &|_, address| ready(address),
                all_ready: &|| (),
                reload: &|_| None,
                has_changed: None,
            };
            app::serve(plan, &hooks).map_err(ServeError::Start)
        }
    }
}

#[expect(clippy::expect_used, reason = "each says why")]
fn site(address: &ListenAddr) -> Site {
    let reach = match address {
        ListenAddr::Unix(_) => Reach::SocketFile,
        ListenAddr::Tcp(_) if address.is_loopback() => Reach::Loopback,
        ListenAddr::Tcp(_) => Reach::Network,
    };
    Site {
        groups: Groups::ALL,
        host: HostRule::new(reach, &[]).expect("an empty list names no bad host"),
        origin: OriginRule::new(reach, &[]).expect("an empty list names no bad origin"),
        tls: None,
    }
}

impl From<McpServer> for Parts {
    fn from(server: McpServer) -> Parts {
        Parts {
            settings: server.settings,
            catalog: server.catalog,
            tokens: server.tokens,
            connections: server.connections,
        }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServeError::Address(error) => error.fmt(f),
            ServeError::Open { address } => write!(
                f,
                "other machines can reach {address}, and the server has no token; \
                 listen on 127.0.0.1 or add one with `Builder::token`"
            ),
            ServeError::Start(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ServeError {}
