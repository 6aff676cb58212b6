//! The monotonic clock: Xen's, from when the image booted; and the timer.

use rumpbake_platform::cpu::Local;
use rumpbake_xenguest::clock;

/// Xen's time when the image booted.
static BASE_NS: Local<u64> = Local::new(0);

/// Starts the clock at 0. Returns the time of day.
pub fn init() -> u64 {
    // SAFETY: boot, one processor.
    unsafe { *BASE_NS.get() = clock::system_ns() };
    clock::init()
}

#[unsafe(export_name = "rb_monotonic_ns")]
fn monotonic_ns() -> u64 {
    // SAFETY: written once at boot.
    clock::system_ns().saturating_sub(unsafe { *BASE_NS.get() })
}

#[unsafe(export_name = "rb_clock_resolution_ns")]
fn resolution_ns() -> u64 {
    1
}

#[unsafe(export_name = "rbm_set_timer")]
fn set_timer(deadline_ns: u64) {
    clock::set_timer(deadline_ns);
}
