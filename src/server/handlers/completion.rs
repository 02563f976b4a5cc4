//! `completion/complete`.

use crate::mcp::completion::{self, CompleteParams, Reference};
use crate::mcp::errors::ProtocolError;
use crate::server::call::Call;
use crate::server::dispatch::{Exchange, Flow};
use crate::tools::{CompletionQuery, Context};

use super::prompts::write_failure;

/// Suggests values for an argument of a prompt or a variable of a resource template.
pub fn handle_complete(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let params = CompleteParams::parse(exchange.request.params)?;
    let completion = match &params.reference {
        Reference::Prompt(name) => {
            let entry = exchange.catalog.prompt(name);
            entry.ok_or_else(|| ProtocolError::unknown_prompt(name))?.completion.clone()
        }
        Reference::Resource(uri) => {
            let entry = exchange.catalog.template(uri);
            let revision = exchange.revision();
            entry
                .ok_or_else(|| ProtocolError::resource_not_found(uri, revision))?
                .completion
                .clone()
        }
    };
    let Some(completion) = completion else {
        exchange.with_dialect(|dialect| completion::write_result(out, dialect, &[]));
        return Ok(Flow::Done);
    };
    let call = Call::new(exchange)?;
    let query = CompletionQuery {
        argument: params.argument.into_owned(),
        value: params.value.into_owned(),
        context: (params.context.into_iter())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect(),
    };
    let future = completion(Context::new(call.clone()), query);
    let (server, revision) = (exchange.server.clone(), exchange.revision());
    Ok(Flow::Later(Box::pin(async move {
        let mut out = Vec::new();
        match future.await {
            Ok(values) => server.with_dialect(revision, |dialect| {
                completion::write_result(&mut out, dialect, &values);
            }),
            Err(error) => write_failure(&call, error, &mut out)?,
        }
        Ok(out)
    })))
}
