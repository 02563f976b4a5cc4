//! A server with one of everything: the fixture of the official conformance suite, written with
//! the public API alone. Names and texts are those that the suite looks for.
//!
//! ```sh
//! cargo run --example everything -- 8000       # http://127.0.0.1:8000/mcp, /sse/, /health
//! cargo run --example everything -- --stdio
//! ```
//!
//! With port 0 any free port is taken; the line `listening http ADDRESS` on stderr says which.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use serde::Deserialize;
use siskin::{
    Arguments, Ask, Builder, CallError, Change, ClientCapabilities, CompletionQuery, Content,
    Context, Elicited, Level, McpServer, NoArguments, Prompt, PromptMessage, Resource,
    ResourceContents, ResourceTemplate, TaskSupport, Tool, ToolResult, Uri,
};

// As in the program.
#[cfg(target_env = "musl")]
siskin::compare_by_words!(bcmp);
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: siskin::rt::sys::KeepSmall = siskin::rt::sys::KeepSmall;

fn main() -> Result<(), Box<dyn Error>> {
    let argument = std::env::args().nth(1);
    let server = everything()?;
    match argument.as_deref() {
        Some("--stdio") => server.serve_stdio()?,
        Some(port) => {
            let port: u16 = port.parse()?;
            server.serve_http_then(format!("127.0.0.1:{port}"), |address| {
                // Nobody may be listening to the end.
                _ = writeln!(std::io::stderr(), "listening http {address}");
            })?;
        }
        None => return Err("usage: everything PORT | everything --stdio".into()),
    }
    Ok(())
}

fn everything() -> Result<McpServer, Box<dyn Error>> {
    let builder = Builder::new("everything", env!("CARGO_PKG_VERSION"))
        .title("Everything")
        .description("One of everything that a server can offer.")
        .instructions("Call the tool that the test is named after.");
    let builder = simple_tools(builder);
    let builder = talking_tools(builder);
    let builder = asking_tools(builder);
    let builder = rounds(builder);
    let builder = tasks(builder);
    let builder = changes(builder);
    let builder = resources(builder)?;
    Ok(prompts(builder).build()?)
}

// --- tools that answer at once ----------------------------------------------------------------

#[derive(Deserialize)]
struct Greet {
    name: String,
}

#[derive(Deserialize)]
struct Echo {
    value: String,
}

fn simple_tools(builder: Builder) -> Builder {
    builder
        // The first tool of the list is called with `{}` by tests of headers.
        .tool_now(
            about("test_simple_text", "Returns a line of text.").read_only(),
            |_: &Context, _: NoArguments| Ok("This is a simple text response for testing."),
        )
        .tool_now(
            about("test_image_content", "Returns a picture.").read_only(),
            |_: &Context, _: NoArguments| Ok(Content::image(RED_DOT_PNG, "image/png")),
        )
        .tool_now(
            about("test_audio_content", "Returns a sound.").read_only(),
            |_: &Context, _: NoArguments| Ok(Content::audio(SHORT_WAV, "audio/wav")),
        )
        .tool_now(
            about("test_embedded_resource", "Returns a resource.").read_only(),
            |_: &Context, _: NoArguments| {
                let text = "This is an embedded resource content.";
                let contents = ResourceContents::text("test://embedded-resource", text);
                Ok(Content::resource(contents.mime_type("text/plain")))
            },
        )
        .tool_now(
            about("test_multiple_content_types", "Returns one of each.").read_only(),
            |_: &Context, _: NoArguments| {
                let json = r#"{"test":"data","value":123}"#;
                let contents = ResourceContents::text("test://mixed-content-resource", json);
                Ok(ToolResult::text("Multiple content types test:")
                    .and(Content::image(RED_DOT_PNG, "image/png"))
                    .and(Content::resource(contents.mime_type("application/json"))))
            },
        )
        .tool_now(
            about("test_error_handling", "Always fails.").read_only(),
            |_: &Context, _: NoArguments| {
                Err::<ToolResult, _>(CallError::failed(
                    "This tool intentionally returns an error for testing",
                ))
            },
        )
        .tool_now(
            about(
                "json_schema_2020_12_tool",
                "Has a schema that uses much of 2020-12.",
            )
            .input_schema_json(JSON_SCHEMA_2020_12)
            .read_only(),
            |_: &Context, arguments: serde_json::Value| Ok(format!("Received: {arguments}")),
        )
        .tool_now(
            about(
                "test_header_mirror",
                "Says what stands in `value` and in its header.",
            )
            .string("value", "any text")
            .mirrored_in_header("value", "Value")
            .read_only(),
            |_: &Context, Echo { value }| Ok(value),
        )
        .tool_now(
            about("greet", "Greets.").string("name", "whom").read_only(),
            |_: &Context, Greet { name }| Ok(format!("Hello, {name}!")),
        )
}

