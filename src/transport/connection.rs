//! One connection's whole life: read a head, decide, read the body, answer, again.
//!
//! ```text
//!   idle ─▶ head ─▶ (refused) ─▶ body ─▶ answer ─▶ idle
//!    │        │          └───────▶ answer and close    │
//!    └────────┴───────────────── close ◀───────────────┘
//!                                  └── or the socket goes on as a stream (`stream`)
//! ```
//!
//! Every wait has its deadline: `idle`, `head`, `body`, `write_stall`.

mod admit;
mod caller;

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::gate::cors;
use crate::gate::forwarded::Client;
use crate::http1::encode::Persistence;
use crate::http1::{Framing, Head, HeadError, Method, Version};
use crate::log::{RequestId, escape, traced};
use crate::metrics::{Close, ConnectionGuard, Limit};
use crate::rt::shutdown::Phase;
use crate::rt::{self, Deadline, Expired, Stream};

use admit::Admitted;

use super::body::{self, BodyError};
use super::http::{Http, SiteCell};
use super::places::{Admission, Newcomer, Place};
use super::respond::{Response, TOO_MANY_CONNECTIONS};
use super::routes::Target;
use super::site::{Settings, Site};
use super::stream::StreamPlan;
use super::{admin, events, http_sse, plain, streamable};

/// Buffers larger than this are given back between requests.
const KEPT_BUFFER_BYTES: usize = 16 * 1024;
/// After an early refusal what still comes is read and thrown away, so that the client gets to read the answer before the
/// reset that unread bytes cause (RFC 9112, section 9.6): until it closes its side, is silent for this long,
const LINGER_SILENCE: Duration = Duration::from_secs(1);
/// or has sent for this long, which is less than a shutdown waits,
const LINGER: Duration = Duration::from_secs(3);
/// or has sent this much. A proxy that has a request in its hands goes on sending it while the answer is on its way, and
/// at a reset says 502 in place of it: with 256 KiB, nginx did so for a quarter of all bodies of 1.5 MB. What is thrown
/// away costs no memory, and no more time than the same bytes in requests.
const LINGER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// After so much in a row others get their turn: there are peers that send faster than we read, and never have us wait.
const TURN_BYTES: usize = 64 * 1024;

/// See the module.
pub struct Connection {
    /// Shared with all connections.
    pub http: Rc<Http>,
    /// Its bytes.
    pub stream: Stream,
    /// What was read and not used yet: the rest of a body, or a pipelined request.
    pub input: Vec<u8>,
    /// What is being written.
    pub output: Vec<u8>,
    /// The head of the request being answered.
    pub head: Head,
    /// Of the phase it is in.
    pub deadline: Deadline,
    site: SiteCell,
    place: Place,
    /// Whoever has connected; none on a socket file.
    peer: Option<IpAddr>,
    /// Who asks: `peer`, or somebody it stands in front of.
    client: Client,
    /// Until its first head has come; before that it may have to make room.
    newcomer: Option<Newcomer>,
    /// Its place is for callers with a token, and it has not shown one yet.
    must_show_token: bool,
    /// Read since it last waited. Invariant: less than `TURN_BYTES`, and what one read brings.
    turn_bytes: usize,
    /// How the answer to this request leaves the connection.
    persistence: Persistence,
    /// CORS headers of this request's answer.
    cors: Vec<cors::Header>,
    /// The client closed its side: what it asked is still answered.
    input_is_over: bool,
    /// Of the answer, for the log; 0 if there was none.
    status: u16,
}

/// What follows a request.
pub enum After {
    /// It is answered; `persistence` says whether another may follow.
    Answered,
    /// The connection cannot go on.
    Close(Close),
    /// The socket goes on as a stream.
    Stream(Box<StreamPlan>),
}

/// How more input came, or did not.
pub enum More {
    /// Some bytes.
    Bytes,
    /// The client closed its side.
    End,
}

