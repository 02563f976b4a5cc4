//! Tools: the definition, its checks at load, the request to call one, and the result of a call.
//!
//! Not the check of arguments against the schema (`tools`), nor who runs it. A definition is
//! written by hand through the builder or taken from JSON; either way [`Tool::validate`] is called
//! once, when the catalog is built.

mod arguments;
mod result;
mod schema;

use std::borrow::Cow;
use std::fmt;

use serde_json::value::RawValue;

use super::capabilities::ClientCapabilities;
use super::content::Icon;
use super::errors::ProtocolError;
use super::json;
use super::params::{Param, Params};
use super::revision::Revision;
use crate::raw::Raw;
use arguments::Arguments;
pub use result::ToolResult;
pub use schema::{HeaderParam, HeaderParamKind, SchemaError};

/// A tool as `tools/list` shows it, and what a call of it may need.
#[derive(Clone, Debug)]
pub struct Tool {
    name: String,
    title: Option<String>,
    description: Option<String>,
    input: Input,
    output_schema: Option<OutputSchema>,
    annotations: ToolAnnotations,
    icons: Vec<Icon>,
    meta: Option<Box<RawValue>>,
    task: TaskSupport,
    needs: ClientCapabilities,
    header_params: Vec<HeaderParam>,
    problem: Option<ToolDefinitionError>,
}

/// Where the input schema comes from.
#[derive(Clone, Debug)]
enum Input {
    Arguments(Arguments),
    Json(Box<RawValue>),
}

#[derive(Clone, Debug)]
struct OutputSchema {
    json: Box<RawValue>,
    /// Before 2026-07-28 nothing but an object could be described.
    is_of_object: bool,
}

/// Hints about what a call does; `None` is left to the client's assumption (2025-03-26
/// server/tools).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolAnnotations {
    /// Changes nothing.
    pub read_only: Option<bool>,
    /// May destroy or overwrite.
    pub destructive: Option<bool>,
    /// A second call with the same arguments changes nothing more.
    pub idempotent: Option<bool>,
    /// Reaches beyond a closed set of things.
    pub open_world: Option<bool>,
}

/// Whether calls run as tasks of the tasks extension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskSupport {
    /// Never.
    #[default]
    Forbidden,
    /// For clients that declare the extension.
    Optional,
    /// Always; other clients are refused with -32021.
    Required,
}

/// Why a tool cannot be offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolDefinitionError {
    /// The name is not 1 to 128 of `A-Za-z0-9_.-` (2026-07-28 server/tools, "Tool Names").
    Name {
        /// The name.
        name: String,
    },
    /// The input schema breaks a rule.
    InputSchema {
        /// The tool's name.
        tool: String,
        /// The rule.
        problem: SchemaError,
    },
    /// The output schema breaks a rule.
    OutputSchema {
        /// The tool's name.
        tool: String,
        /// The rule.
        problem: SchemaError,
    },
    /// An argument is declared twice, or a header is wanted for one that is not declared.
    Argument {
        /// The tool's name.
        tool: String,
        /// The argument's name.
        argument: String,
    },
}

impl fmt::Display for ToolDefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ToolDefinitionError::Name { name } => write!(
                f,
                "tool name `{name}` has {} characters; use 1 to {NAME_BYTES_MAX} of `A-Za-z0-9_.-`",
                name.chars().count()
            ),
            ToolDefinitionError::InputSchema { tool, problem } => {
                write!(f, "tool `{tool}`: input schema: {problem}")
            }
            ToolDefinitionError::OutputSchema { tool, problem } => {
                write!(f, "tool `{tool}`: output schema: {problem}")
            }
            ToolDefinitionError::Argument { tool, argument } => write!(
                f,
                "tool `{tool}`: argument `{argument}` must be declared exactly once, before its header"
            ),
        }
    }
}

impl std::error::Error for ToolDefinitionError {}

/// The longest tool name.
pub const NAME_BYTES_MAX: usize = 128;

