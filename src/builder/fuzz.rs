//! For fuzzing: a whole server, spoken to in memory by several clients at once, with time moved by hand.
//!
//! The input is a script of steps, each of which ends at a byte 0xFF. The first byte of a step says what is done with
//! its rest; arbitrary bytes are raw input to a connection, the other steps only help to get further than a refusal:
//!
//! | step | does |
//! |---|---|
//! | `P` json | POST of a message in the session that was opened last |
//! | `S` json | the same as the revisions without sessions want it, with the headers they mirror |
//! | `L` json | POST to the address that the HTTP+SSE stream gave |
//! | `C` json | plain JSON-RPC |
//! | `H` lines | a head: its request line without a version, then header lines |
//! | `N` n | goes on with connection n mod 4, new if it is closed |
//! | `T` n | n seconds pass |
//! | `Q` | the client stops reading, or reads again |
//! | `E`, `D` | the client closes its side, or all of it |
//! | anything else | these bytes are sent |
//!
//! `$S`, `$C`, `$R` and `$T` stand for the session, page cursor, request state and task that the server named last.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "what is expected is the test"
)]

mod answers;

use std::cell::RefCell;
use std::future::pending;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::catalog::Catalog;
use crate::gate::auth::{Auth, Tokens};
use crate::gate::host::{HostRule, Reach};
use crate::gate::origin::OriginRule;
use crate::gate::{Principal, Scopes};
use crate::metrics::Metrics;
use crate::rt::shutdown::Shutdown;
use crate::rt::{self, Accepted, Clock, Deadlines, Peer, Stream};
use crate::server::{self, Limits, Server};
use crate::transport::http::{Http, SiteCell};
use crate::transport::site::{Groups, Settings, Site};

use super::Builder;
use crate::{
    Arguments, CallError, CompletionQuery, Context, Level, NoArguments, Prompt, PromptMessage,
    Resource, ResourceContents, ResourceTemplate, TaskSupport, Tool, Uri,
};
use answers::check_answers;

/// Ends a step.
const STEP_END: u8 = 0xff;
/// Steps that are read; more of them say nothing new.
const STEPS_MAX: usize = 64;
/// `limits.sessions`.
const SESSIONS_MAX: usize = 3;
/// Connections that a script has.
const CLIENTS: usize = 4;
/// What a client keeps of the answers, to look into them.
const SEEN_MAX: usize = 1 << 20;
/// How often all others get their turn after a step. A call takes a few: its task, its answer, its connection.
const TURNS: usize = 24;

/// Runs a script. Nothing panics; what comes back is sound HTTP; afterwards the server has nothing open and answers.
#[doc(hidden)]
pub fn fuzz_connection(bytes: &[u8]) {
    let Some((flags, script)) = bytes.split_first() else {
        return;
    };
    let (settings, catalog) = offered();
    rt::run(async move {
        let mut world = World::new(settings, catalog, *flags);
        for step in script.split(|byte| *byte == STEP_END).take(STEPS_MAX) {
            world.step(step).await;
        }
        world.end().await;
    });
}

/// Every kind of thing that a server can offer, nothing of which waits for the real clock.
fn offered() -> (server::Settings, Catalog) {
    let builder = Builder::new("fuzz", "1")
        .page_len(2)
        .limits(Limits {
            sessions: SESSIONS_MAX,
            streams: 3,
            requests_in_flight: 4,
            stream_queue_bytes: 2048,
            replay_bytes: 2048,
            replay_total_bytes: 4096,
            tool_output_bytes: 1024,
            subscriptions: 2,
            tasks: 2,
        })
        .tool_now(
            Tool::new("echo")
                .string("value", "any text")
                .mirrored_in_header("value", "Value"),
            |_: &Context, arguments: serde_json::Value| Ok(arguments.to_string()),
        )
        .tool(Tool::new("say"), async |ctx: Context, _: NoArguments| {
            for n in 0..3 {
                ctx.progress(f64::from(n), Some(3.0));
                ctx.log(Level::Info, "so far");
                rt::yield_now().await;
            }
            Ok("said")
        })
        .tool(Tool::new("ask"), async |ctx: Context, _: NoArguments| {
            ctx.set_state(&"asked");
            let form = r#"{"type":"object","properties":{"a":{"type":"string"}}}"#;
            let answer = ctx.elicit("key", "what?", form).await?;
            let roots = ctx.roots("roots").await?;
            Ok(format!("{} {}", answer.content(), roots.len()))
        })
        .tool(Tool::new("hang"), async |_: Context, _: NoArguments| {
            pending::<()>().await;
            Ok("never")
        })
        .tool(
            Tool::new("later").task(TaskSupport::Optional),
            async |ctx: Context, _: NoArguments| {
                ctx.start_task();
                rt::yield_now().await;
                ctx.close_stream();
                Ok("done")
            },
        )
        .resource(
            Resource::new("test://one", "one"),
            async |_: Context, uri: Uri| Ok(ResourceContents::text(uri, "text")),
        )
        .template(
            ResourceTemplate::new("test://{name}/{+rest}", "all").expect("the template is sound"),
            async |_: Context, uri: Uri| Ok(ResourceContents::text(uri, "text")),
        )
        .prompt(
            Prompt::new("p").argument("a", "any text"),
            async |_: Context, arguments: Arguments| {
                Ok(PromptMessage::user(
                    arguments.get("a").map_or("", |text| text),
                ))
            },
        )
        .complete_prompt("p", async |_: Context, query: CompletionQuery| {
            Ok::<_, CallError>(vec![query.value])
        });
    builder
        .build()
        .expect("names and templates above are sound")
        .into_parts()
}

