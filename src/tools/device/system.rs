//! `device_system`: which machine this is.
//!
//! In scope: names, versions, board, uptime, container detection. Not in scope: serial numbers and machine ids, which identify a
//! person's device and help nobody. Called through [`super::TOOLS`].

use std::fmt::Write as _;

use serde::Serialize;

use super::cpuinfo;
use super::{
    Device, DeviceError, DeviceTool, Facts, READS_THIS_MACHINE, Root, Run, args::Args, units,
};

/// The tool.
pub const TOOL: DeviceTool = DeviceTool {
    name: "device_system",
    title: "System overview",
    description: "Returns what this machine is: host name, operating system, kernel, architecture, board or PC model, uptime, boot time, \
and whether the server runs inside a container. Use it first when you need to know which device you are talking to, when it was last rebooted, \
or which commands and packages would fit it. Takes no arguments. Members that the machine does not offer are absent.",
    input_schema: r#"{"type":"object","properties":{},"additionalProperties":false}"#,
    output_schema: r#"{"type":"object","properties":{"hostname":{"type":"string"},"os":{"type":"object","properties":{"name":{"type":"string","description":"Full name, e.g. Debian GNU/Linux 12 (bookworm)"},"id":{"type":"string","description":"Short id, e.g. debian"},"version":{"type":"string"}}},"kernel_release":{"type":"string"},"architecture":{"type":"string","description":"Kernel architecture, e.g. aarch64"},"program_architecture":{"type":"string","description":"Architecture the server was built for"},"model":{"type":"string","description":"Board or PC model"},"vendor":{"type":"string"},"uptime_seconds":{"type":"integer","minimum":0},"boot_time":{"type":"string","description":"RFC 3339, UTC"},"boot_time_unix_seconds":{"type":"integer","minimum":0},"container":{"type":"string","description":"Container runtime when inside one, e.g. docker; absent otherwise"}},"required":["program_architecture"]}"#,
    annotations: READS_THIS_MACHINE,
    enabled_by_default: true,
    run: Run::Read(facts),
};

/// What this machine is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct System {
    /// The kernel's host name; in a container the container's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The distribution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<OsRelease>,
    /// Such as `6.6.51+rpt-rpi-v8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel_release: Option<String>,
    /// The kernel's architecture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// The server's own: a 32-bit system on a 64-bit kernel is common on a Raspberry Pi.
    pub program_architecture: &'static str,
    /// Board or PC model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Who made it, where firmware says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Seconds since boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<u64>,
    /// RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_time: Option<String>,
    /// The same in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_time_unix_seconds: Option<u64>,
    /// Container runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

/// The parts of `os-release` that say which system this is (os-release(5)).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OsRelease {
    /// `PRETTY_NAME`, else `NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `ID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `VERSION_ID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Answers a call.
pub fn facts(device: &Device, args: &str) -> Result<Facts, DeviceError> {
    Args::parse(args, &[])?;
    let system = read(device);
    Ok(Facts::new(&system, system.text()))
}

/// Reads the facts.
pub fn read(device: &Device) -> System {
    let root = &device.root;
    let os_release = root
        .text("etc/os-release")
        .or_else(|| root.text("usr/lib/os-release"));
    let boot = root
        .text("proc/stat")
        .and_then(|text| parse_boot_time(&text));
    let (vendor, model) = board(root);
    System {
        hostname: root
            .line("proc/sys/kernel/hostname")
            .or_else(|| root.line("etc/hostname")),
        os: os_release
            .map(|text| parse_os_release(&text))
            .filter(|os| *os != OsRelease::default()),
        kernel_release: root.line("proc/sys/kernel/osrelease"),
        architecture: root
            .line("proc/sys/kernel/arch")
            .or_else(device.host.machine),
        program_architecture: std::env::consts::ARCH,
        model,
        vendor,
        uptime_seconds: uptime_centis(root).map(|centis| centis / 100),
        boot_time: boot.map(units::timestamp),
        boot_time_unix_seconds: boot,
        container: container(root),
    }
}

/// Hundredths of a second since boot: the clock of all samples here.
pub fn uptime_centis(root: &Root) -> Option<u64> {
    parse_uptime(&root.text("proc/uptime")?)
}

