//! The places of connections: how many there are, for whom, and who makes room when all are taken.
//!
//! - One address has at most `limits.connections_per_address`. Behind a proxy that is believed these
//!   are counted while they ask, each for the address that asks; the proxy itself may have all.
//! - The last `limits.connections_reserved` are for callers on this machine and for those with a
//!   token. Who has one shows with the first head, so whoever takes such a place is let in to show
//!   it, and has nothing but a refusal before it has.
//! - When all are taken, the oldest connection that has not asked anything yet makes room: a flood
//!   of connections that stay silent, or drip their heads, keeps nobody out who asks at once.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::gate::rate::Key;
use crate::metrics::Limit;
use crate::rt::Peer;
use crate::rt::shutdown::Work;

use super::http::Http;

/// Who has which place.
#[derive(Default)]
pub(super) struct Places {
    taken: Cell<usize>,
    per_address: RefCell<HashMap<Key, usize>>,
    /// Connections whose first head has not come whole, oldest first, with the wakers of those that
    /// wait for more of it. One that is gone from here without its own doing was evicted. Invariant: their
    /// numbers rise. Nearly all leave at an end: at the front, evicted, or soon after they came.
    newcomers: RefCell<VecDeque<(u64, Option<Waker>)>>,
    next_newcomer: Cell<u64>,
}

/// A place among the connections, given back when dropped.
pub struct Place {
    http: Rc<Http>,
    /// The address it is counted for, if any.
    address: Option<Key>,
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
        let is_proxy = settings.proxies.trusts(peer.ip());
        let address = match peer.ip() {
            Some(ip) if !is_proxy => Some(Key::address(Some(ip))),
            _ => None,
        };
        if let Some(address) = &address {
            places.enter(address, settings.connections_per_address_max)?;
        }
        let taken = places.taken.get();
        // From here on the place is given back whatever happens.
        places.taken.set(taken + 1);
        let place = Place {
            http: self.clone(),
            address,
            _work: self.shutdown.work(),
        };
        let is_full = taken >= settings.connections_max;
        if is_full && !places.evict_oldest() {
            return Err(Limit::Connections);
        }
        let unreserved = (settings.connections_max).saturating_sub(settings.connections_reserved);
        let number = places.next_newcomer.get();
        places.next_newcomer.set(number + 1);
        places.newcomers.borrow_mut().push_back((number, None));
        Ok(Admission {
            place,
            newcomer: Newcomer {
                http: self.clone(),
                number,
            },
            // Who asks through a proxy on this machine is not on this machine.
            must_show_token: taken >= unreserved && (is_proxy || !peer.is_loopback()),
            took_a_place: is_full,
        })
    }

    /// How many connections are open.
    pub fn connections_open(&self) -> usize {
        self.places.taken.get()
    }
}

impl Places {
    fn enter(&self, address: &Key, count_max: usize) -> Result<(), Limit> {
        let mut per_address = self.per_address.borrow_mut();
        let count = per_address.entry(address.clone()).or_insert(0);
        if *count >= count_max {
            return Err(Limit::ConnectionsPerAddress);
        }
        *count += 1;
        Ok(())
    }

    fn leave(&self, address: &Key) {
        let mut per_address = self.per_address.borrow_mut();
        if let Some(count) = per_address.get_mut(address) {
            *count -= 1;
            if *count == 0 {
                per_address.remove(address);
            }
        }
    }

