//! The two servers this one replaces: their endpoints, variables and examples work as their own guides write them.

use crate::support::{Http, Mcp, Request, Response, Server, Sse, Way, json, parse, poll_until};

// --- the deployment guide of the AWS documentation server --------------------------------------------

/// The guide's variables, on loopback and with a port of the test's own.
const GUIDE: [(&str, &str); 5] = [
    ("AWS_DOCUMENTATION_PARTITION", "aws"),
    ("FASTMCP_TRANSPORT", "sse"),
    ("FASTMCP_HOST", "127.0.0.1"),
    ("FASTMCP_PORT", "0"),
    ("FASTMCP_LOG_LEVEL", "INFO"),
];

/// What of them this build has: one without the AWS tools says so instead of starting.
fn guide() -> Vec<(&'static str, &'static str)> {
    let mut guide = GUIDE.to_vec();
    guide.retain(|(name, _)| cfg!(feature = "aws") || *name != "AWS_DOCUMENTATION_PARTITION");
    guide
}

#[test]
fn the_guides_variables_serve_its_endpoints() {
    let server = Server::start(&guide());
    // curl -H "Accept: text/event-stream" http://localhost:8000/sse/
    let health = Request::get("/sse/").header("Accept", "text/event-stream");
    let mut stream = server.connect().into_sse(&health);
    assert_eq!(stream.head.status, 200);
    let endpoint = stream.next();
    assert_eq!(endpoint.event, "endpoint");
    // requests.post('http://localhost:8000/messages/', json={"method": "tools/list"})
    let list = Request::new("POST", "/messages/")
        .header("Content-Type", "application/json")
        .header("Accept", "*/*")
        .header("User-Agent", "python-requests/2.32.3")
        .body(r#"{"method": "tools/list"}"#);
    let response = server.ask(&list);
    assert_eq!(response.status, 200, "{response:?}");
    let answer = response.json();
    assert!(
        answer["result"]["tools"]
            .as_array()
            .is_some_and(|tools| !tools.is_empty()),
        "{answer}"
    );
    // fetch with an id and the version, as the JavaScript example's caller would write it.
    let call = json!({"jsonrpc": "2.0", "id": "a", "method": "tools/call",
                      "params": {"name": "device_memory", "arguments": {}}});
    let answer = server.ask(&Request::post("/messages/", &call)).json();
    assert_eq!(answer["id"], "a");
    assert_ne!(answer["result"]["isError"], true);
}

#[test]
fn the_guides_paths_can_be_set() {
    let env = [
        ("FASTMCP_PORT", "0"),
        ("FASTMCP_SSE_PATH", "/stream/events"),
        ("FASTMCP_MESSAGE_PATH", "/stream/post/"),
    ];
    let server = Server::start(&env);
    let accept = |path: &str| Request::get(path).header("Accept", "text/event-stream");
    for path in ["/stream/events", "/stream/events/"] {
        let mut stream = server.connect().into_sse(&accept(path));
        let endpoint = crate::support::resolve(path, &stream.next().data);
        assert!(
            endpoint.starts_with("/stream/post/?session_id="),
            "{endpoint}"
        );
        let ping = json!({"jsonrpc": "2.0", "id": 7, "method": "ping"});
        assert_eq!(server.ask(&Request::post(&endpoint, &ping)).status, 202);
        assert_eq!(
            stream.message(),
            json!({"jsonrpc": "2.0", "id": 7, "result": {}})
        );
    }
    for path in ["/sse/", "/messages/"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

#[test]
fn the_guides_transport_words_all_serve_http_and_stdio_does_not() {
    for word in ["sse", "http", "streamable-http", "SSE"] {
        let server = Server::start(&[("FASTMCP_TRANSPORT", word), ("FASTMCP_PORT", "0")]);
        Mcp::open(Way::HttpSse, &server, "2024-11-05").result("tools/list", json!({}));
        Mcp::open(Way::Streamable, &server, "2025-06-18").result("tools/list", json!({}));
    }
}

/// `FASTMCP_HOST=0.0.0.0` is the guide's default; here it needs a token, and says which key.
#[test]
fn the_guides_open_host_needs_a_token() {
    let output = std::process::Command::new(crate::support::Program::Siskin.path())
        .env_clear()
        .envs([("FASTMCP_HOST", "0.0.0.0"), ("FASTMCP_PORT", "0")])
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{log}");
    assert!(
        log.contains("environment FASTMCP_HOST: server.host: "),
        "{log}"
    );
    assert!(log.contains("server.api_token"), "{log}");
    let env = [
        ("FASTMCP_HOST", "0.0.0.0"),
        ("FASTMCP_PORT", "0"),
        ("APP_SERVER__API_TOKEN", TOKEN),
    ];
    let server = Server::start(&env);
    let mut http = Http::connect(([127, 0, 0, 1], server.addr.port()).into());
    assert_eq!(http.ask(&Request::get("/sse/")).status, 401);
    let open = Request::get("/sse/").header("Authorization", &format!("Bearer {TOKEN}"));
    let mut stream = http.into_sse(&open);
    assert_eq!(stream.next().event, "endpoint");
}

#[test]
fn two_clients_of_the_guide_at_once() {
    let server = Server::start(&guide());
    let mut clients = [0, 1].map(|_| Mcp::open(Way::HttpSse, &server, "2024-11-05"));
    // Both ask before either has read anything.
    for client in &mut clients {
        let list = client.build_with_id(json!(client.target()), "tools/list", json!({}));
        client.send(&list);
    }
    for client in clients.iter_mut().rev() {
        let answer = client.next();
        assert_eq!(answer["id"], client.target(), "another client's answer");
        let listed = answer["result"]["tools"].to_string();
        let offered = match cfg!(feature = "aws") {
            true => "\"search_documentation\"",
            false => "\"device_memory\"",
        };
        assert!(listed.contains(offered), "{listed}");
    }
}

#[test]
fn a_client_of_the_guide_that_comes_back_is_a_new_one() {
    let server = Server::start(&guide());
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let first = Mcp::open(Way::HttpSse, &server, "2024-11-05");
    let old = first.target().to_owned();
    drop(first);
    poll_until("404 for the old session", || {
        (server.ask(&Request::post(&old, &list)).status == 404).then_some(())
    });
    let mut second = Mcp::open(Way::HttpSse, &server, "2024-11-05");
    assert_ne!(second.target(), old);
    second.result("tools/list", json!({}));
    // An operator sees both: the stream that is there, and the one that went.
    let metrics = server.get("/metrics").text();
    assert!(
        metrics.contains("\nmcp_sse_connections_active 1\n"),
        "{metrics}"
    );
    let ended = metrics
        .lines()
        .filter(|line| line.starts_with("mcp_sse_disconnects_total{"));
    let ended: u64 = ended
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
        .sum();
    assert_eq!(ended, 1, "{metrics}");
}

/// The words of Python's log; `listening` is no line of the log but the sign that it may be used.
#[cfg(feature = "aws")]
#[test]
fn the_guides_log_levels_hold_back_what_is_below_them() {
    let serve = |level: &str| {
        let server = Server::start(&[
            ("AWS_DOCUMENTATION_PARTITION", "aws"),
            ("FASTMCP_LOG_LEVEL", level),
        ]);
        // A failure of the tool, and something that is refused.
        let mut mcp = Mcp::open(Way::HttpSse, &server, "2024-11-05");
        let failed = mcp.call("read_documentation", json!({"url": "https://example.com/"}));
        assert_eq!(failed["isError"], true);
        assert_eq!(server.get("/no/such").status, 404);
        server
    };
    let said = |level: &str| {
        let lines: Vec<String> = serve(level)
            .process
            .log()
            .lines()
            .filter(|line| !line.starts_with("listening "))
            .map(str::to_owned)
            .collect();
        lines
    };
    assert_eq!(said("ERROR"), [""; 0]);
    assert_eq!(said("CRITICAL"), [""; 0]);
    let greeted = serve("INFO");
    let is = |wanted: &'static str| move |line: &str| line.contains(wanted).then_some(());
    greeted.process.wait_log("greeting", 0, is("MCP endpoint"));
    assert!(!greeted.process.log().contains("/no/such"));
    serve("DEBUG")
        .process
        .wait_log("request", 0, is("/no/such"));
}

// --- the axinova server -------------------------------------------------------------------------------

const TOKEN: &str = "sk-mcp-prod-0123456789abcdef";

#[track_caller]
fn axinova(env: &[(&str, &str)]) -> Server {
    let mut all = vec![
        ("APP_SERVER__API_TOKEN", TOKEN),
        ("APP_SERVER__SSE_ENABLED", "true"),
        ("APP_SERVER__SSE_PORT", "0"),
    ];
    all.extend(env);
    Server::start(&all)
}

fn bearer(request: Request) -> Request {
    request.header("Authorization", &format!("Bearer {TOKEN}"))
}

/// As curl sends it: any `Accept`.
fn curl(target: &str, body: &str) -> Request {
    let request = Request::new("POST", target)
        .header("Content-Type", "application/json")
        .header("Accept", "*/*");
    bearer(request).body(body)
}

#[track_caller]
fn open_events(server: &Server, target: &str) -> Sse {
    let request = bearer(Request::get(target).header("Accept", "*/*"));
    let mut stream = server.connect().into_sse(&request);
    let connected = stream.next();
    assert_eq!(connected.event, "connected");
    let client = connected.json();
    assert!(
        client["clientId"].as_str().is_some_and(|id| !id.is_empty()),
        "{client}"
    );
    stream
}

#[test]
fn connected_and_then_a_ping_every_so_often() {
    let server = axinova(&[("APP_TIMEOUT__SSE_PING", "1s")]);
    let mut stream = open_events(&server, "/api/mcp/v1/sse");
    for _ in 0..2 {
        let ping = stream.next();
        assert_eq!(ping.event, "ping");
        assert!(
            ping.json()["timestamp"].as_i64() > Some(1_700_000_000),
            "{ping:?}"
        );
    }
    // curl http://localhost:9001/metrics | grep mcp_sse
    let metrics = server.ask(&bearer(Request::get("/metrics"))).text();
    assert!(
        metrics.contains("\nmcp_sse_connections_active 1\n"),
        "{metrics}"
    );
    let pings = "mcp_sse_events_sent_total{event_type=\"ping\"} ";
    let count = metrics.lines().find_map(|line| line.strip_prefix(pings));
    assert!(
        count.is_some_and(|count| count.parse::<u64>().unwrap() >= 2),
        "{metrics}"
    );
    drop(stream);
    poll_until("the end of the stream", || {
        let metrics = server.ask(&bearer(Request::get("/metrics"))).text();
        metrics
            .contains("\nmcp_sse_connections_active 0\n")
            .then_some(())
    });
}

#[test]
fn every_endpoint_wants_the_bearer_token() {
    let server = axinova(&[]);
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let requests = [
        Request::get("/api/mcp/v1/sse"),
        Request::get("/api/mcp/v1/tools"),
        Request::post_text("/api/mcp/v1/call", list),
        Request::post_text("/api/mcp/v1/sse/rpc", list),
        Request::post_text("/api/mcp/v1/events", r#"{"event":"a"}"#),
    ];
    let check = |response: Response, status: u16| {
        assert_eq!(response.status, status, "{response:?}");
        assert!(
            response
                .header("www-authenticate")
                .is_some_and(|value| value.starts_with("Bearer"))
        );
        assert!(parse(&response.body).is_object());
    };
    for request in requests {
        check(server.ask(&request), 401);
        check(
            server.ask(&request.clone().header("Authorization", "Bearer wrong")),
            401,
        );
        // Not in the query, where it would end up in logs.
        let mut in_query = request.clone();
        in_query.target += &format!("?token={TOKEN}&access_token={TOKEN}");
        check(server.ask(&in_query), 401);
        let mut http = server.connect();
        http.send(&bearer(request));
        assert_eq!(http.response_head(siskin::http1::Method::Get).status, 200);
    }
}

#[test]
fn rpc_answers_in_the_body_on_both_paths() {
    let server = axinova(&[]);
    for path in ["/api/mcp/v1/call", "/api/mcp/v1/sse/rpc"] {
        let answer = server
            .ask(&curl(
                path,
                r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}"#,
            ))
            .json();
        assert_eq!(
            (&answer["jsonrpc"], &answer["id"]),
            (&json!("2.0"), &json!(1))
        );
        let tools = answer["result"]["tools"].as_array().unwrap().len();
        let listed = server
            .ask(&bearer(Request::get("/api/mcp/v1/tools")))
            .json();
        assert_eq!(listed["count"], tools);
        assert_eq!(listed["tools"], answer["result"]["tools"]);
        let call = r#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"device_memory","arguments":{}}}"#;
        let answer = server.ask(&curl(path, call)).json();
        assert_eq!(answer["id"], "x");
        assert_eq!(answer["result"]["content"][0]["type"], "text");
        // Without `jsonrpc`, which the old server never asked for; the id comes back as it was.
        let answer = server.ask(&curl(
            path,
            r#"{"id":12345678901234567890,"method":"tools/list"}"#,
        ));
        assert!(
            answer.text().contains(r#""id":12345678901234567890"#),
            "{answer:?}"
        );
        // What fails is said in JSON-RPC and with status 200.
        for (body, code) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"no/such"}"#, -32601),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"grafana_list_dashboards","arguments":{}}}"#,
                -32602,
            ),
        ] {
            let response = server.ask(&curl(path, body));
            assert_eq!(response.status, 200, "{response:?}");
            assert_eq!(response.json()["error"]["code"], code);
        }
    }
}

#[test]
fn published_events_reach_those_who_want_them() {
    let server = axinova(&[]);
    let publish = |body: &str| server.ask(&curl("/api/mcp/v1/events", body));
    let mut all = open_events(&server, "/api/mcp/v1/sse");
    let mut deploys = open_events(&server, "/api/mcp/v1/sse?events=deploy,build.done");
    let mut encoded = open_events(&server, "/api/mcp/v1/sse?x=1&events=alert%2Cdeploy");
    let sent = publish(r#"{"event":"alert","data":{"text":"two\nlines","n":[1, 2]}}"#).json();
    assert_eq!(sent["delivered"], 2);
    assert_eq!(publish(r#"{"event":"deploy"}"#).json()["delivered"], 3);
    assert_eq!(
        publish(r#"{"event":"build.done","data":"é"}"#).json()["delivered"],
        2
    );
    assert_eq!(
        publish(r#"{"event":"nobody/wants:this","data":1}"#).json()["delivered"],
        1
    );
    let names = |stream: &mut Sse, count: usize| -> Vec<String> {
        (0..count).map(|_| stream.next().event).collect()
    };
    let alert = all.next();
    assert_eq!(alert.json(), json!({"text": "two\nlines", "n": [1, 2]}));
    assert_eq!(
        names(&mut all, 3),
        ["deploy", "build.done", "nobody/wants:this"]
    );
    let deploy = deploys.next();
    assert_eq!(
        (deploy.event.as_str(), deploy.data.as_str()),
        ("deploy", "null")
    );
    assert_eq!(deploys.next().json(), "é");
    assert_eq!(names(&mut encoded, 2), ["alert", "deploy"]);
    for refused in [
        r#"{"event":"ping"}"#,
        r#"{"event":"connected"}"#,
        r#"{"event":"a b"}"#,
        r#"{"event":"a\nevent: b"}"#,
        r#"{"event":""}"#,
        r#"{"data":1}"#,
        r#"{"event":"a","extra":1}"#,
        "[]",
        "{",
    ] {
        assert_eq!(publish(refused).status, 400, "{refused}");
    }
    let refused = bearer(Request::get("/api/mcp/v1/sse?events=a%0Ab"));
    assert_eq!(server.ask(&refused).status, 400);
    // Nothing of what was refused came through.
    assert_eq!(publish(r#"{"event":"last"}"#).json()["delivered"], 1);
    assert_eq!(all.next().event, "last");
}

/// Data of several lines, as a publisher may format it: each line of the text is a `data` line.
#[test]
fn published_json_may_have_lines() {
    let server = axinova(&[]);
    let mut all = open_events(&server, "/api/mcp/v1/sse");
    let body = "{\"event\":\"deploy\",\"data\":{\r\n  \"a\": 1,\n\n  \"b\": \"event: forged\"\r}}";
    assert_eq!(
        server.ask(&curl("/api/mcp/v1/events", body)).json()["delivered"],
        1
    );
    let deploy = all.next();
    assert_eq!(deploy.event, "deploy");
    assert_eq!(deploy.json(), json!({"a": 1, "b": "event: forged"}));
}

#[test]
fn publishing_needs_its_scope() {
    let folder = crate::support::Folder::new();
    folder.write(
        "config/base.toml",
        "[[auth.tokens]]\nname = \"reader\"\ntoken = \"r\"\n[[auth.tokens]]\nname = \"ci\"\ntoken = \"p\"\nscopes = [\"publish\"]\n",
    );
    let server = Server::start_in(folder, crate::support::Program::Siskin, &[]);
    let publish = |token: &str| {
        let request = Request::post("/api/mcp/v1/events", &json!({"event": "a"}));
        let request = request.header("Authorization", &format!("Bearer {token}"));
        server.ask(&request).status
    };
    assert_eq!((publish("r"), publish("p"), publish("x")), (403, 200, 401));
}
