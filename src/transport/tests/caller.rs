//! Rates and the brake on guessing, at their limit and on either side of it.

use std::collections::HashMap;
use std::time::Duration;

use super::{Door, at_the_door, exchange, exchange_body};
use crate::gate::auth::{Auth, Tokens};
use crate::gate::forwarded::{Proxies, Proxy};
use crate::gate::rate::{Rate, Rates};
use crate::gate::{Principal, Scopes};
use crate::metrics::Limit;
use crate::rt::Stream;
use crate::transport::site::Settings;

const SECOND: Duration = Duration::from_secs(1);
const TOOLS: &str = "GET /api/mcp/v1/tools";
const STRANGER: &str = "203.0.113.7:1";
const OTHER: &str = "203.0.113.8:1";

/// One a second, three at once.
fn rates() -> Rates {
    Rates {
        usual: Some(Rate::per_minute(60, 3)),
        own: HashMap::new(),
    }
}

fn tokens(names: &[&str]) -> Auth {
    let mut tokens = Tokens::default();
    for name in names {
        let principal = Principal {
            name: (*name).into(),
            scopes: Scopes::ALL,
            tools: [].into(),
        };
        tokens.add(&format!("token-{name}"), principal).unwrap();
    }
    Auth::Tokens(tokens)
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// A request on a connection of its own; the status and `Retry-After`.
async fn ask(door: &Door, peer: &str, line: &str, headers: &str) -> (u16, Option<u64>) {
    let answer = exchange(&door.connect(peer), line, headers).await;
    let retry_after = answer.header("Retry-After");
    (answer.status, retry_after.map(|text| text.parse().unwrap()))
}

#[test]
fn an_address_has_its_burst_and_then_its_rate() {
    let settings = Settings {
        rates: rates(),
        rate_exempt: vec!["/health".to_owned()],
        ..Settings::default()
    };
    at_the_door(settings, async |door| {
        for _ in 0..3 {
            assert_eq!(ask(&door, STRANGER, TOOLS, "").await, (200, None));
        }
        for _ in 0..2 {
            assert_eq!(ask(&door, STRANGER, TOOLS, "").await, (429, Some(1)));
        }
        assert_eq!(door.hits(Limit::Rate), 2);
        // Neither other addresses nor exempt paths are meant; other paths are.
        assert_eq!(ask(&door, OTHER, TOOLS, "").await.0, 200);
        assert_eq!(ask(&door, STRANGER, "GET /health", "").await.0, 200);
        assert_eq!(ask(&door, STRANGER, "GET /status", "").await.0, 429);
        door.clock.advance(SECOND - Duration::from_millis(1));
        assert_eq!(ask(&door, STRANGER, TOOLS, "").await, (429, Some(1)));
        door.clock.advance(Duration::from_millis(1));
        assert_eq!(ask(&door, STRANGER, TOOLS, "").await.0, 200);
        assert_eq!(ask(&door, STRANGER, TOOLS, "").await.0, 429);
    });
}

#[test]
fn the_connection_goes_on_and_the_refusal_is_json() {
    let settings = Settings {
        rates: rates(),
        ..Settings::default()
    };
    at_the_door(settings, async |door| {
        let stream = door.connect(STRANGER);
        for _ in 0..3 {
            assert_eq!(exchange(&stream, TOOLS, "").await.status, 200);
        }
        let refused = exchange(&stream, TOOLS, "").await;
        let body = refused.text.split_once("\r\n\r\n").unwrap().1;
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"]["code"], -32000);
        door.clock.advance(SECOND);
        assert_eq!(exchange(&stream, TOOLS, "").await.status, 200);
    });
}

#[test]
fn tokens_count_by_name_wherever_they_come_from() {
    let mut rates = rates();
    rates.own.insert("free".into(), None);
    let slow = Some(Rate::per_minute(1, 1));
    rates.own.insert("slow".into(), slow);
    let settings = Settings {
        rates,
        auth: tokens(&["usual", "free", "slow"]),
        ..Settings::default()
    };
    at_the_door(settings, async |door| {
        let (usual, free) = (bearer("token-usual"), bearer("token-free"));
        for peer in [STRANGER, OTHER, STRANGER] {
            assert_eq!(ask(&door, peer, TOOLS, &usual).await.0, 200);
        }
        assert_eq!(ask(&door, OTHER, TOOLS, &usual).await, (429, Some(1)));
        for _ in 0..20 {
            assert_eq!(ask(&door, STRANGER, TOOLS, &free).await.0, 200);
        }
        let slow = bearer("token-slow");
        assert_eq!(ask(&door, STRANGER, TOOLS, &slow).await.0, 200);
        assert_eq!(ask(&door, STRANGER, TOOLS, &slow).await, (429, Some(60)));
        // Who has no token, or a wrong one, counts by address, and is not even told that it is wrong.
        for _ in 0..3 {
            assert_eq!(ask(&door, OTHER, TOOLS, "").await.0, 401);
        }
        assert_eq!(ask(&door, OTHER, TOOLS, &bearer("x")).await.0, 429);
        assert_eq!(ask(&door, STRANGER, TOOLS, "").await.0, 401);
    });
}

/// In a session the refusal has the request's id, and what asks for nothing is let through.
#[test]
fn a_session_is_told_in_its_own_terms() {
    let settings = Settings {
        rates: rates(),
        ..Settings::default()
    };
    at_the_door(settings, async |door| {
        let stream = door.connect(STRANGER);
        let post = async |stream: &Stream, path: &str, headers: &str, body: &str| {
            exchange_body(stream, &format!("POST {path}"), headers, body).await
        };
        let opened = post(
            &stream,
            "/mcp",
            "",
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#,
        )
        .await;
        assert_eq!(opened.status, 200, "{}", opened.text);
        let id = opened.header("Mcp-Session-Id").unwrap();
        let session = format!("Mcp-Session-Id: {id}\r\n");
        let ping = r#"{"jsonrpc":"2.0","id":"p1","method":"ping"}"#;
        let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        for _ in 0..2 {
            assert_eq!(post(&stream, "/mcp", &session, ping).await.status, 200);
        }
        let refused = post(&stream, "/mcp", &session, ping).await;
        assert_eq!(refused.status, 429);
        assert_eq!(refused.header("Retry-After"), Some("1"));
        assert!(refused.text.contains(r#""id":"p1""#), "{}", refused.text);
        let taken = post(&stream, "/mcp", &session, initialized).await;
        assert_eq!(taken.status, 202);
        // A session that does not exist is no way to have bodies read.
        let made_up = post(&stream, "/mcp", "Mcp-Session-Id: x\r\n", ping).await;
        assert_eq!(made_up.status, 429);
        assert!(!made_up.text.contains("p1"), "{}", made_up.text);
        assert_eq!(door.hits(Limit::Rate), 2);

        // HTTP+SSE: on the stream, where its clients wait for it.
        let events = door.connect(OTHER);
        let opening = exchange(&events, "GET /sse/", "").await;
        let path = opening
            .text
            .lines()
            .find_map(|line| line.strip_prefix("data: ../"));
        let path = format!("/{}", path.unwrap());
        let posts = door.connect(OTHER);
        for _ in 0..2 {
            assert_eq!(post(&posts, &path, "", ping).await.status, 202);
        }
        let mut buf = [0; 4096];
        let mut text = String::new();
        assert_eq!(post(&posts, &path, "", ping).await.status, 202);
        while !text.contains("-32000") {
            let len = events.read(&mut buf).await.unwrap();
            text += std::str::from_utf8(&buf[..len]).unwrap();
        }
        assert_eq!(text.matches(r#""id":"p1""#).count(), 3, "{text}");
        assert_eq!(door.hits(Limit::Rate), 3);
    });
}

#[test]
fn guessing_is_slowed_and_the_regular_is_not() {
    let settings = Settings {
        auth: tokens(&["home"]),
        ..Settings::default()
    };
    at_the_door(settings, async |door| {
        let (right, wrong) = (bearer("token-home"), bearer("x"));
        for _ in 0..9 {
            assert_eq!(ask(&door, STRANGER, TOOLS, &wrong).await.0, 401);
        }
        // Nothing shown is nothing guessed.
        for _ in 0..20 {
            assert_eq!(ask(&door, STRANGER, TOOLS, "").await.0, 401);
        }
        assert_eq!(door.hits(Limit::AuthFailures), 0);
        assert_eq!(ask(&door, STRANGER, TOOLS, &wrong).await.0, 401);
        assert_eq!(ask(&door, STRANGER, TOOLS, &right).await, (429, Some(1)));
        assert_eq!(door.hits(Limit::AuthFailures), 1);
        // Elsewhere it is good, and here again after the wait; each further failure doubles it.
        assert_eq!(ask(&door, OTHER, TOOLS, &right).await.0, 200);
        door.clock.advance(SECOND);
        assert_eq!(ask(&door, STRANGER, TOOLS, &wrong).await.0, 401);
        assert_eq!(ask(&door, STRANGER, TOOLS, &right).await, (429, Some(2)));
        door.clock.advance(2 * SECOND);
        assert_eq!(ask(&door, STRANGER, TOOLS, &right).await.0, 200);
        // From now on it is known here, however much somebody else guesses.
        for _ in 0..20 {
            door.clock.advance(SECOND);
            _ = ask(&door, STRANGER, TOOLS, &wrong).await;
            assert_eq!(ask(&door, STRANGER, TOOLS, &right).await.0, 200);
        }
        assert_eq!(ask(&door, STRANGER, TOOLS, &wrong).await.0, 429);
        assert_eq!(ask(&door, STRANGER, "GET /health", &wrong).await.0, 200);
    });
}

#[test]
fn callers_behind_a_proxy_are_told_apart() {
    let settings = Settings {
        rates: rates(),
        auth: tokens(&["home"]),
        proxies: Proxies::new(&["10.0.0.0/8", "unix"].map(|text| Proxy::parse(text).unwrap())),
        auth_failures_max: 1,
        ..Settings::default()
    };
    at_the_door(settings, async |door| {
        let right = bearer("token-home");
        for proxy in ["10.0.0.1:1", "unix"] {
            let from = |ip: &str, token: &str| format!("X-Forwarded-For: {ip}\r\n{token}");
            let guesser = format!("6.6.6.6, 198.51.100.{}", proxy.len());
            let wrong = from(&guesser, &bearer("x"));
            assert_eq!(ask(&door, proxy, TOOLS, &wrong).await.0, 401);
            let braked = from(&guesser, &right);
            assert_eq!(ask(&door, proxy, TOOLS, &braked).await.0, 429);
            let other = from("6.6.6.6, 198.51.100.99", &right);
            assert_eq!(ask(&door, proxy, TOOLS, &other).await.0, 200, "{proxy}");
        }
        let ignored = || door.metric("siskin_forwarded_ignored_total ");
        assert_eq!(ignored(), 0);
        let odd = format!("Forwarded: for=\"\r\n{right}");
        door.clock.advance(60 * SECOND);
        assert_eq!(ask(&door, "10.0.0.1:1", TOOLS, &odd).await.0, 200);
        assert_eq!(ignored(), 1);
        // Of nobody else it is even looked at.
        assert_eq!(ask(&door, STRANGER, TOOLS, &odd).await.0, 200);
        assert_eq!(ignored(), 1);
    });
}
