//! Where to listen and who called, as text and as values.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// A place to listen: `127.0.0.1:8000`, `[::1]:0`, `unix:/run/siskin.sock`. Names are resolved before, by configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddr {
    /// An address and port; port 0 lets the system choose.
    Tcp(SocketAddr),
    /// A socket file.
    Unix(PathBuf),
}

/// Why a text is not a [`ListenAddr`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddrError {
    /// `unix:` with nothing behind it.
    EmptyPath,
    /// Not an IP address with a port.
    NotAnAddress(String),
}

impl fmt::Display for AddrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyPath => f.write_str("`unix:` needs a path, as in `unix:/run/siskin.sock`"),
            Self::NotAnAddress(text) => write!(
                f,
                "`{}` is not a listen address, expected `127.0.0.1:8000`, `[::1]:8000`, `localhost:8000` or `unix:/path`",
                text.escape_debug()
            ),
        }
    }
}

impl std::error::Error for AddrError {}

impl FromStr for ListenAddr {
    type Err = AddrError;

    fn from_str(text: &str) -> Result<Self, AddrError> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match path {
                "" => Err(AddrError::EmptyPath),
                path => Ok(Self::Unix(path.into())),
            };
        }
        // `localhost` is a name, but RFC 6761 6.3 fixes what it means: no lookup is needed.
        let numeric = text
            .strip_prefix("localhost:")
            .map(|port| format!("127.0.0.1:{port}"));
        let addr = numeric.as_deref().unwrap_or(text).parse();
        addr.map(Self::Tcp)
            .map_err(|_| AddrError::NotAnAddress(text.into()))
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(addr) => addr.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl ListenAddr {
    /// Whether only this machine can reach it: a loopback address or a socket file.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Tcp(addr) => addr.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A task of this process, in tests.
    Memory,
    /// An address; IPv4 in IPv6 is written as IPv4, so that limits per address see one caller.
    Tcp(SocketAddr),
    /// A process on this machine, through a socket file.
    Unix,
}

impl Peer {
    pub(super) fn tcp(addr: SocketAddr) -> Self {
        Self::Tcp(SocketAddr::new(addr.ip().to_canonical(), addr.port()))
    }

    /// The address, for limits and logs.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(addr) => Some(addr.ip()),
            Self::Memory | Self::Unix => None,
        }
    }

    /// Whether the caller is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.ip().is_none_or(|ip| ip.is_loopback())
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Tcp(addr) => addr.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let got = text
            .parse::<ListenAddr>()
            .map(|addr| addr.to_string())
            .map_err(|error| error.to_string());
        match expected {
            Ok(expected) => assert_eq!(got.as_deref(), Ok(expected)),
            Err(part) => assert!(got.unwrap_err().contains(part)),
        }
    }

    #[test]
    fn listen_addresses() {
        check("127.0.0.1:8000", Ok("127.0.0.1:8000"));
        check("127.0.0.1", Err("`127.0.0.1` is not a listen address"));
        check("127.0.0.1:65535", Ok("127.0.0.1:65535"));
        check("127.0.0.1:65536", Err("not a listen address"));
        check("[::1]:0", Ok("[::1]:0"));
        check("::1:0", Err("not a listen address"));
        check("localhost:80", Ok("127.0.0.1:80"));
        check("localhost:", Err("not a listen address"));
        check("unix:/tmp/s", Ok("unix:/tmp/s"));
        check("unix:", Err("needs a path"));
        check("\u{1b}[0m:1", Err("`\\u{1b}[0m:1`"));
    }

    #[test]
    fn loopback_or_not() {
        for (text, expected) in [
            ("127.9.9.9:1", true),
            ("128.0.0.1:1", false),
            ("[::1]:1", true),
            ("[::2]:1", false),
            ("0.0.0.0:1", false),
        ] {
            assert_eq!(
                text.parse::<ListenAddr>().unwrap().is_loopback(),
                expected,
                "{text}"
            );
        }
        assert!(ListenAddr::Unix("x".into()).is_loopback());
    }

    #[test]
    fn mapped_addresses_are_one_caller() {
        let peer = Peer::tcp("[::ffff:127.0.0.1]:5".parse().unwrap());
        assert_eq!(peer.to_string(), "127.0.0.1:5");
        assert!(peer.is_loopback());
        assert!(!Peer::tcp("[::ffff:10.0.0.1]:5".parse().unwrap()).is_loopback());
    }
}
