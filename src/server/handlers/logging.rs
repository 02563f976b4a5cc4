//! `logging/setLevel`.

use crate::mcp::errors::ProtocolError;
use crate::mcp::logging;
use crate::server::dispatch::{Exchange, Flow};

/// Sets the least severe level the session wants; the result is exactly `{}` (2025-11-25
/// `server/utilities/logging`).
pub fn handle_set_level(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let level = logging::parse_set_level(exchange.request.params)?;
    if let Some(session) = exchange.session() {
        session.set_log_level(level);
    }
    exchange.with_dialect(|dialect| dialect.empty(out));
    Ok(Flow::Done)
}
