//! What protects a server on this machine from pages in its browser, and lets those in that were
//! named: Host, Origin, CORS; and that every refusal is JSON that says what to do.

use crate::support::{Http, Mcp, Request, Response, Server, Way, json};
use crate::wire::{CALL, ask, error_text, ping, pong};

const APP: &str = "https://app.example";

/// Beyond loopback, by way of loopback, so that the rules of the network hold.
fn start_on_network(env: &[(&str, &str)]) -> Server {
    let mut env = env.to_vec();
    env.push(("APP_SERVER__HOST", "0.0.0.0"));
    env.push(("APP_AUTH__ALLOW_ANONYMOUS", "true"));
    let mut server = Server::start(&env);
    server.addr = ([127, 0, 0, 1], server.addr.port()).into();
    server
}

/// One request to every route.
fn routes() -> Vec<Request> {
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    vec![
        Request::post("/mcp", &ping),
        Request::get("/mcp").header("Accept", "text/event-stream"),
        Request::new("DELETE", "/mcp"),
        Request::get("/sse/"),
        Request::post("/messages/", &ping),
        Request::post(CALL, &ping),
        Request::get("/api/mcp/v1/tools"),
        Request::get("/api/mcp/v1/sse"),
        Request::post("/api/mcp/v1/events", &json!({"event": "a"})),
        Request::get("/health"),
        Request::get("/ready"),
        Request::get("/status"),
        Request::get("/metrics"),
        Request::get("/nowhere"),
        Request::new("OPTIONS", "/mcp"),
    ]
}

// --- Host -----------------------------------------------------------------------------------------

#[track_caller]
fn check_host(server: &Server, host: &str, is_served: bool) {
    let response = server.ask(&ping(1).header("Host", host));
    if is_served {
        assert_eq!(pong(&response), 1, "{host}");
        return;
    }
    assert_eq!(response.status, 421, "{host}: {response:?}");
    let text = error_text(&response);
    assert!(
        text.contains("server.allowed_hosts") && text.contains(host),
        "{text}"
    );
    assert!(response.header("access-control-allow-origin").is_none());
}

#[test]
fn on_loopback_only_its_own_names_are_served() {
    let server = Server::start(&[]);
    let port = server.addr.port();
    for host in [
        "localhost",
        "LocalHost",
        "localhost.",
        &format!("localhost:{port}"),
        "localhost:1",
        "127.0.0.1",
        "127.8.8.8:80",
        "[::1]",
        &format!("[::1]:{port}"),
    ] {
        check_host(&server, host, true);
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "evil-localhost",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "0.0.0.0",
        "[::2]",
        "nas.lan",
    ] {
        check_host(&server, host, false);
    }
    // On every route, health and preflights too.
    for route in routes() {
        assert_eq!(
            ask(&server, &route.header("Host", "evil.example")).status,
            421
        );
    }
}

#[test]
fn further_hosts_are_served_when_named() {
    let server = Server::start(&[("APP_SERVER__ALLOWED_HOSTS", "nas.lan,pi.lan:8000")]);
    for host in [
        "nas.lan",
        "NAS.LAN",
        "nas.lan:9",
        "pi.lan:8000",
        "localhost",
    ] {
        check_host(&server, host, true);
    }
    for host in ["pi.lan", "pi.lan:8001", "x.nas.lan", "evil.example"] {
        check_host(&server, host, false);
    }
    // On the network anything goes until somebody says what.
    check_host(&start_on_network(&[]), "whatever.example:1", true);
    let server = start_on_network(&[("APP_SERVER__ALLOWED_HOSTS", "nas.lan")]);
    check_host(&server, "nas.lan", true);
    check_host(&server, "evil.example", false);
}

// --- Origin ---------------------------------------------------------------------------------------

#[track_caller]
fn check_origin(server: &Server, origin: &str, is_allowed: bool) {
    let response = server.ask(&ping(1).header("Origin", origin));
    if is_allowed {
        assert_eq!(pong(&response), 1, "{origin}");
        assert_eq!(response.header("access-control-allow-origin"), Some(origin));
        assert_eq!(response.header("vary"), Some("Origin"));
        return;
    }
    assert_eq!(response.status, 403, "{origin}: {response:?}");
    let text = error_text(&response);
    assert!(text.contains("server.allowed_origins"), "{text}");
    assert!(response.header("access-control-allow-origin").is_none());
}

