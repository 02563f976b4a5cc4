//! Which `Origin` a request may come from: the rule for pages in browsers.
//!
//! MCP servers must validate `Origin` (2025-06-18 basic/transports, "Security Warning") and answer 403 to others
//! (2025-11-25, same place). Requests without one do not come from a page's script and pass.

use std::fmt;

use super::host::{HostPort, Reach, parse_port, shown};

/// The rule of one listener.
#[derive(Clone, Debug)]
pub struct OriginRule {
    allowed: Vec<OriginPattern>,
    /// On a loopback listener the page we are asked from may be our own.
    own_is_allowed: bool,
}

/// One entry of `server.allowed_origins`: `https://app.example`, `http://localhost:*`, `null` or `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum OriginPattern {
    Any,
    AnyPort { scheme: String, host: String },
    Exactly(Origin),
    Null,
}

/// Why an entry of `server.allowed_origins` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnOrigin(String);

impl fmt::Display for NotAnOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.escape_debug();
        write!(
            f,
            "`{text}` is not an origin, expected `https://app.example`, `http://localhost:*`, `null` or `*`"
        )
    }
}

impl std::error::Error for NotAnOrigin {}

/// An origin that was let in, fit for a response header: its text has been checked byte by byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowedOrigin<'a>(&'a str);

impl<'a> AllowedOrigin<'a> {
    /// As the client wrote it, which is how a browser compares it.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

/// The request comes from a page that is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginRefusal {
    origin: String,
}

impl OriginRule {
    /// The rule of a listener with this reach.
    ///
    /// # Errors
    /// The first entry of `allowed` that is not an origin.
    pub fn new(reach: Reach, allowed: &[String]) -> Result<Self, NotAnOrigin> {
        let allowed = allowed
            .iter()
            .map(|text| OriginPattern::parse(text))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            allowed,
            own_is_allowed: reach == Reach::Loopback,
        })
    }

    /// Decides on the value of `Origin`; `host` is that of `Host`, checked before. `None` without an origin.
    ///
    /// # Errors
    /// The refusal to answer with.
    pub fn admit<'a>(
        &self,
        origin: Option<&'a str>,
        host: Option<&str>,
    ) -> Result<Option<AllowedOrigin<'a>>, OriginRefusal> {
        let Some(text) = origin else { return Ok(None) };
        let refusal = || OriginRefusal {
            origin: shown(text),
        };
        if text == "null" {
            let is_allowed = self
                .allowed
                .iter()
                .any(|one| matches!(one, OriginPattern::Any | OriginPattern::Null));
            return if is_allowed {
                Ok(Some(AllowedOrigin(text)))
            } else {
                Err(refusal())
            };
        }
        let parsed = Origin::parse(text).ok_or_else(refusal)?;
        let is_allowed =
            self.allowed.iter().any(|one| one.matches(&parsed)) || self.is_own(&parsed, host);
        if is_allowed {
            Ok(Some(AllowedOrigin(text)))
        } else {
            Err(refusal())
        }
    }

    /// Whether `origin` is the page of the very host that is asked, under a loopback name. The name matters: with a
    /// host check that was widened, a rebound name would be its own host too.
    fn is_own(&self, origin: &Origin, host: Option<&str>) -> bool {
        let Some(host) = host.and_then(HostPort::parse) else {
            return false;
        };
        let is_same =
            origin.host == host.name && origin.port == host.port.or(default_port(&origin.scheme));
        self.own_is_allowed && is_same && host.is_loopback()
    }
}

impl OriginRefusal {
    /// 403 Forbidden.
    pub const STATUS: u16 = 403;

    /// The answer's body.
    #[must_use]
    pub fn body(&self) -> String {
        super::error_body(&self.to_string())
    }
}

impl fmt::Display for OriginRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "origin `{}` is not allowed, add it to `server.allowed_origins`",
            self.origin
        )
    }
}

impl OriginPattern {
    fn parse(text: &str) -> Result<Self, NotAnOrigin> {
        match text {
            "*" => return Ok(Self::Any),
            "null" => return Ok(Self::Null),
            _ => (),
        }
        let (fixed, is_any_port) = text
            .strip_suffix(":*")
            .map_or((text, false), |fixed| (fixed, true));
        let origin = Origin::parse(fixed).ok_or_else(|| NotAnOrigin(text.into()))?;
        // `http://x:80:*` has two ports.
        let has_port = fixed
            .rsplit_once(':')
            .is_some_and(|(_, port)| parse_port(port).is_some());
        match is_any_port {
            true if has_port => Err(NotAnOrigin(text.into())),
            true => Ok(Self::AnyPort {
                scheme: origin.scheme,
                host: origin.host,
            }),
            false => Ok(Self::Exactly(origin)),
        }
    }

    fn matches(&self, origin: &Origin) -> bool {
        match self {
            Self::Any => true,
            Self::AnyPort { scheme, host } => *scheme == origin.scheme && *host == origin.host,
            Self::Exactly(exactly) => exactly == origin,
            Self::Null => false,
        }
    }
}

