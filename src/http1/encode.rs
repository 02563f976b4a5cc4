//! Writes response heads and chunks straight into the send buffer. Called by the connection loop
//! and the stream writers.
//!
//! Nothing here formats or allocates: status lines come from a table, numbers from a digit writer.
//! Every value that could hold foreign bytes has to be a [`HeaderValue`], which cannot be made from
//! text with line ends in it.

use super::date::HttpDate;
use super::head::Version;
use super::status::status_line;
use std::fmt;

pub use super::status::{reason, status_forbids_body};

/// The end of a chunked body, without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The interim answer to `Expect: 100-continue`.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A header value that cannot split a response: printable ASCII, SP and HTAB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderValue<'a>(&'a str);

/// A text that may not stand in a header: it has a control byte (CR, LF and NUL are some) or a byte
/// outside ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidHeaderValue {
    /// The first byte that is not allowed.
    pub byte: u8,
}

impl fmt::Display for InvalidHeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "byte 0x{:02x} is not allowed in a header value",
            self.byte
        )
    }
}

impl std::error::Error for InvalidHeaderValue {}

impl<'a> HeaderValue<'a> {
    /// Checks a text.
    #[expect(
        clippy::indexing_slicing,
        reason = "below the length; constants have no iterators"
    )]
    pub const fn parse(text: &'a str) -> Result<HeaderValue<'a>, InvalidHeaderValue> {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            if !(byte == b'\t' || (byte >= b' ' && byte <= b'~')) {
                return Err(InvalidHeaderValue { byte });
            }
            at = at.wrapping_add(1);
        }
        Ok(HeaderValue(text))
    }

    /// A literal of ours, for constants: `const JSON: HeaderValue =
    /// HeaderValue::from_static("application/json")`.
    ///
    /// # Panics
    /// On a text that is not allowed; in a constant that is a compile error.
    #[expect(
        clippy::panic,
        reason = "meant for constants, where it stops the compiler"
    )]
    pub const fn from_static(text: &'static str) -> HeaderValue<'static> {
        match HeaderValue::parse(text) {
            Ok(value) => value,
            Err(_) => panic!("a literal header value has a control byte"),
        }
    }

    /// The text.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

/// What follows the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Everything until the connection ends.
    CloseDelimited,
    /// Chunks, then [`LAST_CHUNK`]. Becomes [`Body::CloseDelimited`] for an HTTP/1.0 client.
    Chunked,
    /// Exactly this many bytes. To a `HEAD` request: the length a `GET` would have had.
    Length(u64),
    /// Nothing; announced as length 0 where the status allows a body.
    NoBody,
}

/// Whether the connection is to live on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// Close it after this response.
    Close,
    /// Read the next request from it.
    KeepAlive,
}

/// What was written in the end, and so what the connection has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct HeadWritten {
    /// How the body has to be sent; [`Body::NoBody`] for 1xx, 204 and 304 whatever was asked for.
    pub body: Body,
    /// Whether the connection lives on.
    pub persistence: Persistence,
}

/// A response head being written: [`start`](HeadWriter::start), any number of headers,
/// [`finish`](HeadWriter::finish).
///
/// Only one place writes each of `Content-Length`, `Transfer-Encoding`, `Connection` and `Date`:
/// `finish`.
#[must_use = "an unfinished head leaves the buffer in the middle of a response"]
#[derive(Debug)]
pub struct HeadWriter<'o> {
    out: &'o mut Vec<u8>,
    version: Version,
    status: u16,
}

