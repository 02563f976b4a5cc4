//! Decodes chunked bodies (RFC 9112 section 7.1) as they arrive. Called by the connection loop, and
//! for the bodies of responses.
//!
//! Strict: CRLF only, hexadecimal digits only, no white space around the size, but behind it in responses. Extensions and
//! trailers are read past within bounds and dropped; a trailer is never merged into the head.
//!
//! ```text
//!          ┌──────────────────── CRLF ◀──────────────────┐
//!          ▼                                             │
//!   size digits ─▶ [padding] ─▶ [; extension] ─ CRLF ─▶ data of that size
//!          │ size 0
//!          └─ CRLF ─▶ trailer lines ─▶ CRLF ─▶ done
//! ```

use super::query::hex_value;
use std::fmt;

/// The most digits a chunk size may have; sixteen cover 64 bits.
const SIZE_DIGITS_MAX: u8 = 16;

/// The widest field to which a server fills up its sizes.
const SIZE_WIDTH_MAX: u8 = 64;

/// Bounds on what a chunked body may carry besides data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkedLimits {
    /// Bytes of extension after one chunk size, the semicolon included.
    pub extension_bytes_max: usize,
    /// Bytes of extension in the whole body: without it, one-byte chunks cost 256 times their
    /// worth.
    pub extensions_total_bytes_max: usize,
    /// Bytes of trailer lines, their line ends included, the closing blank line not.
    pub trailer_bytes_max: usize,
    /// Whether spaces and tabs may follow a size, as old servers fill it up; at most to 64 bytes.
    pub padding: bool,
}

impl Default for ChunkedLimits {
    fn default() -> ChunkedLimits {
        ChunkedLimits {
            extension_bytes_max: 256,
            extensions_total_bytes_max: 8192,
            trailer_bytes_max: 1024,
            padding: false,
        }
    }
}

/// What one call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkProgress {
    /// Bytes of the input used up. Less than all of it only when the body is done.
    pub consumed: usize,
    /// Whether the body is complete.
    pub done: bool,
}

/// Why a chunked body is refused. The connection must be closed after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkedError {
    /// A chunk size that is not 1 to 16 hexadecimal digits, or not followed by CRLF or `;`.
    BadSize,
    /// A control byte or bare line end in a chunk extension.
    BadExtension,
    /// Chunk data not followed by CRLF.
    BadDataEnd,
    /// A trailer line that is not `name: value`, or a bare line end.
    BadTrailer,
    /// More extension bytes than allowed.
    ExtensionTooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// More trailer bytes than allowed.
    TrailerTooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// The chunks announced so far add up to more than the body may have: 413.
    BodyTooLarge {
        /// Bytes allowed.
        limit: usize,
        /// Bytes announced.
        got: u64,
    },
}

impl ChunkedError {
    /// The status to answer with.
    pub fn status(self) -> u16 {
        match self {
            ChunkedError::BodyTooLarge { .. } => 413,
            _ => 400,
        }
    }
}

impl fmt::Display for ChunkedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChunkedError::BadSize => {
                f.write_str("a chunk size is not 1 to 16 hexadecimal digits and CRLF")
            }
            ChunkedError::BadExtension => {
                f.write_str("a chunk extension has a control byte or a bare line end")
            }
            ChunkedError::BadDataEnd => f.write_str("chunk data is not followed by CRLF"),
            ChunkedError::BadTrailer => f.write_str("a trailer line is not `name: value`"),
            ChunkedError::ExtensionTooLong { limit } => {
                write!(f, "chunk extensions of more than {limit} bytes")
            }
            ChunkedError::TrailerTooLong { limit } => {
                write!(f, "trailers of more than {limit} bytes")
            }
            ChunkedError::BodyTooLarge { limit, got } => {
                write!(
                    f,
                    "chunked body of at least {got} bytes exceeds the limit ({limit})"
                )
            }
        }
    }
}

