//! Outward: name lookups, TCP connections, one UDP datagram.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use async_io::{Async, Timer};

use crate::sorted::SortedMap;

use super::clock::timeout;
use super::executor::spawn;
use super::stream::Stream;
use super::sync::{Notify, Receiver, Sender, oneshot};
use super::thread;

/// Lookups at once. The system's resolver blocks its thread for up to tens of seconds; one dead name server must
/// neither hold up other names for ever nor start threads without end.
const LOOKUPS_MAX: usize = 8;

/// What a lookup brings to everybody who waits for it: addresses, or the resolver's words.
type Answer = Result<Rc<[IpAddr]>, (ErrorKind, Rc<str>)>;

/// The addresses of `host`, each with `port`. An IP address, also in brackets, is itself; a name is looked up by the
/// system on a helper thread, once for all who want it at the same time, so that a dead name takes one of them however
/// often it is asked for. Wrap it in [`timeout`](super::timeout); a lookup given up runs to its end unseen.
///
/// # Errors
/// The resolver's, or [`ErrorKind::NotFound`] for a name without an address.
pub async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let answer = LOOKUPS.with(|lookups| lookups.join(host)).await;
    let interrupted = |_| Err((ErrorKind::Interrupted, "the lookup was given up".into()));
    let addrs = (answer.unwrap_or_else(interrupted))
        .map_err(|(kind, text)| io::Error::new(kind, &*text))?;
    if addrs.is_empty() {
        return Err(io::Error::new(
            ErrorKind::NotFound,
            format!("`{}` has no address", host.escape_debug()),
        ));
    }
    Ok(addrs.iter().map(|ip| SocketAddr::new(*ip, port)).collect())
}

async fn look_up(name: String) -> io::Result<Vec<IpAddr>> {
    let (sender, receiver) = smol::channel::bounded(1);
    thread::start("resolve", move || {
        let answer = (name.as_str(), 0).to_socket_addrs();
        // The executor may be gone.
        let _ = sender.try_send(answer.map(|addrs| addrs.map(|addr| addr.ip()).collect()));
    })?;
    receiver
        .recv()
        .await
        .unwrap_or_else(|_| Err(ErrorKind::Interrupted.into()))
}

thread_local! {
    static LOOKUPS: Rc<Lookups> = Rc::new(Lookups {
        running: Cell::new(0),
        done: Notify::new(),
        wanted: RefCell::default(),
    });
}

struct Lookups {
    /// Invariant: at most `LOOKUPS_MAX`.
    running: Cell<usize>,
    done: Notify,
    /// Who waits for which name. Invariant: each entry has a task that answers and removes it.
    wanted: RefCell<SortedMap<String, Vec<Sender<Answer>>>>,
}

impl Lookups {
    /// Waits for the lookup of `name` together with whoever does already.
    fn join(self: &Rc<Self>, name: &str) -> Receiver<Answer> {
        let (sender, receiver) = oneshot();
        let mut wanted = self.wanted.borrow_mut();
        if let Some(senders) = wanted.get_mut(name) {
            senders.push(sender);
            return receiver;
        }
        wanted.insert(name.to_owned(), vec![sender]);
        // A task of its own keeps the permit as long as the thread runs, even when the callers have gone.
        let entry = Entry {
            lookups: Rc::clone(self),
            name: name.to_owned(),
        };
        spawn(entry.answer()).detach();
        receiver
    }
}

/// An entry of `wanted`, gone with the task that answers it, also when the executor ends first.
struct Entry {
    lookups: Rc<Lookups>,
    name: String,
}

impl Entry {
    async fn answer(self) {
        let permit = Permit::take(&self.lookups).await;
        let is_wanted = |senders: &Vec<Sender<Answer>>| senders.iter().any(Sender::is_wanted);
        let goes_on = (self.lookups.wanted.borrow().get(&self.name)).is_some_and(is_wanted);
        if !goes_on {
            return;
        }
        let found = look_up(self.name.clone()).await;
        drop(permit);
        let answer: Answer = found
            .map(Into::into)
            .map_err(|error| (error.kind(), error.to_string().into()));
        for sender in self.take() {
            // Nobody wants it any more: nothing to do.
            let _ = sender.send(answer.clone());
        }
    }

