//! Stand-ins for the unwinder in static release binaries: every walk over the stack ends at once.
//!
//! The release profile aborts on a panic and strips every name, so a walk could only print bare addresses. Without these
//! definitions the linker takes libunwind from the toolchain, and std's printer of backtraces (a reader of DWARF, inflate, the
//! demangler) stays with it: a tenth of the binary for a trace that says nothing. A panic still prints its message and place.
//! Nothing in the project calls this module; std does, in place of libunwind.

// Symbols by their C names are what the linker asks for.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::process;

/// `_URC_END_OF_STACK` of the Itanium C++ ABI, section 1.2.1 "Exception handling: level I".
const END_OF_STACK: c_int = 5;

/// Ends before the first frame, so `visit` is never called and the linker drops what it would have printed with.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Backtrace(_visit: *const c_void, _argument: *mut c_void) -> c_int {
    END_OF_STACK
}

/// Defines the rest of what std names. Without a frame and without an exception none of it can be reached; all of it must
/// stand here, because one missing name brings in libunwind and with it a second `_Unwind_Backtrace`.
macro_rules! unreachable_without_a_frame {
    ($($name:ident)+) => {
        $(
            #[unsafe(no_mangle)]
            extern "C" fn $name() {
                process::abort()
            }
        )+
    };
}

unreachable_without_a_frame! {
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
