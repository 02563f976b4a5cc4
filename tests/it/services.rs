//! Services behind packs, as an operator meets them: packs of one's own, policy, checks, readiness, reloads.

use std::process::Command;

use crate::support::{
    Answer, Folder, Hold, Mcp, Program, Route, Server, Service, Upstream, Way, json, poll_until,
    status_kb,
};

/// A pack with a tool of each kind.
const PACK: &str = r#"
[service]
id = "kettle"
title = "Kettle"
auth = { kind = "bearer" }
probe = { path = "/ready" }

[[tool]]
name = "kettle_look"
description = "The temperature."
access = "read"
aliases = ["kettle_peek"]
request = { path = "/temperature" }

[[tool]]
name = "kettle_boil"
description = "Boils."
access = "write"
request = { method = "POST", path = "/boil" }
response = { decode = "none", text = "boiling" }
"#;

/// A kettle.
struct Kettle {
    is_ready: bool,
}

impl Service for Kettle {
    const ROUTES: &'static [Route<Kettle>] = &[
        ("GET", "/ready", |kettle, _| match kettle.is_ready {
            true => Answer::empty(200),
            false => Answer::text(503, "cold"),
        }),
        ("GET", "/temperature", |_, _| {
            Answer::json(200, &json!({"celsius": 21}))
        }),
        ("POST", "/boil", |_, _| Answer::empty(204)),
    ];
}

/// A folder with this pack and this `base.toml`.
fn folder(pack: &str, base: &str) -> Folder {
    let folder = Folder::new();
    folder.write("config/packs/kettle.toml", pack);
    folder.write("config/base.toml", base);
    folder
}

fn base(upstream: &Upstream<Kettle>, more: &str) -> String {
    format!(
        "[services.kettle]\nurl = \"{}\"\ntoken = \"t-kettle\"\n{more}\n",
        upstream.url()
    )
}

fn start(upstream: &Upstream<Kettle>, more: &str) -> Server {
    Server::start_in(folder(PACK, &base(upstream, more)), Program::Siskin, &[])
}

fn kettle(is_ready: bool) -> Upstream<Kettle> {
    Upstream::start(Kettle { is_ready })
}

fn kettle_tools(mcp: &mut Mcp) -> Vec<String> {
    let list = mcp.result("tools/list", json!({}));
    let tools = list["tools"].as_array().unwrap().iter();
    let names = tools.map(|tool| tool["name"].as_str().unwrap().to_owned());
    names.filter(|name| name.starts_with("kettle_")).collect()
}

/// What `siskin check` prints and how it ends.
fn check(folder: &Folder) -> (String, Option<i32>) {
    let output = Command::new(Program::Siskin.path())
        .arg("check")
        .current_dir(folder.path())
        .env_clear()
        .output()
        .expect("the program starts");
    let text = String::from_utf8(output.stdout).expect("it prints text");
    (text, output.status.code())
}

