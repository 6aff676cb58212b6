//! Integers from text: strtol(3) and its family, strtoi(3), strtou(3), strtonum(3), atoi(3).
//!
//! One scanner serves all: it takes white space, a sign, a prefix and digits, and tells value, sign, overflow and end; each function makes
//! of that what its type and its manual page want.

use crate::errno;
use core::ffi::{CStr, c_char, c_int, c_long, c_longlong, c_ulong, c_ulonglong, c_void};
use core::ptr;

/// What [`scan`] found.
struct Scanned {
    /// The number without its sign; what overflows is at the maximum.
    magnitude: u64,
    negative: bool,
    overflow: bool,
    /// Behind the last digit; the string's start where there was none.
    end: *const c_char,
    /// Whether there was a digit.
    any: bool,
}

impl Scanned {
    /// Nothing, at the start of `string`.
    fn nothing(string: *const c_char) -> Self {
        Self { magnitude: 0, negative: false, overflow: false, end: string, any: false }
    }

    /// The number as a signed one, the nearest where it does not fit, and whether it fits.
    fn signed(&self) -> (i64, bool) {
        let limit = if self.negative { i64::MIN } else { i64::MAX };
        if self.overflow || self.magnitude > limit.unsigned_abs() {
            return (limit, false);
        }
        let value = self.magnitude.cast_signed();
        (if self.negative { value.wrapping_neg() } else { value }, true)
    }

    /// The number as an unsigned one, of which a minus sign makes the complement, and whether it fits.
    fn unsigned(&self) -> (u64, bool) {
        let is_complement = self.negative && !self.overflow;
        (if is_complement { self.magnitude.wrapping_neg() } else { self.magnitude }, !self.overflow)
    }
}

/// Whether `base` is one that these functions take.
fn is_base(base: c_int) -> bool {
    base == 0 || (2..=36).contains(&base)
}

/// The value of `byte` as a digit, or something above 35.
fn digit(byte: c_char) -> u32 {
    char::from(byte as u8).to_digit(36).unwrap_or(u32::MAX)
}

/// White space in the C locale.
pub(crate) fn is_space(byte: c_char) -> bool {
    matches!(byte as u8, b' ' | b'\t'..=b'\r')
}

/// Reads a number in `base`, 0 for C's prefixes.
///
/// # Safety
/// `string` is a C string.
unsafe fn scan(string: *const c_char, base: c_int) -> Scanned {
    // SAFETY: each byte is read only after the one before was not the end.
    unsafe {
        let mut at = string;
        while is_space(*at) {
            at = at.add(1);
        }
        let negative = *at == b'-' as c_char;
        if negative || *at == b'+' as c_char {
            at = at.add(1);
        }
        let mut base = base.unsigned_abs();
        let zero = *at == b'0' as c_char;
        if (base == 0 || base == 16)
            && zero
            && (*at.add(1) | 0x20) == b'x' as c_char
            && digit(*at.add(2)) < 16
        {
            at = at.add(2);
            base = 16;
        } else if base == 0 {
            base = if zero { 8 } else { 10 };
        }
        let (mut magnitude, mut overflow, mut any) = (0_u64, false, false);
        loop {
            let value = digit(*at);
            if value >= base {
                break;
            }
            any = true;
            match magnitude.checked_mul(base.into()).and_then(|shifted| shifted.checked_add(value.into())) {
                Some(sum) => magnitude = sum,
                None => overflow = true,
            }
            at = at.add(1);
        }
        if overflow {
            magnitude = u64::MAX;
        }
        Scanned { magnitude, negative, overflow, end: if any { at } else { string }, any }
    }
}

/// Stores `at` for the caller who asked for it.
///
/// # Safety
/// `end` is null or writable.
unsafe fn store_end(end: *mut *mut c_char, at: *const c_char) {
    if !end.is_null() {
        // SAFETY: as this function's own.
        unsafe { *end = at.cast_mut() };
    }
}

/// The common part of the functions that set errno.
///
/// # Safety
/// `string` is a C string, `end` null or writable.
unsafe fn convert(string: *const c_char, end: *mut *mut c_char, base: c_int) -> Scanned {
    // SAFETY: as this function's own.
    unsafe {
        let found = if is_base(base) {
            scan(string, base)
        } else {
            errno::set(errno::EINVAL);
            Scanned::nothing(string)
        };
        store_end(end, found.end);
        found
    }
}

/// A number, with errno set where it did not fit.
fn checked<T>((value, fits): (T, bool)) -> T {
    if !fits {
        errno::set(errno::ERANGE);
    }
    value
}

/// The signed functions' result.
///
/// # Safety
/// `string` is a C string, `end` null or writable.
pub(crate) unsafe fn signed(string: *const c_char, end: *mut *mut c_char, base: c_int) -> i64 {
    // SAFETY: as this function's own.
    checked(unsafe { convert(string, end, base) }.signed())
}

