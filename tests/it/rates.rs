//! How often one may ask, how often one may guess, and whose address counts behind a proxy; with the real program. What
//! time does to it stands in `src/transport/tests`, where time moves by hand.
//!
//! The rates here are so low that nothing comes back while a test runs.

use crate::limits::{connect_from, hits};
use crate::support::{
    Folder, Mcp, Program, Request, Response, Server, Value, Way, json, poll_until,
};
use crate::wire::{CALL, error_text, ping, pong};

const TOOLS: &str = "/api/mcp/v1/tools";
const TOKENS: &str = r#"
[limits]
requests_per_minute = 1
burst = 3

[[auth.tokens]]
name = "usual"
token = "usual-secret"

[[auth.tokens]]
name = "eager"
token = "eager-secret"
burst = 5

[[auth.tokens]]
name = "free"
token = "free-secret"
requests_per_minute = 0
"#;

fn start(toml: &str, env: &[(&str, &str)]) -> Server {
    let folder = Folder::new();
    folder.write("config/base.toml", toml);
    Server::start_in(folder, Program::Siskin, env)
}

fn with_token(request: Request, token: &str) -> Request {
    request.with("Authorization", &format!("Bearer {token}"))
}

/// `/health` and `/metrics` are for the tests themselves.
const EXEMPT: (&str, &str) = ("APP_LIMITS__RATE_EXEMPT", "/health,/ready,/metrics,/status");

#[track_caller]
fn check_429(response: &Response) -> String {
    assert_eq!(response.status, 429, "{response:?}");
    let retry_after = response.header("retry-after").unwrap();
    assert!(retry_after.parse::<u64>().unwrap() >= 1, "{retry_after}");
    assert_eq!(response.header("connection"), None, "it may go on");
    error_text(response)
}

#[test]
fn requests_per_minute_and_burst() {
    let server = Server::start(&[
        ("APP_LIMITS__REQUESTS_PER_MINUTE", "1"),
        ("APP_LIMITS__BURST", "4"),
        EXEMPT,
    ]);
    let mut http = connect_from(&server, 2);
    for _ in 0..4 {
        assert_eq!(pong(&http.ask(&ping(1))), 1);
    }
    for _ in 0..2 {
        let text = check_429(&http.ask(&ping(1)));
        assert!(text.contains("too many requests"), "{text}");
    }
    assert_eq!(hits(&server, "rate"), 2.0);
    assert_eq!(http.ask(&Request::get("/health")).status, 200);
    assert_eq!(pong(&connect_from(&server, 3).ask(&ping(1))), 1);
    // Nobody said anything: no bound.
    let server = Server::start(&[]);
    let mut http = server.connect();
    for _ in 0..1000 {
        assert_eq!(pong(&http.ask(&ping(1))), 1);
    }
}

#[test]
fn tokens_have_their_own_rates() {
    let server = start(TOKENS, &[EXEMPT, ("APP_METRICS__PUBLIC", "true")]);
    let mut http = server.connect();
    for (token, burst) in [("usual-secret", 3), ("eager-secret", 5)] {
        let request = with_token(Request::get(TOOLS), token);
        for _ in 0..burst {
            assert_eq!(http.ask(&request).status, 200, "{token}");
        }
        check_429(&http.ask(&request));
    }
    for _ in 0..50 {
        let request = with_token(Request::get(TOOLS), "free-secret");
        assert_eq!(http.ask(&request).status, 200);
    }
    assert_eq!(hits(&server, "rate"), 2.0);
}

#[test]
fn in_a_session_the_refusal_answers_the_request() {
    let server = Server::start(&[
        ("APP_LIMITS__REQUESTS_PER_MINUTE", "1"),
        // The handshake is three requests on one way and two on the other, with its stream.
        ("APP_LIMITS__BURST", "3"),
        EXEMPT,
    ]);
    let session = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let ping = |id: u32| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
    let refused = loop {
        let response = server.ask(&session.post(&ping(7)));
        if response.status != 200 {
            break response;
        }
    };
    check_429(&refused);
    let body = refused.json();
    assert_eq!(
        (&body["id"], &body["error"]["code"]),
        (&json!(7), &json!(-32000))
    );
    // What asks for nothing is let through.
    let note =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}});
    assert_eq!(server.ask(&session.post(&note)).status, 202);
    // A batch has no one id.
    let batch: Value = json!([ping(8), ping(9)]);
    let refused = server.ask(&session.post(&batch));
    check_429(&refused);
    assert_eq!(refused.json()["id"], Value::Null);
}

