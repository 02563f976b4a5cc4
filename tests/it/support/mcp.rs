//! An MCP client over any transport and in any revision, thin enough to see through: it dresses
//! messages as the revision asks and sorts what comes back, nothing else.

use std::net::SocketAddr;

use super::http::{Http, Request, Response};
use super::server::Server;
use super::sse::Sse;
use super::stdio::StdioServer;
use super::{Until, Value, json};

/// A transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// GET `/sse/` and POST `/messages/`.
    HttpSse,
    /// POST `/api/mcp/v1/call`.
    Plain,
    /// Lines on stdin and stdout.
    Stdio,
    /// `/mcp`.
    Streamable,
}

/// The newest revision, the only one without a handshake.
pub const STATELESS: &str = "2026-07-28";

/// A client; see the module.
pub struct Mcp {
    /// The revision it speaks.
    pub revision: String,
    /// What `initialize` answered.
    pub introduction: Value,
    /// The capabilities it declares, with the handshake or with each request.
    pub capabilities: Value,
    /// Messages that came beside the answers asked for, oldest first.
    pub heard: Vec<Value>,
    link: Link,
    next_id: u64,
}

enum Link {
    HttpSse {
        addr: SocketAddr,
        stream: Box<Sse>,
        endpoint: String,
    },
    Plain {
        addr: SocketAddr,
    },
    Stdio(Box<StdioServer>),
    Streamable {
        addr: SocketAddr,
        session: Option<String>,
    },
}

impl Mcp {
    /// Connects over HTTP and, in a legacy revision, shakes hands.
    #[track_caller]
    pub fn open(way: Way, server: &Server, revision: &str) -> Mcp {
        Mcp::open_with(way, server, revision, json!({}))
    }

    /// The same with client capabilities.
    #[track_caller]
    pub fn open_with(way: Way, server: &Server, revision: &str, capabilities: Value) -> Mcp {
        let mut mcp = Mcp::connect(way, server.addr, revision);
        mcp.capabilities = capabilities;
        mcp.shake_hands();
        mcp
    }

    /// Speaks with a stdio server and, in a legacy revision, shakes hands.
    #[track_caller]
    pub fn stdio(server: StdioServer, revision: &str) -> Mcp {
        Mcp::stdio_with(server, revision, json!({}))
    }

    /// The same with client capabilities.
    #[track_caller]
    pub fn stdio_with(server: StdioServer, revision: &str, capabilities: Value) -> Mcp {
        let mut mcp = Mcp::of(Link::Stdio(Box::new(server)), revision);
        mcp.capabilities = capabilities;
        mcp.shake_hands();
        mcp
    }

    /// Speaks with a stdio server without a handshake.
    pub fn stdio_unopened(server: StdioServer, revision: &str) -> Mcp {
        Mcp::of(Link::Stdio(Box::new(server)), revision)
    }

    /// Connects over HTTP without a handshake.
    #[track_caller]
    pub fn connect(way: Way, addr: SocketAddr, revision: &str) -> Mcp {
        let link = match way {
            Way::Stdio => panic!("a stdio server is given, not connected to"),
            Way::Plain => Link::Plain { addr },
            Way::Streamable => Link::Streamable {
                addr,
                session: None,
            },
            Way::HttpSse => {
                let request = Request::get("/sse/").header("Accept", "text/event-stream");
                let mut stream = Http::connect(addr).into_sse(&request);
                let first = stream.next();
                assert_eq!(first.event, "endpoint", "{first:?}");
                Link::HttpSse {
                    addr,
                    stream: Box::new(stream),
                    endpoint: resolve("/sse/", &first.data),
                }
            }
        };
        Mcp::of(link, revision)
    }

    /// Only builds messages: those of another revision for the same connection.
    pub fn connect_nowhere(revision: &str) -> Mcp {
        let addr = SocketAddr::from(([127, 0, 0, 1], 1));
        Mcp::of(Link::Plain { addr }, revision)
    }

    fn of(link: Link, revision: &str) -> Mcp {
        Mcp {
            revision: revision.to_owned(),
            introduction: Value::Null,
            capabilities: json!({}),
            heard: Vec::new(),
            link,
            next_id: 1,
        }
    }

    /// Whether each request carries its own version and capabilities.
    pub fn is_stateless(&self) -> bool {
        self.revision.as_str() >= STATELESS
    }

    #[track_caller]
    fn shake_hands(&mut self) {
        if self.is_stateless() || matches!(self.link, Link::Plain { .. }) {
            return;
        }
        let params = json!({
            "protocolVersion": self.revision,
            "capabilities": self.capabilities,
            "clientInfo": {"name": "it", "version": "1"},
        });
        let answer = self.request("initialize", params);
        let result = result_of(answer);
        assert_eq!(
            result["protocolVersion"],
            self.revision.as_str(),
            "{result}"
        );
        self.introduction = result;
        self.notify("notifications/initialized", json!({}));
    }

