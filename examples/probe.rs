//! A server whose tools can be watched from outside: the fixture of our own protocol tests, for
//! what `everything` has no tool for. Takes the same arguments.
//!
//! A call of `wait` waits until `release` is called with the same key, by anyone, and `outcome`
//! tells what became of it. So a test says when a slow tool ends, and sees whether one was
//! cancelled. Its limits are small enough to reach: two entries on a page, two subscriptions, eight
//! requests in flight.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::future::poll_fn;
use std::io::Write;
use std::rc::Rc;
use std::task::{Poll, Waker};

use serde::Deserialize;
use siskin::{
    Arguments, Builder, CallError, Change, CompletionQuery, Context, Level, Limits, McpServer,
    NoArguments, Prompt, Resource, ResourceContents, ResourceTemplate, Tool, ToolResult, Uri,
};

fn main() -> Result<(), Box<dyn Error>> {
    let server = probe()?;
    match std::env::args().nth(1).as_deref() {
        Some("--stdio") => server.serve_stdio()?,
        Some(port) => {
            let port: u16 = port.parse()?;
            server.serve_http_then(format!("127.0.0.1:{port}"), |address| {
                // Nobody may be listening to the end.
                _ = writeln!(std::io::stderr(), "listening http {address}");
            })?;
        }
        None => return Err("usage: probe PORT | probe --stdio".into()),
    }
    Ok(())
}

fn probe() -> Result<McpServer, Box<dyn Error>> {
    let limits = Limits {
        requests_in_flight: 8,
        subscriptions: 2,
        ..Limits::default()
    };
    let builder = Builder::new("probe", env!("CARGO_PKG_VERSION"));
    let builder = builder.page_len(2).limits(limits);
    let builder = waiting(builder, Rc::default());
    let builder = saying(builder);
    let builder = lists(builder)?;
    Ok(builder.build()?)
}

// --- tools that wait --------------------------------------------------------------------------

#[derive(Deserialize)]
struct Wait {
    key: String,
    /// Progress reports sent before it waits.
    #[serde(default)]
    before: u32,
    /// Progress reports sent after it was released.
    #[serde(default)]
    after: u32,
}

#[derive(Deserialize)]
struct Key {
    key: String,
}

/// What became of each call of `wait`, by its key.
#[derive(Default)]
struct Waits(RefCell<BTreeMap<String, Entry>>);

struct Entry {
    state: State,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Cancelled,
    Done,
    Released,
    Waiting,
}

fn waiting(builder: Builder, waits: Rc<Waits>) -> Builder {
    let (for_wait, for_release, for_outcome) = (waits.clone(), waits.clone(), waits);
    let key = "names the call";
    builder
        .tool(
            Tool::new("wait")
                .description("Waits until it is released.")
                .string("key", key),
            async move |ctx: Context, Wait { key, before, after }| {
                let mut waiting = for_wait.begin(&key);
                for step in 0..before {
                    ctx.progress(f64::from(step), None);
                }
                waiting.released().await;
                for step in before..before + after {
                    ctx.progress(f64::from(step), None);
                }
                waiting.is_done = true;
                Ok(format!("released {key}"))
            },
        )
        .tool_now(
            Tool::new("release")
                .description("Releases a call of `wait`.")
                .string("key", key),
            move |_: &Context, Key { key }| Ok(for_release.release(&key)),
        )
        .tool_now(
            Tool::new("outcome")
                .description("Says what became of a call of `wait`.")
                .string("key", key),
            move |_: &Context, Key { key }| Ok(for_outcome.outcome(&key)),
        )
}

impl Waits {
    fn begin(self: &Rc<Waits>, key: &str) -> Waiting {
        let entry = Entry {
            state: State::Waiting,
            waker: None,
        };
        self.0.borrow_mut().insert(key.to_owned(), entry);
        Waiting {
            waits: self.clone(),
            key: key.to_owned(),
            is_done: false,
        }
    }

