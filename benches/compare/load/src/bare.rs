//! The limit: a responder that reads requests, answers them all the same, and does nothing else.
//!
//! POST and GET are answered with `body`, `/stream` becomes a stream, and a POST to `/publish` is written to all streams
//! in the plainest loop there is.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::http::find;
use crate::sys::{self, Epoll};

const LISTENER: u64 = u64::MAX;

struct Peer {
    stream: TcpStream,
    input: Vec<u8>,
    is_stream: bool,
}

/// Serves until it is ended by a signal. A stream that takes no more is closed.
pub fn serve(port: u16, body: &str) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let listener = TcpListener::bind(("127.0.0.1", port)).map_err(text)?;
    listener.set_nonblocking(true).map_err(text)?;
    let epoll = Epoll::new().map_err(text)?;
    {
        use std::os::fd::AsRawFd as _;
        epoll.add(listener.as_raw_fd(), LISTENER).map_err(text)?;
    }
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n{body}",
        body.len()
    );
    let mut peers: Vec<Option<Peer>> = Vec::new();
    let mut free = Vec::new();
    let mut keys = Vec::new();
    let mut buf = vec![0; 64 * 1024];
    loop {
        epoll
            .wait(&mut keys, Duration::from_secs(3600))
            .map_err(text)?;
        for key in &keys {
            if *key == LISTENER {
                while let Ok((stream, _)) = listener.accept() {
                    stream.set_nodelay(true).map_err(text)?;
                    stream.set_nonblocking(true).map_err(text)?;
                    let index = free.pop().unwrap_or(peers.len());
                    epoll.add(sys::fd(&stream), index as u64).map_err(text)?;
                    let peer = Some(Peer {
                        stream,
                        input: Vec::new(),
                        is_stream: false,
                    });
                    match peers.get_mut(index) {
                        Some(place) => *place = peer,
                        None => peers.push(peer),
                    }
                }
                continue;
            }
            let index = *key as usize;
            let Some(peer) = &mut peers[index] else {
                continue;
            };
            match peer.stream.read(&mut buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Ok(0) | Err(_) => {
                    peers[index] = None;
                    free.push(index);
                    continue;
                }
                Ok(count) if peer.is_stream || !peer.input.is_empty() => {
                    peer.input.extend_from_slice(&buf[..count])
                }
                Ok(count)
                    if complete(&buf[..count]) == Some(count) && !is_special(&buf[..count]) =>
                {
                    _ = peer.stream.write_all(answer.as_bytes());
                    continue;
                }
                Ok(count) => peer.input.extend_from_slice(&buf[..count]),
            }
            if peer.is_stream {
                peer.input.clear();
                continue;
            }
            while let Some(len) = complete(&peer.input) {
                let request: Vec<u8> = peer.input.drain(..len).collect();
                if request.starts_with(b"GET /stream ") {
                    peer.is_stream = true;
                    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
                    _ = peer.stream.write_all(head.as_bytes());
                    break;
                }
                _ = peer.stream.write_all(answer.as_bytes());
                if request.starts_with(b"POST /publish ") {
                    let at = find(&request, b"\r\n\r\n").map_or(0, |at| at + 4);
                    publish(&mut peers, &request[at..]);
                    break;
                }
            }
        }
    }
}

/// The plain write loop.
fn publish(peers: &mut [Option<Peer>], data: &[u8]) {
    let event = format!(
        "event: message\ndata: {}\n\n",
        String::from_utf8_lossy(data)
    );
    let chunk = format!("{:08x}\r\n{event}\r\n", event.len());
    for place in peers {
        if let Some(peer) = place
            && peer.is_stream
            && !peer
                .stream
                .write(chunk.as_bytes())
                .is_ok_and(|count| count == chunk.len())
        {
            *place = None;
        }
    }
}

fn is_special(request: &[u8]) -> bool {
    request.starts_with(b"GET /stream ") || request.starts_with(b"POST /publish ")
}

/// The length of the request at the start of `input`, if it is there whole.
fn complete(input: &[u8]) -> Option<usize> {
    let head = find(input, b"\r\n\r\n")? + 4;
    let body = match find(&input[..head], b"Content-Length: ") {
        Some(at) => input[at + 16..head]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .fold(0, |len, digit| len * 10 + usize::from(digit - b'0')),
        None => 0,
    };
    (input.len() >= head + body).then_some(head + body)
}
