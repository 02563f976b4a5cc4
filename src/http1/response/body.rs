//! The body behind a response's head: which of the bytes are its, and where it ends. Called by the outbound client.
//!
//! ```text
//!   Length(n) ─▶ n bytes ───────────────────┐
//!   Chunked ───▶ chunks, trailers dropped ──┼─▶ done: the connection may be used again
//!   None ───────────────────────────────────┘
//!   CloseDelimited ─▶ bytes until the connection ends
//! ```

use super::ResponseFraming;
use crate::http1::chunked::{
    ChunkProgress, ChunkedDecoder, ChunkedError, ChunkedLimits, fuzz_pieces,
};

/// Bounds on what an upstream's chunks may carry besides data. Wider than for clients of ours: whom we ask, the operator
/// chose, some proxies put what they know into the trailers, and old servers fill sizes up with spaces.
const CHUNKED_LIMITS: ChunkedLimits = ChunkedLimits {
    extension_bytes_max: 1024,
    extensions_total_bytes_max: 16 * 1024,
    trailer_bytes_max: 16 * 1024,
    padding: true,
};

/// What is left of a response's body.
#[derive(Clone, Debug)]
pub struct ResponseBody(Left);

#[derive(Clone, Debug)]
enum Left {
    Length(u64),
    Chunked(ChunkedDecoder),
    UntilEnd,
}

impl ResponseBody {
    /// At the start of a body that is framed this way.
    pub fn new(framing: ResponseFraming) -> ResponseBody {
        ResponseBody(match framing {
            ResponseFraming::None => Left::Length(0),
            ResponseFraming::Length(len) => Left::Length(len),
            ResponseFraming::Chunked => Left::Chunked(ChunkedDecoder::new(CHUNKED_LIMITS)),
            ResponseFraming::CloseDelimited => Left::UntilEnd,
        })
    }

    /// Whether nothing follows, now or ever.
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Left::Length(0))
    }

    /// How many bytes are announced and have not come; zero where nobody says.
    pub fn announced(&self) -> u64 {
        match self.0 {
            Left::Length(left) => left,
            Left::Chunked(_) | Left::UntilEnd => 0,
        }
    }

    /// Whether it lasts until the connection ends, which is therefore a proper end of it.
    pub fn is_until_end(&self) -> bool {
        matches!(self.0, Left::UntilEnd)
    }

    /// Appends to `out` what belongs to the body in `input`. Chunks are refused that announce more than
    /// `body_bytes_max` in all; other bodies are the caller's to count.
    pub fn read(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        body_bytes_max: usize,
    ) -> Result<ChunkProgress, ChunkedError> {
        let mut endless = u64::MAX;
        let left = match &mut self.0 {
            Left::Chunked(decoder) => return decoder.decode(input, out, body_bytes_max),
            Left::Length(left) => left,
            Left::UntilEnd => &mut endless,
        };
        let wanted = usize::try_from(*left).unwrap_or(usize::MAX);
        let data = input.get(..wanted).unwrap_or(input);
        out.extend_from_slice(data);
        *left = left.saturating_sub(data.len() as u64);
        Ok(ChunkProgress {
            consumed: data.len(),
            done: *left == 0,
        })
    }
}

