//! `limits.memory` is a ceiling: everything it derives is filled to its cap at once, and the process stays below.
//!
//! What fills it is what clients and services may do: heads and bodies that do not come whole, answers and events that
//! nobody reads, sessions with past events, services that answer as much as they may and never end. What is refused
//! meanwhile is refused by a limit, and small things are answered all the same.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

use crate::limits::{connect_from, hits};
use crate::support::{Folder, Http, Method, Program, Request, Server, Value, json, poll_until};

const MEMORY: u64 = 16 << 20;

/// What the program file takes of it in a build for users. The file of a build with debug assertions is several times
/// as large, so it is not its pages that are measured.
const OWN_FILE_BYTES: u64 = 2 << 20;

/// Nothing ends by itself meanwhile.
const PATIENCE: [(&str, &str); 8] = [
    ("APP_TIMEOUT__HEAD", "1h"),
    ("APP_TIMEOUT__BODY", "1h"),
    ("APP_TIMEOUT__BODY_BYTES_PER_SECOND_MIN", "0"),
    ("APP_TIMEOUT__IDLE", "1h"),
    ("APP_TIMEOUT__WRITE_STALL", "1h"),
    ("APP_TIMEOUT__OPERATION", "1h"),
    ("APP_TIMEOUT__HTTP", "1h"),
    ("APP_TIMEOUT__FIRST_BYTE", "1h"),
];

const PACK: &str = r#"
[service]
id = "blob"
title = "Blob"
description = "Texts of any length."

[[tool]]
name = "blob_read"
title = "Read"
description = "A text of a length, whole or never."
access = "read"
[tool.args]
way = { required = true, description = "`whole` or `never`." }
length = { type = "integer", required = true, description = "In bytes." }
[tool.request]
path = "/{way}/{length}"
[tool.response]
decode = "text"
"#;

/// A service whose texts are as long as the path says; of `/never/…` the last byte is missing.
fn blobs() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut buf = [0; 4096];
                while !head.ends_with(b"\r\n\r\n") {
                    match socket.read(&mut buf) {
                        Ok(len @ 1..) => head.extend_from_slice(&buf[..len]),
                        _ => return,
                    }
                }
                let head = String::from_utf8(head).unwrap();
                let path = head.split(' ').nth(1).unwrap();
                let (way, length) = path[1..].split_once('/').unwrap();
                let length: usize = length.parse().unwrap();
                let sent = length - usize::from(way == "never");
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{}",
                    "x".repeat(sent)
                );
                _ = socket.write_all(answer.as_bytes());
                // Until the other side is gone.
                while matches!(socket.read(&mut buf), Ok(1..)) || sent < length {
                    if matches!(socket.read(&mut buf), Ok(0) | Err(_)) {
                        return;
                    }
                }
            });
        }
    });
    addr
}

/// Resident memory but for the pages of the program's files.
fn anonymous_bytes(server: &Server) -> u64 {
    let path = format!("/proc/{}/status", server.process.pid());
    let status = std::fs::read_to_string(path).unwrap();
    let kib = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let digits = line.unwrap().trim().trim_end_matches(" kB");
        digits.parse().unwrap()
    };
    (kib("VmRSS:") - kib("RssFile:")) * 1024
}

/// What has been filled so far.
struct Filled {
    server: Server,
    open: Vec<Http>,
    /// Each connection from an address that has few.
    next: u8,
    most: u64,
}

impl Filled {
    fn limit(&self, name: &str) -> usize {
        let sample = format!("siskin_limit{{limit=\"{name}\"}}");
        let value = self.server.metric(&sample);
        let value = value.unwrap_or_else(|| panic!("no sample {sample}"));
        format!("{value}").parse().unwrap()
    }

    /// A connection whose client reads little.
    fn connect(&mut self) -> Http {
        self.next = 2 + (self.next + 1) % 200;
        let http = connect_from(&self.server, self.next);
        rustix::net::sockopt::set_socket_recv_buffer_size(&http.socket, 4096).unwrap();
        http
    }

    fn measure(&mut self, what: &str) {
        // Answered after all that came before, and small: this still has to work.
        let health = self.server.get("/health");
        assert_eq!(health.status, 200, "after {what}");
        let now = anonymous_bytes(&self.server);
        eprintln!(
            "{what}: {} KiB, {} connections",
            now / 1024,
            self.open.len()
        );
        self.most = self.most.max(now);
    }

    /// Fills what `holds` says it takes: each call is one connection more, until one is refused.
    fn fill(&mut self, what: &str, most: usize, mut one: impl FnMut(&mut Filled) -> Option<Http>) {
        let before = self.open.len();
        for _ in 0..most {
            match one(self) {
                Some(http) => self.open.push(http),
                None => break,
            }
        }
        assert!(self.open.len() > before, "no {what} at all");
        self.measure(what);
    }
}

fn read_blob(way: &str, length: usize) -> Value {
    let arguments = json!({"way": way, "length": length});
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "blob_read", "arguments": arguments}})
}

const CALL: &str = "/api/mcp/v1/call";

/// Whether anything came within a moment that is long for the server; what came stays unread.
fn is_refused(http: &mut Http, is_settled: impl Fn() -> bool) -> bool {
    let mut byte = [0];
    http.socket.set_nonblocking(true).unwrap();
    let refused = poll_until("an outcome", || match http.socket.peek(&mut byte) {
        Ok(_) => Some(true),
        Err(_) => is_settled().then_some(false),
    });
    http.socket.set_nonblocking(false).unwrap();
    refused
}

