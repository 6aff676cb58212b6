//! The queues (see the parent module).
use core::sync::atomic::AtomicU32;
/// Waits for as long as `word` holds `expected`, or less long.
pub fn wait(_word: &AtomicU32, _expected: u32) {
    crate::sys::sched_yield();
}
/// Wakes up to `count` threads that wait for `word`.
pub fn wake(_word: &AtomicU32, _count: usize) {}