impl std::error::Error for ChunkedError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before or within the size digits; `digits` of them were read.
    Size {
        digits: u8,
    },
    /// Behind the digits, within the spaces that fill them up to so many bytes.
    Padding(u8),
    /// After the first `;`.
    Extension {
        bytes: usize,
    },
    /// After the CR of the size line.
    SizeLf,
    /// Data bytes are due.
    Data {
        left: u64,
    },
    /// After the data.
    DataCr,
    /// After the CR behind the data.
    DataLf,
    /// At the start of a trailer line, or of the closing blank line.
    TrailerStart,
    /// Within a trailer's name.
    TrailerName,
    /// Within a trailer's value.
    TrailerValue,
    /// After the CR of a trailer line.
    TrailerLf,
    /// After the CR of the closing blank line.
    EndLf,
    Done,
    Failed(ChunkedError),
}

/// The state of one chunked body.
#[derive(Clone, Debug)]
pub struct ChunkedDecoder {
    limits: ChunkedLimits,
    state: State,
    /// The size being read, then the size of the current chunk.
    size: u64,
    /// Sum of the sizes announced by complete size lines.
    announced: u64,
    extension_bytes: usize,
    trailer_bytes: usize,
}

impl ChunkedDecoder {
    /// At the start of a body.
    pub fn new(limits: ChunkedLimits) -> ChunkedDecoder {
        ChunkedDecoder {
            limits,
            state: State::Size { digits: 0 },
            size: 0,
            announced: 0,
            extension_bytes: 0,
            trailer_bytes: 0,
        }
    }

    /// Appends the data found in `input` to `out`. The limit counts the data of the whole body,
    /// whatever `out` holds; it strikes when a size line announces too much, before the data
    /// arrives. After an error every call repeats it.
    pub fn decode(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        body_bytes_max: usize,
    ) -> Result<ChunkProgress, ChunkedError> {
        let mut at = 0;
        loop {
            match self.state {
                State::Failed(error) => return Err(error),
                State::Done => {
                    return Ok(ChunkProgress {
                        consumed: at,
                        done: true,
                    });
                }
                _ => (),
            }
            let rest = input.get(at..).unwrap_or_default();
            let Some(byte) = rest.first() else {
                return Ok(ChunkProgress {
                    consumed: at,
                    done: false,
                });
            };
            if let State::Data { left } = self.state {
                let wanted = usize::try_from(left).unwrap_or(usize::MAX);
                let data = rest.get(..wanted).unwrap_or(rest);
                out.extend_from_slice(data);
                at = at.saturating_add(data.len());
                let left = left.saturating_sub(data.len() as u64);
                self.state = if left == 0 {
                    State::DataCr
                } else {
                    State::Data { left }
                };
                continue;
            }
            self.state = self
                .step(*byte, body_bytes_max)
                .unwrap_or_else(State::Failed);
            at = at.saturating_add(1);
        }
    }

