//! What an operator sees: metrics with bounded labels, one line per log record, health, and which port serves what.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::support::{
    Folder, Http, Mcp, Program, Request, Server, Sse, StdioServer, Value, Way, json, parse,
};

/// Every name that has samples after some traffic. Not here: `mcp_upstream_requests_total`, which has
/// one per configured service and so none in a server without services.
const NAMES: &[&str] = &[
    "mcp_server_uptime_seconds",
    "mcp_tools_registered_total",
    "mcp_resources_registered_total",
    "mcp_rpc_requests_total",
    "mcp_rpc_request_duration_seconds",
    "mcp_rpc_errors_total",
    "mcp_http_active_connections",
    "mcp_sse_connections_active",
    "mcp_sse_events_sent_total",
    "mcp_sse_connection_duration_seconds",
    "mcp_sse_disconnects_total",
    "mcp_sse_resumes_total",
    "mcp_tool_calls_total",
    "mcp_tool_duration_seconds",
    "mcp_connections_closed_total",
    "mcp_limit_hits_total",
    "mcp_sessions_active",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_start_time_seconds",
    "siskin_build_info",
];

/// The samples of an exposition by name and labels. Fails on whatever the format (text 0.0.4) does not allow.
#[track_caller]
fn samples(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with('\n'), "the last line has no end");
    let mut types: BTreeMap<String, String> = BTreeMap::new();
    let mut helped = BTreeSet::new();
    let mut samples = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(!help.is_empty() && helped.insert(name.to_owned()), "{line}");
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(helped.contains(name), "{line}");
            assert!(
                types.insert(name.to_owned(), kind.to_owned()).is_none(),
                "{line}"
            );
            current = name.to_owned();
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').unwrap()),
            None => (series, ""),
        };
        let is_part = |suffix: &str| name == format!("{current}{suffix}");
        let fits = match types[&current].as_str() {
            "histogram" => ["_bucket", "_sum", "_count"].into_iter().any(is_part),
            _ => name == current,
        };
        assert!(fits, "{line} stands under {current}");
        check_labels(labels);
        assert!(
            samples.insert(series.to_owned(), value).is_none(),
            "{line} stands twice"
        );
    }
    samples
}

#[track_caller]
fn check_labels(mut labels: &str) {
    while !labels.is_empty() {
        let (name, rest) = labels
            .split_once("=\"")
            .unwrap_or_else(|| panic!("{labels}"));
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        assert!(!name.is_empty() && name.chars().all(is_name), "{labels}");
        let mut escaped = false;
        let end = rest.find(|c| {
            let is_end = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            is_end
        });
        let rest = &rest[end.unwrap_or_else(|| panic!("{labels}")) + 1..];
        labels = rest.strip_prefix(',').unwrap_or(rest);
        assert!(rest.len() != labels.len() || rest.is_empty(), "{rest}");
    }
}

