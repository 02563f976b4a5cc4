//! From a built server to a served one. The only file here that knows how serving is started.

use std::cell::Cell;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::app::serve::Hooks;
use crate::app::{self, Plan};
use crate::catalog::Catalog;
use crate::gate::host::{HostRule, Reach};
use crate::gate::origin::OriginRule;
use crate::rt::{AddrError, ListenAddr};
use crate::server::Settings;
use crate::transport::site::{self, Groups, Site};

use super::McpServer;

/// What is served.
pub(super) struct Parts {
    /// What the server is told.
    pub settings: Settings,
    /// What it offers.
    pub catalog: Catalog,
}

/// Where it is served.
pub(super) enum Serve {
    /// Over HTTP: `/mcp`, `/sse/`, `/messages/`, `/health`.
    Http {
        /// Host and port to listen on; port 0 takes any that is free.
        address: String,
        /// Called once, when connections are accepted, with the address that was bound.
        ready: Box<dyn FnOnce(SocketAddr)>,
    },
    /// One client on standard input and output.
    Stdio,
}

/// Why serving did not start.
#[derive(Debug)]
pub enum ServeError {
    /// Not an address to listen on.
    Address(AddrError),
    /// Beyond loopback everyone on the network could call every tool.
    NotLoopback {
        /// The address.
        address: String,
    },
    /// Our own rules for loopback listeners do not hold together; a bug.
    Rules,
    /// The system refused.
    Start(app::ServeError),
}

impl McpServer {
    /// Serves one client on standard input and output until it closes them. Blocks. Nothing else
    /// may write to standard output.
    pub fn serve_stdio(self) -> Result<(), ServeError> {
        run(self.into(), Serve::Stdio)
    }

    /// Serves HTTP on this host and port until the process is told to stop (SIGINT, SIGTERM).
    /// Blocks. Only loopback addresses: whoever reaches the port may call every tool.
    ///
    /// `/mcp` speaks Streamable HTTP of every revision, `/sse/` with `/messages/` the transport of
    /// 2024-11-05, and `/health` answers 200.
    pub fn serve_http(self, address: impl Into<String>) -> Result<(), ServeError> {
        self.serve_http_then(address, |address| {
            log::info!("listening http {address}");
        })
    }

    /// The same, and calls `ready` with the bound address once connections are accepted: the way to
    /// learn which port 0 became.
    pub fn serve_http_then(
        self,
        address: impl Into<String>,
        ready: impl FnOnce(SocketAddr) + 'static,
    ) -> Result<(), ServeError> {
        let how = Serve::Http {
            address: address.into(),
            ready: Box::new(ready),
        };
        run(self.into(), how)
    }
}

fn run(parts: Parts, how: Serve) -> Result<(), ServeError> {
    let Parts { settings, catalog } = parts;
    let plan = |listeners| Plan {
        server: settings,
        catalog,
        http: site::Settings::default(),
        listeners,
        keepalive: Duration::from_secs(15),
        ping: Duration::from_secs(30),
        grace: Duration::from_secs(5),
        state: None,
        announces_device: false,
    };
    match how {
        Serve::Http { address, ready } => {
            let parsed: ListenAddr = address.parse().map_err(ServeError::Address)?;
            if !parsed.is_loopback() {
                return Err(ServeError::NotLoopback { address });
            }
            let site = Site {
                groups: Groups::ALL,
                host: HostRule::new(Reach::Loopback, &[]).map_err(|_| ServeError::Rules)?,
                origin: OriginRule::new(Reach::Loopback, &[]).map_err(|_| ServeError::Rules)?,
            };
            let ready = Cell::new(Some(ready));
            let hooks = Hooks {
                ready: &|address| {
                    if let (Some(ready), Ok(address)) = (ready.take(), address.parse()) {
                        ready(address);
                    }
                },
                reload: &|_| None,
            };
            app::serve(plan(vec![(parsed, site)]), &hooks).map_err(ServeError::Start)
        }
        Serve::Stdio => {
            app::serve_stdio(plan(Vec::new())).map_err(ServeError::Start)?;
            Ok(())
        }
    }
}

impl From<McpServer> for Parts {
    fn from(server: McpServer) -> Parts {
        let (settings, catalog) = server.into_parts();
        Parts { settings, catalog }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServeError::Address(error) => error.fmt(f),
            ServeError::NotLoopback { address } => write!(
                f,
                "`{address}` is beyond loopback, where everyone could call every tool; listen on \
                 `127.0.0.1` and put a proxy with authentication in front"
            ),
            ServeError::Rules => {
                f.write_str("the rules for loopback listeners do not hold together")
            }
            ServeError::Start(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ServeError {}
