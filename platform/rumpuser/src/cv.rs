//! Condition variables: rumpuser_cv_*. Woken in the order in which they came.
//!
//! The order in which a waiter gets back the rump kernel's CPU and its mutex is rumpuser(3)'s: for a mutex that is SPIN and KMUTEX the CPU first, for all
//! others the mutex first. No wake-up is lost between the mutex' release and the wait: on the one virtual CPU nothing runs there.

use alloc::boxed::Box;
use core::cell::Cell;
use core::ffi::c_int;

use rump_abi::errno::ETIMEDOUT;
use rump_hypercall::sync::{CondVar, Wake};
use rump_hypercall::{thread, time};

use crate::clock::SECOND_NS;
use crate::fair;
use crate::mutex::{Mtx, interlock};
use crate::upcall::hyperup;

/// `struct rumpuser_cv`.
pub struct Cv {
    cv: CondVar,
    /// Those that wait and were not woken yet.
    waiters: Cell<c_int>,
}

impl Cv {
    /// Waits, without the mutex.
    fn sleep(&self, deadline_ns: u64) -> Wake {
        fair::waited();
        if deadline_ns <= time::monotonic_ns() {
            // No wait at all. Whoever asks again and again must not keep the others from running.
            thread::yield_now();
            return Wake::TimedOut;
        }
        self.waiters.set(self.waiters.get() + 1);
        let wake = self.cv.wait_until(deadline_ns);
        if wake == Wake::TimedOut {
            self.waiters.set(self.waiters.get() - 1);
        }
        wake
    }

    /// Wakes one of those that wait: on another path, so that it costs little where nobody does.
    #[inline(never)]
    fn wake_one(&self) {
        if self.cv.signal() {
            self.waiters.set(self.waiters.get() - 1);
        }
    }

    #[inline(never)]
    fn wake_all(&self) {
        self.waiters.set(self.waiters.get() - self.cv.broadcast() as c_int);
    }

    /// Waits without mutex and rump kernel's CPU.
    fn wait(&self, mtx: *mut Mtx, deadline_ns: u64) -> Wake {
        // SAFETY: the callers', who hold the mutex.
        let mutex = unsafe { &*mtx };
        let Some(hyperup) = hyperup() else {
            mutex.exit();
            let wake = self.sleep(deadline_ns);
            mutex.enter_nowrap();
            return wake;
        };
        let mut nlocks = 0;
        (hyperup.backend_unschedule)(0, &raw mut nlocks, interlock(mtx));
        mutex.exit();
        let wake = self.sleep(deadline_ns);
        if mutex.is_cpu_first() {
            (hyperup.backend_schedule)(nlocks, interlock(mtx));
            mutex.enter_nowrap();
        } else {
            mutex.enter_nowrap();
            (hyperup.backend_schedule)(nlocks, interlock(mtx));
        }
        wake
    }
}

/// rumpuser_cv_init: makes one.
///
/// # Safety
/// `cvp` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_cv_init(cvp: *mut *mut Cv) {
    let cv = Cv { cv: CondVar::new(), waiters: Cell::new(0) };
    // SAFETY: the caller's promise.
    unsafe { cvp.write(Box::into_raw(Box::new(cv))) };
}

/// rumpuser_cv_destroy: frees it.
///
/// # Safety
/// The condition variable is valid, nobody waits on it, and it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_cv_destroy(cv: *mut Cv) {
    // SAFETY: made by `rumpuser_cv_init`, and the caller's promise.
    let cv = unsafe { Box::from_raw(cv) };
    assert!(cv.waiters.get() == 0, "a condition variable was destroyed on which somebody waits");
}

/// rumpuser_cv_wait: waits without the mutex and the rump kernel's CPU, and returns with both.
///
/// # Safety
/// Both are valid, and the caller holds the mutex.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_cv_wait(cv: *mut Cv, mtx: *mut Mtx) {
    // SAFETY: the caller's promise.
    unsafe { &*cv }.wait(mtx, time::NEVER);
}

/// rumpuser_cv_wait_nowrap: waits without the mutex, but with the rump kernel's CPU.
///
/// # Safety
/// As [`rumpuser_cv_wait`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_cv_wait_nowrap(cv: *mut Cv, mtx: *mut Mtx) {
    // SAFETY: the caller's promise.
    let (cv, mtx) = unsafe { (&*cv, &*mtx) };
    mtx.exit();
    cv.sleep(time::NEVER);
    mtx.enter_nowrap();
}

/// rumpuser_cv_timedwait: as [`rumpuser_cv_wait`], for that long at most; then ETIMEDOUT.
///
/// # Safety
/// As [`rumpuser_cv_wait`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_cv_timedwait(cv: *mut Cv, mtx: *mut Mtx, sec: i64, nsec: i64) -> c_int {
    let time_ns = i128::from(sec) * i128::from(SECOND_NS) + i128::from(nsec);
    let deadline_ns =
        time::monotonic_ns().saturating_add(u64::try_from(time_ns.max(0)).unwrap_or(time::NEVER));
    // SAFETY: the caller's promise.
    match unsafe { &*cv }.wait(mtx, deadline_ns) {
        Wake::TimedOut => ETIMEDOUT,
        Wake::Signaled | Wake::Interrupted => 0,
    }
}

/// rumpuser_cv_signal: wakes the one that has waited longest.
///
/// # Safety
/// The condition variable is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_cv_signal(cv: *mut Cv) {
    // SAFETY: the caller's promise.
    let cv = unsafe { &*cv };
    if cv.waiters.get() != 0 {
        cv.wake_one();
    }
}

/// rumpuser_cv_broadcast: wakes all.
///
/// # Safety
/// The condition variable is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_cv_broadcast(cv: *mut Cv) {
    // SAFETY: the caller's promise.
    let cv = unsafe { &*cv };
    if cv.waiters.get() != 0 {
        cv.wake_all();
    }
}

/// rumpuser_cv_has_waiters: how many wait that nobody has woken.
///
/// # Safety
/// The condition variable is valid, and `waiters` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_cv_has_waiters(cv: *mut Cv, waiters: *mut c_int) {
    // SAFETY: the caller's promise.
    unsafe { waiters.write((*cv).waiters.get()) };
}
