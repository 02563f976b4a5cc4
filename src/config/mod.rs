//! Configuration: layers with origins in, a checked `Config` out. No sockets, no tool code, no global state.
//!
//! Layers, later wins: defaults, `base.toml`, `$ENV.toml`, `--config` files, the environment, the command line. The
//! keys stand in one table (`keys`), from which defaults, checks, names in the environment, the reference and the
//! editor schema come. The command line calls `load`; everyone else is handed a `Config` and looks at its fields.
//!
//! In scope: every problem found at once with its place, what a reload would change, printing without secrets.
//! Out of scope: opening what is configured, and the content of packs.

mod field;
mod given;
mod keys;
mod kind;
mod parse;

mod checks;
mod error;
mod load;
mod place;
mod sources;
mod target;

mod auth;
mod certificates;
mod listen;
mod secret;

mod reference;
mod reload;
mod schema;
mod show;

pub(crate) use crate::nearest::nearest;
pub use auth::{API_TOKEN_NAME, Token, TokenHash, TokenWords};
pub use certificates::{Certificate, CertificateMark};
pub use error::{ConfigErrors, Finding, Origin, Problem};
pub use keys::{
    Auth, Aws, Config, Limits, Log, LogFormat, LogLevel, Metrics, Partition, Reload, Server,
    Service, State, Timeout, Tls, Tools, Transport,
};
pub use listen::{Address, DEFAULT_PORT, Groups, Listener};
pub use load::{Loaded, load};
pub use reference::reference_markdown;
pub use reload::{ReloadPlan, diff};
pub use schema::json_schema;
pub use secret::Secret;
pub use sources::{Read, Sources};

/// Feeds `text` to the loader as `base.toml`, and what it yields to everything that reads a `Config`.
#[doc(hidden)]
pub fn fuzz_config(text: &str) {
    let text_of_base = text.to_owned();
    let read = move |path: &std::path::Path| match path.ends_with("base.toml") {
        true => Ok(text_of_base.clone()),
        false => Err(std::io::ErrorKind::NotFound.into()),
    };
    let sources = Sources {
        config_dir: Some("/c".into()),
        read: Box::new(read),
        ..Sources::default()
    };
    let lines = text.split('\n').count();
    match load(&sources) {
        Ok(loaded) => {
            assert!(!loaded.render_effective().is_empty());
            assert!(!loaded.config.listeners().is_empty());
            assert_eq!(diff(&loaded.config, &loaded.config), ReloadPlan::default());
        }
        Err(errors) => {
            assert!(!errors.0.is_empty());
            for finding in &errors.0 {
                if let Origin::File { line, .. } = finding.origin {
                    assert!(line <= lines, "{finding}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
