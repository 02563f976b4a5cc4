//! Idle streams: opens many, holds them while somebody measures, and times one event on its way to all.
//!
//! Says `{"opened":…}` once they stand. Then each line on stdin is an order, answered by a line: `event` sends one and
//! waits until all have it; the end of stdin closes them.

use std::io::{BufRead as _, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::http;
use crate::requests::{self, Ask, Era, FIRST_ID};
use crate::sys::{self, Epoll};

/// What streams to open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// GET of a path, without a session.
    Plain,
    /// HTTP+SSE: GET, then `initialize` by POST, whose connection is closed again.
    HttpSse,
    /// `initialize` and `initialized` by POST, then GET on the same connection.
    Session,
}

pub struct Plan {
    pub port: u16,
    pub path: String,
    pub kind: Kind,
    pub count: usize,
    pub time_max: Duration,
    pub pid: u32,
    /// Where an event is published, and what to post there.
    pub publish: Option<(String, String)>,
}

const FANOUT_MAX: Duration = Duration::from_secs(60);
const READ_MAX: Duration = Duration::from_secs(20);

pub fn run(plan: &Plan) -> Result<(), String> {
    let end = Instant::now() + plan.time_max;
    let epoll = Epoll::new().map_err(|error| error.to_string())?;
    let mut streams = Vec::new();
    let mut why = None;
    let begun = Instant::now();
    while streams.len() < plan.count && Instant::now() < end {
        match open(plan) {
            Ok(stream) => {
                let added = epoll.add(sys::fd(&stream), streams.len() as u64);
                added.map_err(|error| error.to_string())?;
                streams.push(stream);
            }
            Err(error) => {
                why = Some(error);
                break;
            }
        }
    }
    if why.is_none() && streams.len() < plan.count {
        why = Some(format!("not within {} s", plan.time_max.as_secs()));
    }
    say(&serde_json::json!({
        "opened": streams.len(),
        "seconds": begun.elapsed().as_secs_f64(),
        "why_no_more": why,
    }));
    for line in std::io::stdin().lock().lines() {
        match line.map_err(|error| error.to_string())?.as_str() {
            "event" => {
                let (path, body) = plan.publish.as_ref().ok_or("nobody said how to publish")?;
                say(&fan_out(plan, &epoll, &mut streams, path, body)?);
            }
            other => return Err(format!("no such order: {other}")),
        }
    }
    Ok(())
}

fn say(value: &serde_json::Value) {
    println!("{value}");
    _ = std::io::stdout().flush();
}

fn open(plan: &Plan) -> Result<TcpStream, String> {
    let mut stream = connect(plan.port)?;
    let session = match plan.kind {
        Kind::Session => {
            let body = requests::initialize(FIRST_ID, Era::Session);
            let session = exchange(&mut stream, &post(plan, None, &body), 200)?;
            if session.is_none() {
                return Err("the server gives no session".into());
            }
            exchange(
                &mut stream,
                &post(plan, session.as_deref(), requests::INITIALIZED),
                202,
            )?;
            session
        }
        Kind::Plain | Kind::HttpSse => None,
    };
    let request = requests::get(&plan.path, session.as_deref());
    stream
        .write_all(&request)
        .map_err(|error| error.to_string())?;
    let mut input = Vec::new();
    let mut buf = [0; 4096];
    loop {
        let count = stream
            .read(&mut buf)
            .map_err(|error| format!("opening a stream: {error}"))?;
        if count == 0 {
            return Err("the server closed a stream".into());
        }
        input.extend_from_slice(&buf[..count]);
        let Some(head) = http::head(&input)? else {
            continue;
        };
        if head.status != 200 || !head.is_events {
            return Err(format!("no stream, but status {}", head.status));
        }
        if plan.kind != Kind::HttpSse {
            break;
        }
        // The endpoint comes first, and the session lives as the client has said hello.
        let Some(at) = http::find(&input, b"data:") else {
            continue;
        };
        let Some(len) = http::find(&input[at..], b"\n") else {
            continue;
        };
        let data = String::from_utf8_lossy(&input[at + 5..at + len])
            .trim()
            .to_owned();
        let path = http::endpoint(&plan.path, &data);
        let mut messages = connect(plan.port)?;
        for body in [
            requests::initialize(FIRST_ID, Era::HttpSse).as_str(),
            requests::INITIALIZED,
        ] {
            let request = requests::post(&path, Era::HttpSse, Ask::Call, "", None, body);
            exchange(&mut messages, &request, 202)?;
        }
        break;
    }
    stream
        .set_nonblocking(true)
        .map_err(|error| error.to_string())?;
    Ok(stream)
}

