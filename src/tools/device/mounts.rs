//! Mounted filesystems: which of them hold someone's files, and how full those are.
//!
//! In scope: the mount table, what is left out of it, space. Not in scope: disks. Called by [`super::disks`].
//!
//! A network mount whose server is away blocks whoever asks for its space, and one thread serves everyone here: such mounts, and
//! mounts below them, are listed without sizes.

use serde::Serialize;

use super::{Device, root::printable, units};

/// One filesystem, at the shortest of its mount points.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Filesystem {
    /// Where it is mounted.
    pub mount_point: String,
    /// What is mounted.
    pub device: String,
    /// Such as `ext4`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Mounted read-only, by choice or after an error.
    pub read_only: bool,
    /// Not asked for its size.
    pub remote: bool,
    /// Size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<u64>,
    /// In use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_bytes: Option<u64>,
    /// Left for everyone but root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_bytes: Option<u64>,
    /// Used of used and available, as `df` counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_percent: Option<f64>,
    /// Absent where there is no fixed number of inodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inodes_used_percent: Option<f64>,
    /// Further mount points of the same device, at most [`ALSO_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also_mounted_at: Vec<String>,
}

/// A line of `/proc/self/mounts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// What is mounted.
    pub device: String,
    /// Where.
    pub point: String,
    /// Filesystem type.
    pub kind: String,
    /// `ro` among its options.
    pub read_only: bool,
}

/// Parses a mount table (fstab(5)): device, point, type, options, two numbers. Spaces in names are written `\040`.
pub fn parse_mounts(text: &str) -> Vec<Mount> {
    let line = |line: &str| {
        let mut fields = line.split(' ');
        let (device, point, kind, options) = (
            fields.next()?,
            fields.next()?,
            fields.next()?,
            fields.next()?,
        );
        (point.starts_with('/') && !kind.is_empty()).then(|| Mount {
            device: printable(&unescape(device)),
            point: unescape(point),
            kind: printable(kind),
            read_only: options.split(',').any(|option| option == "ro"),
        })
    };
    text.lines().filter_map(line).collect()
}

