//! A raw HTTP/1.1 client: it sends the bytes it is told to and reads responses strictly, with the
//! project's own pure readers (which have tests of their own), whose leniency a server of ours must not need.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use siskin::http1::chunked::{ChunkedDecoder, ChunkedLimits};
use siskin::http1::response::{ResponseFraming, ResponseHead};
use siskin::http1::{HeadLimits, Method};

use super::sse::Sse;
use super::{Until, Value, WAIT, parse};

const HEAD_LIMITS: HeadLimits = HeadLimits {
    head_bytes_max: 16 * 1024,
    headers_max: 64,
};

/// A request to be built. `host`, and `content-length` for a body, are added unless given.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The request target as it stands in the request line.
    pub target: String,
    /// The headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// Any request.
    pub fn new(method: &str, target: &str) -> Request {
        Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// A GET.
    pub fn get(target: &str) -> Request {
        Request::new("GET", target)
    }

    /// A POST of JSON with the headers that every MCP client sends.
    pub fn post(target: &str, body: &Value) -> Request {
        Request::post_text(target, &body.to_string())
    }

    /// A POST of a text that says it is JSON.
    pub fn post_text(target: &str, body: &str) -> Request {
        Request::new("POST", target)
            .header("Content-Type", "application/json")
            .header("Accept", "application/json, text/event-stream")
            .body(body)
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes all headers of a name away.
    pub fn without(mut self, name: &str) -> Request {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// Replaces the headers of a name by one.
    pub fn with(self, name: &str, value: &str) -> Request {
        self.without(name).header(name, value)
    }

    /// Sets the body.
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Request {
        self.body = Some(body.as_ref().to_vec());
        self
    }

    fn has(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// The bytes on the wire.
    pub fn bytes(&self, host: SocketAddr) -> Vec<u8> {
        let mut out = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if !self.has("host") {
            out += &format!("Host: {host}\r\n");
        }
        for (name, value) in &self.headers {
            out += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = &self.body
            && !self.has("content-length")
            && !self.has("transfer-encoding")
        {
            out += &format!("Content-Length: {}\r\n", body.len());
        }
        out += "\r\n";
        let mut out = out.into_bytes();
        out.extend_from_slice(self.body.as_deref().unwrap_or_default());
        out
    }
}

/// A response with its body, or, where the body is a stream, without.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers in order.
    pub headers: Vec<(String, String)>,
    /// How the body is framed.
    pub framing: ResponseFraming,
    /// Whether the server keeps the connection.
    pub keep_alive: bool,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header; fails if it stands there twice.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(
            values.next().is_none(),
            "`{name}` stands there twice: {self:?}"
        );
        value
    }

    /// Whether its body is an event stream.
    pub fn is_sse(&self) -> bool {
        self.header("content-type")
            .is_some_and(|value| value.starts_with("text/event-stream"))
    }

    /// Takes a response's head from the start of what was read; none if it is not whole.
    #[track_caller]
    pub fn try_take(unread: &mut Vec<u8>, method: Method) -> Option<Response> {
        let mut head = ResponseHead::new();
        let parsed = head.try_parse(unread, &HEAD_LIMITS);
        let consumed =
            parsed.unwrap_or_else(|error| panic!("{error}: {}", unread.escape_ascii()))?;
        let text: Vec<u8> = unread.drain(..consumed).collect();
        assert!(
            text.starts_with(b"HTTP/")
                && text
                    .split(|byte| *byte == b'\n')
                    .rev()
                    .skip(1)
                    .all(|line| line.ends_with(b"\r")),
            "a head beside the grammar: {}",
            text.escape_ascii()
        );
        let framing = head.framing(method);
        let has = |name: &str| head.headers(name).count();
        assert!(
            has("content-length") + has("transfer-encoding") <= 1,
            "not one length: {head:?}"
        );
        // A client reads past it; a server must not send it (RFC 9110 section 8.6, RFC 9112 section 6.1).
        let is_bodiless = head.status() < 200 || head.status() == 204;
        assert!(
            !is_bodiless
                || ["content-length", "transfer-encoding"]
                    .iter()
                    .all(|name| head.header(name).is_none()),
            "a body is announced where none can follow: {head:?}"
        );
        Some(Response {
            status: head.status(),
            headers: head
                .iter()
                .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()))
                .collect(),
            framing: framing.unwrap_or_else(|error| panic!("{error}: {head:?}")),
            keep_alive: head.keep_alive(),
            body: Vec::new(),
        })
    }

    /// The body as text.
    #[track_caller]
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("the body is UTF-8")
    }

    /// The body as JSON; its media type must say so.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{self:?}"
        );
        parse(&self.body)
    }
}

/// A connection.
pub struct Http {
    /// The socket.
    pub socket: TcpStream,
    /// Where it leads.
    pub addr: SocketAddr,
    /// Bytes read and not used yet.
    pub unread: Vec<u8>,
}

impl Http {
    /// Connects.
    #[track_caller]
    pub fn connect(addr: SocketAddr) -> Http {
        let socket = TcpStream::connect_timeout(&addr, WAIT).expect("the server listens");
        socket.set_nodelay(true).expect("a socket has options");
        socket
            .set_write_timeout(Some(WAIT))
            .expect("a socket has options");
        Http {
            socket,
            addr,
            unread: Vec::new(),
        }
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub fn send_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket
            .write_all(bytes.as_ref())
            .expect("the server reads");
    }

    /// Sends a request.
    #[track_caller]
    pub fn send(&mut self, request: &Request) {
        let bytes = request.bytes(self.addr);
        self.send_bytes(bytes);
    }

