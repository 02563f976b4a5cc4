//! `completion/complete`.

use crate::mcp::completion::{CompleteParams, Completion, Reference};
use crate::mcp::errors::ProtocolError;
use crate::server::call::Call;
use crate::server::dispatch::{Exchange, Flow};
use crate::tools::{CompletionQuery, Context};

use super::prompts::write_failure;

/// Suggests values for an argument of a prompt or a variable of a resource template.
pub fn handle_complete(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let params = CompleteParams::parse(exchange.request.params)?;
    let completion = match &params.reference {
        Reference::Prompt { name } => {
            let entry = exchange.catalog.prompt(name);
            entry
                .ok_or_else(|| ProtocolError::unknown_prompt(name))?
                .completion
                .clone()
        }
        Reference::Resource { uri } => {
            let entry = exchange.catalog.template(uri);
            let revision = exchange.revision();
            entry
                .ok_or_else(|| ProtocolError::resource_not_found(uri, revision))?
                .completion
                .clone()
        }
    };
    let Some(completion) = completion else {
        exchange.with_dialect(|dialect| Completion::default().write(out, dialect));
        return Ok(Flow::Done);
    };
    let call = Call::pending(exchange)?;
    let query = CompletionQuery {
        argument: params.argument.name.clone().into_owned(),
        value: params.argument.value.clone().into_owned(),
        context: params.context_arguments(),
    };
    let future = completion(Context::new(call.clone()), query);
    let (server, revision) = (exchange.server.clone(), exchange.revision());
    Ok(Flow::Later(Box::pin(async move {
        let mut out = Vec::new();
        match call.drive("completion", future).await {
            Ok(found) => server.with_dialect(revision, |dialect| found.write(&mut out, dialect)),
            Err(error) => write_failure(&call, error, &mut out)?,
        }
        Ok(out)
    })))
}
