//! The clock, callouts and random bytes (hypercall `time`).

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rump_clock::Timebase;
use rump_hypercall::time::Callout;

use crate::{run, vcpu};

static START: LazyLock<(Instant, SystemTime)> = LazyLock::new(|| (Instant::now(), SystemTime::now()));

/// A function and its argument.
type Call = (fn(usize), usize);

struct Pending {
    next_id: u64,
    /// By deadline and then by age.
    queue: BTreeMap<(u64, u64), Call>,
}

static PENDING: Mutex<Pending> = Mutex::new(Pending { next_id: 0, queue: BTreeMap::new() });
static CHANGED: Condvar = Condvar::new();

fn pending() -> MutexGuard<'static, Pending> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[unsafe(export_name = "rb_monotonic_ns")]
pub(crate) fn monotonic_ns() -> u64 {
    u64::try_from(START.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

#[unsafe(export_name = "rb_boot_wall_ns")]
fn boot_wall_ns() -> u64 {
    START.1.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

#[unsafe(export_name = "rb_timebase")]
fn timebase() -> Option<&'static Timebase> {
    None
}

#[unsafe(export_name = "rb_clock_resolution_ns")]
fn resolution_ns() -> u64 {
    1
}

/// Runs callouts as they come due, each with the virtual CPU held.
fn serve() {
    let mut waiting = pending();
    loop {
        let Some((&key, _)) = waiting.queue.first_key_value() else {
            waiting = CHANGED.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let now = monotonic_ns();
        if key.0 > now {
            let left = Duration::from_nanos(key.0 - now);
            waiting = CHANGED.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
            continue;
        }
        // The virtual CPU comes first: whoever holds it may be about to take the callout back.
        drop(waiting);
        vcpu::wait_for(vcpu::line_up());
        let due = pending().queue.remove(&key);
        if let Some((f, arg)) = due
            && let Err(panic) = catch_unwind(AssertUnwindSafe(|| f(arg)))
        {
            run::panicked(panic);
        }
        vcpu::release();
        waiting = pending();
    }
}

/// Takes all callouts back.
pub(crate) fn forget_all() {
    pending().queue.clear();
}

#[unsafe(export_name = "rb_callout_schedule")]
fn schedule(deadline_ns: u64, f: fn(usize), arg: usize) -> Callout {
    static SERVICE: Once = Once::new();
    SERVICE.call_once(|| drop(std::thread::spawn(serve)));
    let mut pending = pending();
    pending.next_id += 1;
    let id = pending.next_id;
    pending.queue.insert((deadline_ns, id), (f, arg));
    CHANGED.notify_one();
    Callout { deadline_ns, id }
}

#[unsafe(export_name = "rb_callout_cancel")]
fn cancel(callout: Callout) -> bool {
    pending().queue.remove(&(callout.deadline_ns, callout.id)).is_some()
}

#[unsafe(export_name = "rb_random")]
fn random(buf: &mut [u8]) {
    // The host gives up to 256 bytes at once without interruption (getrandom(2)).
    for part in buf.chunks_mut(256) {
        // SAFETY: the pointer and the length are a slice's.
        let got = unsafe { libc::getrandom(part.as_mut_ptr().cast(), part.len(), 0) };
        assert_eq!(usize::try_from(got), Ok(part.len()), "the host has no random bytes");
    }
}

#[cfg(test)]
mod tests {
    use rump_hypercall::sync::CondVar;
    use rump_hypercall::{Giant, time};

    use crate::run;

    #[test]
    fn callouts_run_in_order_and_can_be_taken_back() {
        static FIRED: Giant<Vec<usize>> = Giant::new(Vec::new());
        static CV: CondVar = CondVar::new();
        fn fire(arg: usize) {
            FIRED.borrow_mut().push(arg);
            CV.broadcast();
        }
        run(|| {
            let now = time::monotonic_ns();
            time::callout(now + 2_000_000, fire, 2);
            time::callout(now + 1_000_000, fire, 1);
            let never = time::callout(now + 1_500_000, fire, 100);
            assert!(time::callout_cancel(never));
            assert!(!time::callout_cancel(never));
            while FIRED.borrow().len() < 2 {
                CV.wait();
            }
            assert_eq!(*FIRED.borrow(), [1, 2]);
        });
    }

    #[test]
    fn random_bytes_differ() {
        let (mut one, mut two) = ([0; 600], [0; 600]);
        time::random(&mut one);
        time::random(&mut two);
        assert_ne!(one, two);
        assert!(one[500..].iter().any(|&byte| byte != 0));
    }

    #[test]
    #[should_panic(expected = "in a callout")]
    fn a_panic_in_a_callout_is_the_tests() {
        run(|| {
            time::callout(0, |_| panic!("in a callout"), 0);
            CondVar::new().wait();
        });
    }
}