    /// Closes our side; the server's answers can still be read.
    #[track_caller]
    pub fn half_close(&mut self) {
        self.socket
            .shutdown(Shutdown::Write)
            .expect("the connection is open");
    }

    /// Sends a request and reads its response.
    #[track_caller]
    pub fn ask(&mut self, request: &Request) -> Response {
        self.send(request);
        self.response_to(method_of(request))
    }

    /// Reads the response to a request that is neither HEAD nor CONNECT.
    #[track_caller]
    pub fn response(&mut self) -> Response {
        self.response_to(Method::Get)
    }

    /// Reads a response whole. Interim (1xx) responses are responses of their own here.
    #[track_caller]
    pub fn response_to(&mut self, method: Method) -> Response {
        let head = self.response_head(method);
        self.finish(head)
    }

    /// Reads the body of a response whose head has been read.
    #[track_caller]
    pub fn finish(&mut self, mut response: Response) -> Response {
        let mut body = BodyReader::new(response.framing);
        // One deadline for all of it: a stream's comments would put off any other for ever.
        let until = Until::soon();
        while !body.is_done {
            body.read(&mut self.unread, &mut response.body);
            if !body.is_done && self.more(until) == 0 {
                body.end();
            }
        }
        response
    }

    /// Reads a response's head and leaves its body.
    #[track_caller]
    pub fn response_head(&mut self, method: Method) -> Response {
        self.try_response_head(method)
            .expect("the server closed the connection where a response is due")
    }

    /// Reads a response's head; none if the server closed the connection instead.
    #[track_caller]
    pub fn try_response_head(&mut self, method: Method) -> Option<Response> {
        let until = Until::soon();
        loop {
            if let Some(response) = Response::try_take(&mut self.unread, method) {
                return Some(response);
            }
            if self.more(until) == 0 {
                let rest = self.unread.escape_ascii();
                assert!(
                    self.unread.is_empty(),
                    "the connection ended in a head: {rest}"
                );
                return None;
            }
        }
    }

    /// Sends a request whose answer must be an event stream, and goes on as that.
    #[track_caller]
    pub fn into_sse(mut self, request: &Request) -> Sse {
        self.send(request);
        let response = self.response_head(method_of(request));
        if !response.is_sse() || response.status != 200 {
            let response = self.finish(response);
            let body = response.body.escape_ascii();
            panic!("no event stream: {response:?} {body}");
        }
        Sse::new(self, response)
    }

    /// Fails unless the server closes the connection without another byte.
    #[track_caller]
    pub fn expect_closed(&mut self) {
        let count = self.more(Until::soon());
        assert!(
            count == 0 && self.unread.is_empty(),
            "bytes where the end is due: {}",
            self.unread.escape_ascii()
        );
    }

    /// Reads what there is; 0 at the end, which a reset is too. Fails when the time is over.
    #[track_caller]
    pub fn more(&mut self, until: Until) -> usize {
        self.try_more(until).unwrap_or_else(|| {
            panic!(
                "nothing from the server in time; so far: {}",
                self.unread.escape_ascii()
            )
        })
    }

    /// As `more`, but none when the time is over.
    #[track_caller]
    pub fn try_more(&mut self, until: Until) -> Option<usize> {
        let mut buf = [0; 16 * 1024];
        loop {
            let left: Duration = until.left()?;
            self.socket
                .set_read_timeout(Some(left))
                .expect("a socket has options");
            match self.socket.read(&mut buf) {
                Ok(count) => {
                    self.unread.extend_from_slice(&buf[..count]);
                    return Some(count);
                }
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => (),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => return None,
                    ErrorKind::ConnectionReset => return Some(0),
                    _ => panic!("reading: {error}"),
                },
            }
        }
    }
}

fn method_of(request: &Request) -> Method {
    Method::parse(request.method.as_bytes())
}

/// Takes the framing off a body.
pub struct BodyReader {
    framing: ResponseFraming,
    left: u64,
    chunks: ChunkedDecoder,
    /// Whether the body is complete.
    pub is_done: bool,
}

impl BodyReader {
    /// At the start of a body.
    pub fn new(framing: ResponseFraming) -> BodyReader {
        let left = match framing {
            ResponseFraming::Length(len) => len,
            _ => 0,
        };
        BodyReader {
            framing,
            left,
            chunks: ChunkedDecoder::new(ChunkedLimits::default()),
            is_done: matches!(framing, ResponseFraming::None | ResponseFraming::Length(0)),
        }
    }

    /// Moves what belongs to the body from `input` to `out`.
    #[track_caller]
    pub fn read(&mut self, input: &mut Vec<u8>, out: &mut Vec<u8>) {
        match self.framing {
            ResponseFraming::None => (),
            ResponseFraming::Length(_) => {
                let count = usize::try_from(self.left)
                    .unwrap_or(usize::MAX)
                    .min(input.len());
                out.extend(input.drain(..count));
                self.left -= count as u64;
                self.is_done = self.left == 0;
            }
            ResponseFraming::Chunked => {
                let progress = self.chunks.decode(input, out, usize::MAX);
                let progress = progress.unwrap_or_else(|error| panic!("response body: {error}"));
                input.drain(..progress.consumed);
                self.is_done = progress.done;
            }
            ResponseFraming::CloseDelimited => out.append(input),
        }
    }

    /// The connection ended; fails if the body was not complete.
    #[track_caller]
    pub fn end(&mut self) {
        assert_eq!(
            self.framing,
            ResponseFraming::CloseDelimited,
            "the connection ended within a body"
        );
        self.is_done = true;
    }
}
