//! Mutexes: rumpuser_mutex_*.
//!
//! A mutex is handed over: whoever leaves it while others wait gives it to the one that has waited longest, so the order is that of arrival and nobody
//! overtakes. On the platform's one virtual CPU spinning would be waiting for ever; so a SPIN mutex sleeps as well, but keeps the rump kernel's CPU, which is what the
//! flag is about.

use alloc::boxed::Box;
use core::cell::Cell;
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

use rump_abi::errno::EBUSY;
use rump_hypercall::sync::CondVar;

use crate::fair;
use crate::thread::rumpuser_curlwp;
use crate::upcall::{Lwp, without_cpu};

/// `RUMPUSER_MTX_SPIN`: entering it keeps the rump kernel's CPU.
pub const SPIN: c_int = 1;
/// `RUMPUSER_MTX_KMUTEX`: it knows the lwp that holds it.
pub const KMUTEX: c_int = 2;

/// `struct rumpuser_mtx`.
pub struct Mtx {
    flags: c_int,
    is_held: Cell<bool>,
    /// The lwp that holds it, if it keeps track.
    owner: Cell<*mut Lwp>,
    handed_over: CondVar,
}

impl Mtx {
    /// For a mutex of both kinds the rump kernel's CPU comes first after a condition variable's wait.
    pub(crate) fn is_cpu_first(&self) -> bool {
        self.flags & (SPIN | KMUTEX) == SPIN | KMUTEX
    }

    #[inline]
    fn take(&self) -> bool {
        if self.is_held.get() {
            return false;
        }
        self.is_held.set(true);
        self.set_owner();
        true
    }

    /// Enters it when it is held: on another path, so that the usual one is short.
    #[cold]
    #[inline(never)]
    fn enter_held(&self) {
        if self.flags & SPIN != 0 {
            self.enter_nowrap();
        } else {
            // The mutex may be free by then: giving the CPU back may be a wait, too.
            without_cpu(null_mut(), || self.enter_nowrap());
        }
    }

    fn set_owner(&self) {
        if self.flags & KMUTEX != 0 {
            self.owner.set(rumpuser_curlwp());
        }
    }

    /// Enters it and keeps the rump kernel's CPU.
    pub(crate) fn enter_nowrap(&self) {
        if !self.take() {
            fair::waited();
            self.handed_over.wait();
            self.set_owner();
        }
    }

    pub(crate) fn exit(&self) {
        assert!(self.is_held.get(), "a mutex was left that nobody holds");
        self.owner.set(null_mut());
        if self.handed_over.has_waiters() {
            self.handed_over.signal();
        } else {
            self.is_held.set(false);
        }
    }
}

/// rumpuser_mutex_init: makes a mutex, SPIN or KMUTEX or both.
///
/// # Safety
/// `mtxp` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_mutex_init(mtxp: *mut *mut Mtx, flags: c_int) {
    let mtx =
        Mtx { flags, is_held: Cell::new(false), owner: Cell::new(null_mut()), handed_over: CondVar::new() };
    // SAFETY: the caller's promise.
    unsafe { mtxp.write(Box::into_raw(Box::new(mtx))) };
}

/// rumpuser_mutex_enter: waits without the rump kernel's CPU, unless it is a SPIN mutex.
///
/// # Safety
/// The mutex is valid, and its holder is another.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_mutex_enter(mtx: *mut Mtx) {
    // SAFETY: the caller's promise.
    let mtx = unsafe { &*mtx };
    if !mtx.take() {
        mtx.enter_held();
    }
}

/// rumpuser_mutex_enter_nowrap: waits with the rump kernel's CPU.
///
/// # Safety
/// As [`rumpuser_mutex_enter`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_mutex_enter_nowrap(mtx: *mut Mtx) {
    // SAFETY: the caller's promise.
    unsafe { &*mtx }.enter_nowrap();
}

/// rumpuser_mutex_tryenter: enters it if it is free. EBUSY if it is not.
///
/// # Safety
/// The mutex is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_mutex_tryenter(mtx: *mut Mtx) -> c_int {
    // SAFETY: the caller's promise.
    if unsafe { &*mtx }.take() { 0 } else { EBUSY }
}

/// rumpuser_mutex_exit: hands it to the one that has waited longest.
///
/// # Safety
/// The mutex is valid, and the caller holds it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_mutex_exit(mtx: *mut Mtx) {
    // SAFETY: the caller's promise.
    unsafe { &*mtx }.exit();
    fair::called();
}

/// rumpuser_mutex_destroy: frees it.
///
/// # Safety
/// The mutex is valid, nobody holds it, and it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_mutex_destroy(mtx: *mut Mtx) {
    // SAFETY: made by `rumpuser_mutex_init`, and the caller's promise.
    let mtx = unsafe { Box::from_raw(mtx) };
    assert!(!mtx.is_held.get(), "a mutex was destroyed that somebody holds");
}

/// rumpuser_mutex_owner: the lwp that holds a KMUTEX, null if none does.
///
/// # Safety
/// The mutex is valid, and `lp` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_mutex_owner(mtx: *mut Mtx, lp: *mut *mut Lwp) {
    // SAFETY: the caller's promise.
    unsafe {
        assert!((*mtx).flags & KMUTEX != 0, "the owner of a mutex was asked for that does not keep track");
        lp.write((*mtx).owner.get());
    }
}

/// rumpuser_mutex_spin_p: whether it is a SPIN mutex.
///
/// # Safety
/// The mutex is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_mutex_spin_p(mtx: *mut Mtx) -> c_int {
    // SAFETY: the caller's promise.
    c_int::from(unsafe { (*mtx).flags } & SPIN != 0)
}

/// The interlock as the upcalls take it.
pub(crate) fn interlock(mtx: *mut Mtx) -> *mut c_void {
    mtx.cast()
}
