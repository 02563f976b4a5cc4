//! Configuration: layers with origins in, a checked `Config` out. No sockets, no tool code, no global state.
//!
//! Layers, later wins: defaults, `base.toml`, `$ENV.toml`, `--config` files, the environment, the command line. The
//! keys stand in one table (`keys`), from which defaults, checks, names in the environment, the reference and the
//! editor schema come. The command line calls `load`; everyone else is handed a `Config` and looks at its fields.
//!
//! In scope: every problem found at once with its place, what a reload would change, printing without secrets.
//! Out of scope: opening what is configured, and the content of packs.

mod field;
mod keys;
mod kind;

mod checks;
mod error;
mod load;
mod nearest;
mod sources;

mod auth;
mod listen;
mod network;
mod secret;

mod reload;
mod show;

pub use auth::{API_TOKEN_NAME, Scopes, Token, TokenHash};
pub use error::{ConfigErrors, Finding, Origin, Problem};
pub use keys::{
    Auth, Aws, Config, Limits, Log, LogFormat, LogLevel, Metrics, Partition, Reload, Server,
    Service, State, Timeout, Tls, Tools, Transport,
};
pub use listen::{Address, DEFAULT_PORT, Groups, Listener};
pub use load::{Loaded, load};
pub use network::Network;
pub use reload::{ReloadPlan, diff};
pub use secret::Secret;
pub use sources::Sources;
