//! Which `Host` a request may name: the answer to DNS rebinding.
//!
//! A page at `http://evil.example` can have its name resolve to 127.0.0.1 and then talk to us as its own origin. Its
//! requests still say `Host: evil.example`, which no client that means us does. On a listener only this machine
//! reaches, loopback names are accepted and nothing else; on others the check is off until `server.allowed_hosts` is
//! set, because a token is required there and peers behind proxies and containers come under many names.

use std::cell::RefCell;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far a listener can be reached from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// This machine, browsers included.
    Loopback,
    /// Other machines.
    Network,
    /// A socket file: this machine, and no browser.
    SocketFile,
}

/// The rule of one listener.
#[derive(Clone, Debug)]
pub struct HostRule {
    /// `None`: the check is off.
    allowed: Option<Vec<HostPattern>>,
    /// What was admitted last: nearly always the next request names the same.
    last: RefCell<Option<String>>,
}

/// One entry of `server.allowed_hosts`: `siskin.lan` on any port, `siskin.lan:8443`, `*.lan`, or `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    name: NamePattern,
    /// `None`: any port.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum NamePattern {
    Any,
    Exactly(String),
    /// With its leading dot.
    Under(String),
}

/// Why an entry of `server.allowed_hosts` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAHost(String);

impl fmt::Display for NotAHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.escape_debug();
        write!(
            f,
            "`{text}` is not a host, expected `siskin.lan`, `siskin.lan:8000`, `[::1]:8000`, `*.lan` or `*`"
        )
    }
}

impl std::error::Error for NotAHost {}

/// The request names a host this listener does not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRefusal {
    /// What it named, cut to a harmless length; `None` when nothing.
    host: Option<String>,
}

/// Longest client text shown in a refusal, in characters.
const SHOWN_CHARS_MAX: usize = 80;

impl HostRule {
    /// The rule of a listener with this reach. Loopback names are always among the allowed: no other machine's name
    /// resolves to them, so they prove that the caller meant this machine.
    ///
    /// # Errors
    /// The first entry of `allowed` that is not a host.
    pub fn new(reach: Reach, allowed: &[String]) -> Result<Self, NotAHost> {
        let patterns = allowed
            .iter()
            .map(|text| HostPattern::parse(text))
            .collect::<Result<Vec<_>, _>>()?;
        let is_off = match reach {
            Reach::Loopback => false,
            Reach::Network | Reach::SocketFile => patterns.is_empty(),
        };
        Ok(Self {
            allowed: (!is_off).then_some(patterns),
            last: RefCell::default(),
        })
    }

    /// Decides on the value of `Host`.
    ///
    /// # Errors
    /// The refusal to answer with.
    pub fn admit(&self, host: Option<&str>) -> Result<(), HostRefusal> {
        let Some(allowed) = &self.allowed else {
            return Ok(());
        };
        if host.is_some() && self.last.borrow().as_deref() == host {
            return Ok(());
        }
        let parsed = host.and_then(HostPort::parse);
        let is_allowed = parsed
            .is_some_and(|host| host.is_loopback() || allowed.iter().any(|one| one.matches(&host)));
        if is_allowed {
            self.last.replace(host.map(str::to_owned));
            Ok(())
        } else {
            Err(HostRefusal {
                host: host.map(shown),
            })
        }
    }
}

impl HostRefusal {
    /// 421 Misdirected Request, RFC 9110 15.5.20.
    pub const STATUS: u16 = 421;

    /// The answer's body.
    #[must_use]
    pub fn body(&self) -> String {
        super::error_body(&self.to_string())
    }
}

impl fmt::Display for HostRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) => write!(
                f,
                "host `{host}` is not served here, add it to `server.allowed_hosts`"
            ),
            None => f.write_str("a `Host` header is required here"),
        }
    }
}

/// Client text for a message: controls escaped, cut short.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .take(SHOWN_CHARS_MAX)
        .flat_map(char::escape_debug)
        .collect()
}

