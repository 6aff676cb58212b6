//! Interrupts: the local APIC with its timer, and the I/O APIC for the console (Intel SDM volume 3A, chapter 11; 82093AA data sheet).

use core::arch::asm;

use rumpbake_platform::cpu::Local;
use rumpbake_platform::{callout, sched};

use crate::cpuid::{apic_base, features};
use crate::interrupts::{IRQ_BASE, TIMER_VECTOR};
use crate::msr::wrmsr;
use crate::{clock, guest, irq, memory, serial, tlb};
use rumpbake_platform::io::{outb, rdtsc};

const ID: usize = 0x20;
const SPURIOUS: usize = 0xf0;
const END_OF_INTERRUPT: usize = 0xb0;
const LVT_TIMER: usize = 0x320;
const INITIAL_COUNT: usize = 0x380;
const CURRENT_COUNT: usize = 0x390;
const DIVIDE: usize = 0x3e0;
/// Words that the registers take.
pub const WORDS: usize = 0x400 / 4;
const MASKED: u32 = 1 << 16;
const TSC_DEADLINE_MODE: u32 = 2 << 17;
const TSC_DEADLINE: u32 = 0x6e0;
/// Where the I/O APIC is on every PC and on QEMU's microvm.
pub const IO_APIC: u64 = 0xfec0_0000;
/// An input of an I/O APIC is active low.
pub const LOW: u32 = 1 << 13;
/// An input of an I/O APIC is level-triggered.
pub const LEVEL: u32 = 1 << 15;

struct Apic {
    registers: *mut u32,
    /// Timer counts per nanosecond, times 2^32; unused in TSC-deadline mode.
    counts_per_ns: u64,
}

static APIC: Local<Apic> = Local::new(Apic { registers: core::ptr::null_mut(), counts_per_ns: 1 << 32 });

fn apic() -> &'static Apic {
    // SAFETY: written at boot only.
    unsafe { &*APIC.get() }
}

fn read(register: usize) -> u32 {
    // SAFETY: a register of the local APIC, mapped uncached.
    unsafe { apic().registers.byte_add(register).read_volatile() }
}

fn write(register: usize, value: u32) {
    // SAFETY: as above.
    unsafe { apic().registers.byte_add(register).write_volatile(value) };
}

fn io_apic_write(io_apic: u64, register: u32, value: u32) {
    let window = memory::device(io_apic);
    // SAFETY: the I/O APIC's select and data registers, mapped uncached.
    unsafe {
        window.write_volatile(register);
        window.byte_add(0x10).write_volatile(value);
    }
}

/// How many inputs an I/O APIC has.
pub fn io_apic_inputs(io_apic: u64) -> u32 {
    const VERSION: u32 = 1;
    let window = memory::device(io_apic);
    // SAFETY: as above.
    let version = unsafe {
        window.write_volatile(VERSION);
        window.byte_add(0x10).read_volatile()
    };
    (version >> 16 & 0xff) + 1
}

/// Routes an input of an I/O APIC to a vector of this processor; `flags` are [`LOW`] and [`LEVEL`].
pub fn route(io_apic: u64, input: u32, flags: u32, vector: u8) {
    io_apic_write(io_apic, 0x11 + 2 * input, u32::from(id()) << 24);
    io_apic_write(io_apic, 0x10 + 2 * input, flags | u32::from(vector));
}

/// The number of this processor's local APIC.
pub fn id() -> u8 {
    (read(ID) >> 24) as u8
}

/// Says where the registers are.
pub fn set_registers(registers: *mut u32) {
    // SAFETY: boot, one processor.
    unsafe { (*APIC.get()).registers = registers };
}

/// Switches the local APIC on and the legacy controllers off; the timer is masked until it is first set.
pub fn init() {
    // The 8259s: vectors out of the way, everything masked.
    for (port, value) in [
        (0x20, 0x11),
        (0xa0, 0x11),
        (0x21, 0x20),
        (0xa1, 0x28),
        (0x21, 4),
        (0xa1, 2),
        (0x21, 1),
        (0xa1, 1),
        (0x21, 0xff),
        (0xa1, 0xff),
    ] {
        outb(port, value);
    }
    set_registers(memory::device(apic_base()));
    write(SPURIOUS, 0x1ff);
    write(DIVIDE, 0b1011);
    write(LVT_TIMER, MASKED | u32::from(TIMER_VECTOR));
}

