//! How words are understood: where options stand, what a slip is told, the help, the streams.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;

use crate::sorted::SortedMap;

use super::{Broken, ExitCode, Failure, Fake, Setup, check_asked, check_refused};

const COMMANDS: [&str; 8] = [
    "serve",
    "stdio",
    "check",
    "config",
    "tools",
    "call",
    "healthcheck",
    "version",
];

#[test]
fn a_bare_start_serves_what_the_transport_says() {
    check_asked("", &[], "serve 127.0.0.1:8000");
    check_asked("server.transport = 'sse'", &[], "serve 127.0.0.1:8000");
    check_asked("server.transport = 'stdio'", &[], "stdio");
    let app = Fake::default();
    let variable = ("FASTMCP_TRANSPORT".to_owned(), "stdio".to_owned());
    let setup = Setup {
        environment: SortedMap::from([variable]),
        ..Setup::new(&app)
    };
    assert_eq!(setup.run(&[]).exit, ExitCode::Ok);
    assert_eq!(*app.asked.borrow(), ["stdio"]);
}

#[test]
fn commands_win_over_the_transport() {
    let stdio = "server.transport = 'stdio'";
    check_asked(stdio, &["serve"], "serve 127.0.0.1:8000");
    check_asked("", &["stdio"], "stdio");
    // Nothing listens on stdio, so nothing is exposed.
    check_asked("server.host = '0.0.0.0'", &["stdio"], "stdio");
}

#[test]
fn serve_takes_addresses() {
    check_asked("", &["serve", "--port", "9"], "serve 127.0.0.1:9");
    let base = "server.port = 1\nserver.api_port = 2\nserver.host = '0.0.0.0'";
    let args = ["serve", "--listen", "[::1]:3", "--listen=unix:/s"];
    check_asked(base, &args, "serve [::1]:3 unix:/s");
    check_refused(
        &["serve", "--listen", "[::1]:3", "--port", "1"],
        ExitCode::Usage,
        "siskin: `--listen` has a port already: keep it or `--port`\n",
    );
    check_refused(
        &["serve", "--port", "x"],
        ExitCode::Config,
        "siskin: the configuration is wrong:\n\
         command line: server.port: expected a whole number, found \"x\"\n",
    );
}

#[test]
fn global_options_stand_on_either_side_of_the_command() {
    let expected = "serve 127.0.0.1:5";
    check_asked("", &["--set", "server.port=5", "serve"], expected);
    check_asked("", &["serve", "--set", "server.port=5"], expected);
    check_asked("", &["serve", "--set=server.port=5"], expected);
    check_asked(
        "",
        &["--set=server.port=4", "--set=server.port=5"],
        expected,
    );
    check_asked("", &["--config", "more.toml"], "serve 127.0.0.1:7");
    check_asked(
        "server.port = 1",
        &["--config-dir=/d"],
        "serve 127.0.0.1:8000",
    );
}

#[test]
fn a_failure_to_serve_keeps_its_code() {
    let app = Fake {
        serving_fails: Some(Failure::new(ExitCode::Unavailable, "port 1 is taken")),
        ..Fake::default()
    };
    for command in ["serve", "stdio"] {
        let ran = Setup::new(&app).run(&[command]);
        assert_eq!(ran.exit, ExitCode::Unavailable);
        assert_eq!(ran.stderr, "siskin: port 1 is taken\n");
    }
}