    // --- building messages --------------------------------------------------------------------

    /// A request with an id of its own, dressed for the revision.
    pub fn build(&mut self, method: &str, params: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        self.build_with_id(json!(id), method, params)
    }

    /// A request with this id, dressed for the revision.
    pub fn build_with_id(&self, id: Value, method: &str, mut params: Value) -> Value {
        if self.is_stateless() {
            let meta = &mut params["_meta"];
            for (key, value) in [
                ("protocolVersion", json!(self.revision)),
                ("clientInfo", json!({"name": "it", "version": "1"})),
                ("clientCapabilities", self.capabilities.clone()),
            ] {
                meta[format!("io.modelcontextprotocol/{key}")] = value;
            }
        }
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
    }

    /// The POST that carries a message over HTTP, with the headers the revision asks for.
    #[track_caller]
    pub fn post(&self, message: &Value) -> Request {
        let mut request = Request::post(self.target(), message);
        let Link::Streamable { session, .. } = &self.link else {
            return request;
        };
        if message["method"] != "initialize" || self.is_stateless() {
            request = request.header("MCP-Protocol-Version", &self.revision);
        }
        if let Some(session) = session {
            request = request.header("Mcp-Session-Id", session);
        }
        if self.is_stateless()
            && let Some(method) = message["method"].as_str()
        {
            request = request.header("Mcp-Method", method);
            let params = &message["params"];
            let name = match method {
                "tools/call" | "prompts/get" => params["name"].as_str(),
                "resources/read" => params["uri"].as_str(),
                "tasks/get" | "tasks/update" | "tasks/cancel" => params["taskId"].as_str(),
                _ => None,
            };
            if let Some(name) = name {
                request = request.header("Mcp-Name", name);
            }
        }
        request
    }

    // --- talking ------------------------------------------------------------------------------

