//! `logging/setLevel`.

use std::borrow::Cow;

use serde::Deserialize;

use crate::mcp::errors::ProtocolError;
use crate::mcp::logging::Level;
use crate::server::dispatch::{Exchange, Flow};

/// Sets the least severe level the session wants; the result is exactly `{}` (2025-11-25
/// `server/utilities/logging`).
pub fn handle_set_level(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    #[derive(Deserialize)]
    struct SetLevel<'a> {
        #[serde(borrow)]
        level: Cow<'a, str>,
    }
    let params: SetLevel<'_> = exchange.params()?;
    let level = Level::from_text(&params.level).ok_or_else(|| {
        ProtocolError::invalid_params(
            "`level` must be one of debug, info, notice, warning, error, critical, alert, emergency",
        )
    })?;
    if let Some(session) = exchange.session() {
        session.set_log_level(level);
    }
    exchange.with_dialect(|dialect| dialect.empty(out));
    Ok(Flow::Done)
}
