//! Comparing functions: memcmp(3), strcmp(3), strcasecmp(3), strcoll(3), strxfrm(3), consttime_memequal(3).

use super::scan::strlen;
use super::{WORDS, block_unaligned, first_zero, wide, within_page, word};
use core::arch::x86_64::{__m128i, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_setzero_si128};
use core::ffi::{c_char, c_int, c_void};

/// The difference of the bytes at `offset`.
///
/// # Safety
/// Both are readable there.
#[inline(always)]
unsafe fn difference(left: *const u8, right: *const u8, offset: usize) -> c_int {
    // SAFETY: as this function's own.
    unsafe { c_int::from(*left.add(offset)) - c_int::from(*right.add(offset)) }
}

/// The order of two unequal or equal big-endian words.
#[inline(always)]
fn order(left: u64, right: u64) -> c_int {
    let (left, right) = (left.swap_bytes(), right.swap_bytes());
    c_int::from(left > right) - c_int::from(left < right)
}

/// Compares `count` bytes.
///
/// # Safety
/// Both blocks are readable for `count` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memcmp(left: *const c_void, right: *const c_void, count: usize) -> c_int {
    let (left, right) = (left.cast::<u8>(), right.cast::<u8>());
    // SAFETY: every access lies below `count`; the last one of the vector loop is moved back to end there.
    unsafe {
        let words = |offset: usize| {
            (
                left.add(offset).cast::<u64>().read_unaligned(),
                right.add(offset).cast::<u64>().read_unaligned(),
            )
        };
        if count < 8 {
            if count >= 4 {
                let halves = |offset: usize| {
                    let left = left.add(offset).cast::<u32>().read_unaligned();
                    let right = right.add(offset).cast::<u32>().read_unaligned();
                    (u64::from(left), u64::from(right))
                };
                let (first, last) = (halves(0), halves(count - 4));
                return if first.0 != first.1 { order(first.0, first.1) } else { order(last.0, last.1) };
            }
            for offset in 0..count {
                let difference = difference(left, right, offset);
                if difference != 0 {
                    return difference;
                }
            }
            return 0;
        }
        if count <= 16 {
            let (first, last) = (words(0), words(count - 8));
            return if first.0 != first.1 { order(first.0, first.1) } else { order(last.0, last.1) };
        }
        let mut offset = 0;
        // In general registers, as memmove(3): half the speed of vectors in a processor's cache, and a multiple of it in an emulator.
        while count - offset >= 32 {
            let differs = |at: usize| {
                let (left, right) = words(offset + at);
                left ^ right
            };
            if (differs(0) | differs(8)) | (differs(16) | differs(24)) != 0 {
                break;
            }
            offset += 32;
        }
        if offset == count {
            return 0;
        }
        offset = offset.min(count - 16);
        loop {
            let same = _mm_movemask_epi8(_mm_cmpeq_epi8(
                block_unaligned(left.add(offset)),
                block_unaligned(right.add(offset)),
            ));
            if same != 0xffff {
                return difference(left, right, offset + (!same).trailing_zeros() as usize);
            }
            if offset == count - 16 {
                return 0;
            }
            offset = (offset + 16).min(count - 16);
        }
    }
}

/// memcmp(3) of which only zero or not zero is told.
///
/// # Safety
/// Both blocks are readable for `count` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn bcmp(left: *const c_void, right: *const c_void, count: usize) -> c_int {
    // SAFETY: as this function's own.
    unsafe { memcmp(left, right, count) }
}

/// 1 if the blocks are equal, else 0, in a time that depends on `count` alone.
///
/// # Safety
/// Both blocks are readable for `count` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn consttime_memequal(
    left: *const c_void,
    right: *const c_void,
    count: usize,
) -> c_int {
    let mut difference = 0_u8;
    for offset in 0..count {
        // SAFETY: below `count`. Volatile reads keep the loop from ending early.
        difference |= unsafe {
            left.cast::<u8>().add(offset).read_volatile() ^ right.cast::<u8>().add(offset).read_volatile()
        };
    }
    c_int::from(difference == 0)
}

