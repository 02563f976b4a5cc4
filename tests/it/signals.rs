//! How a server ends: what runs is finished, streams end between events, and patience has an end.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{
    Folder, Http, Incoming, Mcp, Program, Request, Server, Signal, StdioServer, Value, Way, json,
    poll_until,
};

/// A port that answers to nobody until it is told to: its queue is full. `net_check` of it hangs.
struct Deaf {
    listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl Deaf {
    fn new() -> Deaf {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let addr = listener.local_addr().unwrap();
        let brief = Duration::from_millis(200);
        // The kernel's queue is a little longer than asked for.
        let connect = || TcpStream::connect_timeout(&addr, brief).ok();
        let queue: Vec<TcpStream> = std::iter::from_fn(connect).take(64).collect();
        assert!(queue.len() < 64, "the queue has no end");
        Deaf {
            listener,
            _queue: queue,
        }
    }

    /// Parameters of a call that hangs for as long as a test may last.
    fn call(&self) -> Value {
        let port = self.listener.local_addr().unwrap().port();
        json!({"name": "net_check", "arguments": {"host": "127.0.0.1", "port": port, "timeout_ms": 30000}})
    }

    /// Takes all connections from now on.
    fn listen(self) {
        std::thread::spawn(move || while self.listener.accept().is_ok() {});
    }
}

#[track_caller]
fn wait_running(server: &Server, count: u64) {
    poll_until("running requests", || {
        (server.get_json("/status")["requestsInFlight"] == count).then_some(())
    });
}

#[track_caller]
fn expect_log(server: &Server, needle: &str) {
    server
        .process
        .wait_log(needle, 0, |line| line.contains(needle).then_some(()));
}

#[test]
fn a_running_call_is_finished_and_answered() {
    for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
        let mut server = Server::start(&[("APP_TIMEOUT__SHUTDOWN_GRACE", "30s")]);
        let deaf = Deaf::new();
        let mut client = Mcp::open(Way::Streamable, &server, "2025-11-25");
        let mut get = client.listen();
        assert_eq!(get.next().data, "");
        let mut stateless = Mcp::open(Way::Streamable, &server, "2026-07-28");
        let mut http_sse = Mcp::open(Way::HttpSse, &server, "2024-11-05");
        let mut events = server.connect().into_sse(&Request::get("/api/mcp/v1/sse"));
        let listen = json!({"notifications": {"toolsListChanged": true}});
        let listen = stateless.build("subscriptions/listen", listen);
        let mut listening = stateless.send(&listen).unwrap().into_sse();
        listening.message();
        let call = client.build("tools/call", deaf.call());
        let mut answer = client.send(&call).unwrap();
        let sse_call = http_sse.build("tools/call", deaf.call());
        assert!(http_sse.send(&sse_call).is_none());
        wait_running(&server, 2);
        // In the midst of a head when the end comes: it is still answered.
        let mut late = server.connect();
        late.send_bytes("GET /ready HTTP/1.1\r\n");
        let mut idle = server.connect();
        assert_eq!(idle.ask(&Request::get("/ready")).json()["status"], "ready");

        server.process.signal(signal);
        expect_log(&server, &format!("{name}: stopping"));
        idle.expect_closed();
        poll_until("the end of listening", || {
            TcpStream::connect(server.addr).is_err().then_some(())
        });
        late.send_bytes("Host: localhost\r\n\r\n");
        let ready = late.response();
        assert_eq!((ready.status, ready.keep_alive), (503, false));
        assert_eq!(ready.json()["status"], "stopping");
        late.expect_closed();
        // The last message of a listen stream is the result of its request.
        let last = listening.rest();
        assert_eq!(last.len(), 1, "{last:?}");
        assert_eq!(last[0].json()["id"], listen["id"]);
        assert!(last[0].json().get("result").is_some(), "{last:?}");
        assert!(!answer.is_answered());

        // A reload is no reason to hurry.
        server.hangup();
        deaf.listen();
        let answer = answer.next();
        assert_eq!(
            answer["result"]["structuredContent"]["reachable"], true,
            "{answer}"
        );
        let answer = http_sse.next();
        assert_eq!(answer["id"], sse_call["id"]);
        assert_eq!(answer["result"]["isError"], Value::Null, "{answer}");
        // Each of these reads to the proper end of the body.
        get.expect_end();
        http_sse.stream().expect_end();
        assert_eq!(events.rest().len(), 1);
        let exit = server.process.wait();
        assert!(exit.status.success(), "{exit:?}");
        assert!(exit.log.ends_with("stopped"), "{exit:?}");
    }
}