#[test]
fn a_pack_of_ones_own_is_offered_and_called_by_its_names() {
    let upstream = kettle(true);
    let server = start(&upstream, "");
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    assert_eq!(kettle_tools(&mut mcp), ["kettle_look", "kettle_boil"]);
    for name in ["kettle_look", "kettle_peek"] {
        let result = mcp.call(name, json!({}));
        assert_eq!(
            result["structuredContent"],
            json!({"celsius": 21}),
            "{name}"
        );
    }
    assert_eq!(
        mcp.call("kettle_boil", json!({}))["content"][0]["text"],
        "boiling"
    );
    let calls = upstream.taken();
    assert!(
        calls
            .iter()
            .all(|call| call.header("authorization") == Some("Bearer t-kettle"))
    );
    let counted = server.metric(r#"mcp_upstream_requests_total{service="kettle",outcome="ok"}"#);
    assert_eq!(counted, Some(3.0));
    assert!(
        server
            .log()
            .contains(&format!("kettle: 2 tools at {}", upstream.url()))
    );
}

#[test]
fn policy_hides_tools_and_what_is_hidden_cannot_be_called() {
    let upstream = kettle(true);
    for (more, global, expected) in [
        ("read_only = true", "", &["kettle_look"][..]),
        ("deny = [\"*_look\"]", "", &["kettle_boil"]),
        ("allow = [\"kettle_l*\"]", "", &["kettle_look"]),
        ("enabled = false", "", &[]),
        ("", "[tools]\nread_only = true", &["kettle_look"]),
        ("", "[tools]\ndeny = [\"kettle_*\"]", &[]),
    ] {
        let server = start(&upstream, &format!("{more}\n{global}"));
        let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
        assert_eq!(kettle_tools(&mut mcp), expected, "{more} {global}");
        let call = mcp.request(
            "tools/call",
            json!({"name": "kettle_boil", "arguments": {}}),
        );
        let may_boil = expected.contains(&"kettle_boil");
        assert_eq!(
            call.get("error").is_none(),
            may_boil,
            "{more} {global}: {call}"
        );
        // An alias opens no door.
        let call = mcp.request(
            "tools/call",
            json!({"name": "kettle_peek", "arguments": {}}),
        );
        let may_look = expected.contains(&"kettle_look");
        assert_eq!(
            call.get("error").is_none(),
            may_look,
            "{more} {global}: {call}"
        );
    }
}

#[test]
fn ready_says_which_service_is_down_and_asks_once_for_many() {
    let upstream = kettle(true);
    let server = start(&upstream, "");
    for _ in 0..3 {
        let ready = server.get_json("/ready");
        assert_eq!(
            ready,
            json!({"status": "ready", "services": {"kettle": "up"}})
        );
    }
    assert_eq!(upstream.taken().len(), 1, "one look serves for a while");

    let upstream = kettle(false);
    let server = start(&upstream, "");
    let response = server.get("/ready");
    assert_eq!(response.status, 503);
    assert_eq!(
        crate::support::parse(&response.body),
        json!({"status": "degraded", "services": {"kettle": "down"}})
    );
    let said = "kettle: not ready: Kettle answered 503: cold";
    let found = |line: &str| line.contains(said).then_some(());
    server.process.wait_log(said, 0, found);
    // Nobody who only asks whether we live hears of it.
    assert_eq!(server.get("/health").status, 200);
    assert_eq!(upstream.taken().len(), 1);
}

#[test]
fn check_reads_every_pack_and_looks_at_every_service() {
    let upstream = kettle(true);
    let good = folder(PACK, &base(&upstream, ""));
    let (text, code) = check(&good);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains(&format!("kettle: 2 tools at {}, answers", upstream.url())),
        "{text}"
    );

    // Also one that nobody configured.
    let wrong = PACK.replace("access = \"write\"", "acess = \"write\"");
    let (text, code) = check(&folder(&wrong, ""));
    assert_eq!(code, Some(78), "{text}");
    assert!(
        text.contains("config/packs/kettle.toml:15:1: kettle_boil: `access` is missing"),
        "{text}"
    );
    assert!(
        text.contains("kettle.toml:18:1: kettle_boil: unknown key `acess`; did you mean `access`?"),
        "{text}"
    );

    // Two packs, each sound by itself.
    let two = folder(PACK, "");
    let other = PACK
        .replace("id = \"kettle\"", "id = \"stove\"")
        .replace("kettle_look", "stove_look");
    two.write("config/packs/stove.toml", other);
    let (text, code) = check(&two);
    assert_eq!(code, Some(78), "{text}");
    assert!(text.contains("packs/stove.toml:15:1: kettle_boil: the pack `kettle` has a tool named `kettle_boil` too"), "{text}");
    assert!(
        text.contains("the pack `kettle` has a tool named `kettle_peek` too"),
        "{text}"
    );

    upstream.state(|kettle| kettle.is_ready = false);
    let (text, code) = check(&good);
    assert_eq!(code, Some(78), "{text}");
    assert!(
        text.contains("services.kettle: Kettle answered 503: cold"),
        "{text}"
    );

    for (settings, expected) in [
        (
            "[services.ketle]\nurl = \"http://127.0.0.1:9\"",
            "services.ketle: there is no pack of this name; did you mean `kettle`?",
        ),
        (
            "[services.kettle]\nurl = \"http://127.0.0.1:9\"\ncolour = \"red\"",
            "services.kettle.colour: unknown option",
        ),
        (
            "[services.kettle]\nurl = \"http://127.0.0.1:9\"\nca_file = \"/nowhere.pem\"",
            "services.kettle: ",
        ),
        (
            "[services.kettle]\nurl = \"http://127.0.0.1:9\"\nclient_key = \"/k.pem\"",
            "services.kettle.client_cert: is missing",
        ),
        (
            "[services.kettle]\nurl = \"http://127.0.0.1:9\"",
            "services.kettle: Kettle: `http://127.0.0.1:9`: connection refused",
        ),
    ] {
        let (text, code) = check(&folder(PACK, settings));
        assert_eq!(code, Some(78), "{text}");
        assert!(text.contains(expected), "no `{expected}` in {text}");
        assert!(!text.contains("red"), "{text}");
    }
}

