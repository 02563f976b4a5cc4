//! The body of a response: read, inflated, and never longer than its limit.
//!
//! Inflating goes piece by piece and stops at the limit, so a bomb costs the limit and no more. What is compressed is
//! bounded too: an endless stream that inflates to nothing would be read until the time is over otherwise.

use crate::http1::chunked::ChunkedError;
use crate::http1::response::ResponseBody;
use crate::rt;
use crate::rt::tls::TlsProblem;

use super::conn::{self, Conn};
use super::error::ClientError;
use super::headers::Headers;
use super::inflate::Inflate;
use super::url::Origin;

/// Whoever sends as fast as we read gives way to others after so many bytes.
const TURN_BYTES: usize = 64 * 1024;

/// A body on its way, and the connection it comes from.
pub(super) struct Incoming {
    pub(super) conn: Conn,
    pub(super) body: ResponseBody,
    /// Whether the connection stays when the body has ended.
    pub(super) stays: bool,
}

impl Incoming {
    /// Reads the whole body; afterwards the connection may be used again, if there is one.
    pub(super) async fn read(
        mut self,
        coding: Coding,
        limit: usize,
        origin: &Origin,
    ) -> Result<(Vec<u8>, Option<Conn>), ClientError> {
        let failed = |failed| match failed {
            Failed::Damaged => ClientError::Inflate {
                origin: origin.clone(),
                encoding: coding.as_str(),
            },
            Failed::TooLarge => ClientError::TooLarge {
                origin: origin.clone(),
                limit,
            },
        };
        // What cannot be compressed grows a little.
        let wire_max = match coding {
            Coding::Identity => limit,
            Coding::Deflate | Coding::Gzip => limit.saturating_add(limit / 16).saturating_add(4096),
        };
        if self.body.announced() > wire_max as u64 {
            return Err(failed(Failed::TooLarge));
        }
        let mut decoder = Decoder::new(coding, limit);
        let mut data = Vec::new();
        let (mut received, mut turn) = (0_usize, 0_usize);
        loop {
            data.clear();
            let unread = &mut self.conn.unread;
            let progress = match self.body.read(unread, &mut data, wire_max) {
                Ok(progress) => progress,
                Err(ChunkedError::BodyTooLarge { .. }) => return Err(failed(Failed::TooLarge)),
                Err(error) => {
                    return Err(ClientError::NotHttp {
                        origin: origin.clone(),
                        text: error.to_string(),
                    });
                }
            };
            unread.drain(..progress.consumed);
            received = received.saturating_add(data.len());
            if received > wire_max {
                return Err(failed(Failed::TooLarge));
            }
            decoder.write(&data).map_err(failed)?;
            if progress.done {
                break;
            }
            turn = turn.saturating_add(progress.consumed);
            if turn >= TURN_BYTES {
                turn = 0;
                rt::yield_now().await;
            }
            match self.conn.fill().await {
                Ok(0) if self.body.is_until_end() => break,
                Ok(1..) => (),
                Err(error) if TlsProblem::within(&error).is_some() => {
                    return Err(conn::explain(&error, origin));
                }
                Ok(0) | Err(_) => {
                    return Err(ClientError::Truncated {
                        origin: origin.clone(),
                        received,
                    });
                }
            }
        }
        let body = decoder.finish(received).map_err(failed)?;
        let conn = Some(self.conn).filter(|_| self.stays);
        Ok((body, conn.and_then(Conn::cleared)))
    }
}

/// How a body is encoded (RFC 9110 section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Deflate,
    Gzip,
    Identity,
}

impl Coding {
    /// The coding that `Content-Encoding` names.
    pub(super) fn of(headers: &Headers) -> Result<Self, String> {
        let named = headers.values("content-encoding").join(",");
        match named.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "deflate" => Ok(Self::Deflate),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            _ => Err(named.chars().take(40).collect()),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Deflate => "deflate",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }
}

/// Why there is no body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failed {
    Damaged,
    TooLarge,
}

/// Encoded bytes in, the body out.
enum Decoder {
    Identity(Sink),
    Inflate(Box<Inflate>),
}

