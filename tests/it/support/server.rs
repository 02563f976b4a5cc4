//! A server that listens on a port of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::Signal;

use super::child::{Env, Exit, Folder, Process};
use super::http::{Http, Request, Response};
use super::{Value, parse, poll_until};

/// Which program serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The binary, with its built-in tools.
    Siskin,
    /// `examples/everything.rs`, with fixtures for everything the protocol knows.
    Everything,
    /// Another example, which takes the same arguments.
    Example(&'static str),
}

impl Program {
    /// Where cargo put it.
    pub fn path(self) -> PathBuf {
        let name = match self {
            Program::Siskin => return env!("CARGO_BIN_EXE_siskin").into(),
            Program::Everything => "everything",
            Program::Example(name) => name,
        };
        // The test binary is target/<profile>/deps/it-…; examples are built beside `deps`.
        let test = std::env::current_exe().expect("a test has a path");
        let path = test
            .parent()
            .and_then(Path::parent)
            .expect("cargo puts tests two folders deep")
            .join("examples")
            .join(name);
        assert!(
            path.is_file(),
            "{} is not built; run `cargo build --examples`, or `cargo test` without `--test`",
            path.display()
        );
        path
    }

    fn http_args(self) -> &'static [&'static str] {
        match self {
            Program::Siskin => &["serve"],
            Program::Everything | Program::Example(_) => &["0"],
        }
    }

    /// How it is told to serve stdin and stdout.
    pub fn stdio_args(self) -> &'static [&'static str] {
        match self {
            Program::Siskin => &["stdio"],
            Program::Everything | Program::Example(_) => &["--stdio"],
        }
    }
}

/// A running server; see the module.
pub struct Server {
    /// Its process.
    pub process: Process,
    /// Where it listens first.
    pub addr: SocketAddr,
}

impl Server {
    /// Starts the binary with these environment variables.
    #[track_caller]
    pub fn start(env: Env) -> Server {
        Server::start_program(Program::Siskin, env)
    }

    /// Starts the fixture.
    #[track_caller]
    pub fn everything() -> Server {
        Server::start_program(Program::Everything, &[])
    }

    /// Starts the program whose tools wait to be released.
    #[track_caller]
    pub fn probe() -> Server {
        Server::start_program(Program::Example("probe"), &[])
    }

    /// Starts any of the programs.
    #[track_caller]
    pub fn start_program(program: Program, env: Env) -> Server {
        Server::start_in(Folder::new(), program, env)
    }

    /// Starts it in a folder that may hold files already.
    #[track_caller]
    pub fn start_in(folder: Folder, program: Program, env: Env) -> Server {
        let mut env = env.to_vec();
        if !env.iter().any(|(name, _)| *name == "APP_SERVER__PORT") {
            env.push(("APP_SERVER__PORT", "0"));
        }
        let process = Process::start_in(
            folder,
            &program.path(),
            program.http_args(),
            &env,
            Stdio::null,
        );
        let addr = process.wait_log("readiness line", 0, ready_line);
        Server { process, addr }
    }

    /// Where it listens, all addresses, in the order of the readiness lines.
    #[track_caller]
    pub fn addrs(&self, count: usize) -> Vec<SocketAddr> {
        // Not by `wait_log`, which holds the log while it asks.
        poll_until("readiness lines", || {
            let log = self.process.log();
            let addrs: Vec<_> = log.lines().filter_map(ready_line).collect();
            (addrs.len() >= count).then_some(addrs)
        })
    }

    /// The same for one scheme, `http` or `https`.
    #[track_caller]
    pub fn addrs_of(&self, scheme: &str, count: usize) -> Vec<SocketAddr> {
        let prefix = format!("listening {scheme} ");
        poll_until("readiness lines", || {
            let log = self.process.log();
            let lines = log.lines().filter_map(|line| line.strip_prefix(&prefix));
            let addrs: Vec<_> = lines.filter_map(|addr| addr.trim().parse().ok()).collect();
            (addrs.len() >= count).then_some(addrs)
        })
    }

    /// Opens a connection.
    #[track_caller]
    pub fn connect(&self) -> Http {
        Http::connect(self.addr)
    }

    /// Sends one request on a connection of its own.
    #[track_caller]
    pub fn ask(&self, request: &Request) -> Response {
        self.connect().ask(request)
    }

    /// GETs a path.
    #[track_caller]
    pub fn get(&self, path: &str) -> Response {
        self.ask(&Request::get(path))
    }

    /// GETs a path whose answer must be JSON with status 200.
    #[track_caller]
    pub fn get_json(&self, path: &str) -> Value {
        let response = self.get(path);
        assert_eq!(response.status, 200, "{path}: {response:?}");
        parse(&response.body)
    }

    /// The value of one sample of `/metrics`, written as there: `name` or `name{label="value"}`.
    #[track_caller]
    pub fn metric(&self, sample: &str) -> Option<f64> {
        let text = self.get("/metrics").text();
        text.lines()
            .filter_map(|line| line.rsplit_once(' '))
            .find(|(name, _)| *name == sample)
            .map(|(_, value)| value.parse().expect("a sample has a number"))
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Stops it by SIGTERM and waits for its end.
    #[track_caller]
    pub fn stop(mut self) -> Exit {
        self.process.signal(Signal::TERM);
        self.process.wait()
    }

    /// Has it read its configuration again.
    #[track_caller]
    pub fn hangup(&self) {
        self.process.signal(Signal::HUP);
    }
}

fn ready_line(line: &str) -> Option<SocketAddr> {
    line.strip_prefix("listening http ")?.trim().parse().ok()
}
