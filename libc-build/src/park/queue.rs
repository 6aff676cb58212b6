//! The queues (see the parent module).

use super::{Outcome, Wait};
use crate::clock::Timespec;
use crate::{errno, gate, sys, thread};
use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// The address of a system call's entry.
macro_rules! entry {
    ($name:literal) => {{
        let entry: usize;
        // SAFETY: loads a constant.
        unsafe {
            core::arch::asm!(concat!("mov {}, offset sys_", $name), out(reg) entry, options(pure, nomem, nostack, preserves_flags));
        }
        entry
    }};
}

/// A waiting thread, on its own stack.
struct Node {
    next: *mut Node,
    address: usize,
    lwp: c_int,
    /// Set by who took the node out of the queue; from then on the node may vanish.
    woken: AtomicU32,
}

/// A queue, first come first served, of the threads whose address falls here.
struct Bucket {
    /// The thread that holds the queue, 0 if none does.
    holder: AtomicUsize,
    /// An address that a signal handler wanted woken while it interrupted the holder; 0 if none.
    postponed: AtomicUsize,
    head: AtomicPtr<Node>,
    tail: UnsafeCell<*mut Node>,
}

// SAFETY: the list is touched by the holder only.
unsafe impl Sync for Bucket {}

const BUCKETS: usize = 64;

static QUEUES: [Bucket; BUCKETS] = [const {
    Bucket {
        holder: AtomicUsize::new(0),
        postponed: AtomicUsize::new(0),
        head: AtomicPtr::new(null_mut()),
        tail: UnsafeCell::new(null_mut()),
    }
}; BUCKETS];

/// The queue for an address.
fn bucket(address: usize) -> &'static Bucket {
    let hash = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58;
    // SAFETY: six bits are below 64.
    unsafe { QUEUES.get_unchecked(hash as usize) }
}

impl Bucket {
    /// Takes the queue; false if this very thread holds it: then this is a signal handler that interrupted it.
    fn acquire(&self) -> bool {
        let own = thread::current().addr();
        loop {
            match self.holder.compare_exchange(0, own, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(holder) if holder == own => return false,
                Err(_) => {
                    // The holder was preempted in its few instructions.
                    let _ = give_way();
                }
            }
        }
    }

    fn release(&self) {
        self.holder.store(0, Ordering::Release);
        if self.postponed.load(Ordering::Relaxed) != 0 {
            let address = self.postponed.swap(0, Ordering::Relaxed);
            if address != 0 {
                wake_address(address, usize::MAX);
            }
        }
    }

    /// Appends a node. The caller holds the queue.
    unsafe fn push(&self, node: *mut Node) {
        // SAFETY: the caller holds the queue; the tail is a live node or null.
        unsafe {
            let tail = *self.tail.get();
            if tail.is_null() {
                self.head.store(node, Ordering::Relaxed);
            } else {
                (*tail).next = node;
            }
            *self.tail.get() = node;
        }
    }

    /// Takes out up to `count` nodes that `is` names; returns them linked. The caller holds the queue.
    unsafe fn take(&self, count: usize, is: impl Fn(*mut Node) -> bool) -> *mut Node {
        let (mut taken, mut last) = (null_mut::<Node>(), null_mut::<Node>());
        let (mut previous, mut left) = (null_mut::<Node>(), count);
        // SAFETY: the caller holds the queue, so all its nodes are live.
        unsafe {
            let mut node = self.head.load(Ordering::Relaxed);
            while !node.is_null() && left > 0 {
                let next = (*node).next;
                if is(node) {
                    left -= 1;
                    if previous.is_null() {
                        self.head.store(next, Ordering::Relaxed);
                    } else {
                        (*previous).next = next;
                    }
                    if next.is_null() {
                        *self.tail.get() = previous;
                    }
                    (*node).next = null_mut();
                    if last.is_null() {
                        taken = node;
                    } else {
                        (*last).next = node;
                    }
                    last = node;
                } else {
                    previous = node;
                }
                node = next;
            }
        }
        taken
    }
}

/// Gives the processor away.
fn give_way() -> gate::Ret {
    let entry = entry!("sched_yield");
    // SAFETY: sched_yield(2) takes nothing.
    unsafe { gate::call(entry, [0; 6]) }
}

/// Parks the calling thread; returns the error number.
fn park(wait: &Wait, unpark_lwp: c_int) -> c_int {
    // The kernel updates a relative timeout only; this one is absolute.
    let mut deadline = wait.deadline.unwrap_or_default();
    let timeout: *mut Timespec = if wait.deadline.is_some() { &raw mut deadline } else { null_mut() };
    const TIMER_ABSTIME: u64 = 1;
    let entry = entry!("___lwp_park60");
    // SAFETY: the timeout is null or this function's own.
    let ret = unsafe {
        gate::call_once(
            entry,
            [wait.clock as u64, TIMER_ABSTIME, timeout.expose_provenance() as u64, unpark_lwp as u64, 0, 0],
        )
    };
    ret.errno
}

