//! Tools that are declared instead of programmed: what a service answers, made readable for a model.
//!
//! [`decode`] makes a JSON value of an answer's bytes, [`shape`] chooses and arranges what is in it,
//! [`output`] writes the result within its limit. None of it waits or asks anything: bytes and
//! arguments in, a result out.

pub mod decode;
pub mod output;
pub mod shape;

mod arguments;
mod auth;
mod filter;
mod header;
mod limit;
mod pack;
mod pages;
mod request;
mod run;
pub mod scaffold;
mod service;
mod session;
pub mod shipped;
mod source;
mod status;
mod steps;
mod template;
mod time;
mod tool;
mod tree;
pub mod trial;
mod words;

use std::rc::Rc;

use crate::mcp::tool::{Tool, ToolAnnotations};
use crate::tools::ToolHandler;

pub use pack::Pack;
pub use service::{Service, ServiceSettings, Upstream, World};
pub use source::PackProblem;

/// A tool of a pack, ready for the catalog.
pub struct OfferedTool {
    /// What the client sees.
    pub tool: Tool,
    /// What runs.
    pub handler: ToolHandler,
    /// Other names it goes by.
    pub aliases: Vec<Box<str>>,
}

impl Pack {
    /// Its tools as they are without any configuration: all of them, with the pack's own defaults.
    pub fn definitions(&self) -> Vec<Tool> {
        let no_options = Default::default();
        let tools = self.tools.iter();
        let definition = |spec: &tool::ToolSpec| {
            let (text, _) = arguments::input_schema(&spec.arguments, &no_options).ok()?;
            Some(definition(spec, &text))
        };
        tools.filter_map(definition).collect()
    }

    /// Puts a pack to work: its service, and the tools it offers under these settings.
    ///
    /// # Errors
    /// What is wrong with the settings, each with its key in front.
    pub fn open(
        self,
        settings: ServiceSettings,
        world: World,
    ) -> Result<(Rc<Service>, Vec<OfferedTool>), Vec<String>> {
        let service = Rc::new(Service::open(self.service, settings, world)?);
        let mut problems = Vec::new();
        let mut offered = Vec::new();
        for spec in self.tools {
            let is_wanted = spec.if_option.as_deref().is_none_or(|option| {
                let text = service
                    .options()
                    .get(option)
                    .map(|text| text.to_ascii_lowercase());
                !matches!(
                    text.as_deref(),
                    None | Some("" | "false" | "no" | "0" | "off")
                )
            });
            if !is_wanted {
                continue;
            }
            match offer(spec, &service) {
                Ok(tool) => offered.push(tool),
                Err(problem) => problems.push(problem),
            }
        }
        match problems.is_empty() {
            true => Ok((service, offered)),
            false => Err(problems),
        }
    }
}

/// What a client sees of a tool whose input schema is `schema`.
fn definition(spec: &tool::ToolSpec, schema: &str) -> Tool {
    let tool = Tool::new(&*spec.name)
        .description(&*spec.description)
        .input_schema_json(schema)
        .annotations(ToolAnnotations {
            read_only: Some(spec.access == tool::Access::Read),
            destructive: Some(spec.access == tool::Access::Destructive),
            idempotent: Some(spec.is_idempotent),
            // A service of one's own is a closed world; what a program reaches nobody knows.
            open_world: Some(spec.is_command()),
        });
    match &spec.title {
        Some(title) => tool.title(&**title),
        None => tool,
    }
}

fn offer(spec: tool::ToolSpec, service: &Rc<Service>) -> Result<OfferedTool, String> {
    // The pack was checked; what can still be wrong is a default that the configuration gives.
    let (text, schema) = arguments::input_schema(&spec.arguments, service.options())
        .map_err(|(name, _, text)| format!("{}: argument `{name}`: {text}", spec.name))?;
    let tool = definition(&spec, &text);
    let handler = match spec.work {
        tool::Work::Command(command) => {
            let running = Rc::new(run::ProgramTool {
                schema,
                command: *command,
                service: service.clone(),
            });
            ToolHandler::Pending(Rc::new(move |context, arguments| {
                let (running, arguments) = (running.clone(), arguments.to_owned());
                Box::pin(async move { running.call(&context, &arguments).await })
            }))
        }
        tool::Work::Http(spec_of_work) => {
            let running = Rc::new(run::HttpTool {
                name: spec.name,
                schema,
                spec: *spec_of_work,
                service: service.clone(),
            });
            ToolHandler::Pending(Rc::new(move |context, arguments| {
                let (running, arguments) = (running.clone(), arguments.to_owned());
                Box::pin(async move { running.call(&context, &arguments).await })
            }))
        }
    };
    Ok(OfferedTool {
        tool,
        handler,
        aliases: spec.aliases,
    })
}
