//! `struct timespec`.

/// Seconds and nanoseconds (sys/timespec.h).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(C)]
pub struct Timespec {
    /// Seconds.
    pub sec: i64,
    /// Nanoseconds, below 1,000,000,000 in a valid time.
    pub nsec: i64,
}

impl Timespec {
    /// Whether the nanoseconds are in their range.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.nsec >= 0 && self.nsec < 1_000_000_000
    }
}