#[test]
fn slips_are_named_with_their_remedy() {
    for (args, expected) in [
        (
            &["srve"][..],
            "unknown command `srve`; did you mean `serve`?; `siskin --help` lists all",
        ),
        (
            &["frobnicate"],
            "unknown command `frobnicate`; `siskin --help` lists all",
        ),
        (
            &["serve", "--prot", "1"],
            "unknown option `--prot`; did you mean `--port`?; `siskin serve --help` shows the usage",
        ),
        (
            &["--prot=1"],
            "unknown option `--prot`; did you mean `--port`?; `siskin --help` shows the usage",
        ),
        (
            &["--port", "1"],
            "`--port` is an option of `serve`: `siskin serve --port ...`",
        ),
        (
            &["-x"],
            "unknown option `-x`; `siskin --help` shows the usage",
        ),
        (&["--config"], "`--config` needs a value: `--config FILE`"),
        (&["config", "--schema=1"], "`--schema` takes no value"),
        (
            &["--config-dir=a", "--config-dir=b"],
            "`--config-dir` is given twice: keep one of them",
        ),
        (
            &["--", "serve"],
            "`--` stands before the command; put the command first",
        ),
        (
            &["call"],
            "required positional arguments not provided: TOOL; `siskin call --help` shows the usage",
        ),
        (
            &["stdio", "x"],
            "unrecognized argument: x; `siskin stdio --help` shows the usage",
        ),
        (
            &["config", "--schema", "--reference"],
            "`--schema` and `--reference` are two texts: ask for one of them",
        ),
        (
            &["healthcheck", "--url", "ftp://h"],
            "`--url`: expected `http://host:port/path`, `https://host:port/path` or `unix:/path`, found `ftp://h`",
        ),
        (
            &["healthcheck", "--timeout=0"],
            "`--timeout`: expected 1ms to 1h, as in `3s` or `500ms`, found `0`",
        ),
    ] {
        check_refused(args, ExitCode::Usage, &format!("siskin: {expected}\n"));
    }
}

#[test]
fn arguments_that_are_no_text_are_refused() {
    let app = Fake::default();
    let args = vec!["call".into(), OsString::from_vec(b"caf\xe9\n".to_vec())];
    let (exit, stderr) = Setup::new(&app).run_os(args, &mut Vec::new());
    assert_eq!(exit, ExitCode::Usage);
    assert_eq!(
        stderr,
        "siskin: argument 2, `caf\u{fffd}\\n`, is not UTF-8: rename the file, or set the key in a file\n"
    );
}

#[test]
fn help_fits_the_terminal_and_needs_no_configuration() {
    let app = Fake::default();
    let setup = Setup {
        base: "not = = toml",
        ..Setup::new(&app)
    };
    let check = |args: &[&str]| {
        let ran = setup.run(args);
        assert_eq!(ran.exit, ExitCode::Ok, "{args:?}");
        assert!(ran.stdout.starts_with("Usage: siskin"), "{args:?}");
        assert!(ran.stdout.contains("--config-dir DIR"), "{args:?}");
        for line in ran.stdout.lines() {
            assert!(line.chars().count() <= 79, "{args:?}: {line}");
            assert_eq!(line.trim_end(), line, "{args:?}");
        }
        ran.stdout
    };
    let whole = check(&["--help"]);
    for args in [&["-h"][..], &["help"], &["-h", "--set", "a.b=c"]] {
        assert_eq!(check(args), whole);
    }
    for command in COMMANDS {
        assert!(whole.contains(&format!("\n  {command}  ")), "{command}");
        let own = check(&[command, "--help"]);
        assert_ne!(own, whole);
        assert_eq!(check(&["help", command]), own);
        assert_eq!(check(&["-h", command]), own);
    }
    for (_, number, meaning) in ExitCode::TABLE {
        assert!(whole.contains(&format!("\n  {number:<22}{meaning}\n")));
    }
    assert!(app.asked.borrow().is_empty());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let app = Fake::default();
    let setup = Setup::new(&app);
    let args = || vec!["tools".into()];
    let ended = setup.run_os(args(), &mut Broken(io::ErrorKind::BrokenPipe));
    assert_eq!(ended, (ExitCode::Ok, String::new()));
    let (exit, stderr) = setup.run_os(args(), &mut Broken(io::ErrorKind::StorageFull));
    assert_eq!(exit, ExitCode::Failed);
    assert!(stderr.starts_with("siskin: cannot write to standard output: "));
}
