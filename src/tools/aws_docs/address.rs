//! Which addresses may be asked for, how parameters are added, and when two of them are one page.

use crate::client::{Url, UrlError};

use super::Partition;

impl Partition {
    /// The hosts whose pages are documentation.
    pub fn hosts(self) -> &'static [&'static str] {
        match self {
            Partition::Aws => &[
                "docs.aws.amazon.com",
                "awsdocs-neuron.readthedocs-hosted.com",
            ],
            Partition::AwsCn => &["docs.amazonaws.cn"],
        }
    }

    /// Whether an address begins as the documentation's do: no port, no user name, no capital letters.
    pub fn allows(self, url: &str) -> bool {
        let rest = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"));
        let begins = |rest: &str, host: &str| {
            rest.strip_prefix(host)
                .is_some_and(|path| path.starts_with('/'))
        };
        rest.is_some_and(|rest| self.hosts().iter().any(|host| begins(rest, host)))
    }
}

/// Adds parameters to an address as somebody wrote it. A query that it has stays in front; a fragment, which never reaches a server,
/// goes. Names and values are encoded already.
pub fn with_parameters(url: &str, parameters: &[(&str, &str)]) -> Result<Url, UrlError> {
    let mut text = url.split('#').next().unwrap_or_default().to_owned();
    let mut separator = if text.contains('?') { '&' } else { '?' };
    for (name, value) in parameters {
        text.push(separator);
        text.push_str(name);
        text.push('=');
        text.push_str(value);
        separator = '&';
    }
    Url::parse(&text)
}

/// An address without its query.
pub fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}

/// Whether the page that was asked for is the one that answered: same host, same path but for `index.html`, escapes and slashes that
/// say nothing.
pub fn is_same_page(requested: &str, served: &Url) -> bool {
    let Ok(requested) = Url::parse(requested) else {
        return false;
    };
    requested.host() == served.host() && cleaned(requested.path()) == cleaned(served.path())
}

fn cleaned(path: &str) -> Vec<u8> {
    let decoded = percent_decode(path);
    let mut segments: Vec<&[u8]> = Vec::new();
    for segment in decoded.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => (),
            b".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    if segments
        .last()
        .is_some_and(|last| last.eq_ignore_ascii_case(b"index.html"))
    {
        segments.pop();
    }
    segments.join(&b'/')
}

/// The bytes behind `%xx`; what is no such escape stays.
fn percent_decode(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let octet = |high: u8, low: u8| u8::try_from((digit(high)? << 4) | digit(low)?).ok();
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [byte, behind @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, behind @ ..] => octet(*high, *low).map(|byte| (byte, behind)),
            _ => None,
        };
        let (byte, behind) = escaped.unwrap_or((*byte, behind));
        out.push(byte);
        rest = behind;
    }
    out
}

/// Percent-encodes all but letters, digits, `-._~` and what is in `safe`.
pub fn encode(text: &str, safe: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || c.is_ascii() && safe.contains(c) {
            out.push(c);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_beginnings() {
        for (url, allowed) in [
            ("https://docs.aws.amazon.com/x", true),
            ("http://awsdocs-neuron.readthedocs-hosted.com/", true),
            ("https://docs.aws.amazon.com", false),
            ("https://docs.aws.amazon.com.example/", false),
            ("https://docs.aws.amazon.com:443/", false),
            ("https://u@docs.aws.amazon.com/", false),
            ("https://Docs.aws.amazon.com/", false),
            ("ftp://docs.aws.amazon.com/", false),
            (" https://docs.aws.amazon.com/", false),
            ("https://docs.amazonaws.cn/", false),
        ] {
            assert_eq!(Partition::Aws.allows(url), allowed, "{url}");
        }
        assert!(Partition::AwsCn.allows("https://docs.amazonaws.cn/x"));
        assert!(!Partition::AwsCn.allows("https://docs.aws.amazon.com/x"));
    }

    #[test]
    fn parameters_go_where_they_belong() {
        for (url, expected) in [
            (
                "https://h.x/a b/../c.html",
                "https://h.x/c.html?s=1&t=a%20b",
            ),
            ("https://h.x/c?d=.html", "https://h.x/c?d=.html&s=1&t=a%20b"),
            ("https://h.x/c#d.html", "https://h.x/c?s=1&t=a%20b"),
        ] {
            let parameters = [("s", "1"), ("t", &encode("a b", ""))];
            assert_eq!(
                with_parameters(url, &parameters).unwrap().as_str(),
                expected
            );
        }
        assert!(with_parameters("https://h.x/\n.html", &[]).is_err());
    }

    #[test]
    fn the_same_page_in_other_words() {
        for (requested, served, same) in [
            ("https://h.x/a/index.html", "https://h.x/a/", true),
            ("https://h.x/a/INDEX.HTML", "https://h.x/a", true),
            ("http://h.x/a//b/./c.html", "https://h.x/a/b/c.html", true),
            ("https://h.x/%7Ea/%C3%A9", "https://h.x/~a/é", true),
            ("https://h.x/a/b.html", "https://h.x/a/c.html", false),
            ("https://h.x/a", "https://g.x/a", false),
            ("https://h.x/a", "https://h.x/A", false),
        ] {
            let served = Url::parse(served).unwrap();
            assert_eq!(
                is_same_page(requested, &served),
                same,
                "{requested} {served}"
            );
        }
    }

    #[test]
    fn encoding() {
        assert_eq!(encode("a/b é*&~", ""), "a%2Fb%20%C3%A9%2A%26~");
        assert_eq!(encode("a/b é", "/"), "a/b%20%C3%A9");
    }
}