/// A byte is zero in the result where two strings differ or both end.
///
/// # Safety
/// As [`block_unaligned`] for both.
#[inline(always)]
unsafe fn going(left: *const u8, right: *const u8) -> __m128i {
    // SAFETY: as this function's own; SSE2 is part of the architecture.
    unsafe {
        let left = block_unaligned(left);
        _mm_min_epu8(_mm_cmpeq_epi8(left, block_unaligned(right)), left)
    }
}

/// One bit for each byte that is zero.
#[inline(always)]
fn zeros(bytes: __m128i) -> i32 {
    // SAFETY: SSE2 is part of the architecture.
    unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128())) }
}

/// From so many bytes on strings are compared by wide blocks.
const WIDE: usize = 256;

/// strcmp(3) of at most `limit` bytes.
///
/// # Safety
/// Both are C strings, or readable for `limit` bytes.
#[inline(always)]
unsafe fn compare(left: *const c_char, right: *const c_char, limit: usize) -> c_int {
    let (left, right) = (left.cast::<u8>(), right.cast::<u8>());
    let mut offset = 0_usize;
    // Most strings that are compared are short, or differ soon.
    if within_page(left, WORDS) && within_page(right, WORDS) {
        while offset < WORDS && offset < limit {
            // SAFETY: neither string ended before `offset`, and the words do not leave their pages.
            let words = unsafe { (word(left.wrapping_add(offset)), word(right.wrapping_add(offset))) };
            // The lowest bit set is in the first byte that differs or ends the string.
            let stop = (words.0 ^ words.1) | first_zero(words.0);
            if stop != 0 {
                let at = stop.trailing_zeros() & !7;
                let byte = |word: u64| (word >> at) as u8;
                let is_within = offset + (at as usize) / 8 < limit;
                return if is_within { c_int::from(byte(words.0)) - c_int::from(byte(words.1)) } else { 0 };
            }
            offset += 8;
        }
    }
    while offset < limit {
        let (from_left, from_right) = (left.wrapping_add(offset), right.wrapping_add(offset));
        if within_page(from_left, 64) && within_page(from_right, 64) {
            // SAFETY: as below, for four blocks.
            let parts = unsafe {
                let part = |at: usize| going(from_left.wrapping_add(at), from_right.wrapping_add(at));
                [part(0), part(16), part(32), part(48)]
            };
            // SAFETY: SSE2 is part of the architecture.
            let least =
                unsafe { _mm_min_epu8(_mm_min_epu8(parts[0], parts[1]), _mm_min_epu8(parts[2], parts[3])) };
            if zeros(least) != 0 {
                let bits = |index: usize| u64::from(zeros(parts[index]).cast_unsigned()) << (16 * index);
                offset += (bits(0) | bits(1) | bits(2) | bits(3)).trailing_zeros() as usize;
                // SAFETY: neither string ended before this byte.
                return if offset < limit { unsafe { difference(left, right, offset) } } else { 0 };
            }
            offset += 64;
            if offset >= WIDE && wide::present() && offset < limit {
                // SAFETY: neither string ended before.
                offset += unsafe {
                    wide::same(left.wrapping_add(offset), right.wrapping_add(offset), limit - offset)
                };
            }
            continue;
        }
        if within_page(from_left, 16) && within_page(from_right, 16) {
            // SAFETY: the bytes at `offset` are readable, as neither string ended before, and the blocks do not leave their pages.
            let same = zeros(unsafe { going(from_left, from_right) });
            if same != 0 {
                offset += same.trailing_zeros() as usize;
                // SAFETY: neither string ended before this byte.
                return if offset < limit { unsafe { difference(left, right, offset) } } else { 0 };
            }
            offset += 16;
        } else {
            // SAFETY: neither string ended before this byte.
            unsafe {
                let difference = difference(left, right, offset);
                if difference != 0 || *from_left == 0 {
                    return difference;
                }
            }
            offset += 1;
        }
    }
    0
}

/// Compares two strings.
///
/// # Safety
/// Both are C strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strcmp(left: *const c_char, right: *const c_char) -> c_int {
    // SAFETY: as this function's own.
    unsafe { compare(left, right, usize::MAX) }
}

/// Compares at most `limit` bytes of two strings.
///
/// # Safety
/// Both are C strings, or readable for `limit` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strncmp(left: *const c_char, right: *const c_char, limit: usize) -> c_int {
    // SAFETY: as this function's own.
    unsafe { compare(left, right, limit) }
}

