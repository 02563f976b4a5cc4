//! What outlives a reload, and what all of it offers: the memories of the tools, and the connections to other services.

use std::rc::Rc;

use crate::catalog::CatalogBuilder;
use crate::client::{Client, ClientSettings, Proxies};
use crate::config::{Config, Sources};
use crate::tools::aws_docs::Memory;

use super::aws;
use super::device::DeviceTools;

/// One per program.
pub struct Kept {
    device: Rc<DeviceTools>,
    client: Client,
    aws: Rc<Memory>,
}

impl Kept {
    /// Nothing remembered yet. Proxies are those of the environment.
    pub fn new() -> Rc<Kept> {
        let environment = Sources::of_process().environment;
        Rc::new(Kept {
            device: DeviceTools::new(),
            client: Client::new(ClientSettings {
                proxies: Proxies::from_env(&environment),
                ..ClientSettings::default()
            }),
            aws: Rc::new(Memory::new()),
        })
    }

    /// Adds what the configuration allows.
    pub fn offer(&self, builder: &mut CatalogBuilder, config: &Config) {
        self.device.offer(builder, config);
        aws::offer(builder, config, &self.client, &self.aws);
    }
}
