//! Where `siskin healthcheck` asks: a URL, or the address a configuration listens on.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use crate::config::{Address, Config, Groups};

/// Where to ask, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub place: Place,
    /// The `Host` field.
    pub host: String,
    /// The request target, in origin form (RFC 9112 3.2.1).
    pub path: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

const HEALTH: &str = "/health";

impl Target {
    /// Reads `http://host[:port][/path]` or `unix:/path/of/socket`.
    pub(super) fn parse(url: &str) -> Option<Target> {
        // They would end the request line early.
        if url.contains(|c: char| c.is_control() || c == ' ') {
            return None;
        }
        if url.starts_with("unix:") {
            return match Address::parse(url)? {
                Address::Unix(path) => Some(Target::at_socket(path)),
                Address::Tcp(_) => None,
            };
        }
        let rest = url.strip_prefix("http://")?;
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, HEALTH),
        };
        let path = if path == "/" { HEALTH } else { path };
        let (host, port) = split_authority(authority)?;
        Some(Target {
            place: Place::Tcp {
                host: host.to_owned(),
                port,
            },
            host: authority.to_owned(),
            path: path.to_owned(),
        })
    }

    fn at_socket(path: PathBuf) -> Target {
        Target {
            place: Place::Unix(path),
            host: "localhost".to_owned(),
            path: HEALTH.to_owned(),
        }
    }

    /// The first configured listener that serves `/health` and whose port is known.
    pub(super) fn of_config(config: &Config) -> Result<Target, &'static str> {
        let listener = config
            .listeners()
            .into_iter()
            .find(|listener| listener.groups.contains(Groups::ADMIN))
            .ok_or("no listener serves `/health`: give one of them the group `admin`")?;
        match listener.address {
            Address::Unix(path) => Ok(Target::at_socket(path)),
            Address::Tcp(address) if address.port() == 0 => {
                Err("port 0 is a new port at each start: set `server.port`, or give `--url`")
            }
            Address::Tcp(address) => {
                let port = address.port();
                Ok(Target {
                    place: Place::Tcp {
                        host: reachable(address.ip()).to_string(),
                        port,
                    },
                    // Loopback names pass the server's check of `Host` whatever `server.allowed_hosts` says.
                    host: format!("localhost:{port}"),
                    path: HEALTH.to_owned(),
                })
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Tcp { host, port } if host.contains(':') => {
                write!(f, "http://[{host}]:{port}{}", self.path)
            }
            Place::Tcp { host, port } => write!(f, "http://{host}:{port}{}", self.path),
            Place::Unix(path) => write!(f, "unix:{} {}", path.display(), self.path),
        }
    }
}

/// "Every address" is none to connect to; what listens there is reached at the loopback one.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

/// Host without brackets, and the port, 80 when there is none (RFC 9110 4.2.1). A user part is refused (4.2.4).
fn split_authority(authority: &str) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, port)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match port {
        "" => 80,
        port => parse_digits(port.strip_prefix(':')?)?,
    };
    let is_sound = !host.is_empty() && !host.contains(['@', '?', '#', '/']) && port > 0;
    is_sound.then_some((host, port))
}

pub(super) fn parse_digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::Target;
    use crate::config::{Sources, load};

    #[test]
    fn urls() {
        let parsed = |url| Target::parse(url).map(|target| target.to_string());
        for (url, shown) in [
            ("http://h", "http://h:80/health"),
            ("http://h:9001/", "http://h:9001/health"),
            ("http://h:9001/ready?x=1", "http://h:9001/ready?x=1"),
            ("http://[::1]:8000", "http://[::1]:8000/health"),
            ("unix:/run/s.sock", "unix:/run/s.sock /health"),
        ] {
            assert_eq!(parsed(url).as_deref(), Some(shown), "{url}");
        }
        for url in [
            "https://h",
            "h:80",
            "http://",
            "http://:80",
            "http://h:",
            "http://h:0",
            "http://h:65536",
            "http://h:+1",
            "http://::1",
            "http://[h]:1",
            "http://[::1]x",
            "http://u@h",
            "http://h?x",
            "http://h/a b",
            "http://h/\r\nX: y",
            "unix:run",
        ] {
            assert_eq!(parsed(url), None, "{url}");
        }
    }

    #[track_caller]
    fn check_config(overrides: &[&str], expected: Result<(&str, &str), &str>) {
        let sources = Sources {
            overrides: overrides.iter().map(|text| (*text).to_owned()).collect(),
            ..Sources::default()
        };
        let target = Target::of_config(&load(&sources).unwrap().config);
        let shown = target.map(|target| (target.to_string(), target.host));
        let shown = shown
            .as_ref()
            .map(|(url, host)| (url.as_str(), host.as_str()));
        assert_eq!(shown.map_err(|problem| *problem), expected);
    }

    #[test]
    fn configured_addresses() {
        let local = "http://127.0.0.1:8000/health";
        check_config(&[], Ok((local, "localhost:8000")));
        check_config(
            &["server.host=0.0.0.0", "auth.allow_anonymous=true"],
            Ok((local, "localhost:8000")),
        );
        check_config(
            &["server.host=::", "auth.allow_anonymous=true"],
            Ok(("http://[::1]:8000/health", "localhost:8000")),
        );
        check_config(
            &["server.listeners=unix:/run/s.sock"],
            Ok(("unix:/run/s.sock /health", "localhost")),
        );
        check_config(
            &[r#"server.listeners=[{ address = "127.0.0.1:1", groups = ["mcp"] }, "127.0.0.1:2"]"#],
            Ok(("http://127.0.0.1:2/health", "localhost:2")),
        );
        check_config(
            &[r#"server.listeners=[{ address = "127.0.0.1:1", groups = ["mcp"] }]"#],
            Err("no listener serves `/health`: give one of them the group `admin`"),
        );
        check_config(
            &["server.port=0"],
            Err("port 0 is a new port at each start: set `server.port`, or give `--url`"),
        );
    }
}
