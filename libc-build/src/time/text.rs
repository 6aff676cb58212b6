//! asctime(3) and ctime(3): `Thu Jan  1 00:00:00 1970` and a newline.

use super::local::__localtime_r50;
use super::owned::__localtime_rz50;
use super::{Time, Tm};
use core::cell::UnsafeCell;
use core::ffi::{c_char, c_int, c_void};

/// Days of the week, by their first three letters.
pub(super) const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/// Months, by their first three letters.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Room for the largest year.
const TEXT_BYTES: usize = 40;

struct Shared(UnsafeCell<[c_char; TEXT_BYTES]>);
// SAFETY: C does not let two threads call asctime(3) at once.
unsafe impl Sync for Shared {}
static SHARED: Shared = Shared(UnsafeCell::new([0; TEXT_BYTES]));

/// A broken-down time as text.
///
/// # Safety
/// `tm` is valid; `target` has 26 bytes, and more where the year has more than four digits.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn asctime_r(tm: *const Tm, target: *mut c_char) -> *mut c_char {
    // SAFETY: as this function's own.
    let tm = unsafe { &*tm };
    let mut text = [0_u8; TEXT_BYTES];
    let mut at = 0;
    let mut put = |byte: u8| {
        if let Some(place) = text.get_mut(at) {
            *place = byte;
            at += 1;
        }
    };
    let name = |names: &[&'static str], index: c_int| {
        usize::try_from(index)
            .ok()
            .and_then(|index| names.get(index))
            .and_then(|name| name.get(..3))
            .unwrap_or("???")
    };
    name(&DAYS, tm.tm_wday).bytes().for_each(&mut put);
    put(b' ');
    name(&MONTHS, tm.tm_mon).bytes().for_each(&mut put);
    let two = |value: c_int| {
        let value = value.rem_euclid(100) as u8;
        [b'0' + value / 10, b'0' + value % 10]
    };
    let [tens, ones] = two(tm.tm_mday);
    [b' ', if tens == b'0' { b' ' } else { tens }, ones].into_iter().for_each(&mut put);
    for (separator, value) in [(b' ', tm.tm_hour), (b':', tm.tm_min), (b':', tm.tm_sec)] {
        let [tens, ones] = two(value);
        [separator, tens, ones].into_iter().for_each(&mut put);
    }
    put(b' ');
    let mut digits = [0_u8; 16];
    let year = i64::from(tm.tm_year) + 1900;
    let mut rest = year.unsigned_abs();
    let mut start = digits.len();
    while rest > 0 || digits.len() - start < if year < 0 { 1 } else { 4 } {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    if year < 0 {
        start -= 1;
        digits[start] = b'-';
    }
    digits.iter().skip(start).copied().chain([b'\n']).for_each(&mut put);
    // SAFETY: as this function's own; the text has its end.
    unsafe { crate::string::copy::memcpy(target.cast(), text.as_ptr().cast(), at + 1) };
    target
}

/// A broken-down time as text, in shared memory.
///
/// # Safety
/// `tm` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn asctime(tm: *const Tm) -> *mut c_char {
    // SAFETY: the shared text has room for every year.
    unsafe { asctime_r(tm, SHARED.0.get().cast()) }
}

/// A time in the program's zone as text.
///
/// # Safety
/// As asctime_r(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ctime_r50(time: *const Time, target: *mut c_char) -> *mut c_char {
    let mut tm = Tm::ZERO;
    // SAFETY: as this function's own.
    unsafe {
        if __localtime_r50(time, &raw mut tm).is_null() {
            core::ptr::null_mut()
        } else {
            asctime_r(&raw const tm, target)
        }
    }
}

/// A time in the program's zone as text, in shared memory.
///
/// # Safety
/// `time` is valid.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ctime50(time: *const Time) -> *mut c_char {
    // SAFETY: as asctime(3).
    unsafe { __ctime_r50(time, SHARED.0.get().cast()) }
}

/// A time in a zone as text.
///
/// # Safety
/// As asctime_r(3); `zone` is from tzalloc(3), or null.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __ctime_rz50(
    zone: *const c_void,
    time: *const Time,
    target: *mut c_char,
) -> *mut c_char {
    let mut tm = Tm::ZERO;
    // SAFETY: as this function's own.
    unsafe {
        if __localtime_rz50(zone, time, &raw mut tm).is_null() {
            core::ptr::null_mut()
        } else {
            asctime_r(&raw const tm, target)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::CStr;

    #[test]
    fn as_c_prescribes() {
        let tm = Tm {
            tm_wday: 0,
            tm_mon: 8,
            tm_mday: 16,
            tm_hour: 1,
            tm_min: 3,
            tm_sec: 52,
            tm_year: 73,
            ..Tm::ZERO
        };
        // SAFETY: a valid structure; the result is a C string.
        unsafe {
            assert_eq!(CStr::from_ptr(asctime(&raw const tm)), c"Sun Sep 16 01:03:52 1973\n");
            let odd = Tm { tm_wday: 9, tm_mon: -1, tm_mday: 1, tm_year: i32::MAX, ..tm };
            assert_eq!(CStr::from_ptr(asctime(&raw const odd)), c"??? ???  1 01:03:52 2147485547\n");
        }
    }
}