    /// The state after one byte that is not data.
    fn step(&mut self, byte: u8, body_bytes_max: usize) -> Result<State, ChunkedError> {
        Ok(match (self.state, byte) {
            (State::Size { digits }, _) if byte.is_ascii_hexdigit() => {
                if digits == SIZE_DIGITS_MAX {
                    return Err(ChunkedError::BadSize);
                }
                self.size = self.size << 4 | u64::from(hex_value(byte));
                State::Size {
                    digits: digits.saturating_add(1),
                }
            }
            (State::Size { digits: 1.. } | State::Padding(_), b';') => self.extend(0)?,
            (State::Size { digits: 1.. } | State::Padding(_), b'\r') => State::SizeLf,
            (
                State::Size {
                    digits: width @ 1..,
                }
                | State::Padding(width),
                b' ' | b'\t',
            ) if self.limits.padding && width < SIZE_WIDTH_MAX => {
                State::Padding(width.saturating_add(1))
            }
            (State::Size { .. } | State::Padding(_), _) => return Err(ChunkedError::BadSize),

            (State::Extension { .. }, b'\r') => State::SizeLf,
            (State::Extension { bytes }, b'\t' | b' '..=b'~') => self.extend(bytes)?,
            (State::Extension { .. }, _) => return Err(ChunkedError::BadExtension),

            (State::SizeLf, b'\n') => self.start_chunk(body_bytes_max)?,
            (State::SizeLf, _) => return Err(ChunkedError::BadSize),

            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => {
                self.size = 0;
                State::Size { digits: 0 }
            }
            (State::DataCr | State::DataLf, _) => return Err(ChunkedError::BadDataEnd),

            (State::TrailerStart, b'\r') => State::EndLf,
            (State::EndLf, b'\n') => State::Done,
            (State::TrailerStart | State::TrailerName, _) if is_token_byte(byte) => {
                self.trail(State::TrailerName)?
            }
            (State::TrailerName, b':') => self.trail(State::TrailerValue)?,
            (State::TrailerValue, b'\r') => self.trail(State::TrailerLf)?,
            (State::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) => {
                self.trail(State::TrailerValue)?
            }
            (State::TrailerLf, b'\n') => self.trail(State::TrailerStart)?,
            _ => return Err(ChunkedError::BadTrailer),
        })
    }

    /// One more extension byte.
    fn extend(&mut self, bytes: usize) -> Result<State, ChunkedError> {
        let bytes = bytes.saturating_add(1);
        self.extension_bytes = self.extension_bytes.saturating_add(1);
        for (got, limit) in [
            (bytes, self.limits.extension_bytes_max),
            (self.extension_bytes, self.limits.extensions_total_bytes_max),
        ] {
            if got > limit {
                return Err(ChunkedError::ExtensionTooLong { limit });
            }
        }
        Ok(State::Extension { bytes })
    }

    /// One more trailer byte.
    fn trail(&mut self, next: State) -> Result<State, ChunkedError> {
        self.trailer_bytes = self.trailer_bytes.saturating_add(1);
        if self.trailer_bytes > self.limits.trailer_bytes_max {
            return Err(ChunkedError::TrailerTooLong {
                limit: self.limits.trailer_bytes_max,
            });
        }
        Ok(next)
    }

    fn start_chunk(&mut self, body_bytes_max: usize) -> Result<State, ChunkedError> {
        if self.size == 0 {
            return Ok(State::TrailerStart);
        }
        self.announced = self.announced.saturating_add(self.size);
        if self.announced > body_bytes_max as u64 {
            return Err(ChunkedError::BodyTooLarge {
                limit: body_bytes_max,
                got: self.announced,
            });
        }
        Ok(State::Data { left: self.size })
    }
}

/// tchar (RFC 9110 section 5.6.2).
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// For fuzzing: a body reads the same whole and byte by byte, and never yields more than its limit.
#[doc(hidden)]
pub fn fuzz_chunked(bytes: &[u8]) {
    const BODY_BYTES_MAX: usize = 64;
    let mut whole_out = Vec::new();
    let whole =
        ChunkedDecoder::new(ChunkedLimits::default()).decode(bytes, &mut whole_out, BODY_BYTES_MAX);

    let mut decoder = ChunkedDecoder::new(ChunkedLimits::default());
    let (split, split_out) = fuzz_pieces(bytes, &mut |piece, out| {
        decoder.decode(piece, out, BODY_BYTES_MAX)
    });
    assert_eq!(whole, split);
    assert_eq!(whole_out, split_out);
    assert!(whole_out.len() <= BODY_BYTES_MAX.min(bytes.len()));
}

/// What came of reading a piece.
type Outcome = Result<ChunkProgress, ChunkedError>;

