//! The library for authors of servers: a name, tools with async closures, and a way to serve them.
//!
//! ```no_run
//! use siskin::{Builder, Context, NoArguments, Tool};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let hello = Tool::new("hello").description("Greets the caller.");
//!     let server = Builder::new("greeter", "1.0.0")
//!         .tool(hello, async |ctx: Context, _: NoArguments| {
//!             Ok(format!("Hello, {}!", ctx.caller()))
//!         })
//!         .build()?;
//!     server.serve_http("127.0.0.1:8000")?;
//!     Ok(())
//! }
//! ```
//!
//! In scope: collecting what a server offers and checking it once. Not in scope: the protocol
//! (`server`), bytes (`transport`), and the configuration of the `siskin` binary, which `app`
//! turns into the same parts.

mod serve;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::catalog::{Catalog, CatalogBuilder, CatalogError};
use crate::gate::Principal;
use crate::gate::auth::{TokenError, Tokens};
use crate::mcp::capabilities::Implementation;
use crate::mcp::completion::Completion;
use crate::mcp::content::{Icon, ResourceContents};
use crate::mcp::prompt::{Prompt, PromptResult};
use crate::mcp::resource::{Resource, ResourceTemplate};
use crate::mcp::result::CacheHint;
use crate::mcp::tool::{Tool, ToolResult};
use crate::rt;
use crate::server::{Limits, Settings};
use crate::tools::{
    Arguments, CallError, CompletionHandler, CompletionQuery, Context, PromptHandler,
    ResourceHandler, ToolHandler, Uri, handler,
};

pub use serve::ServeError;

/// Collects what a server offers; [`Builder::build`] checks it.
pub struct Builder {
    settings: Settings,
    catalog: CatalogBuilder,
    templates: Vec<(ResourceTemplate, ResourceHandler)>,
    prompts: Vec<(Prompt, PromptHandler)>,
    completions: Vec<Completing>,
    tokens: Vec<(String, String)>,
    connections: Option<Connections>,
}

/// How many connections are served at a time.
#[derive(Clone, Copy)]
struct Connections {
    max: usize,
    per_address_max: usize,
}

/// What a completion handler is for.
struct Completing {
    kind: Kind,
    /// The prompt's name or the template's text.
    name: String,
    handler: CompletionHandler,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Prompt,
    Template,
}

/// A server that is ready to be served. Made by [`Builder::build`].
pub struct McpServer {
    settings: Settings,
    catalog: Catalog,
    tokens: Tokens,
    connections: Option<Connections>,
}

/// Why a server cannot be built; always a mistake of the author.
#[derive(Debug)]
pub enum BuildError {
    /// What is offered breaks a rule.
    Catalog(CatalogError),
    /// A completion is for a prompt or template that does not exist, or is the second for one.
    Completion {
        /// `prompt` or `resource template`.
        kind: &'static str,
        /// Its name or text.
        name: String,
    },
    /// A token cannot be used.
    Token {
        /// Its name.
        name: String,
        /// Why.
        error: TokenError,
    },
}

