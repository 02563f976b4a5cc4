//! A server on the pipes of a child: lines in, lines out.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use super::child::{Env, Exit, Folder, Process};
use super::server::Program;
use super::{Value, WAIT, parse};

/// A running stdio server; see the module.
pub struct StdioServer {
    /// Its process.
    pub process: Process,
    stdin: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
}

impl StdioServer {
    /// Starts the binary.
    #[track_caller]
    pub fn start(env: Env) -> StdioServer {
        StdioServer::start_program(Program::Siskin, env)
    }

    /// Starts the fixture.
    #[track_caller]
    pub fn everything() -> StdioServer {
        StdioServer::start_program(Program::Everything, &[])
    }

    /// Starts the program whose tools wait to be released.
    #[track_caller]
    pub fn probe() -> StdioServer {
        StdioServer::start_program(Program::Example("probe"), &[])
    }

    /// Starts any of the programs.
    #[track_caller]
    pub fn start_program(program: Program, env: Env) -> StdioServer {
        StdioServer::start_in(Folder::new(), program, env)
    }

    /// Starts it in a folder that may hold files already.
    #[track_caller]
    pub fn start_in(folder: Folder, program: Program, env: Env) -> StdioServer {
        let args = program.stdio_args();
        let mut process = Process::start_in(folder, &program.path(), args, env, Stdio::piped);
        let stdin = process.child.stdin.take();
        let stdout = process.child.stdout.take().expect("stdout is a pipe");
        let (sender, lines) = channel();
        // Ends with stdout, or with the receiver.
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            loop {
                let mut line = Vec::new();
                if !matches!(reader.read_until(b'\n', &mut line), Ok(1..))
                    || sender.send(line).is_err()
                {
                    return;
                }
            }
        });
        StdioServer {
            process,
            stdin,
            lines,
        }
    }

    /// Writes bytes as they are.
    #[track_caller]
    pub fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("stdin was not closed");
        stdin.write_all(bytes).expect("the server reads");
        stdin.flush().expect("the server reads");
    }

    /// Writes a line.
    #[track_caller]
    pub fn send_line(&mut self, line: &str) {
        self.write(format!("{line}\n").as_bytes());
    }

    /// Writes a message as a line.
    #[track_caller]
    pub fn send(&mut self, message: &Value) {
        self.send_line(&message.to_string());
    }

    /// Reads a line, its end taken off; none at the end of stdout.
    #[track_caller]
    pub fn try_line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(WAIT) {
            Ok(line) => Some(text_of(line)),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no line on stdout within {WAIT:?}"),
        }
    }

    /// Reads a line.
    #[track_caller]
    pub fn line(&mut self) -> String {
        self.try_line().expect("stdout ended where a line is due")
    }

    /// Reads a message.
    #[track_caller]
    pub fn message(&mut self) -> Value {
        parse(self.line())
    }

    /// Closes the server's stdin.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Closes stdin and waits for the end.
    #[track_caller]
    pub fn close(mut self) -> Exit {
        self.close_stdin();
        self.process.wait()
    }

    /// Stops it by SIGTERM and waits for its end.
    #[track_caller]
    pub fn stop(mut self) -> Exit {
        self.process.signal(rustix::process::Signal::TERM);
        self.process.wait()
    }
}

#[track_caller]
fn text_of(mut line: Vec<u8>) -> String {
    assert_eq!(line.pop(), Some(b'\n'), "the last line has no end");
    String::from_utf8(line).expect("stdout is UTF-8")
}
