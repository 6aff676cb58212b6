//! Numbers for people: humanize_number(3), dehumanize_number(3), strsuftoll(3), getbsize(3).

use crate::errno;
use crate::net::buffer::{Text, put};
use core::ffi::{CStr, c_char, c_int, c_long, c_longlong};

/// One digit behind the point where there is one before it.
const HN_DECIMAL: c_int = 0x01;
/// No space before the prefix.
const HN_NOSPACE: c_int = 0x02;
/// `B` where there is no other prefix.
const HN_B: c_int = 0x04;
/// Prefixes are powers of 1000.
const HN_DIVISOR_1000: c_int = 0x08;
/// The prefix is returned instead of a text.
const HN_GETSCALE: c_int = 0x10;
/// The prefix is the first that makes the number fit.
const HN_AUTOSCALE: c_int = 0x20;
/// Prefixes from kilo to exa.
const PREFIXES: &[u8; 6] = b"KMGTPE";

/// What humanize_number(3) makes of a number.
enum Humanized {
    Scale(usize),
    Text(Text<64>),
}

/// Formats a number so that it takes less than `size` bytes.
fn humanize(number: i64, size: usize, suffix: &[u8], scale: c_int, flags: c_int) -> Option<Humanized> {
    let divisor = if flags & HN_DIVISOR_1000 != 0 { 1000 } else { 1024 };
    // Hundredths, for rounding.
    let mut hundredths = i128::from(number).abs() * 100;
    // At least a digit, a prefix, a sign and the separator must fit.
    let fixed = 2 + usize::from(number < 0) + usize::from(flags & HN_NOSPACE == 0) + suffix.len();
    let room = size.checked_sub(fixed).filter(|&room| room > 0)?;
    let mut used = 0;
    if scale & (HN_AUTOSCALE | HN_GETSCALE) != 0 {
        let most = 100 * 10_i128.pow(room.min(30) as u32);
        while hundredths >= most - 50 && used < PREFIXES.len() {
            hundredths /= divisor;
            used += 1;
        }
        if scale & HN_GETSCALE != 0 {
            return Some(Humanized::Scale(used));
        }
    } else {
        used = usize::try_from(scale).ok().filter(|&scale| scale <= PREFIXES.len())?;
        for _ in 0..used {
            hundredths /= divisor;
        }
    }
    let mut text = Text::<64>::new();
    if number < 0 {
        text.push(b'-');
    }
    if hundredths < 995 && used > 0 && flags & HN_DECIMAL != 0 {
        let tenths = ((hundredths + 5) / 10) as u8;
        text.extend(&[b'0' + tenths / 10, b'.', b'0' + tenths % 10]);
    } else {
        let mut digits = [0; 64];
        let rounded = u64::try_from((hundredths + 50) / 100).ok()?;
        let start = crate::number::digits::decimal_word(rounded, &mut digits);
        // Zero has no digits of its own.
        text.extend(digits.get(start..).filter(|digits| !digits.is_empty()).unwrap_or(b"0"));
    }
    if flags & HN_NOSPACE == 0 {
        text.push(b' ');
    }
    match used.checked_sub(1).and_then(|index| PREFIXES.get(index)) {
        Some(b'K') if flags & HN_DIVISOR_1000 != 0 => text.push(b'k'),
        Some(&prefix) => text.push(prefix),
        None if flags & HN_B != 0 => text.push(b'B'),
        None => {}
    }
    text.extend(suffix);
    text.is_whole().then_some(Humanized::Text(text))
}

/// Writes a number with a prefix such as `K`; returns the text's length, the prefix's number where that is asked for, or -1.
///
/// # Safety
/// `target` has `size` bytes, `suffix` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn humanize_number(
    target: *mut c_char,
    size: usize,
    number: i64,
    suffix: *const c_char,
    scale: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        if size > 0 && !target.is_null() {
            *target = 0;
        }
        match humanize(number, size, CStr::from_ptr(suffix).to_bytes(), scale, flags) {
            Some(Humanized::Scale(scale)) => scale as c_int,
            Some(Humanized::Text(text)) if put(text.as_bytes(), target, size) => {
                text.as_bytes().len() as c_int
            }
            _ => -1,
        }
    }
}

/// The digits at the start of a text as a number, and what follows them.
fn leading(text: &[u8]) -> Option<(i128, &[u8])> {
    let length = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(length)?;
    if digits.is_empty() || digits.len() > 30 {
        return None;
    }
    Some((digits.iter().fold(0, |value, &digit| value * 10 + i128::from(digit - b'0')), rest))
}

