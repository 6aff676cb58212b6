//! Zones of one's own: tzalloc(3), and localtime(3) and mktime(3) in such a zone.

use super::program::by_name;
use super::tzif::Summer;
use super::universal::{__gmtime_r50, __timegm50, normalise, store};
use super::zone::Zone;
use super::{Time, Tm};
use crate::errno;
use crate::stdlib::heap::{free, malloc};
use core::ffi::{CStr, c_char, c_int, c_long, c_void};
use core::ptr;

/// A zone of one's own: `name` as in TZ, null for the machine's.
///
/// # Safety
/// `name` is null or a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __tzalloc50(name: *const c_char) -> *mut c_void {
    // SAFETY: as this function's own; the block is as large as a zone, and malloc(3) aligns for anything.
    unsafe {
        let Some(zone) = by_name((!name.is_null()).then(|| CStr::from_ptr(name))) else {
            errno::set(errno::ENOENT);
            return ptr::null_mut();
        };
        let block = malloc(size_of::<Zone>()).cast::<Zone>();
        if !block.is_null() {
            block.write(zone);
        }
        block.cast()
    }
}

/// Gives a zone back.
///
/// # Safety
/// `zone` is from tzalloc(3), or null.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __tzfree50(zone: *mut c_void) {
    // SAFETY: as this function's own. A file's data stays: other zones' tm_zone may point there.
    unsafe { free(zone) };
}

/// A time in a zone; null stands for Greenwich.
///
/// # Safety
/// `zone` is from tzalloc(3), or null; the others are valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __localtime_rz50(
    zone: *const c_void,
    time: *const Time,
    target: *mut Tm,
) -> *mut Tm {
    // SAFETY: as this function's own.
    unsafe {
        let Some(zone) = zone.cast::<Zone>().as_ref() else { return __gmtime_r50(time, target) };
        store(zone.break_down(*time), target)
    }
}

/// The time that fields stand for in a zone; null stands for Greenwich.
///
/// # Safety
/// `zone` is from tzalloc(3), or null; `tm` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __mktime_z50(zone: *const c_void, tm: *mut Tm) -> Time {
    // SAFETY: as this function's own.
    unsafe {
        let Some(zone) = zone.cast::<Zone>().as_ref() else { return __timegm50(tm) };
        let time = zone.time_of(&*tm);
        normalise(tm, zone.break_down(time), time)
    }
}

/// mktime_z(3) that decides on summer time itself.
///
/// # Safety
/// As mktime_z(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __timelocal_z50(zone: *const c_void, tm: *mut Tm) -> Time {
    // SAFETY: as this function's own.
    unsafe {
        (*tm).tm_isdst = -1;
        __mktime_z50(zone, tm)
    }
}

/// [`__time2posix50`] for a zone.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __time2posix_z50(_zone: *const c_void, time: Time) -> Time {
    time
}

/// [`__posix2time50`] for a zone.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __posix2time_z50(_zone: *const c_void, time: Time) -> Time {
    time
}

/// What tzgetname(3) and tzgetgmtoff(3) look at.
///
/// # Safety
/// `zone` is from tzalloc(3).
unsafe fn kind(zone: *const c_void, is_summer: c_int) -> Option<super::zone::Local> {
    // SAFETY: as this function's own.
    let found =
        unsafe { zone.cast::<Zone>().as_ref() }?.kind(if is_summer == 0 { Summer::No } else { Summer::Yes });
    if found.is_none() {
        errno::set(errno::ESRCH);
    }
    found
}

/// The abbreviation of a zone's standard or summer time.
///
/// # Safety
/// `zone` is from tzalloc(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __tzgetname50(zone: *const c_void, is_summer: c_int) -> *const c_char {
    // SAFETY: as this function's own.
    unsafe { kind(zone, is_summer) }.map_or(ptr::null(), |local| local.name)
}

