//! What Linux says about this process in `/proc/self`, under Prometheus' standard names. Parsers are pure.

use std::fs;
use std::time::Duration;

/// Ticks per second in `/proc` files: `USER_HZ`, 100 on every architecture we build for.
const TICKS_PER_SECOND: u64 = 100;

/// Facts that change while the process lives. A fact the system does not tell is `None`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Process {
    pub cpu_ns: Option<u64>,
    pub open_fds: Option<u64>,
    pub max_fds: Option<u64>,
    pub resident_bytes: Option<u64>,
    pub virtual_bytes: Option<u64>,
    pub threads: Option<u64>,
}

impl Process {
    /// Reads them now: four small files and a directory.
    pub fn read() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        Self {
            cpu_ns: cpu_ns(&stat),
            // Reading the directory opens one itself.
            open_fds: fs::read_dir("/proc/self/fd")
                .ok()
                .map(|fds| (fds.count() as u64).saturating_sub(1)),
            max_fds: max_fds(&limits),
            resident_bytes: status_bytes(&status, "VmRSS:"),
            virtual_bytes: status_bytes(&status, "VmSize:"),
            threads: status_number(&status, "Threads:"),
        }
    }
}

/// When the process started, in nanoseconds since 1970. Reads the large `/proc/stat`, so ask once.
pub fn start_unix_ns() -> Option<u64> {
    let started = start_since_boot(&fs::read_to_string("/proc/self/stat").ok()?)?;
    let booted = boot_unix_seconds(&fs::read_to_string("/proc/stat").ok()?)?;
    let start = Duration::from_secs(booted).checked_add(started)?;
    u64::try_from(start.as_nanos()).ok()
}

/// Field `number` of `/proc/self/stat` as proc(5) numbers them. The name in field 2 may hold spaces and brackets, so
/// counting starts behind the last `)`.
fn stat_field(stat: &str, number: usize) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace()
        .nth(number.checked_sub(3)?)?
        .parse()
        .ok()
}

fn cpu_ns(stat: &str) -> Option<u64> {
    let ticks = stat_field(stat, 14)?.checked_add(stat_field(stat, 15)?)?;
    ticks.checked_mul(1_000_000_000 / TICKS_PER_SECOND)
}

fn start_since_boot(stat: &str) -> Option<Duration> {
    let ticks = stat_field(stat, 22)?;
    Some(Duration::from_millis(
        ticks.checked_mul(1000 / TICKS_PER_SECOND)?,
    ))
}

fn boot_unix_seconds(proc_stat: &str) -> Option<u64> {
    proc_stat
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()
}

fn status_number(status: &str, key: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(key))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

fn status_bytes(status: &str, key: &str) -> Option<u64> {
    status_number(status, key)?.checked_mul(1024)
}

fn max_fds(limits: &str) -> Option<u64> {
    let rest = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "4242 (a) b (c)) S 1 4242 4242 0 -1 4194304 500 0 0 0 123 45 0 0 20 0 2 0 6000 9999 300 18446744073709551615";

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        assert_eq!(cpu_ns(STAT), Some(1_680_000_000));
        assert_eq!(start_since_boot(STAT), Some(Duration::from_secs(60)));
        assert_eq!(cpu_ns("4242 (short) S 1"), None);
        assert_eq!(cpu_ns("no bracket"), None);
    }

    #[test]
    fn status_and_limits() {
        let status = "Name:\tsiskin\nVmSize:\t    2048 kB\nVmRSS:\t     512 kB\nThreads:\t2\n";
        assert_eq!(status_bytes(status, "VmRSS:"), Some(512 * 1024));
        assert_eq!(status_number(status, "Threads:"), Some(2));
        assert_eq!(status_bytes(status, "VmPeak:"), None);
        let limits = "Max processes             100                  200                  processes \nMax open files            1024                 4096                 files     \n";
        assert_eq!(max_fds(limits), Some(1024));
        assert_eq!(
            max_fds("Max open files            unlimited            unlimited            files"),
            None
        );
        assert_eq!(
            boot_unix_seconds("cpu 1 2\nbtime 1700000000\n"),
            Some(1_700_000_000)
        );
    }

    #[test]
    fn this_process_is_there() {
        let process = Process::read();
        assert!(process.threads.unwrap() >= 1);
        assert!(process.open_fds.unwrap() >= 3);
        assert!(process.open_fds <= process.max_fds);
        assert!(process.resident_bytes <= process.virtual_bytes);
        assert!(process.cpu_ns.is_some());
        assert!(start_unix_ns().unwrap() > 1_500_000_000 * 1_000_000_000);
    }
}
