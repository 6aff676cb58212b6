//! Identity, names, signals, scheduling and affinity of threads.

use super::attr;
use crate::errno::{EINVAL, ESRCH};
use crate::sys;
use crate::thread::{self, Thread};
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::sync::atomic::{AtomicI32, Ordering};

/// pthread_self(3).
#[unsafe(no_mangle)]
pub extern "C" fn __libc_thr_self() -> *mut Thread {
    thread::current()
}

/// pthread_equal(3).
#[unsafe(no_mangle)]
pub extern "C" fn __libc_thr_equal(a: *mut Thread, b: *mut Thread) -> c_int {
    c_int::from(a == b)
}

/// pthread_curcpu_np(3): there is one.
#[unsafe(no_mangle)]
pub extern "C" fn __libc_thr_curcpu() -> c_uint {
    0
}

/// The address of errno.
#[unsafe(no_mangle)]
pub extern "C" fn pthread__errno() -> *mut c_int {
    crate::errno::location()
}

/// sched_yield(2).
#[unsafe(no_mangle)]
pub extern "C" fn __libc_thr_yield() -> c_int {
    sys::sched_yield()
}

/// Makes a system call with errno left alone; returns the error number.
fn quietly(call: impl FnOnce() -> c_int) -> c_int {
    let errno = crate::errno::get();
    if call() == 0 {
        return 0;
    }
    let error = crate::errno::get();
    crate::errno::set(errno);
    error
}

/// pthread_kill(3).
///
/// # Safety
/// `thread` is a thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_kill(thread: *mut Thread, signal: c_int) -> c_int {
    if !(0..=63).contains(&signal) {
        return EINVAL;
    }
    if thread.is_null() {
        return ESRCH;
    }
    // SAFETY: this function's contract.
    let lwp = unsafe { (*thread).lwp };
    quietly(|| sys::_lwp_kill(lwp, signal))
}

/// pthread_sigmask(3).
///
/// # Safety
/// Both are null or point to signal sets.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_sigmask(how: c_int, new: *const [u32; 4], old: *mut [u32; 4]) -> c_int {
    // SAFETY: this function's contract.
    quietly(|| unsafe { sys::__sigprocmask14(how, new, old) })
}

/// pthread_suspend_np(3).
///
/// # Safety
/// `thread` is a thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_suspend_np(thread: *mut Thread) -> c_int {
    // SAFETY: this function's contract.
    let lwp = unsafe { (*thread).lwp };
    quietly(|| sys::_lwp_suspend(lwp))
}

/// pthread_resume_np(3).
///
/// # Safety
/// `thread` is a thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_resume_np(thread: *mut Thread) -> c_int {
    // SAFETY: this function's contract.
    let lwp = unsafe { (*thread).lwp };
    quietly(|| sys::_lwp_continue(lwp))
}

/// Copies a NUL-terminated name as strlcpy(3) does.
///
/// # Safety
/// `to` has `len` bytes.
pub unsafe fn copy_name(name: &[u8; 32], to: *mut c_char, len: usize) {
    let own = name.iter().position(|&byte| byte == 0).unwrap_or(31);
    if let Some(last) = len.checked_sub(1) {
        let count = own.min(last);
        // SAFETY: this function's contract; `count` is below `len`.
        unsafe {
            core::ptr::copy_nonoverlapping(name.as_ptr().cast(), to, count);
            *to.add(count) = 0;
        }
    }
}

/// pthread_getname_np(3).
///
/// # Safety
/// `thread` is a thread, `name` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_getname_np(thread: *mut Thread, name: *mut c_char, len: usize) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        let own = (*thread).name;
        copy_name(&own, name, len);
    }
    0
}

/// pthread_setname_np(3): `name` is a format with at most one `%s` or `%p`-like conversion, for `argument`. A `%s` is filled in; others
/// are left as they are.
///
/// # Safety
/// `thread` is a thread, `name` a string, `argument` one too where the name has a `%s`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_setname_np(
    thread: *mut Thread,
    name: *const c_char,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        let format = CStr::from_ptr(name);
        let mut full = [0_u8; 32];
        if let Some(at) = format.to_bytes().windows(2).position(|pair| pair == b"%s") {
            let bytes = format.to_bytes();
            let argument = CStr::from_ptr(argument.cast::<c_char>()).to_bytes();
            let parts = bytes.iter().take(at).chain(argument).chain(bytes.iter().skip(at + 2));
            for (index, &byte) in parts.enumerate() {
                match full.get_mut(index) {
                    Some(slot) if index < 31 => *slot = byte,
                    _ => return EINVAL,
                }
            }
        } else if !attr::set_name(&mut full, format) {
            return EINVAL;
        }
        (*thread).name = full;
        let errno = crate::errno::get();
        sys::_lwp_setname((*thread).lwp, full.as_ptr().cast());
        crate::errno::set(errno);
    }
    0
}

