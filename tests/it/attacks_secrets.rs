//! Where secrets come out: nowhere. Each secret of a configuration holds a mark of its own, and everything that anybody
//! gets to see is searched for it.

use std::fs;
use std::process::Command;

use rustix::process::Signal;

use crate::support::{
    Answer, Call, Folder, Footprint, Mcp, Program, Request, Response, Route, Server, Service,
    Upstream, Way, children, json, poll_until,
};
use crate::wire::CALL;

/// What no output may hold. Long enough to be cut in half and be recognised all the same.
const MARK: &str = "c4n4ry";

fn secret(name: &str) -> String {
    format!("{MARK}-{name}-0123456789")
}

/// A service that says back whatever it was sent, as some do in their errors.
struct Parrot {
    status: u16,
}

impl Service for Parrot {
    const ROUTES: &'static [Route<Parrot>] = &[("GET", "/say/{what}", Parrot::say)];
}

impl Parrot {
    fn say(&mut self, call: &Call) -> Answer {
        let said = json!({"error": call.headers, "message": format!("`{}` is no token", call.header("authorization").unwrap_or_default()), "line": call.line()});
        match self.status {
            200 => Answer::json(200, &json!({"ok": call.arg("what")})),
            status => Answer::json(status, &said),
        }
    }
}

const PACK: &str = r#"
[service]
id = "parrot"
title = "Parrot"
description = "Says it again."
auth = { kind = "bearer" }
error_at = ["/message"]

[service.options.colour]
description = "Its colour."

[[tool]]
name = "parrot_say"
title = "Say"
description = "Says."
access = "read"
[tool.args]
what = { required = true, description = "What." }
[tool.request]
path = "/say/{what}"

[[tool]]
name = "parrot_wait"
title = "Wait"
description = "Waits."
access = "read"
kind = "command"
[tool.command]
program = "/bin/sleep"
args = ["1000"]
"#;

/// A server that knows a secret of every kind.
struct Keeper {
    server: Server,
    upstream: Upstream<Parrot>,
}

/// The right token, which the test itself may say.
const ENTRY: &str = "entry-0123456789";

fn keeper(more: &[(&str, &str)]) -> Keeper {
    let upstream = Upstream::start(Parrot { status: 200 });
    let folder = Folder::new();
    folder.write("token", secret("token-file"));
    folder.write("service", secret("service-file"));
    folder.write("config/packs/parrot.toml", PACK);
    let base = format!(
        "[server]\napi_token = \"{}\"\n[state]\nfile = \"{}\"\n\
         [[auth.tokens]]\nname = \"entry\"\ntoken = \"{ENTRY}\"\nscopes = [\"read\", \"write\", \"admin\", \"publish\"]\n\
         [[auth.tokens]]\nname = \"a\"\ntoken = \"{}\"\n\
         [[auth.tokens]]\nname = \"b\"\ntoken_file = \"{}\"\n\
         [services.parrot]\nurl = \"{}\"\ntoken = \"{}\"\ncolour = \"{}\"\n\
         [services.gitea]\nurl = \"http://127.0.0.1:9\"\ntoken_file = \"{}\"\n",
        secret("api"),
        folder.path().join("state").display(),
        secret("toml"),
        folder.path().join("token").display(),
        upstream.url(),
        secret("service"),
        secret("option"),
        folder.path().join("service").display(),
    );
    folder.write("config/base.toml", base);
    let token = secret("environment");
    let mut env = more.to_vec();
    env.extend([
        ("APP_SERVICES__GRAFANA__URL", "http://127.0.0.1:9"),
        ("APP_SERVICES__GRAFANA__TOKEN", &token[..]),
        ("APP_LOG__LEVEL", "trace"),
        ("APP_LIMITS__AUTH_FAILURES", "1000"),
    ]);
    let server = Server::start_in(folder, Program::Siskin, &env);
    Keeper { server, upstream }
}

#[track_caller]
fn check(what: &str, text: &str) {
    assert!(!text.contains(MARK), "{what}: {text}");
}

fn whole(response: &Response) -> String {
    format!("{:?} {}", response.headers, response.text())
}

