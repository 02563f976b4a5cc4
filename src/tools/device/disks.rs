//! `device_disks`: filesystems, disks and RAID arrays.
//!
//! In scope: mounts that hold someone's files with their space, transfer counters of whole disks, md arrays. Not in scope: SMART data
//! and what is in the files. Called through [`super::TOOLS`].

use std::fmt::Write as _;

use serde::Serialize;

use super::mounts::{self, Filesystem};
use super::pressure::{self, Pressure, pressure_schema};
use super::raid::{self, Array};
use super::{
    Device, DeviceError, DeviceTool, Facts, READS_THIS_MACHINE, Root, Run, args::Args,
    root::printable, units,
};

/// The tool.
pub const TOOL: DeviceTool = DeviceTool {
    name: "device_disks",
    title: "Disks and filesystems",
    description: "Returns the filesystems of this machine with size, used, available bytes, percentage and whether they are read-only, \
the disks with model, size and transfer counters since boot, and software RAID arrays with their health. Use it to find out whether a disk is full, \
an array is degraded or a filesystem has become read-only (on an SD card a sign of failure). Network mounts are listed without sizes, \
because asking an unreachable server would block. Pseudo filesystems are left out. Takes no arguments.",
    input_schema: r#"{"type":"object","properties":{},"additionalProperties":false}"#,
    output_schema: concat!(
        r#"{"type":"object","properties":{"filesystems":{"type":"array","items":{"type":"object","properties":{"mount_point":{"type":"string"},"device":{"type":"string"},"type":{"type":"string"},"read_only":{"type":"boolean"},"remote":{"type":"boolean","description":"Network or user-space mount; sizes are not asked for"},"total_bytes":{"type":"integer","minimum":0},"used_bytes":{"type":"integer","minimum":0},"available_bytes":{"type":"integer","minimum":0},"used_percent":{"type":"number","description":"As df shows it: used of what users can have"},"inodes_used_percent":{"type":"number"},"also_mounted_at":{"type":"array","items":{"type":"string"}}},"required":["mount_point","device","type","read_only","remote"]}},"disks":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"model":{"type":"string"},"size_bytes":{"type":"integer","minimum":0},"rotational":{"type":"boolean"},"removable":{"type":"boolean"},"reads":{"type":"integer","minimum":0},"read_bytes":{"type":"integer","minimum":0},"writes":{"type":"integer","minimum":0},"written_bytes":{"type":"integer","minimum":0},"busy_ms":{"type":"integer","minimum":0},"requests_in_flight":{"type":"integer","minimum":0}},"required":["name","reads","read_bytes","writes","written_bytes","busy_ms","requests_in_flight"]}},"arrays":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"active":{"type":"boolean"},"level":{"type":"string"},"members":{"type":"array","items":{"type":"string"}},"failed":{"type":"array","items":{"type":"string"}},"members_expected":{"type":"integer","minimum":0},"members_working":{"type":"integer","minimum":0},"degraded":{"type":"boolean"},"operation":{"type":"string"},"operation_percent":{"type":"number"}},"required":["name","active","members","failed","degraded"]}},"pressure":"#,
        pressure_schema!(),
        r#"},"required":["filesystems","disks","arrays"]}"#
    ),
    annotations: READS_THIS_MACHINE,
    enabled_by_default: true,
    run: Run::Read(facts),
};

/// Filesystems, disks and arrays.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Disks {
    /// In the order of their mounting.
    pub filesystems: Vec<Filesystem>,
    /// Whole disks that were ever used.
    pub disks: Vec<Disk>,
    /// Software RAID.
    pub arrays: Vec<Array>,
    /// Waiting for disks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pressure: Option<Pressure>,
}

/// One whole disk and its counters since boot.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Disk {
    /// Such as `sda` or `mmcblk0`.
    pub name: String,
    /// As the disk names itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Spins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotational: Option<bool>,
    /// Can be taken out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removable: Option<bool>,
    /// What it has done.
    #[serde(flatten)]
    pub counters: Counters,
}

/// A line of `/proc/diskstats`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Reads completed.
    pub reads: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Writes completed.
    pub writes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Time with at least one request open.
    pub busy_ms: u64,
    /// Requests open now.
    pub requests_in_flight: u64,
}

/// Answers a call.
pub fn facts(device: &Device, args: &str) -> Result<Facts, DeviceError> {
    Args::parse(args, &[])?;
    let disks = read(device);
    Ok(Facts::new(&disks, disks.text()))
}

/// Reads the facts.
pub fn read(device: &Device) -> Disks {
    let root = &device.root;
    // A host's tree under another prefix has its mounts in the table of its first process; `self` is us.
    let tables = if root.is_own() {
        ["proc/self/mounts", "proc/mounts"]
    } else {
        ["proc/1/mounts", "proc/self/mounts"]
    };
    let mounts = tables
        .iter()
        .find_map(|path| root.text(path))
        .map(|text| mounts::parse_mounts(&text))
        .unwrap_or_default();
    let filesystems = mounts::filesystems(&mounts)
        .into_iter()
        .map(|filesystem| mounts::with_space(device, &mounts, filesystem))
        .collect();
    let counters = root
        .text("proc/diskstats")
        .map(|text| parse_diskstats(&text))
        .unwrap_or_default();
    Disks {
        filesystems,
        disks: counters
            .into_iter()
            .filter_map(|(name, counters)| disk(root, name, counters))
            .collect(),
        arrays: root
            .text("proc/mdstat")
            .map(|text| raid::parse(&text))
            .unwrap_or_default(),
        pressure: pressure::read(root, "proc/pressure/io"),
    }
}