    fn release(&self, key: &str) -> &'static str {
        let mut waits = self.0.borrow_mut();
        let Some(entry) = waits.get_mut(key).filter(|it| it.state == State::Waiting) else {
            return "not waiting";
        };
        entry.state = State::Released;
        if let Some(waker) = entry.waker.take() {
            waker.wake();
        }
        "released"
    }

    fn outcome(&self, key: &str) -> &'static str {
        match self.0.borrow().get(key).map(|entry| entry.state) {
            None => "unknown",
            Some(State::Cancelled) => "cancelled",
            Some(State::Done) => "done",
            Some(State::Released | State::Waiting) => "waiting",
        }
    }
}

/// One call; dropped before it is done, it was cancelled.
struct Waiting {
    waits: Rc<Waits>,
    key: String,
    is_done: bool,
}

impl Waiting {
    async fn released(&self) {
        poll_fn(|cx| match self.waits.0.borrow_mut().get_mut(&self.key) {
            Some(entry) if entry.state == State::Waiting => {
                entry.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        })
        .await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(entry) = self.waits.0.borrow_mut().get_mut(&self.key) {
            entry.state = match self.is_done {
                true => State::Done,
                false => State::Cancelled,
            };
        }
    }
}

// --- tools that say something -----------------------------------------------------------------

fn saying(builder: Builder) -> Builder {
    builder
        .tool(
            Tool::new("log").description("Logs once at each level."),
            async |ctx: Context, _: NoArguments| {
                for level in Level::ALL {
                    ctx.log(level, level.as_str());
                }
                Ok("logged")
            },
        )
        .tool_now(
            Tool::new("mirror")
                .description("Has arguments that clients repeat in headers.")
                .input_schema_json(MIRRORED)
                .read_only(),
            |_: &Context, arguments: serde_json::Value| Ok(arguments.to_string()),
        )
        .tool_now(
            Tool::new("fail").description("Fails."),
            |_: &Context, _: NoArguments| Err::<ToolResult, _>(CallError::failed("it failed")),
        )
        .tool_now(
            Tool::new("announce").description("Says that the list of tools has changed."),
            |ctx: &Context, _: NoArguments| {
                ctx.changed(Change::Tools);
                Ok("announced")
            },
        )
}

/// Of each kind that may be mirrored, one; the number inside an object.
const MIRRORED: &str = r#"{
    "type": "object",
    "properties": {
        "text": {"type": "string", "x-mcp-header": "Text"},
        "flag": {"type": "boolean", "x-mcp-header": "Flag"},
        "deep": {
            "type": "object",
            "properties": {"number": {"type": "integer", "x-mcp-header": "Number"}}
        }
    }
}"#;

// --- lists ------------------------------------------------------------------------------------

/// More than one answer of `completion/complete` may have.
const WORDS: usize = 101;

fn lists(mut builder: Builder) -> Result<Builder, Box<dyn Error>> {
    for name in ["one", "two", "three"] {
        let template = ResourceTemplate::new(&format!("probe://{name}/{{word}}"), name)?;
        builder = builder
            .resource(
                Resource::new(format!("probe://{name}"), name),
                async |_: Context, uri: Uri| Ok(ResourceContents::text(uri, "text")),
            )
            .template(template, async |_: Context, uri: Uri| {
                Ok(ResourceContents::text(uri, "text"))
            })
            .prompt(
                Prompt::new(name).argument("word", "any word"),
                async |_: Context, arguments: Arguments| Ok(arguments["word"].clone()),
            );
    }
    Ok(builder
        .complete_prompt("one", async |_: Context, query: CompletionQuery| {
            let words = (0..WORDS).map(|number| format!("{}{number}", query.value));
            Ok(words.collect::<Vec<_>>())
        })
        .complete_template(
            "probe://one/{word}",
            async |_: Context, query: CompletionQuery| {
                let prompt = query.context.get("before").cloned().unwrap_or_default();
                Ok(vec![format!("{}{prompt}", query.value)])
            },
        ))
}
