//! An upstream service that is not there: HTTP/1.1 on `std` threads and a port of its own, one
//! route table per service, and a record of every request that arrived. What a service does stands
//! in `tests/it/fakes`, one file each, written from that service's own API description.
//!
//! ```ignore
//! struct Kettle { is_on: bool }
//!
//! impl Service for Kettle {
//!     const ROUTES: &'static [Route<Kettle>] = &[
//!         ("GET", "/api/kettles/{name}", Kettle::show),
//!         ("POST", "/api/kettles/{name}/boil", Kettle::boil),
//!         ("GET", "/files/{name:rest}", Kettle::file),          // rest: any number of segments
//!     ];
//!     fn admit(&self, call: &Call) -> Result<(), Answer> {      // before any route
//!         match call.header("x-api-key") {
//!             Some("kettle-key") => Ok(()),
//!             _ => Err(Answer::json(401, &json!({"message": "unauthorized"}))),
//!         }
//!     }
//! }
//!
//! let kettle = Upstream::start(Kettle { is_on: false });        // or start_under("/prefix", …)
//! let server = Server::start(&[("APP_KETTLE__URL", &kettle.url())]);
//! // … call a tool …
//! let seen = kettle.only();                                     // the one request since the last look
//! assert_eq!(seen.line(), "POST /api/kettles/red/boil");
//! kettle.next("POST", "/api/kettles/red/boil", Answer::text(500, "dry")); // once, instead of the route
//! kettle.state(|kettle| assert!(kettle.is_on));
//! ```
//!
//! Unknown paths are 404 and known paths with another verb 405, in the service's own words if it
//! overrides [`Service::unknown`] and [`Service::wrong_verb`].

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

use super::{Until, Value, parse};

/// A verb, a path pattern, and what answers. In a pattern `{name}` takes one segment and
/// `{name:rest}`, at the end, all that are left, at least one.
pub type Route<S> = (&'static str, &'static str, fn(&mut S, &Call) -> Answer);

/// What a service does; see the module.
pub trait Service: Send + Sized + 'static {
    /// The routes; the first that fits answers.
    const ROUTES: &'static [Route<Self>];
    /// How the service's router reads paths.
    const PATHS: Paths = Paths::Decoded;

    /// Refuses a request before any route is looked for: credentials.
    fn admit(&self, _call: &Call) -> Result<(), Answer> {
        Ok(())
    }

    /// The answer to a path that no route has.
    fn unknown(&self, _call: &Call) -> Answer {
        Answer::text(404, "404 page not found\n")
    }

    /// The answer to a path whose routes have other verbs.
    fn wrong_verb(&self, _call: &Call) -> Answer {
        Answer::text(405, "Method Not Allowed\n")
    }
}

/// How a router reads paths; what `%2F` and `..` mean differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paths {
    /// As Go's routers do: the path is decoded, then cut at slashes, so `%2F` is a slash. A path
    /// that is not clean (`.`, `..`, empty segments) is redirected to its clean form by 301.
    Decoded,
    /// The path is cut at slashes, then each segment is decoded, so `%2F` stays in its segment.
    /// `.` and `..` are names like others.
    Segments,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: String,
    /// The target as it stood in the request line, percent signs and all.
    pub target: String,
    /// The headers, in order, names as sent.
    pub headers: Vec<(String, String)>,
    /// The body, its framing taken off.
    pub body: Vec<u8>,
    args: BTreeMap<&'static str, String>,
}

impl Call {
    /// Method and target, as in the request line.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    /// The target up to the question mark, as sent.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// What a pattern's `{name}` took, decoded.
    #[track_caller]
    pub fn arg(&self, name: &str) -> &str {
        self.args
            .get(name)
            .unwrap_or_else(|| panic!("the route has no `{{{name}}}`"))
    }

    /// The same as a number; none if it is no number.
    #[track_caller]
    pub fn arg_number(&self, name: &str) -> Option<u64> {
        self.arg(name).parse().ok()
    }

