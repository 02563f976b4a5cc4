//! One request, one answer: what is sent, what counts as an answer, what is said of the rest.

use std::time::Duration;

use serde_json::json;

use super::{Bench, Setup, answer, pack};

#[test]
fn f1_the_url_keeps_its_prefix_and_gets_no_second_slash() {
    let text = pack("args = { id = { required = true } }\nrequest = { path = '/x/{id}' }");
    for (url, expected) in [
        ("http://svc.lan", "GET http://svc.lan/x/a"),
        ("http://svc.lan/", "GET http://svc.lan/x/a"),
        ("http://svc.lan:81/base/", "GET http://svc.lan:81/base/x/a"),
        ("https://svc.lan/a/b", "GET https://svc.lan/a/b/x/a"),
    ] {
        let bench = Bench::with(
            &text,
            Setup {
                url,
                ..Setup::default()
            },
        );
        bench
            .answers([answer(200, "{}")])
            .text("svc_do", json!({"id": "a"}));
        assert_eq!(bench.lines(), [expected]);
    }
    for url in [
        "svc.lan",
        "http://u:p@svc.lan",
        "http://svc.lan/?a=1",
        "http://svc.lan/#x",
    ] {
        let problems = Bench::open(
            &text,
            Setup {
                url,
                ..Setup::default()
            },
        )
        .err()
        .unwrap();
        assert!(
            problems[0].starts_with("services.svc.url: "),
            "{problems:?}"
        );
    }
}

#[test]
fn f3_arguments_are_checked_before_anything_is_sent() {
    let bench = Bench::new(&pack(
        "request = { path = '/x', query = { n = '{n}', s = '{s}' } }\n[tool.args]\nn = { type = 'integer', default = 1, minimum = 1 }\ns = {}",
    ));
    bench.answers([answer(200, "1"), answer(200, "1"), answer(200, "1")]);
    bench.text("svc_do", json!({}));
    bench.text("svc_do", json!({"n": "5", "s": null}));
    bench.text("svc_do", json!({"n": 5.0, "s": ""}));
    let expected =
        ["n=1", "n=5", "n=5&s="].map(|query| format!("GET http://svc.lan:81/base/x?{query}"));
    assert_eq!(bench.lines(), expected);
    for (arguments, part) in [
        (json!({"n": 0}), "`n`"),
        (json!({"n": "x"}), "`n`"),
        (json!({"n": 2.5}), "`n`"),
        (json!({"s": 7}), "`s`"),
        (json!({"m": 1}), "`m`"),
        (json!({"m": null}), "`m`"),
    ] {
        let text = bench.refused("svc_do", arguments.clone());
        assert!(text.contains(part), "{arguments}: {text}");
    }
    assert_eq!(bench.lines(), [""; 0]);
}

#[test]
fn a_moment_may_be_a_number_and_another_text_may_not() {
    let bench = Bench::new(&pack(
        "request = { path = '/x', query = { at = '{at|time:unix}', s = '{s}' } }\nargs = { at = {}, s = {} }",
    ));
    bench.answers([answer(200, "1"), answer(200, "1")]);
    bench.text("svc_do", json!({"at": 1_700_000_000}));
    bench.text("svc_do", json!({"at": "1h"}));
    assert_eq!(
        bench.lines(),
        ["at=1700000000", "at=1795258800"]
            .map(|query| format!("GET http://svc.lan:81/base/x?{query}"))
    );
    assert!(bench.refused("svc_do", json!({"s": 1})).contains("`s`"));
    assert!(
        bench
            .refused("svc_do", json!({"at": "soon"}))
            .starts_with("`at`: found `soon`, expected a time")
    );
}

#[test]
fn f7_f8_headers_of_the_service_and_its_credential_go_with_every_request() {
    let text = "[service]\nid = 'svc'\npath = '/api'\nheaders = { X-Mode = '{option.mode}', Accept = 'application/json; version=9' }\nauth = { kind = 'header', name = 'X-Key' }\n[service.options.mode]\ndescription = 'm'\ndefault = 'on'\n[[tool]]\nname = 'svc_do'\ndescription = 'Does.'\naccess = 'read'\nrequest = { path = '/x', headers = { X-Mode = 'off' } }\n[[tool]]\nname = 'svc_two'\ndescription = 'Does.'\naccess = 'read'\nrequest = { path = '/y' }\nresponse = { decode = 'text' }";
    let bench = Bench::new(text);
    bench.answers([answer(200, "{}"), answer(200, "x")]);
    bench.text("svc_do", json!({}));
    bench.text("svc_two", json!({}));
    let sent = bench.sent();
    assert_eq!(sent[0].line, "GET http://svc.lan:81/base/api/x");
    assert_eq!(sent[0].header("X-Mode"), Some("off"));
    assert_eq!(sent[1].header("X-Mode"), Some("on"));
    assert_eq!(sent[1].header("X-Key"), Some("s3cr3t"));
    assert_eq!(
        sent[0].header("Accept"),
        Some("application/json; version=9")
    );
    let without = Bench::with(
        text,
        Setup {
            token: None,
            ..Setup::default()
        },
    );
    without
        .answers([answer(200, "{}")])
        .text("svc_do", json!({}));
    assert_eq!(without.sent()[0].header("X-Key"), None);
}

