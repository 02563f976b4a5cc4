//! Request heads: bytes in, a [`Head`] to ask questions of out. Called by the connection loop; read by routes and the gate.
//!
//! A `Head` owns a copy of the bytes and is reused from request to request, so the receive buffer can be drained at once.

use super::fields::Fields;
use super::framing;
use super::scan::{HeadScan, ScanStep};
use super::target::Target;
use std::fmt;
use std::ops::Range;

pub use super::fields::{HEADERS_CAP, UNREADABLE};
pub use super::framing::{Framing, FramingError};
pub use super::host::{Host, HostError};
pub use super::method::Method;

/// The longest method name read; the longest registered one (RFC 4437) has 17 letters.
pub const METHOD_BYTES_MAX: usize = 32;

/// Bounds on one request head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes from the request line to the blank line, both included.
    pub head_bytes_max: usize,
    /// Field lines; never more than [`HEADERS_CAP`].
    pub headers_max: usize,
}

/// The HTTP version of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: closes by default, knows no chunks and no interim answers.
    Http10,
    /// HTTP/1.1
    Http11,
}

/// What the client waits for before it sends the body (RFC 9110 section 10.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// Nothing; also an HTTP/1.0 client's `100-continue`, which must be ignored.
    None,
    /// `100-continue`: send an interim answer if the body is wanted, else the final one.
    Continue,
    /// Anything else: 417.
    Unknown,
}

/// Why a head is refused. The connection must be closed after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// A CR that is not followed by LF.
    BareCr,
    /// A LF that does not follow CR.
    BareLf,
    /// A control byte, NUL included.
    ControlByte {
        /// The byte.
        byte: u8,
    },
    /// A field line without a name, without a colon, with space before it, or with a name that is not a token.
    BadField,
    /// Not `METHOD target HTTP/1.1` with single spaces.
    BadStartLine,
    /// A target that has no valid form for its method (RFC 9112 section 3.2).
    BadTarget,
    /// A line that starts with white space (obs-fold, RFC 9112 section 5.2).
    FoldedLine,
    /// The method name is over [`METHOD_BYTES_MAX`].
    MethodTooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// The start line alone exceeds `head_bytes_max`: 414.
    StartLineTooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// The head exceeds `head_bytes_max`: 431.
    HeadTooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// More field lines than `headers_max`: 431.
    TooManyHeaders {
        /// Lines allowed.
        limit: usize,
    },
    /// Blank lines instead of a request.
    TooManyBlankLines {
        /// Blank lines allowed.
        limit: usize,
    },
    /// An HTTP version other than 1.0 and 1.1: 505.
    UnknownVersion,
}

impl HeadError {
    /// The status to answer with.
    pub fn status(self) -> u16 {
        match self {
            HeadError::StartLineTooLong { .. } => 414,
            HeadError::HeadTooLong { .. } | HeadError::TooManyHeaders { .. } => 431,
            HeadError::UnknownVersion => 505,
            _ => 400,
        }
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeadError::BareCr => f.write_str("a CR without LF in the head"),
            HeadError::BareLf => f.write_str("a LF without CR in the head"),
            HeadError::ControlByte { byte } => write!(f, "control byte 0x{byte:02x} in the head"),
            HeadError::BadField => f.write_str("a header line is not `name: value`"),
            HeadError::BadStartLine => {
                f.write_str("the first line is not that of an HTTP/1.1 message")
            }
            HeadError::BadTarget => {
                f.write_str("the request target is not a path or an `http` address")
            }
            HeadError::FoldedLine => f.write_str("a line of the head starts with white space"),
            HeadError::MethodTooLong { limit } => {
                write!(f, "the method is longer than {limit} bytes")
            }
            HeadError::StartLineTooLong { limit } => {
                write!(f, "the first line is longer than {limit} bytes")
            }
            HeadError::HeadTooLong { limit } => write!(f, "the head is longer than {limit} bytes"),
            HeadError::TooManyHeaders { limit } => {
                write!(f, "the head has more than {limit} header lines")
            }
            HeadError::TooManyBlankLines { limit } => {
                write!(f, "more than {limit} blank lines before the request")
            }
            HeadError::UnknownVersion => f.write_str("HTTP version other than 1.0 and 1.1"),
        }
    }
}

impl std::error::Error for HeadError {}

/// One request's head. Before the first and during an unfinished [`try_parse`](Head::try_parse) it reads as an empty `GET /`.
#[derive(Debug)]
pub struct Head {
    scan: HeadScan,
    fields: Fields,
    method: Method,
    method_len: usize,
    version: Version,
    /// First byte of the target in the copied head; `target`'s ranges count from there.
    target_start: usize,
    target: Target,
}

impl Default for Head {
    fn default() -> Head {
        Head::new()
    }
}

impl Head {
    /// An empty head; it allocates when it is filled.
    pub fn new() -> Head {
        Head {
            scan: HeadScan::default(),
            fields: Fields::default(),
            method: Method::Get,
            method_len: 0,
            version: Version::Http11,
            target_start: 0,
            target: Target::default(),
        }
    }

