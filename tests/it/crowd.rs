//! A server whose connections are all taken: who has to make room, who is turned away, and that
//! those who ask are served whatever the silent ones do.

use crate::limits::{check_is_served, check_no_place, connect_from, hits};
use crate::support::{Http, Request, Server};
use crate::wire::responses;

/// The last thing a connection hears that has to make room, if it hears anything.
#[track_caller]
fn check_evicted(http: &mut Http) {
    for response in responses(http) {
        assert_eq!(response.status, 503, "{response:?}");
        assert_eq!(response.header("connection"), Some("close"));
    }
}

#[test]
fn the_oldest_that_has_not_asked_makes_room() {
    let server = Server::start(&[("APP_LIMITS__CONNECTIONS", "3")]);
    let mut asked = server.connect();
    check_is_served(&mut asked);
    let mut silent = server.connect();
    let mut half = server.connect();
    // All of a head but its end, and not for want of time.
    half.send_bytes("GET /health HTTP/1.1\r\nHost: localhost\r\n");
    let mut first = server.connect();
    check_is_served(&mut first);
    check_evicted(&mut silent);
    let mut second = server.connect();
    check_is_served(&mut second);
    check_evicted(&mut half);
    // Now all have asked, and nobody makes room.
    check_no_place(server.connect());
    for http in [&mut asked, &mut first, &mut second] {
        check_is_served(http);
    }
    let metrics = asked.ask(&Request::get("/metrics")).text();
    for sample in [
        "mcp_limit_hits_total{limit=\"connections\"} 3\n",
        "mcp_connections_closed_total{reason=\"evicted\"} 2\n",
        "mcp_connections_closed_total{reason=\"limit\"} 1\n",
    ] {
        assert!(metrics.contains(sample), "{sample}: {metrics}");
    }
}

#[test]
fn a_flood_of_silent_connections_keeps_nobody_out() {
    const LIMIT: usize = 16;
    let server = Server::start(&[("APP_LIMITS__CONNECTIONS", &LIMIT.to_string())]);
    let mut flood = Vec::new();
    for round in 0..8 {
        // From several addresses, and each with half a head.
        for source in 0..LIMIT {
            let mut http = connect_from(&server, 2 + u8::try_from(source % 4).unwrap());
            // It may have been sent away by now.
            _ = std::io::Write::write_all(&mut http.socket, b"POST /mcp HTTP/1.1\r\n");
            flood.push(http);
        }
        let mut asking = connect_from(&server, 100 + round);
        check_is_served(&mut asking);
        check_is_served(&mut asking);
    }
    let metrics = server.get("/metrics").text();
    assert!(metrics.contains("mcp_connections_closed_total{reason=\"limit\"} 0\n"));
    assert!(hits(&server, "connections") >= 100.0);
    // As many as there may be, however many came.
    let open = server.get_json("/status")["connections"].as_u64();
    assert!(open.is_some_and(|open| open <= LIMIT as u64), "{open:?}");
}
