//! pthread_once(3).

use super::mutex::Mutex;
use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, Ordering};

/// `pthread_once_t`.
#[repr(C)]
pub struct Once {
    mutex: Mutex,
    done: AtomicI32,
}

/// pthread_once(3).
///
/// # Safety
/// `once` was initialised with PTHREAD_ONCE_INIT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_thr_once(once: *mut Once, routine: unsafe extern "C" fn()) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        if (*once).done.load(Ordering::Acquire) != 0 {
            return 0;
        }
        (*once).mutex.lock();
        if (*once).done.load(Ordering::Relaxed) == 0 {
            routine();
            (*once).done.store(1, Ordering::Release);
        }
        (*once).mutex.unlock();
    }
    0
}

alias! {
    /// pthread_once(3).
    pthread_once => __libc_thr_once;
    /// call_once(3).
    call_once => __libc_thr_once;
}