/// Undoes `\040` and its kin: a backslash and three octal digits are one byte.
fn unescape(text: &str) -> String {
    let mut rest = text.as_bytes();
    let mut plain = Vec::with_capacity(rest.len());
    let octal = |digits: &[u8]| {
        let are_digits = digits.iter().all(|digit| (b'0'..=b'7').contains(digit));
        let digits = std::str::from_utf8(digits).ok().filter(|_| are_digits)?;
        u8::from_str_radix(digits, 8).ok()
    };
    while let [first, behind @ ..] = rest {
        let escaped = behind
            .split_first_chunk::<3>()
            .filter(|_| *first == b'\\')
            .and_then(|(digits, behind)| Some((octal(digits)?, behind)));
        let (byte, behind) = escaped.unwrap_or((*first, behind));
        plain.push(byte);
        rest = behind;
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// The mounts that hold someone's files, each device once.
pub fn filesystems(mounts: &[Mount]) -> Vec<Filesystem> {
    let mut filesystems: Vec<Filesystem> = Vec::new();
    for mount in mounts.iter().filter(|mount| is_real(mount)) {
        // Bind mounts and subvolumes show one device several times; a container has its host's disk at `/etc/hosts`.
        match filesystems
            .iter_mut()
            .find(|earlier| earlier.device == mount.device && earlier.kind == mount.kind)
        {
            Some(earlier) => {
                let longer = if mount.point.len() < earlier.mount_point.len() {
                    earlier.read_only = mount.read_only;
                    std::mem::replace(&mut earlier.mount_point, mount.point.clone())
                } else {
                    mount.point.clone()
                };
                if longer != earlier.mount_point && earlier.also_mounted_at.len() < ALSO_MAX {
                    earlier.also_mounted_at.push(longer);
                }
            }
            None => filesystems.push(Filesystem {
                mount_point: mount.point.clone(),
                device: mount.device.clone(),
                kind: mount.kind.clone(),
                read_only: mount.read_only,
                remote: false,
                total_bytes: None,
                used_bytes: None,
                available_bytes: None,
                used_percent: None,
                inodes_used_percent: None,
                also_mounted_at: Vec::new(),
            }),
        }
    }
    filesystems
}

/// Pseudo filesystems hold the kernel's own matters; overlays, images and memory hold files of interest only as the root.
fn is_real(mount: &Mount) -> bool {
    if MACHINERY
        .iter()
        .any(|folder| mount.point.starts_with(folder))
    {
        return false;
    }
    match mount.kind.as_str() {
        "overlay" | "squashfs" | "tmpfs" | "ramfs" | "rootfs" | "erofs" | "iso9660" => {
            mount.point == "/"
        }
        kind => !PSEUDO.contains(&kind),
    }
}

/// Adds the space, unless the mount or one above it might block.
pub fn with_space(device: &Device, mounts: &[Mount], mut filesystem: Filesystem) -> Filesystem {
    let holds = |above: &Mount| {
        let below = filesystem
            .mount_point
            .strip_prefix(above.point.trim_end_matches('/'));
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    filesystem.remote = is_remote(&filesystem.kind);
    let blocks = filesystem.remote
        || mounts
            .iter()
            .any(|mount| is_remote(&mount.kind) && holds(mount));
    let space = if blocks {
        None
    } else {
        (device.host.space)(&device.root.path(&filesystem.mount_point))
    };
    filesystem.mount_point = printable(&filesystem.mount_point);
    for point in &mut filesystem.also_mounted_at {
        *point = printable(point);
    }
    let Some(space) = space.filter(|space| space.total_bytes > 0) else {
        return filesystem;
    };
    let used = space.total_bytes.saturating_sub(space.free_bytes);
    filesystem.total_bytes = Some(space.total_bytes);
    filesystem.used_bytes = Some(used);
    filesystem.available_bytes = Some(space.available_bytes);
    filesystem.used_percent = units::percent(used, used.saturating_add(space.available_bytes));
    filesystem.inodes_used_percent = units::percent(
        space.inodes_total.saturating_sub(space.inodes_free),
        space.inodes_total,
    );
    filesystem
}

/// Filesystems behind which someone else stands: a server, or a process in user space. Those in user space over a local disk are known.
fn is_remote(kind: &str) -> bool {
    match kind.strip_prefix("fuse.") {
        Some(program) => !LOCAL_FUSE.contains(&program),
        None => REMOTE.contains(&kind),
    }
}

/// Further mount points that are listed for a device: a container host binds the same disk dozens of times.
pub const ALSO_MAX: usize = 8;
/// Where container engines and package managers mount by the hundred, zfs datasets and tmpfs among them.
const MACHINERY: [&str; 4] = [
    "/snap/",
    "/var/lib/containers/",
    "/var/lib/docker/",
    "/var/lib/kubelet/",
];
const PSEUDO: [&str; 29] = [
    "autofs",
    "bdev",
    "binder",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "cpuset",
    "debugfs",
    "devfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "fuse.gvfsd-fuse",
    "fuse.lxcfs",
    "fuse.portal",
    "fuse.snapfuse",
    "hugetlbfs",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tracefs",
];
const REMOTE: [&str; 20] = [
    "9p",
    "acfs",
    "afp",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "fuse",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "orangefs",
    "smb2",
    "smb3",
    "smbfs",
];
/// Over local disks as a rule. `mergerfs` may have a network branch; on a NAS its size is the one people ask for.
const LOCAL_FUSE: [&str; 4] = ["exfat", "mergerfs", "ntfs-3g", "shfs"];

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn points(table: &str) -> Vec<(String, Vec<String>)> {
        filesystems(&parse_mounts(table))
            .into_iter()
            .map(|filesystem| (filesystem.mount_point, filesystem.also_mounted_at))
            .collect()
    }

    #[test]
    fn names_are_unescaped() {
        let mounts = parse_mounts("//nas/my\\040share /mnt/my\\040share\\134x cifs rw,ro=1 0 0\n");
        assert_eq!(
            (
                mounts[0].device.as_str(),
                mounts[0].point.as_str(),
                mounts[0].read_only
            ),
            ("//nas/my share", "/mnt/my share\\x", false)
        );
        for (text, plain) in [
            ("a\\04", "a\\04"),
            ("\\", "\\"),
            ("\\999", "\\999"),
            ("\\777", "\\777"),
            ("\\303\\274", "ü"),
            ("\\303", "\u{fffd}"),
        ] {
            assert_eq!(unescape(text), plain, "{text}");
        }
    }

    #[test]
    fn broken_mount_lines_are_left_out() {
        assert_eq!(
            parse_mounts("\n/dev/sda1\n/dev/sda1 /\n/dev/sda1 / ext4\n/dev/sda1 none ext4 rw\n"),
            []
        );
        assert!(parse_mounts("/dev/sda1 / ext4 ro")[0].read_only);
    }

    #[test]
    fn a_device_is_listed_once_at_its_shortest_point() {
        let table = "overlay / overlay rw 0 0\n/dev/sda1 /etc/hosts ext4 rw 0 0\n/dev/sda1 /data ext4 ro 0 0\n/dev/sda1 /etc/hostname ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\nproc /proc proc rw 0 0\n";
        assert_eq!(
            points(table),
            [
                ("/".to_string(), vec![]),
                (
                    "/data".to_string(),
                    vec!["/etc/hosts".to_string(), "/etc/hostname".to_string()]
                )
            ]
        );
    }

    #[test]
    fn an_engine_s_own_mounts_are_left_out_and_its_disk_is_not() {
        let table =
            "/dev/sda1 /var/lib/docker ext4 rw\ntank/a /var/lib/docker/zfs/graph/a zfs rw\n";
        assert_eq!(points(table), [("/var/lib/docker".to_string(), vec![])]);
    }

    #[test]
    fn further_points_are_bounded() {
        for (count, listed) in [
            (ALSO_MAX - 1, ALSO_MAX - 1),
            (ALSO_MAX, ALSO_MAX),
            (ALSO_MAX + 1, ALSO_MAX),
        ] {
            let mut table = "/dev/sda1 / ext4 rw\n".to_string();
            for at in 0..count {
                _ = writeln!(table, "/dev/sda1 /bind{at} ext4 rw");
            }
            assert_eq!(points(&table)[0].1.len(), listed);
        }
    }

    #[test]
    fn remote_kinds_are_known() {
        for kind in [
            "nfs",
            "nfs4",
            "cifs",
            "smb3",
            "fuse.sshfs",
            "fuse.rclone",
            "fuse.anything",
            "9p",
            "ceph",
        ] {
            assert!(is_remote(kind), "{kind}");
        }
        for kind in [
            "ext4",
            "btrfs",
            "zfs",
            "vfat",
            "fuseblk",
            "fuse.mergerfs",
            "fuse.shfs",
            "virtiofs",
            "overlay",
        ] {
            assert!(!is_remote(kind), "{kind}");
        }
    }
}