struct World {
    http: Rc<Http>,
    site: SiteCell,
    clock: Clock,
    clients: [Option<Client>; CLIENTS],
    at: usize,
    needs_token: bool,
    seen: Seen,
}

/// The client's end of a connection.
struct Client {
    stream: Stream,
    received: Vec<u8>,
    is_reading: bool,
}

/// What the server named last.
#[derive(Default)]
struct Seen {
    session: String,
    cursor: String,
    state: String,
    task: String,
    endpoint: String,
}

impl World {
    /// Called inside the runtime. The flags choose whether tokens are asked for, how much a pipe holds, and whether
    /// anybody may ask often.
    fn new(settings: server::Settings, catalog: Catalog, flags: u8) -> World {
        let clock = Clock::manual();
        let deadlines = Deadlines::new(&clock);
        let server = Server::new(
            settings,
            catalog,
            Rc::new(Metrics::new()),
            deadlines,
            [7; 32],
        );
        let needs_token = flags & 1 != 0;
        let mut auth = Auth::off();
        if needs_token {
            let mut tokens = Tokens::default();
            let principal = Principal {
                name: "fuzz".into(),
                scopes: Scopes::ALL,
                tools: [].into(),
            };
            tokens
                .add("token-of-the-fuzzer", principal)
                .expect("it is long enough");
            auth = Auth::Tokens(tokens);
        }
        let settings = Settings {
            auth,
            body_bytes_max: 2048,
            json_depth_max: 12,
            batch_len_max: 4,
            connections_max: 3,
            connections_reserved: 1,
            ..Settings::default()
        };
        let tick = Duration::from_secs(15);
        let http = Http::new(server, settings, Shutdown::new(), &clock, tick, tick);
        let site = Site {
            groups: Groups::ALL,
            host: HostRule::new(Reach::Loopback, &[]).expect("no host is named"),
            origin: OriginRule::new(Reach::Loopback, &[]).expect("no origin is named"),
            tls: None,
        };
        World {
            http,
            site: Rc::new(RefCell::new(Rc::new(site))),
            clock,
            clients: [const { None }; CLIENTS],
            at: 0,
            needs_token,
            seen: Seen::default(),
        }
    }

    async fn step(&mut self, step: &[u8]) {
        let Some((&what, rest)) = step.split_first() else {
            return;
        };
        match what {
            b'N' => self.at = usize::from(rest.first().copied().unwrap_or(1)) % CLIENTS,
            b'T' => {
                let seconds = rest.first().copied().unwrap_or(20);
                self.clock.advance(Duration::from_secs(seconds.into()));
            }
            b'D' => self.clients[self.at] = None,
            b'E' => _ = self.client().stream.shutdown_write(),
            b'Q' => {
                let client = self.client();
                client.is_reading = !client.is_reading;
            }
            b'P' | b'S' | b'L' | b'C' => {
                let request = self.request_of(what, rest);
                self.send(&request).await;
            }
            b'H' => {
                let head = self.head_of(rest);
                self.send(&head).await;
            }
            _ => self.send(step).await,
        }
        self.settle().await;
    }

    /// The connection that is spoken on; a new one if there is none.
    fn client(&mut self) -> &mut Client {
        let (http, site) = (&self.http, &self.site);
        self.clients[self.at].get_or_insert_with(|| {
            // Small, so that writing has to wait as well.
            let (near, stream) = Stream::memory(4096);
            let peer = Peer::Tcp(SocketAddr::from(([127, 0, 0, 1], 9)));
            Rc::clone(http).begin(Accepted { stream, peer }, site);
            Client {
                stream: near,
                received: Vec::new(),
                is_reading: true,
            }
        })
    }

    /// Writes as much as is taken; a peer that takes nothing for many turns gets no more.
    async fn send(&mut self, mut bytes: &[u8]) {
        for _ in 0..2 * TURNS {
            match self.client().stream.try_write(bytes) {
                Ok(len) => bytes = &bytes[len..],
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => (),
                Err(_) => return,
            }
            if bytes.is_empty() {
                return;
            }
            rt::yield_now().await;
            self.read();
        }
    }

    /// Lets everything run that can, and reads what came.
    async fn settle(&mut self) {
        for _ in 0..TURNS {
            rt::yield_now().await;
            self.read();
        }
    }