    /// Taken out before sending: what is woken may ask again, and that is another entry.
    fn take(&self) -> Vec<Sender<Answer>> {
        let senders = self.lookups.wanted.borrow_mut().remove(&self.name);
        senders.unwrap_or_default()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// One of `LOOKUPS_MAX` running lookups.
struct Permit(Rc<Lookups>);

impl Permit {
    async fn take(lookups: &Rc<Lookups>) -> Self {
        while lookups.running.get() >= LOOKUPS_MAX {
            lookups.done.notified().await;
        }
        lookups.running.set(lookups.running.get() + 1);
        Self(Rc::clone(lookups))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.running.set(self.0.running.get() - 1);
        self.0.done.notify_one();
    }
}

/// Connects to `addr` within `limit`.
///
/// # Errors
/// The system's, or [`ErrorKind::TimedOut`].
pub async fn tcp_connect(addr: SocketAddr, limit: Duration) -> io::Result<Stream> {
    let connected = timeout(limit, Async::<TcpStream>::connect(addr)).await;
    let stream = connected.map_err(|_| {
        io::Error::new(
            ErrorKind::TimedOut,
            format!("no answer from {addr} within {} ms", limit.as_millis()),
        )
    })?;
    Stream::tcp(stream?.into_inner()?)
}

/// How long one address may take before the next is tried beside it (RFC 8305 section 5).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);

/// Most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// Connects to the first of `addrs` that answers, starting them in order: at once when one fails, and beside a silent
/// one after a moment, so that a dead IPv6 route does not eat the time of a live IPv4 one. Wrap it in
/// [`timeout`](super::timeout).
///
/// # Errors
/// The system's, with its address; a refusal if there was one, as it says most. [`ErrorKind::NotFound`] without
/// addresses.
pub async fn tcp_connect_any(
    addrs: &[SocketAddr],
) -> Result<(Stream, SocketAddr), (SocketAddr, io::Error)> {
    type Attempt = Pin<Box<dyn Future<Output = io::Result<Async<TcpStream>>>>>;
    let mut waiting = addrs.iter().copied().take(ADDRESSES_MAX);
    let mut attempts: Vec<(SocketAddr, Attempt)> = Vec::new();
    let mut next_at: Option<Timer> = None;
    let mut failed = None;
    poll_fn(|cx| {
        loop {
            let mut at = 0;
            while let Some((addr, attempt)) = attempts.get_mut(at) {
                let addr = *addr;
                match attempt.as_mut().poll(cx) {
                    Poll::Pending => at += 1,
                    Poll::Ready(Ok(stream)) => {
                        let stream = stream.into_inner().and_then(Stream::tcp);
                        let connected = stream.map(|stream| (stream, addr));
                        return Poll::Ready(connected.map_err(|error| (addr, error)));
                    }
                    Poll::Ready(Err(error)) => {
                        drop(attempts.remove(at));
                        next_at = None;
                        let says_more = error.kind() == ErrorKind::ConnectionRefused;
                        if failed.is_none() || says_more {
                            failed = Some((addr, error));
                        }
                    }
                }
            }
            // Pending only while an attempt is: each pass of the loop starts one or ends it.
            if let Some(timer) = &mut next_at
                && !attempts.is_empty()
                && Pin::new(timer).poll(cx).is_pending()
            {
                return Poll::Pending;
            }
            next_at = None;
            match waiting.next() {
                Some(addr) => {
                    attempts.push((addr, Box::pin(Async::<TcpStream>::connect(addr))));
                    if waiting.len() > 0 {
                        next_at = Some(Timer::after(NEXT_ADDRESS_AFTER));
                    }
                }
                None if attempts.is_empty() => {
                    let none = || {
                        let addr = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0);
                        (addr, ErrorKind::NotFound.into())
                    };
                    return Poll::Ready(Err(failed.take().unwrap_or_else(none)));
                }
                None => return Poll::Pending,
            }
        }
    })
    .await
}

/// Connects to the socket file `path` within `limit`.
///
/// # Errors
/// The system's, or [`ErrorKind::TimedOut`].
pub async fn unix_connect(path: &Path, limit: Duration) -> io::Result<Stream> {
    let connected = timeout(limit, Async::<UnixStream>::connect(path)).await;
    let stream = connected.map_err(|_| {
        let text = format!(
            "no answer from `{}` within {} ms",
            path.display(),
            limit.as_millis()
        );
        io::Error::new(ErrorKind::TimedOut, text)
    })?;
    Stream::unix(stream?.into_inner()?)
}

/// Sends one datagram to `addr`; with `broadcast`, also where `addr` is a broadcast address.
///
/// # Errors
/// The system's.
pub async fn udp_send(addr: SocketAddr, bytes: &[u8], broadcast: bool) -> io::Result<()> {
    let any: IpAddr = match addr {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = Async::<UdpSocket>::bind((any, 0))?;
    socket.get_ref().set_broadcast(broadcast)?;
    let sent = socket.send_to(bytes, addr).await?;
    if sent == bytes.len() {
        Ok(())
    } else {
        Err(ErrorKind::WriteZero.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt::run;

    #[test]
    fn addresses_are_themselves_and_names_are_looked_up() {
        run(async {
            assert_eq!(
                resolve("127.0.0.1", 80).await.unwrap(),
                ["127.0.0.1:80".parse().unwrap()]
            );
            assert_eq!(
                resolve("[::1]", 80).await.unwrap(),
                ["[::1]:80".parse().unwrap()]
            );
            let local = resolve("localhost", 80).await.unwrap();
            assert!(
                local
                    .iter()
                    .all(|addr| addr.ip().is_loopback() && addr.port() == 80),
                "{local:?}"
            );
            assert!(resolve("a name with spaces", 80).await.is_err());
        });
    }

    fn running() -> usize {
        LOOKUPS.with(|lookups| lookups.running.get())
    }

    #[test]
    fn many_lookups_share_few_threads() {
        run(async {
            // Names to us, addresses in an old spelling to the resolver: nobody is asked.
            let tasks: Vec<_> = (1..=20)
                .map(|n| spawn(async move { resolve(&format!("127.{n}"), 1).await.is_ok() }))
                .collect();
            for task in tasks {
                assert!(running() <= LOOKUPS_MAX);
                assert!(task.await);
            }
            assert_eq!(LOOKUPS.with(|lookups| lookups.done.waiting()), 0);
            assert!(LOOKUPS.with(|lookups| lookups.wanted.borrow().is_empty()));
        });
    }

    /// How many wait for each name.
    fn wanted() -> Vec<usize> {
        LOOKUPS.with(|lookups| lookups.wanted.borrow().values().map(Vec::len).collect())
    }

    async fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
        poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx).is_pending())).await
    }