/// pthread_getschedparam(3).
///
/// # Safety
/// `thread` is a thread, the others point to an int and a `struct sched_param`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_getschedparam(
    thread: *mut Thread,
    policy: *mut c_int,
    param: *mut c_void,
) -> c_int {
    // SAFETY: this function's contract; pid 0 is this process.
    quietly(|| unsafe { sys::_sched_getparam(0, (*thread).lwp, policy, param) })
}

/// pthread_setschedparam(3).
///
/// # Safety
/// `thread` is a thread, `param` points to a `struct sched_param`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_setschedparam(
    thread: *mut Thread,
    policy: c_int,
    param: *const c_void,
) -> c_int {
    // SAFETY: this function's contract.
    quietly(|| unsafe { sys::_sched_setparam(0, (*thread).lwp, policy, param) })
}

/// pthread_setschedprio(3).
///
/// # Safety
/// `thread` is a thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_setschedprio(thread: *mut Thread, priority: c_int) -> c_int {
    const SCHED_NONE: c_int = -1;
    // SAFETY: this function's contract; `struct sched_param` is an int.
    quietly(|| unsafe { sys::_sched_setparam(0, (*thread).lwp, SCHED_NONE, (&raw const priority).cast()) })
}

/// pthread_getaffinity_np(3).
///
/// # Safety
/// `thread` is a thread, `set` has `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_getaffinity_np(thread: *mut Thread, size: usize, set: *mut c_void) -> c_int {
    // SAFETY: this function's contract.
    quietly(|| unsafe { sys::_sched_getaffinity(0, (*thread).lwp, size, set) })
}

/// pthread_setaffinity_np(3).
///
/// # Safety
/// `thread` is a thread, `set` has `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_setaffinity_np(thread: *mut Thread, size: usize, set: *mut c_void) -> c_int {
    // SAFETY: this function's contract.
    quietly(|| unsafe { sys::_sched_setaffinity(0, (*thread).lwp, size, set) })
}

/// pthread_getcpuclockid(3).
///
/// # Safety
/// `thread` is a thread, `clock` points to a clockid_t.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_getcpuclockid(thread: *mut Thread, clock: *mut c_int) -> c_int {
    /// CLOCK_THREAD_CPUTIME_ID with the LWP in the lower bits.
    const CLOCK_THREAD_CPUTIME_ID: c_int = 0x2000_0000;
    // SAFETY: this function's contract.
    unsafe { *clock = CLOCK_THREAD_CPUTIME_ID | (*thread).lwp };
    0
}

static CONCURRENCY: AtomicI32 = AtomicI32::new(0);

/// pthread_setconcurrency(3): a hint, which pthread_getconcurrency(3) returns.
#[unsafe(no_mangle)]
pub extern "C" fn pthread_setconcurrency(level: c_int) -> c_int {
    if level < 0 {
        return EINVAL;
    }
    CONCURRENCY.store(level, Ordering::Relaxed);
    0
}

/// pthread_getconcurrency(3).
#[unsafe(no_mangle)]
pub extern "C" fn pthread_getconcurrency() -> c_int {
    CONCURRENCY.load(Ordering::Relaxed)
}

/// pthread_mutex_getprioceiling(3): no mutex has a ceiling.
#[unsafe(no_mangle)]
pub extern "C" fn pthread_mutex_getprioceiling(_mutex: *const c_void, _ceiling: *mut c_int) -> c_int {
    EINVAL
}

/// pthread_mutex_setprioceiling(3): no mutex has a ceiling.
#[unsafe(no_mangle)]
pub extern "C" fn pthread_mutex_setprioceiling(
    _mutex: *mut c_void,
    _ceiling: c_int,
    _old: *mut c_int,
) -> c_int {
    EINVAL
}

alias! {
    /// pthread_self(3).
    pthread_self => __libc_thr_self;
    /// pthread_equal(3).
    pthread_equal => __libc_thr_equal;
    /// pthread_curcpu_np(3).
    pthread_curcpu_np => __libc_thr_curcpu;
    /// The address of errno.
    __libc_thr_errno => pthread__errno;
    /// pthread_sigmask(3).
    __libc_thr_sigsetmask => pthread_sigmask;
    /// thrd_current(3).
    thrd_current => __libc_thr_self;
    /// thrd_equal(3).
    thrd_equal => __libc_thr_equal;
    /// thrd_yield(3).
    thrd_yield => __libc_thr_yield;
}