/// For fuzzing: a body reads the same whole and byte by byte, and what it uses up is there.
pub(super) fn fuzz_body(framing: ResponseFraming, bytes: &[u8]) {
    const BODY_BYTES_MAX: usize = 64;
    let mut body = ResponseBody::new(framing);
    let is_until_end = body.is_until_end();
    let mut whole_out = Vec::new();
    let whole = body.read(bytes, &mut whole_out, BODY_BYTES_MAX);

    let mut body = ResponseBody::new(framing);
    let (split, split_out) = fuzz_pieces(bytes, &mut |piece, out| {
        body.read(piece, out, BODY_BYTES_MAX)
    });
    // A body of nothing is over before its first byte.
    if framing != ResponseFraming::None && framing != ResponseFraming::Length(0) {
        assert_eq!(whole, split);
        assert_eq!(whole_out, split_out);
    }
    if let Ok(progress) = whole {
        assert!(progress.consumed <= bytes.len());
        assert!(progress.done || progress.consumed == bytes.len());
        assert!(!(is_until_end && progress.done));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of `input`, in the pieces between `cuts`: the body, and how many bytes are left when it is done.
    fn pieces(
        framing: ResponseFraming,
        input: &[u8],
        cuts: &[usize],
    ) -> Result<(Vec<u8>, Option<usize>), ChunkedError> {
        let mut body = ResponseBody::new(framing);
        let (mut out, mut start) = (Vec::new(), 0);
        for end in cuts.iter().copied().chain([input.len()]) {
            let progress = body.read(&input[start..end], &mut out, 16)?;
            start += progress.consumed;
            if progress.done {
                return Ok((out, Some(input.len() - start)));
            }
            assert_eq!(start, end);
        }
        Ok((out, None))
    }

    #[test]
    fn each_framing_ends_where_it_says() {
        for (framing, input, body, left) in [
            (ResponseFraming::None, "next", "", Some(4)),
            (ResponseFraming::Length(0), "next", "", Some(4)),
            (ResponseFraming::Length(5), "hello", "hello", Some(0)),
            (ResponseFraming::Length(5), "hello next", "hello", Some(5)),
            (ResponseFraming::Length(6), "hello", "hello", None),
            (ResponseFraming::CloseDelimited, "hello", "hello", None),
            (
                ResponseFraming::Chunked,
                "5;a=b\r\nhello\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\nnext",
                "hello",
                Some(4),
            ),
            (
                ResponseFraming::Chunked,
                "5   \r\nhello\r\n00005 \t;a=b\r\nagain\r\n0 \r\n\r\nnext",
                "helloagain",
                Some(4),
            ),
            (
                ResponseFraming::Chunked,
                "5\r\nhello\r\n0\r\n",
                "hello",
                None,
            ),
        ] {
            let expected = Ok((body.as_bytes().to_vec(), left));
            for cut in 0..=input.len() {
                let found = pieces(framing, input.as_bytes(), &[cut]);
                assert_eq!(found, expected, "{framing:?} {input:?} cut at {cut}");
            }
            let every: Vec<usize> = (0..input.len()).collect();
            let found = pieces(framing, input.as_bytes(), &every);
            assert_eq!(found, expected, "{framing:?} {input:?} byte by byte");
            fuzz_body(framing, input.as_bytes());
        }
    }

    #[test]
    fn spaces_behind_a_size_end_and_are_nowhere_else() {
        let read = |text: &str| {
            let bytes = text.as_bytes();
            let whole = pieces(ResponseFraming::Chunked, bytes, &[]);
            for cut in 0..=bytes.len() {
                let found = pieces(ResponseFraming::Chunked, bytes, &[cut]);
                assert_eq!(found, whole, "{text:?} cut at {cut}");
            }
            fuzz_body(ResponseFraming::Chunked, bytes);
            whole.map(|(body, _)| body)
        };
        let padded = |len: usize| format!("1{}\r\nx\r\n0\r\n\r\n", " ".repeat(len));
        assert_eq!(read(&padded(63)), Ok(b"x".to_vec()));
        assert_eq!(read(&padded(64)), Err(ChunkedError::BadSize));
        for text in [
            " 1\r\nx\r\n0\r\n\r\n",
            "1 1\r\nx\r\n0\r\n\r\n",
            "1 x\r\nx\r\n0\r\n\r\n",
            "1 \nx\r\n0\r\n\r\n",
            "1 \0\r\nx\r\n0\r\n\r\n",
            " \r\n\r\n",
        ] {
            assert_eq!(read(text), Err(ChunkedError::BadSize), "{text:?}");
        }
    }

    #[test]
    fn trailers_and_extensions_end() {
        for (line, lines) in [("X-T: 1\r\n", 16 * 1024 / 8), ("5", 0)] {
            let trailers = |lines: usize| format!("0\r\n{}\r\n", line.repeat(lines));
            let read = |text: String| pieces(ResponseFraming::Chunked, text.as_bytes(), &[]);
            if lines == 0 {
                let long = |len: usize| format!("1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(len - 1));
                assert!(read(long(1024)).is_ok());
                assert_eq!(
                    read(long(1025)),
                    Err(ChunkedError::ExtensionTooLong { limit: 1024 })
                );
                continue;
            }
            assert_eq!(read(trailers(lines)), Ok((Vec::new(), Some(0))));
            assert_eq!(
                read(trailers(lines + 1)),
                Err(ChunkedError::TrailerTooLong { limit: 16 * 1024 })
            );
        }
    }
}
