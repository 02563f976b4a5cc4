//! The documentation's hosts, played: a listener for each on this machine, and one list of answers to give in order.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Every host that is asked for anything.
const HOSTS: [&str; 5] = [
    "docs.aws.amazon.com",
    "awsdocs-neuron.readthedocs-hosted.com",
    "docs.amazonaws.cn",
    "proxy.search.docs.aws.com",
    "api.contentrecs.docs.aws.com",
];

/// A recorded answer.
pub(super) struct Reply {
    /// Host and path it belongs to.
    pub(super) place: String,
    pub(super) outcome: Outcome,
}

/// What a request comes to.
pub(super) enum Outcome {
    /// The whole response.
    Bytes(Vec<u8>),
    /// The connection closes instead.
    Closed,
    /// Nothing, for as long as the test runs.
    Silence,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Host, path and query.
    pub(super) place: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn session(&self) -> Option<&str> {
        let (_, rest) = self.place.split_once("session=")?;
        // A recorded redirect names another one, which is not ours.
        rest.get(..36)
    }
}

/// The documentation's hosts: a listener for each, and one list of answers to give in order.
pub(super) struct Upstream {
    /// What `aws.hosts` is told.
    pub(super) hosts: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    replies: VecDeque<Reply>,
    asked: Vec<Asked>,
    problems: Vec<String>,
    /// Connections that are not answered.
    silent: Vec<TcpStream>,
}

impl Upstream {
    pub(super) fn start(replies: Vec<Reply>) -> Upstream {
        let state = Arc::new(Mutex::new(State {
            replies: replies.into(),
            ..State::default()
        }));
        let mut hosts = Vec::new();
        for host in HOSTS {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            hosts.push(format!("{host}=http://{}", listener.local_addr().unwrap()));
            let state = state.clone();
            // Waits for connections until the test's process ends.
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    serve(host, stream.unwrap(), &state);
                }
            });
        }
        Upstream {
            hosts: hosts.join(","),
            state,
        }
    }

    pub(super) fn requests(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    pub(super) fn problems(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let left = state
            .replies
            .iter()
            .map(|reply| format!("{} was not asked for", reply.place));
        state.problems.iter().cloned().chain(left).collect()
    }
}

fn serve(host: &str, mut stream: TcpStream, state: &Mutex<State>) {
    let Some(asked) = read_request(host, &stream) else {
        return;
    };
    let outcome = {
        let mut state = state.lock().unwrap();
        let path = asked.place.split('?').next().unwrap().to_owned();
        state.asked.push(asked);
        match state.replies.pop_front() {
            Some(reply) if reply.place == path => reply.outcome,
            other => {
                let expected = other.map(|reply| reply.place);
                state
                    .problems
                    .push(format!("{path} was asked for, expected {expected:?}"));
                Outcome::Closed
            }
        }
    };
    match outcome {
        // The client may have gone away; what came of it is seen in its answer.
        Outcome::Bytes(bytes) => _ = stream.write_all(&bytes),
        Outcome::Closed => (),
        Outcome::Silence => state.lock().unwrap().silent.push(stream),
    }
}

fn read_request(host: &str, stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let place = format!("{host}{target}");
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut asked = Asked {
        method,
        place,
        headers,
        body: Vec::new(),
    };
    let len = asked
        .header("content-length")
        .map_or(0, |len| len.parse().unwrap());
    asked.body = vec![0; len];
    reader.read_exact(&mut asked.body).ok()?;
    Some(asked)
}

/// Version 4, in lower case.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == b'4',
            19 => b"89ab".contains(&byte),
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

pub(super) fn page(place: &str, html: &str) -> Reply {
    reply(place, "200 OK", "content-type: text/html\r\n", html)
}

pub(super) fn moved(place: &str, to: &str) -> Reply {
    reply(place, "302 Found", &format!("location: {to}\r\n"), "")
}

pub(super) fn reply(place: &str, status: &str, headers: &str, body: &str) -> Reply {
    let len = body.len();
    let bytes = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {len}\r\nConnection: close\r\n\r\n{body}"
    );
    Reply {
        place: place.to_owned(),
        outcome: Outcome::Bytes(bytes.into_bytes()),
    }
}

/// Anything but a well-made answer.
pub(super) fn odd(place: &str, outcome: Outcome) -> Reply {
    Reply {
        place: place.to_owned(),
        outcome,
    }
}
