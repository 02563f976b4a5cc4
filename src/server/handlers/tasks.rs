//! `tasks/get`, `tasks/update`, `tasks/cancel` of the tasks extension (SEP-2663).

use std::rc::Rc;

use crate::mcp::errors::ProtocolError;
use crate::mcp::task::TaskParams;
use crate::server::dispatch::{Exchange, Flow};
use crate::server::tasks::TaskEntry;

use super::tools::tasks_required;

/// Shows where a task stands, with its result once there is one.
pub fn handle_get(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let (task, _) = task(exchange)?;
    exchange.with_dialect(|dialect| task.write(out, dialect));
    Ok(Flow::Done)
}

/// Takes answers to the questions of a task. Unknown keys are ignored.
pub fn handle_update(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    let (task, params) = task(exchange)?;
    for key in params.responses.keys() {
        if let Some(answer) = params.responses.raw(key) {
            task.answer(key, &answer.keep());
        }
    }
    exchange.with_dialect(|dialect| dialect.empty(out));
    Ok(Flow::Done)
}

/// Cancels a task; one that has ended stays as it is and is acknowledged all the same.
pub fn handle_cancel(exchange: &Exchange<'_>, out: &mut Vec<u8>) -> Result<Flow, ProtocolError> {
    task(exchange)?.0.cancel();
    exchange.with_dialect(|dialect| dialect.empty(out));
    Ok(Flow::Done)
}

fn task<'a>(exchange: &'a Exchange<'_>) -> Result<(Rc<TaskEntry>, TaskParams<'a>), ProtocolError> {
    if !exchange.client().has_tasks() {
        return Err(tasks_required());
    }
    let params = TaskParams::parse(exchange.request.params)?;
    match exchange.server.task(&params.task_id, exchange.caller()) {
        Some(task) => Ok((task, params)),
        None => Err(ProtocolError::unknown_task(&params.task_id)),
    }
}
