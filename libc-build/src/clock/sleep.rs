//! Sleeping for a while, and clock(3).

use super::Timespec;
use crate::{errno, sys};
use core::ffi::{c_int, c_long, c_uint};

/// sleep(3): the seconds that are left if a signal came.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn sleep(seconds: c_uint) -> c_uint {
    let mut left = Timespec::default();
    let request = Timespec { sec: i64::from(seconds), nsec: 0 };
    // SAFETY: both structures are this function's own.
    if unsafe { sys::__nanosleep50(&raw const request, &raw mut left) } == 0 {
        return 0;
    }
    left.sec as c_uint + c_uint::from(left.nsec > 0)
}

/// usleep(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn usleep(microseconds: c_uint) -> c_int {
    let request = Timespec {
        sec: i64::from(microseconds / 1_000_000),
        nsec: i64::from(microseconds % 1_000_000) * 1000,
    };
    // SAFETY: the structure is this function's own.
    unsafe { sys::__nanosleep50(&raw const request, core::ptr::null_mut()) }
}

/// `struct itimerval`: microseconds instead of nanoseconds.
#[repr(C)]
#[derive(Default)]
struct Itimerval {
    interval: [c_long; 2],
    value: [c_long; 2],
}

/// alarm(3): the seconds that were left on the timer.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn alarm(seconds: c_uint) -> c_uint {
    let (new, mut old) =
        (Itimerval { interval: [0; 2], value: [c_long::from(seconds), 0] }, Itimerval::default());
    // SAFETY: both structures are this function's own and have the layout of `struct itimerval`; 0 is ITIMER_REAL.
    if unsafe { sys::__setitimer50(0, (&raw const new).cast(), (&raw mut old).cast()) } != 0 {
        return c_uint::MAX;
    }
    let [seconds, microseconds] = old.value;
    seconds as c_uint + c_uint::from(microseconds >= 500_000 || (seconds == 0 && microseconds > 0))
}

/// ualarm(3): the microseconds that were left on the timer.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn ualarm(value: c_uint, interval: c_uint) -> c_uint {
    let split = |us: c_uint| [c_long::from(us / 1_000_000), c_long::from(us % 1_000_000)];
    let (new, mut old) = (Itimerval { interval: split(interval), value: split(value) }, Itimerval::default());
    // SAFETY: as in `alarm`.
    if unsafe { sys::__setitimer50(0, (&raw const new).cast(), (&raw mut old).cast()) } != 0 {
        return c_uint::MAX;
    }
    (old.value[0] * 1_000_000 + old.value[1]) as c_uint
}

/// pause(3): waits for a signal.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn pause() -> c_int {
    let mut mask = [0; 4];
    // SAFETY: the masks are this function's own; 1 is SIG_BLOCK.
    unsafe {
        if sys::__sigprocmask14(1, core::ptr::null(), &raw mut mask) != 0 {
            return -1;
        }
        sys::__sigsuspend14(&raw const mask)
    }
}

/// CLOCK_PROCESS_CPUTIME_ID: the whole process's (the value names "this process").
const CLOCK_PROCESS_CPUTIME_ID: c_int = 0x4000_0000;

/// clock(3): processor time used, in units of CLOCKS_PER_SEC (a hundredth of a second on NetBSD).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn clock() -> c_uint {
    let mut now = Timespec::default();
    // SAFETY: the structure is this function's own.
    if unsafe { sys::__clock_gettime50(CLOCK_PROCESS_CPUTIME_ID, &raw mut now) } != 0 {
        return c_uint::MAX;
    }
    (now.sec * 100 + now.nsec / 10_000_000) as c_uint
}

/// sched_get_priority_max(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn sched_get_priority_max(policy: c_int) -> c_int {
    priority_limit(policy, 63)
}

/// sched_get_priority_min(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn sched_get_priority_min(policy: c_int) -> c_int {
    priority_limit(policy, 0)
}

/// SCHED_OTHER, SCHED_FIFO and SCHED_RR are 0 to 2.
fn priority_limit(policy: c_int, limit: c_int) -> c_int {
    if (0..=2).contains(&policy) { limit } else { errno::fail(errno::EINVAL) }
}