/// The unsigned functions' result.
///
/// # Safety
/// `string` is a C string, `end` null or writable.
pub(crate) unsafe fn unsigned(string: *const c_char, end: *mut *mut c_char, base: c_int) -> u64 {
    // SAFETY: as this function's own.
    checked(unsafe { convert(string, end, base) }.unsigned())
}

macro_rules! family {
    ($($name:ident $localised:ident $type:ty = $worker:ident $about:literal;)*) => {$(
        #[doc = $about]
        ///
        /// # Safety
        /// `string` is a C string, `end` null or writable.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $name(string: *const c_char, end: *mut *mut c_char, base: c_int) -> $type {
            // SAFETY: as this function's own.
            unsafe { $worker(string, end, base) }
        }

        #[doc = $about]
        /// In a given locale; digits are the same in all.
        ///
        /// # Safety
        /// `string` is a C string, `end` null or writable.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $localised(string: *const c_char, end: *mut *mut c_char, base: c_int, _locale: *mut c_void) -> $type {
            // SAFETY: as this function's own.
            unsafe { $worker(string, end, base) }
        }
    )*};
}

family! {
    strtol strtol_l c_long = signed "A long from text.";
    strtoll strtoll_l c_longlong = signed "A long long from text.";
    strtoq strtoq_l i64 = signed "A quad from text.";
    strtoimax strtoimax_l i64 = signed "An `intmax_t` from text.";
    strtoul strtoul_l c_ulong = unsigned "An unsigned long from text.";
    strtoull strtoull_l c_ulonglong = unsigned "An unsigned long long from text.";
    strtouq strtouq_l u64 = unsigned "An unsigned quad from text.";
    strtoumax strtoumax_l u64 = unsigned "A `uintmax_t` from text.";
}

/// strtoi(3) and strtou(3): `value_of` makes the number, which is forced between `low` and `high`.
///
/// # Safety
/// `string` is a C string, `end` and `problem` are null or writable.
unsafe fn bounded<T: Ord + Copy>(
    string: *const c_char,
    end: *mut *mut c_char,
    base: c_int,
    value_of: impl FnOnce(&Scanned) -> (T, bool),
    (low, high): (T, T),
    problem: *mut c_int,
) -> T {
    // SAFETY: as this function's own; the scanner's end lies in the string.
    unsafe {
        let found = if is_base(base) { scan(string, base) } else { Scanned::nothing(string) };
        let (value, fits) = value_of(&found);
        store_end(end, found.end);
        let forced = value.max(low).min(high);
        if !problem.is_null() {
            *problem = if !is_base(base) {
                errno::EINVAL
            } else if !found.any {
                errno::ECANCELED
            } else if !fits || forced != value {
                errno::ERANGE
            } else if *found.end != 0 {
                errno::ENOTSUP
            } else {
                0
            };
        }
        forced
    }
}

/// An `intmax_t` from text, forced between `low` and `high`; what was wrong goes to `problem`. errno stays as it was.
///
/// # Safety
/// `string` is a C string, `end` and `problem` are null or writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strtoi(
    string: *const c_char,
    end: *mut *mut c_char,
    base: c_int,
    low: i64,
    high: i64,
    problem: *mut c_int,
) -> i64 {
    // SAFETY: as this function's own.
    unsafe { bounded(string, end, base, Scanned::signed, (low, high), problem) }
}

/// A `uintmax_t` from text, forced between `low` and `high`; what was wrong goes to `problem`. errno stays as it was.
///
/// # Safety
/// `string` is a C string, `end` and `problem` are null or writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strtou(
    string: *const c_char,
    end: *mut *mut c_char,
    base: c_int,
    low: u64,
    high: u64,
    problem: *mut c_int,
) -> u64 {
    // SAFETY: as this function's own.
    unsafe { bounded(string, end, base, Scanned::unsigned, (low, high), problem) }
}

/// strtoi(3) in a given locale.
///
/// # Safety
/// As strtoi(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strtoi_l(
    string: *const c_char,
    end: *mut *mut c_char,
    base: c_int,
    low: i64,
    high: i64,
    problem: *mut c_int,
    _locale: *mut c_void,
) -> i64 {
    // SAFETY: as this function's own.
    unsafe { strtoi(string, end, base, low, high, problem) }
}

/// strtou(3) in a given locale.
///
/// # Safety
/// As strtou(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strtou_l(
    string: *const c_char,
    end: *mut *mut c_char,
    base: c_int,
    low: u64,
    high: u64,
    problem: *mut c_int,
    _locale: *mut c_void,
) -> u64 {
    // SAFETY: as this function's own.
    unsafe { strtou(string, end, base, low, high, problem) }
}

