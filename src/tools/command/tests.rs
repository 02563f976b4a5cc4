//! Tables as text, argument vectors, and real commands.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::*;
use crate::mcp::answer::Answer;
use crate::mcp::capabilities::ClientCapabilities;
use crate::mcp::logging::Level;
use crate::mcp::revision::Revision;
use crate::rt::process::Children;
use crate::rt::{self, race};
use crate::tools::schema::Schema;
use crate::tools::written::{from_text, written_table};
use crate::tools::{Ask, CallError, Change, Context, Host, Interrupt, LocalFuture, LocalHost};

struct File {
    command: CommandSpec,
}

written_table!(File { command });

/// A tool with arguments of every kind.
fn schema() -> Schema {
    let schema = json!({"type": "object", "properties": {
        "text": {"type": "string"}, "path": {"type": "string"}, "count": {"type": "integer"},
        "all": {"type": "boolean"}, "names": {"type": "array", "items": {"type": "string"}}
    }});
    Schema::compile(&schema).unwrap()
}

fn compile(table: &str) -> Result<CommandTool, Vec<SpecProblem>> {
    let file: File = from_text(&format!("[command]\n{table}")).unwrap();
    file.command.compile(&schema())
}

#[track_caller]
fn tool(table: &str) -> CommandTool {
    match compile(table) {
        Ok(tool) => tool,
        Err(problems) => panic!("{problems:?}"),
    }
}

/// One problem, whose span is `at` and whose text contains `expected`.
#[track_caller]
fn refused(table: &str, at: &str, expected: &str) {
    let problems = compile(table).unwrap_err();
    let [problem] = problems.as_slice() else {
        panic!("{problems:?}");
    };
    let file = format!("[command]\n{table}");
    assert_eq!(&file[problem.span.clone()], at, "{problem}");
    assert!(problem.text.contains(expected), "{problem}");
}

fn arguments(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(arguments) => arguments,
        other => panic!("{other}"),
    }
}

#[track_caller]
fn gives(args: &str, given: Value, expected: &[&str]) {
    let tool = tool(&format!("program = \"ls\"\nargs = {args}"));
    match tool.command(&arguments(given)) {
        Ok(command) => assert_eq!(command.arguments, expected),
        Err(error) => panic!("{}", error.text()),
    }
}

#[track_caller]
fn keeps_out(args: &str, given: Value, expected: &str) {
    let tool = tool(&format!("program = \"ls\"\n{args}"));
    match tool.command(&arguments(given)) {
        Ok(command) => panic!("{command:?}"),
        Err(error) => {
            assert!(matches!(error, CallError::Arguments(_)));
            assert!(error.text().contains(expected), "{}", error.text());
        }
    }
}