    #[test]
    fn who_wants_the_same_name_waits_for_one_lookup() {
        run(async {
            let mut lookups: Vec<_> = (1..=20)
                .map(|port| Box::pin(resolve("127.1", port)))
                .collect();
            for lookup in &mut lookups {
                assert!(is_pending(lookup).await);
            }
            assert_eq!(wanted(), [20]);
            for (lookup, port) in lookups.into_iter().zip(1..) {
                let addrs = lookup.await.unwrap();
                assert_eq!(addrs, [SocketAddr::from(([127, 0, 0, 1], port))]);
            }
            assert_eq!((wanted().len(), running()), (0, 0));
        });
    }

    #[test]
    fn a_lookup_that_its_executor_left_behind_is_asked_again() {
        for _ in 0..2 {
            run(async {
                assert!(is_pending(&mut Box::pin(resolve("127.1", 1))).await);
                assert_eq!(wanted(), [1]);
            });
            assert_eq!((wanted().len(), running()), (0, 0));
        }
    }

    #[test]
    fn a_lookup_given_up_gives_its_permit_back() {
        run(async {
            for _ in 0..3 * LOOKUPS_MAX {
                drop(resolve("localhost", 1));
                let mut lookup = std::pin::pin!(resolve("localhost", 1));
                let first =
                    std::future::poll_fn(|cx| std::task::Poll::Ready(lookup.as_mut().poll(cx)))
                        .await;
                assert!(first.is_pending());
            }
            assert!(resolve("localhost", 1).await.is_ok());
        });
    }

    #[test]
    fn connecting_succeeds_is_refused_or_runs_out_of_time() {
        run(async {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let addr = listener.local_addr().unwrap();
            let stream = tcp_connect(addr, Duration::from_secs(5)).await.unwrap();
            assert_eq!(stream.peer().unwrap().to_string(), addr.to_string());
            drop(listener);
            let refused = tcp_connect(addr, Duration::from_secs(5))
                .await
                .err()
                .unwrap();
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        });
    }

    #[test]
    fn the_first_address_that_answers_is_taken() {
        run(async {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let live = listener.local_addr().unwrap();
            let dead = std::net::TcpListener::bind("127.0.0.2:0")
                .unwrap()
                .local_addr()
                .unwrap();
            let (stream, addr) = tcp_connect_any(&[dead, live]).await.ok().unwrap();
            assert_eq!(
                (stream.peer().unwrap().to_string(), addr),
                (live.to_string(), live)
            );
            let (addr, error) = tcp_connect_any(&[dead, dead]).await.err().unwrap();
            assert_eq!((addr, error.kind()), (dead, ErrorKind::ConnectionRefused));
            let (_, error) = tcp_connect_any(&[]).await.err().unwrap();
            assert_eq!(error.kind(), ErrorKind::NotFound);
        });
    }

    #[test]
    fn a_silent_address_does_not_hold_up_the_next() {
        run(async {
            // A full queue of connections answers nobody: the next attempt is silent.
            let silent = crowded();
            let addr = silent.0.local_addr().unwrap();
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let live = listener.local_addr().unwrap();
            let (_, connected) = tcp_connect_any(&[addr, live]).await.ok().unwrap();
            assert_eq!(connected, live);
        });
    }

    /// A listener that takes nobody any more, with those it took.
    fn crowded() -> (std::net::TcpListener, Vec<TcpStream>) {
        let socket = rustix::net::socket(
            rustix::net::AddressFamily::INET,
            rustix::net::SocketType::STREAM,
            None,
        )
        .unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        rustix::net::bind(&socket, &any).unwrap();
        rustix::net::listen(&socket, 0).unwrap();
        let listener = std::net::TcpListener::from(socket);
        let addr = listener.local_addr().unwrap();
        let short = Duration::from_millis(100);
        let taken = std::iter::from_fn(|| TcpStream::connect_timeout(&addr, short).ok());
        let taken = taken.take(100).collect();
        (listener, taken)
    }

    #[test]
    fn a_datagram_arrives() {
        run(async {
            let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
            udp_send(receiver.local_addr().unwrap(), b"wake", true)
                .await
                .unwrap();
            let mut buf = [0; 8];
            let (len, _) = receiver.recv_from(&mut buf).unwrap();
            assert_eq!(&buf[..len], b"wake");
        });
    }
}
