//! What is offered now: an immutable snapshot of tools, resources and prompts.
//!
//! A reload builds a new [`Catalog`] and puts it in the old one's place; requests that run keep the
//! one they started with. Nothing here knows who asks: a caller's view is a filter passed in.

mod lists;

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use crate::mcp::capabilities::ClientCapabilities;
use crate::mcp::errors::ProtocolError;
use crate::mcp::prompt::Prompt;
use crate::mcp::resource::{Resource, ResourceTemplate};
use crate::mcp::tool::{TaskSupport, Tool, ToolDefinitionError, ToolResult};
use crate::sorted::SortedSet;
use crate::tools::{
    CompletionHandler, Context, LocalHost, PromptHandler, ResourceHandler, ToolHandler, Uri,
};

pub use lists::Page;

/// One tool with what runs it.
pub struct ToolEntry {
    /// What the client sees.
    pub tool: Tool,
    /// What runs.
    pub handler: ToolHandler,
    /// Whether it needs anything of the client; few do.
    pub needs_client: bool,
}

/// One resource with what reads it.
pub struct ResourceEntry {
    /// What the client sees.
    pub resource: Resource,
    /// What reads it.
    pub handler: ResourceHandler,
}

/// One resource template with what reads its resources.
pub struct TemplateEntry {
    /// What the client sees.
    pub template: ResourceTemplate,
    /// What reads a resource of this shape.
    pub handler: ResourceHandler,
    /// What completes its variables.
    pub completion: Option<CompletionHandler>,
}

/// One prompt with what renders it.
pub struct PromptEntry {
    /// What the client sees.
    pub prompt: Prompt,
    /// What renders it.
    pub handler: PromptHandler,
    /// What completes its arguments.
    pub completion: Option<CompletionHandler>,
}

/// Collects what a server offers.
#[derive(Default)]
pub struct CatalogBuilder {
    tools: Vec<ToolEntry>,
    aliases: Vec<(String, String)>,
    resources: Vec<ResourceEntry>,
    templates: Vec<TemplateEntry>,
    prompts: Vec<PromptEntry>,
}

/// Why a catalog cannot be built.
#[derive(Debug)]
pub enum CatalogError {
    /// An alias stands for a tool that does not exist.
    AliasOfNothing {
        /// The alias.
        alias: String,
        /// What it stands for.
        tool: String,
    },
    /// Two things of one kind have the same name or URI.
    Duplicate {
        /// What kind of thing.
        kind: &'static str,
        /// Its name or URI.
        name: String,
    },
    /// A tool's definition breaks a rule.
    Tool {
        /// The tool's name.
        name: String,
        /// The rule.
        error: ToolDefinitionError,
    },
}

/// See the module.
pub struct Catalog {
    /// The tools in the order in which they were added.
    pub tools: Vec<ToolEntry>,
    /// The resources in the order in which they were added.
    pub resources: Vec<ResourceEntry>,
    /// The templates in the order in which they are tried.
    pub templates: Vec<TemplateEntry>,
    /// The prompts in the order in which they were added.
    pub prompts: Vec<PromptEntry>,
    /// Names this snapshot; page cursors of another one are refused.
    pub generation: u64,
    tool_index: HashMap<Box<str>, usize>,
    lists: lists::Lists,
}

impl CatalogBuilder {
    /// Adds a tool.
    pub fn tool(&mut self, tool: Tool, handler: ToolHandler) -> &mut Self {
        let needs_client = *tool.needed_capabilities() != ClientCapabilities::default();
        self.tools.push(ToolEntry {
            tool,
            handler,
            needs_client,
        });
        self
    }

    /// Adds another name under which a tool can be called; it is not listed.
    pub fn alias(&mut self, alias: impl Into<String>, tool: impl Into<String>) -> &mut Self {
        self.aliases.push((alias.into(), tool.into()));
        self
    }

    /// Adds a resource.
    pub fn resource(&mut self, resource: Resource, handler: ResourceHandler) -> &mut Self {
        self.resources.push(ResourceEntry { resource, handler });
        self
    }

    /// Adds a resource template.
    pub fn template(
        &mut self,
        template: ResourceTemplate,
        handler: ResourceHandler,
        completion: Option<CompletionHandler>,
    ) -> &mut Self {
        self.templates.push(TemplateEntry {
            template,
            handler,
            completion,
        });
        self
    }

    /// Adds a prompt.
    pub fn prompt(
        &mut self,
        prompt: Prompt,
        handler: PromptHandler,
        completion: Option<CompletionHandler>,
    ) -> &mut Self {
        self.prompts.push(PromptEntry {
            prompt,
            handler,
            completion,
        });
        self
    }

