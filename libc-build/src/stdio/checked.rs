//! The functions of ssp/stdio.h: those that are told how large a buffer is, and end the program rather than write beyond it.

use super::file::File;
use super::printf::string::vsnprintf;
use super::read::fgets;
use super::streams::stdin;
use crate::string::checked::__chk_fail;
use crate::va::VaList;
use core::ffi::{c_char, c_int};

/// `__vsnprintf_chk`.
///
/// # Safety
/// As for vsnprintf(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __vsnprintf_chk(
    buffer: *mut c_char,
    size: usize,
    _flags: c_int,
    room: usize,
    text: *const c_char,
    list: *mut VaList,
) -> c_int {
    if size > room {
        __chk_fail();
    }
    // SAFETY: as this function's own.
    unsafe { vsnprintf(buffer, size, text, list) }
}

/// `__vsprintf_chk`.
///
/// # Safety
/// As for vsprintf(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __vsprintf_chk(
    buffer: *mut c_char,
    _flags: c_int,
    room: usize,
    text: *const c_char,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own; no more is written than there is room for.
    let len = unsafe { vsnprintf(buffer, room, text, list) };
    if usize::try_from(len).is_ok_and(|len| len >= room) {
        __chk_fail();
    }
    len
}

variadic! {
    /// `__snprintf_chk`.
    __snprintf_chk(5) => __vsnprintf_chk;
    /// `__sprintf_chk`.
    __sprintf_chk(4) => __vsprintf_chk;
}

/// `__fgets_chk`.
///
/// # Safety
/// As for fgets(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __fgets_chk(
    to: *mut c_char,
    size: c_int,
    room: usize,
    stream: *mut File,
) -> *mut c_char {
    if usize::try_from(size).is_ok_and(|size| size > room) {
        __chk_fail();
    }
    // SAFETY: as this function's own.
    unsafe { fgets(to, size, stream) }
}

/// `__gets_chk`.
///
/// # Safety
/// `to` has `room` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __gets_chk(to: *mut c_char, room: usize) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe {
        let got = fgets(to, c_int::try_from(room).unwrap_or(c_int::MAX), stdin());
        if !got.is_null() {
            let len = core::ffi::CStr::from_ptr(to).count_bytes();
            let last = to.cast::<u8>().wrapping_add(len.wrapping_sub(1));
            if len != 0 && *last == b'\n' {
                *last = 0;
            } else if len + 1 >= room {
                __chk_fail();
            }
        }
        got
    }
}
