//! Each limit and deadline of `[limits]` and `[timeout]` that strangers can run into: what is
//! within it, what is not, what the answer is, and that it is counted. Once as configured and,
//! where the test shows a number, once with the default.
//!
//! No assertion here is about how long something took: deadlines are made short, waits are long,
//! and what is checked is what happens and in which order.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::support::{
    Http, Mcp, Request, Response, Server, Sse, Until, Value, Way, json, poll_until,
};
use crate::wire::{CALL, ask, error_text, ping, pong, responses};

const EVENTS: &str = "/api/mcp/v1/sse";
const PUBLISH: &str = "/api/mcp/v1/events";

/// A pause between bytes of a slow client; only ever a lower bound.
const DRIP: Duration = Duration::from_millis(20);

/// How often a limit refused something.
#[track_caller]
pub fn hits(server: &Server, limit: &str) -> f64 {
    let sample = format!(r#"mcp_limit_hits_total{{limit="{limit}"}}"#);
    server.metric(&sample).expect("every limit has its sample")
}

/// Waits until connections were closed for this reason so many times.
#[track_caller]
pub fn wait_closed(server: &Server, reason: &str, count: f64) {
    let sample = format!(r#"mcp_connections_closed_total{{reason="{reason}"}}"#);
    poll_until(&sample, || (server.metric(&sample)? >= count).then_some(()));
}

/// Connects from another address of this machine: all of 127/8 is ours.
#[track_caller]
pub fn connect_from(server: &Server, last: u8) -> Http {
    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    let ip = IpAddr::from(Ipv4Addr::new(127, 0, 0, last));
    bind(&socket, &SocketAddr::new(ip, 0)).unwrap();
    connect(&socket, &server.addr).unwrap();
    let socket = TcpStream::from(socket);
    socket.set_nodelay(true).unwrap();
    Http {
        socket,
        addr: server.addr,
        unread: Vec::new(),
    }
}

/// The refusal that a connection gets without having asked anything.
#[track_caller]
pub fn check_no_place(mut http: Http) {
    let refused = responses(&mut http);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].status, 503);
    assert_eq!(refused[0].header("connection"), Some("close"));
    assert!(refused[0].header("retry-after").is_some());
    error_text(&refused[0]);
}

#[track_caller]
pub fn check_is_served(http: &mut Http) {
    assert_eq!(pong(&http.ask(&ping(1))), 1);
}

#[track_caller]
fn check_503(response: &Response, key: &str) {
    assert_eq!(response.status, 503, "{response:?}");
    assert!(response.header("retry-after").is_some(), "{response:?}");
    let text = error_text(response);
    assert!(text.contains(key), "{text}");
}

/// A place where connecting takes until it is let go: a queue of connections that is full.
pub struct Plug {
    addr: SocketAddr,
    listener: TcpListener,
    _first: TcpStream,
}

impl Plug {
    pub fn new() -> Plug {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let addr = listener.local_addr().unwrap();
        // The queue holds one connection more than it is told to.
        let first = TcpStream::connect(addr).unwrap();
        Plug {
            addr,
            listener,
            _first: first,
        }
    }

    /// A tool call that does not end before `let_go`.
    pub fn call(&self, id: u32) -> Value {
        json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "net_check",
            "arguments": {"host": "127.0.0.1", "port": self.addr.port(), "timeout_ms": 30_000}}})
    }

    pub fn let_go(self) {
        rustix::net::listen(&self.listener, 1024).unwrap();
        std::thread::spawn(move || while self.listener.accept().is_ok() {});
    }
}

/// Waits until so many requests are being worked on.
#[track_caller]
fn wait_in_flight(server: &Server, count: usize) {
    poll_until("requests in flight", || {
        (server.get_json("/status")["requestsInFlight"] == json!(count)).then_some(())
    });
}

// --- connections ----------------------------------------------------------------------------------

#[test]
fn connections() {
    check_connections(&[("APP_LIMITS__CONNECTIONS", "3")], 3);
    check_connections(&[], 256);
}

