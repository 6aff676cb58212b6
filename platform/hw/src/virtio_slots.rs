//! Where virtio devices with memory-mapped registers are: as the kernel command line says, or in the slots of QEMU's microvm.

use rumpbake_drivers::mmio::Registers;
use rumpbake_drivers::virtio::mmio::LEN;

use crate::device::window;
use crate::{acpi, memory, poweroff};

/// The word by which a virtual machine names a device: `virtio_mmio.device=4K@0xd0000000:5`.
const WORD: &str = "virtio_mmio.device=";
/// microvm's slots.
const SLOTS: u64 = 0xfeb0_0000;

/// A number as the word has it: decimal or 0x…, with K, M or G behind it.
fn number(text: &str) -> Option<u64> {
    let (digits, shift) = match text.char_indices().next_back()? {
        (at, 'K' | 'k') => (&text[..at], 10),
        (at, 'M' | 'm') => (&text[..at], 20),
        (at, 'G' | 'g') => (&text[..at], 30),
        _ => (text, 0),
    };
    let value = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    value.checked_mul(1 << shift)
}

/// Length, physical address and line of a device that a word names.
fn device(word: &str) -> Option<(u64, u64, u8)> {
    let (len, rest) = word.strip_prefix(WORD)?.split_once('@')?;
    let (base, rest) = rest.split_once(':')?;
    let line = rest.split(':').next()?;
    Some((number(len)?, number(base)?, line.parse().ok()?))
}

/// Calls `found` for every place where a device may be. `is_pc`: there is PCI as PCs have it, so there are no slots.
pub fn scan(is_pc: bool, found: &mut dyn FnMut(Registers, u8)) {
    let words = rump_hypercall::boot::info().cmdline.split_ascii_whitespace();
    let mut named = false;
    for (len, base, line) in words.filter_map(device) {
        named = true;
        let len = usize::try_from(len).unwrap_or(LEN).min(4 * LEN);
        if let Some(registers) = window(base, len) {
            found(registers, line);
        }
    }
    if named || is_pc {
        return;
    }
    // Without ACPI the slots have ISA's lines; with it those behind, or those of a second I/O APIC.
    let (count, first_line) = match acpi::io_apics(poweroff::rsdp()).count() {
        0 => (8, 5),
        1 => (8, 16),
        _ => (24, 24),
    };
    // QEMU fills them from the last.
    for slot in (0..count).rev() {
        let base = memory::device(SLOTS + u64::from(slot) * LEN as u64);
        // SAFETY: no PC, so these are microvm's slots; the direct map has them uncached.
        let registers = unsafe { Registers::new(base.cast(), LEN) };
        found(registers, first_line + slot);
    }
}
