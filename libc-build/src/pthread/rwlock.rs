//! Read-write locks: pthread_rwlock(3). A writer that waits keeps new readers out.

use crate::clock::Timespec;
use crate::errno::{EAGAIN, EBUSY, EDEADLK, EINVAL, ENOTSUP, EPERM, ETIMEDOUT};
use crate::park::{self, Outcome, Wait};
use crate::thread;
use core::ffi::{c_int, c_uint, c_void};
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// `pthread_rwlock_t`.
#[repr(C)]
pub struct RwLock {
    magic: c_uint,
    interlock: u8,
    /// Its address names the waiting readers.
    readers: [usize; 2],
    /// Its address names the waiting writers.
    writers: [usize; 2],
    /// The number of readers and the bits below.
    state: AtomicU32,
    /// The writer's block.
    owner: AtomicUsize,
    private: *mut c_void,
}

const _: () = assert!(size_of::<RwLock>() == 64);

const MAGIC: c_uint = 0x9999_0009;
const DEAD: c_uint = 0xdead_0009;
/// A writer has it.
const WRITER: u32 = 1 << 31;
/// Writers may wait.
const WRITERS_WAIT: u32 = 1 << 30;
/// Readers may wait.
const READERS_WAIT: u32 = 1 << 29;
const COUNT: u32 = READERS_WAIT - 1;

impl RwLock {
    fn readers(&self) -> usize {
        (&raw const self.readers).addr()
    }

    fn writers(&self) -> usize {
        (&raw const self.writers).addr()
    }

    fn try_read(&self) -> c_int {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if state & (WRITER | WRITERS_WAIT) != 0 {
                return EBUSY;
            }
            if state & COUNT == COUNT {
                return EAGAIN;
            }
            match self.state.compare_exchange_weak(state, state + 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return 0,
                Err(now) => state = now,
            }
        }
    }

    fn read(&self, wait: &Wait) -> c_int {
        loop {
            match self.try_read() {
                EBUSY => {}
                result => return result,
            }
            if self.owner.load(Ordering::Relaxed) == thread::current().addr() {
                return EDEADLK;
            }
            let state = self.state.fetch_or(READERS_WAIT, Ordering::Relaxed);
            if state & (WRITER | WRITERS_WAIT) == 0 {
                // It became free: no unlock will come to look at the bit, so the next round may take the lock with it set.
                continue;
            }
            let still = || {
                let state = self.state.load(Ordering::Relaxed);
                state & READERS_WAIT != 0 && state & (WRITER | WRITERS_WAIT) != 0
            };
            match park::wait_on(self.readers(), wait, still, || 0) {
                Outcome::TimedOut => return ETIMEDOUT,
                Outcome::Invalid => return EINVAL,
                Outcome::Woken | Outcome::Changed | Outcome::Interrupted => {}
            }
        }
    }

    /// Takes it for writing, setting `bits` besides.
    fn try_write(&self, bits: u32) -> c_int {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if state & (WRITER | COUNT) != 0 {
                return EBUSY;
            }
            match self.state.compare_exchange_weak(
                state,
                state | WRITER | bits,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    self.owner.store(thread::current().addr(), Ordering::Relaxed);
                    return 0;
                }
                Err(now) => state = now,
            }
        }
    }

    fn write(&self, wait: &Wait) -> c_int {
        // Who has waited must assume that others still do.
        let mut bits = 0;
        loop {
            if self.try_write(bits) == 0 {
                return 0;
            }
            if self.owner.load(Ordering::Relaxed) == thread::current().addr() {
                return EDEADLK;
            }
            let state = self.state.load(Ordering::Relaxed);
            if state & (WRITER | COUNT) == 0 {
                continue;
            }
            let flagged = state | WRITERS_WAIT;
            if self.state.compare_exchange(state, flagged, Ordering::Relaxed, Ordering::Relaxed).is_err() {
                continue;
            }
            let still = || {
                let state = self.state.load(Ordering::Relaxed);
                state & WRITERS_WAIT != 0 && state & (WRITER | COUNT) != 0
            };
            bits = WRITERS_WAIT;
            let error = match park::wait_on(self.writers(), wait, still, || 0) {
                Outcome::TimedOut => ETIMEDOUT,
                Outcome::Invalid => EINVAL,
                Outcome::Woken | Outcome::Changed | Outcome::Interrupted => continue,
            };
            // Readers may have been kept out for this writer alone.
            if !park::has_waiters(self.writers()) {
                self.state.fetch_and(!WRITERS_WAIT, Ordering::Relaxed);
                park::wake_address(self.readers(), usize::MAX);
            }
            return error;
        }
    }

    fn unlock(&self) -> c_int {
        let own = thread::current().addr();
        let state = self.state.load(Ordering::Relaxed);
        let left = if state & WRITER != 0 {
            if self.owner.load(Ordering::Relaxed) != own {
                return EPERM;
            }
            self.owner.store(0, Ordering::Relaxed);
            self.state.fetch_and(!WRITER, Ordering::Release) & !WRITER
        } else if state & COUNT != 0 {
            self.state.fetch_sub(1, Ordering::Release) - 1
        } else {
            return EPERM;
        };
        if left & COUNT == 0 && left & (WRITERS_WAIT | READERS_WAIT) != 0 {
            self.pass_on();
        }
        0
    }

    /// The lock is free and somebody may wait.
    #[cold]
    fn pass_on(&self) {
        let state = self.state.fetch_and(!WRITERS_WAIT, Ordering::Relaxed);
        if state & WRITERS_WAIT != 0 && park::wake_address(self.writers(), 1) == 1 {
            return;
        }
        if self.state.fetch_and(!READERS_WAIT, Ordering::Relaxed) & READERS_WAIT != 0 {
            park::wake_address(self.readers(), usize::MAX);
        }
    }
}

