//! Offers the built-in tools and their resources, and tells subscribers when to look again.

use std::rc::Rc;
use std::time::Duration;

use crate::catalog::CatalogBuilder;
use crate::config::Config;
use crate::gate::Pattern;
use crate::mcp::content::ResourceContents;
use crate::mcp::resource::Resource;
use crate::mcp::tool::{Tool, ToolAnnotations, ToolResult};
use crate::rt;
use crate::server::Server;
use crate::tools::device::{self, Device, DeviceError, DeviceTool, RESOURCES, Root, TOOLS};
use crate::tools::{CallError, Change, ToolHandler};

/// How often subscribers of a `device://` resource are told that it has changed: its numbers always
/// have. Without subscribers nothing runs.
const UPDATE_PERIOD: Duration = Duration::from_secs(10);

/// The built-in tools over this machine.
pub struct DeviceTools {
    device: Rc<Device>,
}

impl DeviceTools {
    /// The tools of the machine whose files begin at `/`.
    pub fn new() -> Rc<DeviceTools> {
        Rc::new(DeviceTools {
            device: Rc::new(Device::new(Root::new("/"))),
        })
    }

    /// Adds what the configuration allows.
    pub fn offer(&self, builder: &mut CatalogBuilder, config: &Config) {
        let tools = &config.tools;
        for tool in TOOLS {
            let is_on = match tool.name {
                "net_check" => tools.net_check,
                "wake_on_lan" => tools.wake_on_lan,
                _ => tools.device,
            };
            if is_on && is_offered(config, tool.name, tool.annotations.read_only) {
                builder.tool(definition(tool), self.handler(tool));
            }
        }
        if !tools.device {
            return;
        }
        for offered in RESOURCES {
            let resource = Resource::new(offered.uri, offered.name)
                .title(offered.title)
                .description(offered.description)
                .mime_type(device::resources::MIME_TYPE);
            let device = self.device.clone();
            builder.resource(
                resource,
                Rc::new(move |_, uri| {
                    let device = device.clone();
                    Box::pin(async move {
                        let facts = device::call(&device, offered.tool, "")
                            .await
                            .map_err(call_error)?;
                        let contents = ResourceContents::text(uri.text, facts.structured);
                        Ok(vec![contents.mime_type(device::resources::MIME_TYPE)])
                    })
                }),
            );
        }
    }

    fn handler(&self, tool: &'static DeviceTool) -> ToolHandler {
        let device = self.device.clone();
        ToolHandler::Pending(Rc::new(move |_, arguments| {
            let (device, arguments) = (device.clone(), arguments.to_owned());
            Box::pin(async move {
                let facts = device::call(&device, tool, &arguments)
                    .await
                    .map_err(call_error)?;
                let mut result = ToolResult::text(facts.text);
                result.structured = serde_json::value::RawValue::from_string(facts.structured).ok();
                Ok(result)
            })
        }))
    }
}

/// Whether the policy of `[tools]` lets a tool be offered.
pub fn is_offered(config: &Config, name: &str, is_read_only: bool) -> bool {
    let tools = &config.tools;
    let matches = |patterns: &[String]| {
        patterns
            .iter()
            .any(|pattern| Pattern::new(pattern).matches(name))
    };
    (is_read_only || !tools.read_only)
        && (tools.allow.is_empty() || matches(&tools.allow))
        && !matches(&tools.deny)
}

fn definition(tool: &DeviceTool) -> Tool {
    Tool::new(tool.name)
        .title(tool.title)
        .description(tool.description)
        .input_schema_json(tool.input_schema)
        .output_schema_json(tool.output_schema)
        .annotations(ToolAnnotations {
            read_only: Some(tool.annotations.read_only),
            destructive: Some(tool.annotations.destructive),
            idempotent: Some(tool.annotations.idempotent),
            open_world: Some(tool.annotations.open_world),
        })
}

fn call_error(error: DeviceError) -> CallError {
    if error.is_argument() {
        CallError::Arguments(error.to_string())
    } else {
        CallError::Failed(error.to_string())
    }
}

/// Announces updates of subscribed `device://` resources, as long as there are subscribers.
pub async fn announce_updates(server: Rc<Server>) {
    loop {
        let watched: Vec<&str> = RESOURCES
            .iter()
            .map(|offered| offered.uri)
            .filter(|uri| server.is_watched(uri))
            .collect();
        if watched.is_empty() {
            server.resource_subscribed().await;
            continue;
        }
        rt::sleep(UPDATE_PERIOD).await;
        for uri in watched {
            server.announce(&Change::Resource(uri.to_owned()));
        }
    }
}
