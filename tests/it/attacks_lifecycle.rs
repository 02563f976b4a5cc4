//! Starts that cannot succeed, ends at the wrong moment, and signals that mean nothing. Orderly ends are `signals`',
//! state files `state`'s.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{
    Folder, Footprint, Mcp, Program, Request, Server, Signal, Way, json, poll_until,
};
use crate::wire::{CALL, ping, pong};

/// A start that has to fail; what it says and how it ends.
#[track_caller]
fn refused(folder: &Folder, env: &[(&str, &str)]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(Program::Siskin.path())
        .arg("serve")
        .env_clear()
        .env("APP_SERVER__PORT", "0")
        .envs(env.iter().copied())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(stdout, b"", "{said}");
    assert!(!said.contains("listening http"), "half started: {said}");
    assert!(
        !said.contains("panicked") && !said.contains("a bug of its own"),
        "{said}"
    );
    (status.code(), said)
}

#[test]
fn a_start_that_cannot_succeed_says_why_in_a_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = Folder::new();
    let garbage = folder.write("garbage.pem", "no certificate");
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (garbage, absent) = (path(&garbage), path(&folder.path().join("absent.pem")));
    let here = path(folder.path());
    let service = ("APP_GRAFANA__URL", "https://127.0.0.1:9");
    type Case<'a> = (&'a [(&'a str, &'a str)], i32, &'a str);
    let socket = format!("unix:{here}/no/such/folder/s");
    let cases: [Case; 10] = [
        (
            &[("APP_SERVER__PORT", &port)],
            69,
            "cannot listen on 127.0.0.1:",
        ),
        (
            &[("APP_SERVER__LISTENERS", &socket)],
            69,
            "cannot listen on ",
        ),
        (
            &[
                ("APP_SERVER__LISTENERS", "192.0.2.1:0"),
                ("APP_AUTH__ALLOW_ANONYMOUS", "true"),
            ],
            69,
            "cannot listen on 192.0.2.1:0",
        ),
        (&[("APP_SERVER__PORT", "80000")], 78, "server.port"),
        (&[("APP_SERVER__HOST", "0.0.0.0")], 78, "server.host"),
        (&[("APP_NO__SUCH", "1")], 78, "APP_NO__SUCH"),
        (
            &[("APP_SERVER__API_TOKEN_FILE", &absent)],
            78,
            "server.api_token",
        ),
        (
            &[service, ("APP_GRAFANA__CA_FILE", &absent)],
            78,
            "absent.pem",
        ),
        (
            &[service, ("APP_GRAFANA__CA_FILE", &garbage)],
            78,
            "garbage.pem",
        ),
        (
            &[service, ("APP_GRAFANA__CA_FILE", &here)],
            78,
            "Is a directory",
        ),
    ];
    // Without packs there is no service whose files could be missing.
    let len = if cfg!(feature = "packs") { 10 } else { 7 };
    for (env, code, words) in &cases[..len] {
        let (got, said) = refused(&folder, env);
        assert_eq!(got, Some(*code), "{env:?}: {said}");
        let lines: Vec<&str> = said.lines().filter(|line| line.contains(words)).collect();
        assert_eq!(
            lines.len(),
            1,
            "{env:?}: no single line with `{words}`: {said}"
        );
    }
    for (name, text) in [
        ("config/base.toml", "[server\n"),
        ("config/base.toml", "[server]\nport = \"x\"\nhots = 1\n"),
        ("config/base.toml", "\u{feff}\0"),
    ] {
        folder.write(name, text);
        let (got, said) = refused(&folder, &[]);
        assert_eq!(got, Some(78), "{text:?}: {said}");
        assert!(said.contains("base.toml:"), "{text:?}: {said}");
    }
    // A file that is there and cannot be read; as root everything can be.
    let base = folder.write("config/base.toml", "");
    fs::set_permissions(&base, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&base).is_err() {
        let (got, said) = refused(&folder, &[]);
        assert_eq!(got, Some(78), "{said}");
    }
}

/// A second server on the same address ends, and the first has not noticed.
#[test]
fn a_second_start_does_the_first_no_harm() {
    let folder = Folder::new();
    let state = folder.path().join("state");
    let env = [("APP_STATE__FILE", state.to_str().unwrap())];
    let server = Server::start(&env);
    let before = Footprint::of(&server);
    let port = server.addr.port().to_string();
    for _ in 0..5 {
        let (code, said) = refused(&folder, &[env[0], ("APP_SERVER__PORT", &port)]);
        assert_eq!(code, Some(69), "{said}");
    }
    assert_eq!(pong(&server.ask(&ping(1))), 1);
    before.check_is_back(&server);
}

/// Signals that end programs which do not care for them.
#[test]
fn signals_that_mean_nothing_end_nothing() {
    let server = Server::start(&[]);
    let before = Footprint::of(&server);
    for _ in 0..20 {
        for signal in [
            Signal::PIPE,
            Signal::WINCH,
            Signal::CHILD,
            Signal::URG,
            Signal::CONT,
        ] {
            server.process.signal(signal);
        }
        assert_eq!(pong(&server.ask(&ping(1))), 1);
    }
    before.check_is_back(&server);
}

/// Reloads one upon another, good and bad in turn, under traffic.
#[test]
fn a_storm_of_reloads_loses_no_request() {
    let folder = Folder::new();
    folder.write("config/base.toml", "");
    let server = Server::start_in(folder, Program::Siskin, &[]);
    let before = Footprint::of(&server);
    let base = server.process.folder().join("config/base.toml");
    let mut http = server.connect();
    for round in 0..60 {
        let text = match round % 3 {
            0 => "[limits]\nbatch = 8\n",
            1 => "[limits]\nbatch = \"broken\n",
            _ => "[tools]\ndeny = [\"device_*\"]\n",
        };
        fs::write(&base, text).unwrap();
        server.hangup();
        assert_eq!(pong(&http.ask(&ping(round))), u64::from(round));
    }
    // The last good one is in force.
    fs::write(&base, "[tools]\nallow = [\"net_check\"]\n").unwrap();
    server.hangup();
    let list = Request::post(
        CALL,
        &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
    );
    poll_until("the last configuration", || {
        let tools = http.ask(&list).json();
        (tools["result"]["tools"].as_array()?.len() == 1).then_some(())
    });
    drop(http);
    before.check_is_back(&server);
}

/// Killed in the middle of writing, again and again, with sessions coming and going: the next start reads what there
/// is, and leaves no second file behind.
#[test]
fn a_kill_in_the_middle_of_a_write_costs_nothing_but_the_last_changes() {
    let folder = Folder::new();
    let state = folder.path().join("state");
    let env = [("APP_STATE__FILE", state.to_str().unwrap())];
    for round in 0..8 {
        let server = Server::start(&env);
        assert!(
            !server.log().contains("damaged"),
            "{round}: {}",
            server.log()
        );
        let mut open: Vec<Mcp> = (0..10)
            .map(|_| Mcp::open(Way::Streamable, &server, "2025-11-25"))
            .collect();
        // Some with a good deal to be written.
        for mcp in &mut open {
            mcp.result("tools/list", json!({}));
        }
        let mut process = server.process;
        process.signal(Signal::KILL);
        let exit = process.wait();
        assert_eq!(exit.status.code(), None);
    }
    let server = Server::start(&env);
    assert!(!server.log().contains("damaged"), "{}", server.log());
    server.stop();
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["state"]);
}