// --- tools that say something while they run --------------------------------------------------

/// Long enough that what was sent before is seen to arrive by itself.
const STEP: Duration = Duration::from_millis(50);

fn talking_tools(builder: Builder) -> Builder {
    builder
        .tool(
            about("test_tool_with_logging", "Logs three times while it runs."),
            async |ctx: Context, _: NoArguments| {
                ctx.log(Level::Info, "Tool execution started");
                ctx.sleep(STEP).await;
                ctx.log(Level::Info, "Tool processing data");
                ctx.sleep(STEP).await;
                ctx.log(Level::Info, "Tool execution completed");
                Ok("Tool with logging executed successfully")
            },
        )
        .tool(
            about("test_logging_tool", "Logs once, if the request wants it."),
            async |ctx: Context, _: NoArguments| {
                ctx.log(Level::Info, "This is a log message");
                Ok("Logged, if the client wanted to hear it")
            },
        )
        .tool(
            about("test_tool_with_progress", "Reports progress three times."),
            async |ctx: Context, _: NoArguments| {
                ctx.progress(0.0, Some(100.0));
                ctx.sleep(STEP).await;
                ctx.progress(50.0, Some(100.0));
                ctx.sleep(STEP).await;
                ctx.progress(100.0, Some(100.0));
                // The TypeScript SDKs handle a notification later than a response that comes in the
                // same read, and by then they have forgotten its token.
                ctx.sleep(STEP).await;
                Ok("Tool with progress executed successfully")
            },
        )
        .tool(
            about(
                "test_reconnection",
                "Ends its stream half way; the client comes back.",
            ),
            async |ctx: Context, _: NoArguments| {
                ctx.close_stream();
                ctx.sleep(2 * STEP).await;
                Ok("Reconnection test completed successfully")
            },
        )
}

// --- tools that ask the client ----------------------------------------------------------------

#[derive(Deserialize)]
struct Sampling {
    prompt: String,
}

#[derive(Deserialize)]
struct Elicitation {
    message: String,
}

fn asking_tools(builder: Builder) -> Builder {
    builder
        .tool(
            about("test_sampling", "Has the client's model answer.")
                .string("prompt", "what the model is asked"),
            async |ctx: Context, Sampling { prompt }| {
                let answer = ctx.sample("answer", &prompt, 100).await?;
                Ok(format!("LLM response: {}", answer.text))
            },
        )
        .tool(
            about("test_elicitation", "Has the user fill in a form.")
                .string("message", "what the user is told"),
            async |ctx: Context, Elicitation { message }| {
                let answer = ctx.elicit("user", &message, USER_FORM).await?;
                let (action, content) = (answer.action(), answer.content());
                Ok(format!("User response: action={action}, content={content}"))
            },
        )
        .tool(
            about(
                "test_elicitation_sep1034_defaults",
                "Offers a form with defaults.",
            ),
            async |ctx: Context, _: NoArguments| {
                let message = "Please review and update the form fields with defaults";
                Ok(completed(
                    &ctx.elicit("form", message, DEFAULTS_FORM).await?,
                ))
            },
        )
        .tool(
            about(
                "test_elicitation_sep1330_enums",
                "Offers a form with choices.",
            ),
            async |ctx: Context, _: NoArguments| {
                let message = "Please select options from the enum fields";
                Ok(completed(&ctx.elicit("form", message, ENUMS_FORM).await?))
            },
        )
        .tool(
            about(
                "test_streaming_elicitation",
                "Asks in the middle of a stream.",
            ),
            async |ctx: Context, _: NoArguments| {
                ctx.progress(0.0, Some(1.0));
                let answer = ctx.elicit("user_name", NAME_QUESTION, NAME_FORM).await?;
                ctx.progress(1.0, Some(1.0));
                Ok(completed(&answer))
            },
        )
        .tool(
            about(
                "test_missing_capability",
                "Can only be called by clients that sample.",
            )
            .needs(ClientCapabilities {
                sampling: true,
                ..ClientCapabilities::default()
            }),
            async |_: Context, _: NoArguments| Ok("The client declared sampling"),
        )
}

