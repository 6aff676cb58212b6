//! The current time, and what is left to say of numbers of seconds: time(3), difftime(3), time2posix(3), timespec_get(3).

use super::Time;
#[cfg(not(test))]
use crate::sys;
use core::ffi::c_double;
#[cfg(not(test))]
use core::ffi::c_int;

/// The seconds since 1970.
///
/// # Safety
/// `target` is null or writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __time50(target: *mut Time) -> Time {
    let now = now();
    if !target.is_null() {
        // SAFETY: as this function's own.
        unsafe { *target = now };
    }
    now
}

#[cfg(not(test))]
fn now() -> Time {
    let mut now = crate::clock::Timespec::default();
    // SAFETY: CLOCK_REALTIME, and a structure to write.
    unsafe { sys::__clock_gettime50(0, &raw mut now) };
    now.sec
}

#[cfg(test)]
fn now() -> Time {
    std::time::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs().cast_signed())
}

/// left - right.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __difftime50(left: Time, right: Time) -> c_double {
    left.checked_sub(right).map_or(left as f64 - right as f64, |difference| difference as f64)
}

/// The kernel counts no leap seconds, so its time is POSIX's.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __time2posix50(time: Time) -> Time {
    time
}

/// The kernel counts no leap seconds, so POSIX's time is its.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __posix2time50(time: Time) -> Time {
    time
}

/// The current time by C11's clock.
///
/// # Safety
/// `target` is writable.
#[cfg(not(test))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn timespec_get(target: *mut crate::clock::Timespec, base: c_int) -> c_int {
    // TIME_UTC and TIME_MONOTONIC stand for clocks 0 and 3.
    let clock = match base {
        1 => 0,
        2 => 3,
        _ => return 0,
    };
    // SAFETY: as this function's own.
    if unsafe { sys::__clock_gettime50(clock, target) } == 0 { base } else { 0 }
}