/// Seconds east of Greenwich of a zone's standard or summer time.
///
/// # Safety
/// `zone` is from tzalloc(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __tzgetgmtoff50(zone: *const c_void, is_summer: c_int) -> c_long {
    // SAFETY: as this function's own.
    unsafe { kind(zone, is_summer) }.map_or(-1, |local| local.offset.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::string::testing::Random;
    use std::ffi::CString;

    mod host {
        use super::{Time, Tm, c_char, c_int};
        unsafe extern "C" {
            pub fn setenv(name: *const c_char, value: *const c_char, overwrite: c_int) -> c_int;
            pub fn tzset();
            pub fn gmtime_r(time: *const Time, tm: *mut Tm) -> *mut Tm;
            pub fn localtime_r(time: *const Time, tm: *mut Tm) -> *mut Tm;
            pub fn timegm(tm: *mut Tm) -> Time;
            pub fn mktime(tm: *mut Tm) -> Time;
        }
    }

    fn fields(tm: &Tm) -> ([c_int; 9], c_long) {
        let fields = [
            tm.tm_sec,
            tm.tm_min,
            tm.tm_hour,
            tm.tm_mday,
            tm.tm_mon,
            tm.tm_year,
            tm.tm_wday,
            tm.tm_yday,
            tm.tm_isdst,
        ];
        (fields, tm.tm_gmtoff)
    }

    #[test]
    fn zones_by_rule_agree_with_the_host() {
        let mut random = Random::new(10);
        for name in [
            "UTC0",
            "CET-1CEST,M3.5.0,M10.5.0/3",
            "EST5EDT,M3.2.0,M11.1.0",
            "NZST-12NZDT,M9.5.0,M4.1.0/3",
            "<+0530>-5:30",
            "XXX3YYY,J60/0,300/24:30",
        ] {
            let text = CString::new(name).expect("no zero");
            // SAFETY: C strings; the host's functions see their own copies.
            unsafe {
                let zone = __tzalloc50(text.as_ptr());
                host::setenv(c"TZ".as_ptr(), text.as_ptr(), 1);
                host::tzset();
                for round in 0..4000_i64 {
                    let range = if round % 2 == 0 { 4_000_000_000 } else { 4_000_000_000_000 };
                    let time = random.next().cast_signed() % range;
                    let (mut ours, mut theirs) = (Tm::ZERO, Tm::ZERO);
                    __gmtime_r50(&raw const time, &raw mut ours);
                    host::gmtime_r(&raw const time, &raw mut theirs);
                    assert_eq!(fields(&ours), fields(&theirs), "{time}");
                    // The host applies rules from 1970 on only.
                    if time < 100_000_000 {
                        continue;
                    }
                    __localtime_rz50(zone, &raw const time, &raw mut ours);
                    host::localtime_r(&raw const time, &raw mut theirs);
                    assert_eq!(fields(&ours), fields(&theirs), "{name} {time}");
                    assert_eq!(CStr::from_ptr(ours.tm_zone), CStr::from_ptr(theirs.tm_zone));
                    // Back again, from fields out of range.
                    __localtime_rz50(zone, &raw const time, &raw mut ours);
                    ours.tm_mday += (random.next() % 400) as c_int - 200;
                    ours.tm_mon += (random.next() % 40) as c_int - 20;
                    ours.tm_isdst = -1;
                    theirs = ours;
                    let (mut ours_utc, mut theirs_utc) = (ours, ours);
                    assert_eq!(__timegm50(&raw mut ours_utc), host::timegm(&raw mut theirs_utc));
                    assert_eq!(fields(&ours_utc), fields(&theirs_utc));
                    let found = __mktime_z50(zone, &raw mut ours);
                    assert_eq!(found, host::mktime(&raw mut theirs), "{name} {:?}", fields(&theirs_utc));
                    assert_eq!(fields(&ours), fields(&theirs));
                }
                __tzfree50(zone);
            }
        }
    }

    #[test]
    fn summer_time_may_be_meant_in_winter() {
        // SAFETY: C strings and valid structures.
        unsafe {
            let zone = __tzalloc50(c"CET-1CEST,M3.5.0,M10.5.0/3".as_ptr());
            let mut tm = Tm { tm_year: 124, tm_mon: 0, tm_mday: 15, tm_hour: 12, tm_isdst: 1, ..Tm::ZERO };
            __mktime_z50(zone, &raw mut tm);
            assert_eq!((tm.tm_hour, tm.tm_isdst), (11, 0));
            // 2024-10-27 02:30 came twice.
            let twice = Tm { tm_year: 124, tm_mon: 9, tm_mday: 27, tm_hour: 2, tm_min: 30, ..Tm::ZERO };
            let (mut first, mut second) = (Tm { tm_isdst: 1, ..twice }, Tm { tm_isdst: 0, ..twice });
            assert_eq!(__mktime_z50(zone, &raw mut second) - __mktime_z50(zone, &raw mut first), 3600);
            assert_eq!((__tzgetgmtoff50(zone, 1), CStr::from_ptr(__tzgetname50(zone, 0))), (7200, c"CET"));
            __tzfree50(zone);
            assert!(__tzalloc50(c"No/Such Zone".as_ptr()).is_null());
            let mut tm = Tm::ZERO;
            assert!(__gmtime_r50(&i64::MAX, &raw mut tm).is_null());
        }
    }
}
