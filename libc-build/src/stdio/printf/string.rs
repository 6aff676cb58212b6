//! Output to strings: sprintf(3), snprintf(3), asprintf(3).

use super::engine::{Mode, format};
use super::out::Out;
use crate::errno::{self, ENOMEM};
use crate::locale::Locale;
use crate::locale::category::global;
use crate::stdio::heap;
use crate::va::VaList;
use core::ffi::{c_char, c_int};
use core::ptr::null_mut;

/// Formats to a buffer of `size` bytes.
///
/// # Safety
/// The buffer has this size (what of it the text needs), `text` is a format, `list` holds its arguments.
unsafe fn to_buffer(
    buffer: *mut c_char,
    size: usize,
    locale: &Locale,
    text: *const c_char,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let mut out = Out::string(buffer.cast(), size);
        let result = format(&mut out, Mode::narrow(locale), text.cast(), &mut *list);
        if size != 0 {
            *out.at = 0;
        }
        result
    }
}

/// vsnprintf(3).
///
/// # Safety
/// The buffer has `size` bytes, `text` is a format, `list` holds its arguments.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vsnprintf(
    buffer: *mut c_char,
    size: usize,
    text: *const c_char,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { to_buffer(buffer, size, global(), text, list) }
}

/// vsnprintf_l(3).
///
/// # Safety
/// As for [`vsnprintf`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vsnprintf_l(
    buffer: *mut c_char,
    size: usize,
    locale: *const Locale,
    text: *const c_char,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { to_buffer(buffer, size, Locale::from_ptr(locale), text, list) }
}

/// vsnprintf_ss(3): like vsnprintf(3), for signal handlers. Neither locks nor allocates, as the other does not either.
///
/// # Safety
/// As for [`vsnprintf`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vsnprintf_ss(
    buffer: *mut c_char,
    size: usize,
    text: *const c_char,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { to_buffer(buffer, size, &crate::locale::category::_lc_C_locale, text, list) }
}

/// vsprintf(3).
///
/// # Safety
/// The buffer is as large as the text gets; `text` is a format, `list` holds its arguments.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vsprintf(buffer: *mut c_char, text: *const c_char, list: *mut VaList) -> c_int {
    // SAFETY: as this function's own.
    unsafe { to_buffer(buffer, usize::MAX, global(), text, list) }
}

/// vsprintf_l(3).
///
/// # Safety
/// As for [`vsprintf`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vsprintf_l(
    buffer: *mut c_char,
    locale: *const Locale,
    text: *const c_char,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { to_buffer(buffer, usize::MAX, Locale::from_ptr(locale), text, list) }
}

variadic! {
    /// snprintf(3).
    snprintf(3) => vsnprintf;
    /// snprintf_l(3).
    snprintf_l(4) => vsnprintf_l;
    /// snprintf_ss(3).
    snprintf_ss(3) => vsnprintf_ss;
    /// sprintf(3).
    sprintf(2) => vsprintf;
    /// sprintf_l(3).
    sprintf_l(3) => vsprintf_l;
    /// asprintf(3).
    asprintf(2) => vasprintf;
    /// asprintf_l(3).
    asprintf_l(3) => vasprintf_l;
}

/// The size that a growing string begins with.
const FIRST: usize = 128;

/// Makes a growing string larger, then writes what did not fit. Its start is what `context` points to.
unsafe fn grow(out: &mut Out, bytes: &[u8]) {
    let start: *mut *mut u8 = out.context.cast();
    // SAFETY: the context was set by `to_heap`; the string lies in heap up to `end` and one byte more.
    unsafe {
        let used = out.at.addr() - (*start).addr();
        let size = (used + out.room() + bytes.len() + 1) * 2;
        let larger = heap::resize(*start, size);
        if larger.is_null() {
            out.error = ENOMEM;
            return;
        }
        *start = larger;
        out.at = larger.wrapping_add(used);
        out.end = larger.wrapping_add(size - 1);
        core::ptr::copy_nonoverlapping(bytes.as_ptr(), out.at, bytes.len());
    }
    out.at = out.at.wrapping_add(bytes.len());
}

/// Formats to a string from malloc(3), stored in `result`; null if that fails.
///
/// # Safety
/// `result` is valid for a write, `text` is a format, `list` holds its arguments.
unsafe fn to_heap(
    result: *mut *mut c_char,
    locale: &Locale,
    text: *const c_char,
    list: *mut VaList,
) -> c_int {
    let mut start = heap::allocate(FIRST);
    // SAFETY: as this function's own.
    unsafe {
        *result = null_mut();
        if start.is_null() {
            return errno::fail(ENOMEM);
        }
        let mut out = Out::string(start, FIRST);
        out.overflow = grow;
        out.context = (&raw mut start).cast();
        let len = format(&mut out, Mode::narrow(locale), text.cast(), &mut *list);
        if len < 0 {
            heap::free(start);
            return len;
        }
        *out.at = 0;
        let fitted = heap::resize(start, len as usize + 1);
        *result = if fitted.is_null() { start } else { fitted }.cast();
        len
    }
}

/// vasprintf(3).
///
/// # Safety
/// `result` is valid for a write, `text` is a format, `list` holds its arguments.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vasprintf(
    result: *mut *mut c_char,
    text: *const c_char,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { to_heap(result, global(), text, list) }
}

/// vasprintf_l(3).
///
/// # Safety
/// As for [`vasprintf`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vasprintf_l(
    result: *mut *mut c_char,
    locale: *const Locale,
    text: *const c_char,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { to_heap(result, Locale::from_ptr(locale), text, list) }
}