impl Connection {
    /// A connection that has just been accepted.
    pub(super) fn new(
        http: Rc<Http>,
        site: SiteCell,
        stream: Stream,
        peer: Option<IpAddr>,
        admission: Admission,
    ) -> Connection {
        let deadline = http.server.deadlines.slot();
        Connection {
            http,
            stream,
            input: Vec::new(),
            output: Vec::new(),
            head: Head::new(),
            deadline,
            site,
            place: admission.place,
            peer,
            client: Client::direct(peer),
            newcomer: Some(admission.newcomer),
            must_show_token: admission.must_show_token,
            turn_bytes: 0,
            persistence: Persistence::KeepAlive,
            cors: Vec::new(),
            input_is_over: false,
            status: 0,
        }
    }

    /// Serves it to its end.
    pub async fn run(mut self, guard: ConnectionGuard) {
        let shutdown = self.http.shutdown.clone();
        // One for all requests: beginning to wait and giving it up for each cost a hundredth of a small one.
        let mut stop = std::pin::pin!(shutdown.wait(Phase::Graceful));
        let reason = loop {
            let settings = self.http.settings();
            if let Err(reason) = self.read_head(&settings, stop.as_mut()).await {
                break reason;
            }
            // Anew: it may have waited long for this head, and somebody's rights may have gone meanwhile.
            let settings = self.http.settings();
            let site = self.site.borrow().clone();
            match traced(RequestId::next(), self.answer_logged(&settings, &site)).await {
                After::Answered if self.persistence == Persistence::KeepAlive => (),
                After::Answered if !self.input.is_empty() => {
                    // More was sent than will be answered; unread, it would reset the connection
                    // before the client has read the answer.
                    self.linger().await;
                    break Close::Asked;
                }
                After::Answered => {
                    _ = self.stream.shutdown_write();
                    break Close::Asked;
                }
                After::Close(reason) => break reason,
                After::Stream(plan) => {
                    let Connection {
                        http,
                        stream,
                        place,
                        ..
                    } = self;
                    plan.spawn(&http, stream, place, guard);
                    return;
                }
            }
            self.forget_request();
            if !self.input.is_empty() {
                // The next request is here already, and so may be a thousand after it.
                rt::yield_now().await;
            }
        };
        guard.close(reason);
    }

    /// Makes ready for the next request, and small while none comes.
    fn forget_request(&mut self) {
        self.leave_client();
        self.cors.clear();
        self.output.clear();
        if self.output.capacity() > KEPT_BUFFER_BYTES {
            self.output = Vec::new();
        }
        if self.input.is_empty() && self.input.capacity() > KEPT_BUFFER_BYTES {
            self.input = Vec::new();
        }
    }

    // --- reading ------------------------------------------------------------------------------

