//! Host and port of a URL (RFC 3986 section 3.2), in one spelling only.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{UrlError, excerpt};

/// A host without the brackets of an IPv6 address.
pub(in super::super) fn bare_host(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

/// Host in normal form, and the port if one is named. An empty port counts as none (RFC 3986 section 6.2.3).
pub(in super::super) fn parse_authority(text: &str) -> Result<(String, Option<u16>), UrlError> {
    let (host, port) = match text.rfind(']') {
        Some(end) => text.split_at(end.saturating_add(1)),
        None => text.split_at(text.rfind(':').unwrap_or(text.len())),
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        None => return Err(UrlError::Port(excerpt(port))),
        Some("") => None,
        Some(digits) => Some(parse_port(digits)?),
    };
    Ok((parse_host(host)?, port))
}

fn parse_port(digits: &str) -> Result<u16, UrlError> {
    let is_number = digits.len() <= 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let port = digits.parse().ok().filter(|port| is_number && *port != 0);
    port.ok_or_else(|| UrlError::Port(excerpt(digits)))
}

fn parse_host(host: &str) -> Result<String, UrlError> {
    if host.starts_with('[') {
        let address: Option<Ipv6Addr> = bare_host(host).parse().ok();
        let address = address.ok_or_else(|| UrlError::HostAddress(excerpt(host)))?;
        return Ok(format!("[{address}]"));
    }
    let labels_fit = host
        .split('.')
        .all(|label| (1..=63).contains(&label.len()) && label.bytes().all(is_label_byte));
    if host.len() > 253 || !labels_fit {
        return Err(UrlError::HostName(excerpt(host)));
    }
    let name = host.to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    // Resolvers read `127.1`, `0x7f000001` and `0177.0.0.1` as addresses; a check that does not would be passed by.
    let is_number = match last.strip_prefix("0x") {
        Some(hex) => hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => last.bytes().all(|byte| byte.is_ascii_digit()),
    };
    if is_number && name.parse::<Ipv4Addr>().is_err() {
        return Err(UrlError::HostAddress(excerpt(host)));
    }
    Ok(name)
}

/// Underscores are in no host name by RFC 952, but in many of Docker's.
const fn is_label_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}
