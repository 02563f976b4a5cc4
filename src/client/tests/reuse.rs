//! Connections that are used again, and what happens to those that cannot be.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::super::{Client, ClientError, ClientSettings, Method, Request, Route};
use super::upstream::{
    client, get, ok, outcome, patient, read_request, received, upstream, url, wait_for_end,
};
use crate::rt;

/// Answers each request with `connection/request` by number, `requests` of them per connection; then it closes. With
/// `abruptly`, only after the next request has come. Each end that the client makes is told.
fn counting(requests: usize, abruptly: bool) -> (SocketAddr, Receiver<usize>) {
    let (ended, ends) = channel();
    let addr = upstream(move |connection, mut stream| {
        for request in 0..requests {
            if read_request(&mut stream).is_empty() {
                _ = ended.send(connection);
                return;
            }
            stream
                .write_all(&ok(&format!("{connection}/{request}")))
                .unwrap();
        }
        if abruptly {
            read_request(&mut stream);
        }
    });
    (addr, ends)
}

async fn ask(client: &Client, request: Request, route: &Route) -> String {
    outcome(client.send(request, route).await)
}

fn post(addr: SocketAddr) -> Request {
    Request::new(Method::Post, url(addr)).body("canary")
}

#[test]
fn one_connection_serves_one_request_after_another() {
    let (addr, _ends) = counting(10, false);
    rt::run(async {
        let client = client();
        for request in 0..5 {
            assert_eq!(
                ask(&client, get(addr), &patient()).await,
                format!("200 0/{request}")
            );
            assert_eq!(client.waiting(), 1);
        }
    });
}

#[test]
fn requests_at_once_have_connections_of_their_own_and_few_of_them_wait() {
    let (addr, ends) = counting(10, false);
    rt::run(async {
        let client = client();
        let tasks: Vec<_> = (0..5)
            .map(|_| {
                let client = client.clone();
                rt::spawn(async move { ask(&client, get(addr), &patient()).await })
            })
            .collect();
        for task in tasks {
            assert!(task.await.starts_with("200 "));
        }
        assert_eq!(client.waiting(), 2);
        // The others are closed.
        let ends = received(ends_of(ends, 3)).await;
        assert_eq!(ends.len(), 3);
    });
}

/// The next `count` ends, together.
fn ends_of(ends: Receiver<usize>, count: usize) -> Receiver<Vec<usize>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || sender.send(ends.into_iter().take(count).collect()));
    receiver
}

#[test]
fn a_connection_that_the_server_closed_is_not_used_again() {
    let (addr, _ends) = counting(1, false);
    rt::run(async {
        let client = client();
        for connection in 0..3 {
            let request = if connection == 1 {
                get(addr)
            } else {
                post(addr)
            };
            assert_eq!(
                ask(&client, request, &patient()).await,
                format!("200 {connection}/0")
            );
            // Its end has come when the pool is looked at, if the server was quick; if not, a request that only reads
            // is repeated, and one that writes must wait for the end to be seen.
            while client.usable() > 0 {
                rt::yield_now().await;
            }
        }
    });
}

#[test]
fn a_server_that_says_close_is_believed() {
    let addr = upstream(|connection, mut stream| {
        read_request(&mut stream);
        let answer = format!(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n{connection}"
        );
        stream.write_all(answer.as_bytes()).unwrap();
        wait_for_end(&mut stream);
    });
    rt::run(async {
        let client = client();
        for connection in 0..3 {
            assert_eq!(
                ask(&client, post(addr), &patient()).await,
                format!("200 {connection}")
            );
        }
    });
}

#[test]
fn a_read_that_meets_the_end_is_repeated_once_and_a_write_is_not() {
    let (addr, _ends) = counting(1, true);
    rt::run(async {
        let client = client();
        assert_eq!(ask(&client, get(addr), &patient()).await, "200 0/0");
        assert_eq!(ask(&client, get(addr), &patient()).await, "200 1/0");
        let text = ask(&client, post(addr), &patient()).await;
        assert!(
            text.contains("closed the connection without an answer"),
            "{text}"
        );
        assert_eq!(ask(&client, post(addr), &patient()).await, "200 2/0");
    });
}

