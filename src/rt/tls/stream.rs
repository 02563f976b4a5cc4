//! An encrypted stream, and the socket under it as the TLS adapter wants it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_rustls::client;
use smol::io::{AsyncRead, AsyncWrite};

use super::Stream;

/// A stream after a handshake. Dropping it closes the connection without a farewell; [`TlsStream::poll_close`] says it.
pub struct TlsStream(Box<client::TlsStream<Socket>>);

impl TlsStream {
    pub(super) fn new(stream: client::TlsStream<Socket>) -> Self {
        Self(Box::new(stream))
    }

    /// Reads some bytes; 0 is an end that the peer announced.
    ///
    /// # Errors
    /// The system's; `UnexpectedEof` for an end that was not announced; [`TlsProblem`](super::TlsProblem) has the rest.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }

    /// Takes some of `bytes`; they have left after [`poll_flush`](TlsStream::poll_flush).
    ///
    /// # Errors
    /// As for reading.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    /// Ready when the socket has taken everything.
    ///
    /// # Errors
    /// The system's.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    /// Announces the end and shuts the sending side.
    ///
    /// # Errors
    /// The system's.
    pub fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}

/// The bytes below.
pub(super) struct Socket(pub(super) Rc<Stream>);

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write_vectored(cx, parts)
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.shutdown_write())
    }
}