#[test]
fn pages_of_others_are_refused() {
    let server = Server::start(&[]);
    let port = server.addr.port();
    // Its own page, under any of its own names, as the request names it.
    check_origin(&server, &format!("http://{}", server.addr), true);
    for origin in [
        "null",
        APP,
        "http://evil.example",
        "http://localhost:1",
        &format!("http://localhost:{port}"),
        &format!("https://{}.evil.example", server.addr),
        "file://",
        "chrome-extension://abcdef",
        "garbage",
        "",
        "http://user@localhost",
        "http://127.0.0.1:1/",
    ] {
        check_origin(&server, origin, false);
    }
    // On every route, before a token or a body is looked at.
    for route in routes() {
        let response = ask(&server, &route.header("Origin", "http://evil.example"));
        assert_eq!(response.status, 403);
        error_text(&response);
    }
    let unread = ping(1)
        .header("Origin", "null")
        .with("Content-Type", "text/plain")
        .body("{");
    assert_eq!(server.ask(&unread).status, 403);
}

#[test]
fn named_pages_are_let_in() {
    for key in ["APP_SERVER__ALLOWED_ORIGINS", "APP_SERVER__CORS_ORIGINS"] {
        let server = Server::start(&[(key, "https://app.example,http://localhost:*,null")]);
        for origin in [
            APP,
            "https://app.example:443",
            "http://localhost:5173",
            "http://localhost",
            "null",
        ] {
            check_origin(&server, origin, true);
        }
        for origin in [
            "http://app.example",
            "https://app.example:8443",
            "https://x.app.example",
            "https://localhost:5173",
        ] {
            check_origin(&server, origin, false);
        }
    }
    let server = Server::start(&[("APP_SERVER__ALLOWED_ORIGINS", "*")]);
    for origin in ["http://anything.example", "null"] {
        check_origin(&server, origin, true);
    }
    check_origin(&server, "garbage", false);
    // Beyond loopback no page is ours by itself.
    let server = start_on_network(&[]);
    check_origin(&server, &format!("http://{}", server.addr), false);
}

// --- CORS -----------------------------------------------------------------------------------------

#[test]
fn a_preflight_says_what_a_page_may_send() {
    let server = Server::start(&[
        ("APP_SERVER__CORS_ORIGINS", APP),
        ("APP_SERVER__API_TOKEN", "t"),
    ]);
    let mut http = server.connect();
    for (path, methods) in [
        ("/mcp", "GET, POST, DELETE, OPTIONS"),
        ("/messages/", "POST, OPTIONS"),
        ("/api/mcp/v1/sse", "GET, OPTIONS"),
        ("/health", "GET, HEAD, OPTIONS"),
    ] {
        let preflight = Request::new("OPTIONS", path)
            .header("Origin", APP)
            .header("Access-Control-Request-Method", "POST")
            .header(
                "Access-Control-Request-Headers",
                "content-type,mcp-session-id,mcp-param-region,x-evil",
            );
        // A browser sends no token with it.
        let response = http.ask(&preflight);
        assert_eq!((response.status, response.body.len()), (204, 0));
        assert_eq!(response.header("access-control-allow-origin"), Some(APP));
        assert_eq!(
            response.header("access-control-allow-methods"),
            Some(methods)
        );
        let headers = response.header("access-control-allow-headers").unwrap();
        for name in [
            "authorization",
            "content-type",
            "accept",
            "last-event-id",
            "mcp-method",
            "mcp-name",
            "mcp-protocol-version",
            "mcp-session-id",
            "mcp-param-region",
        ] {
            assert!(
                headers.split(", ").any(|header| header == name),
                "{name}: {headers}"
            );
        }
        assert!(!headers.contains("x-evil"), "{headers}");
        let vary = response.header("vary").unwrap();
        assert!(
            vary.contains("Origin") && vary.contains("Access-Control-Request-Headers"),
            "{vary}"
        );
        assert!(response.header("access-control-max-age").is_some());
        assert!(
            response
                .header("access-control-allow-credentials")
                .is_none()
        );
        // Not for others.
        let other = http.ask(&preflight.with("Origin", "https://evil.example"));
        assert_eq!(other.status, 403);
        assert!(other.header("access-control-allow-origin").is_none());
    }
    // Without its headers it is an ordinary OPTIONS.
    let plain = http.ask(&Request::new("OPTIONS", "/mcp"));
    assert!(plain.header("access-control-allow-methods").is_none());
}

