//! Who may come in: bearer tokens with names, scopes and tool patterns, what a refusal looks like on
//! every route, and that the server does not open itself to the network by accident.

use std::process::Stdio;

use crate::support::{
    Folder, Http, Mcp, Process, Program, Request, Response, Server, Sse, Value, Way, json,
};
use crate::wire::{CALL, ask, error_text};

/// One token of each kind; `hashed` is known only by its SHA-256.
const TOKENS: &str = r#"
[tools]
wake_on_lan = true

[[auth.tokens]]
name = "reader"
token = "reader-secret"
scopes = ["read"]

[[auth.tokens]]
name = "writer"
token = "writer-secret"

[[auth.tokens]]
name = "narrow"
token = "narrow-secret"
scopes = ["write"]
tools = ["device_c*", "wake_on_lan"]

[[auth.tokens]]
name = "publisher"
token = "publisher-secret"
scopes = ["publish"]

[[auth.tokens]]
name = "operator"
token = "operator-secret"
scopes = ["admin"]

[[auth.tokens]]
name = "hashed"
token_sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"#;

/// Every route that asks for a token, by a method it answers.
fn guarded_routes() -> Vec<Request> {
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    vec![
        Request::post("/mcp", &ping),
        Request::get("/mcp").header("Accept", "text/event-stream"),
        Request::new("DELETE", "/mcp"),
        Request::get("/sse/"),
        Request::post("/messages/", &ping),
        Request::post("/messages/?session_id=AAAAAAAAAAAAAAAAAAAAAA", &ping),
        Request::post(CALL, &ping),
        Request::post("/api/mcp/v1/sse/rpc", &ping),
        Request::get("/api/mcp/v1/tools"),
        Request::get("/api/mcp/v1/sse"),
        Request::post("/api/mcp/v1/events", &json!({"event": "a"})),
        Request::get("/metrics"),
        Request::get("/status"),
    ]
}

fn start(toml: &str, env: &[(&str, &str)]) -> Server {
    let folder = Folder::new();
    folder.write("config/base.toml", toml);
    // What many wrong tokens lead to is tested in `rates`.
    let mut env = env.to_vec();
    env.push(("APP_LIMITS__AUTH_FAILURES", "1000"));
    Server::start_in(folder, Program::Siskin, &env)
}

fn with_token(request: Request, token: &str) -> Request {
    request.with("Authorization", &format!("Bearer {token}"))
}

#[track_caller]
fn check_401(response: &Response, challenge: &str) {
    assert_eq!(response.status, 401, "{response:?}");
    assert_eq!(response.header("www-authenticate"), Some(challenge));
    error_text(response);
    let text = response.text();
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn every_route_but_health_asks_for_a_token() {
    let server = start(TOKENS, &[]);
    const BARE: &str = "Bearer realm=\"siskin\"";
    const WRONG: &str = "Bearer realm=\"siskin\", error=\"invalid_token\"";
    for route in guarded_routes() {
        check_401(&server.ask(&route), BARE);
        for value in [
            "Bearer",
            "Bearer ",
            "Bearer  ",
            "Basic cmVhZGVyOnJlYWRlci1zZWNyZXQ=",
            "reader-secret",
            "Bearer reader secret",
            "Bearer: reader-secret",
            "Bearer,reader-secret",
        ] {
            check_401(
                &server.ask(&route.clone().header("Authorization", value)),
                BARE,
            );
        }
        for value in [
            "Bearer reader-secre",
            "Bearer reader-secrets",
            "Bearer READER-SECRET",
            "Bearer reader",
            "Bearer \"reader-secret\"",
            "Bearer ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "Bearer sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ] {
            check_401(
                &server.ask(&route.clone().header("Authorization", value)),
                WRONG,
            );
        }
    }
    for path in ["/health", "/ready"] {
        assert_eq!(server.get(path).status, 200);
        assert_eq!(
            server.ask(&with_token(Request::get(path), "wrong")).status,
            200
        );
    }
    // A route that is not there says so to everyone: its absence is no secret.
    assert_eq!(server.get("/nowhere").status, 404);
}

#[test]
fn each_token_comes_in_by_its_scheme_in_any_case() {
    let server = start(TOKENS, &[]);
    let ping = Request::post(CALL, &json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}));
    for value in [
        "Bearer reader-secret",
        "bearer reader-secret",
        "BEARER   writer-secret",
        "Bearer abc",
    ] {
        let response = server.ask(&ping.clone().header("authorization", value));
        assert_eq!(response.status, 200, "{value}");
    }
}

