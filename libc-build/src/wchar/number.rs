//! Wide strings to numbers: wcstol(3), wcstod(3) and their relatives.

use super::multibyte::WideChar;
use crate::errno::{self, EINVAL, ERANGE};
use crate::number::parse::{Text, digit_value, double, float, is_space, long_double, scan};
use crate::number::strtod::{conclude, returns_long_double};
use crate::va::LongDouble;
use core::ffi::{c_int, c_void};

/// A wide string, read no further than a number in it goes.
struct Characters(*const WideChar);

impl Text for Characters {
    fn at(&self, i: usize) -> u8 {
        // SAFETY: the reader has seen that no character before this one is the string's zero, nor beyond ASCII.
        let c = unsafe { *self.0.wrapping_add(i) };
        u8::try_from(c).ok().filter(u8::is_ascii).unwrap_or(0)
    }
}

/// An integer that a text begins with.
struct Integer {
    magnitude: Option<u64>,
    negative: bool,
    /// Where it ends; 0 if there is none.
    end: usize,
}

/// Reads an integer. `None` with errno set if there is no such base.
fn integer(text: &Characters, base: c_int) -> Option<Integer> {
    if base != 0 && !(2..=36).contains(&base) {
        errno::set(EINVAL);
        return None;
    }
    let mut base = base as u8;
    let mut i = 0;
    while is_space(text.at(i)) {
        i += 1;
    }
    let negative = text.at(i) == b'-';
    if matches!(text.at(i), b'+' | b'-') {
        i += 1;
    }
    let is_prefixed =
        text.at(i) == b'0' && text.at(i + 1) | 0x20 == b'x' && text.at(i + 2).is_ascii_hexdigit();
    if matches!(base, 0 | 16) && is_prefixed {
        base = 16;
        i += 2;
    } else if base == 0 {
        base = if text.at(i) == b'0' { 8 } else { 10 };
    }
    let mut magnitude = Some(0u64);
    let mut end = 0;
    while let Some(value) = digit_value(text.at(i)).filter(|&value| value < base) {
        magnitude = magnitude
            .and_then(|sum| sum.checked_mul(base.into()))
            .and_then(|sum| sum.checked_add(value.into()));
        i += 1;
        end = i;
    }
    Some(Integer { magnitude, negative, end })
}

/// Reports where a number ends.
///
/// # Safety
/// `end` is null or valid for a write.
unsafe fn report(text: *const WideChar, end: *mut *const WideChar, len: usize) {
    if !end.is_null() {
        // SAFETY: as this function's own.
        unsafe { *end = text.wrapping_add(len) };
    }
}

/// A signed number, with errno set if it is too great.
///
/// # Safety
/// `text` is a wide string, `end` null or valid for a write.
unsafe fn signed(text: *const WideChar, end: *mut *const WideChar, base: c_int) -> i64 {
    let it = integer(&Characters(text), base);
    // SAFETY: as this function's own.
    unsafe { report(text, end, it.as_ref().map_or(0, |it| it.end)) };
    let Some(it) = it else { return 0 };
    let value = it.magnitude.map(i128::from).map(|value| if it.negative { -value } else { value });
    value.and_then(|value| i64::try_from(value).ok()).unwrap_or_else(|| {
        errno::set(ERANGE);
        if it.negative { i64::MIN } else { i64::MAX }
    })
}

/// An unsigned number, with errno set if it is too great.
///
/// # Safety
/// As for [`signed`].
unsafe fn unsigned(text: *const WideChar, end: *mut *const WideChar, base: c_int) -> u64 {
    let it = integer(&Characters(text), base);
    // SAFETY: as this function's own.
    unsafe { report(text, end, it.as_ref().map_or(0, |it| it.end)) };
    let Some(it) = it else { return 0 };
    match it.magnitude {
        Some(value) if it.negative => value.wrapping_neg(),
        Some(value) => value,
        None => {
            errno::set(ERANGE);
            u64::MAX
        }
    }
}

