//! Calendar time at Greenwich and at a given distance from it: gmtime(3), offtime(3), timegm(3), timeoff(3).

use super::{Time, Tm, civil};
use crate::errno;
use core::cell::UnsafeCell;
use core::ffi::c_long;
use core::ptr;

/// Where gmtime(3) and localtime(3) write: one place for both, as C allows.
pub(super) struct Shared(pub(super) UnsafeCell<Tm>);
// SAFETY: C does not let two threads call these functions at once.
unsafe impl Sync for Shared {}
pub(super) static SHARED: Shared = Shared(UnsafeCell::new(Tm::ZERO));

/// Stores a broken-down time, or tells that there is none.
///
/// # Safety
/// `target` is writable.
pub(super) unsafe fn store(found: Option<Tm>, target: *mut Tm) -> *mut Tm {
    let Some(found) = found else {
        errno::set(errno::EOVERFLOW);
        return ptr::null_mut();
    };
    // SAFETY: as this function's own.
    unsafe { *target = found };
    target
}

/// Breaks a time down, `offset` seconds east of Greenwich.
fn at_offset(time: Time, offset: c_long) -> Option<Tm> {
    let tm = civil::break_down(time, i32::try_from(offset).ok()?)?;
    Some(Tm { tm_zone: if offset == 0 { c"UTC" } else { c"   " }.as_ptr(), ..tm })
}

/// A time at Greenwich.
///
/// # Safety
/// Both are valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __gmtime_r50(time: *const Time, target: *mut Tm) -> *mut Tm {
    // SAFETY: as this function's own.
    unsafe { store(at_offset(*time, 0), target) }
}

/// A time at Greenwich, in shared memory.
///
/// # Safety
/// `time` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __gmtime50(time: *const Time) -> *mut Tm {
    // SAFETY: as this function's own.
    unsafe { __gmtime_r50(time, SHARED.0.get()) }
}

/// A time some seconds east of Greenwich.
///
/// # Safety
/// Both are valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __offtime_r50(time: *const Time, offset: c_long, target: *mut Tm) -> *mut Tm {
    // SAFETY: as this function's own.
    unsafe { store(at_offset(*time, offset), target) }
}

/// A time some seconds east of Greenwich, in shared memory.
///
/// # Safety
/// `time` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __offtime50(time: *const Time, offset: c_long) -> *mut Tm {
    // SAFETY: as this function's own.
    unsafe { __offtime_r50(time, offset, SHARED.0.get()) }
}

/// Brings the fields into their ranges; the result is `time`, or -1 where a year does not fit.
///
/// # Safety
/// `tm` is valid.
pub(super) unsafe fn normalise(tm: *mut Tm, found: Option<Tm>, time: Time) -> Time {
    // SAFETY: as this function's own.
    if unsafe { store(found, tm) }.is_null() { -1 } else { time }
}

/// The time that fields stand for some seconds east of Greenwich.
///
/// # Safety
/// `tm` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __timeoff50(tm: *mut Tm, offset: c_long) -> Time {
    // SAFETY: as this function's own.
    unsafe {
        let time = civil::seconds_of(&*tm) - offset;
        normalise(tm, at_offset(time, offset), time)
    }
}

/// The time that fields stand for at Greenwich.
///
/// # Safety
/// `tm` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __timegm50(tm: *mut Tm) -> Time {
    // SAFETY: as this function's own.
    unsafe { __timeoff50(tm, 0) }
}
