//! `limits.memory`: every limit that is derived from it is filled at once, and what that takes is read from `/proc`. The program's own
//! tools never become tasks, so that what tasks keep is filled at a server of a library, and counts as much here as it is found to there.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::limits::{connect_from, hits};
use crate::support::{
    Folder, Http, Mcp, Program, Request, Server, Sse, Way, json, poll_until, status_kb,
};
use crate::wire::{CALL, ping, pong};

const MEMORY: usize = 16 << 20;
// What follows from it; `documented` compares that with the table of `config/README.md`.
const BODY: usize = 512 << 10;
const UPSTREAM: usize = 1 << 20;
const REQUESTS: usize = 4;
const STREAMS: usize = 64;
const SESSIONS: usize = 256;
const REPLAY: usize = 1 << 20;

/// What tasks keep by default, whose outputs are as large as with this memory.
const OUTPUT: usize = 256 << 10;
const TASKS: usize = 256;
/// What a task is beside its output, of which the page that an allocator of the C library rounds a large piece up to.
const TASK: usize = 8 << 10;
/// What a request may take by default.
const REQUEST: usize = (1 << 20) + (2 << 20) + OUTPUT;

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

/// What is held at once with `MEMORY`, as `config/README.md` has it: how many of each kind there are, and what one takes.
fn documented() -> Vec<(String, usize, usize)> {
    let page = std::fs::read_to_string("config/README.md").expect("the reference");
    let (_, tables) = page.split_once("| held | how many |").expect("its table");
    let (head, rows) = tables.split_once("|---|").expect("its rule");
    // Rows begin with a bar and two cells more than what is left of their head.
    let cells = |row: &'_ str| -> Vec<String> {
        row.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let column = cells(head).iter().position(|cell| cell == "16 MiB");
    let column = column.expect("a column for this memory") + 3;
    let rows = rows.lines().skip(1).take_while(|row| row.starts_with('|'));
    let rows = rows.map(cells).map(|cells| {
        let all = size(cells[column].rsplit("= ").next().expect("a sum"));
        let Some((count, each)) = cells[column].split_once(" × ") else {
            return (cells[1].clone(), 1, all);
        };
        let count = count.parse().expect("a number");
        let each = size(each.split(' ').next().expect("a size"));
        assert_eq!(count * each, all, "{cells:?}");
        (cells[1].clone(), count, each)
    });
    rows.collect()
}

fn size(text: &str) -> usize {
    let (number, unit) = text.split_at(text.find("iB").expect(text) - 1);
    let number: usize = number.parse().expect(text);
    number << if unit == "KiB" { 10 } else { 20 }
}

/// What may be taken at once but for the outputs of tasks.
fn without_tasks() -> usize {
    let held = documented();
    let expected = [
        (
            "requests being worked on",
            REQUESTS,
            BODY + UPSTREAM + OUTPUT,
        ),
        ("streams", STREAMS, 64 << 10),
        ("connections", 85, 12 << 10),
        ("sessions", SESSIONS, 4 << 10),
        ("past events of all sessions", 1, REPLAY),
        ("outputs of tasks", 4, OUTPUT),
    ];
    let sum: usize = expected.iter().map(|(_, count, each)| count * each).sum();
    let expected = expected.into_iter().chain([("all of it", 1, sum)]);
    let expected = expected.map(|(what, count, each)| (what.to_owned(), count, each));
    assert_eq!(held, expected.collect::<Vec<_>>());
    assert!(sum <= MEMORY);
    sum - 4 * OUTPUT
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
    let ceiling = without_tasks() as u64;
    let grown = || anonymous().saturating_sub(before);
    let filled = poll_until("it is filled", || {
        Some(grown()).filter(|grown| *grown >= MEMORY as u64 / 3)
    });
    eprintln!("{ceiling} bytes allowed, {filled} taken");
    assert!(grown() <= ceiling, "{} bytes", grown());

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

/// A call that becomes a task and ends at once, with a result that takes this much on the wire.
fn task(mcp: &mut Mcp, result_bytes: usize) -> String {
    let around = "Computed `` in 0 s".len();
    // A control character is six bytes on the wire: what counts is what is kept.
    let label_bytes = result_bytes - around;
    let label = "\u{1}".repeat(label_bytes / 6) + &"x".repeat(label_bytes % 6);
    let arguments = json!({"seconds": 0, "label": label});
    let created = mcp.result(
        "tools/call",
        json!({"name": "slow_compute", "arguments": arguments}),
    );
    let id = created["taskId"].as_str().expect("a task").to_owned();
    poll_until("its end", || {
        let task = mcp.result("tasks/get", json!({"taskId": id}));
        (task["status"] == "completed").then_some(())
    });
    id
}

#[test]
fn outputs_of_tasks_take_what_their_limit_says() {
    let server = Server::everything();
    let capabilities = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    let mut mcp = Mcp::open_with(Way::Streamable, &server, "2026-07-28", capabilities);
    let anonymous = || status_kb(&server, "RssAnon") * 1024;
    let before = anonymous();

    // One byte more is a failure that says so, and is as small as one.
    let kept = task(&mut mcp, OUTPUT);
    let refused = task(&mut mcp, OUTPUT + 1);
    let mut text = |id: &str| {
        let task = mcp.result("tasks/get", json!({"taskId": id}));
        task["result"]["content"][0]["text"]
            .as_str()
            .expect("a text")
            .to_owned()
    };
    assert!(text(&kept).starts_with("Computed"));
    let refusal = text(&refused);
    assert!(
        refusal.contains("exceeds `limits.tool_output_bytes`"),
        "{refusal}"
    );

    // More of them than are kept, each as large as may be: the oldest that have ended make room.
    for _ in 0..TASKS + 16 {
        task(&mut mcp, OUTPUT);
    }
    assert!(hits(&server, "tasks") >= 1.0);
    let grown = anonymous().saturating_sub(before);
    // The calls came one after the other, each with its share of the memory of requests.
    let ceiling = (TASKS * (OUTPUT + TASK) + REQUEST) as u64;
    eprintln!("{ceiling} bytes allowed, {grown} taken");
    assert!(grown <= ceiling, "{grown} bytes");
    assert!(grown >= ceiling / 2, "{grown} bytes: it is not filled");
}