/// Defines a function and its twin for a locale, which makes no difference to integers.
macro_rules! integers {
    ($($name:ident $localised:ident $result:ty = $function:ident;)*) => {$(
        #[doc = concat!("`", stringify!($name), "`.")]
        ///
        /// # Safety
        /// `text` is a wide string, `end` null or valid for a write.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $name(text: *const WideChar, end: *mut *const WideChar, base: c_int) -> $result {
            // SAFETY: as this function's own.
            unsafe { $function(text, end, base) }
        }

        #[doc = concat!("`", stringify!($localised), "`.")]
        ///
        /// # Safety
        /// `text` is a wide string, `end` null or valid for a write.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $localised(
            text: *const WideChar,
            end: *mut *const WideChar,
            base: c_int,
            _locale: *const c_void,
        ) -> $result {
            // SAFETY: as this function's own.
            unsafe { $function(text, end, base) }
        }
    )*};
}

integers! {
    wcstol wcstol_l i64 = signed;
    wcstoll wcstoll_l i64 = signed;
    wcstoimax wcstoimax_l i64 = signed;
    wcstoul wcstoul_l u64 = unsigned;
    wcstoull wcstoull_l u64 = unsigned;
    wcstoumax wcstoumax_l u64 = unsigned;
}

/// wcstod(3).
///
/// # Safety
/// `text` is a wide string, `end` null or valid for a write.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcstod(text: *const WideChar, end: *mut *const WideChar) -> f64 {
    let characters = Characters(text);
    let found = scan(&characters);
    // SAFETY: as this function's own.
    unsafe { conclude(text, end, found, double(&characters, found)) }
}

/// wcstod_l(3).
///
/// # Safety
/// As for [`wcstod`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcstod_l(
    text: *const WideChar,
    end: *mut *const WideChar,
    _locale: *const c_void,
) -> f64 {
    // SAFETY: as this function's own.
    unsafe { wcstod(text, end) }
}

/// wcstof(3).
///
/// # Safety
/// As for [`wcstod`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcstof(text: *const WideChar, end: *mut *const WideChar) -> f32 {
    let characters = Characters(text);
    let found = scan(&characters);
    // SAFETY: as this function's own.
    unsafe { conclude(text, end, found, float(&characters, found)) }
}

/// wcstof_l(3).
///
/// # Safety
/// As for [`wcstod`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcstof_l(
    text: *const WideChar,
    end: *mut *const WideChar,
    _locale: *const c_void,
) -> f32 {
    // SAFETY: as this function's own.
    unsafe { wcstof(text, end) }
}

/// Stores the long double that `text` begins with.
///
/// # Safety
/// As for [`wcstod`].
unsafe extern "C" fn store_long_double(
    text: *const WideChar,
    end: *mut *const WideChar,
    value: *mut LongDouble,
) {
    let characters = Characters(text);
    let found = scan(&characters);
    // SAFETY: as this function's own; `value` is the shim's.
    unsafe { value.write(conclude(text, end, found, long_double(&characters, found))) }
}

returns_long_double! {
    /// wcstold(3).
    wcstold => store_long_double;
    /// wcstold_l(3).
    wcstold_l => store_long_double;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<WideChar> {
        text.chars().map(|c| c as WideChar).chain([0]).collect()
    }

    #[test]
    fn integers() {
        let read = |text: &str, base| {
            let text = wide(text);
            let mut end = core::ptr::null();
            errno::set(0);
            // SAFETY: a wide string.
            let value = unsafe { signed(text.as_ptr(), &raw mut end, base) };
            (value, (end.addr() - text.as_ptr().addr()) / 4, errno::get())
        };
        assert_eq!(read(" -0x1Fg", 0), (-31, 6, 0));
        assert_eq!(read("077", 0), (63, 3, 0));
        assert_eq!(read("0x", 16), (0, 1, 0));
        assert_eq!(read("zz", 36), (35 * 36 + 35, 2, 0));
        assert_eq!(read("x", 10), (0, 0, 0));
        assert_eq!(read("9223372036854775808", 10), (i64::MAX, 19, ERANGE));
        assert_eq!(read("-9223372036854775808", 10), (i64::MIN, 20, 0));
        assert_eq!(read("1", 1), (0, 0, EINVAL));
    }

    #[test]
    fn floating_point() {
        let text = wide(" 2.5e1ä");
        let mut end = core::ptr::null();
        // SAFETY: a wide string.
        assert_eq!(unsafe { wcstod(text.as_ptr(), &raw mut end) }, 25.0);
        assert_eq!(end, text.as_ptr().wrapping_add(6));
    }
}