#[track_caller]
fn check_connections(env: &[(&str, &str)], limit: usize) {
    let server = Server::start(env);
    let from = |index: usize| 2 + u8::try_from(index / 60).unwrap();
    let mut open: Vec<Http> = (0..limit)
        .map(|index| connect_from(&server, from(index)))
        .collect();
    open.iter_mut().for_each(check_is_served);
    check_no_place(connect_from(&server, 200));
    // Those that are there go on, and one that leaves makes room for one.
    open.iter_mut().for_each(check_is_served);
    let metrics = open[0].ask(&Request::get("/metrics")).text();
    assert!(
        metrics.contains("mcp_limit_hits_total{limit=\"connections\"} 1\n"),
        "{metrics}"
    );
    assert!(
        metrics.contains("mcp_connections_closed_total{reason=\"limit\"} 1\n"),
        "{metrics}"
    );
    open.pop();
    let mut last = poll_until("a place", || {
        let mut http = connect_from(&server, 200);
        http.send(&ping(1));
        (http.response().status == 200).then_some(http)
    });
    check_is_served(&mut last);
}

#[test]
fn connections_per_address() {
    check_connections_per_address(&[("APP_LIMITS__CONNECTIONS_PER_ADDRESS", "2")], 2);
    check_connections_per_address(&[], 64);
}

#[track_caller]
fn check_connections_per_address(env: &[(&str, &str)], limit: usize) {
    let server = Server::start(env);
    let mut open: Vec<Http> = (0..limit).map(|_| connect_from(&server, 2)).collect();
    open.iter_mut().for_each(check_is_served);
    check_no_place(connect_from(&server, 2));
    check_is_served(&mut connect_from(&server, 3));
    open.iter_mut().for_each(check_is_served);
    assert_eq!(hits(&server, "connections_per_address"), 1.0);
    assert_eq!(hits(&server, "connections"), 0.0);
}

#[test]
fn open_files_running_out_stops_newcomers_only() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let server = Server::start(&[]);
    let mut kept = server.connect();
    let ask = |http: &mut Http, sample: &str| {
        let text = http.ask(&Request::get("/metrics")).text();
        let line = text.lines().find_map(|line| line.strip_prefix(sample));
        line.unwrap().trim().parse::<f64>().unwrap()
    };
    const OPEN_FILES: &str = "mcp_limit_hits_total{limit=\"open_files\"}";
    let open = ask(&mut kept, "process_open_fds ");
    assert_eq!(ask(&mut kept, OPEN_FILES), 0.0);
    // Room for five more; twenty come. Those without room wait in the kernel's queue.
    let limit = format!("{}", open + 5.0).parse().unwrap();
    let pid = Pid::from_child(&server.process.child);
    let limits = Rlimit {
        current: Some(limit),
        maximum: Some(limit),
    };
    prlimit(Some(pid), Resource::Nofile, limits).unwrap();
    let crowd: Vec<Http> = (0..20).map(|_| server.connect()).collect();
    poll_until("a pause", || {
        (ask(&mut kept, OPEN_FILES) > 0.0).then_some(())
    });
    // Who is in is served as before, and accepting does not spin meanwhile: it pauses for 100 ms.
    let before = ask(&mut kept, OPEN_FILES);
    for _ in 0..100 {
        check_is_served(&mut kept);
    }
    assert!(ask(&mut kept, OPEN_FILES) - before < 50.0);
    drop(crowd);
    check_is_served(&mut server.connect());
}

// --- heads ----------------------------------------------------------------------------------------

/// A GET whose head has this many bytes, in so many header lines.
fn head_of(bytes: usize, lines: usize) -> String {
    let mut head = "GET /health HTTP/1.1\r\nHost: localhost\r\n".to_owned();
    (3..=lines).for_each(|_| head += "A: b\r\n");
    let filler = bytes.saturating_sub(head.len() + "X: \r\n\r\n".len());
    head += &format!("X: {}\r\n\r\n", "x".repeat(filler));
    head
}

#[test]
fn head_bytes() {
    check_head_bytes(&[("APP_LIMITS__HEAD_BYTES", "600")], 600);
    check_head_bytes(&[], 8192);
}

