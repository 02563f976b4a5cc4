//! Where `siskin healthcheck` asks: a URL, or the address a configuration listens on.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use crate::config::{Address, Config, Groups, Listener};

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
    Tcp {
        host: String,
        port: u16,
    },
    /// The same, by TLS.
    Tls {
        host: String,
        port: u16,
        /// It is ours, by the configuration.
        is_own: bool,
    },
    Unix(PathBuf),
}

const HEALTH: &str = "/health";

impl Target {
    /// Reads `http://host[:port][/path]`, the same with `https`, or `unix:/path/of/socket`.
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
        let (rest, is_tls) = match url.strip_prefix("https://") {
            Some(rest) => (rest, true),
            None => (url.strip_prefix("http://")?, false),
        };
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, HEALTH),
        };
        let path = if path == "/" { HEALTH } else { path };
        let (host, port) = split_authority(authority, if is_tls { 443 } else { 80 })?;
        let host = host.to_owned();
        Some(Target {
            place: match is_tls {
                true => Place::Tls {
                    host,
                    port,
                    is_own: false,
                },
                false => Place::Tcp { host, port },
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

    /// The first configured listener that serves `/health` and whose port is known; one without TLS if there is one.
    pub(super) fn of_config(config: &Config) -> Result<Target, &'static str> {
        let mut listeners = config.listeners();
        listeners.retain(|listener| listener.groups.contains(Groups::ADMIN));
        let is_tls = |listener: &Listener| listener.tls == Some(true);
        listeners.sort_by_key(is_tls);
        let listener = listeners
            .into_iter()
            .next()
            .ok_or("no listener serves `/health`: give one of them the group `admin`")?;
        let is_tls = is_tls(&listener);
        if is_tls && config.requires_certificates() {
            return Err(
                "what serves `/health` asks for client certificates: serve the group `admin` on a listener with `tls = false`, such as `127.0.0.1:9001`",
            );
        }
        match listener.address {
            Address::Unix(path) => Ok(Target::at_socket(path)),
            Address::Tcp(address) if address.port() == 0 => {
                Err("port 0 is a new port at each start: set `server.port`, or give `--url`")
            }
            Address::Tcp(address) => {
                let port = address.port();
                let host = reachable(address.ip()).to_string();
                Ok(Target {
                    place: match is_tls {
                        true => Place::Tls {
                            host,
                            port,
                            is_own: true,
                        },
                        false => Place::Tcp { host, port },
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
        let (scheme, host, port) = match &self.place {
            Place::Tcp { host, port } => ("http", host, port),
            Place::Tls { host, port, .. } => ("https", host, port),
            Place::Unix(path) => return write!(f, "unix:{} {}", path.display(), self.path),
        };
        match host.contains(':') {
            true => write!(f, "{scheme}://[{host}]:{port}{}", self.path),
            false => write!(f, "{scheme}://{host}:{port}{}", self.path),
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

/// Host without brackets, and the port, its scheme's when there is none (RFC 9110 4.2). A user part is refused (4.2.4).
fn split_authority(authority: &str, port_default: u16) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, port)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match port {
        "" => port_default,
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
            ("https://h", "https://h:443/health"),
            ("https://[::1]:8443/ready", "https://[::1]:8443/ready"),
            ("unix:/run/s.sock", "unix:/run/s.sock /health"),
        ] {
            assert_eq!(parsed(url).as_deref(), Some(shown), "{url}");
        }
        for url in [
            "https://",
            "ftp://h",
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
            &["tls.cert_file=c", "tls.key_file=k"],
            Ok(("https://127.0.0.1:8000/health", "localhost:8000")),
        );
        let required = [
            "tls.cert_file=c",
            "tls.key_file=k",
            "tls.client_ca_file=a",
            "tls.client_cert_required=true",
            r#"server.listeners=["127.0.0.1:1", { address = "127.0.0.1:2", tls = false }]"#,
        ];
        check_config(&required, Ok(("http://127.0.0.1:2/health", "localhost:2")));
        check_config(
            &required[..4],
            Err(
                "what serves `/health` asks for client certificates: serve the group `admin` on a listener with `tls = false`, such as `127.0.0.1:9001`",
            ),
        );
        check_config(
            &["server.port=0"],
            Err("port 0 is a new port at each start: set `server.port`, or give `--url`"),
        );
    }
}