    /// Checks everything and makes the snapshot. `generation` is any number that differs from
    /// those of earlier snapshots.
    pub fn build(self, generation: u64) -> Result<Catalog, CatalogError> {
        let mut tool_index = HashMap::with_capacity(self.tools.len());
        for (index, entry) in self.tools.iter().enumerate() {
            let name = entry.tool.name();
            entry.tool.validate().map_err(|error| CatalogError::Tool {
                name: name.to_owned(),
                error,
            })?;
            if tool_index.insert(name.into(), index).is_some() {
                return Err(CatalogError::Duplicate {
                    kind: "tool",
                    name: name.to_owned(),
                });
            }
        }
        for (alias, tool) in self.aliases {
            let Some(index) = tool_index.get(tool.as_str()).copied() else {
                return Err(CatalogError::AliasOfNothing { alias, tool });
            };
            if tool_index.insert(alias.as_str().into(), index).is_some() {
                return Err(CatalogError::Duplicate {
                    kind: "tool",
                    name: alias,
                });
            }
        }
        refuse_duplicates(
            "resource",
            (self.resources.iter()).map(|entry| entry.resource.uri.as_str()),
        )?;
        refuse_duplicates(
            "resource template",
            (self.templates.iter()).map(|entry| entry.template.uri.as_str()),
        )?;
        refuse_duplicates(
            "prompt",
            (self.prompts.iter()).map(|entry| entry.prompt.name.as_str()),
        )?;
        Ok(Catalog {
            tools: self.tools,
            resources: self.resources,
            templates: self.templates,
            prompts: self.prompts,
            generation,
            tool_index,
            lists: lists::Lists::default(),
        })
    }
}

fn refuse_duplicates<'a>(
    kind: &'static str,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), CatalogError> {
    let mut known = SortedSet::new();
    for name in names {
        if !known.insert(name) {
            return Err(CatalogError::Duplicate {
                kind,
                name: name.to_owned(),
            });
        }
    }
    Ok(())
}

impl Catalog {
    /// A tool by its name or an alias.
    pub fn tool(&self, name: &str) -> Option<&ToolEntry> {
        self.tools.get(*self.tool_index.get(name)?)
    }

    /// Runs a tool for nobody but the process itself: from the shell, or in a test. What goes wrong
    /// is a result with `isError`, as a client would see it. `arguments` is JSON text.
    pub async fn call(&self, name: &str, arguments: &str) -> ToolResult {
        let Some(entry) = self.tool(name) else {
            return ToolResult::error(ProtocolError::unknown_tool(name).message);
        };
        let context = Context::new(Rc::new(LocalHost::default()));
        let outcome = match &entry.handler {
            ToolHandler::Immediate(run) => run(&context, arguments),
            ToolHandler::Pending(run) => run(context, arguments).await,
        };
        outcome.unwrap_or_else(|error| ToolResult::error(error.text()))
    }

    /// A prompt by its name.
    pub fn prompt(&self, name: &str) -> Option<&PromptEntry> {
        self.prompts.iter().find(|entry| entry.prompt.name == name)
    }

    /// What reads a URI: the resource of that URI, else the first template that matches.
    pub fn reader(&self, uri: &str) -> Option<(Uri, &ResourceHandler)> {
        if let Some(entry) = self
            .resources
            .iter()
            .find(|entry| entry.resource.uri == uri)
        {
            return Some((
                Uri {
                    text: uri.to_owned(),
                    variables: Vec::new(),
                },
                &entry.handler,
            ));
        }
        self.templates.iter().find_map(|entry| {
            let variables = entry.template.uri.matches(uri)?;
            let variables = variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            Some((
                Uri {
                    text: uri.to_owned(),
                    variables,
                },
                &entry.handler,
            ))
        })
    }

    /// A template by its text, for completion.
    pub fn template(&self, uri_template: &str) -> Option<&TemplateEntry> {
        self.templates
            .iter()
            .find(|entry| entry.template.uri.as_str() == uri_template)
    }

    /// Whether any tool may run as a task.
    pub fn has_tasks(&self) -> bool {
        self.tools
            .iter()
            .any(|entry| entry.tool.task_support() != TaskSupport::Forbidden)
    }

    /// Whether anything offered completes arguments.
    pub fn has_completions(&self) -> bool {
        self.prompts.iter().any(|entry| entry.completion.is_some())
            || self
                .templates
                .iter()
                .any(|entry| entry.completion.is_some())
    }
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CatalogError::AliasOfNothing { alias, tool } => {
                write!(
                    f,
                    "alias `{alias}` stands for the tool `{tool}`, which does not exist"
                )
            }
            CatalogError::Duplicate { kind, name } => {
                write!(f, "two {kind}s are named `{name}`; rename one")
            }
            // The rule names the tool itself.
            CatalogError::Tool { name: _, error } => error.fmt(f),
        }
    }
}

impl std::error::Error for CatalogError {}
