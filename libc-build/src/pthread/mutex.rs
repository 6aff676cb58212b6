//! Mutexes: pthread_mutex(3), pthread_mutexattr(3).
//!
//! The owner field is the lock: 0, or the owner's block with the lowest bit set where somebody may wait. A wake-up that
//! pthread_cond_signal(3) owes is kept back by the owner until it unlocks, since before that the thread could do nothing but wait
//! for the mutex. A thread that then waits itself hands the LWP to be woken to the kernel in the same call.

use crate::clock::Timespec;
use crate::errno::{EAGAIN, EBUSY, EDEADLK, EINVAL, ENOTSUP, EPERM, ETIMEDOUT};
use crate::park::{self, Outcome, Wait};
use crate::thread::{self, Thread};
use core::ffi::{c_int, c_uint, c_void};
use core::sync::atomic::{AtomicUsize, Ordering};

/// `pthread_mutex_t`.
#[repr(C)]
pub struct Mutex {
    magic: c_uint,
    /// The kind: one of the constants here. Static initialisers have 0.
    kind: u8,
    pad1: [u8; 3],
    ceiling: u8,
    pad2: [u8; 3],
    owner: AtomicUsize,
    waiters: *mut c_void,
    /// How many times a recursive mutex was locked beyond the first.
    pub(super) recursed: c_uint,
    spare: *mut c_void,
}

const _: () = assert!(size_of::<Mutex>() == 48);

const MAGIC: c_uint = 0x3333_0003;
const DEAD: c_uint = 0xdead_0003;
const NORMAL: u8 = 0;
const ERRORCHECK: u8 = 1;
const RECURSIVE: u8 = 2;
/// Somebody may wait, or the owner keeps wake-ups back.
const CONTENDED: usize = 1;

impl Mutex {
    /// A mutex as `PTHREAD_MUTEX_INITIALIZER` makes it.
    pub const fn new() -> Self {
        Self {
            magic: MAGIC,
            kind: NORMAL,
            pad1: [0; 3],
            ceiling: 0,
            pad2: [0; 3],
            owner: AtomicUsize::new(0),
            waiters: core::ptr::null_mut(),
            recursed: 0,
            spare: core::ptr::null_mut(),
        }
    }

    fn address(&self) -> usize {
        (&raw const self.owner).addr()
    }

    /// Whether the calling thread holds it.
    #[inline]
    pub fn is_own(&self) -> bool {
        self.owner.load(Ordering::Relaxed) & !CONTENDED == thread::current().addr()
    }

    /// Makes the unlocking by the owner, the calling thread, look at the wake-ups kept back.
    pub fn flag(&self) {
        self.owner.fetch_or(CONTENDED, Ordering::Relaxed);
    }

    /// Locks; returns the error number.
    #[inline]
    pub fn lock(&mut self) -> c_int {
        let own = thread::current().addr();
        if self.owner.compare_exchange(0, own, Ordering::Acquire, Ordering::Relaxed).is_ok() {
            return 0;
        }
        self.lock_slowly(&Wait::FOREVER)
    }

    #[cold]
    fn lock_slowly(&mut self, wait: &Wait) -> c_int {
        if self.is_own() {
            match self.kind {
                RECURSIVE => {
                    let Some(more) = self.recursed.checked_add(1) else { return EAGAIN };
                    self.recursed = more;
                    return 0;
                }
                ERRORCHECK => return EDEADLK,
                _ => {}
            }
        }
        self.contend(wait)
    }

    /// Locks a mutex that is another thread's, or this one's for a deadlock.
    fn contend(&self, wait: &Wait) -> c_int {
        let own = thread::current().addr();
        loop {
            let owner = self.owner.load(Ordering::Relaxed);
            if owner & !CONTENDED == 0 {
                // Whoever waited must assume that others still wait.
                let taken =
                    self.owner.compare_exchange(owner, own | CONTENDED, Ordering::Acquire, Ordering::Relaxed);
                if taken.is_ok() {
                    return 0;
                }
                continue;
            }
            if owner & CONTENDED == 0
                && self
                    .owner
                    .compare_exchange(owner, owner | CONTENDED, Ordering::Relaxed, Ordering::Relaxed)
                    .is_err()
            {
                continue;
            }
            let still = || {
                let owner = self.owner.load(Ordering::Relaxed);
                owner & CONTENDED != 0 && owner & !CONTENDED != 0
            };
            match park::wait_on(self.address(), wait, still, || 0) {
                Outcome::TimedOut => return ETIMEDOUT,
                Outcome::Invalid => return EINVAL,
                Outcome::Woken | Outcome::Changed | Outcome::Interrupted => {}
            }
        }
    }

    /// Locks again after a wait for a condition.
    pub fn relock(&mut self, recursed: c_uint) {
        let own = thread::current().addr();
        if self.owner.compare_exchange(0, own, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.contend(&Wait::FOREVER);
        }
        self.recursed = recursed;
    }

