//! Clocks: rumpuser_clock_gettime, rumpuser_clock_sleep.

use core::ffi::{c_int, c_long};
use core::ptr::null_mut;

use rump_abi::errno::EINVAL;
use rump_hypercall::sync::CondVar;
use rump_hypercall::{thread, time};

use crate::fair;
use crate::upcall::without_cpu;

/// `RUMPUSER_CLOCK_RELWALL`: the time of day; a sleep lasts that long.
pub const RELWALL: c_int = 0;
/// `RUMPUSER_CLOCK_ABSMONO`: the time since boot; a sleep lasts until then.
pub const ABSMONO: c_int = 1;

pub(crate) const SECOND_NS: u64 = 1_000_000_000;

/// A time in nanoseconds; `None` if it is none. Too long a time is the longest there is.
fn nanoseconds(sec: i64, nsec: c_long) -> Option<u64> {
    let nsec = u64::try_from(nsec).ok().filter(|&nsec| nsec < SECOND_NS)?;
    let sec = u64::try_from(sec).ok()?;
    Some(sec.saturating_mul(SECOND_NS).saturating_add(nsec))
}

/// Waits until a time. Lets the others run once even if it has passed: a clock thread that lags behind must not keep them from ever running.
pub(crate) fn wait_until(deadline_ns: u64) {
    if deadline_ns <= time::monotonic_ns() {
        return thread::yield_now();
    }
    fair::waited();
    // Nobody else knows this condition variable.
    CondVar::new().wait_until(deadline_ns);
}

/// rumpuser_clock_gettime: the time of day, or the time since boot. EINVAL for a clock that there is not.
///
/// # Safety
/// The pointers may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_clock_gettime(clock: c_int, sec: *mut i64, nsec: *mut c_long) -> c_int {
    fair::called();
    let now = match clock {
        RELWALL => time::boot_wall_ns().saturating_add(time::monotonic_ns()),
        ABSMONO => time::monotonic_ns(),
        _ => return EINVAL,
    };
    // SAFETY: the caller's promise.
    unsafe {
        sec.write((now / SECOND_NS) as i64);
        nsec.write((now % SECOND_NS) as c_long);
    }
    0
}

/// rumpuser_clock_sleep: sleeps for a time, or until one. EINVAL for a clock or a time that there is not.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_clock_sleep(clock: c_int, sec: i64, nsec: c_long) -> c_int {
    let Some(time_ns) = nanoseconds(sec, nsec) else { return EINVAL };
    let deadline_ns = match clock {
        RELWALL => time::monotonic_ns().saturating_add(time_ns),
        ABSMONO => time_ns,
        _ => return EINVAL,
    };
    without_cpu(null_mut(), || wait_until(deadline_ns));
    0
}