/// The number in a text with a prefix such as `K`.
fn dehumanize(text: &[u8]) -> Result<i64, c_int> {
    let text = text.trim_ascii();
    let (is_negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (value, rest) = leading(digits).ok_or(errno::EINVAL)?;
    let power = match rest.trim_ascii() {
        [] | [b'b' | b'B'] => 0,
        [prefix] | [prefix, b'b' | b'B'] => {
            let prefix = prefix.to_ascii_uppercase();
            PREFIXES.iter().position(|&other| other == prefix).ok_or(errno::EINVAL)? as u32 + 1
        }
        _ => return Err(errno::EINVAL),
    };
    let value = value.checked_mul(1 << (10 * power)).ok_or(errno::ERANGE)?;
    i64::try_from(if is_negative { -value } else { value }).map_err(|_| errno::ERANGE)
}

/// Reads a number with a prefix such as `K`, powers of 1024; -1 with EINVAL or ERANGE where it is none.
///
/// # Safety
/// `text` is a C string, `number` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn dehumanize_number(text: *const c_char, number: *mut i64) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        match dehumanize(CStr::from_ptr(text).to_bytes()) {
            Ok(value) => {
                number.write(value);
                0
            }
            Err(error) => errno::fail(error),
        }
    }
}

/// The product of numbers with suffixes, with `x` or `*` between them.
fn with_suffixes(text: &[u8]) -> Option<i128> {
    let mut product = 1_i128;
    let (is_negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    for part in text.split(|byte| matches!(byte, b'x' | b'*')) {
        let (value, rest) = leading(part)?;
        let unit = match rest {
            [] => 1,
            [b'b'] => 512,
            [b'w'] => 4,
            [suffix] => {
                let suffix = suffix.to_ascii_uppercase();
                1 << (10 * (PREFIXES.iter().position(|&other| other == suffix)? + 1))
            }
            _ => return None,
        };
        product = product.checked_mul(value.checked_mul(unit)?)?;
    }
    Some(if is_negative { -product } else { product })
}

/// Reads a number with a suffix, between `low` and `high`; 0 with a sentence in `problem` where it is none.
///
/// # Safety
/// `what` and `text` are C strings, `problem` has `problem_size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strsuftollx(
    what: *const c_char,
    text: *const c_char,
    low: c_longlong,
    high: c_longlong,
    problem: *mut c_char,
    problem_size: usize,
) -> c_longlong {
    let mut sentence = Text::<256>::new();
    // SAFETY: as this function's own.
    unsafe {
        let text = CStr::from_ptr(text).to_bytes();
        sentence.extend(CStr::from_ptr(what).to_bytes());
        match with_suffixes(text.trim_ascii_start()) {
            None => sentence.extend(b": illegal number: "),
            Some(value) if value < low.into() => sentence.extend(b": too small: "),
            Some(value) if value > high.into() => sentence.extend(b": too large: "),
            Some(value) => {
                if problem_size > 0 {
                    *problem = 0;
                }
                // It lies between two of that type.
                return value as c_longlong;
            }
        }
        sentence.extend(text);
        let most = problem_size.saturating_sub(1);
        let bytes = sentence.as_bytes();
        put(bytes.get(..most).unwrap_or(bytes), problem, problem_size);
    }
    0
}

/// As strsuftollx(3); what is wrong ends the program.
///
/// # Safety
/// `what` and `text` are C strings.
#[cfg(not(test))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strsuftoll(
    what: *const c_char,
    text: *const c_char,
    low: c_longlong,
    high: c_longlong,
) -> c_longlong {
    let mut problem = [0; 256];
    // SAFETY: as this function's own; the sentence has its end.
    unsafe {
        let value = strsuftollx(what, text, low, high, problem.as_mut_ptr(), problem.len());
        if problem[0] == 0 {
            return value;
        }
        for part in [crate::program::name::getprogname(), c": ".as_ptr(), problem.as_ptr(), c"\n".as_ptr()] {
            let part = CStr::from_ptr(part);
            // There is nobody to tell that it failed.
            let _ = crate::sys::write(2, part.as_ptr().cast(), part.count_bytes());
        }
        crate::process::exit(1)
    }
}

/// The block size that the user wants, from the value of BLOCKSIZE; and its name.
fn block_size(wanted: Option<&[u8]>) -> (c_long, Text<32>) {
    const LIMIT: c_long = 1 << 30;
    let size = wanted.and_then(|text| dehumanize(text).ok()).filter(|size| (512..=LIMIT).contains(size));
    let size = size.unwrap_or(512) / 512 * 512;
    let mut name = Text::new();
    let (count, unit): (c_long, &[u8]) = match size {
        size if size % (1 << 30) == 0 => (size >> 30, b"G"),
        size if size % (1 << 20) == 0 => (size >> 20, b"M"),
        size if size % 1024 == 0 => (size >> 10, b"K"),
        size => (size, b""),
    };
    name.decimal(count as u32);
    name.extend(unit);
    name.extend(b"-blocks");
    (size, name)
}

