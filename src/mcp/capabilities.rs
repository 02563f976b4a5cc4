//! What client and server say they can do, and who they are.
//!
//! Capabilities of the client are read leniently: an unknown member is ignored, a known one counts
//! if it is an object. Those of the server are flags, written as the revision spells them.

use std::fmt;

use crate::raw::Raw;

use super::content::Icon;
use super::json::{self, Object};
use super::revision::Revision;

/// The tasks extension (SEP-2663).
pub const TASKS_EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// What a client declared, or what a request needs of it: the same shape serves both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCapabilities {
    /// `roots`: answers `roots/list`.
    pub roots: bool,
    /// `sampling`: answers `sampling/createMessage`.
    pub sampling: bool,
    /// `sampling.tools`: accepts tools in it.
    pub sampling_tools: bool,
    /// `sampling.context`: accepts `includeContext` in it.
    pub sampling_context: bool,
    /// `elicitation.form`; an empty `elicitation` object means this one.
    pub elicitation_form: bool,
    /// `elicitation.url`.
    pub elicitation_url: bool,
    /// The ids under `extensions`, in their order; at most [`EXTENSIONS_MAX`] are kept.
    pub extensions: Vec<String>,
}

/// How many extension ids of a client are remembered; a session keeps them for its whole life.
pub const EXTENSIONS_MAX: usize = 16;

/// Extension ids longer than this are not ours and are not kept.
const EXTENSION_BYTES_MAX: usize = 128;

impl ClientCapabilities {
    /// Reads a capabilities object; `None` if the text is no object, or one with two readings.
    pub fn parse(raw: Raw<'_>) -> Option<ClientCapabilities> {
        let names = ["roots", "sampling", "elicitation", "extensions"];
        let [roots, sampling, elicitation, extensions] = raw.pick(names).ok()?;
        let [tools, context] = features(sampling, ["tools", "context"]);
        let [form, url] = features(elicitation, ["form", "url"]);
        Some(ClientCapabilities {
            roots: is_set(roots),
            sampling: is_set(sampling),
            sampling_tools: tools,
            sampling_context: context,
            // 2025-11-25 client/elicitation, "Capabilities": an empty object declares form mode.
            elicitation_form: is_set(elicitation) && (form || !url),
            elicitation_url: url,
            extensions: extension_ids(extensions),
        })
    }

    /// Whether the tasks extension is declared.
    pub fn has_tasks(&self) -> bool {
        self.has_extension(TASKS_EXTENSION)
    }

    /// Whether an extension is declared.
    pub fn has_extension(&self, id: &str) -> bool {
        self.extensions.iter().any(|declared| declared == id)
    }

    /// What of `needed` this client did not declare; `None` if nothing is missing.
    pub fn missing(&self, needed: &ClientCapabilities) -> Option<ClientCapabilities> {
        let missing = ClientCapabilities {
            roots: needed.roots && !self.roots,
            sampling: needed.sampling && !self.sampling,
            sampling_tools: needed.sampling_tools && !self.sampling_tools,
            sampling_context: needed.sampling_context && !self.sampling_context,
            elicitation_form: needed.elicitation_form && !self.elicitation_form,
            elicitation_url: needed.elicitation_url && !self.elicitation_url,
            extensions: (needed.extensions.iter())
                .filter(|id| !self.has_extension(id))
                .cloned()
                .collect(),
        };
        (missing != ClientCapabilities::default()).then_some(missing)
    }

    /// Writes the object a client would declare them with.
    pub fn write(&self, out: &mut Vec<u8>) {
        json::object(out, |all| {
            if self.roots {
                all.object("roots", |_| ());
            }
            if self.sampling || self.sampling_tools || self.sampling_context {
                all.object("sampling", |sampling| {
                    empty_member(sampling, "tools", self.sampling_tools);
                    empty_member(sampling, "context", self.sampling_context);
                });
            }
            if self.elicitation_form || self.elicitation_url {
                all.object("elicitation", |elicitation| {
                    empty_member(elicitation, "form", self.elicitation_form);
                    empty_member(elicitation, "url", self.elicitation_url);
                });
            }
            if !self.extensions.is_empty() {
                all.object("extensions", |extensions| {
                    for id in &self.extensions {
                        extensions.object(id, |_| ());
                    }
                });
            }
        });
    }
}

