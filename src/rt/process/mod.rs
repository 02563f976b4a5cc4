//! Child processes: started without a shell, each in a process group of its own, gone when their call is.
//!
//! In scope: a clean environment, bounded capture of output, killing and reaping, how many there may be. Not in scope:
//! what is run and with which arguments (`tools::command`).
//!
//! ```text
//!   spawn ──▶ running ──its process ends──▶ group killed ──▶ pipes drained ──▶ reaped, place given back
//!                │
//!                └──future dropped: timeout, cancel, disconnect──▶ group killed ──▶ reaped, place given back
//! ```
//!
//! The group is killed while its leader is unreaped: until then the kernel gives its number to nobody else. One signal
//! to a group misses no member, forks under way included. A process that left the group (`setsid`) is not reached by
//! it; [`adopt_orphans`] gets hold of those too.

mod group;
mod output;

use std::cell::Cell;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::rc::Rc;

use async_io::Async;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::{race, sys};
use crate::metrics::{Limit, Metrics};
use group::Group;
pub use group::adopt_orphans;
pub use output::{Head, Tail};
use output::{drain, feed, pump};

/// A command to be run. Nothing is inherited but what stands here.
#[derive(Clone, Debug)]
pub struct Command {
    /// An absolute path, or a name to be found in the `PATH` of `environment`.
    pub program: String,
    /// Without the program's own name.
    pub arguments: Vec<String>,
    /// All of it.
    pub environment: Vec<(String, String)>,
    /// Where it runs.
    pub directory: PathBuf,
    /// Its standard input; empty if absent.
    pub input: Option<Vec<u8>>,
    /// Who it runs as; the server's own user if absent. Only root may choose. Other groups are given up.
    pub owner: Option<Owner>,
    /// Most address space of each process, in bytes.
    pub memory_bytes_max: Option<u64>,
}

/// Numbers of a user and a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// Why a command was not started.
#[derive(Debug)]
pub enum SpawnError {
    /// As many run as may.
    Children {
        /// How many that is.
        max: usize,
    },
    /// The directory to run in is none.
    Directory(PathBuf),
    /// The system's answer.
    Program(String, io::Error),
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Children { max } => write!(
                f,
                "as many commands are running as `limits.children` ({max}) allows; try again when one has ended"
            ),
            Self::Directory(path) => {
                write!(
                    f,
                    "the folder to run in, `{}`, does not exist",
                    path.display()
                )
            }
            Self::Program(program, error) if error.kind() == io::ErrorKind::NotFound => {
                write!(f, "the program `{program}` is not installed on the server")
            }
            Self::Program(program, error) => {
                write!(f, "the program `{program}` cannot be started: {error}")
            }
        }
    }
}

impl std::error::Error for SpawnError {}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// Unknown: somebody else in this process has reaped it.
    Unknown,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Unknown => f.write_str("an unknown status"),
        }
    }
}

/// The children of one server: how many may run at once. Cloning shares it.
#[derive(Clone)]
pub struct Children(Rc<Places>);

struct Places {
    max: Cell<usize>,
    /// Children not yet reaped, those of calls that are over included.
    taken: Cell<usize>,
    metrics: Option<Rc<Metrics>>,
}

impl Children {
    /// At most `max` at once; what is refused is counted in `metrics`.
    #[must_use]
    pub fn new(max: usize, metrics: Option<Rc<Metrics>>) -> Self {
        Self(Rc::new(Places {
            max: Cell::new(max),
            taken: Cell::new(0),
            metrics,
        }))
    }

    /// Changes the limit, as a reload does. Running ones stay.
    pub fn set_max(&self, max: usize) {
        self.0.max.set(max);
    }

    /// How many there are: running, or killed and not yet reaped.
    #[must_use]
    pub fn running(&self) -> usize {
        self.0.taken.get()
    }

