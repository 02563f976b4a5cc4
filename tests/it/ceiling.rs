//! `limits.memory`: every limit that is derived from it is filled at once, and what that takes is read from `/proc`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::limits::{connect_from, hits};
use crate::support::{
    Folder, Http, Mcp, Program, Request, Server, Sse, Way, json, poll_until, status_kb,
};
use crate::wire::{CALL, ping, pong};

/// The table in `config/README.md` says what follows from it.
const MEMORY: usize = 16 << 20;
const BODY: usize = 512 << 10;
const UPSTREAM: usize = 1 << 20;
const REQUESTS: usize = 4;
const STREAMS: usize = 64;
const SESSIONS: usize = 256;
const REPLAY: usize = 1 << 20;

/// A service, and a program that reports without end.
const PACK: &str = r#"
[service]
id = "shed"
title = "Shed"

[[tool]]
name = "shed_fetch"
title = "Fetch"
description = "Fetches."
access = "read"
request = { path = "/" }

[[tool]]
name = "shed_report"
title = "Report"
description = "Reports progress."
access = "read"
kind = "command"
[tool.command]
program = "/bin/sh"
args = ["-c", "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done"]
progress = true
"#;

fn start(upstream: SocketAddr) -> Server {
    let folder = Folder::new();
    let base = format!("[services.shed]\nurl = \"http://{upstream}\"\n");
    folder.write("config/base.toml", &base);
    folder.write("config/packs/shed.toml", PACK);
    Server::start_in(
        folder,
        Program::Siskin,
        &[
            ("APP_LIMITS__MEMORY", "16MiB"),
            // What is filled stays so, however slow this machine is.
            ("APP_TIMEOUT__BODY", "10m"),
            ("APP_TIMEOUT__HTTP", "10m"),
            ("APP_TIMEOUT__IDLE", "10m"),
            ("APP_TIMEOUT__FIRST_BYTE", "10m"),
            ("APP_TIMEOUT__OPERATION", "10m"),
            ("APP_TIMEOUT__WRITE_STALL", "10m"),
        ],
    )
}

/// A service that keeps back the last byte of a large answer; the connections it has been asked on.
fn reluctant() -> (SocketAddr, std::sync::mpsc::Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it listens");
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.expect("a connection");
            _ = socket.read(&mut [0; 4096]);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {UPSTREAM}\r\n\r\n"
            );
            let mut body = vec![b' '; UPSTREAM - 1];
            body[0] = b'"';
            _ = socket.write_all(head.as_bytes());
            _ = socket.write_all(&body);
            _ = tell.send(socket);
        }
    });
    (addr, told)
}

/// A request whose body is there but for its last byte.
fn unfinished(mut http: Http, len: usize) -> Http {
    http.send_bytes(format!(
        "POST {CALL} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len}\r\n\r\n"
    ));
    // Refused, it may be cut off while it sends.
    _ = http.socket.write_all(&vec![b' '; len - 1]);
    http
}

/// An HTTP+SSE stream whose queue takes no more.
fn full_stream(server: &Server, address: u8) -> Sse {
    let http = connect_from(server, address);
    rustix::net::sockopt::set_socket_recv_buffer_size(&http.socket, 4096).unwrap();
    let mut stream = http.into_sse(&Request::get("/sse/"));
    let target = stream.next().data.replace("../", "/");
    let mut http = connect_from(server, 94);
    for id in 0.. {
        let list = json!({"jsonrpc": "2.0", "id": id, "method": "tools/list"});
        let response = http.ask(&Request::post(&target, &list));
        if response.status == 503 {
            break;
        }
        assert_eq!(response.status, 202, "{response:?}");
        assert!(id < 1000, "10 MB are queued");
    }
    stream
}

fn is_answered(http: &Http) -> bool {
    let socket = &http.socket;
    socket.set_nonblocking(true).expect("a socket has options");
    let is_answered = socket.peek(&mut [0]).is_ok();
    socket.set_nonblocking(false).expect("a socket has options");
    is_answered
}

#[test]
fn with_every_limit_filled_memory_stays_within_its_ceiling() {
    let (upstream, asked) = reluctant();
    let server = start(upstream);
    assert_eq!(pong(&server.ask(&ping(1))), 1);
    let anonymous = || status_kb(&server, "RssAnon") * 1024;
    let before = anonymous();

    // Sessions, each of the first with a full ring: what a client has not read that went away.
    let mut http = connect_from(&server, 99);
    let mut sessions = Vec::new();
    for _ in 0..REPLAY / (64 << 10) + 4 {
        let mut mcp = Mcp::open(Way::Streamable, &server, "2025-06-18");
        let params = json!({"name": "shed_report", "arguments": {}, "_meta": {"progressToken": 1}});
        let call = mcp.build_with_id(json!(1), "tools/call", params);
        drop(mcp.send(&call));
        sessions.push(mcp);
        poll_until("the program's end", || {
            (server.get_json("/status")["requestsInFlight"] == json!(0)).then_some(())
        });
    }
    let initialize = Request::post(
        "/mcp",
        &json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "it", "version": "1"}}}),
    );
    for _ in 0..SESSIONS {
        assert_eq!(http.ask(&initialize).status, 200);
    }
    assert!(hits(&server, "sessions") >= 1.0);

    // Streams with answers that nobody reads. Events that are published would not do: all streams share the bytes of one.
    let streams: Vec<Sse> = (0..STREAMS)
        .map(|index| full_stream(&server, 100 + u8::try_from(index / 16).unwrap()))
        .collect();

    // Calls that wait for the end of a large answer, and bodies that wait for theirs.
    let fetch = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                       "params": {"name": "shed_fetch", "arguments": {}}});
    let mut calls = Vec::new();
    let mut answers = Vec::new();
    for _ in 0..REQUESTS {
        let mut http = connect_from(&server, 97);
        http.send(&Request::post(CALL, &fetch));
        answers.push(asked.recv().expect("the service is asked"));
        calls.push(http);
    }
    // Room is there for four of five; which one comes too late is the machine's choice.
    let mut bodies: Vec<Http> = (0..=REQUESTS)
        .map(|_| unfinished(connect_from(&server, 96), BODY))
        .collect();
    let refused = poll_until("a refusal", || bodies.iter().position(is_answered));
    let refused = bodies.remove(refused).response();
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.text().contains("limits.requests_in_flight"));
    assert!(refused.header("retry-after").is_some());
    // Small ones find room all the same.
    assert_eq!(pong(&connect_from(&server, 95).ask(&ping(2))), 2);

    // What it took itself: the program's own pages are files. Some of what was sent is still on its way to it.
    let grown = || anonymous().saturating_sub(before);
    let filled = poll_until("it is filled", || {
        Some(grown()).filter(|grown| *grown >= MEMORY as u64 / 3)
    });
    eprintln!("{MEMORY} bytes allowed, {filled} taken");
    assert!(grown() <= MEMORY as u64, "{} bytes", grown());

    // All of it comes to its end.
    for mut body in bodies {
        body.send_bytes(" ");
        assert_eq!(body.response().status, 400);
    }
    for mut answer in answers {
        answer.write_all(b"\"").expect("the server still reads");
    }
    for mut call in calls {
        assert_eq!(call.response().json()["id"], 1);
    }
    drop(streams);
    assert_eq!(pong(&server.ask(&ping(3))), 3);
}
