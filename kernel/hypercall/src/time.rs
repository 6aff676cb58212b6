//! Clocks, callouts and entropy.

/// A deadline that never comes, for the waiting calls.
pub const NEVER: u64 = u64::MAX;

/// A callout that is pending or has fired; handles are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callout {
    /// When it is due: with it the platform finds the callout again.
    pub deadline_ns: u64,
    /// Tells it from others that are due then.
    pub id: u64,
}

unsafe extern "Rust" {
    /// Nanoseconds since boot; never goes back.
    #[link_name = "rb_monotonic_ns"]
    pub safe fn monotonic_ns() -> u64;

    /// Nanoseconds since 1970-01-01 00:00 UTC at the moment when [`monotonic_ns`] was 0, as the machine's clock says (its
    /// resolution may be a second). The kernel keeps the time of day as this plus the monotonic clock.
    #[link_name = "rb_boot_wall_ns"]
    pub safe fn boot_wall_ns() -> u64;

    /// What [`monotonic_ns`] reads, where application code can read it as well.
    #[link_name = "rb_timebase"]
    pub safe fn timebase() -> Option<&'static rump_clock::Timebase>;

    /// The clock's granularity in nanoseconds, at least 1.
    #[link_name = "rb_clock_resolution_ns"]
    pub safe fn resolution_ns() -> u64;

    /// Calls `f(arg)` with the virtual CPU held once [`monotonic_ns`] has reached `deadline_ns`. `f` must not wait.
    #[link_name = "rb_callout_schedule"]
    pub safe fn callout(deadline_ns: u64, f: fn(usize), arg: usize) -> Callout;

    /// Takes a callout back. False if it has fired already (or is the one that is running).
    #[link_name = "rb_callout_cancel"]
    pub safe fn callout_cancel(callout: Callout) -> bool;

    /// Fills `buf` with random bytes fit for keys.
    #[link_name = "rb_random"]
    pub safe fn random(buf: &mut [u8]);
}
