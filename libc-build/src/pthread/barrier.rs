//! Barriers: pthread_barrier(3).

use crate::errno::{EBUSY, EINVAL, ENOTSUP};
use crate::park;
use core::ffi::{c_int, c_uint, c_void};
use core::sync::atomic::{AtomicU32, Ordering};

/// `pthread_barrier_t`.
#[repr(C)]
pub struct Barrier {
    magic: c_uint,
    lock: u8,
    waiters: [*mut c_void; 2],
    /// Threads that make a round.
    count: c_uint,
    /// Threads that have arrived.
    arrived: AtomicU32,
    /// Rounds.
    generation: AtomicU32,
    private: *mut c_void,
}

const _: () = assert!(size_of::<Barrier>() == 48);

const MAGIC: c_uint = 0x8888_0008;
const DEAD: c_uint = 0xdead_0008;
/// PTHREAD_BARRIER_SERIAL_THREAD.
const SERIAL: c_int = 1_234_567;

/// pthread_barrier_init(3).
///
/// # Safety
/// `barrier` points to memory for one that is not in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_barrier_init(
    barrier: *mut Barrier,
    _attr: *const c_void,
    count: c_uint,
) -> c_int {
    if count == 0 {
        return EINVAL;
    }
    // SAFETY: this function's contract.
    unsafe {
        barrier.write(Barrier {
            magic: MAGIC,
            lock: 0,
            waiters: [core::ptr::null_mut(); 2],
            count,
            arrived: AtomicU32::new(0),
            generation: AtomicU32::new(0),
            private: core::ptr::null_mut(),
        });
    }
    0
}

/// pthread_barrier_destroy(3).
///
/// # Safety
/// `barrier` is initialised, or was destroyed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_barrier_destroy(barrier: *mut Barrier) -> c_int {
    // SAFETY: this function's contract.
    let barrier = unsafe { &mut *barrier };
    if barrier.magic != MAGIC {
        return EINVAL;
    }
    if barrier.arrived.load(Ordering::Relaxed) != 0 {
        return EBUSY;
    }
    barrier.magic = DEAD;
    0
}

/// pthread_barrier_wait(3).
///
/// # Safety
/// `barrier` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_barrier_wait(barrier: *mut Barrier) -> c_int {
    // SAFETY: this function's contract.
    let barrier = unsafe { &*barrier };
    let generation = barrier.generation.load(Ordering::Acquire);
    if barrier.arrived.fetch_add(1, Ordering::AcqRel) + 1 == barrier.count {
        barrier.arrived.store(0, Ordering::Relaxed);
        barrier.generation.fetch_add(1, Ordering::Release);
        park::wake(&barrier.generation, usize::MAX);
        return SERIAL;
    }
    while barrier.generation.load(Ordering::Acquire) == generation {
        park::wait(&barrier.generation, generation);
    }
    0
}

/// `pthread_barrierattr_t`.
#[repr(C)]
pub struct BarrierAttr {
    magic: c_uint,
    private: *mut c_void,
}

/// pthread_barrierattr_init(3).
///
/// # Safety
/// `attr` points to memory for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_barrierattr_init(attr: *mut BarrierAttr) -> c_int {
    // SAFETY: this function's contract.
    unsafe { attr.write(BarrierAttr { magic: 0x8888_0808, private: core::ptr::null_mut() }) };
    0
}

/// pthread_barrierattr_destroy(3).
///
/// # Safety
/// `attr` is initialised.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_barrierattr_destroy(attr: *mut BarrierAttr) -> c_int {
    // SAFETY: this function's contract.
    unsafe { (*attr).magic = 0xdead_0808 };
    0
}

/// pthread_barrierattr_getpshared(3): always PTHREAD_PROCESS_PRIVATE.
///
/// # Safety
/// `shared` points to an int.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_barrierattr_getpshared(
    _attr: *const BarrierAttr,
    shared: *mut c_int,
) -> c_int {
    // SAFETY: this function's contract.
    unsafe { *shared = 0 };
    0
}

/// pthread_barrierattr_setpshared(3): there is PTHREAD_PROCESS_PRIVATE only.
#[unsafe(no_mangle)]
pub extern "C" fn pthread_barrierattr_setpshared(_attr: *mut BarrierAttr, shared: c_int) -> c_int {
    match shared {
        0 => 0,
        1 => ENOTSUP,
        _ => EINVAL,
    }
}