impl HostPattern {
    /// Reads one entry.
    ///
    /// # Errors
    /// When it is not a host.
    pub fn parse(text: &str) -> Result<Self, NotAHost> {
        if text == "*" {
            return Ok(Self {
                name: NamePattern::Any,
                port: None,
            });
        }
        let is_under = text.starts_with("*.");
        let HostPort { name, port } = HostPort::parse(text.strip_prefix("*.").unwrap_or(text))
            .ok_or_else(|| NotAHost(text.into()))?;
        let name = if is_under {
            NamePattern::Under(format!(".{name}"))
        } else {
            NamePattern::Exactly(name)
        };
        Ok(Self { name, port })
    }

    fn matches(&self, host: &HostPort) -> bool {
        let name_matches = match &self.name {
            NamePattern::Any => true,
            NamePattern::Exactly(name) => *name == host.name,
            NamePattern::Under(suffix) => {
                host.name.len() > suffix.len() && host.name.ends_with(suffix.as_str())
            }
        };
        name_matches && (self.port.is_none() || self.port == host.port)
    }
}

/// `uri-host [ ":" port ]`, RFC 9110 7.2, as far as it can be compared: the name in lower case without a final dot,
/// an IPv6 address in brackets and in its canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostPort {
    pub name: String,
    pub port: Option<u16>,
}

impl HostPort {
    pub fn parse(text: &str) -> Option<Self> {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, rest) = rest.split_once(']')?;
                let address: Ipv6Addr = address.parse().ok()?;
                let port = if rest.is_empty() {
                    None
                } else {
                    Some(rest.strip_prefix(':')?)
                };
                (format!("[{address}]"), port)
            }
            None => {
                let (name, port) = text
                    .split_once(':')
                    .map_or((text, None), |(name, port)| (name, Some(port)));
                let name = name.strip_suffix('.').unwrap_or(name);
                let is_name = !name.is_empty() && name.split('.').all(is_label);
                (is_name.then(|| name.to_ascii_lowercase())?, port)
            }
        };
        let port = match port {
            Some(digits) => Some(parse_port(digits)?),
            None => None,
        };
        Some(Self { name, port })
    }

    pub fn is_loopback(&self) -> bool {
        // RFC 6761 6.3: `localhost.` and all names under it are this machine.
        if self.name == "localhost" || self.name.ends_with(".localhost") {
            return true;
        }
        if let Ok(address) = self.name.parse::<Ipv4Addr>() {
            return address.is_loopback();
        }
        let address = self
            .name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'));
        let address = address
            .and_then(|name| name.parse::<Ipv6Addr>().ok())
            .map(IpAddr::V6);
        address.is_some_and(|address| address.to_canonical().is_loopback())
    }
}

