//! Functions that look for a byte or for a string's end: strlen(3), memchr(3), strchr(3), strspn(3) and relatives.

use super::{WORDS, block, block_unaligned, eight, first_zero, wide, within_page, word};
use core::arch::x86_64::{
    __m128i, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8, _mm_setzero_si128,
};
use core::ffi::{c_char, c_int, c_void};

/// One bit for each byte of `value` that equals the one of `other`.
#[inline(always)]
fn equal_bits(value: __m128i, other: __m128i) -> u32 {
    // SAFETY: SSE2 is part of the architecture.
    unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(value, other)) as u32 }
}

#[inline(always)]
fn splat(byte: u8) -> __m128i {
    // SAFETY: SSE2 is part of the architecture.
    unsafe { _mm_set1_epi8(byte as i8) }
}

/// The block that holds `at`, and the offset of `at` in it.
#[inline(always)]
fn containing(at: *const u8) -> (*const u8, u32) {
    let offset = at.addr() & 15;
    (at.wrapping_sub(offset), offset as u32)
}

/// The length of `string`.
///
/// # Safety
/// `string` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strlen(string: *const c_char) -> usize {
    let string = string.cast::<u8>();
    if within_page(string, WORDS) {
        for offset in (0..WORDS).step_by(8) {
            // SAFETY: the string did not end before, and the word is in its page.
            let end = first_zero(unsafe { word(string.wrapping_add(offset)) });
            if end != 0 {
                return offset + end.trailing_zeros() as usize / 8;
            }
        }
        // SAFETY: it did not end there either.
        return unsafe { strlen_from(string, containing(string.wrapping_add(WORDS)).0, 0) };
    }
    let (at, offset) = containing(string);
    // SAFETY: the block holds the string's first byte.
    unsafe { strlen_from(string, at, offset) }
}

/// The length of `string`, looked for from the aligned block `at` on, of which `skip` bytes do not count.
///
/// # Safety
/// `string` is a C string that does not end before, and the block holds a byte of it.
#[inline(always)]
unsafe fn strlen_from(string: *const u8, mut at: *const u8, skip: u32) -> usize {
    // SAFETY: SSE2 is part of the architecture.
    let zero = unsafe { _mm_setzero_si128() };
    // SAFETY: the first block holds a byte of the string (contract); so does a later one, as none before held its end.
    unsafe {
        let found = equal_bits(block(at), zero) >> skip << skip;
        if found != 0 {
            return at.addr() + found.trailing_zeros() as usize - string.addr();
        }
        at = at.wrapping_add(16);
        while at.addr() & 63 != 0 {
            let found = equal_bits(block(at), zero);
            if found != 0 {
                return at.addr() - string.addr() + found.trailing_zeros() as usize;
            }
            at = at.wrapping_add(16);
        }
        loop {
            let blocks = [
                block(at),
                block(at.wrapping_add(16)),
                block(at.wrapping_add(32)),
                block(at.wrapping_add(48)),
            ];
            let least = _mm_min_epu8(_mm_min_epu8(blocks[0], blocks[1]), _mm_min_epu8(blocks[2], blocks[3]));
            if equal_bits(least, zero) != 0 {
                let found = u64::from(equal_bits(blocks[0], zero))
                    | u64::from(equal_bits(blocks[1], zero)) << 16
                    | u64::from(equal_bits(blocks[2], zero)) << 32
                    | u64::from(equal_bits(blocks[3], zero)) << 48;
                return at.addr() - string.addr() + found.trailing_zeros() as usize;
            }
            at = at.wrapping_add(64);
            if at.addr().is_multiple_of(wide::BLOCK) && wide::present() {
                return wide::find_zero(at).addr() - string.addr();
            }
        }
    }
}

/// The length of `string`, at most `limit`.
///
/// # Safety
/// `string` is a C string, or has `limit` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strnlen(string: *const c_char, limit: usize) -> usize {
    // SAFETY: memchr(3) stops at the end of the string.
    let end = unsafe { memchr(string.cast(), 0, limit) };
    if end.is_null() { limit } else { end.addr() - string.addr() }
}

