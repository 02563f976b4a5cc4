//! A connection's bytes as hyper wants them.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};

use crate::rt::Stream;
use crate::rt::tls::{TlsProblem, TlsStream};

use super::HEAD_BYTES_MAX;

/// How much is read at once, on the stack: hyper's buffer can be filled in place by unsafe code only.
const CHUNK_BYTES: usize = 4096;

/// Most bytes before the head of an answer has ended. hyper bounds each head, but passes over early answers (1xx) in a
/// loop that ends only when there is nothing more to read: a peer that sends them for ever had the thread for itself.
/// What hyper reads ahead of the body counts too, so this is more than its buffer.
const BEFORE_BODY_BYTES_MAX: usize = 8 * HEAD_BYTES_MAX;

/// How much may be read before the answer's head has ended; shared with whoever waits for it.
#[derive(Clone)]
pub(super) struct Allowance(Rc<Cell<Option<usize>>>);

impl Allowance {
    /// A request goes out: its answer's head has to come.
    pub(super) fn start(&self) {
        self.0.set(Some(BEFORE_BODY_BYTES_MAX));
    }

    /// The head has come; bodies have a limit of their own.
    pub(super) fn lift(&self) {
        self.0.set(None);
    }

    fn spend(&self, len: usize) -> io::Result<()> {
        let Some(left) = self.0.get() else {
            return Ok(());
        };
        let left = left.checked_sub(len).ok_or(io::ErrorKind::FileTooLarge)?;
        self.0.set(Some(left));
        Ok(())
    }
}

/// A connection, plain or encrypted.
pub(super) struct Io {
    pub(super) kind: Kind,
    allowance: Allowance,
}

pub(super) enum Kind {
    Plain(Rc<Stream>),
    Tls(TlsStream),
}

impl Io {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            allowance: Allowance(Rc::new(Cell::new(None))),
        }
    }

    pub(super) fn allowance(&self) -> Allowance {
        self.allowance.clone()
    }
}

impl Read for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let mut chunk = [0; CHUNK_BYTES];
        let want = chunk.len().min(buf.remaining());
        let wanted = chunk.get_mut(..want).unwrap_or_default();
        let read = match &mut this.kind {
            Kind::Plain(stream) => stream.poll_read(cx, wanted),
            Kind::Tls(stream) => stream.poll_read(cx, wanted),
        };
        let len = ready!(read)?;
        this.allowance.spend(len)?;
        buf.put_slice(chunk.get(..len).unwrap_or_default());
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