#[test]
fn f10_the_request_says_its_time_then_the_operator_then_the_pack() {
    let total = |service: &str, request: &str, timeout: Option<Duration>| {
        let text = format!(
            "[service]\nid = 'svc'\n{service}\n[[tool]]\nname = 'svc_do'\ndescription = 'Does.'\naccess = 'read'\nargs = {{ t = {{ type = 'integer', default = 10 }} }}\nrequest = {{ path = '/x', query = {{ t = '{{t}}' }}{request} }}"
        );
        let bench = Bench::with(
            &text,
            Setup {
                timeout,
                ..Setup::default()
            },
        );
        bench
            .answers([answer(200, "{}")])
            .text("svc_do", json!({"t": 20}));
        bench.sent()[0].total.as_secs()
    };
    let chosen = Some(Duration::from_secs(7));
    assert_eq!(total("", "", None), 30);
    assert_eq!(total("timeout = '45s'", "", None), 45);
    assert_eq!(total("timeout = '45s'", "", chosen), 7);
    assert_eq!(
        total("timeout = '45s'", ", timeout = '15s + {t}'", chosen),
        35
    );
}

#[test]
fn f11_only_reading_follows_redirects_and_others_say_what_to_do() {
    let text = |method: &str, service: &str| {
        format!(
            "[service]\nid = 'svc'\ntitle = 'Svc'\n{service}\n[[tool]]\nname = 'svc_do'\ndescription = 'Does.'\naccess = 'write'\nrequest = {{ method = '{method}', path = '/x' }}"
        )
    };
    for (method, service, expected) in [
        ("GET", "", true),
        ("HEAD", "", true),
        ("GET", "redirects = false", false),
        ("POST", "", false),
        ("DELETE", "", false),
    ] {
        let bench = Bench::new(&text(method, service));
        bench.answers([answer(200, "{}")]).text("svc_do", json!({}));
        assert_eq!(
            bench.sent()[0].follows_redirects,
            expected,
            "{method} {service}"
        );
    }
    let bench = Bench::new(&text("POST", ""));
    bench.answers([answer(301, "").header("location", "https://svc.lan/x?key=s3cr3t")]);
    assert_eq!(
        bench.failure("svc_do", json!({})),
        "svc_do: Svc answered 301: it redirects to `https://svc.lan/x`; `services.svc.url` should lead there directly"
    );
}

