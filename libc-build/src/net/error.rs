//! Errors of looking up: h_errno, herror(3), gai_strerror(3).
//!
//! h_errno is a variable, and `*__h_errno()` in programs with threads: both are set.

use crate::sys;
use core::ffi::{CStr, c_char, c_int};
use core::sync::atomic::{AtomicI32, Ordering};

/// The variable of programs without threads.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[cfg_attr(test, expect(non_upper_case_globals, reason = "C's name"))]
pub static h_errno: AtomicI32 = AtomicI32::new(0);

/// Where h_errno of the calling thread is.
#[cfg(not(test))]
#[unsafe(no_mangle)]
pub extern "C" fn __h_errno() -> *mut c_int {
    // SAFETY: layer 2's own code runs only on threads whose block exists.
    unsafe { &raw mut (*crate::thread::current()).h_errno }
}

/// Where h_errno of the calling thread is.
#[cfg(test)]
pub extern "C" fn __h_errno() -> *mut c_int {
    std::thread_local!(static H_ERRNO: core::cell::UnsafeCell<c_int> = const { core::cell::UnsafeCell::new(0) });
    H_ERRNO.with(core::cell::UnsafeCell::get)
}

/// Sets h_errno.
pub(crate) fn set(number: c_int) {
    h_errno.store(number, Ordering::Relaxed);
    // SAFETY: the calling thread's own word.
    unsafe { *__h_errno() = number };
}

/// What the numbers of h_errno mean.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn hstrerror(number: c_int) -> *const c_char {
    let text = match number {
        0 => c"Resolver Error 0 (no error)",
        1 => c"Unknown host",
        2 => c"Host name lookup failure",
        3 => c"Unknown server error",
        4 => c"No address associated with name",
        ..=-1 => c"Resolver internal error",
        _ => c"Unknown resolver error",
    };
    text.as_ptr()
}

/// Writes what h_errno means, after `prefix`.
///
/// # Safety
/// `prefix` is null or a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn herror(prefix: *const c_char) {
    // SAFETY: as this function's own; the text is a constant, the word the calling thread's own.
    unsafe {
        let prefix = if prefix.is_null() { c"" } else { CStr::from_ptr(prefix) };
        let between = if prefix.is_empty() { c"" } else { c": " };
        for part in [prefix, between, CStr::from_ptr(hstrerror(*__h_errno())), c"\n"] {
            // There is nobody to tell that it failed.
            let _ = sys::write(2, part.as_ptr().cast(), part.count_bytes());
        }
    }
}

/// What the numbers that getaddrinfo(3) returns mean.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn gai_strerror(number: c_int) -> *const c_char {
    let text = match number {
        0 => c"Success",
        1 => c"Address family for hostname not supported",
        2 => c"Temporary failure in name resolution",
        3 => c"Invalid value for ai_flags",
        4 => c"Non-recoverable failure in name resolution",
        5 => c"ai_family not supported",
        6 => c"Memory allocation failure",
        7 => c"No address associated with hostname",
        8 => c"hostname nor servname provided, or not known",
        9 => c"servname not supported for ai_socktype",
        10 => c"ai_socktype not supported",
        11 => c"System error returned in errno",
        12 => c"Invalid value for hints",
        13 => c"Resolved protocol is unknown",
        14 => c"Argument buffer overflow",
        _ => c"Unknown error",
    };
    text.as_ptr()
}
