//! A request as the caller builds it, a response as the caller gets it.

use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

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

/// Headers that say how the message is framed, or belong to one connection: hyper's and the proxy's business.
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

/// A request that can go out: headers checked, body shared, so that a second try costs nothing.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Prepared {
    /// Checks the headers and adds the client's own where the caller has none.
    pub(super) fn new(request: Request, user_agent: Option<&str>) -> Result<Self, ClientError> {
        let mut headers = HeaderMap::with_capacity(request.headers.len().saturating_add(4));
        for (name, value) in &request.headers {
            let refused = || ClientError::Header(name.clone());
            let known = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
            if OURS.contains(&known.as_str()) {
                return Err(refused());
            }
            headers.append(known, header_value(value).ok_or_else(refused)?);
        }
        if !headers.contains_key(header::USER_AGENT) {
            let agent = user_agent.unwrap_or(concat!("siskin/", env!("CARGO_PKG_VERSION")));
            let refused = || ClientError::Header("user-agent".to_owned());
            let agent = header_value(agent).ok_or_else(refused)?;
            headers.insert(header::USER_AGENT, agent);
        }
        headers
            .entry(header::ACCEPT_ENCODING)
            .or_insert(HeaderValue::from_static("gzip"));
        if request.body.is_empty() && request.method.expects_body() {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Ok(Self {
            method: request.method,
            url: request.url,
            headers,
            body: request.body.into(),
        })
    }
}

/// Visible ASCII, spaces and tabs: other bytes are read differently by different servers.
fn header_value(text: &str) -> Option<HeaderValue> {
    let is_plain = text.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    HeaderValue::from_str(text).ok().filter(|_| is_plain)
}
