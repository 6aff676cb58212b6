//! Cancellation and cleanup: pthread_cancel(3), pthread_cleanup_push(3).
//!
//! The first pthread_cancel sets the hook at which the system call stubs look; a program without it pays nothing.

use crate::errno::EINVAL;
use crate::sys;
use crate::thread::{self, Thread};
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Bits of [`Thread::cancel`].
const DISABLED: u32 = 1;
const PENDING: u32 = 2;
const ASYNCHRONOUS: u32 = 4;

/// PTHREAD_CANCELED.
const CANCELED: *mut c_void = core::ptr::without_provenance_mut(1);

unsafe extern "C" {
    /// See `sys::stub`.
    static rb_cancel_hook: AtomicUsize;
}

/// Whether any thread was ever cancelled.
pub fn is_used() -> bool {
    // SAFETY: an atomic word.
    unsafe { rb_cancel_hook.load(Ordering::Relaxed) != 0 }
}

/// A cancellation point. It reaches the code that ends a thread only through the hook.
pub fn test() {
    // SAFETY: the word is 0 or the address of `hook`.
    unsafe {
        let hook = rb_cancel_hook.load(Ordering::Relaxed);
        if hook != 0 {
            let hook: extern "C" fn() = core::mem::transmute(hook);
            hook();
        }
    }
}

/// Acts upon a pending cancellation.
extern "C" fn hook() {
    // SAFETY: the block is the calling thread's.
    unsafe {
        let thread = thread::current();
        if (*thread).cancel.load(Ordering::Relaxed) & (PENDING | DISABLED) == PENDING {
            super::life::__libc_thr_exit(CANCELED)
        }
    }
}

/// The thread cannot be cancelled any more.
///
/// # Safety
/// The block is the calling thread's.
pub unsafe fn disable(thread: *mut Thread) {
    // SAFETY: this function's contract.
    unsafe { (*thread).cancel.store(DISABLED, Ordering::Relaxed) };
}

/// pthread_cancel(3).
///
/// # Safety
/// `thread` is a thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_cancel(thread: *mut Thread) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        rb_cancel_hook.store(hook as *const () as usize, Ordering::Relaxed);
        let before = (*thread).cancel.fetch_or(PENDING, Ordering::Relaxed);
        if thread == thread::current() {
            if before & ASYNCHRONOUS != 0 {
                hook();
            }
        } else if before & DISABLED == 0 {
            let errno = crate::errno::get();
            sys::_lwp_wakeup((*thread).lwp);
            crate::errno::set(errno);
        }
    }
    0
}

/// pthread_setcancelstate(3).
///
/// # Safety
/// `old` is null or points to an int.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_thr_setcancelstate(state: c_int, old: *mut c_int) -> c_int {
    // SAFETY: the block is the calling thread's; `old` as this function's contract says.
    unsafe {
        let cancel = &(*thread::current()).cancel;
        let before = match state {
            0 => cancel.fetch_and(!DISABLED, Ordering::Relaxed),
            1 => cancel.fetch_or(DISABLED, Ordering::Relaxed),
            _ => return EINVAL,
        };
        if !old.is_null() {
            *old = c_int::from(before & DISABLED != 0);
        }
        if state == 0 && before & (PENDING | ASYNCHRONOUS) == PENDING | ASYNCHRONOUS {
            test();
        }
    }
    0
}

/// pthread_setcanceltype(3).
///
/// # Safety
/// `old` is null or points to an int.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_setcanceltype(kind: c_int, old: *mut c_int) -> c_int {
    // SAFETY: the block is the calling thread's; `old` as this function's contract says.
    unsafe {
        let cancel = &(*thread::current()).cancel;
        let before = match kind {
            0 => cancel.fetch_and(!ASYNCHRONOUS, Ordering::Relaxed),
            1 => cancel.fetch_or(ASYNCHRONOUS, Ordering::Relaxed),
            _ => return EINVAL,
        };
        if !old.is_null() {
            *old = c_int::from(before & ASYNCHRONOUS != 0);
        }
        if kind == 1 {
            test();
        }
    }
    0
}

/// pthread_testcancel(3).
#[unsafe(no_mangle)]
pub extern "C" fn pthread_testcancel() {
    test();
}

/// `struct pthread_cleanup_store`, on the stack of who pushed it.
#[repr(C)]
pub struct Cleanup {
    routine: unsafe extern "C" fn(*mut c_void),
    argument: *mut c_void,
    previous: *mut c_void,
    spare: *mut c_void,
}

/// pthread_cleanup_push(3).
///
/// # Safety
/// `store` stays where it is until it is popped; `routine` can be called with `argument`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread__cleanup_push(
    routine: unsafe extern "C" fn(*mut c_void),
    argument: *mut c_void,
    store: *mut Cleanup,
) {
    let thread = thread::current();
    // SAFETY: this function's contract; the block is the calling thread's.
    unsafe {
        store.write(Cleanup { routine, argument, previous: (*thread).cleanup, spare: null_mut() });
        (*thread).cleanup = store.cast();
    }
}

/// pthread_cleanup_pop(3).
///
/// # Safety
/// `store` was pushed last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread__cleanup_pop(execute: c_int, store: *mut Cleanup) {
    // SAFETY: this function's contract.
    unsafe {
        (*thread::current()).cleanup = (*store).previous;
        if execute != 0 {
            ((*store).routine)((*store).argument);
        }
    }
}

/// Runs what was pushed, the last first.
///
/// # Safety
/// The block is the calling thread's, and the stack below the pushers is intact.
pub unsafe fn run_cleanups(thread: *mut Thread) {
    // SAFETY: this function's contract.
    unsafe {
        while !(*thread).cleanup.is_null() {
            let store = (*thread).cleanup.cast::<Cleanup>();
            (*thread).cleanup = (*store).previous;
            ((*store).routine)((*store).argument);
        }
    }
}

alias! {
    /// pthread_setcancelstate(3).
    pthread_setcancelstate => __libc_thr_setcancelstate;
}
