//! Who is behind a proxy: the caller's address out of `Forwarded` (RFC 7239) or `X-Forwarded-For`, if whoever sent the
//! header is believed (`server.trusted_proxies`).
//!
//! Each proxy adds the address that it was called from to the end of the list. Read from there, everything up to and
//! including the first address that is not a proxy of ours was written by proxies of ours; whatever stands before it
//! was written by the caller and may say anything. Not here: the scheme and the host of a request. No answer of ours
//! holds an absolute address, so neither is needed.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::network::Network;

/// One entry of `server.trusted_proxies`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// Peers with an address in it.
    Network(Network),
    /// Peers on a socket file; its mode says who they may be.
    Unix,
}

impl Proxy {
    /// Reads `unix`, `::1` or `10.0.0.0/8`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "unix" => Some(Self::Unix),
            _ => Network::parse(text).map(Self::Network),
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

/// The peers that are believed.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<Proxy>);

/// Who asks, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address; none for a process of this machine, on a socket file.
    pub ip: Option<IpAddr>,
    /// A proxy of ours sent something that was not understood, or two headers that disagree. `ip` is then the last
    /// address that is certain.
    pub is_uncertain: bool,
}

impl Client {
    /// Whoever has connected.
    #[must_use]
    pub const fn direct(ip: Option<IpAddr>) -> Self {
        Self {
            ip,
            is_uncertain: false,
        }
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.ip.is_none_or(|ip| ip.is_loopback())
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            Some(ip) => ip.fmt(f),
            None => f.write_str("unix"),
        }
    }
}

impl Proxies {
    /// These and no others.
    #[must_use]
    pub fn new(proxies: &[Proxy]) -> Self {
        Self(proxies.to_vec())
    }

    /// Whether a peer is believed; `None` is one on a socket file.
    #[must_use]
    pub fn trusts(&self, peer: Option<IpAddr>) -> bool {
        self.0.iter().any(|proxy| match (proxy, peer) {
            (Proxy::Network(network), Some(ip)) => network.contains(ip),
            (Proxy::Unix, None) => true,
            _ => false,
        })
    }

    /// The caller behind `peer`, given the two headers with their lines joined.
    ///
    /// Most proxies write one of the headers and pass on the other as the caller wrote it. So where both stand, they
    /// count only if they agree: otherwise a caller could choose which of them is read.
    #[must_use]
    pub fn client(
        &self,
        peer: Option<IpAddr>,
        forwarded: Option<&str>,
        x_forwarded_for: Option<&str>,
    ) -> Client {
        if !self.trusts(peer) {
            return Client::direct(peer);
        }
        let uncertain = Client {
            ip: peer,
            is_uncertain: true,
        };
        let standard = forwarded.map(|list| match parse_forwarded(list) {
            Some(nodes) => self.walk(peer, &nodes),
            None => uncertain,
        });
        let usual = x_forwarded_for.map(|list| {
            let nodes = list.split(',').map(str::trim);
            let nodes: Vec<_> = nodes
                .filter(|node| !node.is_empty())
                .map(parse_node)
                .collect();
            self.walk(peer, &nodes)
        });
        match (standard, usual) {
            (None, None) => Client::direct(peer),
            (Some(client), None) | (None, Some(client)) => client,
            (Some(standard), Some(usual)) if standard == usual => standard,
            (Some(_), Some(_)) => uncertain,
        }
    }

    /// Goes from the last node to the first that is none of ours.
    fn walk(&self, peer: Option<IpAddr>, nodes: &[Option<IpAddr>]) -> Client {
        let mut client = Client::direct(peer);
        for node in nodes.iter().rev() {
            let Some(ip) = node else {
                client.is_uncertain = true;
                return client;
            };
            client.ip = Some(*ip);
            if !self.trusts(client.ip) {
                return client;
            }
        }
        client
    }
}

/// An address with or without a port, IPv6 with or without brackets (RFC 7239 6). None also for what hides one:
/// `unknown` and `_names`.
fn parse_node(text: &str) -> Option<IpAddr> {
    let ip = match text.strip_prefix('[').and_then(|v6| v6.strip_suffix(']')) {
        Some(v6) => v6.parse().ok().map(IpAddr::V6),
        None => {
            (text.parse::<IpAddr>().ok()).or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
        }
    };
    ip.map(|ip| ip.to_canonical())
}

