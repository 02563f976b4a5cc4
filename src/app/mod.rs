//! The only wiring: builds everything from a configuration; start-up and shutdown order.
//!
//! ```text
//!   Config ─▶ plan (settings, catalog, sites) ─▶ serve: state, listeners, ready, signals, drain
//! ```

#[cfg_attr(not(feature = "tls"), path = "health_absent.rs")]
mod health;
mod launch;
pub mod plan;
pub mod serve;
mod siskin;
#[cfg_attr(not(feature = "packs"), path = "trial_absent.rs")]
mod trial;

pub mod auth;
#[cfg_attr(not(feature = "jwt"), path = "jwks_absent.rs")]
pub mod jwks;

#[cfg_attr(not(feature = "aws"), path = "aws_absent.rs")]
pub mod aws;
pub mod device;
#[cfg_attr(not(feature = "packs"), path = "packs_absent.rs")]
pub mod packs;

pub mod greeting;
pub mod reload;

pub use launch::{LaunchError, run_http, run_stdio};
pub use plan::{Plan, PlanError};
pub use serve::{ServeError, serve, serve_stdio};
pub use siskin::Siskin;