impl Decoder {
    fn new(coding: Coding, limit: usize) -> Self {
        let sink = Sink::new(limit);
        match coding {
            Coding::Identity => Self::Identity(sink),
            Coding::Deflate | Coding::Gzip => {
                Self::Inflate(Box::new(Inflate::new(coding == Coding::Gzip, sink)))
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        match self {
            Self::Identity(sink) => sink.add(bytes),
            Self::Inflate(inflate) => inflate.write(bytes),
        }
    }

    /// The body, if it came to its proper end. `received` bytes were read: nothing at all is an empty body in any
    /// coding, as after `HEAD`.
    fn finish(self, received: usize) -> Result<Vec<u8>, Failed> {
        if received == 0 {
            return Ok(Vec::new());
        }
        match self {
            Self::Identity(sink) => Ok(sink.bytes),
            Self::Inflate(inflate) => Ok(inflate.finish()?.bytes),
        }
    }
}

/// Where the body goes: up to `limit` bytes.
pub(super) struct Sink {
    bytes: Vec<u8>,
    limit: usize,
}

impl Sink {
    const fn new(limit: usize) -> Self {
        let bytes = Vec::new();
        Self { bytes, limit }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        let len = self.bytes.len().saturating_add(bytes.len());
        if len > self.limit {
            return Err(Failed::TooLarge);
        }
        if len > self.bytes.capacity() {
            // Twice as much each time, but not beyond the limit, as `Vec` would.
            let twice = self.bytes.capacity().saturating_mul(2);
            let more = twice
                .clamp(len, self.limit)
                .saturating_sub(self.bytes.len());
            self.bytes.reserve_exact(more);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &[u8] = b"siskin siskin siskin siskin, a small bird with a loud voice";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn raw(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn decode(coding: Coding, limit: usize, pieces: &[&[u8]]) -> Result<Vec<u8>, Failed> {
        let mut decoder = Decoder::new(coding, limit);
        for piece in pieces {
            decoder.write(piece)?;
        }
        decoder.finish(pieces.iter().map(|piece| piece.len()).sum())
    }

    /// Whole, and split at every byte.
    #[track_caller]
    fn check(coding: Coding, limit: usize, encoded: &[u8], expected: Result<&[u8], Failed>) {
        let expected = expected.map(<[u8]>::to_vec);
        assert_eq!(decode(coding, limit, &[encoded]), expected);
        for at in 0..=encoded.len() {
            let (first, second) = encoded.split_at(at);
            assert_eq!(
                decode(coding, limit, &[first, second]),
                expected,
                "split at {at}"
            );
        }
    }

    #[test]
    fn each_coding_up_to_its_limit() {
        for (coding, encoded) in [
            (Coding::Identity, TEXT.to_vec()),
            (Coding::Gzip, gzip(TEXT)),
            (
                Coding::Gzip,
                [gzip(&TEXT[..10]), gzip(&TEXT[10..])].concat(),
            ),
            (Coding::Deflate, zlib(TEXT)),
            (Coding::Deflate, raw(TEXT)),
        ] {
            check(coding, TEXT.len(), &encoded, Ok(TEXT));
            check(coding, TEXT.len() + 1, &encoded, Ok(TEXT));
            check(coding, TEXT.len() - 1, &encoded, Err(Failed::TooLarge));
        }
    }

    #[test]
    fn nothing_is_an_empty_body_in_any_coding() {
        for coding in [Coding::Identity, Coding::Gzip, Coding::Deflate] {
            check(coding, 0, b"", Ok(b""));
        }
        check(Coding::Gzip, 0, &gzip(b""), Ok(b""));
        check(Coding::Deflate, 0, &zlib(b""), Ok(b""));
    }

    #[test]
    fn damage_is_noticed() {
        for (coding, encoded) in [
            (Coding::Gzip, gzip(TEXT)),
            (Coding::Deflate, zlib(TEXT)),
            (Coding::Deflate, raw(TEXT)),
        ] {
            for len in 1..encoded.len() {
                let cut = decode(coding, 1000, &[&encoded[..len]]);
                assert_eq!(cut, Err(Failed::Damaged), "{coding:?} cut to {len}");
            }
            let longer = [&encoded[..], b"more"].concat();
            assert_eq!(
                decode(coding, 1000, &[&longer]),
                Err(Failed::Damaged),
                "{coding:?}"
            );
        }
        let mut wrong = gzip(TEXT);
        let crc = wrong.len() - 8;
        wrong[crc] ^= 1;
        check(Coding::Gzip, 1000, &wrong, Err(Failed::Damaged));
        check(
            Coding::Gzip,
            1000,
            b"{\"not\": \"gzip at all\"}",
            Err(Failed::Damaged),
        );
        check(
            Coding::Deflate,
            1000,
            b"{\"not\": \"zlib at all\"}",
            Err(Failed::Damaged),
        );
    }

    /// A gigabyte of zeroes in a megabyte, and in that megabyte again.
    #[test]
    fn a_bomb_costs_its_limit() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        for _ in 0..64 {
            encoder.write_all(&[0; 1 << 20]).unwrap();
        }
        let bomb = encoder.finish().unwrap();
        for limit in [0, 1, 100_000] {
            let mut inflate = Inflate::new(true, Sink::new(limit));
            assert_eq!(inflate.write(&bomb), Err(Failed::TooLarge));
            assert!(inflate.sink().bytes.capacity() <= limit, "limit {limit}");
        }
    }

    #[test]
    fn room_grows_to_the_limit_and_not_beyond() {
        let mut sink = Sink::new(1000);
        for len in 1..=1000 {
            sink.add(b"x").unwrap();
            assert!(sink.bytes.capacity() <= 1000.min(2 * len), "{len}");
        }
        assert_eq!(sink.add(b"x"), Err(Failed::TooLarge));
    }

    #[test]
    fn codings_by_their_header() {
        for (fields, expected) in [
            (&[][..], Ok(Coding::Identity)),
            (&["identity"], Ok(Coding::Identity)),
            (&["GZip"], Ok(Coding::Gzip)),
            (&["x-gzip"], Ok(Coding::Gzip)),
            (&["deflate"], Ok(Coding::Deflate)),
            (&["br"], Err("br")),
            (&["gzip, gzip"], Err("gzip, gzip")),
            (&["gzip", "br"], Err("gzip,br")),
        ] {
            let field = |value: &&str| ("content-encoding".to_owned(), (*value).to_owned());
            let headers: Headers = fields.iter().map(field).collect();
            assert_eq!(Coding::of(&headers), expected.map_err(str::to_owned));
        }
    }
}
