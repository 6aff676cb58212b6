//! Variables that code reaches from wherever it is placed.
//!
//! A compiler makes the address of a variable part of the instruction that reads it, relative to that instruction. Code that is to be copied to another place
//! (the shortest hypercalls, beside a rump kernel from elsewhere) must have absolute addresses instead.

#![no_std]

use core::arch::asm;

/// The same reference, whose address comes into a register by itself.
#[inline(always)]
#[must_use]
#[expect(
    clippy::pointers_in_nomem_asm_block,
    reason = "the address is handed through, and nothing is read there"
)]
pub fn far<T>(variable: &'static T) -> &'static T {
    let mut address: *const T = variable;
    // SAFETY: no instruction at all; the compiler does not know that, and so has to make the address first.
    unsafe { asm!("/* {} */", inout(reg) address, options(pure, nomem, nostack, preserves_flags)) };
    // SAFETY: the reference's own address.
    unsafe { &*address }
}
