//! The kinds of handler the catalog holds, erased to one type each so that a server with a hundred
//! tools does not carry a hundred copies of the dispatcher.

use std::rc::Rc;

use serde::de::DeserializeOwned;

use crate::mcp::completion::Completion;
use crate::mcp::content::ResourceContents;
use crate::mcp::prompt::PromptResult;
use crate::mcp::tool::ToolResult;
use crate::sorted::SortedMap;

use super::typed::parse_arguments;
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

/// Renders a prompt from its arguments by name; the required ones are there.
pub type PromptHandler =
    Rc<dyn Fn(Context, Arguments) -> LocalFuture<'static, Result<PromptResult, CallError>>>;

/// The arguments of a prompt: texts by name.
pub type Arguments = SortedMap<String, String>;

/// Reads a resource.
pub type ResourceHandler =
    Rc<dyn Fn(Context, Uri) -> LocalFuture<'static, Result<Vec<ResourceContents>, CallError>>>;

/// Suggests values for an argument.
pub type CompletionHandler =
    Rc<dyn Fn(Context, CompletionQuery) -> LocalFuture<'static, Result<Completion, CallError>>>;

/// A resource handler of an async function; contents without a media type get `mime_type`.
pub fn reading<R, F>(mime_type: Option<String>, read: F) -> ResourceHandler
where
    R: Into<Vec<ResourceContents>>,
    F: AsyncFn(Context, Uri) -> Result<R, CallError> + 'static,
{
    let shared = Rc::new((mime_type, read));
    Rc::new(move |context, uri| {
        let shared = shared.clone();
        Box::pin(async move {
            let (mime_type, read) = &*shared;
            let mut contents: Vec<ResourceContents> = read(context, uri).await?.into();
            for piece in &mut contents {
                if piece.mime_type.is_none() {
                    piece.mime_type.clone_from(mime_type);
                }
            }
            Ok(contents)
        })
    })
}

/// A prompt handler of an async function.
pub fn rendering<R, F>(render: F) -> PromptHandler
where
    R: Into<PromptResult>,
    F: AsyncFn(Context, Arguments) -> Result<R, CallError> + 'static,
{
    let render = Rc::new(render);
    Rc::new(move |context, arguments| {
        let render = render.clone();
        Box::pin(async move { render(context, arguments).await.map(Into::into) })
    })
}

/// A completion handler of an async function.
pub fn suggesting<R, F>(suggest: F) -> CompletionHandler
where
    R: Into<Completion>,
    F: AsyncFn(Context, CompletionQuery) -> Result<R, CallError> + 'static,
{
    let suggest = Rc::new(suggest);
    Rc::new(move |context, query| {
        let suggest = suggest.clone();
        Box::pin(async move { suggest(context, query).await.map(Into::into) })
    })
}

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

impl From<Uri> for String {
    fn from(uri: Uri) -> String {
        uri.text
    }
}

impl From<&Uri> for String {
    fn from(uri: &Uri) -> String {
        uri.text.clone()
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
