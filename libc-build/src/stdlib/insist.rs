//! efun(3): functions that do not return where they fail, and esetfunc(3), which says what happens then.

use super::heap::{calloc, malloc, realloc};
use crate::errno;
use crate::stdio::file::File;
use crate::stdio::open::fopen;
use crate::stdio::printf::string::vasprintf;
use crate::string::build::{strdup, strlcat, strlcpy, strndup};
use crate::string::error::strerror;
use crate::va::VaList;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicUsize, Ordering};

/// What is called with a status and a format: err(3) and its like.
type Report = unsafe extern "C" fn(c_int, *const c_char, ...);

/// The address of the program's own function; 0 for this library's.
static REPORT: AtomicUsize = AtomicUsize::new(0);

/// Tells that something failed, and what errno means; ends the program, unless the program's own function returns.
///
/// # Safety
/// The program's function can be called.
unsafe fn fail(what: &CStr) {
    let number = errno::get();
    let own = REPORT.load(Ordering::Relaxed);
    // SAFETY: the word is 0 or the address of such a function; C strings.
    unsafe {
        if own != 0 {
            let report: Report = core::mem::transmute::<usize, Report>(own);
            report(1, c"%s".as_ptr(), what.as_ptr());
            return;
        }
        let name = crate::program::name::getprogname();
        for part in [name, c": ".as_ptr(), what.as_ptr(), c": ".as_ptr(), strerror(number), c"\n".as_ptr()] {
            let part = CStr::from_ptr(part);
            // There is nobody to tell that it failed.
            let _ = crate::sys::write(2, part.as_ptr().cast(), part.count_bytes());
        }
        crate::process::exit(1)
    }
}

/// Says what happens where a function fails; returns what was said before, or null.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn esetfunc(report: Option<Report>) -> *const c_void {
    let new = report.map_or(0, |report| report as usize);
    core::ptr::without_provenance(REPORT.swap(new, Ordering::Relaxed))
}

macro_rules! insist {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) -> $result:ty = $call:expr, $what:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// As the function without `e`.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $name($($argument: $type),*) -> *mut $result {
            // SAFETY: as this function's own.
            unsafe {
                let result: *mut $result = $call;
                if result.is_null() {
                    fail($what);
                }
                result
            }
        }
    )*};
}

insist! {
    /// malloc(3).
    emalloc(size: usize) -> c_void = malloc(size), c"Cannot allocate memory";
    /// calloc(3).
    ecalloc(count: usize, size: usize) -> c_void = calloc(count, size), c"Cannot allocate memory";
    /// realloc(3).
    erealloc(block: *mut c_void, size: usize) -> c_void = realloc(block, size), c"Cannot allocate memory";
    /// strdup(3).
    estrdup(string: *const c_char) -> c_char = strdup(string), c"Cannot copy string";
    /// strndup(3).
    estrndup(string: *const c_char, limit: usize) -> c_char = strndup(string, limit), c"Cannot copy string";
    /// fopen(3).
    efopen(path: *const c_char, mode: *const c_char) -> File = fopen(path, mode), c"Cannot open file";
}

/// strlcpy(3) of a string that must fit.
///
/// # Safety
/// As strlcpy(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn estrlcpy(target: *mut c_char, source: *const c_char, size: usize) -> usize {
    // SAFETY: as this function's own.
    unsafe {
        let length = strlcpy(target, source, size);
        if length >= size {
            errno::set(errno::ENAMETOOLONG);
            fail(c"Cannot copy string");
        }
        length
    }
}

/// strlcat(3) of a string that must fit.
///
/// # Safety
/// As strlcat(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn estrlcat(target: *mut c_char, source: *const c_char, size: usize) -> usize {
    // SAFETY: as this function's own.
    unsafe {
        let length = strlcat(target, source, size);
        if length >= size {
            errno::set(errno::ENAMETOOLONG);
            fail(c"Cannot append to string");
        }
        length
    }
}

/// vasprintf(3).
///
/// # Safety
/// As vasprintf(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn evasprintf(
    target: *mut *mut c_char,
    format: *const c_char,
    arguments: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let length = vasprintf(target, format, arguments);
        if length < 0 {
            fail(c"Cannot format string");
        }
        length
    }
}

variadic! {
    /// asprintf(3).
    easprintf(2) => evasprintf;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_succeeds_returns() {
        let mut text = [0; 4];
        // SAFETY: C strings and a buffer with its size; the copy is freed once.
        unsafe {
            let copy = estrdup(c"abc".as_ptr());
            assert_eq!(CStr::from_ptr(copy), c"abc");
            super::super::heap::free(copy.cast());
            assert_eq!(estrlcpy(text.as_mut_ptr(), c"ab".as_ptr(), 4), 2);
            assert_eq!(estrlcat(text.as_mut_ptr(), c"c".as_ptr(), 4), 3);
        }
        assert!(esetfunc(None).is_null());
    }
}