    /// Reads a head from the start of `buf`: `Ok(None)` needs more bytes, `Ok(Some(n))` means the first `n` are consumed.
    ///
    /// After `Ok(None)` the next `buf` must start with the same bytes. After `Ok(Some(_))` they may be dropped, and the next
    /// call starts a new head. After an error the connection has to be closed; [`reset`](Head::reset) makes the value new.
    pub fn try_parse(
        &mut self,
        buf: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, HeadError> {
        loop {
            match self.scan.advance(buf, limits.head_bytes_max)? {
                ScanStep::NeedMore => return Ok(None),
                ScanStep::StartLine(line) => {
                    self.fields.clear();
                    self.parse_request_line(&buf[line])?;
                }
                ScanStep::End(lines) => {
                    let lead = self.scan.lead();
                    self.fields.fill(
                        &buf[lead..lines.end],
                        lines.start - lead..lines.end - lead,
                        limits.headers_max,
                    )?;
                    self.scan = HeadScan::default();
                    return Ok(Some(lines.end));
                }
            }
        }
    }

    /// Forgets everything, also a half-read head; keeps the memory.
    pub fn reset(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = Head {
            fields,
            ..Head::new()
        };
    }

    /// Forgets everything and frees the memory: for a connection that goes idle or turns into a long stream.
    pub fn release(&mut self) {
        self.fields.release();
        *self = Head::new();
    }

    fn parse_request_line(&mut self, line: &[u8]) -> Result<(), HeadError> {
        self.reset_line();
        let mut no_headers = [];
        let mut request = httparse::Request::new(&mut no_headers);
        let outcome = request.parse(line);
        if request
            .method
            .is_some_and(|method| method.len() > METHOD_BYTES_MAX)
        {
            return Err(HeadError::MethodTooLong {
                limit: METHOD_BYTES_MAX,
            });
        }
        match outcome {
            Ok(_) => (),
            Err(httparse::Error::Version) if names_a_version(line) => {
                return Err(HeadError::UnknownVersion);
            }
            Err(_) => return Err(HeadError::BadStartLine),
        }
        let (Some(method), Some(target), Some(minor)) =
            (request.method, request.path, request.version)
        else {
            return Err(HeadError::BadStartLine);
        };
        // The grammar has single spaces and nothing after the version; the tokeniser is not asked to promise that.
        if line.len() != method.len() + target.len() + " HTTP/1.1\r\n".len() + 1 {
            return Err(HeadError::BadStartLine);
        }
        self.method = Method::parse(method.as_bytes());
        self.method_len = method.len();
        self.target_start = method.len() + 1;
        self.version = if minor == 0 {
            Version::Http10
        } else {
            Version::Http11
        };
        self.target = Target::parse(target, self.method).ok_or(HeadError::BadTarget)?;
        Ok(())
    }

    fn reset_line(&mut self) {
        self.method = Method::Get;
        self.method_len = 0;
        self.version = Version::Http11;
        self.target = Target::default();
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The method as sent: a token of at most [`METHOD_BYTES_MAX`] bytes.
    pub fn method_text(&self) -> &str {
        self.fields.slice(0..self.method_len)
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The path, visible ASCII, not percent-decoded: it starts with `/`, is `*` for a server-wide `OPTIONS`, and empty for `CONNECT`.
    pub fn path(&self) -> &str {
        if self.target.is_asterisk {
            return "*";
        }
        match self.target_part(&self.target.path) {
            "" if self.method != Method::Connect => "/",
            path => path,
        }
    }

    /// What follows the first `?` of the target, not decoded; `Some("")` for a bare `?`.
    pub fn query(&self) -> Option<&str> {
        self.target
            .query
            .as_ref()
            .map(|range| self.target_part(range))
    }

    /// The authority the request is for; `None` only in HTTP/1.0.
    ///
    /// `Host` has to be there and valid even if the target carries an authority, which then wins (RFC 9112 section 3.2.2).
    pub fn host(&self) -> Result<Option<Host<'_>>, HostError> {
        let mut values = self.headers("host");
        let host = match (values.next(), values.next()) {
            (Some(_), Some(_)) => return Err(HostError::Repeated),
            (Some(text), None) => Some(Host::parse(text)?),
            (None, _) if self.version == Version::Http11 => return Err(HostError::Missing),
            (None, _) => None,
        };
        match &self.target.authority {
            Some(range) => Host::parse(self.target_part(range)).map(Some),
            None => Ok(host),
        }
    }

    /// The first value of a header, trimmed. Names compare without case.
    ///
    /// A value that is not UTF-8 reads as [`UNREADABLE`] instead of being absent: a check on `Origin` must not pass because the
    /// header was odd. Its bytes are at [`header_bytes`](Head::header_bytes).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header_bytes(name).map(Fields::text)
    }

    /// The first value of a header as bytes.
    pub fn header_bytes(&self, name: &str) -> Option<&[u8]> {
        self.fields
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All values of a header in order, read as [`header`](Head::header) reads them.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.all(name).map(Fields::text)
    }

    /// All headers in order: names as sent, values trimmed bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter()
    }

    /// Whether the client lets the connection live after this exchange (RFC 9112 section 9.3). `close` beats `keep-alive`.
    pub fn keep_alive(&self) -> bool {
        self.fields.keep_alive(self.version)
    }

    /// What the client expects before sending its body.
    pub fn expect(&self) -> Expectation {
        let mut values = self.fields.all("expect");
        match (values.next(), values.next()) {
            (None, _) => Expectation::None,
            (Some(value), None) if value.eq_ignore_ascii_case(b"100-continue") => {
                match self.version {
                    Version::Http10 => Expectation::None,
                    Version::Http11 => Expectation::Continue,
                }
            }
            _ => Expectation::Unknown,
        }
    }

    /// The length of the body that follows (RFC 9112 section 6.3).
    pub fn framing(&self) -> Result<Framing, FramingError> {
        framing::framing(&self.fields, self.version)
    }

    fn target_part(&self, range: &Range<usize>) -> &str {
        self.fields
            .slice(self.target_start + range.start..self.target_start + range.end)
    }
}

/// Whether a request line ends in `HTTP/` digit `.` digit, so that it is the version alone that is wrong.
fn names_a_version(line: &[u8]) -> bool {
    matches!(line, [.., b' ', b'H', b'T', b'T', b'P', b'/', major, b'.', minor, b'\r', b'\n']
        if major.is_ascii_digit() && minor.is_ascii_digit())
}
