//! One connection, plain or encrypted: a request out, the head of its answer in. It has no task of its own: whoever waits
//! for the answer drives it, and dropping it closes it.
//!
//! What is left of a request goes out whenever the answer is read, body included: a server may answer before it has read
//! everything, because it refuses the rest or because it sends back what it reads.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use crate::http1::response::ResponseHead;
use crate::http1::{HeadError, HeadLimits};
use crate::rt::Stream;
use crate::rt::tls::{TlsProblem, TlsStream};

use super::error::ClientError;
use super::url::Origin;
use super::{HEAD_BYTES_MAX, HEADERS_MAX};

/// How much is read at once.
const CHUNK_BYTES: usize = 16 * 1024;

const LIMITS: HeadLimits = HeadLimits {
    head_bytes_max: HEAD_BYTES_MAX,
    headers_max: HEADERS_MAX,
};

/// Most bytes of early answers (1xx) before the answer: each is bounded, and a peer could send them for ever.
const EARLY_BYTES_MAX: usize = 8 * HEAD_BYTES_MAX;

/// A connection. Dropping it closes it.
pub(super) struct Conn {
    kind: Kind,
    /// The socket, which is below `kind`.
    stream: Rc<Stream>,
    /// What was read and belongs to nothing yet. Without memory while the connection waits.
    pub(super) unread: Vec<u8>,
    request: Vec<u8>,
    /// How much of the request has left.
    sent: usize,
    sending: Sending,
}

pub(super) enum Kind {
    Plain,
    Tls(TlsStream),
}

/// ```text
///   Done ──ask──▶ UnderWay ──▶ Done
///                    └──▶ Broken: nothing more can be sent, and what was said before that can still be read
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sending {
    Broken,
    Done,
    UnderWay,
}

impl Conn {
    pub(super) const fn new(kind: Kind, stream: Rc<Stream>) -> Self {
        Self {
            kind,
            stream,
            unread: Vec::new(),
            request: Vec::new(),
            sent: 0,
            sending: Sending::Done,
        }
    }

    /// Sends `request` and reads the head of its answer; early ones are passed over (RFC 9110 section 15.2).
    pub(super) async fn ask(
        &mut self,
        request: Vec<u8>,
        origin: &Origin,
    ) -> Result<ResponseHead, ClientError> {
        self.request = request;
        self.sent = 0;
        self.sending = Sending::UnderWay;
        let mut head = ResponseHead::new();
        let mut early = 0_usize;
        loop {
            let parsed = head.try_parse(&self.unread, &LIMITS);
            let Some(len) = parsed.map_err(|error| refused(error, origin))? else {
                match self.fill().await {
                    Ok(0) => {
                        let wrong = head.error_so_far();
                        return Err(wrong.map_or_else(|| closed(origin), |it| refused(it, origin)));
                    }
                    Ok(_) => continue,
                    Err(error) => return Err(explain(&error, origin)),
                }
            };
            self.unread.drain(..len);
            if !matches!(head.status(), 100 | 102..200) {
                return Ok(head);
            }
            early = early.saturating_add(len);
            if early > EARLY_BYTES_MAX {
                let origin = origin.clone();
                return Err(ClientError::HeadTooLarge { origin });
            }
        }
    }

    /// Whether nothing of the request has left: sending it again changes nothing twice.
    pub(super) const fn was_not_sent(&self) -> bool {
        self.sent == 0
    }

    /// The connection, for another request, if this one has left whole and nothing came behind its answer.
    pub(super) fn cleared(mut self) -> Option<Self> {
        if self.sending != Sending::Done || !self.unread.is_empty() {
            return None;
        }
        self.unread = Vec::new();
        Some(self)
    }

    /// Whether the next request may go out here: the peer has neither closed nor said anything out of turn.
    pub(super) fn is_usable(&mut self) -> bool {
        // Reading takes what TLS has to say for itself, such as tickets, and finds what it has decrypted already.
        if let Kind::Tls(stream) = &mut self.kind {
            let mut cx = Context::from_waker(Waker::noop());
            if stream.poll_read(&mut cx, &mut [0; 64]).is_ready() {
                return false;
            }
        }
        // The socket itself is asked, since the reactor may not have heard yet.
        self.stream.is_quiet()
    }

    /// Reads some more behind `unread`; 0 is the end.
    pub(super) async fn fill(&mut self) -> io::Result<usize> {
        poll_fn(|cx| self.poll_fill(cx)).await
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.send(cx);
        let len = self.unread.len();
        self.unread.resize(len.saturating_add(CHUNK_BYTES), 0);
        let room = self.unread.get_mut(len..).unwrap_or_default();
        let read = match &mut self.kind {
            Kind::Plain => self.stream.poll_read(cx, room),
            Kind::Tls(stream) => stream.poll_read(cx, room),
        };
        let more = match read {
            Poll::Ready(Ok(more)) => more,
            Poll::Ready(Err(_)) | Poll::Pending => 0,
        };
        self.unread.truncate(len.saturating_add(more));
        read
    }

    /// Sends what can be sent now. That it failed is no error yet: a server that refuses a request, or our certificate
    /// (RFC 8446 section 4.4.2.4), says so and closes, and writing notices the end before the reason is read.
    fn send(&mut self, cx: &mut Context<'_>) {
        if self.sending == Sending::UnderWay
            && let Poll::Ready(sent) = self.poll_send(cx)
        {
            self.sending = match sent {
                Ok(()) => Sending::Done,
                Err(_) => Sending::Broken,
            };
            self.request = Vec::new();
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.request.get(self.sent..)
            && !rest.is_empty()
        {
            let len = ready!(match &mut self.kind {
                Kind::Plain => self.stream.poll_write(cx, rest),
                Kind::Tls(stream) => stream.poll_write(cx, rest),
            })?;
            self.sent = self.sent.saturating_add(len);
        }
        match &mut self.kind {
            Kind::Plain => Poll::Ready(Ok(())),
            Kind::Tls(stream) => stream.poll_flush(cx),
        }
    }
}

fn closed(origin: &Origin) -> ClientError {
    let origin = origin.clone();
    ClientError::Closed { origin }
}

fn refused(error: HeadError, origin: &Origin) -> ClientError {
    let origin = origin.clone();
    match error {
        HeadError::HeadTooLong { .. }
        | HeadError::StartLineTooLong { .. }
        | HeadError::TooManyHeaders { .. } => ClientError::HeadTooLarge { origin },
        _ => ClientError::NotHttp {
            origin,
            text: error.to_string(),
        },
    }
}

/// The cause of an error before the body.
pub(super) fn explain(error: &io::Error, origin: &Origin) -> ClientError {
    match TlsProblem::within(error) {
        Some(problem) => ClientError::Tls {
            origin: origin.clone(),
            problem,
        },
        None => closed(origin),
    }
}
