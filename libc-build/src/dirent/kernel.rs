//! The system calls that look into directories; unit tests run where they do not exist, and get an error.

#[cfg(not(test))]
pub(crate) use crate::sys::{__fstat50, __getdents30, __lstat50, __stat50};

#[cfg(test)]
pub(crate) use absent::{__fstat50, __getdents30, __lstat50, __stat50};

#[cfg(test)]
mod absent {
    use crate::errno;
    use core::ffi::{c_char, c_int, c_void};

    pub(crate) unsafe fn __stat50(_path: *const c_char, _buf: *mut c_void) -> c_int {
        errno::fail(errno::ENOSYS)
    }

    pub(crate) unsafe fn __lstat50(_path: *const c_char, _buf: *mut c_void) -> c_int {
        errno::fail(errno::ENOSYS)
    }

    pub(crate) unsafe fn __fstat50(_fd: c_int, _buf: *mut c_void) -> c_int {
        errno::fail(errno::ENOSYS)
    }

    pub(crate) unsafe fn __getdents30(_fd: c_int, _buf: *mut c_char, _len: usize) -> c_int {
        errno::fail(errno::ENOSYS)
    }
}
