//! The current directory and what else takes paths: getcwd(3), getwd(3), lockf(3), statvfs(3).

use crate::{errno, malloc, sys};
use core::ffi::{c_char, c_int, c_void};
use core::ptr::null_mut;

/// PATH_MAX.
const PATH_MAX: usize = 1024;

/// getcwd(3): in memory of its own where `buf` is null.
///
/// # Safety
/// `buf` is null or has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getcwd(buf: *mut c_char, len: usize) -> *mut c_char {
    // SAFETY: this function's contract; own memory is as large as is said.
    unsafe {
        if !buf.is_null() {
            if len == 0 {
                errno::set(errno::EINVAL);
                return null_mut();
            }
            return if sys::__getcwd(buf, len) < 0 { null_mut() } else { buf };
        }
        let mut size = if len > 0 { len } else { 128 };
        loop {
            let own = malloc::malloc(size).cast::<c_char>();
            if own.is_null() {
                return null_mut();
            }
            if sys::__getcwd(own, size) >= 0 {
                return own;
            }
            malloc::free(own.cast());
            if len > 0 || errno::get() != errno::ERANGE || size > 16 * PATH_MAX {
                return null_mut();
            }
            size *= 4;
        }
    }
}

/// getwd(3).
///
/// # Safety
/// `buf` has PATH_MAX bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getwd(buf: *mut c_char) -> *mut c_char {
    // SAFETY: this function's contract.
    unsafe { getcwd(buf, PATH_MAX) }
}

/// `struct flock`.
#[repr(C)]
struct Flock {
    start: i64,
    len: i64,
    pid: c_int,
    kind: i16,
    whence: i16,
}

/// lockf(3).
#[unsafe(no_mangle)]
pub extern "C" fn lockf(fd: c_int, function: c_int, len: i64) -> c_int {
    const F_GETLK: c_int = 7;
    const F_SETLK: c_int = 8;
    const F_SETLKW: c_int = 9;
    const F_UNLCK: i16 = 2;
    const F_WRLCK: i16 = 3;
    const SEEK_CUR: i16 = 1;
    let (command, kind) = match function {
        0 => (F_SETLK, F_UNLCK),
        1 => (F_SETLKW, F_WRLCK),
        2 => (F_SETLK, F_WRLCK),
        3 => (F_GETLK, F_WRLCK),
        _ => return errno::fail(errno::EINVAL),
    };
    let mut lock = Flock { start: 0, len, pid: 0, kind, whence: SEEK_CUR };
    // SAFETY: the structure is this function's own.
    if unsafe { sys::fcntl(fd, command, &raw mut lock) } != 0 {
        return -1;
    }
    if function == 3 && lock.kind != F_UNLCK && lock.pid != sys::getpid() {
        return errno::fail(errno::EAGAIN);
    }
    0
}

unsafe extern "C" {
    fn __statvfs190(path: *const c_char, buf: *mut c_void, flags: c_int) -> c_int;
    fn __fstatvfs190(fd: c_int, buf: *mut c_void, flags: c_int) -> c_int;
}

/// ST_WAIT: current numbers.
const ST_WAIT: c_int = 1;

/// statvfs(3).
///
/// # Safety
/// `path` is a string, `buf` points to memory for a `struct statvfs`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __statvfs90(path: *const c_char, buf: *mut c_void) -> c_int {
    // SAFETY: this function's contract.
    unsafe { __statvfs190(path, buf, ST_WAIT) }
}

/// fstatvfs(3).
///
/// # Safety
/// `buf` points to memory for a `struct statvfs`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __fstatvfs90(fd: c_int, buf: *mut c_void) -> c_int {
    // SAFETY: this function's contract.
    unsafe { __fstatvfs190(fd, buf, ST_WAIT) }
}

/// creat(3).
///
/// # Safety
/// `path` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn creat(path: *const c_char, mode: u32) -> c_int {
    const O_WRONLY_CREAT_TRUNC: c_int = 0x0001 | 0x0200 | 0x0400;
    // SAFETY: this function's contract.
    unsafe { sys::open(path, O_WRONLY_CREAT_TRUNC, mode) }
}

/// closefrom(3).
#[unsafe(no_mangle)]
pub extern "C" fn closefrom(fd: c_int) -> c_int {
    const F_CLOSEM: c_int = 10;
    // SAFETY: the command takes no more.
    unsafe { sys::fcntl(fd, F_CLOSEM, 0) }
}