    fn take(&self) -> Result<Place, SpawnError> {
        let (max, taken) = (self.0.max.get(), self.0.taken.get());
        if taken >= max {
            if let Some(metrics) = &self.0.metrics {
                metrics.limit_hit(Limit::Children);
            }
            return Err(SpawnError::Children { max });
        }
        self.0.taken.set(taken + 1);
        group::started();
        Ok(Place(Rc::clone(&self.0)))
    }

    /// Starts a command. Called inside [`run`](super::run). Takes as long as the system needs to load the program.
    ///
    /// # Errors
    /// The limit, or the system's.
    pub fn spawn(&self, command: &Command) -> Result<Child, SpawnError> {
        let place = self.take()?;
        let mut process = std::process::Command::new(&command.program);
        process
            .args(&command.arguments)
            .env_clear()
            .envs(
                command
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .current_dir(&command.directory)
            .process_group(0)
            .stdin(if command.input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(owner) = command.owner {
            process.uid(owner.uid).gid(owner.gid);
        }
        let failed = |error| match command.directory.is_dir() {
            true => SpawnError::Program(command.program.clone(), error),
            false => SpawnError::Directory(command.directory.clone()),
        };
        sys::keep_descriptors();
        let mut child = process.spawn().map_err(failed)?;
        // From here on dropping it kills it; the standard library's handle does neither that nor reaping.
        let group = Group::new(Pid::from_child(&child), place);
        limit(Pid::from_child(&child), command.memory_bytes_max);
        let open = |pipe: Option<OwnedFd>| pipe.map(Async::new).transpose().map_err(failed);
        Ok(Child {
            stdin: open(child.stdin.take().map(OwnedFd::from))?,
            stdout: open(child.stdout.take().map(OwnedFd::from))?,
            stderr: open(child.stderr.take().map(OwnedFd::from))?,
            input: command.input.clone().unwrap_or_default(),
            group,
        })
    }
}

/// Sets the limits of a process that runs already: the standard library has no place for them before. What it starts
/// later inherits them. A core file would hold the memory of whoever crashed.
fn limit(pid: Pid, memory_bytes_max: Option<u64>) {
    let set = |resource, most| {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        // Fails for a process that has ended, and for other users' where root is not what it was.
        let _ = prlimit(Some(pid), resource, limit);
    };
    set(Resource::Core, 0);
    if let Some(most) = memory_bytes_max {
        set(Resource::As, most);
    }
}

/// One of as many children as there may be; given back when dropped.
struct Place(Rc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.set(self.0.taken.get() - 1);
        group::ended();
    }
}

/// A running command. Dropped, its whole process group is killed.
pub struct Child {
    stdin: Option<Async<OwnedFd>>,
    stdout: Option<Async<OwnedFd>>,
    stderr: Option<Async<OwnedFd>>,
    input: Vec<u8>,
    group: Group,
}

impl Child {
    /// The number of the process, which is its group's too.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.group.id()
    }

    /// Feeds it its input and takes its output until its process ends; what is left of its group is then killed. Both
    /// outputs are read to their end however little of them is kept, so that the child never waits for a reader; one
    /// that writes without end is slowed down.
    pub async fn run(
        mut self,
        stdout: &mut dyn FnMut(&[u8]),
        stderr: &mut dyn FnMut(&[u8]),
    ) -> Exit {
        let input = self.stdin.take();
        let talk = async {
            let reading = smol::future::zip(
                pump(self.stdout.as_ref(), stdout),
                pump(self.stderr.as_ref(), stderr),
            );
            smol::future::zip(reading, feed(input, &self.input)).await;
        };
        if race(talk, self.group.ended()).await.is_ok() {
            // It closed its outputs: it may still be at work.
            self.group.ended().await;
        }
        self.group.kill();
        drain(self.stdout.as_ref(), stdout);
        drain(self.stderr.as_ref(), stderr);
        self.group.exit()
    }
}

/// From now on a crash leaves no image of this process, nor of any child: it would hold every secret. Tools that
/// collect crashes keep to this limit too.
pub fn leave_no_core() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = rustix::process::setrlimit(Resource::Core, none) {
        log::warn!("core files cannot be switched off: {error}");
    }
}

#[cfg(test)]
mod tests;
