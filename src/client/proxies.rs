//! Which proxy a request goes through, by the usual environment variables.
//!
//! In scope: HTTP proxies, by absolute URLs for `http` and by `CONNECT` for `https`; a user and password in the proxy's
//! URL. Not in scope: SOCKS, TLS to the proxy, `.pac` files; settings that ask for them fail each request they apply
//! to, for going around a proxy unasked would be worse.

use std::net::IpAddr;

use crate::base64;
use crate::sorted::SortedMap;

use super::error::{ClientError, ProxyProblem};
use super::url::{Scheme, Url, bare_host, parse_authority};

/// The proxies for `http` and `https`, and who is reached without.
#[derive(Clone, Default)]
pub struct Proxies {
    http: Option<Setting>,
    https: Option<Setting>,
    direct: Vec<Direct>,
}

/// A variable, and what it was understood as.
#[derive(Clone)]
struct Setting {
    variable: String,
    proxy: Result<Proxy, String>,
}

/// A proxy that can be asked. It has no `Debug`: it holds a password.
#[derive(Clone)]
pub(super) struct Proxy {
    /// For lookups and messages.
    pub(super) host: String,
    pub(super) port: u16,
    /// `Basic …`, if its URL names a user.
    pub(super) authorization: Option<String>,
}

/// An entry of `NO_PROXY`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Direct {
    whom: Whom,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Whom {
    All,
    /// The domain and everything below it.
    Domain(String),
    /// Addresses whose first bits are these.
    Network(IpAddr, u32),
}

impl Proxies {
    /// Those of this process's own environment.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |name: std::ffi::OsString| name.into_string().ok();
        let variables = std::env::vars_os();
        let named = variables.filter_map(|(name, value)| Some((text(name)?, text(value)?)));
        Self::from_env(&named.collect())
    }

    /// Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`. The lower-case name wins, as with curl; an empty
    /// value is none. This machine itself is always reached directly.
    #[must_use]
    pub fn from_env(env: &SortedMap<String, String>) -> Self {
        let variable = |name: &str| {
            [name.to_owned(), name.to_uppercase()]
                .into_iter()
                .find_map(|name| {
                    let value = env.get(&name).map(|value| value.trim())?;
                    (!value.is_empty()).then(|| (name, value.to_owned()))
                })
        };
        let setting = |name: &str| {
            let (variable, value) = variable(name).or_else(|| variable("all_proxy"))?;
            let proxy = parse_proxy(&value);
            Some(Setting { variable, proxy })
        };
        let direct = variable("no_proxy")
            .map(|(_, value)| value)
            .unwrap_or_default();
        Self {
            http: setting("http_proxy"),
            https: setting("https_proxy"),
            direct: direct.split([',', ' ']).filter_map(parse_direct).collect(),
        }
    }

    /// The proxy for `url`, if it goes through one.
    pub(super) fn of(&self, url: &Url) -> Result<Option<&Proxy>, ClientError> {
        let setting = match url.scheme() {
            Scheme::Http => &self.http,
            Scheme::Https => &self.https,
        };
        let Some(setting) = setting.as_ref().filter(|_| !self.is_direct(url)) else {
            return Ok(None);
        };
        let proxy = setting.proxy.as_ref().map_err(|text| ClientError::Proxy {
            origin: url.origin(),
            proxy: setting.variable.clone(),
            problem: ProxyProblem::Setting(text.clone()),
        })?;
        Ok(Some(proxy))
    }

    fn is_direct(&self, url: &Url) -> bool {
        let (host, ip) = (url.host(), url.host_ip().map(|ip| ip.to_canonical()));
        let is_here = host == "localhost"
            || host.ends_with(".localhost")
            || ip.is_some_and(|ip| ip.is_loopback());
        is_here
            || self
                .direct
                .iter()
                .any(|direct| direct.covers(host, ip, url.port()))
    }
}

impl Direct {
    fn covers(&self, host: &str, ip: Option<IpAddr>, port: u16) -> bool {
        let is_whom = match &self.whom {
            Whom::All => true,
            Whom::Domain(domain) => host
                .strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            Whom::Network(network, len) => ip.is_some_and(|ip| is_within(ip, *network, *len)),
        };
        is_whom && self.port.is_none_or(|only| only == port)
    }
}

