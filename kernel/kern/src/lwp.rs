//! LWPs (lwp(9)): the threads of a process as layer 1 sees them.
//!
//! The memory of an LWP is type-stable: it is allocated once and then reused, never freed. So references are `'static`; a stale one may
//! meet the next owner of the slot, which code that keeps references over a wait has to take into account.

use core::cell::Cell;

use rump_hypercall::thread::{self, Thread};

use crate::proc::Proc;

/// An LWP.
pub struct Lwp {
    /// Its number, at least 1.
    pub lid: i32,
    /// Its process.
    pub proc: &'static Proc,
    /// The thread that carries it.
    pub thread: Cell<Option<Thread>>,
}

// SAFETY: component code runs only while it holds the one virtual CPU (rump_hypercall), so the cells are never
// touched by two threads at once.
unsafe impl Sync for Lwp {}

/// The calling LWP.
///
/// # Panics
/// In a kernel thread and in a callout, which belong to no LWP: see [`curlwp_opt`].
#[inline]
#[must_use]
pub fn curlwp() -> &'static Lwp {
    curlwp_opt().expect("called by an LWP")
}

/// The calling LWP; `None` in a thread of the kernel's own. Meaningless in a callout.
#[inline]
#[must_use]
pub fn curlwp_opt() -> Option<&'static Lwp> {
    let word = thread::word();
    // SAFETY: the word is 0 or what `set_curlwp` put there: the address of an `Lwp` that is never freed.
    unsafe { core::ptr::with_exposed_provenance::<Lwp>(word).as_ref() }
}

impl Lwp {
    /// With which error a sleep of this LWP has to end: EINTR or ERESTART, if a signal is to be delivered.
    #[must_use]
    pub fn interruption(&self) -> Option<crate::errno::Errno> {
        None
    }
}
