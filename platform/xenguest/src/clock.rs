//! The clock: the time-stamp counter, scaled by what the shared page says of it; and the virtual CPU's one-shot timer
//! (Xen's public headers xen.h, `struct vcpu_time_info`, and vcpu.h).

use core::sync::atomic::Ordering::Relaxed;

use rumpbake_platform::io::rdtsc;
use rumpbake_platform::machine::monotonic_ns;

use crate::hypercall::{self, Number};
use crate::shared;

/// VCPUOP_stop_periodic_timer
const STOP_PERIODIC_TIMER: u64 = 7;
/// VCPUOP_set_singleshot_timer
const SET_SINGLESHOT_TIMER: u64 = 8;
/// VCPUOP_stop_singleshot_timer
const STOP_SINGLESHOT_TIMER: u64 = 9;
/// The one virtual CPU.
const VCPU: u64 = 0;

/// Nanoseconds since Xen's boot.
pub fn system_ns() -> u64 {
    shared::vcpu().time.ns(rdtsc)
}

/// How many ticks of the time-stamp counter Xen has in a second.
pub fn ticks_per_second() -> u64 {
    let time = &shared::vcpu().time;
    let (scale, shift) = shared::consistent(&time.version, || {
        (time.scale.load(Relaxed), time.shift.load(Relaxed).cast_signed())
    });
    // A tick is scale / 2^32 ns, shifted.
    let second = 1_000_000_000_u128 << 32;
    let shifted = if shift < 0 { second << (-shift & 31) } else { second >> (shift & 31) };
    u64::try_from(shifted / u128::from(scale.max(1))).unwrap_or(u64::MAX)
}

/// Stops the periodic timer that a virtual CPU may begin with. Returns the time of day.
pub fn init() -> u64 {
    // SAFETY: the command takes no argument.
    unsafe { hypercall::call(Number::VcpuOp, [STOP_PERIODIC_TIMER, VCPU, 0, 0]) };
    let info = shared::info();
    let wall_ns = shared::consistent(&info.wall_version, || {
        let seconds =
            u64::from(info.wall_sec_high.load(Relaxed)) << 32 | u64::from(info.wall_sec.load(Relaxed));
        seconds.saturating_mul(1_000_000_000).saturating_add(info.wall_nsec.load(Relaxed).into())
    });
    wall_ns.saturating_add(system_ns())
}

/// A time of the monotonic clock as Xen counts it. The two need not tick alike for ever: it is exact for what is near.
pub fn xen_ns(ns: u64) -> u64 {
    system_ns().saturating_add(ns.saturating_sub(monotonic_ns()))
}

/// `struct vcpu_set_singleshot_timer`.
#[repr(C)]
struct Singleshot {
    timeout_abs_ns: u64,
    flags: u32,
}

/// Makes the timer's event come at `deadline_ns` of the monotonic clock; `u64::MAX` means never.
pub fn set_timer(deadline_ns: u64) {
    if deadline_ns == u64::MAX {
        // SAFETY: the command takes no argument.
        unsafe { hypercall::call(Number::VcpuOp, [STOP_SINGLESHOT_TIMER, VCPU, 0, 0]) };
        return;
    }
    // A deadline that has passed makes the timer fire at once.
    let argument = Singleshot { timeout_abs_ns: xen_ns(deadline_ns), flags: 0 };
    // SAFETY: the command reads this structure.
    let result = unsafe {
        hypercall::call(Number::VcpuOp, [SET_SINGLESHOT_TIMER, VCPU, &raw const argument as u64, 0])
    };
    assert!(result == 0, "Xen refused the timer ({result})");
}