/// How often each end of a comparison is read.
const READINGS: u32 = 16;

/// Lets the timer run for about `span_ns` counts of 1 GHz and returns the ticks of the time-stamp counter and the counts that passed.
pub fn compare_with_tsc(span_ns: u32) -> (u64, u64) {
    write(INITIAL_COUNT, u32::MAX);
    let sample = || {
        let before = rdtsc();
        let count = read(CURRENT_COUNT);
        let took = rdtsc() - before;
        (took, before + took / 2, count)
    };
    // The best of a few readings at each end: the shortest is the least disturbed. A virtual processor that has to wait for a real one does
    // so in the middle of a reading, more often than not, and then half of the wait is an error.
    let best = || {
        let (_, tsc, count) = (1..READINGS).fold(sample(), |best, _| {
            let next = sample();
            if next.0 < best.0 { next } else { best }
        });
        (tsc, count)
    };
    let (tsc0, count0) = best();
    while count0.wrapping_sub(read(CURRENT_COUNT)) < span_ns {}
    let (tsc1, count1) = best();
    write(INITIAL_COUNT, 0);
    (tsc1 - tsc0, u64::from(count0.wrapping_sub(count1)))
}

/// Makes the timer ready: TSC-deadline mode, or one-shot counting at a rate measured against the clock. After [`clock::init`].
pub fn init_timer() {
    if features().tsc_deadline {
        write(LVT_TIMER, TSC_DEADLINE_MODE | u32::from(TIMER_VECTOR));
        // SAFETY: orders the register write before the first deadline (SDM 3A, 11.5.4.1).
        unsafe { asm!("mfence", options(nostack, preserves_flags)) };
        return;
    }
    if features().hypervisor == crate::cpuid::Hypervisor::Unknown {
        let (ticks, counts) = compare_with_tsc(1_000_000);
        let per_ns = (u128::from(counts) << 32) * u128::from(clock::to_tsc(1_000_000) - clock::to_tsc(0))
            / 1_000_000
            / u128::from(ticks.max(1));
        // SAFETY: boot, one processor.
        unsafe { (*APIC.get()).counts_per_ns = per_ns as u64 };
    }
    write(LVT_TIMER, u32::from(TIMER_VECTOR));
}

/// Routes the first serial port's interrupt (ISA line 4, edge-triggered) to the processor.
pub fn enable_console() {
    const LINE: u8 = 4;
    route(IO_APIC, LINE.into(), 0, IRQ_BASE + LINE);
}

/// Handles an interrupt.
pub fn interrupt(vector: u8) {
    if vector > TIMER_VECTOR {
        // A level-triggered line comes again if it is still up at the end of the interrupt: the device is seen to first.
        sched::interrupt(|| irq::dispatch(vector));
        write(END_OF_INTERRUPT, 0);
        return;
    }
    write(END_OF_INTERRUPT, 0);
    sched::interrupt(|| match vector {
        TIMER_VECTOR => {
            tlb::tick();
            callout::timer_interrupt();
        }
        vector if vector == IRQ_BASE + 4 => serial::interrupt(),
        _ => {}
    });
}

#[unsafe(export_name = "rbm_set_timer")]
fn set_timer(deadline_ns: u64) {
    if let Some(guest) = guest::get() {
        return (guest.set_timer)(deadline_ns);
    }
    if features().tsc_deadline {
        wrmsr(TSC_DEADLINE, if deadline_ns == u64::MAX { 0 } else { clock::to_tsc(deadline_ns).max(1) });
        return;
    }
    if deadline_ns == u64::MAX {
        write(INITIAL_COUNT, 0);
        return;
    }
    let ns = deadline_ns.saturating_sub(rumpbake_platform::machine::monotonic_ns());
    // A deadline beyond the counter's range makes the timer fire early; it is then set again.
    let counts = ((u128::from(ns) * u128::from(apic().counts_per_ns)) >> 32).clamp(1, u32::MAX.into());
    write(INITIAL_COUNT, counts as u32);
}
