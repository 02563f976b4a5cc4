//! A process group's end: noticed, brought about, and cleared away.

use std::cell::Cell;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::thread;
use std::time::Duration;

use async_io::Async;
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, WaitStatus, kill_process, kill_process_group,
    waitid, waitpgid, waitpid,
};

use super::{Exit, Place};
use crate::rt::executor::{is_running, spawn};
use crate::rt::sleep;

/// How often to look for an end that nothing announces, at first and at most.
const LOOK_FIRST: Duration = Duration::from_millis(1);
const LOOK_LAST: Duration = Duration::from_millis(50);
/// How long a server that stops waits for what it has just killed.
const STOP_LOOKS_MAX: usize = 500;

/// A child and its process group. Dropped, both are killed and reaped.
pub(super) struct Group {
    pid: Pid,
    /// Becomes readable when the child ends. Absent before Linux 5.3 and elsewhere.
    end: Option<Async<OwnedFd>>,
    /// Taken when dropped.
    remains: Option<Remains>,
}

impl Group {
    pub(super) fn new(pid: Pid, place: Place) -> Self {
        Self {
            pid,
            end: end_of(pid),
            remains: Some(Remains {
                pid,
                exit: None,
                is_over: false,
                _place: place,
            }),
        }
    }

    pub(super) fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Waits until the child has ended. It is not reaped.
    pub(super) async fn ended(&self) {
        if let Some(end) = &self.end
            && end.readable().await.is_ok()
        {
            return;
        }
        let mut pause = LOOK_FIRST;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        while let Ok(None) | Err(Errno::INTR) = waitid(WaitId::Pid(self.pid), options) {
            sleep(pause).await;
            pause = LOOK_LAST.min(pause * 2);
        }
    }

    pub(super) fn kill(&self) {
        if let Some(remains) = &self.remains {
            remains.kill();
        }
    }

    /// How the child ended, once it has.
    pub(super) fn exit(&mut self) -> Exit {
        if let Some(remains) = &mut self.remains {
            remains.reap();
        }
        let remains = self.remains.as_ref();
        remains
            .and_then(|remains| remains.exit)
            .unwrap_or(Exit::Unknown)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(mut remains) = self.remains.take() else {
            return;
        };
        remains.kill();
        // The killed need a moment to die. Without an executor, at the end of the server, `remains` waits itself.
        if !remains.reap() && is_running() {
            spawn(undertake(remains)).detach();
        }
    }
}

#[cfg(target_os = "linux")]
fn end_of(pid: Pid) -> Option<Async<OwnedFd>> {
    use rustix::process::{PidfdFlags, pidfd_open};
    // It is only ever waited for, so it need not be non-blocking.
    Async::new_nonblocking(pidfd_open(pid, PidfdFlags::empty()).ok()?).ok()
}

#[cfg(not(target_os = "linux"))]
fn end_of(_pid: Pid) -> Option<Async<OwnedFd>> {
    None
}

/// What is to be reaped of a group.
struct Remains {
    pid: Pid,
    /// How the leader ended, once it is reaped. From then on its number may be another's.
    exit: Option<Exit>,
    is_over: bool,
    _place: Place,
}

impl Remains {
    fn kill(&self) {
        if self.exit.is_none() {
            // Nothing to do for one that has ended. The leader by itself too: it may have moved to another group.
            let _ = kill_process_group(self.pid, Signal::KILL);
            let _ = kill_process(self.pid, Signal::KILL);
        }
    }

    /// Reaps whoever has ended; whether nobody is left. The orphans of a group are ours to reap if we adopt them, or
    /// are the first process of a container; else `init` does it.
    fn reap(&mut self) -> bool {
        if self.is_over {
            return true;
        }
        if self.exit.is_none() {
            self.exit = match waitpid(Some(self.pid), WaitOptions::NOHANG) {
                Ok(Some((_, status))) => Some(exit_of(status)),
                Ok(None) | Err(Errno::INTR) => return false,
                Err(_) => Some(Exit::Unknown),
            };
        }
        loop {
            match waitpgid(self.pid, WaitOptions::NOHANG) {
                Ok(Some(_)) | Err(Errno::INTR) => (),
                Ok(None) => return false,
                Err(_) => break,
            }
        }
        self.is_over = true;
        true
    }
}

