//! Waiting for signals: sigwait(2), sigtimedwait(2), sigwaitinfo(2), sigpause(3).

use super::SignalSet;
use crate::clock::Timespec;
use crate::{errno, sys};
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

/// sigtimedwait(2).
///
/// # Safety
/// `set` points to a set, `info` is null or a siginfo_t's place, `timeout` is null or a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sigtimedwait50(
    set: *const SignalSet,
    info: *mut c_void,
    timeout: *const Timespec,
) -> c_int {
    // SAFETY: this function's contract; the call updates its timeout, so it gets a copy.
    unsafe {
        let mut left = timeout.as_ref().copied();
        let left = left.as_mut().map_or(null_mut(), |left| &raw mut *left);
        sys::____sigtimedwait50(set, info, left)
    }
}

/// sigwaitinfo(2).
///
/// # Safety
/// As [`__sigtimedwait50`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigwaitinfo(set: *const SignalSet, info: *mut c_void) -> c_int {
    // SAFETY: this function's contract.
    unsafe { sys::____sigtimedwait50(set, info, null_mut()) }
}

/// sigwait(2): returns the error number.
///
/// # Safety
/// `set` points to a set, `signal` to an int.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigwait(set: *const SignalSet, signal: *mut c_int) -> c_int {
    let before = errno::get();
    loop {
        // SAFETY: this function's contract.
        let got = unsafe { sys::____sigtimedwait50(set, null_mut(), null_mut()) };
        let error = errno::get();
        errno::set(before);
        if got > 0 {
            // SAFETY: as above.
            unsafe { *signal = got };
            return 0;
        }
        if error != errno::EINTR {
            return error;
        }
    }
}

/// sigpause(3): waits with the mask changed to the first 32 signals.
#[unsafe(no_mangle)]
pub extern "C" fn sigpause(signals: c_int) -> c_int {
    let mask = [signals as u32, 0, 0, 0];
    // SAFETY: the set is this function's own.
    unsafe { sys::__sigsuspend14(&raw const mask) }
}
