//! The clock that everybody reads for himself: from the platform's counter to the time of day.
//!
//! A platform whose time is a counter that application code can read as well describes it in a [`Counter`], and its monotonic clock in a [`Timebase`]; the kernel adds
//! the time of day and publishes both as a [`Clock`], whose address is its constant `rb_clock`: to that the linker binds layer 2. Kernel and layer 2 use this crate's conversion and no other, so their
//! times agree to the nanosecond, and time does not go back from one to the other.
//!
//! The counter's description has the form that hypervisors use for it (Xen's public header xen.h, `struct vcpu_time_info`; KVM's "pvclock" is the same): a guest of Xen
//! passes on what Xen writes.
#![no_std]

use core::ptr::null_mut;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, fence};

/// `struct vcpu_time_info`: how ticks of a counter become nanoseconds.
#[derive(Debug)]
#[repr(C)]
pub struct Counter {
    /// Odd while the others are being written.
    pub version: AtomicU32,
    pad0: u32,
    /// The counter when `base_ns` was true.
    pub base_ticks: AtomicU64,
    /// Nanoseconds then.
    pub base_ns: AtomicU64,
    /// Nanoseconds per shifted tick, times 2^32.
    pub scale: AtomicU32,
    /// How far ticks are shifted, left if positive: an `i8`.
    pub shift: AtomicU8,
    flags: u8,
    pad1: [u8; 2],
}

const _: () = assert!(size_of::<Counter>() == 32 && core::mem::offset_of!(Counter, scale) == 24);

impl Counter {
    /// One that stands at 0.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            version: AtomicU32::new(0),
            pad0: 0,
            base_ticks: AtomicU64::new(0),
            base_ns: AtomicU64::new(0),
            scale: AtomicU32::new(0),
            shift: AtomicU8::new(0),
            flags: 0,
            pad1: [0; 2],
        }
    }

    /// From now on `ticks` is 0 ns, and so many ticks make a second. Before anybody else reads it.
    pub fn start(&self, ticks: u64, frequency: u64) {
        let second = 1_000_000_000_u128 << 32;
        let frequency = u128::from(frequency.max(1));
        // The scale has 32 bits: a tick of 1 ns and more is one of less, shifted.
        let mut shift = 0_u8;
        while (second >> shift) / frequency > u128::from(u32::MAX) {
            shift += 1;
        }
        self.base_ticks.store(ticks, Relaxed);
        self.base_ns.store(0, Relaxed);
        self.scale.store(((second >> shift) / frequency) as u32, Relaxed);
        self.shift.store(shift, Relaxed);
    }

    /// Nanoseconds per tick, rounded down, but at least 1.
    #[must_use]
    pub fn resolution_ns(&self) -> u64 {
        let shift = self.shift.load(Relaxed).cast_signed();
        ((u64::from(self.scale.load(Relaxed)) << shift.clamp(0, 31)) >> 32).max(1)
    }

    /// The time in nanoseconds; `ticks` reads the counter.
    #[inline]
    pub fn ns(&self, ticks: impl Fn() -> u64) -> u64 {
        loop {
            let version = self.version.load(Acquire);
            let passed = ticks().wrapping_sub(self.base_ticks.load(Relaxed));
            let shift = self.shift.load(Relaxed).cast_signed();
            let shifted = if shift < 0 { passed >> (-shift & 63) } else { passed << (shift & 63) };
            let ns = (u128::from(shifted) * u128::from(self.scale.load(Relaxed))) >> 32;
            let ns = self.base_ns.load(Relaxed).wrapping_add(ns as u64);
            fence(Acquire);
            if version & 1 == 0 && self.version.load(Relaxed) == version {
                return ns;
            }
        }
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}

/// A reference that is set once, before anybody looks.
#[derive(Debug)]
struct Shared<T: 'static>(AtomicPtr<T>);

impl<T> Shared<T> {
    const fn empty() -> Self {
        Self(AtomicPtr::new(null_mut()))
    }

    fn set(&self, target: &'static T) {
        self.0.store(core::ptr::from_ref(target).cast_mut(), Release);
    }

    #[inline]
    fn get(&self) -> Option<&'static T> {
        // SAFETY: null or what `set` was handed: lives for ever, and is only reached by shared references.
        unsafe { self.0.load(Relaxed).as_ref() }
    }
}

/// Whether a counter's description changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// It is what it was at boot.
    Never,
    /// Somebody corrects it now and then, and time may be behind afterwards: then it stands still.
    Corrected,
}

/// A platform's monotonic clock.
#[derive(Debug)]
pub struct Timebase {
    counter: Shared<Counter>,
    drift: Drift,
    /// What the counter said at boot.
    boot_ns: AtomicU64,
    /// The last time that was told, if it has to be remembered.
    last_ns: AtomicU64,
}

impl Timebase {
    /// One without a counter: it stands at 0.
    #[must_use]
    pub const fn new(drift: Drift) -> Self {
        Self { counter: Shared::empty(), drift, boot_ns: AtomicU64::new(0), last_ns: AtomicU64::new(0) }
    }

    /// The clock is 0 when `counter` says `boot_ns`. Before anybody else reads it.
    pub fn start(&self, counter: &'static Counter, boot_ns: u64) {
        self.boot_ns.store(boot_ns, Relaxed);
        self.counter.set(counter);
    }

