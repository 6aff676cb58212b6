//! Users and groups of the process where they are more than a call: setpgrp(3), getlogin(2), setruid(3).

use crate::errno;
use core::ffi::{c_char, c_int};

unsafe extern "C" {
    fn setpgid(pid: c_int, group: c_int) -> c_int;
    fn setreuid(real: u32, effective: u32) -> c_int;
    fn setregid(real: u32, effective: u32) -> c_int;
    fn __getlogin(name: *mut c_char, len: usize) -> c_int;
}

/// setpgrp(3).
#[unsafe(no_mangle)]
pub extern "C" fn setpgrp(pid: c_int, group: c_int) -> c_int {
    // SAFETY: the call takes numbers.
    unsafe { setpgid(pid, group) }
}

/// setruid(3).
#[unsafe(no_mangle)]
pub extern "C" fn setruid(uid: u32) -> c_int {
    // SAFETY: the call takes numbers; -1 leaves the other as it is.
    unsafe { setreuid(uid, u32::MAX) }
}

/// setrgid(3).
#[unsafe(no_mangle)]
pub extern "C" fn setrgid(gid: u32) -> c_int {
    // SAFETY: as above.
    unsafe { setregid(gid, u32::MAX) }
}

/// getlogin_r(3): returns the error number.
///
/// # Safety
/// `name` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getlogin_r(name: *mut c_char, len: usize) -> c_int {
    let before = errno::get();
    // SAFETY: this function's contract.
    unsafe {
        if __getlogin(name, len) != 0 {
            let error = errno::get();
            errno::set(before);
            return error;
        }
        if len == 0 || *name == 0 {
            return errno::ENOENT;
        }
    }
    0
}

/// getlogin(2).
#[unsafe(no_mangle)]
pub extern "C" fn getlogin() -> *mut c_char {
    /// LOGIN_NAME_MAX.
    const LEN: usize = 17;
    static mut NAME: [c_char; LEN] = [0; LEN];
    let name = (&raw mut NAME).cast::<c_char>();
    // SAFETY: the buffer has that size; C allows the function to use static memory.
    if unsafe { getlogin_r(name, LEN) } == 0 { name } else { core::ptr::null_mut() }
}
