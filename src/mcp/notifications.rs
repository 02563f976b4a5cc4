//! The notifications a server sends, as whole JSON-RPC messages.
//!
//! When one may be sent is the server's business. On a `subscriptions/listen` stream each carries
//! the subscription's id (2026-07-28 basic/patterns/subscriptions).

use serde_json::value::RawValue;

use super::json::{self, Object};
use super::logging::Level;
use super::revision::Revision;
use super::subscription;
use crate::raw::Raw;

/// Method of a progress report.
pub const PROGRESS: &str = "notifications/progress";
/// Method of a log message.
pub const MESSAGE: &str = "notifications/message";
/// Method that says a request is given up.
pub const CANCELLED: &str = "notifications/cancelled";
/// Method that says a watched resource changed.
pub const RESOURCE_UPDATED: &str = "notifications/resources/updated";
/// Method that says a URL elicitation is done (2025-11-25 only).
pub const ELICITATION_COMPLETE: &str = "notifications/elicitation/complete";

/// A list whose change is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListChanged {
    /// The prompts.
    Prompts,
    /// The resources or resource templates.
    Resources,
    /// The tools.
    Tools,
}

impl ListChanged {
    /// The notification's method.
    pub fn method(self) -> &'static str {
        match self {
            ListChanged::Prompts => "notifications/prompts/list_changed",
            ListChanged::Resources => "notifications/resources/list_changed",
            ListChanged::Tools => "notifications/tools/list_changed",
        }
    }
}

/// How far a request has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Grows with each report.
    pub progress: f64,
    /// What it will have grown to, if known.
    pub total: Option<f64>,
    /// In words, since 2025-03-26.
    pub message: Option<&'a str>,
}

/// Writes a progress report for the request that gave `token`.
pub fn progress(out: &mut Vec<u8>, revision: Revision, token: &str, report: &Progress<'_>) {
    message(out, PROGRESS, |params| {
        params.raw("progressToken", token);
        params.number("progress", report.progress);
        if let Some(total) = report.total {
            params.number("total", total);
        }
        if revision.progress_has_message() {
            params.optional_string("message", report.message);
        }
    });
}

/// Writes a log message; `data` is any JSON text.
pub fn log(out: &mut Vec<u8>, level: Level, logger: Option<&str>, data: &RawValue) {
    message(out, MESSAGE, |params| {
        params.string("level", level.as_str());
        params.optional_string("logger", logger);
        params.raw("data", data.get());
    });
}

/// Writes a log message whose data is text.
pub fn log_text(out: &mut Vec<u8>, level: Level, logger: Option<&str>, text: &str) {
    message(out, MESSAGE, |params| {
        params.string("level", level.as_str());
        params.optional_string("logger", logger);
        params.string("data", text);
    });
}

/// Writes that a list changed. `subscription` is the JSON text of the listen request's id.
pub fn list_changed(out: &mut Vec<u8>, list: ListChanged, subscription: Option<&str>) {
    if subscription.is_none() {
        write_head(out, list.method());
        out.push(b'}');
        return;
    }
    message(out, list.method(), |params| tag(params, subscription));
}

/// Writes that a resource changed. `subscription` is the JSON text of the listen request's id.
pub fn resource_updated(out: &mut Vec<u8>, uri: &str, subscription: Option<&str>) {
    message(out, RESOURCE_UPDATED, |params| {
        tag(params, subscription);
        params.string("uri", uri);
    });
}

/// Writes that we no longer want the answer to a request of ours. `id` is its JSON text.
pub fn cancelled(out: &mut Vec<u8>, id: &str, reason: Option<&str>) {
    message(out, CANCELLED, |params| {
        params.raw("requestId", id);
        params.optional_string("reason", reason);
    });
}

/// Writes that the interaction behind a URL elicitation is done.
pub fn elicitation_complete(out: &mut Vec<u8>, elicitation_id: &str) {
    message(out, ELICITATION_COMPLETE, |params| {
        params.string("elicitationId", elicitation_id)
    });
}

