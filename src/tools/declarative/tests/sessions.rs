//! Services that want a login.

use serde_json::json;

use super::{Answer, Bench, CLOCK_MS, Setup, answer};

const PACK: &str = "[service]\nid = 'svc'\ntitle = 'Svc'\nauth = { kind = 'login' }\nprobe = { path = '/v' }\n[service.login]\nrequest = { method = 'POST', path = '/auth', json = { password = '{token}' } }\nvalue = '/sid'\nsend = { header = 'X-Sid' }\nttl = '10m'\nlogout = { method = 'DELETE', path = '/auth' }\n[[tool]]\nname = 'svc_do'\ndescription = 'Does.'\naccess = 'read'\nrequest = { path = '/x' }";

fn sid(text: &str) -> Answer {
    answer(200, &format!(r#"{{"sid":"{text}"}}"#))
}

fn ok() -> Answer {
    answer(200, "{}")
}

/// What was sent, each with its session.
fn sent(bench: &Bench) -> Vec<String> {
    let sent = bench.sent();
    sent.iter()
        .map(|sent| {
            let path = sent.line.replace("http://svc.lan:81/base", "");
            format!("{path} {}", sent.header("X-Sid").unwrap_or("-"))
        })
        .collect()
}

#[test]
fn f20_one_login_serves_until_it_has_not_been_used_for_long() {
    let bench = Bench::new(PACK);
    bench.answers([sid("s-one"), ok(), ok(), ok(), sid("s-two"), ok()]);
    bench.text("svc_do", json!({}));
    CLOCK_MS.set(CLOCK_MS.get() + 599_999);
    bench.text("svc_do", json!({}));
    CLOCK_MS.set(CLOCK_MS.get() + 599_999);
    bench.text("svc_do", json!({}));
    CLOCK_MS.set(CLOCK_MS.get() + 600_000);
    bench.text("svc_do", json!({}));
    assert_eq!(
        sent(&bench),
        [
            "POST /auth -",
            "GET /x s-one",
            "GET /x s-one",
            "GET /x s-one",
            "POST /auth -",
            "GET /x s-two"
        ]
    );
}

#[test]
fn f20_a_session_that_has_ended_is_renewed_once() {
    let bench = Bench::new(PACK);
    bench.answers([sid("s-one"), ok(), answer(401, ""), sid("s-two"), ok()]);
    bench.text("svc_do", json!({}));
    bench.text("svc_do", json!({}));
    assert_eq!(
        sent(&bench),
        [
            "POST /auth -",
            "GET /x s-one",
            "GET /x s-one",
            "POST /auth -",
            "GET /x s-two"
        ]
    );
    bench.answers([answer(401, ""), sid("s-three"), answer(401, "no s-three")]);
    assert_eq!(
        bench.failure("svc_do", json!({})),
        "svc_do: Svc answered 401: no ***"
    );
    assert_eq!(sent(&bench).len(), 3, "no second renewal");
}

#[test]
fn f20_calls_that_meet_share_one_login_and_its_failure() {
    let bench = Bench::new(PACK);
    bench.script.delay.set(3);
    bench.answers([sid("s-one"), ok(), ok(), ok()]);
    let all = |bench: &Bench| {
        let calls: Vec<_> = (0..3).map(|_| bench.start("svc_do", json!({}))).collect();
        crate::rt::run(async {
            let tasks: Vec<_> = calls.into_iter().map(crate::rt::spawn).collect();
            let mut failures = Vec::new();
            for task in tasks {
                failures.extend(task.await.err().map(|error| error.text().into_owned()));
            }
            failures
        })
    };
    assert_eq!(all(&bench), [""; 0]);
    assert_eq!(
        sent(&bench)
            .iter()
            .filter(|line| line.starts_with("POST"))
            .count(),
        1
    );
    let bench = Bench::new(PACK);
    bench.script.delay.set(3);
    bench.answers([answer(429, r#"{"error":"no seats"}"#)]);
    assert_eq!(
        all(&bench),
        ["svc_do: login failed: Svc answered 429: no seats"; 3]
    );
    assert_eq!(sent(&bench), ["POST /auth -"]);
}

#[test]
fn f20_a_service_without_a_password_needs_no_session() {
    let bench = Bench::new(PACK);
    bench.answers([answer(200, r#"{"sid":null}"#), ok(), ok()]);
    bench.text("svc_do", json!({}));
    bench.text("svc_do", json!({}));
    assert_eq!(sent(&bench), ["POST /auth -", "GET /x -", "GET /x -"]);
    let without = Bench::with(
        PACK,
        Setup {
            token: None,
            ..Setup::default()
        },
    );
    without.answers([answer(401, "who?")]);
    assert_eq!(
        without.failure("svc_do", json!({})),
        "svc_do: Svc answered 401: who?"
    );
    assert_eq!(sent(&without), ["GET /x -"]);
}

#[test]
fn f20_a_session_is_given_back_once() {
    let bench = Bench::new(PACK);
    crate::rt::run(bench.service.log_out());
    assert_eq!(sent(&bench), [""; 0]);
    bench.answers([sid("s-one"), ok(), answer(204, "")]);
    bench.text("svc_do", json!({}));
    crate::rt::run(bench.service.log_out());
    crate::rt::run(bench.service.log_out());
    assert_eq!(sent(&bench)[2..], ["DELETE /auth s-one"]);
}

#[test]
fn a_probe_says_why_a_service_is_not_ready() {
    let bench = Bench::new(PACK);
    bench.answers([
        sid("s-one"),
        ok(),
        answer(503, r#"{"message":"starting s-one"}"#),
    ]);
    let probe = || crate::rt::run(bench.service.probe());
    assert_eq!(probe(), Ok(()));
    assert_eq!(probe(), Err("Svc answered 503: starting ***".to_owned()));
    assert_eq!(
        sent(&bench),
        ["POST /auth -", "GET /v s-one", "GET /v s-one"]
    );
    assert!(probe().unwrap_err().contains("closed the connection"));
}
