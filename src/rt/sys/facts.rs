//! What the system is asked for, in types of ours.

use std::net::IpAddr;

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
