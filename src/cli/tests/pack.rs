//! `siskin pack`: its two commands, their help, and what they print.

use super::{
    Answer, CallOutcome, Exchange, ExitCode, Fake, Setup, check_asked, check_refused, run,
};

#[test]
fn a_new_pack_says_what_comes_next() {
    let app = Fake::default();
    let ran = Setup::new(&app).run(&["pack", "new", "kettle", "--url", "https://kettle:8443/k"]);
    assert_eq!(ran.exit, ExitCode::Ok, "{}", ran.stderr);
    assert_eq!(*app.asked.borrow(), ["new kettle https://kettle:8443/k"]);
    assert!(
        ran.stdout.starts_with("wrote /c/packs/kettle.toml\n"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout
            .contains("     [services.kettle]\n     url = \"https://kettle:8443/k\"\n")
    );
    check_asked(
        "",
        &["pack", "new", "kettle"],
        "new kettle http://127.0.0.1:8080",
    );
    for url in ["kettle:80", "ftp://kettle", "http://a\"b", "http://a b"] {
        let refused = run(&["pack", "new", "kettle", "--url", url]);
        assert_eq!(refused.exit, ExitCode::Usage, "{url}");
        assert!(
            refused.stderr.contains("expected `http://HOST:PORT`"),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn a_file_is_checked_whatever_the_configuration() {
    let app = Fake::default();
    let setup = Setup {
        base: "server.prot = 1",
        columns: Some(60),
        ..Setup::new(&app)
    };
    let sound = setup.run(&["pack", "test", "kettle.toml"]);
    assert_eq!(sound.exit, ExitCode::Ok, "{}", sound.stderr);
    assert_eq!(
        sound.stdout,
        "kettle.toml is sound: Kettle, 2 tools\n\n\
         TOOL           ACCESS  WHAT IT DOES\n\
         device_memory  read    How much memory there is, and how mu…\n\
         net_check      write   Net check\n\n\
         net_check\n  host: text, required. Who.\n  port: a whole number.\n"
    );
    let broken = setup.run(&["pack", "test", "broken.toml", "net_check"]);
    assert_eq!(broken.exit, ExitCode::Config);
    assert_eq!(broken.stdout, "broken.toml:1:1: `service` is missing\n");
    assert_eq!(broken.stderr, "siskin: `broken.toml` has 1 problem\n");
    let none = setup.run(&["pack", "test", "none.toml"]);
    assert_eq!(none.exit, ExitCode::Failed);
    // A tool needs to know where the service is.
    let tool = setup.run(&["pack", "test", "kettle.toml", "device_memory"]);
    assert_eq!(tool.exit, ExitCode::Config);
    assert!(tool.stderr.contains("server.prot"), "{}", tool.stderr);
}

#[test]
fn arguments_are_read_by_the_tools_schema() {
    check_asked(
        "",
        &[
            "pack",
            "test",
            "kettle.toml",
            "net_check",
            "host=h",
            "port=22",
        ],
        r#"try kettle.toml net_check {"host":"h","port":22}"#,
    );
    check_asked(
        "",
        &[
            "pack",
            "test",
            "--args",
            r#"{"host":"h"}"#,
            "kettle.toml",
            "net_check",
        ],
        r#"try kettle.toml net_check {"host":"h"}"#,
    );
    check_refused(
        &["pack", "test", "kettle.toml", "net_check", "hots=h"],
        ExitCode::Usage,
        "siskin: `net_check`: unknown argument `hots`; did you mean `host`?; it takes `host`, `port`; \
         `siskin pack test kettle.toml` shows its arguments\n",
    );
    check_refused(
        &["pack", "test", "kettle.toml", "net_chek"],
        ExitCode::Usage,
        "siskin: unknown tool `net_chek`; did you mean `net_check`?; `siskin pack test kettle.toml` lists all\n",
    );
    check_refused(
        &["pack", "test", "kettle.toml", "--args", "{}"],
        ExitCode::Usage,
        "siskin: `--args` is for a tool: name one behind the file\n",
    );
}

fn exchange(body: &str) -> Exchange {
    Exchange {
        request: "POST http://kettle/boil".to_owned(),
        headers: vec![("Authorization".to_owned(), "Bearer ***".to_owned())],
        body: r#"{"cups":2}"#.to_owned(),
        answer: Ok(Answer {
            status: "200".to_owned(),
            headers: vec![("content-type".to_owned(), "text/plain\u{1b}[2J".to_owned())],
            body: body.to_owned(),
        }),
    }
}

#[test]
fn what_goes_over_the_wire_is_shown() {
    let app = Fake {
        exchanges: vec![
            exchange("boiling"),
            Exchange {
                body: String::new(),
                answer: Err("connection refused".to_owned()),
                ..exchange("")
            },
        ],
        outcome: CallOutcome {
            text: vec![r#"{"cups":2}"#.to_owned()],
            structured_json: Some(r#"{"cups":2}"#.to_owned()),
            ..CallOutcome::default()
        },
        ..Fake::default()
    };
    let ran = Setup::new(&app).run(&["pack", "test", "kettle.toml", "device_memory"]);
    assert_eq!(ran.exit, ExitCode::Ok, "{}", ran.stderr);
    assert_eq!(
        ran.stdout,
        "> POST http://kettle/boil\n> Authorization: Bearer ***\n\n{\"cups\":2}\n\n\
         < 200\n< content-type: text/plain\\u{1b}[2J\n\nboiling\n\n\
         > POST http://kettle/boil\n> Authorization: Bearer ***\n\n< no answer: connection refused\n\n\
         = result, also structured, 10 bytes\n\n{\"cups\":2}\n"
    );
}

#[test]
fn long_bodies_are_clipped_unless_they_are_asked_for() {
    let body = "ä".repeat(2001);
    let app = Fake {
        exchanges: vec![exchange(&body)],
        outcome: CallOutcome {
            is_error: true,
            text: vec!["it is empty".to_owned()],
            ..CallOutcome::default()
        },
        ..Fake::default()
    };
    let words = ["pack", "test", "kettle.toml", "device_memory", "--whole"];
    let clipped = Setup::new(&app).run(&words[..4]);
    let shown = format!(
        "\n{}…\n(2 more bytes; `--whole` shows them)\n",
        "ä".repeat(2000)
    );
    assert!(clipped.stdout.contains(&shown), "{}", clipped.stdout);
    assert!(
        clipped
            .stdout
            .ends_with("= failure, 11 bytes\n\nit is empty\n")
    );
    assert_eq!(clipped.exit, ExitCode::Failed);
    assert_eq!(clipped.stderr, "siskin: `device_memory` failed\n");
    let whole = Setup::new(&app).run(&words);
    assert!(
        whole.stdout.contains(&format!("\n{body}\n\n=")),
        "{}",
        whole.stdout
    );
}

#[test]
fn a_group_wants_one_of_its_commands() {
    check_refused(
        &["pack"],
        ExitCode::Usage,
        "siskin: `pack` needs one of its commands, `new` or `test`; `siskin pack --help` shows the usage\n",
    );
    check_refused(
        &["pack", "tset"],
        ExitCode::Usage,
        "siskin: unknown command `pack tset`; did you mean `test`?; `siskin pack --help` lists all\n",
    );
    check_refused(
        &["pack", "--url", "x"],
        ExitCode::Usage,
        "siskin: `--url` is an option of `pack new`: `siskin pack new --url ...`\n",
    );
    check_refused(
        &["pack", "new"],
        ExitCode::Usage,
        "siskin: required positional arguments not provided: ID; `siskin pack new --help` shows the usage\n",
    );
    check_refused(
        &["pack", "new", "a", "--whole"],
        ExitCode::Usage,
        "siskin: unknown option `--whole`; `siskin pack new --help` shows the usage\n",
    );
}

#[test]
fn help_of_a_group_and_of_its_commands() {
    let group = run(&["pack", "--help"]).stdout;
    assert!(
        group.starts_with("Usage: siskin pack [OPTIONS] COMMAND\n\nWrite a pack"),
        "{group}"
    );
    assert!(group.contains("\nCommands:\n  new "), "{group}");
    assert!(!group.contains("Exit codes"), "{group}");
    for words in [&["pack", "help"][..], &["help", "pack"], &["pack", "-h"]] {
        assert_eq!(run(words).stdout, group, "{words:?}");
    }
    let test = run(&["pack", "test", "-h"]).stdout;
    assert!(
        test.starts_with("Usage: siskin pack test [OPTIONS] FILE [TOOL KEY=VALUE]...\n"),
        "{test}"
    );
    for help in [&group, &test, &run(&["pack", "new", "-h"]).stdout] {
        let longest = help.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(79), "{help}");
    }
}
