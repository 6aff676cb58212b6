//! A chance for the others beside a thread that never waits.
//!
//! The platform takes its virtual CPU away from nobody. A rump kernel is written for hosts that do: a thread may look again and again, giving up the rump kernel's CPU
//! in between, until another thread or a timer has done something. So who leaves a mutex or reads a clock many times, without a wait by anybody, is made
//! to wait a little: the others run, and if there are none the machine idles, which is when interrupts are taken.

use core::sync::atomic::{AtomicU32, Ordering};

use rump_hypercall::sync::CondVar;
use rump_hypercall::time;
use rumpbake_far::far;

/// Hypercalls without a wait between them, at most. A prime, lest a loop be stopped always at the same place, where it holds what the others wait for.
const PATIENCE: u32 = 1009;
/// How long the wait is at least: any will do.
const WAIT_NS: u64 = 1000;

/// Hypercalls since the last wait. Touched with the virtual CPU held only, so loads and stores are enough.
static CALLS: AtomicU32 = AtomicU32::new(0);

/// There is a wait.
#[inline]
pub(crate) fn waited() {
    CALLS.store(0, Ordering::Relaxed);
}

/// There is a hypercall that may be one of very many.
#[inline]
pub(crate) fn called() {
    let calls = far(&CALLS);
    let count = calls.load(Ordering::Relaxed) + 1;
    calls.store(count, Ordering::Relaxed);
    if count == PATIENCE {
        wait();
    }
}

#[cold]
#[inline(never)]
fn wait() {
    waited();
    CondVar::new().wait_until(time::monotonic_ns() + WAIT_NS);
}
