//! `resources/read`.

use crate::mcp::errors::ProtocolError;
use crate::mcp::resource::ReadResult;
use crate::mcp::subscription;
use crate::server::call::Call;
use crate::server::dispatch::{Exchange, Flow};
use crate::tools::{CallError, Context};

use super::prompts::write_failure;

/// Reads a resource: the listed one of that URI, else the first template that matches.
pub fn handle_read(exchange: &Exchange<'_>, _out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let uri = subscription::parse_uri(exchange.request.params)?;
    let revision = exchange.revision();
    let (uri, handler) = (exchange.catalog.reader(&uri))
        .ok_or_else(|| ProtocolError::resource_not_found(&uri, revision))?;
    let call = Call::pending(exchange)?;
    let text = uri.text.clone();
    let future = handler(Context::new(call.clone()), uri);
    let server = exchange.server.clone();
    Ok(Flow::Later(Box::pin(async move {
        let mut out = Vec::new();
        let cache = server.settings().cache;
        match call.drive("resource", future).await {
            // An empty list of contents would say that the resource exists (SEP-2164).
            Ok(contents) if contents.is_empty() => {
                return Err(ProtocolError::resource_not_found(&text, revision));
            }
            Ok(contents) => server.with_dialect(revision, |dialect| {
                ReadResult {
                    contents,
                    cache,
                    meta: None,
                }
                .write(&mut out, dialect);
            }),
            Err(CallError::NotFound) => {
                return Err(ProtocolError::resource_not_found(&text, revision));
            }
            Err(error) => write_failure(&call, error, &mut out)?,
        }
        Ok(out)
    })))
}