fn is_within(ip: IpAddr, network: IpAddr, len: u32) -> bool {
    let differing = match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            (u32::from(ip) ^ u32::from(network)).leading_zeros()
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => {
            (u128::from(ip) ^ u128::from(network)).leading_zeros()
        }
        _ => return false,
    };
    differing >= len
}

/// An entry that cannot be read covers nobody.
fn parse_direct(entry: &str) -> Option<Direct> {
    let entry = entry.trim();
    if entry.is_empty() {
        return None;
    }
    if entry == "*" {
        return Some(Direct {
            whom: Whom::All,
            port: None,
        });
    }
    if let Some((network, len)) = entry.split_once('/') {
        let network: IpAddr = network.parse().ok()?;
        let bits = if network.is_ipv4() { 32 } else { 128 };
        let len = len.parse().ok().filter(|len| *len <= bits)?;
        return Some(Direct {
            whom: Whom::Network(network, len),
            port: None,
        });
    }
    let network = |ip: IpAddr| {
        let ip = ip.to_canonical();
        Whom::Network(ip, if ip.is_ipv4() { 32 } else { 128 })
    };
    if let Ok(ip) = entry.parse() {
        return Some(Direct {
            whom: network(ip),
            port: None,
        });
    }
    let domain = entry.trim_start_matches('*').trim_start_matches('.');
    let (host, port) = parse_authority(domain).ok()?;
    let whom = bare_host(&host).parse().map_or(Whom::Domain(host), network);
    Some(Direct { whom, port })
}

/// `http://user:password@host:port`; scheme and user may be missing. The error never repeats the text.
fn parse_proxy(text: &str) -> Result<Proxy, String> {
    let rest = match text.split_once("://") {
        None => text,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
        Some((scheme, _)) => {
            let scheme: String = scheme.chars().take(20).collect();
            return Err(format!(
                "found a proxy of the kind `{}`, expected `http://host:port`",
                scheme.escape_debug()
            ));
        }
    };
    let authority = rest.trim_end_matches('/');
    let (user, authority) = match authority.rsplit_once('@') {
        Some((user, authority)) => (Some(user), authority),
        None => (None, authority),
    };
    let (host, port) = parse_authority(authority)
        .map_err(|error| format!("{error}; expected `http://host:port`"))?;
    let authorization = user.map(|user| {
        // Without a colon the password is empty (RFC 7617 section 2).
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        let pair = [decode(name), b":".to_vec(), decode(password)].concat();
        format!("Basic {}", base64::encode(&pair))
    });
    Ok(Proxy {
        host,
        port: port.unwrap_or(Scheme::Http.port()),
        authorization,
    })
}

