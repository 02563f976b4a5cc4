//! A child process with a clean environment, a folder of its own and a log that is kept. Killed
//! and reaped in `Drop`.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, poll};

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
struct Log {
    text: Mutex<LogText>,
    grown: Condvar,
}

struct LogText {
    stderr: ChildStderr,
    lines: Vec<String>,
    /// The begin of a line whose end has not come.
    rest: Vec<u8>,
    is_over: bool,
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
        let log = Arc::new(Log::new(stderr));
        let reader = std::thread::spawn({
            let log = log.clone();
            move || log.follow()
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

    /// What it has written to stderr so far: whatever it wrote before an answer that has come is in it.
    pub fn log(&self) -> String {
        self.log.lock().lines.join("\n")
    }

    /// The first line of the log, from line `from` on, that `wanted` makes something of.
    #[track_caller]
    pub fn wait_log<T>(&self, what: &str, from: usize, wanted: impl Fn(&str) -> Option<T>) -> T {
        let until = Until::soon();
        let mut text = self.log.lock();
        let mut seen = from;
        loop {
            while seen < text.lines.len() {
                if let Some(found) = wanted(&text.lines[seen]) {
                    return found;
                }
                seen += 1;
            }
            let Some(left) = until.left().filter(|_| !text.is_over) else {
                let log = text.lines.join("\n");
                let over = if text.is_over {
                    "the program ended"
                } else {
                    "too late"
                };
                drop(text);
                panic!("{}: no {what} in the log ({over}):\n{log}", self.name);
            };
            text = self.log.grown.wait_timeout(text, left).unwrap().0;
        }
    }

    /// How many lines the log has.
    pub fn log_len(&self) -> usize {
        self.log.lock().lines.len()
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
    fn new(stderr: ChildStderr) -> Self {
        rustix::io::ioctl_fionbio(&stderr, true).expect("a pipe can be asked without waiting");
        let text = LogText {
            stderr,
            lines: Vec::new(),
            rest: Vec::new(),
            is_over: false,
        };
        Self {
            text: Mutex::new(text),
            grown: Condvar::new(),
        }
    }

    /// The log with all that was written by now, not only what [`Log::follow`] came to.
    fn lock(&self) -> MutexGuard<'_, LogText> {
        let mut text = self.text.lock().unwrap();
        text.read();
        // Whoever reads, others may wait for what has come.
        self.grown.notify_all();
        text
    }

    /// Reads until the end, so that no program ever waits for its log to be read.
    fn follow(&self) {
        let stderr = self.lock().stderr.as_fd().try_clone_to_owned();
        let stderr = stderr.expect("a descriptor can be doubled");
        loop {
            // An error of it is one of the read too, and is met there.
            _ = poll(&mut [PollFd::new(&stderr, PollFlags::IN)], None);
            if self.lock().is_over {
                return;
            }
        }
    }
}

impl LogText {
    /// Takes in what the pipe holds.
    fn read(&mut self) {
        let mut piece = [0; 4096];
        while !self.is_over {
            match self.stderr.read(&mut piece) {
                Ok(length @ 1..) => self.rest.extend_from_slice(&piece[..length]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Ok(0) | Err(_) => self.is_over = true,
            }
        }
        let ends = self.rest.iter().rposition(|&byte| byte == b'\n');
        let whole = if self.is_over {
            self.rest.len()
        } else {
            ends.map_or(0, |end| end + 1)
        };
        let text = String::from_utf8_lossy(&self.rest[..whole]);
        let lines = text.lines().map(|line| line.trim_end().to_owned());
        self.lines.extend(lines);
        self.rest.drain(..whole);
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