/// The first byte `value` among `count`.
///
/// # Safety
/// The block is readable up to that byte, or for `count` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memchr(start: *const c_void, value: c_int, count: usize) -> *mut c_void {
    if count == 0 {
        return core::ptr::null_mut();
    }
    let start = start.cast::<u8>();
    let end = start.addr().saturating_add(count);
    let (mut at, mut offset) = containing(start);
    if within_page(start, WORDS) {
        let wanted = eight(value as u8);
        for offset in (0..WORDS).step_by(8) {
            if offset >= count {
                return core::ptr::null_mut();
            }
            // SAFETY: the byte at `offset` may be read, and the word is in its page.
            let hit = first_zero(unsafe { word(start.wrapping_add(offset)) } ^ wanted);
            if hit != 0 {
                let offset = offset + hit.trailing_zeros() as usize / 8;
                return if offset < count {
                    start.wrapping_add(offset).cast_mut().cast()
                } else {
                    core::ptr::null_mut()
                };
            }
        }
        if count <= WORDS {
            return core::ptr::null_mut();
        }
        (at, offset) = (containing(start.wrapping_add(WORDS)).0, 0);
    }
    let wanted = splat(value as u8);
    // SAFETY: the block holds a byte that may be read: the first, or one before `end` and after blocks without a hit.
    let mut found = unsafe { equal_bits(block(at), wanted) } >> offset << offset;
    loop {
        if found != 0 {
            let hit = at.wrapping_add(found.trailing_zeros() as usize);
            return if hit.addr() < end { hit.cast_mut().cast() } else { core::ptr::null_mut() };
        }
        at = at.wrapping_add(16);
        // Four at a time, as long as all of them begin before the end.
        while at.addr() & 63 == 0 && at.addr().saturating_add(48) < end {
            // SAFETY: as above.
            let hits = unsafe {
                let equal = |at: *const u8| _mm_cmpeq_epi8(block(at), wanted);
                _mm_movemask_epi8(_mm_or_si128(
                    _mm_or_si128(equal(at), equal(at.wrapping_add(16))),
                    _mm_or_si128(equal(at.wrapping_add(32)), equal(at.wrapping_add(48))),
                ))
            };
            if hits != 0 {
                break;
            }
            at = at.wrapping_add(64);
            if at.addr().is_multiple_of(wide::BLOCK) && wide::present() {
                // SAFETY: as above.
                at = unsafe { wide::find_byte(at, value as u8, end) };
                at = containing(at).0;
                break;
            }
        }
        if at.addr() >= end || at.addr() < 16 {
            return core::ptr::null_mut();
        }
        // SAFETY: as above.
        found = unsafe { equal_bits(block(at), wanted) };
    }
}

/// The last byte `value` among `count`.
///
/// # Safety
/// The block is readable for `count` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memrchr(start: *const c_void, value: c_int, count: usize) -> *mut c_void {
    let start = start.cast::<u8>();
    let wanted = splat(value as u8);
    let mut left = count;
    while left >= 16 {
        let at = start.wrapping_add(left - 16);
        // SAFETY: 16 bytes of the caller's block.
        let found = unsafe { equal_bits(block_unaligned(at), wanted) };
        if found != 0 {
            return at.wrapping_add(31 - found.leading_zeros() as usize).cast_mut().cast();
        }
        left -= 16;
    }
    while left > 0 {
        left -= 1;
        // SAFETY: within the caller's block.
        if unsafe { *start.add(left) } == value as u8 {
            return start.wrapping_add(left).cast_mut().cast();
        }
    }
    core::ptr::null_mut()
}

/// The first byte `value` in `string`, or its end.
///
/// # Safety
/// `string` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strchrnul(string: *const c_char, value: c_int) -> *mut c_char {
    let (mut at, offset) = containing(string.cast());
    let (wanted, zero) = (splat(value as u8), splat(0));
    let hits = |at: *const u8| {
        // SAFETY: the block holds a byte of the string: the first one, or one that follows blocks without its end.
        let bytes = unsafe { block(at) };
        // SAFETY: SSE2 is part of the architecture.
        unsafe {
            _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, wanted), _mm_cmpeq_epi8(bytes, zero))) as u32
        }
    };
    let mut found = hits(at) >> offset << offset;
    while found == 0 {
        at = at.wrapping_add(16);
        found = hits(at);
    }
    at.wrapping_add(found.trailing_zeros() as usize).cast_mut().cast()
}

/// The first byte `value` in `string`.
///
/// # Safety
/// `string` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strchr(string: *const c_char, value: c_int) -> *mut c_char {
    // SAFETY: as this function's own; strchrnul returns a byte of the string.
    unsafe {
        let found = strchrnul(string, value);
        if *found == value as c_char { found } else { core::ptr::null_mut() }
    }
}

/// The last byte `value` in `string`.
///
/// # Safety
/// `string` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strrchr(string: *const c_char, value: c_int) -> *mut c_char {
    // SAFETY: the string with its end is readable.
    unsafe { memrchr(string.cast(), value, strlen(string) + 1).cast() }
}

/// strchr(3) under its name of 4.2BSD.
///
/// # Safety
/// `string` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn index(string: *const c_char, value: c_int) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe { strchr(string, value) }
}