#[track_caller]
fn check_head_bytes(env: &[(&str, &str)], limit: usize) {
    let server = Server::start(env);
    let mut http = server.connect();
    for len in [limit - 1, limit] {
        let head = head_of(len, 2);
        assert_eq!(head.len(), len);
        http.send_bytes(head);
        assert_eq!(http.response().status, 200, "{len}");
    }
    http.send_bytes(head_of(limit + 1, 2));
    let refused = responses(&mut http);
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].status, 431);
    assert!(error_text(&refused[0]).contains(&limit.to_string()));

    // It is not waited for the end of a head that is too long, nor of its first line.
    let line = format!("GET /{}", "x".repeat(limit));
    for (begin, status) in [(head_of(limit + 2, 2), 431), (line, 414)] {
        let mut http = server.connect();
        http.send_bytes(&begin[..=limit]);
        let refused = responses(&mut http);
        assert_eq!(refused[0].status, status);
        error_text(&refused[0]);
    }
    assert_eq!(hits(&server, "head_bytes"), 3.0);
    wait_closed(&server, "too_large", 3.0);
}

#[test]
fn headers() {
    check_headers(&[("APP_LIMITS__HEADERS", "8")], 8);
    check_headers(&[], 64);
}

#[track_caller]
fn check_headers(env: &[(&str, &str)], limit: usize) {
    let server = Server::start(env);
    let mut http = server.connect();
    for count in [limit - 1, limit] {
        http.send_bytes(head_of(0, count));
        assert_eq!(http.response().status, 200, "{count}");
    }
    http.send_bytes(head_of(0, limit + 1));
    let refused = responses(&mut http);
    assert_eq!(refused[0].status, 431);
    assert!(error_text(&refused[0]).contains(&limit.to_string()));
    assert_eq!(
        (hits(&server, "headers"), hits(&server, "head_bytes")),
        (1.0, 0.0)
    );
}

// --- bodies and what is in them -------------------------------------------------------------------

/// A ping with a body of this length.
fn ping_of(len: usize) -> Request {
    let text = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    Request::post_text(CALL, &format!("{text}{}", " ".repeat(len - text.len())))
}

/// The same in chunks of about 1000 bytes.
fn chunked(request: Request) -> Request {
    let body = request.body.clone().unwrap();
    let mut out = Vec::new();
    for chunk in body.chunks(1000) {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    request.header("Transfer-Encoding", "chunked").body(out)
}

#[test]
fn body_bytes() {
    check_body_bytes(&[("APP_LIMITS__BODY_BYTES", "2KiB")], 2048);
    check_body_bytes(&[], 1 << 20);
}

#[track_caller]
fn check_body_bytes(env: &[(&str, &str)], limit: usize) {
    let server = Server::start(env);
    let mut http = server.connect();
    for len in [limit - 1, limit] {
        assert_eq!(pong(&http.ask(&ping_of(len))), 1, "{len}");
        assert_eq!(
            pong(&http.ask(&chunked(ping_of(len)))),
            1,
            "{len} in chunks"
        );
    }
    let refuse = |bytes: &[u8]| {
        let mut http = server.connect();
        _ = http.socket.write_all(bytes);
        let refused = responses(&mut http);
        assert_eq!(refused.len(), 1);
        assert_eq!(
            (refused[0].status, refused[0].header("connection")),
            (413, Some("close"))
        );
        let text = error_text(&refused[0]);
        assert!(
            text.contains("limits.body_bytes") && text.contains(&limit.to_string()),
            "{text}"
        );
    };
    refuse(&ping_of(limit + 1).bytes(server.addr));
    refuse(&chunked(ping_of(limit + 1)).bytes(server.addr));
    // Neither is a byte of it waited for.
    let huge = ping(1)
        .header("Content-Length", "18446744073709551615")
        .bytes(server.addr);
    refuse(&huge[..huge.len() - 1]);
    assert_eq!(hits(&server, "body_bytes"), 3.0);
    wait_closed(&server, "too_large", 3.0);
}

/// As proxies do it: they send all of what they have, and read the answer then.
#[test]
fn whoever_sends_on_still_reads_why_a_body_is_refused() {
    let server = Server::start(&[]);
    for len in [1_500_000, 4_000_000] {
        // From the head alone, and in the middle of the chunks.
        for request in [ping_of(len), chunked(ping_of(len))] {
            let mut http = server.connect();
            let sent = http.socket.write_all(&request.bytes(server.addr));
            assert!(sent.is_ok(), "{len}: {sent:?}");
            let refused = responses(&mut http);
            assert_eq!(refused.len(), 1);
            assert_eq!(refused[0].status, 413);
        }
    }
    // There is an end to that.
    let mut http = server.connect();
    let endless = ping(1).header("Content-Length", "1000000000000");
    let endless = endless.bytes(server.addr);
    http.socket.write_all(&endless).expect("the head is sent");
    let all = (0..1_000_000).try_for_each(|_| http.socket.write_all(&[b' '; 4096]));
    assert!(all.is_err(), "4 GB were read");
    wait_closed(&server, "too_large", 5.0);
}

#[test]
fn json_depth() {
    check_json_depth(&[("APP_LIMITS__JSON_DEPTH", "8")], 8);
    check_json_depth(&[], 64);
}

#[track_caller]
fn check_json_depth(env: &[(&str, &str)], limit: usize) {
    let server = Server::start(env);
    let session = Mcp::open(Way::Streamable, &server, "2025-11-25");
    // The message and its params are two.
    let nested = |depth: usize| {
        let arrays = depth - 2;
        let text = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"a":{}{}}}}}"#,
            "[".repeat(arrays),
            "]".repeat(arrays)
        );
        let mcp = session.post(&json!({})).body(&text);
        [Request::post_text(CALL, &text), mcp]
    };
    let mut http = server.connect();
    for depth in [limit - 1, limit] {
        for request in nested(depth) {
            assert_eq!(pong(&http.ask(&request)), 1, "{depth}");
        }
    }
    for request in nested(limit + 1) {
        let refused = http.ask(&request);
        assert_eq!(refused.status, 400);
        let text = error_text(&refused);
        assert!(
            text.contains("limits.json_depth") && text.contains(&limit.to_string()),
            "{text}"
        );
    }
    assert_eq!(hits(&server, "json_depth"), 2.0);
    // However deep, the stack is not used.
    let deep = Request::post_text(CALL, &"[".repeat(1_000_000));
    assert_eq!(http.ask(&deep).status, 400);
    check_is_served(&mut http);
}

