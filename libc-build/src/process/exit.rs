//! The ends themselves.

use super::handlers::{AT_EXIT, AT_QUICK_EXIT, run};
use crate::sys;
use core::ffi::c_int;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};

/// What stdio wants done at exit; null in a program that uses no streams.
static FLUSH: AtomicPtr<()> = AtomicPtr::new(null_mut());

/// Makes exit(3) call `flush` after the handlers, and abort(3) before the end. For stdio, when it first buffers something.
pub fn set_flush(flush: fn()) {
    FLUSH.store(flush as *mut (), Ordering::Relaxed);
}

/// Writes out what streams hold.
fn flush() {
    let flush = FLUSH.swap(null_mut(), Ordering::Relaxed);
    if !flush.is_null() {
        // SAFETY: only `set_flush` stores here, and it stores a `fn()`.
        let flush: fn() = unsafe { core::mem::transmute(flush) };
        flush();
    }
}

/// exit(3).
///
/// # Safety
/// The registered functions are called.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn exit(status: c_int) -> ! {
    #[cfg(not(test))]
    super::run_thread_destructors();
    run(&AT_EXIT, null_mut());
    flush();
    sys::_exit(status)
}

/// quick_exit(3).
///
/// # Safety
/// The functions registered for it are called.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn quick_exit(status: c_int) -> ! {
    run(&AT_QUICK_EXIT, null_mut());
    sys::_exit(status)
}

const SIGABRT: c_int = 6;
const SIG_UNBLOCK: c_int = 2;

/// abort(3): SIGABRT, and if its handler returns or it is ignored, its default action.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn abort() -> ! {
    flush();
    let only_abort = [1 << (SIGABRT - 1), 0, 0, 0];
    // SAFETY: the mask is this function's own; a `struct sigaction` of zeros asks for the default action.
    unsafe {
        sys::__sigprocmask14(SIG_UNBLOCK, &raw const only_abort, null_mut());
        sys::_lwp_kill(sys::_lwp_self(), SIGABRT);
        let default = [0_u64; 4];
        sys::__sigaction_sigtramp(SIGABRT, default.as_ptr().cast(), null_mut(), core::ptr::null(), 0);
        sys::_lwp_kill(sys::_lwp_self(), SIGABRT);
    }
    crate::start::trap()
}