/// The block size that the user wants to see sizes in, and a heading for it.
///
/// # Safety
/// `length` and `size` are writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getbsize(length: *mut c_int, size: *mut c_long) -> *mut c_char {
    static mut NAME: [c_char; 32] = [0; 32];
    let wanted = crate::env::get(c"BLOCKSIZE").map(CStr::to_bytes);
    let (blocks, name) = block_size(wanted);
    let place = (&raw mut NAME).cast::<c_char>();
    // SAFETY: as this function's own; getbsize(3) lets nobody call it from two threads at once.
    unsafe {
        put(name.as_bytes(), place, 32);
        length.write(name.as_bytes().len() as c_int);
        size.write(blocks);
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn human(number: i64, size: usize, suffix: &CStr, scale: c_int, flags: c_int) -> Option<String> {
        let mut text = [0; 64];
        // SAFETY: a buffer of at least that size, and a C string.
        unsafe {
            let length = humanize_number(text.as_mut_ptr(), size, number, suffix.as_ptr(), scale, flags);
            (length >= 0).then(|| CStr::from_ptr(text.as_ptr()).to_str().expect("ASCII").to_owned())
        }
    }

    #[test]
    fn for_people() {
        for (number, size, flags, text) in [
            (0, 6, HN_B | HN_NOSPACE, "0B"),
            (1023, 6, HN_B | HN_NOSPACE, "1023B"),
            (1_048_576, 6, HN_NOSPACE, "1024K"),
            (1_048_576, 5, HN_NOSPACE, "1.0M"),
            (10_240_000, 5, HN_NOSPACE, "9.8M"),
            (123_456_789, 6, HN_DIVISOR_1000, "123 M"),
            (-1_500_000, 6, HN_NOSPACE | HN_DIVISOR_1000, "-1.5M"),
            (i64::MAX, 6, HN_NOSPACE, "8192P"),
            (i64::MAX, 5, HN_NOSPACE, "8.0E"),
        ] {
            assert_eq!(
                human(number, size, c"", HN_AUTOSCALE, flags | HN_DECIMAL).as_deref(),
                Some(text),
                "{number}"
            );
        }
        assert_eq!(human(4096, 10, c"B", 1, 0).as_deref(), Some("4 KB"));
        assert_eq!(human(4096, 2, c"B", HN_AUTOSCALE, 0), None);
        assert_eq!(human(1, 10, c"", 7, 0), None);
        // SAFETY: a C string; nothing is written.
        let scale =
            unsafe { humanize_number(core::ptr::null_mut(), 5, 1 << 30, c"".as_ptr(), HN_GETSCALE, 0) };
        assert_eq!(scale, 3);
    }

    #[test]
    fn from_people() {
        assert_eq!(
            (dehumanize(b"4k"), dehumanize(b" 12 "), dehumanize(b"-1G")),
            (Ok(4096), Ok(12), Ok(-1 << 30))
        );
        assert_eq!(
            (dehumanize(b"9E"), dehumanize(b"4q"), dehumanize(b"")),
            (Err(errno::ERANGE), Err(errno::EINVAL), Err(errno::EINVAL))
        );
        assert_eq!(
            (with_suffixes(b"2x3k*2"), with_suffixes(b"1b"), with_suffixes(b"k"), with_suffixes(b"2x")),
            (Some(12288), Some(512), None, None)
        );
        let mut problem = [0; 32];
        // SAFETY: C strings, and a buffer with its size.
        unsafe {
            assert_eq!(
                strsuftollx(c"size".as_ptr(), c"2k".as_ptr(), 0, 4096, problem.as_mut_ptr(), 32),
                2048
            );
            assert_eq!(strsuftollx(c"size".as_ptr(), c"9k".as_ptr(), 0, 4096, problem.as_mut_ptr(), 32), 0);
            assert_eq!(CStr::from_ptr(problem.as_ptr()), c"size: too large: 9k");
        }
    }

    #[test]
    fn blocks() {
        let named = |wanted: Option<&[u8]>| {
            let (size, name) = block_size(wanted);
            (size, String::from_utf8(name.as_bytes().to_vec()).expect("ASCII"))
        };
        assert_eq!(named(None), (512, "512-blocks".to_owned()));
        assert_eq!(named(Some(b"1k")), (1024, "1K-blocks".to_owned()));
        assert_eq!(named(Some(b"2m")), (2 << 20, "2M-blocks".to_owned()));
        assert_eq!(named(Some(b"nonsense")), (512, "512-blocks".to_owned()));
    }
}