/// A serialised origin, RFC 6454 6.2: `scheme "://" host [ ":" port ]`, the default port filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if !is_scheme {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let HostPort { name, port } = HostPort::parse(authority)?;
        Some(Self {
            port: port.or(default_port(&scheme)),
            scheme,
            host: name,
        })
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reach: Reach, allowed: &[&str], origin: &str, host: &str, is_admitted: bool) {
        let allowed: Vec<String> = allowed.iter().map(|&text| text.into()).collect();
        let rule = OriginRule::new(reach, &allowed).unwrap();
        let got = rule.admit(Some(origin), Some(host));
        assert_eq!(got.is_ok(), is_admitted, "{origin} at {host}");
        if let Ok(Some(allowed)) = got {
            assert_eq!(allowed.as_str(), origin);
        }
    }

    #[test]
    fn no_origin_is_no_page() {
        assert_eq!(
            OriginRule::new(Reach::Network, &[])
                .unwrap()
                .admit(None, None),
            Ok(None)
        );
    }

    #[test]
    fn listed_origins_match_exactly() {
        let listed = ["https://app.example", "http://dev.example:3000"];
        for (origin, is_admitted) in [
            ("https://app.example", true),
            ("https://app.example:443", true),
            ("HTTPS://APP.example", true),
            ("https://app.example:444", false),
            ("http://app.example", false),
            ("https://app.example.evil.example", false),
            ("https://evil.example/https://app.example", false),
            ("https://app.example/", false),
            ("https://user@app.example", false),
            ("http://dev.example:3000", true),
            ("http://dev.example", false),
            ("null", false),
            ("", false),
            ("app.example", false),
            ("https://", false),
            ("https://app.example https://app.example", false),
            ("https://app.example\r\nx: y", false),
        ] {
            check(Reach::Network, &listed, origin, "siskin.lan", is_admitted);
        }
    }

    #[test]
    fn wildcards() {
        check(
            Reach::Network,
            &["http://localhost:*"],
            "http://localhost:6274",
            "x",
            true,
        );
        check(
            Reach::Network,
            &["http://localhost:*"],
            "http://localhost",
            "x",
            true,
        );
        check(
            Reach::Network,
            &["http://localhost:*"],
            "https://localhost:6274",
            "x",
            false,
        );
        check(
            Reach::Network,
            &["http://localhost:*"],
            "http://localhost.evil.example:1",
            "x",
            false,
        );
        check(
            Reach::Network,
            &["http://[::1]:*"],
            "http://[::1]:1",
            "x",
            true,
        );
        check(
            Reach::Network,
            &["*"],
            "https://anything.example",
            "x",
            true,
        );
        check(Reach::Network, &["*"], "null", "x", true);
        check(Reach::Network, &["*"], "not an origin", "x", false);
        check(Reach::Network, &["null"], "null", "x", true);
        check(
            Reach::Network,
            &["null"],
            "https://anything.example",
            "x",
            false,
        );
        check(
            Reach::Network,
            &["vscode-webview://1abc"],
            "vscode-webview://1abc",
            "x",
            true,
        );
        check(
            Reach::Network,
            &["vscode-webview://1abc"],
            "vscode-webview://1abd",
            "x",
            false,
        );
    }

    #[test]
    fn our_own_page_is_let_in_under_a_loopback_name_only() {
        check(
            Reach::Loopback,
            &[],
            "http://localhost:8000",
            "localhost:8000",
            true,
        );
        check(
            Reach::Loopback,
            &[],
            "http://localhost:8001",
            "localhost:8000",
            false,
        );
        check(Reach::Loopback, &[], "http://localhost", "localhost", true);
        check(
            Reach::Loopback,
            &[],
            "http://localhost",
            "localhost:80",
            true,
        );
        check(
            Reach::Loopback,
            &[],
            "http://127.0.0.1:8000",
            "localhost:8000",
            false,
        );
        check(
            Reach::Loopback,
            &[],
            "http://[::1]:8000",
            "[::1]:8000",
            true,
        );
        check(
            Reach::Loopback,
            &[],
            "http://rebound.example:8000",
            "rebound.example:8000",
            false,
        );
        check(
            Reach::Network,
            &[],
            "http://localhost:8000",
            "localhost:8000",
            false,
        );
        check(Reach::Loopback, &[], "null", "localhost:8000", false);
    }

    #[test]
    fn entries_that_are_not_origins_are_told() {
        for text in [
            "",
            "app.example",
            "http://",
            "http://x/",
            "http://*.x",
            "http://x:80:*",
            "http://x:y",
            "1://x",
        ] {
            let error = OriginRule::new(Reach::Network, &[text.into()]).unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("`{text}` is not an origin")),
                "{error}"
            );
        }
    }

    #[test]
    fn the_refusal_names_the_key() {
        let rule = OriginRule::new(Reach::Network, &[]).unwrap();
        let refusal = rule.admit(Some("http://evil\n.example"), None).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "origin `http://evil\\n.example` is not allowed, add it to `server.allowed_origins`"
        );
        assert!(serde_json::from_str::<serde_json::Value>(&refusal.body()).is_ok());
    }
}
