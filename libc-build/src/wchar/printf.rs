//! Formatted output of wide characters: wprintf(3), fwprintf(3), swprintf(3).
//!
//! The format is turned into UTF-8, the engine of printf(3) writes UTF-8, and what it writes is turned into wide characters again: so there is
//! one engine, and wide output costs the programs nothing that do not use it.

use super::encoding::{Encoding, MbState, Step};
use super::multibyte::WideChar;
use super::strings::characters;
use crate::errno::{self, EILSEQ, EIO, ENOMEM, EOVERFLOW};
use crate::locale::Locale;
use crate::locale::category::global;
use crate::stdio::file::{EOF, File};
use crate::stdio::heap;
use crate::stdio::lock::Locked;
use crate::stdio::printf::{Mode, Out, format};
use crate::stdio::streams::stdout;
use crate::va::VaList;
use core::ffi::{c_int, c_void};

/// Takes a character of the text; returns false, with errno set, if it cannot.
type Put<'a> = &'a mut dyn FnMut(u32) -> bool;

/// Turns text that the engine writes into wide characters.
unsafe fn overflow(out: &mut Out, bytes: &[u8]) {
    // SAFETY: the context was set by `to_wide`, in which it lives.
    let put = unsafe { &mut *out.context.cast::<Put<'_>>() };
    let mut state = MbState::new();
    for &byte in bytes {
        match Encoding::Utf8.step(&mut state, byte) {
            // The engine counted bytes: what is not a character's last is taken off.
            Step::More => out.total -= 1,
            Step::Invalid => out.error = EILSEQ,
            Step::Char(c) => {
                if out.error == 0 && !put(c) {
                    out.error = match errno::get() {
                        0 => EIO,
                        error => error,
                    };
                }
            }
        }
    }
}

/// A wide format in UTF-8, in heap that the caller frees. `None` with errno set if it is no text or memory is lacking.
///
/// # Safety
/// `text` is a wide string.
unsafe fn narrowed(text: *const WideChar) -> Option<*mut u8> {
    // SAFETY: as this function's own; a character has at most four bytes.
    unsafe {
        let text = characters(text);
        let copy = heap::allocate(text.len() * 4 + 1);
        if copy.is_null() {
            errno::set(ENOMEM);
            return None;
        }
        let mut at = copy;
        for &c in text {
            let Some(len) = Encoding::Utf8.encode(c as u32, &mut *at.cast::<[u8; 4]>()) else {
                heap::free(copy);
                errno::set(EILSEQ);
                return None;
            };
            at = at.wrapping_add(len);
        }
        *at = 0;
        Some(copy)
    }
}

/// Formats, and gives each character to `put`.
///
/// # Safety
/// `text` is a wide format, `list` holds its arguments.
unsafe fn to_wide(mut put: Put<'_>, locale: &Locale, text: *const WideChar, list: *mut VaList) -> c_int {
    // SAFETY: as this function's own; `put` outlives the writer that points to it.
    unsafe {
        let Some(copy) = narrowed(text) else { return EOF };
        let mut out = Out {
            at: core::ptr::null_mut(),
            end: core::ptr::null_mut(),
            total: 0,
            error: 0,
            overflow,
            context: (&raw mut put).cast::<c_void>(),
        };
        let mode = Mode { wide: true, ..Mode::narrow(locale) };
        let result = format(&mut out, mode, copy, &mut *list);
        heap::free(copy);
        result
    }
}

/// Formats to a stream.
///
/// # Safety
/// `stream` is an open stream, `text` is a wide format, `list` holds its arguments.
unsafe fn to_stream(stream: *mut File, locale: &Locale, text: *const WideChar, list: *mut VaList) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let mut file = Locked::new(stream);
        to_wide(&mut |c| super::stream::put_wide(&mut file, c), locale, text, list)
    }
}

