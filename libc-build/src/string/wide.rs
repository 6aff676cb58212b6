//! Long scans by 32 bytes at a time, where the processor has AVX2 and the kernel keeps its registers.
//!
//! The functions of [`scan`](super::scan) and [`compare`](super::compare) come here after some hundred bytes, so short strings pay nothing. Whether
//! AVX2 is there is found out by the first call that asks. Blocks of 128 bytes at multiples of 128, and so within a page, are read.

use core::arch::asm;
use core::arch::x86_64::{
    __cpuid, __cpuid_count, __m256i, _mm256_cmpeq_epi8, _mm256_min_epu8, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256,
};
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Bytes in a block.
pub const BLOCK: usize = 128;

const UNKNOWN: u8 = 0;
const ABSENT: u8 = 1;
const PRESENT: u8 = 2;

static AVX2: AtomicU8 = AtomicU8::new(UNKNOWN);

/// Whether the functions here may be called.
#[inline]
pub fn present() -> bool {
    match AVX2.load(Relaxed) {
        UNKNOWN => detect(),
        known => known == PRESENT,
    }
}

#[cold]
fn detect() -> bool {
    /// XSAVE is in use (ECX of leaf 1), and AVX (the same).
    const OSXSAVE_AND_AVX: u32 = 1 << 27 | 1 << 28;
    /// EBX of leaf 7.
    const AVX2_BIT: u32 = 1 << 5;
    /// XCR0: the registers' lower and upper halves are kept.
    const BOTH_HALVES: u32 = 6;
    let features = __cpuid(1).ecx;
    let found = __cpuid(0).eax >= 7
        && features & OSXSAVE_AND_AVX == OSXSAVE_AND_AVX
        && __cpuid_count(7, 0).ebx & AVX2_BIT != 0
        && {
            let low: u32;
            // SAFETY: with OSXSAVE, xgetbv of register 0 is allowed.
            unsafe { asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") _, options(nomem, nostack)) };
            low & BOTH_HALVES == BOTH_HALVES
        };
    AVX2.store(if found { PRESENT } else { ABSENT }, Relaxed);
    found
}

/// Loads 32 bytes, as an instruction of which the compiler knows nothing: they may be beyond what the caller owns.
///
/// # Safety
/// AVX2 is present; the bytes are readable.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load(at: *const u8) -> __m256i {
    let value;
    // SAFETY: this function's contract.
    unsafe {
        asm!("vmovdqu {}, [{}]", out(ymm_reg) value, in(reg) at, options(pure, readonly, nostack, preserves_flags))
    };
    value
}

/// One bit for each of four times 32 bytes that is not zero.
#[inline]
#[target_feature(enable = "avx2")]
fn bits(parts: [__m256i; 4]) -> u128 {
    let part = |index: usize| u128::from(_mm256_movemask_epi8(parts[index]).cast_unsigned());
    part(0) | part(1) << 32 | part(2) << 64 | part(3) << 96
}

/// The first byte that is zero from `at` on.
///
/// # Safety
/// AVX2 is present; `at` is a multiple of [`BLOCK`], and readable up to such a byte.
#[target_feature(enable = "avx2")]
pub unsafe fn find_zero(mut at: *const u8) -> *const u8 {
    let zero = _mm256_setzero_si256();
    loop {
        // SAFETY: no byte before was zero, so the block holds a byte that is readable, and with it the whole page.
        let parts = unsafe { [load(at), load(at.add(32)), load(at.add(64)), load(at.add(96))] };
        let least = _mm256_min_epu8(_mm256_min_epu8(parts[0], parts[1]), _mm256_min_epu8(parts[2], parts[3]));
        if _mm256_movemask_epi8(_mm256_cmpeq_epi8(least, zero)) != 0 {
            let zeros = bits(parts.map(|part| _mm256_cmpeq_epi8(part, zero)));
            return at.wrapping_add(zeros.trailing_zeros() as usize);
        }
        at = at.wrapping_add(BLOCK);
    }
}

/// The first byte `value` from `at` on, or the block in which `end` is, or one that begins there.
///
/// # Safety
/// AVX2 is present; `at` is a multiple of [`BLOCK`], and readable up to such a byte, or to `end`.
#[target_feature(enable = "avx2")]
pub unsafe fn find_byte(mut at: *const u8, value: u8, end: usize) -> *const u8 {
    let wanted = _mm256_set1_epi8(value.cast_signed());
    while at.addr() < end && end - at.addr() >= BLOCK {
        // SAFETY: the block ends before `end`, or holds the byte, or follows on blocks without it.
        let equal = unsafe { [load(at), load(at.add(32)), load(at.add(64)), load(at.add(96))] }
            .map(|part| _mm256_cmpeq_epi8(part, wanted));
        let any = _mm256_or_si256(_mm256_or_si256(equal[0], equal[1]), _mm256_or_si256(equal[2], equal[3]));
        if _mm256_movemask_epi8(any) != 0 {
            return at.wrapping_add(bits(equal).trailing_zeros() as usize);
        }
        at = at.wrapping_add(BLOCK);
    }
    at
}

/// How many bytes from `left` and `right` on are the same in both, and not zero: a number of whole blocks, as many as come before one that
/// leaves a page, that differs, or that holds a zero; at most `limit`.
///
/// # Safety
/// AVX2 is present; neither string ended before.
#[target_feature(enable = "avx2")]
pub unsafe fn same(left: *const u8, right: *const u8, limit: usize) -> usize {
    let zero = _mm256_setzero_si256();
    let mut done = 0;
    while limit - done >= BLOCK {
        let (left, right) = (left.wrapping_add(done), right.wrapping_add(done));
        let within_page = |at: *const u8| at.addr() & 4095 <= 4096 - BLOCK;
        if !within_page(left) || !within_page(right) {
            break;
        }
        // SAFETY: both blocks lie in pages of which their first bytes are readable, as neither string ended before.
        let part = |at: usize| unsafe {
            let left = load(left.wrapping_add(at));
            _mm256_min_epu8(_mm256_cmpeq_epi8(left, load(right.wrapping_add(at))), left)
        };
        let least = _mm256_min_epu8(_mm256_min_epu8(part(0), part(32)), _mm256_min_epu8(part(64), part(96)));
        if _mm256_movemask_epi8(_mm256_cmpeq_epi8(least, zero)) != 0 {
            break;
        }
        done += BLOCK;
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_places_in_a_page() {
        if !present() {
            return;
        }
        #[repr(align(4096))]
        struct Page([u8; 4096]);
        let mut page = Box::new(Page([b'a'; 4096]));
        for place in 0..4096 {
            page.0[place] = 0;
            let start = page.0.as_ptr();
            // SAFETY: a page that holds the byte.
            unsafe {
                assert_eq!(find_zero(start).addr() - start.addr(), place);
                assert_eq!(find_byte(start, 0, start.addr() + 4096).addr() - start.addr(), place);
                assert_eq!(find_byte(start, 0, start.addr() + 300).addr() - start.addr(), place.min(256));
                assert_eq!(same(start, start, 4096), place / BLOCK * BLOCK);
                assert_eq!(same(start, start, 200), (place / BLOCK * BLOCK).min(128));
            }
            page.0[place] = b'a';
        }
    }
}