#[test]
fn a_reload_reads_packs_again_or_keeps_what_is() {
    let upstream = kettle(true);
    let server = start(&upstream, "");
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    assert_eq!(kettle_tools(&mut mcp).len(), 2);
    let path = server.process.folder().join("config/packs/kettle.toml");
    let reload = |text: &str, needle: &str| {
        let from = server.process.log_len();
        std::fs::write(&path, text).unwrap();
        server.hangup();
        let found = |line: &str| line.contains(needle).then_some(());
        server.process.wait_log(needle, from, found);
    };
    reload(
        &PACK.replace("\"kettle_boil\"", "\"kettle_heat\""),
        "kettle: 2 tools at",
    );
    poll_until("the new name", || {
        (kettle_tools(&mut mcp) == ["kettle_look", "kettle_heat"]).then_some(())
    });
    reload(
        "[service]\nid = 1",
        "kettle.toml:2:6: service.id: expected a text",
    );
    assert_eq!(kettle_tools(&mut mcp), ["kettle_look", "kettle_heat"]);
}

#[test]
fn an_unconfigured_service_registers_nothing() {
    let server = Server::start_in(folder(PACK, ""), Program::Siskin, &[]);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    assert!(kettle_tools(&mut mcp).is_empty());
    assert_eq!(server.get_json("/ready"), json!({"status": "ready"}));
}

#[test]
fn a_call_that_was_asked_to_take_long_outlives_the_limit_of_the_others() {
    let pack = PACK.replace(
        "path = \"/boil\" }",
        "path = \"/boil\", timeout = \"20s\" }",
    );
    let upstream = kettle(true);
    let folder = folder(&pack, &base(&upstream, "[timeout]\noperation = \"200ms\""));
    let server = Server::start_in(folder, Program::Siskin, &[]);
    let mut patient = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let mut hasty = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let (long, short) = (Hold::new(), Hold::new());
    upstream.next("POST", "/boil", Answer::empty(204).held(&long));
    upstream.next("GET", "/temperature", Answer::empty(204).held(&short));
    std::thread::scope(|scope| {
        let boiling = scope.spawn(|| patient.call("kettle_boil", json!({})));
        upstream.wait_calls(1);
        // Begins later and is over before: so the time of the first is up by then too.
        let ended = hasty.request(
            "tools/call",
            json!({"name": "kettle_look", "arguments": {}}),
        );
        assert!(ended.to_string().contains("operation"), "{ended}");
        long.release();
        let boiled = boiling.join().expect("the call returns");
        assert_eq!(boiled["content"][0]["text"], "boiling", "{boiled}");
    });
    short.release();
}

