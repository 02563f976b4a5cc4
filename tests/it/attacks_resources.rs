//! Attacks on what a server has only so much of. The limits themselves, at n−1, n and n+1, are `limits`'.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::limits::{check_is_served, connect_from, hits};
use crate::support::{
    Folder, Footprint, Http, Mcp, Program, Request, Server, Sse, Way, json, poll_until, status_kb,
};
use crate::wire::{CALL, ping, pong};

fn initialize() -> Request {
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {},
                        "clientInfo": {"name": "flood", "version": "1"}});
    Request::post(
        "/mcp",
        &json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}),
    )
}

#[test]
fn a_flood_of_sessions_is_bounded_and_ends_by_itself() {
    let server = Server::start(&[
        ("APP_LIMITS__SESSIONS", "20"),
        ("APP_TIMEOUT__SESSION_IDLE", "1s"),
        ("APP_METRICS__PUBLIC", "true"),
        ("APP_SERVER__API_TOKEN", "secret"),
    ]);
    let before = Footprint::of(&server);
    let mut http = server.connect();
    // Who has no token opens none, so can push nobody out.
    for _ in 0..100 {
        assert_eq!(http.ask(&initialize()).status, 401);
    }
    let open = || {
        let text = server.get("/metrics").text();
        let of_sessions = text
            .lines()
            .filter(|line| line.starts_with("mcp_sessions_active{"));
        of_sessions
            .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u32>().unwrap())
            .sum::<u32>()
    };
    assert_eq!(open(), 0);
    let with_token = initialize().header("Authorization", "Bearer secret");
    for _ in 0..200 {
        assert_eq!(http.ask(&with_token).status, 200);
    }
    assert!(open() <= 20);
    drop(http);
    before.check_is_back(&server);
}

#[test]
fn a_flood_of_streams_is_bounded_and_leaves_nothing() {
    let server = Server::start(&[
        ("APP_LIMITS__STREAMS", "10"),
        ("APP_LIMITS__CONNECTIONS_PER_ADDRESS", "100"),
    ]);
    let before = Footprint::of(&server);
    let listen = Mcp::connect(Way::Streamable, server.addr, "2026-07-28");
    let message = listen.build_with_id(
        json!(1),
        "subscriptions/listen",
        json!({"notifications": {"toolsListChanged": true}}),
    );
    let mut open: Vec<Sse> = Vec::new();
    let mut refused = 0;
    for _ in 0..30 {
        for request in [
            listen.post(&message),
            Request::get("/api/mcp/v1/sse"),
            Request::get("/sse/"),
        ] {
            let mut http = server.connect();
            http.send(&request);
            let head = http.response_head(siskin::http1::Method::Get);
            match head.status {
                200 => open.push(Sse::new(http, head)),
                status => {
                    assert!(matches!(status, 429 | 503), "{status}");
                    refused += 1;
                }
            }
        }
    }
    assert_eq!((open.len(), refused), (10, 80));
    assert!(hits(&server, "streams") >= 80.0);
    check_is_served(&mut server.connect());
    drop(open);
    before.check_is_back(&server);
}

/// One address takes all it can; others and this machine's owner get in, and the places come back.
#[test]
fn a_flood_of_connections_leaves_places_for_others() {
    let server = Server::start(&[
        ("APP_LIMITS__CONNECTIONS", "40"),
        ("APP_LIMITS__CONNECTIONS_PER_ADDRESS", "10"),
    ]);
    let before = Footprint::of(&server);
    let mut flood: Vec<Http> = Vec::new();
    for address in 10..20 {
        flood.extend((0..20).map(|_| connect_from(&server, address)));
    }
    // None of them has asked anything, so any of them makes room.
    for address in 30..60 {
        assert_eq!(pong(&connect_from(&server, address).ask(&ping(1))), 1);
    }
    assert!(hits(&server, "connections_per_address") >= 100.0);
    drop(flood);
    before.check_is_back(&server);
}