#[test]
fn each_element_is_one_argument() {
    gives(
        r#"["-l", "{path}"]"#,
        json!({"path": "a b; $(id) *"}),
        &["-l", "a b; $(id) *"],
    );
    gives(
        r#"["a{text}-{count}"]"#,
        json!({"text": "x", "count": 5}),
        &["ax-5"],
    );
    gives(r#"["{{{text}}}"]"#, json!({"text": "x"}), &["{x}"]);
    gives(r#"["{text}"]"#, json!({"text": ""}), &[""]);
    // What is absent is left out; null is absent.
    gives(r#"["{path}", "x{text}"]"#, json!({"path": null}), &[]);
    gives(
        r#"[["-n", "{count}"], "{path}"]"#,
        json!({"path": "p"}),
        &["p"],
    );
    gives(
        r#"[["-n", "{count}"], "{path}"]"#,
        json!({"count": 3, "path": "p"}),
        &["-n", "3", "p"],
    );
    // A list is many where it stands alone, and JSON where it does not.
    gives(
        r#"["{names}"]"#,
        json!({"names": ["a", "b c"]}),
        &["a", "b c"],
    );
    gives(r#"["{names}"]"#, json!({"names": []}), &[]);
    gives(r#"["n={names}"]"#, json!({"names": ["a"]}), &["n=[\"a\"]"]);
    let choice = r#"[{ "$if" = "{all}", then = ["--all"], else = ["--some", "{text}"] }]"#;
    gives(choice, json!({"all": true}), &["--all"]);
    gives(choice, json!({"all": false, "text": "x"}), &["--some", "x"]);
    gives(choice, json!({}), &["--some"]);
}

#[test]
fn a_value_cannot_become_an_option() {
    for value in ["-", "-rf", "--help", "-n 5"] {
        keeps_out(
            r#"args = ["{path}"]"#,
            json!({"path": value}),
            "begins with `-`",
        );
        keeps_out(
            r#"args = ["{path}.txt"]"#,
            json!({"path": value}),
            "`ls` would take as an option",
        );
        keeps_out(
            r#"args = [["-n", "{path}"]]"#,
            json!({"path": value}),
            "begins with `-`",
        );
        keeps_out(
            r#"args = ["{names}"]"#,
            json!({"names": ["a", value]}),
            "`names`: begins",
        );
        gives(
            r#"["--", "{path}"]"#,
            json!({"path": value}),
            &["--", value],
        );
        gives(
            r#"["x{path}"]"#,
            json!({"path": value}),
            &[&format!("x{value}")],
        );
        gives(
            r#"["--path={path}"]"#,
            json!({"path": value}),
            &[&format!("--path={value}")],
        );
    }
    keeps_out(
        r#"args = ["{count}"]"#,
        json!({"count": -1}),
        "begins with `-`",
    );
    // A `--` that is left out protects nothing.
    let optional = r#"args = [["--", "{text}"], "{path}"]"#;
    keeps_out(optional, json!({"path": "-rf"}), "begins with `-`");
    // A pattern decides instead.
    let pattern = "args = [\"{path}\"]\npatterns = { path = \"-[ab]|c\" }";
    let with_pattern = tool(&format!("program = \"ls\"\n{pattern}"));
    let passed = with_pattern
        .command(&arguments(json!({"path": "-a"})))
        .unwrap();
    assert_eq!(passed.arguments, ["-a"]);
    for value in ["-ab", "-x", "xc", ""] {
        keeps_out(
            pattern,
            json!({"path": value}),
            "`path`: does not match `-[ab]|c`",
        );
    }
    let pattern = "args = [\"{names}\"]\npatterns = { names = \"[a-z]\" }";
    keeps_out(pattern, json!({"names": ["a", "B"]}), "does not match");
    keeps_out(r#"args = ["{text}"]"#, json!({"text": "a\0b"}), "zero byte");
    keeps_out(
        r#"args = ["{text}"]"#,
        json!({"text": "x".repeat(130_000)}),
        "more than the",
    );
}

#[test]
fn templates_that_could_be_misused_are_refused() {
    for args in [
        r#"["-{text}"]"#,
        r#"["--{text}"]"#,
        r#"["-n{text}"]"#,
        r#"["--no-{text}"]"#,
    ] {
        let at = &args[1..args.len() - 1];
        refused(
            &format!("program = \"ls\"\nargs = {args}"),
            at,
            "makes an option of `text`",
        );
    }
    tool("program = \"ls\"\nargs = [\"-n{count}\", \"--\", \"-{text}\"]");
    tool("program = \"ls\"\nargs = [\"-{text}\"]\npatterns = { text = \"[ab]\" }");
    let optional = "program = \"ls\"\nargs = [[\"--\", \"{path}\"], \"-{text}\"]";
    refused(optional, "\"-{text}\"", "makes an option");

    for (program, args, at) in [
        ("sh", r#"["-c", "echo {text}"]"#, r#""echo {text}""#),
        ("/bin/bash", r#"["-ec", "{text}"]"#, r#""{text}""#),
        ("python3.12", r#"["-c", "{text}"]"#, r#""{text}""#),
        ("perl", r#"["-e", "{text}"]"#, r#""{text}""#),
        ("python3", r#"["{path}"]"#, r#""{path}""#),
        ("sudo", r#"["sh", "-c", "{text}"]"#, r#""{text}""#),
        ("busybox", r#"["sh", "-c", "{text}"]"#, r#""{text}""#),
        ("awk", r#"["{text}"]"#, r#""{text}""#),
        (
            "sh",
            r#"[{ "$if" = "{all}", then = ["-c"] }, "{text}"]"#,
            r#""{text}""#,
        ),
    ] {
        let table = format!("program = \"{program}\"\nargs = {args}");
        refused(&table, at, "a pattern in `patterns`");
    }
    refused(
        "program = \"sh\"\nargs = [\"-s\"]\nstdin = \"{text}\"",
        "\"{text}\"",
        "nothing of a client's",
    );
    refused(
        "program = \"ssh\"\nargs = [\"nas\", \"ls\", \"{path}\"]",
        "\"{path}\"",
        "a shell at the other end",
    );
    // Fixed code that takes arguments is how it is done.
    tool(
        r#"program = "sh"
args = ["-c", "grep -- \"$1\" /etc/hosts", "sh", "{text}"]"#,
    );
    tool(
        "program = \"python3\"\nargs = [\"/opt/tool.py\", \"--\", \"{text}\"]\nstdin = \"{path}\"",
    );
}

#[test]
fn tables_are_checked_with_their_places() {
    for program in ["", "./a", "a/b", "-a", "ls -l", "{text}"] {
        let at = format!("\"{program}\"");
        refused(&format!("program = \"{program}\""), &at, "`program` is");
    }
    let ls = |rest: &str| format!("program = \"ls\"\n{rest}");
    for (rest, at, expected) in [
        (
            "args = [\"{txet}\"]",
            "\"{txet}\"",
            "no argument `txet`, did you mean `text`?",
        ),
        ("args = [\"a{\"]", "\"a{\"", "lone brace"),
        (
            "args = [\"{text|lower}\"]",
            "\"{text|lower}\"",
            "no name of an argument",
        ),
        ("args = [{ \"$if\" = \"x\" }]", "\"x\"", "one reference"),
        ("patterns = { x = \"a\" }", "x", "no argument `x`"),
        ("patterns = { text = \"(\" }", "\"(\"", "without its `)`"),
        (
            "env = { \"A=B\" = \"c\" }",
            "\"A=B\"",
            "cannot name a variable",
        ),
        ("dir = \"tmp\"", "\"tmp\"", "absolute path"),
        ("timeout = \"30\"", "\"30\"", "such as `500ms`"),
        ("timeout = \"0s\"", "\"0s\"", "such as `500ms`"),
        ("timeout = \"25h\"", "\"25h\"", "at most `24h`"),
        ("max_output = 16777217", "16777217", "at most 16777216"),
        ("memory = 1000", "1000", "at least 1048576"),
        ("user = \"a b\"", "\"a b\"", "`uid:gid`"),
        ("success = []", "[]", "from 0 to 255"),
        ("success = [256]", "[256]", "from 0 to 255"),
        ("stdin = \"{x}\"", "\"{x}\"", "no argument `x`"),
    ] {
        refused(&ls(rest), at, expected);
    }
    // All at once.
    assert_eq!(
        compile(&ls("dir = \"x\"\ntimeout = \"y\"\nargs = [\"{z}\"]"))
            .unwrap_err()
            .len(),
        3
    );
    for wrong in [
        "shell = true",
        "args = [1]",
        "args = [{ then = [\"a\"] }]",
        "output = \"xml\"",
    ] {
        let file = format!("[command]\nprogram = \"ls\"\n{wrong}");
        let misfit = from_text::<File>(&file).err().unwrap();
        let at = &file[misfit.span];
        assert!(
            wrong.contains(at) && !at.is_empty(),
            "{wrong}: {at}: {}",
            misfit.text
        );
    }
    let used = tool(
        "program = \"ls\"\nargs = [\"{path}\"]\nstdin = \"{text}\"\npatterns = { count = \"1\" }",
    );
    let names = ["all", "count", "names", "path", "text"].map(|name| used.uses(name));
    assert_eq!(names, [false, true, false, true, true]);
}

/// A host that writes progress down.
#[derive(Default)]
struct Recorder {
    local: LocalHost,
    lines: RefCell<Vec<String>>,
}

impl Host for Recorder {
    fn revision(&self) -> Revision {
        self.local.revision()
    }
    fn caller(&self) -> &str {
        self.local.caller()
    }
    fn client(&self) -> &ClientCapabilities {
        self.local.client()
    }
    fn progress(&self, progress: f64, _total: Option<f64>, message: Option<&str>) {
        let line = format!("{progress} {}", message.unwrap_or_default());
        self.lines.borrow_mut().push(line);
    }
    fn log(&self, level: Level, logger: Option<&str>, data: &RawValue) {
        self.local.log(level, logger, data);
    }
    fn ask<'a>(&'a self, asks: Vec<Ask>) -> LocalFuture<'a, Result<Vec<Answer>, Interrupt>> {
        self.local.ask(asks)
    }
    fn state(&self) -> Option<String> {
        None
    }
    fn set_state(&self, _state: String) {}
    fn start_task(&self) -> bool {
        false
    }
    fn changed(&self, _change: Change) {}
    fn close_stream(&self) {}
    fn is_over(&self) -> bool {
        false
    }
    fn over(&self) -> LocalFuture<'_, ()> {
        self.local.over()
    }
    fn sleep(&self, duration: Duration) -> LocalFuture<'_, ()> {
        self.local.sleep(duration)
    }
}

const DEFAULTS: Defaults = Defaults {
    timeout: Duration::from_secs(60),
    output_bytes_max: 1000,
};

/// The text of the result, or of the failure behind `failed: `.
fn call(tool: &CommandTool, given: Value) -> String {
    rt::run(async {
        let children = Children::new(4, None);
        let context = Context::new(Rc::new(LocalHost::default()));
        match tool
            .run(&context, &children, &arguments(given), DEFAULTS)
            .await
        {
            Ok(result) => result.text_blocks(),
            Err(error) => format!("failed: {}", error.text()),
        }
    })
}

fn script(code: &str, rest: &str) -> CommandTool {
    tool(&format!(
        "program = \"sh\"\nargs = [\"-c\", '''{code}''', \"sh\", \"{{text}}\"]\n{rest}"
    ))
}

#[test]
fn output_becomes_a_result() {
    assert_eq!(
        call(
            &script("echo \"[$1]\"; echo err >&2", ""),
            json!({"text": "a b"})
        ),
        "[a b]"
    );
    assert_eq!(
        call(&script("true", ""), json!({})),
        "done; the command printed nothing"
    );
    assert_eq!(
        call(&script("printf '\\033[31mred\\033[0m\\n'", ""), json!({})),
        "red"
    );
    let cut = call(&script("printf '%01001d' 0", ""), json!({}));
    assert_eq!(
        cut,
        format!("{}\n[the first 1000 of 1001 bytes]", "0".repeat(1000))
    );
    let exact = call(&script("printf '%01000d' 0", ""), json!({}));
    assert_eq!(exact, "0".repeat(1000));
    assert_eq!(
        call(&script("printf abcdef", "max_output = 3"), json!({})),
        "abc\n[the first 3 of 6 bytes]"
    );
    assert_eq!(
        call(&script("exit 4", "success = [0, 4]"), json!({})),
        "done; the command printed nothing"
    );
    let cat = tool("program = \"cat\"\nstdin = \"<{text}>\"");
    assert_eq!(call(&cat, json!({"text": "a\nb"})), "<a\nb>");
}

#[test]
fn json_output_is_structured() {
    let json = |code: &str| call(&script(code, "output = \"json\""), json!({}));
    assert_eq!(json("echo '{{\"a\": [1, 2]}}'"), "{\"a\":[1,2]}");
    assert!(json("echo nothing").starts_with("failed: `sh` printed no JSON: "));
    assert!(json("printf '[%01100d]' 1").contains("ask for less"));
}

#[test]
fn failures_say_how_and_show_little() {
    assert_eq!(
        call(&script("echo out; echo why >&2; exit 2", ""), json!({})),
        "failed: `sh` ended with status 2; its error output ends with:\nwhy\nIts output begins with:\nout"
    );
    assert_eq!(
        call(&script("kill -9 $$", ""), json!({})),
        "failed: `sh` ended with signal 9"
    );
    let secret = script(
        "echo \"bad token $TOKEN\" >&2; exit 1",
        "env = { TOKEN = \"hunter2hunter2\" }",
    );
    assert_eq!(
        call(&secret, json!({})),
        "failed: `sh` ended with status 1; its error output ends with:\nbad token …"
    );
    let flood = call(
        &script("yes err | head -c 1000000 >&2; exit 1", ""),
        json!({}),
    );
    assert!(
        flood.lines().count() <= 21 && flood.ends_with("err"),
        "{flood}"
    );
    let missing = tool("program = \"/no/such/program\"");
    assert!(call(&missing, json!({})).contains("not installed on the server"));
}

#[test]
fn the_environment_is_the_tables_own() {
    let env = tool("program = \"env\"\nenv = { A = \"b\", LANG = \"de_DE.UTF-8\" }");
    assert_eq!(
        call(&env, json!({})),
        "A=b\nLANG=de_DE.UTF-8\nNO_COLOR=1\n\
         PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nTERM=dumb"
    );
    assert_eq!(
        call(&tool("program = \"pwd\"\ndir = \"/usr\""), json!({})),
        "/usr"
    );
}

#[test]
fn a_user_is_taken_on_by_root_alone() {
    let id = tool("program = \"id\"\nargs = [\"-u\"]\nuser = \"65534:65534\"");
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| {
        use std::os::unix::fs::MetadataExt as _;
        own.uid() == 0
    });
    let text = call(&id, json!({}));
    match is_root {
        true => assert_eq!(text, "65534"),
        false => assert!(text.contains("must be root"), "{text}"),
    }
    let unknown = tool("program = \"id\"\nuser = \"no-such-user-here\"");
    assert!(call(&unknown, json!({})).contains("not in /etc/passwd"));
}

#[test]
fn time_runs_out() {
    let text = call(
        &script("echo begun; exec sleep 1000", "timeout = \"50ms\""),
        json!({}),
    );
    assert!(
        text.starts_with("failed: `sh` was stopped after 50 ms, the `timeout`"),
        "{text}"
    );
}

#[test]
fn as_many_run_as_may() {
    rt::run(async {
        let children = Children::new(1, None);
        let context = Context::new(Rc::new(LocalHost::default()));
        let hang = script("exec sleep 1000", "");
        let none = Map::new();
        let first = hang.run(&context, &children, &none, DEFAULTS);
        let second = async {
            // The first has been polled, and started, before.
            let refused = hang.run(&context, &children, &none, DEFAULTS).await;
            refused
                .map(|_| ())
                .map_err(|error| error.text().into_owned())
        };
        let Err(Err(text)) = race(first, second).await else {
            panic!("both ran");
        };
        assert!(text.contains("`limits.children` (1)"), "{text}");
        while children.running() > 0 {
            rt::sleep(Duration::from_millis(1)).await;
        }
    });
}

#[test]
fn lines_are_progress_where_asked_for() {
    let lines = |rest: &str| {
        let recorder = Rc::new(Recorder::default());
        let context = Context::new(Rc::clone(&recorder) as Rc<dyn Host>);
        let tool = script("printf 'one\\ntwo'; printf 'x\\nthree'", rest);
        let result = rt::run(async {
            let children = Children::new(1, None);
            tool.run(&context, &children, &Map::new(), DEFAULTS).await
        });
        assert_eq!(
            result.map(|result| result.text_blocks()).ok().unwrap(),
            "one\ntwox\nthree"
        );
        recorder.lines.take()
    };
    assert!(lines("").is_empty());
    let sent = lines("progress = true");
    // How the output is cut into reads is the system's choice.
    assert!(
        !sent.is_empty() && sent.iter().all(|line| line == "1 one" || line == "2 twox"),
        "{sent:?}"
    );
}