    /// Locks if it is free.
    #[inline]
    fn try_lock(&mut self) -> c_int {
        let own = thread::current().addr();
        match self.owner.compare_exchange(0, own, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => 0,
            Err(owner) if owner & !CONTENDED == own && self.kind == RECURSIVE => {
                let Some(more) = self.recursed.checked_add(1) else { return EAGAIN };
                self.recursed = more;
                0
            }
            Err(_) => EBUSY,
        }
    }

    /// Unlocks; returns the error number.
    #[inline]
    pub fn unlock(&mut self) -> c_int {
        let own = thread::current().addr();
        if self.recursed == 0
            && self.owner.compare_exchange(own, 0, Ordering::Release, Ordering::Relaxed).is_ok()
        {
            return 0;
        }
        self.unlock_slowly()
    }

    #[cold]
    fn unlock_slowly(&mut self) -> c_int {
        if !self.is_own() {
            return EPERM;
        }
        if self.recursed > 0 {
            self.recursed -= 1;
            return 0;
        }
        self.release_each(park::unpark_lwp);
        0
    }

    /// Gives the mutex up and hands every LWP that is to be woken for it to `each`. The calling thread holds it.
    fn release_each(&self, mut each: impl FnMut(c_int)) {
        // SAFETY: the block is the calling thread's.
        let thread = unsafe { &mut *thread::current() };
        if self.owner.swap(0, Ordering::Release) & CONTENDED == 0 {
            return;
        }
        let kept = core::mem::take(&mut thread.deferred_count) as usize;
        for &lwp in thread.deferred.iter().take(kept) {
            each(lwp);
        }
        park::take(self.address(), 1, each);
    }

    /// Gives the mutex up for a wait on a condition: returns the LWP to be unparked on the way, or 0. The calling thread holds it.
    pub fn release_for_wait(&mut self) -> c_int {
        let mut first = 0;
        self.recursed = 0;
        let own = thread::current().addr();
        if self.owner.compare_exchange(own, 0, Ordering::Release, Ordering::Relaxed).is_err() {
            self.release_each(|lwp| {
                if first == 0 {
                    first = lwp;
                } else {
                    park::unpark_lwp(lwp);
                }
            });
        }
        first
    }
}

/// Keeps the waking of `lwp` back until the calling thread unlocks a mutex; false if too many are kept back already.
pub fn defer(lwp: c_int) -> bool {
    // SAFETY: the block is the calling thread's.
    let thread: &mut Thread = unsafe { &mut *thread::current() };
    let Some(slot) = thread.deferred.get_mut(thread.deferred_count as usize) else { return false };
    *slot = lwp;
    thread.deferred_count += 1;
    true
}

/// `pthread_mutexattr_t`.
#[repr(C)]
pub struct MutexAttr {
    magic: c_uint,
    /// The kind in the lowest byte.
    private: usize,
}

const ATTR_MAGIC: c_uint = 0x4444_0004;
const ATTR_DEAD: c_uint = 0xdead_0004;

/// pthread_mutex_init(3).
///
/// # Safety
/// `mutex` points to memory for one that is not in use; `attr` is null or initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_mutex_init(mutex: *mut Mutex, attr: *const MutexAttr) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        mutex.write(Mutex::new());
        if !attr.is_null() {
            (*mutex).kind = (*attr).private as u8;
        }
    }
    0
}

/// pthread_mutex_destroy(3).
///
/// # Safety
/// `mutex` is an initialised mutex, or one destroyed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_mutex_destroy(mutex: *mut Mutex) -> c_int {
    // SAFETY: this function's contract.
    let mutex = unsafe { &mut *mutex };
    if mutex.magic != MAGIC {
        return EINVAL;
    }
    if mutex.owner.load(Ordering::Relaxed) & !CONTENDED != 0 {
        return EBUSY;
    }
    mutex.magic = DEAD;
    0
}

/// pthread_mutex_lock(3).
///
/// # Safety
/// `mutex` is an initialised mutex.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_mutex_lock(mutex: *mut Mutex) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*mutex).lock() }
}

/// pthread_mutex_trylock(3).
///
/// # Safety
/// `mutex` is an initialised mutex.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_mutex_trylock(mutex: *mut Mutex) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*mutex).try_lock() }
}

/// pthread_mutex_unlock(3).
///
/// # Safety
/// `mutex` is an initialised mutex.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_mutex_unlock(mutex: *mut Mutex) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*mutex).unlock() }
}

