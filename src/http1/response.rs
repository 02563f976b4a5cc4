//! Response heads and the framing of what follows. For the outbound client, for our tests' raw client and for fuzzing
//! against the writer.
//!
//! As strict as the reader of requests about fields: names, colons, folded lines, control bytes. More lenient where servers
//! that people run differ from the grammar and RFC 9112 lets a client follow: lines may end in LF alone, blank ones come
//! first, the reason's space be missing, a length stand there twice, with leading zeros, or beside chunks, which win;
//! statuses go up to 999, and spaces may follow a chunk's size. For each, `tests/wire/responses.txt` or `body` has a sample.

use super::encode::status_forbids_body;
use super::fields::Fields;
use super::framing::{self, FramingError};
use super::head::{HeadError, HeadLimits, Version};
use super::method::Method;
use super::name::Name;
use super::scan::{HeadScan, ScanStep, fuzz_both_ways};

mod body;
pub use body::ResponseBody;

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
            scan: HeadScan::of_response(),
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
                    let consumed = head.end;
                    self.fields.finish(buf.get(head).unwrap_or_default())?;
                    self.scan = HeadScan::of_response();
                    return Ok(Some(consumed));
                }
            }
        }
    }

    /// What is wrong with the lines of a head whose end does not come. As long as it may, errors of lines wait for it, so
    /// that none depends on how the bytes were cut.
    pub fn error_so_far(&self) -> Option<HeadError> {
        self.fields.error()
    }

    /// `HTTP/1.1 200 OK`; the reason may be empty, and the space before it missing, which RFC 9112 section 4 forbids and
    /// some servers do.
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
            digits @ ..,
        ] = line
        else {
            return Err(HeadError::BadStartLine);
        };
        let (status, reason) = digits.split_at_checked(3).unwrap_or_default();
        let mut number = [major, minor].into_iter().chain(status);
        if !number.all(u8::is_ascii_digit)
            || !matches!(status, [b'1'..=b'9', ..])
            || !matches!(reason, [] | [b' ', ..])
        {
            return Err(HeadError::BadStartLine);
        }
        self.version = match (major, minor) {
            (b'1', b'0') => Version::Http10,
            (b'1', b'1') => Version::Http11,
            _ => return Err(HeadError::UnknownVersion),
        };
        self.status = status.iter().fold(0, |status: u16, digit| {
            let digit = digit.wrapping_sub(b'0');
            status.saturating_mul(10).saturating_add(digit.into())
        });
        self.line_len = line.len();
        Ok(())
    }

    /// The status, 100 to 999; 0 before a head was read.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The reason phrase, which may be empty.
    pub fn reason(&self) -> &str {
        self.fields.slice(13..self.line_len.max(13))
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

    /// Whether the server says the connection lives on, and where the next answer begins has one reading: with a length
    /// and chunks it must end (RFC 9112 section 6.3). A close-delimited body ends it all the same.
    pub fn keep_alive(&self) -> bool {
        let both = [Name::ContentLength, Name::TransferEncoding];
        self.fields.keep_alive(self.version)
            && both.iter().any(|name| self.fields.value(*name).is_none())
    }

    /// The length of the body, given the request's method. RFC 9112 section 6.3, in its order:
    /// - 1: no body after `HEAD`, 1xx, 204 and 304, whatever the fields say
    /// - 2: nor after a `CONNECT` that succeeded
    /// - 3: both fields: `Transfer-Encoding` wins, whatever the other says
    /// - 4: `Transfer-Encoding` that is not exactly `chunked`: error; we know no other coding
    /// - 5: invalid `Content-Length`: error, unless it says the same number several times
    /// - 6: valid `Content-Length`: that many bytes
    /// - 8: neither: everything until the connection ends
    pub fn framing(&self, request: Method) -> Result<ResponseFraming, FramingError> {
        let is_tunnel = request == Method::Connect && (200..300).contains(&self.status);
        if request == Method::Head || is_tunnel || status_forbids_body(self.status) {
            return Ok(ResponseFraming::None);
        }
        if framing::is_chunked(&self.fields, self.version)? {
            return Ok(ResponseFraming::Chunked);
        }
        if self.fields.value(Name::ContentLength).is_none() {
            return Ok(ResponseFraming::CloseDelimited);
        }
        match self.same_length() {
            Some(len) => Ok(ResponseFraming::Length(len)),
            None if self.fields.is_repeated(Name::ContentLength) => {
                Err(FramingError::RepeatedLength)
            }
            None => Err(FramingError::InvalidLength),
        }
    }

    /// The one number that all lines and list members of `Content-Length` name.
    fn same_length(&self) -> Option<u64> {
        let mut same = None;
        for value in self.fields.values(Name::ContentLength.as_str()) {
            for member in value.split(|byte| *byte == b',') {
                let len = framing::parse_length(member.trim_ascii())?;
                if *same.get_or_insert(len) != len {
                    return None;
                }
            }
        }
        same
    }
}

/// For fuzzing: a response, head and body, reads the same whole and byte by byte, and no question panics.
#[doc(hidden)]
pub fn fuzz_response(bytes: &[u8]) {
    let read = fuzz_both_ways(bytes, ResponseHead::new, ResponseHead::try_parse);
    let Some((whole, split, rest)) = read else {
        return;
    };
    assert_eq!(
        (whole.status(), whole.reason()),
        (split.status(), split.reason())
    );
    assert_eq!(whole.framing(Method::Get), split.framing(Method::Get));
    assert!(whole.iter().eq(split.iter()));
    assert!(whole.iter().all(|(name, value)| !name.is_empty()
        && !value.iter().any(|byte| *byte < 0x20 && *byte != b'\t')));
    let _ = whole.keep_alive();
    if let Ok(framing) = whole.framing(Method::Get) {
        body::fuzz_body(framing, rest);
    }
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

        // Where there is none, what would be wrong with it does not matter.
        head.try_parse(
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            &LIMITS,
        )
        .unwrap()
        .unwrap();
        assert_eq!(head.framing(Method::Head), Ok(ResponseFraming::None));
        assert_eq!(head.framing(Method::Get), Err(FramingError::RepeatedLength));
    }
}