/// pthread_rwlock_init(3).
///
/// # Safety
/// `lock` points to memory for one that is not in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_rwlock_init(lock: *mut RwLock, _attr: *const c_void) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        lock.write(RwLock {
            magic: MAGIC,
            interlock: 0,
            readers: [0; 2],
            writers: [0; 2],
            state: AtomicU32::new(0),
            owner: AtomicUsize::new(0),
            private: core::ptr::null_mut(),
        });
    }
    0
}

/// pthread_rwlock_destroy(3).
///
/// # Safety
/// `lock` is initialised, or was destroyed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_rwlock_destroy(lock: *mut RwLock) -> c_int {
    // SAFETY: this function's contract.
    let lock = unsafe { &mut *lock };
    if lock.magic != MAGIC {
        return EINVAL;
    }
    if lock.state.load(Ordering::Relaxed) & (WRITER | COUNT) != 0 {
        return EBUSY;
    }
    lock.magic = DEAD;
    0
}

/// pthread_rwlock_rdlock(3).
///
/// # Safety
/// `lock` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_rwlock_rdlock(lock: *mut RwLock) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*lock).read(&Wait::FOREVER) }
}

/// pthread_rwlock_tryrdlock(3).
///
/// # Safety
/// `lock` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_rwlock_tryrdlock(lock: *mut RwLock) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*lock).try_read() }
}

/// pthread_rwlock_wrlock(3).
///
/// # Safety
/// `lock` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_rwlock_wrlock(lock: *mut RwLock) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*lock).write(&Wait::FOREVER) }
}

/// pthread_rwlock_trywrlock(3).
///
/// # Safety
/// `lock` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_rwlock_trywrlock(lock: *mut RwLock) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*lock).try_write(0) }
}

/// pthread_rwlock_unlock(3).
///
/// # Safety
/// `lock` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_rwlock_unlock(lock: *mut RwLock) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*lock).unlock() }
}

/// pthread_rwlock_timedrdlock(3): the deadline is on the realtime clock.
///
/// # Safety
/// `lock` is initialised, `deadline` a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_rwlock_timedrdlock(lock: *mut RwLock, deadline: *const Timespec) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        match (*lock).try_read() {
            EBUSY if !(*deadline).is_valid() => EINVAL,
            EBUSY => (*lock).read(&Wait { deadline: Some(*deadline), ..Wait::FOREVER }),
            result => result,
        }
    }
}

