//! Requests to the documentation's hosts, redirects included, and the text of what comes back.
//!
//! Redirects are followed here and not by the client: each target is held against the partition's list before anything is sent there,
//! also when hosts are reached at other places, and the answer names the page as the world knows it.

use std::fmt;

use crate::client::{
    Client, ClientError, Egress, Redirects, Request, Route, Timeouts, Url, UrlError,
};
use crate::sorted::SortedMap;

use super::{Partition, Settings};

/// Redirects followed for one page.
const REDIRECTS_MAX: usize = 20;

/// The first part of the `User-Agent` if nobody says otherwise: the hosts answer browsers.
const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";

/// The way to the documentation's hosts.
pub struct Upstream {
    client: Client,
    partition: Partition,
    hosts: SortedMap<String, String>,
    user_agent: String,
    route: Route,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Fetched {
    /// The status code.
    pub status: u16,
    /// `Content-Type`, empty without one.
    pub content_type: String,
    /// The body as text.
    pub text: String,
    /// Where it came from, as the world knows it.
    pub url: Url,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum FetchError {
    /// The request or the answer failed on its way.
    Client(ClientError),
    /// `aws.hosts` has no usable URL for a host.
    Mirror {
        /// The host.
        host: String,
        /// What is wrong with its URL.
        error: UrlError,
    },
    /// A redirect leads out of the documentation.
    NotAllowed {
        /// Where to.
        target: String,
    },
    /// More than `REDIRECTS_MAX` redirects.
    TooManyRedirects,
    /// The address cannot be asked for.
    Url(UrlError),
}

impl Upstream {
    pub(super) fn new(settings: Settings, client: Client) -> Upstream {
        let base = settings.user_agent.as_deref().unwrap_or(BROWSER);
        let version = env!("CARGO_PKG_VERSION");
        Upstream {
            client,
            partition: settings.partition,
            hosts: settings.hosts,
            user_agent: format!("{base} ModelContextProtocol/{version} (AWS Documentation Server)"),
            route: Route {
                timeouts: Timeouts {
                    connect: settings.timeout,
                    first_byte: settings.timeout,
                    total: settings.timeout,
                },
                body_bytes_max: settings.body_bytes_max,
                // See the module: a redirect is an answer to this side of the client.
                redirects: Redirects::Refuse,
                egress: Egress::Public,
                trust: settings.trust,
                user_agent: None,
            },
        }
    }

    /// Sends a request as it is. A redirect is an answer.
    pub(super) async fn send(&self, request: Request) -> Result<Fetched, FetchError> {
        let url = request.url.clone();
        let (location, egress) = self.place(&url)?;
        let mut request = request
            .header("Accept", "*/*")
            .header("User-Agent", &self.user_agent);
        request.url = location;
        let route = Route {
            egress,
            ..self.route.clone()
        };
        let response = self
            .client
            .send(request, &route)
            .await
            .map_err(FetchError::Client)?;
        let header = |name| response.headers.value(name).unwrap_or_default().to_owned();
        let content_type = header("content-type");
        Ok(Fetched {
            status: response.status,
            text: match is_redirect(response.status) {
                // What a redirect says is where it leads.
                true => header("location"),
                false => decode(&response.body, &content_type),
            },
            content_type,
            url,
        })
    }

    /// Gets a page with these headers, wherever it has moved to within the documentation.
    pub(super) async fn get(
        &self,
        url: Url,
        headers: &[(&str, &str)],
    ) -> Result<Fetched, FetchError> {
        let mut url = url;
        for _ in 0..=REDIRECTS_MAX {
            let request = Request::get(url.clone());
            let request = headers.iter().fold(request, |request, (name, value)| {
                request.header(name, value)
            });
            let fetched = self.send(request).await?;
            if !is_redirect(fetched.status) || fetched.text.is_empty() {
                return Ok(fetched);
            }
            url = self.target(&url, fetched.text.trim())?;
        }
        Err(FetchError::TooManyRedirects)
    }

    /// Where a redirect leads, if it may.
    fn target(&self, from: &Url, location: &str) -> Result<Url, FetchError> {
        let not_allowed = |target: &str| FetchError::NotAllowed {
            target: target.to_owned(),
        };
        // An absolute target is judged as it is written: two programs may read an odd one differently.
        let is_absolute = location.contains("://");
        let joined = from.join(location).map_err(|_| not_allowed(location))?;
        let written = if is_absolute {
            location
        } else {
            joined.as_str()
        };
        match self.partition.allows(written) && self.partition.allows(joined.as_str()) {
            true => Ok(joined),
            false => Err(not_allowed(written)),
        }
    }

    /// Where a host is reached: elsewhere if the operator says so, and then wherever that is; else on the public internet.
    fn place(&self, url: &Url) -> Result<(Url, Egress), FetchError> {
        let found = self
            .hosts
            .get(url.authority())
            .or_else(|| self.hosts.get(url.host()));
        let Some(mirror) = found else {
            return Ok((url.clone(), Egress::Public));
        };
        let base = mirror.trim_end_matches('/');
        let place = Url::parse(&format!("{base}{}", url.target()));
        let host = url.host();
        let mirror_error = |error| FetchError::Mirror {
            host: host.to_owned(),
            error,
        };
        Ok((place.map_err(mirror_error)?, Egress::Any))
    }
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// A body as text: in the charset that is named, if it is one of the few that are found, else UTF-8. What cannot be read becomes U+FFFD.
fn decode(body: &[u8], content_type: &str) -> String {
    let named = charset(content_type).to_ascii_lowercase().replace('_', "-");
    let of = |read: fn(u8) -> char| body.iter().map(|byte| read(*byte)).collect();
    match named.as_str() {
        "iso-8859-1" | "iso8859-1" | "latin-1" | "latin1" | "l1" => of(char::from),
        "windows-1252" | "cp1252" => of(windows_1252),
        "us-ascii" | "ascii" => of(|byte| {
            if byte.is_ascii() {
                char::from(byte)
            } else {
                char::REPLACEMENT_CHARACTER
            }
        }),
        _ => String::from_utf8_lossy(body).into_owned(),
    }
}

/// The `charset` of a content type, empty without one.
fn charset(content_type: &str) -> &str {
    let mut parameters = content_type
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='));
    let found = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    found.map_or("", |(_, value)| value.trim().trim_matches('"'))
}

fn windows_1252(byte: u8) -> char {
    /// 0x80 to 0x9f; five of them mean nothing.
    const HIGH: [char; 32] = [
        '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž',
        '\u{fffd}', '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ',
        '\u{fffd}', 'ž', 'Ÿ',
    ];
    let high = byte
        .checked_sub(0x80)
        .and_then(|at| HIGH.get(usize::from(at)));
    high.copied().unwrap_or(char::from(byte))
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FetchError::Client(error @ ClientError::TooLarge { .. }) => {
                write!(f, "{error}; the limit is `limits.upstream_bytes`")
            }
            FetchError::Client(error) => error.fmt(f),
            FetchError::Mirror { host, error } => write!(f, "`aws.hosts` for `{host}`: {error}"),
            FetchError::NotAllowed { target } => {
                write!(
                    f,
                    "Refusing to follow redirect to non-allowlisted URL: {target}"
                )
            }
            FetchError::TooManyRedirects => f.write_str("Exceeded maximum allowed redirects."),
            FetchError::Url(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FetchError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{ClientSettings, Trust};
    use std::time::Duration;

    fn upstream(hosts: &[(&str, &str)]) -> Upstream {
        let settings = Settings {
            partition: Partition::Aws,
            user_agent: None,
            hosts: hosts
                .iter()
                .map(|(host, url)| (host.to_string(), url.to_string()))
                .collect(),
            timeout: Duration::from_secs(30),
            body_bytes_max: 1 << 20,
            trust: Trust::standard(),
        };
        Upstream::new(settings, Client::new(ClientSettings::default()))
    }

    #[track_caller]
    fn check_target(location: &str, expected: Result<&str, &str>) {
        let from = Url::parse("https://docs.aws.amazon.com/a/b.html?session=1").unwrap();
        let target = upstream(&[]).target(&from, location);
        let target = target
            .as_ref()
            .map(Url::as_str)
            .map_err(|error| match error {
                FetchError::NotAllowed { target } => target.as_str(),
                _ => panic!("{error}"),
            });
        assert_eq!(target, expected, "{location}");
    }

    #[test]
    fn redirects_stay_within_the_documentation() {
        check_target("/c", Ok("https://docs.aws.amazon.com/c"));
        check_target("c?d=1#e", Ok("https://docs.aws.amazon.com/a/c?d=1"));
        check_target(
            "http://docs.aws.amazon.com/c",
            Ok("http://docs.aws.amazon.com/c"),
        );
        check_target(
            "//docs.aws.amazon.com/c",
            Ok("https://docs.aws.amazon.com/c"),
        );
        check_target("//e.example/c", Err("https://e.example/c"));
        for refused in [
            "https://e.example/",
            "https://docs.aws.amazon.com:8443/",
            "https://DOCS.aws.amazon.com/",
            "https://u@docs.aws.amazon.com/",
            "https://docs.aws.amazon.com.e.example/",
            "file:///etc/passwd",
        ] {
            check_target(refused, Err(refused));
        }
    }

    #[test]
    fn hosts_may_be_elsewhere() {
        let upstream = upstream(&[("docs.aws.amazon.com", "http://127.0.0.1:9/mirror/")]);
        let place = |url| {
            let (place, egress) = upstream.place(&Url::parse(url).unwrap()).unwrap();
            (place.as_str().to_owned(), egress)
        };
        let mirrored = ("http://127.0.0.1:9/mirror/x?y".to_owned(), Egress::Any);
        assert_eq!(place("https://docs.aws.amazon.com/x?y"), mirrored);
        let other = (
            "https://proxy.search.docs.aws.com/x".to_owned(),
            Egress::Public,
        );
        assert_eq!(place("https://proxy.search.docs.aws.com/x"), other);
    }

    #[test]
    fn what_is_not_on_the_public_internet_is_not_asked() {
        // As if a name of the documentation led there: only what `aws.hosts` maps may.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in [
            "127.0.0.1",
            "localhost",
            "[::1]",
            "10.0.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "[fd00::1]",
        ] {
            let url = Url::parse(&format!("http://{host}:{port}/a.html")).unwrap();
            let error = crate::rt::run(upstream(&[]).send(Request::get(url))).unwrap_err();
            assert!(
                matches!(
                    error,
                    FetchError::Client(ClientError::PrivateAddress { .. })
                ),
                "{host}: {error}"
            );
        }
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err());
    }

    #[test]
    fn charsets() {
        for (content_type, bytes, expected) in [
            ("text/html; charset=ISO-8859-1", &b"\xe9\x80"[..], "é\u{80}"),
            (
                "text/html;charset=\"windows-1252\"",
                b"\x80\x81",
                "€\u{fffd}",
            ),
            ("text/html; charset=us-ascii", b"a\xe9", "a\u{fffd}"),
            ("text/html; charset=x-unheard-of", b"\xc3\xa9", "é"),
            ("text/html", b"\xef\xbb\xbfa\xff", "\u{feff}a\u{fffd}"),
        ] {
            assert_eq!(decode(bytes, content_type), expected, "{content_type}");
        }
    }
}
