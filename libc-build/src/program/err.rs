//! err(3): messages on the standard error output, with the program's name in front and maybe the meaning of an error number behind.

use super::name::getprogname;
use crate::errno;
use crate::process::exit;
use crate::stdio::printf::stream::vfprintf;
use crate::stdio::streams::stderr;
use crate::stdio::write::{fflush, fputs};
use crate::string::error::strerror;
use crate::va::VaList;
use core::ffi::{c_char, c_int};

/// Writes a message; `code` is the error number to explain, if any.
///
/// # Safety
/// `format` is null or a format that fits `args`.
unsafe fn message(code: Option<c_int>, format: *const c_char, args: *mut VaList) {
    let stream = stderr();
    // SAFETY: C strings, and the standard error stream.
    unsafe {
        fputs(getprogname(), stream);
        if !format.is_null() {
            fputs(c": ".as_ptr(), stream);
            vfprintf(stream, format, args);
        }
        if let Some(code) = code {
            fputs(c": ".as_ptr(), stream);
            fputs(strerror(code), stream);
        }
        fputs(c"\n".as_ptr(), stream);
        fflush(stream);
    }
}

/// warn(3) with a `va_list`.
///
/// # Safety
/// `format` is null or a format that fits `args`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vwarn(format: *const c_char, args: *mut VaList) {
    // SAFETY: as this function's own.
    unsafe { message(Some(errno::get()), format, args) }
}

/// warnx(3) with a `va_list`.
///
/// # Safety
/// As vwarn(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vwarnx(format: *const c_char, args: *mut VaList) {
    // SAFETY: as this function's own.
    unsafe { message(None, format, args) }
}

/// warnc(3) with a `va_list`.
///
/// # Safety
/// As vwarn(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vwarnc(code: c_int, format: *const c_char, args: *mut VaList) {
    // SAFETY: as this function's own.
    unsafe { message(Some(code), format, args) }
}

/// err(3) with a `va_list`.
///
/// # Safety
/// As vwarn(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn verr(status: c_int, format: *const c_char, args: *mut VaList) -> ! {
    // SAFETY: as this function's own.
    unsafe {
        message(Some(errno::get()), format, args);
        exit(status)
    }
}

/// errx(3) with a `va_list`.
///
/// # Safety
/// As vwarn(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn verrx(status: c_int, format: *const c_char, args: *mut VaList) -> ! {
    // SAFETY: as this function's own.
    unsafe {
        message(None, format, args);
        exit(status)
    }
}

/// errc(3) with a `va_list`.
///
/// # Safety
/// As vwarn(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn verrc(status: c_int, code: c_int, format: *const c_char, args: *mut VaList) -> ! {
    // SAFETY: as this function's own.
    unsafe {
        message(Some(code), format, args);
        exit(status)
    }
}

variadic! {
    /// Writes a message with the meaning of errno.
    warn(1) => vwarn;
    /// Writes a message.
    warnx(1) => vwarnx;
    /// Writes a message with the meaning of an error number.
    warnc(2) => vwarnc;
    /// Writes a message with the meaning of errno, and ends the program.
    err(2) => verr;
    /// Writes a message, and ends the program.
    errx(2) => verrx;
    /// Writes a message with the meaning of an error number, and ends the program.
    errc(3) => verrc;
}
