//! Finds the end of a message head, byte by byte, and refuses line tricks on the way. Called by
//! `head` and `response`.
//!
//! Two readers that see different lines see different requests: a proxy in front and we must not. So
//! the line structure is checked here, before anything is made of a line. The scan remembers how far
//! it got: bytes arriving one at a time cost one step each, and an error does not depend on how the
//! bytes were cut.
//!
//! Of responses, lines may end in LF alone (RFC 9112 section 2.2), and each in its own way: nobody behind us reads them.

use super::fields::Fields;
use super::head::{HeadError, HeadLimits};
use crate::find;
use std::ops::Range;

/// Blank lines tolerated before a start line (RFC 9112 section 2.2 asks for at least one before requests).
const LEADING_CRLF_MAX: usize = 4;

/// What every response begins with.
const RESPONSE: &[u8] = b"HTTP/";

/// What the scan came upon next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ScanStep {
    /// The buffer ended first.
    NeedMore,
    /// The start line is complete: its range in the buffer, without its end.
    StartLine(Range<usize>),
    /// The head is complete: its range in the buffer.
    End(Range<usize>),
}

/// How far the search for the end of the head got.
///
/// ```text
/// leading CRLFs ──▶ start line ──▶ field lines ──▶ blank line
///      lead ▲            fields ▲         at ▲
/// ```
#[derive(Debug, Default)]
pub(super) struct HeadScan {
    /// First byte of the start line. Final once a byte other than CR stood there.
    lead: usize,
    /// First byte after the start line; zero until it is known.
    fields: usize,
    /// First byte of the current line. Invariant: `lead <= line <= at`.
    line: usize,
    /// First byte not looked at.
    at: usize,
    /// Whether this is a response's head.
    is_response: bool,
}

impl HeadScan {
    /// A scan of a response's head.
    pub(super) fn of_response() -> HeadScan {
        HeadScan {
            is_response: true,
            ..HeadScan::default()
        }
    }

    /// A scan that goes on at the line behind `seen`, a range of field lines at the start of a buffer
    /// that were seen before.
    pub(super) fn behind(seen: Range<usize>) -> HeadScan {
        HeadScan {
            lead: 0,
            fields: seen.start,
            line: seen.end,
            at: seen.end,
            is_response: false,
        }
    }

    /// Whether nothing was looked at.
    pub(super) fn is_at_start(&self) -> bool {
        self.at == 0
    }

    /// Continues the search in `buf`, which starts with the bytes of the calls before. Hands each field
    /// line to `fields`.
    pub(super) fn advance(
        &mut self,
        buf: &[u8],
        limits: &HeadLimits,
        fields: &mut Fields,
    ) -> Result<ScanStep, HeadError> {
        let head_bytes_max = limits.head_bytes_max;
        debug_assert!(
            self.at <= buf.len(),
            "the buffer lost bytes between two calls"
        );
        if self.at == self.lead {
            while let Some(end) = self.line_end(buf) {
                self.lead = self.lead.saturating_add(end);
                self.at = self.lead;
                self.line = self.lead;
                if self.lead > 2 * LEADING_CRLF_MAX {
                    return Err(HeadError::TooManyBlankLines {
                        limit: LEADING_CRLF_MAX,
                    });
                }
            }
        }
        // Told by the first byte that is not so: what speaks another protocol may never end a line.
        let begin = buf.get(self.lead..).unwrap_or_default();
        if self.is_response
            && begin.first() != Some(&b'\r')
            && RESPONSE.iter().zip(begin).any(|(one, other)| one != other)
        {
            return Err(HeadError::BadStartLine);
        }
        let limit = self.lead.saturating_add(head_bytes_max);
        let visible = buf.get(..limit).unwrap_or(buf);
        loop {
            // RFC 9112 5.2: a line that continues the one before is refused; before a start line,
            // white space is as bad.
            if self.at == self.line && matches!(visible.get(self.at), Some(b' ' | b'\t')) {
                return Err(HeadError::FoldedLine);
            }
            let unseen = visible.get(self.at..).unwrap_or_default();
            let seen = find::control(unseen).unwrap_or(unseen.len());
            self.at = self.at.saturating_add(seen);
            if self.at.saturating_add(1) >= limit
                && (self.at >= limit || visible.get(self.at) == Some(&b'\r'))
            {
                return Err(self.too_long(head_bytes_max));
            }
            let Some(end) = self.line_end(visible) else {
                return match visible.get(self.at..) {
                    None | Some([]) | Some([b'\r']) => Ok(ScanStep::NeedMore),
                    Some([b'\r', ..]) => Err(HeadError::BareCr),
                    Some([b'\n', ..]) => Err(HeadError::BareLf),
                    Some([byte, ..]) => Err(HeadError::ControlByte { byte: *byte }),
                };
            };
            let line = self.line..self.at;
            self.at = self.at.saturating_add(end);
            self.line = self.at;
            if self.fields == 0 {
                self.fields = self.at;
                return Ok(ScanStep::StartLine(line));
            }
            if line.is_empty() {
                return Ok(ScanStep::End(self.lead..self.at));
            }
            let head = buf.get(self.lead..).unwrap_or_default();
            let place = |at: usize| at.saturating_sub(self.lead);
            fields.add(head, place(line.start)..place(line.end), limits.headers_max);
        }
    }

    /// How long the line end is that stands at `at`, if there is one.
    #[inline(always)]
    fn line_end(&self, bytes: &[u8]) -> Option<usize> {
        match bytes.get(self.at..) {
            Some([b'\r', b'\n', ..]) => Some(2),
            Some([b'\n', ..]) if self.is_response => Some(1),
            _ => None,
        }
    }

