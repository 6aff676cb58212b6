//! wcsftime(3): strftime(3) in wide characters.

use super::multibyte::{WideChar, mbsrtowcs_l, wcsrtombs_l};
use crate::locale::Locale;
use crate::locale::category::global;
use crate::stdio::heap;
use crate::time::Tm;
use crate::time::format::strftime_l;
use core::ptr::null_mut;

/// wcsftime_l(3).
///
/// # Safety
/// `to` has room for `size` characters, `format` is a wide string, `tm` a time, `locale` a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcsftime_l(
    to: *mut WideChar,
    size: usize,
    format: *const WideChar,
    tm: *const Tm,
    locale: *const Locale,
) -> usize {
    // SAFETY: as this function's own; both pieces of heap are as large as what is written to them: a character has at most four bytes.
    unsafe {
        let mut from = format;
        let needed = wcsrtombs_l(null_mut(), &raw mut from, 0, null_mut(), locale);
        let Some(most) = size.checked_mul(4).filter(|_| needed != usize::MAX) else { return 0 };
        let (pattern, text) = (heap::allocate(needed + 1), heap::allocate(most.max(1)));
        let mut result = 0;
        if !pattern.is_null() && !text.is_null() {
            wcsrtombs_l(pattern, &raw mut from, needed + 1, null_mut(), locale);
            if strftime_l(text.cast(), most, pattern.cast(), tm, locale.cast_mut().cast()) != 0 {
                let mut from = text.cast_const();
                let len = mbsrtowcs_l(to, &raw mut from, size, null_mut(), locale);
                // What does not fit with its zero is no result.
                result = if len < size { len } else { 0 };
            }
        }
        heap::free(pattern);
        heap::free(text);
        result
    }
}

/// wcsftime(3).
///
/// # Safety
/// As for [`wcsftime_l`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcsftime(
    to: *mut WideChar,
    size: usize,
    format: *const WideChar,
    tm: *const Tm,
) -> usize {
    // SAFETY: as this function's own.
    unsafe { wcsftime_l(to, size, format, tm, global()) }
}