fn completed(answer: &Elicited) -> String {
    format!(
        "Elicitation completed: action={}, content={}",
        answer.action(),
        answer.content()
    )
}

// --- tools whose call takes several rounds in 2026-07-28 --------------------------------------

fn rounds(builder: Builder) -> Builder {
    builder
        .tool(
            about("test_input_required_result_elicitation", "Asks for a name."),
            async |ctx: Context, _: NoArguments| {
                let answer = ctx.elicit("user_name", NAME_QUESTION, NAME_FORM).await?;
                Ok(format!("Hello, {}!", field(&answer, "name")?))
            },
        )
        .tool(
            about("test_input_required_result_sampling", "Asks the model."),
            async |ctx: Context, _: NoArguments| {
                let question = "What is the capital of France?";
                let answer = ctx.sample("capital_question", question, 100).await?;
                Ok(answer.text)
            },
        )
        .tool(
            about(
                "test_input_required_result_list_roots",
                "Asks for the roots.",
            ),
            async |ctx: Context, _: NoArguments| {
                let roots = ctx.roots("client_roots").await?;
                let uris: Vec<String> = roots.into_iter().map(|root| root.uri).collect();
                Ok(format!("{} roots: {}", uris.len(), uris.join(", ")))
            },
        )
        .tool(
            about(
                "test_input_required_result_request_state",
                "Keeps state meanwhile.",
            ),
            async |ctx: Context, _: NoArguments| {
                let earlier: Option<String> = ctx.state();
                ctx.set_state(&"asked");
                ctx.elicit("confirm", "Please confirm", CONFIRM_FORM)
                    .await?;
                match earlier.as_deref() {
                    Some("asked") => Ok("state-ok"),
                    // A client of an earlier revision was asked in this very call.
                    None if !ctx.revision().has_input_required() => Ok("state-ok"),
                    _ => Err(CallError::failed("the state was lost")),
                }
            },
        )
        .tool(
            about(
                "test_input_required_result_multiple_inputs",
                "Asks three things at once.",
            ),
            async |ctx: Context, _: NoArguments| {
                ctx.set_state(&"asked");
                let asks = vec![
                    Ask::elicit("user_name", NAME_QUESTION, NAME_FORM)?,
                    Ask::sample("greeting", "Generate a greeting", 50),
                    Ask::roots("client_roots"),
                ];
                let answers = ctx.ask(asks).await?;
                Ok(format!("Got {} answers", answers.len()))
            },
        )
        .tool(
            about(
                "test_input_required_result_multi_round",
                "Asks one thing, then another.",
            ),
            async |ctx: Context, _: NoArguments| {
                ctx.set_state(&1);
                let message = "Step 1: What is your name?";
                let name = ctx.elicit("step1", message, NAME_FORM).await?;
                ctx.set_state(&2);
                let message = "Step 2: What is your favorite color?";
                let color = ctx.elicit("step2", message, COLOR_FORM).await?;
                let (name, color) = (field(&name, "name")?, field(&color, "color")?);
                Ok(format!("{name} likes {color}"))
            },
        )
        .tool(
            about(
                "test_input_required_result_tampered_state",
                "Refuses state it did not make.",
            ),
            async |ctx: Context, _: NoArguments| {
                ctx.set_state(&"sealed");
                ctx.elicit("confirm", "Please confirm", CONFIRM_FORM)
                    .await?;
                Ok("The state came back as it was")
            },
        )
        .tool(
            about(
                "test_input_required_result_capabilities",
                "Asks what the client can answer.",
            ),
            async |ctx: Context, _: NoArguments| {
                let mut asks = Vec::new();
                if ctx.client().elicitation_form {
                    asks.push(Ask::elicit("user_name", NAME_QUESTION, NAME_FORM)?);
                }
                if ctx.client().sampling {
                    asks.push(Ask::sample("greeting", "Generate a greeting", 50));
                }
                if ctx.client().roots {
                    asks.push(Ask::roots("client_roots"));
                }
                let answers = ctx.ask(asks).await?;
                Ok(format!("Got {} answers", answers.len()))
            },
        )
}

