//! Small functions of stdlib.h on text: a64l(3), l64a(3), getsubopt(3).

use crate::errno;
use crate::string::compare::strcmp;
use crate::string::scan::strcspn;
use core::cell::UnsafeCell;
use core::ffi::{c_char, c_int, c_long};
use core::ptr;

/// The digits of radix 64: `./0-9A-Za-z`.
fn digit(value: u32) -> u8 {
    match value {
        0 => b'.',
        1 => b'/',
        2..=11 => b'0' + (value - 2) as u8,
        12..=37 => b'A' + (value - 12) as u8,
        _ => b'a' + (value - 38) as u8,
    }
}

/// The number that at most six digits of radix 64 stand for, the lowest first.
///
/// # Safety
/// `text` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn a64l(text: *const c_char) -> c_long {
    let mut value = 0_u64;
    for index in 0..6 {
        // SAFETY: no byte before was the end.
        let byte = unsafe { *text.add(index) } as u8;
        let Some(digit) = (0..64).find(|&value| digit(value) == byte) else { break };
        value |= u64::from(digit) << (6 * index);
    }
    c_long::from(value as i32)
}

/// Writes 32 bits of `value` in radix 64; 0, or -1 where it does not fit.
///
/// # Safety
/// `text` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn l64a_r(value: c_long, text: *mut c_char, size: c_int) -> c_int {
    let mut rest = value as u32;
    let mut at = 0;
    while rest != 0 && at + 1 < size {
        // SAFETY: below `size`.
        unsafe { *text.add(at.unsigned_abs() as usize) = digit(rest & 63) as c_char };
        rest >>= 6;
        at += 1;
    }
    if at < size {
        // SAFETY: below `size`.
        unsafe { *text.add(at.unsigned_abs() as usize) = 0 };
    }
    if rest != 0 || at >= size { errno::fail(errno::ERANGE) } else { 0 }
}

/// Where l64a(3) writes.
struct Text(UnsafeCell<[c_char; 8]>);
// SAFETY: l64a(3) is not promised to be safe against another thread's call (POSIX).
unsafe impl Sync for Text {}
static TEXT: Text = Text(UnsafeCell::new([0; 8]));

/// 32 bits of `value` in radix 64, in memory of its own.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn l64a(value: c_long) -> *mut c_char {
    let text = TEXT.0.get().cast();
    // SAFETY: eight bytes.
    unsafe { l64a_r(value, text, 8) };
    text
}

/// The name that getsubopt(3) read last.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "C's name")]
pub static mut suboptarg: *mut c_char = ptr::null_mut();

/// Takes the first `name[=value]` off `*option` and returns the name's place in `tokens`, or -1.
///
/// # Safety
/// `*option` is a C string, `tokens` ends with a null, `value` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getsubopt(
    option: *mut *mut c_char,
    tokens: *const *mut c_char,
    value: *mut *mut c_char,
) -> c_int {
    // SAFETY: all positions lie in the string; the tokens are read up to their end.
    unsafe {
        let start = *option;
        *value = ptr::null_mut();
        if start.is_null() || *start == 0 {
            return -1;
        }
        suboptarg = start;
        let length = strcspn(start, c",".as_ptr());
        let end = start.add(length);
        if *end == 0 {
            *option = end;
        } else {
            *end = 0;
            *option = end.add(1);
        }
        let name = strcspn(start, c"=".as_ptr());
        if name < length {
            *start.add(name) = 0;
            *value = start.add(name + 1);
        }
        let mut index = 0;
        loop {
            let token = *tokens.add(index);
            if token.is_null() {
                return -1;
            }
            if strcmp(start, token) == 0 {
                return index as c_int;
            }
            index += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn radix_64_goes_both_ways() {
        for value in [0, 1, 63, 64, 0x1234_5678, i64::from(i32::MAX)] {
            // SAFETY: a C string.
            assert_eq!(unsafe { a64l(l64a(value)) }, value);
        }
        // SAFETY: a C string.
        assert_eq!(unsafe { a64l(c"/.".as_ptr()) }, 1);
    }

    #[test]
    fn suboptions() {
        let mut text: Vec<c_char> = b"ro,size=10,odd\0".iter().map(|&byte| byte as c_char).collect();
        let mut at = text.as_mut_ptr();
        let tokens = [c"size".as_ptr().cast_mut(), c"ro".as_ptr().cast_mut(), ptr::null_mut()];
        let mut value = ptr::null_mut();
        // SAFETY: as getsubopt wants it.
        unsafe {
            assert_eq!(getsubopt(&raw mut at, tokens.as_ptr(), &raw mut value), 1);
            assert!(value.is_null());
            assert_eq!(getsubopt(&raw mut at, tokens.as_ptr(), &raw mut value), 0);
            assert_eq!(core::ffi::CStr::from_ptr(value), c"10");
            assert_eq!(getsubopt(&raw mut at, tokens.as_ptr(), &raw mut value), -1);
            assert_eq!(getsubopt(&raw mut at, tokens.as_ptr(), &raw mut value), -1);
        }
    }
}