/// What `read` comes to when it is fed byte by byte, and what it yields.
pub(super) fn fuzz_pieces(
    bytes: &[u8],
    read: &mut dyn FnMut(&[u8], &mut Vec<u8>) -> Outcome,
) -> (Outcome, Vec<u8>) {
    let mut out = Vec::new();
    let mut split = Ok(ChunkProgress {
        consumed: 0,
        done: false,
    });
    for (at, byte) in bytes.iter().enumerate() {
        split = read(&[*byte], &mut out).map(|progress| ChunkProgress {
            consumed: at.saturating_add(progress.consumed),
            ..progress
        });
        if !matches!(split, Ok(ChunkProgress { done: false, .. })) {
            break;
        }
    }
    (split, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::samples::{self, Sample};

    const BODY_BYTES_MAX: usize = 16;

    /// Feeds `bytes` in the pieces between `cuts`; the outcome is in the words of the sample file.
    fn decode_in_pieces(bytes: &[u8], cuts: &[usize]) -> String {
        let mut decoder = ChunkedDecoder::new(ChunkedLimits::default());
        let mut out = b"before".to_vec();
        let mut start = 0;
        for end in cuts.iter().copied().chain([bytes.len()]) {
            match decoder.decode(&bytes[start..end], &mut out, BODY_BYTES_MAX) {
                Err(error) => {
                    assert_eq!(
                        decoder.decode(b"0\r\n\r\n", &mut out, BODY_BYTES_MAX),
                        Err(error),
                        "errors stay"
                    );
                    return format!("{} {error}", error.status());
                }
                Ok(ChunkProgress {
                    consumed,
                    done: false,
                }) => assert_eq!(consumed, end - start),
                Ok(ChunkProgress {
                    consumed,
                    done: true,
                }) => {
                    let after = decoder.decode(b"x", &mut out, BODY_BYTES_MAX);
                    assert_eq!(
                        after,
                        Ok(ChunkProgress {
                            consumed: 0,
                            done: true
                        }),
                        "done stays"
                    );
                    let body = out
                        .strip_prefix(b"before")
                        .unwrap()
                        .escape_ascii()
                        .to_string();
                    let body = if body.is_empty() {
                        "empty body".into()
                    } else {
                        format!("body {body}")
                    };
                    let left = bytes.len() - start - consumed;
                    return if left == 0 {
                        body
                    } else {
                        format!("{body} +{left}")
                    };
                }
            }
            start = end;
        }
        "more".into()
    }

    #[test]
    fn samples_whole_and_split_at_every_byte() {
        for Sample {
            name,
            outcome,
            bytes,
        } in samples::read(include_str!("../../tests/wire/chunked.txt"))
        {
            assert_eq!(decode_in_pieces(&bytes, &[]), outcome, "{name}");
            let every: Vec<usize> = (0..bytes.len()).collect();
            assert_eq!(
                decode_in_pieces(&bytes, &every),
                outcome,
                "{name}, byte by byte"
            );
            for cut in every {
                assert_eq!(
                    decode_in_pieces(&bytes, &[cut]),
                    outcome,
                    "{name}, cut at {cut}"
                );
            }
            fuzz_chunked(&bytes);
        }
    }

    #[test]
    fn a_huge_announced_chunk_reserves_nothing() {
        let mut out = Vec::new();
        let mut decoder = ChunkedDecoder::new(ChunkedLimits::default());
        let progress = decoder.decode(b"ffffffff\r\nab", &mut out, usize::MAX);
        assert_eq!(
            progress,
            Ok(ChunkProgress {
                consumed: 12,
                done: false
            })
        );
        assert!(out.capacity() < 64, "{}", out.capacity());
    }

    #[test]
    fn extensions_are_bounded_over_the_whole_body() {
        let limits = ChunkedLimits {
            extensions_total_bytes_max: 4,
            ..ChunkedLimits::default()
        };
        let decode = |body: &[u8]| {
            ChunkedDecoder::new(limits)
                .decode(body, &mut Vec::new(), 16)
                .err()
        };
        assert_eq!(decode(b"1;a\r\nx\r\n0;a\r\n\r\n"), None);
        assert_eq!(
            decode(b"1;a\r\nx\r\n0;ab\r\n\r\n"),
            Some(ChunkedError::ExtensionTooLong { limit: 4 })
        );
    }
}
