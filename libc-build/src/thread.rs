//! The per-thread block of layer 2, which `%fs:16` (`tcb_pthread` of NetBSD's `struct tls_tcb`) points to.

use core::ffi::c_int;

/// What layer 2 knows of a thread. `pthread_t` is a pointer to one.
#[repr(C)]
pub struct Thread {
    /// errno. First, so that assembly finds it at offset 0.
    pub errno: c_int,
    /// The kernel's name for the thread.
    pub lwp: c_int,
}

/// The calling thread's block.
#[inline]
#[must_use]
pub fn current() -> *mut Thread {
    let thread;
    // SAFETY: `%fs` is the base of a `struct tls_tcb` in every thread that runs layer 2's code (the start-up code and pthread_create see to it).
    unsafe {
        core::arch::asm!("mov {}, fs:[16]", out(reg) thread, options(nostack, preserves_flags, readonly, pure));
    }
    thread
}
