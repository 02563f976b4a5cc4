//! The limits a container or service manager has set for the server: control groups, version 2 and 1.
//!
//! In scope: the tightest memory and processor limit on the way from our group to the root, which is the one that counts.
//! Not in scope: other groups. Called by [`super::memory`] and [`super::cpu`]; without it a container would report the host's memory as its own.
//!
//! In a container the group's files are at the root of `/sys/fs/cgroup` while `/proc/self/cgroup` may name a path of the host
//! (version 1, or version 2 without a private cgroup namespace), so folders that do not exist are stepped over on the way up.

use super::Root;

/// The memory limit that binds, and what is used of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryGroup {
    /// 1 or 2.
    pub version: u64,
    /// Absent when nothing limits the group.
    pub limit_bytes: Option<u64>,
    /// Page cache included, as the kernel counts it.
    pub usage_bytes: u64,
    /// Page cache that goes first when memory is short: usage without it is what cannot be freed at once.
    pub reclaimable_bytes: Option<u64>,
    /// Times the kernel killed a process of the group for want of memory.
    pub oom_kills: Option<u64>,
}

/// Reads the memory group of this process.
pub fn memory(root: &Root) -> Option<MemoryGroup> {
    let (folders, version) = folders(root, "memory")?;
    let (limit_name, usage_name, cache_name) = match version {
        1 => (
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_inactive_file",
        ),
        _ => ("memory.max", "memory.current", "inactive_file"),
    };
    let limit = |folder: &str| {
        root.number(&format!("{folder}/{limit_name}"))
            .filter(|&bytes| bytes < UNLIMITED_BYTES)
    };
    let usage = |folder: &str| root.number(&format!("{folder}/{usage_name}"));
    let binding = folders
        .iter()
        .filter(|folder| limit(folder).is_some() && usage(folder).is_some())
        .min_by_key(|folder| limit(folder));
    let folder = binding.or_else(|| folders.iter().find(|folder| usage(folder).is_some()))?;
    let events = root
        .text(&format!("{folder}/memory.events"))
        .or_else(|| root.text(&format!("{folder}/memory.oom_control")));
    Some(MemoryGroup {
        version,
        limit_bytes: limit(folder),
        usage_bytes: usage(folder)?,
        reclaimable_bytes: root
            .text(&format!("{folder}/memory.stat"))
            .and_then(|text| keyed(&text, cache_name)),
        oom_kills: events.and_then(|text| keyed(&text, "oom_kill")),
    })
}

/// The tightest processor limit in cores, such as `0.5`; `None` when nothing limits the group.
pub fn cpu_cores(root: &Root) -> Option<f64> {
    let (folders, version) = folders(root, "cpu")?;
    let limits = folders.iter().filter_map(|folder| match version {
        1 => {
            // -1 stands for no limit, and does not parse as unsigned.
            let quota = root.number(&format!("{folder}/cpu.cfs_quota_us"))?;
            ratio(quota, root.number(&format!("{folder}/cpu.cfs_period_us"))?)
        }
        _ => parse_cpu_max(&root.text(&format!("{folder}/cpu.max"))?),
    });
    limits.min_by(f64::total_cmp)
}

/// Parses `cpu.max`: `50000 100000` is half a core, `max 100000` is no limit.
pub fn parse_cpu_max(text: &str) -> Option<f64> {
    let mut fields = text.split_whitespace();
    ratio(fields.next()?.parse().ok()?, fields.next()?.parse().ok()?)
}

/// The group path of this process for a version 1 `controller`, or for version 2 when `controller` is empty.
/// Lines are `hierarchy:controllers:path`.
pub fn parse_path<'a>(text: &'a str, controller: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        controllers
            .split(',')
            .any(|name| name == controller)
            .then_some(path)
    })
}

/// The value of `key` in a file of `key value` lines.
pub fn keyed(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        line.strip_prefix(key)?
            .strip_prefix(' ')?
            .trim()
            .parse()
            .ok()
    })
}

/// The folders of our group, from its own up to the root, and the hierarchy's version.
/// A controller that is mounted as version 1 is not in version 2 (hybrid layout), so version 1 is asked first.
fn folders(root: &Root, controller: &str) -> Option<(Vec<String>, u64)> {
    let groups = root.text("proc/self/cgroup")?;
    let (base, path, version) = match parse_path(&groups, controller) {
        Some(path) => (format!("sys/fs/cgroup/{controller}"), path, 1),
        None => ("sys/fs/cgroup".to_string(), parse_path(&groups, "")?, 2),
    };
    let mut folders = Vec::new();
    let mut path = path.trim_end_matches('/');
    loop {
        // A path such as `/../system.slice` names a group outside our namespace; its files cannot be ours to read.
        if !path.contains("..") {
            folders.push(format!("{base}{path}"));
        }
        match path.rsplit_once('/') {
            Some((above, _)) => path = above,
            None => return Some((folders, version)),
        }
    }
}

fn ratio(quota: u64, period: u64) -> Option<f64> {
    (period > 0 && quota > 0).then(|| (quota as f64 * 100.0 / period as f64).round() / 100.0)
}

/// Version 1 writes "no limit" as the largest page-aligned number; nothing real is near.
const UNLIMITED_BYTES: u64 = 1 << 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_by_controller() {
        let text = "9:name=systemd:/\n4:cpu,cpuacct:/docker/ab:cd\n0::/user.slice\n";
        assert_eq!(parse_path(text, "cpuacct"), Some("/docker/ab:cd"));
        assert_eq!(parse_path(text, ""), Some("/user.slice"));
        assert_eq!(parse_path(text, "memory"), None);
        for text in ["", "4", "4:cpu", "::"] {
            assert_eq!(parse_path(text, "cpu"), None, "{text}");
        }
    }

    #[test]
    fn processor_limits_are_cores() {
        assert_eq!(parse_cpu_max("50000 100000\n"), Some(0.5));
        assert_eq!(parse_cpu_max("250000 100000"), Some(2.5));
        for text in ["max 100000\n", "50000", "50000 0", "", "-1 100000", "x y"] {
            assert_eq!(parse_cpu_max(text), None, "{text}");
        }
    }

    #[test]
    fn keys_match_whole() {
        let text = "oom 1\noom_kill 2\noom_group_kill 3\n";
        assert_eq!(keyed(text, "oom_kill"), Some(2));
        assert_eq!(keyed(text, "oom"), Some(1));
        assert_eq!(keyed(text, "oom_"), None);
        assert_eq!(keyed("oom_kill x", "oom_kill"), None);
    }
}
