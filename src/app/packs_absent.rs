//! Stands in for `packs.rs` in a build without the feature `packs`: no service is asked anything, and whoever configures
//! one is told so.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::catalog::CatalogBuilder;
#[cfg(feature = "jwt")]
use crate::client::{Client, ClientSettings, Proxies};
use crate::config::Config;
use crate::metrics::Metrics;

/// What outlives a reload: the counters, and connections to an issuer of tokens.
#[derive(Clone)]
pub struct Outside {
    metrics: Rc<Metrics>,
    #[cfg(feature = "jwt")]
    client: Client,
}

impl Outside {
    /// Counters at nought. Nothing is opened yet.
    pub fn new() -> Outside {
        Outside {
            metrics: Rc::default(),
            #[cfg(feature = "jwt")]
            client: Client::new(ClientSettings {
                proxies: Proxies::of_process(),
                ..ClientSettings::default()
            }),
        }
    }

    /// The connections.
    #[cfg(feature = "jwt")]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The counters of the whole server.
    pub fn metrics(&self) -> Rc<Metrics> {
        self.metrics.clone()
    }
}

impl Default for Outside {
    fn default() -> Outside {
        Outside::new()
    }
}

/// Where packs would be found.
pub fn folder_of(config_folder: &Path) -> PathBuf {
    config_folder.join("packs")
}

/// No file of a folder of packs is read.
pub fn files(_: &Path) -> Vec<PathBuf> {
    Vec::new()
}

/// Which packs are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// None.
    Everything,
    /// None.
    Needed,
}

/// No services.
#[derive(Default)]
pub struct Services;

/// What a look at a service found; there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The service's id.
    pub id: Box<str>,
    /// Why it is not ready.
    pub problem: Option<String>,
}

impl Services {
    /// Offers nothing.
    ///
    /// # Errors
    /// A line for each service that is configured.
    pub fn offer(
        _: &mut CatalogBuilder,
        config: &Config,
        _: &Path,
        _: &Outside,
        _: Reading,
    ) -> Result<Services, Vec<String>> {
        let configured = config
            .services
            .iter()
            .filter(|(_, service)| service.enabled && service.url.is_some());
        let problems: Vec<String> = configured
            .map(|(id, _)| {
                format!(
                    "services.{id}: this siskin is built without the feature `packs`; unset its `url`, or build with it"
                )
            })
            .collect();
        match problems.as_slice() {
            [] => Ok(Services),
            _ => Err(problems),
        }
    }

    /// Nothing to say.
    pub fn announce(&self) {}

    /// There is nothing to look at.
    pub fn have_probes(&self) -> bool {
        false
    }

    /// Nothing was looked at.
    pub async fn looks(&self) -> Rc<[Look]> {
        Rc::new([])
    }

    /// Nothing to find.
    pub async fn check(&self) -> (Vec<String>, Vec<String>) {
        (Vec::new(), Vec::new())
    }

    /// There are no sessions to give back.
    pub async fn log_out(&self) {}
}
