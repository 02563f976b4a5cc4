//! Wire types of the tasks extension (SEP-2663, `io.modelcontextprotocol/tasks`).
//!
//! Not the table of running tasks (`server`). A task is written flat, without a `task` member
//! around it, and never carries a `requestState`.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::calendar::{Fraction, Rfc3339};

use super::errors::ProtocolError;
use super::input::{InputRequest, InputResponses, write_requests};
use super::json::Object;
use super::notifications;
use super::result::Dialect;
use super::subscription::SUBSCRIPTION_ID;
use crate::raw::Raw;

/// Method of a status notification.
pub const STATUS_CHANGED: &str = "notifications/tasks";

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskStatus {
    /// Given up on request.
    Cancelled,
    /// Done; a tool's own failure is also this.
    Completed,
    /// Ended by a protocol error.
    Failed,
    /// Waiting for the client.
    InputRequired,
    /// Under way.
    Working,
}

impl TaskStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            TaskStatus::Cancelled => "cancelled",
            TaskStatus::Completed => "completed",
            TaskStatus::Failed => "failed",
            TaskStatus::InputRequired => "input_required",
            TaskStatus::Working => "working",
        }
    }

    /// Whether nothing more will happen.
    pub fn is_terminal(self) -> bool {
        match self {
            TaskStatus::Cancelled | TaskStatus::Completed | TaskStatus::Failed => true,
            TaskStatus::InputRequired | TaskStatus::Working => false,
        }
    }
}

/// The facts about a task that every message of it repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Unguessable: whoever knows it may poll it.
    pub id: String,
    /// In words.
    pub status_message: Option<String>,
    /// Unix milliseconds.
    pub created_ms: u64,
    /// Unix milliseconds.
    pub updated_ms: u64,
    /// How long it is kept, counted from its creation; `None` for ever.
    pub ttl_ms: Option<u64>,
    /// How often to poll.
    pub poll_interval_ms: Option<u64>,
}

/// Where a task stands, with what belongs to that.
#[derive(Clone, Copy, Debug)]
pub enum TaskState<'a> {
    /// Given up.
    Cancelled,
    /// The JSON text of the result the request would have had.
    Completed(&'a RawValue),
    /// The error the request would have had.
    Failed(&'a ProtocolError),
    /// What is still to be answered.
    InputRequired(&'a [(String, InputRequest)]),
    /// Under way.
    Working,
}

impl TaskState<'_> {
    /// The status alone.
    pub fn status(&self) -> TaskStatus {
        match self {
            TaskState::Cancelled => TaskStatus::Cancelled,
            TaskState::Completed(_) => TaskStatus::Completed,
            TaskState::Failed(_) => TaskStatus::Failed,
            TaskState::InputRequired(_) => TaskStatus::InputRequired,
            TaskState::Working => TaskStatus::Working,
        }
    }
}

impl Task {
    /// Writes the result that stands in for the result of the request that became a task.
    pub fn write_created(&self, out: &mut Vec<u8>, dialect: &Dialect<'_>, status: TaskStatus) {
        dialect.typed(out, "task", None, |result| {
            self.write_members(result, status)
        });
    }

    /// Writes the result of `tasks/get`.
    pub fn write_state(&self, out: &mut Vec<u8>, dialect: &Dialect<'_>, state: &TaskState<'_>) {
        dialect.complete(out, |result| self.write_with_state(result, state));
    }

    /// Writes the notification for a listen stream. `subscription` is the JSON text of its id.
    pub fn write_notification(&self, out: &mut Vec<u8>, state: &TaskState<'_>, subscription: &str) {
        notifications::message(out, STATUS_CHANGED, |params| {
            params.object("_meta", |meta| meta.raw(SUBSCRIPTION_ID, subscription));
            self.write_with_state(params, state);
        });
    }

    fn write_with_state(&self, task: &mut Object<'_>, state: &TaskState<'_>) {
        self.write_members(task, state.status());
        match state {
            TaskState::Cancelled | TaskState::Working => (),
            TaskState::Completed(result) => task.raw("result", result.get()),
            TaskState::Failed(error) => error.write(task.key("error")),
            TaskState::InputRequired(requests) => write_requests(task, requests),
        }
    }

    fn write_members(&self, task: &mut Object<'_>, status: TaskStatus) {
        task.string("taskId", &self.id);
        task.string("status", status.as_str());
        task.optional_string("statusMessage", self.status_message.as_deref());
        task.string("createdAt", &iso_8601(self.created_ms));
        task.string("lastUpdatedAt", &iso_8601(self.updated_ms));
        match self.ttl_ms {
            Some(ttl_ms) => task.unsigned("ttlMs", ttl_ms),
            None => task.raw("ttlMs", "null"),
        }
        if let Some(interval_ms) = self.poll_interval_ms {
            task.unsigned("pollIntervalMs", interval_ms);
        }
    }
}

/// The params of `tasks/get`, `tasks/update` and `tasks/cancel`.
#[derive(Clone, Debug)]
pub struct TaskParams<'a> {
    /// Which task.
    pub task_id: Cow<'a, str>,
    /// The answers that `tasks/update` brings.
    pub responses: InputResponses<'a>,
}

