//! C11 threads (threads.h), on top of POSIX threads.

use super::attr::Attr;
use super::cond::{
    __libc_cond_broadcast, __libc_cond_destroy, __libc_cond_init, __libc_cond_signal, __libc_cond_timedwait,
    __libc_cond_wait, Cond,
};
use super::life::{__libc_thr_exit, pthread_create, pthread_join};
use super::mutex::{
    __libc_mutex_destroy, __libc_mutex_init, __libc_mutex_lock, __libc_mutex_trylock, __libc_mutex_unlock,
    __libc_mutexattr_init, __libc_mutexattr_settype, Mutex, MutexAttr, pthread_mutex_timedlock,
};
use super::specific;
use crate::clock::Timespec;
use crate::errno::{EAGAIN, EBUSY, EINTR, ENOMEM, ETIMEDOUT};
use crate::sys;
use crate::thread::Thread;
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;

/// An error number as thrd_*.
fn result(error: c_int) -> c_int {
    match error {
        0 => 0,
        ETIMEDOUT => -1,
        EBUSY => 1,
        ENOMEM | EAGAIN => 3,
        _ => 2,
    }
}

/// thrd_create(3). The start function returns an int; its value arrives in the lower half of the register.
///
/// # Safety
/// As [`pthread_create`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn thrd_create(
    out: *mut *mut Thread,
    start: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: this function's contract.
    result(unsafe { pthread_create(out, core::ptr::null::<Attr>(), start, argument) })
}

/// thrd_exit(3).
///
/// # Safety
/// As pthread_exit(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn thrd_exit(code: c_int) -> ! {
    // SAFETY: this function's contract.
    unsafe { __libc_thr_exit(core::ptr::without_provenance_mut(code as usize)) }
}

/// thrd_join(3).
///
/// # Safety
/// As [`pthread_join`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn thrd_join(thread: *mut Thread, code: *mut c_int) -> c_int {
    let mut value = core::ptr::null_mut();
    // SAFETY: this function's contract.
    unsafe {
        let error = pthread_join(thread, &raw mut value);
        if error == 0 && !code.is_null() {
            *code = value.addr() as c_int;
        }
        result(error)
    }
}

/// thrd_sleep(3).
///
/// # Safety
/// `time` is a time, `left` is null or a time's place.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn thrd_sleep(time: *const Timespec, left: *mut Timespec) -> c_int {
    // SAFETY: this function's contract.
    if unsafe { sys::__nanosleep50(time, left) } == 0 {
        0
    } else if crate::errno::get() == EINTR {
        -1
    } else {
        -2
    }
}

/// mtx_init(3).
///
/// # Safety
/// `mutex` points to memory for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mtx_init(mutex: *mut Mutex, kind: c_int) -> c_int {
    const MTX_RECURSIVE: c_int = 2;
    const PTHREAD_MUTEX_RECURSIVE: c_int = 2;
    let mut attr = MaybeUninit::<MutexAttr>::uninit();
    // SAFETY: this function's contract; the attribute is initialised first.
    unsafe {
        __libc_mutexattr_init(attr.as_mut_ptr());
        if kind & MTX_RECURSIVE != 0 {
            __libc_mutexattr_settype(attr.as_mut_ptr(), PTHREAD_MUTEX_RECURSIVE);
        }
        result(__libc_mutex_init(mutex, attr.as_ptr()))
    }
}

/// Defines functions that translate the error number.
macro_rules! translate {
    ($($(#[$meta:meta])* $name:ident($($argument:ident: $type:ty),*) => $function:path;)*) => {$(
        $(#[$meta])*
        ///
        /// # Safety
        /// As the POSIX function.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $type),*) -> c_int {
            // SAFETY: this function's contract.
            result(unsafe { $function($($argument),*) })
        }
    )*};
}

translate! {
    /// mtx_lock(3).
    mtx_lock(mutex: *mut Mutex) => __libc_mutex_lock;
    /// mtx_trylock(3).
    mtx_trylock(mutex: *mut Mutex) => __libc_mutex_trylock;
    /// mtx_timedlock(3).
    mtx_timedlock(mutex: *mut Mutex, deadline: *const Timespec) => pthread_mutex_timedlock;
    /// mtx_unlock(3).
    mtx_unlock(mutex: *mut Mutex) => __libc_mutex_unlock;
    /// cnd_signal(3).
    cnd_signal(cond: *mut Cond) => __libc_cond_signal;
    /// cnd_broadcast(3).
    cnd_broadcast(cond: *mut Cond) => __libc_cond_broadcast;
    /// cnd_wait(3).
    cnd_wait(cond: *mut Cond, mutex: *mut Mutex) => __libc_cond_wait;
    /// cnd_timedwait(3).
    cnd_timedwait(cond: *mut Cond, mutex: *mut Mutex, deadline: *const Timespec) => __libc_cond_timedwait;
    /// tss_create(3).
    tss_create(key: *mut c_int, destructor: Option<unsafe extern "C" fn(*mut c_void)>) => specific::__libc_thr_keycreate;
}

/// cnd_init(3).
///
/// # Safety
/// `cond` points to memory for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cnd_init(cond: *mut Cond) -> c_int {
    // SAFETY: this function's contract.
    result(unsafe { __libc_cond_init(cond, core::ptr::null()) })
}

/// tss_set(3).
///
/// # Safety
/// As pthread_setspecific(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tss_set(key: c_int, value: *mut c_void) -> c_int {
    result(specific::__libc_thr_setspecific(key, value))
}

alias! {
    /// mtx_destroy(3).
    mtx_destroy => __libc_mutex_destroy;
    /// cnd_destroy(3).
    cnd_destroy => __libc_cond_destroy;
}
