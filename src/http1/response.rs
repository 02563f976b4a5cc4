//! Response heads, read strictly. For our tests' raw client and for fuzzing against the writer; the
//! product's outbound calls do not come through here.

use super::encode::status_forbids_body;
use super::fields::Fields;
use super::framing::{self, Framing, FramingError};
use super::head::{HeadError, HeadLimits, Version};
use super::method::Method;
use super::scan::{HeadScan, ScanStep, fuzz_both_ways};

/// The body that follows a response head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFraming {
    /// No body.
    None,
    /// Exactly this many bytes.
    Length(u64),
    /// Chunked transfer coding.
    Chunked,
    /// Everything until the connection ends.
    CloseDelimited,
}

/// One response's head, owned and reusable as [`Head`](super::Head) is.
#[derive(Debug)]
pub struct ResponseHead {
    scan: HeadScan,
    fields: Fields,
    version: Version,
    status: u16,
    line_len: usize,
}

impl Default for ResponseHead {
    fn default() -> ResponseHead {
        ResponseHead::new()
    }
}

impl ResponseHead {
    /// An empty head.
    pub fn new() -> ResponseHead {
        ResponseHead {
            scan: HeadScan::default(),
            fields: Fields::default(),
            version: Version::Http11,
            status: 0,
            line_len: 0,
        }
    }

    /// Reads a head from the start of `buf`; the contract is that of
    /// [`Head::try_parse`](super::Head::try_parse).
    pub fn try_parse(
        &mut self,
        buf: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, HeadError> {
        loop {
            match self.scan.advance(buf, limits, &mut self.fields)? {
                ScanStep::NeedMore => return Ok(None),
                ScanStep::StartLine(line) => {
                    self.fields.clear();
                    self.parse_status_line(buf.get(line).unwrap_or_default())?;
                }
                ScanStep::End(head) => {
                    // The tolerance for blank lines is for requests only.
                    if head.start != 0 {
                        return Err(HeadError::BadStartLine);
                    }
                    let consumed = head.end;
                    self.fields.finish(buf.get(head).unwrap_or_default())?;
                    self.scan = HeadScan::default();
                    return Ok(Some(consumed));
                }
            }
        }
    }

    /// `HTTP/1.1 200 OK`; the reason may be empty, the space before it may not be missing (RFC 9112
    /// section 4).
    fn parse_status_line(&mut self, line: &[u8]) -> Result<(), HeadError> {
        let [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            major,
            b'.',
            minor,
            b' ',
            a,
            b,
            c,
            b' ',
            ..,
            b'\r',
            b'\n',
        ] = line
        else {
            return Err(HeadError::BadStartLine);
        };
        if ![major, minor, a, b, c]
            .iter()
            .all(|byte| byte.is_ascii_digit())
        {
            return Err(HeadError::BadStartLine);
        }
        self.version = match (major, minor) {
            (b'1', b'0') => Version::Http10,
            (b'1', b'1') => Version::Http11,
            _ => return Err(HeadError::UnknownVersion),
        };
        self.status = [a, b, c].iter().fold(0, |status: u16, digit| {
            let digit = digit.wrapping_sub(b'0');
            status.saturating_mul(10).saturating_add(digit.into())
        });
        if !(100..600).contains(&self.status) {
            return Err(HeadError::BadStartLine);
        }
        self.line_len = line.len();
        Ok(())
    }

    /// The status, 100 to 599; 0 before a head was read.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The reason phrase, which may be empty.
    pub fn reason(&self) -> &str {
        self.fields
            .slice(13..self.line_len.saturating_sub(2).max(13))
    }

    /// The first value of a header; see [`Head::header`](super::Head::header).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.fields.texts(name).next()
    }

