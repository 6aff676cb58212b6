//! The monotonic clock: the time-stamp counter, scaled.

use core::arch::x86_64::__cpuid;
use core::sync::atomic::Ordering::Relaxed;

use rump_clock::{Counter, Drift, Timebase};
use rumpbake_platform::cpu::Local;

use crate::apic;
use crate::cpuid::{Hypervisor, features};
use rumpbake_platform::io::{inb, outb, rdtsc};

/// The time-stamp counter, 0 ns at boot.
static COUNTER: Counter = Counter::new();
static TIMEBASE: Timebase = Timebase::new(Drift::Never);

/// Ticks per nanosecond, times 2^32.
static TICKS_PER_NS: Local<u64> = Local::new(1 << 32);

/// Ticks of the counter per second from CPUID: leaf 15h, or the hypervisor's leaf 40000010h.
fn frequency_from_cpuid() -> Option<u64> {
    if __cpuid(0).eax >= 0x15 {
        let leaf = __cpuid(0x15);
        if leaf.eax != 0 && leaf.ebx != 0 && leaf.ecx != 0 {
            return Some(u64::from(leaf.ecx) * u64::from(leaf.ebx) / u64::from(leaf.eax));
        }
    }
    if __cpuid(1).ecx >> 31 != 0 && __cpuid(0x4000_0000).eax >= 0x4000_0010 {
        let khz = __cpuid(0x4000_0010).eax;
        return (khz != 0).then(|| u64::from(khz) * 1000);
    }
    None
}

/// Against the local APIC's timer, whose bus both QEMU and KVM clock at exactly 1 GHz.
fn frequency_from_apic() -> u64 {
    /// How long to compare, nanoseconds: readings are some 100 ns apart, so the error stays near 100 ppm.
    const SPAN_NS: u32 = 1_000_000;
    let (ticks, elapsed_ns) = apic::compare_with_tsc(SPAN_NS);
    (u128::from(ticks) * 1_000_000_000 / u128::from(elapsed_ns.max(1))) as u64
}

/// Against channel 2 of the 8254 timer, 1.193182 MHz, gated by port 0x61 (Intel 8254 data sheet, mode 0).
fn frequency_from_pit() -> u64 {
    /// 10 ms.
    const COUNT: u16 = 11932;
    outb(0x61, inb(0x61) & !2 | 1);
    outb(0x43, 0b1011_0000);
    outb(0x42, COUNT as u8);
    outb(0x42, (COUNT >> 8) as u8);
    let start = rdtsc();
    // A machine without the timer would never raise the output: 2^33 ticks are over a second on any processor.
    while inb(0x61) & 0x20 == 0 && rdtsc() - start < 1 << 33 {}
    (rdtsc() - start) * 1_193_182 / u64::from(COUNT)
}

/// Finds the counter's frequency and starts the clock at 0.
pub fn init() {
    start(match (frequency_from_cpuid(), features().hypervisor) {
        (Some(frequency), _) => frequency,
        (None, Hypervisor::Tcg | Hypervisor::Kvm) => frequency_from_apic(),
        (None, Hypervisor::Unknown) => frequency_from_pit(),
    });
}

/// Starts the clock at 0, with a counter of so many ticks per second.
pub fn start(frequency: u64) {
    let frequency = frequency.max(1_000_000);
    COUNTER.start(rdtsc(), frequency);
    TIMEBASE.start(&COUNTER, 0);
    // SAFETY: boot, one processor.
    unsafe { *TICKS_PER_NS.get() = ((u128::from(frequency) << 32) / 1_000_000_000) as u64 };
}

/// The counter's value at a time of the monotonic clock.
pub fn to_tsc(ns: u64) -> u64 {
    // SAFETY: written once at boot.
    let ticks_per_ns = unsafe { *TICKS_PER_NS.get() };
    let ticks = u64::try_from((u128::from(ns) * u128::from(ticks_per_ns)) >> 32).unwrap_or(u64::MAX);
    COUNTER.base_ticks.load(Relaxed).saturating_add(ticks)
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
    COUNTER.resolution_ns()
}
