//! A chance for the others beside a thread that never waits.
//!
//! The platform takes its virtual CPU away from nobody. A rump kernel is written for hosts that do: a thread may look again and again, giving up the rump kernel's CPU
//! in between, until another thread or a timer has done something. So who leaves a mutex or reads a clock many times for as long as a host's slice, without a wait by
//! anybody, is made to wait a little: the others run, and if there are none the machine idles, which is when interrupts are taken. Nobody is made to wait sooner,
//! since a machine takes a tenth of a millisecond to idle and to go on.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rump_hypercall::sync::CondVar;
use rump_hypercall::time;
use rumpbake_far::far;

/// Hypercalls without a wait between them until somebody looks at the clock. A prime, lest a loop be stopped always at the same place, where it holds what the others wait for.
const PATIENCE: u32 = 1009;
/// How long nobody waits, at most.
const SLICE_NS: u64 = 4_000_000;
/// How long the wait is at least: any will do.
const WAIT_NS: u64 = 1000;

/// Hypercalls since the last wait, or the last look at the clock. Touched with the virtual CPU held only, so loads and stores are enough.
static CALLS: AtomicU32 = AtomicU32::new(0);
/// Since when there has been no wait, as far as anybody has looked; 0 if nobody has.
static SINCE_NS: AtomicU64 = AtomicU64::new(0);

/// There is a wait.
#[inline]
pub(crate) fn waited() {
    CALLS.store(0, Ordering::Relaxed);
    SINCE_NS.store(0, Ordering::Relaxed);
}

/// There is a hypercall that may be one of very many.
#[inline]
pub(crate) fn called() {
    let calls = far(&CALLS);
    let count = calls.load(Ordering::Relaxed) + 1;
    calls.store(count, Ordering::Relaxed);
    if count == PATIENCE {
        many();
    }
}

#[cold]
#[inline(never)]
fn many() {
    CALLS.store(0, Ordering::Relaxed);
    let now_ns = time::monotonic_ns();
    let since_ns = SINCE_NS.load(Ordering::Relaxed);
    if since_ns == 0 {
        SINCE_NS.store(now_ns, Ordering::Relaxed);
    } else if now_ns.saturating_sub(since_ns) >= SLICE_NS {
        waited();
        CondVar::new().wait_until(now_ns + WAIT_NS);
    }
}
