//! The character conversions: c and s, narrow and wide.

use super::engine::Mode;
use super::field::Style;
use super::out::Out;
use crate::errno::EILSEQ;
use crate::wchar::encoding::{Encoding, MbState, Step};

/// The encoding that the output has: wide output is UTF-8 inside, whatever the locale.
fn output_encoding(mode: Mode) -> Encoding {
    if mode.wide { Encoding::Utf8 } else { mode.encoding }
}

/// The length of a string that is read up to `most` bytes.
///
/// # Safety
/// `text` is a string, or has `most` bytes.
unsafe fn bounded_length(text: *const u8, most: usize) -> usize {
    let mut len = 0;
    // SAFETY: the string has not ended, and no more than `most` bytes are read.
    while len < most && unsafe { *text.wrapping_add(len) } != 0 {
        len += 1;
    }
    len
}

/// Writes a byte string.
///
/// # Safety
/// `text` is null or a string, which need not end if a precision says how much of it is read.
pub(crate) unsafe fn string(out: &mut Out, style: Style, mode: Mode, text: *const u8) {
    let text = if text.is_null() { c"(null)".as_ptr().cast() } else { text };
    let most = style.precision.unwrap_or(usize::MAX);
    if mode.wide {
        // SAFETY: as this function's own.
        return unsafe { decoded_string(out, style, mode, text, most) };
    }
    // SAFETY: as this function's own.
    let bytes = unsafe { core::slice::from_raw_parts(text, bounded_length(text, most)) };
    style.before(out, bytes.len());
    out.put(bytes);
    style.behind(out, bytes.len());
}

/// Writes a byte string to wide output: at most `most` characters of it.
///
/// # Safety
/// As for [`string`].
#[cold]
unsafe fn decoded_string(out: &mut Out, style: Style, mode: Mode, text: *const u8, most: usize) {
    // Twice over the text: the first time to count its characters.
    let mut count = 0;
    for write in [false, true] {
        let mut state = MbState::new();
        let mut at = text;
        let mut done = 0;
        if write {
            style.before(out, count);
        }
        while done < most {
            // SAFETY: the string has not ended.
            let byte = unsafe { *at };
            at = at.wrapping_add(1);
            if byte == 0 {
                if !state.is_initial() {
                    out.error = EILSEQ;
                    return;
                }
                break;
            }
            match mode.encoding.step(&mut state, byte) {
                Step::More => {}
                Step::Invalid => {
                    out.error = EILSEQ;
                    return;
                }
                Step::Char(c) => {
                    done += 1;
                    if write {
                        put_character(out, Encoding::Utf8, c);
                    }
                }
            }
        }
        count = done;
    }
    style.behind(out, count);
}

/// Writes a character in an encoding; one that it does not have is an error.
fn put_character(out: &mut Out, encoding: Encoding, c: u32) {
    let mut bytes = [0; 4];
    match encoding.encode(c, &mut bytes) {
        Some(len) => out.put(&bytes[..len]),
        None => out.error = EILSEQ,
    }
}

/// Writes a wide string; the precision counts bytes, in wide output characters.
///
/// # Safety
/// `text` is null or a wide string, which need not end if a precision says how much of it is read.
pub(crate) unsafe fn wide_string(out: &mut Out, style: Style, mode: Mode, text: *const i32) {
    const NULL: [i32; 7] = [0x28, 0x6e, 0x75, 0x6c, 0x6c, 0x29, 0];
    let text = if text.is_null() { NULL.as_ptr() } else { text };
    let most = style.precision.unwrap_or(usize::MAX);
    let encoding = output_encoding(mode);
    let mut bytes = [0; 4];
    let (mut chars, mut units) = (0, 0);
    loop {
        if units >= most {
            break;
        }
        // SAFETY: the string has not ended, and no more is read than a precision allows.
        let c = unsafe { *text.wrapping_add(chars) } as u32;
        if c == 0 {
            break;
        }
        let Some(len) = encoding.encode(c, &mut bytes) else {
            out.error = EILSEQ;
            return;
        };
        let unit = if mode.wide { 1 } else { len };
        if units + unit > most {
            break;
        }
        units += unit;
        chars += 1;
    }
    style.before(out, units);
    for i in 0..chars {
        // SAFETY: these characters were read above.
        put_character(out, encoding, unsafe { *text.wrapping_add(i) } as u32);
    }
    style.behind(out, units);
}

/// Writes the byte `c`.
pub(crate) fn byte(out: &mut Out, style: Style, mode: Mode, c: u8) {
    style.before(out, 1);
    if !mode.wide {
        out.put_byte(c);
    } else if c < 0x80 || mode.encoding == Encoding::Bytes {
        put_character(out, Encoding::Utf8, c.into());
    } else {
        // Alone, such a byte is no character.
        out.error = EILSEQ;
    }
    style.behind(out, 1);
}

/// Writes the wide character `c`.
pub(crate) fn wide_character(out: &mut Out, style: Style, mode: Mode, c: u32) {
    let encoding = output_encoding(mode);
    let mut bytes = [0; 4];
    let Some(len) = encoding.encode(c, &mut bytes) else {
        out.error = EILSEQ;
        return;
    };
    let units = if mode.wide { 1 } else { len };
    style.before(out, units);
    out.put(&bytes[..len]);
    style.behind(out, units);
}