    fn too_long(&self, limit: usize) -> HeadError {
        if self.fields == 0 {
            HeadError::StartLineTooLong { limit }
        } else {
            HeadError::HeadTooLong { limit }
        }
    }
}

/// How both kinds of head are read; see there.
pub(super) type TryParse<H> = fn(&mut H, &[u8], &HeadLimits) -> Result<Option<usize>, HeadError>;

/// For fuzzing: reads a head whole and byte by byte, which must come to the same, and returns both
/// and what follows, if there was one.
pub(super) fn fuzz_both_ways<H>(
    bytes: &[u8],
    new: fn() -> H,
    try_parse: TryParse<H>,
) -> Option<(H, H, &[u8])> {
    let limits = HeadLimits {
        head_bytes_max: 512,
        headers_max: 8,
    };
    let (mut whole, mut split) = (new(), new());
    let outcome = try_parse(&mut whole, bytes, &limits);
    let mut split_outcome = Ok(None);
    for len in 0..=bytes.len() {
        let part = bytes.get(..len).unwrap_or_default();
        split_outcome = try_parse(&mut split, part, &limits);
        if split_outcome != Ok(None) {
            break;
        }
    }
    assert_eq!(outcome, split_outcome);
    let consumed = outcome.ok()??;
    Some((whole, split, bytes.split_at(consumed).1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(head_bytes_max: usize) -> HeadLimits {
        HeadLimits {
            head_bytes_max,
            headers_max: 8,
        }
    }

    /// The answer when `text` arrives one byte at a time, and the number of bytes it took.
    fn scan(text: &[u8], head_bytes_max: usize) -> (Result<ScanStep, HeadError>, usize) {
        let (mut scan, mut fields) = (HeadScan::default(), Fields::default());
        for end in 0..=text.len() {
            loop {
                match scan.advance(&text[..end], &limits(head_bytes_max), &mut fields) {
                    Ok(ScanStep::NeedMore) => break,
                    Ok(ScanStep::StartLine(_)) => (),
                    answer => return (answer, end),
                }
            }
        }
        (Ok(ScanStep::NeedMore), text.len())
    }

    #[test]
    fn a_head_of_exactly_the_limit_is_allowed() {
        let text = b"GET / HTTP/1.1\r\nA: b\r\n\r\n";
        assert_eq!(scan(text, text.len()).0, Ok(ScanStep::End(0..text.len())));
        assert_eq!(
            scan(text, text.len() + 1).0,
            Ok(ScanStep::End(0..text.len()))
        );
        assert_eq!(
            scan(text, text.len() - 1).0,
            Err(HeadError::HeadTooLong {
                limit: text.len() - 1
            })
        );
        assert_eq!(scan(text, 16).0, Err(HeadError::HeadTooLong { limit: 16 }));
        assert_eq!(
            scan(text, 15).0,
            Err(HeadError::StartLineTooLong { limit: 15 })
        );
        assert_eq!(
            scan(text, 0).0,
            Err(HeadError::StartLineTooLong { limit: 0 })
        );
    }

    #[test]
    fn blank_lines_before_the_start_line_are_bounded() {
        let mut text = b"\r\n".repeat(LEADING_CRLF_MAX);
        text.extend_from_slice(b"GET / HTTP/1.1\r\n\r\n");
        assert_eq!(scan(&text, 18).0, Ok(ScanStep::End(8..26)));
        text.splice(0..0, *b"\r\n");
        assert_eq!(
            scan(&text, 18).0,
            Err(HeadError::TooManyBlankLines {
                limit: LEADING_CRLF_MAX
            })
        );
    }

    #[test]
    fn line_tricks_are_refused_at_the_byte_that_shows_them() {
        for (text, error) in [
            (&b"GET / HTTP/1.1\n"[..], HeadError::BareLf),
            (b"GET / HTTP/1.1\rX", HeadError::BareCr),
            (b"\r\r", HeadError::BareCr),
            (b"\n", HeadError::BareLf),
            (b" ", HeadError::FoldedLine),
            (b"GET / HTTP/1.1\r\n ", HeadError::FoldedLine),
            (b"GET / HTTP/1.1\r\nA: b\r\n\t", HeadError::FoldedLine),
            (
                b"GET / HTTP/1.1\r\nA: b\0",
                HeadError::ControlByte { byte: 0 },
            ),
            (
                b"GET / HTTP/1.1\r\nA: b\x7f",
                HeadError::ControlByte { byte: 0x7f },
            ),
            (b"\x16", HeadError::ControlByte { byte: 0x16 }),
        ] {
            assert_eq!(
                scan(text, 100),
                (Err(error), text.len()),
                "{}",
                text.escape_ascii()
            );
            assert_eq!(scan(&text[..text.len() - 1], 100).0, Ok(ScanStep::NeedMore));
        }
    }

    /// What was looked at is not looked at again: neither quadratic, nor open to a second opinion.
    #[test]
    fn the_prefix_is_not_scanned_twice() {
        let text = b"\r\nGET / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n";
        let (mut scan, mut fields) = (HeadScan::default(), Fields::default());
        let mut buf = Vec::new();
        let mut steps = Vec::new();
        for byte in text {
            buf.push(*byte);
            while let step = scan
                .advance(&buf, &limits(100), &mut fields)
                .expect("the overwritten bytes are behind the scan")
                && step != ScanStep::NeedMore
            {
                steps.push(step);
            }
            let seen = buf.len() - usize::from(*byte == b'\r');
            buf[..seen].fill(b'\n');
        }
        assert_eq!(
            steps,
            [ScanStep::StartLine(2..16), ScanStep::End(2..text.len())]
        );
    }
}