#[test]
fn batch() {
    check_batch(&[("APP_LIMITS__BATCH", "4")], 4);
    check_batch(&[], 32);
}

#[track_caller]
fn check_batch(env: &[(&str, &str)], limit: usize) {
    let server = Server::start(env);
    let session = Mcp::open(Way::Streamable, &server, "2025-03-26");
    let pings = |count: usize| {
        let ping = |id| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
        let batch: Value = (0..count).map(ping).collect();
        [Request::post(CALL, &batch), session.post(&batch)]
    };
    let mut http = server.connect();
    for count in [limit - 1, limit] {
        for request in pings(count) {
            let response = http.ask(&request);
            assert_eq!(response.status, 200);
            let answers = response.json();
            let ids = answers
                .as_array()
                .unwrap()
                .iter()
                .map(|answer| answer["id"].as_u64());
            assert!(ids.eq((0..count as u64).map(Some)), "{answers}");
        }
    }
    for request in pings(limit + 1) {
        let refused = http.ask(&request);
        assert_eq!(refused.status, 400);
        let text = error_text(&refused);
        assert!(
            text.contains("limits.batch") && text.contains(&limit.to_string()),
            "{text}"
        );
    }
    assert_eq!(hits(&server, "batch"), 2.0);
    assert_eq!(http.ask(&Request::post_text(CALL, "[]")).status, 400);
}

// --- sessions, streams, requests ------------------------------------------------------------------

fn is_alive(session: &Mcp) -> bool {
    let ping = json!({"jsonrpc": "2.0", "id": "alive", "method": "ping"});
    let response = Http::connect(session.addr()).ask(&session.post(&ping));
    assert!(matches!(response.status, 200 | 404), "{response:?}");
    response.status == 200
}

fn open_session(server: &Server) -> Mcp {
    Mcp::open(Way::Streamable, server, "2025-11-25")
}

fn initialize() -> Request {
    Request::post(
        "/mcp",
        &json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "it", "version": "1"}}}),
    )
}

