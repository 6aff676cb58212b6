//! The clock, callouts and random bytes.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Condvar, LazyLock, Mutex, Once, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rump_hypercall::time::Callout;

use crate::vcpu;

static START: LazyLock<(Instant, SystemTime)> = LazyLock::new(|| (Instant::now(), SystemTime::now()));

#[derive(Default)]
struct Pending {
    next_id: u64,
    /// Deadline, age; function and argument.
    queue: BTreeMap<(u64, u64), (fn(usize), usize)>,
}

static PENDING: Mutex<Pending> = Mutex::new(Pending { next_id: 0, queue: BTreeMap::new() });
static CHANGED: Condvar = Condvar::new();

#[unsafe(export_name = "rb_monotonic_ns")]
pub(crate) fn monotonic_ns() -> u64 {
    u64::try_from(START.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

#[unsafe(export_name = "rb_boot_wall_ns")]
fn boot_wall_ns() -> u64 {
    START.1.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

#[unsafe(export_name = "rb_clock_resolution_ns")]
fn resolution_ns() -> u64 {
    1
}

/// Runs callouts as they come due, each with the virtual CPU held.
fn serve() {
    let mut pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let Some((&key, _)) = pending.queue.first_key_value() else {
            pending = CHANGED.wait(pending).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let now = monotonic_ns();
        if key.0 > now {
            pending = CHANGED
                .wait_timeout(pending, Duration::from_nanos(key.0 - now))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            continue;
        }
        // The virtual CPU comes first: whoever holds it may be about to take the callout back.
        drop(pending);
        vcpu::acquire();
        let due = PENDING.lock().unwrap_or_else(PoisonError::into_inner).queue.remove(&key);
        if let Some((f, arg)) = due {
            f(arg);
        }
        vcpu::release();
        pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
    }
}

#[unsafe(export_name = "rb_callout_schedule")]
fn schedule(deadline_ns: u64, f: fn(usize), arg: usize) -> Callout {
    static SERVICE: Once = Once::new();
    SERVICE.call_once(|| drop(std::thread::spawn(serve)));
    let mut pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
    pending.next_id += 1;
    let id = pending.next_id;
    pending.queue.insert((deadline_ns, id), (f, arg));
    CHANGED.notify_one();
    Callout(id)
}

#[unsafe(export_name = "rb_callout_cancel")]
fn cancel(callout: Callout) -> bool {
    let mut pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner);
    let key = pending.queue.keys().find(|key| key.1 == callout.0).copied();
    key.is_some_and(|key| pending.queue.remove(&key).is_some())
}

#[unsafe(export_name = "rb_random")]
fn random(buf: &mut [u8]) {
    let read = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(buf));
    read.expect("the host has /dev/urandom");
}
