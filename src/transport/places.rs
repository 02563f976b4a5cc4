//! The places of connections: how many there are, for whom, and who makes room when all are taken.
//!
//! - One address has at most `limits.connections_per_address`.
//! - The last `limits.connections_reserved` are for callers on this machine and for those with a
//!   token. Who has one shows with the first head, so whoever takes such a place is let in to show
//!   it, and has nothing but a refusal before it has.
//! - When all are taken, the oldest connection that has not asked anything yet makes room: a flood
//!   of connections that stay silent, or drip their heads, keeps nobody out who asks at once.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::metrics::Limit;
use crate::rt::Peer;
use crate::rt::shutdown::Work;

use super::http::Http;

/// Who has which place.
#[derive(Default)]
pub(super) struct Places {
    taken: Cell<usize>,
    per_address: RefCell<HashMap<IpAddr, usize>>,
    /// Connections whose first head has not come whole, oldest first, with the wakers of those that
    /// wait for more of it. One that is gone from here without its own doing was evicted.
    newcomers: RefCell<BTreeMap<u64, Option<Waker>>>,
    next_newcomer: Cell<u64>,
}

/// A place among the connections, given back when dropped.
pub struct Place {
    http: Rc<Http>,
    ip: Option<IpAddr>,
    /// The server does not end before this does, within its grace.
    _work: Work,
}

/// That a connection has not asked anything yet; until this is dropped it may be evicted.
pub(super) struct Newcomer {
    http: Rc<Http>,
    number: u64,
}

/// What a new connection is given.
pub(super) struct Admission {
    pub(super) place: Place,
    pub(super) newcomer: Newcomer,
    /// Its place is one of the reserved ones, and it has not shown yet that they are for it.
    pub(super) must_show_token: bool,
    /// Another connection was evicted for it.
    pub(super) took_a_place: bool,
}

impl Http {
    /// Gives a new connection a place, or says which limit there is none by.
    pub(super) fn admit(self: &Rc<Self>, peer: &Peer) -> Result<Admission, Limit> {
        let settings = self.settings();
        let places = &self.places;
        let ip = peer.ip();
        if let Some(ip) = ip {
            let mut per_address = places.per_address.borrow_mut();
            let count = per_address.entry(ip).or_insert(0);
            if *count >= settings.connections_per_address_max {
                return Err(Limit::ConnectionsPerAddress);
            }
            *count += 1;
        }
        let taken = places.taken.get();
        // From here on the place is given back whatever happens.
        places.taken.set(taken + 1);
        let place = Place {
            http: self.clone(),
            ip,
            _work: self.shutdown.work(),
        };
        let is_full = taken >= settings.connections_max;
        if is_full && !places.evict_oldest() {
            return Err(Limit::Connections);
        }
        let unreserved = (settings.connections_max).saturating_sub(settings.connections_reserved);
        let number = places.next_newcomer.get();
        places.next_newcomer.set(number + 1);
        places.newcomers.borrow_mut().insert(number, None);
        Ok(Admission {
            place,
            newcomer: Newcomer {
                http: self.clone(),
                number,
            },
            must_show_token: taken >= unreserved && !peer.is_loopback(),
            took_a_place: is_full,
        })
    }

    /// How many connections are open.
    pub fn connections_open(&self) -> usize {
        self.places.taken.get()
    }
}