// --- tools whose calls become tasks -----------------------------------------------------------

#[derive(Deserialize)]
struct SlowCompute {
    seconds: f64,
    #[serde(default)]
    label: String,
}

#[derive(Deserialize)]
struct ConfirmDelete {
    filename: String,
}

fn tasks(builder: Builder) -> Builder {
    builder
        .tool(
            about("slow_compute", "Takes its time.")
                .number("seconds", "how long it takes")
                .optional_string("label", "a name for the result")
                .task(TaskSupport::Optional),
            async |ctx: Context, SlowCompute { seconds, label }| {
                let duration = Duration::try_from_secs_f64(seconds).map_err(|error| {
                    CallError::arguments(format!("argument `seconds`: {error}"))
                })?;
                ctx.start_task();
                ctx.sleep(duration).await;
                Ok(format!("Computed `{label}` in {seconds} s"))
            },
        )
        .tool(
            about("failing_job", "Fails after a second.").task(TaskSupport::Required),
            async |ctx: Context, _: NoArguments| {
                ctx.start_task();
                ctx.sleep(Duration::from_secs(1)).await;
                Err::<ToolResult, _>(CallError::failed("The job failed, as it always does"))
            },
        )
        .tool(
            about("protocol_error_job", "Ends in a protocol error.").task(TaskSupport::Optional),
            async |ctx: Context, _: NoArguments| {
                ctx.start_task();
                ctx.sleep(STEP).await;
                Err::<ToolResult, _>(CallError::protocol(INTERNAL_ERROR, "The job broke down"))
            },
        )
        .tool(
            about("confirm_delete", "Asks before it deletes (nothing).")
                .string("filename", "what is not deleted")
                .task(TaskSupport::Optional),
            async |ctx: Context, ConfirmDelete { filename }| {
                ctx.start_task();
                let message = format!("Delete {filename}?");
                let answer = ctx.elicit("confirm", &message, DELETE_FORM).await?;
                let confirmed = answer.field("confirm") == Some(serde_json::Value::Bool(true));
                Ok(match confirmed {
                    true => format!("Deleted {filename}"),
                    false => format!("Kept {filename}"),
                })
            },
        )
        .tool(
            about("multi_input", "Asks two things side by side.").task(TaskSupport::Optional),
            async |ctx: Context, _: NoArguments| {
                ctx.start_task();
                let asks = vec![
                    Ask::elicit("name", NAME_QUESTION, NAME_FORM)?,
                    Ask::elicit("nickname", "What do friends call you?", NAME_FORM)?,
                ];
                let answers = ctx.ask(asks).await?;
                let answers = answers.into_iter().filter_map(|answer| answer.elicited());
                let contents: Vec<String> =
                    answers.map(|answer| answer.content().to_owned()).collect();
                Ok(format!("Got {}", contents.join(" and ")))
            },
        )
        .tool(
            about("test_tool_with_task", "Asks first, then becomes a task.")
                .task(TaskSupport::Required),
            async |ctx: Context, _: NoArguments| {
                let answer = ctx.elicit("user_name", NAME_QUESTION, NAME_FORM).await?;
                let name = field(&answer, "name")?;
                ctx.start_task();
                ctx.sleep(STEP).await;
                Ok(format!("Hello, {name}, from a task!"))
            },
        )
}

/// JSON-RPC 2.0, section 5.1.
const INTERNAL_ERROR: i64 = -32603;

// --- tools that change something --------------------------------------------------------------