/// Where memory runs out the process ends at once and as a whole, and the next start finds all it needs.
#[test]
fn without_memory_it_ends_cleanly_or_serves() {
    let folder = Folder::new();
    let state = folder.path().join("state");
    let env = [
        ("APP_LIMITS__BODY_BYTES", "256MiB"),
        ("APP_TIMEOUT__BODY", "30s"),
        ("APP_STATE__FILE", state.to_str().unwrap()),
    ];
    let server = Server::start(&env);
    poll_until("the state file", || fs::metadata(&state).ok());
    let empty = fs::read(&state).unwrap();
    let mut client = Mcp::open(Way::Streamable, &server, "2025-11-25");
    poll_until("the session in it", || {
        (fs::read(&state).ok()? != empty).then_some(())
    });
    let kb = status_kb(&server, "VmSize") + 16 * 1024;
    let limit = Some(kb * 1024);
    let pid = Pid::from_child(&server.process.child);
    let limits = Rlimit {
        current: limit,
        maximum: limit,
    };
    prlimit(Some(pid), Resource::As, limits).unwrap();
    let mut http = server.connect();
    let body = 128 << 20;
    http.send_bytes(format!(
        "POST {CALL} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body}\r\n\r\n"
    ));
    let chunk = vec![b' '; 1 << 20];
    for _ in 0..body >> 20 {
        if http.socket.write_all(&chunk).is_err() {
            break;
        }
    }
    // It needs 128 MiB and has 16: it can only end, by its own hand.
    let mut process = server.process;
    let exit = process.wait();
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&exit.status),
        Some(6),
        "{exit:?}"
    );
    assert!(exit.log.contains("memory allocation of "), "{}", exit.log);
    let again = Server::start(&env);
    assert_eq!(again.get("/health").status, 200);
    assert!(!again.log().contains("damaged"), "{}", again.log());
    let session = client.session().to_owned();
    client = Mcp::connect(Way::Streamable, again.addr, "2025-11-25");
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let request = client.post(&ping).with("Mcp-Session-Id", &session);
    assert_eq!(again.ask(&request).status, 200);
}

/// stderr is a full disk: what cannot be logged is counted, and nobody else notices.
#[test]
fn a_log_that_takes_no_line_stops_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let folder = Folder::new();
    let script = "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" serve";
    let mut child = Command::new("sh")
        .args(["-c", script])
        .arg(Program::Siskin.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("APP_SERVER__PORT", addr.port().to_string())
        .env("APP_LOG__LEVEL", "trace")
        .current_dir(folder.path())
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(listener)))
        .stdout(Stdio::null())
        .stderr(File::options().write(true).open("/dev/full").unwrap())
        .spawn()
        .unwrap();
    let mut http = Http::connect(addr);
    for id in 0..100 {
        assert_eq!(pong(&http.ask(&ping(id))), u64::from(id));
    }
    let metrics = http.ask(&Request::get("/metrics")).text();
    let dropped = metrics
        .lines()
        .find_map(|line| line.strip_prefix("siskin_log_lines_dropped_total "));
    let dropped: u64 = dropped.unwrap().parse().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(dropped >= 100, "{dropped}");
}

/// Eight times the input costs about eight times the work. Were it quadratic it would be 64 times; processor time is
/// counted in hundredths of a second, and the bound is half way between, so that a busy machine changes nothing.
#[test]
fn work_grows_with_the_input_and_not_with_its_square() {
    let server = Server::start(&[
        ("APP_LIMITS__BODY_BYTES", "16MiB"),
        ("APP_LIMITS__BATCH", "10000"),
        ("APP_LIMITS__HEADERS", "256"),
        ("APP_LIMITS__HEAD_BYTES", "1MiB"),
    ]);
    let spent = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", server.process.pid())).unwrap();
        let (_, rest) = stat.rsplit_once(") ").unwrap();
        let fields: Vec<u64> = rest
            .split(' ')
            .skip(11)
            .take(2)
            .map(|field| field.parse().unwrap())
            .collect();
        fields[0] + fields[1]
    };
    let call = |params: String| {
        Request::post_text(
            CALL,
            &format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{params}}}"#),
        )
    };
    type Sample<'a> = (&'a str, &'a dyn Fn(usize) -> Request);
    let samples: [Sample; 5] = [
        ("members", &|n| {
            call(format!(
                "{{{}\"z\":0}}",
                (0..n).map(|i| format!("\"m{i}\":0,")).collect::<String>()
            ))
        }),
        ("one text", &|n| {
            call(format!("{{\"a\":\"{}\"}}", "\\u0041".repeat(n)))
        }),
        ("numbers", &|n| {
            call(format!("{{\"a\":[{}1]}}", "1,".repeat(n)))
        }),
        ("a batch", &|n| {
            let one = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
            Request::post_text(
                CALL,
                &format!("[{}{one}]", format!("{one},").repeat(n / 10)),
            )
        }),
        ("one header", &|n| {
            Request::get("/health").header("X-Long", &"a,".repeat(n))
        }),
    ];
    let mut http = server.connect();
    for (name, sample) in samples {
        let mut cost = |n: usize, times: usize| {
            let request = sample(n);
            let before = spent();
            for _ in 0..times {
                let status = http.ask(&request).status;
                assert!(matches!(status, 200 | 400), "{name}: {status}");
            }
            spent() - before
        };
        // Enough of the small ones to take as long as a few large ones.
        let small = cost(5_000, 24);
        let large = cost(40_000, 24);
        assert!(
            large <= 32 * small.max(2),
            "{name}: {small} became {large} hundredths"
        );
    }
}
