//! `tools/call`.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

use crate::mcp::capabilities::{ClientCapabilities, TASKS_EXTENSION};
use crate::mcp::errors::ProtocolError;
use crate::mcp::headers;
use crate::mcp::revision::Revision;
use crate::mcp::tool::{CallToolParams, TaskSupport, Tool, ToolResult};
use crate::metrics::{Limit, Outcome, ToolIndex};
use crate::server::Server;
use crate::server::arrival::Carrier;
use crate::server::call::{Call, Failure};
use crate::server::dispatch::{Era, Exchange, Flow};
use crate::server::tasks::TaskEntry;
use crate::tools::{CallError, Context, LocalFuture, ToolHandler};

/// Runs a tool. What goes wrong inside it is a result with `isError`; only what goes wrong before
/// it starts is a protocol error (2025-11-25 `server/tools`, "Error Handling").
pub fn handle_call(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let params = CallToolParams::parse(exchange.params)?;
    // A tool the caller may not call is one that does not exist for it.
    let entry = (exchange.catalog.tool(&params.name))
        .filter(|entry| {
            exchange
                .caller()
                .may_call(entry.tool.name(), is_read_only(&entry.tool))
        })
        .ok_or_else(|| ProtocolError::unknown_tool(&params.name))?;
    if let (Carrier::Streamable(head), Era::Stateless { .. }) =
        (&exchange.arrival.carrier, exchange.era)
    {
        headers::match_params(head.headers, entry.tool.header_params(), params.arguments)?;
    }
    let client = exchange.client();
    let has_tasks = exchange.revision().has_extensions() && client.has_tasks();
    if entry.tool.task_support() == TaskSupport::Required && !has_tasks {
        return Err(tasks_required());
    }
    if entry.needs_client
        && let Some(missing) = client.missing(entry.tool.needed_capabilities())
    {
        if exchange.revision().has_input_required() {
            return Err(ProtocolError::missing_capabilities(&missing));
        }
        let result = ToolResult::error(format!("the client did not declare {missing}"));
        exchange.with_dialect(|dialect| result.write(out, dialect));
        return Ok(Flow::Done);
    }
    let call = Call::new(exchange)?;
    let context = Context::new(call.clone());
    let run = Run {
        call,
        revision: exchange.revision(),
        index: exchange.server.metrics.tool(entry.tool.name()),
        started: exchange.started,
    };
    match &entry.handler {
        ToolHandler::Immediate(handler) => {
            let outcome = handler(&context, params.arguments_text());
            // A handler that leaves state has failed in this round.
            if outcome.is_err() {
                run.call.keep_request(exchange.request);
            }
            run.write(outcome, out)?;
            Ok(Flow::Done)
        }
        ToolHandler::Pending(handler) => {
            run.call.keep_request(exchange.request);
            // Only here: what answers at once leaves nothing to be polled for.
            if has_tasks && entry.tool.task_support() != TaskSupport::Forbidden {
                run.call.allow_task();
            }
            let future = handler(context, params.arguments_text());
            Ok(Flow::Later(Box::pin(async move {
                let mut out = Vec::new();
                match run.drive(future).await {
                    Driven::Outcome(outcome) => run.write(outcome, &mut out)?,
                    Driven::Task(task) => {
                        run.call.server().with_dialect(run.revision, |dialect| {
                            task.write_created(&mut out, dialect);
                        });
                    }
                }
                Ok(out)
            })))
        }
    }
}

/// Whether the tool says that it changes nothing; one that says nothing may.
pub fn is_read_only(tool: &Tool) -> bool {
    tool.hints().read_only == Some(true)
}

/// -32021 that names the tasks extension.
pub fn tasks_required() -> ProtocolError {
    let extensions = vec![TASKS_EXTENSION.to_owned()];
    ProtocolError::missing_capabilities(&ClientCapabilities {
        extensions,
        ..Default::default()
    })
}

type ToolOutcome = Result<ToolResult, CallError>;

/// One run of one tool.
struct Run {
    call: Rc<Call>,
    revision: Revision,
    index: ToolIndex,
    started: Instant,
}

enum Driven {
    Outcome(ToolOutcome),
    Task(Rc<TaskEntry>),
}

impl Run {
    /// Drives the handler until it is done, has become a task, or has had its time.
    async fn drive(&self, future: LocalFuture<'static, ToolOutcome>) -> Driven {
        let mut future = Some(future);
        poll_fn(|cx| {
            let Some(running) = future.as_mut() else {
                return Poll::Pending;
            };
            let polled = running.as_mut().poll(cx);
            if let Some(task) = self.call.task() {
                let rest: LocalFuture<'static, ToolOutcome> = match (polled, future.take()) {
                    (Poll::Ready(outcome), _) => Box::pin(std::future::ready(outcome)),
                    (Poll::Pending, Some(rest)) => rest,
                    (Poll::Pending, None) => return Poll::Pending,
                };
                self.call
                    .server()
                    .run_task(&task, self.call.clone(), self.revision, rest);
                return Poll::Ready(Driven::Task(task));
            }
            if let Poll::Ready(outcome) = polled {
                return Poll::Ready(Driven::Outcome(outcome));
            }
            if self.call.poll_deadline(cx).is_ready() {
                return Poll::Ready(Driven::Outcome(Err(self.call.overdue("tool"))));
            }
            Poll::Pending
        })
        .await
    }

    /// Writes what became of it, within `limits.tool_output_bytes`.
    fn write(&self, outcome: ToolOutcome, out: &mut Vec<u8>) -> Result<(), ProtocolError> {
        let written = self.try_write(outcome, out);
        let duration = (self.call.note_end()).saturating_duration_since(self.started);
        let outcome = written
            .as_ref()
            .map_or(Outcome::Refused, |outcome| *outcome);
        let metrics = &self.call.server().metrics;
        metrics.tool_call(self.index, outcome, duration);
        written.map(|_| ())
    }

    fn try_write(&self, outcome: ToolOutcome, out: &mut Vec<u8>) -> Result<Outcome, ProtocolError> {
        let server = self.call.server();
        let result = match outcome {
            Ok(result) => result,
            Err(error) => match self.call.failure(error)? {
                Failure::Text(text) => ToolResult::error(text),
                Failure::InputRequired => {
                    self.call.write_input_required(out);
                    return Ok(Outcome::Ok);
                }
            },
        };
        let result = server.bounded(result);
        server.with_dialect(self.revision, |dialect| result.write(out, dialect));
        Ok(match result.is_error {
            true => Outcome::ToolError,
            false => Outcome::Ok,
        })
    }
}

impl Server {
    /// The result, or the failure that says it is too large.
    pub(in crate::server) fn bounded(&self, result: ToolResult) -> ToolResult {
        let limit = self.settings.borrow().limits.tool_output_bytes;
        let size = result.size_bytes();
        if size <= limit {
            return result;
        }
        self.metrics.limit_hit(Limit::ToolOutputBytes);
        ToolResult::error(format!(
            "the result of {size} bytes exceeds `limits.tool_output_bytes` ({limit}); \
             ask for less"
        ))
    }
}