fn changes(builder: Builder) -> Builder {
    builder
        .tool_now(
            about(
                "test_trigger_tool_change",
                "Says that the list of tools changed.",
            ),
            |ctx: &Context, _: NoArguments| {
                ctx.changed(Change::Tools);
                Ok("Subscribers of the tool list were told")
            },
        )
        .tool_now(
            about(
                "test_trigger_prompt_change",
                "Says that the list of prompts changed.",
            ),
            |ctx: &Context, _: NoArguments| {
                ctx.changed(Change::Prompts);
                Ok("Subscribers of the prompt list were told")
            },
        )
        .tool_now(
            about(
                "test_trigger_resource_update",
                "Says that the watched resource changed.",
            ),
            |ctx: &Context, _: NoArguments| {
                ctx.changed(Change::Resource(WATCHED_RESOURCE.to_owned()));
                Ok("Subscribers of the watched resource were told")
            },
        )
}

// --- resources --------------------------------------------------------------------------------

const WATCHED_RESOURCE: &str = "test://watched-resource";
const DATA_TEMPLATE: &str = "test://template/{id}/data";

fn resources(builder: Builder) -> Result<Builder, Box<dyn Error>> {
    let template = ResourceTemplate::new(DATA_TEMPLATE, "template-data")?
        .title("Data by id")
        .description("One piece of data for each id.")
        .mime_type("application/json");
    Ok(builder
        .resource(
            Resource::new("test://static-text", "static-text")
                .title("Static text")
                .description("A text that never changes.")
                .mime_type("text/plain"),
            async |_: Context, uri: Uri| {
                let text = "This is the content of the static text resource.";
                Ok(ResourceContents::text(uri, text))
            },
        )
        .resource(
            Resource::new("test://static-binary", "static-binary")
                .title("Static picture")
                .description("A red dot.")
                .mime_type("image/png"),
            async |_: Context, uri: Uri| Ok(ResourceContents::blob(uri, RED_DOT_PNG)),
        )
        .resource(
            Resource::new(WATCHED_RESOURCE, "watched-resource")
                .title("Watched resource")
                .description("A resource to subscribe to.")
                .mime_type("text/plain"),
            async |_: Context, uri: Uri| {
                Ok(ResourceContents::text(uri, "This is the watched resource."))
            },
        )
        .template(template, async |_: Context, uri: Uri| {
            let id = uri.variable("id").ok_or(CallError::NotFound)?;
            let data = serde_json::json!({
                "id": id,
                "templateTest": true,
                "data": format!("Data for ID: {id}"),
            });
            Ok(ResourceContents::text(&uri, data.to_string()))
        })
        .complete_template(DATA_TEMPLATE, async |_: Context, query: CompletionQuery| {
            Ok(beginning_with(&query.value, &["123", "124", "456"]))
        }))
}

// --- prompts ----------------------------------------------------------------------------------

fn prompts(builder: Builder) -> Builder {
    builder
        .prompt(
            Prompt::new("test_simple_prompt")
                .title("Simple prompt")
                .description("A prompt without arguments."),
            async |_: Context, _: Arguments| Ok("This is a simple prompt for testing."),
        )
        .prompt(
            Prompt::new("test_prompt_with_arguments")
                .title("Prompt with arguments")
                .description("A prompt that repeats its arguments.")
                .argument("arg1", "First test argument")
                .argument("arg2", "Second test argument"),
            async |_: Context, arguments: Arguments| {
                let (arg1, arg2) = (&arguments["arg1"], &arguments["arg2"]);
                Ok(format!(
                    "Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"
                ))
            },
        )
        .complete_prompt(
            "test_prompt_with_arguments",
            async |_: Context, query: CompletionQuery| {
                Ok(match query.argument.as_str() {
                    "arg1" => beginning_with(&query.value, &["test", "testValue1", "hello"]),
                    "arg2" => beginning_with(&query.value, &["testValue2", "world"]),
                    _ => Vec::new(),
                })
            },
        )
        .prompt(
            Prompt::new("test_prompt_with_embedded_resource")
                .title("Prompt with a resource")
                .description("A prompt that embeds a resource.")
                .argument("resourceUri", "URI of the resource to embed"),
            async |_: Context, arguments: Arguments| {
                let text = "Embedded resource content for testing.";
                let contents = ResourceContents::text(&arguments["resourceUri"], text);
                Ok(vec![
                    PromptMessage::user(Content::resource(contents.mime_type("text/plain"))),
                    PromptMessage::user("Please process the embedded resource above."),
                ])
            },
        )
        .prompt(
            Prompt::new("test_prompt_with_image")
                .title("Prompt with a picture")
                .description("A prompt that shows a picture."),
            async |_: Context, _: Arguments| {
                Ok(vec![
                    PromptMessage::user(Content::image(RED_DOT_PNG, "image/png")),
                    PromptMessage::user("Please analyze the image above."),
                ])
            },
        )
        .prompt(
            Prompt::new("test_input_required_result_prompt")
                .title("Prompt that asks")
                .description("A prompt that needs to know more first."),
            async |ctx: Context, _: Arguments| {
                let message = "What context should the prompt use?";
                let answer = ctx.elicit("user_context", message, CONTEXT_FORM).await?;
                let context = field(&answer, "context")?;
                Ok(format!("Use this context: {context}"))
            },
        )
}

