//! What each command prints and how it ends.

use super::{CallOutcome, ExitCode, Fake, Setup, check_asked, check_refused, run};

#[test]
fn version_says_features_and_revisions() {
    let ran = run(&["version"]);
    let version = env!("CARGO_PKG_VERSION");
    assert!(ran.stdout.starts_with(&format!("siskin {version} (")));
    assert!(
        ran.stdout
            .ends_with("MCP revisions: 2024-11-05, 2026-07-28\n")
    );
    for args in [&["-V"][..], &["--version"], &["call", "-V"]] {
        assert_eq!(run(args).stdout, ran.stdout);
    }
}

#[test]
fn check_lists_everything() {
    let app = Fake::default();
    let check = |base| {
        Setup {
            base,
            ..Setup::new(&app)
        }
        .run(&["check"])
    };
    let sound = check("tls.skip_verify = true");
    assert_eq!(sound.exit, ExitCode::Ok);
    assert!(
        sound.stdout.starts_with("warning: /c/base.toml:1:"),
        "{}",
        sound.stdout
    );
    assert!(
        sound.stdout.ends_with(
            "the configuration is sound\nread `/c/base.toml`\nlistens on 127.0.0.1:8000 (mcp,api,admin)\ngrafana: 12 tools\n"
        ),
        "{}",
        sound.stdout
    );
    let wrong = check("server.prot = 1\nlimits.batch = 0");
    assert_eq!(wrong.exit, ExitCode::Config);
    assert_eq!(wrong.stdout.lines().count(), 2, "{}", wrong.stdout);
    assert!(
        wrong
            .stdout
            .contains("/c/base.toml:1:8: server.prot: unknown key"),
        "{}",
        wrong.stdout
    );
    assert_eq!(wrong.stderr, "siskin: the configuration has 2 problems\n");
}

#[test]
fn a_new_token_is_shown_with_what_accepts_it() {
    let token = format!("siskin_{}", "a5".repeat(32));
    let hash = crate::config::TokenHash::of(&token).hex();
    for (args, name, rest) in [
        (
            &["token", "new"][..],
            "client",
            "scopes = [\"read\", \"write\"]\n",
        ),
        (
            &[
                "token",
                "new",
                "--name",
                "ann@nas",
                "--scopes",
                "read,publish",
            ],
            "ann@nas",
            "scopes = [\"read\", \"publish\"]\n",
        ),
        (
            &[
                "token",
                "--scopes",
                "admin",
                "new",
                "--tools",
                "grafana_*, device_cpu",
            ],
            "client",
            "scopes = [\"admin\"]\ntools = [\"grafana_*\", \"device_cpu\"]\n",
        ),
    ] {
        let ran = run(args);
        let entry =
            format!("[[auth.tokens]]\nname = \"{name}\"\ntoken_sha256 = \"{hash}\"\n{rest}");
        let expected =
            format!("token, shown this once:\n\n{token}\n\nfor the configuration:\n\n{entry}");
        assert_eq!((ran.stdout, ran.exit), (expected, ExitCode::Ok), "{args:?}");
        // What it prints is what a configuration reads.
        let sources = crate::config::Sources {
            config_dir: Some("/c".into()),
            read: Box::new(move |path| match path.ends_with("base.toml") {
                true => Ok(entry.clone()),
                false => Err(std::io::ErrorKind::NotFound.into()),
            }),
            ..crate::config::Sources::default()
        };
        let tokens = crate::config::load(&sources).unwrap().config.tokens();
        assert_eq!(tokens.len(), 1);
        assert_eq!(tokens[0].hash, crate::config::TokenHash::of(&token));
    }
    for (args, expected) in [
        (
            &["token", "nwe"][..],
            "unknown action `nwe`; did you mean `new`?",
        ),
        (&["token", "new", "--name", "a b"], "expected a name"),
        (&["token", "new", "--name", "jwt:a"], "expected a name"),
        (&["token", "new", "--scopes", "root"], "expected `read`"),
        (&["token", "new", "--scopes", ""], "expected `read`"),
        (&["token", "new", "--tools", "a b"], "expected a tool name"),
    ] {
        let ran = run(args);
        assert_eq!(ran.exit, ExitCode::Usage, "{args:?}");
        assert!(ran.stderr.contains(expected), "{}", ran.stderr);
        assert_eq!(ran.stdout, "", "no token that nothing accepts");
    }
}

#[test]
fn check_asks_the_program_too() {
    let app = Fake {
        problems: vec!["pack `x`: no `url`".to_owned()],
        ..Fake::default()
    };
    let ran = Setup::new(&app).run(&["check"]);
    assert_eq!(ran.exit, ExitCode::Config);
    assert_eq!(ran.stdout, "pack `x`: no `url`\n");
    assert_eq!(ran.stderr, "siskin: the configuration has 1 problem\n");
}