/// Parses `/proc/uptime`: `566.88 1052.17` is 56688 hundredths.
pub fn parse_uptime(text: &str) -> Option<u64> {
    let (seconds, rest) = text.split_whitespace().next()?.split_once('.')?;
    if rest.len() != 2 {
        return None;
    }
    seconds
        .parse::<u64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(rest.parse().ok()?)
}

/// Finds the `btime` line of `/proc/stat`, seconds since 1970. A board without a battery clock boots in 1970 or so and corrects
/// itself later; the kernel then moves this value too.
pub fn parse_boot_time(text: &str) -> Option<u64> {
    let seconds = text
        .lines()
        .find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())?;
    (seconds <= YEAR_9999).then_some(seconds)
}

/// Parses `os-release`: shell assignments, quoted or not.
pub fn parse_os_release(text: &str) -> OsRelease {
    let value = |key: &str| {
        let raw = text
            .lines()
            .find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
        let value = unquote(raw.trim());
        (!value.is_empty()).then_some(value)
    };
    OsRelease {
        name: value("PRETTY_NAME").or_else(|| value("NAME")),
        id: value("ID"),
        version: value("VERSION_ID"),
    }
}

fn unquote(raw: &str) -> String {
    let inner = ['"', '\'']
        .iter()
        .find_map(|&quote| raw.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(raw);
    let mut value = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        value.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    super::root::printable(&value)
}

/// Vendor and model: the device tree on boards, DMI on PCs, and `/proc/cpuinfo` where a container runtime hides the first two.
fn board(root: &Root) -> (Option<String>, Option<String>) {
    let tree = root
        .line("proc/device-tree/model")
        .or_else(|| root.line("sys/firmware/devicetree/base/model"));
    if tree.is_some() {
        return (None, tree);
    }
    let dmi = |name: &str| {
        root.line(&format!("sys/class/dmi/id/{name}"))
            .filter(|text| !is_filler(text))
    };
    let model = dmi("product_name").or_else(|| dmi("board_name"));
    let model = model.or_else(|| {
        root.text("proc/cpuinfo")
            .and_then(|text| cpuinfo::parse_board(&text))
    });
    (dmi("sys_vendor").or_else(|| dmi("board_vendor")), model)
}

/// What board makers leave in DMI fields they did not fill in.
fn is_filler(text: &str) -> bool {
    const FILLERS: [&str; 8] = [
        "to be filled by",
        "default string",
        "system manufacturer",
        "system product name",
        "not applicable",
        "not specified",
        "o.e.m.",
        "unknown",
    ];
    let text = text.to_ascii_lowercase();
    FILLERS.iter().any(|filler| text.starts_with(filler))
}

/// The container runtime around the server. A tree that is mounted elsewhere is a host's, whatever we run in ourselves.
pub fn container(root: &Root) -> Option<String> {
    if let Some(name) = root
        .line("run/systemd/container")
        .or_else(|| root.line("run/host/container-manager"))
    {
        return Some(name);
    }
    let marks = [
        ("var/run/secrets/kubernetes.io", "kubernetes"),
        ("run/.containerenv", "podman"),
        (".dockerenv", "docker"),
        ("dev/lxd/sock", "lxd"),
    ];
    if let Some((_, name)) = marks.iter().find(|(path, _)| root.exists(path)) {
        return Some((*name).to_string());
    }
    // `self` is us, wherever the tree is mounted.
    let groups: &[&str] = if root.is_own() {
        &["proc/1/cgroup", "proc/self/cgroup"]
    } else {
        &["proc/1/cgroup"]
    };
    groups
        .iter()
        .find_map(|path| parse_container(&root.text(path)?))
        .map(str::to_string)
}

/// The runtime that named a cgroup path; private cgroup namespaces hide it.
pub fn parse_container(cgroup: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 6] = [
        ("kubepods", "kubernetes"),
        ("/docker", "docker"),
        ("libpod", "podman"),
        ("/lxc", "lxc"),
        ("containerd", "containerd"),
        ("machine.slice/systemd-nspawn", "systemd-nspawn"),
    ];
    let paths = || cgroup.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    // The daemons themselves run in `/system.slice/docker.service`, which is no container.
    let named = |mark: &str| paths().any(|path| path.contains(mark) && !path.ends_with(".service"));
    NAMES
        .iter()
        .find(|(mark, _)| named(mark))
        .map(|&(_, name)| name)
}

