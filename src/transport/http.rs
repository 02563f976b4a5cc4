//! The HTTP server: what all listeners and connections share, and the accept loop.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::http1::date::HttpDate;
use crate::http1::sse::{Event, encode_event};
use crate::log::escape;
use crate::metrics::{Close, EventKind, Limit};
use crate::rt::shutdown::{Phase, Shutdown, Work};
use crate::rt::{self, Accepted, Clock, Listener, Ticker};
use crate::server::Server;
use crate::server::outlet::{Item, Outlet};

use super::connection::Connection;
use super::respond;
use super::site::{Settings, Site};

/// What the kernel may hold of answers that a client does not read; it takes twice as much. Left
/// alone it takes 4 MB of each connection. Large enough for 10 MB/s over a line of 10 ms.
const SEND_BUFFER_BYTES: usize = 128 * 1024;

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
    connections: Cell<usize>,
    per_address: RefCell<HashMap<IpAddr, usize>>,
    date: RefCell<(i64, HttpDate)>,
}

/// A place among the connections, given back when dropped.
pub struct Place {
    http: Rc<Http>,
    ip: Option<IpAddr>,
    /// The server does not end before this does, within its grace.
    _work: Work,
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
            connections: Cell::new(0),
            per_address: RefCell::default(),
            date: RefCell::new((0, HttpDate::from_unix(0))),
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

    /// How many connections are open.
    pub fn connections_open(&self) -> usize {
        self.connections.get()
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
        loop {
            let stopping = self.shutdown.wait(Phase::Graceful);
            let accepted = rt::race(listener.accept(), stopping).await;
            let Ok(accepted) = accepted else { return };
            self.clone().admit(accepted, &site);
        }
    }

    fn admit(self: Rc<Self>, accepted: Accepted, site: &SiteCell) {
        let Accepted { stream, peer } = accepted;
        let place = match self.take_place(peer.ip()) {
            Ok(place) => place,
            Err(limit) => {
                self.server.metrics.limit_hit(limit);
                self.server.metrics.connection_closed(Close::Limit);
                // Best effort, without waiting: the answer fits any empty send buffer.
                _ = stream.try_write(respond::TOO_MANY_CONNECTIONS);
                return;
            }
        };
        // Small events must not wait for each other (Nagle); a failure costs only latency.
        _ = stream.set_nodelay(true);
        _ = stream.set_send_buffer(SEND_BUFFER_BYTES);
        log::trace!("connection from {}", escape(&peer.to_string()));
        let connection = Connection::new(self, site.clone(), stream, place);
        rt::spawn(connection.run()).detach();
    }

    fn take_place(self: &Rc<Self>, ip: Option<IpAddr>) -> Result<Place, Limit> {
        let settings = self.settings();
        if self.connections.get() >= settings.connections_max {
            return Err(Limit::Connections);
        }
        if let Some(ip) = ip {
            let mut per_address = self.per_address.borrow_mut();
            let count = per_address.entry(ip).or_insert(0);
            if *count >= settings.connections_per_address_max {
                return Err(Limit::ConnectionsPerAddress);
            }
            *count += 1;
        }
        self.connections.set(self.connections.get() + 1);
        Ok(Place {
            http: self.clone(),
            ip,
            _work: self.shutdown.work(),
        })
    }
}

impl Place {
    /// The server it is a place of.
    pub(super) fn http(&self) -> &Rc<Http> {
        &self.http
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let http = &self.http;
        http.connections.set(http.connections.get() - 1);
        let Some(ip) = self.ip else { return };
        let mut per_address = http.per_address.borrow_mut();
        if let Some(count) = per_address.get_mut(&ip) {
            *count -= 1;
            if *count == 0 {
                per_address.remove(&ip);
            }
        }
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
