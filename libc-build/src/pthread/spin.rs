//! Spin locks: pthread_spin(3). Who finds one taken gives the processor away.

use crate::errno::{EBUSY, EINVAL};
use crate::sys;
use core::ffi::{c_int, c_uint};
use core::sync::atomic::{AtomicU8, Ordering};

/// `pthread_spinlock_t`.
#[repr(C)]
pub struct Spin {
    magic: c_uint,
    locked: AtomicU8,
    flags: c_int,
}

const _: () = assert!(size_of::<Spin>() == 12);

const MAGIC: c_uint = 0x7777_0007;
const DEAD: c_uint = 0xdead_0007;

/// pthread_spin_init(3).
///
/// # Safety
/// `spin` points to memory for one that is not in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_spin_init(spin: *mut Spin, shared: c_int) -> c_int {
    if shared != 0 && shared != 1 {
        return EINVAL;
    }
    // SAFETY: this function's contract.
    unsafe { spin.write(Spin { magic: MAGIC, locked: AtomicU8::new(0), flags: shared }) };
    0
}

/// pthread_spin_destroy(3).
///
/// # Safety
/// `spin` is initialised, or was destroyed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_spin_destroy(spin: *mut Spin) -> c_int {
    // SAFETY: this function's contract.
    let spin = unsafe { &mut *spin };
    if spin.magic != MAGIC {
        return EINVAL;
    }
    if spin.locked.load(Ordering::Relaxed) != 0 {
        return EBUSY;
    }
    spin.magic = DEAD;
    0
}

/// pthread_spin_lock(3).
///
/// # Safety
/// `spin` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_spin_lock(spin: *mut Spin) -> c_int {
    // SAFETY: this function's contract.
    while unsafe { (*spin).locked.swap(1, Ordering::Acquire) } != 0 {
        sys::sched_yield();
    }
    0
}

/// pthread_spin_trylock(3).
///
/// # Safety
/// `spin` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_spin_trylock(spin: *mut Spin) -> c_int {
    // SAFETY: this function's contract.
    if unsafe { (*spin).locked.swap(1, Ordering::Acquire) } == 0 { 0 } else { EBUSY }
}

/// pthread_spin_unlock(3).
///
/// # Safety
/// `spin` is initialised, and the calling thread holds it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_spin_unlock(spin: *mut Spin) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*spin).locked.store(0, Ordering::Release) };
    0
}
