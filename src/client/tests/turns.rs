//! Who speaks when: answers that come early, late, and in one piece with something else, and whether the connection is used
//! again after them.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::super::{Method, Request, Route};
use super::upstream::{
    client, get, ok, outcome, patient, read_request, send, upstream, url, wait_for_end,
};
use crate::rt;

/// More than the buffers of two sockets hold.
const BIG: usize = 32 << 20;

fn post(addr: SocketAddr, len: usize) -> Request {
    Request::new(Method::Post, url(addr)).body(vec![b'x'; len])
}

/// Reads the head of a request, and nothing behind it.
fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|len| len == 1) {
        head.push(byte[0]);
    }
}

#[test]
fn a_refusal_is_read_while_the_body_is_still_being_sent() {
    const REFUSAL: &[u8] = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno";
    let stays = upstream(|connection, mut stream| {
        if connection > 0 {
            read_request(&mut stream);
            stream.write_all(&ok("next")).unwrap();
            return;
        }
        read_head(&mut stream);
        stream.write_all(REFUSAL).unwrap();
        std::thread::park();
    });
    rt::run(async {
        let client = client();
        let refused = client.send(post(stays, BIG), &patient()).await;
        assert_eq!(outcome(refused), "413 no");
        // Half a request has left there.
        assert_eq!(client.waiting(), 0);
        let next = client.send(get(stays), &patient()).await;
        assert_eq!(outcome(next), "200 next");
    });
    let closes = upstream(|_, mut stream| {
        read_head(&mut stream);
        stream.write_all(REFUSAL).unwrap();
        _ = stream.shutdown(Shutdown::Write);
        // What is closed with bytes unread is reset, and the answer might get lost on the way.
        wait_for_end(&mut stream);
    });
    assert_eq!(outcome(send(post(closes, BIG), patient())), "413 no");
}

#[test]
fn what_is_sent_may_come_back_meanwhile() {
    let addr = upstream(|_, mut stream| {
        read_head(&mut stream);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {BIG}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut chunk = vec![0; 64 << 10];
        let mut left = BIG;
        while left > 0 {
            let len = stream.read(&mut chunk).unwrap();
            stream.write_all(&chunk[..len]).unwrap();
            left -= len;
        }
        wait_for_end(&mut stream);
    });
    let route = Route {
        body_bytes_max: BIG,
        ..patient()
    };
    rt::run(async {
        let client = client();
        let response = client.send(post(addr, BIG), &route).await.unwrap();
        assert!(response.body == vec![b'x'; BIG]);
        assert_eq!(client.waiting(), 1);
    });
}

/// Sends `answer` to each request of a connection, and says how many of two requests the first one got.
#[track_caller]
fn requests_on_the_first_connection(method: Method, answer: &str) -> usize {
    let answer = answer.replace('\n', "\r\n");
    let addr = upstream(move |connection, mut stream| {
        loop {
            if read_request(&mut stream).is_empty() {
                return;
            }
            let own = format!("X-Connection: {connection}\r\n\r\n");
            let answer = answer.replace("\r\n\r\n", &format!("\r\n{own}"));
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    rt::run(async {
        let client = client();
        let mut firsts = 0;
        for _ in 0..2 {
            let request = Request::new(method, url(addr));
            let response = client.send(request, &patient()).await.unwrap();
            firsts += usize::from(response.headers.value("x-connection") == Some("0"));
        }
        firsts
    })
}

#[test]
fn a_connection_stays_where_the_answer_has_an_end_and_nobody_says_close() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 2),
        (
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n0\nX-Trailer: 1\n\n",
            2,
        ),
        ("HTTP/1.1 204 No Content\n\n", 2),
        ("HTTP/1.1 204 No Content\nContent-Length: 5\n\n", 2),
        ("HTTP/1.1 304 Not Modified\nContent-Length: 5\n\n", 2),
        (
            "HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nContent-Length: 0\n\n",
            2,
        ),
        (
            "HTTP/1.1 200 OK\nConnection: x, close\nContent-Length: 2\n\nok",
            1,
        ),
        (
            "HTTP/1.1 200 OK\nContent-Length: 12\nTransfer-Encoding: chunked\n\n2\nok\n0\n\n",
            1,
        ),
        ("HTTP/1.0 200 OK\nContent-Length: 2\n\nok", 1),
        (
            "HTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 2\n\nok",
            2,
        ),
        // In one piece with what nobody asked for.
        (
            "HTTP/1.1 200 OK\nContent-Length: 2\n\nokHTTP/1.1 200 OK\n",
            1,
        ),
        ("HTTP/1.1 304 Not Modified\nContent-Length: 5\n\nhello", 1),
    ] {
        let found = requests_on_the_first_connection(Method::Get, answer);
        assert_eq!(found, expected, "{answer}");
    }
    let answer = "HTTP/1.1 200 OK\nContent-Length: 5\n\n";
    assert_eq!(requests_on_the_first_connection(Method::Head, answer), 2);
}

#[test]
fn a_redirect_whose_body_ends_with_the_connection_is_not_waited_for() {
    let addr = upstream(|connection, mut stream| {
        read_request(&mut stream);
        let answer = match connection {
            0 => b"HTTP/1.1 302 Found\r\nLocation: /there\r\n\r\nsome".to_vec(),
            _ => ok("there"),
        };
        stream.write_all(&answer).unwrap();
        wait_for_end(&mut stream);
    });
    assert_eq!(outcome(send(get(addr), patient())), "200 there");
}