#[test]
fn sessions_make_room_by_the_longest_idle_and_never_by_an_active_one() {
    let server = Server::start(&[("APP_LIMITS__SESSIONS", "3")]);
    let a = open_session(&server);
    let b = open_session(&server);
    let c = open_session(&server);
    assert_eq!(hits(&server, "sessions"), 0.0);
    assert!(is_alive(&b) && is_alive(&a) && is_alive(&c));
    // `b` was used longest ago.
    let d = open_session(&server);
    assert!(!is_alive(&b));
    assert!(is_alive(&a) && is_alive(&c) && is_alive(&d));
    assert_eq!(hits(&server, "sessions"), 1.0);

    // A stream makes a session active, so does a request that is being worked on, and a session
    // of HTTP+SSE lives as long as its stream.
    let a_stream = a.listen();
    let plug = Plug::new();
    let mut c_call = server.connect();
    c_call.send(&c.post(&plug.call(1)));
    wait_in_flight(&server, 1);
    let e = Mcp::open(Way::HttpSse, &server, "2024-11-05");
    assert!(is_alive(&a) && is_alive(&c) && !is_alive(&d));
    for refused in [
        server.ask(&initialize()),
        ask(&server, &Request::get("/sse/")),
    ] {
        check_503(&refused, "limits.sessions");
    }
    assert_eq!(hits(&server, "sessions"), 4.0);
    assert!(is_alive(&a) && is_alive(&c));
    drop(a_stream);
    poll_until("room", || {
        (server.ask(&initialize()).status == 200).then_some(())
    });
    assert!(!is_alive(&a) && is_alive(&c));
    drop(e);
    plug.let_go();
    assert_eq!(c_call.response().json()["id"], 1);
}

#[test]
fn sessions_are_1024_by_default() {
    let server = Server::start(&[]);
    let mut http = server.connect();
    for _ in 0..1024 {
        assert_eq!(http.ask(&initialize()).status, 200);
    }
    assert_eq!(server.get_json("/status")["sessions"], 1024);
    assert_eq!(hits(&server, "sessions"), 0.0);
    assert_eq!(http.ask(&initialize()).status, 200);
    assert_eq!(server.get_json("/status")["sessions"], 1024);
    assert_eq!(hits(&server, "sessions"), 1.0);
}

fn open_events(mut http: Http) -> Sse {
    http.send(&Request::get(EVENTS));
    let head = http.response_head(siskin::http1::Method::Get);
    assert_eq!(head.status, 200, "{head:?}");
    let mut stream = Sse::new(http, head);
    assert_eq!(stream.next().event, "connected");
    stream
}

/// The request for a listen stream of 2026-07-28.
fn listen(server: &Server) -> Request {
    let client = Mcp::connect(Way::Streamable, server.addr, "2026-07-28");
    let filter = json!({"notifications": {"toolsListChanged": true}});
    client.post(&client.build_with_id(json!(1), "subscriptions/listen", filter))
}

#[test]
fn streams() {
    let server = Server::start(&[("APP_LIMITS__STREAMS", "2")]);
    let session = open_session(&server);
    let first = open_events(server.connect());
    let mut second = server.connect().into_sse(&listen(&server));
    assert_eq!(
        second.next().json()["method"],
        "notifications/subscriptions/acknowledged"
    );
    let refused = [
        Request::get(EVENTS),
        Request::get("/sse/"),
        session.get(),
        listen(&server),
    ];
    for request in &refused {
        check_503(&ask(&server, request), "limits.streams");
    }
    assert_eq!(hits(&server, "streams"), 4.0);
    // No session was opened for a stream that was not.
    assert_eq!(server.get_json("/status")["sessions"], 1);
    // An answer that need not be a stream still comes.
    check_is_served(&mut server.connect());
    assert!(is_alive(&session));
    let client = Mcp::connect(Way::Streamable, server.addr, "2026-07-28");
    let call = client.build_with_id(json!(1), "tools/call", json!({"name": "device_cpu"}));
    assert!(server.ask(&client.post(&call)).json()["result"].is_object());

    drop(first);
    poll_until("a place for a stream", || {
        let http = server.connect();
        let stream = try_stream(http, &session.get());
        stream.map(|_| ())
    });
    // Gone again; now one place of any kind, and no more.
    let third = poll_until("a place for a stream", || {
        try_stream(server.connect(), &Request::get(EVENTS))
    });
    assert!(try_stream(server.connect(), &listen(&server)).is_none());
    drop(second);
    poll_until("a place for a stream", || {
        try_stream(server.connect(), &listen(&server))
    });
    drop(third);
}

fn try_stream(mut http: Http, request: &Request) -> Option<Sse> {
    http.send(request);
    let head = http.response_head(siskin::http1::Method::Get);
    (head.status == 200).then(|| Sse::new(http, head))
}

