//! Other programs: exec(3), system(3), popen(3). An image holds one program, so all of them say what execve(2) and fork(2) say.

use crate::stdio::file::File;
use crate::va::VaList;
use crate::{env, errno, sys};
use core::ffi::{c_char, c_int};

/// execv(3).
///
/// # Safety
/// As execve(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execv(path: *const c_char, argv: *const *const c_char) -> c_int {
    // SAFETY: this function's contract.
    unsafe { sys::execve(path, argv, env::environment().cast_const().cast()) }
}

/// execvp(3), for a path with a slash; there is no PATH in which programs would lie.
///
/// # Safety
/// As execve(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execvp(file: *const c_char, argv: *const *const c_char) -> c_int {
    // SAFETY: this function's contract.
    unsafe { execv(file, argv) }
}

/// execvpe(3).
///
/// # Safety
/// As execve(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execvpe(
    file: *const c_char,
    argv: *const *const c_char,
    env: *const *const c_char,
) -> c_int {
    // SAFETY: this function's contract.
    unsafe { sys::execve(file, argv, env) }
}

/// Arguments that execl takes at most.
const MAX: usize = 256;

/// Gathers arguments up to the null.
unsafe fn gather(first: *const c_char, rest: &mut VaList) -> Option<[*const c_char; MAX]> {
    let mut argv = [core::ptr::null(); MAX];
    let mut next = first;
    for slot in argv.iter_mut().take(MAX - 1) {
        *slot = next;
        if next.is_null() {
            return Some(argv);
        }
        // SAFETY: the caller's arguments end with a null.
        next = unsafe { rest.arg() };
    }
    errno::set(errno::E2BIG);
    None
}

unsafe extern "C" fn vexecl(path: *const c_char, first: *const c_char, rest: *mut VaList) -> c_int {
    // SAFETY: execl's contract.
    unsafe { gather(first, &mut *rest).map_or(-1, |argv| execv(path, argv.as_ptr())) }
}

unsafe extern "C" fn vexecle(path: *const c_char, first: *const c_char, rest: *mut VaList) -> c_int {
    // SAFETY: execle's contract: the environment follows the null.
    unsafe {
        let rest = &mut *rest;
        match gather(first, rest) {
            Some(argv) => sys::execve(path, argv.as_ptr(), rest.arg()),
            None => -1,
        }
    }
}

variadic! {
    /// execl(3).
    execl(2) => vexecl;
    /// execlp(3).
    execlp(2) => vexecl;
    /// execle(3).
    execle(2) => vexecle;
}

/// system(3): 0 for the question whether there is a shell; otherwise -1 with errno of fork(2).
#[unsafe(no_mangle)]
pub extern "C" fn system(command: *const c_char) -> c_int {
    if command.is_null() { 0 } else { errno::fail(errno::ENOSYS) }
}

/// popen(3): always null, with errno of fork(2).
#[unsafe(no_mangle)]
pub extern "C" fn popen(_command: *const c_char, _mode: *const c_char) -> *mut File {
    errno::set(errno::ENOSYS);
    core::ptr::null_mut()
}

/// pclose(3): no stream comes from popen, so none has a child to wait for.
#[unsafe(no_mangle)]
pub extern "C" fn pclose(_stream: *mut File) -> c_int {
    errno::fail(errno::ECHILD)
}
