//! `subscriptions/listen`: which notifications a stream carries (2026-07-28
//! basic/patterns/subscriptions).
//!
//! Not the stream itself (`server`), nor the notifications on it (`notifications`).

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::errors::ProtocolError;
use super::json::{self, Object};
use super::notifications::{self, ListChanged};
use super::result::Dialect;
use crate::raw::Raw;

/// The `_meta` key of a subscription's id, on everything its stream carries.
pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";

/// Method of the first message on the stream.
pub const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

/// How many resources or tasks one stream may watch.
pub const WATCHED_MAX: usize = 256;

/// What a client wants to hear, or what it will.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Changes of the tool list.
    pub tools_list_changed: bool,
    /// Changes of the prompt list.
    pub prompts_list_changed: bool,
    /// Changes of the resource list.
    pub resources_list_changed: bool,
    /// The URIs of the resources to watch.
    pub resource_subscriptions: Vec<String>,
    /// The tasks to watch, by the tasks extension (SEP-2663).
    pub task_ids: Vec<String>,
}

impl Filter {
    /// Reads the params of `subscriptions/listen`.
    pub fn parse(params: Option<Raw<'_>>) -> Result<Filter, ProtocolError> {
        let Some(filter) = params.and_then(Filter::read) else {
            return Err(ProtocolError::invalid_params(
                "`subscriptions/listen` needs an object `notifications` that says which",
            ));
        };
        let watched = filter
            .resource_subscriptions
            .len()
            .max(filter.task_ids.len());
        if watched > WATCHED_MAX {
            return Err(ProtocolError::invalid_params(format!(
                "{watched} watched resources or tasks exceed {WATCHED_MAX}; open a second stream"
            )));
        }
        Ok(filter)
    }

    fn read(params: Raw<'_>) -> Option<Filter> {
        let [filter] = params.pick(["notifications"]).ok()?;
        let [tools, prompts, resources, watched, tasks] = filter?
            .pick([
                "toolsListChanged",
                "promptsListChanged",
                "resourcesListChanged",
                "resourceSubscriptions",
                "taskIds",
            ])
            .ok()?;
        let flag = |raw: Option<Raw<'_>>| raw.map_or(Some(false), Raw::flag);
        let texts = |raw: Option<Raw<'_>>| raw.map_or(Some(Vec::new()), Raw::texts);
        Some(Filter {
            tools_list_changed: flag(tools)?,
            prompts_list_changed: flag(prompts)?,
            resources_list_changed: flag(resources)?,
            resource_subscriptions: texts(watched)?,
            task_ids: texts(tasks)?,
        })
    }

    /// Whether a change of this list is wanted.
    pub fn wants_list(&self, list: ListChanged) -> bool {
        match list {
            ListChanged::Prompts => self.prompts_list_changed,
            ListChanged::Resources => self.resources_list_changed,
            ListChanged::Tools => self.tools_list_changed,
        }
    }

    /// Whether a change of this resource is wanted.
    pub fn wants_resource(&self, uri: &str) -> bool {
        self.resource_subscriptions
            .iter()
            .any(|watched| watched == uri)
    }

    /// Whether a change of this task is wanted.
    pub fn wants_task(&self, task_id: &str) -> bool {
        self.task_ids.iter().any(|watched| watched == task_id)
    }

    /// Writes the first message of the stream: `self` is what will be honoured. `id` is the JSON
    /// text of the listen request's id.
    pub fn write_acknowledged(&self, out: &mut Vec<u8>, id: &str) {
        notifications::message(out, ACKNOWLEDGED, |params| {
            params.object("_meta", |meta| meta.raw(SUBSCRIPTION_ID, id));
            params.object("notifications", |filter| self.write_members(filter));
        });
    }

    fn write_members(&self, filter: &mut Object<'_>) {
        let flags = [
            ("toolsListChanged", self.tools_list_changed),
            ("promptsListChanged", self.prompts_list_changed),
            ("resourcesListChanged", self.resources_list_changed),
        ];
        for (key, _) in flags.into_iter().filter(|(_, is_set)| *is_set) {
            filter.boolean(key, true);
        }
        if !self.resource_subscriptions.is_empty() {
            filter.strings("resourceSubscriptions", &self.resource_subscriptions);
        }
        if !self.task_ids.is_empty() {
            filter.strings("taskIds", &self.task_ids);
        }
    }
}

