//! The pipes to and from a child, and keeping a bounded part of what comes.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::collections::VecDeque;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use async_io::Async;
use rustix::io::Errno;

use crate::rt::sleep;

const READ_BYTES: usize = 16 * 1024;
/// From here on reads are spaced, so that a child that writes without end waits for its full pipe instead of keeping the
/// one thread busy.
const FREE_BYTES: usize = 4 * 1024 * 1024;
const SPACE: Duration = Duration::from_millis(1);
/// A killed group's pipes hold no more than this; an escaped process may go on filling them.
const DRAIN_BYTES_MAX: usize = 1024 * 1024;

/// Reads to the end, or to an error, which for a pipe is the same.
pub(super) async fn pump(pipe: Option<&Async<OwnedFd>>, take: &mut dyn FnMut(&[u8])) {
    let Some(pipe) = pipe else { return };
    let mut buf = vec![0; READ_BYTES];
    let mut total: usize = 0;
    loop {
        if pipe.readable().await.is_err() {
            return;
        }
        match rustix::io::read(pipe.as_fd(), &mut buf) {
            Ok(0) => return,
            Ok(count) => {
                take(buf.get(..count).unwrap_or_default());
                total = total.saturating_add(count);
                if total > FREE_BYTES {
                    sleep(SPACE).await;
                }
            }
            Err(Errno::AGAIN | Errno::INTR) => (),
            Err(_) => return,
        }
    }
}

/// Reads what is there, without waiting.
pub(super) fn drain(pipe: Option<&Async<OwnedFd>>, take: &mut dyn FnMut(&[u8])) {
    let Some(pipe) = pipe else { return };
    let mut buf = vec![0; READ_BYTES];
    let mut left = DRAIN_BYTES_MAX;
    while left > 0 {
        match rustix::io::read(pipe.as_fd(), &mut buf) {
            Ok(0) => return,
            Ok(count) => {
                take(buf.get(..count).unwrap_or_default());
                left = left.saturating_sub(count);
            }
            Err(Errno::INTR) => (),
            Err(_) => return,
        }
    }
}

/// Writes all of `input`, or as much as the child wants, and closes the pipe.
pub(super) async fn feed(pipe: Option<Async<OwnedFd>>, mut input: &[u8]) {
    let Some(pipe) = pipe else { return };
    while !input.is_empty() {
        match rustix::io::write(pipe.as_fd(), input) {
            Ok(count) => input = input.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => (),
            Err(Errno::AGAIN) => {
                if pipe.writable().await.is_err() {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

/// Keeps the first bytes of an output.
#[derive(Debug)]
pub struct Head {
    bytes: Vec<u8>,
    bytes_max: usize,
    total: u64,
}

impl Head {
    /// Keeps at most `bytes_max`.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes: Vec::new(),
            bytes_max,
            total: 0,
        }
    }

    /// More output.
    pub fn add(&mut self, bytes: &[u8]) {
        let room = self.bytes_max.saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.total = self
            .total
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }

    /// What was kept.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How much came in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether some was not kept.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        u64::try_from(self.bytes.len()).is_ok_and(|kept| kept < self.total)
    }
}

/// Keeps the last bytes of an output.
#[derive(Debug)]
pub struct Tail {
    bytes: VecDeque<u8>,
    bytes_max: usize,
}

impl Tail {
    /// Keeps at most `bytes_max`.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes: VecDeque::new(),
            bytes_max,
        }
    }

    /// More output.
    pub fn add(&mut self, bytes: &[u8]) {
        let unwanted = bytes.len().saturating_sub(self.bytes_max);
        let last = bytes.get(unwanted..).unwrap_or_default();
        let len = self.bytes.len().saturating_add(last.len());
        let over = len.saturating_sub(self.bytes_max);
        self.bytes.drain(..over);
        self.bytes.extend(last);
    }

    /// What was kept.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_and_the_tail_are_kept_and_no_byte_more() {
        for pieces in [
            &["abcdef"][..],
            &["a", "bcde", "f"],
            &["abc", "def"],
            &["", "abcdef", ""],
        ] {
            for (max, head, tail, is_cut) in [
                (0, "", "", true),
                (5, "abcde", "bcdef", true),
                (6, "abcdef", "abcdef", false),
                (7, "abcdef", "abcdef", false),
            ] {
                let (mut first, mut last) = (Head::new(max), Tail::new(max));
                for piece in pieces {
                    first.add(piece.as_bytes());
                    last.add(piece.as_bytes());
                }
                assert_eq!(first.bytes(), head.as_bytes());
                assert_eq!((first.total(), first.is_cut()), (6, is_cut));
                assert_eq!(last.into_bytes(), tail.as_bytes());
            }
        }
    }
}