impl<'o> HeadWriter<'o> {
    /// Writes the status line. `version` is the request's: the answer says HTTP/1.1 in any case
    /// (RFC 9110 section 6.2), but its framing obeys the client's version. A `status` outside 100
    /// to 599 is our bug and goes out as 500.
    pub fn start(out: &'o mut Vec<u8>, version: Version, status: u16) -> HeadWriter<'o> {
        debug_assert!((100..600).contains(&status), "status {status}");
        let status = if (100..600).contains(&status) {
            status
        } else {
            500
        };
        match status_line(status) {
            Some(line) => out.extend_from_slice(line),
            None => {
                out.extend_from_slice(b"HTTP/1.1 ");
                push_decimal(out, u64::from(status));
                out.extend_from_slice(b" \r\n");
            }
        }
        HeadWriter {
            out,
            version,
            status,
        }
    }

    /// Writes one header. Names are literals, so that none comes from outside.
    pub fn header(&mut self, name: &'static str, value: HeaderValue<'_>) -> &mut Self {
        debug_assert!(!is_own(name), "`{name}` is written by `finish`");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b": ");
        self.out.extend_from_slice(value.0.as_bytes());
        self.out.extend_from_slice(b"\r\n");
        self
    }

    /// Writes one header that is always the same, as one piece: `line` has its CRLF.
    pub fn line(&mut self, line: &'static str) -> &mut Self {
        debug_assert!(
            (line.strip_suffix("\r\n")).is_some_and(|line| HeaderValue::parse(line).is_ok()),
            "`{line}` is no line"
        );
        self.out.extend_from_slice(line.as_bytes());
        self
    }

    /// Writes the framing, the connection's fate, the date and the blank line.
    pub fn finish(self, body: Body, persistence: Persistence, date: &HttpDate) -> HeadWritten {
        let HeadWriter {
            out,
            version,
            status,
        } = self;
        let body = match (body, version) {
            _ if status_forbids_body(status) => Body::NoBody,
            (Body::Chunked, Version::Http10) => Body::CloseDelimited,
            (body, _) => body,
        };
        let persistence = if body == Body::CloseDelimited {
            Persistence::Close
        } else {
            persistence
        };

        match body {
            Body::Length(len) => {
                out.extend_from_slice(b"Content-Length: ");
                push_decimal(out, len);
                out.extend_from_slice(b"\r\n");
            }
            Body::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
            Body::NoBody if !status_forbids_body(status) => {
                out.extend_from_slice(b"Content-Length: 0\r\n")
            }
            Body::CloseDelimited | Body::NoBody => (),
        }
        match (persistence, version) {
            _ if status < 200 => (),
            (Persistence::Close, _) => out.extend_from_slice(b"Connection: close\r\n"),
            (Persistence::KeepAlive, Version::Http10) => {
                out.extend_from_slice(b"Connection: keep-alive\r\n")
            }
            (Persistence::KeepAlive, Version::Http11) => (),
        }
        out.extend_from_slice(date.end_of_head());
        HeadWritten { body, persistence }
    }
}