/// The `for` of each element of `Forwarded` (RFC 7239 4). None if any of it breaks the grammar: a quote that a caller
/// leaves open would swallow what the proxy wrote behind it.
fn parse_forwarded(list: &str) -> Option<Vec<Option<IpAddr>>> {
    let mut nodes = Vec::new();
    let mut rest = list;
    loop {
        let mut node = None;
        let mut has_for = false;
        loop {
            let (name, tail) = rest.trim_start_matches([' ', '\t']).split_once('=')?;
            let (value, tail) = parse_value(tail)?;
            if name.is_empty() || !name.bytes().all(is_token_byte) {
                return None;
            }
            if name.eq_ignore_ascii_case("for") {
                // "Each parameter MUST NOT occur more than once per field-value" element.
                if has_for {
                    return None;
                }
                has_for = true;
                node = parse_node(&value);
            }
            rest = tail;
            match rest.strip_prefix(';') {
                Some(next) => rest = next,
                None => break,
            }
        }
        nodes.push(node);
        rest = rest.trim_start_matches([' ', '\t']);
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None if rest.is_empty() => return Some(nodes),
            None => return None,
        }
    }
}

/// A token or a quoted string, and what follows it.
fn parse_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.bytes().position(|byte| !is_token_byte(byte));
        let (value, tail) = text.split_at(end.unwrap_or(text.len()));
        return (!value.is_empty()).then(|| (value.to_owned(), tail));
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(chars.next()?),
            c => value.push(c),
        }
    }
    None
}

/// RFC 9110 5.6.2; and `:`, `[` and `]`, which many write without quotes.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.')
        || matches!(byte, b'^' | b'_' | b'`' | b'|' | b'~' | b':' | b'[' | b']')
}