impl Builder {
    /// A server of this name and version, as clients are told, which offers nothing yet.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Builder {
        Builder {
            settings: default_settings(Implementation::new(name, version)),
            catalog: CatalogBuilder::default(),
            templates: Vec::new(),
            prompts: Vec::new(),
            completions: Vec::new(),
            tokens: Vec::new(),
            connections: None,
        }
    }

    // --- who it is ----------------------------------------------------------------------------

    /// Its name for people.
    pub fn title(mut self, title: impl Into<String>) -> Builder {
        self.settings.implementation.title = Some(title.into());
        self
    }

    /// What it is.
    pub fn description(mut self, description: impl Into<String>) -> Builder {
        self.settings.implementation.description = Some(description.into());
        self
    }

    /// Where to read more.
    pub fn website_url(mut self, url: impl Into<String>) -> Builder {
        self.settings.implementation.website_url = Some(url.into());
        self
    }

    /// One more picture of it.
    pub fn icon(mut self, icon: Icon) -> Builder {
        self.settings.implementation.icons.push(icon);
        self
    }

    /// A hint to the model on how to use the server.
    pub fn instructions(mut self, instructions: impl Into<String>) -> Builder {
        self.settings.instructions = Some(instructions.into());
        self
    }

    // --- what it offers -----------------------------------------------------------------------

    /// Adds a tool with an async handler. Its arguments are read by serde; what does not fit is
    /// refused with a message that names the argument, before the handler runs. Lists show tools in
    /// the order in which they are added.
    pub fn tool<A, R, F>(mut self, tool: Tool, run: F) -> Builder
    where
        A: DeserializeOwned + 'static,
        R: Into<ToolResult>,
        F: AsyncFn(Context, A) -> Result<R, CallError> + 'static,
    {
        self.catalog.tool(tool, ToolHandler::pending(run));
        self
    }

    /// Adds a tool that answers at once. It runs on the one protocol thread: it must not block, and
    /// neither compute for long nor wait.
    pub fn tool_now<A, R, F>(mut self, tool: Tool, run: F) -> Builder
    where
        A: DeserializeOwned,
        R: Into<ToolResult>,
        F: Fn(&Context, A) -> Result<R, CallError> + 'static,
    {
        self.catalog.tool(tool, ToolHandler::immediate(run));
        self
    }

    /// Adds another name for a tool: it can be called, and is not listed.
    pub fn alias(mut self, alias: impl Into<String>, tool: impl Into<String>) -> Builder {
        self.catalog.alias(alias, tool);
        self
    }

    /// Adds a resource. Contents without a media type get that of the resource.
    pub fn resource<R, F>(mut self, resource: Resource, read: F) -> Builder
    where
        R: Into<Vec<ResourceContents>>,
        F: AsyncFn(Context, Uri) -> Result<R, CallError> + 'static,
    {
        let handler = handler::reading(resource.mime_type.clone(), read);
        self.catalog.resource(resource, handler);
        self
    }

    /// Adds a family of resources. The handler finds the values of the variables in its [`Uri`] and
    /// answers [`CallError::NotFound`] for those that stand for nothing. Templates are tried in the
    /// order in which they are added.
    pub fn template<R, F>(mut self, template: ResourceTemplate, read: F) -> Builder
    where
        R: Into<Vec<ResourceContents>>,
        F: AsyncFn(Context, Uri) -> Result<R, CallError> + 'static,
    {
        let handler = handler::reading(template.mime_type.clone(), read);
        self.templates.push((template, handler));
        self
    }

    /// Adds a prompt. Its required arguments are there when the handler runs.
    pub fn prompt<R, F>(mut self, prompt: Prompt, render: F) -> Builder
    where
        R: Into<PromptResult>,
        F: AsyncFn(Context, Arguments) -> Result<R, CallError> + 'static,
    {
        self.prompts.push((prompt, handler::rendering(render)));
        self
    }

    /// Suggests values for the arguments of the prompt of this name.
    pub fn complete_prompt<R, F>(self, prompt: impl Into<String>, suggest: F) -> Builder
    where
        R: Into<Completion>,
        F: AsyncFn(Context, CompletionQuery) -> Result<R, CallError> + 'static,
    {
        let handler = handler::suggesting(suggest);
        self.complete(Kind::Prompt, prompt.into(), handler)
    }

    /// Suggests values for the variables of the template with this text.
    pub fn complete_template<R, F>(self, template: impl Into<String>, suggest: F) -> Builder
    where
        R: Into<Completion>,
        F: AsyncFn(Context, CompletionQuery) -> Result<R, CallError> + 'static,
    {
        let handler = handler::suggesting(suggest);
        self.complete(Kind::Template, template.into(), handler)
    }

    fn complete(mut self, kind: Kind, name: String, handler: CompletionHandler) -> Builder {
        self.completions.push(Completing {
            kind,
            name,
            handler,
        });
        self
    }

    // --- who may call it ----------------------------------------------------------------------

    /// Has HTTP clients send `Authorization: Bearer TOKEN`. The name stands in logs and is what
    /// [`Context::caller`] says. The token may be given as `sha256:` and 64 hexadecimal digits.
    /// Several may be added; with none, everyone who reaches the server may call it.
    pub fn token(mut self, name: impl Into<String>, token: impl Into<String>) -> Builder {
        self.tokens.push((name.into(), token.into()));
        self
    }

    // --- bounds -------------------------------------------------------------------------------

    /// Replaces the limits, e.g. by `Limits { streams: 10_000, ..Limits::default() }`.
    pub fn limits(mut self, limits: Limits) -> Builder {
        self.settings.limits = limits;
        self
    }

    /// How many connections are served at a time, from all addresses and from a single one; more are
    /// refused with 503. 256 and 64 unless set, and at least 1.
    pub fn connections(mut self, max: usize, per_address_max: usize) -> Builder {
        self.connections = Some(Connections {
            max: max.max(1),
            per_address_max: per_address_max.max(1),
        });
        self
    }

    /// Longest run of a handler, be it a tool's, a prompt's, a resource's or a completion's, not
    /// counting the time the client takes to answer; 60 s unless set. Tasks are not bound by it.
    pub fn tool_timeout(mut self, timeout: Duration) -> Builder {
        self.settings.tool_call = timeout;
        self
    }

    /// Longest wait for the client's answer to a question; 10 minutes unless set.
    pub fn client_answer_timeout(mut self, timeout: Duration) -> Builder {
        self.settings.client_answer = timeout;
        self
    }

    /// How long clients may keep lists and resources (2026-07-28 `server/utilities/caching`);
    /// not at all unless set.
    pub fn cache(mut self, cache: CacheHint) -> Builder {
        self.settings.cache = cache;
        self
    }

    /// Entries on one page of a list; 250 unless set, and at least 1.
    pub fn page_len(mut self, page_len: usize) -> Builder {
        self.settings.page_len = page_len.max(1);
        self
    }

    /// Checks everything: names, schemas, duplicates, aliases, completions.
    pub fn build(mut self) -> Result<McpServer, BuildError> {
        for (template, handler) in self.templates {
            let text = template.uri.as_str();
            let completion = take_completion(&mut self.completions, Kind::Template, text);
            self.catalog.template(template, handler, completion);
        }
        for (prompt, handler) in self.prompts {
            let completion = take_completion(&mut self.completions, Kind::Prompt, &prompt.name);
            self.catalog.prompt(prompt, handler, completion);
        }
        if let Some(left) = self.completions.into_iter().next() {
            let (kind, name) = (left.kind.as_str(), left.name);
            return Err(BuildError::Completion { kind, name });
        }
        let catalog = self.catalog.build(0).map_err(BuildError::Catalog)?;
        let mut tokens = Tokens::default();
        for (name, token) in self.tokens {
            let caller = Principal {
                name: name.as_str().into(),
                ..Principal::anonymous()
            };
            tokens
                .add(&token, caller)
                .map_err(|error| BuildError::Token { name, error })?;
        }
        Ok(McpServer {
            settings: self.settings,
            catalog,
            tokens,
            connections: self.connections,
        })
    }
}