    /// Sends a request and returns its response, error or not.
    #[track_caller]
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let message = self.build(method, params);
        self.ask(&message)
    }

    /// Sends a request and returns its result; fails on an error.
    #[track_caller]
    pub fn result(&mut self, method: &str, params: Value) -> Value {
        result_of(self.request(method, params))
    }

    /// Sends a request and returns its error; fails on a result.
    #[track_caller]
    pub fn error(&mut self, method: &str, params: Value) -> Value {
        let answer = self.request(method, params);
        assert!(
            answer.get("result").is_none(),
            "a result where an error is due: {answer}"
        );
        answer["error"].clone()
    }

    /// Calls a tool and returns its result.
    #[track_caller]
    pub fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// Calls a tool that has no arguments and returns the text of its first content.
    #[track_caller]
    pub fn call_text(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments);
        let text = result["content"][0]["text"].as_str();
        text.unwrap_or_else(|| panic!("no text: {result}"))
            .to_owned()
    }

    /// Calls a tool again and again until its text is `expected`.
    #[track_caller]
    pub fn call_until(&mut self, tool: &str, arguments: Value, expected: &str) {
        super::poll_until(&format!("`{expected}` from {tool} {arguments}"), || {
            (self.call_text(tool, arguments.clone()) == expected).then_some(())
        });
    }

    /// Waits for what becomes of a call of the probe's `wait`.
    #[track_caller]
    pub fn wait_outcome(&mut self, key: &str, expected: &str) {
        self.call_until("outcome", json!({"key": key}), expected);
    }

    /// Lets a call of the probe's `wait` go on.
    #[track_caller]
    pub fn release(&mut self, key: &str) {
        assert_eq!(self.call_text("release", json!({"key": key})), "released");
    }

    /// Sends a request as it is and returns the response to it.
    #[track_caller]
    pub fn ask(&mut self, message: &Value) -> Value {
        self.ask_and_serve(message, |server_request| {
            panic!("a request from the server: {server_request}")
        })
    }

    /// The same for a request during which the server asks something: `serve` makes the whole
    /// `result` of each of the server's requests.
    #[track_caller]
    pub fn ask_and_serve(
        &mut self,
        message: &Value,
        mut serve: impl FnMut(&Value) -> Value,
    ) -> Value {
        let mut stream = self.send(message);
        loop {
            let got = match &mut stream {
                Some(stream) => stream.next(),
                None => self.next(),
            };
            if got.get("method").is_none() && got.get("id") == message.get("id") {
                return got;
            }
            if got.get("method").is_some() && got.get("id").is_some() {
                let reply = json!({"jsonrpc": "2.0", "id": got["id"], "result": serve(&got)});
                assert!(self.send(&reply).is_none(), "an answer to an answer");
            } else {
                self.heard.push(got);
            }
        }
    }

    /// Sends a notification, which nothing may answer.
    #[track_caller]
    pub fn notify(&mut self, method: &str, params: Value) {
        let message = json!({"jsonrpc": "2.0", "method": method, "params": params});
        assert!(self.send(&message).is_none(), "an answer to {message}");
    }

    /// Sends a message. Where the answers to it come by themselves (the body of a POST), they are
    /// returned to be read; elsewhere `next` reads whatever comes. Checks the statuses and headers
    /// that every POST must be answered with.
    #[track_caller]
    pub fn send(&mut self, message: &Value) -> Option<Incoming> {
        if let Link::Stdio(server) = &mut self.link {
            server.send(message);
            return None;
        }
        let request = self.post(message);
        let mut incoming = Incoming::start(self.addr(), &request);
        match &mut self.link {
            Link::Stdio(_) => None,
            Link::HttpSse { .. } => {
                let response = incoming.into_response();
                assert_eq!(
                    (response.status, &response.body[..]),
                    (202, &b""[..]),
                    "{response:?}"
                );
                None
            }
            Link::Plain { .. } | Link::Streamable { .. } => {
                let is_initialize = message["method"] == "initialize";
                if !message.is_array()
                    && (message.get("id").is_none() || message.get("method").is_none())
                {
                    let response = incoming.into_response();
                    assert_eq!(
                        (response.status, &response.body[..]),
                        (202, &b""[..]),
                        "{response:?}"
                    );
                    return None;
                }
                if let Link::Streamable { session, .. } = &mut self.link
                    && is_initialize
                {
                    *session = incoming.head().header("mcp-session-id").map(str::to_owned);
                }
                Some(incoming)
            }
        }
    }

    /// The next message of the connection (stdio, HTTP+SSE).
    #[track_caller]
    pub fn next(&mut self) -> Value {
        match &mut self.link {
            Link::HttpSse { stream, .. } => stream.message(),
            Link::Stdio(server) => server.message(),
            Link::Plain { .. } | Link::Streamable { .. } => {
                panic!("messages of this transport come as answers to a POST, or by `listen`")
            }
        }
    }

    // --- the session over /mcp ----------------------------------------------------------------

    /// Opens the session's GET stream.
    #[track_caller]
    pub fn listen(&self) -> Sse {
        Http::connect(self.addr()).into_sse(&self.get())
    }

    /// Resumes a stream of the session.
    #[track_caller]
    pub fn resume(&self, last_event_id: &str) -> Sse {
        let request = self.get().header("Last-Event-ID", last_event_id);
        Http::connect(self.addr()).into_sse(&request)
    }

    /// The GET that opens the session's stream.
    #[track_caller]
    pub fn get(&self) -> Request {
        self.dress(Request::get("/mcp").header("Accept", "text/event-stream"))
    }

    /// The DELETE that ends the session.
    #[track_caller]
    pub fn delete(&self) -> Request {
        self.dress(Request::new("DELETE", "/mcp"))
    }

    /// The session's id.
    #[track_caller]
    pub fn session(&self) -> &str {
        match &self.link {
            Link::Streamable {
                session: Some(session),
                ..
            } => session,
            _ => panic!("no session of Streamable HTTP"),
        }
    }

    fn dress(&self, request: Request) -> Request {
        request
            .header("MCP-Protocol-Version", &self.revision)
            .header("Mcp-Session-Id", self.session())
    }

    /// The address it speaks with.
    #[track_caller]
    pub fn addr(&self) -> SocketAddr {
        match &self.link {
            Link::HttpSse { addr, .. } | Link::Plain { addr } | Link::Streamable { addr, .. } => {
                *addr
            }
            Link::Stdio(_) => panic!("stdio has no address"),
        }
    }

    /// Where it posts.
    #[track_caller]
    pub fn target(&self) -> &str {
        match &self.link {
            Link::HttpSse { endpoint, .. } => endpoint,
            Link::Plain { .. } => "/api/mcp/v1/call",
            Link::Streamable { .. } => "/mcp",
            Link::Stdio(_) => panic!("stdio has no path"),
        }
    }

    /// Its stdio server.
    #[track_caller]
    pub fn stdio_server(&mut self) -> &mut StdioServer {
        match &mut self.link {
            Link::Stdio(server) => server,
            _ => panic!("not a stdio client"),
        }
    }

    /// Its stream, for HTTP+SSE.
    #[track_caller]
    pub fn stream(&mut self) -> &mut Sse {
        match &mut self.link {
            Link::HttpSse { stream, .. } => stream,
            _ => panic!("not an HTTP+SSE client"),
        }
    }
}

/// What comes back for a POST: messages, as JSON or as a stream. Nothing is read before it is
/// asked for, so several may be under way at once.
pub struct Incoming {
    request: Request,
    state: State,
}