#[test]
fn everything_at_once_stays_below_the_ceiling() {
    let folder = Folder::new();
    folder.write("config/base.toml", "");
    folder.write("config/packs/blob.toml", PACK);
    let url = format!("http://{}", blobs());
    let mut env = PATIENCE.to_vec();
    env.push(("APP_LIMITS__MEMORY", "16MiB"));
    env.push(("APP_SERVICES__BLOB__URL", &url));
    let server = Server::start_in(folder, Program::Siskin, &env);
    let mut filled = Filled {
        server,
        open: Vec::new(),
        next: 0,
        most: 0,
    };
    let output = filled.limit("tool_output_bytes");
    // Room for the frame around a text.
    let longest = output - 1024;
    let probe = filled
        .server
        .ask(&Request::post(CALL, &read_blob("whole", longest)));
    assert!(probe.body.len() >= longest, "{probe:?}");
    filled.measure("nothing");

    // Sessions, each with past events: more of both than there may be.
    let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    let past = filled.limit("replay_bytes") - 2048;
    let mut http = filled.server.connect();
    for _ in 0..filled.limit("sessions") + 5 {
        let opened = http.ask(&Request::post("/mcp", &initialize));
        let session = opened.header("mcp-session-id").unwrap().to_owned();
        let request = Request::post("/mcp", &read_blob("whole", past))
            .with("Accept", "text/event-stream")
            .header("Mcp-Session-Id", &session)
            .header("MCP-Protocol-Version", "2025-11-25");
        let answer = http.ask(&request);
        assert!(answer.is_sse() && answer.body.len() > past, "{answer:?}");
    }
    drop(http);
    filled.measure("sessions");
    assert!(hits(&filled.server, "replay_total_bytes") > 0.0);

    // Streams, each with a queue as full as it may be and one answer more.
    let streams = filled.limit("streams");
    let mut publisher = filled.server.connect();
    filled.fill("streams", streams, |filled| {
        let mut http = filled.connect();
        http.send(&Request::get("/sse/"));
        http.response_head(Method::Get);
        let target = loop {
            http.more(crate::support::Until::soon());
            let text = String::from_utf8_lossy(&http.unread).into_owned();
            if let Some((_, rest)) = text.split_once("data: ")
                && let Some((target, _)) = rest.split_once('\n')
            {
                break target.trim().replace("../", "/");
            }
        };
        // Until it is asked to read first, or nothing large is made any more.
        for _ in 0..20 {
            let asked = publisher.ask(&Request::post(&target, &read_blob("whole", longest)));
            if asked.status != 202 || hits(&filled.server, "waiting_total_bytes") > 0.0 {
                break;
            }
        }
        Some(http)
    });

    // Answers that nobody reads.
    let body = filled.limit("body_bytes");
    filled.fill("unread answers", 12, |filled| {
        let mut http = filled.connect();
        let request = Request::post(CALL, &read_blob("whole", longest)).bytes(filled.server.addr);
        http.send_bytes(request.repeat(8));
        is_refused(&mut http, || false);
        Some(http)
    });

    // Work that does not end, as much of it as there may be. Half of the answers have to be read first, or nobody may
    // ask for work: that is what bounds them.
    filled.open.truncate(streams / 2);
    poll_until("room for work", || {
        let probe = filled
            .server
            .ask(&Request::post(CALL, &read_blob("whole", 10)));
        (probe.status == 200).then_some(())
    });
    let upstream = filled.limit("upstream_bytes");
    let requests = filled.limit("requests_in_flight");
    filled.fill("requests in flight", requests, |filled| {
        let mut http = filled.connect();
        http.send(&Request::post(CALL, &read_blob("never", upstream)));
        Some(http)
    });
    poll_until("all in flight", || {
        let status = filled.server.get_json("/status");
        (status["requestsInFlight"] == requests).then_some(())
    });
    filled.measure("requests in flight");

    // Bodies that do not come whole, until one is refused.
    let received = |filled: &Filled| hits(&filled.server, "waiting_total_bytes");
    filled.fill("bodies", 20, |filled| {
        let before = received(filled);
        let mut http = filled.connect();
        let head = Request::new("POST", CALL)
            .header("Content-Type", "application/json")
            .header("Content-Length", &body.to_string());
        http.send(&head);
        // Its client may be cut off in the middle of it.
        _ = http.socket.write_all(&vec![b' '; body - 1]);
        filled.server.get("/health");
        (received(filled) == before).then_some(http)
    });
    assert!(received(&filled) > 0.0, "nobody was ever refused");

    // Heads that do not come whole, in all places that are left but one.
    let head = filled.limit("head_bytes");
    let left = filled.limit("connections") - filled.open.len() - 6;
    filled.fill("heads", left, |filled| {
        let mut http = filled.connect();
        let start = format!("GET /mcp HTTP/1.1\r\nHost: {}\r\nX: ", filled.server.addr);
        http.send_bytes(format!("{start}{}", "x".repeat(head - start.len() - 4)));
        Some(http)
    });
    let ceiling = MEMORY - OWN_FILE_BYTES;
    let most = filled.most;
    assert!(most <= ceiling, "{} of {} KiB", most / 1024, ceiling / 1024);
    // And it is used: a ceiling that nobody can come near would only be a waste.
    assert!(most >= ceiling / 4, "only {} KiB", most / 1024);

    // Everybody goes, and it works as before.
    filled.open.clear();
    poll_until("work is done again", || {
        let probe = filled
            .server
            .ask(&Request::post(CALL, &read_blob("whole", longest)));
        (probe.status == 200).then_some(())
    });
    let exit = filled.server.stop();
    assert!(exit.status.success(), "{}", exit.log);
}