impl Places {
    /// Tells the oldest newcomer to go. False if there is none.
    fn evict_oldest(&self) -> bool {
        let oldest = self.newcomers.borrow_mut().pop_first();
        let Some((_, waker)) = oldest else {
            return false;
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
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
        let places = &self.http.places;
        places.taken.set(places.taken.get() - 1);
        let Some(ip) = self.ip else { return };
        let mut per_address = places.per_address.borrow_mut();
        if let Some(count) = per_address.get_mut(&ip) {
            *count -= 1;
            if *count == 0 {
                per_address.remove(&ip);
            }
        }
    }
}

impl Newcomer {
    /// Ready when it has to go.
    pub(super) fn poll_evicted(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut newcomers = self.http.places.newcomers.borrow_mut();
        let Some(waker) = newcomers.get_mut(&self.number) else {
            return Poll::Ready(());
        };
        if !(waker.as_ref()).is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        let mut newcomers = self.http.places.newcomers.borrow_mut();
        newcomers.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use super::*;
    use crate::builder::Builder;
    use crate::gate::auth::{Auth, Tokens};
    use crate::gate::host::{HostRule, Reach};
    use crate::gate::origin::OriginRule;
    use crate::metrics::Metrics;
    use crate::rt::shutdown::Shutdown;
    use crate::rt::{self, Accepted, Clock, Deadlines, Stream};
    use crate::server::Server;
    use crate::transport::http::SiteCell;
    use crate::transport::site::{Groups, Settings, Site};

    /// A server for four connections, two of them reserved, and the way to it.
    struct Door {
        http: Rc<Http>,
        site: SiteCell,
    }

    fn at_the_door(auth: Auth, test: impl AsyncFnOnce(Door)) {
        let server = Builder::new("test", "1").build().unwrap();
        let (settings, catalog) = server.into_parts();
        rt::run(async move {
            let clock = Clock::manual();
            let deadlines = Deadlines::new(&clock);
            let metrics = Rc::new(Metrics::new());
            let server = Server::new(settings, catalog, metrics, deadlines, [7; 32]);
            let settings = Settings {
                auth,
                connections_max: 4,
                connections_reserved: 2,
                ..Settings::default()
            };
            let (shutdown, tick) = (Shutdown::new(), Duration::from_secs(15));
            let http = Http::new(server, settings, shutdown, &clock, tick, tick);
            let site = Site {
                groups: Groups::ALL,
                host: HostRule::new(Reach::Loopback, &[]).unwrap(),
                origin: OriginRule::new(Reach::Loopback, &[]).unwrap(),
                tls: None,
            };
            let site = Rc::new(RefCell::new(Rc::new(site)));
            test(Door { http, site }).await;
        });
    }

    fn with_token() -> Auth {
        let mut tokens = Tokens::default();
        tokens
            .add("t", crate::gate::Principal::anonymous())
            .unwrap();
        Auth::Tokens(tokens)
    }

    const STRANGER: &str = "203.0.113.7:1";
    const NEIGHBOUR: &str = "127.0.0.1:1";

    impl Door {
        /// A connection from this address.
        fn connect(&self, peer: &str) -> Stream {
            let (near, stream) = Stream::memory(1 << 16);
            let peer = Peer::Tcp(peer.parse::<SocketAddr>().unwrap());
            self.http
                .clone()
                .begin(Accepted { stream, peer }, &self.site);
            near
        }
    }

    /// The status of the answer to a GET, and whether the connection goes on.
    async fn ask(stream: &Stream, path: &str, token: Option<&str>) -> (u16, bool) {
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
        let token = token.unwrap_or_default();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{token}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut buf = vec![0; 1 << 16];
        // It comes in one write, which the pipe takes whole.
        let len = stream.read(&mut buf).await.unwrap();
        let text = std::str::from_utf8(&buf[..len]).unwrap();
        let status = text[9..12].parse().unwrap();
        (status, !text.contains("Connection: close\r\n"))
    }

    const TOOLS: &str = "/api/mcp/v1/tools";

    #[test]
    fn the_reserve_is_for_tokens_and_this_machine() {
        at_the_door(with_token(), async |door| {
            // The places of everybody: a stranger without a token is refused, but may try again.
            let first = door.connect(STRANGER);
            let second = door.connect(STRANGER);
            assert_eq!(ask(&first, TOOLS, None).await, (401, true));
            assert_eq!(ask(&second, TOOLS, Some("t")).await, (200, true));
            // The reserve: one answer, unless it brings its token.
            for (path, token, expected) in [
                (TOOLS, None, (401, false)),
                (TOOLS, Some("x"), (401, false)),
                ("/nowhere", None, (404, false)),
                ("/health", None, (200, false)),
                (TOOLS, Some("t"), (200, true)),
            ] {
                let third = door.connect(STRANGER);
                assert_eq!(ask(&third, path, token).await, expected, "{path} {token:?}");
                let is_kept = expected.1;
                assert_eq!(door.http.connections_open(), 2 + usize::from(is_kept));
                if is_kept {
                    // From now on it is like any other.
                    assert_eq!(ask(&third, TOOLS, None).await, (401, true));
                }
            }
        });
    }

    #[test]
    fn where_nobody_has_a_token_the_reserve_is_for_this_machine() {
        at_the_door(Auth::off(), async |door| {
            let first = door.connect(STRANGER);
            let second = door.connect(NEIGHBOUR);
            assert_eq!(ask(&first, TOOLS, None).await, (200, true));
            assert_eq!(ask(&second, TOOLS, None).await, (200, true));
            let third = door.connect(STRANGER);
            assert_eq!(ask(&third, TOOLS, None).await, (503, false));
            let third = door.connect(STRANGER);
            assert_eq!(ask(&third, "/health", None).await, (200, false));
            let third = door.connect(NEIGHBOUR);
            assert_eq!(ask(&third, TOOLS, None).await, (200, true));
        });
    }

    #[test]
    fn who_has_asked_nothing_yet_makes_room_and_others_do_not() {
        at_the_door(Auth::off(), async |door| {
            let silent: Vec<Stream> = (0..4).map(|_| door.connect(NEIGHBOUR)).collect();
            rt::yield_now().await;
            // Half a head is none.
            silent[0].write_all(b"GET /health HT").await.unwrap();
            rt::yield_now().await;
            let next = door.connect(NEIGHBOUR);
            assert_eq!(ask(&next, TOOLS, None).await, (200, true));
            assert_eq!(door.http.connections_open(), 4);
            let mut buf = [0; 512];
            let len = silent[0].read(&mut buf).await.unwrap();
            assert!(buf[..len].starts_with(b"HTTP/1.1 503 "));
            assert_eq!(silent[0].read(&mut buf).await.unwrap(), 0);
            // The others can still ask, and then nobody makes room any more.
            for stream in &silent[1..] {
                assert_eq!(ask(stream, TOOLS, None).await, (200, true));
            }
            let late = door.connect(NEIGHBOUR);
            let len = late.read(&mut buf).await.unwrap();
            assert!(buf[..len].starts_with(b"HTTP/1.1 503 "));
            assert_eq!(door.http.connections_open(), 4);
        });
    }
}
