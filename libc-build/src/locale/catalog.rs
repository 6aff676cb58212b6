//! Message catalogues: catopen(3), catgets(3), catclose(3).
//!
//! An image holds no catalogues for the languages that it knows, so none is ever open: opening one fails, as where the file is missing.

use crate::errno::{self, EBADF, ENOENT};
use core::ffi::{c_char, c_int, c_void};
use core::ptr::without_provenance_mut;

/// catopen(3).
///
/// # Safety
/// `name` is a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn catopen(_name: *const c_char, _flag: c_int) -> *mut c_void {
    errno::set(ENOENT);
    without_provenance_mut(usize::MAX)
}

/// catopen_l(3).
///
/// # Safety
/// `name` is a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn catopen_l(name: *const c_char, flag: c_int, _locale: *const c_void) -> *mut c_void {
    // SAFETY: as this function's own.
    unsafe { catopen(name, flag) }
}

/// catgets(3): without a catalogue, the caller's own text.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn catgets(
    _catalogue: *mut c_void,
    _set: c_int,
    _message: c_int,
    text: *const c_char,
) -> *const c_char {
    errno::set(EBADF);
    text
}

/// catclose(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn catclose(_catalogue: *mut c_void) -> c_int {
    errno::fail(EBADF)
}