impl fmt::Display for ClientCapabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = [
            (self.roots, "roots"),
            (self.sampling, "sampling"),
            (self.sampling_tools, "sampling.tools"),
            (self.sampling_context, "sampling.context"),
            (self.elicitation_form, "elicitation.form"),
            (self.elicitation_url, "elicitation.url"),
        ];
        let flags = flags
            .into_iter()
            .filter(|(is_set, _)| *is_set)
            .map(|(_, name)| name);
        let extensions = self.extensions.iter().map(String::as_str);
        for (index, name) in flags.chain(extensions).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}`{name}`")?;
        }
        Ok(())
    }
}

fn is_set(member: Option<Raw<'_>>) -> bool {
    member.is_some_and(Raw::is_object)
}

/// Which of these are declared; none, if it cannot be told.
fn features(member: Option<Raw<'_>>, names: [&str; 2]) -> [bool; 2] {
    let features = member.and_then(|raw| raw.pick(names).ok());
    features.unwrap_or_default().map(is_set)
}

fn extension_ids(member: Option<Raw<'_>>) -> Vec<String> {
    let all = member.and_then(json::members).unwrap_or_default();
    let mut ids = Vec::new();
    for (id, settings) in all {
        if id.len() <= EXTENSION_BYTES_MAX && settings.is_object() && ids.len() < EXTENSIONS_MAX {
            ids.push(id.into_owned());
        }
    }
    ids
}

fn empty_member(object: &mut Object<'_>, key: &str, is_present: bool) {
    if is_present {
        object.object(key, |_| ());
    }
}

/// What this server offers. Computed from the method table and the catalog, never by hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerCapabilities {
    /// `tools/list` and `tools/call` work.
    pub tools: bool,
    /// `resources/list` and `resources/read` work.
    pub resources: bool,
    /// `prompts/list` and `prompts/get` work.
    pub prompts: bool,
    /// `completion/complete` works.
    pub completions: bool,
    /// Log messages are sent to clients that ask for them.
    pub logging: bool,
    /// Single resources can be watched.
    pub subscribe: bool,
    /// Changes of the lists are announced.
    pub list_changed: bool,
    /// The tasks extension is spoken.
    pub tasks: bool,
}

impl ServerCapabilities {
    /// Writes the `capabilities` object as `revision` spells it.
    pub fn write(&self, out: &mut Vec<u8>, revision: Revision) {
        json::object(out, |all| {
            if self.tools {
                all.object("tools", |tools| self.write_list_changed(tools));
            }
            if self.resources {
                all.object("resources", |resources| {
                    if self.subscribe {
                        resources.boolean("subscribe", true);
                    }
                    self.write_list_changed(resources);
                });
            }
            if self.prompts {
                all.object("prompts", |prompts| self.write_list_changed(prompts));
            }
            if self.completions && revision.has_completions_capability() {
                all.object("completions", |_| ());
            }
            if self.logging {
                all.object("logging", |_| ());
            }
            if self.tasks && revision.has_extensions() {
                all.object("extensions", |extensions| {
                    extensions.object(TASKS_EXTENSION, |_| ())
                });
            }
        });
    }

    fn write_list_changed(&self, of: &mut Object<'_>) {
        if self.list_changed {
            of.boolean("listChanged", true);
        }
    }
}

/// Name and version of a piece of software: `serverInfo`.
#[derive(Clone, Debug, Default)]
pub struct Implementation {
    /// A name for programs.
    pub name: String,
    /// A name for people.
    pub title: Option<String>,
    /// The version.
    pub version: String,
    /// What it is.
    pub description: Option<String>,
    /// Where to read more.
    pub website_url: Option<String>,
    /// Pictures of it.
    pub icons: Vec<Icon>,
}