fn with_token(request: Request, token: &str) -> Request {
    request.with("Authorization", &format!("Bearer {token}"))
}

/// One that has shown its token: `Mcp` shows none.
fn call(tool: &str, arguments: crate::support::Value) -> Request {
    let params = json!({"name": tool, "arguments": arguments});
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    with_token(Request::post(CALL, &message), ENTRY)
}

#[test]
fn secrets_come_out_nowhere() {
    for format in ["text", "json"] {
        let Keeper { server, upstream } = keeper(&[("APP_LOG__FORMAT", format)]);
        let ask = |request: &Request| {
            let response = server.ask(request);
            check(&format!("{request:?}"), &whole(&response));
            response
        };
        // Every page, with and without a token.
        for path in [
            "/health",
            "/ready",
            "/status",
            "/metrics",
            "/api/mcp/v1/tools",
            "/nowhere",
        ] {
            ask(&Request::get(path));
            ask(&with_token(Request::get(path), ENTRY));
        }
        // Good secrets in wrong places, and nearly good ones in the right place.
        for name in ["api", "toml", "token-file", "service", "environment"] {
            let good = secret(name);
            for wrong in [
                &good[..good.len() - 1],
                &format!("{good}x"),
                &good.to_uppercase(),
            ] {
                ask(&with_token(Request::get("/status"), wrong));
            }
            ask(&Request::get("/status").header("Authorization", &format!("Basic {good}")));
            ask(&Request::get(&format!(
                "/status?token={good}&access_token={good}"
            )));
            ask(&Request::get("/status").header("Cookie", &format!("token={good}")));
            ask(&Request::get("/status").header("X-Api-Key", &good));
            let message = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
            let session = with_token(Request::post("/mcp", &message), ENTRY);
            ask(&session.header("Mcp-Session-Id", "nobody's"));
        }
        // The service refuses us and says what we sent; then it does not answer at all.
        for status in [200, 400, 401, 403, 404, 500] {
            upstream.state(|parrot| parrot.status = status);
            let said = ask(&call("parrot_say", json!({"what": "x"})));
            assert_eq!(said.status, 200);
        }
        upstream.next("GET", "/say/raw", Answer::raw("HTTP/1.1 nonsense\r\n\r\n"));
        ask(&call("parrot_say", json!({"what": "raw"})));
        ask(&call("gitea_list_notifications", json!({})));
        ask(&call("grafana_list_dashboards", json!({})));
        let sent = upstream.calls();
        let bearer = format!("Bearer {}", secret("service"));
        assert!(
            sent.iter()
                .all(|it| it.header("authorization") == Some(&bearer)),
            "{sent:?}"
        );
        // What others on the machine can see.
        let pid = server.process.pid();
        let cmdline = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
        check("cmdline", &cmdline);
        let mut waiting = server.connect();
        waiting.send(&call("parrot_wait", json!({})));
        let child = poll_until("a child", || children(pid).first().copied());
        // Between fork and exec it still is what we are.
        poll_until("the command", || {
            let name = fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
            (name.trim() == "sleep").then_some(())
        });
        for file in ["cmdline", "environ"] {
            let bytes = fs::read(format!("/proc/{child}/{file}")).unwrap();
            check(file, &String::from_utf8_lossy(&bytes));
        }
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"))
            .unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
        drop(waiting);
        // A reload of what is wrong, and the end.
        let base = server.process.folder().join("config/base.toml");
        let broken = format!(
            "[server]\napi_token = [\"{0}\"]\nurl = \"http://a:{0}@b\"\n",
            secret("broken")
        );
        let from = server.process.log_len();
        fs::write(&base, broken).unwrap();
        server.process.signal(Signal::HUP);
        server.process.wait_log("the refusal", from, |line| {
            line.contains("stays as it was").then_some(())
        });
        let state = server.process.folder().join("state");
        let exit = server.stop();
        check("log", &exit.log);
        assert!(!exit.log.contains(ENTRY), "{}", exit.log);
        // Its folder is gone with it.
        assert!(!state.exists());
    }
}

