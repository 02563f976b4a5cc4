//! Reads a request body whole, within its limit, its deadline and its least rate.

use std::fmt;
use std::ops::Range;

use crate::http1::chunked::{ChunkedDecoder, ChunkedError, ChunkedLimits};
use crate::http1::encode::CONTINUE;
use crate::http1::{Expectation, Framing};
use crate::rt;
use crate::server::held::{self, Held};

use super::connection::{Connection, More};
use super::site::Settings;

/// What of a body is read however much there is of others.
const FREE_BYTES: u64 = 8 * 1024;

/// A body that has come whole.
pub enum Body {
    /// It lies in the connection's input buffer, from its start.
    InInput(Range<usize>),
    /// It was put together from chunks.
    Joined(Vec<u8>),
}

/// Why a body cannot be read.
#[derive(Debug)]
pub enum BodyError {
    /// Too much is being read from others already.
    Busy {
        /// `limits.waiting_total_bytes`.
        limit: usize,
    },
    /// Its chunks break the rules.
    Chunked(ChunkedError),
    /// The client went away in the middle of it.
    Gone,
    /// It took too long, or came too slowly.
    TimedOut,
    /// It is larger than `limits.body_bytes`.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

impl Body {
    /// Its bytes; `input` is the connection's buffer.
    pub fn bytes<'a>(&'a self, input: &'a [u8]) -> &'a [u8] {
        match self {
            Body::InInput(range) => &input[range.clone()],
            Body::Joined(bytes) => bytes,
        }
    }

    /// Bytes it takes beside the input buffer.
    pub fn joined_bytes(&self) -> usize {
        match self {
            Body::InInput(_) => 0,
            Body::Joined(bytes) => bytes.capacity(),
        }
    }

    /// Takes it out of the input buffer.
    pub fn finish(self, input: &mut Vec<u8>) {
        if let Body::InInput(range) = self {
            input.drain(..range.end);
        }
    }
}

/// Reads the body that the head announces.
pub async fn read(
    connection: &mut Connection,
    settings: &Settings,
    framing: Framing,
) -> Result<Body, BodyError> {
    let limit = settings.body_bytes_max;
    match framing {
        Framing::None => Ok(Body::InInput(0..0)),
        Framing::Length(len) => {
            // Refused by what it says, before a byte of it is read or a byte of room made for it.
            let len = usize::try_from(len).ok().filter(|len| *len <= limit);
            let len = len.ok_or(BodyError::TooLarge { limit })?;
            if connection.input.len() >= len {
                return Ok(Body::InInput(0..len));
            }
            let mut pace = Pace::start(connection, settings).await?;
            while connection.input.len() < len {
                pace.more(connection).await?;
            }
            connection.deadline.clear();
            Ok(Body::InInput(0..len))
        }
        Framing::Chunked => {
            let mut decoder = ChunkedDecoder::new(ChunkedLimits::default());
            let mut body = Vec::new();
            let mut held = Held::coming();
            let mut pace: Option<Pace> = None;
            loop {
                // What is read at once is the most that is added at once.
                if body.capacity() - body.len() < connection.input.len() {
                    body.reserve_exact(connection.input.len().max(body.len() / 4));
                    held.set(body.capacity());
                }
                let progress = decoder
                    .decode(&connection.input, &mut body, limit)
                    .map_err(|error| match error.status() {
                        413 => BodyError::TooLarge { limit },
                        _ => BodyError::Chunked(error),
                    })?;
                connection.input.drain(..progress.consumed);
                if progress.done {
                    connection.deadline.clear();
                    return Ok(Body::Joined(body));
                }
                if pace.is_none() {
                    pace = Some(Pace::start(connection, settings).await?);
                }
                if let Some(pace) = &mut pace {
                    pace.more(connection).await?;
                }
            }
        }
    }
}

/// How fast a body must come: `timeout.body` for each silence, and on average at least
/// `timeout.body_bytes_per_second_min` after a first `timeout.body`.
struct Pace {
    started: std::time::Instant,
    received: u64,
    silence: std::time::Duration,
    rate_min: u64,
}

impl Pace {
    /// Starts the clock, and tells a client that waits for it to go on.
    async fn start(connection: &mut Connection, settings: &Settings) -> Result<Pace, BodyError> {
        if connection.head.expect() == Expectation::Continue {
            connection.output.extend_from_slice(CONTINUE);
            if let super::connection::After::Close(_) = connection.flush().await {
                return Err(BodyError::Gone);
            }
        }
        Ok(Pace {
            started: rt::now(),
            received: 0,
            silence: settings.body_timeout,
            rate_min: settings.body_rate_min,
        })
    }

    async fn more(&mut self, connection: &mut Connection) -> Result<(), BodyError> {
        let limit = connection.http.server.settings().limits.waiting_total_bytes;
        // Small bodies are part of what each connection may hold.
        if self.received > FREE_BYTES && held::coming_bytes() > limit {
            return Err(BodyError::Busy { limit });
        }
        let silence_ends = rt::now() + self.silence;
        let due = match self.received.checked_div(self.rate_min) {
            None => silence_ends,
            Some(seconds) => {
                let rate_ends =
                    self.started + self.silence + std::time::Duration::from_secs(seconds);
                silence_ends.min(rate_ends)
            }
        };
        connection.deadline.set_at(due);
        let before = connection.input.len();
        match connection.more().await {
            Ok(Ok(More::Bytes)) => {
                let received = connection.input.len() - before;
                self.received += u64::try_from(received).unwrap_or(u64::MAX);
                Ok(())
            }
            Ok(Ok(More::End) | Err(_)) => Err(BodyError::Gone),
            Err(_) => Err(BodyError::TimedOut),
        }
    }
}

impl BodyError {
    /// The status to answer with.
    pub fn status(&self) -> u16 {
        match self {
            BodyError::Busy { .. } => 503,
            BodyError::Chunked(error) => error.status(),
            BodyError::Gone => 400,
            BodyError::TimedOut => 408,
            BodyError::TooLarge { .. } => 413,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyError::Busy { limit } => write!(
                f,
                "more than `limits.waiting_total_bytes` ({limit}) are being read already; try again later"
            ),
            BodyError::Chunked(error) => error.fmt(f),
            BodyError::Gone => f.write_str("the connection ended within the body"),
            BodyError::TimedOut => f.write_str("the request body took too long"),
            BodyError::TooLarge { limit } => {
                write!(f, "the body exceeds `limits.body_bytes` ({limit})")
            }
        }
    }
}
