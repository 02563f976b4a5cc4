//! A child process with a clean environment, a folder of its own and a log that is kept. Killed
//! and reaped in `Drop`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use super::{Until, poll_until};

/// Environment variables of the child; it gets no others than these and `PATH`.
pub type Env<'a> = &'a [(&'a str, &'a str)];

/// How a child ended.
#[derive(Debug)]
pub struct Exit {
    /// Its status.
    pub status: ExitStatus,
    /// All it wrote to stderr.
    pub log: String,
}

/// A running program.
pub struct Process {
    /// The child; stdin and stdout are whatever the caller asked for.
    pub child: Child,
    name: String,
    log: Arc<Log>,
    reader: Option<JoinHandle<()>>,
    folder: Folder,
    is_over: bool,
}

/// stderr so far.
#[derive(Default)]
struct Log {
    lines: Mutex<(Vec<String>, bool)>,
    grown: Condvar,
}

impl Process {
    /// Starts `program` with `args`.
    #[track_caller]
    pub fn start(program: &Path, args: &[&str], env: Env, stdio: fn() -> Stdio) -> Process {
        Process::start_in(Folder::new(), program, args, env, stdio)
    }

    /// Starts it in a folder that may hold files already.
    #[track_caller]
    pub fn start_in(
        folder: Folder,
        program: &Path,
        args: &[&str],
        env: Env,
        stdio: fn() -> Stdio,
    ) -> Process {
        let env: BTreeMap<_, _> = env.iter().copied().collect();
        let mut child = Command::new(program)
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(env)
            .current_dir(folder.path())
            .stdin(stdio())
            .stdout(stdio())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let stderr = child.stderr.take().expect("stderr is a pipe");
        let log = Arc::new(Log::default());
        let reader = std::thread::spawn({
            let log = log.clone();
            move || log.read(stderr)
        });
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        Process {
            child,
            name: name.into_owned(),
            log,
            reader: Some(reader),
            folder,
            is_over: false,
        }
    }

    /// The child's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The folder it runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has written to stderr so far.
    pub fn log(&self) -> String {
        self.log.lines.lock().unwrap().0.join("\n")
    }

    /// The first line of the log, from line `from` on, that `wanted` makes something of.
    #[track_caller]
    pub fn wait_log<T>(&self, what: &str, from: usize, wanted: impl Fn(&str) -> Option<T>) -> T {
        let until = Until::soon();
        let mut lines = self.log.lines.lock().unwrap();
        let mut seen = from;
        loop {
            while seen < lines.0.len() {
                if let Some(found) = wanted(&lines.0[seen]) {
                    return found;
                }
                seen += 1;
            }
            let Some(left) = until.left().filter(|_| !lines.1) else {
                let log = lines.0.join("\n");
                let over = if lines.1 {
                    "the program ended"
                } else {
                    "too late"
                };
                drop(lines);
                panic!("{}: no {what} in the log ({over}):\n{log}", self.name);
            };
            lines = self.log.grown.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// How many lines the log has.
    pub fn log_len(&self) -> usize {
        self.log.lines.lock().unwrap().0.len()
    }

    /// Sends a signal.
    #[track_caller]
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("the child was not reaped yet");
    }

    /// Waits for the end.
    #[track_caller]
    pub fn wait(&mut self) -> Exit {
        let name = self.name.clone();
        let status = poll_until(&format!("end of {name}"), || {
            self.child.try_wait().expect("a child can be waited for")
        });
        self.is_over = true;
        // A grandchild may hold stderr open; the log is then what there is.
        if let Some(reader) = self.reader.take() {
            poll_until("end of stderr", || reader.is_finished().then_some(()));
        }
        Exit {
            status,
            log: self.log(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_over {
            _ = self.child.kill();
            _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- log of {} ---\n{}\n---", self.name, self.log());
        }
    }
}

impl Log {
    fn read(&self, stderr: ChildStderr) {
        let mut reader = BufReader::new(stderr);
        let mut line = Vec::new();
        while matches!(reader.by_ref().read_until(b'\n', &mut line), Ok(1..)) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.lines.lock().unwrap().0.push(text);
            self.grown.notify_all();
            line.clear();
        }
        self.lines.lock().unwrap().1 = true;
        self.grown.notify_all();
    }
}

/// An empty folder, removed in `Drop`.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one.
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "siskin-it-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("the temporary folder takes files");
        Folder(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).expect("the temporary folder takes folders");
        }
        std::fs::write(&path, text).expect("the temporary folder takes files");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}
