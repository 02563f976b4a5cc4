//! Tokens that somebody else issued: which come in, what the others are told, where clients read who issues them, and
//! that keys change without anybody losing a stream.

#[path = "../jwt/sign.rs"]
mod sign;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::{
    Answer, Call, Folder, Hold, Http, Program, Request, Response, Route, Server, Service, Upstream,
    Value, json, parse,
};
use crate::wire::{CALL, error_text};
use sign::{SECRET, Signer};

const METADATA: &str = "https://mcp.lan/.well-known/oauth-protected-resource/mcp";
const JWKS: &str = include_str!("../jwt/jwks.json");

/// An issuer with the keys of a file, and a fixed token beside.
// The brake on guessing, which `rates` tests, would stop a test that guesses so often.
const BASE: &str = r#"
[limits]
auth_failures = 1000

[auth]
resource = "https://mcp.lan/mcp"
jwt_issuer = "https://id.lan"
jwt_key_file = "keys"

[[auth.tokens]]
name = "fixed"
token = "fixed-secret"
"#;

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("the clock is after 1970").as_secs()
}

/// Claims that let `sub` in for an hour.
fn claims(sub: &str, scope: &str) -> Value {
    json!({
        "iss": "https://id.lan", "aud": "https://mcp.lan/mcp", "exp": now() + 3600, "sub": sub, "scope": scope,
    })
}

fn folder(base: &str, keys: &str) -> Folder {
    let folder = Folder::new();
    folder.write("config/base.toml", base);
    folder.write("config/keys", keys);
    folder
}

fn start(base: &str, keys: &str) -> Server {
    Server::start_in(folder(base, keys), Program::Siskin, &[])
}

fn with(request: Request, token: &str) -> Request {
    request.with("Authorization", &format!("Bearer {token}"))
}

fn ping() -> Request {
    Request::post(CALL, &json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}))
}

#[track_caller]
fn check_status(server: &Server, token: &str, status: u16) -> Response {
    let response = server.ask(&with(ping(), token));
    assert_eq!(response.status, status, "{response:?}");
    response
}

#[test]
fn tokens_of_each_kind_of_key_come_in() {
    let claims = claims("ann", "read").to_string();
    let server = start(BASE, JWKS);
    for (signer, kid) in [
        (Signer::Rsa, "rsa-1"),
        (Signer::Ec, "ec-1"),
        (Signer::Ed, "ed-1"),
    ] {
        check_status(&server, &signer.claims(Some(kid), &claims), 200);
        check_status(&server, &signer.claims(None, &claims), 200);
        check_status(&server, &signer.claims(Some("other"), &claims), 401);
    }
    check_status(&server, "fixed-secret", 200);
    for pem in [
        include_str!("../jwt/rsa.pub.pem"),
        include_str!("../jwt/rsa.pkcs1.pem"),
    ] {
        let server = start(BASE, pem);
        check_status(&server, &Signer::Rsa.claims(None, &claims), 200);
        check_status(&server, &Signer::Ec.claims(None, &claims), 401);
        let confused = Signer::Secret(pem.as_bytes()).claims(None, &claims);
        check_status(&server, &confused, 401);
    }
    let secret = std::str::from_utf8(SECRET).unwrap();
    let server = start(
        &BASE.replace("key_file = \"keys\"", &format!("secret = \"{secret}\"")),
        "",
    );
    check_status(&server, &Signer::Secret(SECRET).claims(None, &claims), 200);
    check_status(
        &server,
        &Signer::Secret(&SECRET[1..]).claims(None, &claims),
        401,
    );
    assert!(!server.log().contains(secret));
}