    /// Nanoseconds since boot; never goes back. `ticks` reads the counter.
    #[inline]
    pub fn monotonic_ns(&self, ticks: impl Fn() -> u64) -> u64 {
        let Some(counter) = self.counter.get() else { return 0 };
        let ns = counter.ns(ticks).saturating_sub(self.boot_ns.load(Relaxed));
        match self.drift {
            Drift::Never => ns,
            Drift::Corrected => ns.max(self.last_ns.fetch_max(ns, Relaxed)),
        }
    }
}

/// The clock as the kernel publishes it.
#[derive(Debug)]
pub struct Clock {
    timebase: Shared<Timebase>,
    /// The time of day less the monotonic clock, nanoseconds, modulo 2^64.
    day_ns: AtomicU64,
}

impl Clock {
    /// A clock that cannot be read from outside of the kernel yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { timebase: Shared::empty(), day_ns: AtomicU64::new(0) }
    }

    /// Tells how it is read.
    pub fn publish(&self, timebase: &'static Timebase) {
        self.timebase.set(timebase);
    }

    /// The time of day is from now on the monotonic clock and this, modulo 2^64.
    #[inline]
    pub fn set_day_ns(&self, day_ns: u64) {
        self.day_ns.store(day_ns, Relaxed);
    }

    /// The time of day when the monotonic clock says `monotonic_ns`.
    #[inline]
    #[must_use]
    pub fn realtime_ns(&self, monotonic_ns: u64) -> u64 {
        monotonic_ns.wrapping_add(self.day_ns.load(Relaxed))
    }

    /// The monotonic clock, if it can be read; `ticks` reads the counter.
    #[inline]
    pub fn monotonic_ns(&self, ticks: impl Fn() -> u64) -> Option<u64> {
        Some(self.timebase.get()?.monotonic_ns(ticks))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;
    use core::sync::atomic::Ordering::Relaxed;

    use super::{Clock, Counter, Drift, Timebase};

    #[test]
    fn ticks_become_nanoseconds() {
        for frequency in
            [1_000_000, 24_000_000, 999_999_999, 1_000_000_000, 1_000_000_001, 2_893_202_000, 5_000_000_000]
        {
            let counter = Counter::new();
            counter.start(1000, frequency);
            assert_eq!(counter.ns(|| 1000), 0, "{frequency}");
            let day = counter.ns(|| 1000 + 86_400 * frequency);
            assert!(day.abs_diff(86_400_000_000_000) < 100_000, "{frequency}: {day}");
            assert!(counter.resolution_ns() == (1_000_000_000 / frequency).max(1), "{frequency}");
            let mut last = 0;
            for tick in 0..1000 {
                let now = counter.ns(|| 1000 + tick);
                assert!(now >= last);
                last = now;
            }
        }
    }

    #[test]
    fn a_shift_to_the_right_is_one() {
        let counter = Counter::new();
        // 4 GHz as Xen says it: half of two ticks.
        counter.scale.store(1 << 31, Relaxed);
        counter.shift.store((-1_i8).cast_unsigned(), Relaxed);
        counter.base_ns.store(7, Relaxed);
        assert_eq!(counter.ns(|| 400), 107);
    }

    #[test]
    fn what_changes_meanwhile_is_read_again() {
        let counter = Counter::new();
        counter.start(0, 1 << 30);
        let reads = Cell::new(0);
        let ns = counter.ns(|| {
            reads.set(reads.get() + 1);
            // Somebody begins to write, and has done so at the third look.
            match reads.get() {
                1 => counter.version.store(1, Relaxed),
                2 => {
                    counter.version.store(2, Relaxed);
                    counter.base_ns.store(1_000_000, Relaxed);
                }
                _ => {}
            }
            0
        });
        assert_eq!((reads.get(), ns), (3, 1_000_000));
    }

    #[test]
    fn a_correction_does_not_set_it_back() {
        static COUNTER: Counter = Counter::new();
        COUNTER.start(0, 1_000_000_000);
        let (steady, corrected) = (Timebase::new(Drift::Never), Timebase::new(Drift::Corrected));
        assert_eq!(steady.monotonic_ns(|| 1), 0);
        steady.start(&COUNTER, 10);
        corrected.start(&COUNTER, 10);
        assert_eq!((steady.monotonic_ns(|| 100), corrected.monotonic_ns(|| 100)), (90, 90));
        assert_eq!((steady.monotonic_ns(|| 80), corrected.monotonic_ns(|| 80)), (70, 90));
        assert_eq!(corrected.monotonic_ns(|| 101), 91);
    }

    #[test]
    fn the_time_of_day_may_be_before_the_boot() {
        static COUNTER: Counter = Counter::new();
        static TIMEBASE: Timebase = Timebase::new(Drift::Never);
        let clock = Clock::new();
        assert_eq!(clock.monotonic_ns(|| 5), None);
        COUNTER.start(0, 1_000_000_000);
        TIMEBASE.start(&COUNTER, 10);
        clock.publish(&TIMEBASE);
        assert_eq!(clock.monotonic_ns(|| 15), Some(5));
        clock.set_day_ns(3_u64.wrapping_sub(5));
        assert_eq!(clock.realtime_ns(5), 3);
    }
}
