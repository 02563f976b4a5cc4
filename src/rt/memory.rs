//! A bounded pipe in both directions inside one thread: what tests use instead of a socket.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// One end. Behaves like a nonblocking socket: `WouldBlock`, end of stream as zero bytes, `BrokenPipe`.
pub struct MemoryEnd {
    inbound: Rc<RefCell<Pipe>>,
    outbound: Rc<RefCell<Pipe>>,
}

struct Pipe {
    bytes: VecDeque<u8>,
    /// Invariant: `bytes.len() <= bytes_max`.
    bytes_max: usize,
    writer_gone: bool,
    reader_gone: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// Two connected ends, each direction holding at most `bytes_max` bytes.
pub fn pair(bytes_max: usize) -> (MemoryEnd, MemoryEnd) {
    let pipe = || {
        Rc::new(RefCell::new(Pipe {
            bytes: VecDeque::new(),
            bytes_max,
            writer_gone: false,
            reader_gone: false,
            reader: None,
            writer: None,
        }))
    };
    let (a, b) = (pipe(), pipe());
    (
        MemoryEnd {
            inbound: Rc::clone(&a),
            outbound: Rc::clone(&b),
        },
        MemoryEnd {
            inbound: b,
            outbound: a,
        },
    )
}

impl MemoryEnd {
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut pipe = self.inbound.borrow_mut();
        let len = buf.len().min(pipe.bytes.len());
        if len == 0 && !buf.is_empty() && !pipe.writer_gone {
            return Err(ErrorKind::WouldBlock.into());
        }
        for (to, from) in buf.iter_mut().zip(pipe.bytes.drain(..len)) {
            *to = from;
        }
        let writer = pipe.writer.take();
        drop(pipe);
        wake(writer);
        Ok(len)
    }

    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        let mut pipe = self.outbound.borrow_mut();
        if pipe.reader_gone || pipe.writer_gone {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let room = pipe.bytes_max.saturating_sub(pipe.bytes.len());
        let taken = buf.get(..room).unwrap_or(buf);
        let len = taken.len();
        if len == 0 && !buf.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        pipe.bytes.extend(taken);
        let reader = pipe.reader.take();
        drop(pipe);
        wake(reader);
        Ok(len)
    }

    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut pipe = self.inbound.borrow_mut();
        if !pipe.bytes.is_empty() || pipe.writer_gone {
            return Poll::Ready(());
        }
        pipe.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut pipe = self.outbound.borrow_mut();
        if pipe.bytes.len() < pipe.bytes_max || pipe.reader_gone || pipe.writer_gone {
            return Poll::Ready(());
        }
        pipe.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Whether nobody reads any more.
    pub fn is_broken(&self) -> bool {
        self.outbound.borrow().reader_gone
    }

    pub fn shutdown_write(&self) {
        let reader = {
            let mut pipe = self.outbound.borrow_mut();
            pipe.writer_gone = true;
            pipe.reader.take()
        };
        wake(reader);
    }
}

impl Drop for MemoryEnd {
    fn drop(&mut self) {
        self.shutdown_write();
        let writer = {
            let mut pipe = self.inbound.borrow_mut();
            pipe.reader_gone = true;
            pipe.writer.take()
        };
        wake(writer);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
