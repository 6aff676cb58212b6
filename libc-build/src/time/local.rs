//! The program's time zone and the functions that use it: tzset(3), localtime(3), mktime(3), time(3), and those of a given zone, tzalloc(3).
//!
//! TZ names a file below /usr/share/zoneinfo, or is a POSIX string; unset, /etc/localtime decides, and without that it is Greenwich.
//! `tm_zone` points into the zone, so a zone that was replaced is not freed: programs change TZ a few times at most.

use super::rule::Rule;
use super::tzif::{Summer, TzFile};
use super::zone::Zone;
use super::{Time, Tm, civil};
use crate::lock::{Guard, Lock};
use crate::stdlib::heap::{free, malloc};
use crate::{errno, sys};
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_double, c_int, c_long, c_void};
use core::ptr;
use core::sync::atomic::{AtomicI32, AtomicI64, AtomicPtr, Ordering};

/// Where zones' files are.
const ZONE_DIRECTORY: &[u8] = b"/usr/share/zoneinfo/";
/// The zone of a program without TZ.
const DEFAULT_ZONE: &CStr = c"/etc/localtime";
/// The largest file that is read: they have some thousand bytes.
const FILE_LIMIT_BYTES: usize = 1 << 17;
/// The longest TZ that is understood.
const NAME_LIMIT_BYTES: usize = 256;

/// The zone and the TZ that it was made from.
struct Current {
    zone: Zone,
    /// TZ with its end; empty for unset. None before the first tzset(3).
    made_from: Option<[u8; NAME_LIMIT_BYTES]>,
    was_set: bool,
}

// SAFETY: the names that a zone points to are never written again.
unsafe impl Send for Current {}

static CURRENT: Lock<Current> =
    Lock::new(Current { zone: Zone::Rule(Rule::UTC), made_from: None, was_set: false });

/// `tzname`: abbreviations of standard and of summer time.
#[derive(Debug)]
#[repr(transparent)]
pub struct Names([AtomicPtr<c_char>; 2]);

/// C's `tzname`.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "C's name")]
pub static tzname: Names =
    Names([AtomicPtr::new(c"UTC".as_ptr().cast_mut()), AtomicPtr::new(c"UTC".as_ptr().cast_mut())]);

/// C's `timezone`: seconds west of Greenwich in standard time.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "C's name")]
pub static __timezone13: AtomicI64 = AtomicI64::new(0);

/// C's `daylight`: whether the zone ever has summer time.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "C's name")]
pub static daylight: AtomicI32 = AtomicI32::new(0);

/// Reads a zone's file into memory that is never freed.
fn load(path: &CStr) -> Option<Zone> {
    // SAFETY: a C string; the block holds what is read into it.
    unsafe {
        let fd = sys::open(path.as_ptr(), 0);
        if fd < 0 {
            return None;
        }
        let block = malloc(FILE_LIMIT_BYTES).cast::<u8>();
        let mut length = 0;
        while !block.is_null() && length < FILE_LIMIT_BYTES {
            let got = sys::read(fd, block.add(length).cast(), FILE_LIMIT_BYTES - length);
            let Some(got) = usize::try_from(got).ok().filter(|&got| got > 0) else { break };
            length += got;
        }
        sys::close(fd);
        if block.is_null() {
            return None;
        }
        let kept =
            if length > 0 { crate::stdlib::heap::realloc(block.cast(), length).cast::<u8>() } else { block };
        let kept = if kept.is_null() { block } else { kept };
        let file = TzFile::new(core::slice::from_raw_parts(kept, length));
        if file.is_none() {
            free(kept.cast());
        }
        file.map(Zone::File)
    }
}