/// Percent-decoded; what is no escape stays.
fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = rest
            .get(1..3)
            .filter(|hex| *first == b'%' && hex.iter().all(u8::is_ascii_hexdigit));
        let byte = escape
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = match byte {
            Some(_) => tail.get(2..).unwrap_or_default(),
            None => tail,
        };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        let env = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Proxies::from_env(&env.collect())
    }

    fn of(proxies: &Proxies, url: &str) -> Option<(String, u16)> {
        let proxy = proxies.of(&Url::parse(url).unwrap()).unwrap();
        proxy.map(|proxy| (proxy.host.clone(), proxy.port))
    }

    #[track_caller]
    fn check(variables: &[(&str, &str)], url: &str, expected: Option<(&str, u16)>) {
        let expected = expected.map(|(host, port)| (host.to_owned(), port));
        assert_eq!(
            of(&proxies(variables), url),
            expected,
            "{variables:?} {url}"
        );
    }

    #[test]
    fn each_scheme_has_its_variable_and_lower_case_wins() {
        check(&[], "https://a/", None);
        check(
            &[("HTTPS_PROXY", "http://p:3128")],
            "https://a/",
            Some(("p", 3128)),
        );
        check(&[("HTTPS_PROXY", "http://p:3128")], "http://a/", None);
        check(
            &[("http_proxy", "p:1"), ("HTTP_PROXY", "q:2")],
            "http://a/",
            Some(("p", 1)),
        );
        check(
            &[("http_proxy", " "), ("HTTP_PROXY", "q:2/")],
            "http://a/",
            Some(("q", 2)),
        );
        check(
            &[("ALL_PROXY", "[fd00::1]:8")],
            "https://a/",
            Some(("[fd00::1]", 8)),
        );
        check(
            &[("all_proxy", "p:1"), ("HTTP_PROXY", "q")],
            "http://a/",
            Some(("q", 80)),
        );
    }

    #[test]
    fn a_setting_that_cannot_be_used_fails_and_hides_its_password() {
        for (value, part) in [
            ("socks5://user:canary@p:1", "the kind `socks5`"),
            ("https://p:1", "the kind `https`"),
            ("http://user:canary@p:x", "`x` is not a port"),
            ("http://user:canary@", "no host"),
        ] {
            let proxies = proxies(&[("HTTPS_PROXY", value)]);
            let error = proxies
                .of(&Url::parse("https://a/?canary").unwrap())
                .err()
                .unwrap()
                .to_string();
            assert!(
                error.contains(part) && error.contains("`HTTPS_PROXY`"),
                "{error}"
            );
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn user_and_password() {
        for (text, expected) in [
            ("http://p", None),
            (
                "http://Aladdin:open%20sesame@p",
                Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ),
            ("u@p", Some("Basic dTo=")),
            ("u:a%zz%40:b@p", Some("Basic dTphJXp6QDpi")),
            ("u:@:1@p", Some("Basic dTpAOjE=")),
        ] {
            let proxy = parse_proxy(text).unwrap();
            assert_eq!(proxy.authorization.as_deref(), expected, "{text}");
            assert_eq!(proxy.host, "p");
        }
    }

    /// Whether `url` is reached directly with `NO_PROXY=direct`.
    #[track_caller]
    fn check_direct(direct: &str, url: &str, expected: bool) {
        let found = of(&proxies(&[("ALL_PROXY", "p:1"), ("NO_PROXY", direct)]), url);
        assert_eq!(found.is_none(), expected, "{direct} {url}");
    }

    #[test]
    fn who_is_reached_directly() {
        check_direct("*", "http://a/", true);
        check_direct("", "http://a/", false);
        check_direct("example.com", "https://example.com/", true);
        check_direct("example.com", "https://a.example.com/", true);
        check_direct("example.com", "https://anexample.com/", false);
        check_direct("example.com", "https://example.com.a/", false);
        check_direct(".example.com", "https://a.Example.com/", true);
        check_direct("*.EXAMPLE.com", "https://a.example.com/", true);
        check_direct("a, b c,,d", "http://c/", true);
        check_direct("a, b c,,d", "http://e/", false);
        check_direct("nas:8080", "http://nas:8080/", true);
        check_direct("nas:8080", "http://nas/", false);
        check_direct("192.168.1.2", "http://192.168.1.2:5/", true);
        check_direct("192.168.1.2", "http://192.168.1.20/", false);
        check_direct("192.168.1.2:80", "http://192.168.1.2/", true);
        check_direct("192.168.1.2:81", "http://192.168.1.2/", false);
        check_direct("192.168.0.0/16", "http://192.168.255.255/", true);
        check_direct("192.168.0.0/16", "http://192.169.0.0/", false);
        check_direct("0.0.0.0/0", "http://8.8.8.8/", true);
        check_direct("0.0.0.0/33", "http://8.8.8.8/", false);
        check_direct("fd00::1", "http://[fd00::1]/", true);
        check_direct("[fd00::1]:81", "http://[fd00::1]/", false);
        check_direct("fd00::/8", "http://[fdff::1]/", true);
        check_direct("fd00::/8", "http://[fe80::1]/", false);
        check_direct("192.168.0.0/16", "http://[::ffff:192.168.1.1]/", true);
        check_direct("a/b,http://x", "http://b/", false);
    }

    #[test]
    fn this_machine_is_always_reached_directly() {
        for url in [
            "http://localhost/",
            "http://a.localhost/",
            "http://127.9.9.9/",
            "http://[::1]/",
        ] {
            check_direct("", url, true);
        }
        check_direct("", "http://notlocalhost/", false);
        check_direct("", "http://128.0.0.1/", false);
    }
}