    /// All pairs of the query, decoded, in order. A flag without `=` has an empty value.
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        pairs(query)
    }

    /// The first value of a query parameter.
    pub fn query(&self, name: &str) -> Option<String> {
        let mut pairs = self.query_pairs().into_iter();
        pairs
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// All values of a query parameter.
    pub fn queries(&self, name: &str) -> Vec<String> {
        let pairs = self.query_pairs().into_iter();
        pairs
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value)
            .collect()
    }

    /// The pairs of a form body.
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&self.text())
    }

    /// The body as text.
    #[track_caller]
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("the body is UTF-8")
    }

    /// The body as JSON; fails unless it is. For tests; a service answers bad bodies by
    /// [`Call::try_json`].
    #[track_caller]
    pub fn json(&self) -> Value {
        parse(&self.body)
    }

    /// The body as JSON.
    pub fn try_json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decoded(&text.replace('+', " "));
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

/// Takes percent signs off; what is not `%` and two hex digits stays.
pub fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3));
        match hex.flatten().map(|hex| u8::from_str_radix(hex, 16)) {
            Some(Ok(byte)) => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// What goes back.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    manner: Manner,
}

/// How an answer is sent.
#[derive(Clone, Debug)]
enum Manner {
    /// Head, length and body; the connection stays.
    Whole,
    /// In chunks of at most this many bytes.
    Chunked(usize),
    /// These bytes and nothing else, then the end of the connection.
    Raw,
    /// Not at all, until the hold is released.
    Held(Arc<Hold>),
}

impl Answer {
    /// A status, a media type and a body.
    pub fn new(status: u16, media_type: &str, body: impl AsRef<[u8]>) -> Answer {
        Answer::empty(status)
            .header("Content-Type", media_type)
            .body(body)
    }

