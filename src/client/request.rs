//! A request as the caller builds it, a response as the caller gets it.

use crate::http1::encode::{HeaderValue, push_decimal};
use crate::http1::name::is_token;

use super::error::ClientError;
use super::headers::Headers;
use super::method::Method;
use super::url::Url;

/// What to send. It has no `Debug`: headers and body may hold secrets.
#[derive(Clone)]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// Where.
    pub url: Url,
    /// Header fields in order. `Host`, `User-Agent` and `Accept-Encoding` replace the client's own; those that frame
    /// the message (`Content-Length`, `Transfer-Encoding`, `Connection` …) are refused.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub const fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// `GET url`.
    #[must_use]
    pub const fn get(url: Url) -> Self {
        Self::new(Method::Get, url)
    }

    /// With one more header field. It is checked when the request is sent.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// What came back, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header fields, as they came.
    pub headers: Headers,
    /// The body, inflated.
    pub body: Vec<u8>,
    /// Where it came from: the request's URL, or where redirects led.
    pub url: Url,
}

/// Headers that say how the message is framed, or belong to one connection: the client's and the proxy's business.
const OURS: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request that can go out: its headers are checked.
pub(super) struct Prepared {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Headers,
    body: Vec<u8>,
}

impl Prepared {
    /// Checks the headers and adds the client's own where the caller has none.
    pub(super) fn new(request: Request, user_agent: Option<&str>) -> Result<Self, ClientError> {
        let mut headers = Headers::default();
        for (name, value) in request.headers {
            let lower = name.to_ascii_lowercase();
            if !is_token(name.as_bytes()) || OURS.contains(&lower.as_str()) || !is_value(&value) {
                return Err(ClientError::Header(name));
            }
            headers.push(lower, value);
        }
        let agent = user_agent.unwrap_or(concat!("siskin/", env!("CARGO_PKG_VERSION")));
        for (name, value) in [("user-agent", agent), ("accept-encoding", "gzip")] {
            if headers.value(name).is_some() {
                continue;
            }
            if !is_value(value) {
                return Err(ClientError::Header(name.to_owned()));
            }
            headers.push(name.to_owned(), value.to_owned());
        }
        Ok(Self {
            method: request.method,
            url: request.url,
            headers,
            body: request.body,
        })
    }

    /// The bytes of it for `target`, a part of the URL; with what a proxy wants to see, if it is for one.
    pub(super) fn message(&self, target: &str, proxy_authorization: Option<&str>) -> Vec<u8> {
        let mut message = Vec::new();
        let mut put = |parts: &[&str]| {
            for part in parts {
                message.extend_from_slice(part.as_bytes());
            }
        };
        let host = self.headers.value("host");
        let host = host.unwrap_or_else(|| self.url.authority());
        // It comes first (RFC 9110 section 7.2).
        put(&[
            self.method.as_str(),
            " ",
            target,
            " HTTP/1.1\r\nhost: ",
            host,
        ]);
        for (name, value) in self.headers.iter().filter(|(name, _)| *name != "host") {
            put(&["\r\n", name, ": ", value]);
        }
        if let Some(authorization) = proxy_authorization {
            put(&["\r\nproxy-authorization: ", authorization]);
        }
        if !self.body.is_empty() || self.method.expects_body() {
            put(&["\r\ncontent-length: "]);
            push_decimal(&mut message, self.body.len() as u64);
        }
        message.extend_from_slice(b"\r\n\r\n");
        // In one piece with its head: most bodies are small, and then one segment takes both.
        message.extend_from_slice(&self.body);
        message
    }
}

/// Visible ASCII, spaces and tabs: other bytes are read differently by different servers.
fn is_value(text: &str) -> bool {
    HeaderValue::parse(text).is_ok()
}