#[test]
fn a_token_is_not_taken_from_anywhere_else() {
    let server = start(TOKENS, &[]);
    for route in guarded_routes() {
        let join = if route.target.contains('?') { '&' } else { '?' };
        for name in ["access_token", "token", "authorization", "api_key"] {
            let target = format!("{}{join}{name}=writer-secret", route.target);
            let request = Request {
                target,
                ..route.clone()
            };
            assert_eq!(server.ask(&request).status, 401, "{}", request.target);
        }
        for (name, value) in [
            ("Cookie", "token=writer-secret"),
            ("X-API-Key", "writer-secret"),
            ("Proxy-Authorization", "Bearer writer-secret"),
        ] {
            assert_eq!(
                server.ask(&route.clone().header(name, value)).status,
                401,
                "{name}"
            );
        }
    }
    // As a trailer, after the head was judged.
    let request = Request::new("POST", CALL)
        .header("Content-Type", "application/json")
        .header("Transfer-Encoding", "chunked")
        .body("2\r\n{}\r\n0\r\nAuthorization: Bearer writer-secret\r\n\r\n");
    assert_eq!(server.ask(&request).status, 401);
    let log = server.log();
    assert!(!log.contains("secret"), "{log}");
}

/// The refusal of a right: who asked is known, so the answer is 403 and names what is missing.
#[track_caller]
fn check_403(response: &Response, scope: &str) {
    assert_eq!(response.status, 403, "{response:?}");
    let challenge =
        format!("Bearer realm=\"siskin\", error=\"insufficient_scope\", scope=\"{scope}\"");
    assert_eq!(response.header("www-authenticate"), Some(&*challenge));
    let text = error_text(response);
    assert!(text.contains(scope), "{text}");
}

#[test]
fn scopes_open_what_they_name() {
    let server = start(TOKENS, &[]);
    let publish = Request::post("/api/mcp/v1/events", &json!({"event": "a"}));
    for token in ["reader-secret", "writer-secret", "operator-secret"] {
        check_403(&server.ask(&with_token(publish.clone(), token)), "publish");
    }
    assert_eq!(
        server.ask(&with_token(publish, "publisher-secret")).json(),
        json!({"delivered": 0})
    );
    for path in ["/metrics", "/status"] {
        for token in ["reader-secret", "writer-secret", "publisher-secret"] {
            check_403(&server.ask(&with_token(Request::get(path), token)), "admin");
        }
        let request = with_token(Request::get(path), "operator-secret");
        assert_eq!(server.ask(&request).status, 200);
    }
}

#[test]
fn the_api_token_may_do_everything() {
    for env in [
        ("APP_SERVER__API_TOKEN", "all-rights"),
        ("APP_SERVER__API_TOKEN_FILE", "token.txt"),
    ] {
        let folder = Folder::new();
        folder.write("token.txt", "all-rights\n");
        let server = Server::start_in(folder, Program::Siskin, &[env]);
        for route in guarded_routes() {
            assert_eq!(server.ask(&route).status, 401);
            let response = ask(&server, &with_token(route, "all-rights"));
            assert!(!matches!(response.status, 401 | 403), "{response:?}");
        }
    }
}

#[test]
fn metrics_may_be_public() {
    let server = start(TOKENS, &[("APP_METRICS__PUBLIC", "true")]);
    for path in ["/metrics", "/status"] {
        assert_eq!(server.get(path).status, 200);
        // Whoever brings a token is not worse off for it.
        for token in ["wrong", "reader-secret"] {
            assert_eq!(
                server.ask(&with_token(Request::get(path), token)).status,
                200
            );
        }
    }
    assert_eq!(server.get("/api/mcp/v1/tools").status, 401);
    let server = start(TOKENS, &[("APP_METRICS__ENABLED", "false")]);
    assert_eq!(server.get("/metrics").status, 404);
}

// --- what a token sees ----------------------------------------------------------------------------

fn tool_names(list: &Value) -> Vec<String> {
    let tools = list["tools"].as_array().unwrap();
    let names = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned());
    names.collect()
}