    /// All values of a header in order.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.texts(name)
    }

    /// All headers in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter_text()
    }

    /// Whether the server says the connection lives on. A close-delimited body ends it all the
    /// same.
    pub fn keep_alive(&self) -> bool {
        self.fields.keep_alive(self.version)
    }

    /// The length of the body, given the request's method (RFC 9112 section 6.3, points 1 and 2 and
    /// the rest of its list).
    ///
    /// Stricter than a client has to be: `Content-Length` or `Transfer-Encoding` on 1xx and 204 is
    /// an error, since a server must not send them (RFC 9110 section 8.6, RFC 9112 section 6.1) and
    /// ours is tested with this.
    pub fn framing(&self, request: Method) -> Result<ResponseFraming, FramingError> {
        let announced = framing::framing(&self.fields, self.version)?;
        if (self.status < 200 || self.status == 204) && announced != Framing::None {
            return Err(FramingError::BodyOnBodiless);
        }
        let is_tunnel = request == Method::Connect && (200..300).contains(&self.status);
        if request == Method::Head || is_tunnel || status_forbids_body(self.status) {
            return Ok(ResponseFraming::None);
        }
        Ok(match announced {
            Framing::Length(len) => ResponseFraming::Length(len),
            Framing::Chunked => ResponseFraming::Chunked,
            Framing::None => ResponseFraming::CloseDelimited,
        })
    }
}

/// For fuzzing: a response head reads the same whole and byte by byte, and no question panics.
#[doc(hidden)]
pub fn fuzz_response(bytes: &[u8]) {
    let read = fuzz_both_ways(bytes, ResponseHead::new, ResponseHead::try_parse);
    let Some((whole, split)) = read else { return };
    assert_eq!(
        (whole.status(), whole.reason()),
        (split.status(), split.reason())
    );
    assert_eq!(whole.framing(Method::Get), split.framing(Method::Get));
    assert!(whole.iter().eq(split.iter()));
    let _ = whole.keep_alive();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::samples::{self, Sample};

    const LIMITS: HeadLimits = HeadLimits {
        head_bytes_max: 512,
        headers_max: 8,
    };

    fn outcome(
        parsed: Result<Option<usize>, HeadError>,
        head: &ResponseHead,
        len: usize,
    ) -> String {
        let consumed = match parsed {
            Ok(Some(consumed)) => consumed,
            Ok(None) => return "more".into(),
            Err(error) => return format!("error {error}"),
        };
        let body = match head.framing(Method::Get) {
            Err(error) => return format!("error {error}"),
            Ok(ResponseFraming::None) => "none".into(),
            Ok(ResponseFraming::Length(len)) => format!("length {len}"),
            Ok(ResponseFraming::Chunked) => "chunked".to_owned(),
            Ok(ResponseFraming::CloseDelimited) => "close-delimited".into(),
        };
        let persistence = if head.keep_alive() {
            "keep-alive"
        } else {
            "close"
        };
        let rest = if consumed < len {
            format!(" +{}", len - consumed)
        } else {
            String::new()
        };
        format!(
            "{} {}: {body} {persistence}{rest}",
            head.status(),
            head.reason()
        )
    }

    fn parse_in_pieces(bytes: &[u8], cuts: impl Iterator<Item = usize>) -> String {
        let mut head = ResponseHead::new();
        for cut in cuts {
            match head.try_parse(&bytes[..cut], &LIMITS) {
                Ok(None) => (),
                parsed => return outcome(parsed, &head, bytes.len()),
            }
        }
        let parsed = head.try_parse(bytes, &LIMITS);
        outcome(parsed, &head, bytes.len())
    }

    #[test]
    fn samples_whole_and_split_at_every_byte() {
        for Sample {
            name,
            outcome,
            bytes,
        } in samples::read(include_str!("../../tests/wire/responses.txt"))
        {
            assert_eq!(parse_in_pieces(&bytes, 0..0), outcome, "{name}");
            assert_eq!(
                parse_in_pieces(&bytes, 0..bytes.len()),
                outcome,
                "{name}, byte by byte"
            );
            for cut in 0..bytes.len() {
                assert_eq!(
                    parse_in_pieces(&bytes, cut..cut + 1),
                    outcome,
                    "{name}, cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn the_request_decides_whether_a_body_follows() {
        let mut head = ResponseHead::new();
        head.try_parse(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", &LIMITS)
            .unwrap()
            .unwrap();
        assert_eq!(head.framing(Method::Get), Ok(ResponseFraming::Length(5)));
        assert_eq!(head.framing(Method::Head), Ok(ResponseFraming::None));
        assert_eq!(head.framing(Method::Connect), Ok(ResponseFraming::None));
    }
}
