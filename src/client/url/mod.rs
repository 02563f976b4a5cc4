//! Absolute `http` and `https` URLs, read strictly and kept in one normal form.
//!
//! In scope: RFC 3986 without user information, resolution of references (section 5.2), the normal form that goes on
//! the wire. Not in scope: other schemes, names outside ASCII, fragments (dropped, they never reach a server).
//!
//! The normal form: scheme and host in lower case, a default port left out, dot segments resolved (also when written
//! `%2e`), a path of at least `/`, and everything outside the grammar percent-encoded as UTF-8. Escapes that are there
//! already stay as they are. What two programs could read differently is refused instead: user information, `127.1`,
//! `0x7f.0.0.1` and other spellings of an address that are not four plain numbers, control characters.

use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::str::FromStr;

use crate::http1::{Head, HeadLimits};

mod authority;
mod normal;

pub(super) use authority::{bare_host, parse_authority};
use normal::{dots, encode_into, is_path_byte, is_query_byte, resolve_dots_into};

/// Longest URL, before and after normalising. Most servers take 8 KiB.
pub const URL_LEN_MAX: usize = 16 * 1024;

/// `http` or `https`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain TCP, port 80 unless said otherwise.
    Http,
    /// TLS, port 443 unless said otherwise.
    Https,
}

impl Scheme {
    /// The name as it stands in a URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// What a URL begins with.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Http => "http://",
            Self::Https => "https://",
        }
    }

    /// The port when a URL names none.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// An absolute URL in normal form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    /// Invariant: ASCII without controls and spaces; what [`Url::parse`] makes of it is this value again.
    text: String,
    scheme: Scheme,
    port: u16,
    /// Invariant: `scheme://` ends before `host_end`, `host_end <= path_start <= path_end <= text.len()`.
    host_end: usize,
    path_start: usize,
    path_end: usize,
}

/// Why a text is no [`Url`]. None of these repeats a path or query: they may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// A control character, or white space around it.
    Character(char),
    /// An address in a spelling that programs read differently, or one that is none.
    HostAddress(String),
    /// No host, or one that is no name.
    HostName(String),
    /// A port that is no number from 1 to 65535.
    Port(String),
    /// Not `http://` or `https://`.
    Scheme(String),
    /// Longer than [`URL_LEN_MAX`]; the length.
    TooLong(usize),
    /// A user name or password before the host.
    UserInfo,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character(found) => write!(
                f,
                "found the character `{}`, expected a URL without control characters and spaces around it",
                found.escape_default()
            ),
            Self::HostAddress(found) => write!(
                f,
                "`{}` is not an address, expected four plain numbers as in `192.168.1.2`, or `[fd00::2]`",
                found.escape_debug()
            ),
            Self::HostName(found) if found.is_empty() => {
                f.write_str("no host, expected one as in `http://nas.lan:8080`")
            }
            Self::HostName(found) => write!(
                f,
                "`{}` is not a host name, expected letters, digits, `-`, `_` and `.` (names outside ASCII as `xn--…`)",
                found.escape_debug()
            ),
            Self::Port(found) => write!(
                f,
                "`{}` is not a port, expected a number from 1 to 65535",
                found.escape_debug()
            ),
            Self::Scheme(found) if found.is_empty() => {
                f.write_str("no scheme, expected `http://` or `https://` in front")
            }
            Self::Scheme(found) => write!(
                f,
                "the scheme `{}` is not supported, expected `http` or `https`",
                found.escape_debug()
            ),
            Self::TooLong(len) => write!(f, "{len} bytes, expected at most {URL_LEN_MAX}"),
            Self::UserInfo => f.write_str(
                "a user name or password stands before the host; leave it out and set the credentials where they belong",
            ),
        }
    }
}

impl std::error::Error for UrlError {}