/// Wakes a parked thread, or lets its next park return at once.
fn unpark(lwp: c_int) {
    let entry = entry!("_lwp_unpark");
    // SAFETY: the call takes a number and a hint that is not looked at.
    unsafe { gate::call_once(entry, [lwp as u64, 0, 0, 0, 0, 0]) };
}

/// Waits for as long as `word` holds `expected`, or less long.
pub fn wait(word: &AtomicU32, expected: u32) {
    wait_on(word.as_ptr().addr(), &Wait::FOREVER, || word.load(Ordering::Relaxed) == expected, || 0);
}

/// Wakes up to `count` threads that wait for `word`.
pub fn wake(word: &AtomicU32, count: usize) {
    wake_address(word.as_ptr().addr(), count);
}

/// Waits for `address` to be woken, if `still` says so while nobody can wake it. `before` runs once the thread stands in the queue, and
/// names an LWP that is to be unparked on the way, or 0.
pub fn wait_on(
    address: usize,
    wait: &Wait,
    still: impl FnOnce() -> bool,
    before: impl FnOnce() -> c_int,
) -> Outcome {
    // SAFETY: the block is the calling thread's.
    let lwp = unsafe { own_lwp() };
    let mut node = Node { next: null_mut(), address, lwp, woken: AtomicU32::new(0) };
    let node = &raw mut node;
    let queue = bucket(address);
    if !queue.acquire() {
        return Outcome::Changed;
    }
    let waits = still();
    if waits {
        // SAFETY: this thread holds the queue, and does not return before the node is out of it.
        unsafe { queue.push(node) };
    }
    queue.release();
    if !waits {
        return Outcome::Changed;
    }
    let mut passed_on = before();
    loop {
        // SAFETY: the node is this function's own.
        if unsafe { (*node).woken.load(Ordering::Acquire) } != 0 {
            if passed_on != 0 {
                unpark(passed_on);
            }
            return Outcome::Woken;
        }
        let outcome = match park(wait, passed_on) {
            errno::ETIMEDOUT => Outcome::TimedOut,
            errno::EINTR if wait.interruptible => Outcome::Interrupted,
            errno::EINVAL => Outcome::Invalid,
            _ => Outcome::Woken,
        };
        passed_on = 0;
        if outcome != Outcome::Woken {
            queue.acquire();
            // SAFETY: this thread holds the queue; if the node is not in it any more, it has been woken, or is about to be.
            let found = unsafe { queue.take(1, |other| core::ptr::eq(other, node)) };
            queue.release();
            if !found.is_null() {
                return outcome;
            }
            // SAFETY: the node is this function's own.
            while unsafe { (*node).woken.load(Ordering::Acquire) } == 0 {
                let _ = give_way();
            }
            return Outcome::Woken;
        }
    }
}

/// The calling thread's LWP.
unsafe fn own_lwp() -> c_int {
    // SAFETY: the block is the calling thread's. Its creator may not have written the number yet.
    unsafe {
        let lwp = (&raw const (*thread::current()).lwp).read_volatile();
        if lwp != 0 { lwp } else { sys::_lwp_self() }
    }
}

/// Takes up to `count` threads that wait for `address` out of the queue and hands their LWPs, ready to be unparked, to `each`.
/// Returns how many there were.
pub fn take(address: usize, count: usize, mut each: impl FnMut(c_int)) -> usize {
    let queue = bucket(address);
    if !queue.acquire() {
        // A signal handler interrupted the holder, which does it when it is done.
        queue.postponed.store(address, Ordering::Relaxed);
        return 0;
    }
    // SAFETY: this thread holds the queue.
    let mut node = unsafe { queue.take(count, |node| (*node).address == address) };
    queue.release();
    let mut taken = 0;
    while !node.is_null() {
        // SAFETY: the node is out of the queue and lives until `woken` is set, which is the last thing done to it.
        unsafe {
            let (next, lwp) = ((*node).next, (*node).lwp);
            (*node).woken.store(1, Ordering::Release);
            each(lwp);
            node = next;
        }
        taken += 1;
    }
    taken
}

/// Wakes up to `count` threads that wait for `address`; returns how many.
pub fn wake_address(address: usize, count: usize) -> usize {
    take(address, count, unpark)
}

/// Wakes an LWP: what [`take`] wants done with those that it hands out.
pub fn unpark_lwp(lwp: c_int) {
    unpark(lwp);
}

/// Whether somebody may wait for `address`, without looking closely. A thread that stood in the queue before the caller last took
/// a lock that it gave up there is seen.
pub fn may_have_waiters(address: usize) -> bool {
    !bucket(address).head.load(Ordering::Relaxed).is_null()
}

/// Whether somebody waits for `address`.
pub fn has_waiters(address: usize) -> bool {
    let queue = bucket(address);
    if !queue.acquire() {
        return true;
    }
    let mut node = queue.head.load(Ordering::Relaxed);
    let mut found = false;
    while !node.is_null() && !found {
        // SAFETY: this thread holds the queue, so its nodes are live.
        unsafe {
            found = (*node).address == address;
            node = (*node).next;
        }
    }
    queue.release();
    found
}
