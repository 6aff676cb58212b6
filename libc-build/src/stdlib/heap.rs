//! malloc(3) as the other modules call it: the kit's own, or the host's in unit tests.

use core::ffi::c_void;

unsafe extern "C" {
    /// malloc(3).
    pub(crate) fn malloc(size: usize) -> *mut c_void;
    /// calloc(3).
    pub(crate) fn calloc(count: usize, size: usize) -> *mut c_void;
    /// realloc(3).
    pub(crate) fn realloc(block: *mut c_void, size: usize) -> *mut c_void;
    /// free(3).
    pub(crate) fn free(block: *mut c_void);
}
