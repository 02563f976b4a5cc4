//! `device_memory`: how much memory there is and how much can still be had.
//!
//! In scope: `/proc/meminfo`, the memory limit of the server's control group, pressure. Not in scope: which process uses it
//! ([`super::processes`]). Called through [`super::TOOLS`].

use std::fmt::Write as _;

use serde::Serialize;

use super::cgroup::{self, MemoryGroup};
use super::pressure::{self, Pressure, pressure_schema};
use super::{
    Device, DeviceError, DeviceTool, Facts, READS_THIS_MACHINE, Run, args::Args, system, units,
};

/// The tool.
pub const TOOL: DeviceTool = DeviceTool {
    name: "device_memory",
    title: "Memory",
    description: "Returns memory and swap of this machine in bytes: total, available (what programs can still get, the figure to judge by), \
used, percentage, caches, swap, memory pressure, and inside a container or a limited service the control group's limit and use. \
Use it to find out whether the machine is short of memory. Takes no arguments; `device_processes` with sort=memory says who uses it.",
    input_schema: r#"{"type":"object","properties":{},"additionalProperties":false}"#,
    output_schema: concat!(
        r#"{"type":"object","properties":{"total_bytes":{"type":"integer","minimum":0},"available_bytes":{"type":"integer","minimum":0,"description":"What programs can still get without swapping"},"used_bytes":{"type":"integer","minimum":0,"description":"total minus available"},"used_percent":{"type":"number"},"free_bytes":{"type":"integer","minimum":0,"description":"Entirely unused; low is normal"},"cache_bytes":{"type":"integer","minimum":0,"description":"Page cache, buffers and reclaimable slabs"},"shared_bytes":{"type":"integer","minimum":0,"description":"tmpfs and shared memory"},"swap_total_bytes":{"type":"integer","minimum":0},"swap_used_bytes":{"type":"integer","minimum":0},"swap_free_bytes":{"type":"integer","minimum":0},"swap_used_percent":{"type":"number"},"cgroup":{"type":"object","description":"The server's own control group; its limit binds before the machine's memory does","properties":{"version":{"type":"integer"},"limit_bytes":{"type":"integer","minimum":0},"usage_bytes":{"type":"integer","minimum":0},"working_set_bytes":{"type":"integer","minimum":0,"description":"usage without cache that can be dropped"},"used_percent":{"type":"number","description":"working set, or usage, of the limit"},"oom_kills":{"type":"integer","minimum":0}},"required":["version","usage_bytes"]},"pressure":"#,
        pressure_schema!(),
        "}}"
    ),
    annotations: READS_THIS_MACHINE,
    enabled_by_default: true,
    run: Run::Read(facts),
};

/// Memory of the machine and of the server's control group.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Memory {
    /// Of the machine.
    #[serde(flatten)]
    pub machine: MemInfo,
    /// Of our control group, when one binds or we are in a container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<Group>,
    /// Waiting for memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pressure: Option<Pressure>,
}

/// `/proc/meminfo` in bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MemInfo {
    /// Usable memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<u64>,
    /// What programs can still get; estimated on kernels before 3.14.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_bytes: Option<u64>,
    /// Total minus available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_bytes: Option<u64>,
    /// Used of total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_percent: Option<f64>,
    /// Entirely unused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_bytes: Option<u64>,
    /// Page cache, buffers, reclaimable slabs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_bytes: Option<u64>,
    /// tmpfs and shared memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_bytes: Option<u64>,
    /// Swap, 0 without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_total_bytes: Option<u64>,
    /// Swap in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_used_bytes: Option<u64>,
    /// Swap left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_free_bytes: Option<u64>,
    /// Used of total swap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_used_percent: Option<f64>,
}

/// The control group's memory.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// 1 or 2.
    pub version: u64,
    /// Absent when unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_bytes: Option<u64>,
    /// Cache included.
    pub usage_bytes: u64,
    /// Without cache that can be dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_set_bytes: Option<u64>,
    /// Working set (or usage) of the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_percent: Option<f64>,
    /// Processes killed for want of memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oom_kills: Option<u64>,
}

/// Answers a call.
pub fn facts(device: &Device, args: &str) -> Result<Facts, DeviceError> {
    Args::parse(args, &[])?;
    let memory = read(device);
    Ok(Facts::new(&memory, memory.text()))
}

/// Reads the facts.
pub fn read(device: &Device) -> Memory {
    let root = &device.root;
    let machine = root
        .text("proc/meminfo")
        .map(|text| parse_meminfo(&text))
        .unwrap_or_default();
    let group = cgroup::memory(root)
        .filter(|group| binds(group, &machine) || system::container(root).is_some());
    Memory {
        machine,
        cgroup: group.map(Group::from),
        pressure: pressure::read(root, "proc/pressure/memory"),
    }
}

/// A limit above the machine's memory never binds.
fn binds(group: &MemoryGroup, machine: &MemInfo) -> bool {
    group
        .limit_bytes
        .is_some_and(|limit| machine.total_bytes.is_none_or(|total| limit < total))
}

