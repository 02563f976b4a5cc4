//! The HTTP server: what all listeners and connections share, and the accept loop.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::gate::brake::Brake;
use crate::gate::rate::Limiter;
use crate::http1::date::HttpDate;
use crate::http1::sse::{Event, encode_event};
use crate::log::escape;
use crate::metrics::{Close, EventKind, Limit};
use crate::rt::shutdown::{Phase, Shutdown};
use crate::rt::{self, Accepted, Clock, Listener, Ticker};
use crate::server::Server;
use crate::server::outlet::{Item, Outlet};

use super::connection::Connection;
use super::places::Places;
use super::respond;
use super::site::{Settings, Site};

/// What the kernel may hold of answers that a client does not read; it takes twice as much. Left
/// alone it takes 4 MB of each connection. Large enough for 10 MB/s over a line of 10 ms.
const SEND_BUFFER_BYTES: usize = 128 * 1024;
/// Callers whose rate is remembered; about 50 bytes each, and most do not come fast enough to be.
const RATE_KEYS_MAX: usize = 1024;

/// Connections accepted before those that are here get a turn.
const ACCEPTED_IN_A_ROW_MAX: usize = 16;

/// How much is read at once.
const READ_BYTES: usize = 8 * 1024;

/// A listener's site; a reload puts another in its place.
pub type SiteCell = Rc<RefCell<Rc<Site>>>;

/// Shared by all listeners and connections.
pub struct Http {
    /// The protocol server.
    pub server: Rc<Server>,
    settings: RefCell<Rc<Settings>>,
    /// Told when to stop.
    pub shutdown: Shutdown,
    /// Ticks comments onto every open stream.
    pub(super) keepalive: Ticker<Outlet>,
    /// Ticks `ping` events onto the plain event streams.
    pub(super) pings: Ticker<Outlet>,
    pub(super) places: Places,
    /// What bodies that are being read or worked on take. Invariant: at most `bodies_bytes_max`, until that is lowered.
    pub(super) bodies_bytes: Cell<usize>,
    /// What callers have left of `limits.requests_per_minute`.
    pub(super) limiter: RefCell<Limiter>,
    /// Who has shown wrong tokens.
    pub(super) brake: RefCell<Brake>,
    /// Of deadlines, rates and waits.
    pub(super) clock: Clock,
    date: RefCell<(i64, HttpDate)>,
    /// What connections read into, one after the other; nothing stays in it.
    pub(super) read_buffer: RefCell<Box<[u8]>>,
}

impl Http {
    /// A server without listeners. `keepalive` and `ping` are the periods of comments and `ping`
    /// events. Called inside the runtime.
    pub fn new(
        server: Rc<Server>,
        settings: Settings,
        shutdown: Shutdown,
        clock: &Clock,
        keepalive: Duration,
        ping: Duration,
    ) -> Rc<Http> {
        let http = Rc::new(Http {
            server,
            settings: RefCell::new(Rc::new(settings)),
            shutdown,
            keepalive: Ticker::new(clock, keepalive),
            pings: Ticker::new(clock, ping),
            places: Places::default(),
            bodies_bytes: Cell::new(0),
            limiter: RefCell::new(Limiter::new(RATE_KEYS_MAX)),
            brake: RefCell::default(),
            clock: clock.clone(),
            date: RefCell::new((0, HttpDate::from_unix(0))),
            read_buffer: RefCell::new(vec![0; READ_BYTES].into()),
        });
        let comments = http.keepalive.clone();
        rt::spawn(async move {
            comments
                .run(|outlet: Outlet| _ = outlet.push(Item::KeepAlive))
                .await;
        })
        .detach();
        let pings = http.pings.clone();
        rt::spawn(async move {
            pings
                .run(|outlet: Outlet| _ = outlet.push(Item::Event(EventKind::Ping, ping_event())))
                .await;
        })
        .detach();
        http
    }

    /// The settings as of now.
    pub fn settings(&self) -> Rc<Settings> {
        self.settings.borrow().clone()
    }

    /// Puts new settings in place; connections see them with their next request.
    pub fn reload(&self, settings: Settings) {
        self.settings.replace(Rc::new(settings));
    }

    /// The `Date` of now; formatted once a second at most.
    pub(super) fn date(&self) -> HttpDate {
        let now = rt::unix_time();
        let mut date = self.date.borrow_mut();
        if date.0 != now {
            *date = (now, HttpDate::from_unix(now));
        }
        date.1
    }

    /// Accepts connections until the server is told to stop.
    pub async fn listen(self: Rc<Self>, listener: Listener, site: SiteCell) {
        let mut in_a_row = 0;
        loop {
            let stopping = self.shutdown.wait(Phase::Graceful);
            let accepted = rt::race(listener.accept(), stopping).await;
            let Ok(accepted) = accepted else { return };
            in_a_row += 1;
            // Whoever makes room is gone before the next one comes, and a crowd at the door does not keep those inside
            // waiting.
            if self.clone().begin(accepted, &site) || in_a_row >= ACCEPTED_IN_A_ROW_MAX {
                in_a_row = 0;
                rt::yield_now().await;
            }
        }
    }

    /// Begins to serve a connection, or refuses it. Returns whether another has to make room for it.
    pub fn begin(self: Rc<Self>, accepted: Accepted, site: &SiteCell) -> bool {
        let Accepted { stream, peer } = accepted;
        let admission = match self.admit(&peer) {
            Ok(admission) => admission,
            Err(limit) => {
                self.server.metrics.limit_hit(limit);
                self.server.metrics.connection_closed(Close::Limit);
                if site.borrow().tls.is_none() {
                    // Best effort, without waiting: the answer fits any empty send buffer.
                    _ = stream.try_write(respond::TOO_MANY_CONNECTIONS);
                }
                return false;
            }
        };
        let took_a_place = admission.took_a_place;
        if took_a_place {
            self.server.metrics.limit_hit(Limit::Connections);
        }
        // Small events must not wait for each other (Nagle); a failure costs only latency.
        _ = stream.set_nodelay(true);
        _ = stream.set_send_buffer(SEND_BUFFER_BYTES);
        log::trace!("connection from {}", escape(&peer.to_string()));
        // Whoever has shaken hands keeps to that; a reload is for those who come after it.
        let acceptor = site.borrow().tls.clone();
        match acceptor {
            Some(acceptor) => {
                let site = site.clone();
                rt::spawn(self.shake_hands_and_serve(acceptor, site, stream, peer, admission))
                    .detach();
            }
            None => {
                let guard = self.server.metrics.connection_opened();
                let connection = Connection::new(self, site.clone(), stream, peer.ip(), admission);
                rt::spawn(connection.run(guard)).detach();
            }
        }
        took_a_place
    }
}

fn ping_event() -> Rc<[u8]> {
    let data = format!(r#"{{"timestamp":{}}}"#, rt::unix_time());
    let mut block = Vec::new();
    encode_event(
        &mut block,
        &Event {
            event: Some("ping"),
            data: &data,
            ..Event::default()
        },
    );
    block.into()
}
