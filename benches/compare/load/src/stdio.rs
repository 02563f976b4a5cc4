//! Round trips over a child's stdin and stdout, one at a time.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::expect::{Checker, Want};
use crate::report::Report;
use crate::requests::{self, Ask, Era, FIRST_ID};

/// A server that was started and has answered `initialize`.
struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    line: Vec<u8>,
}

/// Calls the tool for `time` after `warm_up`, and says what was.
pub fn run(
    command: &[String],
    warm_up: Duration,
    time: Duration,
    tool: &str,
) -> Result<String, String> {
    let mut session = Session::open(command)?;
    let mut report = Report::new(session.child.id());
    let mut answers = Checker::new(Want::Sum);
    let mut id = FIRST_ID;
    for (time, counts) in [(warm_up, false), (time, true)] {
        if counts {
            report.begin();
        }
        let end = Instant::now() + time;
        while Instant::now() < end {
            id += 1;
            let sent = Instant::now();
            session.say(&requests::call(id, Era::Session, Ask::Call, tool))?;
            session.hear()?;
            if let Err(why) = answers.check(session.line.trim_ascii(), id) {
                report.fail(why);
            }
            report.call(sent, Instant::now());
        }
    }
    let said = report.end();
    session.close();
    Ok(said)
}

/// Starts the server `runs` times: milliseconds from the start to the answer of `initialize`.
pub fn starts(command: &[String], runs: usize) -> Result<String, String> {
    let mut times = Vec::new();
    for _ in 0..runs {
        let begun = Instant::now();
        let session = Session::open(command)?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
        session.close();
    }
    Ok(serde_json::json!({ "ms": times }).to_string())
}

impl Session {
    fn open(command: &[String]) -> Result<Session, String> {
        let (program, arguments) = command.split_first().ok_or("no command after `--`")?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("`{program}`: {error}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("no pipes".into());
        };
        let mut session = Session {
            child,
            input,
            output: BufReader::new(output),
            line: Vec::new(),
        };
        session.say(&requests::initialize(FIRST_ID, Era::Session))?;
        session.hear()?;
        Checker::new(Want::Initialized).check(session.line.trim_ascii(), FIRST_ID)?;
        session.say(requests::INITIALIZED)?;
        Ok(session)
    }

    fn say(&mut self, text: &str) -> Result<(), String> {
        let line = format!("{text}\n");
        let sent = self
            .input
            .write_all(line.as_bytes())
            .and_then(|()| self.input.flush());
        sent.map_err(|error| format!("the server reads no more: {error}"))
    }

    /// The next line, which is an answer: none of the servers says anything unasked.
    fn hear(&mut self) -> Result<(), String> {
        self.line.clear();
        match self.output.read_until(b'\n', &mut self.line) {
            Ok(0) => Err("the server said nothing more".into()),
            Ok(_) => Ok(()),
            Err(error) => Err(format!("reading from the server: {error}")),
        }
    }

    fn close(self) {
        let Session {
            mut child,
            input,
            output,
            ..
        } = self;
        drop((input, output));
        // What does not leave by itself is ended.
        let end = Instant::now() + Duration::from_secs(2);
        while Instant::now() < end {
            if let Ok(Some(_)) = child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        _ = child.kill();
        _ = child.wait();
    }
}