impl Drop for Remains {
    fn drop(&mut self) {
        self.kill();
        for _ in 0..STOP_LOOKS_MAX {
            if self.reap() {
                return;
            }
            thread::sleep(LOOK_FIRST);
        }
    }
}

fn exit_of(status: WaitStatus) -> Exit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => Exit::Status(status),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Unknown,
    }
}

async fn undertake(mut remains: Remains) {
    let mut pause = LOOK_FIRST;
    while !remains.reap() {
        sleep(pause).await;
        pause = LOOK_LAST.min(pause * 2);
    }
}

thread_local! {
    static ADOPTS: Cell<bool> = const { Cell::new(false) };
    /// Children not yet reaped, of all that this thread started.
    static CHILDREN: Cell<usize> = const { Cell::new(0) };
}

/// From now on, processes whose parents have ended come to this process, and whatever is left when no command runs is
/// killed: also what has left its group. Only for a program that starts no children of its own, which would be killed
/// alike; the library never calls this. Called on the executor's thread.
///
/// # Errors
/// Where the system has no such thing.
pub fn adopt_orphans() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        ADOPTS.set(true);
        Ok(())
    }
    #[cfg(not(target_os = "linux"))]
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn started() {
    CHILDREN.set(CHILDREN.get() + 1);
}

/// A child was reaped. With the last one goes what it left behind.
pub(super) fn ended() {
    CHILDREN.set(CHILDREN.get() - 1);
    if !ADOPTS.get() || CHILDREN.get() > 0 || strays().is_empty() {
        return;
    }
    if is_running() {
        spawn(clear_strays()).detach();
        return;
    }
    for _ in 0..STOP_LOOKS_MAX {
        if !kill_strays() {
            return;
        }
        thread::sleep(LOOK_FIRST);
    }
}

/// Until there are none: the children of a killed process come to us in turn. A new command ends this; its own end
/// begins it again.
async fn clear_strays() {
    let mut pause = LOOK_FIRST;
    while CHILDREN.get() == 0 && kill_strays() {
        sleep(pause).await;
        pause = LOOK_LAST.min(pause * 2);
    }
}

/// Kills and reaps; whether there was any.
fn kill_strays() -> bool {
    let strays = strays();
    for pid in &strays {
        // Both fail for one that is gone.
        let _ = kill_process(*pid, Signal::KILL);
        let _ = waitpid(Some(*pid), WaitOptions::NOHANG);
    }
    !strays.is_empty()
}

/// All children of this process.
pub(super) fn strays() -> Vec<Pid> {
    let mut known = false;
    let mut pids = Vec::new();
    for_each_in("/proc/self/task", &mut |thread| {
        if let Ok(text) = fs::read_to_string(thread.path().join("children")) {
            known = true;
            pids.extend(text.split_ascii_whitespace().filter_map(pid_of));
        }
    });
    if known { pids } else { children_by_search() }
}

/// Kernels without `CONFIG_PROC_CHILDREN` make us ask every process for its parent.
pub(super) fn children_by_search() -> Vec<Pid> {
    let own = rustix::process::getpid().as_raw_nonzero().get().to_string();
    let is_ours = |stat: &str| {
        // Behind the name, which may hold anything: the state, then the parent.
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        rest.split_ascii_whitespace().nth(1) == Some(own.as_str())
    };
    let mut pids = Vec::new();
    for_each_in("/proc", &mut |process| {
        let Some(pid) = process.file_name().to_str().and_then(pid_of) else {
            return;
        };
        let stat = fs::read_to_string(process.path().join("stat"));
        if stat.is_ok_and(|stat| is_ours(&stat)) {
            pids.push(pid);
        }
    });
    pids
}

/// Every entry of a folder that can be read.
fn for_each_in(folder: &str, visit: &mut dyn FnMut(fs::DirEntry)) {
    if let Ok(entries) = fs::read_dir(folder) {
        entries.flatten().for_each(visit);
    }
}

fn pid_of(text: &str) -> Option<Pid> {
    Pid::from_raw(text.parse().ok()?)
}
