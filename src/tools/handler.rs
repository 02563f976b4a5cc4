//! The kinds of handler the catalog holds, erased to one type each so that a server with a hundred
//! tools does not carry a hundred copies of the dispatcher.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::de::DeserializeOwned;

use crate::mcp::completion::Completion;
use crate::mcp::content::ResourceContents;
use crate::mcp::prompt::PromptResult;
use crate::mcp::tool::ToolResult;

use super::{CallError, Context, LocalFuture};

/// Runs a tool.
#[derive(Clone)]
pub enum ToolHandler {
    /// Answers at once; runs on the protocol thread, so it must neither block nor compute long.
    Immediate(Rc<ImmediateTool>),
    /// Answers when its future completes.
    Pending(Rc<PendingTool>),
}

/// The function behind [`ToolHandler::Immediate`]; the text is the `arguments` object.
pub type ImmediateTool = dyn Fn(&Context, &str) -> Result<ToolResult, CallError>;
/// The function behind [`ToolHandler::Pending`]; the text is the `arguments` object.
pub type PendingTool = dyn Fn(Context, &str) -> LocalFuture<'static, Result<ToolResult, CallError>>;

impl ToolHandler {
    /// A handler that answers at once, with its arguments read by serde.
    pub fn immediate<A, R, F>(run: F) -> ToolHandler
    where
        A: DeserializeOwned,
        R: Into<ToolResult>,
        F: Fn(&Context, A) -> Result<R, CallError> + 'static,
    {
        ToolHandler::Immediate(Rc::new(move |context, arguments| {
            run(context, parse_arguments(arguments)?).map(Into::into)
        }))
    }

    /// An async handler, with its arguments read by serde.
    pub fn pending<A, R, F>(run: F) -> ToolHandler
    where
        A: DeserializeOwned + 'static,
        R: Into<ToolResult>,
        F: AsyncFn(Context, A) -> Result<R, CallError> + 'static,
    {
        let run = Rc::new(run);
        ToolHandler::Pending(Rc::new(move |context, arguments| {
            let run = run.clone();
            let arguments = parse_arguments(arguments);
            Box::pin(async move { run(context, arguments?).await.map(Into::into) })
        }))
    }
}

/// Reads an `arguments` object; the error says what serde found and where.
fn parse_arguments<A: DeserializeOwned>(arguments: &str) -> Result<A, CallError> {
    serde_json::from_str(arguments)
        .map_err(|error| CallError::Arguments(format!("arguments do not fit: {error}")))
}

/// Renders a prompt from its arguments by name; the required ones are there.
pub type PromptHandler =
    Rc<dyn Fn(Context, Arguments) -> LocalFuture<'static, Result<PromptResult, CallError>>>;

/// The arguments of a prompt: texts by name.
pub type Arguments = BTreeMap<String, String>;

/// Reads a resource.
pub type ResourceHandler =
    Rc<dyn Fn(Context, Uri) -> LocalFuture<'static, Result<Vec<ResourceContents>, CallError>>>;

/// Suggests values for an argument.
pub type CompletionHandler =
    Rc<dyn Fn(Context, CompletionQuery) -> LocalFuture<'static, Result<Completion, CallError>>>;

/// The URI asked for and, for a template, the values of its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    /// As the client sent it.
    pub text: String,
    /// Variable values in template order, percent-decoded.
    pub variables: Vec<(String, String)>,
}

impl Uri {
    /// The value of a template variable.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .variables
            .iter()
            .find(|(variable, _)| variable == name)?;
        Some(value)
    }
}

/// What is to be completed (`completion/complete`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionQuery {
    /// The argument's name.
    pub argument: String,
    /// What has been typed of its value.
    pub value: String,
    /// Arguments already resolved, by name (2025-06-18 and later).
    pub context: Arguments,
}
