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

/// Somebody has it. Beside [`SPIN`] and [`KMUTEX`], so that one word tells all that the usual paths ask.
const HELD: c_int = 4;
/// Others wait for it.
const WANTED: c_int = 8;

/// `struct rumpuser_mtx`.
pub struct Mtx {
    state: Cell<c_int>,
    /// The lwp that holds it, while somebody does. Asked for of a KMUTEX only, but kept for all, which is quicker than the question.
    owner: Cell<*mut Lwp>,
    handed_over: CondVar,
}

impl Mtx {
    fn is(&self, flags: c_int) -> bool {
        self.state.get() & flags == flags
    }

    /// For a mutex of both kinds the rump kernel's CPU comes first after a condition variable's wait.
    pub(crate) fn is_cpu_first(&self) -> bool {
        self.is(SPIN | KMUTEX)
    }

    #[inline]
    fn take(&self) -> bool {
        let state = self.state.get();
        if state & HELD != 0 {
            return false;
        }
        self.state.set(state | HELD);
        self.owner.set(rumpuser_curlwp());
        true
    }

    /// Enters it when it is held: on another path, so that the usual one is short.
    #[cold]
    #[inline(never)]
    fn enter_held(&self) {
        if self.is(SPIN) {
            self.enter_nowrap();
        } else {
            // The mutex may be free by then: giving the CPU back may be a wait, too.
            without_cpu(null_mut(), || self.enter_nowrap());
        }
    }

    /// Waits until it is handed over.
    #[cold]
    #[inline(never)]
    fn wait(&self) {
        fair::waited();
        self.state.set(self.state.get() | WANTED);
        self.handed_over.wait();
        self.owner.set(rumpuser_curlwp());
    }

    /// Enters it and keeps the rump kernel's CPU.
    #[inline]
    pub(crate) fn enter_nowrap(&self) {
        if !self.take() {
            self.wait();
        }
    }

    /// Leaves it, if it is held and nobody waits for it.
    #[inline]
    fn leave(&self) -> bool {
        let state = self.state.get();
        if state & (HELD | WANTED) != HELD {
            return false;
        }
        self.state.set(state & !HELD);
        true
    }

    /// Hands it to the one that has waited longest.
    #[cold]
    #[inline(never)]
    fn hand_over(&self) {
        assert!(self.is(HELD), "a mutex was left that nobody holds");
        self.owner.set(null_mut());
        self.handed_over.signal();
        if !self.handed_over.has_waiters() {
            self.state.set(self.state.get() & !WANTED);
        }
    }

    /// What [`rumpuser_mutex_exit`] does in rare cases.
    #[cold]
    #[inline(never)]
    fn exit_wanted(&self) {
        self.hand_over();
        fair::called();
    }

    #[inline]
    pub(crate) fn exit(&self) {
        if !self.leave() {
            self.hand_over();
        }
    }
}

/// rumpuser_mutex_init: makes a mutex, SPIN or KMUTEX or both.
///
/// # Safety
/// `mtxp` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_mutex_init(mtxp: *mut *mut Mtx, flags: c_int) {
    let state = Cell::new(flags & (SPIN | KMUTEX));
    let mtx = Mtx { state, owner: Cell::new(null_mut()), handed_over: CondVar::new() };
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
    let mtx = unsafe { &*mtx };
    if mtx.leave() {
        fair::called();
    } else {
        mtx.exit_wanted();
    }
}

/// rumpuser_mutex_destroy: frees it.
///
/// # Safety
/// The mutex is valid, nobody holds it, and it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_mutex_destroy(mtx: *mut Mtx) {
    // SAFETY: made by `rumpuser_mutex_init`, and the caller's promise.
    let mtx = unsafe { Box::from_raw(mtx) };
    assert!(!mtx.is(HELD), "a mutex was destroyed that somebody holds");
}

/// rumpuser_mutex_owner: the lwp that holds a KMUTEX, null if none does.
///
/// # Safety
/// The mutex is valid, and `lp` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_mutex_owner(mtx: *mut Mtx, lp: *mut *mut Lwp) {
    // SAFETY: the caller's promise.
    unsafe {
        assert!((*mtx).is(KMUTEX), "the owner of a mutex was asked for that does not keep track");
        lp.write(if (*mtx).is(HELD) { (*mtx).owner.get() } else { null_mut() });
    }
}

/// rumpuser_mutex_spin_p: whether it is a SPIN mutex.
///
/// # Safety
/// The mutex is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_mutex_spin_p(mtx: *mut Mtx) -> c_int {
    // SAFETY: the caller's promise.
    c_int::from(unsafe { (*mtx).is(SPIN) })
}

/// The interlock as the upcalls take it.
pub(crate) fn interlock(mtx: *mut Mtx) -> *mut c_void {
    mtx.cast()
}
