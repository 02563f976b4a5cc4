//! A connection that was accepted with TLS: plain bytes above, records below.
//!
//! It sits under [`Stream`], so that whoever serves connections need not know. Two things differ from a socket:
//!
//! - Bytes count as written when their record has left whole. A write that would block has begun all the same: it must
//!   be tried again with the same bytes, as every caller does that wants them written.
//! - Reading may have to write (answers to key updates). One task reads and writes, so its waker serves for both.
//!
//! An end that the client has not announced (`close_notify`) reads as an end all the same: requests say how long they
//! are, so nothing can be cut short unnoticed.

// What comes from outside does not overflow either; `src/lib.rs` says why.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::task::{Context, Poll};

use futures_rustls::rustls::server::ServerConnection;

use super::{PeerCertificate, Stream, names};

/// Most bytes in one record (RFC 8446 section 5.1).
const RECORD_BYTES_MAX: usize = 16 * 1024;

/// Records that are read in a row although they bring no bytes: a peer that sends such for ever must not have the
/// thread for itself.
const EMPTY_READS_MAX: usize = 8;

/// See the module.
pub struct ServerEnd {
    socket: Stream,
    session: RefCell<Session>,
    certificate: Option<PeerCertificate>,
}

struct Session {
    connection: ServerConnection,
    /// Bytes that are in records which have not left yet: the caller still holds them.
    sealed: usize,
    /// The socket has ended.
    is_over: bool,
    /// There may be more to read, and others come first.
    is_others_turn: bool,
}

impl ServerEnd {
    /// After the handshake.
    pub(super) fn new(socket: Stream, connection: ServerConnection) -> Self {
        let shown = connection.peer_certificates().and_then(<[_]>::first);
        Self {
            certificate: shown.map(|der| names::read(der)),
            socket,
            session: RefCell::new(Session {
                connection,
                sealed: 0,
                is_over: false,
                is_others_turn: false,
            }),
        }
    }

    /// The stream below.
    pub(in crate::rt) const fn socket(&self) -> &Stream {
        &self.socket
    }

    pub(in crate::rt) const fn peer_certificate(&self) -> Option<&PeerCertificate> {
        self.certificate.as_ref()
    }

    pub(in crate::rt) fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let Session {
            connection,
            is_over,
            is_others_turn,
            ..
        } = &mut *self.session.borrow_mut();
        for _ in 0..EMPTY_READS_MAX {
            match connection.reader().read(buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => (),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                done => return done,
            }
            if *is_over {
                return Ok(0);
            }
            let read = read_records(connection, &self.socket)?;
            let processed = match &read {
                Some(read) => {
                    *is_over = read.len == 0;
                    connection.process_new_packets().map(drop)
                }
                None => Ok(()),
            };
            // Answers to what came, alerts among them; and what the socket takes again, or `poll_readable` would call for it for
            // ever.
            while connection.wants_write() && write_records(connection, &self.socket)? {}
            processed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            if read.is_none() {
                return Err(ErrorKind::WouldBlock.into());
            }
        }
        *is_others_turn = true;
        Err(ErrorKind::WouldBlock.into())
    }

    pub(in crate::rt) fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let Session {
            connection, sealed, ..
        } = &mut *self.session.borrow_mut();
        // Before new bytes: what reading has to say, and what the socket did not take.
        flush(connection, &self.socket)?;
        if *sealed == 0 {
            let mut left = RECORD_BYTES_MAX;
            for part in parts {
                let part = part.get(..left).unwrap_or(part);
                let written = connection.writer().write(part)?;
                *sealed = sealed.saturating_add(written);
                left = left.saturating_sub(part.len());
            }
            flush(connection, &self.socket)?;
        }
        Ok(std::mem::take(sealed))
    }

    /// Ready when the socket below may have something, or there are bytes already.
    pub(in crate::rt) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let session = &mut *self.session.borrow_mut();
        if std::mem::take(&mut session.is_others_turn) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if session.connection.wants_write() && self.socket.poll_writable(cx).is_ready() {
            return Poll::Ready(());
        }
        self.socket.poll_readable(cx)
    }

    /// Announces the end as far as the socket takes it, and shuts the sending side.
    pub(in crate::rt) fn shutdown_write(&self) -> io::Result<()> {
        self.say_farewell();
        self.socket.shutdown_write()
    }

    fn say_farewell(&self) {
        let Session {
            connection, sealed, ..
        } = &mut *self.session.borrow_mut();
        // In the middle of a record there is no place for it.
        if *sealed == 0 {
            connection.send_close_notify();
            _ = flush(connection, &self.socket);
        }
    }
}

impl Drop for ServerEnd {
    /// Some clients take an end without farewell for an attack and say so.
    fn drop(&mut self) {
        self.say_farewell();
    }
}

/// Writes what there is.
///
/// # Errors
/// [`ErrorKind::WouldBlock`] when not all of it went.
fn flush(connection: &mut ServerConnection, socket: &Stream) -> io::Result<()> {
    while connection.wants_write() {
        if !write_records(connection, socket)? {
            return Err(ErrorKind::WouldBlock.into());
        }
    }
    Ok(())
}

/// What one read from the socket brought.
pub(super) struct Arrived {
    pub(super) len: usize,
    /// Its first byte; none at the end of the stream.
    pub(super) first: Option<u8>,
}

/// Reads once from the socket; none if nothing is there yet.
pub(super) fn read_records(
    connection: &mut ServerConnection,
    socket: &Stream,
) -> io::Result<Option<Arrived>> {
    let first = Cell::new(None);
    let mut below = Below {
        socket,
        first: &first,
    };
    match connection.read_tls(&mut below) {
        Ok(len) => Ok(Some(Arrived {
            len,
            first: first.get(),
        })),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes once to the socket. False if it takes nothing now.
pub(super) fn write_records(
    connection: &mut ServerConnection,
    socket: &Stream,
) -> io::Result<bool> {
    let mut below = Below {
        socket,
        first: &Cell::new(None),
    };
    match connection.write_tls(&mut below) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

/// The socket as rustls wants it.
struct Below<'a> {
    socket: &'a Stream,
    first: &'a Cell<Option<u8>>,
}

impl Read for Below<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.socket.try_read(buf)?;
        self.first.set(buf.first().copied().filter(|_| len > 0));
        Ok(len)
    }
}

impl Write for Below<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.try_write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.try_write_vectored(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