impl System {
    /// The facts in a few lines.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                _ = writeln!(text, "{name:<11}{value}");
            }
        };
        line("host", self.hostname.as_deref());
        let model = match (&self.vendor, &self.model) {
            (Some(vendor), Some(model)) => Some(format!("{vendor} {model}")),
            (vendor, model) => model.clone().or_else(|| vendor.clone()),
        };
        line("model", model.as_deref());
        line(
            "system",
            self.os
                .as_ref()
                .and_then(|os| os.name.as_deref().or(os.id.as_deref())),
        );
        line("kernel", self.kernel_release.as_deref());
        line(
            "machine",
            Some(
                self.architecture
                    .as_deref()
                    .unwrap_or(self.program_architecture),
            ),
        );
        line("container", self.container.as_deref());
        let up = self.uptime_seconds.map(units::span);
        line("up", up.as_deref());
        line("booted", self.boot_time.as_deref());
        text
    }
}

/// Seconds since 1970 beyond which a date has five-digit years and a counter is broken.
const YEAR_9999: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_is_hundredths() {
        assert_eq!(parse_uptime("566.88 1052.17\n"), Some(56_688));
        assert_eq!(parse_uptime("0.05 0.00"), Some(5));
        assert_eq!(parse_uptime("184467440737095516.15 1"), Some(u64::MAX));
        for text in [
            "",
            "566",
            "566.8 1",
            "566.888 1",
            "-1.00 0",
            "x.yz",
            "184467440737095516.16 1",
        ] {
            assert_eq!(parse_uptime(text), None, "{text}");
        }
    }

    #[test]
    fn boot_time_is_one_line_of_many() {
        assert_eq!(
            parse_boot_time("cpu  1 2\nctxt 5\nbtime 1760000000\nprocesses 9\n"),
            Some(1_760_000_000)
        );
        for text in [
            "",
            "btime",
            "btime x",
            "btime -5",
            "xbtime 5",
            "btime 18446744073709551615",
        ] {
            assert_eq!(parse_boot_time(text), None, "{text}");
        }
    }

    #[test]
    fn os_release_is_unquoted() {
        let os = parse_os_release(
            "PRETTY_NAME=\"Alpine Linux v3.20\"\nID=alpine\nVERSION_ID='3.20.3'\nNAME=x\n",
        );
        assert_eq!(
            os,
            OsRelease {
                name: Some("Alpine Linux v3.20".into()),
                id: Some("alpine".into()),
                version: Some("3.20.3".into())
            }
        );
        assert_eq!(
            parse_os_release("NAME=\"a \\\"b\\\" \\\\\"")
                .name
                .as_deref(),
            Some("a \"b\" \\")
        );
        for text in ["", "ID", "ID=\nNAME=\"\"", "\u{0}", "PRETTY_NAME"] {
            assert_eq!(parse_os_release(text), OsRelease::default(), "{text}");
        }
        assert_eq!(parse_os_release("ID=\"").id.as_deref(), Some("\""));
    }

    #[test]
    fn containers_are_known_by_their_groups() {
        for (text, name) in [
            ("0::/kubepods/besteffort/pod1", Some("kubernetes")),
            ("4:memory:/docker/0123\n", Some("docker")),
            ("0::/system.slice/docker-0123.scope", Some("docker")),
            ("0::/machine.slice/libpod-01.scope", Some("podman")),
            ("1:name=systemd:/lxc/web", Some("lxc")),
            ("0::/system.slice/docker.service", None),
            ("0::/", None),
            ("", None),
            ("docker", None),
        ] {
            assert_eq!(parse_container(text), name, "{text}");
        }
    }

    #[test]
    fn fillers_are_no_names() {
        assert!(
            is_filler("To Be Filled By O.E.M.")
                && is_filler("Default string")
                && is_filler("System Product Name")
        );
        assert!(!is_filler("ProLiant MicroServer Gen10") && !is_filler("Unraid box"));
    }
}
