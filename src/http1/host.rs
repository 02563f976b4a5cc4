//! The authority of a request: `Host` and the targets that carry one (RFC 9110 section 7.2, RFC
//! 3986 section 3.2).
//!
//! Narrower than the grammar on purpose: no percent-encoding, no sub-delimiters (a comma joins two
//! hosts), no user information, no zone ids. Which hosts are ours is the gate's decision.

use std::fmt;
use std::net::Ipv6Addr;

/// A validated authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host<'a> {
    /// Name or address as sent, case kept; an IPv6 address keeps its brackets.
    pub name: &'a str,
    /// The port, if one was given.
    pub port: Option<u16>,
}

/// Why a request's host is refused. Always 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// An HTTP/1.1 request without `Host`.
    Missing,
    /// More than one `Host` line, even if they agree.
    Repeated,
    /// Not `name`, `name:port`, `[v6]` or `[v6]:port`.
    Invalid,
}

impl HostError {
    /// The status to answer with.
    pub fn status(self) -> u16 {
        400
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HostError::Missing => "no `Host` header in an HTTP/1.1 request",
            HostError::Repeated => "more than one `Host` header",
            HostError::Invalid => "`Host` is not `name`, `name:port` or `[address]:port`",
        })
    }
}

impl std::error::Error for HostError {}

impl<'a> Host<'a> {
    /// Reads `name[:port]`. An empty port counts as none (RFC 3986 section 6.2.3).
    pub fn parse(text: &'a str) -> Result<Host<'a>, HostError> {
        let bytes = text.as_bytes();
        let name_len = if bytes.first() == Some(&b'[') {
            let (address, _) = text
                .get(1..)
                .and_then(|rest| rest.split_once(']'))
                .ok_or(HostError::Invalid)?;
            address
                .parse::<Ipv6Addr>()
                .map_err(|_| HostError::Invalid)?;
            address.len().saturating_add(2)
        } else {
            let mut len = 0usize;
            while let Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~') =
                bytes.get(len)
            {
                len = len.wrapping_add(1);
            }
            len
        };
        let port = match bytes.get(name_len..) {
            _ if name_len == 0 => return Err(HostError::Invalid),
            Some([] | [b':']) => None,
            Some([b':', digits @ ..]) => Some(parse_port(digits)?),
            _ => return Err(HostError::Invalid),
        };
        let name = text.get(..name_len).unwrap_or_default();
        Ok(Host { name, port })
    }
}

fn parse_port(digits: &[u8]) -> Result<u16, HostError> {
    if digits.len() > 5 {
        return Err(HostError::Invalid);
    }
    let mut port = 0u32;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(HostError::Invalid);
        }
        port = port
            .wrapping_mul(10)
            .wrapping_add(u32::from(digit.wrapping_sub(b'0')));
    }
    u16::try_from(port).map_err(|_| HostError::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, Option<u16>)>) {
        let host = Host::parse(text).ok().map(|host| (host.name, host.port));
        assert_eq!(host, expected, "{text:?}");
    }

    #[test]
    fn names_and_ports() {
        check("localhost", Some(("localhost", None)));
        check("Pi.local:8000", Some(("Pi.local", Some(8000))));
        check("a:", Some(("a", None)));
        check("a:65535", Some(("a", Some(65535))));
        check("a:65536", None);
        check("a:000001", None);
        check("a:+1", None);
        check("a:1:2", None);
        check("", None);
        check(":80", None);
        check("a,b", None);
        check("user@a", None);
        check("a/", None);
        check("a?b", None);
        check("a b", None);
        check("a%2e", None);
        check("ä", None);
    }

    #[test]
    fn addresses() {
        check("127.0.0.1:80", Some(("127.0.0.1", Some(80))));
        check("[::1]", Some(("[::1]", None)));
        check("[::1]:80", Some(("[::1]", Some(80))));
        check("::1", None);
        check("[::1", None);
        check("[::1]80", None);
        check("[fe80::1%25eth0]", None);
        check("[]", None);
        check("[127.0.0.1]", None);
    }
}