#[test]
fn a_new_connection_that_ends_is_not_repeated() {
    let (addr, _ends) = counting(0, true);
    let (count, connections) = channel();
    let counted = upstream(move |connection, mut stream| {
        count.send(connection).unwrap();
        read_request(&mut stream);
    });
    rt::run(async {
        let client = client();
        for addr in [addr, counted] {
            let text = ask(&client, get(addr), &patient()).await;
            assert!(text.contains("without an answer"), "{text}");
        }
    });
    assert_eq!(connections.try_iter().collect::<Vec<_>>(), [0]);
}

#[test]
fn a_connection_waits_for_its_time_and_is_closed() {
    let (addr, ends) = counting(10, false);
    rt::run(async {
        let client = Client::new(ClientSettings {
            idle: Duration::from_millis(50),
            ..ClientSettings::default()
        });
        assert_eq!(ask(&client, get(addr), &patient()).await, "200 0/0");
        assert_eq!(received(ends).await, 0);
        assert_eq!(client.waiting(), 0);
    });
}

#[test]
fn without_time_to_wait_each_connection_is_closed() {
    let (addr, ends) = counting(10, false);
    rt::run(async {
        let client = Client::new(ClientSettings {
            idle: Duration::ZERO,
            ..ClientSettings::default()
        });
        assert_eq!(ask(&client, get(addr), &patient()).await, "200 0/0");
        assert_eq!(received(ends).await, 0);
    });
}

#[test]
fn the_last_client_closes_what_waits() {
    let (addr, ends) = counting(10, false);
    rt::run(async {
        let client = client();
        assert_eq!(ask(&client, get(addr), &patient()).await, "200 0/0");
        drop(client);
        assert_eq!(received(ends).await, 0);
    });
}

#[test]
fn a_dropped_request_closes_its_connection() {
    let (ended, ends) = channel();
    let (asked, asks) = channel();
    let addr = upstream(move |_, mut stream| {
        read_request(&mut stream);
        asked.send(()).unwrap();
        wait_for_end(&mut stream);
        ended.send(()).unwrap();
    });
    rt::run(async {
        let client = client();
        let task = rt::spawn(async move { client.send(get(addr), &patient()).await });
        received(asks).await;
        assert!(task.cancel().await.is_none());
        received(ends).await;
    });
}

#[test]
fn a_body_that_was_not_read_to_its_end_closes_its_connection() {
    let (ended, ends) = channel();
    let addr = upstream(move |_, mut stream| {
        read_request(&mut stream);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
            .unwrap();
        wait_for_end(&mut stream);
        ended.send(()).unwrap();
    });
    rt::run(async {
        let client = client();
        let route = Route {
            body_bytes_max: 99,
            ..patient()
        };
        let error = client.send(get(addr), &route).await.unwrap_err();
        assert!(matches!(error, ClientError::TooLarge { .. }), "{error}");
        assert_eq!(client.waiting(), 0);
        received(ends).await;
    });
}

#[test]
fn a_dead_upstream_delays_nobody_else() {
    let (asked, asks) = channel();
    let dead = upstream(move |_, mut stream| {
        read_request(&mut stream);
        _ = asked.send(());
        wait_for_end(&mut stream);
    });
    let (live, _ends) = counting(100, false);
    rt::run(async {
        let client = client();
        let waiting: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                rt::spawn(async move { client.send(get(dead), &patient()).await })
            })
            .collect();
        received(asks).await;
        for request in 0..20 {
            assert_eq!(
                ask(&client, get(live), &patient()).await,
                format!("200 0/{request}")
            );
        }
        assert!(waiting.iter().all(|task| !task.is_finished()));
    });
}

#[test]
fn what_comes_out_of_turn_ends_a_waiting_connection() {
    let (said, saying) = channel();
    let addr = upstream(move |connection, mut stream| {
        read_request(&mut stream);
        stream.write_all(&ok(&connection.to_string())).unwrap();
        // An answer that nobody asked for: the next request must not take it for its own.
        _ = stream.write_all(&ok("poison"));
        _ = said.send(());
        wait_for_end(&mut stream);
    });
    rt::run(async {
        let client = client();
        assert_eq!(ask(&client, get(addr), &patient()).await, "200 0");
        received(saying).await;
        assert_eq!(ask(&client, get(addr), &patient()).await, "200 1");
    });
}
