//! Offers the AWS documentation tools of the configured partition.

use std::rc::Rc;

use crate::catalog::CatalogBuilder;
use crate::client::{Trust, TrustSettings};
use crate::config::{self, Config};
use crate::tools::ToolHandler;
use crate::tools::aws_docs::{AwsDocs, Partition, Settings};

use super::device::is_offered;
use super::packs::Outside;
use super::plan::PlanError;

pub use crate::tools::aws_docs::Memory;

/// Adds the tools, if there is a partition.
///
/// # Errors
/// None here; without the feature `aws`, that a partition is asked for.
pub fn offer(
    builder: &mut CatalogBuilder,
    config: &Config,
    outside: &Outside,
    memory: &Rc<Memory>,
) -> Result<(), PlanError> {
    let Some(partition) = partition(config) else {
        return Ok(());
    };
    let settings = Settings {
        partition,
        user_agent: config.aws.user_agent.clone(),
        hosts: config.aws.hosts.clone(),
        timeout: config.timeout.http,
        body_bytes_max: config.limits.upstream_bytes,
        trust: trust(config),
    };
    let docs = Rc::new(AwsDocs::new(
        settings,
        outside.client().clone(),
        memory.clone(),
    ));
    for (name, tool) in partition.tools() {
        if !is_offered(config, name.as_str(), true) {
            continue;
        }
        let docs = docs.clone();
        let handler = ToolHandler::Pending(Rc::new(move |context, arguments| {
            let (docs, arguments) = (docs.clone(), arguments.to_owned());
            Box::pin(async move { Ok(docs.call(&context, name, &arguments).await) })
        }));
        builder.tool(tool, handler);
    }
    Ok(())
}

/// What the server says of itself: the operator's words, then those on the AWS tools.
pub fn instructions(config: &Config) -> Option<String> {
    let own = config.server.instructions.as_deref();
    let ours = partition(config).map(Partition::instructions);
    let parts: Vec<&str> = own.into_iter().chain(ours).collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

fn partition(config: &Config) -> Option<Partition> {
    Some(match config.aws.partition? {
        config::Partition::Aws => Partition::Aws,
        config::Partition::AwsCn => Partition::AwsCn,
    })
}

fn trust(config: &Config) -> Trust {
    if !config.tls.skip_verify {
        return Trust::standard();
    }
    let settings = TrustSettings {
        insecure: true,
        ..TrustSettings::default()
    };
    // It fails over files alone, and there are none.
    Trust::new(settings).unwrap_or_else(|_| Trust::standard())
}