#[test]
fn streams_are_128_by_default() {
    let server = Server::start(&[]);
    let open: Vec<Sse> = (0..128)
        .map(|index| open_events(connect_from(&server, 2 + index % 4)))
        .collect();
    check_503(&ask(&server, &Request::get(EVENTS)), "limits.streams");
    assert_eq!(server.get_json("/status")["streams"], open.len());
    assert_eq!(hits(&server, "streams"), 1.0);
}

#[test]
fn listen_streams_are_no_requests_in_flight() {
    let server = Server::start(&[("APP_LIMITS__REQUESTS_IN_FLIGHT", "1")]);
    let mut streams: Vec<Sse> = (0..3)
        .map(|_| server.connect().into_sse(&listen(&server)))
        .collect();
    for stream in &mut streams {
        stream.next();
    }
    let client = Mcp::connect(Way::Streamable, server.addr, "2026-07-28");
    let call = client.build_with_id(json!(1), "tools/call", json!({"name": "device_cpu"}));
    assert!(server.ask(&client.post(&call)).json()["result"].is_object());
    let status = server.get_json("/status");
    assert_eq!(
        (&status["streams"], &status["requestsInFlight"]),
        (&json!(3), &json!(0))
    );
    assert_eq!(hits(&server, "requests_in_flight"), 0.0);
}

#[test]
fn requests_in_flight() {
    check_requests_in_flight(&[("APP_LIMITS__REQUESTS_IN_FLIGHT", "2")], 2);
    check_requests_in_flight(&[], 64);
}

#[track_caller]
fn check_requests_in_flight(env: &[(&str, &str)], limit: usize) {
    let server = Server::start(env);
    let plug = Plug::new();
    let mut open = Vec::new();
    for index in 0..limit {
        let mut http = connect_from(&server, 2 + u8::from(index % 2 == 0));
        http.send(&Request::post(CALL, &plug.call(7)));
        open.push(http);
    }
    wait_in_flight(&server, limit);
    assert_eq!(hits(&server, "requests_in_flight"), 0.0);
    let mut http = server.connect();
    for _ in 0..2 {
        let refused = http.ask(&Request::post(CALL, &plug.call(8)));
        check_503(&refused, "limits.requests_in_flight");
        assert_eq!(refused.json()["id"], 8);
    }
    assert_eq!(hits(&server, "requests_in_flight"), 2.0);
    // What is answered at once is not work in flight.
    check_is_served(&mut http);
    let mut again = plug.call(9);
    again["params"]["arguments"] = json!({"host": "127.0.0.1", "port": server.addr.port()});
    plug.let_go();
    for http in &mut open {
        assert!(http.response().json()["result"].is_object());
    }
    let response = http.ask(&Request::post(CALL, &again));
    assert!(response.json()["result"].is_object(), "{response:?}");
}

// --- readers that do not read ---------------------------------------------------------------------

fn publish(http: &mut Http, number: usize) -> u64 {
    let event = json!({"event": "tick", "data": {"number": number, "filler": "x".repeat(2000)}});
    let response = http.ask(&Request::post(PUBLISH, &event));
    response.json()["delivered"].as_u64().unwrap()
}

#[test]
fn stream_queue_bytes() {
    let server = Server::start(&[
        ("APP_LIMITS__STREAM_QUEUE_BYTES", "16KiB"),
        ("APP_TIMEOUT__WRITE_STALL", "30s"),
    ]);
    let slow = server.connect();
    rustix::net::sockopt::set_socket_recv_buffer_size(&slow.socket, 4096).unwrap();
    let mut slow = open_events(slow);
    let mut fast = open_events(server.connect());
    let mut publisher = server.connect();
    let mut count = 0;
    // The slow one's share of the kernel's buffers and of the queue fills up; then it is alone to
    // lose its stream.
    loop {
        let delivered = publish(&mut publisher, count);
        assert_eq!(fast.next().json()["number"], count);
        count += 1;
        match delivered {
            2 => assert!(count < 2000, "4 MB are queued somewhere"),
            other => {
                assert_eq!(other, 1);
                break;
            }
        }
    }
    for number in count..count + 10 {
        assert_eq!(publish(&mut publisher, number), 1);
        assert_eq!(fast.next().json()["number"], number);
    }
    // What it gets before the end is whole and in order.
    let got = slow.rest();
    assert!(got.len() < count);
    for (number, event) in got.iter().enumerate() {
        assert_eq!(event.json()["number"], number);
    }
    slow.http.expect_closed();
    poll_until("the count", || {
        (hits(&server, "stream_queue_bytes") == 1.0).then_some(())
    });
    let ended = r#"mcp_sse_disconnects_total{reason="slow"}"#;
    assert_eq!(server.metric(ended), Some(1.0));
    check_is_served(&mut publisher);
}