    /// Tells the oldest newcomer to go. False if there is none.
    fn evict_oldest(&self) -> bool {
        let oldest = self.newcomers.borrow_mut().pop_front();
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
    /// From now on it is counted for this address, or for none. An error leaves it counted for none.
    pub(super) fn count_for(
        &mut self,
        address: Option<Key>,
        count_max: usize,
    ) -> Result<(), Limit> {
        if self.address == address {
            return Ok(());
        }
        if let Some(before) = self.address.take() {
            self.http.places.leave(&before);
        }
        if let Some(address) = &address {
            self.http.places.enter(address, count_max)?;
        }
        self.address = address;
        Ok(())
    }

    /// The server it is a place of.
    pub(super) fn http(&self) -> &Rc<Http> {
        &self.http
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let places = &self.http.places;
        places.taken.set(places.taken.get() - 1);
        if let Some(address) = &self.address {
            places.leave(address);
        }
    }
}

impl Newcomer {
    /// Ready when it has to go.
    pub(super) fn poll_evicted(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut newcomers = self.http.places.newcomers.borrow_mut();
        let at = self.place_among(&newcomers);
        let Some((_, waker)) = at.and_then(|at| newcomers.get_mut(at)) else {
            return Poll::Ready(());
        };
        if !(waker.as_ref()).is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    fn place_among(&self, newcomers: &VecDeque<(u64, Option<Waker>)>) -> Option<usize> {
        let found = newcomers.binary_search_by_key(&self.number, |(number, _)| *number);
        found.ok()
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        let mut newcomers = self.http.places.newcomers.borrow_mut();
        if let Some(at) = self.place_among(&newcomers) {
            newcomers.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::auth::{Auth, Tokens};
    use crate::gate::forwarded::{Proxies, Proxy};
    use crate::rt::{self, Stream};
    use crate::transport::site::Settings;
    use crate::transport::tests::{at_the_door, exchange};

    /// Four connections, two of them reserved.
    fn settings(auth: Auth) -> Settings {
        Settings {
            auth,
            connections_max: 4,
            connections_reserved: 2,
            ..Settings::default()
        }
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

    /// The status of the answer to a GET, and whether the connection goes on.
    async fn ask(stream: &Stream, path: &str, token: Option<&str>) -> (u16, bool) {
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
        let token = token.unwrap_or_default();
        let answer = exchange(stream, &format!("GET {path}"), &token).await;
        (
            answer.status,
            !answer.text.contains("Connection: close\r\n"),
        )
    }

    const TOOLS: &str = "/api/mcp/v1/tools";

    #[test]
    fn the_reserve_is_for_tokens_and_this_machine() {
        at_the_door(settings(with_token()), async |door| {
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
        at_the_door(settings(Auth::off()), async |door| {
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
        at_the_door(settings(Auth::off()), async |door| {
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
    /// Behind a proxy that is believed, connections are counted for whoever asks, while they ask.
    #[test]
    fn a_proxys_connections_are_its_callers() {
        let behind = Settings {
            proxies: Proxies::new(&[Proxy::parse("127.0.0.1").unwrap()]),
            connections_per_address_max: 2,
            connections_max: 100,
            connections_reserved: 0,
            ..settings(Auth::off())
        };
        at_the_door(behind, async |door| {
            let status = async |connection: &Stream, line: &str, ip: &str| {
                let header = format!("X-Forwarded-For: {ip}\r\n");
                exchange(connection, line, &header).await.status
            };
            let (stream, get) = ("GET /api/mcp/v1/sse", "GET /health");
            let connections: Vec<Stream> = (0..6).map(|_| door.connect(NEIGHBOUR)).collect();
            // All six may be open, and one caller may come by each of them in turn.
            for connection in &connections {
                assert_eq!(status(connection, get, "203.0.113.7").await, 200);
            }
            // Streams last, and so does what they count for.
            for connection in &connections[..2] {
                assert_eq!(status(connection, stream, "203.0.113.7").await, 200);
            }
            assert_eq!(status(&connections[2], get, "203.0.113.7").await, 503);
            assert_eq!(status(&connections[2], get, "203.0.113.8").await, 200);
            let limit = Limit::ConnectionsPerAddress;
            assert_eq!(door.hits(limit), 1);
            // Nobody else can say who asks; the caller behind the proxy and the one who comes
            // directly are the same.
            let answer = exchange(&door.connect(STRANGER), "", "").await;
            assert_eq!((answer.status, door.hits(limit)), (503, 2));
            let elsewhere = "198.51.100.5:1";
            let strange: Vec<Stream> = (0..2).map(|_| door.connect(elsewhere)).collect();
            for connection in &strange {
                assert_eq!(status(connection, get, "203.0.113.8").await, 200);
            }
            let answer = exchange(&door.connect(elsewhere), "", "").await;
            assert_eq!((answer.status, door.hits(limit)), (503, 3));
        });
    }
}
