//! A hypervisor's own devices in the place of a PC's.
//!
//! A component of this platform that finds its hypervisor at boot names its functions here. An image without such a component has the empty place alone.

use rump_kern::component::hook;
use rumpbake_platform::cpu::Local;

/// What a hypervisor offers.
pub struct Guest {
    /// Makes clock, timer and events ready, now that there is memory. Returns the time of day.
    pub start: fn() -> u64,
    /// Makes the timer interrupt come at a time of the monotonic clock; `u64::MAX` means never.
    pub set_timer: fn(deadline_ns: u64),
    /// Writes on the console, from the first instructions on.
    pub write: fn(&[u8]),
    /// Takes what was typed; how many bytes.
    pub read: fn(&mut [u8]) -> usize,
    /// Says how the image ended, and ends the guest.
    pub end: fn(line: &str) -> !,
}

static GUEST: Local<Option<&'static Guest>> = Local::new(None);

/// From now on the machine is a guest of this kind.
pub fn set(guest: &'static Guest) {
    // SAFETY: boot, one processor.
    unsafe { *GUEST.get() = Some(hook(guest)) };
}

/// What there is in the place of a PC's devices, if there is.
#[inline]
pub fn get() -> Option<&'static Guest> {
    // SAFETY: written at boot only, before anybody asks.
    unsafe { *GUEST.get() }
}