#[test]
fn many_stalled_readers_cost_no_more_than_their_bounds() {
    let server = Server::start(&[("APP_LIMITS__STREAM_QUEUE_BYTES", "64KiB")]);
    let stalled: Vec<Sse> = (0..16).map(|_| open_events(server.connect())).collect();
    let mut publisher = server.connect();
    assert_eq!(publish(&mut publisher, 0), 16);
    let resident = || server.metric("process_resident_memory_bytes").unwrap();
    let before = resident();
    let mut most = before;
    for number in 1.. {
        let delivered = publish(&mut publisher, number);
        if number % 50 == 0 || delivered == 0 {
            most = most.max(resident());
        }
        if delivered == 0 {
            break;
        }
        assert!(number < 5000, "10 MB are queued for each");
    }
    // Each queue, what is being written of it, and as much again for the allocator.
    let bound = 16.0 * 2.0 * 2.0 * 65536.0;
    assert!(most - before <= bound, "{before} grew to {most}");
    check_is_served(&mut publisher);
    drop(stalled);
}

/// Answers are never dropped; so who does not read them may ask for no more.
#[test]
fn a_slow_reader_of_answers_is_asked_to_wait() {
    let server = Server::start(&[("APP_LIMITS__STREAM_QUEUE_BYTES", "16KiB")]);
    let http = server.connect();
    rustix::net::sockopt::set_socket_recv_buffer_size(&http.socket, 4096).unwrap();
    let mut stream = http.into_sse(&Request::get("/sse/"));
    let target = stream.next().data.replace("../", "/");
    let list = |id: u64| {
        let message = json!({"jsonrpc": "2.0", "id": id, "method": "tools/list"});
        Request::post(&target, &message)
    };
    let mut http = server.connect();
    let mut taken = 0;
    let refused = loop {
        let response = http.ask(&list(taken));
        if response.status != 202 {
            break response;
        }
        taken += 1;
        assert!(taken < 1000, "10 MB are queued");
    };
    check_503(&refused, "limits.stream_queue_bytes");
    assert_eq!(hits(&server, "stream_queue_bytes"), 1.0);
    // What was taken is answered, and once it is read there is room again.
    for id in 0..taken {
        assert_eq!(stream.message()["id"], id);
    }
    assert_eq!(http.ask(&list(taken)).status, 202);
    assert_eq!(stream.message()["id"], taken);
}

#[test]
fn write_stall() {
    let server = Server::start(&[("APP_TIMEOUT__WRITE_STALL", "300ms")]);
    // On a stream.
    let stuck = open_events(server.connect());
    let mut publisher = server.connect();
    let mut count = 0;
    while publish(&mut publisher, count) == 1 {
        count += 1;
    }
    wait_closed(&server, "write_stall", 1.0);
    drop(stuck);
    // In answers: they are asked for and not read.
    let mut stuck = server.connect();
    rustix::net::sockopt::set_socket_recv_buffer_size(&stuck.socket, 4096).unwrap();
    let list = Request::post(
        CALL,
        &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
    );
    let request = list.bytes(server.addr);
    let ask = request.repeat(2000);
    stuck
        .socket
        .set_write_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    _ = stuck.socket.write_all(&ask);
    wait_closed(&server, "write_stall", 2.0);
    // What the kernel held for it is bounded as well: it was given so many answers.
    let answered = r#"mcp_rpc_requests_total{method="tools/list",transport="http"}"#;
    let answered = server.metric(answered).unwrap();
    let held = answered * publisher.ask(&list).body.len() as f64;
    assert!(held < 1024.0 * 1024.0, "{held} bytes for who does not read");
    assert_eq!(pong(&publisher.ask(&ping(1))), 1);
    // Reading late is not reading never: every byte that is taken counts.
    let mut slow = server.connect();
    slow.send_bytes(request.repeat(20));
    for _ in 0..20 {
        assert_eq!(slow.response().status, 200);
    }
}

// --- deadlines ------------------------------------------------------------------------------------

