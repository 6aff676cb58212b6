//! Looking for a string in another: strstr(3), memmem(3), strcasestr(3), strnstr(3).
//!
//! Two-Way of Crochemore and Perrin ("Two-way string-matching", JACM 38, 1991): linear time, constant memory. The needle is cut at a
//! critical position; its right part is compared forwards, its left part afterwards. Candidates are found by their first byte
//! with memchr(3) as long as that skips much. A needle that fits a word needs no cut.

use super::compare::strncasecmp;
use super::scan::{memchr, strchr, strlen, strnlen};
use core::ffi::{c_char, c_void};

/// The start of the greatest suffix of `needle` and its period; `reverse` turns the alphabet's order round.
fn greatest_suffix(needle: &[u8], reverse: bool) -> (usize, usize) {
    let (mut start, mut candidate, mut matched, mut period) = (0, 1, 0, 1);
    while let (Some(&ours), Some(&theirs)) = (needle.get(start + matched), needle.get(candidate + matched)) {
        let smaller = if reverse { theirs > ours } else { theirs < ours };
        if smaller {
            candidate += matched + 1;
            matched = 0;
            period = candidate - start;
        } else if ours == theirs {
            if matched + 1 == period {
                candidate += period;
                matched = 0;
            } else {
                matched += 1;
            }
        } else {
            start = candidate;
            candidate += 1;
            matched = 0;
            period = 1;
        }
    }
    (start, period)
}

/// Where `needle` first lies in `haystack`.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let (&first, rest) = needle.split_first()?;
    let last_start = haystack.len().checked_sub(needle.len())?;
    let position_of_first = |from: usize| {
        let part = haystack.get(from..=last_start)?;
        // SAFETY: a slice is readable for its length.
        let hit = unsafe { memchr(part.as_ptr().cast(), first.into(), part.len()) };
        (!hit.is_null()).then(|| hit.addr() - haystack.as_ptr().addr())
    };
    let mut at = position_of_first(0)?;
    if rest.is_empty() {
        return Some(at);
    }
    // Few candidates, little compared: the simple way, as long as its work stays in proportion.
    let mut budget = 24 + haystack.len() / 8;
    while budget > 0 {
        let same = rest.iter().zip(haystack.get(at + 1..)?).take_while(|(left, right)| left == right).count();
        if same == rest.len() {
            return Some(at);
        }
        budget = budget.saturating_sub(same + 4);
        at = position_of_first(at + 1)?;
    }
    let rest = haystack.get(at..)?;
    let found = if needle.len() <= size_of::<u64>() { by_word(rest, needle) } else { two_way(rest, needle) };
    found.map(|found| found + at)
}

/// [`find`] in linear time for a needle of 1 to 8 bytes: the last bytes that were read, in a word.
fn by_word(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let mask = u64::MAX >> (u64::BITS as usize - 8 * needle.len());
    let join = |word: u64, &byte: &u8| word << 8 | u64::from(byte);
    let wanted = needle.iter().fold(0, join);
    let (begin, rest) = haystack.split_at_checked(needle.len())?;
    let mut window = begin.iter().fold(0, join);
    if window == wanted {
        return Some(0);
    }
    let ends = rest.iter().position(|byte| {
        window = join(window, byte) & mask;
        window == wanted
    });
    ends.map(|index| index + 1)
}

/// [`find`] for any input in linear time.
fn two_way(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let (forward, backward) = (greatest_suffix(needle, false), greatest_suffix(needle, true));
    let (cut, period) = if forward.0 > backward.0 { forward } else { backward };
    let periodic = needle.get(period..period + cut).is_some_and(|part| needle.starts_with(part));
    let shift = if periodic { period } else { cut.max(needle.len() - cut) + 1 };
    let (mut at, mut known) = (0, 0);
    loop {
        let window = haystack.get(at..)?.get(..needle.len())?;
        let from = cut.max(known);
        let differs = |index: &usize| needle.get(*index) != window.get(*index);
        if let Some(index) = (from..needle.len()).find(differs) {
            at += index - cut + 1;
            known = 0;
        } else if (known.min(cut)..cut).rev().any(|index| differs(&index)) {
            at += shift;
            known = if periodic { needle.len() - period } else { 0 };
        } else {
            return Some(at);
        }
    }
}