impl Tool {
    /// A tool without arguments.
    pub fn new(name: impl Into<String>) -> Tool {
        Tool {
            name: name.into(),
            title: None,
            description: None,
            input: Input::Arguments(Arguments::default()),
            output_schema: None,
            annotations: ToolAnnotations::default(),
            icons: Vec::new(),
            meta: None,
            task: TaskSupport::default(),
            needs: ClientCapabilities::default(),
            header_params: Vec::new(),
            problem: None,
        }
    }

    /// Its name for people, since 2025-06-18; older clients that know annotations find it there.
    pub fn title(mut self, title: impl Into<String>) -> Tool {
        self.title = Some(title.into());
        self
    }

    /// What it does, for the model.
    pub fn description(mut self, description: impl Into<String>) -> Tool {
        self.description = Some(description.into());
        self
    }

    /// The input schema as JSON text, kept word for word. Replaces arguments declared before.
    pub fn input_schema_json(mut self, text: &str) -> Tool {
        match schema::parse_input(text) {
            Ok((json, header_params)) => {
                self.input = Input::Json(json);
                self.header_params = header_params;
            }
            Err(problem) => {
                let tool = self.name.clone();
                self.note(ToolDefinitionError::InputSchema { tool, problem });
            }
        }
        self
    }

    /// The schema of `structuredContent`, as JSON text.
    pub fn output_schema_json(mut self, text: &str) -> Tool {
        match schema::parse_output(text) {
            Ok((json, is_of_object)) => {
                self.output_schema = Some(OutputSchema { json, is_of_object });
            }
            Err(problem) => {
                let tool = self.name.clone();
                self.note(ToolDefinitionError::OutputSchema { tool, problem });
            }
        }
        self
    }

    /// Changes nothing.
    pub fn read_only(mut self) -> Tool {
        self.annotations.read_only = Some(true);
        self
    }

    /// May destroy or overwrite.
    pub fn destructive(mut self) -> Tool {
        self.annotations.read_only = Some(false);
        self.annotations.destructive = Some(true);
        self
    }

    /// Can be called twice as well as once.
    pub fn idempotent(mut self) -> Tool {
        self.annotations.idempotent = Some(true);
        self
    }

    /// Reaches into the open world.
    pub fn open_world(mut self) -> Tool {
        self.annotations.open_world = Some(true);
        self
    }

    /// All hints at once.
    pub fn annotations(mut self, annotations: ToolAnnotations) -> Tool {
        self.annotations = annotations;
        self
    }

    /// One more picture.
    pub fn icon(mut self, icon: Icon) -> Tool {
        self.icons.push(icon);
        self
    }

    /// `_meta`, a JSON object, e.g. for the apps extension.
    pub fn meta(mut self, meta: Box<RawValue>) -> Tool {
        self.meta = Some(meta);
        self
    }

    /// Whether calls run as tasks.
    pub fn task(mut self, task: TaskSupport) -> Tool {
        self.task = task;
        self
    }

    /// What a client must declare to call it; others are refused with -32021.
    pub fn needs(mut self, needs: ClientCapabilities) -> Tool {
        self.needs = needs;
        self
    }