/// pthread_mutex_timedlock(3): the deadline is on the realtime clock.
///
/// # Safety
/// `mutex` is an initialised mutex, `deadline` a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_mutex_timedlock(mutex: *mut Mutex, deadline: *const Timespec) -> c_int {
    // SAFETY: this function's contract.
    let (mutex, deadline) = unsafe { (&mut *mutex, *deadline) };
    match mutex.try_lock() {
        EBUSY if !deadline.is_valid() => EINVAL,
        EBUSY => mutex.lock_slowly(&Wait { deadline: Some(deadline), ..Wait::FOREVER }),
        other => other,
    }
}

/// pthread_mutexattr_init(3).
///
/// # Safety
/// `attr` points to memory for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_mutexattr_init(attr: *mut MutexAttr) -> c_int {
    // SAFETY: this function's contract.
    unsafe { attr.write(MutexAttr { magic: ATTR_MAGIC, private: usize::from(NORMAL) }) };
    0
}

/// pthread_mutexattr_destroy(3).
///
/// # Safety
/// `attr` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_mutexattr_destroy(attr: *mut MutexAttr) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*attr).magic = ATTR_DEAD };
    0
}

/// pthread_mutexattr_settype(3).
///
/// # Safety
/// `attr` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_mutexattr_settype(attr: *mut MutexAttr, kind: c_int) -> c_int {
    match u8::try_from(kind) {
        Ok(kind @ (NORMAL | ERRORCHECK | RECURSIVE)) => {
            // SAFETY: this function's contract.
            unsafe { (*attr).private = usize::from(kind) };
            0
        }
        _ => EINVAL,
    }
}

/// pthread_mutexattr_gettype(3).
///
/// # Safety
/// `attr` is initialised, `kind` points to an int.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_mutexattr_gettype(attr: *const MutexAttr, kind: *mut c_int) -> c_int {
    // SAFETY: this function's contract.
    unsafe { *kind = c_int::from((*attr).private as u8) };
    0
}

/// pthread_mutexattr_getprotocol(3): always PTHREAD_PRIO_NONE.
///
/// # Safety
/// `protocol` points to an int.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_mutexattr_getprotocol(
    _attr: *const MutexAttr,
    protocol: *mut c_int,
) -> c_int {
    // SAFETY: this function's contract.
    unsafe { *protocol = 0 };
    0
}

/// pthread_mutexattr_setprotocol(3): there is PTHREAD_PRIO_NONE only.
#[unsafe(no_mangle)]
pub extern "C" fn pthread_mutexattr_setprotocol(_attr: *mut MutexAttr, protocol: c_int) -> c_int {
    match protocol {
        0 => 0,
        1 | 2 => ENOTSUP,
        _ => EINVAL,
    }
}

/// pthread_mutexattr_getpshared(3): always PTHREAD_PROCESS_PRIVATE.
///
/// # Safety
/// `shared` points to an int.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_mutexattr_getpshared(_attr: *const MutexAttr, shared: *mut c_int) -> c_int {
    // SAFETY: this function's contract.
    unsafe { *shared = 0 };
    0
}

/// pthread_mutexattr_setpshared(3): there is PTHREAD_PROCESS_PRIVATE only.
#[unsafe(no_mangle)]
pub extern "C" fn pthread_mutexattr_setpshared(_attr: *mut MutexAttr, shared: c_int) -> c_int {
    match shared {
        0 => 0,
        1 => ENOTSUP,
        _ => EINVAL,
    }
}

/// pthread_mutex_held_np(3).
///
/// # Safety
/// `mutex` is an initialised mutex.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_mutex_held_np(mutex: *const Mutex) -> c_int {
    // SAFETY: this function's contract.
    unsafe { c_int::from((*mutex).is_own()) }
}

/// pthread_mutex_owner_np(3).
///
/// # Safety
/// `mutex` is an initialised mutex.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_mutex_owner_np(mutex: *const Mutex) -> *mut Thread {
    // SAFETY: this function's contract.
    unsafe { core::ptr::with_exposed_provenance_mut((*mutex).owner.load(Ordering::Relaxed) & !CONTENDED) }
}

alias! {
    /// pthread_mutex_init(3).
    pthread_mutex_init => __libc_mutex_init;
    /// pthread_mutex_destroy(3).
    pthread_mutex_destroy => __libc_mutex_destroy;
    /// pthread_mutex_lock(3).
    pthread_mutex_lock => __libc_mutex_lock;
    /// pthread_mutex_trylock(3).
    pthread_mutex_trylock => __libc_mutex_trylock;
    /// pthread_mutex_unlock(3).
    pthread_mutex_unlock => __libc_mutex_unlock;
    /// pthread_mutexattr_init(3).
    pthread_mutexattr_init => __libc_mutexattr_init;
    /// pthread_mutexattr_destroy(3).
    pthread_mutexattr_destroy => __libc_mutexattr_destroy;
    /// pthread_mutexattr_settype(3).
    pthread_mutexattr_settype => __libc_mutexattr_settype;
}
