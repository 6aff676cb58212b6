//! A stream's state: feof(3), ferror(3), clearerr(3), fileno(3).

use super::file::{File, SEOF, SERR};
use super::lock::Locked;
use crate::errno::{self, EBADF};
use core::ffi::c_int;

/// feof(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn feof(stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    unsafe { Locked::new(stream) }.has(SEOF).into()
}

/// ferror(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn ferror(stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    unsafe { Locked::new(stream) }.has(SERR).into()
}

/// clearerr(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn clearerr(stream: *mut File) {
    // SAFETY: as this function's own.
    unsafe { Locked::new(stream) }.flags &= !(SEOF | SERR);
}

/// fileno(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fileno(stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    match unsafe { Locked::new(stream) }.fd {
        -1 => errno::fail(EBADF),
        // A descriptor beyond 32,767 has a negative `short`.
        fd => c_int::from(fd as u16),
    }
}