fn connect(port: u16) -> Result<TcpStream, String> {
    let stream = sys::connect(port).map_err(|error| format!("connecting: {error}"))?;
    let is_set = stream
        .set_nonblocking(false)
        .and_then(|()| stream.set_read_timeout(Some(READ_MAX)));
    is_set.map_err(|error| error.to_string())?;
    Ok(stream)
}

fn post(plan: &Plan, session: Option<&str>, body: &str) -> Vec<u8> {
    requests::post(&plan.path, Era::Session, Ask::Call, "", session, body)
}

/// Sends a request and reads its response, for its session.
fn exchange(stream: &mut TcpStream, request: &[u8], status: u16) -> Result<Option<String>, String> {
    stream
        .write_all(request)
        .map_err(|error| error.to_string())?;
    let mut input = Vec::new();
    let mut buf = [0; 16 * 1024];
    loop {
        let count = stream.read(&mut buf).map_err(|error| error.to_string())?;
        if count == 0 {
            return Err("the server closed the connection".into());
        }
        input.extend_from_slice(&buf[..count]);
        if let Some(response) = http::response(&input)? {
            if response.status != status {
                let body = String::from_utf8_lossy(&response.body);
                return Err(format!("status {}: {body}", response.status));
            }
            return Ok(response.session.map(str::to_owned));
        }
    }
}

/// One event to all streams: when the first has it, when the last.
fn fan_out(
    plan: &Plan,
    epoll: &Epoll,
    streams: &mut [TcpStream],
    path: &str,
    body: &str,
) -> Result<serde_json::Value, String> {
    const MARK: &[u8] = b"fan-out-mark";
    let mut buf = [0; 16 * 1024];
    let mut keys = Vec::new();
    // What has come meanwhile is no part of it.
    loop {
        epoll
            .wait(&mut keys, Duration::from_millis(50))
            .map_err(|error| error.to_string())?;
        if keys.is_empty() {
            break;
        }
        for key in &keys {
            read(&mut streams[*key as usize], &mut buf)?;
        }
    }
    let mut publisher = connect(plan.port)?;
    let request = requests::post(path, Era::Raw, Ask::Call, "", None, body);
    let cpu_us = sys::tree_cpu_us(plan.pid);
    let begun = Instant::now();
    publisher
        .write_all(&request)
        .map_err(|error| error.to_string())?;
    let mut has_it = vec![false; streams.len()];
    let (mut received, mut first_us, mut last_us) = (0, 0.0, 0.0);
    while received < streams.len() && begun.elapsed() < FANOUT_MAX {
        epoll
            .wait(&mut keys, Duration::from_millis(50))
            .map_err(|error| error.to_string())?;
        for key in &keys {
            let index = *key as usize;
            let count = read(&mut streams[index], &mut buf)?;
            if !has_it[index] && http::find(&buf[..count], MARK).is_some() {
                has_it[index] = true;
                received += 1;
                last_us = begun.elapsed().as_secs_f64() * 1e6;
                if received == 1 {
                    first_us = last_us;
                }
            }
        }
    }
    // 10 ms is the kernel's grain; the time until the last has it is finer.
    let cpu_us = sys::tree_cpu_us(plan.pid).saturating_sub(cpu_us);
    Ok(serde_json::json!({
        "received": received,
        "first_us": first_us,
        "last_us": last_us,
        "server_cpu_us": cpu_us,
    }))
}

fn read(stream: &mut TcpStream, buf: &mut [u8]) -> Result<usize, String> {
    match stream.read(buf) {
        Ok(0) => Err("the server closed an idle stream".into()),
        Ok(count) => Ok(count),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        Err(error) => Err(error.to_string()),
    }
}
