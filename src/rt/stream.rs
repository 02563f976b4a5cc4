//! A connection's bytes: TCP, a socket file, or memory in tests; and TLS over any of them.
//!
//! All methods take `&self`, so one task may read while another writes. At most one task reads and one writes at a
//! time: a second waiter in the same direction would take the first one's wake-up. A system call is made only when it may
//! succeed, as the `reactor` knows it, so the hot path is one call.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::task::{Context, Poll, ready};

use rustix::event::{PollFd, PollFlags, Timespec};

use super::addr::Peer;
use super::memory::{self, MemoryEnd};
use super::reactor::{Towards, Watched};
use super::tls::{PeerCertificate, ServerEnd};

/// A connected byte stream. Dropping it closes it.
pub struct Stream(Kind);

enum Kind {
    Memory(MemoryEnd),
    Tcp(Watched<TcpStream>),
    /// Accepted with a handshake; boxed, for it is large and most connections are plain.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "nothing makes one"))]
    Tls(Box<ServerEnd>),
    Unix(Watched<UnixStream>),
}

impl Stream {
    /// A connection that does not block.
    ///
    /// # Errors
    /// The system's, when it watches no more sockets.
    pub(super) fn tcp(stream: TcpStream) -> io::Result<Self> {
        Ok(Self(Kind::Tcp(Watched::new(stream)?)))
    }

    /// As [`tcp`](Stream::tcp).
    pub(super) fn unix(stream: UnixStream) -> io::Result<Self> {
        Ok(Self(Kind::Unix(Watched::new(stream)?)))
    }

    #[cfg(feature = "tls")]
    pub(super) fn tls(end: ServerEnd) -> Self {
        Self(Kind::Tls(Box::new(end)))
    }

    /// The stream that the kernel knows: this one, or the one under TLS.
    const fn below(&self) -> &Kind {
        match &self.0 {
            Kind::Tls(end) => &end.socket().0,
            kind => kind,
        }
    }

    /// Two ends connected in memory, each direction holding at most `bytes_max` bytes: what tests use.
    #[must_use]
    pub fn memory(bytes_max: usize) -> (Self, Self) {
        let (a, b) = memory::pair(bytes_max);
        (Self(Kind::Memory(a)), Self(Kind::Memory(b)))
    }