#[test]
fn a_page_can_read_that_there_is_nothing() {
    let server = Server::start(&[("APP_SERVER__CORS_ORIGINS", APP)]);
    let mut http = server.connect();
    const NOWHERE: &str = "/.well-known/oauth-protected-resource";
    let options = Request::new("OPTIONS", NOWHERE).header("Origin", APP);
    let preflight = (options.clone())
        .header("Access-Control-Request-Method", "GET")
        .header("Access-Control-Request-Headers", "mcp-protocol-version");
    let allowed = |response: &Response| {
        let origin = response.header("access-control-allow-origin");
        (response.status, origin == Some(APP))
    };
    assert_eq!(allowed(&http.ask(&preflight)), (204, true));
    let get = Request::get(NOWHERE).header("Origin", APP);
    assert_eq!(allowed(&http.ask(&get)), (404, true));
    // No preflight, so nothing comes after it.
    assert_eq!(allowed(&http.ask(&options)), (404, true));
    assert_eq!(http.ask(&preflight.without("Origin")).status, 404);
}

#[test]
fn a_page_can_read_answers_refusals_and_streams() {
    let server = Server::start(&[
        ("APP_SERVER__ALLOWED_ORIGINS", APP),
        ("APP_SERVER__API_TOKEN", "t"),
        ("APP_LIMITS__BODY_BYTES", "1KiB"),
    ]);
    let by_page = |request: Request| {
        request
            .header("Origin", APP)
            .header("Authorization", "Bearer t")
    };
    #[track_caller]
    fn check(response: &Response, status: u16) {
        assert_eq!(response.status, status, "{response:?}");
        assert_eq!(response.header("access-control-allow-origin"), Some(APP));
        let exposed = response.header("access-control-expose-headers").unwrap();
        assert!(
            exposed.contains("Mcp-Session-Id") && exposed.contains("WWW-Authenticate"),
            "{exposed}"
        );
        assert!(response.header("vary").unwrap().contains("Origin"));
    }
    for (route, status) in routes().into_iter().zip([
        400, 405, 405, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 404,
    ]) {
        check(&ask(&server, &by_page(route)), status);
    }
    let ping = by_page(ping(1));
    check(&server.ask(&ping.clone().without("Authorization")), 401);
    check(
        &server.ask(&ping.clone().with("Content-Type", "text/plain")),
        415,
    );
    check(&server.ask(&ping.clone().body("{")), 400);
    check(&server.ask(&ping.clone().body("x".repeat(1025))), 413);
    check(&server.ask(&ping.clone().header("Expect", "x")), 417);
    check(
        &server.ask(&Request {
            target: "/health".into(),
            ..ping
        }),
        405,
    );

    // The whole of a session, as a page has it.
    let mcp = Mcp::connect(Way::Streamable, server.addr, "2025-11-25");
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "page", "version": "1"}}});
    let opened = server.ask(&by_page(mcp.post(&initialize)));
    check(&opened, 200);
    let id = opened.header("mcp-session-id").unwrap();
    let dress = |request: Request| by_page(request).header("Mcp-Session-Id", id);
    let get = dress(Request::get("/mcp").header("Accept", "text/event-stream"));
    check(&Http::connect(server.addr).into_sse(&get).head, 200);
    let post = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"});
    let post = dress(Request::post("/mcp", &post)).with("Accept", "text/event-stream");
    let mut stream = Http::connect(server.addr).into_sse(&post);
    check(&stream.head, 200);
    assert_eq!(stream.message()["id"], 2);
    check(&server.ask(&dress(Request::new("DELETE", "/mcp"))), 204);
    check(&server.ask(&dress(Request::new("DELETE", "/mcp"))), 404);
}

#[test]
fn no_origin_no_cors() {
    let server = Server::start(&[("APP_SERVER__ALLOWED_ORIGINS", "*")]);
    for route in routes() {
        let response = ask(&server, &route);
        assert!(
            !response
                .headers
                .iter()
                .any(|(name, _)| name.to_ascii_lowercase().starts_with("access-control-")),
            "{response:?}"
        );
    }
}

// --- errors ---------------------------------------------------------------------------------------

