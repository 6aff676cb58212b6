//! The program's name: getprogname(3), setprogname(3). The variable belongs to the program's start-up code.

use crate::string::scan::strrchr;
use core::ffi::c_char;

#[cfg(not(test))]
unsafe extern "C" {
    /// The last part of argv\[0\].
    static mut __progname: *const c_char;
}

#[cfg(test)]
#[expect(non_upper_case_globals, reason = "C's name")]
static mut __progname: *const c_char = c"test".as_ptr();

/// The program's name.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn getprogname() -> *const c_char {
    // SAFETY: reading the program's variable.
    unsafe { __progname }
}

/// Sets the program's name to the last part of a path.
///
/// # Safety
/// `path` is a C string that stays.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn setprogname(path: *const c_char) {
    // SAFETY: as this function's own; behind a slash the string goes on or ends.
    unsafe {
        let slash = strrchr(path, b'/'.into());
        __progname = if slash.is_null() { path } else { slash.add(1) };
    }
}
