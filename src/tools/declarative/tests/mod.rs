//! Packs put to work against a world of scripted answers: no socket, no clock that moves by itself.

mod before;
mod calls;
mod mistakes;
mod pages;
mod sessions;
mod survival;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use super::{OfferedTool, Pack, Service, ServiceSettings, Upstream, World};
use crate::client::{ClientError, Redirects, Request, Response, Route, Timeouts, Trust};
use crate::mcp::tool::ToolResult;
use crate::metrics::Metrics;
use crate::rt::process::Children;
use crate::sorted::SortedMap;
use crate::tools::{CallError, Context, LocalFuture, LocalHost, ToolHandler, command};

/// 2026-11-21T12:00:00Z.
const NOW_MS: i64 = 1_795_262_400_000;

thread_local! {
    static CLOCK_MS: Cell<i64> = const { Cell::new(NOW_MS) };
}

fn now_ms() -> i64 {
    CLOCK_MS.get()
}

/// What a test says the service answers.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: body.to_owned(),
    }
}

impl Answer {
    fn header(mut self, name: &'static str, value: &str) -> Answer {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// A request as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sent {
    line: String,
    headers: Vec<(String, String)>,
    body: String,
    total: Duration,
    response_bytes_max: usize,
    follows_redirects: bool,
}

impl Sent {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Answers by the script, in order; what is not in it refuses the connection.
#[derive(Default)]
struct Script {
    answers: RefCell<VecDeque<Answer>>,
    sent: RefCell<Vec<Sent>>,
    /// Polls that an answer takes.
    delay: Cell<u32>,
}

impl Upstream for Script {
    fn send<'a>(
        &'a self,
        request: Request,
        route: &'a Route,
    ) -> LocalFuture<'a, Result<Response, ClientError>> {
        Box::pin(async move {
            self.sent.borrow_mut().push(Sent {
                line: format!("{} {}", request.method, request.url),
                headers: request.headers,
                body: String::from_utf8(request.body).unwrap(),
                total: route.timeouts.total,
                response_bytes_max: route.body_bytes_max,
                follows_redirects: matches!(route.redirects, Redirects::SameOrigin { .. }),
            });
            for _ in 0..self.delay.get() {
                crate::rt::yield_now().await;
            }
            let Some(answer) = self.answers.borrow_mut().pop_front() else {
                return Err(ClientError::Closed {
                    origin: request.url.origin(),
                });
            };
            let headers = answer.headers.into_iter();
            Ok(Response {
                status: answer.status,
                headers: headers
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect(),
                body: answer.body.into_bytes(),
                url: request.url,
            })
        })
    }
}

/// A pack at work.
struct Bench {
    script: Rc<Script>,
    service: Rc<Service>,
    tools: Vec<OfferedTool>,
    metrics: Rc<Metrics>,
}

/// How a service is configured.
struct Setup {
    url: &'static str,
    token: Option<&'static str>,
    options: &'static [(&'static str, &'static str)],
    timeout: Option<Duration>,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            url: "http://svc.lan:81/base/",
            token: Some("s3cr3t"),
            options: &[],
            timeout: None,
        }
    }
}

impl Bench {
    #[track_caller]
    fn new(pack: &str) -> Bench {
        Bench::with(pack, Setup::default())
    }

    #[track_caller]
    fn with(pack: &str, setup: Setup) -> Bench {
        Bench::open(pack, setup).unwrap_or_else(|problems| panic!("{}", problems.join("\n")))
    }

    #[track_caller]
    fn open(pack: &str, setup: Setup) -> Result<Bench, Vec<String>> {
        CLOCK_MS.set(NOW_MS);
        let pack =
            Pack::read("svc.toml", "svc", pack.to_owned().into()).unwrap_or_else(|problems| {
                let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                panic!("{}", lines.join("\n"))
            });
        let script = Rc::new(Script::default());
        let metrics = Rc::new(Metrics::new());
        let world = World {
            upstream: script.clone(),
            now_ms,
            metrics: metrics.clone(),
            children: Rc::new(Children::new(1, None)),
            commands: command::Defaults {
                timeout: Duration::from_secs(10),
                output_bytes_max: 1 << 16,
            },
        };
        let options = setup.options.iter();
        let options: SortedMap<String, String> = options
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let settings = ServiceSettings {
            url: Some(setup.url.to_owned()),
            token: setup.token.map(str::to_owned),
            options,
            trust: Trust::standard(),
            timeout: setup.timeout,
            timeouts: Timeouts::default(),
            response_bytes_max: 2 << 20,
        };
        let (service, tools) = pack.open(settings, world)?;
        Ok(Bench {
            script,
            service,
            tools,
            metrics,
        })
    }

    fn answers(&self, answers: impl IntoIterator<Item = Answer>) -> &Bench {
        self.script.answers.borrow_mut().extend(answers);
        self
    }

    #[track_caller]
    fn start(
        &self,
        tool: &str,
        arguments: Value,
    ) -> LocalFuture<'static, Result<ToolResult, CallError>> {
        let found = self
            .tools
            .iter()
            .find(|offered| offered.tool.name() == tool);
        let offered = found.unwrap_or_else(|| panic!("no tool `{tool}`"));
        let context = Context::new(Rc::new(LocalHost::default()));
        match &offered.handler {
            ToolHandler::Pending(run) => run(context, &arguments.to_string()),
            ToolHandler::Immediate(_) => unreachable!("packs wait"),
        }
    }

    #[track_caller]
    fn call(&self, tool: &str, arguments: Value) -> Result<ToolResult, CallError> {
        crate::rt::run(self.start(tool, arguments))
    }

    /// The text of a result.
    #[track_caller]
    fn text(&self, tool: &str, arguments: Value) -> String {
        match self.call(tool, arguments) {
            Ok(result) => result.text_blocks(),
            Err(error) => panic!("{}", error.text()),
        }
    }

    /// What the model is told of a failure.
    #[track_caller]
    fn failure(&self, tool: &str, arguments: Value) -> String {
        match self.call(tool, arguments) {
            Err(CallError::Failed(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    /// What the model is told of arguments that do not fit; nothing may have been sent.
    #[track_caller]
    fn refused(&self, tool: &str, arguments: Value) -> String {
        match self.call(tool, arguments) {
            Err(CallError::Arguments(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    fn sent(&self) -> Vec<Sent> {
        self.script.sent.take()
    }

    fn lines(&self) -> Vec<String> {
        self.sent().into_iter().map(|sent| sent.line).collect()
    }

    fn counted(&self) -> Vec<String> {
        let mut text = String::new();
        self.metrics.render(&mut text);
        let counted = text
            .lines()
            .filter(|line| line.starts_with("mcp_upstream_requests_total{"));
        counted
            .filter(|line| !line.ends_with(" 0"))
            .map(|line| {
                line.trim_start_matches("mcp_upstream_requests_total")
                    .to_owned()
            })
            .collect()
    }
}

/// A pack of one tool, `svc_do`, from the rest of its `[[tool]]` table.
fn pack(tool: &str) -> String {
    format!("{SERVICE}\n{TOOL}\n{tool}")
}

const SERVICE: &str = "[service]\nid = 'svc'\ntitle = 'Svc'\nauth = { kind = 'bearer' }\n";
const TOOL: &str = "[[tool]]\nname = 'svc_do'\ndescription = 'Does.'\naccess = 'write'";
