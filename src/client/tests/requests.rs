//! What goes out, and where redirects lead.

use std::io::Write as _;
use std::net::SocketAddr;
use std::rc::Rc;

use super::super::{ClientError, Method, Redirects, Request, Route, Url};
use super::upstream::{get, header, ok, outcome, patient, read_request, send, upstream, url};
use crate::metrics::UpstreamOutcome;

/// An upstream that answers with the request it got.
fn echo() -> SocketAddr {
    upstream(|_, mut stream| {
        loop {
            let request = read_request(&mut stream);
            if request.is_empty() || stream.write_all(&ok(&request)).is_err() {
                return;
            }
        }
    })
}

fn echoed(request: Request, route: Route) -> String {
    String::from_utf8(send(request, route).unwrap().body).unwrap()
}

#[test]
fn a_request_says_what_it_must_and_no_more() {
    let addr = echo();
    let request = echoed(Request::get(url(addr)), patient());
    assert!(
        request.starts_with("GET /canary?canary=1 HTTP/1.1\r\n"),
        "{request}"
    );
    assert_eq!(header(&request, "host"), Some(addr.to_string().as_str()));
    assert_eq!(header(&request, "accept-encoding"), Some("gzip"));
    assert_eq!(
        header(&request, "user-agent"),
        Some(concat!("siskin/", env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(header(&request, "content-length"), None);
    assert_eq!(request.lines().count(), 5, "{request}");
}

#[test]
fn the_callers_headers_come_first() {
    let route = Route {
        user_agent: Some("of the route".into()),
        ..patient()
    };
    let addr = echo();
    let request = echoed(Request::get(url(addr)), route.clone());
    assert_eq!(header(&request, "user-agent"), Some("of the route"));
    let own = Request::get(url(addr))
        .header("User-Agent", "of the request")
        .header("Accept-Encoding", "identity")
        .header("Host", "other.test")
        .header("X-Twice", "1")
        .header("X-Twice", "2");
    let request = echoed(own, route);
    assert_eq!(header(&request, "user-agent"), Some("of the request"));
    assert_eq!(header(&request, "accept-encoding"), Some("identity"));
    assert_eq!(header(&request, "host"), Some("other.test"));
    assert!(
        request.contains("x-twice: 1\r\nx-twice: 2\r\n"),
        "{request}"
    );
}

#[test]
fn bodies_have_a_length() {
    for (method, body, expected) in [
        (Method::Post, "hello", Some("5")),
        (Method::Put, "hello", Some("5")),
        (Method::Delete, "hello", Some("5")),
        (Method::Post, "", Some("0")),
        (Method::Patch, "", Some("0")),
        (Method::Delete, "", None),
        (Method::Options, "", None),
    ] {
        let request = Request::new(method, url(echo())).body(body);
        let request = echoed(request, patient());
        assert!(request.starts_with(method.as_str()), "{request}");
        assert_eq!(header(&request, "content-length"), expected, "{method}");
        assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
    }
}

#[test]
fn headers_that_would_break_the_message_are_refused_without_their_value() {
    let unreachable = "127.0.0.1:1".parse().unwrap();
    for (name, value) in [
        ("X-Y", "canary\r\nEvil: 1"),
        ("X-Y", "canary\n"),
        ("X-Y", "canary\0"),
        ("X-Y", "canary \u{e9}"),
        ("X Y", "canary"),
        ("X:Y", "canary"),
        ("", "canary"),
        ("X\r\nY", "canary"),
        ("Content-Length", "3"),
        ("transfer-encoding", "chunked"),
        ("Connection", "upgrade"),
    ] {
        let error = send(
            Request::get(url(unreachable)).header(name, value),
            patient(),
        )
        .unwrap_err();
        assert_eq!(error, ClientError::Header(name.to_owned()));
        assert_eq!(error.outcome(), UpstreamOutcome::Refused);
        let text = error.to_string();
        assert!(!text.contains("canary") && !text.contains('\r'), "{text}");
    }
}

/// An upstream that sends `/canary…` on to `location`, and answers everything else with its path.
fn redirecting(location: String) -> SocketAddr {
    upstream(move |_, mut stream| {
        loop {
            let request = read_request(&mut stream);
            let path = request.split(' ').nth(1).unwrap_or_default();
            let answer = match path {
                "" => return,
                path if path.starts_with("/canary") => format!(
                    "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 4\r\n\r\nthen"
                )
                .into_bytes(),
                _ => ok(&request),
            };
            if stream.write_all(&answer).is_err() {
                return;
            }
        }
    })
}

#[test]
fn a_redirect_within_the_origin_is_followed_on_the_same_connection() {
    let addr = redirecting("/there?x=y#z".to_owned());
    let response = send(get(addr), patient()).unwrap();
    assert_eq!(response.url.as_str(), format!("http://{addr}/there?x=y"));
    let request = String::from_utf8(response.body).unwrap();
    assert!(
        request.starts_with("GET /there?x=y HTTP/1.1\r\n"),
        "{request}"
    );
    assert_eq!(header(&request, "authorization"), Some("Bearer canary"));
}

#[test]
fn a_loop_of_redirects_ends() {
    let text = outcome(send(get(redirecting("/canary".to_owned())), patient()));
    assert!(
        text.contains("answered with a redirect (302) again, after 3 of them"),
        "{text}"
    );
}

#[test]
fn elsewhere_needs_the_list_and_takes_no_secret() {
    let there = echo();
    let location = format!("http://{there}/there?canary");
    let addr = redirecting(location.clone());
    let text = outcome(send(get(addr), patient()));
    assert!(
        text.contains(&format!("the base URL should begin with `http://{there}`")),
        "{text}"
    );

    let listed = |port| Route {
        redirects: Redirects::Listed {
            max: 1,
            allowed: Rc::new(move |url: &Url| url.port() == port),
        },
        ..patient()
    };
    let response = send(get(addr), listed(there.port())).unwrap();
    assert_eq!(response.url.as_str(), location);
    let request = String::from_utf8(response.body).unwrap();
    assert_eq!(header(&request, "authorization"), None);
    assert_eq!(header(&request, "host"), Some(there.to_string().as_str()));

    let error = send(get(addr), listed(1)).unwrap_err();
    assert_eq!(error.outcome(), UpstreamOutcome::Refused);
    let ClientError::Redirect { to: Some(to), .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(to.as_str(), location);
    assert!(outcome(Err(error)).contains("is not on the list"));
}

#[test]
fn a_write_is_not_redirected_and_with_refuse_nothing_is() {
    let addr = redirecting("/login".to_owned());
    let post = Request::new(Method::Post, url(addr)).body("canary");
    let text = outcome(send(post, patient()));
    assert!(text.contains("not followed for POST"), "{text}");
    let route = Route {
        redirects: Redirects::Refuse,
        ..patient()
    };
    let response = send(get(addr), route).unwrap();
    assert_eq!(
        (response.status, response.headers.value("location")),
        (302, Some("/login"))
    );
    assert_eq!(response.body, b"then");
}
