//! Whether there is a connection at all: names, refusals, addresses that may not be asked, time limits.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::super::{ClientError, Egress, Limit, Phase, Request, Route, Url};
use super::upstream::{answering, client, get, hasty, ok, outcome, patient, send};
use crate::metrics::UpstreamOutcome;
use crate::rt;

fn public() -> Route {
    Route {
        egress: Egress::Public,
        ..patient()
    }
}

#[test]
fn a_name_without_an_address() {
    let url = Url::parse("http://no-such-host.invalid:81/?canary").unwrap();
    let error = send(Request::get(url), patient()).unwrap_err();
    assert!(matches!(error, ClientError::Lookup { .. }), "{error}");
    assert!(error.was_not_sent());
    assert_eq!(error.outcome(), UpstreamOutcome::ConnectError);
    let text = outcome(Err(error));
    assert!(
        text.starts_with("`http://no-such-host.invalid:81`: the name could not be looked up ("),
        "{text}"
    );
}

#[test]
fn a_port_where_nothing_listens() {
    let addr = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = send(get(addr), patient()).unwrap_err();
    assert!(
        matches!(error, ClientError::Refused { address, .. } if address == addr),
        "{error}"
    );
    let text = outcome(Err(error));
    assert!(
        text.contains(&format!("connection refused by {addr}")),
        "{text}"
    );
}

#[test]
fn a_name_with_several_addresses_takes_the_one_that_answers() {
    let addr = answering(ok("here"));
    let url = Url::parse(&format!("http://localhost:{}/", addr.port())).unwrap();
    assert_eq!(outcome(send(Request::get(url), patient())), "200 here");
}

#[test]
fn a_host_that_does_not_answer() {
    // A full queue of connections answers nobody.
    let (listener, _taken) = crowded();
    let error = send(get(listener.local_addr().unwrap()), hasty()).unwrap_err();
    let expected = (Phase::Connect, Limit::Connect);
    assert!(
        matches!(error, ClientError::Timeout { phase, limit, .. } if (phase, limit) == expected),
        "{error}"
    );
    assert!(error.was_not_sent());
    let text = outcome(Err(error));
    assert!(
        text.ends_with("no TCP connection came about within 300 ms (time limit `connect`)"),
        "{text}"
    );
}

/// A listener that takes nobody any more, with those it took.
fn crowded() -> (TcpListener, Vec<TcpStream>) {
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &"127.0.0.1:0".parse::<SocketAddr>().unwrap()).unwrap();
    listen(&socket, 0).unwrap();
    let listener = TcpListener::from(socket);
    let addr = listener.local_addr().unwrap();
    let short = Duration::from_millis(100);
    let taken = std::iter::from_fn(|| TcpStream::connect_timeout(&addr, short).ok());
    let taken = taken.take(100).collect();
    (listener, taken)
}

#[test]
fn public_routes_reach_nothing_private() {
    let port = answering(ok("secret")).port();
    for (host, address) in [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", ""),
        ("[::1]", "::1"),
        ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
        ("[64:ff9b::7f00:1]", "64:ff9b::7f00:1"),
        ("0.0.0.0", "0.0.0.0"),
        ("10.0.0.1", "10.0.0.1"),
        ("169.254.169.254", "169.254.169.254"),
        ("[fe80::1]", "fe80::1"),
    ] {
        let url = Url::parse(&format!("http://{host}:{port}/?canary")).unwrap();
        let error = send(Request::get(url), public()).unwrap_err();
        let ClientError::PrivateAddress {
            address: Some(found),
            ..
        } = &error
        else {
            panic!("{host}: {error}")
        };
        assert!(
            address.is_empty() || *found == address.parse::<std::net::IpAddr>().unwrap(),
            "{host}: {found}"
        );
        assert_eq!(error.outcome(), UpstreamOutcome::Refused);
        assert!(outcome(Err(error)).contains("only public addresses may be asked here"));
    }
}

#[test]
fn a_public_route_does_not_take_over_a_connection_made_without_the_check() {
    let addr = answering_many();
    rt::run(async {
        let client = client();
        assert_eq!(outcome(client.send(get(addr), &patient()).await), "200 x");
        assert_eq!(client.waiting(), 1);
        let error = client.send(get(addr), &public()).await.unwrap_err();
        assert!(
            matches!(error, ClientError::PrivateAddress { .. }),
            "{error}"
        );
    });
}

fn answering_many() -> SocketAddr {
    super::upstream::upstream(|_, mut stream| {
        while !super::upstream::read_request(&mut stream).is_empty() {
            std::io::Write::write_all(&mut stream, &ok("x")).unwrap();
        }
    })
}

#[cfg(not(feature = "tls"))]
#[test]
fn https_needs_the_feature() {
    let addr = answering(ok("x"));
    let url = Url::parse(&format!("https://{addr}/")).unwrap();
    let text = outcome(send(Request::get(url), patient()));
    assert!(text.contains("built without the feature `tls`"), "{text}");
}