#[test]
fn every_error_is_json_and_says_what_to_do() {
    let server = Server::start(&[("APP_LIMITS__BODY_BYTES", "1KiB")]);
    #[track_caller]
    fn check(response: &Response, status: u16, hint: &str) {
        assert_eq!(response.status, status, "{response:?}");
        let text = error_text(response);
        assert!(text.contains(hint), "{text}");
    }
    for path in [
        "/",
        "/nowhere",
        "/mcp/",
        "/MCP",
        "/mcp/x",
        "/health/",
        "//mcp",
        "/api/mcp/v1",
        "/%6dcp",
    ] {
        check(&server.get(path), 404, "/mcp");
    }
    for (method, path, allow) in [
        ("PUT", "/mcp", "GET, POST, DELETE, OPTIONS"),
        ("GET", CALL, "POST, OPTIONS"),
        ("POST", "/api/mcp/v1/tools", "GET, HEAD, OPTIONS"),
        ("POST", "/sse/", "GET, OPTIONS"),
        ("DELETE", "/metrics", "GET, HEAD, OPTIONS"),
    ] {
        let response = server.ask(&Request::new(method, path));
        check(&response, 405, allow);
        assert_eq!(response.header("allow"), Some(allow));
    }
    for media in [
        "text/plain",
        "application/json-patch",
        "application/x-www-form-urlencoded",
        "json",
        "",
    ] {
        check(
            &server.ask(&ping(1).with("Content-Type", media)),
            415,
            "application/json",
        );
    }
    check(
        &server.ask(&ping(1).without("Content-Type")),
        415,
        "application/json",
    );
    for media in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
    ] {
        assert_eq!(
            pong(&server.ask(&ping(1).with("Content-Type", media))),
            1,
            "{media}"
        );
    }
    for coding in ["gzip", "deflate", "br", "identity, gzip"] {
        check(
            &server.ask(&ping(1).header("Content-Encoding", coding)),
            415,
            "Content-Encoding",
        );
    }
    assert_eq!(
        pong(&server.ask(&ping(1).header("Content-Encoding", "Identity"))),
        1
    );
    check(
        &server.ask(&ping(1).body("x".repeat(1025))),
        413,
        "limits.body_bytes",
    );
    check(
        &server.ask(&Request::get("/").header("X", &"x".repeat(9000))),
        431,
        "8192",
    );
    check(
        &server.ask(&Request::get(&format!("/{}", "x".repeat(9000)))),
        414,
        "8192",
    );
    check(
        &server.ask(&ping(1).header("Expect", "x")),
        417,
        "100-continue",
    );
}

#[test]
fn what_decides_stands_there_once() {
    let server = Server::start(&[("APP_SERVER__ALLOWED_ORIGINS", APP)]);
    for (name, value) in [
        ("Authorization", "Bearer a"),
        ("Content-Type", "application/json"),
        ("Last-Event-ID", "0-0"),
        ("MCP-Protocol-Version", "2025-06-18"),
        ("Mcp-Session-Id", "a"),
        ("Origin", APP),
    ] {
        let once = ping(1).with(name, value);
        assert_eq!(pong(&server.ask(&once)), 1, "{name}");
        // Also twice the same.
        let refused = server.ask(&once.header(&name.to_ascii_lowercase(), value));
        assert_eq!(refused.status, 400, "{name}");
        assert_eq!(refused.header("connection"), Some("close"));
        assert!(error_text(&refused).contains(&name.to_ascii_lowercase()));
        assert!(refused.header("access-control-allow-origin").is_none());
    }
}

#[test]
fn nothing_a_client_writes_gets_into_a_head() {
    let server = Server::start(&[("APP_SERVER__ALLOWED_ORIGINS", "*")]);
    // Whatever is echoed (Origin, Mcp-Param names, the session's id) is checked first.
    for origin in [
        "http://a.example\u{e9}",
        "http://a.example\"",
        "http://a.example;x",
        "http://a\tb",
    ] {
        check_origin(&server, origin, false);
    }
    let preflight = Request::new("OPTIONS", "/mcp")
        .header("Origin", APP)
        .header("Access-Control-Request-Method", "PO\tST")
        .header(
            "Access-Control-Request-Headers",
            "mcp-param-\u{e9}, mcp-param-a b, mcp-param-ok",
        );
    let response = server.ask(&preflight);
    let headers = response.header("access-control-allow-headers").unwrap();
    assert!(headers.ends_with(", mcp-param-ok"), "{headers}");
    for target in ["/a%0d%0aX:%20y", "/a%00", "/%ff"] {
        let response = server.get(target);
        assert_eq!(response.status, 404);
        assert!(response.header("x").is_none());
        error_text(&response);
    }
}
