//! b64_ntop, b64_pton of resolv.h: base 64 (RFC 4648, 4).

use core::ffi::{CStr, c_char, c_int};

/// The characters by value.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes bytes as text; returns its length, or -1 where there is no room.
///
/// # Safety
/// `source` has `source_size` bytes, `target` has `size`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __b64_ntop(
    source: *const u8,
    source_size: usize,
    target: *mut c_char,
    size: usize,
) -> c_int {
    let length = source_size.div_ceil(3) * 4;
    if length >= size {
        return -1;
    }
    // SAFETY: as this function's own; there is room for the text and its end.
    unsafe {
        let source = crate::hash::block::bytes(source, source_size);
        for (group, bytes) in source.chunks(3).enumerate() {
            let bits = bytes
                .iter()
                .enumerate()
                .fold(0_u32, |bits, (at, &byte)| bits | u32::from(byte) << (16 - 8 * at));
            for at in 0..4 {
                let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
                *target.add(4 * group + at) = if at <= bytes.len() { digit } else { b'=' } as c_char;
            }
        }
        *target.add(length) = 0;
    }
    c_int::try_from(length).unwrap_or(-1)
}

/// Reads text, in which there may be white space; calls `put` with each byte. None where it is no base 64.
fn decode(text: &[u8], mut put: impl FnMut(u8) -> Option<()>) -> Option<()> {
    let mut characters = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace());
    let (mut bits, mut count) = (0_u32, 0);
    let mut padding = 0;
    for character in characters.by_ref() {
        if character == b'=' {
            padding = 1;
            break;
        }
        let value = DIGITS.iter().position(|&digit| digit == character)? as u32;
        (bits, count) = (bits << 6 | value, count + 1);
        if count % 4 != 1 {
            put((bits >> (6 - 2 * ((count - 1) % 4))) as u8)?;
        }
    }
    // What is left fills the last group of four, and bits that mean nothing are zero.
    let is_padded = characters.by_ref().all(|character| {
        padding += 1;
        character == b'='
    });
    let unused = match (count % 4, padding) {
        (0, 0) => 0,
        (2, 2) => 15,
        (3, 1) => 3,
        _ => return None,
    };
    (is_padded && bits & unused == 0).then_some(())
}

/// Reads text; returns how many bytes it stands for, or -1 where it is none or there is no room. A null target is not written.
///
/// # Safety
/// `text` is a C string, `target` is null or has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __b64_pton(text: *const c_char, target: *mut u8, size: usize) -> c_int {
    let mut length = 0;
    // SAFETY: as this function's own.
    let text = unsafe { CStr::from_ptr(text) }.to_bytes();
    let done = decode(text, |byte| {
        if !target.is_null() {
            if length >= size {
                return None;
            }
            // SAFETY: there is room.
            unsafe { *target.add(length) = byte };
        }
        length += 1;
        Some(())
    });
    if done.is_some() { c_int::try_from(length).unwrap_or(-1) } else { -1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::ffi::CString;

    fn read(text: &str) -> Option<Vec<u8>> {
        let text = CString::new(text).expect("no NUL");
        let mut bytes = [0; 128];
        // SAFETY: a C string, and a buffer with its size.
        let length = unsafe { __b64_pton(text.as_ptr(), bytes.as_mut_ptr(), 128) };
        usize::try_from(length).ok().map(|length| bytes[..length].to_vec())
    }

    fn written(bytes: &[u8]) -> String {
        let mut text = [0; 256];
        // SAFETY: bytes and a buffer with their sizes.
        unsafe {
            assert!(__b64_ntop(bytes.as_ptr(), bytes.len(), text.as_mut_ptr(), 256) >= 0);
            CStr::from_ptr(text.as_ptr()).to_str().expect("ASCII").to_owned()
        }
    }

    #[test]
    fn rfc_4648() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(written(bytes.as_bytes()), text);
            assert_eq!(read(text).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(read(" Z g\n= =").as_deref(), Some(b"f".as_slice()));
        for bad in ["Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm8=x", "Zg=a", "Z!==", "===="] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(read(&written(&bytes)), Some(bytes));
        }

        #[test]
        fn no_text_hurts(text in "[A-D=+/ !]{0,20}") {
            read(&text);
        }
    }
}