    fn read(&mut self) {
        let mut buf = [0; 4096];
        for client in &mut self.clients {
            let Some(open) = client else { continue };
            let mut is_over = false;
            while open.is_reading {
                match open.stream.try_read(&mut buf) {
                    Ok(0) => {
                        is_over = true;
                        break;
                    }
                    Ok(len) if open.received.len() < SEEN_MAX => {
                        open.received.extend_from_slice(&buf[..len]);
                        self.seen.look(&open.received);
                    }
                    Ok(_) => (),
                    Err(_) => break,
                }
            }
            if is_over {
                check_answers(&open.received);
                *client = None;
            }
        }
    }

    fn request_of(&self, what: u8, body: &[u8]) -> Vec<u8> {
        let body = self.seen.fill_in(body);
        let mut head = String::from("POST ");
        match what {
            b'L' => head.push_str(match self.seen.endpoint.as_str() {
                "" => "/messages/",
                endpoint => endpoint,
            }),
            b'C' => head.push_str("/api/mcp/v1/call"),
            _ => head.push_str("/mcp"),
        }
        head.push_str(" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n");
        head.push_str("Accept: application/json, text/event-stream\r\n");
        if what == b'P' && !self.seen.session.is_empty() {
            head.push_str(&format!("Mcp-Session-Id: {}\r\n", self.seen.session));
        }
        if what == b'S' {
            head.push_str("MCP-Protocol-Version: 2026-07-28\r\n");
            let message: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            let params = &message["params"];
            let name = params["name"].as_str().or_else(|| params["uri"].as_str());
            let value = params["arguments"]["value"].as_str();
            for (field, text) in [
                ("Mcp-Method", message["method"].as_str()),
                ("Mcp-Name", name),
                ("Mcp-Param-Value", value),
            ] {
                let is_plain = |text: &&str| text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
                if let Some(text) = text.filter(is_plain) {
                    head.push_str(&format!("{field}: {text}\r\n"));
                }
            }
        }
        head.push_str(self.authorization());
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        let mut request = head.into_bytes();
        request.extend_from_slice(&body);
        request
    }

    fn head_of(&self, lines: &[u8]) -> Vec<u8> {
        let lines = self.seen.fill_in(lines);
        let mut lines = lines.split(|byte| *byte == b'\n');
        let mut head = lines.next().unwrap_or_default().to_vec();
        head.extend_from_slice(b" HTTP/1.1\r\nHost: localhost\r\n");
        head.extend_from_slice(self.authorization().as_bytes());
        for line in lines {
            head.extend_from_slice(line);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        head
    }

    fn authorization(&self) -> &'static str {
        match self.needs_token {
            true => "Authorization: Bearer token-of-the-fuzzer\r\n",
            false => "",
        }
    }

    /// All clients go, and time with them.
    async fn end(mut self) {
        self.settle().await;
        for client in self.clients.iter_mut().filter_map(Option::take) {
            check_answers(&client.received);
        }
        for _ in 0..4 {
            self.settle().await;
            self.clock.advance(Duration::from_secs(3600));
        }
        self.settle().await;
        let server = &self.http.server;
        assert_eq!(server.metrics.connections_active(), 0, "open connections");
        assert_eq!(server.metrics.sse_active(), 0, "open event streams");
        assert_eq!(server.streams_open(), 0, "streams that count");
        // Their age is told by the real clock.
        assert!(server.sessions_open() <= SESSIONS_MAX, "sessions");
        self.at = 0;
        self.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await;
        self.settle().await;
        let answer = self.clients[0].as_ref().map(|client| &client.received[..]);
        assert!(
            answer.is_some_and(|answer| answer.starts_with(b"HTTP/1.1 200 ")),
            "it does not answer any more"
        );
    }
}

impl Seen {
    /// Takes what the end of an answer names.
    fn look(&mut self, received: &[u8]) {
        let tail = received.len().saturating_sub(4096);
        let text = String::from_utf8_lossy(&received[tail..]);
        for (mark, end, to) in [
            ("Mcp-Session-Id: ", '\r', &mut self.session),
            (r#""nextCursor":""#, '"', &mut self.cursor),
            (r#""requestState":""#, '"', &mut self.state),
            (r#""taskId":""#, '"', &mut self.task),
            ("event: endpoint\ndata: ", '\n', &mut self.endpoint),
        ] {
            let named = text
                .rsplit_once(mark)
                .and_then(|(_, rest)| rest.split_once(end));
            if let Some((name, _)) = named {
                *to = name.to_owned();
            }
        }
        if let Some(query) = self.endpoint.find('?') {
            self.endpoint = format!("/messages/{}", &self.endpoint[query..]);
        }
    }

    fn fill_in(&self, bytes: &[u8]) -> Vec<u8> {
        let mut filled = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            let text = match (byte, after.first()) {
                (b'$', Some(b'S')) => &self.session,
                (b'$', Some(b'C')) => &self.cursor,
                (b'$', Some(b'R')) => &self.state,
                (b'$', Some(b'T')) => &self.task,
                _ => {
                    filled.push(byte);
                    rest = after;
                    continue;
                }
            };
            filled.extend_from_slice(text.as_bytes());
            rest = &after[1..];
        }
        filled
    }
}
