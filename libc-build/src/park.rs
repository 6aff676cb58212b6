//! Waiting for a word to change: what every lock, condition and semaphore of layer 2 waits with.
//!
//! The kernel offers _lwp_park(2) and _lwp_unpark(2), which know threads, not addresses. So the threads that wait stand in queues here, hashed by the
//! address of the word that they wait for. A queue is guarded by a spin lock that is held for a few dozen instructions; who finds it
//! taken gives the processor away, because the holder was preempted.
//!
//! A thread leaves its queue in one of two ways: who wakes it takes it out and sets its `woken`, or it takes itself out when its
//! deadline passes. An unpark that comes before the park makes the park return at once, and a stale one makes a later park return early: all
//! callers look at their condition again.

#[cfg(not(test))]
mod queue;
#[cfg(not(test))]
pub use queue::*;

#[cfg(test)]
mod host;
#[cfg(test)]
pub use host::*;

use crate::clock::Timespec;
use core::ffi::c_int;

/// How a thread waits.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    /// The clock of the deadline.
    pub clock: c_int,
    /// When to give up.
    pub deadline: Option<Timespec>,
    /// Whether a signal ends the wait.
    pub interruptible: bool,
}

impl Wait {
    /// Until woken.
    pub const FOREVER: Self = Self { clock: 0, deadline: None, interruptible: false };
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// By a wake-up.
    Woken,
    /// There was no wait: the condition did not hold.
    Changed,
    /// The deadline passed.
    TimedOut,
    /// A signal came.
    Interrupted,
    /// The kernel did not like the deadline.
    Invalid,
}
