//! Reads a request body whole, within its limit, its deadline and its least rate, and all of them within what they may
//! take together: without that, connections that hold back the end of a large body would each keep the rest of it.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::fmt;
use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::http1::chunked::{ChunkedDecoder, ChunkedError, ChunkedLimits};
use crate::http1::encode::CONTINUE;
use crate::http1::{Expectation, Framing};
use crate::rt;

use super::connection::{Connection, More};
use super::http::Http;
use super::site::Settings;

/// How much of each body is not counted: small messages come in whatever large ones there are.
const UNCOUNTED_BYTES: usize = 16 * 1024;

/// A body that has come whole.
pub struct Body {
    place: Place,
    /// Until it is done with.
    _held: Option<Held>,
}

enum Place {
    /// It lies in the connection's input buffer, from its start.
    InInput(Range<usize>),
    /// It was put together from chunks.
    Joined(Vec<u8>),
}

/// What a body takes of the room that all bodies have together.
struct Held {
    http: Rc<Http>,
    bytes: usize,
}

impl Held {
    /// Counts a body that has become this long.
    fn grow_to(&mut self, len: usize, bytes_max: usize) -> Result<(), BodyError> {
        let counted = len.saturating_sub(UNCOUNTED_BYTES).max(self.bytes);
        let all = &self.http.bodies_bytes;
        let sum = all.get().saturating_add(counted.saturating_sub(self.bytes));
        if sum > bytes_max {
            return Err(BodyError::Crowded);
        }
        all.set(sum);
        self.bytes = counted;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let all = &self.http.bodies_bytes;
        all.set(all.get().saturating_sub(self.bytes));
    }
}

/// Why a body cannot be read.
#[derive(Debug)]
pub enum BodyError {
    /// Its chunks break the rules.
    Chunked(ChunkedError),
    /// Other bodies take all the room there is.
    Crowded,
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
    fn in_input(len: usize, held: Option<Held>) -> Body {
        Body {
            place: Place::InInput(0..len),
            _held: held,
        }
    }

    /// Its bytes; `input` is the connection's buffer.
    pub fn bytes<'a>(&'a self, input: &'a [u8]) -> &'a [u8] {
        match &self.place {
            // It is read whole before there is a `Body`.
            Place::InInput(range) => input.get(range.clone()).unwrap_or_default(),
            Place::Joined(bytes) => bytes,
        }
    }

    /// Takes it out of the input buffer.
    pub fn finish(self, input: &mut Vec<u8>) {
        if let Place::InInput(range) = self.place {
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
    let mut held = Held {
        http: Rc::clone(&connection.http),
        bytes: 0,
    };
    match framing {
        Framing::None => Ok(Body::in_input(0, None)),
        Framing::Length(len) => {
            // Refused by what it says, before a byte of it is read or a byte of room made for it.
            let len = usize::try_from(len).ok().filter(|len| *len <= limit);
            let len = len.ok_or(BodyError::TooLarge { limit })?;
            if connection.input.len() >= len {
                return Ok(Body::in_input(len, None));
            }
            let mut pace = Pace::start(connection, settings).await?;
            while connection.input.len() < len {
                pace.more(connection).await?;
                held.grow_to(connection.input.len().min(len), settings.bodies_bytes_max)?;
            }
            connection.deadline.clear();
            Ok(Body::in_input(len, Some(held)))
        }
        Framing::Chunked => {
            let mut decoder = ChunkedDecoder::new(ChunkedLimits::default());
            let mut body = Vec::new();
            let mut pace: Option<Pace> = None;
            loop {
                let progress = decoder
                    .decode(&connection.input, &mut body, limit)
                    .map_err(|error| match error.status() {
                        413 => BodyError::TooLarge { limit },
                        _ => BodyError::Chunked(error),
                    })?;
                held.grow_to(body.len(), settings.bodies_bytes_max)?;
                connection.input.drain(..progress.consumed);
                if progress.done {
                    connection.deadline.clear();
                    return Ok(Body {
                        place: Place::Joined(body),
                        _held: Some(held),
                    });
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
    started: Instant,
    received: u64,
    silence: Duration,
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
        let silence_ends = rt::later(rt::now(), self.silence);
        let due = match self.received.checked_div(self.rate_min) {
            None => silence_ends,
            Some(seconds) => {
                let allowed = Duration::from_secs(seconds).saturating_add(self.silence);
                silence_ends.min(rt::later(self.started, allowed))
            }
        };
        connection.deadline.set_at(due);
        let before = connection.input.len();
        match connection.more().await {
            Ok(Ok(More::Bytes)) => {
                let received = connection.input.len().saturating_sub(before);
                let received = u64::try_from(received).unwrap_or(u64::MAX);
                self.received = self.received.saturating_add(received);
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
            BodyError::Chunked(error) => error.status(),
            BodyError::Crowded => 503,
            BodyError::Gone => 400,
            BodyError::TimedOut => 408,
            BodyError::TooLarge { .. } => 413,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyError::Chunked(error) => error.fmt(f),
            BodyError::Crowded => f.write_str(
                "as many large bodies as `limits.requests_in_flight` allows are being read; try again later",
            ),
            BodyError::Gone => f.write_str("the connection ended within the body"),
            BodyError::TimedOut => f.write_str("the request body took too long"),
            BodyError::TooLarge { limit } => {
                write!(f, "the body exceeds `limits.body_bytes` ({limit})")
            }
        }
    }
}