    /// Checks the definition; the first problem met while building, or of the name.
    pub fn validate(&self) -> Result<(), ToolDefinitionError> {
        if !is_name(&self.name) {
            return Err(ToolDefinitionError::Name {
                name: self.name.clone(),
            });
        }
        self.problem.clone().map_or(Ok(()), Err)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name for people, for other listings than `tools/list`.
    pub fn title_text(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Its description, for other listings than `tools/list`.
    pub fn description_text(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Its hints.
    pub fn hints(&self) -> &ToolAnnotations {
        &self.annotations
    }

    /// Whether calls run as tasks.
    pub fn task_support(&self) -> TaskSupport {
        self.task
    }

    /// What a client must declare.
    pub fn needed_capabilities(&self) -> &ClientCapabilities {
        &self.needs
    }

    /// The arguments that a 2026-07-28 client repeats in HTTP headers.
    pub fn header_params(&self) -> &[HeaderParam] {
        &self.header_params
    }

    /// The input schema as JSON text, for the check of arguments.
    pub fn input_schema(&self) -> Cow<'_, str> {
        match &self.input {
            Input::Json(json) => Cow::Borrowed(json.get()),
            Input::Arguments(arguments) => {
                let mut out = Vec::new();
                arguments.write(&mut out);
                // The writer is given texts, so nothing is lost.
                Cow::Owned(String::from_utf8_lossy(&out).into_owned())
            }
        }
    }

    /// The output schema as JSON text.
    pub fn output_schema(&self) -> Option<&str> {
        self.output_schema.as_ref().map(|schema| schema.json.get())
    }

    /// Writes the object as `tools/list` shows it.
    pub fn write(&self, out: &mut Vec<u8>, revision: Revision) {
        json::object(out, |tool| {
            tool.string("name", &self.name);
            if revision.has_titles() {
                tool.optional_string("title", self.title.as_deref());
            }
            tool.optional_string("description", self.description.as_deref());
            match &self.input {
                Input::Json(json) => tool.raw("inputSchema", json.get()),
                Input::Arguments(arguments) => arguments.write(tool.key("inputSchema")),
            }
            if let Some(schema) = &self.output_schema
                && revision.has_structured_content()
                && (schema.is_of_object || revision.structured_may_be_any_json())
            {
                tool.raw("outputSchema", schema.json.get());
            }
            self.write_annotations(tool, revision);
            if revision.has_icons() {
                Icon::write_all(&self.icons, tool);
            }
            if revision.has_meta_on_items() {
                tool.optional_raw("_meta", self.meta.as_deref());
            }
        });
    }

    fn write_annotations(&self, tool: &mut json::Object<'_>, revision: Revision) {
        // Before tools had a title of their own, it was one of the annotations.
        let title = self.title.as_deref().filter(|_| !revision.has_titles());
        let nothing = title.is_none() && self.annotations == ToolAnnotations::default();
        if nothing || !revision.has_tool_annotations() {
            return;
        }
        tool.object("annotations", |annotations| {
            annotations.optional_string("title", title);
            annotations.optional_boolean("readOnlyHint", self.annotations.read_only);
            annotations.optional_boolean("destructiveHint", self.annotations.destructive);
            annotations.optional_boolean("idempotentHint", self.annotations.idempotent);
            annotations.optional_boolean("openWorldHint", self.annotations.open_world);
        });
    }

    /// Keeps the first problem: the later ones often follow from it.
    fn note(&mut self, problem: ToolDefinitionError) {
        self.problem.get_or_insert(problem);
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// What `tools/call` asks for.
#[derive(Clone, Debug)]
pub struct CallToolParams<'a> {
    /// The tool's name.
    pub name: Cow<'a, str>,
    /// The arguments: a JSON object. Absent and null are the same as `{}`.
    pub arguments: Option<Raw<'a>>,
}

impl<'a> CallToolParams<'a> {
    /// Reads the params.
    pub fn parse(params: &Params<'a>) -> Result<CallToolParams<'a>, ProtocolError> {
        match (params.text(Param::Name), params.one(Param::Arguments)) {
            (Some(name), Ok(arguments)) if arguments.is_none_or(Raw::is_object) => {
                Ok(CallToolParams { name, arguments })
            }
            _ => Err(ProtocolError::invalid_params(
                "`tools/call` needs a string `name`, and an object for `arguments` if it has any",
            )),
        }
    }

    /// The arguments as JSON text.
    pub fn arguments_text(&self) -> &'a str {
        self.arguments.map_or("{}", Raw::get)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(tool: &Tool, revision: Revision) -> String {
        let mut out = Vec::new();
        tool.write(&mut out, revision);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_tool_by_revision() {
        let tool = Tool::new("t")
            .title("T")
            .description("d")
            .output_schema_json(r#"{"type":"object"}"#)
            .read_only()
            .icon(Icon::new("data:,"));
        assert_eq!(tool.validate(), Ok(()));
        assert_eq!(
            written(&tool, Revision::V2024_11_05),
            r#"{"name":"t","description":"d","inputSchema":{"type":"object","properties":{}}}"#
        );
        assert_eq!(
            written(&tool, Revision::V2025_03_26),
            r#"{"name":"t","description":"d","inputSchema":{"type":"object","properties":{}},"annotations":{"title":"T","readOnlyHint":true}}"#
        );
        assert_eq!(
            written(&tool, Revision::V2025_11_25),
            r#"{"name":"t","title":"T","description":"d","inputSchema":{"type":"object","properties":{}},"outputSchema":{"type":"object"},"annotations":{"readOnlyHint":true},"icons":[{"src":"data:,"}]}"#
        );
    }

    #[test]
    fn output_schemas_of_other_types_are_new() {
        let tool = Tool::new("t").output_schema_json(r#"{"type":"array"}"#);
        assert!(!written(&tool, Revision::V2025_11_25).contains("outputSchema"));
        assert!(written(&tool, Revision::LATEST).contains(r#""outputSchema":{"type":"array"}"#));
        assert!(Tool::new("t").output_schema_json("7").validate().is_err());
    }

    #[test]
    fn names() {
        for name in ["a", "A.b-c_9", &"x".repeat(128)] {
            assert_eq!(Tool::new(name).validate(), Ok(()), "{name}");
        }
        for name in ["", "a b", "a/b", "é", "a\n", &"x".repeat(129)] {
            let error = Tool::new(name).validate().unwrap_err();
            assert_eq!(error, ToolDefinitionError::Name { name: name.into() });
        }
    }

    #[test]
    fn schemas_survive_word_for_word() {
        let schema = r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","$defs":{"address":{"$anchor":"addressDef","type":"object"}},"properties":{"address":{"$ref":"#/$defs/address"},"n":{"type":"number","default":1.0}},"if":{"properties":{"n":{"const":1}}},"then":{"required":["address"]},"allOf":[{"anyOf":[{"required":["n"]}]}],"additionalProperties":false}"##;
        let tool = Tool::new("t").input_schema_json(schema);
        assert_eq!(tool.validate(), Ok(()));
        assert_eq!(tool.input_schema(), schema);
        assert!(written(&tool, Revision::V2024_11_05).contains(schema));
    }

    #[test]
    fn a_bad_schema_is_found_at_load() {
        let error = Tool::new("t")
            .input_schema_json("[]")
            .validate()
            .unwrap_err();
        assert!(
            error.to_string().starts_with("tool `t`: input schema: "),
            "{error}"
        );
    }

    #[track_caller]
    fn parse(text: &str) -> Result<CallToolParams<'_>, ProtocolError> {
        CallToolParams::parse(&Params::of(Raw::parse(text)))
    }

    #[test]
    fn call_params() {
        assert_eq!(parse(r#"{"name":"t"}"#).unwrap().arguments_text(), "{}");
        assert_eq!(
            parse(r#"{"name":"t","arguments":null}"#)
                .unwrap()
                .arguments_text(),
            "{}"
        );
        let params = parse(r#"{"arguments":{"a":1},"name":"t","task":{"ttl":1}}"#).unwrap();
        assert_eq!(params.arguments_text(), r#"{"a":1}"#);
        for bad in [
            "{}",
            "[]",
            r#"["t",{}]"#,
            r#"{"name":null}"#,
            r#"{"name":"t","arguments":[]}"#,
            r#"{"name":"t","arguments":"{}"}"#,
        ] {
            assert_eq!(parse(bad).unwrap_err().code, -32602, "{bad}");
        }
        assert!(CallToolParams::parse(&Params::of(None)).is_err());
    }
}
