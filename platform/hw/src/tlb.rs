//! Page-table entries as the processor sees them: stores, and what it has to forget.
//!
//! # A translator's cache
//! QEMU's translator keeps translations in a table of its own, and thinks about the table's size when all of it is dropped, never otherwise: it
//! doubles a table of which most was in use, and makes one smaller of which little was used for a tenth of a second (accel/tcg/cputlb.c). An address space that is
//! never switched gives it no reason to drop anything. Then a program whose memory exceeds the 256 pages of the beginning has its page tables walked at every other
//! access, a hundred times as dear. So where QEMU translates, the table is filled and dropped whenever as many entries have been written as it may
//! have by now; since that number doubles each time, it happens a few times. And it is dropped with the timer's interrupts, ten times per second at most, so that it
//! follows what a program does later.

use core::arch::asm;

use rump_hypercall::memory::{PAGE_SIZE, page_counts};
use rumpbake_platform::cpu::Local;
use rumpbake_platform::machine::monotonic_ns;
use rumpbake_platform::page::phys_to_virt;
use rumpbake_platform::pmap::PRESENT;

use crate::cpuid::{Hypervisor, features};

/// The size at reset, entries.
const FIRST_SIZE: u64 = 256;
/// No larger one is asked for: 64 MiB.
const LAST_SIZE: u64 = 1 << 14;
/// How often everything is dropped with the timer's interrupts.
const PERIOD_NS: u64 = 100_000_000;
/// How many entries are used at least whenever that happens. A table of which less than three tenths were used would become smaller, down to 64 entries, where the pages of
/// a short loop's stack, data and kernel take each other's places; one of which seven tenths were becomes larger. So it ends at 2,048, where the pages of a server's packets
/// hardly meet.
const ENOUGH: u64 = 1280;
/// Where RAM begins that is read to fill the table.
const RAM: u64 = 1 << 20;

struct Cache {
    /// Entries to be written until it is to grow.
    left: u64,
    /// How many entries it has, if nothing has made it smaller.
    size: u64,
    /// When everything is dropped next.
    due_ns: u64,
}

/// As it is where nobody translates.
static CACHE: Local<Cache> = Local::new(Cache { left: u64::MAX, size: LAST_SIZE, due_ns: u64::MAX });

/// Begins to count, if that is of use. After [`crate::cpuid::init`].
pub fn init() {
    if features().hypervisor == Hypervisor::Tcg {
        // SAFETY: boot, one processor.
        unsafe { *CACHE.get() = Cache { left: FIRST_SIZE, size: FIRST_SIZE, due_ns: PERIOD_NS } };
    }
}

#[cold]
fn grow(cache: &mut Cache) {
    cache.left = cache.size;
    if cache.size >= LAST_SIZE || cache.size >= page_counts().total {
        cache.left = u64::MAX;
        return;
    }
    fill(cache.size);
    cache.size *= 2;
    cache.left = cache.size;
    flush_all();
}

/// Has so many entries used.
fn fill(entries: u64) {
    for page in 0..entries {
        let at = phys_to_virt(RAM + page * PAGE_SIZE as u64);
        // SAFETY: the direct map covers RAM, of which there is as much as this behind the first megabyte (a hole in it reads as something, too). The value is not
        // looked at.
        unsafe {
            asm!("mov {t:e}, [{at}]", t = out(reg) _, at = in(reg) at, options(readonly, nostack, preserves_flags))
        };
    }
}

/// The timer's interrupt has come.
pub fn tick() {
    // SAFETY: the holder of the virtual CPU; nothing here calls back.
    let cache = unsafe { &mut *CACHE.get() };
    if cache.due_ns == u64::MAX {
        return;
    }
    let now = monotonic_ns();
    if now >= cache.due_ns {
        cache.due_ns = now + PERIOD_NS;
        fill(ENOUGH.min(page_counts().total));
        flush_all();
    }
}

#[unsafe(export_name = "rbm_set_pte")]
unsafe fn set_pte(entry: *mut u64, value: u64) {
    // SAFETY: the caller's promise.
    unsafe { entry.write(value) };
    if value & PRESENT == 0 {
        return;
    }
    // SAFETY: as above.
    let cache = unsafe { &mut *CACHE.get() };
    cache.left -= 1;
    if cache.left == 0 {
        grow(cache);
    }
}

#[unsafe(export_name = "rbm_get_pte")]
unsafe fn get_pte(entry: *mut u64) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { entry.read() }
}

/// The processor reads tables as they are in memory.
#[unsafe(export_name = "rbm_settle")]
fn settle() {}

/// Any page may be a table.
#[unsafe(export_name = "rbm_table_made")]
unsafe fn table_made(_table: *mut u8) {}

/// As [`table_made`].
#[unsafe(export_name = "rbm_table_gone")]
unsafe fn table_gone(_table: *mut u8) {}

#[unsafe(export_name = "rbm_flush_page")]
fn flush_page(va: usize) {
    // SAFETY: drops a translation only.
    unsafe { asm!("invlpg [{}]", in(reg) va, options(nostack, preserves_flags)) };
}

#[unsafe(export_name = "rbm_flush_all")]
fn flush_all() {
    // SAFETY: reloads the register with what it holds; kernel mappings are global and stay.
    unsafe { asm!("mov {t}, cr3", "mov cr3, {t}", t = out(reg) _, options(nostack, preserves_flags)) };
}
