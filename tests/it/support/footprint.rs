//! What a server holds: open files, threads, children, sessions. Looked at before an attack and again after it.

use std::fs;
use std::path::Path;

use super::{Request, Server, poll_until};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Footprint {
    /// Entries of `/proc/PID/fd`.
    pub files: usize,
    /// Entries of `/proc/PID/task`.
    pub threads: usize,
    /// Processes whose parent it is, dead ones too.
    pub children: usize,
    /// Sessions of all revisions, and open streams.
    pub sessions: usize,
}

impl Footprint {
    /// Of a server that nobody is connected to but the one who looks. `/metrics` must be open.
    #[track_caller]
    pub fn of(server: &Server) -> Footprint {
        Footprint::of_private(server, "")
    }

    /// The same where `/metrics` asks for a token.
    #[track_caller]
    pub fn of_private(server: &Server, token: &str) -> Footprint {
        // The first request makes what is made at first use; then all connections but ours are to be gone.
        server.get("/health");
        poll_until("a quiet server", || {
            let active = metrics(server, token);
            let active = active
                .lines()
                .find_map(|line| line.strip_prefix("mcp_http_active_connections "))?;
            matches!(active, "0" | "1").then_some(())
        });
        Footprint::now(server, token)
    }

    fn now(server: &Server, token: &str) -> Footprint {
        let pid = server.process.pid();
        let sessions = metrics(server, token);
        let counted = |line: &&str| {
            line.starts_with("mcp_sessions_active{")
                || line.starts_with("mcp_sse_connections_active ")
        };
        let sessions = sessions.lines().filter(counted).map(|line| {
            let (_, value) = line.rsplit_once(' ').expect("a sample has a value");
            value.parse::<usize>().expect("and it is a number")
        });
        Footprint {
            files: entries(&format!("/proc/{pid}/fd")),
            threads: entries(&format!("/proc/{pid}/task")),
            children: children(pid).len(),
            sessions: sessions.sum(),
        }
    }

    /// Fails unless the server answers and comes back to this.
    #[track_caller]
    pub fn check_is_back(self, server: &Server) {
        self.check_is_back_private(server, "");
    }

    /// The same where `/metrics` asks for a token.
    #[track_caller]
    pub fn check_is_back_private(self, server: &Server, token: &str) {
        assert_eq!(server.get("/health").status, 200);
        poll_until(&format!("{self:?}"), || {
            let now = Footprint::now(server, token);
            let is_back = now.files <= self.files
                && now.threads <= self.threads
                && now.children <= self.children
                && now.sessions <= self.sessions;
            if !is_back {
                // For the one who reads why it took too long.
                eprintln!("{now:?}");
            }
            is_back.then_some(())
        });
    }
}

#[track_caller]
fn metrics(server: &Server, token: &str) -> String {
    let request = Request::get("/metrics").header("Authorization", &format!("Bearer {token}"));
    let response = match token {
        "" => server.get("/metrics"),
        _ => server.ask(&request),
    };
    assert_eq!(response.status, 200, "{response:?}");
    response.text()
}

fn entries(folder: &str) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

/// The children of a process, zombies too.
pub fn children(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("there is /proc").flatten() {
        let name = entry.file_name();
        let Some(child) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(Path::new("/proc").join(&name).join("stat"));
        // After the name in parentheses, which may hold anything: state and parent.
        let parent = stat.ok().and_then(|stat| {
            let (_, rest) = stat.rsplit_once(") ")?;
            rest.split(' ').nth(1)?.parse::<u32>().ok()
        });
        if parent == Some(pid) {
            found.push(child);
        }
    }
    found
}

/// A line of `/proc/PID/status` in kB, such as `VmData`: what it may write to. `VmSize` also counts what
/// malloc only keeps room for, 64 MiB for a new thread.
pub fn status_kb(server: &Server, name: &str) -> u64 {
    let path = format!("/proc/{}/status", server.process.pid());
    let text = fs::read_to_string(path).expect("the server runs");
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|line| line.trim_start_matches(':').trim().strip_suffix(" kB"));
    value.and_then(|value| value.parse().ok()).expect("a size")
}