/// The `result` or `error` of a call by this token, over `/mcp` without a session.
#[track_caller]
fn request(server: &Server, token: &str, method: &str, params: Value) -> Value {
    let client = Mcp::connect(Way::Streamable, server.addr, "2026-07-28");
    let message = client.build_with_id(json!(1), method, params);
    let answer = server.ask(&with_token(client.post(&message), token)).json();
    // The same over the plain endpoint.
    let plain = server
        .ask(&with_token(Request::post(CALL, &message), token))
        .json();
    for side in [&answer, &plain] {
        assert_eq!(side["id"], 1, "{side}");
    }
    assert_eq!(
        answer.get("error").map(|error| &error["code"]),
        plain.get("error").map(|error| &error["code"])
    );
    answer
}

#[test]
fn a_token_sees_and_calls_the_tools_it_may() {
    let server = start(TOKENS, &[]);
    let plain_list = |token: &str| {
        let list = server
            .ask(&with_token(Request::get("/api/mcp/v1/tools"), token))
            .json();
        assert_eq!(
            list["count"],
            list["tools"].as_array().unwrap().len(),
            "{list}"
        );
        tool_names(&list)
    };
    let all = plain_list("writer-secret");
    assert!(
        all.iter().any(|name| name == "wake_on_lan") && all.len() > 5,
        "{all:?}"
    );
    let reading: Vec<String> = all
        .iter()
        .filter(|name| *name != "wake_on_lan")
        .cloned()
        .collect();
    let narrow = vec!["device_cpu".to_owned(), "wake_on_lan".to_owned()];
    for (token, expected) in [
        ("writer-secret", &all),
        ("abc", &all),
        ("reader-secret", &reading),
        ("narrow-secret", &narrow),
        ("operator-secret", &vec![]),
        ("publisher-secret", &vec![]),
    ] {
        let list = request(&server, token, "tools/list", json!({}));
        let mut names = (tool_names(&list["result"]), plain_list(token));
        names.0.sort();
        names.1.sort();
        let mut expected = expected.clone();
        expected.sort();
        assert_eq!((&names.0, &names.1), (&expected, &expected), "{token}");
    }

    // A tool that is not seen is one that is not there; arguments decide nothing.
    let call = |token: &str, tool: &str| {
        request(
            &server,
            token,
            "tools/call",
            json!({"name": tool, "arguments": {"mac": "zz"}}),
        )
    };
    let unknown = call("writer-secret", "no_such_tool")["error"].clone();
    assert!(
        unknown["message"]
            .as_str()
            .unwrap()
            .contains("no_such_tool"),
        "{unknown}"
    );
    for (token, tool) in [
        ("reader-secret", "wake_on_lan"),
        ("narrow-secret", "device_memory"),
        ("operator-secret", "device_memory"),
        ("publisher-secret", "device_memory"),
    ] {
        let error = &call(token, tool)["error"];
        assert_eq!(error["code"], unknown["code"], "{token} {tool}: {error}");
        let text = error["message"]
            .as_str()
            .unwrap()
            .replace(tool, "no_such_tool");
        assert_eq!(text, unknown["message"].as_str().unwrap());
    }
    // Where it is there, it looks at them.
    for token in ["writer-secret", "narrow-secret"] {
        let answer = call(token, "wake_on_lan");
        assert_ne!(
            answer["error"]["message"].as_str().unwrap_or_default(),
            unknown["message"]
                .as_str()
                .unwrap()
                .replace("no_such_tool", "wake_on_lan")
        );
        assert!(answer.to_string().contains("mac"), "{answer}");
    }
}

