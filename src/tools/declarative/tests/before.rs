//! What comes before the request: guards, reading before writing, and finding what a call left out.

use serde_json::json;

use super::{Bench, answer, pack};

#[test]
fn f19_a_guard_lets_the_request_through_only_on_what_it_expects() {
    let bench = Bench::new(&pack(
        "args = { page = { required = true } }\nrequest = { method = 'PUT', path = '/{page:path}.md', text = 'x' }\nresponse = { decode = 'none', text = 'made' }\n[[tool.before]]\nrequest = { path = '/{page:path}.md', headers = { X-Get-Meta = 'true' } }\nexpect = [404]\nerrors = { 200 = 'page `{page}` exists' }",
    ));
    bench.answers([
        answer(404, ""),
        answer(200, "OK"),
        answer(200, ""),
        answer(401, "who?"),
        answer(204, ""),
    ]);
    let call = || json!({"page": "a/b"});
    assert_eq!(bench.text("svc_do", call()), "made");
    assert_eq!(
        bench.lines(),
        [
            "GET http://svc.lan:81/base/a/b.md",
            "PUT http://svc.lan:81/base/a/b.md"
        ]
    );
    assert_eq!(bench.failure("svc_do", call()), "svc_do: page `a/b` exists");
    assert_eq!(
        bench.failure("svc_do", call()),
        "svc_do: Svc answered 401: who?"
    );
    assert!(
        bench
            .failure("svc_do", call())
            .contains("answered 204, which is not what was expected")
    );
    assert_eq!(bench.lines().len(), 3, "no write after a guard that failed");
}

#[test]
fn f19_what_was_read_is_the_base_of_what_is_written() {
    let bench = Bench::new(&pack(
        "args = { id = { type = 'integer', required = true }, done = { type = 'boolean' }, title = {}, project_id = { type = 'integer', ignored = true } }\nrequest = { method = 'POST', path = '/t/{id}', json = { '$merge' = ['{before.task}', { done = '{done}', title = '{title}' }] } }\n[[tool.before]]\nas = 'task'\nrequest = { path = '/t/{id}' }\nat = '/task'\npick = ['title', 'done', 'due']\nerrors = { 404 = 'no task {id}' }",
    ));
    let task = r#"{"task":{"id":7,"title":"old","done":true,"due":null,"created":"x"}}"#;
    bench.answers([
        answer(200, task),
        answer(200, "{}"),
        answer(404, "{}"),
        answer(200, "{}"),
    ]);
    bench.text("svc_do", json!({"id": 7, "done": false, "project_id": 3}));
    let sent = bench.sent();
    assert_eq!(sent[1].body, r#"{"done":false,"due":null,"title":"old"}"#);
    assert_eq!(sent[1].header("Content-Type"), Some("application/json"));
    assert_eq!(
        bench.failure("svc_do", json!({"id": 7})),
        "svc_do: no task 7"
    );
    assert!(
        bench
            .failure("svc_do", json!({"id": 7}))
            .contains("nothing at `/task`")
    );
}

#[test]
fn f19_what_a_call_left_out_is_found_and_what_it_said_is_not_asked_for() {
    let bench = Bench::new(&pack(
        "args = { env = { type = 'integer' } }\nrequest = { path = '/e/{env}' }\n[[tool.before]]\nrequest = { path = '/e' }\nfills = { env = '/0/Id' }",
    ));
    bench.answers([
        answer(200, r#"[{"Id":3}]"#),
        answer(200, "{}"),
        answer(200, "{}"),
        answer(200, "[]"),
    ]);
    bench.text("svc_do", json!({}));
    assert_eq!(
        bench.lines(),
        [
            "GET http://svc.lan:81/base/e",
            "GET http://svc.lan:81/base/e/3"
        ]
    );
    bench.text("svc_do", json!({"env": 2}));
    assert_eq!(bench.lines(), ["GET http://svc.lan:81/base/e/2"]);
    assert_eq!(
        bench.refused("svc_do", json!({})),
        "`env`: Svc has none to choose; name one"
    );
}

#[test]
fn f19_a_condition_decides_whether_it_is_sent() {
    let bench = Bench::new(&pack(
        "args = { keep = { type = 'boolean', default = false } }\nrequest = { method = 'POST', path = '/w', json = { old = '{before.old}' } }\n[[tool.before]]\nas = 'old'\nwhen = '{keep}'\nrequest = { path = '/r' }",
    ));
    bench.answers([
        answer(200, "{}"),
        answer(200, r#""text""#),
        answer(200, "{}"),
    ]);
    bench.text("svc_do", json!({}));
    bench.text("svc_do", json!({"keep": true}));
    let bodies: Vec<String> = bench.sent().into_iter().map(|sent| sent.body).collect();
    assert_eq!(bodies, ["{}", "", r#"{"old":"text"}"#]);
}
