//! Whether a response sends the request elsewhere, and whether it may go there.

use super::error::{ClientError, RedirectProblem};
use super::method::Method;
use super::request::Prepared;
use super::route::Redirects;
use super::url::{Scheme, Url};

/// What an answer's head means for the request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: it is the response.
    Respond,
    /// Go there.
    Follow(Box<Url>),
}

/// Decides by status and `Location` (RFC 9110 section 15.4), after `followed` redirects. A redirect status without
/// `Location` is a response like any other.
pub(super) fn next(
    status: u16,
    location: Option<&str>,
    method: Method,
    url: &Url,
    redirects: &Redirects,
    followed: u8,
) -> Result<Next, ClientError> {
    let max = match redirects {
        Redirects::Refuse => return Ok(Next::Respond),
        Redirects::SameOrigin { max } | Redirects::Listed { max, .. } => *max,
    };
    let Some(location) = location.filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308)) else {
        return Ok(Next::Respond);
    };
    let refused = |to: Option<Box<Url>>, problem| ClientError::Redirect {
        origin: url.origin(),
        status,
        to,
        problem,
    };
    let target = url
        .join(location.trim())
        .map_err(|error| refused(None, RedirectProblem::Location(error)))?;
    let problem = match redirects {
        _ if !matches!(method, Method::Get | Method::Head) => Some(RedirectProblem::Write(method)),
        Redirects::SameOrigin { .. } if target.origin() != url.origin() => {
            Some(RedirectProblem::OtherOrigin)
        }
        Redirects::Listed { .. }
            if url.scheme() == Scheme::Https && target.scheme() == Scheme::Http =>
        {
            Some(RedirectProblem::Downgrade)
        }
        Redirects::Listed { allowed, .. } if !allowed(&target) => Some(RedirectProblem::NotListed),
        _ if followed >= max => Some(RedirectProblem::TooMany(max)),
        _ => None,
    };
    match problem {
        None => Ok(Next::Follow(Box::new(target))),
        Some(problem) => Err(refused(Some(Box::new(target)), problem)),
    }
}

/// Points the request at `target`. What proves who asks stays with the origin it was meant for.
pub(super) fn turn(request: &mut Prepared, target: Url) {
    if target.origin() != request.url.origin() {
        let secrets = ["authorization", "cookie", "host"];
        request.headers.remove(&secrets);
    }
    request.url = target;
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::request::Request;
    use super::*;

    const HERE: &str = "https://a:8443/x/y?q";

    fn same() -> Redirects {
        Redirects::SameOrigin { max: 3 }
    }

    fn listed() -> Redirects {
        let allowed = Rc::new(|url: &Url| url.host() == "b" || url.host() == "a");
        Redirects::Listed { max: 3, allowed }
    }

    /// The target, `-` for a response, or the error's text.
    fn outcome(
        redirects: &Redirects,
        status: u16,
        method: Method,
        location: Option<&str>,
        followed: u8,
    ) -> String {
        let url = Url::parse(HERE).unwrap();
        match next(status, location, method, &url, redirects, followed) {
            Ok(Next::Follow(target)) => target.to_string(),
            Ok(Next::Respond) => "-".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[track_caller]
    fn check(redirects: &Redirects, location: &str, expected: &str) {
        let found = outcome(redirects, 302, Method::Get, Some(location), 0);
        assert!(found.contains(expected), "{location}: {found}");
    }

    #[test]
    fn only_these_statuses_with_a_location_redirect() {
        for status in [301, 302, 303, 307, 308] {
            assert_eq!(
                outcome(&same(), status, Method::Get, Some("/z"), 0),
                "https://a:8443/z"
            );
            assert_eq!(outcome(&same(), status, Method::Get, None, 0), "-");
            assert_eq!(
                outcome(&Redirects::Refuse, status, Method::Get, Some("/z"), 0),
                "-"
            );
        }
        for status in [200, 201, 300, 304, 305, 306, 309, 400] {
            assert_eq!(outcome(&same(), status, Method::Get, Some("/z"), 0), "-");
        }
    }

    #[test]
    fn within_the_origin() {
        check(&same(), "z", "https://a:8443/x/z");
        check(&same(), " z ", "https://a:8443/x/z");
        check(&same(), "https://A:8443/", "https://a:8443/");
        check(
            &same(),
            "https://a/",
            "to `https://a`, which is not followed; if that is the same service, the base URL should begin with `https://a`",
        );
        check(&same(), "//b:8443/", "to `https://b:8443`");
        check(&same(), "http://a:8443/", "to `http://a:8443`");
        check(
            &same(),
            "javascript:alert(1)",
            "to what is no URL: the scheme `javascript`",
        );
        check(
            &same(),
            "http://user:canary@a/",
            "to what is no URL: a user name",
        );
    }

    #[test]
    fn where_the_list_says() {
        check(&listed(), "https://b/z", "https://b/z");
        check(
            &listed(),
            "https://c/z?canary",
            "to `https://c`, which is not on the list",
        );
        check(
            &listed(),
            "http://b/",
            "from `https` to `http://b`, which is never followed",
        );
    }

    #[test]
    fn only_so_often() {
        for redirects in [same(), listed()] {
            assert_eq!(
                outcome(&redirects, 302, Method::Get, Some("/z"), 2),
                "https://a:8443/z"
            );
            let text = outcome(&redirects, 302, Method::Get, Some("/z"), 3);
            assert!(text.contains("again, after 3 of them"), "{text}");
        }
    }

    #[test]
    fn what_changes_something_is_not_sent_twice() {
        assert_eq!(
            outcome(&same(), 302, Method::Head, Some("/z"), 0),
            "https://a:8443/z"
        );
        for method in [
            Method::Post,
            Method::Put,
            Method::Patch,
            Method::Delete,
            Method::Options,
        ] {
            let text = outcome(&same(), 307, method, Some("/login"), 0);
            let expected =
                format!("to another place of its own, which is not followed for {method}");
            assert!(text.contains(&expected), "{text}");
            let text = outcome(&same(), 307, method, Some("https://b/"), 0);
            assert!(
                text.contains("the base URL should begin with `https://b`"),
                "{text}"
            );
        }
    }

    #[test]
    fn secrets_stay_with_their_origin() {
        let request = Request::get(Url::parse(HERE).unwrap())
            .header("Authorization", "Bearer canary")
            .header("Cookie", "canary")
            .header("Host", "a")
            .header("Accept", "x/y");
        let mut request = Prepared::new(request, None).unwrap();
        turn(&mut request, Url::parse("https://a:8443/other").unwrap());
        let has = |request: &Prepared, name| request.headers.value(name).is_some();
        assert!(has(&request, "authorization") && has(&request, "host"));
        turn(&mut request, Url::parse("https://b/").unwrap());
        assert_eq!(request.url.as_str(), "https://b/");
        assert!(has(&request, "accept") && !has(&request, "host"));
        let mut values = request.headers.iter().map(|(_, value)| value);
        assert!(!values.any(|value| value.ends_with("canary")));
    }
}
