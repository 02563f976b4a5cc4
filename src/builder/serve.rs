//! From a built server to a served one. The only file here that knows how serving is started.

use std::fmt;
use std::net::SocketAddr;

use crate::catalog::Catalog;
use crate::server::Settings;

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

/// Why serving ended other than by being told to.
#[derive(Debug)]
pub enum ServeError {
    /// The transport is not part of this build.
    NotBuilt {
        /// Its name.
        transport: &'static str,
    },
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
    drop((settings, catalog));
    let transport = match how {
        Serve::Http { address, ready } => {
            drop((address, ready));
            "http"
        }
        Serve::Stdio => "stdio",
    };
    Err(ServeError::NotBuilt { transport })
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
            ServeError::NotBuilt { transport } => {
                write!(f, "the transport `{transport}` is not part of this build")
            }
        }
    }
}

impl std::error::Error for ServeError {}