#[test]
fn after_the_grace_streams_end_properly_and_requests_are_told() {
    let server = Server::start(&[("APP_TIMEOUT__SHUTDOWN_GRACE", "100ms")]);
    let deaf = Deaf::new();
    let mut session = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let mut get = session.listen();
    assert_eq!(get.next().data, "");
    let call = session.build("tools/call", deaf.call());
    let mut as_json = Incoming::start(server.addr, &session.post(&call));
    let call = session.build("tools/call", deaf.call());
    let request = session.post(&call).with("Accept", "text/event-stream");
    let mut as_stream = Http::connect(server.addr).into_sse(&request);
    // The head and the id to come back by are there before there is anything to say.
    assert_eq!(as_stream.next().data, "");
    let mut stateless = Mcp::open(Way::Streamable, &server, "2026-07-28");
    let call = stateless.build("tools/call", deaf.call());
    let request = stateless.post(&call).with("Accept", "text/event-stream");
    let mut stateless = Http::connect(server.addr).into_sse(&request);
    wait_running(&server, 3);
    let exit = server.stop();
    assert!(exit.status.success(), "{exit:?}");
    let late =
        "3 requests and 4 connections did not finish within `timeout.shutdown_grace` (100ms)";
    assert!(exit.log.contains(late), "{exit:?}");
    assert_eq!(as_json.head().status, 503);
    for stream in [&mut get, &mut as_stream, &mut stateless] {
        stream.expect_end();
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    for signals in [[Signal::TERM, Signal::TERM], [Signal::INT, Signal::TERM]] {
        let mut server = Server::start(&[("APP_TIMEOUT__SHUTDOWN_GRACE", "1h")]);
        let deaf = Deaf::new();
        let mut client = Mcp::open(Way::Streamable, &server, "2025-11-25");
        let call = client.build("tools/call", deaf.call());
        let _answer = client.send(&call);
        wait_running(&server, 1);
        server.process.signal(signals[0]);
        expect_log(&server, ": stopping");
        server.process.signal(signals[1]);
        let exit = server.process.wait();
        assert!(exit.status.success(), "{exit:?}");
        assert!(exit.log.contains("again: stopping at once"), "{exit:?}");
    }
}

#[test]
fn a_client_that_never_reads_does_not_hold_the_end_up() {
    let server = Server::start(&[("APP_TIMEOUT__SHUTDOWN_GRACE", "200ms")]);
    let mut silent = server.connect();
    silent.send_bytes("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{");
    // Its head was read as soon as a later request is answered.
    assert_eq!(server.get("/health").status, 200);
    let exit = server.stop();
    assert!(exit.status.success(), "{exit:?}");
}

#[test]
fn the_supervisor_hears_of_readiness_and_of_the_end() {
    let folder = Folder::new();
    let path = folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let server = Server::start(&[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    let receive = || {
        let mut buf = [0; 64];
        let len = socket.recv(&mut buf).unwrap();
        String::from_utf8_lossy(&buf[..len]).into_owned()
    };
    assert_eq!(receive(), "READY=1");
    server.stop();
    assert_eq!(receive(), "STOPPING=1");
    // One that is not there is worth a warning and no more.
    let server = Server::start(&[("NOTIFY_SOCKET", "/nowhere/at/all")]);
    expect_log(&server, "`NOTIFY_SOCKET`: ");
    assert_eq!(server.get("/ready").status, 200);
}

/// In static builds a panic is an instruction that nobody may run, and this is how the kernel answers one.
#[test]
fn a_bug_ends_the_program_with_its_last_words() {
    for signal in [Signal::ILL, Signal::TRAP] {
        let mut server = Server::start(&[]);
        server.process.signal(signal);
        let exit = server.process.wait();
        assert_eq!(exit.status.signal(), Some(signal.as_raw()), "{exit:?}");
        let last = exit.log.lines().last().unwrap_or_default();
        let place = last
            .strip_prefix(concat!(
                "siskin ",
                env!("CARGO_PKG_VERSION"),
                " ends by a bug of its own, at 0x"
            ))
            .and_then(|rest| rest.strip_suffix("; please report this line"));
        assert!(
            place.is_some_and(|hex| hex.len() == 16 && u64::from_str_radix(hex, 16).is_ok()),
            "{}",
            exit.log
        );
    }
}

#[test]
fn an_address_in_use_is_said_and_nothing_is_served() {
    let first = Server::start(&[]);
    let port = first.addr.port().to_string();
    let output = Command::new(Program::Siskin.path())
        .arg("serve")
        .env_clear()
        .env("APP_SERVER__PORT", &port)
        .env("APP_SERVER__HTTP_PORT", "0")
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        log.contains(&format!("cannot listen on 127.0.0.1:{port}: ")),
        "{log}"
    );
    assert!(!log.contains("listening http"), "{log}");
}

// --- stdio ----------------------------------------------------------------------------------------

#[test]
fn the_end_of_stdin_waits_for_what_runs() {
    let mut server = StdioServer::start(&[("APP_TIMEOUT__SHUTDOWN_GRACE", "30s")]);
    let deaf = Deaf::new();
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": deaf.call()});
    server.send(&call);
    server.send(&json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}));
    assert_eq!(server.message()["id"], 2);
    server.close_stdin();
    deaf.listen();
    let answer = server.message();
    assert_eq!(answer["id"], 1);
    assert_eq!(
        answer["result"]["structuredContent"]["reachable"], true,
        "{answer}"
    );
    assert_eq!(server.try_line(), None);
    let exit = server.process.wait();
    assert!(exit.status.success(), "{exit:?}");
}

