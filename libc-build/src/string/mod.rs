//! string.h and strings.h.
//!
//! Functions on plain bytes; the C locale's order is the only one for strcoll(3). Scanning functions look at the first bytes by words, then at aligned blocks of
//! 16. Neither crosses a page, so a byte beyond the string's end is read but never a page that the string does not touch. Words because most strings are
//! short, and an emulator takes ten times as long for the bits of a vector as for those of a register; a processor does both in one go.

pub mod bits;
pub mod build;
pub mod checked;
pub mod compare;
pub mod copy;
pub mod error;
pub mod scan;
pub mod search;
pub mod signal;
#[cfg(test)]
pub(crate) mod testing;
pub mod token;
mod wide;

use core::arch::asm;
use core::arch::x86_64::__m128i;

/// Loads the aligned block at `at`, as an instruction of which the compiler knows nothing: it reads beyond what the caller owns.
///
/// # Safety
/// `at` is a multiple of 16, and at least one byte of the block is readable.
#[inline(always)]
unsafe fn block(at: *const u8) -> __m128i {
    let value;
    // SAFETY: an aligned block lies in one page, and that page is readable (contract).
    unsafe {
        asm!("movdqa {}, [{}]", out(xmm_reg) value, in(reg) at, options(pure, readonly, nostack, preserves_flags))
    };
    value
}

/// Loads 16 bytes at `at`.
///
/// # Safety
/// `at` is at least 16 bytes from the end of a page of which a byte at or after `at` is readable, or 16 bytes are readable.
#[inline(always)]
unsafe fn block_unaligned(at: *const u8) -> __m128i {
    let value;
    // SAFETY: the block lies in a readable page, or is the caller's (contract).
    unsafe {
        asm!("movdqu {}, [{}]", out(xmm_reg) value, in(reg) at, options(pure, readonly, nostack, preserves_flags))
    };
    value
}

/// How many bytes the scanning functions look at by words.
const WORDS: usize = 32;

/// Whether `count` bytes at `at` lie in one page.
#[inline(always)]
fn within_page(at: *const u8, count: usize) -> bool {
    at.addr() & 4095 <= 4096 - count
}

/// Loads 8 bytes at `at`.
///
/// # Safety
/// They lie in one page, of which a byte at or after `at` is readable, or are readable.
#[inline(always)]
unsafe fn word(at: *const u8) -> u64 {
    let value;
    // SAFETY: the word lies in a readable page, or is the caller's (contract).
    unsafe {
        asm!("mov {}, [{}]", out(reg) value, in(reg) at, options(pure, readonly, nostack, preserves_flags))
    };
    value
}

/// The lowest bit set is the highest one of the first byte of `word` that is zero; none is set if there is no such byte.
#[inline(always)]
fn first_zero(word: u64) -> u64 {
    const LOW: u64 = u64::MAX / 255;
    word.wrapping_sub(LOW) & !word & (LOW << 7)
}

/// A word of eight times `byte`.
#[inline(always)]
fn eight(byte: u8) -> u64 {
    u64::from(byte) * (u64::MAX / 255)
}
