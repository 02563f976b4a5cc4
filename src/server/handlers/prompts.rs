//! `prompts/get`.

use std::borrow::Cow;
use std::rc::Rc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::mcp::errors::{self, ProtocolError};
use crate::server::call::{Call, Failure};
use crate::server::dispatch::{Exchange, Flow};
use crate::tools::{CallError, Context};

#[derive(Deserialize)]
struct GetParams<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

/// Renders a prompt. A missing argument is -32602 (`server/prompts`, "Error Handling").
pub fn handle_get(exchange: &Exchange<'_>, _out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let params: GetParams<'_> = exchange.params()?;
    let entry = (exchange.catalog.prompt(&params.name))
        .ok_or_else(|| ProtocolError::unknown_prompt(&params.name))?;
    entry.prompt.check_arguments(params.arguments)?;
    let call = Call::new(exchange)?;
    let future = (entry.handler)(Context::new(call.clone()), params.arguments);
    let (server, revision) = (exchange.server.clone(), exchange.revision());
    Ok(Flow::Later(Box::pin(async move {
        let mut out = Vec::new();
        match future.await {
            Ok(result) => server.with_dialect(revision, |dialect| result.write(&mut out, dialect)),
            Err(error) => write_failure(&call, error, &mut out)?,
        }
        Ok(out)
    })))
}

/// Writes the `input_required` result, or returns the error: prompts and resources, unlike tools,
/// have no failed results.
pub fn write_failure(
    call: &Rc<Call>,
    error: CallError,
    out: &mut Vec<u8>,
) -> Result<(), ProtocolError> {
    if let CallError::Arguments(text) = error {
        return Err(ProtocolError::invalid_params(text));
    }
    match call.failure(error)? {
        Failure::InputRequired => call.write_input_required(out),
        Failure::Text(text) => return Err(ProtocolError::new(errors::INTERNAL_ERROR, text)),
    }
    Ok(())
}