impl Implementation {
    /// Name and version alone.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Implementation {
        Implementation {
            name: name.into(),
            version: version.into(),
            ..Implementation::default()
        }
    }

    /// Writes the object with the members `revision` knows.
    pub fn write(&self, out: &mut Vec<u8>, revision: Revision) {
        json::object(out, |info| {
            info.string("name", &self.name);
            if revision.has_titles() {
                info.optional_string("title", self.title.as_deref());
            }
            info.string("version", &self.version);
            if revision.has_icons() {
                info.optional_string("description", self.description.as_deref());
                info.optional_string("websiteUrl", self.website_url.as_deref());
                Icon::write_all(&self.icons, info);
            }
        });
    }

    /// The same as text, for [`super::result::Dialect`].
    pub fn render(&self, revision: Revision) -> String {
        let mut out = Vec::new();
        self.write(&mut out, revision);
        // The writer is given texts, so nothing is lost.
        String::from_utf8_lossy(&out).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn parse(text: &str) -> Option<ClientCapabilities> {
        ClientCapabilities::parse(Raw::parse(text).unwrap())
    }

    fn written(capabilities: &ClientCapabilities) -> String {
        let mut out = Vec::new();
        capabilities.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn elicitation_modes() {
        for (text, form, url) in [
            (r#"{"elicitation":{}}"#, true, false),
            (r#"{"elicitation":{"form":{}}}"#, true, false),
            (r#"{"elicitation":{"url":{}}}"#, false, true),
            (r#"{"elicitation":{"form":{},"url":{}}}"#, true, true),
            (r#"{"elicitation":{"applyDefaults":true}}"#, true, false),
            (r#"{"elicitation":true}"#, false, false),
            (r#"{"elicitation":null}"#, false, false),
            ("{}", false, false),
        ] {
            let client = parse(text).unwrap();
            assert_eq!(
                (client.elicitation_form, client.elicitation_url),
                (form, url),
                "{text}"
            );
        }
    }

    #[test]
    fn everything_a_client_may_say() {
        let client = parse(
            r#"{"roots":{"listChanged":true},"sampling":{"tools":{},"context":{}},"x":1,
                "extensions":{"io.modelcontextprotocol/tasks":{},"a/b":{"c":1},"d/e":null}}"#,
        )
        .unwrap();
        assert!(client.roots && client.sampling && client.sampling_tools && client.has_tasks());
        assert_eq!(
            written(&client),
            r#"{"roots":{},"sampling":{"tools":{},"context":{}},"extensions":{"a/b":{},"io.modelcontextprotocol/tasks":{}}}"#
        );
        assert_eq!(parse(&written(&client)).unwrap(), client);
    }

    #[test]
    fn not_an_object_is_not_a_declaration() {
        for text in ["[]", "true", "null", "\"sampling\"", "3"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(" {} "), Some(ClientCapabilities::default()));
    }

    #[test]
    fn extensions_are_bounded() {
        let many: Vec<String> = (0..40).map(|n| format!("\"x/{n:02}\":{{}}")).collect();
        let client = parse(&format!("{{\"extensions\":{{{}}}}}", many.join(","))).unwrap();
        assert_eq!(client.extensions.len(), EXTENSIONS_MAX);
        let long = "y".repeat(129);
        let client = parse(&format!("{{\"extensions\":{{\"{long}\":{{}}}}}}")).unwrap();
        assert!(client.extensions.is_empty());
    }

    #[test]
    fn missing_is_the_difference() {
        let needed = ClientCapabilities {
            sampling: true,
            roots: true,
            extensions: vec![TASKS_EXTENSION.into()],
            ..ClientCapabilities::default()
        };
        let client = parse(r#"{"roots":{}}"#).unwrap();
        let missing = client.missing(&needed).unwrap();
        assert_eq!(
            written(&missing),
            r#"{"sampling":{},"extensions":{"io.modelcontextprotocol/tasks":{}}}"#
        );
        assert_eq!(
            missing.to_string(),
            "`sampling`, `io.modelcontextprotocol/tasks`"
        );
        assert_eq!(needed.missing(&needed), None);
    }

    #[test]
    fn server_capabilities_by_revision() {
        let all = ServerCapabilities {
            tools: true,
            resources: true,
            prompts: true,
            completions: true,
            logging: true,
            subscribe: true,
            list_changed: true,
            tasks: true,
        };
        let written = |revision| {
            let mut out = Vec::new();
            all.write(&mut out, revision);
            String::from_utf8(out).unwrap()
        };
        let oldest = written(Revision::V2024_11_05);
        assert!(
            !oldest.contains("completions") && !oldest.contains("extensions"),
            "{oldest}"
        );
        assert!(written(Revision::V2025_03_26).contains(r#""completions":{}"#));
        assert!(!written(Revision::V2025_11_25).contains("tasks"));
        assert!(
            written(Revision::LATEST)
                .ends_with(r#""extensions":{"io.modelcontextprotocol/tasks":{}}}"#)
        );
        let mut out = Vec::new();
        ServerCapabilities::default().write(&mut out, Revision::LATEST);
        assert_eq!(out, b"{}");
    }

    #[test]
    fn implementation_by_revision() {
        let mut info = Implementation::new("siskin", "1");
        info.title = Some("Siskin".into());
        info.description = Some("d".into());
        assert_eq!(
            info.render(Revision::V2025_03_26),
            r#"{"name":"siskin","version":"1"}"#
        );
        assert_eq!(
            info.render(Revision::LATEST),
            r#"{"name":"siskin","title":"Siskin","version":"1","description":"d"}"#
        );
    }
}
