//! `initialize`, `ping` and `server/discover`.

use crate::mcp::errors::ProtocolError;
use crate::mcp::lifecycle::{InitializeParams, Introduction};
use crate::server::Server;
use crate::server::arrival::Carrier;
use crate::server::dispatch::{Exchange, Flow};

/// Agrees on a revision and, over Streamable HTTP, opens a session (2025-11-25 `basic/lifecycle`).
pub fn handle_initialize(
    exchange: &Exchange<'_>,
    out: &mut Vec<u8>,
) -> Result<Flow, ProtocolError> {
    let params = InitializeParams::parse(exchange.request.params)?;
    let revision = params.revision;
    introduce(exchange.server, |introduction| {
        introduction.write_initialize(out, revision)
    });
    match &exchange.arrival.carrier {
        Carrier::Plain => Ok(Flow::Done),
        Carrier::Connection { session, .. } => {
            let server = exchange.server;
            server.negotiate(session, revision, params.capabilities);
            Ok(Flow::Done)
        }
        Carrier::Streamable(_) => {
            let session = match exchange.server.open_session(exchange.caller(), None) {
                Ok(session) => session,
                Err(full) => {
                    return Ok(Flow::Busy(ProtocolError::internal(format!(
                        "all `limits.sessions` ({}) are in use; try again later",
                        full.limit
                    ))));
                }
            };
            let server = exchange.server;
            server.negotiate(&session, revision, params.capabilities);
            Ok(Flow::Opened(session))
        }
    }
}

/// Exactly `{}` (2025-11-25 `basic/utilities/ping`).
pub fn handle_ping(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    exchange.with_dialect(|dialect| dialect.empty(out));
    Ok(Flow::Done)
}

/// Says what the server speaks and can do (2026-07-28 `server/discover`).
pub fn handle_discover(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let cache = exchange.server.settings().cache;
    introduce(exchange.server, |introduction| {
        exchange.with_dialect(|dialect| introduction.write_discover(out, dialect, cache));
    });
    Ok(Flow::Done)
}

fn introduce(server: &Server, write: impl FnOnce(&Introduction<'_>)) {
    let settings = server.settings();
    write(&Introduction {
        server: &settings.implementation,
        capabilities: server.capabilities(),
        instructions: settings.instructions.as_deref(),
    });
}
