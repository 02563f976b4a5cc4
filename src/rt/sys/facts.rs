//! What the system is asked for, in types of ours.

use std::ffi::CStr;
use std::io::IoSlice;
use std::net::IpAddr;
use std::path::Path;

/// Space of a mounted filesystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Size in bytes.
    pub total_bytes: u64,
    /// Free bytes, those reserved for root included.
    pub free_bytes: u64,
    /// Free bytes for everyone else.
    pub available_bytes: u64,
    /// Inodes; 0 on filesystems that have no fixed number (btrfs, zfs).
    pub inodes_total: u64,
    /// Free inodes.
    pub inodes_free: u64,
}

/// Space of the filesystem mounted at `path`. Blocks for as long as the filesystem does: never call it on a network mount.
pub fn space(path: &Path) -> Option<Space> {
    let stat = rustix::fs::statvfs(path).ok()?;
    let bytes = |blocks: u64| stat.f_frsize.saturating_mul(blocks);
    Some(Space {
        total_bytes: bytes(stat.f_blocks),
        free_bytes: bytes(stat.f_bfree),
        available_bytes: bytes(stat.f_bavail),
        inodes_total: stat.f_files,
        inodes_free: stat.f_ffree,
    })
}

/// The kernel's architecture as `uname -m` shows it, such as `aarch64`; it may be wider than the program's own.
pub fn machine() -> Option<String> {
    let names = rustix::system::uname();
    Some(names.machine().to_string_lossy().into_owned())
}

/// An address of a network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The interface, such as `eth0`.
    pub interface: String,
    /// The address.
    pub address: IpAddr,
    /// Leading bits that name the network; absent when the kernel reports no mask (some tunnels).
    pub prefix_length: Option<u32>,
}

/// How many bits of a network mask are set.
pub(super) fn ones(mask: IpAddr) -> u32 {
    match mask {
        IpAddr::V4(mask) => u32::from(mask).count_ones(),
        IpAddr::V6(mask) => u128::from(mask).count_ones(),
    }
}

/// For [`crate::name_own_thread`]: 0, or the number of an error.
#[doc(hidden)]
pub fn name_thread(name: &CStr) -> i32 {
    rustix::thread::set_name(name).map_or_else(rustix::io::Errno::raw_os_error, |()| 0)
}

/// Where the program was. Takes no memory and no lock, and is one system call: what a signal handler may do (POSIX.1-2017, 2.4.3).
pub(super) fn write_last_words(mut place: usize) {
    let mut digits = [b'0'; 16];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef".get(place & 15).copied().unwrap_or(b'?');
        place >>= 4;
    }
    let version = concat!(
        "siskin ",
        env!("CARGO_PKG_VERSION"),
        " ends by a bug of its own, at 0x"
    );
    let parts = [version.as_bytes(), &digits, b"; please report this line\n"].map(IoSlice::new);
    // Who does not read it cannot be helped.
    _ = rustix::io::writev(rustix::stdio::stderr(), &parts);
}
