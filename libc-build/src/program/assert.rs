//! assert(3) and _DIAGASSERT(3): what the macros call.
//!
//! The message is put together by hand: a program with an assertion does not need printf(3) for it.

use crate::process::abort;
use crate::string::error::numbered;
use crate::string::scan::strlen;
use crate::sys::write;
use core::ffi::{CStr, c_char, c_int};

/// Writes the parts of a message to the standard error output.
///
/// # Safety
/// All are null or C strings.
unsafe fn report(
    kind: &CStr,
    file: *const c_char,
    line: c_int,
    function: *const c_char,
    text: *const c_char,
) {
    let mut number = [0_u8; 16];
    numbered(&mut number, "", line);
    let (before, behind) = if function.is_null() { (c"", c"") } else { (c", function \"", c"\"") };
    let parts = [
        kind.as_ptr(),
        c"assertion \"".as_ptr(),
        text,
        c"\" failed: file \"".as_ptr(),
        file,
        c"\", line ".as_ptr(),
        number.as_ptr().cast(),
        before.as_ptr(),
        function,
        behind.as_ptr(),
        c"\n".as_ptr(),
    ];
    for part in parts {
        if !part.is_null() {
            // SAFETY: a C string with its length.
            unsafe { write(2, part.cast(), strlen(part)) };
        }
    }
}

/// A failed assertion: tells which, and aborts.
///
/// # Safety
/// All are null or C strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __assert13(
    file: *const c_char,
    line: c_int,
    function: *const c_char,
    text: *const c_char,
) -> ! {
    // SAFETY: as this function's own.
    unsafe { report(c"", file, line, function, text) };
    abort()
}

/// A failed assertion of an old program, which does not know its function.
///
/// # Safety
/// All are null or C strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __assert(file: *const c_char, line: c_int, text: *const c_char) -> ! {
    // SAFETY: as this function's own.
    unsafe { __assert13(file, line, core::ptr::null(), text) }
}

/// A failed diagnostic assertion: tells which, and goes on.
///
/// # Safety
/// All are null or C strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __diagassert13(
    file: *const c_char,
    line: c_int,
    function: *const c_char,
    text: *const c_char,
) {
    // SAFETY: as this function's own.
    unsafe { report(c"diagnostic ", file, line, function, text) };
}

/// A failed diagnostic assertion of an old program.
///
/// # Safety
/// All are null or C strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __diagassert(file: *const c_char, line: c_int, text: *const c_char) {
    // SAFETY: as this function's own.
    unsafe { report(c"diagnostic ", file, line, core::ptr::null(), text) };
}