fn take_completion(
    completions: &mut Vec<Completing>,
    kind: Kind,
    name: &str,
) -> Option<CompletionHandler> {
    let fits = |known: &Completing| known.kind == kind && known.name == name;
    let index = completions.iter().position(fits)?;
    Some(completions.remove(index).handler)
}

impl McpServer {
    /// Runs one tool without a client, and so without questions, progress or tasks: for tests and
    /// for the shell. `arguments` is JSON text. What goes wrong is a result with `isError`, as a
    /// client would see it.
    ///
    /// # Panics
    /// Inside a handler: it blocks the thread that would have to run it.
    pub fn call(&self, tool: &str, arguments: &str) -> ToolResult {
        rt::run(self.catalog.call(tool, arguments))
    }

    /// What it offers.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The parts `server::Server` is made of: what it is told, and what it offers. For serving it
    /// over a transport of your own.
    pub fn into_parts(self) -> (Settings, Catalog) {
        (self.settings, self.catalog)
    }
}

fn default_settings(implementation: Implementation) -> Settings {
    Settings {
        implementation,
        instructions: None,
        limits: Limits::default(),
        tool_call: Duration::from_secs(60),
        client_answer: Duration::from_secs(10 * 60),
        session_idle: Duration::from_secs(30 * 60),
        page_len: 250,
        session_prefix: None,
        cache: CacheHint::default(),
    }
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Prompt => "prompt",
            Kind::Template => "resource template",
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Catalog(error) => error.fmt(f),
            BuildError::Completion { kind, name } => write!(
                f,
                "a completion for the {kind} `{name}` has nothing to complete; \
                 add the {kind}, and one completion for it"
            ),
            BuildError::Token { name, error } => write!(f, "token `{name}`: {error}"),
        }
    }
}

impl std::error::Error for BuildError {}