#[test]
fn every_refusal_has_a_neighbour_that_comes_in() {
    let server = start(BASE, JWKS);
    let sound = claims("ann", "read");
    let sign = |claims: &Value| Signer::Ec.claims(Some("ec-1"), &claims.to_string());
    check_status(&server, &sign(&sound), 200);
    let scope = r#"scope="read write""#;
    let challenge = |why: &str| {
        format!(
            r#"Bearer realm="siskin", error="invalid_token"{why}, {scope}, resource_metadata="{METADATA}""#
        )
    };
    for (member, value, why) in [
        ("exp", json!(now() - 120), "the token has expired"),
        ("exp", Value::Null, "the claim `exp` is not sound"),
        ("nbf", json!(now() + 300), "the token is not valid yet"),
        (
            "iat",
            json!(now() + 300),
            "the token was issued in the future",
        ),
        (
            "iss",
            json!("https://id.lan/"),
            "the token is of another issuer",
        ),
        (
            "aud",
            json!("https://other.lan/mcp"),
            "the token is for another audience",
        ),
        ("aud", json!([]), "the token is for another audience"),
        ("sub", json!(""), "the claim `sub` is not sound"),
    ] {
        let mut claims = sound.clone();
        claims[member] = value;
        let response = check_status(&server, &sign(&claims), 401);
        let expected = challenge(&format!(r#", error_description="{why}""#));
        assert_eq!(response.header("www-authenticate"), Some(&*expected));
        assert_eq!(error_text(&response), why);
    }
    // What nobody has signed is told nothing, and all the same.
    let text = sound.to_string();
    let good = sign(&sound);
    let (signed, _) = good.rsplit_once('.').unwrap();
    let big = {
        let mut claims = sound.clone();
        claims["x"] = json!("x".repeat(4000));
        sign(&claims)
    };
    let wrong = check_status(&server, "guess", 401);
    assert_eq!(wrong.header("www-authenticate"), Some(&*challenge("")));
    for token in [
        format!("{signed}."),
        format!("{good}A"),
        format!("{good}="),
        Signer::Ec.token(r#"{"alg":"none"}"#, &text),
        Signer::Ec.token(r#"{"alg":"HS256","kid":"ec-1"}"#, &text),
        Signer::Ec.token(r#"{"alg":"ES256","crit":["exp"]}"#, &text),
        Signer::Ec.token(r#"{"alg":"ES256","jku":"https://id.lan/"}"#, &text),
        Signer::Ec.token(r#"{"alg":"ES256","x5u":"https://id.lan/"}"#, &text),
        Signer::Ec.token(r#"{"alg":"ES256","jwk":{}}"#, &text),
        Signer::Ec.token(r#"{"alg":"ES256","alg":"ES256"}"#, &text),
        format!("{}.{}", big, "x"),
    ] {
        let response = check_status(&server, &token, 401);
        assert_eq!(response.text(), wrong.text(), "{token}");
        assert_eq!(response.header("www-authenticate"), Some(&*challenge("")));
    }
    check_status(&server, &big, 200);
    // Never from the address.
    for name in ["access_token", "token"] {
        let request = Request {
            target: format!("{CALL}?{name}={good}"),
            ..ping()
        };
        assert_eq!(server.ask(&request).status, 401);
    }
    let log = server.log();
    assert!(!log.contains("eyJ"), "{log}");
}

#[test]
fn clients_read_who_issues_tokens() {
    let server = start(BASE, JWKS);
    let bare = server.ask(&ping());
    let expected =
        format!(r#"Bearer realm="siskin", scope="read write", resource_metadata="{METADATA}""#);
    assert_eq!(bare.status, 401);
    assert_eq!(bare.header("www-authenticate"), Some(&*expected));
    const ROOT: &str = "/.well-known/oauth-protected-resource";
    for path in [ROOT.to_owned(), format!("{ROOT}/mcp")] {
        for request in [
            Request::get(&path),
            with(Request::get(&path), "wrong"),
            Request::get(&path).header("MCP-Protocol-Version", "2025-11-25"),
        ] {
            let response = server.ask(&request);
            assert_eq!(response.status, 200);
            assert_eq!(response.header("content-type"), Some("application/json"));
            let expected = json!({
                "resource": "https://mcp.lan/mcp",
                "authorization_servers": ["https://id.lan"],
                "scopes_supported": ["read", "write", "admin", "publish"],
                "bearer_methods_supported": ["header"],
                "resource_name": "siskin",
            });
            assert_eq!(response.json(), expected);
        }
        assert_eq!(server.ask(&Request::new("HEAD", &path)).status, 200);
        let post = server.ask(&Request::post(&path, &json!({})));
        assert_eq!(
            (post.status, post.header("allow")),
            (405, Some("GET, HEAD, OPTIONS"))
        );
    }
    for path in [
        format!("{ROOT}/"),
        format!("{ROOT}/sse"),
        format!("{ROOT}/mcp/"),
    ] {
        assert_eq!(server.get(&path).status, 404, "{path}");
    }
    // Other names for the scopes, other servers, a proxy's path, and no resource at all.
    let other = BASE
        .replace(
            "mcp.lan/mcp\"",
            "mcp.lan/siskin/mcp\"\nauthorization_servers = [\"https://login.lan\"]",
        )
        .replace(
            "[[auth",
            "jwt_scopes = [\"use=read\", \"change=write\"]\n[[auth",
        );
    let server = start(&other, JWKS);
    for path in ["", "/mcp", "/siskin/mcp"] {
        let document = server.get(&format!("{ROOT}{path}")).json();
        assert_eq!(document["resource"], "https://mcp.lan/siskin/mcp");
        assert_eq!(
            document["authorization_servers"],
            json!(["https://login.lan"])
        );
        assert_eq!(document["scopes_supported"], json!(["use", "change"]));
    }
    let refused = server.ask(&ping());
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(challenge.contains(r#"scope="use change""#), "{challenge}");
    let audience = BASE.replace(
        "resource = \"https://mcp.lan/mcp\"",
        "jwt_audience = [\"siskin\"]",
    );
    let server = start(&audience, JWKS);
    assert_eq!(server.get(ROOT).status, 404);
    let mut claims = claims("ann", "read");
    claims["aud"] = json!("siskin");
    check_status(&server, &Signer::Ed.claims(None, &claims.to_string()), 200);
}

#[test]
fn scopes_open_what_they_name() {
    let base = BASE.replace(
        "[[auth",
        "jwt_scopes = [\"use=read\", \"change=write\", \"run=admin\", \"tell=publish\", \"cpu=tools:device_cpu\"]\n\
         [tools]\nwake_on_lan = true\n[[auth",
    );
    let server = start(&base, JWKS);
    let token = |scope: &str| Signer::Ed.claims(None, &claims("ann", scope).to_string());
    let names = |scope: &str| {
        let list = server
            .ask(&with(Request::get("/api/mcp/v1/tools"), &token(scope)))
            .json();
        let names = list["tools"].as_array().unwrap().iter();
        let names: Vec<String> = names
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect();
        names
    };
    let (reading, writing) = (names("use openid"), names("change"));
    assert!(!reading.contains(&"wake_on_lan".to_owned()));
    assert_eq!(writing.len(), reading.len() + 1);
    assert_eq!(names("use cpu"), ["device_cpu"]);
    // Nothing one could do here.
    for scope in ["", "openid", "read", "cpu"] {
        check_403(&check_status(&server, &token(scope), 403), "use change");
    }
    let publish = Request::post("/api/mcp/v1/events", &json!({"event": "a"}));
    for (request, good, needed) in [
        (publish, "tell", "tell"),
        (Request::get("/metrics"), "run", "run"),
        (Request::get("/status"), "run", "run"),
    ] {
        let refused = server.ask(&with(request.clone(), &token("use change")));
        check_403(&refused, needed);
        let response = server.ask(&with(request.clone(), &token(good)));
        assert_eq!(response.status, 200, "{response:?}");
        let challenge = server.ask(&request);
        let challenge = challenge.header("www-authenticate").unwrap();
        assert!(
            challenge.contains(&format!(r#"scope="{needed}""#)),
            "{challenge}"
        );
    }
}

#[track_caller]
fn check_403(response: &Response, scope: &str) {
    assert_eq!(response.status, 403);
    let expected = format!(
        r#"Bearer realm="siskin", error="insufficient_scope", scope="{scope}", resource_metadata="{METADATA}""#
    );
    assert_eq!(response.header("www-authenticate"), Some(&*expected));
}

/// Opens a session with this token; its requests need the id.
#[track_caller]
fn open_session(server: &Server, token: &str) -> String {
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "it", "version": "1"}}});
    let opened = server.ask(&with(Request::post("/mcp", &initialize), token));
    opened.header("mcp-session-id").unwrap().to_owned()
}

fn in_session(request: Request, id: &str, token: &str) -> Request {
    let request = request.header("Mcp-Session-Id", id);
    with(request.header("MCP-Protocol-Version", "2025-11-25"), token)
}

#[test]
fn a_session_belongs_to_the_subject() {
    let server = start(&BASE.replace("\"fixed\"", "\"ann\""), JWKS);
    let token =
        |sub: &str, signer: Signer<'_>| signer.claims(None, &claims(sub, "read").to_string());
    let id = open_session(&server, &token("ann", Signer::Ed));
    let ping = Request::post(
        "/mcp",
        &json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}),
    );
    let status = |token: &str| server.ask(&in_session(ping.clone(), &id, token)).status;
    assert_eq!(status(&token("ann", Signer::Ed)), 200);
    // Another token of hers, by another key.
    assert_eq!(status(&token("ann", Signer::Rsa)), 200);
    assert_eq!(status(&token("bob", Signer::Ed)), 404);
    assert_eq!(status(&token("Ann", Signer::Ed)), 404);
    // A fixed token that has her name is not her.
    assert_eq!(status("fixed-secret"), 404);
    assert_eq!(status("wrong"), 401);
}

// --- keys change ----------------------------------------------------------------------------------

#[test]
fn keys_in_a_file_change_and_streams_stay() {
    let server = start(BASE, include_str!("../jwt/rsa.pub.pem"));
    let claims = claims("ann", "read publish").to_string();
    let (old, new) = (
        Signer::Rsa.claims(None, &claims),
        Signer::Ed.claims(None, &claims),
    );
    check_status(&server, &old, 200);
    check_status(&server, &new, 401);
    let id = open_session(&server, &old);
    let get = Request::get("/mcp").header("Accept", "text/event-stream");
    let mut stream = Http::connect(server.addr).into_sse(&in_session(get, &id, &old));
    assert_eq!(stream.next().data, "");
    let mut events =
        Http::connect(server.addr).into_sse(&with(Request::get("/api/mcp/v1/sse"), &old));
    events.next();

    let rewrite = |keys: &str, needle: &str| {
        let from = server.process.log_len();
        std::fs::write(server.process.folder().join("config/keys"), keys).unwrap();
        server.hangup();
        let found = |line: &str| line.contains(needle).then_some(());
        server.process.wait_log(needle, from, found);
    };
    rewrite(include_str!("../jwt/ed.pub.pem"), "reloaded");
    check_status(&server, &old, 401);
    check_status(&server, &new, 200);
    // A file that holds no key changes nothing.
    for (keys, needle) in [
        ("", "no PEM block"),
        (include_str!("../jwt/rsa.pem"), "a private key"),
        (include_str!("../jwt/rsa-1024.pub.pem"), "2048"),
    ] {
        rewrite(keys, needle);
        check_status(&server, &new, 200);
        check_status(&server, &old, 401);
    }
    // Both streams are where they were, and the session goes on with the new token.
    let ping = Request::post(
        "/mcp",
        &json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}),
    );
    assert_eq!(server.ask(&in_session(ping, &id, &new)).status, 200);
    let publish = Request::post("/api/mcp/v1/events", &json!({"event": "news", "data": 7}));
    assert_eq!(
        server.ask(&with(publish, &new)).json(),
        json!({"delivered": 1})
    );
    assert_eq!(events.next().event, "news");
    // Other tools: told on the session's stream.
    let from = server.process.log_len();
    let base = format!("{BASE}\n[tools]\nwake_on_lan = true\n");
    std::fs::write(server.process.folder().join("config/base.toml"), base).unwrap();
    std::fs::write(server.process.folder().join("config/keys"), JWKS).unwrap();
    server.hangup();
    let found = |line: &str| line.contains("tools.wake_on_lan").then_some(());
    server.process.wait_log("tools.wake_on_lan", from, found);
    assert_eq!(
        stream.message()["method"],
        "notifications/tools/list_changed"
    );
    check_status(&server, &old, 200);
}

#[test]
fn an_issuer_that_goes_takes_its_callers_along() {
    let server = start(BASE, JWKS);
    let token = Signer::Ed.claims(None, &claims("ann", "read").to_string());
    let id = open_session(&server, &token);
    let get = Request::get("/mcp").header("Accept", "text/event-stream");
    let mut stream = Http::connect(server.addr).into_sse(&in_session(get, &id, &token));
    let fixed = open_session(&server, "fixed-secret");
    stream.next();
    let base = BASE.replace("https://id.lan", "https://other.lan");
    std::fs::write(server.process.folder().join("config/base.toml"), base).unwrap();
    server.hangup();
    stream.expect_end();
    check_status(&server, &token, 401);
    let ping = Request::post(
        "/mcp",
        &json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}),
    );
    assert_eq!(
        server.ask(&in_session(ping, &fixed, "fixed-secret")).status,
        200
    );
}

#[test]
fn forgeries_are_guesses_and_expired_tokens_are_not() {
    let server = start(&BASE.replace("= 1000", "= 3"), JWKS);
    let mut stale = claims("ann", "read");
    let good = Signer::Ec.claims(Some("ec-1"), &stale.to_string());
    stale["exp"] = json!(now() - 120);
    for number in 0..10 {
        stale["jti"] = json!(number);
        let expired = Signer::Ec.claims(Some("ec-1"), &stale.to_string());
        check_status(&server, &expired, 401);
    }
    let (signed, _) = good.rsplit_once('.').unwrap();
    for number in 0..3 {
        check_status(&server, &format!("{signed}.{number}AAA"), 401);
    }
    let response = check_status(&server, &format!("{signed}.BBBB"), 429);
    assert!(response.header("retry-after").is_some());
}

/// An issuer that publishes keys.
struct Issuer {
    keys: String,
}

impl Service for Issuer {
    const ROUTES: &'static [Route<Issuer>] = &[("GET", "/keys", Issuer::show)];
}

impl Issuer {
    fn start(keys: &str) -> Upstream<Issuer> {
        let keys = keys.to_owned();
        Upstream::start(Issuer { keys })
    }

    fn show(&mut self, _: &Call) -> Answer {
        Answer::json(200, &parse(&self.keys))
    }
}

fn published(issuer: &Upstream<Issuer>) -> String {
    let url = format!("jwks_url = \"{}/keys\"", issuer.url());
    BASE.replace("key_file = \"keys\"", &url)
}

/// The key of this id alone.
fn only(kid: &str) -> String {
    let keys = parse(JWKS);
    let keys = keys["keys"].as_array().unwrap().iter();
    let key = keys.clone().find(|key| key["kid"] == kid).unwrap();
    json!({"keys": [key]}).to_string()
}

#[test]
fn published_keys_are_fetched_when_a_token_needs_them_and_seldom() {
    let issuer = Issuer::start(&only("rsa-1"));
    let server = start(&published(&issuer), "");
    let claims = claims("ann", "read").to_string();
    let (old, new) = (
        Signer::Rsa.claims(Some("rsa-1"), &claims),
        Signer::Ed.claims(Some("ed-1"), &claims),
    );
    check_status(&server, "fixed-secret", 200);
    server.get("/health");
    issuer.expect_untouched();
    check_status(&server, &old, 200);
    assert_eq!(issuer.only().line(), "GET /keys");
    // Others are changed behind it; a storm of made-up ids brings nobody there within the minute.
    issuer.state(|issuer| issuer.keys = JWKS.to_owned());
    for number in 0..40 {
        let token = Signer::Ed.claims(Some(&format!("made-up-{number}")), &claims);
        check_status(&server, &token, 401);
    }
    check_status(&server, &new, 401);
    check_status(&server, &old, 200);
    issuer.expect_untouched();
    // A reload gives leave to ask at once, and keeps what is known meanwhile.
    let from = server.process.log_len();
    server.hangup();
    let found = |line: &str| line.contains("reloaded").then_some(());
    server.process.wait_log("reloaded", from, found);
    check_status(&server, &new, 200);
    check_status(&server, &old, 200);
    issuer.only();
}

#[test]
fn an_issuer_that_is_away_keeps_its_keys() {
    let issuer = Issuer::start(&only("rsa-1"));
    let server = start(&published(&issuer), "");
    let token = Signer::Rsa.claims(Some("rsa-1"), &claims("ann", "read").to_string());
    check_status(&server, &token, 200);
    issuer.next("GET", "/keys", Answer::text(503, "away"));
    let from = server.process.log_len();
    server.hangup();
    let found = |line: &str| line.contains("reloaded").then_some(());
    server.process.wait_log("reloaded", from, found);
    let unknown = Signer::Ed.claims(Some("ed-1"), &claims("ann", "read").to_string());
    check_status(&server, &unknown, 401);
    check_status(&server, &token, 200);
    let found = |line: &str| line.contains("status 503").then_some(());
    server.process.wait_log("status 503", from, found);
    assert_eq!(issuer.calls().len(), 2);
}

/// An issuer that starts after us: its clients retry meanwhile, and are let in as soon as it has keys.
#[test]
fn nobody_guesses_while_there_are_no_keys() {
    let issuer = Issuer::start(JWKS);
    issuer.next("GET", "/keys", Answer::text(503, "not yet"));
    let server = start(&published(&issuer).replace("= 1000", "= 3"), "");
    let token = Signer::Rsa.claims(Some("rsa-1"), &claims("ann", "read").to_string());
    for _ in 0..10 {
        check_status(&server, &token, 401);
    }
    let from = server.process.log_len();
    server.hangup();
    let found = |line: &str| line.contains("reloaded").then_some(());
    server.process.wait_log("reloaded", from, found);
    check_status(&server, &token, 200);
    // With keys, what none of them has signed is a guess.
    let unknown = Signer::Ed.claims(Some("made-up"), &claims("ann", "read").to_string());
    for _ in 0..3 {
        check_status(&server, &unknown, 401);
    }
    check_status(&server, &format!("{unknown}A"), 429);
}

#[test]
fn who_waits_for_keys_holds_up_nobody() {
    let issuer = Issuer::start(JWKS);
    let hold: Arc<Hold> = Hold::new();
    issuer.next("GET", "/keys", Answer::json(200, &parse(JWKS)).held(&hold));
    let server = start(&published(&issuer), "");
    let token = Signer::Rsa.claims(Some("rsa-1"), &claims("ann", "read").to_string());
    // Several at once, and all wait for one fetch.
    let mut waiting: Vec<Http> = (0..5).map(|_| server.connect()).collect();
    for http in &mut waiting {
        http.send(&with(ping(), &token));
    }
    issuer.wait_calls(1);
    assert_eq!(server.get("/health").status, 200);
    check_status(&server, "fixed-secret", 200);
    check_status(&server, "wrong", 401);
    hold.release();
    for http in &mut waiting {
        assert_eq!(http.response().status, 200);
    }
    assert_eq!(issuer.calls().len(), 1);
}