/// Writes the result that ends a listen stream in good order. Sent on every transport: the spec
/// contradicts itself, and clients take a `notifications/cancelled` here for a lost stream.
pub fn write_end(out: &mut Vec<u8>, dialect: &Dialect<'_>, id: &str) {
    let mut meta = Vec::new();
    json::object(&mut meta, |meta| meta.raw(SUBSCRIPTION_ID, id));
    let meta = String::from_utf8(meta)
        .ok()
        .and_then(|text| RawValue::from_string(text).ok());
    dialect.complete_with_meta(out, meta.as_deref(), |_| ());
}

/// Reads the `uri` of `resources/read`, `resources/subscribe` and `resources/unsubscribe`.
pub fn parse_uri(params: Option<Raw<'_>>) -> Result<Cow<'_, str>, ProtocolError> {
    let uri = params.and_then(|params| params.pick(["uri"]).ok());
    uri.and_then(|[uri]| uri?.text())
        .ok_or_else(|| ProtocolError::invalid_params("params need a string `uri`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::revision::Revision;

    #[track_caller]
    fn parse(text: &str) -> Result<Filter, ProtocolError> {
        Filter::parse(Raw::parse(text))
    }

    #[test]
    fn filters() {
        let filter = parse(
            r#"{"notifications":{"toolsListChanged":true,"promptsListChanged":false,
                "resourcesListChanged":null,"resourceSubscriptions":["a:b"],"other":1}}"#,
        )
        .unwrap();
        assert!(filter.wants_list(ListChanged::Tools));
        assert!(!filter.wants_list(ListChanged::Prompts));
        assert!(!filter.wants_list(ListChanged::Resources));
        assert!(filter.wants_resource("a:b") && !filter.wants_resource("a:"));
        assert!(!filter.wants_task("t"));
        assert_eq!(parse(r#"{"notifications":{}}"#).unwrap(), Filter::default());
        for bad in [
            "{}",
            r#"{"notifications":null}"#,
            r#"{"notifications":{"toolsListChanged":"yes"}}"#,
            r#"{"notifications":{"resourceSubscriptions":"a:b"}}"#,
            r#"{"notifications":{"resourceSubscriptions":[1]}}"#,
        ] {
            assert_eq!(parse(bad).unwrap_err().code, -32602, "{bad}");
        }
        assert!(Filter::parse(None).is_err());
    }

    #[test]
    fn watched_resources_are_bounded() {
        let with = |count: usize| {
            let uris = vec!["\"a:b\""; count].join(",");
            parse(&format!(
                r#"{{"notifications":{{"resourceSubscriptions":[{uris}]}}}}"#
            ))
        };
        assert!(with(WATCHED_MAX).is_ok());
        assert!(with(WATCHED_MAX + 1).is_err());
    }

    #[test]
    fn first_and_last_message() {
        let filter = Filter {
            tools_list_changed: true,
            resource_subscriptions: vec!["a:b".into()],
            ..Filter::default()
        };
        let mut out = Vec::new();
        filter.write_acknowledged(&mut out, "0");
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":0},"notifications":{"toolsListChanged":true,"resourceSubscriptions":["a:b"]}}}"#
        );
        let mut out = Vec::new();
        let dialect = Dialect {
            revision: Revision::LATEST,
            server_info: "{}",
        };
        write_end(&mut out, &dialect, "\"listen:0\"");
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":"listen:0","io.modelcontextprotocol/serverInfo":{}}}"#
        );
    }

    #[test]
    fn uris() {
        let raw = Raw::parse(r#"{"uri":"a:b"}"#).unwrap();
        assert_eq!(parse_uri(Some(raw)).unwrap(), "a:b");
        let raw = Raw::parse(r#"{"uri":1}"#).unwrap();
        assert!(parse_uri(Some(raw)).is_err());
        assert!(parse_uri(None).is_err());
    }
}