/// Formats to a buffer of `size` characters.
///
/// # Safety
/// The buffer has this size, `text` is a wide format, `list` holds its arguments.
unsafe fn to_buffer(
    buffer: *mut WideChar,
    size: usize,
    locale: &Locale,
    text: *const WideChar,
    list: *mut VaList,
) -> c_int {
    let mut len = 0;
    // SAFETY: as this function's own; one character of the size is left for the zero.
    unsafe {
        let mut put = |c| {
            if len + 1 < size {
                *buffer.wrapping_add(len) = c as WideChar;
                len += 1;
            }
            true
        };
        let result = to_wide(&mut put, locale, text, list);
        if size != 0 {
            *buffer.wrapping_add(len) = 0;
        }
        // Unlike snprintf(3), a text that does not fit is an error.
        if result >= 0 && result as usize >= size { errno::fail(EOVERFLOW) } else { result }
    }
}

/// vfwprintf(3).
///
/// # Safety
/// `stream` is an open stream, `text` is a wide format, `list` holds its arguments.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vfwprintf(stream: *mut File, text: *const WideChar, list: *mut VaList) -> c_int {
    // SAFETY: as this function's own.
    unsafe { to_stream(stream, global(), text, list) }
}

/// vfwprintf_l(3).
///
/// # Safety
/// As for [`vfwprintf`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vfwprintf_l(
    stream: *mut File,
    locale: *const Locale,
    text: *const WideChar,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { to_stream(stream, Locale::from_ptr(locale), text, list) }
}

/// vwprintf(3).
///
/// # Safety
/// `text` is a wide format, `list` holds its arguments.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vwprintf(text: *const WideChar, list: *mut VaList) -> c_int {
    // SAFETY: as this function's own; the standard streams are always there.
    unsafe { to_stream(stdout(), global(), text, list) }
}

/// vwprintf_l(3).
///
/// # Safety
/// As for [`vwprintf`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vwprintf_l(
    locale: *const Locale,
    text: *const WideChar,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as above.
    unsafe { to_stream(stdout(), Locale::from_ptr(locale), text, list) }
}

/// vswprintf(3).
///
/// # Safety
/// The buffer has room for `size` characters, `text` is a wide format, `list` holds its arguments.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vswprintf(
    buffer: *mut WideChar,
    size: usize,
    text: *const WideChar,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { to_buffer(buffer, size, global(), text, list) }
}

/// vswprintf_l(3).
///
/// # Safety
/// As for [`vswprintf`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vswprintf_l(
    buffer: *mut WideChar,
    size: usize,
    locale: *const Locale,
    text: *const WideChar,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { to_buffer(buffer, size, Locale::from_ptr(locale), text, list) }
}

variadic! {
    /// wprintf(3).
    wprintf(1) => vwprintf;
    /// wprintf_l(3).
    wprintf_l(2) => vwprintf_l;
    /// fwprintf(3).
    fwprintf(2) => vfwprintf;
    /// fwprintf_l(3).
    fwprintf_l(3) => vfwprintf_l;
    /// swprintf(3).
    swprintf(3) => vswprintf;
    /// swprintf_l(3).
    swprintf_l(4) => vswprintf_l;
}

#[cfg(test)]
mod tests {
    use super::*;

    type Swprintf = unsafe extern "C" fn(*mut WideChar, usize, *const WideChar, ...) -> c_int;

    fn wide(text: &str) -> Vec<WideChar> {
        text.chars().map(|c| c as WideChar).chain([0]).collect()
    }

    #[test]
    fn widths_count_characters() {
        // SAFETY: the function is variadic by construction.
        let swprintf: Swprintf = unsafe { core::mem::transmute(swprintf as *const ()) };
        let mut buffer = [7; 32];
        let (format, argument) = (wide("ä%4ls|%-3d|%.1ls|%s"), wide("äö"));
        // SAFETY: the buffer's size, and arguments of the format's types.
        let len = unsafe {
            swprintf(
                buffer.as_mut_ptr(),
                32,
                format.as_ptr(),
                argument.as_ptr(),
                5i32,
                argument.as_ptr(),
                c"nä".as_ptr(),
            )
        };
        // In locale "C" the two bytes of the last letter are two characters.
        assert_eq!(len, 15);
        assert_eq!(buffer[..16], wide("ä  äö|5  |ä|n\u{c3}\u{a4}"));
        // SAFETY: as above.
        unsafe {
            assert_eq!(swprintf(buffer.as_mut_ptr(), 3, wide("%d").as_ptr(), 12345i32), -1);
            assert_eq!(buffer[..3], wide("12"));
            assert_eq!(errno::get(), EOVERFLOW);
        }
    }
}
