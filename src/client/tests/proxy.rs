//! Proxies that help, refuse and talk nonsense.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};

use super::super::{Client, ClientError, ClientSettings, Egress, Proxies, Request, Route, Url};
use super::upstream::{answering, header, ok, outcome, patient, read_request, upstream};
use crate::metrics::UpstreamOutcome;
use crate::rt;
use crate::sorted::SortedMap;

/// A client whose every request goes through `proxy`, with a user and password.
pub fn behind(proxy: SocketAddr) -> Client {
    let value = format!("http://user:pass%20word@{proxy}");
    let env = SortedMap::from([("ALL_PROXY".to_owned(), value)]);
    Client::new(ClientSettings {
        proxies: Proxies::from_env(&env),
        ..ClientSettings::default()
    })
}

fn ask(proxy: SocketAddr, url: &str, route: &Route) -> Result<super::super::Response, ClientError> {
    let request = Request::get(Url::parse(url).unwrap());
    rt::run(async { behind(proxy).send(request, route).await })
}

#[test]
fn plain_http_names_the_whole_url() {
    let proxy = upstream(|_, mut stream| {
        let request = read_request(&mut stream);
        stream.write_all(&ok(&request)).unwrap();
    });
    let response = ask(proxy, "http://upstream.test:8080/a?b", &patient()).unwrap();
    let request = String::from_utf8(response.body).unwrap();
    assert!(
        request.starts_with("GET http://upstream.test:8080/a?b HTTP/1.1\r\n"),
        "{request}"
    );
    assert_eq!(header(&request, "host"), Some("upstream.test:8080"));
    assert_eq!(
        header(&request, "proxy-authorization"),
        Some("Basic dXNlcjpwYXNzIHdvcmQ=")
    );
    assert_eq!(response.url.as_str(), "http://upstream.test:8080/a?b");
}

#[test]
fn a_proxy_that_wants_other_credentials() {
    let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
    for url in [
        "http://upstream.test/?canary",
        "https://upstream.test/?canary",
    ] {
        if url.starts_with("https") && !rt::tls::IS_BUILT_IN {
            continue;
        }
        let proxy = answering(answer);
        let error = ask(proxy, url, &patient()).unwrap_err();
        assert_eq!(error.outcome(), UpstreamOutcome::ConnectError);
        let text = outcome(Err(error));
        assert!(
            text.contains(&format!("the proxy `{proxy}` wants a user and password")),
            "{text}"
        );
    }
}

#[cfg(feature = "tls")]
#[test]
fn a_proxy_that_does_not_open_a_way() {
    for (answer, expected) in [
        (
            "HTTP/1.1 403 Forbidden\r\n\r\n",
            "refused the connection with status 403",
        ),
        (
            "HTTP/1.0 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad",
            "with status 502",
        ),
        ("SSH-2.0-x\r\n\r\n", "does not speak HTTP"),
        ("HTTP/1.1 200 OK\r\n\r\nhello", "does not speak HTTP"),
        ("HTTP/1.1 200 OK\r\nX: ", "does not speak HTTP"),
        ("", "does not speak HTTP"),
    ] {
        let text = outcome(ask(
            answering(answer),
            "https://upstream.test/?canary",
            &patient(),
        ));
        assert!(text.contains(expected), "{answer:?}: {text}");
    }
    let flood = upstream(|_, mut stream| {
        read_request(&mut stream);
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let text = outcome(ask(flood, "https://upstream.test/", &patient()));
    assert!(text.contains("does not speak HTTP"), "{text}");
}

#[test]
fn a_proxy_that_is_not_there() {
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let text = outcome(ask(gone, "http://upstream.test/", &patient()));
    assert!(
        text.contains(&format!("the proxy `{gone}` cannot be reached (")),
        "{text}"
    );
}

#[cfg(feature = "tls")]
#[test]
fn a_silent_proxy_runs_out_of_time() {
    let silent = upstream(|_, mut stream| {
        read_request(&mut stream);
        read_request(&mut stream);
    });
    let text = outcome(ask(
        silent,
        "https://upstream.test/",
        &super::upstream::hasty(),
    ));
    assert!(
        text.contains("the proxy did not open a connection within 300 ms (time limit `connect`)"),
        "{text}"
    );
}

#[test]
fn a_proxy_is_not_asked_for_private_places() {
    let proxy = answering(ok("secret"));
    let public = Route {
        egress: Egress::Public,
        ..patient()
    };
    for url in [
        "http://10.0.0.1/",
        "http://[fd00::1]/",
        "http://nas.local/",
        "http://nas/",
    ] {
        let error = ask(proxy, url, &public).unwrap_err();
        assert!(
            matches!(error, ClientError::PrivateAddress { .. }),
            "{url}: {error}"
        );
        assert_eq!(outcome(ask(proxy, url, &patient())), "200 secret");
    }
    assert_eq!(
        outcome(ask(proxy, "http://upstream.test/", &public)),
        "200 secret"
    );
}