impl<'a> TaskParams<'a> {
    /// Reads the params.
    pub fn parse(params: Option<Raw<'a>>) -> Result<TaskParams<'a>, ProtocolError> {
        let found = params.and_then(|params| params.pick(["taskId", "inputResponses"]).ok());
        let [task_id, responses] = found.unwrap_or_default();
        let Some(task_id) = task_id.and_then(Raw::text) else {
            return Err(ProtocolError::invalid_params(
                "params need a string `taskId`",
            ));
        };
        Ok(TaskParams {
            task_id,
            responses: InputResponses::parse(responses),
        })
    }
}

/// A point in time as RFC 3339 text in UTC with milliseconds.
fn iso_8601(unix_ms: u64) -> String {
    let unix_ms = i64::try_from(unix_ms).unwrap_or(i64::MAX);
    Rfc3339::new(unix_ms, Fraction::Always).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::revision::Revision;

    #[test]
    fn times() {
        for (ms, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_704_067_199_000, "2023-12-31T23:59:59.000Z"),
            (1_709_210_096_007, "2024-02-29T12:34:56.007Z"),
            (1_763_695_920_000, "2025-11-21T03:32:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(iso_8601(ms), expected);
        }
    }

    fn task() -> Task {
        Task {
            id: "t1".into(),
            status_message: None,
            created_ms: 0,
            updated_ms: 1,
            ttl_ms: None,
            poll_interval_ms: Some(500),
        }
    }

    const FACTS: &str = r#""createdAt":"1970-01-01T00:00:00.000Z","lastUpdatedAt":"1970-01-01T00:00:00.001Z","ttlMs":null,"pollIntervalMs":500"#;

    #[track_caller]
    fn check(state: &TaskState<'_>, expected: &str) {
        let mut out = Vec::new();
        let dialect = Dialect {
            revision: Revision::LATEST,
            server_info: "",
        };
        task().write_state(&mut out, &dialect, state);
        let status = state.status().as_str();
        let expected = format!(
            r#"{{"resultType":"complete","taskId":"t1","status":"{status}",{FACTS}{expected}}}"#
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn states() {
        let result = RawValue::from_string(r#"{"content":[],"isError":true}"#.into()).unwrap();
        check(&TaskState::Working, "");
        check(&TaskState::Cancelled, "");
        check(
            &TaskState::Completed(&result),
            r#","result":{"content":[],"isError":true}"#,
        );
        let error = ProtocolError::internal("no");
        check(
            &TaskState::Failed(&error),
            r#","error":{"code":-32603,"message":"no"}"#,
        );
        let requests = [("k".to_owned(), InputRequest::ListRoots)];
        check(
            &TaskState::InputRequired(&requests),
            r#","inputRequests":{"k":{"method":"roots/list"}}"#,
        );
        assert!(TaskStatus::Completed.is_terminal() && !TaskStatus::InputRequired.is_terminal());
    }

    #[test]
    fn creation_is_flat() {
        let mut out = Vec::new();
        let dialect = Dialect {
            revision: Revision::LATEST,
            server_info: "",
        };
        task().write_created(&mut out, &dialect, TaskStatus::Working);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!(r#"{{"resultType":"task","taskId":"t1","status":"working",{FACTS}}}"#)
        );
        let mut out = Vec::new();
        Task {
            ttl_ms: Some(9),
            poll_interval_ms: None,
            ..task()
        }
        .write_notification(&mut out, &TaskState::Working, "3");
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with(
            r#"{"jsonrpc":"2.0","method":"notifications/tasks","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":3},"taskId":"t1""#
        ));
        assert!(text.ends_with(r#""ttlMs":9}}"#), "{text}");
    }

    #[test]
    fn params() {
        let parse = |text| TaskParams::parse(Raw::parse(text));
        let text = r#"{"taskId":"t","inputResponses":{"k":{"roots":[]}}}"#;
        let params = parse(text).unwrap();
        assert_eq!(params.task_id, "t");
        assert!(
            params
                .responses
                .answer("k", &InputRequest::ListRoots)
                .is_some()
        );
        for bad in ["{}", "[]", r#"{"taskId":1}"#] {
            assert_eq!(parse(bad).unwrap_err().code, -32602, "{bad}");
        }
        assert!(TaskParams::parse(None).is_err());
    }
}