    /// A status without a body.
    pub fn empty(status: u16) -> Answer {
        Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            manner: Manner::Whole,
        }
    }

    /// JSON.
    pub fn json(status: u16, body: &Value) -> Answer {
        Answer::new(status, "application/json", body.to_string())
    }

    /// Plain text.
    pub fn text(status: u16, body: &str) -> Answer {
        Answer::new(status, "text/plain; charset=utf-8", body)
    }

    /// Bytes that need not be HTTP, after which the connection ends. Empty: it just ends.
    pub fn raw(bytes: impl AsRef<[u8]>) -> Answer {
        Answer {
            manner: Manner::Raw,
            ..Answer::empty(0).body(bytes)
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Answer {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Sends the body in chunks of at most `size` bytes.
    pub fn chunked(mut self, size: usize) -> Answer {
        self.manner = Manner::Chunked(size);
        self
    }

    /// Sends it when `hold` is released; never, if that is dropped with the service.
    pub fn held(mut self, hold: &Arc<Hold>) -> Answer {
        self.manner = Manner::Held(hold.clone());
        self
    }

    fn bytes(&self, is_head_only: bool) -> Vec<u8> {
        if matches!(self.manner, Manner::Raw) {
            return self.body.clone();
        }
        let mut out = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            out += &format!("{name}: {value}\r\n");
        }
        let has_body = !matches!(self.status, 100..=199 | 204 | 304);
        match self.manner {
            Manner::Chunked(_) if has_body => out += "Transfer-Encoding: chunked\r\n",
            _ if has_body => out += &format!("Content-Length: {}\r\n", self.body.len()),
            _ => (),
        }
        out += "\r\n";
        let mut out = out.into_bytes();
        if is_head_only || !has_body {
            return out;
        }
        match self.manner {
            Manner::Chunked(size) => {
                for chunk in self.body.chunks(size.max(1)) {
                    out.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                    out.extend(chunk);
                    out.extend(b"\r\n");
                }
                out.extend(b"0\r\n\r\n");
            }
            _ => out.extend(&self.body),
        }
        out
    }
}

/// Keeps an answer back until it is released, without a clock.
#[derive(Debug, Default)]
pub struct Hold {
    is_released: Mutex<bool>,
    changed: Condvar,
}

impl Hold {
    /// A hold that keeps everything back.
    pub fn new() -> Arc<Hold> {
        Arc::default()
    }

    /// Lets the answers go.
    pub fn release(&self) {
        *self.is_released.lock().unwrap() = true;
        self.changed.notify_all();
    }

    fn wait(&self) {
        let mut is_released = self.is_released.lock().unwrap();
        while !*is_released {
            is_released = self.changed.wait(is_released).unwrap();
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        412 => "Precondition Failed",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

/// A running service; see the module. Its threads end in `Drop`.
pub struct Upstream<S: Service> {
    /// Where it listens.
    pub addr: SocketAddr,
    prefix: &'static str,
    shared: Arc<Shared<S>>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared<S> {
    prefix: &'static str,
    inner: Mutex<Inner<S>>,
    arrived: Condvar,
}

struct Inner<S> {
    service: S,
    /// Every request, oldest first.
    calls: Vec<Call>,
    /// How many of them were looked at.
    seen: usize,
    /// Answers given once instead of a route's.
    planned: Vec<(&'static str, String, Answer)>,
    sockets: Vec<TcpStream>,
    holds: Vec<Arc<Hold>>,
    is_over: bool,
}

impl<S: Service> Upstream<S> {
    /// Starts a service at the root of its port.
    #[track_caller]
    pub fn start(service: S) -> Upstream<S> {
        Upstream::start_under("", service)
    }

    /// Starts it behind a path prefix such as `/apps/kettle`; the rest of the port is 404.
    #[track_caller]
    pub fn start_under(prefix: &'static str, service: S) -> Upstream<S> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has ports");
        let addr = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared {
            prefix,
            arrived: Condvar::new(),
            inner: Mutex::new(Inner {
                service,
                calls: Vec::new(),
                seen: 0,
                planned: Vec::new(),
                sockets: Vec::new(),
                holds: Vec::new(),
                is_over: false,
            }),
        });
        let acceptor = std::thread::spawn({
            let shared = shared.clone();
            move || accept(&listener, &shared)
        });
        Upstream {
            addr,
            prefix,
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// Its base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.addr, self.prefix)
    }

    /// Looks at the service, or changes it.
    pub fn state<T>(&self, look: impl FnOnce(&mut S) -> T) -> T {
        look(&mut self.lock().service)
    }

    /// Answers the next request with this verb and path (as sent, without query) like this. In
    /// front of everything, credentials too. Several for one path are given in order.
    pub fn next(&self, method: &'static str, path: &str, answer: Answer) {
        let mut inner = self.lock();
        if let Manner::Held(hold) = &answer.manner {
            inner.holds.push(hold.clone());
        }
        inner.planned.push((method, path.to_owned(), answer));
    }

    /// Drops what `next` planned and nobody asked for.
    pub fn forget(&self) {
        self.lock().planned.clear();
    }

    /// All requests so far.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// The requests since the last look.
    #[track_caller]
    pub fn taken(&self) -> Vec<Call> {
        let mut inner = self.lock();
        let taken = inner.calls[inner.seen..].to_vec();
        inner.seen = inner.calls.len();
        taken
    }

    /// The request lines since the last look.
    #[track_caller]
    pub fn lines(&self) -> Vec<String> {
        self.taken().iter().map(Call::line).collect()
    }

    /// The one request since the last look.
    #[track_caller]
    pub fn only(&self) -> Call {
        let mut taken = self.taken();
        let lines: Vec<_> = taken.iter().map(Call::line).collect();
        assert_eq!(taken.len(), 1, "requests that arrived: {lines:?}");
        taken.remove(0)
    }

    /// Fails if a request arrived since the last look.
    #[track_caller]
    pub fn expect_untouched(&self) {
        let lines = self.lines();
        assert!(lines.is_empty(), "requests that arrived: {lines:?}");
    }

    /// Waits until `count` requests have arrived in all, answered or not.
    #[track_caller]
    pub fn wait_calls(&self, count: usize) {
        let until = Until::soon();
        let mut inner = self.lock();
        while inner.calls.len() < count {
            let Some(left) = until.left() else {
                let lines: Vec<_> = inner.calls.iter().map(Call::line).collect();
                drop(inner);
                panic!("fewer than {count} requests in time: {lines:?}");
            };
            inner = self.shared.arrived.wait_timeout(inner, left).unwrap().0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<S>> {
        self.shared.inner.lock().expect("no route panicked")
    }
}

impl<S: Service> Drop for Upstream<S> {
    fn drop(&mut self) {
        // Not `lock`, which panics when a route did.
        if let Ok(mut inner) = self.shared.inner.lock() {
            inner.is_over = true;
            for socket in inner.sockets.drain(..) {
                _ = socket.shutdown(Shutdown::Both);
            }
            for hold in inner.holds.drain(..) {
                hold.release();
            }
        } else {
            eprintln!("--- a route of the fake upstream panicked ---");
            return;
        }
        // Wakes `accept`.
        _ = TcpStream::connect(self.addr);
        if let Some(acceptor) = self.acceptor.take() {
            _ = acceptor.join();
        }
    }
}

fn accept<S: Service>(listener: &TcpListener, shared: &Arc<Shared<S>>) {
    for socket in listener.incoming() {
        let Ok(socket) = socket else { return };
        let mut inner = shared.inner.lock().expect("no route panicked");
        if inner.is_over {
            return;
        }
        let other_end = socket.try_clone().expect("a socket can be named twice");
        inner.sockets.push(other_end);
        drop(inner);
        let shared = shared.clone();
        std::thread::spawn(move || serve(socket, &shared));
    }
}

/// One connection, request after request.
fn serve<S: Service>(mut socket: TcpStream, shared: &Shared<S>) {
    _ = socket.set_nodelay(true);
    let mut unread = Vec::new();
    while let Some(call) = read_call(&mut socket, &mut unread) {
        let is_head_only = call.method == "HEAD";
        let must_close = call
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let answer = shared.answer(call);
        if let Manner::Held(hold) = &answer.manner {
            hold.wait();
        }
        let is_sent = socket.write_all(&answer.bytes(is_head_only)).is_ok();
        if !is_sent || must_close || matches!(answer.manner, Manner::Raw) {
            break;
        }
    }
    _ = socket.shutdown(Shutdown::Both);
}

impl<S: Service> Shared<S> {
    fn answer(&self, mut call: Call) -> Answer {
        let mut inner = self.inner.lock().expect("no route panicked");
        inner.calls.push(call.clone());
        self.arrived.notify_all();
        let planned = inner
            .planned
            .iter()
            .position(|(method, path, _)| *method == call.method && path == call.path());
        if let Some(planned) = planned {
            return inner.planned.remove(planned).2;
        }
        // No URL has one in its path or query (RFC 9112, section 3.2).
        if call.target.contains('#') {
            return Answer::text(400, "400 Bad Request: fragment in the target");
        }
        let Some(path) = call.path().strip_prefix(self.prefix).map(str::to_owned) else {
            return Answer::text(404, "404 page not found\n");
        };
        let service = &mut inner.service;
        let segments: Vec<String> = match S::PATHS {
            Paths::Segments => path.split('/').map(percent_decoded).collect(),
            Paths::Decoded => {
                let decoded = percent_decoded(&path);
                let clean = clean(&decoded);
                if clean != decoded {
                    let place = format!("{}{clean}", self.prefix);
                    return Answer::empty(301).header("Location", &place);
                }
                decoded.split('/').map(str::to_owned).collect()
            }
        };
        if let Err(refusal) = service.admit(&call) {
            return refusal;
        }
        let mut allowed = Vec::new();
        for (method, pattern, handler) in S::ROUTES {
            let Some(args) = matched(pattern, &segments) else {
                continue;
            };
            if *method == call.method || (*method == "GET" && call.method == "HEAD") {
                call.args = args;
                return handler(service, &call);
            }
            allowed.push(*method);
        }
        if allowed.is_empty() {
            return service.unknown(&call);
        }
        service
            .wrong_verb(&call)
            .header("Allow", &allowed.join(", "))
    }
}

/// A path without `.`, `..` and empty segments; a slash at the end stays.
fn clean(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => (),
            ".." => _ = kept.pop(),
            segment => kept.push(segment),
        }
    }
    let slash = if path.ends_with('/') && !kept.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{slash}", kept.join("/"))
}

fn matched(pattern: &'static str, segments: &[String]) -> Option<BTreeMap<&'static str, String>> {
    let mut args = BTreeMap::new();
    let mut segments = segments.iter();
    for part in pattern.split('/') {
        let name = part.strip_prefix('{').and_then(|p| p.strip_suffix('}'));
        match name {
            None => {
                segments.next().filter(|segment| *segment == part)?;
            }
            Some(name) => {
                let first = segments.next().filter(|segment| !segment.is_empty())?;
                let Some(name) = name.strip_suffix(":rest") else {
                    args.insert(name, first.clone());
                    continue;
                };
                let mut rest = first.clone();
                for segment in segments.by_ref() {
                    rest += "/";
                    rest += segment;
                }
                args.insert(name, rest);
            }
        }
    }
    segments.next().is_none().then_some(args)
}

/// The next request of a connection; none at its end, or when it is not HTTP.
fn read_call(socket: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Call> {
    let (mut call, len) = loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Request::new(&mut headers);
        let parsed = head.parse(unread);
        match parsed {
            Ok(httparse::Status::Complete(len)) => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let headers = head.headers.iter();
                let call = Call {
                    method: head.method?.to_owned(),
                    target: head.path?.to_owned(),
                    headers: headers
                        .map(|header| (header.name.to_owned(), text(header.value)))
                        .collect(),
                    body: Vec::new(),
                    args: BTreeMap::new(),
                };
                break (call, len);
            }
            Ok(httparse::Status::Partial) => more(socket, unread)?,
            Err(_) => {
                _ = socket.write_all(&Answer::text(400, "400 Bad Request").bytes(false));
                return None;
            }
        }
    };
    unread.drain(..len);
    if call
        .header("expect")
        .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    {
        socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    if call.header("transfer-encoding").is_some() {
        call.body = read_chunks(socket, unread)?;
        return Some(call);
    }
    let len: usize = call.header("content-length").unwrap_or("0").parse().ok()?;
    while unread.len() < len {
        more(socket, unread)?;
    }
    call.body = unread.drain(..len).collect();
    Some(call)
}

fn read_chunks(socket: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let (at, len) = loop {
            match httparse::parse_chunk_size(unread).ok()? {
                httparse::Status::Complete((at, len)) => break (at, usize::try_from(len).ok()?),
                httparse::Status::Partial => more(socket, unread)?,
            }
        };
        while unread.len() < at + len + 2 {
            more(socket, unread)?;
        }
        body.extend_from_slice(&unread[at..at + len]);
        unread.drain(..at + len + 2);
        if len == 0 {
            return Some(body);
        }
    }
}

fn more(socket: &mut TcpStream, unread: &mut Vec<u8>) -> Option<()> {
    let mut buf = [0; 16 * 1024];
    loop {
        match socket.read(&mut buf) {
            Ok(0) => return None,
            Ok(count) => {
                unread.extend_from_slice(&buf[..count]);
                return Some(());
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => (),
            Err(_) => return None,
        }
    }
}

// --- the fake server itself ---------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::super::{Http, Request, json};
    use super::*;

    struct Kettle {
        boiled: Vec<String>,
    }

    impl Service for Kettle {
        const ROUTES: &'static [Route<Kettle>] = &[
            ("GET", "/api/kettles/{name}", |kettle, call| {
                let is_hot = kettle.boiled.iter().any(|name| name == call.arg("name"));
                Answer::json(200, &json!({"hot": is_hot, "q": call.queries("q")})).chunked(7)
            }),
            ("POST", "/api/kettles/{name}/boil", |kettle, call| {
                kettle.boiled.push(call.arg("name").to_owned());
                Answer::empty(204)
            }),
            ("GET", "/files/{name:rest}", |_, call| {
                Answer::text(200, call.arg("name"))
            }),
        ];

        fn admit(&self, call: &Call) -> Result<(), Answer> {
            match call.header("X-KEY") {
                Some("k") => Ok(()),
                _ => Err(Answer::text(401, "who?")),
            }
        }
    }

    #[track_caller]
    fn check(http: &mut Http, line: &str, status: u16, body: &str) {
        let (method, target) = line.split_once(' ').unwrap();
        let response = http.ask(&Request::new(method, target).header("x-key", "k"));
        assert_eq!(
            (response.status, response.text().as_str()),
            (status, body),
            "{line}"
        );
    }

    #[test]
    fn a_service_routes_remembers_and_records() {
        let kettle = Upstream::start_under("/k", Kettle { boiled: Vec::new() });
        let mut http = Http::connect(kettle.addr);
        check(
            &mut http,
            "GET /k/api/kettles/red?q=1&q=a%20b+c",
            200,
            r#"{"hot":false,"q":["1","a b c"]}"#,
        );
        check(&mut http, "POST /k/api/kettles/red/boil", 204, "");
        check(
            &mut http,
            "GET /k/api/kettles/red",
            200,
            r#"{"hot":true,"q":[]}"#,
        );
        check(&mut http, "GET /k/files/a/b%20c.md", 200, "a/b c.md");
        check(
            &mut http,
            "DELETE /k/api/kettles/red",
            405,
            "Method Not Allowed\n",
        );
        for unknown in ["/k/api/kettles", "/api/kettles/red", "/k/files"] {
            check(
                &mut http,
                &format!("GET {unknown}"),
                404,
                "404 page not found\n",
            );
        }
        check(&mut http, "POST /k/api/kettles/..%2Fpot/boil", 301, "");
        kettle.next("GET", "/k/api/kettles/red", Answer::text(500, "dry"));
        check(&mut http, "GET /k/api/kettles/red?x", 500, "dry");
        let refused = http.ask(&Request::get("/k/api/kettles/red"));
        assert_eq!(refused.status, 401);
        kettle.state(|kettle| assert_eq!(kettle.boiled, ["red"]));
        assert_eq!(kettle.taken().len(), 11);
        kettle.expect_untouched();
    }

    #[test]
    fn bodies_arrive_by_length_and_in_chunks_and_holds_hold() {
        let kettle = Upstream::start(Kettle { boiled: Vec::new() });
        let mut http = Http::connect(kettle.addr);
        http.ask(&Request::new("POST", "/x").body("a=1&b=%32"));
        assert_eq!(
            kettle.only().form(),
            [("a".into(), "1".into()), ("b".into(), "2".into())]
        );
        let chunks = Request::new("POST", "/x").header("Transfer-Encoding", "chunked");
        http.ask(&chunks.body("3\r\n{\"a\r\n5\r\n\":12}\r\n0\r\n\r\n"));
        assert_eq!(kettle.only().json(), json!({"a": 12}));

        let hold = Hold::new();
        kettle.next("GET", "/slow", Answer::text(200, "at last").held(&hold));
        http.send(&Request::get("/slow"));
        kettle.wait_calls(3);
        // Another connection is served meanwhile.
        check(
            &mut Http::connect(kettle.addr),
            "POST /api/kettles/blue/boil",
            204,
            "",
        );
        hold.release();
        assert_eq!(http.response().text(), "at last");
        kettle.next("GET", "/gone", Answer::raw(""));
        http.send(&Request::get("/gone"));
        http.expect_closed();
    }
}
