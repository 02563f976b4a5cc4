//! The command line as a whole, over a fake program, configuration files in memory and captured output.

mod commands;
mod generated;
mod pack;
mod words;

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{
    Answer, App, CallOutcome, Checked, Context, Exchange, ExitCode, Failure, HttpsAsk, PackFile,
    ToolLine, Trial, run_in,
};
use crate::config::{Loaded, Sources};
use crate::sorted::SortedMap;

/// A program that remembers what it was asked and answers what it was told to.
#[derive(Default)]
struct Fake {
    asked: RefCell<Vec<String>>,
    outcome: CallOutcome,
    exchanges: Vec<Exchange>,
    problems: Vec<String>,
    serving_fails: Option<Failure>,
}

impl Fake {
    fn answering(outcome: CallOutcome) -> Fake {
        Fake {
            outcome,
            ..Fake::default()
        }
    }

    fn note(&self, what: String) {
        self.asked.borrow_mut().push(what);
    }

    fn ended(&self) -> Result<(), Failure> {
        self.serving_fails.clone().map_or(Ok(()), Err)
    }
}

/// Two tools: one that takes nothing, one that wants something.
fn tools() -> Vec<ToolLine> {
    vec![
        ToolLine {
            name: "device_memory".to_owned(),
            title: Some("Memory".to_owned()),
            description: Some(
                "How much memory there is, and how much of it is free.\nMore.".to_owned(),
            ),
            read_only: true,
            input_schema_json: r#"{"type":"object","properties":{}}"#.to_owned(),
        },
        ToolLine {
            name: "net_check".to_owned(),
            title: Some("Net check".to_owned()),
            description: None,
            read_only: false,
            input_schema_json:
                r#"{"type":"object","properties":{"host":{"type":"string","description":"Who."},
                    "port":{"type":"integer"}},"required":["host"]}"#
                    .to_owned(),
        },
    ]
}

impl App for Fake {
    fn serve(&self, loaded: Loaded, sources: Sources) -> Result<(), Failure> {
        let again = crate::config::load(&sources).unwrap();
        assert_eq!(again.config, loaded.config, "a reload finds the same");
        let listeners = loaded.config.listeners();
        let all: Vec<String> = listeners
            .iter()
            .map(|listener| listener.address.to_string())
            .collect();
        self.note(format!("serve {}", all.join(" ")));
        self.ended()
    }

    fn https_status(&self, ask: &HttpsAsk<'_>) -> Result<u16, String> {
        let HttpsAsk {
            url, host, is_own, ..
        } = ask;
        self.note(format!("{url} as {host}, own: {is_own}"));
        match url.contains("sick") {
            true => Ok(503),
            false if url.contains("dead") => Err("nobody there".to_owned()),
            false => Ok(200),
        }
    }

    fn stdio(&self, _: Loaded, _: Sources) -> Result<(), Failure> {
        self.note("stdio".to_owned());
        self.ended()
    }

    fn tools(&self, _: &Loaded) -> Result<Vec<ToolLine>, Failure> {
        Ok(tools())
    }

    fn call(&self, _: &Loaded, tool: &str, arguments: &str) -> Result<CallOutcome, Failure> {
        self.note(format!("call {tool} {arguments}"));
        Ok(self.outcome.clone())
    }

    fn check(&self, _: &Loaded) -> Checked {
        Checked {
            problems: self.problems.clone(),
            notes: vec!["grafana: 12 tools".to_owned()],
        }
    }

    fn new_pack(&self, loaded: &Loaded, id: &str, url: &str) -> Result<PathBuf, Failure> {
        self.note(format!("new {id} {url}"));
        Ok(loaded.folder.join("packs").join(id).with_extension("toml"))
    }

    fn read_pack(&self, file: &Path) -> Result<PackFile, Failure> {
        match file.to_str() {
            Some("none.toml") => Err(Failure::new(ExitCode::Failed, "cannot read `none.toml`")),
            Some("broken.toml") => Ok(PackFile {
                problems: vec!["broken.toml:1:1: `service` is missing".to_owned()],
                ..PackFile::default()
            }),
            _ => Ok(PackFile {
                title: "Kettle".to_owned(),
                tools: tools(),
                ..PackFile::default()
            }),
        }
    }

