//! The few things that only the C library does: space of a filesystem, interface addresses, page size, kernel architecture,
//! marking descriptors that children must not inherit, giving back pages of the program's own file. And the one thing that only its number names: a descriptor that was
//! open before we were.
//!
//! In scope: one short safe function per call; and, at the end, names that the linker is to find in the program instead of in
//! the toolchain. Not in scope: what the answers mean, and anything that waits.
//! The only file with `unsafe`; each block says why it holds. Called by `tools::device` and `rt::process`.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

// glibc's plain `statvfs` counts blocks in 32 bits on a 32-bit machine and fails on a large disk; musl's is 64 bits wide everywhere.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
use libc::statvfs as statvfs64;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
use libc::statvfs64;

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

/// Space of the filesystem mounted at `path`. Blocks for as long as the filesystem does: never call it on a network mount.
// The field types differ between targets: a cast that widens on one is idle on the next.
#[allow(clippy::unnecessary_cast)]
pub fn space(path: &Path) -> Option<Space> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut stat = MaybeUninit::uninit();
    // SAFETY: `path` ends in a zero byte, `stat` is writable and of the size the call fills.
    if unsafe { statvfs64(path.as_ptr(), stat.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call above succeeded, so it filled the whole structure.
    let stat = unsafe { stat.assume_init() };
    let unit = stat.f_frsize as u64;
    Some(Space {
        total_bytes: unit.saturating_mul(stat.f_blocks as u64),
        free_bytes: unit.saturating_mul(stat.f_bfree as u64),
        available_bytes: unit.saturating_mul(stat.f_bavail as u64),
        inodes_total: stat.f_files as u64,
        inodes_free: stat.f_ffree as u64,
    })
}

/// All IPv4 and IPv6 addresses of all interfaces, in the kernel's order; empty when it refuses to list them.
pub fn interface_addresses() -> Vec<InterfaceAddress> {
    let mut first: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: `first` is writable; on success it holds the head of a list that we free below.
    if unsafe { libc::getifaddrs(&mut first) } != 0 {
        return Vec::new();
    }
    let mut addresses = Vec::new();
    let mut next = first;
    while !next.is_null() {
        // SAFETY: `next` is an entry of the list, which lives until `freeifaddrs` below.
        let entry = unsafe { &*next };
        next = entry.ifa_next;
        if entry.ifa_name.is_null() {
            continue;
        }
        // SAFETY: the name of an entry is a string that ends in a zero byte and lives as long as the list.
        let interface = unsafe { CStr::from_ptr(entry.ifa_name) }
            .to_string_lossy()
            .into_owned();
        // SAFETY: both pointers are null or point to a socket address of the same list.
        let (address, mask) = unsafe { (ip(entry.ifa_addr), ip(entry.ifa_netmask)) };
        if let Some(address) = address {
            addresses.push(InterfaceAddress {
                interface,
                address,
                prefix_length: mask.map(ones),
            });
        }
    }
    // SAFETY: `first` came from `getifaddrs`; every string and address was copied out above.
    unsafe { libc::freeifaddrs(first) };
    addresses
}

/// The first `count` descriptors after the three standard ones, which whoever started this process left open for us. None
/// of them is passed on to children. The second call has nothing to give: a descriptor has one owner.
pub fn inherited_descriptors(count: usize) -> io::Result<Vec<OwnedFd>> {
    const FIRST: RawFd = 3;
    static ARE_TAKEN: AtomicBool = AtomicBool::new(false);
    if ARE_TAKEN.swap(true, Ordering::SeqCst) {
        return Ok(Vec::new());
    }
    let descriptors = (FIRST..).take(count).map(|number| {
        // SAFETY: asked only whether it is open, which harms nobody; it is not kept.
        let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
        rustix::io::fcntl_setfd(borrowed, rustix::io::FdFlags::CLOEXEC)?;
        // SAFETY: it is open, by the call above, and nobody else in this process owns it: it was open before `main`, its
        // number was told to us alone, and this runs once.
        Ok(unsafe { OwnedFd::from_raw_fd(number) })
    });
    descriptors.collect()
}

/// Bytes per memory page: 4096 nearly everywhere, 16384 on a Raspberry Pi 5.
pub fn page_bytes() -> u64 {
    // SAFETY: takes a number, returns a number.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(size).unwrap_or(4096)
}

/// The kernel's architecture as `uname -m` shows it, such as `aarch64`; it may be wider than the program's own.
pub fn machine() -> Option<String> {
    let mut names = MaybeUninit::<libc::utsname>::uninit();
    // SAFETY: the structure is writable and of the size the call fills.
    if unsafe { libc::uname(names.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call above succeeded, so every field is a string that ends in a zero byte.
    let machine = unsafe { CStr::from_ptr((*names.as_ptr()).machine.as_ptr()) };
    Some(machine.to_string_lossy().into_owned())
}

/// Keeps every descriptor beyond standard error from being inherited by children. Ours are marked when they are opened;
/// those that the process was started with, and a library's, may not be.
pub fn keep_descriptors() {
    #[cfg(target_os = "linux")]
    {
        const FIRST: u32 = 3;
        // SAFETY: takes three numbers; the flag changes nothing about a descriptor but what `exec` does with it.
        let done = unsafe {
            libc::syscall(
                libc::SYS_close_range,
                FIRST,
                u32::MAX,
                libc::CLOSE_RANGE_CLOEXEC,
            )
        };
        if done == 0 {
            return;
        }
    }
    // Before Linux 5.11 one by one.
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    for number in numbers.filter(|number: &libc::c_int| *number > libc::STDERR_FILENO) {
        // SAFETY: as above; a number that is no descriptor any more is answered with an error.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

/// Unmaps the pages of the program's own file that are in memory: code that ran and constants that were read. They stay in
/// the kernel's cache as long as it has room, and come back by themselves, a window of them at a time, when they are used.
///
/// Some 40 microseconds for the first request after it, on a desktop processor.
pub fn release_program_pages() {
    #[cfg(target_os = "linux")]
    // SAFETY: the callback gets a valid description of each part of the program in turn, and keeps nothing of it.
    unsafe {
        libc::dl_iterate_phdr(Some(release_pages), std::ptr::null_mut());
    }
}

/// For the first of the process's files, which is the program.
#[cfg(target_os = "linux")]
unsafe extern "C" fn release_pages(
    info: *mut libc::dl_phdr_info,
    _: usize,
    _: *mut libc::c_void,
) -> libc::c_int {
    const DONE: libc::c_int = 1;
    let Ok(page) = usize::try_from(page_bytes()) else {
        return DONE;
    };
    // SAFETY: the C library passes a structure that lives for the call, and with it the address and length of its headers.
    let (base, headers) = unsafe {
        let info = &*info;
        let count = usize::from(info.dlpi_phnum);
        (
            info.dlpi_addr,
            std::slice::from_raw_parts(info.dlpi_phdr, count),
        )
    };
    for header in headers {
        if header.p_type != libc::PT_LOAD || header.p_flags & libc::PF_W != 0 {
            continue;
        }
        let (Ok(start), Ok(length)) = (
            usize::try_from(base + header.p_vaddr),
            usize::try_from(header.p_memsz),
        ) else {
            continue;
        };
        // Whole pages inside it alone: those at its ends may be shared with a part that is written to.
        let end = (start + length) / page * page;
        let start = start.next_multiple_of(page);
        if start < end {
            // SAFETY: these pages are of a private mapping of a file that nobody can write to while it runs, and are not
            // writable themselves, so that what is read from the file again is what was there.
            unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_DONTNEED) };
        }
    }
    DONE
}

/// The IP address behind a socket address of a family we know.
///
/// # Safety
/// `address` is null or points to a socket address as large as its family says.
unsafe fn ip(address: *const libc::sockaddr) -> Option<IpAddr> {
    if address.is_null() {
        return None;
    }
    // SAFETY: not null, and every socket address begins with its family. Unaligned reads, as the list promises no alignment.
    let family = i32::from(unsafe { (&raw const (*address).sa_family).read_unaligned() });
    match family {
        libc::AF_INET => {
            // SAFETY: the family says that a `sockaddr_in` is there.
            let v4 = unsafe { address.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(IpAddr::V4(Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes())))
        }
        libc::AF_INET6 => {
            // SAFETY: the family says that a `sockaddr_in6` is there.
            let v6 = unsafe { address.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some(IpAddr::V6(Ipv6Addr::from(v6.sin6_addr.s6_addr)))
        }
        _ => None,
    }
}

fn ones(mask: IpAddr) -> u32 {
    match mask {
        IpAddr::V4(mask) => u32::from(mask).count_ones(),
        IpAddr::V6(mask) => u128::from(mask).count_ones(),
    }
}

/// Stand-ins for the unwinder in static release binaries: every walk over the stack ends at once. For `main.rs`; in the library
/// they would come into programs of others.
///
/// The release profile aborts on a panic and strips every name, so a walk could only print bare addresses. Without these
/// definitions the linker takes libunwind from the toolchain, and std's printer of backtraces (a reader of DWARF, inflate, the
/// demangler) stays with it: a tenth of the binary for a trace that says nothing. A panic still prints its message and place.
/// Nothing in the project calls them; std does, in place of libunwind.
///
/// Why it holds: the names are those of the Itanium C++ ABI, section 1.2.1 "Exception handling: level I", that std asks for, and
/// nobody else defines them here. The walk returns `_URC_END_OF_STACK` (5) before the first frame, so `_visit` is never called,
/// and the linker drops what it would have printed with. Without a frame and without an exception none of the rest can be
/// reached; all of it must stand here, because one missing name brings in libunwind and with it a second `_Unwind_Backtrace`.
#[doc(hidden)]
#[macro_export]
macro_rules! end_every_stack_walk {
    () => {
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        extern "C" fn _Unwind_Backtrace(
            _visit: *const ::std::ffi::c_void,
            _argument: *mut ::std::ffi::c_void,
        ) -> ::std::ffi::c_int {
            5
        }
        $crate::end_every_stack_walk! {
            _Unwind_GetDataRelBase
            _Unwind_GetIP
            _Unwind_GetIPInfo
            _Unwind_GetLanguageSpecificData
            _Unwind_GetRegionStart
            _Unwind_GetTextRelBase
            _Unwind_Resume
            _Unwind_SetGR
            _Unwind_SetIP
        }
    };
    ($($unreachable:ident)+) => {
        $(
            #[allow(unsafe_code)]
            #[unsafe(no_mangle)]
            extern "C" fn $unreachable() {
                ::std::process::abort()
            }
        )+
    };
}

/// The C library's comparison of two pieces of memory for equality, by words. For `main.rs` in builds with musl, whose own goes byte
/// by byte: of all instructions of a small call that was a tenth. The name is an argument for the tests alone.
///
/// Why it holds: whoever calls it promises that both are readable for so many bytes (POSIX.1-2001, `bcmp`), and no read goes beyond: a
/// word is read where eight bytes are left, and the last one ends with the last byte. The differences are joined by `|`, for a row
/// of comparisons could be compiled into a call of this very function.
#[doc(hidden)]
#[macro_export]
macro_rules! compare_by_words {
    ($name:ident) => {
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            one: *const u8,
            other: *const u8,
            length: usize,
        ) -> ::std::ffi::c_int {
            let byte = |at: usize| unsafe { one.add(at).read() ^ other.add(at).read() };
            let half = |at: usize| unsafe {
                one.add(at).cast::<u32>().read_unaligned()
                    ^ other.add(at).cast::<u32>().read_unaligned()
            };
            let word = |at: usize| unsafe {
                one.add(at).cast::<u64>().read_unaligned()
                    ^ other.add(at).cast::<u64>().read_unaligned()
            };
            let difference = match length {
                0 => 0,
                1..4 => u64::from(byte(0) | byte(length / 2) | byte(length - 1)),
                4..8 => u64::from(half(0) | half(length - 4)),
                _ => {
                    let (mut at, last) = (0, length - 8);
                    while at < last && word(at) == 0 {
                        at += 8;
                    }
                    word(at.min(last))
                }
            };
            ::std::ffi::c_int::from(difference != 0)
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_filesystem_has_a_size_and_a_missing_path_has_none() {
        let space = space(Path::new("/")).unwrap();
        assert!(
            space.total_bytes >= space.free_bytes
                && space.free_bytes >= space.available_bytes
                && space.total_bytes > 0
        );
        assert_eq!(super::space(Path::new("/there/is/no/such/folder")), None);
        assert_eq!(super::space(Path::new("/a\0b")), None);
    }

    #[test]
    fn what_was_written_outlives_the_release_of_the_programs_pages() {
        static WRITTEN: std::sync::Mutex<[u64; 2048]> = std::sync::Mutex::new([1; 2048]);
        static READ_ONLY: [u64; 2048] = [3; 2048];
        WRITTEN.lock().unwrap().fill(2);
        release_program_pages();
        assert_eq!(*WRITTEN.lock().unwrap(), [2; 2048]);
        assert_eq!(std::hint::black_box(&READ_ONLY), &[3; 2048]);
    }

    crate::compare_by_words!(siskin_test_bcmp);

    #[test]
    fn comparing_by_words_is_comparing() {
        for length in 0..40 {
            let one = vec![7; length];
            let compare = |other: &[u8]| {
                // SAFETY: both are so long.
                unsafe { siskin_test_bcmp(one.as_ptr(), other.as_ptr(), length) }
            };
            assert_eq!(compare(&one.clone()), 0);
            for at in 0..length {
                for bit in 0..8 {
                    let mut other = one.clone();
                    other[at] ^= 1 << bit;
                    assert_ne!(compare(&other), 0, "{length} {at} {bit}");
                }
            }
        }
    }

    #[test]
    fn loopback_has_its_address() {
        let addresses = interface_addresses();
        let loopback = addresses
            .iter()
            .find(|entry| entry.address == IpAddr::V4(Ipv4Addr::LOCALHOST))
            .unwrap();
        assert_eq!(loopback.prefix_length, Some(8));
        assert_eq!(ones("ffff:ffff::".parse().unwrap()), 32);
    }

    #[test]
    fn pages_are_powers_of_two_and_the_machine_has_a_name() {
        assert!(page_bytes().is_power_of_two());
        assert!(machine().is_some_and(|name| !name.is_empty()));
    }
}