/// Where the `needle_size` bytes of `needle` first lie in `haystack`.
///
/// # Safety
/// Both are readable for their sizes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memmem(
    haystack: *const c_void,
    size: usize,
    needle: *const c_void,
    needle_size: usize,
) -> *mut c_void {
    if needle_size == 0 {
        return haystack.cast_mut();
    }
    if size < needle_size {
        return core::ptr::null_mut();
    }
    // SAFETY: both are readable and not empty (contract, checks above).
    let (bytes, wanted) = unsafe {
        (
            core::slice::from_raw_parts(haystack.cast::<u8>(), size),
            core::slice::from_raw_parts(needle.cast::<u8>(), needle_size),
        )
    };
    find(bytes, wanted).map_or(core::ptr::null_mut(), |at| haystack.cast_mut().wrapping_byte_add(at))
}

/// Where `needle` first lies in `haystack`.
///
/// # Safety
/// Both are C strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strstr(haystack: *const c_char, needle: *const c_char) -> *mut c_char {
    // SAFETY: strings with their lengths; strchr(3) leads to the first place that comes into question.
    unsafe {
        if *needle == 0 {
            return haystack.cast_mut();
        }
        let start = strchr(haystack, (*needle).into());
        if start.is_null() || *needle.add(1) == 0 {
            return start;
        }
        memmem(start.cast(), strlen(start), needle.cast(), strlen(needle)).cast()
    }
}

/// Where `needle` first lies in the first `limit` bytes of `haystack`.
///
/// # Safety
/// `needle` is a C string; `haystack` is one or has `limit` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strnstr(
    haystack: *const c_char,
    needle: *const c_char,
    limit: usize,
) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe { memmem(haystack.cast(), strnlen(haystack, limit), needle.cast(), strlen(needle)).cast() }
}

/// strstr(3), upper case as lower case.
///
/// # Safety
/// Both are C strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strcasestr(haystack: *const c_char, needle: *const c_char) -> *mut c_char {
    // SAFETY: `at` stays within the haystack with its end.
    unsafe {
        let length = strlen(needle);
        let mut at = haystack;
        loop {
            if strncasecmp(at, needle, length) == 0 {
                return at.cast_mut();
            }
            if *at == 0 {
                return core::ptr::null_mut();
            }
            at = at.add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::string::testing::Random;

    #[test]
    fn all_ways_find_what_the_naive_search_finds() {
        let mut random = Random::new(3);
        for _ in 0..20_000 {
            let letters = 1 + random.next() % 3;
            let haystack: Vec<u8> =
                (0..random.next() % 60).map(|_| b'a' + (random.next() % letters) as u8).collect();
            let needle: Vec<u8> =
                (0..1 + random.next() % 8).map(|_| b'a' + (random.next() % letters) as u8).collect();
            let naive = haystack.windows(needle.len()).position(|window| window == needle);
            assert_eq!(find(&haystack, &needle), naive, "{needle:?} in {haystack:?}");
            assert_eq!(two_way(&haystack, &needle), naive, "{needle:?} in {haystack:?}");
            assert_eq!(by_word(&haystack, &needle), naive, "{needle:?} in {haystack:?}");
        }
    }

    #[test]
    fn a_hostile_needle_takes_linear_time() {
        let haystack = vec![b'a'; 200_000];
        let mut needle = vec![b'a'; 50_000];
        needle[25_000] = b'b';
        assert_eq!(find(&haystack, &needle), None);
    }

    #[test]
    fn string_versions() {
        // SAFETY: C strings.
        unsafe {
            let text = c"Hello, World".as_ptr();
            assert_eq!(strstr(text, c"World".as_ptr()), text.add(7).cast_mut());
            assert_eq!(strstr(text, c"".as_ptr()), text.cast_mut());
            assert!(strstr(text, c"world".as_ptr()).is_null());
            assert_eq!(strcasestr(text, c"wORLD".as_ptr()), text.add(7).cast_mut());
            assert!(strnstr(text, c"World".as_ptr(), 11).is_null());
            assert_eq!(strnstr(text, c"World".as_ptr(), 12), text.add(7).cast_mut());
        }
    }
}