    async fn read_head(
        &mut self,
        settings: &Settings,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(), Close> {
        let mut is_in_head = !self.input.is_empty();
        self.deadline.set(if is_in_head {
            settings.head_timeout
        } else {
            settings.idle_timeout
        });
        loop {
            match self.head.try_parse(&self.input, &settings.head) {
                Ok(Some(consumed)) => {
                    self.input.drain(..consumed);
                    self.deadline.clear();
                    self.newcomer = None;
                    return Ok(());
                }
                Ok(None) => (),
                Err(error) => {
                    let limit = match error {
                        HeadError::StartLineTooLong { .. } | HeadError::HeadTooLong { .. } => {
                            Some(Limit::HeadBytes)
                        }
                        HeadError::TooManyHeaders { .. } => Some(Limit::Headers),
                        _ => None,
                    };
                    let reason = match limit {
                        Some(limit) => {
                            self.http.server.metrics.limit_hit(limit);
                            Close::TooLarge
                        }
                        None => Close::ProtocolError,
                    };
                    let status = error.status();
                    self.refuse_and_linger(status, &error.to_string()).await;
                    return Err(reason);
                }
            }
            if !is_in_head && !self.input.is_empty() {
                // From the first byte on, the whole head has one deadline: a byte now and then
                // does not move it.
                is_in_head = true;
                self.deadline.set(settings.head_timeout);
            }
            if self.http.shutdown.is_triggered() && !is_in_head {
                return Err(Close::Shutdown);
            }
            if self.input_is_over {
                return Err(Close::Client);
            }
            match self.read_in_head(is_in_head, stop.as_mut()).await {
                Waited::Read(Ok(More::Bytes)) => (),
                Waited::Read(Ok(More::End)) => self.input_is_over = true,
                Waited::Read(Err(_)) => return Err(Close::IoError),
                Waited::Stop => return Err(Close::Shutdown),
                Waited::Evicted => {
                    _ = self.stream.try_write(TOO_MANY_CONNECTIONS);
                    return Err(Close::Evicted);
                }
                Waited::Expired if is_in_head => {
                    self.refuse_and_linger(408, "the request head took too long")
                        .await;
                    return Err(Close::HeadTimeout);
                }
                Waited::Expired => return Err(Close::Idle),
            }
        }
    }

    /// Waits for bytes, the deadline, a newcomer that needs the place or, between requests, the end
    /// of the server.
    async fn read_in_head(
        &mut self,
        is_in_head: bool,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Waited {
        poll_fn(|cx| {
            // First: its place has been given to another, whatever it says by now.
            let newcomer = self.newcomer.as_ref();
            if newcomer.is_some_and(|newcomer| newcomer.poll_evicted(cx).is_ready()) {
                return Poll::Ready(Waited::Evicted);
            }
            if let Poll::Ready(read) = self.poll_more(cx) {
                return Poll::Ready(Waited::Read(read));
            }
            if self.deadline.poll_expired(cx).is_ready() {
                return Poll::Ready(Waited::Expired);
            }
            if !is_in_head && stop.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Waited::Stop);
            }
            Poll::Pending
        })
        .await
    }

