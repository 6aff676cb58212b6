//! Limits and sizes: sysconf(3), getpagesize(3), getdtablesize(3).

use crate::sysctl::{self, CTL_HW, CTL_KERN};
use crate::{errno, sys};
use core::ffi::{c_int, c_long};
use rump_abi::resource::{RLIMIT_NOFILE, RLIMIT_NPROC};
use rump_abi::sysctl::{HW_NCPU, HW_NCPUONLINE, HW_PHYSMEM64, HW_USERMEM64, KERN_ARGMAX, KERN_NGROUPS};

const PAGE: c_long = 4096;
/// What POSIX says of version 2001, which NetBSD's unistd.h names.
const POSIX: c_long = 200_112;

/// The current limit of a resource; -1 if there is none.
fn limit(resource: c_int) -> c_long {
    let mut limit = [0; 2];
    // SAFETY: the array has the layout of `struct rlimit`.
    if unsafe { sys::getrlimit(resource, &raw mut limit) } != 0 {
        return -1;
    }
    c_long::try_from(limit[0]).unwrap_or(-1)
}

fn value(name: [c_int; 2]) -> c_long {
    sysctl::number(name).map_or(-1, |value| value as c_long)
}

/// sysconf(3). The names are numbers of sys/unistd.h.
#[unsafe(no_mangle)]
pub extern "C" fn sysconf(name: c_int) -> c_long {
    match name {
        1 => value([CTL_KERN, KERN_ARGMAX]),
        2 => limit(RLIMIT_NPROC),
        4 => value([CTL_KERN, KERN_NGROUPS]),
        5 | 26 => limit(RLIMIT_NOFILE),
        // Job control, saved ids, regular expressions, LP64, and time slices: there.
        6 | 7 | 71 | 76 | 2001 => 1,
        // The version; fsync, mapped files, memory locking and protection, the monotonic clock, threads and what belongs to them,
        // processor time clocks: by POSIX's year.
        8 | 29 | 33..=36 | 38 | 41..=46 | 49 | 61 | 62 | 67 | 90 | 91 => POSIX,
        9 | 11 => 99,
        10 | 15 => 2048,
        12 => 1000,
        13 => 2,
        14 | 73 => 32,
        16 | 27 | 69 => 255,
        17 => 199_212,
        28 | 59 => PAGE,
        32 | 47 | 48 | 68 => 1024,
        37 => 17,
        39 => 100,
        // atexit(3) and semaphores take what memory allows.
        40 | 89 => c_long::from(c_int::MAX),
        57 => 4,
        58 => 256,
        60 => 64,
        70 => 128,
        121 => sysctl::number([CTL_HW, HW_PHYSMEM64]).map_or(-1, |bytes| bytes as c_long / PAGE),
        122 => sysctl::number([CTL_HW, HW_USERMEM64]).map_or(-1, |bytes| bytes as c_long / PAGE),
        1001 => value([CTL_HW, HW_NCPU]),
        1002 => value([CTL_HW, HW_NCPUONLINE]),
        2002 => 0,
        2003 => 63,
        // Known names of what is not there: no value, and no error.
        18..=25 | 30 | 31 | 50..=56 | 63..=66 | 72 | 74 | 75 | 77 | 80..=88 | 92..=95 => -1,
        _ => {
            errno::set(errno::EINVAL);
            -1
        }
    }
}

/// getpagesize(3).
#[unsafe(no_mangle)]
pub extern "C" fn getpagesize() -> c_int {
    PAGE as c_int
}

/// getdtablesize(3).
#[unsafe(no_mangle)]
pub extern "C" fn getdtablesize() -> c_int {
    limit(RLIMIT_NOFILE) as c_int
}
