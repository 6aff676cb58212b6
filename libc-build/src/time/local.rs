//! Calendar time in the program's zone: localtime(3), mktime(3).

use super::program::current;
use super::universal::{SHARED, normalise, store};
use super::{Time, Tm};

/// A time in the program's zone.
///
/// # Safety
/// Both are valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __localtime_r50(time: *const Time, target: *mut Tm) -> *mut Tm {
    // SAFETY: as this function's own.
    unsafe { store(current().zone.break_down(*time), target) }
}

/// localtime(3), under the name that NetBSD's time.h gives it.
///
/// # Safety
/// `time` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __locatime50(time: *const Time) -> *mut Tm {
    // SAFETY: as this function's own.
    unsafe { __localtime_r50(time, SHARED.0.get()) }
}

/// The time that fields stand for in the program's zone.
///
/// # Safety
/// `tm` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __mktime50(tm: *mut Tm) -> Time {
    let current = current();
    // SAFETY: as this function's own.
    unsafe {
        let time = current.zone.time_of(&*tm);
        normalise(tm, current.zone.break_down(time), time)
    }
}

/// mktime(3) that decides on summer time itself.
///
/// # Safety
/// `tm` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __timelocal50(tm: *mut Tm) -> Time {
    // SAFETY: as this function's own.
    unsafe {
        (*tm).tm_isdst = -1;
        __mktime50(tm)
    }
}