    fn try_tool(
        &self,
        _: &Loaded,
        file: &Path,
        tool: &str,
        arguments: &str,
    ) -> Result<Trial, Failure> {
        self.note(format!("try {} {tool} {arguments}", file.display()));
        Ok(Trial {
            exchanges: self.exchanges.clone(),
            outcome: self.outcome.clone(),
        })
    }

    fn random(&self) -> [u8; 32] {
        [0xa5; 32]
    }

    fn revisions(&self) -> Vec<&'static str> {
        vec!["2024-11-05", "2026-07-28"]
    }
}

/// A stream that fails every write.
struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Ran {
    exit: ExitCode,
    stdout: String,
    stderr: String,
}

/// A run under construction: the configuration folder `/c` holds `base`.
struct Setup<'a> {
    app: &'a Fake,
    base: &'static str,
    environment: SortedMap<String, String>,
    columns: Option<usize>,
}

impl<'a> Setup<'a> {
    fn new(app: &'a Fake) -> Setup<'a> {
        Setup {
            app,
            base: "",
            environment: SortedMap::new(),
            columns: None,
        }
    }

    fn run_os(&self, args: Vec<OsString>, stdout: &mut dyn Write) -> (ExitCode, String) {
        let base = self.base;
        let mut context = Context {
            app: self.app,
            sources: Sources {
                system_dir: "/c".into(),
                working_dir: "/w".into(),
                environment: self.environment.clone(),
                read: Box::new(move |path| {
                    let files: [(&str, &str); 2] =
                        [("/c/base.toml", base), ("/w/more.toml", "server.port = 7")];
                    files
                        .iter()
                        .find(|(name, _)| path == *name)
                        .map(|(_, text)| (*text).to_owned())
                        .ok_or_else(|| io::ErrorKind::NotFound.into())
                }),
                ..Sources::default()
            },
            columns: self.columns,
            out: String::new(),
        };
        let mut stderr = Vec::new();
        let exit = run_in(args.into_iter(), &mut context, stdout, &mut stderr);
        (exit, String::from_utf8(stderr).unwrap())
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut stdout = Vec::new();
        let args = args.iter().map(OsString::from).collect();
        let (exit, stderr) = self.run_os(args, &mut stdout);
        Ran {
            exit,
            stdout: String::from_utf8(stdout).unwrap(),
            stderr,
        }
    }
}

fn run(args: &[&str]) -> Ran {
    Setup::new(&Fake::default()).run(args)
}

#[track_caller]
fn check_asked(base: &'static str, args: &[&str], expected: &str) {
    let app = Fake::default();
    let setup = Setup {
        base,
        ..Setup::new(&app)
    };
    let ran = setup.run(args);
    assert_eq!(ran.exit, ExitCode::Ok, "{}", ran.stderr);
    assert_eq!(*app.asked.borrow(), [expected]);
}

#[track_caller]
fn check_refused(args: &[&str], exit: ExitCode, expected: &str) {
    let app = Fake::default();
    let ran = Setup::new(&app).run(args);
    assert_eq!(ran.stderr, expected);
    assert_eq!(ran.exit, exit);
    assert_eq!(ran.stdout, "");
    assert!(app.asked.borrow().is_empty(), "nothing was started");
}

#[test]
fn the_old_health_check_is_a_name_of_the_program() {
    let command = |name: &str| super::command_of_name(name.as_ref());
    let check = Some("healthcheck".into());
    assert_eq!(command("docker-healthcheck-sse.sh"), check);
    assert_eq!(command("/usr/bin/docker-healthcheck-sse.sh"), check);
    for other in ["siskin", "/usr/bin/siskin", "docker", "", "/"] {
        assert_eq!(command(other), None, "{other}");
    }
}
