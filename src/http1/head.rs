//! Request heads: bytes in, a [`Head`] to ask questions of out. Called by the connection loop; read
//! by routes and the gate.
//!
//! A `Head` owns a copy of the bytes and is reused from request to request, so the receive buffer
//! can be drained at once.

use super::fields::Fields;
use super::framing;
use super::name::token_len;
use super::scan::{HeadScan, ScanStep, fuzz_both_ways};
use super::target::Target;
use std::borrow::Cow;
use std::ops::Range;

mod error;
#[cfg(test)]
mod tests;

pub use self::error::HeadError;
pub use super::fields::{HEADERS_CAP, UNREADABLE};
pub use super::framing::{Framing, FramingError};
pub use super::host::{Host, HostError};
pub use super::method::Method;
pub use super::name::Name;

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

/// One request's head. Its answers mean something from a [`try_parse`](Head::try_parse) that
/// completed to the next one.
#[derive(Debug)]
pub struct Head {
    scan: HeadScan,
    /// Those that the head was within whose fields these are.
    limits: HeadLimits,
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
            limits: HeadLimits {
                head_bytes_max: 0,
                headers_max: 0,
            },
            fields: Fields::default(),
            method: Method::Get,
            method_len: 0,
            version: Version::Http11,
            target_start: 0,
            target: Target::default(),
        }
    }

    /// Reads a head from the start of `buf`: `Ok(None)` needs more bytes, `Ok(Some(n))` means the
    /// first `n` are consumed.
    ///
    /// After `Ok(None)` the next `buf` must start with the same bytes. After `Ok(Some(_))` they may
    /// be dropped, and the next call starts a new head. After an error the connection has to be
    /// closed; [`release`](Head::release) makes the value new.
    pub fn try_parse(
        &mut self,
        buf: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, HeadError> {
        // The heads of one connection differ in little but the length of a body, if in that, and bytes that are the same
        // read the same. Reading them again took a ninth of a small request's instructions.
        if self.scan.is_at_start()
            && self.limits == *limits
            && let Some(lines) = self.fields.keep_common(buf)
        {
            if self.fields.ends_at(lines.end) {
                return Ok(Some(lines.end));
            }
            self.scan = HeadScan::behind(lines);
        }
        loop {
            match self.scan.advance(buf, limits, &mut self.fields)? {
                ScanStep::NeedMore => return Ok(None),
                ScanStep::StartLine(line) => {
                    self.fields.clear();
                    self.parse_request_line(buf.get(line).unwrap_or_default())?;
                }
                ScanStep::End(head) => {
                    let consumed = head.end;
                    self.fields.finish(buf.get(head).unwrap_or_default())?;
                    self.scan = HeadScan::default();
                    self.limits = *limits;
                    return Ok(Some(consumed));
                }
            }
        }
    }

    /// Forgets everything and frees the memory: for a connection that goes idle or turns into a
    /// long stream.
    pub fn release(&mut self) {
        self.fields.release();
        *self = Head::new();
    }

    /// `METHOD target HTTP/1.1` with single spaces and nothing behind it (RFC 9112 section 3).
    fn parse_request_line(&mut self, line: &[u8]) -> Result<(), HeadError> {
        self.reset_line();
        let method_len = token_len(line);
        if method_len == 0 || line.get(method_len) != Some(&b' ') {
            return Err(HeadError::BadStartLine);
        }
        if method_len > METHOD_BYTES_MAX {
            return Err(HeadError::MethodTooLong {
                limit: METHOD_BYTES_MAX,
            });
        }
        let target_start = method_len.saturating_add(1);
        let rest = line.get(target_start..).unwrap_or_default();
        let target_len = rest.iter().take_while(|byte| **byte > b' ').count();
        let target = rest.get(..target_len).unwrap_or_default();
        let target = std::str::from_utf8(target).map_err(|_| HeadError::BadStartLine)?;
        self.version = match rest.get(target_len..).unwrap_or_default() {
            _ if target.is_empty() => return Err(HeadError::BadStartLine),
            b" HTTP/1.1" => Version::Http11,
            b" HTTP/1.0" => Version::Http10,
            [b' ', b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
                if major.is_ascii_digit() && minor.is_ascii_digit() =>
            {
                return Err(HeadError::UnknownVersion);
            }
            _ => return Err(HeadError::BadStartLine),
        };
        let method = line.get(..method_len).unwrap_or_default();
        self.method = Method::parse(method);
        self.method_len = method_len;
        self.target_start = target_start;
        self.target = Target::parse(target, self.method).ok_or(HeadError::BadTarget)?;
        Ok(())
    }

    fn reset_line(&mut self) {
        self.method = Method::Get;
        self.method_len = 0;
        self.version = Version::Http11;
        self.target_start = 0;
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

    /// The path, visible ASCII, not percent-decoded: it starts with `/`, is `*` for a server-wide
    /// `OPTIONS`, and empty for `CONNECT`.
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

    /// The text of [`host`](Head::host): the authority of an absolute-form target, which counts
    /// instead of `Host` (RFC 9112 section 3.2.2), else the `Host` header.
    pub fn authority(&self) -> Option<&str> {
        match &self.target.authority {
            Some(range) => Some(self.target_part(range)),
            None => self.header(Name::Host),
        }
    }

    /// The authority the request is for; `None` only in HTTP/1.0.
    ///
    /// `Host` has to be there and valid even if the target carries an authority, which then wins
    /// (RFC 9112 section 3.2.2).
    pub fn host(&self) -> Result<Option<Host<'_>>, HostError> {
        if self.fields.is_repeated(Name::Host) {
            return Err(HostError::Repeated);
        }
        let host = match self.header(Name::Host) {
            Some(text) => Some(Host::parse(text)?),
            None if self.version == Version::Http11 => return Err(HostError::Missing),
            None => None,
        };
        match &self.target.authority {
            Some(range) => Host::parse(self.target_part(range)).map(Some),
            None => Ok(host),
        }
    }

    /// The first value of a header, trimmed.
    ///
    /// A value that is not UTF-8 reads as [`UNREADABLE`] instead of being absent: a check on
    /// `Origin` must not pass because the header was odd.
    pub fn header(&self, name: Name) -> Option<&str> {
        self.fields.text(name)
    }

    /// The first value of a header as bytes.
    pub fn header_bytes(&self, name: Name) -> Option<&[u8]> {
        self.fields.value(name)
    }

    /// All values of any header in order, as bytes. Names compare without case.
    pub fn all_bytes(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields.values(name)
    }

    /// All values of any header in order, read as [`header`](Head::header) reads them.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.texts(name)
    }

    /// A header whose value is a list: its lines joined, as if they were one (RFC 9110 section 5.3).
    pub fn list(&self, name: Name) -> Option<Cow<'_, str>> {
        let first = self.header(name)?;
        if !self.fields.is_repeated(name) {
            return Some(Cow::Borrowed(first));
        }
        let lines: Vec<&str> = self.headers(name.as_str()).collect();
        Some(Cow::Owned(lines.join(", ")))
    }

    /// The first of `names` that stands there more than once. For headers of one value: the next
    /// hop may have looked at another line than we do.
    pub fn repeated(&self, names: &[Name]) -> Option<Name> {
        let is_repeated = |name: &Name| self.fields.is_repeated(*name);
        names.iter().copied().find(is_repeated)
    }

    /// All headers in order: names as sent, values trimmed bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter_text()
    }

    /// Whether the client lets the connection live after this exchange (RFC 9112 section 9.3).
    /// `close` beats `keep-alive`.
    pub fn keep_alive(&self) -> bool {
        self.fields.keep_alive(self.version)
    }

    /// What the client expects before sending its body.
    pub fn expect(&self) -> Expectation {
        match self.fields.value(Name::Expect) {
            None => Expectation::None,
            Some(value)
                if !self.fields.is_repeated(Name::Expect)
                    && value.eq_ignore_ascii_case(b"100-continue") =>
            {
                match self.version {
                    Version::Http10 => Expectation::None,
                    Version::Http11 => Expectation::Continue,
                }
            }
            Some(_) => Expectation::Unknown,
        }
    }

    /// The length of the body that follows (RFC 9112 section 6.3).
    pub fn framing(&self) -> Result<Framing, FramingError> {
        framing::framing(&self.fields, self.version)
    }

    fn target_part(&self, range: &Range<usize>) -> &str {
        let place = |at: usize| self.target_start.saturating_add(at);
        self.fields.slice(place(range.start)..place(range.end))
    }
}

/// For fuzzing: a head reads the same whole and byte by byte, and no question about it panics.
#[doc(hidden)]
pub fn fuzz_head(bytes: &[u8]) {
    let Some((whole, split, _)) = fuzz_both_ways(bytes, Head::new, Head::try_parse) else {
        return;
    };
    assert_eq!(
        (whole.method_text(), whole.path(), whole.query()),
        (split.method_text(), split.path(), split.query())
    );
    assert_eq!(
        (whole.framing(), whole.host()),
        (split.framing(), split.host())
    );
    assert!(whole.iter().eq(split.iter()));
    assert!(whole.iter().all(|(name, value)| !name.is_empty()
        && !value.iter().any(|byte| *byte < 0x20 && *byte != b'\t')));
    assert!(whole.path().bytes().all(|byte| byte.is_ascii_graphic()));
    let _ = (whole.keep_alive(), whole.expect());
}