#[track_caller]
fn scrape(server: &Server) -> BTreeMap<String, f64> {
    let response = server.get("/metrics");
    assert_eq!(
        response.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    samples(&response.text())
}

#[track_caller]
fn publish(server: &Server, event: &str) -> Value {
    let body = json!({"event": event, "data": null});
    server
        .ask(&Request::post("/api/mcp/v1/events", &body))
        .json()
}

#[test]
fn every_name_is_there_after_some_traffic_and_counts_it() {
    let server = Server::start(&[("APP_LIMITS__STREAMS", "3")]);
    let mut client = Mcp::open(Way::Streamable, &server, "2025-11-25");
    client.call("device_memory", json!({}));
    client.request("tools/call", json!({"name": "no_such", "arguments": {}}));
    client.request("no/such", json!({}));
    let mut get = client.listen();
    get.next();
    let primed = get.last_event_id().to_owned();
    drop(client.resume(&primed));
    let mut old = Mcp::open(Way::HttpSse, &server, "2024-11-05");
    old.result("ping", json!({}));
    let mut plain = Mcp::open(Way::Plain, &server, "2025-03-26");
    plain.result("tools/list", json!({}));
    let mut events = server.connect().into_sse(&Request::get("/api/mcp/v1/sse"));
    events.next();
    assert_eq!(publish(&server, "deploy")["delivered"], 1);
    events.next();
    drop(events);
    // The last stream was closed by the client: once that is seen there is room for another.
    let mut more: Vec<Sse> = Vec::new();
    loop {
        let mut http = server.connect();
        http.send(&Request::get("/api/mcp/v1/sse"));
        let head = http.response_head(siskin::http1::Method::Get);
        if head.status == 503 {
            break;
        }
        more.push(Sse::new(http, head));
        assert!(more.len() <= 3, "`limits.streams` is 3");
    }
    let samples = scrape(&server);
    for name in NAMES {
        let is_of = |series: &&String| {
            let rest = series.strip_prefix(name);
            rest.is_some_and(|rest| {
                ["", "_bucket", "_sum", "_count"]
                    .iter()
                    .any(|suffix| rest == *suffix || rest.starts_with(&format!("{suffix}{{")))
            })
        };
        assert!(samples.keys().any(|series| is_of(&series)), "no `{name}`");
    }
    let expected = [
        (
            r#"mcp_rpc_requests_total{method="initialize",transport="streamable"}"#,
            1.0,
        ),
        (
            r#"mcp_rpc_requests_total{method="notifications/initialized",transport="streamable"}"#,
            1.0,
        ),
        (
            r#"mcp_rpc_requests_total{method="ping",transport="http_sse"}"#,
            1.0,
        ),
        (
            r#"mcp_rpc_requests_total{method="tools/list",transport="http"}"#,
            1.0,
        ),
        (
            r#"mcp_rpc_requests_total{method="other",transport="streamable"}"#,
            1.0,
        ),
        (
            r#"mcp_rpc_errors_total{method="other",error_code="-32601",transport="streamable"}"#,
            1.0,
        ),
        (
            r#"mcp_rpc_errors_total{method="tools/call",error_code="-32602",transport="streamable"}"#,
            1.0,
        ),
        (
            r#"mcp_rpc_request_duration_seconds_count{method="tools/call",transport="streamable"}"#,
            2.0,
        ),
        (
            r#"mcp_tool_calls_total{tool="device_memory",outcome="ok"}"#,
            1.0,
        ),
        (
            r#"mcp_tool_duration_seconds_count{tool="device_memory"}"#,
            1.0,
        ),
        (r#"mcp_sse_events_sent_total{event_type="published"}"#, 1.0),
        (r#"mcp_sse_events_sent_total{event_type="endpoint"}"#, 1.0),
        (r#"mcp_sse_resumes_total"#, 1.0),
        (r#"mcp_limit_hits_total{limit="streams"}"#, 1.0),
        (r#"mcp_sessions_active{revision="2025-11-25"}"#, 1.0),
        (r#"mcp_sessions_active{revision="2024-11-05"}"#, 1.0),
        (r#"mcp_sse_connections_active"#, 3.0),
        (r#"mcp_sse_disconnects_total{reason="replaced"}"#, 1.0),
    ];
    for (series, value) in expected {
        assert_eq!(samples.get(series), Some(&value), "{series}");
    }
    assert!(samples["mcp_tools_registered_total"] >= 7.0);
    assert!(samples["mcp_http_active_connections"] >= 4.0);
    assert!(samples["process_resident_memory_bytes"] > 100_000.0);
    assert!(
        samples
            .keys()
            .any(|series| series.starts_with("siskin_build_info{version=\""))
    );
}

#[test]
fn names_that_clients_make_up_add_no_series() {
    let server = Server::start(&[]);
    let mut http = server.connect();
    let mut unknown = |from: usize, count: usize| {
        let messages: Vec<Value> = (from..from + count)
            .map(|n| match n % 3 {
                0 => json!({"jsonrpc": "2.0", "id": n, "method": format!("made/up{n}")}),
                1 => json!({"jsonrpc": "2.0", "id": n, "method": "tools/call",
                            "params": {"name": format!("made_up{n}"), "arguments": {}}}),
                _ => json!({"jsonrpc": "2.0", "method": format!("notifications/made_up{n}")}),
            })
            .collect();
        let response = http.ask(&Request::post("/api/mcp/v1/call", &json!(messages)));
        assert_eq!(response.status, 200, "{response:?}");
    };
    // The first of each kind may add the one series in which all of them are counted.
    unknown(0, 3);
    let before: Vec<String> = scrape(&server).into_keys().collect();
    for batch in 0..313 {
        unknown(3 + 32 * batch, 32);
    }
    let after = scrape(&server);
    assert!(after.keys().eq(&before), "series were added");
    let others = r#"mcp_rpc_requests_total{method="other",transport="http"}"#;
    assert!(after[others] > 6000.0, "{}", after[others]);
    assert!(!after.keys().any(|series| series.contains("made")));
}

// --- logs -----------------------------------------------------------------------------------------

/// Text that would forge lines, move the cursor or turn the reading direction.
const HOSTILE: &str =
    "a\r\n{\"ts\":\"forged\"}\n\u{1b}[2J\u{1b}]0;t\u{7}\u{2028}\u{202e}\u{85}\0\"\\é";
const CANARY: &str = "c4n4ry-0f-a-t0ken";

/// Requests with hostile text wherever a client can put some.
#[track_caller]
fn misbehave(server: &Server) {
    let headers = |request: Request| request.header("Authorization", &format!("Bearer {CANARY}"));
    let bodies = [
        json!({"jsonrpc": "2.0", "method": HOSTILE}),
        json!({"jsonrpc": "2.0", "id": HOSTILE, "method": HOSTILE}),
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": HOSTILE, "arguments": {}}}),
        json!({"jsonrpc": "2.0", "id": 2, "result": {}}),
    ];
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {},
                        "clientInfo": {"name": HOSTILE, "version": HOSTILE}});
    let hello = json!({"jsonrpc": "2.0", "id": HOSTILE, "method": "initialize", "params": params});
    let opened = server.ask(&headers(Request::post("/mcp", &hello)));
    let session = opened.header("mcp-session-id").unwrap().to_owned();
    for body in &bodies {
        for path in [
            "/mcp",
            "/api/mcp/v1/call",
            "/messages/",
            "/messages/?session_id=c4n4ry-session",
        ] {
            let request = Request::post(path, body).header("Mcp-Session-Id", &session);
            server.ask(&headers(request));
        }
    }
    for target in ["/%0d%0a%1b[2J", "/no/such?token=c4n4ry-query", "/\"\\"] {
        server.ask(&headers(Request::get(target)));
    }
    for (name, value) in [
        ("Authorization", "Bearer c4n4ry-wrong"),
        ("Authorization", "Basic c4n4ry-basic"),
        ("Host", "c4n4ry.example"),
        ("Last-Event-ID", "c4n4ry"),
    ] {
        server.ask(&Request::get("/mcp").header(name, value));
    }
    let mut raw = server.connect();
    raw.send_bytes("GET /c4n4ry-raw HTTP/9.9\r\nbad header c4n4ry\r\n\r\n");
    raw.response();
    let secret = format!("{session} is no secret of the log's");
    assert!(!server.log().contains(&session), "{secret}");
}

#[test]
fn json_lines_stay_valid_whatever_clients_say() {
    let env = [
        ("APP_LOG__FORMAT", "json"),
        ("APP_LOG__LEVEL", "trace"),
        ("APP_SERVER__API_TOKEN", CANARY),
    ];
    let server = Server::start(&env);
    misbehave(&server);
    let log = server.stop().log;
    let mut requests = BTreeSet::new();
    let mut count = 0;
    for line in log.lines() {
        if line.starts_with("listening http 127.0.0.1:") {
            continue;
        }
        count += 1;
        assert!(!line.chars().any(char::is_control), "{line:?}");
        let record = parse(line);
        for member in ["ts", "level", "target", "msg"] {
            assert!(record[member].is_string(), "{line}");
        }
        assert_ne!(record["ts"], "forged", "{line}");
        let msg = record["msg"].as_str().unwrap();
        if msg.contains(" after ") {
            let id = record["request_id"].as_str().unwrap();
            assert!(requests.insert(id.to_owned()), "{line}");
        }
    }
    assert!(requests.len() > 20, "{log}");
    assert!(count > requests.len(), "{log}");
    assert!(!log.contains("c4n4ry-"), "{log}");
    let unknown = "unknown notification `a\\\\r\\\\n{";
    assert!(log.contains(unknown), "{log}");
}

#[test]
fn text_lines_are_one_line_each_too() {
    let env = [
        ("APP_LOG__LEVEL", "trace"),
        ("APP_SERVER__API_TOKEN", CANARY),
    ];
    let server = Server::start(&env);
    misbehave(&server);
    let log = server.stop().log;
    for line in log.lines() {
        let is_record = line.starts_with("20") && line.contains("Z ");
        let is_greeting = line.starts_with("listening http ") || line.starts_with("  ");
        assert!(is_record || is_greeting, "{line:?}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    assert!(log.contains("unknown notification `a\\r\\n{"), "{log}");
    assert!(!log.contains("c4n4ry-"), "{log}");
}

#[test]
fn at_info_requests_leave_no_line() {
    let server = Server::start(&[("APP_SERVER__API_TOKEN", CANARY)]);
    misbehave(&server);
    let log = server.stop().log;
    let is_greeting = |line: &&str| line.starts_with("listening http ") || line.starts_with("  ");
    let is_guess = |line: &&str| line.contains("wrong token from 127.0.0.1, ");
    let new = log.lines().filter(|line| !is_greeting(line));
    let (guesses, new): (Vec<&str>, Vec<&str>) = new.partition(is_guess);
    // Who guesses tokens is an operator's business at any level.
    assert_eq!(guesses.len(), 2, "{guesses:?}");
    let ends = ["SIGTERM: stopping", "stopped"];
    assert_eq!(new.len(), ends.len(), "{new:?}");
    assert!(
        new.iter().zip(ends).all(|(line, end)| line.ends_with(end)),
        "{new:?}"
    );
}

#[test]
fn stdio_lines_name_their_request_and_stay_off_stdout() {
    let mut server =
        StdioServer::start(&[("APP_LOG__LEVEL", "trace"), ("APP_LOG__FORMAT", "json")]);
    server.send(&json!({"jsonrpc": "2.0", "method": HOSTILE}));
    server.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}));
    assert_eq!(server.message()["id"], 1);
    let log = server.close().log;
    let line = log
        .lines()
        .find(|line| line.contains("unknown notification"));
    let record = parse(line.unwrap_or_else(|| panic!("{log}")));
    assert!(record["request_id"].is_string(), "{record}");
}

// --- health ---------------------------------------------------------------------------------------

#[test]
fn health_readiness_and_status_say_what_they_should() {
    let server = Server::start(&[]);
    let _client = Mcp::open(Way::Streamable, &server, "2025-06-18");
    let health = server.get("/health");
    assert_eq!(health.header("cache-control"), Some("no-store"));
    let health = health.json();
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["service"], "siskin");
    assert!(health["timestamp"].as_i64() > Some(1_700_000_000));
    assert_eq!(server.get_json("/ready"), json!({"status": "ready"}));
    let status = server.get_json("/status");
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    let revisions = [
        "2024-11-05",
        "2025-03-26",
        "2025-06-18",
        "2025-11-25",
        "2026-07-28",
    ];
    assert_eq!(status["revisions"], json!(revisions));
    assert_eq!(status["protocol"], "2026-07-28");
    assert_eq!(status["sessions"], 1);
    assert_eq!(status["streams"], 0);
    assert_eq!(status["requestsInFlight"], 0);
    let tools = server.get_json("/api/mcp/v1/tools");
    assert_eq!(status["tools"], tools["count"]);
    assert!(status["uptimeSeconds"].is_u64() && status["transports"].is_array());
    for path in ["/health", "/ready", "/status", "/metrics"] {
        let head = server.ask_head(path);
        assert_eq!(head, 200, "{path}");
        let post = server.ask(&Request::post(path, &json!({})));
        assert_eq!(
            (post.status, post.header("allow")),
            (405, Some("GET, HEAD, OPTIONS"))
        );
    }
}

#[test]
fn metrics_can_be_switched_off_kept_or_shown() {
    let token = ("APP_SERVER__API_TOKEN", CANARY);
    let get = |server: &Server, path: &str| {
        let with = Request::get(path).header("Authorization", &format!("Bearer {CANARY}"));
        (server.get(path).status, server.ask(&with).status)
    };
    let server = Server::start(&[token]);
    assert_eq!(get(&server, "/metrics"), (401, 200));
    assert_eq!(get(&server, "/status"), (401, 200));
    assert_eq!(get(&server, "/health"), (200, 200));
    assert_eq!(get(&server, "/ready"), (200, 200));
    let server = Server::start(&[token, ("APP_METRICS__PUBLIC", "true")]);
    assert_eq!(get(&server, "/metrics"), (200, 200));
    assert_eq!(get(&server, "/status"), (200, 200));
    assert_eq!(get(&server, "/api/mcp/v1/tools"), (401, 200));
    let server = Server::start(&[("APP_METRICS__ENABLED", "false")]);
    assert_eq!(get(&server, "/metrics"), (404, 404));
    assert_eq!(get(&server, "/status"), (200, 200));
}

// --- listeners ------------------------------------------------------------------------------------

/// What each address answers on one path of each group.
#[track_caller]
fn groups(addrs: &[SocketAddr]) -> Vec<[bool; 3]> {
    let is_served = |addr: SocketAddr, path: &str| {
        let status = Http::connect(addr).ask(&Request::get(path)).status;
        assert!([200, 404, 405].contains(&status), "{addr}{path}: {status}");
        status != 404
    };
    let of = |addr: &SocketAddr| {
        assert!(
            is_served(*addr, "/health"),
            "every port can be asked for its health"
        );
        let group = |paths: &[&str]| {
            let served: Vec<bool> = paths.iter().map(|path| is_served(*addr, path)).collect();
            assert!(
                served.iter().all(|one| *one == served[0]),
                "{addr}: {paths:?} {served:?}"
            );
            served[0]
        };
        [
            group(&["/mcp", "/messages/"]),
            group(&[
                "/api/mcp/v1/tools",
                "/api/mcp/v1/call",
                "/api/mcp/v1/sse/rpc",
                "/api/mcp/v1/events",
            ]),
            group(&["/metrics", "/ready", "/status"]),
        ]
    };
    addrs.iter().map(of).collect()
}

#[test]
fn listeners_serve_their_groups_alone() {
    let folder = Folder::new();
    let base = "[[server.listeners]]\naddress = \"127.0.0.1:0\"\ngroups = [\"api\"]\n\
                [[server.listeners]]\naddress = \"127.0.0.1:0\"\ngroups = [\"mcp\", \"api\"]\n\
                [[server.listeners]]\naddress = \"127.0.0.1:0\"\ngroups = [\"admin\"]\n";
    folder.write("config/base.toml", base);
    // The port of the environment, which this sets too, is one with all groups.
    let server = Server::start_in(folder, Program::Siskin, &[]);
    assert_eq!(
        groups(&server.addrs(4)),
        [
            [false, true, false],
            [true, true, false],
            [false, false, true],
            [true, true, true],
        ]
    );
}

#[test]
fn the_old_ports_serve_what_they_did() {
    let env = [
        ("APP_SERVER__API_PORT", "0"),
        ("APP_SERVER__SSE_ENABLED", "true"),
        ("APP_SERVER__SSE_PORT", "0"),
        ("APP_SERVER__HTTP_PORT", "0"),
    ];
    let server = Server::start(&env);
    assert_eq!(
        groups(&server.addrs(4)),
        [
            [true, true, true],
            [false, true, false],
            [true, true, false],
            [false, false, true],
        ]
    );
    // One server behind all of them: a session of one port is known at the others.
    let addrs = server.addrs(4);
    let client = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let mut other = Http::connect(addrs[2]);
    assert_eq!(other.ask(&client.delete()).status, 204);
}

impl Server {
    /// The status of a HEAD, which must have no body.
    #[track_caller]
    fn ask_head(&self, path: &str) -> u16 {
        let response = self.ask(&Request::new("HEAD", path));
        assert!(response.body.is_empty(), "{response:?}");
        response.status
    }
}