// --- helpers and data -------------------------------------------------------------------------

/// A tool without arguments.
fn about(name: &str, description: &str) -> Tool {
    Tool::new(name).description(description)
}

/// A text of an accepted form.
fn field(answer: &Elicited, name: &str) -> Result<String, CallError> {
    let missing = || CallError::failed(format!("the user did not give `{name}`"));
    answer.text(name).ok_or_else(missing)
}

fn beginning_with(typed: &str, candidates: &[&'static str]) -> Vec<&'static str> {
    let fits = |candidate: &&&str| candidate.starts_with(typed);
    candidates.iter().filter(fits).copied().collect()
}

const NAME_QUESTION: &str = "What is your name?";
const NAME_FORM: &str =
    r#"{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}"#;
const COLOR_FORM: &str =
    r#"{"type":"object","properties":{"color":{"type":"string"}},"required":["color"]}"#;
const CONTEXT_FORM: &str =
    r#"{"type":"object","properties":{"context":{"type":"string"}},"required":["context"]}"#;
const CONFIRM_FORM: &str =
    r#"{"type":"object","properties":{"ok":{"type":"boolean"}},"required":["ok"]}"#;
const DELETE_FORM: &str =
    r#"{"type":"object","properties":{"confirm":{"type":"boolean"}},"required":["confirm"]}"#;
const USER_FORM: &str = r#"{
    "type": "object",
    "properties": {
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"}
    },
    "required": ["username", "email"]
}"#;

/// Defaults of every primitive type (SEP-1034).
const DEFAULTS_FORM: &str = r#"{
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "User name", "default": "John Doe"},
        "age": {"type": "integer", "description": "User age", "default": 30},
        "score": {"type": "number", "description": "User score", "default": 95.5},
        "status": {
            "type": "string",
            "description": "User status",
            "enum": ["active", "inactive", "pending"],
            "default": "active"
        },
        "verified": {"type": "boolean", "description": "Verification status", "default": true}
    },
    "required": []
}"#;

/// The five ways to offer a choice (SEP-1330).
const ENUMS_FORM: &str = r#"{
    "type": "object",
    "properties": {
        "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
        "titledSingle": {
            "type": "string",
            "oneOf": [
                {"const": "value1", "title": "First Option"},
                {"const": "value2", "title": "Second Option"},
                {"const": "value3", "title": "Third Option"}
            ]
        },
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"]
        },
        "untitledMulti": {
            "type": "array",
            "items": {"type": "string", "enum": ["option1", "option2", "option3"]}
        },
        "titledMulti": {
            "type": "array",
            "items": {
                "anyOf": [
                    {"const": "value1", "title": "First Choice"},
                    {"const": "value2", "title": "Second Choice"},
                    {"const": "value3", "title": "Third Choice"}
                ]
            }
        }
    },
    "required": []
}"#;

/// Has to reach the client word for word (SEP-1613, SEP-2106).
const JSON_SCHEMA_2020_12: &str = r##"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}}
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"}
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": false
}"##;

/// One red pixel.
const RED_DOT_PNG: &[u8] = b"\x89PNG\r\n\x1a\n\
    \x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde\
    \x00\x00\x00\x0cIDATx\xdac\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xf7\x03AC\
    \x00\x00\x00\x00IEND\xaeB`\x82";

/// One millisecond of a tone: 8-bit mono at 8 kHz.
const SHORT_WAV: &[u8] = b"RIFF\x2c\x00\x00\x00WAVE\
    fmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00\
    data\x08\x00\x00\x00\x80\xda\xff\xda\x80\x26\x01\x26";