#[test]
fn f12_statuses_have_their_own_texts() {
    let bench = Bench::new(&pack(
        "args = { id = { required = true } }\nrequest = { method = 'POST', path = '/{id}/stop' }\nresponse = { decode = 'none', text = 'stopped {id}', status = { 304 = '{id} was stopped already', 503 = true }, errors = { 404 = 'no container `{id}`', '5xx' = 'broken' } }",
    ));
    bench.answers([
        answer(204, ""),
        answer(304, ""),
        answer(404, "gone"),
        answer(500, "x"),
        answer(400, "bad id"),
    ]);
    let call = || json!({"id": "web"});
    assert_eq!(bench.text("svc_do", call()), "stopped web");
    assert_eq!(bench.text("svc_do", call()), "web was stopped already");
    assert_eq!(
        bench.failure("svc_do", call()),
        "svc_do: no container `web`"
    );
    assert_eq!(bench.failure("svc_do", call()), "svc_do: broken");
    assert_eq!(
        bench.failure("svc_do", call()),
        "svc_do: Svc answered 400: bad id"
    );
    // A status that is accepted as it is: the same health document, good or bad.
    let bench = Bench::new(&pack(
        "request = { path = '/health' }\nresponse = { status = { 503 = true } }",
    ));
    bench.answers([
        answer(503, r#"{"database":"down"}"#),
        answer(502, r#"{"database":"down"}"#),
    ]);
    assert_eq!(bench.text("svc_do", json!({})), r#"{"database":"down"}"#);
    assert_eq!(
        bench.failure("svc_do", json!({})),
        "svc_do: Svc answered 502"
    );
}

#[test]
fn an_answer_may_say_of_itself_that_it_is_none() {
    let bench = Bench::new(&pack(
        "request = { path = '/x' }\nresponse = { error_at = ['/why'], fail_at = { '/ok' = false, '/code' = [-1, 2], '/errors' = '*' } }",
    ));
    for (body, expected) in [
        (
            r#"{"ok":false,"why":"no luck"}"#,
            Some("svc_do: Svc says: no luck"),
        ),
        (
            r#"{"ok":true,"code":2}"#,
            Some("svc_do: Svc says: it failed"),
        ),
        (r#"{"errors":["x"]}"#, Some("svc_do: Svc says: it failed")),
        (r#"{"ok":true,"code":1,"errors":[]}"#, None),
        (r#"{"ok":null,"code":0,"errors":""}"#, None),
    ] {
        bench.answers([answer(200, body)]);
        match expected {
            Some(expected) => assert_eq!(bench.failure("svc_do", json!({})), expected, "{body}"),
            None => {
                let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
                assert_eq!(value(&bench.text("svc_do", json!({}))), value(body));
            }
        }
    }
}

#[test]
fn f16_the_operator_limits_what_is_read_and_a_pack_can_only_lower_it() {
    for (max, expected) in [
        ("", 2 << 20),
        ("max_response = '64KiB'", 64 << 10),
        ("max_response = '8MiB'", 2 << 20),
    ] {
        let bench = Bench::new(&pack(&format!(
            "request = {{ path = '/x' }}\nresponse = {{ {max} }}"
        )));
        bench.answers([answer(200, "{}")]).text("svc_do", json!({}));
        assert_eq!(bench.sent()[0].response_bytes_max, expected, "{max}");
    }
}

#[test]
fn f17_failures_are_one_line_without_secrets_and_counted() {
    let bench = Bench::new(&pack("request = { path = '/x' }"));
    bench.answers([
        answer(404, r#"{"message":"no such\n container"}"#),
        answer(401, ""),
        answer(403, "<html>login</html>"),
        answer(500, r#"{"error":"token s3cr3t is wrong"}"#),
        answer(200, "<html>"),
        answer(200, "{}"),
    ]);
    let failure = || bench.failure("svc_do", json!({}));
    assert_eq!(failure(), "svc_do: Svc answered 404: no such container");
    assert_eq!(
        failure(),
        "svc_do: Svc answered 401: check `services.svc.token`"
    );
    assert_eq!(
        failure(),
        "svc_do: Svc answered 403: `services.svc.token` may not do this"
    );
    assert_eq!(failure(), "svc_do: Svc answered 500: token *** is wrong");
    assert!(failure().starts_with("svc_do: Svc: the answer is a web page"));
    bench.text("svc_do", json!({}));
    assert_eq!(
        failure(),
        "svc_do: Svc: `http://svc.lan:81` closed the connection without an answer"
    );
    assert_eq!(
        bench.counted(),
        [
            r#"{service="svc",outcome="http_4xx"} 3"#,
            r#"{service="svc",outcome="http_5xx"} 1"#,
            r#"{service="svc",outcome="ok"} 2"#,
            r#"{service="svc",outcome="protocol_error"} 1"#,
        ]
    );
}

#[test]
fn a_call_that_is_dropped_is_counted_as_cancelled() {
    let bench = Bench::new(&pack("request = { path = '/x' }"));
    bench.script.delay.set(u32::MAX);
    crate::rt::run(async {
        let call = bench.start("svc_do", json!({}));
        let ended = crate::rt::race(call, crate::rt::yield_now()).await;
        assert!(ended.is_err(), "the service never answers");
    });
    assert_eq!(
        bench.counted(),
        [r#"{service="svc",outcome="cancelled"} 1"#]
    );
}

#[test]
fn f21_a_fallback_is_asked_on_its_statuses_and_on_no_other() {
    let bench = Bench::new(&pack(
        "args = { id = { required = true } }\nrequest = { path = '/a/{id}' }\nresponse = { at = '/dashboard' }\n[tool.fallback]\non = [406]\nrequest = { path = '/b/{id}' }\nresponse = { at = '/spec' }",
    ));
    bench.answers([
        answer(406, ""),
        answer(200, r#"{"spec":{"a":1}}"#),
        answer(200, r#"{"dashboard":{"b":2}}"#),
        answer(404, ""),
    ]);
    let call = || json!({"id": "x"});
    assert_eq!(bench.text("svc_do", call()), r#"{"a":1}"#);
    assert_eq!(
        bench.lines(),
        [
            "GET http://svc.lan:81/base/a/x",
            "GET http://svc.lan:81/base/b/x"
        ]
    );
    assert_eq!(bench.text("svc_do", call()), r#"{"b":2}"#);
    assert_eq!(bench.failure("svc_do", call()), "svc_do: Svc answered 404");
    assert_eq!(bench.lines().len(), 2);
}

#[test]
fn f22_definitions_say_what_a_call_may_change() {
    let text = "[service]\nid = 'svc'\n[service.options.shell]\ndescription = 's'\n[[tool]]\nname = 'svc_read'\ntitle = 'Read'\ndescription = 'Reads.'\naccess = 'read'\naliases = ['svc_look']\nargs = { b = { type = 'integer' }, a = { required = true, description = 'first' } }\nrequest = { path = '/{a}', query = { b = '{b}' } }\n[[tool]]\nname = 'svc_delete'\ndescription = 'Deletes.'\nconfirm = 'Ask the user first.'\naccess = 'destructive'\nidempotent = true\nrequest = { method = 'DELETE', path = '/' }\n[[tool]]\nname = 'svc_shell'\ndescription = 'Runs.'\naccess = 'write'\nif_option = 'shell'\nrequest = { path = '/{option.shell}' }";
    let names = |options: &'static [(&str, &str)]| {
        let bench = Bench::with(
            text,
            Setup {
                options,
                ..Setup::default()
            },
        );
        let names = bench
            .tools
            .iter()
            .map(|offered| offered.tool.name().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["svc_read", "svc_delete"]);
    assert_eq!(names(&[("shell", "off")]).len(), 2);
    assert_eq!(names(&[("shell", "bash")]).len(), 3);
    let bench = Bench::new(text);
    let (read, delete) = (&bench.tools[0], &bench.tools[1]);
    assert_eq!(read.aliases, ["svc_look".into()]);
    assert_eq!(read.tool.title_text(), Some("Read"));
    let hints = read.tool.hints();
    assert_eq!(
        (hints.read_only, hints.destructive, hints.idempotent),
        (Some(true), Some(false), Some(true))
    );
    let hints = delete.tool.hints();
    assert_eq!(
        (hints.read_only, hints.destructive, hints.idempotent),
        (Some(false), Some(true), Some(true))
    );
    assert_eq!(
        delete.tool.description_text(),
        Some("Deletes. Ask the user first.")
    );
    // In the order of the file.
    assert_eq!(
        read.tool.input_schema(),
        r#"{"type":"object","properties":{"b":{"type":"integer"},"a":{"description":"first","type":"string"}},"additionalProperties":false,"required":["a"]}"#
    );
}

#[test]
fn options_are_known_typed_and_required() {
    let text = "[service]\nid = 'svc'\n[service.options.space]\ndescription = 's'\nrequired = true\n[service.options.number]\ndescription = 'n'\ndefault = '1'\n[[tool]]\nname = 'svc_do'\ndescription = 'Does.'\naccess = 'read'\nargs = { n = { type = 'integer', minimum = 1, default_option = 'number' } }\nrequest = { path = '/{option.space}/{n}' }";
    let open = |options| {
        Bench::open(
            text,
            Setup {
                options,
                ..Setup::default()
            },
        )
    };
    for (options, expected) in [
        (
            &[("space", "a b")][..],
            "GET http://svc.lan:81/base/a%20b/1",
        ),
        (
            &[("space", "a"), ("number", "3")],
            "GET http://svc.lan:81/base/a/3",
        ),
    ] {
        let bench = open(options).ok().unwrap();
        bench.answers([answer(200, "{}")]).text("svc_do", json!({}));
        assert_eq!(bench.lines(), [expected]);
    }
    for (options, part) in [
        (&[][..], "services.svc.space: is missing"),
        (
            &[("space", "a"), ("spcae", "b")],
            "services.svc.spcae: unknown option; did you mean `space`?",
        ),
        (&[("space", "a"), ("number", "x")], "`n`"),
        (&[("space", "a"), ("number", "0")], "`n`"),
    ] {
        let problems = open(options).err().unwrap_or_default();
        assert!(
            problems.iter().any(|problem| problem.contains(part)),
            "{options:?}: {problems:?}"
        );
    }
}
