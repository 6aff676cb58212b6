//! regnsub(3), regasub(3): a text with `&` and `\0` to `\9` replaced by what a match found.

use super::Match;
use crate::stdlib::array::{Array, NoMemory};
use core::ffi::{CStr, c_char};

/// Hands the pieces of the result to `put`.
///
/// # Safety
/// `template` and `text` are C strings, `matches` has ten elements that lie in the text.
unsafe fn pieces(
    template: *const c_char,
    matches: *const Match,
    text: *const c_char,
    mut put: impl FnMut(&[u8]) -> Result<(), NoMemory>,
) -> Result<(), NoMemory> {
    // SAFETY: as this function's own.
    let (template, text) = unsafe { (CStr::from_ptr(template).to_bytes(), CStr::from_ptr(text).to_bytes()) };
    let mut bytes = template.iter().copied();
    while let Some(byte) = bytes.next() {
        let group = match byte {
            b'&' => 0,
            b'\\' => match bytes.next() {
                Some(digit @ b'0'..=b'9') => digit - b'0',
                Some(other) => {
                    put(&[other])?;
                    continue;
                }
                None => b'\\',
            },
            other => {
                put(&[other])?;
                continue;
            }
        };
        // SAFETY: below ten.
        let found = if group < 10 { unsafe { *matches.add(group.into()) } } else { Match::NONE };
        if let (Ok(start), Ok(end)) = (usize::try_from(found.start), usize::try_from(found.end)) {
            put(text.get(start..end).unwrap_or_default())?;
        }
    }
    Ok(())
}

/// Writes at most `size` bytes of the result with its end; returns its length.
///
/// # Safety
/// `target` has `size` bytes; `template` and `text` are C strings, `matches` has ten elements that lie in the text.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn regnsub(
    target: *mut c_char,
    size: usize,
    template: *const c_char,
    matches: *const Match,
    text: *const c_char,
) -> isize {
    let mut length = 0;
    // SAFETY: as this function's own; what lies beyond the size is only counted.
    unsafe {
        let done = pieces(template, matches, text, |piece| {
            for &byte in piece {
                if length + 1 < size {
                    *target.add(length) = byte as c_char;
                }
                length += 1;
            }
            Ok(())
        });
        if size > 0 {
            *target.add(length.min(size - 1)) = 0;
        }
        if done.is_err() { -1 } else { length.cast_signed() }
    }
}

/// Writes the result into new memory; returns its length, or -1.
///
/// # Safety
/// `target` is writable; `template` and `text` are C strings, `matches` has ten elements that lie in the text.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[cfg_attr(test, expect(dead_code, reason = "its memory is the program's, which unit tests do not have"))]
pub unsafe extern "C" fn regasub(
    target: *mut *mut c_char,
    template: *const c_char,
    matches: *const Match,
    text: *const c_char,
) -> isize {
    let mut result: Array<u8> = Array::new();
    // SAFETY: as this function's own.
    unsafe {
        let done =
            pieces(template, matches, text, |piece| result.extend(piece)).and_then(|()| result.push(0));
        if done.is_err() {
            crate::errno::set(crate::errno::ENOMEM);
            return -1;
        }
        let length = result.len() - 1;
        *target = result.into_raw().cast();
        length.cast_signed()
    }
}
