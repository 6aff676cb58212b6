//! Functions that make strings: strcpy(3), strcat(3), strlcpy(3), strdup(3), memccpy(3), swab(3), strmode(3).

use super::copy::{memcpy, memmove, memset};
use super::scan::{memchr, strlen, strnlen};
use crate::stdlib::heap::malloc;
use core::ffi::{c_char, c_int, c_void};

/// Copies `source` with its end; returns the end of the copy.
///
/// # Safety
/// `source` is a C string; `target` has room for it.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn stpcpy(target: *mut c_char, source: *const c_char) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe {
        let length = strlen(source);
        memcpy(target.cast(), source.cast(), length + 1);
        target.add(length)
    }
}

/// Copies `source` with its end.
///
/// # Safety
/// `source` is a C string; `target` has room for it.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strcpy(target: *mut c_char, source: *const c_char) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe { memcpy(target.cast(), source.cast(), strlen(source) + 1).cast() }
}

/// Copies at most `size` bytes of `source` and fills up with zeros; returns the first of them, or the end.
///
/// # Safety
/// `source` is a C string or has `size` bytes; `target` has `size`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn stpncpy(target: *mut c_char, source: *const c_char, size: usize) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe {
        let length = strnlen(source, size);
        memcpy(target.cast(), source.cast(), length);
        memset(target.add(length).cast(), 0, size - length).cast()
    }
}

/// Copies at most `size` bytes of `source` and fills up with zeros.
///
/// # Safety
/// As stpncpy(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strncpy(target: *mut c_char, source: *const c_char, size: usize) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe { stpncpy(target, source, size) };
    target
}

/// Appends `source` to `target`.
///
/// # Safety
/// Both are C strings; `target` has room for both.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strcat(target: *mut c_char, source: *const c_char) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe { strcpy(target.add(strlen(target)), source) };
    target
}

/// Appends at most `limit` bytes of `source`, and an end.
///
/// # Safety
/// `target` is a C string with room; `source` is a C string or has `limit` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strncat(target: *mut c_char, source: *const c_char, limit: usize) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe {
        let length = strnlen(source, limit);
        let end = target.add(strlen(target));
        memcpy(end.cast(), source.cast(), length);
        *end.add(length) = 0;
    }
    target
}

/// Copies as much of `source` as fits into `size` bytes with its end; returns the length of `source`.
///
/// # Safety
/// `source` is a C string; `target` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strlcpy(target: *mut c_char, source: *const c_char, size: usize) -> usize {
    // SAFETY: as this function's own.
    unsafe {
        let length = strlen(source);
        if size > 0 {
            let fitting = length.min(size - 1);
            memcpy(target.cast(), source.cast(), fitting);
            *target.add(fitting) = 0;
        }
        length
    }
}

/// Appends as much of `source` as fits into `size` bytes in all; returns the length that was tried.
///
/// # Safety
/// `source` is a C string; `target` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strlcat(target: *mut c_char, source: *const c_char, size: usize) -> usize {
    // SAFETY: as this function's own.
    unsafe {
        let length = strnlen(target, size);
        length + strlcpy(target.add(length), source, size - length)
    }
}

/// Copies up to and with the first byte `value`, at most `count`; returns the byte after it in the copy, or null.
///
/// # Safety
/// As memchr(3); `target` has room.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memccpy(
    target: *mut c_void,
    source: *const c_void,
    value: c_int,
    count: usize,
) -> *mut c_void {
    // SAFETY: as this function's own.
    unsafe {
        let found = memchr(source, value, count);
        let length = if found.is_null() { count } else { found.addr() - source.addr() + 1 };
        memmove(target, source, length);
        if found.is_null() { core::ptr::null_mut() } else { target.byte_add(length) }
    }
}

/// Copies `string` into new memory.
///
/// # Safety
/// It is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strdup(string: *const c_char) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe { strndup(string, usize::MAX) }
}

/// Copies at most `limit` bytes of `string` into new memory, with an end.
///
/// # Safety
/// It is a C string or has `limit` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strndup(string: *const c_char, limit: usize) -> *mut c_char {
    // SAFETY: the copy has one byte more than is copied.
    unsafe {
        let length = strnlen(string, limit);
        let copy = malloc(length + 1).cast::<c_char>();
        if !copy.is_null() {
            memcpy(copy.cast(), string.cast(), length);
            *copy.add(length) = 0;
        }
        copy
    }
}