/// Whether a header belongs to [`HeadWriter::finish`].
fn is_own(name: &str) -> bool {
    let own = ["Connection", "Content-Length", "Date", "Transfer-Encoding"];
    own.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// Writes `data` as one chunk. Nothing for empty data: an empty chunk would end the body.
pub fn encode_chunk(out: &mut Vec<u8>, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    encode_chunk_size(out, data.len());
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// Writes the size line of a chunk whose data the caller sends from elsewhere, followed by CRLF.
/// `len` must not be zero.
// A number has no more digits than there are places, and each is below its base.
#[expect(clippy::indexing_slicing, reason = "enough places and digits")]
pub fn encode_chunk_size(out: &mut Vec<u8>, len: usize) {
    debug_assert!(len != 0, "an empty chunk ends the body");
    let mut digits = [0; 16];
    let mut at = digits.len();
    let mut left = len;
    loop {
        at = at.saturating_sub(1);
        digits[at] = b"0123456789abcdef"[left & 15];
        left >>= 4;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
    out.extend_from_slice(b"\r\n");
}

/// Writes whatever `fill` appends as one chunk, without a buffer between; nothing if it appends
/// nothing.
#[expect(clippy::indexing_slicing, reason = "the place is put there first")]
pub fn encode_chunk_with(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    /// Room for the size, with the leading zeros the grammar allows (RFC 9112 section 7.1).
    const PLACE: &[u8] = b"00000000\r\n";
    let start = out.len();
    out.extend_from_slice(PLACE);
    let empty = out.len();
    fill(out);
    let mut left = out.len().saturating_sub(empty);
    if left == 0 {
        out.truncate(start);
        return;
    }
    for digit in out[start..].iter_mut().take(8).rev() {
        *digit = b"0123456789abcdef"[left & 15];
        left >>= 4;
    }
    debug_assert!(left == 0, "a chunk of 4 GiB");
    out.extend_from_slice(b"\r\n");
}

/// Writes a decimal number.
// A number has no more digits than there are places, and each is below its base.
#[expect(clippy::indexing_slicing, reason = "enough places and digits")]
pub fn push_decimal(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut left = value;
    loop {
        at = at.saturating_sub(1);
        digits[at] = b"0123456789"[(left % 10) as usize];
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::head::HeadLimits;
    use crate::http1::method::Method;
    use crate::http1::response::{ResponseFraming, ResponseHead};

    const LIMITS: HeadLimits = HeadLimits {
        head_bytes_max: 8192,
        headers_max: 64,
    };

    fn write(
        version: Version,
        status: u16,
        body: Body,
        persistence: Persistence,
    ) -> (String, HeadWritten) {
        let mut out = Vec::new();
        let head = HeadWriter::start(&mut out, version, status);
        let written = head.finish(body, persistence, &HttpDate::from_unix(784_111_777));
        (String::from_utf8(out).unwrap(), written)
    }

    #[test]
    fn the_bytes_of_an_everyday_answer() {
        let mut out = b"before".to_vec();
        let mut head = HeadWriter::start(&mut out, Version::Http11, 200);
        head.line("Content-Type: application/json\r\n")
            .header("Retry-After", HeaderValue::from_static("30"));
        let written = head.finish(
            Body::Length(12),
            Persistence::KeepAlive,
            &HttpDate::from_unix(784_111_777),
        );
        assert_eq!(
            written,
            HeadWritten {
                body: Body::Length(12),
                persistence: Persistence::KeepAlive
            }
        );
        let expected = "beforeHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
            Retry-After: 30\r\nContent-Length: 12\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    /// Every combination reads back, by our own reader, as what `finish` said it wrote, and does not need its leniency.
    #[test]
    fn what_was_written_is_what_is_read() {
        let statuses = [
            100, 200, 202, 204, 299, 304, 400, 404, 413, 431, 500, 505, 599,
        ];
        let bodies = [
            Body::CloseDelimited,
            Body::Chunked,
            Body::Length(0),
            Body::Length(u64::MAX),
            Body::NoBody,
        ];
        for (status, body) in statuses
            .into_iter()
            .flat_map(|status| bodies.map(|body| (status, body)))
        {
            for version in [Version::Http10, Version::Http11] {
                for persistence in [Persistence::Close, Persistence::KeepAlive] {
                    let (text, written) = write(version, status, body, persistence);
                    let mut head = ResponseHead::new();
                    assert_eq!(
                        head.try_parse(text.as_bytes(), &LIMITS),
                        Ok(Some(text.len())),
                        "{text}"
                    );
                    assert_eq!((head.status(), head.reason()), (status, reason(status)));
                    assert!(text.starts_with("HTTP/") && !text.replace("\r\n", "").contains('\n'));
                    assert!(
                        !text.contains("Content-Length") || !text.contains("Transfer-Encoding")
                    );
                    let expected = match written.body {
                        Body::CloseDelimited => ResponseFraming::CloseDelimited,
                        Body::Chunked => ResponseFraming::Chunked,
                        Body::Length(len) => ResponseFraming::Length(len),
                        Body::NoBody if status_forbids_body(status) => ResponseFraming::None,
                        Body::NoBody => ResponseFraming::Length(0),
                    };
                    assert_eq!(head.framing(Method::Get), Ok(expected), "{text}");
                    if status >= 200 {
                        assert_eq!(
                            head.keep_alive(),
                            written.persistence == Persistence::KeepAlive,
                            "{text}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn an_old_client_gets_no_chunks_and_an_explicit_keep_alive() {
        let (text, written) = write(Version::Http10, 200, Body::Chunked, Persistence::KeepAlive);
        assert_eq!(
            written,
            HeadWritten {
                body: Body::CloseDelimited,
                persistence: Persistence::Close
            }
        );
        assert!(
            !text.contains("chunked") && text.contains("Connection: close\r\n"),
            "{text}"
        );
        let (text, _) = write(
            Version::Http10,
            200,
            Body::Length(1),
            Persistence::KeepAlive,
        );
        assert!(text.contains("Connection: keep-alive\r\n"), "{text}");
        let (text, _) = write(
            Version::Http11,
            200,
            Body::Length(1),
            Persistence::KeepAlive,
        );
        assert!(!text.contains("Connection"), "{text}");
    }

    #[test]
    fn header_values_cannot_split_a_response() {
        assert_eq!(
            HeaderValue::parse("a\tb ~").map(|value| value.as_str()),
            Ok("a\tb ~")
        );
        assert_eq!(HeaderValue::parse("").map(|value| value.as_str()), Ok(""));
        for byte in (0..=0x1f).filter(|byte| *byte != b'\t').chain([0x7f]) {
            let text = String::from_utf8(vec![b'a', byte, b'b']).unwrap();
            assert_eq!(HeaderValue::parse(&text), Err(InvalidHeaderValue { byte }));
        }
        assert_eq!(
            HeaderValue::parse("ä"),
            Err(InvalidHeaderValue { byte: 0xc3 })
        );
        assert_eq!(
            HeaderValue::parse("a\r\nb").unwrap_err().to_string(),
            "byte 0x0d is not allowed in a header value"
        );
    }

    #[test]
    fn chunks() {
        let mut out = Vec::new();
        encode_chunk(&mut out, b"hello");
        encode_chunk(&mut out, b"");
        encode_chunk(&mut out, &[b'x'; 0x1a0]);
        assert!(out.starts_with(b"5\r\nhello\r\n1a0\r\nxxx") && out.ends_with(b"xxx\r\n"));

        let mut out = b"before".to_vec();
        encode_chunk_with(&mut out, |_| ());
        encode_chunk_with(&mut out, |out| out.extend_from_slice(&[b'x'; 31]));
        assert_eq!(
            out,
            [&b"before0000001f\r\n"[..], &[b'x'; 31], b"\r\n"].concat()
        );
    }

    #[test]
    fn chunks_read_back() {
        use crate::http1::chunked::{ChunkProgress, ChunkedDecoder, ChunkedLimits};
        let mut out = Vec::new();
        let mut expected = Vec::new();
        for len in [1, 9, 10, 15, 16, 17, 255, 256, 4096] {
            let data = vec![b'a'; len];
            encode_chunk(&mut out, &data);
            encode_chunk_with(&mut out, |out| out.extend_from_slice(&data));
            expected.extend(data.repeat(2));
        }
        out.extend_from_slice(LAST_CHUNK);
        let mut body = Vec::new();
        let progress =
            ChunkedDecoder::new(ChunkedLimits::default()).decode(&out, &mut body, expected.len());
        assert_eq!(
            progress,
            Ok(ChunkProgress {
                consumed: out.len(),
                done: true
            })
        );
        assert_eq!(body, expected);
    }

    #[test]
    fn decimals() {
        for value in [0, 1, 9, 10, 99, 100, 12_345, u64::MAX - 1, u64::MAX] {
            let mut out = Vec::new();
            push_decimal(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }
}