#[test]
fn idle() {
    let server = Server::start(&[("APP_TIMEOUT__IDLE", "200ms")]);
    // Never asked anything.
    server.connect().expect_closed();
    // Asked before.
    let mut http = server.connect();
    assert_eq!(http.ask(&Request::get("/health")).status, 200);
    http.expect_closed();
    wait_closed(&server, "idle", 2.0);
    // A stream is not idle.
    let mut stream = open_events(server.connect());
    server.connect().expect_closed();
    let mut publisher = server.connect();
    assert_eq!(publish(&mut publisher, 1), 1);
    assert_eq!(stream.next().event, "tick");
}

/// Sends a byte now and then until an answer comes.
#[track_caller]
fn drip(http: &mut Http, byte: u8) -> Vec<Response> {
    let until = Until::soon();
    while http.try_more(Until::after(DRIP)).is_none() {
        assert!(until.left().is_some(), "still waiting");
        _ = http.socket.write_all(&[byte]);
    }
    responses(http)
}

#[test]
fn head() {
    let server = Server::start(&[("APP_TIMEOUT__HEAD", "400ms")]);
    // A head that stops, and one that comes byte by byte: the deadline is for all of it.
    let mut stopped = server.connect();
    stopped.send_bytes("GET /health HTTP/1.1\r\nHost: local");
    let mut dripping = server.connect();
    dripping.send_bytes("GET /health HTTP/1.1\r\nX: ");
    // And one behind a request that was answered.
    let mut second = server.connect();
    let mut bytes = ping(1).bytes(server.addr);
    bytes.extend_from_slice(b"G");
    second.send_bytes(bytes);
    assert_eq!(pong(&second.response()), 1);
    for refused in [
        drip(&mut dripping, b'x'),
        responses(&mut stopped),
        responses(&mut second),
    ] {
        assert_eq!(refused.len(), 1);
        assert_eq!(
            (refused[0].status, refused[0].header("connection")),
            (408, Some("close"))
        );
        error_text(&refused[0]);
    }
    wait_closed(&server, "head_timeout", 3.0);
    check_is_served(&mut server.connect());
}

#[test]
fn body() {
    let server = Server::start(&[
        ("APP_TIMEOUT__BODY", "400ms"),
        ("APP_TIMEOUT__BODY_BYTES_PER_SECOND_MIN", "1000"),
    ]);
    let len = 100_000;
    let request = ping_of(len).bytes(server.addr);
    let begin = request.len() - len;
    let chunks = chunked(ping_of(len)).bytes(server.addr);
    let begin_chunks = chunks.len() - chunked(ping_of(len)).body.unwrap().len();
    // One that never comes, one that stops, one that is never silent but too slow.
    let mut silent = server.connect();
    silent.send_bytes(&request[..begin]);
    let mut stopped = server.connect();
    stopped.send_bytes(&request[..begin + len / 2]);
    let mut stopped_chunks = server.connect();
    stopped_chunks.send_bytes(&chunks[..begin_chunks + 10]);
    let mut slow = server.connect();
    slow.send_bytes(&request[..begin]);
    for refused in [
        drip(&mut slow, b' '),
        responses(&mut silent),
        responses(&mut stopped),
        responses(&mut stopped_chunks),
    ] {
        assert_eq!(refused.len(), 1);
        assert_eq!(
            (refused[0].status, refused[0].header("connection")),
            (408, Some("close"))
        );
        error_text(&refused[0]);
    }
    wait_closed(&server, "body_timeout", 4.0);
    check_is_served(&mut server.connect());
}

#[test]
fn a_slow_body_within_its_bounds_is_read() {
    let server = Server::start(&[
        ("APP_TIMEOUT__BODY", "2s"),
        ("APP_TIMEOUT__BODY_BYTES_PER_SECOND_MIN", "0"),
    ]);
    let len = 80;
    let request = ping_of(len).bytes(server.addr);
    let mut http = server.connect();
    let (begin, body) = request.split_at(request.len() - len);
    http.send_bytes(begin);
    // Longer in all than `timeout.body`, and never silent for so long.
    for byte in body {
        assert!(
            http.try_more(Until::after(Duration::from_millis(40)))
                .is_none()
        );
        http.send_bytes([*byte]);
    }
    assert_eq!(pong(&http.response()), 1);
}