/// For fuzzing: three lines, as `Forwarded`, `X-Forwarded-For` and `Host`, and the first also as `Origin` and an entry of
/// every list of the configuration. Whoever is found was named or has connected, and what is refused is shown harmless.
#[doc(hidden)]
#[expect(clippy::expect_used, reason = "what is expected is the test")]
pub fn fuzz_headers(text: &str) {
    let mut lines = text.split('\n');
    let (forwarded, list, host) = (lines.next(), lines.next(), lines.next());
    let peer = IpAddr::from([127, 0, 0, 1]);
    let proxies = Proxies::new(&[Proxy::Network(Network {
        address: IpAddr::from([127, 0, 0, 0]),
        prefix_bits: 8,
    })]);
    let client = proxies.client(Some(peer), forwarded, list);
    assert!(client.ip.is_some(), "a peer with an address has one");
    if forwarded.is_none() && list.is_none() {
        assert_eq!(client.ip, Some(peer));
    }
    let is_harmless = |body: &str| !body.bytes().any(|byte| byte < 0x20);
    let first = forwarded.unwrap_or_default();
    let entries = [first.to_owned()];
    for reach in [super::host::Reach::Loopback, super::host::Reach::Network] {
        if let Err(refusal) = super::host::HostRule::new(reach, &[])
            .expect("no entry is wrong")
            .admit(host)
        {
            assert!(is_harmless(&refusal.body()));
        }
        // A host that is allowed by its own name is let in by it.
        if let Ok(rule) = super::host::HostRule::new(reach, &entries) {
            let is_name = !first.contains('*');
            assert!(!is_name || rule.admit(Some(first)).is_ok(), "{first:?}");
        }
        let rule = super::origin::OriginRule::new(reach, &[]).expect("no entry is wrong");
        if let Err(refusal) = rule.admit(Some(first), host) {
            assert!(is_harmless(&refusal.body()));
        }
        if let Ok(rule) = super::origin::OriginRule::new(reach, &entries) {
            let is_name = !first.contains('*');
            assert!(
                !is_name || rule.admit(Some(first), None).is_ok(),
                "{first:?}"
            );
        }
    }
    if let Some(network) = Network::parse(first) {
        assert!(network.contains(network.address), "{first:?}");
    }
    _ = Proxy::parse(first);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SURE: bool = false;
    const UNSURE: bool = true;

    fn proxies() -> Proxies {
        let entries = ["127.0.0.1", "10.0.0.0/8", "fd00::/8", "unix"];
        Proxies::new(&entries.map(|text| Proxy::parse(text).unwrap()))
    }

    #[track_caller]
    fn check_both(
        peer: &str,
        forwarded: Option<&str>,
        x_forwarded_for: Option<&str>,
        expected: (&str, bool),
    ) {
        let ip = |text: &str| (text != "unix").then(|| text.parse::<IpAddr>().unwrap());
        let got = proxies().client(ip(peer), forwarded, x_forwarded_for);
        assert_eq!((got.to_string().as_str(), got.is_uncertain), expected);
        assert_eq!(got.ip, ip(expected.0));
    }

    #[track_caller]
    fn check(x_forwarded_for: &str, expected: (&str, bool)) {
        check_both("127.0.0.1", None, Some(x_forwarded_for), expected);
    }

    #[track_caller]
    fn check_forwarded(forwarded: &str, expected: (&str, bool)) {
        check_both("127.0.0.1", Some(forwarded), None, expected);
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy() {
        check("203.0.113.7", ("203.0.113.7", SURE));
        check("6.6.6.6, 203.0.113.7", ("203.0.113.7", SURE));
        check("6.6.6.6, 203.0.113.7, 10.1.2.3", ("203.0.113.7", SURE));
        check("203.0.113.7,10.1.2.3 ,\t10.0.0.1", ("203.0.113.7", SURE));
        // Nobody but proxies: the first of them asks for itself.
        check("10.1.2.3, 10.0.0.1", ("10.1.2.3", SURE));
        check("", ("127.0.0.1", SURE));
        check(" , ,203.0.113.7,, ", ("203.0.113.7", SURE));
    }

    #[test]
    fn ports_brackets_and_mapped_addresses() {
        check("203.0.113.7:4711", ("203.0.113.7", SURE));
        check("[2001:db8::7]:4711", ("2001:db8::7", SURE));
        check("[2001:db8::7]", ("2001:db8::7", SURE));
        check("2001:db8::7", ("2001:db8::7", SURE));
        check("::ffff:203.0.113.7", ("203.0.113.7", SURE));
        check("203.0.113.7, ::ffff:10.0.0.1", ("203.0.113.7", SURE));
    }

    #[test]
    fn what_is_no_address_ends_the_search() {
        for odd in [
            "unknown",
            "_hidden",
            "nas.lan",
            "203.0.113.7:",
            "203.0.113.7:99999",
            "203.0.113",
            "[203.0.113.7]",
            "[2001:db8::7",
            "fe80::1%eth0",
            "\"203.0.113.7\"",
            "203.0.113.7 10.0.0.1",
        ] {
            check(odd, ("127.0.0.1", UNSURE));
            check(&format!("6.6.6.6, {odd}, 10.1.2.3"), ("10.1.2.3", UNSURE));
            // What the caller wrote himself is not even looked at.
            check(&format!("{odd}, 203.0.113.7"), ("203.0.113.7", SURE));
        }
    }

    #[test]
    fn strangers_are_not_believed() {
        check_both("203.0.113.9", None, Some("10.0.0.1"), ("203.0.113.9", SURE));
        let both = (Some("for=1.2.3.4"), Some("1.2.3.4"));
        check_both("203.0.113.9", both.0, both.1, ("203.0.113.9", SURE));
        check_both("11.0.0.1", None, Some("garbage"), ("11.0.0.1", SURE));
        check_both("unix", None, Some("203.0.113.7"), ("203.0.113.7", SURE));
        check_both("unix", None, None, ("unix", SURE));
        let none = Proxies::default();
        assert_eq!(none.client(None, both.0, both.1), Client::direct(None));
    }

    #[test]
    fn the_standard_header() {
        check_forwarded("for=203.0.113.7", ("203.0.113.7", SURE));
        check_forwarded("For=\"203.0.113.7:80\"", ("203.0.113.7", SURE));
        check_forwarded(
            "for=6.6.6.6, FOR=\"[2001:db8::7]:4711\";proto=https;by=10.0.0.1",
            ("2001:db8::7", SURE),
        );
        check_forwarded("for=[2001:db8::7]", ("2001:db8::7", SURE));
        check_forwarded(
            "proto=http;for=203.0.113.7 , for=10.0.0.2",
            ("203.0.113.7", SURE),
        );
        check_forwarded(
            "for=203.0.113.7;ext=\"a,b;for=1.2.3.4\\\"\"",
            ("203.0.113.7", SURE),
        );
        for broken in [
            "",
            "203.0.113.7",
            "for=",
            "for=203.0.113.7,",
            "for=203.0.113.7;",
            "for = 203.0.113.7",
            "for=203.0.113.7;for=1.2.3.4",
            "for=203.0.113.7 x",
            "=203.0.113.7",
            "for=unknown",
            "for=_hidden",
            "proto=https",
            // Quotes that are meant to swallow what the proxy adds.
            "for=6.6.6.6;x=\", for=203.0.113.7",
            "for=6.6.6.6;x=\", for=\"[2001:db8::7]\"",
            "for=6.6.6.6;x=\"\\",
        ] {
            check_forwarded(broken, ("127.0.0.1", UNSURE));
        }
    }

    #[test]
    fn of_two_headers_neither_is_chosen() {
        let check = |forwarded, usual, expected| {
            check_both("10.0.0.1", Some(forwarded), Some(usual), expected);
        };
        check("for=203.0.113.7", "203.0.113.7", ("203.0.113.7", SURE));
        check("for=6.6.6.6", "203.0.113.7", ("10.0.0.1", UNSURE));
        check("for=203.0.113.7", "garbage", ("10.0.0.1", UNSURE));
        check("garbage", "203.0.113.7", ("10.0.0.1", UNSURE));
    }

    #[test]
    fn entries_are_shown_as_they_are_read() {
        for text in ["unix", "10.0.0.0/8", "fd00::/8"] {
            assert_eq!(Proxy::parse(text).unwrap().to_string(), text);
        }
        assert_eq!((Proxy::parse("UNIX"), Proxy::parse("")), (None, None));
    }
}
