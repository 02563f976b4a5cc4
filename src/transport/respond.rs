//! Complete responses: status, headers and a body of known length.

use crate::http1::Version;
use crate::http1::date::HttpDate;
use crate::http1::encode::{Body, HeadWriter, HeaderValue, Persistence};

/// Sent to a connection there is no place for.
pub const TOO_MANY_CONNECTIONS: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Content-Type: application/json\r\nContent-Length: 72\r\nRetry-After: 5\r\n\
    Connection: close\r\n\r\n\
    {\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32603,\"message\":\"no connection free\"}}";

/// What a body is.
#[derive(Clone, Copy)]
pub enum ContentType {
    /// `application/json`: all but one.
    Json,
    /// What a Prometheus reads.
    Metrics,
}

const METRICS: HeaderValue<'static> = HeaderValue::from_static(crate::metrics::CONTENT_TYPE);

/// A response with a complete body.
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The media type; without one there is no body.
    pub content_type: Option<ContentType>,
    /// The body.
    pub body: Vec<u8>,
    /// Further headers. Values with bytes that must not stand in a header are left out.
    pub headers: Vec<(&'static str, String)>,
}

impl Response {
    /// A response without body.
    pub fn empty(status: u16) -> Response {
        Response {
            status,
            content_type: None,
            body: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// A JSON response.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Response {
        Response {
            status,
            content_type: Some(ContentType::Json),
            body: body.into(),
            headers: Vec::new(),
        }
    }

    /// An error of the HTTP layer, in the shape of a JSON-RPC error, so that every client of an
    /// MCP endpoint can read it. There is no id: the body was not read.
    pub fn error(status: u16, message: &str) -> Response {
        let mut body = br#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"#.to_vec();
        crate::jsonrpc::write_json_string(&mut body, message);
        body.extend_from_slice(b"}}");
        Response::json(status, body)
    }

    /// The same response with one more header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Response {
        self.headers.push((name, value.into()));
        self
    }

    /// Writes it. To a HEAD request only the head is sent.
    pub fn write(
        &self,
        out: &mut Vec<u8>,
        version: Version,
        persistence: Persistence,
        is_head: bool,
        date: &HttpDate,
    ) -> Persistence {
        let mut head = HeadWriter::start(out, version, self.status);
        match self.content_type {
            Some(ContentType::Json) => _ = head.line("Content-Type: application/json\r\n"),
            Some(ContentType::Metrics) => _ = head.header("Content-Type", METRICS),
            None => (),
        }
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::parse(value) {
                head.header(name, value);
            }
        }
        let body = match u64::try_from(self.body.len()) {
            Ok(len) if self.content_type.is_some() => Body::Length(len),
            _ => Body::NoBody,
        };
        let written = head.finish(body, persistence, date);
        if !is_head && matches!(written.body, Body::Length(_)) {
            out.extend_from_slice(&self.body);
        }
        written.persistence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prepared_refusal_has_the_length_it_says() {
        let text = std::str::from_utf8(TOO_MANY_CONNECTIONS).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("Content-Length: {}\r\n", body.len())),
            "{}",
            body.len()
        );
        assert!(serde_json::from_str::<serde_json::Value>(body).is_ok());
    }

    #[test]
    fn foreign_bytes_do_not_split_a_response() {
        let mut out = Vec::new();
        let response = Response::error(404, "no \"x\"\r\n").with("X-Test", "a\r\nSet-Cookie: b");
        let date = HttpDate::from_unix(0);
        _ = response.write(
            &mut out,
            Version::Http11,
            Persistence::KeepAlive,
            false,
            &date,
        );
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains("Set-Cookie"), "{text}");
        assert_eq!(text.matches("\r\n\r\n").count(), 1, "{text}");
    }
}