/// Parses `/proc/meminfo`, whose `kB` are 1024 bytes.
pub fn parse_meminfo(text: &str) -> MemInfo {
    let value = |key: &str| {
        let rest = text
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        rest.split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()?
            .checked_mul(1024)
    };
    let total = value("MemTotal").filter(|&total| total > 0);
    let free = value("MemFree");
    let cache = value("Cached").map(|cached| {
        cached
            .saturating_add(value("Buffers").unwrap_or(0))
            .saturating_add(value("SReclaimable").unwrap_or(0))
    });
    let shared = value("Shmem");
    // What tmpfs holds is counted as cached but cannot be dropped.
    let estimate = || Some(free?.saturating_add(cache?.saturating_sub(shared.unwrap_or(0))));
    let available = value("MemAvailable").or_else(estimate);
    let used = total
        .zip(available)
        .map(|(total, available)| total.saturating_sub(available));
    let (swap_total, swap_free) = (value("SwapTotal"), value("SwapFree"));
    let swap_used = swap_total
        .zip(swap_free)
        .map(|(total, free)| total.saturating_sub(free));
    MemInfo {
        total_bytes: total,
        available_bytes: available,
        used_bytes: used,
        used_percent: used
            .zip(total)
            .and_then(|(used, total)| units::percent(used, total)),
        free_bytes: free,
        cache_bytes: cache,
        shared_bytes: shared,
        swap_total_bytes: swap_total,
        swap_used_bytes: swap_used,
        swap_free_bytes: swap_free,
        swap_used_percent: swap_used
            .zip(swap_total)
            .and_then(|(used, total)| units::percent(used, total)),
    }
}

impl From<MemoryGroup> for Group {
    fn from(group: MemoryGroup) -> Group {
        let working_set = group
            .reclaimable_bytes
            .map(|cache| group.usage_bytes.saturating_sub(cache));
        Group {
            version: group.version,
            limit_bytes: group.limit_bytes,
            usage_bytes: group.usage_bytes,
            working_set_bytes: working_set,
            used_percent: group
                .limit_bytes
                .and_then(|limit| units::percent(working_set.unwrap_or(group.usage_bytes), limit)),
            oom_kills: group.oom_kills,
        }
    }
}

impl Memory {
    /// The facts in a few lines.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let machine = &self.machine;
        match (
            machine.total_bytes,
            machine.used_bytes,
            machine.available_bytes,
        ) {
            (Some(total), Some(used), Some(available)) => {
                let percent = machine.used_percent.unwrap_or(0.0);
                _ = writeln!(
                    text,
                    "memory     {} of {} used ({percent:.1} %), {} available",
                    units::bytes(used),
                    units::bytes(total),
                    units::bytes(available)
                );
            }
            (Some(total), _, _) => _ = writeln!(text, "memory     {}", units::bytes(total)),
            _ => text.push_str("memory     not reported by this kernel\n"),
        }
        match (machine.swap_total_bytes, machine.swap_used_bytes) {
            (Some(0), _) => text.push_str("swap       none\n"),
            (Some(total), Some(used)) => {
                let percent = machine.swap_used_percent.unwrap_or(0.0);
                _ = writeln!(
                    text,
                    "swap       {} of {} used ({percent:.1} %)",
                    units::bytes(used),
                    units::bytes(total)
                );
            }
            _ => (),
        }
        if let Some(group) = &self.cgroup {
            let used = units::bytes(group.working_set_bytes.unwrap_or(group.usage_bytes));
            _ = match (group.limit_bytes, group.used_percent) {
                (Some(limit), Some(percent)) => writeln!(
                    text,
                    "cgroup     {used} of {} used ({percent:.1} %)",
                    units::bytes(limit)
                ),
                _ => writeln!(text, "cgroup     {used} used, no limit"),
            };
            if let Some(kills) = group.oom_kills.filter(|&kills| kills > 0) {
                _ = writeln!(
                    text,
                    "killed     {} for want of memory",
                    units::count(kills, "process", "processes")
                );
            }
        }
        if let Some(full) = self
            .pressure
            .as_ref()
            .and_then(|pressure| pressure.full.as_ref())
        {
            _ = writeln!(
                text,
                "pressure   {:.1} % of the last minute lost waiting for memory",
                full.avg_60_seconds_percent
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kilobytes_become_bytes() {
        let info = parse_meminfo(
            "MemTotal:        3884376 kB\nMemFree:          200000 kB\nMemAvailable:    2884376 kB\nSwapTotal:        102396 kB\nSwapFree:          51198 kB\n",
        );
        assert_eq!(info.total_bytes, Some(3_977_601_024));
        assert_eq!(info.used_bytes, Some(1_024_000_000));
        assert_eq!(info.used_percent, Some(25.7));
        assert_eq!(info.swap_used_percent, Some(50.0));
    }

    #[test]
    fn an_old_kernel_gets_an_estimate() {
        let info = parse_meminfo(
            "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 10 kB\nCached: 300 kB\nShmem: 50 kB\n",
        );
        assert_eq!(info.available_bytes, Some(360 * 1024));
    }

    #[test]
    fn garbage_is_absent() {
        assert_eq!(parse_meminfo(""), MemInfo::default());
        assert_eq!(
            parse_meminfo("MemTotal: x kB\nMemFree:\nMemAvailable 5 kB\nSwapTotal: -1 kB"),
            MemInfo::default()
        );
        assert_eq!(
            parse_meminfo("MemTotal: 18446744073709551615 kB").total_bytes,
            None,
            "does not fit in bytes"
        );
        let odd = parse_meminfo(
            "MemTotal: 100 kB\nMemAvailable: 200 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
        );
        assert_eq!((odd.used_bytes, odd.swap_used_percent), (Some(0), None));
    }
}
