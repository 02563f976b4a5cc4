//! Listening sockets that the service manager opened and handed over (systemd's socket activation, `sd_listen_fds(3)`).
//!
//! With them a port is never closed: a client that comes while the service restarts waits in the socket's queue. A socket
//! takes the place of the configured address it is bound to, so that what an address serves is said once, in the
//! configuration. Called by `app` at the start.

use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;

use super::addr::ListenAddr;
use super::sys;

/// More than anybody has; a bound on what the environment can make us look at.
const SOCKETS_MAX: usize = 64;

/// What was handed over and not yet taken.
#[derive(Debug, Default)]
pub struct Inherited(Vec<(ListenAddr, OwnedFd)>);

impl Inherited {
    /// Takes over what `LISTEN_PID` and `LISTEN_FDS` say is ours; nothing when they are not set, or meant for another
    /// process. The second call finds nothing.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] when the variables do not make sense or a descriptor is not a listening socket.
    pub fn take() -> io::Result<Inherited> {
        let number = |name: &str| match std::env::var(name) {
            Ok(text) => text.parse::<usize>().map(Some).map_err(|_| {
                invalid(format!(
                    "`{name}` is `{}`, not a number",
                    text.escape_debug()
                ))
            }),
            Err(_) => Ok(None),
        };
        let (Some(pid), Some(count)) = (number("LISTEN_PID")?, number("LISTEN_FDS")?) else {
            return Ok(Inherited::default());
        };
        if usize::try_from(std::process::id()) != Ok(pid) {
            return Ok(Inherited::default());
        }
        if count > SOCKETS_MAX {
            return Err(invalid(format!(
                "`LISTEN_FDS` is {count}, at most {SOCKETS_MAX} sockets are taken"
            )));
        }
        let sockets = sys::inherited_descriptors(count)?
            .into_iter()
            .map(|socket| {
                let address = address_of(&socket)?;
                Ok((address, socket))
            });
        sockets.collect::<io::Result<_>>().map(Inherited)
    }

    /// The socket that is bound to `address`.
    pub(super) fn take_bound_to(&mut self, address: &ListenAddr) -> Option<OwnedFd> {
        let index = self.0.iter().position(|(bound, _)| bound == address)?;
        Some(self.0.swap_remove(index).1)
    }

    /// The addresses of those that nobody took.
    pub fn left(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|(address, _)| address.to_string())
            .collect()
    }
}

fn address_of(socket: &OwnedFd) -> io::Result<ListenAddr> {
    let listens = rustix::net::sockopt::socket_acceptconn(socket).unwrap_or(false);
    if !listens {
        return Err(invalid(
            "a descriptor that was handed over is not a listening stream socket; \
             the socket unit needs `ListenStream=` and `Accept=no`"
                .to_owned(),
        ));
    }
    if let Ok(address) = TcpListener::from(socket.try_clone()?).local_addr() {
        return Ok(ListenAddr::Tcp(address));
    }
    let address = UnixListener::from(socket.try_clone()?).local_addr()?;
    match address.as_pathname() {
        Some(path) => Ok(ListenAddr::Unix(path.into())),
        None => Err(invalid(
            "a socket that was handed over has no path; abstract names are not served".to_owned(),
        )),
    }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handed_over(listener: TcpListener) -> io::Result<Inherited> {
        let socket = OwnedFd::from(listener);
        Ok(Inherited(vec![(address_of(&socket)?, socket)]))
    }

    #[test]
    fn a_socket_is_found_by_its_address_and_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = ListenAddr::Tcp(listener.local_addr().unwrap());
        let mut inherited = handed_over(listener).unwrap();
        assert!(
            inherited
                .take_bound_to(&"127.0.0.1:1".parse().unwrap())
                .is_none()
        );
        assert_eq!(inherited.left(), [address.to_string()]);
        assert!(inherited.take_bound_to(&address).is_some());
        assert!(inherited.take_bound_to(&address).is_none());
        assert!(inherited.left().is_empty());
    }

    #[test]
    fn what_does_not_listen_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let error = address_of(&stream.into()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().contains("ListenStream"), "{error}");
    }
}
