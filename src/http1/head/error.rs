//! Why a message head is refused, and with which status. Raised by the line scan, the tokeniser and
//! the start lines.

use std::fmt;

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
    /// A field line without a name, without a colon, with space before it, or with a name that is
    /// not a token.
    BadField,
    /// Not `METHOD target HTTP/1.1` with single spaces.
    BadStartLine,
    /// A target that has no valid form for its method (RFC 9112 section 3.2).
    BadTarget,
    /// A line that starts with white space (obs-fold, RFC 9112 section 5.2).
    FoldedLine,
    /// The method name is over [`METHOD_BYTES_MAX`](super::METHOD_BYTES_MAX).
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
    /// Blank lines instead of a message.
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
                write!(f, "more than {limit} blank lines before the first line")
            }
            HeadError::UnknownVersion => f.write_str("HTTP version other than 1.0 and 1.1"),
        }
    }
}

impl std::error::Error for HeadError {}
