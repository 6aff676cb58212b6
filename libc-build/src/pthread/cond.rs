//! Condition variables: pthread_cond(3), pthread_condattr(3).

use super::cancel;
use super::mutex::{self, Mutex};
use crate::clock::Timespec;
use crate::errno::{EBUSY, EINVAL, EPERM, ETIMEDOUT};
use crate::park::{self, Outcome, Wait};
use core::ffi::{c_int, c_uint, c_void};

/// `pthread_cond_t`.
#[repr(C)]
pub struct Cond {
    magic: c_uint,
    lock: u8,
    /// Its address names the condition in the queues.
    waiters: *mut c_void,
    spare: *mut c_void,
    /// The mutex of those who wait.
    mutex: *mut Mutex,
    /// The clock of deadlines; 0 is CLOCK_REALTIME.
    clock: usize,
}

const _: () = assert!(size_of::<Cond>() == 40);

const MAGIC: c_uint = 0x5555_0005;
const DEAD: c_uint = 0xdead_0005;
const CLOCK_REALTIME: c_int = 0;
const CLOCK_MONOTONIC: c_int = 3;

impl Cond {
    fn address(&self) -> usize {
        (&raw const self.waiters).addr()
    }

    /// Waits with `mutex` given up meanwhile.
    unsafe fn wait(&mut self, mutex: *mut Mutex, wait: &Wait) -> c_int {
        cancel::test();
        // SAFETY: the caller passes an initialised mutex.
        let mutex = unsafe { &mut *mutex };
        if !mutex.is_own() {
            return EPERM;
        }
        let recursed = mutex.recursed;
        self.mutex = mutex;
        let outcome = park::wait_on(self.address(), wait, || true, || mutex.release_for_wait());
        // The condition is not touched from here on: whoever woke the last thread may destroy it.
        mutex.relock(recursed);
        match outcome {
            Outcome::TimedOut => ETIMEDOUT,
            Outcome::Invalid => EINVAL,
            Outcome::Interrupted => {
                // A spurious wake-up, unless the thread was cancelled.
                cancel::test();
                0
            }
            Outcome::Woken | Outcome::Changed => 0,
        }
    }

    /// Wakes up to `count` waiting threads.
    fn wake(&self, count: usize) {
        if !park::may_have_waiters(self.address()) {
            return;
        }
        // SAFETY: a thread waits with this mutex, which it will want back; so the mutex is live.
        let mutex = unsafe { self.mutex.as_ref() };
        // Who holds the mutex wakes when it unlocks it.
        let own = mutex.filter(|mutex| mutex.is_own());
        park::take(self.address(), count, |lwp| {
            if own.is_none() || !mutex::defer(lwp) {
                park::unpark_lwp(lwp);
            }
        });
        if let Some(mutex) = own {
            mutex.flag();
        }
    }
}

/// `pthread_condattr_t`.
#[repr(C)]
pub struct CondAttr {
    magic: c_uint,
    clock: usize,
}

const ATTR_MAGIC: c_uint = 0x6666_0006;
const ATTR_DEAD: c_uint = 0xdead_0006;

/// pthread_cond_init(3).
///
/// # Safety
/// `cond` points to memory for one that is not in use; `attr` is null or initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_cond_init(cond: *mut Cond, attr: *const CondAttr) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        let clock = attr.as_ref().map_or(0, |attr| attr.clock);
        cond.write(Cond {
            magic: MAGIC,
            lock: 0,
            waiters: core::ptr::null_mut(),
            spare: core::ptr::null_mut(),
            mutex: core::ptr::null_mut(),
            clock,
        });
    }
    0
}

/// pthread_cond_destroy(3).
///
/// # Safety
/// `cond` is initialised, or was destroyed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_cond_destroy(cond: *mut Cond) -> c_int {
    // SAFETY: this function's contract.
    let cond = unsafe { &mut *cond };
    if cond.magic != MAGIC {
        return EINVAL;
    }
    if park::has_waiters(cond.address()) {
        return EBUSY;
    }
    cond.magic = DEAD;
    0
}

/// pthread_cond_wait(3).
///
/// # Safety
/// Both are initialised, and the calling thread holds the mutex.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_cond_wait(cond: *mut Cond, mutex: *mut Mutex) -> c_int {
    let wait = Wait { interruptible: cancel::is_used(), ..Wait::FOREVER };
    // SAFETY: this function's contract.
    unsafe { (*cond).wait(mutex, &wait) }
}

/// pthread_cond_timedwait(3).
///
/// # Safety
/// As [`__libc_cond_wait`]; `deadline` is a time on the condition's clock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_cond_timedwait(
    cond: *mut Cond,
    mutex: *mut Mutex,
    deadline: *const Timespec,
) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        if !(*deadline).is_valid() {
            return EINVAL;
        }
        let wait = Wait {
            clock: (*cond).clock as c_int,
            deadline: Some(*deadline),
            interruptible: cancel::is_used(),
        };
        (*cond).wait(mutex, &wait)
    }
}

/// pthread_cond_signal(3).
///
/// # Safety
/// `cond` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_cond_signal(cond: *mut Cond) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*cond).wake(1) };
    0
}

/// pthread_cond_broadcast(3).
///
/// # Safety
/// `cond` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_cond_broadcast(cond: *mut Cond) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*cond).wake(usize::MAX) };
    0
}

/// pthread_cond_has_waiters_np(3).
///
/// # Safety
/// `cond` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_cond_has_waiters_np(cond: *const Cond) -> c_int {
    // SAFETY: this function's contract.
    unsafe { c_int::from(park::has_waiters((*cond).address())) }
}

/// pthread_condattr_init(3).
///
/// # Safety
/// `attr` points to memory for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_condattr_init(attr: *mut CondAttr) -> c_int {
    // SAFETY: this function's contract.
    unsafe { attr.write(CondAttr { magic: ATTR_MAGIC, clock: 0 }) };
    0
}

/// pthread_condattr_destroy(3).
///
/// # Safety
/// `attr` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_condattr_destroy(attr: *mut CondAttr) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*attr).magic = ATTR_DEAD };
    0
}

/// pthread_condattr_setclock(3).
///
/// # Safety
/// `attr` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_condattr_setclock(attr: *mut CondAttr, clock: c_int) -> c_int {
    if clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC {
        return EINVAL;
    }
    // SAFETY: this function's contract.
    unsafe { (*attr).clock = clock as usize };
    0
}

/// pthread_condattr_getclock(3).
///
/// # Safety
/// `attr` is initialised, `clock` points to a clockid_t.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_condattr_getclock(attr: *const CondAttr, clock: *mut c_int) -> c_int {
    // SAFETY: this function's contract.
    unsafe { *clock = (*attr).clock as c_int };
    0
}

alias! {
    /// pthread_cond_init(3).
    pthread_cond_init => __libc_cond_init;
    /// pthread_cond_destroy(3).
    pthread_cond_destroy => __libc_cond_destroy;
    /// pthread_cond_wait(3).
    pthread_cond_wait => __libc_cond_wait;
    /// pthread_cond_timedwait(3).
    pthread_cond_timedwait => __libc_cond_timedwait;
    /// pthread_cond_signal(3).
    pthread_cond_signal => __libc_cond_signal;
    /// pthread_cond_broadcast(3).
    pthread_cond_broadcast => __libc_cond_broadcast;
}
