//! `prompts/get`.

use std::rc::Rc;

use crate::mcp::errors::{self, ProtocolError};
use crate::mcp::prompt::{self, GetPromptParams};
use crate::server::call::{Call, Failure};
use crate::server::dispatch::{Exchange, Flow};
use crate::tools::{Arguments, CallError, Context};

/// Renders a prompt. A missing argument is -32602 (`server/prompts`, "Error Handling").
pub fn handle_get(exchange: &Exchange<'_>, _out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let params = GetPromptParams::parse(exchange.request.params)?;
    let entry = (exchange.catalog.prompt(&params.name))
        .ok_or_else(|| ProtocolError::unknown_prompt(&params.name))?;
    if let Some(missing) = entry.prompt.missing_argument(&params.arguments) {
        return Err(ProtocolError::invalid_params(format!(
            "argument `{missing}` is missing"
        )));
    }
    let arguments: Arguments = prompt::owned(&params.arguments);
    let call = Call::pending(exchange)?;
    let future = (entry.handler)(Context::new(call.clone()), arguments);
    let (server, revision) = (exchange.server.clone(), exchange.revision());
    Ok(Flow::Later(Box::pin(async move {
        let mut out = Vec::new();
        match call.drive("prompt", future).await {
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