/// pthread_rwlock_timedwrlock(3): the deadline is on the realtime clock.
///
/// # Safety
/// `lock` is initialised, `deadline` a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_rwlock_timedwrlock(lock: *mut RwLock, deadline: *const Timespec) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        match (*lock).try_write(0) {
            EBUSY if !(*deadline).is_valid() => EINVAL,
            EBUSY => (*lock).write(&Wait { deadline: Some(*deadline), ..Wait::FOREVER }),
            result => result,
        }
    }
}

/// pthread_rwlock_wrheld_np(3).
///
/// # Safety
/// `lock` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_rwlock_wrheld_np(lock: *const RwLock) -> c_int {
    // SAFETY: this function's contract.
    unsafe { c_int::from((*lock).owner.load(Ordering::Relaxed) == thread::current().addr()) }
}

/// pthread_rwlock_rdheld_np(3): whether some thread has it for reading.
///
/// # Safety
/// `lock` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_rwlock_rdheld_np(lock: *const RwLock) -> c_int {
    // SAFETY: this function's contract.
    unsafe { c_int::from((*lock).state.load(Ordering::Relaxed) & COUNT != 0) }
}

/// pthread_rwlock_held_np(3).
///
/// # Safety
/// `lock` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_rwlock_held_np(lock: *const RwLock) -> c_int {
    // SAFETY: this function's contract.
    unsafe { pthread_rwlock_wrheld_np(lock) | pthread_rwlock_rdheld_np(lock) }
}

/// `pthread_rwlockattr_t`.
#[repr(C)]
pub struct RwLockAttr {
    magic: c_uint,
    private: *mut c_void,
}

/// pthread_rwlockattr_init(3).
///
/// # Safety
/// `attr` points to memory for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_rwlockattr_init(attr: *mut RwLockAttr) -> c_int {
    // SAFETY: this function's contract.
    unsafe { attr.write(RwLockAttr { magic: 0x9999_0909, private: core::ptr::null_mut() }) };
    0
}

/// pthread_rwlockattr_destroy(3).
///
/// # Safety
/// `attr` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_rwlockattr_destroy(attr: *mut RwLockAttr) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*attr).magic = 0xdead_0909 };
    0
}

/// pthread_rwlockattr_getpshared(3): always PTHREAD_PROCESS_PRIVATE.
///
/// # Safety
/// `shared` points to an int.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_rwlockattr_getpshared(
    _attr: *const RwLockAttr,
    shared: *mut c_int,
) -> c_int {
    // SAFETY: this function's contract.
    unsafe { *shared = 0 };
    0
}

/// pthread_rwlockattr_setpshared(3): there is PTHREAD_PROCESS_PRIVATE only.
#[unsafe(no_mangle)]
pub extern "C" fn pthread_rwlockattr_setpshared(_attr: *mut RwLockAttr, shared: c_int) -> c_int {
    match shared {
        0 => 0,
        1 => ENOTSUP,
        _ => EINVAL,
    }
}

alias! {
    /// pthread_rwlock_init(3).
    pthread_rwlock_init => __libc_rwlock_init;
    /// pthread_rwlock_destroy(3).
    pthread_rwlock_destroy => __libc_rwlock_destroy;
    /// pthread_rwlock_rdlock(3).
    pthread_rwlock_rdlock => __libc_rwlock_rdlock;
    /// pthread_rwlock_tryrdlock(3).
    pthread_rwlock_tryrdlock => __libc_rwlock_tryrdlock;
    /// pthread_rwlock_wrlock(3).
    pthread_rwlock_wrlock => __libc_rwlock_wrlock;
    /// pthread_rwlock_trywrlock(3).
    pthread_rwlock_trywrlock => __libc_rwlock_trywrlock;
    /// pthread_rwlock_unlock(3).
    pthread_rwlock_unlock => __libc_rwlock_unlock;
}