    /// Reads what has come onto the end of `input`.
    pub fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<More>> {
        if self.turn_bytes >= TURN_BYTES {
            self.turn_bytes = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        // By way of a buffer that all connections share: making room in `input` and clearing it took more than half of
        // all instructions of a small request, and an idle connection would keep the room.
        let mut buf = self.http.read_buffer.borrow_mut();
        let Poll::Ready(read) = self.stream.poll_read(cx, &mut buf) else {
            self.turn_bytes = 0;
            return Poll::Pending;
        };
        let count = read?;
        self.turn_bytes += count;
        self.input
            .extend_from_slice(buf.get(..count).unwrap_or_default());
        Poll::Ready(Ok(if count == 0 { More::End } else { More::Bytes }))
    }

    /// Waits for more input within the deadline that is set.
    pub async fn more(&mut self) -> Result<io::Result<More>, Expired> {
        poll_fn(|cx| {
            if let Poll::Ready(read) = self.poll_more(cx) {
                return Poll::Ready(Ok(read));
            }
            self.deadline.poll_expired(cx).map(Err)
        })
        .await
    }

    /// The client closed its side of the connection.
    pub fn note_end_of_input(&mut self) {
        self.input_is_over = true;
        self.persistence = Persistence::Close;
    }

    /// Whether the client closed its side.
    pub fn input_is_over(&self) -> bool {
        self.input_is_over
    }

    // --- one request --------------------------------------------------------------------------

    async fn answer_logged(&mut self, settings: &Rc<Settings>, site: &Rc<Site>) -> After {
        let started = log::log_enabled!(log::Level::Debug).then(rt::now);
        self.status = 0;
        let after = self.answer(settings, site).await;
        // Without the query, which may hold the id of a session.
        log::debug!(
            "{} {} {} {} after {:?}",
            self.client,
            self.head.method().as_str(),
            escape(self.head.path()),
            self.status,
            started.map_or(Duration::ZERO, |started| rt::now() - started)
        );
        after
    }

    async fn answer(&mut self, settings: &Rc<Settings>, site: &Rc<Site>) -> After {
        self.persistence = self.usual_persistence();
        let framing = match self.head.framing() {
            Ok(framing) => framing,
            Err(error) => {
                let (status, text) = (error.status(), error.to_string());
                self.refuse_and_linger(status, &text).await;
                return After::Close(Close::ProtocolError);
            }
        };
        if let Err(refusal) = self.find_client(settings) {
            return self.refuse_before_body(refusal, framing).await;
        }
        let admitted = match self.admit(settings, site).await {
            Ok(admitted) => admitted,
            Err(refusal) => return self.refuse_before_body(refusal, framing).await,
        };
        let body = match body::read(self, settings, framing).await {
            Ok(body) => body,
            Err(error) => return self.refuse_body(error).await,
        };
        // The body is read where it lies; what arrives meanwhile goes into a buffer of its own.
        let mut input = std::mem::take(&mut self.input);
        let after = self.dispatch(settings, admitted, body.bytes(&input)).await;
        body.finish(&mut input);
        input.append(&mut self.input);
        self.input = input;
        after
    }

    async fn dispatch(
        &mut self,
        settings: &Rc<Settings>,
        admitted: Admitted,
        bytes: &[u8],
    ) -> After {
        let Admitted {
            target,
            caller,
            excess,
        } = admitted;
        if let Some(excess) = excess
            && let Some(after) = self
                .refuse_excess(settings, target, &caller, excess, bytes)
                .await
        {
            return after;
        }
        match (target, self.head.method()) {
            (Target::Mcp, Method::Post) => streamable::post(self, settings, &caller, bytes).await,
            (Target::Mcp, Method::Get) => streamable::get(self, settings, &caller).await,
            (Target::Mcp, _) => streamable::delete(self, &caller).await,
            (Target::HttpSse, _) => http_sse::open(self, settings, &caller).await,
            (Target::Messages, _) => http_sse::post(self, settings, &caller, bytes).await,
            (Target::Call, _) => plain::post(self, settings, &caller, bytes).await,
            (Target::Tools, _) => {
                let response = plain::tools(&self.http.server, &caller);
                self.send(response).await
            }
            (Target::EventStream, _) => events::open(self, &caller).await,
            (Target::Publish, _) => {
                let response = events::publish(&self.http.server, bytes);
                self.send(response).await
            }
            (Target::Ready, _) => {
                let response = admin::ready(&self.http).await;
                self.send(response).await
            }
            (Target::ResourceMetadata, _) => {
                let response = admin::resource_metadata(settings);
                self.send(response).await
            }
            (Target::Health | Target::Metrics | Target::Status, _) => {
                let response = admin::respond(&self.http, target);
                self.send(response).await
            }
        }
    }

    // --- writing ------------------------------------------------------------------------------

    /// Sends a complete response.
    // Inlined, or the future would be made in one place and moved to another; no `async fn`, or it would have room for
    // the response, which is written before anything waits.
    #[inline(always)]
    pub fn send(&mut self, response: Response) -> impl Future<Output = After> {
        let is_head = self.head.method() == Method::Head;
        self.write(response, self.head.version(), is_head);
        self.flush_with_others()
    }

    fn write(&mut self, mut response: Response, version: Version, is_head: bool) {
        self.status = response.status;
        response.headers.append(&mut self.cors);
        let date = self.http.date();
        self.persistence =
            response.write(&mut self.output, version, self.persistence, is_head, &date);
    }

    async fn flush_with_others(&mut self) -> After {
        rt::let_others_catch_up().await;
        self.flush().await
    }

    /// Writes `output` whole. Each time the peer takes some, it gets `write_stall` again; one that takes nothing for so
    /// long loses the connection.
    pub async fn flush(&mut self) -> After {
        let stall = self.http.settings().write_stall;
        let mut written = 0;
        let mut is_armed = false;
        let after = poll_fn(|cx| {
            while let Some(rest) = self.output.get(written..).filter(|rest| !rest.is_empty()) {
                match self.stream.poll_write(cx, rest) {
                    Poll::Ready(Ok(0)) | Poll::Ready(Err(_)) => {
                        return Poll::Ready(After::Close(Close::IoError));
                    }
                    Poll::Ready(Ok(count)) => {
                        written += count;
                        is_armed = false;
                    }
                    Poll::Pending => {
                        if !is_armed {
                            self.deadline.set(stall);
                            is_armed = true;
                        }
                        let expired = self.deadline.poll_expired(cx);
                        return expired.map(|_| After::Close(Close::WriteStall));
                    }
                }
            }
            Poll::Ready(After::Answered)
        })
        .await;
        self.deadline.clear();
        if let After::Answered = after {
            self.output.clear();
        }
        after
    }

    /// What the head of an answer that is a stream needs besides its own headers.
    pub fn answer_frame(&mut self) -> (Version, Persistence, Vec<cors::Header>) {
        self.status = 200;
        (
            self.head.version(),
            self.persistence,
            std::mem::take(&mut self.cors),
        )
    }

    /// Follows what a written head decided.
    pub fn set_persistence(&mut self, persistence: Persistence) {
        self.persistence = persistence;
    }

    /// Refuses a request whose body is not going to be read. A small body that has come along is
    /// skipped; with any other the connection ends.
    async fn refuse_before_body(&mut self, refusal: Response, framing: Framing) -> After {
        let skipped = match framing {
            Framing::None => Some(0),
            Framing::Length(len) => usize::try_from(len)
                .ok()
                .filter(|len| *len <= self.input.len()),
            Framing::Chunked => None,
        };
        match skipped {
            Some(len) => {
                let after = self.send(refusal).await;
                self.input.drain(..len);
                after
            }
            None => {
                self.persistence = Persistence::Close;
                if let After::Close(reason) = self.send(refusal).await {
                    return After::Close(reason);
                }
                self.linger().await;
                After::Close(Close::Asked)
            }
        }
    }

    async fn refuse_body(&mut self, error: BodyError) -> After {
        let reason = match error {
            BodyError::Gone => return After::Close(Close::IoError),
            BodyError::TimedOut => Close::BodyTimeout,
            BodyError::TooLarge { .. } => {
                self.http.server.metrics.limit_hit(Limit::BodyBytes);
                Close::TooLarge
            }
            BodyError::Chunked(_) => Close::ProtocolError,
            BodyError::Crowded => {
                self.http.server.metrics.limit_hit(Limit::RequestsInFlight);
                Close::Limit
            }
        };
        self.refuse_and_linger(error.status(), &error.to_string())
            .await;
        After::Close(reason)
    }

    /// Answers what breaks the rules of HTTP, and lets the client read the answer.
    pub(super) async fn refuse_and_linger(&mut self, status: u16, text: &str) {
        // It goes by itself.
        self.newcomer = None;
        self.persistence = Persistence::Close;
        let mut response = Response::error(status, text);
        if status == 503 {
            response = response.with("Retry-After", "5");
        }
        self.write(response, Version::Http11, false);
        if let After::Answered = self.flush_with_others().await {
            self.linger().await;
        }
    }

    /// Reads on for a moment, so that the client gets to read what it was sent last.
    pub(super) async fn linger(&mut self) {
        _ = self.stream.shutdown_write();
        let ends = rt::now() + LINGER;
        let mut left = LINGER_BYTES_MAX;
        loop {
            self.input.clear();
            self.deadline.set_at(ends.min(rt::now() + LINGER_SILENCE));
            match self.more().await {
                Ok(Ok(More::Bytes)) if self.input.len() < left => left -= self.input.len(),
                _ => return,
            }
        }
    }
}

enum Waited {
    Read(io::Result<More>),
    Evicted,
    Expired,
    Stop,
}
