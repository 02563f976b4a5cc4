//! Upstreams as plain threads on loopback, and the client's side of a test.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::super::{Client, ClientError, ClientSettings, Request, Response, Route, Timeouts, Url};
use crate::rt;

/// Long enough for a loaded machine: a test fails on it, and never passes because of it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs `serve` in a thread for each connection, with its number from 0.
pub fn upstream(serve: impl Fn(usize, TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let serve = serve.clone();
            std::thread::spawn(move || serve(number, stream.unwrap()));
        }
    });
    addr
}

/// An upstream that answers every connection's first request with `answer` and closes.
pub fn answering(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = answer.into();
    upstream(move |_, mut stream| {
        read_request(&mut stream);
        // The client may hang up in the middle: that is what many tests are about.
        _ = stream.write_all(&answer);
    })
}

/// As [`answering`], a byte at a time.
pub fn dripping(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = answer.into();
    upstream(move |_, mut stream| {
        stream.set_nodelay(true).unwrap();
        read_request(&mut stream);
        for byte in &answer {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::yield_now();
        }
    })
}

/// Head and body of the next request; empty when the client has closed.
pub fn read_request(stream: &mut impl std::io::Read) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => bytes.push(byte[0]),
            _ => return String::new(),
        }
    }
    let head = String::from_utf8(bytes).unwrap();
    let len = header(&head, "content-length").map_or(0, |len| len.parse().unwrap());
    let mut body = vec![0; len];
    stream.read_exact(&mut body).unwrap();
    head + std::str::from_utf8(&body).unwrap()
}

/// A header's value in a request as text.
pub fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = request.split("\r\n").take_while(|line| !line.is_empty());
    lines.find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// `200` with this body, and the connection stays.
pub fn ok(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Blocks until the client has closed; whatever it sends meanwhile is passed over.
pub fn wait_for_end(stream: &mut TcpStream) {
    let mut sink = [0; 4096];
    while stream.read(&mut sink).is_ok_and(|len| len > 0) {}
}

/// A route of short times, for what must run out.
pub fn hasty() -> Route {
    let timeouts = Timeouts {
        connect: Duration::from_millis(300),
        first_byte: Duration::from_millis(300),
        total: Duration::from_millis(600),
    };
    Route {
        timeouts,
        ..patient()
    }
}

/// A route of times that do not run out.
pub fn patient() -> Route {
    let timeouts = Timeouts {
        connect: PATIENCE,
        first_byte: PATIENCE,
        total: PATIENCE,
    };
    Route {
        timeouts,
        ..Route::default()
    }
}

pub fn client() -> Client {
    Client::new(ClientSettings::default())
}

/// The URL of an upstream; every one carries a secret that no error may show.
pub fn url(addr: SocketAddr) -> Url {
    Url::parse(&format!("http://{addr}/canary?canary=1")).unwrap()
}

/// A request of that kind.
pub fn get(addr: SocketAddr) -> Request {
    Request::get(url(addr)).header("Authorization", "Bearer canary")
}

/// Sends one request with a client of its own.
pub fn send(request: Request, route: Route) -> Result<Response, ClientError> {
    rt::run(async { client().send(request, &route).await })
}

/// Status and body, or the error's text, which shows no secret.
pub fn outcome(result: Result<Response, ClientError>) -> String {
    match result {
        Ok(response) => format!(
            "{} {}",
            response.status,
            String::from_utf8_lossy(&response.body)
        ),
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains("canary"), "{text}");
            assert!(!text.ends_with('.') && text.starts_with('`'), "{text}");
            text
        }
    }
}

/// Waits for what a thread sends, without holding up the executor.
pub async fn received<T: Send + 'static>(receiver: Receiver<T>) -> T {
    let waited = rt::thread::run("test", move || receiver.recv_timeout(PATIENCE)).await;
    waited
        .unwrap()
        .expect("the upstream saw what the test waits for")
}
