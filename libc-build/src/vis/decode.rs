//! unvis(3): a machine that is fed byte by byte, and whose state the caller keeps in an int.
//!
//! `&…;` (VIS_HTTP1866) is not read.

use super::{UNVIS_END, VIS_HTTPSTYLE, VIS_MIMESTYLE, VIS_NOESCAPE};
use crate::errno;
use core::ffi::{CStr, c_char, c_int};

/// A byte is there.
const VALID: c_int = 1;
/// A byte is there, and the one that was given is to be given again.
const VALID_AGAIN: c_int = 2;
/// No byte is there, and none is missing.
const NOTHING: c_int = 3;
/// No byte yet.
const MORE: c_int = 0;
/// It is no encoding.
const BAD: c_int = -1;

// States, in the low byte of the caller's int.
const GROUND: c_int = 0;
const ESCAPE: c_int = 1;
const META: c_int = 2;
const META_GRAPHIC: c_int = 3;
const CONTROL: c_int = 4;
const OCTAL_2: c_int = 5;
const OCTAL_3: c_int = 6;
const HEX_1: c_int = 7;
const HEX_2: c_int = 8;
const MIME_1: c_int = 9;
const MIME_2: c_int = 10;
const CONTROL_META: c_int = 11;

fn octal(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(8).map(|digit| digit as u8)
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// A step: the new state and what to tell. `held` is the byte as far as it is known.
fn step(state: c_int, held: &mut u8, byte: u8, flags: c_int) -> (c_int, c_int) {
    let before = *held;
    let mut give = |value: u8, state, result| {
        *held = value;
        (state, result)
    };
    match state {
        GROUND => match byte {
            b'\\' if flags & VIS_NOESCAPE == 0 && flags & (VIS_HTTPSTYLE | VIS_MIMESTYLE) == 0 => {
                (ESCAPE, MORE)
            }
            b'%' if flags & VIS_HTTPSTYLE != 0 => (HEX_1, MORE),
            b'=' if flags & VIS_MIMESTYLE != 0 => (MIME_1, MORE),
            _ => give(byte, GROUND, VALID),
        },
        ESCAPE => match byte {
            b'\\' => give(b'\\', GROUND, VALID),
            b'0'..=b'7' => give(byte - b'0', OCTAL_2, MORE),
            b'M' => give(0x80, META, MORE),
            b'^' => give(0, CONTROL, MORE),
            b'n' => give(b'\n', GROUND, VALID),
            b'r' => give(b'\r', GROUND, VALID),
            b'b' => give(0x08, GROUND, VALID),
            b'a' => give(0x07, GROUND, VALID),
            b'v' => give(0x0b, GROUND, VALID),
            b't' => give(b'\t', GROUND, VALID),
            b'f' => give(0x0c, GROUND, VALID),
            b's' => give(b' ', GROUND, VALID),
            b'E' => give(0x1b, GROUND, VALID),
            // An end of line that is hidden, and a mark that is none.
            b'\n' | b'$' => (GROUND, NOTHING),
            _ if byte.is_ascii_graphic() => give(byte, GROUND, VALID),
            _ => (GROUND, BAD),
        },
        META => match byte {
            b'-' => (META_GRAPHIC, MORE),
            b'^' => (CONTROL_META, MORE),
            _ => (GROUND, BAD),
        },
        META_GRAPHIC => give(byte | 0x80, GROUND, VALID),
        CONTROL | CONTROL_META => {
            let meta = if state == CONTROL_META { 0x80 } else { 0 };
            give(meta | if byte == b'?' { 0x7f } else { byte & 0x1f }, GROUND, VALID)
        }
        OCTAL_2 | OCTAL_3 => match octal(byte) {
            Some(digit) => {
                let value = before.wrapping_shl(3) | digit;
                if state == OCTAL_2 { give(value, OCTAL_3, MORE) } else { give(value, GROUND, VALID) }
            }
            // Fewer digits than three are a byte, too.
            None => (GROUND, VALID_AGAIN),
        },
        HEX_1 | HEX_2 | MIME_1 | MIME_2 => match hex(byte) {
            Some(digit) if matches!(state, HEX_1 | MIME_1) => give(digit << 4, state + 1, MORE),
            Some(digit) => {
                let value = before | digit;
                give(value, GROUND, VALID)
            }
            // The end of a line is hidden.
            None if state == MIME_1 && byte == b'\n' => (GROUND, NOTHING),
            None => (GROUND, BAD),
        },
        // The caller's int was never zero.
        _ => (GROUND, -2),
    }
}

/// Feeds the machine a byte, or tells it that there is no more (`UNVIS_END`).
///
/// # Safety
/// `target` and `state` are valid; the state is zero before the first byte.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __unvis50(
    target: *mut c_char,
    byte: c_int,
    state: *mut c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        if flags & UNVIS_END != 0 {
            let last = core::mem::replace(&mut *state, GROUND);
            return match last {
                GROUND => NOTHING,
                OCTAL_2 | OCTAL_3 => VALID,
                _ => BAD,
            };
        }
        let mut held = *target as u8;
        let (next, result) = step(*state, &mut held, byte as u8, flags);
        *target = held as c_char;
        *state = next;
        result
    }
}

