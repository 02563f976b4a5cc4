//! `tasks/get`, `tasks/update`, `tasks/cancel` of the tasks extension (SEP-2663).

use std::borrow::Cow;
use std::rc::Rc;

use serde::Deserialize;

use crate::mcp::errors::ProtocolError;
use crate::mcp::input::Retry;
use crate::server::dispatch::{Exchange, Flow};
use crate::server::tasks::TaskEntry;

#[derive(Deserialize)]
struct TaskParams<'a> {
    #[serde(borrow, rename = "taskId")]
    task_id: Cow<'a, str>,
}

/// Shows where a task stands, with its result once there is one.
pub fn handle_get(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let task = task(exchange)?;
    exchange.with_dialect(|dialect| task.write(out, dialect));
    Ok(Flow::Done)
}

/// Takes answers to the questions of a task. Unknown keys are ignored.
pub fn handle_update(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let task = task(exchange)?;
    let retry = Retry::parse(exchange.request.params)?;
    for (key, answer) in retry.input_responses {
        task.answer(&key, answer);
    }
    exchange.with_dialect(|dialect| dialect.empty(out));
    Ok(Flow::Done)
}

/// Cancels a task; one that has ended stays as it is and is acknowledged all the same.
pub fn handle_cancel(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    task(exchange)?.cancel();
    exchange.with_dialect(|dialect| dialect.empty(out));
    Ok(Flow::Done)
}

fn task(exchange: &Exchange<'_>) -> Result<Rc<TaskEntry>, ProtocolError> {
    if !exchange.client().has_tasks() {
        return Err(ProtocolError::tasks_required());
    }
    let params: TaskParams<'_> = exchange.params()?;
    (exchange.server.task(&params.task_id, exchange.caller()))
        .ok_or_else(|| ProtocolError::unknown_task(&params.task_id))
}
