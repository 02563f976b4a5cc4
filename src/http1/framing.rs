//! How long a message's body is (RFC 9112 section 6.3). Anything that could be read in two ways is
//! an error, and an error here means the connection must be closed: nobody knows where the next
//! request starts.

use super::fields::Fields;
use super::head::Version;
use super::name::Name;
use std::fmt;

/// The body that follows a request head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body, neither announced nor sent.
    None,
    /// Exactly this many bytes.
    Length(u64),
    /// Chunked transfer coding.
    Chunked,
}

/// Why a body's length is not certain. Always 400, and the connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FramingError {
    /// `Content-Length` and `Transfer-Encoding` together, in either order.
    LengthAndTransferEncoding,
    /// More than one `Content-Length` line, even if they agree.
    RepeatedLength,
    /// Not a plain decimal number below 2^64; in requests also one with leading zeros.
    InvalidLength,
    /// More than one `Transfer-Encoding` line.
    RepeatedTransferEncoding,
    /// Not exactly `chunked`.
    UnknownTransferEncoding,
    /// `Transfer-Encoding` in HTTP/1.0, which does not know it (RFC 9112 section 6.1).
    TransferEncodingInHttp10,
}

impl FramingError {
    /// The status to answer with.
    pub fn status(self) -> u16 {
        400
    }
}

impl fmt::Display for FramingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FramingError::LengthAndTransferEncoding => {
                "both `Content-Length` and `Transfer-Encoding`: send one"
            }
            FramingError::RepeatedLength => "more than one `Content-Length` header",
            FramingError::InvalidLength => "`Content-Length` is not a plain decimal number",
            FramingError::RepeatedTransferEncoding => "more than one `Transfer-Encoding` header",
            FramingError::UnknownTransferEncoding => {
                "`Transfer-Encoding` other than exactly `chunked`"
            }
            FramingError::TransferEncodingInHttp10 => "`Transfer-Encoding` in an HTTP/1.0 message",
        })
    }
}

impl std::error::Error for FramingError {}

/// What the two length fields of a request say. RFC 9112 section 6.3, in its order:
/// - 1, 2 (responses only): see `response`
/// - 3: both fields: error
/// - 4: `Transfer-Encoding` whose last coding is not chunked: error; we know no other coding, so
///   all but `chunked` is
/// - 5: invalid `Content-Length`: error; a list of identical values may be accepted, and is not
/// - 6: valid `Content-Length`: that many bytes
/// - 7: neither: no body
pub(super) fn framing(fields: &Fields, version: Version) -> Result<Framing, FramingError> {
    if fields.is_repeated(Name::ContentLength) {
        return Err(FramingError::RepeatedLength);
    }
    let length = fields.value(Name::ContentLength);
    match (length, is_chunked(fields, version)) {
        (None, Ok(false)) => Ok(Framing::None),
        (None, Ok(true)) => Ok(Framing::Chunked),
        (Some([b'0', _, ..]), Ok(false)) => Err(FramingError::InvalidLength),
        (Some(digits), Ok(false)) => parse_length(digits)
            .map(Framing::Length)
            .ok_or(FramingError::InvalidLength),
        (None, Err(error)) | (_, Err(error @ FramingError::RepeatedTransferEncoding)) => Err(error),
        (Some(_), _) => Err(FramingError::LengthAndTransferEncoding),
    }
}

/// Whether there is a `Transfer-Encoding`, which has to be `chunked`.
pub(super) fn is_chunked(fields: &Fields, version: Version) -> Result<bool, FramingError> {
    let Some(coding) = fields.value(Name::TransferEncoding) else {
        return Ok(false);
    };
    if fields.is_repeated(Name::TransferEncoding) {
        return Err(FramingError::RepeatedTransferEncoding);
    }
    if version == Version::Http10 {
        return Err(FramingError::TransferEncodingInHttp10);
    }
    if !coding.eq_ignore_ascii_case(b"chunked") {
        return Err(FramingError::UnknownTransferEncoding);
    }
    Ok(true)
}

/// A `Content-Length` value: digits only, below 2^64.
pub(super) fn parse_length(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |length, byte| {
        let digit = byte
            .is_ascii_digit()
            .then(|| u64::from(byte.wrapping_sub(b'0')))?;
        length.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        assert_eq!(parse_length(b"0"), Some(0));
        assert_eq!(parse_length(b"10"), Some(10));
        // Requests may not have these, by `tests/wire/heads.txt`.
        assert_eq!(parse_length(b"00"), Some(0));
        assert_eq!(parse_length(b"000000000000000000000005"), Some(5));
        assert_eq!(parse_length(b"18446744073709551615"), Some(u64::MAX));
        for text in [
            "",
            "+5",
            "-1",
            "0x10",
            "1_0",
            "5,5",
            "5 5",
            "1e3",
            "18446744073709551616",
            "5\0",
        ] {
            assert_eq!(parse_length(text.as_bytes()), None, "{text:?}");
        }
    }
}