enum State {
    Head(Http),
    Stream(Box<Sse>),
    Json(Response, Option<Vec<Value>>),
    Taken,
}

impl Incoming {
    /// Sends a POST on a connection of its own.
    #[track_caller]
    pub fn start(addr: SocketAddr, request: &Request) -> Incoming {
        let mut http = Http::connect(addr);
        http.send(request);
        Incoming {
            request: request.clone(),
            state: State::Head(http),
        }
    }

    /// The response's head, waited for.
    #[track_caller]
    pub fn head(&mut self) -> &Response {
        if let State::Head(_) = self.state
            && let State::Head(mut http) = std::mem::replace(&mut self.state, State::Taken)
        {
            let head = http.response_head(siskin::http1::Method::Post);
            self.state = if head.is_sse() {
                State::Stream(Box::new(Sse::new(http, head)))
            } else {
                State::Json(http.finish(head), None)
            };
        }
        match &self.state {
            State::Stream(stream) => &stream.head,
            State::Json(response, _) => response,
            State::Head(_) | State::Taken => unreachable!("the head was read above"),
        }
    }

    /// Whether any byte of a response is there already.
    pub fn is_answered(&mut self) -> bool {
        match &mut self.state {
            State::Head(http) => {
                !http.unread.is_empty()
                    || http
                        .try_more(Until::after(std::time::Duration::from_millis(1)))
                        .is_some()
            }
            _ => true,
        }
    }

    /// The next message: of the stream, or of the JSON body (each of a batch's answers).
    #[track_caller]
    pub fn next(&mut self) -> Value {
        self.try_next().unwrap_or_else(|| {
            panic!(
                "no more messages for {}",
                String::from_utf8_lossy(self.request.body.as_deref().unwrap_or_default())
            )
        })
    }

    /// The same; none after the last.
    #[track_caller]
    pub fn try_next(&mut self) -> Option<Value> {
        self.head();
        match &mut self.state {
            State::Stream(stream) => {
                let event = stream.try_message()?;
                Some(event.json())
            }
            State::Json(response, rest) => {
                let rest = rest.get_or_insert_with(|| match response.body.is_empty() {
                    true => Vec::new(),
                    false => match response.json() {
                        Value::Array(messages) => messages,
                        message => vec![message],
                    },
                });
                (!rest.is_empty()).then(|| rest.remove(0))
            }
            State::Head(_) | State::Taken => unreachable!("the head was read above"),
        }
    }

    /// All messages to the end.
    #[track_caller]
    pub fn all(mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.try_next()).collect()
    }

    /// The response, which must not be a stream.
    #[track_caller]
    pub fn into_response(mut self) -> Response {
        self.head();
        match self.state {
            State::Json(response, _) => response,
            _ => panic!("a stream where a response is due"),
        }
    }

    /// The stream, which it must be.
    #[track_caller]
    pub fn into_sse(mut self) -> Sse {
        self.head();
        match self.state {
            State::Stream(stream) => *stream,
            State::Json(response, _) => panic!("{response:?} where a stream is due"),
            State::Head(_) | State::Taken => unreachable!("the head was read above"),
        }
    }
}

/// The result of a response; fails on an error.
#[track_caller]
pub fn result_of(mut answer: Value) -> Value {
    assert!(
        answer.get("error").is_none(),
        "an error where a result is due: {answer}"
    );
    assert!(answer.get("result").is_some(), "no result: {answer}");
    answer["result"].take()
}

/// A relative reference of path and query, resolved against a path (RFC 3986, section 5.2, without
/// what no server here sends).
#[track_caller]
pub fn resolve(base: &str, reference: &str) -> String {
    assert!(!reference.contains("://"), "`{reference}` is not relative");
    if reference.starts_with('/') {
        return reference.to_owned();
    }
    let (path, query) = reference.split_once('?').unwrap_or((reference, ""));
    let mut segments: Vec<&str> = base.split('/').collect();
    segments.pop();
    for segment in path.split('/') {
        match segment {
            ".." => _ = segments.pop().filter(|_| segments.len() > 1),
            segment => segments.push(segment),
        }
    }
    if segments.first() != Some(&"") {
        segments.insert(0, "");
    }
    let path = segments.join("/");
    if query.is_empty() {
        path
    } else {
        format!("{path}?{query}")
    }
}

#[test]
fn references_resolve() {
    assert_eq!(resolve("/sse/", "../messages/?a=b"), "/messages/?a=b");
    assert_eq!(resolve("/sse", "messages/"), "/messages/");
    assert_eq!(resolve("/p/sse/", "../messages/"), "/p/messages/");
    assert_eq!(resolve("/sse/", "/m?x=1"), "/m?x=1");
}
