//! A stream's functions for a file descriptor; the cookie is its number.

use crate::sys;
use core::ffi::{c_int, c_void};

/// The descriptor in a cookie.
fn number(cookie: *mut c_void) -> c_int {
    cookie.addr() as c_int
}

/// Reads, as read(2).
pub(crate) unsafe extern "C" fn read(cookie: *mut c_void, buffer: *mut c_void, size: usize) -> isize {
    // SAFETY: the caller gives a buffer of this size.
    unsafe { sys::read(number(cookie), buffer, size) }
}

/// Writes, as write(2).
pub(crate) unsafe extern "C" fn write(cookie: *mut c_void, bytes: *const c_void, size: usize) -> isize {
    // SAFETY: the caller gives so many bytes.
    unsafe { sys::write(number(cookie), bytes, size) }
}

/// Seeks, as lseek(2).
pub(crate) unsafe extern "C" fn seek(cookie: *mut c_void, offset: i64, whence: c_int) -> i64 {
    sys::lseek(number(cookie), offset, whence)
}

/// Closes, as close(2).
pub(crate) unsafe extern "C" fn close(cookie: *mut c_void) -> c_int {
    sys::close(number(cookie))
}