/// Compares two strings, upper case as lower case.
///
/// # Safety
/// Both are C strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strcasecmp(left: *const c_char, right: *const c_char) -> c_int {
    // SAFETY: as this function's own.
    unsafe { strncasecmp(left, right, usize::MAX) }
}

/// Compares at most `limit` bytes of two strings, upper case as lower case.
///
/// # Safety
/// Both are C strings, or readable for `limit` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strncasecmp(left: *const c_char, right: *const c_char, limit: usize) -> c_int {
    let (left, right) = (left.cast::<u8>(), right.cast::<u8>());
    for offset in 0..limit {
        // SAFETY: neither string ended before.
        let (left, right) = unsafe { (left.add(offset).read(), right.add(offset).read()) };
        let difference = c_int::from(left.to_ascii_lowercase()) - c_int::from(right.to_ascii_lowercase());
        if difference != 0 || left == 0 {
            return difference;
        }
    }
    0
}

/// Compares two strings in the locale's order, which is that of the bytes.
///
/// # Safety
/// Both are C strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strcoll(left: *const c_char, right: *const c_char) -> c_int {
    // SAFETY: as this function's own.
    unsafe { compare(left, right, usize::MAX) }
}

/// strcoll(3) in a given locale: all have the same order.
///
/// # Safety
/// Both are C strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strcoll_l(left: *const c_char, right: *const c_char, _locale: *mut c_void) -> c_int {
    // SAFETY: as this function's own.
    unsafe { compare(left, right, usize::MAX) }
}

/// Makes a string whose byte order is the locale's order of `string`: a copy. Returns the length that it needs.
///
/// # Safety
/// `string` is a C string; `target` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strxfrm(target: *mut c_char, string: *const c_char, size: usize) -> usize {
    // SAFETY: strlcpy(3) writes at most `size` bytes.
    unsafe { if size == 0 { strlen(string) } else { super::build::strlcpy(target, string, size) } }
}

/// strxfrm(3) in a given locale.
///
/// # Safety
/// As strxfrm(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strxfrm_l(
    target: *mut c_char,
    string: *const c_char,
    size: usize,
    _locale: *mut c_void,
) -> usize {
    // SAFETY: as this function's own.
    unsafe { strxfrm(target, string, size) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::string::testing::{AtPageEnd, Random};

    #[test]
    fn comparisons_have_the_sign_that_slices_have() {
        let mut random = Random::new(2);
        let (mut page, mut other_page) = (AtPageEnd::new(), AtPageEnd::new());
        for round in 0..4000_usize {
            let length = round % 300;
            let mut left: Vec<u8> = (0..length).map(|_| 1 + (random.next() % 255) as u8).collect();
            let mut right = left.clone();
            if length > 0 && !random.next().is_multiple_of(4) {
                let at = random.next() as usize % length;
                right[at] = 1 + (random.next() % 255) as u8;
                right.truncate(length - random.next() as usize % (length - at));
            }
            let ordering = left.cmp(&right) as c_int;
            let lower = left.to_ascii_lowercase().cmp(&right.to_ascii_lowercase()) as c_int;
            let common = left.len().min(right.len());
            let blocks = left[..common].cmp(&right[..common]) as c_int;
            let limit = random.next() as usize % 310;
            let limited = left[..limit.min(left.len())].cmp(&right[..limit.min(right.len())]) as c_int;
            // Whatever comes behind the end does not count.
            for string in [&mut left, &mut right] {
                let behind = random.next() % 80;
                string.push(0);
                string.extend((0..behind).map(|_| (random.next() % 3) as u8));
            }
            let (left, right) = (page.put(&left).cast::<c_char>(), other_page.put(&right).cast::<c_char>());
            // SAFETY: both are C strings.
            unsafe {
                assert_eq!(strcmp(left, right).signum(), ordering);
                assert_eq!(strcoll(right, left).signum(), -ordering);
                assert_eq!(strcasecmp(left, right).signum(), lower);
                assert_eq!(strncmp(left, right, limit).signum(), limited);
                assert_eq!(memcmp(left.cast(), right.cast(), common).signum(), blocks);
                assert_eq!(consttime_memequal(left.cast(), right.cast(), common), c_int::from(blocks == 0));
            }
        }
    }
}
