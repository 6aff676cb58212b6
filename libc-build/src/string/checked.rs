//! The checked functions that compilers call under `_FORTIFY_SOURCE`: the size of the target is known and an overflow ends the program.
//!
//! Follows NetBSD's ssp(3); the formatted ones stand with printf(3).

use super::{build, copy, scan};
use core::ffi::{c_char, c_int, c_void};

/// Ends the program, whose memory is about to be overwritten.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __chk_fail() -> ! {
    #[cfg(test)]
    panic!("buffer overflow detected");
    #[cfg(not(test))]
    {
        let message = b"*** buffer overflow detected ***: terminated\n";
        unsafe extern "C" {
            fn write(fd: c_int, bytes: *const c_void, count: usize) -> isize;
            fn abort() -> !;
        }
        // SAFETY: the message is that long.
        unsafe {
            write(2, message.as_ptr().cast(), message.len());
            abort()
        }
    }
}

/// Ends the program if `needed` bytes exceed `size`.
#[inline(always)]
fn check(needed: usize, size: usize) {
    if needed > size {
        __chk_fail();
    }
}

/// memcpy(3) into `size` bytes. Overlap is refused, too.
///
/// # Safety
/// As memcpy(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __memcpy_chk(
    dst: *mut c_void,
    src: *const c_void,
    count: usize,
    size: usize,
) -> *mut c_void {
    check(count, size);
    // SAFETY: as this function's own.
    unsafe { copy::memcpy(dst, src, count) }
}

/// memmove(3) into `size` bytes.
///
/// # Safety
/// As memmove(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __memmove_chk(
    dst: *mut c_void,
    src: *const c_void,
    count: usize,
    size: usize,
) -> *mut c_void {
    check(count, size);
    // SAFETY: as this function's own.
    unsafe { copy::memmove(dst, src, count) }
}

/// memset(3) of `size` bytes.
///
/// # Safety
/// As memset(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __memset_chk(
    dst: *mut c_void,
    value: c_int,
    count: usize,
    size: usize,
) -> *mut c_void {
    check(count, size);
    // SAFETY: as this function's own.
    unsafe { copy::memset(dst, value, count) }
}

/// strcpy(3) into `size` bytes.
///
/// # Safety
/// As strcpy(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __strcpy_chk(dst: *mut c_char, src: *const c_char, size: usize) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe { __memcpy_chk(dst.cast(), src.cast(), scan::strlen(src) + 1, size).cast() }
}

/// stpcpy(3) into `size` bytes.
///
/// # Safety
/// As stpcpy(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __stpcpy_chk(dst: *mut c_char, src: *const c_char, size: usize) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe {
        let length = scan::strlen(src);
        __memcpy_chk(dst.cast(), src.cast(), length + 1, size);
        dst.add(length)
    }
}

/// strncpy(3) into `size` bytes.
///
/// # Safety
/// As strncpy(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __strncpy_chk(
    dst: *mut c_char,
    src: *const c_char,
    count: usize,
    size: usize,
) -> *mut c_char {
    check(count, size);
    // SAFETY: as this function's own.
    unsafe { build::strncpy(dst, src, count) }
}

/// stpncpy(3) into `size` bytes.
///
/// # Safety
/// As stpncpy(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __stpncpy_chk(
    dst: *mut c_char,
    src: *const c_char,
    count: usize,
    size: usize,
) -> *mut c_char {
    check(count, size);
    // SAFETY: as this function's own.
    unsafe { build::stpncpy(dst, src, count) }
}

/// strcat(3) into `size` bytes.
///
/// # Safety
/// As strcat(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __strcat_chk(dst: *mut c_char, src: *const c_char, size: usize) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe {
        check(scan::strlen(dst).saturating_add(scan::strlen(src)).saturating_add(1), size);
        build::strcat(dst, src)
    }
}

/// strncat(3) into `size` bytes.
///
/// # Safety
/// As strncat(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __strncat_chk(
    dst: *mut c_char,
    src: *const c_char,
    count: usize,
    size: usize,
) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe {
        check(scan::strlen(dst).saturating_add(scan::strnlen(src, count)).saturating_add(1), size);
        build::strncat(dst, src, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_copied() {
        let mut buffer = [0_i8; 8];
        // SAFETY: the sizes are those of the buffer.
        unsafe {
            __strcpy_chk(buffer.as_mut_ptr(), c"abc".as_ptr(), 8);
            __strcat_chk(buffer.as_mut_ptr(), c"defg".as_ptr(), 8);
        }
        assert_eq!(buffer.map(|byte| byte as u8), *b"abcdefg\0");
    }
}
