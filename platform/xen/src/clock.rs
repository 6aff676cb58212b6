//! The monotonic clock: Xen's, from when the image booted; and the timer.

use rump_clock::{Drift, Timebase};
use rumpbake_platform::io::rdtsc;
use rumpbake_xenguest::{clock, shared};

/// Xen corrects scale and offset of its time each second.
static TIMEBASE: Timebase = Timebase::new(Drift::Corrected);

/// Starts the clock at 0. Returns the time of day.
pub fn init() -> u64 {
    TIMEBASE.start(&shared::vcpu().time, clock::system_ns());
    clock::init()
}

#[unsafe(export_name = "rb_monotonic_ns")]
fn monotonic_ns() -> u64 {
    TIMEBASE.monotonic_ns(rdtsc)
}

#[unsafe(export_name = "rb_timebase")]
fn timebase() -> Option<&'static Timebase> {
    Some(&TIMEBASE)
}

#[unsafe(export_name = "rb_clock_resolution_ns")]
fn resolution_ns() -> u64 {
    1
}

#[unsafe(export_name = "rbm_set_timer")]
fn set_timer(deadline_ns: u64) {
    clock::set_timer(deadline_ns);
}
