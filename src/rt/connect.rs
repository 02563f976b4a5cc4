//! Outward: name lookups, TCP connections, one UDP datagram.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use async_io::Async;

use super::clock::timeout;
use super::executor::spawn;
use super::stream::Stream;
use super::sync::{Notify, oneshot};
use super::thread;

/// Lookups at once. The system's resolver blocks its thread for up to tens of seconds; one dead name server must
/// neither hold up other names for ever nor start threads without end.
const LOOKUPS_MAX: usize = 4;

/// The addresses of `host`, each with `port`. An IP address, also in brackets, is itself; a name is looked up by the
/// system on a helper thread. Wrap it in [`timeout`](super::timeout); a lookup given up runs to its end unseen.
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
    let name = host.to_owned();
    let (sender, receiver) = oneshot();
    // A task of its own keeps the permit as long as the thread runs, even when the caller has gone.
    spawn(async move {
        let permit = Permit::take().await;
        if !sender.is_wanted() {
            return;
        }
        let answer = look_up(name, port).await;
        drop(permit);
        // Nobody wants it any more: nothing to do.
        let _ = sender.send(answer);
    })
    .detach();
    let addrs = receiver
        .await
        .unwrap_or_else(|_| Err(ErrorKind::Interrupted.into()))?;
    if addrs.is_empty() {
        return Err(io::Error::new(
            ErrorKind::NotFound,
            format!("`{}` has no address", host.escape_debug()),
        ));
    }
    Ok(addrs)
}

async fn look_up(name: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    let (sender, receiver) = smol::channel::bounded(1);
    thread::start("resolve", move || {
        let answer = (name.as_str(), port)
            .to_socket_addrs()
            .map(Iterator::collect);
        // The executor may be gone.
        let _ = sender.try_send(answer);
    })?;
    receiver
        .recv()
        .await
        .unwrap_or_else(|_| Err(ErrorKind::Interrupted.into()))
}

thread_local! {
    static LOOKUPS: Rc<Lookups> = Rc::new(Lookups { running: Cell::new(0), done: Notify::new() });
}

struct Lookups {
    /// Invariant: at most `LOOKUPS_MAX`.
    running: Cell<usize>,
    done: Notify,
}

/// One of `LOOKUPS_MAX` running lookups.
struct Permit(Rc<Lookups>);

impl Permit {
    async fn take() -> Self {
        let lookups = LOOKUPS.with(Rc::clone);
        while lookups.running.get() >= LOOKUPS_MAX {
            lookups.done.notified().await;
        }
        lookups.running.set(lookups.running.get() + 1);
        Self(lookups)
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
    Ok(Stream::tcp(stream?))
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
    Ok(Stream::unix(stream?))
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

    #[test]
    fn many_lookups_share_few_threads() {
        run(async {
            let tasks: Vec<_> = (0..20)
                .map(|_| spawn(async { resolve("localhost", 1).await.is_ok() }))
                .collect();
            for task in tasks {
                assert!(LOOKUPS.with(|lookups| lookups.running.get()) <= LOOKUPS_MAX);
                assert!(task.await);
            }
            assert_eq!(LOOKUPS.with(|lookups| lookups.done.waiting()), 0);
        });
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