#[test]
fn the_end_of_stdin_waits_no_longer_than_the_grace() {
    let mut server = StdioServer::start(&[("APP_TIMEOUT__SHUTDOWN_GRACE", "100ms")]);
    let deaf = Deaf::new();
    server.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": deaf.call()}));
    let exit = server.close();
    assert!(exit.status.success(), "{exit:?}");
}

#[test]
fn signals_end_a_stdio_server_and_its_listen_streams() {
    for signal in [Signal::TERM, Signal::INT] {
        let server = StdioServer::start(&[]);
        let mut client = Mcp::stdio_unopened(server, "2026-07-28");
        let listen = json!({"notifications": {"toolsListChanged": true}});
        let listen = client.build("subscriptions/listen", listen);
        client.send(&listen);
        assert_eq!(
            client.next()["method"],
            "notifications/subscriptions/acknowledged"
        );
        // There is nothing to reload, and nothing breaks.
        client.stdio_server().process.signal(Signal::HUP);
        client.request("tools/list", json!({}));
        client.stdio_server().process.signal(signal);
        let last = client.next();
        assert_eq!(last["id"], listen["id"]);
        assert!(last.get("result").is_some(), "{last}");
        assert_eq!(client.stdio_server().try_line(), None);
        let exit = client.stdio_server().process.wait();
        assert!(exit.status.success(), "{exit:?}");
    }
}

#[test]
fn a_second_signal_ends_a_stdio_server_that_waits() {
    let mut server = StdioServer::start(&[("APP_TIMEOUT__SHUTDOWN_GRACE", "1h")]);
    let deaf = Deaf::new();
    server.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": deaf.call()}));
    server.send(&json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}));
    assert_eq!(server.message()["id"], 2);
    server.process.signal(Signal::TERM);
    // Two of the same kind at once may arrive as one.
    server.process.signal(Signal::INT);
    let exit = server.process.wait();
    assert!(exit.status.success(), "{exit:?}");
}

#[test]
fn a_closed_stdout_ends_a_stdio_server_at_the_first_answer() {
    let mut child = Command::new(Program::Siskin.path())
        .args(Program::Siskin.stdio_args())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n")
        .unwrap();
    // stdin stays open, and nothing more is said.
    let status = poll_until("the end", || child.try_wait().unwrap());
    drop(stdin);
    assert!(status.success(), "{status}");
}