/// Decodes a text; calls `write` with each byte, which returns false where there is no room.
fn decode(text: &[u8], flags: c_int, mut write: impl FnMut(u8) -> bool) -> Result<(), c_int> {
    let (mut state, mut held) = (GROUND, 0);
    for &byte in text {
        loop {
            let result;
            (state, result) = step(state, &mut held, byte, flags);
            if result < 0 {
                return Err(errno::EINVAL);
            }
            if matches!(result, VALID | VALID_AGAIN) && !write(held) {
                return Err(errno::ENOSPC);
            }
            if result != VALID_AGAIN {
                break;
            }
        }
    }
    match state {
        GROUND => Ok(()),
        OCTAL_2 | OCTAL_3 if write(held) => Ok(()),
        OCTAL_2 | OCTAL_3 => Err(errno::ENOSPC),
        _ => Err(errno::EINVAL),
    }
}

/// Decodes a string where there is room; returns the length, or -1.
///
/// # Safety
/// `text` is a C string, `target` has `size` bytes. They may be the same.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strnunvisx(
    target: *mut c_char,
    size: usize,
    text: *const c_char,
    flags: c_int,
) -> c_int {
    let mut length = 0;
    // SAFETY: as this function's own. A byte is written after those that it stands for were read.
    unsafe {
        let done = decode(CStr::from_ptr(text).to_bytes(), flags, |byte| {
            let fits = length + 1 < size;
            if fits {
                *target.add(length) = byte as c_char;
                length += 1;
            }
            fits
        });
        if size > 0 {
            *target.add(length) = 0;
        }
        match done {
            Ok(()) if size > 0 => c_int::try_from(length).unwrap_or(-1),
            Ok(()) => errno::fail(errno::ENOSPC),
            Err(error) => errno::fail(error),
        }
    }
}

/// Decodes a string where there is room; returns the length, or -1.
///
/// # Safety
/// As [`strnunvisx`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strnunvis(target: *mut c_char, size: usize, text: *const c_char) -> c_int {
    // SAFETY: as this function's own.
    unsafe { strnunvisx(target, size, text, 0) }
}

/// Decodes a string; returns the length, or -1.
///
/// # Safety
/// `text` is a C string, `target` has as much room as it takes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strunvisx(target: *mut c_char, text: *const c_char, flags: c_int) -> c_int {
    // SAFETY: as this function's own.
    unsafe { strnunvisx(target, isize::MAX as usize, text, flags) }
}

/// Decodes a string; returns the length, or -1.
///
/// # Safety
/// As [`strunvisx`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strunvis(target: *mut c_char, text: *const c_char) -> c_int {
    // SAFETY: as this function's own.
    unsafe { strunvisx(target, text, 0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(text: &[u8], flags: c_int) -> Result<Vec<u8>, c_int> {
        let mut bytes = vec![];
        decode(text, flags, |byte| {
            bytes.push(byte);
            true
        })
        .map(|()| bytes)
    }

    #[test]
    fn escapes() {
        for (text, bytes) in [
            (b"a\\nb\\\\c".as_slice(), b"a\nb\\c".as_slice()),
            (b"\\1x\\12\\123", b"\x01x\x0aS"),
            (b"\\7", b"\x07"),
            (b"\\M-a\\M^A\\^?\\^A", b"\xe1\x81\x7f\x01"),
            (b"a\\\nb\\$c", b"abc"),
        ] {
            assert_eq!(decoded(text, 0).as_deref(), Ok(bytes));
        }
        for bad in [b"\\".as_slice(), b"\\M", b"\\Mx", b"\\\x01", b"\\^"] {
            assert_eq!(decoded(bad, 0), Err(errno::EINVAL));
        }
        assert_eq!(decoded(b"a%2Fb", VIS_HTTPSTYLE).as_deref(), Ok(b"a/b".as_slice()));
        assert_eq!(decoded(b"a=\nb=3d", VIS_MIMESTYLE).as_deref(), Ok(b"ab=".as_slice()));
        assert_eq!(decoded(b"%2", VIS_HTTPSTYLE), Err(errno::EINVAL));
    }

    #[test]
    fn the_machine() {
        let (mut byte, mut state) = (0, 0);
        // SAFETY: valid places.
        unsafe {
            assert_eq!(__unvis50(&raw mut byte, b'\\'.into(), &raw mut state, 0), MORE);
            assert_eq!(__unvis50(&raw mut byte, b'7'.into(), &raw mut state, 0), MORE);
            assert_eq!((__unvis50(&raw mut byte, b'x'.into(), &raw mut state, 0), byte), (VALID_AGAIN, 7));
            assert_eq!(
                (__unvis50(&raw mut byte, b'x'.into(), &raw mut state, 0), byte),
                (VALID, b'x' as c_char)
            );
            assert_eq!(__unvis50(&raw mut byte, 0, &raw mut state, UNVIS_END), NOTHING);
        }
    }

    proptest! {
        #[test]
        fn no_text_hurts(text in proptest::collection::vec(any::<u8>(), 0..40), flags in 0..0x800_i32) {
            let _ = decoded(&text, flags);
        }
    }
}