/// Parses `/proc/diskstats` (kernel documentation, admin-guide/iostats). Its sectors are 512 bytes whatever the disk's are.
pub fn parse_diskstats(text: &str) -> Vec<(String, Counters)> {
    let line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        let counters = Counters {
            reads: number(3)?,
            read_bytes: number(5)?.saturating_mul(SECTOR_BYTES),
            writes: number(7)?,
            written_bytes: number(9)?.saturating_mul(SECTOR_BYTES),
            busy_ms: number(12)?,
            requests_in_flight: number(11)?,
        };
        Some((printable(fields.get(2)?), counters))
    };
    text.lines().filter_map(line).collect()
}

/// A whole disk; `None` for a partition, a loop or memory device, and a slot without a medium.
fn disk(root: &Root, name: String, counters: Counters) -> Option<Disk> {
    const NOT_DISKS: [&str; 5] = ["loop", "ram", "zram", "fd", "sr"];
    if NOT_DISKS.iter().any(|kind| {
        name.strip_prefix(kind)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }) {
        return None;
    }
    // sysfs writes the slash in a name such as `cciss/c0d0` as an exclamation mark.
    let folder = format!("sys/block/{}", name.replace('/', "!"));
    let is_whole = if root.exists("sys/block") {
        root.exists(&folder)
    } else {
        !looks_like_partition(&name)
    };
    let size_bytes = root
        .number(&format!("{folder}/size"))
        .map(|sectors| sectors.saturating_mul(SECTOR_BYTES));
    if !is_whole || (size_bytes.unwrap_or(0) == 0 && counters == Counters::default()) {
        return None;
    }
    let flag = |file: &str| {
        root.number(&format!("{folder}/{file}"))
            .map(|value| value != 0)
    };
    Some(Disk {
        model: root
            .line(&format!("{folder}/device/model"))
            .or_else(|| root.line(&format!("{folder}/device/name"))),
        size_bytes,
        rotational: flag("queue/rotational"),
        removable: flag("removable"),
        counters,
        name,
    })
}

/// `sda1`, `mmcblk0p2`, `nvme0n1p3`: what tells a partition where sysfs is hidden.
fn looks_like_partition(name: &str) -> bool {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbered = stem.len() < name.len();
    let after_digit = stem
        .strip_suffix('p')
        .is_some_and(|stem| stem.ends_with(|c: char| c.is_ascii_digit()));
    numbered
        && (after_digit
            || ["sd", "vd", "hd", "xvd"]
                .iter()
                .any(|kind| stem.starts_with(kind)))
}

impl Disks {
    /// The facts, a line per filesystem, disk and array.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for filesystem in &self.filesystems {
            _ = write!(
                text,
                "{} ({}, {})",
                filesystem.mount_point, filesystem.device, filesystem.kind
            );
            _ = match (
                filesystem.total_bytes,
                filesystem.used_bytes,
                filesystem.available_bytes,
                filesystem.used_percent,
            ) {
                (Some(total), Some(used), Some(available), Some(percent)) => {
                    write!(
                        text,
                        ": {} of {} used ({percent:.1} %), {} available",
                        units::bytes(used),
                        units::bytes(total),
                        units::bytes(available)
                    )
                }
                _ if filesystem.remote => write!(text, ": network mount, size not asked"),
                _ => write!(text, ": size unknown"),
            };
            text.push_str(if filesystem.read_only {
                ", read-only\n"
            } else {
                "\n"
            });
        }
        if self.filesystems.is_empty() {
            text.push_str("no filesystems found\n");
        }
        for disk in &self.disks {
            let size = disk
                .size_bytes
                .map(|size| format!(" {}", units::bytes(size)))
                .unwrap_or_default();
            let model = disk
                .model
                .as_ref()
                .map(|model| format!(" {model}"))
                .unwrap_or_default();
            _ = writeln!(
                text,
                "disk {}{size}{model}: {} read, {} written",
                disk.name,
                units::bytes(disk.counters.read_bytes),
                units::bytes(disk.counters.written_bytes)
            );
        }
        for array in &self.arrays {
            let state = match (array.active, array.degraded) {
                (false, _) => "inactive",
                (true, true) => "DEGRADED",
                (true, false) => "healthy",
            };
            let level = array.level.as_deref().unwrap_or("array");
            let operation = array
                .operation
                .as_ref()
                .map(|name| {
                    format!(
                        ", {name} at {:.1} %",
                        array.operation_percent.unwrap_or(0.0)
                    )
                })
                .unwrap_or_default();
            _ = writeln!(
                text,
                "{level} {} of {}: {state}{operation}",
                array.name,
                array.members.join(" ")
            );
        }
        text
    }
}

const SECTOR_BYTES: u64 = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_counters_are_bytes() {
        let stats = parse_diskstats(
            " 179       0 mmcblk0 100 5 200 7 300 8 400 9 2 11 12\n   8 1 sda1 1 2 3\n   8 2 sda2 1 2 x 4 5 6 7 8 9 10 11\n",
        );
        let counters = Counters {
            reads: 100,
            read_bytes: 102_400,
            writes: 300,
            written_bytes: 204_800,
            busy_ms: 11,
            requests_in_flight: 2,
        };
        assert_eq!(stats, [("mmcblk0".to_string(), counters)]);
    }

    #[test]
    fn partitions_are_known_by_their_names() {
        for name in ["sda1", "mmcblk0p2", "nvme0n1p3", "vda15"] {
            assert!(looks_like_partition(name), "{name}");
        }
        for name in ["sda", "mmcblk0", "nvme0n1", "md0", "dm-0", "vda", ""] {
            assert!(!looks_like_partition(name), "{name}");
        }
    }
}