/// Letters, digits, hyphens, and the underscore that container networks use. Anything else has no place in a name we
/// compare, least of all `@`, `/` or a space.
fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Digits only: `str::parse` alone would take a sign.
pub(super) fn parse_port(digits: &str) -> Option<u16> {
    let is_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_admitted_once_says_nothing_of_others() {
        let rule = HostRule::new(Reach::Loopback, &["siskin.lan".into()]).unwrap();
        for _ in 0..2 {
            for host in ["localhost:8000", "siskin.lan", "Siskin.lan"] {
                assert!(rule.admit(Some(host)).is_ok(), "{host}");
                for other in [
                    None,
                    Some(""),
                    Some("evil.example"),
                    Some("siskin.lan.evil.example"),
                ] {
                    assert!(rule.admit(other).is_err(), "{other:?} after {host}");
                }
            }
        }
    }

    #[track_caller]
    fn check(reach: Reach, allowed: &[&str], host: &str, is_admitted: bool) {
        let allowed: Vec<String> = allowed.iter().map(|&text| text.into()).collect();
        let rule = HostRule::new(reach, &allowed).unwrap();
        assert_eq!(rule.admit(Some(host)).is_ok(), is_admitted, "{host}");
    }

    #[test]
    fn loopback_listeners_take_loopback_names() {
        for (host, is_admitted) in [
            ("localhost", true),
            ("localhost:8000", true),
            ("LOCALHOST.:8000", true),
            ("app.localhost", true),
            ("notlocalhost", false),
            ("localhost.evil.example", false),
            ("127.0.0.1", true),
            ("127.255.0.9:1", true),
            ("128.0.0.1", false),
            ("127.1", false),
            ("2130706433", false),
            ("0x7f.0.0.1", false),
            ("127.0.0.1.evil.example", false),
            ("[::1]", true),
            ("[::1]:65535", true),
            ("[::1]:65536", false),
            ("[::ffff:127.0.0.1]:1", true),
            ("[::2]", false),
            ("::1", false),
            ("0.0.0.0", false),
            ("", false),
            (":8000", false),
            ("localhost:", false),
            ("localhost:+80", false),
            ("localhost:80:80", false),
            ("user@localhost", false),
            ("localhost/path", false),
            ("localhost evil", false),
            ("localhost\t", false),
            ("evil.example", false),
        ] {
            check(Reach::Loopback, &[], host, is_admitted);
        }
    }

    #[test]
    fn other_listeners_take_anything_until_told() {
        check(Reach::Network, &[], "anything.example", true);
        check(Reach::SocketFile, &[], "x", true);
        check(Reach::Network, &["siskin.lan"], "anything.example", false);
        check(Reach::Network, &["siskin.lan"], "siskin.lan", true);
        check(Reach::Network, &["siskin.lan"], "SISKIN.lan:1234", true);
        check(Reach::Network, &["siskin.lan"], "a.siskin.lan", false);
        check(Reach::Network, &["siskin.lan"], "127.0.0.1", true);
        check(Reach::Loopback, &["siskin.lan"], "siskin.lan", true);
    }

    #[test]
    fn ports_and_wildcards() {
        check(
            Reach::Network,
            &["siskin.lan:8443"],
            "siskin.lan:8443",
            true,
        );
        check(
            Reach::Network,
            &["siskin.lan:8443"],
            "siskin.lan:8444",
            false,
        );
        check(Reach::Network, &["siskin.lan:8443"], "siskin.lan", false);
        check(Reach::Network, &["*.lan"], "a.b.lan", true);
        check(Reach::Network, &["*.lan"], "lan", false);
        check(Reach::Network, &["*.lan"], ".lan", false);
        check(Reach::Network, &["*.lan"], "alan", false);
        check(
            Reach::Network,
            &["[2001:DB8::1]"],
            "[2001:db8:0::1]:80",
            true,
        );
        check(Reach::Network, &["[2001:db8::1]"], "[2001:db8::2]", false);
        check(Reach::Loopback, &["*"], "evil.example", true);
        check(Reach::Loopback, &["*"], "evil example", false);
    }

    #[test]
    fn a_missing_host_is_refused_where_it_matters() {
        assert!(
            HostRule::new(Reach::Loopback, &[])
                .unwrap()
                .admit(None)
                .is_err()
        );
        assert!(
            HostRule::new(Reach::Network, &[])
                .unwrap()
                .admit(None)
                .is_ok()
        );
    }

    #[test]
    fn entries_that_are_not_hosts_are_told() {
        for text in ["", "*.", "http://x", "a b", "a*", "x:y", "*:80"] {
            let error = HostRule::new(Reach::Network, &[text.into()]).unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("`{text}` is not a host")),
                "{error}"
            );
        }
    }

    #[test]
    fn the_refusal_names_the_key_and_is_harmless_json() {
        let rule = HostRule::new(Reach::Loopback, &[]).unwrap();
        let long = format!("evil\"\u{1b}[2J{}", "x".repeat(500));
        let body = rule.admit(Some(&long)).unwrap_err().body();
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        let message = json["error"]["message"].as_str().unwrap();
        assert!(message.contains("`server.allowed_hosts`"), "{message}");
        assert!(
            message.len() < 200 && !message.contains('\u{1b}'),
            "{message}"
        );
    }
}
