//! The per-thread block of layer 2: NetBSD's `struct tls_tcb` (sys/tls.h, variant II) and what layer 2 keeps behind it.
//!
//! `%fs` holds its address, the thread-local storage of the program lies directly below it, and `pthread_t` is a pointer to it.

use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicU32, AtomicUsize};

/// What layer 2 knows of a thread.
#[repr(C)]
pub struct Thread {
    /// `tcb_self`: the address of this block, which the ABI wants at `%fs:0`.
    pub tcb_self: *mut Thread,
    /// `tcb_dtv`: unused, since all thread-local storage is static.
    pub tcb_dtv: *mut c_void,
    /// `tcb_pthread`: the address of this block.
    pub tcb_pthread: *mut Thread,
    /// errno; assembly finds it at `%fs:24`.
    pub errno: c_int,
    /// The kernel's name for the thread; 0 before it runs.
    pub lwp: c_int,
    /// How the thread ends: see `pthread::life`.
    pub life: AtomicU32,
    /// Cancellation: see `pthread::cancel`.
    pub cancel: AtomicU32,
    /// What the thread runs.
    pub start: Option<unsafe extern "C" fn(*mut c_void) -> *mut c_void>,
    /// What it is given.
    pub argument: *mut c_void,
    /// What it returned.
    pub result: *mut c_void,
    /// Thread-specific data: an array, allocated by pthread_setspecific(3).
    pub specific: *mut crate::pthread::Value,
    /// Entries in `specific`.
    pub specific_len: usize,
    /// Destructors of C++'s thread-local variables, the last one first: see `process::thread_exit`.
    pub destructors: *mut c_void,
    /// The innermost pthread_cleanup_push(3).
    pub cleanup: *mut c_void,
    /// The mapping that holds stack, thread-local storage and this block; null if the thread owns none (the first one, or a stack of the
    /// program's own).
    pub map: *mut c_void,
    /// The mapping's length, bytes.
    pub map_len: usize,
    /// The stack's lowest address, above the guard.
    pub stack: *mut c_void,
    /// The stack's length, bytes.
    pub stack_len: usize,
    /// The guard's length, bytes.
    pub guard_len: usize,
    /// The next block in the list that this one is in: finished threads, or free stacks.
    pub next: *mut Thread,
    /// LWPs whose wake-up waits for the unlocking of a mutex: see `park`.
    pub deferred: [c_int; 4],
    /// How many of `deferred` are in use.
    pub deferred_count: u32,
    /// The name given by pthread_setname_np(3).
    pub name: [u8; 32],
    /// The thread's cache of free memory: see `malloc`.
    pub heap: AtomicUsize,
    /// State of strerror(3), strtok(3) and the like, allocated by whoever needs it first.
    pub scratch: [*mut c_void; 4],
    /// h_errno: see `net::error`.
    pub h_errno: c_int,
}

/// The calling thread's block.
#[cfg(not(test))]
#[inline(always)]
#[must_use]
pub fn current() -> *mut Thread {
    let thread;
    // SAFETY: `%fs` is the base of a `struct tls_tcb` in every thread that runs layer 2's code (the start-up code and pthread_create see
    // to it), and its first word never changes.
    unsafe {
        core::arch::asm!("mov {}, fs:[0]", out(reg) thread, options(nostack, preserves_flags, readonly, pure));
    }
    thread
}

impl Thread {
    /// Bytes from the block to errno; assembly relies on it.
    pub const ERRNO_OFFSET: usize = core::mem::offset_of!(Thread, errno);
}

const _: () = assert!(Thread::ERRNO_OFFSET == 24);