#[test]
fn config_shows_origins_and_no_secret() {
    let ran = run(&["config", "--set", "server.api_token=canary-7"]);
    assert_eq!(ran.exit, ExitCode::Ok);
    assert!(ran.stdout.contains("# command line"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("canary"));
}

#[test]
fn config_prints_schema_and_reference_of_a_broken_one() {
    let app = Fake::default();
    let setup = Setup {
        base: "not = = toml",
        ..Setup::new(&app)
    };
    let schema = setup.run(&["config", "--schema"]);
    assert!(serde_json::from_str::<serde_json::Value>(&schema.stdout).is_ok());
    let reference = setup.run(&["config", "--reference"]);
    assert!(reference.stdout.starts_with("# "));
    assert_eq!(setup.run(&["config"]).exit, ExitCode::Config);
}

#[test]
fn tools_are_a_table_that_fits() {
    let app = Fake::default();
    let table = |columns| {
        Setup {
            columns,
            ..Setup::new(&app)
        }
        .run(&["tools"])
        .stdout
    };
    assert_eq!(
        table(None),
        "TOOL           ACCESS  WHAT IT DOES\n\
         device_memory  read    How much memory there is, and how much of it is free.\n\
         net_check      write   Net check\n"
    );
    assert_eq!(
        table(Some(40)),
        "TOOL           ACCESS  WHAT IT DOES\n\
         device_memory  read    How much memory…\n\
         net_check      write   Net check\n"
    );
    // Too narrow for a table: the least is kept.
    assert!(table(Some(3)).contains("device_memory  read    How much me…\n"));
}

#[test]
fn tools_as_json_hold_their_schemas() {
    let ran = run(&["tools", "--json"]);
    let all: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(all["tools"][1]["name"], "net_check");
    assert_eq!(all["tools"][0]["readOnly"], true);
    assert_eq!(all["tools"][1]["inputSchema"]["required"][0], "host");
}

#[test]
fn one_tool_shows_its_arguments() {
    let ran = run(&["tools", "net_check"]);
    assert_eq!(
        ran.stdout,
        "net_check (write): Net check\n\nArguments:\n  host: text, required. Who.\n  port: a whole number.\n"
    );
    check_refused(
        &["tools", "net_chek"],
        ExitCode::Usage,
        "siskin: unknown tool `net_chek`; did you mean `net_check`?; `siskin tools` lists all\n",
    );
}

#[test]
fn call_types_its_arguments() {
    let expected = r#"call net_check {"host":"h","port":22}"#;
    check_asked("", &["call", "net_check", "host=h", "port=22"], expected);
    check_asked(
        "",
        &["call", "net_check", "port=22", "--args", r#"{"host":"h"}"#],
        expected,
    );
    check_asked(
        "",
        &["call", "--", "net_check", "host=h", "port=22"],
        expected,
    );
    check_refused(
        &["call", "net_check", "host=h", "port=ssh"],
        ExitCode::Usage,
        "siskin: `net_check`: argument `port`: expected a whole number, found `ssh`; \
         `siskin tools net_check` shows its arguments\n",
    );
    check_refused(
        &["call", "device_memry"],
        ExitCode::Usage,
        "siskin: unknown tool `device_memry`; did you mean `device_memory`?; `siskin tools` lists all\n",
    );
}

#[track_caller]
fn check_call(outcome: CallOutcome, args: &[&str], exit: ExitCode, stdout: &str, stderr: &str) {
    let app = Fake::answering(outcome);
    let args: Vec<&str> = ["call", "device_memory"]
        .iter()
        .chain(args)
        .copied()
        .collect();
    let ran = Setup::new(&app).run(&args);
    assert_eq!(ran.stdout, stdout);
    assert_eq!(ran.stderr, stderr);
    assert_eq!(ran.exit, exit);
}

fn outcome(text: &[&str], structured: Option<&str>) -> CallOutcome {
    CallOutcome {
        is_error: false,
        text: text.iter().map(|text| (*text).to_owned()).collect(),
        structured_json: structured.map(str::to_owned),
    }
}

#[test]
fn call_prints_a_readable_result() {
    let check = |outcome, stdout| check_call(outcome, &[], ExitCode::Ok, stdout, "");
    let json = r#"{"total":8,"free":2}"#;
    check(outcome(&["one\n", "two"], Some(json)), "one\ntwo\n");
    check(outcome(&[], Some(json)), "total: 8\nfree: 2\n");
    // The text copy that tools owe older clients.
    check(outcome(&[json], Some(json)), "total: 8\nfree: 2\n");
    check(outcome(&[json], None), "total: 8\nfree: 2\n");
    check(outcome(&[], None), "(no content)\n");
    check(outcome(&["\u{1b}[2Jx"], None), "\\u{1b}[2Jx\n");
}

#[test]
fn call_exits_with_1_when_the_tool_fails() {
    let failed = || CallOutcome {
        is_error: true,
        ..outcome(&["no such host"], None)
    };
    let stderr = "siskin: `device_memory` failed: no such host\n";
    check_call(failed(), &[], ExitCode::Failed, "", stderr);
    check_call(
        failed(),
        &["--json"],
        ExitCode::Failed,
        "{\n  \"isError\": true,\n  \"text\": [\n    \"no such host\"\n  ]\n}\n",
        "siskin: `device_memory` failed\n",
    );
}

#[test]
fn healthcheck_fails_with_1_whatever_the_reason() {
    let app = Fake::default();
    let setup = Setup {
        base: "server.prot = 1",
        ..Setup::new(&app)
    };
    let ran = setup.run(&["healthcheck"]);
    assert_eq!(ran.exit, ExitCode::Failed);
    assert!(ran.stderr.contains("server.prot"));
    let ran = setup.run(&["healthcheck", "--url", "unix:/nowhere/at/all.sock"]);
    assert_eq!(ran.exit, ExitCode::Failed);
    let start = "siskin: not healthy: unix:/nowhere/at/all.sock /health: ";
    assert!(ran.stderr.starts_with(start), "{}", ran.stderr);
}
