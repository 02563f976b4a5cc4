//! Bytes from a task of this thread to a reader that may be on any: how a streaming body gets into other people's HTTP
//! types, which want their readers `Send` and `Sync`. Bounded: a writer waits for its reader.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use smol::channel::{Receiver, Sender, bounded};
use smol::io::{AsyncBufRead, AsyncRead, AsyncReadExt as _};
use smol::stream::Stream as _;

/// Pieces on their way that the reader has not taken yet.
const PIECES_MAX: usize = 4;

/// A connected pair.
#[must_use]
pub fn pipe() -> (PipeWriter, PipeReader) {
    let (sender, receiver) = bounded(PIECES_MAX);
    let reader = PipeReader {
        pieces: Box::pin(receiver),
        piece: Vec::new(),
        read: 0,
    };
    (PipeWriter(sender), reader)
}

/// The writing end. Dropping it ends the reader's bytes.
pub struct PipeWriter(Sender<Vec<u8>>);

impl PipeWriter {
    /// Hands over `bytes`; false once the reader has gone.
    pub async fn write(&self, bytes: Vec<u8>) -> bool {
        bytes.is_empty() || self.0.send(bytes).await.is_ok()
    }
}

/// The reading end.
pub struct PipeReader {
    pieces: Pin<Box<Receiver<Vec<u8>>>>,
    piece: Vec<u8>,
    /// Invariant: `read <= piece.len()`.
    read: usize,
}

impl AsyncBufRead for PipeReader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.read == this.piece.len() {
            // In this order: while nothing has come, the old piece must stay used up.
            this.piece = ready!(this.pieces.as_mut().poll_next(cx)).unwrap_or_default();
            this.read = 0;
        }
        Poll::Ready(Ok(this.piece.get(this.read..).unwrap_or_default()))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.read = self.read.saturating_add(amount).min(self.piece.len());
    }
}

impl AsyncRead for PipeReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut ready = ready!(self.as_mut().poll_fill_buf(cx))?;
        let count = io::Read::read(&mut ready, buf)?;
        self.consume(count);
        Poll::Ready(Ok(count))
    }
}

/// Reads all of `reader`, unless that is more than `bytes_max` bytes.
///
/// # Errors
/// The reader's; [`io::ErrorKind::FileTooLarge`] beyond the bound.
pub async fn read_to_end(reader: impl AsyncRead + Unpin, bytes_max: usize) -> io::Result<Vec<u8>> {
    let bound = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let mut reader = reader.take(bound.saturating_add(1));
    reader.read_to_end(&mut bytes).await?;
    if bytes.len() > bytes_max {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt::{run, spawn};

    #[test]
    fn pieces_arrive_in_order_and_end_with_the_writer() {
        run(async {
            let (writer, reader) = pipe();
            let writing = spawn(async move {
                for piece in ["a", "", "bc", "d"].repeat(10) {
                    assert!(writer.write(piece.into()).await);
                }
            });
            let read = read_to_end(reader, 40).await.unwrap();
            writing.await;
            assert_eq!(read, "abcd".repeat(10).into_bytes());
        });
    }

    #[test]
    fn a_writer_learns_that_its_reader_has_gone() {
        run(async {
            let (writer, reader) = pipe();
            assert!(writer.write(b"a".to_vec()).await);
            drop(reader);
            assert!(!writer.write(b"b".to_vec()).await);
        });
    }

    #[test]
    fn exactly_the_bound_is_read_and_no_byte_more() {
        run(async {
            assert_eq!(read_to_end(&b"abc"[..], 3).await.unwrap(), b"abc");
            let error = read_to_end(&b"abcd"[..], 3).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        });
    }
}
