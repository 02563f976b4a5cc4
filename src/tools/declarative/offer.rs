//! A pack put to work: its service, and its tools as the catalog wants them.
//!
//! What a client sees of a tool is made at once. What the tool does (templates, schema, the shape of its answers) weighs
//! four times as much and most tools are never called, so it is read again from the pack's text at the first call; the
//! text of a shipped pack lies in the binary and takes no memory. All of it was read once before, so that mistakes show at
//! the start.

use std::cell::OnceCell;
use std::rc::Rc;

use super::arguments::input_schema;
use super::pack::{Pack, PackText};
use super::run::{HttpTool, ProgramTool};
use super::service::{Service, ServiceSettings, World};
use super::tool::{Access, ToolSpec, Work};
use crate::mcp::tool::{Tool, ToolAnnotations, ToolResult};
use crate::tools::{CallError, Context, ToolHandler};

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
        let definition = |spec: &ToolSpec| {
            let (text, _) = input_schema(&spec.arguments, &no_options).ok()?;
            Some(definition(spec, &text))
        };
        self.tools.iter().filter_map(definition).collect()
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
            match offer(spec, &self.text, &service) {
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
fn definition(spec: &ToolSpec, schema: &str) -> Tool {
    let tool = Tool::new(&*spec.name)
        .description(&*spec.description)
        .input_schema_json(schema)
        .annotations(ToolAnnotations {
            read_only: Some(spec.access == Access::Read),
            destructive: Some(spec.access == Access::Destructive),
            idempotent: Some(spec.is_idempotent),
            // A service of one's own is a closed world; what a program reaches nobody knows.
            open_world: Some(spec.is_command),
        });
    match &spec.title {
        Some(title) => tool.title(&**title),
        None => tool,
    }
}

fn offer(
    spec: ToolSpec,
    text: &Rc<PackText>,
    service: &Rc<Service>,
) -> Result<OfferedTool, String> {
    // The pack was checked; what can still be wrong is a default that the configuration gives.
    let (schema, _) = input_schema(&spec.arguments, service.options())
        .map_err(|(name, _, text)| format!("{}: argument `{name}`: {text}", spec.name))?;
    let sleeper = Rc::new(Sleeper {
        text: text.clone(),
        name: spec.name.clone(),
        service: service.clone(),
        awake: OnceCell::new(),
    });
    Ok(OfferedTool {
        tool: definition(&spec, &schema),
        handler: ToolHandler::Pending(Rc::new(move |context, arguments| {
            let (sleeper, arguments) = (sleeper.clone(), arguments.to_owned());
            Box::pin(async move { sleeper.call(&context, &arguments).await })
        })),
        aliases: spec.aliases,
    })
}

/// A tool that is read when it is called.
struct Sleeper {
    text: Rc<PackText>,
    name: Box<str>,
    service: Rc<Service>,
    awake: OnceCell<Awake>,
}

/// Boxed, because a tool that sleeps is to be small: in place it would keep 2 KiB free.
enum Awake {
    Http(Box<HttpTool>),
    Program(Box<ProgramTool>),
}

impl Sleeper {
    async fn call(&self, context: &Context, arguments: &str) -> Result<ToolResult, CallError> {
        let awake = match self.awake.get() {
            Some(awake) => awake,
            None => {
                let awake = self.wake().ok_or_else(|| {
                    CallError::failed(format!("{}: its pack cannot be read again", self.name))
                })?;
                self.awake.get_or_init(|| awake)
            }
        };
        match awake {
            Awake::Http(tool) => tool.call(context, arguments).await,
            Awake::Program(tool) => tool.call(context, arguments).await,
        }
    }

    /// `None` cannot be: the same text was read when the pack was opened.
    #[inline(never)]
    fn wake(&self) -> Option<Awake> {
        let spec = self.text.tool(&self.name)?;
        let (_, schema) = input_schema(&spec.arguments, self.service.options()).ok()?;
        let service = self.service.clone();
        Some(match spec.work? {
            Work::Command(command) => Awake::Program(Box::new(ProgramTool {
                schema,
                command: *command,
                service,
            })),
            Work::Http(work) => Awake::Http(Box::new(HttpTool {
                name: spec.name,
                schema,
                spec: *work,
                service,
            })),
        })
    }
}
