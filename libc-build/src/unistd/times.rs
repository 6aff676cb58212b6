//! Times of processes and files by their older calls: times(3), utime(3), utimens(2), lutimens(2), getloadavg(3), sched_rr_get_interval(2).

use crate::clock::Timespec;
use crate::{errno, sys};
use core::ffi::{c_char, c_double, c_int, c_uint, c_void};
use core::ptr::{null, null_mut};
use rump_abi::fcntl::{AT_FDCWD, AT_SYMLINK_NOFOLLOW};
use rump_abi::sysctl::{CTL_VM, VM_LOADAVG};
use rump_abi::time::CLOCK_MONOTONIC;
use rump_abi::types::{Loadavg, Rusage, Timeval, Tms, Utimbuf};

/// Ticks of times(3) in a second (CLK_TCK).
const TICKS: i64 = 100;

unsafe extern "C" {
    fn __getrusage50(who: c_int, usage: *mut Rusage) -> c_int;
    fn __utimes50(path: *const c_char, times: *const [Timeval; 2]) -> c_int;
    fn utimensat(dir: c_int, path: *const c_char, times: *const [Timespec; 2], flags: c_int) -> c_int;
}

fn ticks(time: Timeval) -> u32 {
    (time.tv_sec * TICKS + i64::from(time.tv_usec) / (1_000_000 / TICKS)) as u32
}

/// The processor time of the process and its children; returns the time since some moment in the past. -1 where it fails.
///
/// # Safety
/// `target` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __times13(target: *mut Tms) -> c_uint {
    let (mut own, mut children) = (Rusage::ZERO, Rusage::ZERO);
    let mut now = Timespec::default();
    // SAFETY: structures to write; 0 is RUSAGE_SELF and -1 RUSAGE_CHILDREN. This function's contract.
    unsafe {
        if __getrusage50(0, &raw mut own) != 0
            || __getrusage50(-1, &raw mut children) != 0
            || sys::__clock_gettime50(CLOCK_MONOTONIC, &raw mut now) != 0
        {
            return c_uint::MAX;
        }
        target.write(Tms {
            tms_utime: ticks(own.ru_utime),
            tms_stime: ticks(own.ru_stime),
            tms_cutime: ticks(children.ru_utime),
            tms_cstime: ticks(children.ru_stime),
        });
    }
    (now.sec * TICKS + now.nsec / (1_000_000_000 / TICKS)) as c_uint
}

/// utime(3).
///
/// # Safety
/// `path` is a C string, `times` null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __utime50(path: *const c_char, times: *const Utimbuf) -> c_int {
    let time = |seconds| Timeval { tv_sec: seconds, ..Timeval::ZERO };
    // SAFETY: this function's contract.
    unsafe {
        match times.as_ref() {
            None => __utimes50(path, null()),
            Some(times) => __utimes50(path, &[time(times.actime), time(times.modtime)]),
        }
    }
}

/// utimens(2).
///
/// # Safety
/// `path` is a C string, `times` null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn utimens(path: *const c_char, times: *const [Timespec; 2]) -> c_int {
    // SAFETY: this function's contract.
    unsafe { utimensat(AT_FDCWD, path, times, 0) }
}

/// lutimens(2).
///
/// # Safety
/// `path` is a C string, `times` null or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lutimens(path: *const c_char, times: *const [Timespec; 2]) -> c_int {
    // SAFETY: this function's contract.
    unsafe { utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) }
}

/// How many threads wanted to run in the last minute, five, and fifteen; returns how many of the three were written.
///
/// # Safety
/// `target` has `count` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getloadavg(target: *mut c_double, count: c_int) -> c_int {
    let (mut load, mut length) = (Loadavg::ZERO, size_of::<Loadavg>());
    let mib = [CTL_VM, VM_LOADAVG];
    // SAFETY: the structure with its size; this function's contract.
    unsafe {
        let place: *mut c_void = (&raw mut load).cast();
        if sys::__sysctl(mib.as_ptr(), 2, place, &raw mut length, null(), 0) != 0 || load.fscale == 0 {
            return -1;
        }
        let count = count.clamp(0, 3);
        for (index, value) in load.ldavg.into_iter().take(count as usize).enumerate() {
            target.add(index).write(c_double::from(value) / load.fscale as c_double);
        }
        count
    }
}

/// The length of a turn of a thread that shares the processor with its equals.
///
/// # Safety
/// `target` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sched_rr_get_interval50(_pid: c_int, target: *mut Timespec) -> c_int {
    /// CTL_KERN's KERN_... of sysctl "kern.sched.rtts" is a name without a fixed number: milliseconds.
    const NAME: &core::ffi::CStr = c"kern.sched.rtts";
    let (mut milliseconds, mut length): (c_int, usize) = (0, size_of::<c_int>());
    // SAFETY: a C string, and an int with its size; this function's contract.
    unsafe {
        let place: *mut c_void = (&raw mut milliseconds).cast();
        if crate::sysctl::sysctlbyname(NAME.as_ptr(), place, &raw mut length, null_mut(), 0) != 0 {
            return -1;
        }
        let milliseconds = i64::from(milliseconds);
        target.write(Timespec { sec: milliseconds / 1000, nsec: milliseconds % 1000 * 1_000_000 });
    }
    0
}

/// gethostid(3).
#[unsafe(no_mangle)]
pub extern "C" fn gethostid() -> core::ffi::c_long {
    let mib = [rump_abi::sysctl::CTL_KERN, rump_abi::sysctl::KERN_HOSTID];
    let (mut id, mut length): (c_int, usize) = (0, size_of::<c_int>());
    // SAFETY: an int with its size.
    if unsafe { sys::__sysctl(mib.as_ptr(), 2, (&raw mut id).cast(), &raw mut length, null(), 0) } != 0 {
        return -1;
    }
    id.into()
}

/// sethostid(3).
#[unsafe(no_mangle)]
pub extern "C" fn sethostid(id: core::ffi::c_long) -> c_int {
    let mib = [rump_abi::sysctl::CTL_KERN, rump_abi::sysctl::KERN_HOSTID];
    let id = id as c_int;
    // SAFETY: an int with its size.
    unsafe {
        sys::__sysctl(mib.as_ptr(), 2, null_mut(), null_mut(), (&raw const id).cast(), size_of::<c_int>())
    }
}

/// posix_madvise(2): returns the error number.
///
/// # Safety
/// As madvise(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_madvise(address: *mut c_void, length: usize, advice: c_int) -> c_int {
    let before = errno::get();
    // SAFETY: this function's contract.
    if unsafe { sys::madvise(address, length, advice) } == 0 {
        return 0;
    }
    let error = errno::get();
    errno::set(before);
    error
}
