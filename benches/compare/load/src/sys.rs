//! epoll, sockets and `/proc`: all that is asked of the system.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

/// How long any connect may take.
const CONNECT: Duration = Duration::from_secs(10);

/// Level-triggered readiness of sockets.
pub struct Epoll(RawFd);

impl Epoll {
    pub fn new() -> io::Result<Epoll> {
        // SAFETY: no memory is handed over.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Epoll(fd))
    }

    /// Reports `fd` under `key` whenever it is readable. Closing the socket ends that.
    pub fn add(&self, fd: RawFd, key: u64) -> io::Result<()> {
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN as u32,
            u64: key,
        };
        // SAFETY: `event` lives for the call, and the kernel copies it.
        let status = unsafe { libc::epoll_ctl(self.0, libc::EPOLL_CTL_ADD, fd, &mut event) };
        if status < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }

    /// The keys that are readable, after at most `timeout`.
    pub fn wait(&self, keys: &mut Vec<u64>, timeout: Duration) -> io::Result<()> {
        const LEN: usize = 512;
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; LEN];
        let ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the kernel writes at most `LEN` events into the array, which lives for the call.
        let count = unsafe { libc::epoll_wait(self.0, events.as_mut_ptr(), LEN as i32, ms) };
        keys.clear();
        if count < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted {
                Ok(())
            } else {
                Err(error)
            };
        }
        keys.extend(events[..count as usize].iter().map(|event| event.u64));
        Ok(())
    }
}

impl Drop for Epoll {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours and not used any more.
        unsafe { libc::close(self.0) };
    }
}

/// A connection to a port of this machine, that sends at once and reads without waiting.
pub fn connect(port: u16) -> io::Result<TcpStream> {
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&addr, CONNECT)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// Lets this process open as many files as the system allows it.
pub fn raise_open_files() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` lives for both calls.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

/// CPU time that a process and its descendants have used, in microseconds, at the kernel's 10 ms; those that are gone
/// and waited for count with their parents. 0 for pid 0.
pub fn tree_cpu_us(pid: u32) -> u64 {
    if pid == 0 {
        return 0;
    }
    let stats: Vec<Stat> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Stat::read(entry.file_name().to_str()?.parse().ok()?))
        .collect();
    let mut tree = vec![pid];
    let mut at = 0;
    while at < tree.len() {
        let parent = tree[at];
        tree.extend(
            stats
                .iter()
                .filter(|stat| stat.parent == parent)
                .map(|stat| stat.pid),
        );
        at += 1;
    }
    let ticks: u64 = stats
        .iter()
        .filter(|stat| tree.contains(&stat.pid))
        .map(|stat| stat.ticks)
        .sum();
    // SAFETY: asks for a number.
    let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    ticks * 1_000_000 / u64::try_from(per_second).unwrap_or(100).max(1)
}

struct Stat {
    pid: u32,
    parent: u32,
    ticks: u64,
}

impl Stat {
    fn read(pid: u32) -> Option<Stat> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name before it may hold anything.
        let (_, rest) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Stat {
            pid,
            parent: u32::try_from(number(1)?).ok()?,
            // utime, stime, cutime and cstime of proc(5).
            ticks: number(11)? + number(12)? + number(13)? + number(14)?,
        })
    }
}

/// This process's own CPU time in microseconds.
pub fn own_cpu_us() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` lives for the call.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000
}

/// The socket's descriptor.
pub fn fd(stream: &TcpStream) -> RawFd {
    stream.as_raw_fd()
}
