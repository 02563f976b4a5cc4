//! A connection's bytes as hyper wants them.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};

use crate::rt::Stream;
use crate::rt::tls::TlsStream;

/// How much is read at once, on the stack: hyper's buffer can be filled in place by unsafe code only.
const CHUNK_BYTES: usize = 4096;

/// A connection, plain or encrypted.
pub(super) enum Io {
    Plain(Rc<Stream>),
    Tls(TlsStream),
}

impl Read for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut chunk = [0; CHUNK_BYTES];
        let want = chunk.len().min(buf.remaining());
        let len = match self.get_mut() {
            Self::Plain(stream) => ready!(stream.poll_read(cx, &mut chunk[..want]))?,
            Self::Tls(stream) => ready!(stream.poll_read(cx, &mut chunk[..want]))?,
        };
        buf.put_slice(&chunk[..len]);
        Poll::Ready(Ok(()))
    }
}

impl Write for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => stream.poll_write(cx, bytes),
            Self::Tls(stream) => stream.poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => stream.poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Poll::Ready(stream.shutdown_write()),
            Self::Tls(stream) => stream.poll_close(cx),
        }
    }
}