/// What commands of ours print of a configuration.
#[test]
fn commands_print_no_secret() {
    let folder = Folder::new();
    folder.write(
        "config/base.toml",
        format!(
            "[server]\napi_token = \"{}\"\n[grafana]\nurl = \"http://127.0.0.1:9\"\ntoken = \"{}\"\n[[auth.tokens]]\nname = \"a\"\ntoken = \"{}\"\n",
            secret("api"),
            secret("service"),
            secret("token"),
        ),
    );
    let mut printed = 0;
    for args in [
        &["config"][..],
        &["check"],
        &["tools"],
        &[
            "serve",
            "--set",
            &format!("server.api_token={}", secret("x\u{e9}")),
        ],
        &["--help"],
    ] {
        let output = Command::new(Program::Siskin.path())
            .args(args)
            .env_clear()
            .current_dir(folder.path())
            .output()
            .unwrap();
        for bytes in [&output.stdout, &output.stderr] {
            printed += bytes.len();
            check(&format!("{args:?}"), &String::from_utf8_lossy(bytes));
        }
    }
    assert!(printed > 1000, "{printed} bytes");
}

/// What a caller shows us is for us; the service gets its own.
#[test]
fn a_callers_token_goes_no_further() {
    let Keeper { server, upstream } = keeper(&[]);
    let request = call("parrot_say", json!({"what": "x"}))
        .header("Cookie", "callers-cookie")
        .header("X-Forwarded-For", "6.6.6.6")
        .header("Proxy-Authorization", "Basic callers");
    assert_eq!(server.ask(&request).status, 200);
    let only = upstream.only();
    let headers = format!("{:?}", only.headers);
    for word in [ENTRY, "callers", "6.6.6.6"] {
        assert!(!headers.contains(word), "{headers}");
    }
    assert_eq!(
        only.header("authorization"),
        Some(&format!("Bearer {}", secret("service"))[..])
    );
}

/// All refusals of tokens look the same, whatever was wrong with them.
#[test]
fn refusals_tell_nothing_of_the_token() {
    let Keeper { server, .. } = keeper(&[]);
    let before = Footprint::of_private(&server, ENTRY);
    let refusals: Vec<String> = [
        "x".to_owned(),
        secret("api")[..10].to_owned(),
        format!("{}x", secret("api")),
        ENTRY.to_uppercase(),
        "y".repeat(4000),
    ]
    .iter()
    .map(|token| {
        let response = server.ask(&with_token(Request::get("/status"), token));
        let headers: Vec<_> = response
            .headers
            .iter()
            .filter(|(name, _)| name != "Date")
            .collect();
        format!("{} {headers:?} {}", response.status, response.text())
    })
    .collect();
    assert!(
        refusals.iter().all(|one| *one == refusals[0]),
        "{refusals:#?}"
    );
    assert!(refusals[0].starts_with("401 "), "{}", refusals[0]);
    before.check_is_back_private(&server, ENTRY);
}

/// Line ends and terminal codes of a client, wherever it can put some, stay on the line they are logged on.
#[test]
fn nobody_writes_lines_into_the_log() {
    let server = Server::start(&[("APP_LOG__LEVEL", "trace")]);
    let mut mcp = Mcp::open(Way::Streamable, &server, "2025-11-25");
    let evil = "x\r\n2026-01-01T00:00:00Z error forged line\u{1b}[2J\u{202e}";
    mcp.request(
        "tools/call",
        json!({"name": evil, "arguments": {evil: evil}}),
    );
    mcp.request(evil, json!({}));
    mcp.request(
        "tools/call",
        json!({"name": "net_check", "arguments": {"host": evil, "port": 1}}),
    );
    mcp.notify(evil, json!({}));
    server.ask(&Request::get("/%0d%0aforged%1b[2J"));
    server.ask(&Request::get("/mcp").header("Last-Event-ID", "\u{1b}[2Jforged"));
    server.ask(&Request::get("/x").header("Host", "forged\u{1b}"));
    let log = server.stop().log;
    assert!(
        !log.lines()
            .any(|line| line.contains(" error forged line") && !line.contains("\\r\\n")),
        "{log}"
    );
    assert!(
        !log.chars()
            .any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'),
        "{log:?}"
    );
}
