//! The few things that only the C library does: interface addresses, page size, marking descriptors that children must not inherit,
//! giving back pages of the program's own file, memory, the last words of a program that a bug ends. And the one thing that only its
//! number names: a descriptor that was open before we were.
//!
//! In scope: one short safe function per call; an allocator around the C library's; and, at the end, names that the linker is to find
//! in the program instead of in the toolchain. Not in scope: what the answers mean, and anything that waits.
//! The only file with `unsafe`; each block says why it holds. Called by `tools::device`, by `app`, and by the rest of `rt`.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::CStr;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, Ordering};

mod facts;
use facts::ones;
pub use facts::{InterfaceAddress, Space, machine, name_thread, space};

/// All IPv4 and IPv6 addresses of all interfaces, in the kernel's order; empty when it refuses to list them.
pub fn interface_addresses() -> Vec<InterfaceAddress> {
    let mut first: *mut libc::ifaddrs = ptr::null_mut();
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
        libc::dl_iterate_phdr(Some(release_pages), ptr::null_mut());
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

/// Has the program say where it was when a bug ends it.
///
/// As it is shipped, whatever would panic is one instruction that nobody may run: the words would be a twentieth of the program. The
/// address of it names the place as well, by `cross/where.sh`.
pub fn report_bugs() {
    for signal in [libc::SIGILL, libc::SIGTRAP] {
        // SAFETY: all zeros are a valid action, the default one.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = report_bug as *const () as libc::sighandler_t;
        // The default action comes back, by which the signal ends the process as it would have.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESETHAND;
        // SAFETY: the action lives for the call, and its function does only what a signal handler may.
        unsafe { libc::sigaction(signal, &action, ptr::null_mut()) };
    }
}

/// May come in between anything.
extern "C" fn report_bug(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel passes a structure that lives for the call, and for these two signals it holds an address.
    let place = unsafe { (*info).si_addr() };
    facts::write_last_words(place.addr());
    // SAFETY: takes a number. It arrives when this has returned, or the instruction itself is tried once more.
    unsafe { libc::raise(signal) };
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

/// The C library's allocator, with a few small pieces kept at hand on the thread that serves. For `main.rs` in builds with musl, whose
/// own spends some 500 instructions and a lock on a piece and its return: with the five of a small call, a tenth of it.
///
/// Why it holds: a piece comes back with the layout it was asked for with (the contract of `GlobalAlloc`), so its size alone says which
/// row it belongs to, and every piece of a row was made as large as the row says. Rows belong to their thread. Miri agrees by Tree
/// Borrows (`-Zmiri-tree-borrows`); Stacked Borrows knows no allocator that makes a piece larger than it was asked for.
#[doc(hidden)]
#[derive(Debug)]
pub struct KeepSmall;

/// From one row to the next, in bytes: as slots of the C library grow, which keeps the last four bytes of each.
const ROW_STEP: usize = 16;
const SLOT_END: usize = 4;
const ROW_ALIGN: usize = 8;
/// Up to 508 bytes.
const ROWS: usize = 32;
/// What one request has of a size, and some. All rows keep 34 kB at most.
const KEPT_MAX: u8 = 4;

/// Pieces of one size that came back, each with the address of the next in its first bytes.
struct Row {
    first: Cell<*mut u8>,
    kept: Cell<u8>,
}

thread_local! {
    // Full, so that nothing is kept, until `keep_small_pieces`. Has nothing to drop, so it is there until a thread's last moment.
    static ROW: [Row; ROWS] = const {
        [const { Row { first: Cell::new(ptr::null_mut()), kept: Cell::new(KEPT_MAX) } }; ROWS]
    };
}

/// This thread keeps small pieces from here on, until [`return_small_pieces`], where [`KeepSmall`] is the allocator.
pub(super) fn keep_small_pieces() {
    ROW.with(|rows| rows.iter().for_each(|row| row.kept.set(0)));
}

/// Gives back what this thread keeps: nobody else could have it.
pub(super) fn return_small_pieces() {
    ROW.with(|rows| {
        for (at, row) in rows.iter().enumerate() {
            while let Some(piece) = row.take() {
                // SAFETY: made with this layout, and nobody's.
                unsafe { System.dealloc(piece.as_ptr(), row_layout(at)) };
            }
            row.kept.set(KEPT_MAX);
        }
    });
}

/// The row of such pieces, unless they are too large or aligned to more.
#[inline]
fn row_of(layout: Layout) -> Option<usize> {
    let at = (layout.size() + SLOT_END - 1) / ROW_STEP;
    (at < ROWS && layout.align() <= ROW_ALIGN).then_some(at)
}

#[inline]
fn row_layout(at: usize) -> Layout {
    // SAFETY: a power of two, and nowhere near the largest size there is.
    unsafe { Layout::from_size_align_unchecked((at + 1) * ROW_STEP - SLOT_END, ROW_ALIGN) }
}

impl Row {
    #[inline]
    fn take(&self) -> Option<NonNull<u8>> {
        let piece = NonNull::new(self.first.get())?;
        // SAFETY: `put` wrote it there, and nobody has had the piece since.
        self.first.set(unsafe { piece.cast::<*mut u8>().read() });
        self.kept.set(self.kept.get() - 1);
        Some(piece)
    }

    /// False: there are enough.
    ///
    /// # Safety
    /// The piece is of this row and nobody's.
    #[inline]
    unsafe fn put(&self, piece: *mut u8) -> bool {
        let has_room = self.kept.get() < KEPT_MAX;
        if has_room {
            self.kept.set(self.kept.get() + 1);
            // SAFETY: the smallest piece has room for an address and is aligned for it.
            unsafe { piece.cast::<*mut u8>().write(self.first.replace(piece)) };
        }
        has_room
    }
}

// SAFETY: what is handed out is the system's, large enough, and nobody else's until it comes back.
unsafe impl GlobalAlloc for KeepSmall {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(at) = row_of(layout) else {
            // SAFETY: as the caller promises.
            return unsafe { System.alloc(layout) };
        };
        match ROW.with(|rows| rows.get(at).and_then(Row::take)) {
            Some(piece) => piece.as_ptr(),
            // SAFETY: the size of a row is not 0.
            None => unsafe { System.alloc(row_layout(at)) },
        }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        match row_of(layout) {
            // SAFETY: the piece came from this row, as its layout says, and the caller has done with it.
            Some(at)
                if ROW.with(|rows| rows.get(at).is_some_and(|row| unsafe { row.put(piece) })) => {}
            // SAFETY: it was made with this layout.
            Some(at) => unsafe { System.dealloc(piece, row_layout(at)) },
            // SAFETY: as the caller promises.
            None => unsafe { System.dealloc(piece, layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match row_of(layout) {
            // SAFETY: large enough, if it is there at all.
            Some(_) => unsafe {
                let piece = NonNull::new(self.alloc(layout));
                piece.map_or(ptr::null_mut(), |piece| {
                    piece.write_bytes(0, layout.size());
                    piece.as_ptr()
                })
            },
            // SAFETY: as the caller promises. The system knows which pages are zero without being written.
            None => unsafe { System.alloc_zeroed(layout) },
        }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the new size, rounded up to the alignment, is none too large.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (row_of(layout), row_of(new)) {
            // SAFETY: as the caller promises.
            (None, None) => unsafe { System.realloc(piece, layout, size) },
            (before, after) if before == after => piece,
            // SAFETY: two pieces, both at least as large as what is copied.
            _ => unsafe {
                let moved = self.alloc(new);
                if !moved.is_null() {
                    ptr::copy_nonoverlapping(piece, moved, size.min(layout.size()));
                    self.dealloc(piece, layout);
                }
                moved
            },
        }
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

/// The name of a thread, for what the kernel shows of it. For `main.rs` in builds with musl, whose own writes a path by `snprintf` for the
/// sake of other threads than the one that calls, and with that come 9 kB of it, floating point and all. std names the one that calls.
///
/// Why it holds: the caller promises a text that ends in a zero byte, of which the kernel takes 15 bytes (prctl(2), `PR_SET_NAME`).
#[doc(hidden)]
#[macro_export]
macro_rules! name_own_thread {
    () => {
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn pthread_setname_np(
            _thread: *mut ::std::ffi::c_void,
            name: *const ::std::ffi::c_char,
        ) -> ::std::ffi::c_int {
            $crate::rt::sys::name_thread(unsafe { ::std::ffi::CStr::from_ptr(name) })
        }
    };
}

/// Multiples of the base point of P-256 (FIPS 186-5) as the general multiplication of ring makes them, which it has for every other point.
/// For `main.rs` in static builds for 64-bit machines, where `build.rs` has the linker put these in place of ring's own functions: those
/// have a table of 152 kB, a twentieth of the program, to spare a handshake some 50 microseconds.
///
/// Why it holds: the arguments are those of the functions they stand for (ring 0.17.14, `ops/p256.rs`), a point of three times four
/// limbs and a scalar of four, and the base point's coordinates are passed as `p256_point_mul` takes them, times 2^256. The names hold
/// ring's version, so with another one nothing links until somebody has looked again.
#[doc(hidden)]
#[macro_export]
macro_rules! multiply_without_tables {
    ($($name:ident)+) => {$(
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(product: *mut u64, scalar: *const u64) {
            const X: [u64; 4] = [0x79e7_30d4_18a9_143c, 0x75ba_95fc_5fed_b601, 0x79fb_732b_7762_2510, 0x1890_5f76_a537_55c6];
            const Y: [u64; 4] = [0xddf2_5357_ce95_560a, 0x8b4a_b8e4_ba19_e45c, 0xd2e8_8688_dd21_f325, 0x8571_ff18_2588_5d85];
            unsafe extern "C" {
                fn ring_core_0_17_14__p256_point_mul(product: *mut u64, scalar: *const u64, x: *const u64, y: *const u64);
            }
            unsafe { ring_core_0_17_14__p256_point_mul(product, scalar, X.as_ptr(), Y.as_ptr()) }
        }
    )+};
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
mod tests;

#[cfg(test)]
compare_by_words!(siskin_test_bcmp);

/// What [`compare_by_words`] says, for the tests.
#[cfg(test)]
fn compare(one: &[u8], other: &[u8]) -> libc::c_int {
    // SAFETY: neither is read further than the shorter one is long.
    unsafe { siskin_test_bcmp(one.as_ptr(), other.as_ptr(), one.len().min(other.len())) }
}