    /// Reads what is there, up to `buf.len()` bytes; 0 is the end of the stream.
    ///
    /// # Errors
    /// The system's, as for `read(2)`.
    pub fn read<'a>(&'a self, buf: &'a mut [u8]) -> impl Future<Output = io::Result<usize>> + 'a {
        poll_fn(move |cx| self.poll_read(cx, buf))
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// The system's, as for `write(2)`; some bytes may have been sent.
    pub async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let len = poll_fn(|cx| self.poll_write(cx, bytes)).await?;
            bytes = bytes.get(len..).unwrap_or_default();
        }
        Ok(())
    }

    /// Writes all of `head` and then all of `body`, in one system call where the kernel takes it.
    ///
    /// # Errors
    /// The system's, as for `writev(2)`; some bytes may have been sent.
    pub async fn write_all_2(&self, head: &[u8], body: &[u8]) -> io::Result<()> {
        let sent =
            poll_fn(|cx| self.poll_write_vectored(cx, &[IoSlice::new(head), IoSlice::new(body)]))
                .await?;
        let Some(rest) = head.get(sent..) else {
            let sent = sent.saturating_sub(head.len());
            return self.write_all(body.get(sent..).unwrap_or_default()).await;
        };
        self.write_all(rest).await?;
        self.write_all(body).await
    }

    /// As [`read`](Stream::read), for hand-written futures.
    ///
    /// # Errors
    /// The system's.
    pub fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.try_read(buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    ready!(self.poll_readable(cx))
                }
                done => return Poll::Ready(done),
            }
        }
    }

    /// Writes some of `bytes`.
    ///
    /// # Errors
    /// The system's; zero bytes taken is [`ErrorKind::WriteZero`].
    pub fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    /// Writes some of `parts`, in order.
    ///
    /// # Errors
    /// The system's; zero bytes taken is [`ErrorKind::WriteZero`].
    pub fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.try_write_vectored(parts) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    ready!(self.poll_writable(cx))
                }
                done => return Poll::Ready(done),
            }
        }
    }

    /// Reads without waiting.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] when nothing is there yet, otherwise the system's.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        match &self.0 {
            Kind::Memory(end) => end.try_read(buf),
            Kind::Tcp(stream) => {
                let len = buf.len();
                let read = when_ready(stream, Towards::Reading, |mut stream| stream.read(buf));
                // Less than there was room for was all of it: what comes later is reported. (Not so before urgent data, which
                // no client of ours sends: one that does waits for its own next byte.)
                if read.as_ref().is_ok_and(|count| (1..len).contains(count)) {
                    stream.set_drained(Towards::Reading);
                }
                read
            }
            Kind::Tls(end) => end.try_read(buf),
            // A short read says less here: one ends before what came with a descriptor.
            Kind::Unix(stream) => {
                when_ready(stream, Towards::Reading, |mut stream| stream.read(buf))
            }
        }
    }

    /// Writes what the kernel takes at once, without waiting.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] when it takes nothing now, otherwise the system's.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write_vectored(&[IoSlice::new(bytes)])
    }

    /// As [`try_write`](Stream::try_write), from several places in order.
    ///
    /// # Errors
    /// As there; zero bytes taken of some is [`ErrorKind::WriteZero`].
    pub fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        // One part goes through `send`, several through `writev`.
        let sent = match (&self.0, parts) {
            (Kind::Memory(end), parts) => write_parts(end, parts),
            (Kind::Tls(end), parts) => end.try_write_vectored(parts),
            (Kind::Tcp(stream), [bytes]) => {
                when_ready(stream, Towards::Writing, |mut stream| stream.write(bytes))
            }
            (Kind::Tcp(stream), parts) => when_ready(stream, Towards::Writing, |mut stream| {
                stream.write_vectored(parts)
            }),
            (Kind::Unix(stream), [bytes]) => {
                when_ready(stream, Towards::Writing, |mut stream| stream.write(bytes))
            }
            (Kind::Unix(stream), parts) => when_ready(stream, Towards::Writing, |mut stream| {
                stream.write_vectored(parts)
            }),
        }?;
        let wanted_some = sent == 0 && parts.iter().any(|part| !part.is_empty());
        if wanted_some {
            Err(ErrorKind::WriteZero.into())
        } else {
            Ok(sent)
        }
    }

    /// Whether the peer has sent nothing that is not read yet, not even its end: a connection that waits for its next
    /// request is usable then.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let peeked = match self.below() {
            Kind::Memory(_) | Kind::Tls(_) => return true,
            Kind::Tcp(stream) => stream.get_ref().peek(&mut [0]),
            Kind::Unix(stream) => {
                rustix::net::recv(stream.get_ref(), &mut [0], rustix::net::RecvFlags::PEEK)
                    .map(|(len, _)| len)
                    .map_err(io::Error::from)
            }
        };
        peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    /// Ready when a read may succeed, also at the end of the stream. May be ready too often, never too rarely; stays so
    /// until a read has found nothing.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.0 {
            Kind::Memory(end) => end.poll_readable(cx),
            Kind::Tcp(stream) => stream.poll_ready(Towards::Reading, cx),
            Kind::Tls(end) => end.poll_readable(cx),
            Kind::Unix(stream) => stream.poll_ready(Towards::Reading, cx),
        }
    }

    /// Ready when a write may succeed. May be ready too often, never too rarely; stays so until a write was not taken.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        match &self.0 {
            Kind::Memory(end) => end.poll_writable(cx),
            Kind::Tcp(stream) => stream.poll_ready(Towards::Writing, cx),
            Kind::Tls(end) => end.socket().poll_writable(cx),
            Kind::Unix(stream) => stream.poll_ready(Towards::Writing, cx),
        }
    }

    /// Whether the connection is broken: reset, or closed in both directions. A peer that has closed its side may
    /// still read, and TCP tells whether it does only in answer to something written.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        let fd = match self.below() {
            Kind::Memory(end) => return end.is_broken(),
            // Never: nothing is below a socket.
            Kind::Tls(_) => return false,
            Kind::Tcp(stream) => stream.get_ref().as_fd(),
            Kind::Unix(stream) => stream.get_ref().as_fd(),
        };
        // What is not asked for is reported all the same: errors and the end of both directions.
        let mut polled = [PollFd::from_borrowed_fd(fd, PollFlags::empty())];
        let at_once = Timespec::default();
        uninterrupted(|| Ok(rustix::event::poll(&mut polled, Some(&at_once))?)).is_ok()
            && (polled[0].revents()).intersects(PollFlags::ERR | PollFlags::HUP)
    }

    /// Says that nothing more will be written; reading goes on.
    ///
    /// # Errors
    /// The system's, for instance when the peer is gone already.
    pub fn shutdown_write(&self) -> io::Result<()> {
        match &self.0 {
            Kind::Memory(end) => {
                end.shutdown_write();
                Ok(())
            }
            Kind::Tcp(stream) => stream.get_ref().shutdown(Shutdown::Write),
            Kind::Tls(end) => end.shutdown_write(),
            Kind::Unix(stream) => stream.get_ref().shutdown(Shutdown::Write),
        }
    }

    /// Sends each write at once instead of waiting for more (`TCP_NODELAY`). Nothing to do on other kinds.
    ///
    /// # Errors
    /// The system's.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        match self.below() {
            Kind::Tcp(stream) => stream.get_ref().set_nodelay(nodelay),
            Kind::Memory(_) | Kind::Tls(_) | Kind::Unix(_) => Ok(()),
        }
    }

    /// Bounds what the kernel holds for a slow reader (`SO_SNDBUF`, bytes; Linux doubles it for its own use).
    /// Left alone, it holds up to 4 MB per socket.
    ///
    /// # Errors
    /// The system's.
    pub fn set_send_buffer(&self, bytes: usize) -> io::Result<()> {
        match self.below() {
            Kind::Memory(_) | Kind::Tls(_) => Ok(()),
            Kind::Tcp(stream) => Ok(rustix::net::sockopt::set_socket_send_buffer_size(
                stream.get_ref(),
                bytes,
            )?),
            Kind::Unix(stream) => Ok(rustix::net::sockopt::set_socket_send_buffer_size(
                stream.get_ref(),
                bytes,
            )?),
        }
    }

    /// The certificate that the client has shown in a handshake, verified.
    #[must_use]
    pub fn peer_certificate(&self) -> Option<&PeerCertificate> {
        match &self.0 {
            Kind::Tls(end) => end.peer_certificate(),
            _ => None,
        }
    }

    /// Who is at the other end: a system call for TCP, so keep what [`Accepted`](super::Accepted) says.
    ///
    /// # Errors
    /// The system's, for instance when the peer is gone already.
    pub fn peer(&self) -> io::Result<Peer> {
        match self.below() {
            Kind::Memory(_) | Kind::Tls(_) => Ok(Peer::Memory),
            Kind::Tcp(stream) => Ok(Peer::tcp(stream.get_ref().peer_addr()?)),
            Kind::Unix(_) => Ok(Peer::Unix),
        }
    }
}

/// Makes the call if it may succeed, and remembers when it may not.
fn when_ready<S: AsFd>(
    stream: &Watched<S>,
    towards: Towards,
    mut call: impl FnMut(&S) -> io::Result<usize>,
) -> io::Result<usize> {
    if !stream.is_ready(towards) {
        return Err(ErrorKind::WouldBlock.into());
    }
    let done = uninterrupted(|| call(stream.get_ref()));
    if matches!(&done, Err(error) if error.kind() == ErrorKind::WouldBlock) {
        stream.set_not_ready(towards);
    }
    done
}

/// A signal may interrupt any call; it means nothing to the stream.
fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => (),
            done => return done,
        }
    }
}

fn write_parts(end: &MemoryEnd, parts: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut sent = 0_usize;
    for part in parts {
        match end.try_write(part) {
            Ok(len) => {
                sent = sent.saturating_add(len);
                if len < part.len() {
                    break;
                }
            }
            Err(_) if sent > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}

#[cfg(test)]
mod tests;
