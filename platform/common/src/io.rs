//! Port instructions and the time-stamp counter (Intel SDM volume 2).

use core::arch::asm;

/// Reads a byte from a port.
pub fn inb(port: u16) -> u8 {
    let value;
    // SAFETY: touches no memory; callers name ports of devices that they drive.
    unsafe { asm!("in al, dx", in("dx") port, out("al") value, options(nomem, nostack, preserves_flags)) };
    value
}

/// Writes a byte to a port.
pub fn outb(port: u16, value: u8) {
    // SAFETY: as for `inb`.
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack, preserves_flags)) };
}

/// Writes a 16-bit word to a port.
pub fn outw(port: u16, value: u16) {
    // SAFETY: as for `inb`.
    unsafe { asm!("out dx, ax", in("dx") port, in("ax") value, options(nomem, nostack, preserves_flags)) };
}

/// Writes bytes to one port, in order.
pub fn outsb(port: u16, bytes: &[u8]) {
    // SAFETY: reads `bytes` only.
    unsafe {
        asm!("rep outsb", in("dx") port, inout("rsi") bytes.as_ptr() => _, inout("rcx") bytes.len() => _,
            options(readonly, nostack, preserves_flags));
    };
}

/// The time-stamp counter.
#[inline]
pub fn rdtsc() -> u64 {
    // SAFETY: every x86-64 processor has it, and nothing forbids it in ring 0.
    unsafe { core::arch::x86_64::_rdtsc() }
}