/// A decimal number between `low` and `high`; what was wrong goes to `problem` in a word or two.
///
/// # Safety
/// `string` is a C string, `problem` null or writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strtonum(
    string: *const c_char,
    low: i64,
    high: i64,
    problem: *mut *const c_char,
) -> i64 {
    let (mut value, mut wrong): (i64, Option<(&CStr, c_int)>) = (0, Some((c"invalid", errno::EINVAL)));
    if low <= high {
        // SAFETY: as this function's own; the scanner's end lies in the string.
        unsafe {
            let found = scan(string, 10);
            if found.any && *found.end == 0 {
                let exact = i128::from(found.magnitude) * if found.negative { -1 } else { 1 };
                wrong = if exact < i128::from(low) {
                    Some((c"too small", errno::ERANGE))
                } else if exact > i128::from(high) {
                    Some((c"too large", errno::ERANGE))
                } else {
                    value = exact as i64;
                    None
                };
            }
        }
    }
    if let Some((_, number)) = wrong {
        errno::set(number);
    }
    if !problem.is_null() {
        // SAFETY: as this function's own.
        unsafe { *problem = wrong.map_or(ptr::null(), |(text, _)| text.as_ptr()) };
    }
    value
}

/// An int from decimal text.
///
/// # Safety
/// `string` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn atoi(string: *const c_char) -> c_int {
    // SAFETY: as this function's own.
    unsafe { signed(string, ptr::null_mut(), 10) as c_int }
}

/// A long from decimal text.
///
/// # Safety
/// `string` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn atol(string: *const c_char) -> c_long {
    // SAFETY: as this function's own.
    unsafe { signed(string, ptr::null_mut(), 10) }
}

/// A long long from decimal text.
///
/// # Safety
/// `string` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn atoll(string: *const c_char) -> c_longlong {
    // SAFETY: as this function's own.
    unsafe { signed(string, ptr::null_mut(), 10) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::string::testing::Random;
    use std::ffi::CString;

    mod host {
        use core::ffi::{c_char, c_int, c_long, c_ulong};
        unsafe extern "C" {
            pub fn strtol(string: *const c_char, end: *mut *mut c_char, base: c_int) -> c_long;
            pub fn strtoul(string: *const c_char, end: *mut *mut c_char, base: c_int) -> c_ulong;
        }
    }

    #[test]
    fn agrees_with_the_host() {
        let mut random = Random::new(4);
        let alphabet = b"0123456789abcfxXzZ-+ \t99";
        for round in 0..60_000 {
            let length = random.next() % 24;
            let mut text: Vec<u8> =
                (0..length).map(|_| alphabet[random.next() as usize % alphabet.len()]).collect();
            if round % 3 == 0 {
                text = format!(
                    "{}{}",
                    ["", "-", "0x", "0", " -0x"][round / 3 % 5],
                    random.next() >> (random.next() % 64)
                )
                .into_bytes();
            }
            let text = CString::new(text).expect("no zero");
            let base = [0, 10, 16, 8, 2, 36, 7][random.next() as usize % 7];
            let (mut end, mut host_end) = (ptr::null_mut(), ptr::null_mut());
            // SAFETY: C strings.
            unsafe {
                let (ours, theirs) = (
                    strtol(text.as_ptr(), &raw mut end, base),
                    host::strtol(text.as_ptr(), &raw mut host_end, base),
                );
                assert_eq!((ours, end), (theirs, host_end), "{text:?} base {base}");
                let (ours, theirs) = (
                    strtoul(text.as_ptr(), &raw mut end, base),
                    host::strtoul(text.as_ptr(), &raw mut host_end, base),
                );
                assert_eq!((ours, end), (theirs, host_end), "{text:?} base {base}");
            }
        }
    }

    #[test]
    fn ranges_and_problems() {
        let mut problem = 0;
        let mut word = ptr::null();
        // SAFETY: C strings and writable results.
        unsafe {
            errno::set(0);
            assert_eq!(strtol(c"9223372036854775808".as_ptr(), ptr::null_mut(), 0), i64::MAX);
            assert_eq!(errno::get(), errno::ERANGE);
            assert_eq!(strtol(c"-9223372036854775808".as_ptr(), ptr::null_mut(), 0), i64::MIN);
            assert_eq!(strtoi(c"300".as_ptr(), ptr::null_mut(), 0, 0, 255, &raw mut problem), 255);
            assert_eq!(problem, errno::ERANGE);
            assert_eq!(strtoi(c"30k".as_ptr(), ptr::null_mut(), 0, 0, 255, &raw mut problem), 30);
            assert_eq!(problem, errno::ENOTSUP);
            assert_eq!(strtou(c"x".as_ptr(), ptr::null_mut(), 0, 3, 255, &raw mut problem), 3);
            assert_eq!(problem, errno::ECANCELED);
            assert_eq!(strtonum(c"12".as_ptr(), 1, 10, &raw mut word), 0);
            assert_eq!(CStr::from_ptr(word), c"too large");
            assert_eq!(strtonum(c"-5".as_ptr(), -9, 10, &raw mut word), -5);
            assert!(word.is_null());
            assert_eq!(atoi(c" -42abc".as_ptr()), -42);
        }
    }
}