/// Copies `count` bytes with those of each pair swapped; an odd last byte is left.
///
/// # Safety
/// The blocks are valid for `count` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn swab(source: *const c_void, target: *mut c_void, count: isize) {
    let (source, target) = (source.cast::<u16>(), target.cast::<u16>());
    for pair in 0..usize::try_from(count).unwrap_or(0) / 2 {
        // SAFETY: as this function's own.
        unsafe { target.add(pair).write_unaligned(source.add(pair).read_unaligned().swap_bytes()) };
    }
}

/// Writes what ls(1) shows for a file's mode: 11 letters and an end.
///
/// # Safety
/// `target` has 12 bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strmode(mode: u32, target: *mut c_char) {
    let mut text = *b"?rwxrwxrwx \0";
    text[0] = match mode & 0o170_000 {
        0o040_000 => b'd',
        0o020_000 => b'c',
        0o060_000 => b'b',
        0o100_000 => b'-',
        0o120_000 => b'l',
        0o140_000 => b's',
        0o010_000 => b'p',
        0o160_000 => b'w',
        0o200_000 => b'A',
        0o110_000 => b'a',
        _ => b'?',
    };
    for (index, letter) in text[1..10].iter_mut().enumerate() {
        if mode & 0o400 >> index == 0 {
            *letter = b'-';
        }
    }
    for (bit, at, with, without) in
        [(0o4000, 3, b's', b'S'), (0o2000, 6, b's', b'S'), (0o1000, 9, b't', b'T')]
    {
        if mode & bit != 0 {
            text[at] = if text[at] == b'x' { with } else { without };
        }
    }
    // SAFETY: 12 bytes (contract).
    unsafe { target.cast::<[u8; 12]>().write(text) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::CStr;

    fn text(buffer: &[c_char]) -> &str {
        // SAFETY: the functions end their results.
        unsafe { CStr::from_ptr(buffer.as_ptr()) }.to_str().expect("ASCII")
    }

    #[test]
    fn copying_keeps_to_the_size() {
        let mut buffer = [b'#' as c_char; 16];
        // SAFETY: sizes fit the buffer.
        unsafe {
            assert_eq!(strlcpy(buffer.as_mut_ptr(), c"abcdefgh".as_ptr(), 5), 8);
            assert_eq!(text(&buffer), "abcd");
            assert_eq!(strlcat(buffer.as_mut_ptr(), c"xyz".as_ptr(), 7), 7);
            assert_eq!(text(&buffer), "abcdxy");
            assert_eq!(strlcat(buffer.as_mut_ptr(), c"xyz".as_ptr(), 3), 6);
            strncat(buffer.as_mut_ptr(), c"123456".as_ptr(), 3);
            assert_eq!(text(&buffer), "abcdxy123");
            let end = stpncpy(buffer.as_mut_ptr(), c"abc".as_ptr(), 6);
            assert_eq!(end, buffer.as_mut_ptr().add(3));
            assert_eq!(buffer[3..9], [0, 0, 0, b'1' as c_char, b'2' as c_char, b'3' as c_char]);
            assert_eq!(stpcpy(buffer.as_mut_ptr(), c"hello".as_ptr()), buffer.as_mut_ptr().add(5));
            assert_eq!(
                memccpy(buffer.as_mut_ptr().cast(), c"a:b".as_ptr().cast(), b':'.into(), 3),
                buffer.as_mut_ptr().add(2).cast()
            );
            assert!(memccpy(buffer.as_mut_ptr().cast(), c"a:b".as_ptr().cast(), b'x'.into(), 3).is_null());
        }
    }

    #[test]
    fn strmode_shows_types_and_special_bits() {
        for (mode, shown) in [
            (0o104_755, "-rwsr-xr-x "),
            (0o041_777, "drwxrwxrwt "),
            (0o102_640, "-rw-r-S--- "),
            (0o020_600, "crw------- "),
        ] {
            let mut buffer = [0; 12];
            // SAFETY: 12 bytes.
            unsafe { strmode(mode, buffer.as_mut_ptr()) };
            assert_eq!(text(&buffer), shown);
        }
    }
}
