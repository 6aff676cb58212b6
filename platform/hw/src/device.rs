//! Windows onto device registers, anywhere in physical memory.

use core::arch::x86_64::__cpuid;

use rumpbake_drivers::mmio::Registers;
use rumpbake_platform::cpu::Local;
use rumpbake_platform::pmap::{self, NX, UNCACHED, WRITE};

/// Where the registers are mapped: in the region of the kernel's half that kernel stacks have as well, far behind them.
const REGION: usize = 0xffff_c040_0000_0000;
const PAGE: usize = 4096;

/// The next free address of that region.
static NEXT: Local<usize> = Local::new(REGION);

/// Bits of a physical address (leaf 80000008h).
fn physical_bits() -> u32 {
    let bits = if __cpuid(0x8000_0000).eax >= 0x8000_0008 { __cpuid(0x8000_0008).eax & 0xff } else { 36 };
    bits.clamp(32, 52)
}

/// How the processor keeps what is mapped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// Not at all, as registers want it.
    Off,
    /// As memory.
    On,
}

/// Maps `len` bytes of device registers, uncached and for good. `None` without memory for page tables, or if there are no such addresses.
pub fn window(phys: u64, len: usize) -> Option<Registers> {
    let first = map(phys, len, Caching::Off)?;
    // SAFETY: the registers are mapped for good, and callers name those of devices.
    Some(unsafe { Registers::new(first, len) })
}

/// Maps `len` bytes that are no RAM of the machine's, for good. `None` without memory for page tables, or if there are no such addresses.
pub fn map(phys: u64, len: usize, caching: Caching) -> Option<*mut u8> {
    let flags = WRITE | NX | if caching == Caching::Off { UNCACHED } else { 0 };
    let start = phys & !(PAGE as u64 - 1);
    let end = phys.checked_add(len as u64)?.checked_next_multiple_of(PAGE as u64)?;
    if end >= 1 << physical_bits() {
        return None;
    }
    // SAFETY: one virtual CPU; nobody else touches the word.
    let base = unsafe { *NEXT.get() };
    let size = usize::try_from(end - start).ok()?;
    for offset in (0..size).step_by(PAGE) {
        // SAFETY: the region is this function's, and no address of it is used twice.
        unsafe { pmap::kernel_map(base + offset, start + offset as u64, flags) }.ok()?;
    }
    // SAFETY: as above.
    unsafe { *NEXT.get() = base + size };
    Some(core::ptr::with_exposed_provenance_mut(base + (phys - start) as usize))
}