/// The zone that a value of TZ names; None for none.
fn by_name(name: Option<&CStr>) -> Option<Zone> {
    let Some(name) = name else { return load(DEFAULT_ZONE).or(Some(Zone::Rule(Rule::UTC))) };
    let text = name.to_bytes();
    let only_file = text.first() == Some(&b':');
    let text = text.strip_prefix(b":").unwrap_or(text);
    if text.is_empty() {
        return Some(Zone::Rule(Rule::UTC));
    }
    let mut path = [0; ZONE_DIRECTORY.len() + NAME_LIMIT_BYTES];
    let start = if text.first() == Some(&b'/') { 0 } else { ZONE_DIRECTORY.len() };
    path.get_mut(..start)?.copy_from_slice(ZONE_DIRECTORY.get(..start)?);
    let climbs = text.windows(2).any(|pair| pair == b"..");
    let room = path.get_mut(start..start + text.len());
    if let Some(room) = room.filter(|_| !climbs && text.len() < NAME_LIMIT_BYTES) {
        room.copy_from_slice(text);
        // A rule is told from a file's name by its digits, so that the common rules cost no look into the file system.
        let rule = if only_file { None } else { Rule::parse(text) };
        if rule.is_none()
            && let Some(zone) = CStr::from_bytes_until_nul(&path).ok().and_then(load)
        {
            return Some(zone);
        }
    }
    if only_file {
        return None;
    }
    Rule::parse(text).map(Zone::Rule).or((text == b"UTC" || text == b"GMT").then_some(Zone::Rule(Rule::UTC)))
}

/// The program's zone, after TZ was looked at.
fn current() -> Guard<'static, Current> {
    let wanted = crate::env::get(c"TZ");
    let mut current = CURRENT.lock();
    let bytes = wanted.map_or(b"".as_slice(), CStr::to_bytes);
    let same = current.was_set == wanted.is_some()
        && current
            .made_from
            .as_ref()
            .is_some_and(|from| from.get(..bytes.len()) == Some(bytes) && from.get(bytes.len()) == Some(&0));
    if !same {
        let mut from = [0; NAME_LIMIT_BYTES];
        if let Some(room) = from.get_mut(..bytes.len()).filter(|room| room.len() < NAME_LIMIT_BYTES) {
            room.copy_from_slice(bytes);
        }
        current.made_from = Some(from);
        current.was_set = wanted.is_some();
        // A rule's names lie in the zone itself, which is overwritten here: tm_zone of earlier calls then shows the new zone's, as tzset(3) allows.
        current.zone = by_name(wanted).unwrap_or(Zone::Rule(Rule::UTC));
        let (standard, summer) = (current.zone.kind(Summer::No), current.zone.kind(Summer::Yes));
        if let Some(local) = standard.or(summer) {
            tzname.0[0].store(local.name.cast_mut(), Ordering::Relaxed);
            __timezone13.store(-i64::from(local.offset), Ordering::Relaxed);
        }
        if let Some(local) = summer.or(standard) {
            tzname.0[1].store(local.name.cast_mut(), Ordering::Relaxed);
        }
        daylight.store(summer.is_some().into(), Ordering::Relaxed);
    }
    current
}

/// A name of the program's zone: 0 standard time's, 1 summer time's.
pub(super) fn tzname_of(index: usize) -> *const c_char {
    drop(current());
    tzname.0.get(index).map_or(c"".as_ptr(), |name| name.load(Ordering::Relaxed).cast_const())
}

/// Looks at TZ.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __tzset50() {
    drop(current());
}

/// Goes to the zone of the machine, whatever TZ says.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __tzsetwall50() {
    let mut current = current();
    current.zone = by_name(None).unwrap_or(Zone::Rule(Rule::UTC));
}

/// Where gmtime(3) and localtime(3) write: one place for both, as C allows.
struct Shared(UnsafeCell<Tm>);
// SAFETY: C does not let two threads call these functions at once.
unsafe impl Sync for Shared {}
static SHARED: Shared = Shared(UnsafeCell::new(Tm::ZERO));

/// Stores a broken-down time, or tells that there is none.
///
/// # Safety
/// `target` is writable.
unsafe fn store(found: Option<Tm>, target: *mut Tm) -> *mut Tm {
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

/// Brings the fields into their ranges; the result is `time`, or -1 where a year does not fit.
///
/// # Safety
/// `tm` is valid.
unsafe fn normalise(tm: *mut Tm, found: Option<Tm>, time: Time) -> Time {
    // SAFETY: as this function's own.
    if unsafe { store(found, tm) }.is_null() { -1 } else { time }
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
