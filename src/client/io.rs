//! A connection's bytes as hyper wants them.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};

use crate::rt::Stream;
use crate::rt::tls::{TlsProblem, TlsStream};

/// How much is read at once, on the stack: hyper's buffer can be filled in place by unsafe code only.
const CHUNK_BYTES: usize = 4096;

/// After so many reads in a row everybody else has a turn. hyper passes over early answers (1xx) in a loop that ends
/// only when there is nothing to read, and a peer that sends faster than that would have the thread for itself.
const READS_IN_A_ROW_MAX: u8 = 16;

/// A connection, plain or encrypted.
pub(super) struct Io {
    pub(super) kind: Kind,
    reads_in_a_row: u8,
}

pub(super) enum Kind {
    Plain(Rc<Stream>),
    Tls(TlsStream),
}

impl Io {
    pub(super) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            reads_in_a_row: 0,
        }
    }
}

impl Read for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.reads_in_a_row >= READS_IN_A_ROW_MAX {
            this.reads_in_a_row = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut chunk = [0; CHUNK_BYTES];
        let want = chunk.len().min(buf.remaining());
        let read = match &mut this.kind {
            Kind::Plain(stream) => stream.poll_read(cx, &mut chunk[..want]),
            Kind::Tls(stream) => stream.poll_read(cx, &mut chunk[..want]),
        };
        this.reads_in_a_row = if read.is_ready() {
            this.reads_in_a_row + 1
        } else {
            0
        };
        let len = ready!(read)?;
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
        match &mut self.get_mut().kind {
            Kind::Plain(stream) => stream.poll_write(cx, bytes),
            Kind::Tls(stream) => match stream.poll_write(cx, bytes) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(alert_or(stream, cx, error))),
                written => written,
            },
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            Kind::Plain(_) => Poll::Ready(Ok(())),
            Kind::Tls(stream) => match stream.poll_flush(cx) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(alert_or(stream, cx, error))),
                flushed => flushed,
            },
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            Kind::Plain(stream) => Poll::Ready(stream.shutdown_write()),
            Kind::Tls(stream) => stream.poll_close(cx),
        }
    }
}

/// The alert behind a failed write, if there is one. A server that refuses our certificate says so after the handshake
/// (RFC 8446 section 4.4.2.4) and closes; writing notices the end first, and the reason is still to be read.
fn alert_or(stream: &mut TlsStream, cx: &mut Context<'_>, error: io::Error) -> io::Error {
    match stream.poll_read(cx, &mut [0; 64]) {
        Poll::Ready(Err(alert)) if TlsProblem::within(&alert).is_some() => alert,
        _ => error,
    }
}
