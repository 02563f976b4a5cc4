//! Asks MCP servers on this machine as fast as one core can, checks every answer, and prints one line of JSON.
//!
//! ```text
//!   siskin-load calls   --port N --path /mcp --era ERA --connections N --seconds S --warm-up S [--ask list] [--pid N] …
//!   siskin-load streams --port N --path /mcp --kind session|http-sse|plain --count N --pid N [--publish PATH --event JSON]
//!   siskin-load start   --port N --path /mcp --runs N -- COMMAND…
//!   siskin-load stdio   --seconds S --warm-up S -- COMMAND…
//!   siskin-load stdio-start --runs N -- COMMAND…
//!   siskin-load bare    --port N --body TEXT          (serves: the limit to compare with)
//! ```
//!
//! ERA is session, session-per-call, stateless, http-sse or raw. Nothing but 127.0.0.1 is ever asked, and every run ends
//! by itself.

mod bare;
mod calls;
mod expect;
mod http;
mod report;
mod requests;
mod start;
mod stdio;
mod streams;
mod sys;

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use requests::{Ask, Era};

fn main() -> ExitCode {
    sys::raise_open_files();
    match run() {
        Ok(said) => {
            if !said.is_empty() {
                println!("{said}");
            }
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("siskin-load: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String, String> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments
        .next()
        .ok_or("calls, streams, start, stdio or stdio-start?")?;
    let options = Options::parse(arguments)?;
    requests::set_port(options.number("port", Some(0.0))? as u16);
    match command.as_str() {
        "calls" => calls::run(calls::Plan {
            port: options.number("port", None)? as u16,
            path: options.text("path", "/mcp"),
            era: Era::parse(&options.text("era", "session")).ok_or("no such era")?,
            ask: match options.text("ask", "call").as_str() {
                "list" => Ask::List,
                _ => Ask::Call,
            },
            tool: options.text("tool", "add"),
            tools: options.number("tools", Some(50.0))? as usize,
            connections: options.number("connections", Some(1.0))? as usize,
            warm_up: options.seconds("warm-up", 0.5)?,
            time: options.seconds("seconds", 2.0)?,
            calls_max: options.number("calls", Some(1e9))? as usize,
            must_go_on: options.text("go-on", "no") == "yes",
            pid: options.number("pid", Some(0.0))? as u32,
        }),
        "streams" => {
            let kind = match options.text("kind", "session").as_str() {
                "plain" => streams::Kind::Plain,
                "http-sse" => streams::Kind::HttpSse,
                _ => streams::Kind::Session,
            };
            let publish = options.text("publish", "");
            streams::run(&streams::Plan {
                port: options.number("port", None)? as u16,
                path: options.text("path", "/mcp"),
                kind,
                count: options.number("count", None)? as usize,
                time_max: options.seconds("time-max", 60.0)?,
                pid: options.number("pid", Some(0.0))? as u32,
                publish: (!publish.is_empty()).then(|| (publish, options.text("event", "{}"))),
            })?;
            Ok(String::new())
        }
        "start" => start::run(
            &options.command,
            options.number("runs", Some(1.0))? as usize,
            options.number("port", None)? as u16,
            &options.text("path", "/mcp"),
        ),
        "stdio" => stdio::run(
            &options.command,
            options.seconds("warm-up", 0.5)?,
            options.seconds("seconds", 2.0)?,
            &options.text("tool", "add"),
        ),
        "bare" => {
            bare::serve(
                options.number("port", None)? as u16,
                &options.text("body", "{}"),
            )?;
            Ok(String::new())
        }
        "stdio-start" => stdio::starts(
            &options.command,
            options.number("runs", Some(1.0))? as usize,
        ),
        other => Err(format!("no such command: {other}")),
    }
}

/// `--name value` pairs, then `--` and a command.
struct Options {
    pairs: HashMap<String, String>,
    command: Vec<String>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut pairs = HashMap::new();
        while let Some(argument) = arguments.next() {
            if argument == "--" {
                break;
            }
            let name = argument
                .strip_prefix("--")
                .ok_or_else(|| format!("`{argument}` is no option"))?;
            let value = arguments
                .next()
                .ok_or_else(|| format!("`{argument}` needs a value"))?;
            pairs.insert(name.to_owned(), value);
        }
        Ok(Options {
            pairs,
            command: arguments.collect(),
        })
    }

    fn text(&self, name: &str, default: &str) -> String {
        self.pairs
            .get(name)
            .map_or(default, String::as_str)
            .to_owned()
    }

    fn number(&self, name: &str, default: Option<f64>) -> Result<f64, String> {
        match self.pairs.get(name) {
            Some(text) => text
                .parse()
                .map_err(|_| format!("`--{name} {text}` is no number")),
            None => default.ok_or_else(|| format!("`--{name}` is missing")),
        }
    }

    fn seconds(&self, name: &str, default: f64) -> Result<Duration, String> {
        Ok(Duration::from_secs_f64(self.number(name, Some(default))?))
    }
}