#[test]
fn a_session_belongs_to_the_token_that_opened_it() {
    let server = start(TOKENS, &[]);
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "it", "version": "1"}}});
    let opened = server.ask(&with_token(
        Request::post("/mcp", &initialize),
        "writer-secret",
    ));
    let id = opened.header("mcp-session-id").unwrap().to_owned();
    let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"});
    let requests = || {
        let dress = |request: Request| {
            request
                .header("Mcp-Session-Id", &id)
                .header("MCP-Protocol-Version", "2025-11-25")
        };
        [
            dress(Request::post("/mcp", &ping)),
            dress(Request::get("/mcp").header("Accept", "text/event-stream")),
            dress(Request::new("DELETE", "/mcp")),
        ]
    };
    for request in requests() {
        // To others it is one that never was: the same answer to the byte.
        let foreign = server.ask(&with_token(request.clone(), "reader-secret"));
        let absent = request.with("Mcp-Session-Id", "AAAAAAAAAAAAAAAAAAAAAA");
        let absent = server.ask(&with_token(absent, "reader-secret"));
        assert_eq!((foreign.status, foreign.text()), (404, absent.text()));
        assert_eq!(absent.status, 404);
        error_text(&foreign);
    }
    for (request, status) in requests().into_iter().zip([200, 200, 204]) {
        // Knowing the id is not enough.
        assert_eq!(server.ask(&request).status, 401);
        assert_eq!(
            ask(&server, &with_token(request, "writer-secret")).status,
            status
        );
    }

    // HTTP+SSE.
    let mut stream =
        Http::connect(server.addr).into_sse(&with_token(Request::get("/sse/"), "writer-secret"));
    let target = stream.next().data.replace("../", "/");
    let post = Request::post(&target, &ping);
    assert_eq!(server.ask(&post).status, 401);
    assert_eq!(
        server
            .ask(&with_token(post.clone(), "reader-secret"))
            .status,
        404
    );
    assert_eq!(server.ask(&with_token(post, "writer-secret")).status, 202);
    assert_eq!(stream.message()["id"], 2);
    drop::<Sse>(stream);
}

// --- what the operator may forget -----------------------------------------------------------------

/// How the server ends that must not start, and what it says.
#[track_caller]
fn refused(env: &[(&str, &str)]) -> String {
    let mut env = env.to_vec();
    env.push(("APP_SERVER__PORT", "0"));
    let mut process = Process::start(&Program::Siskin.path(), &["serve"], &env, Stdio::null);
    let exit = process.wait();
    // EX_CONFIG: a restart does not help.
    assert_eq!(exit.status.code(), Some(78), "{exit:?}");
    assert!(!exit.log.contains("listening http"), "{}", exit.log);
    exit.log
}

#[test]
fn beyond_loopback_a_token_is_needed() {
    for env in [
        &[("APP_SERVER__HOST", "0.0.0.0")][..],
        &[("APP_SERVER__HOST", "::")],
        &[("APP_SERVER__LISTENERS", "[\"127.0.0.1:0\", \"0.0.0.0:0\"]")],
        &[("FASTMCP_HOST", "0.0.0.0")],
        // Neither a token that is empty nor the negation of the remedy is one.
        &[
            ("APP_SERVER__HOST", "0.0.0.0"),
            ("APP_SERVER__API_TOKEN", ""),
        ],
        &[
            ("APP_SERVER__HOST", "0.0.0.0"),
            ("APP_AUTH__ALLOW_ANONYMOUS", "false"),
        ],
    ] {
        let log = refused(env);
        for remedy in ["server.api_token", "auth.allow_anonymous"] {
            assert!(log.contains(remedy), "{env:?}: {log}");
        }
    }
    for env in [
        &[("APP_SERVER__HOST", "127.0.0.1")][..],
        &[
            ("APP_SERVER__HOST", "0.0.0.0"),
            ("APP_SERVER__API_TOKEN", "t"),
        ],
        &[
            ("APP_SERVER__HOST", "0.0.0.0"),
            ("APP_AUTH__ALLOW_ANONYMOUS", "true"),
        ],
    ] {
        let server = Server::start(env);
        let addr = std::net::SocketAddr::from(([127, 0, 0, 1], server.addr.port()));
        assert_eq!(
            Http::connect(addr).ask(&Request::get("/health")).status,
            200
        );
    }
}

#[test]
fn two_tokens_may_share_neither_name_nor_text() {
    let one = r#"[{ name = "a", token = "x" }, { name = "a", token = "y" }]"#;
    let log = refused(&[("APP_AUTH__TOKENS", one)]);
    assert!(log.contains("auth.tokens") && log.contains('a'), "{log}");
    let other = r#"[{ name = "a", token = "xyzzy-1" }, { name = "b", token = "xyzzy-1" }]"#;
    let log = refused(&[("APP_AUTH__TOKENS", other)]);
    assert!(
        log.contains("auth.tokens") && !log.contains("xyzzy"),
        "{log}"
    );
}