/// Writes any notification with the params that `fill` adds.
pub fn message(out: &mut Vec<u8>, method: &str, fill: impl FnOnce(&mut Object<'_>)) {
    write_head(out, method);
    out.extend_from_slice(br#","params":"#);
    json::object(out, fill);
    out.push(b'}');
}

fn write_head(out: &mut Vec<u8>, method: &str) {
    out.extend_from_slice(br#"{"jsonrpc":"2.0","method":"#);
    json::string(out, method);
}

fn tag(params: &mut Object<'_>, subscription: Option<&str>) {
    if let Some(id) = subscription {
        params.object("_meta", |meta| meta.raw(subscription::SUBSCRIPTION_ID, id));
    }
}

/// Reads `notifications/cancelled`: the JSON text of the request's id and the reason.
pub fn parse_cancelled(params: Option<Raw<'_>>) -> Option<Cancelled<'_>> {
    let [request_id, reason] = params?.pick(["requestId", "reason"]).ok()?;
    let request_id = request_id?;
    let reason = match reason {
        Some(reason) => Some(reason.text()?),
        None => None,
    };
    let is_id = matches!(request_id.first_byte(), b'"' | b'-' | b'0'..=b'9');
    is_id.then_some(Cancelled { request_id, reason })
}

/// What a client says when it gives up a request.
#[derive(Clone, Debug)]
pub struct Cancelled<'a> {
    /// The request's id: a JSON string or number, as text.
    pub request_id: Raw<'a>,
    /// Why, for the log.
    pub reason: Option<std::borrow::Cow<'a, str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).unwrap()
    }

    #[track_caller]
    fn check(write: impl FnOnce(&mut Vec<u8>), expected: &str) {
        let mut out = Vec::new();
        write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn progress_by_revision() {
        let report = Progress {
            progress: 50.0,
            total: Some(100.0),
            message: Some("half"),
        };
        check(
            |out| progress(out, Revision::V2024_11_05, "\"t\"", &report),
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":50,"total":100}}"#,
        );
        check(
            |out| progress(out, Revision::V2025_03_26, "0", &report),
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":0,"progress":50,"total":100,"message":"half"}}"#,
        );
    }

    #[test]
    fn logs() {
        check(
            |out| log_text(out, Level::Info, Some("l"), "a\nb"),
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","logger":"l","data":"a\nb"}}"#,
        );
        check(
            |out| log(out, Level::Error, None, raw("{\n\"a\":1}")),
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":{"a":1}}}"#,
        );
    }

    #[test]
    fn changes_with_and_without_a_subscription() {
        check(
            |out| list_changed(out, ListChanged::Tools, None),
            r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
        );
        check(
            |out| list_changed(out, ListChanged::Prompts, Some("\"listen:0\"")),
            r#"{"jsonrpc":"2.0","method":"notifications/prompts/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"listen:0"}}}"#,
        );
        check(
            |out| resource_updated(out, "a:b", Some("0")),
            r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":0},"uri":"a:b"}}"#,
        );
        check(
            |out| resource_updated(out, "a:b", None),
            r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:b"}}"#,
        );
    }

    #[test]
    fn giving_up() {
        check(
            |out| cancelled(out, "7", Some("late")),
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7,"reason":"late"}}"#,
        );
        check(
            |out| elicitation_complete(out, "e"),
            r#"{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"elicitationId":"e"}}"#,
        );
        let read = parse_cancelled(Raw::parse(r#"{"requestId":"a","reason":"b\n"}"#)).unwrap();
        assert_eq!(
            (read.request_id.get(), read.reason.as_deref()),
            ("\"a\"", Some("b\n"))
        );
        assert!(parse_cancelled(Raw::parse(r#"{"requestId":0}"#)).is_some());
        for bad in ["{}", "[]", r#"{"requestId":null}"#, r#"{"requestId":{}}"#] {
            assert!(parse_cancelled(Raw::parse(bad)).is_none(), "{bad}");
        }
        assert!(parse_cancelled(None).is_none());
    }
}