#[test]
fn on_http_sse_the_refusal_comes_on_the_stream() {
    let server = Server::start(&[
        ("APP_LIMITS__REQUESTS_PER_MINUTE", "1"),
        ("APP_LIMITS__BURST", "3"),
    ]);
    let mut stream = server.connect().into_sse(&Request::get("/sse/"));
    let target = stream.next().data.replace("../", "/");
    for id in 0..5 {
        let ping = json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
        assert_eq!(server.ask(&Request::post(&target, &ping)).status, 202);
        let answer = stream.message();
        assert_eq!(answer["id"], id);
        // The stream itself was the first of three.
        assert_eq!(answer.get("error").is_some(), id >= 2, "{answer}");
    }
}

#[test]
fn guessing_tokens_is_slowed() {
    let server = Server::start(&[
        ("APP_SERVER__API_TOKEN", "right-secret"),
        ("APP_METRICS__PUBLIC", "true"),
    ]);
    let (right, wrong) = ("right-secret", "wrong-secret");
    let ask = |last: u8, token: &str| {
        connect_from(&server, last).ask(&with_token(Request::get(TOOLS), token))
    };
    assert_eq!(ask(2, right).status, 200);
    // Ten at least are looked at; how many more, before one comes while the address waits, is a matter of time.
    let mut guesses = 0;
    let refused = loop {
        let response = ask(2, wrong);
        if response.status != 401 {
            break response;
        }
        guesses += 1;
        assert!(guesses < 100, "nobody is slowed");
    };
    assert!(guesses >= 10, "{guesses}");
    let text = check_429(&refused);
    assert!(text.contains("too many wrong tokens"), "{text}");
    assert!(hits(&server, "auth_failures") >= 1.0);
    // Who was right here before is not locked out, nor is anybody elsewhere.
    assert_eq!((ask(2, right).status, ask(3, right).status), (200, 200));
    let nothing = connect_from(&server, 2).ask(&Request::get(TOOLS));
    assert_eq!(nothing.status, 401);
    let log = server.log();
    assert!(
        log.contains("wrong token from 127.0.0.2, 1 in 15 min"),
        "{log}"
    );
    assert!(log.contains(" in 15 min: it waits "), "{log}");
    assert!(!log.contains("-secret"), "{log}");
}

#[test]
fn behind_a_trusted_proxy_callers_count_for_themselves() {
    let toml =
        format!("[server]\ntrusted_proxies = [\"127.0.0.2\"]\n[log]\nlevel = \"debug\"\n{TOKENS}");
    let server = start(&toml, &[EXEMPT, ("APP_METRICS__PUBLIC", "true")]);
    let ask = |last: u8, name: &str, value: &str| {
        let request = Request::get(TOOLS).header(name, value);
        connect_from(&server, last).ask(&request).status
    };
    // The caller writes what it likes; the proxy adds who called it.
    for made_up in ["1.1.1.1", "2.2.2.2", "garbage"] {
        let list = format!("{made_up}, 203.0.113.7");
        assert_eq!(ask(2, "X-Forwarded-For", &list), 401);
    }
    assert_eq!(ask(2, "X-Forwarded-For", "203.0.113.7"), 429);
    assert_eq!(ask(2, "Forwarded", "for=203.0.113.7:99"), 429);
    assert_eq!(ask(2, "X-Forwarded-For", "203.0.113.8"), 401);
    assert_eq!(ask(2, "X-Forwarded-For", "garbage"), 401);
    let ignored = "siskin_forwarded_ignored_total";
    assert_eq!(server.metric(ignored), Some(1.0));
    // From elsewhere it is only a header.
    for index in 0..4 {
        let status = ask(3, "X-Forwarded-For", &format!("203.0.113.{index}"));
        assert_eq!(status, if index < 3 { 401 } else { 429 });
    }
    // A line is written once its answer has been sent.
    for line in [
        "203.0.113.7 GET /api/mcp/v1/tools 401",
        "127.0.0.3 GET /api/mcp/v1/tools 429",
    ] {
        let has = |text: &str| text.contains(line).then_some(());
        server.process.wait_log(line, 0, has);
    }
    let log = server.log();
    assert!(!log.contains("1.1.1.1"), "{log}");
}

#[test]
fn rates_are_taken_over_by_a_reload() {
    let base = |burst: u32| format!("[limits]\nrequests_per_minute = 1\nburst = {burst}\n");
    let server = start(&base(2), &[EXEMPT]);
    let mut http = server.connect();
    let request = Request::get(TOOLS);
    for _ in 0..2 {
        assert_eq!(http.ask(&request).status, 200);
    }
    check_429(&http.ask(&request));
    let folder = server.process.folder().join("config/base.toml");
    std::fs::write(folder, base(3)).unwrap();
    server.hangup();
    // What is refused takes nothing, so asking does not spoil it.
    poll_until("the reload", || {
        (http.ask(&request).status == 200).then_some(())
    });
    check_429(&http.ask(&request));
    let refused = http.ask(&Request::post(
        CALL,
        &json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}),
    ));
    check_429(&refused);
}
