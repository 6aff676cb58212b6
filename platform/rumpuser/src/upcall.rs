//! The rump kernel's upcalls, and giving its CPU back for the time of a wait.

use alloc::boxed::Box;
use core::ffi::{c_char, c_int, c_long, c_void};

use rump_hypercall::Giant;

/// The version of the interface that this is: `RUMPUSER_VERSION`.
pub const VERSION: c_int = 17;

/// The rump kernel's thread context, `struct lwp`.
#[derive(Debug)]
#[repr(C)]
pub struct Lwp {
    opaque: [u8; 0],
}

/// `struct rumpuser_hyperup`: what may be called in the rump kernel.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Hyperup {
    /// Takes a CPU of the rump kernel, with an lwp for the occasion if the thread has none.
    pub schedule: extern "C" fn(),
    /// Gives it back.
    pub unschedule: extern "C" fn(),
    /// Gives the CPU back for a wait in a hypercall: `(0, &nlocks, interlock)`; `nlocks` is filled in.
    pub backend_unschedule: extern "C" fn(c_int, *mut c_int, *mut c_void),
    /// Takes it again: `(nlocks, interlock)`.
    pub backend_schedule: extern "C" fn(c_int, *mut c_void),
    /// Makes another lwp the current one.
    pub lwproc_switch: extern "C" fn(*mut Lwp),
    /// Drops the current lwp.
    pub lwproc_release: extern "C" fn(),
    /// Makes a process.
    pub lwproc_rfork: extern "C" fn(*mut c_void, c_int, *const c_char) -> c_int,
    /// Makes an lwp of a process and has it be the current one.
    pub lwproc_newlwp: extern "C" fn(i32) -> c_int,
    /// The current lwp.
    pub lwproc_curlwp: extern "C" fn() -> *mut Lwp,
    /// A system call: number, arguments, the two return values.
    pub syscall: extern "C" fn(c_int, *mut c_void, *mut c_long) -> c_int,
    /// The current lwp's process ends.
    pub lwpexit: extern "C" fn(),
    /// The current process has begun another program.
    pub execnotify: extern "C" fn(*const c_char),
    /// The current process.
    pub getpid: extern "C" fn() -> i32,
    extra: [*mut c_void; 8],
}

static HYPERUP: Giant<Option<&'static Hyperup>> = Giant::new(None);

/// The rump kernel's upcalls; `None` before it has called [`rumpuser_init`].
#[must_use]
pub fn hyperup() -> Option<&'static Hyperup> {
    HYPERUP.get()
}

/// Runs `wait` without the rump kernel's CPU, which the calling thread holds. `interlock` is the mutex that a condition variable's user holds, or null.
pub(crate) fn without_cpu<R>(interlock: *mut c_void, wait: impl FnOnce() -> R) -> R {
    let Some(hyperup) = hyperup() else { return wait() };
    let mut nlocks = 0;
    (hyperup.backend_unschedule)(0, &raw mut nlocks, interlock);
    let result = wait();
    (hyperup.backend_schedule)(nlocks, interlock);
    result
}

/// rumpuser_init: takes the upcalls of a rump kernel of this version; not 0 for another.
///
/// # Safety
/// `hyp` points to the rump kernel's table.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_init(version: c_int, hyp: *const Hyperup) -> c_int {
    if version != VERSION || hyp.is_null() {
        return 1;
    }
    // SAFETY: the caller's promise.
    HYPERUP.set(Some(Box::leak(Box::new(unsafe { hyp.read() }))));
    0
}
