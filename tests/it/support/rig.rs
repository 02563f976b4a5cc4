//! siskin in front of one fake service, configured as a user would: by URL and token.

use std::fs::OpenOptions;
use std::io::Write as _;

use super::{Env, Mcp, Server, Service, Upstream, Value, Way, json, parse};

/// Names the file in which calls are written down, a line each, for the test that counts them
/// (`packs::every_tool_succeeds_fails_and_refuses`). Without it nothing is written.
pub const LEDGER: &str = "SISKIN_TEST_LEDGER";

/// How a call of a tool went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// With a result.
    Success,
    /// With what the model is told of an upstream's failure; the upstream was asked.
    UpstreamError,
    /// With what the model is told of its arguments; nobody was asked.
    BadArgument,
}

/// See the module. Dropped in this order: client, server, service.
pub struct Rig<S: Service> {
    /// A session with siskin.
    pub mcp: Mcp,
    /// siskin.
    pub server: Server,
    /// The service behind it.
    pub upstream: Upstream<S>,
}

impl<S: Service> Rig<S> {
    /// Starts siskin with `APP_<SERVICE>__URL` and, if there is one, `APP_<SERVICE>__TOKEN`.
    #[track_caller]
    pub fn start(service: &str, token: Option<&str>, upstream: Upstream<S>) -> Rig<S> {
        Rig::start_with(service, token, upstream, &[])
    }

    /// The same with more of its environment.
    #[track_caller]
    pub fn start_with(
        service: &str,
        token: Option<&str>,
        upstream: Upstream<S>,
        more: Env,
    ) -> Rig<S> {
        let service = service.to_uppercase();
        let (url, url_name) = (upstream.url(), format!("APP_{service}__URL"));
        let token_name = format!("APP_{service}__TOKEN");
        let mut env = more.to_vec();
        env.push((&url_name, &url));
        if let Some(token) = token {
            env.push((&token_name, token));
        }
        let server = Server::start(&env);
        let mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
        Rig {
            mcp,
            server,
            upstream,
        }
    }

    /// Calls a tool that must succeed and returns its text.
    #[track_caller]
    pub fn text(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.mcp.call(tool, arguments);
        assert_ne!(result["isError"], true, "{tool}: {result}");
        write_down(tool, Outcome::Success);
        text_of(&result)
    }

    /// Calls a tool that must succeed and returns its JSON, which must be the same as text and as
    /// structured content.
    #[track_caller]
    pub fn json(&mut self, tool: &str, arguments: Value) -> Value {
        let result = self.mcp.call(tool, arguments);
        assert_ne!(result["isError"], true, "{tool}: {result}");
        let value = parse(text_of(&result));
        assert_eq!(result["structuredContent"], value, "{tool}");
        write_down(tool, Outcome::Success);
        value
    }

    /// Calls a tool that must fail, as a result, and returns what the model is told.
    #[track_caller]
    pub fn failure(&mut self, tool: &str, arguments: Value) -> String {
        let before = self.upstream.calls().len();
        let result = self.mcp.call(tool, arguments);
        assert_eq!(result["isError"], true, "{tool}: {result}");
        if self.upstream.calls().len() > before {
            write_down(tool, Outcome::UpstreamError);
        }
        text_of(&result)
    }

    /// Calls a tool whose arguments must be refused, with these words, before anything is sent.
    #[track_caller]
    pub fn refused(&mut self, tool: &str, arguments: Value, words: &str) {
        let text = self.failure(tool, arguments);
        assert!(text.contains(words), "{tool}: no `{words}` in: {text}");
        self.upstream.expect_untouched();
        write_down(tool, Outcome::BadArgument);
    }

    /// Asks siskin whether it is ready, and through it the service: the probe that arrives, and
    /// whether the service counts as up.
    #[track_caller]
    pub fn probe(&self) -> (String, bool) {
        // Nobody asks a service unasked.
        self.upstream.expect_untouched();
        let response = self.server.get("/ready");
        let is_up = response.status == 200;
        let word = if is_up { ":\"up\"" } else { ":\"down\"" };
        assert!(response.text().contains(word), "{}", response.text());
        (self.upstream.only().line(), is_up)
    }

    /// The tools it offers, by name.
    #[track_caller]
    pub fn tools(&mut self) -> Vec<Value> {
        let listed = self.mcp.result("tools/list", json!({}));
        assert!(listed.get("nextCursor").is_none(), "more than one page");
        listed["tools"].as_array().unwrap().clone()
    }
}

fn write_down(tool: &str, outcome: Outcome) {
    let Some(path) = std::env::var_os(LEDGER) else {
        return;
    };
    let file = OpenOptions::new().append(true).create(true).open(path);
    // One write, so that lines of several threads stay apart.
    let line = format!("{tool} {outcome:?}\n");
    file.and_then(|mut file| file.write_all(line.as_bytes()))
        .expect("the ledger takes a line");
}

#[track_caller]
fn text_of(result: &Value) -> String {
    let content = result["content"].as_array();
    let [only] = content.map_or(&[][..], |content| content) else {
        panic!("not one piece of content: {result}");
    };
    only["text"]
        .as_str()
        .unwrap_or_else(|| panic!("no text: {result}"))
        .to_owned()
}