impl Url {
    /// Reads an absolute URL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        check_text(text)?;
        let (scheme, rest) = split_scheme(text)?;
        let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(authority_end);
        if authority.contains('@') {
            return Err(UrlError::UserInfo);
        }
        let (host, port) = parse_authority(authority)?;
        let port = port.unwrap_or_else(|| scheme.port());
        let (path, query) = split_path(rest);
        Self::build(scheme, &host, port, path, query)
    }

    /// Resolves `reference` against this URL (RFC 3986 section 5.2.2). Strict: `http:g` is no relative reference.
    ///
    /// # Errors
    /// As for [`Url::parse`].
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        check_text(reference)?;
        let start = reference.find(['/', '?', '#']).unwrap_or(reference.len());
        let first = reference.get(..start).unwrap_or_default();
        if first.contains(':') {
            return Self::parse(reference);
        }
        if reference.starts_with("//") {
            return Self::parse(&format!("{}:{reference}", self.scheme.as_str()));
        }
        let (path, query) = split_path(reference);
        let (path, query) = match path {
            "" => (self.path().to_owned(), query.or(self.query())),
            _ if path.starts_with('/') => (path.to_owned(), query),
            // The base's path always has a slash, so section 5.2.3 has one case here.
            _ => {
                let (folder, _) = self.path().rsplit_once('/').unwrap_or_default();
                (format!("{folder}/{path}"), query)
            }
        };
        Self::build(self.scheme, self.host(), self.port, &path, query)
    }

    fn build(
        scheme: Scheme,
        host: &str,
        port: u16,
        path: &str,
        query: Option<&str>,
    ) -> Result<Self, UrlError> {
        let mut text = format!("{}://{host}", scheme.as_str());
        let host_end = text.len();
        if port != scheme.port() {
            text.push_str(&format!(":{port}"));
        }
        let path_start = text.len();
        let mut encoded = String::with_capacity(path.len());
        encode_into(&mut encoded, path, is_path_byte);
        resolve_dots_into(&mut text, &encoded);
        let path_end = text.len();
        if let Some(query) = query {
            text.push('?');
            encode_into(&mut text, query, is_query_byte);
        }
        if text.len() > URL_LEN_MAX {
            return Err(UrlError::TooLong(text.len()));
        }
        Ok(Self {
            text,
            scheme,
            port,
            host_end,
            path_start,
            path_end,
        })
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Name or address in lower case; an IPv6 address keeps its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.part(self.scheme.prefix().len()..self.host_end)
    }

    /// The host as an address, if it is one.
    #[must_use]
    pub fn host_ip(&self) -> Option<IpAddr> {
        bare_host(self.host()).parse().ok()
    }

    /// The port to connect to.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// `host`, or `host:port` when the port is not the scheme's: the `Host` header.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.part(self.scheme.prefix().len()..self.path_start)
    }

    /// The path, percent-encoded, at least `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.part(self.path_start..self.path_end)
    }

    /// What stands behind `?`, percent-encoded.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.text.get(self.path_end..)?.strip_prefix('?')
    }

    /// Path and query: the request target.
    #[must_use]
    pub fn target(&self) -> &str {
        self.part(self.path_start..self.text.len())
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// By the invariants of the fields nothing is out of reach.
    fn part(&self, range: std::ops::Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// Scheme, host and port: who is talked to.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin(self.part(0..self.path_start).into())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Without the query, which may hold secrets.
impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({}", self.part(0..self.path_end))?;
        f.write_str(if self.query().is_some() { "?…)" } else { ")" })
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

/// Scheme, host and port, as in `https://nas.lan:9443`. Two URLs with the same origin reach the same server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(Rc<str>);

impl Origin {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_text(text: &str) -> Result<(), UrlError> {
    if text.len() > URL_LEN_MAX {
        return Err(UrlError::TooLong(text.len()));
    }
    let around = text.chars().next().into_iter().chain(text.chars().last());
    let strange = text
        .chars()
        .find(|c| c.is_control())
        .or_else(|| around.into_iter().find(|c| c.is_whitespace()));
    strange.map_or(Ok(()), |strange| Err(UrlError::Character(strange)))
}

fn split_scheme(text: &str) -> Result<(Scheme, &str), UrlError> {
    let Some((scheme, rest)) = text.split_once("://") else {
        let found = text.split_once(':').map_or("", |(scheme, _)| scheme);
        let is_scheme = found.bytes().all(|byte| byte.is_ascii_alphabetic());
        return Err(UrlError::Scheme(if is_scheme {
            excerpt(found)
        } else {
            String::new()
        }));
    };
    if scheme.eq_ignore_ascii_case("http") {
        Ok((Scheme::Http, rest))
    } else if scheme.eq_ignore_ascii_case("https") {
        Ok((Scheme::Https, rest))
    } else {
        Err(UrlError::Scheme(excerpt(scheme)))
    }
}

/// Path and query of what stands behind an authority; the fragment goes.
fn split_path(text: &str) -> (&str, Option<&str>) {
    let text = text.split_once('#').map_or(text, |(text, _)| text);
    match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    }
}

/// At most 60 characters of what was found.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// For fuzzing: what is read is in normal form, reads back as itself, and its references stay in it.
#[doc(hidden)]
pub fn fuzz_url(text: &str) {
    let (first, second) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(url) = Url::parse(first) else { return };
    check_normal(&url);
    if let Ok(joined) = url.join(second) {
        check_normal(&joined);
        let relative = !second.contains(':') && !second.starts_with("//");
        assert!(
            !relative || joined.origin() == url.origin(),
            "{second:?} left {url}"
        );
    }
}

fn check_normal(url: &Url) {
    let text = url.as_str();
    assert_eq!(Url::parse(text).as_ref(), Ok(url), "{text}");
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
    assert!(url.path().starts_with('/'), "{text}");
    assert!(
        url.path().split('/').all(|segment| dots(segment) == 0),
        "{text}"
    );
    assert_eq!(format!("{}{}", url.origin(), url.target()), text);
    // Our own reader of requests takes it for one target.
    let head = format!("GET {} HTTP/1.1\r\n\r\n", url.target());
    let limits = HeadLimits {
        head_bytes_max: head.len(),
        headers_max: 0,
    };
    let read = Head::new().try_parse(head.as_bytes(), &limits);
    assert_eq!(read, Ok(Some(head.len())), "{text}");
}

#[cfg(test)]
mod tests;
