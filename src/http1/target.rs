//! Request targets (RFC 9112 section 3.2): which of the four forms, and where path, query and
//! authority are in it.

use super::host::Host;
use super::method::Method;
use std::ops::Range;

/// Where a target's parts are, as ranges of the target. An empty path stands for `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    /// The path without query, not percent-decoded.
    pub(super) path: Range<usize>,
    /// What follows the first `?`.
    pub(super) query: Option<Range<usize>>,
    /// The authority of an absolute-form or authority-form target.
    pub(super) authority: Option<Range<usize>>,
    /// `OPTIONS *`, or `OPTIONS` on an absolute target without a path (RFC 9112 section 3.2.4).
    pub(super) is_asterisk: bool,
}

impl Target {
    /// Reads a target; `None` if it has no valid form for `method`.
    pub(super) fn parse(target: &str, method: Method) -> Option<Target> {
        if target.is_empty() {
            return None;
        }
        let mut query_start = None;
        for (at, byte) in target.bytes().enumerate() {
            // Bytes outside visible ASCII never belong into a target, and a client must keep the
            // fragment to itself.
            if !byte.is_ascii_graphic() || byte == b'#' {
                return None;
            }
            if byte == b'?' && query_start.is_none() {
                query_start = Some(at);
            }
        }
        if method == Method::Connect {
            let host = Host::parse(target).ok()?;
            host.port?;
            return Some(Target {
                authority: Some(0..target.len()),
                ..Target::default()
            });
        }
        if target == "*" {
            return (method == Method::Options).then_some(Target {
                path: 0..1,
                is_asterisk: true,
                ..Target::default()
            });
        }
        let path_start = if target.starts_with('/') {
            0
        } else {
            authority_end(target)?
        };
        let path = path_start..query_start.unwrap_or(target.len());
        let authority = if path_start == 0 {
            None
        } else {
            Some(authority_start(target)?..path_start)
        };
        if let Some(range) = &authority {
            Host::parse(target.get(range.clone())?).ok()?;
        }
        Some(Target {
            is_asterisk: method == Method::Options && path.is_empty() && query_start.is_none(),
            path,
            query: query_start.map(|at| at.saturating_add(1)..target.len()),
            authority,
        })
    }
}

/// Where the authority of an absolute-form target starts; only our own two schemes have one.
fn authority_start(target: &str) -> Option<usize> {
    let (scheme, _) = target.split_once("://")?;
    (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
        .then_some(scheme.len().saturating_add(3))
}

fn authority_end(target: &str) -> Option<usize> {
    let start = authority_start(target)?;
    Some(
        target
            .get(start..)?
            .find(['/', '?'])
            .map_or(target.len(), |at| start.saturating_add(at)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `expected`: path, query, authority.
    #[track_caller]
    fn check(method: Method, text: &str, expected: Option<(&str, Option<&str>, Option<&str>)>) {
        let target = Target::parse(text, method);
        let parts = target.as_ref().map(|target| {
            let part = |range: &Range<usize>| &text[range.clone()];
            (
                part(&target.path),
                target.query.as_ref().map(part),
                target.authority.as_ref().map(part),
            )
        });
        assert_eq!(parts, expected, "{method:?} {text:?}");
    }

    #[test]
    fn origin_form() {
        check(Method::Get, "/", Some(("/", None, None)));
        check(
            Method::Get,
            "/a%2Fb?x=1?y",
            Some(("/a%2Fb", Some("x=1?y"), None)),
        );
        check(Method::Get, "/?", Some(("/", Some(""), None)));
        check(
            Method::Get,
            "//evil.example/x",
            Some(("//evil.example/x", None, None)),
        );
        check(Method::Get, "/a#b", None);
        check(Method::Get, "/ä", None);
        check(Method::Get, "/a\x01", None);
        check(Method::Get, "", None);
        check(Method::Get, "a", None);
        check(Method::Get, "?a", None);
    }

    #[test]
    fn absolute_form() {
        check(
            Method::Get,
            "http://a:1/p?q",
            Some(("/p", Some("q"), Some("a:1"))),
        );
        check(Method::Get, "HTTPS://a", Some(("", None, Some("a"))));
        check(Method::Get, "http://a?q", Some(("", Some("q"), Some("a"))));
        check(Method::Get, "http://u@a/", None);
        check(Method::Get, "http:///p", None);
        check(Method::Get, "ftp://a/", None);
        check(Method::Get, "http:/a", None);
    }

    #[test]
    fn asterisk_and_authority_form_belong_to_one_method_each() {
        check(Method::Options, "*", Some(("*", None, None)));
        check(Method::Get, "*", None);
        check(Method::Options, "*a", None);
        check(Method::Connect, "a:443", Some(("", None, Some("a:443"))));
        check(Method::Connect, "a", None);
        check(Method::Connect, "/", None);
        check(Method::Get, "a:443", None);
        assert!(
            Target::parse("http://a", Method::Options).is_some_and(|target| target.is_asterisk)
        );
        assert!(
            Target::parse("http://a/", Method::Options).is_some_and(|target| !target.is_asterisk)
        );
    }
}
