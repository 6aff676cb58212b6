//! Waiting and waking.
//!
//! Because one virtual CPU runs all component code, a condition variable needs no mutex of its own as interlock: nothing can happen
//! between the test of a condition and the wait.

use core::cell::UnsafeCell;

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Wake {
    /// [`CondVar::signal`] or [`CondVar::broadcast`].
    Signaled = 0,
    /// The deadline passed.
    TimedOut = 1,
    /// [`crate::thread::interrupt`]; only where the wait allowed it.
    Interrupted = 2,
}

/// Whether [`crate::thread::interrupt`] ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Interruptible {
    /// The wait goes on until its condition or its deadline.
    No = 0,
    /// The wait ends with [`Wake::Interrupted`]: signals.
    Yes = 1,
}

/// A condition variable: a queue of waiting threads, first come first served, as condvar(9).
///
/// It must not be moved or dropped while a thread waits on it.
#[repr(C)]
pub struct CondVar {
    /// Two words for the platform: the head and the tail of its queue, null when empty.
    queue: UnsafeCell<[*mut (); 2]>,
}

// SAFETY: the words are touched by the platform only, while the caller holds the virtual CPU.
unsafe impl Sync for CondVar {}
// SAFETY: as above; the queue is empty whenever the condition variable may be moved.
unsafe impl Send for CondVar {}

impl Default for CondVar {
    fn default() -> Self {
        Self::new()
    }
}

impl CondVar {
    /// A condition variable on which nobody waits.
    pub const fn new() -> Self {
        Self { queue: UnsafeCell::new([core::ptr::null_mut(); 2]) }
    }

    /// The platform's two words.
    pub fn raw(&self) -> *mut [*mut (); 2] {
        self.queue.get()
    }

    /// cv_wait(9): waits until woken.
    pub fn wait(&self) {
        wait_on(self, crate::time::NEVER, Interruptible::No);
    }

    /// cv_wait_sig(9): waits until woken or interrupted.
    pub fn wait_sig(&self) -> Wake {
        wait_on(self, crate::time::NEVER, Interruptible::Yes)
    }

    /// cv_timedwait_sig(9), with an absolute deadline on the monotonic clock ([`crate::time::NEVER`] for none).
    pub fn wait_until_sig(&self, deadline_ns: u64) -> Wake {
        wait_on(self, deadline_ns, Interruptible::Yes)
    }

    /// cv_timedwait(9), with an absolute deadline on the monotonic clock.
    pub fn wait_until(&self, deadline_ns: u64) -> Wake {
        wait_on(self, deadline_ns, Interruptible::No)
    }

    /// Wakes the thread that waits longest; false if none waits.
    pub fn signal(&self) -> bool {
        wake(self, 1) == 1
    }

    /// Wakes every waiting thread; returns how many.
    pub fn broadcast(&self) -> usize {
        wake(self, usize::MAX)
    }

    /// Whether a thread waits.
    pub fn has_waiters(&self) -> bool {
        // SAFETY: the caller holds the virtual CPU, so the platform is not changing the words.
        unsafe { !(*self.queue.get())[0].is_null() }
    }
}

unsafe extern "Rust" {
    #[link_name = "rb_wait"]
    safe fn wait_on(cv: &CondVar, deadline_ns: u64, interruptible: Interruptible) -> Wake;

    #[link_name = "rb_wake"]
    safe fn wake(cv: &CondVar, at_most: usize) -> usize;
}