#[test]
fn a_broken_service_costs_little_and_the_error_says_how_it_is_broken() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let hundred_mb = "[0,0,0,0,0,0,0],".repeat(100 << 16);
    let page = "<!doctype html><title>Log in</title>";
    let elsewhere = Answer::empty(302).header("Location", "http://127.0.0.1:1/temperature");
    for (answer, words) in [
        (
            Answer::new(200, "application/json", hundred_mb).chunked(1 << 20),
            "a body of more than 2097152 bytes",
        ),
        (
            Answer::raw(format!("{HEAD}Content-Length: 104857600\r\n\r\n[")),
            "a body of more than 2097152 bytes",
        ),
        (
            Answer::raw(format!("{HEAD}{}", "X-Filler: x\r\n".repeat(1000))),
            "with a head of more than",
        ),
        (
            Answer::raw(format!("{HEAD}Content-Length: 50\r\n\r\n{{}}")),
            "closed the connection inside the body, after 2 bytes of it",
        ),
        (
            Answer::new(200, "text/html", page),
            "the answer is a web page, expected JSON",
        ),
        (
            Answer::new(200, "application/json", b"{\"celsius\": \"\xff\"}"),
            "the answer is not JSON: invalid unicode",
        ),
        (
            Answer::new(200, "application/json", "[".repeat(100_000)),
            "the answer is not JSON: recursion limit exceeded",
        ),
        (
            elsewhere,
            "a redirect (302) to `http://127.0.0.1:1`, which is not followed",
        ),
    ] {
        let upstream = kettle(true);
        let server = start(&upstream, "");
        let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
        mcp.call("kettle_look", json!({}));
        let before = status_kb(&server, "VmHWM");
        upstream.next("GET", "/temperature", answer);
        let result = mcp.call("kettle_look", json!({}));
        let text = result["content"][0]["text"].as_str().unwrap();
        assert_eq!(result["isError"], true, "{words}: {text}");
        assert!(text.contains(words), "no `{words}` in: {text}");
        assert!(text.contains("Kettle") && text.len() < 500, "{text}");
        let grown = status_kb(&server, "VmHWM") - before;
        assert!(grown < 8 * 1024, "{words}: {grown} kB more");
        // The next one is well again.
        let well = mcp.call("kettle_look", json!({}));
        assert_eq!(well["structuredContent"]["celsius"], 21, "{words}: {well}");
    }
    // A wrong name for what can be read is nothing to fail for.
    let upstream = kettle(true);
    let server = start(&upstream, "");
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let misnamed = Answer::new(200, "text/html", "{\"celsius\": 7}");
    upstream.next("GET", "/temperature", misnamed);
    let result = mcp.call("kettle_look", json!({}));
    assert_eq!(result["structuredContent"]["celsius"], 7, "{result}");
}

#[test]
fn the_environment_says_which_proxy_is_asked_and_for_whom_none_is() {
    const ASKED: &str = "http://kettle.example/temperature";
    let proxy = kettle(true);
    for (no_proxy, url, expected) in [
        ("", "http://kettle.example", Some(ASKED)),
        ("other.example", "http://kettle.example", Some(ASKED)),
        (".example", "http://kettle.example", None),
        // This machine is reached without one.
        ("", &proxy.url(), Some("/temperature")),
    ] {
        let base = format!("[services.kettle]\nurl = \"{url}\"\ntoken = \"t-kettle\"\n");
        // The name is nobody's, and how long it takes to find out is the resolver's business.
        let base = format!("{base}[timeout]\nconnect = \"500ms\"\n");
        let env = [("HTTP_PROXY", &proxy.url()[..]), ("NO_PROXY", no_proxy)];
        let server = Server::start_in(folder(PACK, &base), Program::Siskin, &env);
        let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
        proxy.next("GET", ASKED, Answer::json(200, &json!({"celsius": 21})));
        let result = mcp.call("kettle_look", json!({}));
        let asked = proxy.taken();
        match expected {
            Some(target) => {
                assert_eq!(result["structuredContent"]["celsius"], 21, "{result}");
                assert_eq!(asked.len(), 1, "{no_proxy} {url}");
                assert_eq!(asked[0].line(), format!("GET {target}"));
            }
            None => {
                assert_eq!(result["isError"], true, "{result}");
                assert!(asked.is_empty(), "{no_proxy} {url}: {asked:?}");
            }
        }
        proxy.forget();
    }
}