/// strrchr(3) under its name of 4.2BSD.
///
/// # Safety
/// `string` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn rindex(string: *const c_char, value: c_int) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe { strrchr(string, value) }
}

/// A set of bytes.
#[derive(Clone, Copy, Debug)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    /// No bytes.
    pub(crate) const fn empty() -> Self {
        Self([0; 4])
    }

    /// Makes it the bytes that it had not.
    pub(crate) fn invert(&mut self) {
        self.0 = self.0.map(|bits| !bits);
    }

    /// The bytes of `string`, without its end.
    ///
    /// # Safety
    /// `string` is a C string.
    pub(crate) unsafe fn of(string: *const c_char) -> Self {
        let mut set = Self::empty();
        let mut at = string.cast::<u8>();
        loop {
            // SAFETY: no byte before was the end.
            let byte = unsafe { *at };
            if byte == 0 {
                return set;
            }
            set.insert(byte);
            at = at.wrapping_add(1);
        }
    }

    pub(crate) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(crate) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 != 0
    }

    /// The number of bytes at `string` up to the first whose membership is `stop`.
    ///
    /// # Safety
    /// `string` has such a byte and is readable up to it.
    unsafe fn span(&self, string: *const c_char, stop: bool) -> usize {
        let mut count = 0;
        // SAFETY: no byte before was the one to stop at.
        while self.contains(unsafe { *string.add(count).cast::<u8>() }) != stop {
            count += 1;
        }
        count
    }
}

/// The length of the beginning of `string` that consists of bytes of `set`.
///
/// # Safety
/// Both are C strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strspn(string: *const c_char, set: *const c_char) -> usize {
    // SAFETY: the string's end is not in the set.
    unsafe { ByteSet::of(set).span(string, false) }
}

/// The length of the beginning of `string` without bytes of `set`.
///
/// # Safety
/// Both are C strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strcspn(string: *const c_char, set: *const c_char) -> usize {
    // SAFETY: with its end in the set, the string has a byte to stop at.
    unsafe {
        let mut stops = ByteSet::of(set);
        stops.insert(0);
        stops.span(string, true)
    }
}

/// The first byte in `string` that is in `set`.
///
/// # Safety
/// Both are C strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strpbrk(string: *const c_char, set: *const c_char) -> *mut c_char {
    // SAFETY: strcspn counts bytes of the string, at most up to its end.
    unsafe {
        let at = string.add(strcspn(string, set));
        if *at == 0 { core::ptr::null_mut() } else { at.cast_mut() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::string::testing::{AtPageEnd, Random};

    #[test]
    fn scanning_stays_within_the_page_and_finds_the_same_as_slices() {
        let mut random = Random::new(1);
        let mut page = AtPageEnd::new();
        for length in 0..200_usize {
            let mut bytes: Vec<u8> = (0..length).map(|_| b'a' + (random.next() % 5) as u8).collect();
            bytes.push(0);
            // Whatever comes behind the end does not count.
            let mut page_end = bytes.clone();
            page_end.extend((0..length % 3 * 23).map(|at| [b'a', 0, b'z'][at % 3]));
            let string = page.put(&page_end).cast::<c_char>();
            // SAFETY: a C string of that length, near the end of a page.
            unsafe {
                assert_eq!(strlen(string), length);
                assert_eq!(strnlen(string, 50), length.min(50));
                assert_eq!(strnlen(string, usize::MAX), length);
                for value in [b'a', b'c', b'z', 0] {
                    let first = bytes.iter().position(|&byte| byte == value);
                    let last = bytes.iter().rposition(|&byte| byte == value);
                    let offset = |at: *mut c_void| (!at.is_null()).then(|| at.addr() - string.addr());
                    assert_eq!(offset(strchr(string, value.into()).cast()), first);
                    assert_eq!(offset(strrchr(string, value.into()).cast()), last);
                    assert_eq!(offset(memchr(string.cast(), value.into(), length + 1)), first);
                    assert_eq!(offset(memrchr(string.cast(), value.into(), length + 1)), last);
                    assert_eq!(
                        offset(memchr(string.cast(), value.into(), length)),
                        first.filter(|&at| at < length)
                    );
                    assert_eq!(offset(strchrnul(string, value.into()).cast()), first.or(Some(length)));
                }
                let span = bytes.iter().position(|byte| !b"ab".contains(byte)).unwrap_or(length);
                assert_eq!(strspn(string, c"ab".as_ptr()), span);
                let stop = bytes.iter().position(|byte| b"de\0".contains(byte)).unwrap_or(length);
                assert_eq!(strcspn(string, c"de".as_ptr()), stop);
                assert_eq!(strpbrk(string, c"de".as_ptr()).is_null(), stop == length);
            }
        }
    }
}
