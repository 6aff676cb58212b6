//! Multibyte characters to wide ones and back: the functions of wchar.h and stdlib.h.
//!
//! Each exists for the global locale and, with `_l`, for a given one.

use super::encoding::{Encoding, MbState, Step};
use crate::errno::{self, EILSEQ};
use crate::locale::Locale;
use crate::locale::category::global;
use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::ptr::null_mut;

/// `wchar_t`.
pub(crate) type WideChar = i32;
/// No wide character.
pub(crate) const WEOF: c_int = -1;
/// What a function returns when the bytes are no character.
const INVALID: usize = usize::MAX;
/// What a function returns when the bytes end within a character.
const INCOMPLETE: usize = usize::MAX - 1;

/// A state that a function keeps for callers who bring none.
struct Own(UnsafeCell<MbState>);

// SAFETY: ISO C lets a function without a state of its caller's be used by one thread at a time.
unsafe impl Sync for Own {}

impl Own {
    /// The caller's state, or this one.
    ///
    /// # Safety
    /// `state` is null or valid, and nobody else uses it during the call.
    unsafe fn or<'a>(&'static self, state: *mut MbState) -> &'a mut MbState {
        // SAFETY: as this function's own.
        unsafe { if state.is_null() { &mut *self.0.get() } else { &mut *state } }
    }
}

/// Makes a [`Own`] of the function around it.
macro_rules! own {
    () => {{
        static OWN: Own = Own(UnsafeCell::new(MbState::new()));
        &OWN
    }};
}

/// Defines a function for the global locale and its twin for a given one, both by a function whose first argument is the encoding.
macro_rules! localised {
    ($($(#[$meta:meta])* $name:ident $localised:ident ($($argument:ident: $type:ty),*) -> $result:ty = $function:ident;)*) => {$(
        $(#[$meta])*
        ///
        /// # Safety
        /// The pointers are what ISO C asks of them.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $name($($argument: $type),*) -> $result {
            // SAFETY: as this function's own.
            unsafe { $function(global().encoding(), $($argument),*) }
        }

        $(#[$meta])*
        /// In a given locale.
        ///
        /// # Safety
        /// The pointers are what ISO C asks of them, `locale` is a locale.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $localised($($argument: $type,)* locale: *const Locale) -> $result {
            // SAFETY: as this function's own.
            unsafe { $function(Locale::from_ptr(locale).encoding(), $($argument),*) }
        }
    )*};
}

localised! {
    /// mbrtowc(3).
    mbrtowc mbrtowc_l(to: *mut WideChar, from: *const u8, len: usize, state: *mut MbState) -> usize = to_wide;
    /// mbrlen(3).
    mbrlen mbrlen_l(from: *const u8, len: usize, state: *mut MbState) -> usize = length;
    /// mbsinit(3).
    mbsinit mbsinit_l(state: *const MbState) -> c_int = is_initial;
    /// mbsrtowcs(3).
    mbsrtowcs mbsrtowcs_l(to: *mut WideChar, from: *mut *const u8, size: usize, state: *mut MbState) -> usize = string_to_wide;
    /// mbsnrtowcs(3).
    mbsnrtowcs mbsnrtowcs_l(to: *mut WideChar, from: *mut *const u8, len: usize, size: usize, state: *mut MbState) -> usize = bytes_to_wide;
    /// wcrtomb(3).
    wcrtomb wcrtomb_l(to: *mut u8, c: WideChar, state: *mut MbState) -> usize = from_wide;
    /// wcsrtombs(3).
    wcsrtombs wcsrtombs_l(to: *mut u8, from: *mut *const WideChar, size: usize, state: *mut MbState) -> usize = wide_to_string;
    /// wcsnrtombs(3).
    wcsnrtombs wcsnrtombs_l(to: *mut u8, from: *mut *const WideChar, len: usize, size: usize, state: *mut MbState) -> usize = wide_to_bytes;
    /// btowc(3).
    btowc btowc_l(c: c_int) -> c_int = byte_to_wide;
    /// wctob(3).
    wctob wctob_l(c: c_int) -> c_int = wide_to_byte;
    /// mblen(3).
    mblen mblen_l(from: *const u8, len: usize) -> c_int = plain_length;
    /// mbtowc(3).
    mbtowc mbtowc_l(to: *mut WideChar, from: *const u8, len: usize) -> c_int = plain_to_wide;
    /// wctomb(3).
    wctomb wctomb_l(to: *mut u8, c: WideChar) -> c_int = plain_from_wide;
    /// mbstowcs(3).
    mbstowcs mbstowcs_l(to: *mut WideChar, from: *const u8, size: usize) -> usize = plain_string_to_wide;
    /// wcstombs(3).
    wcstombs wcstombs_l(to: *mut u8, from: *const WideChar, size: usize) -> usize = plain_wide_to_string;
}

/// The greatest number of bytes of a character in a locale: what MB_CUR_MAX_L expands to.
///
/// # Safety
/// `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn _mb_cur_max_l(locale: *const Locale) -> usize {
    // SAFETY: as this function's own.
    unsafe { Locale::from_ptr(locale) }.encoding().max_len()
}

/// Reads a character of up to `len` bytes with a state; stores it if `to` is not null.
///
/// # Safety
/// `from` has so many bytes, `to` is null or valid for a write.
unsafe fn decode(
    encoding: Encoding,
    to: *mut WideChar,
    from: *const u8,
    len: usize,
    state: &mut MbState,
) -> usize {
    for i in 0..len {
        // SAFETY: as this function's own.
        let byte = unsafe { *from.wrapping_add(i) };
        match encoding.step(state, byte) {
            Step::More => {}
            Step::Invalid => {
                state.reset();
                errno::set(EILSEQ);
                return INVALID;
            }
            Step::Char(c) => {
                if !to.is_null() {
                    // SAFETY: as this function's own.
                    unsafe { *to = c as WideChar };
                }
                return if c == 0 { 0 } else { i + 1 };
            }
        }
    }
    INCOMPLETE
}

unsafe fn to_wide(
    encoding: Encoding,
    to: *mut WideChar,
    from: *const u8,
    len: usize,
    state: *mut MbState,
) -> usize {
    // SAFETY: as the exported function's; a null string stands for an empty one.
    unsafe {
        let state = own!().or(state);
        if from.is_null() {
            return decode(encoding, null_mut(), [0u8].as_ptr(), 1, state);
        }
        decode(encoding, to, from, len, state)
    }
}

unsafe fn length(encoding: Encoding, from: *const u8, len: usize, state: *mut MbState) -> usize {
    // SAFETY: as the exported function's.
    unsafe { to_wide(encoding, null_mut(), from, len, own!().or(state)) }
}

unsafe fn is_initial(_: Encoding, state: *const MbState) -> c_int {
    // SAFETY: as the exported function's.
    unsafe { state.as_ref() }.is_none_or(MbState::is_initial).into()
}

/// Reads characters until a zero, `len` bytes or `size` characters.
///
/// # Safety
/// `from` points to a string or `len` bytes; `to` is null or has room for `size` characters.
unsafe fn bytes_to_wide(
    encoding: Encoding,
    to: *mut WideChar,
    from: *mut *const u8,
    len: usize,
    size: usize,
    state: *mut MbState,
) -> usize {
    // SAFETY: as this function's own.
    unsafe {
        let own = own!().or(state);
        // Where the characters are only counted, the state stays as it was.
        let mut copy = *own;
        let state = if to.is_null() { &mut copy } else { own };
        let (mut at, mut left, mut done) = (*from, len, 0usize);
        let end = loop {
            if !to.is_null() && done >= size {
                break at;
            }
            let mut used = 0;
            let step = loop {
                if used >= left {
                    break Step::More;
                }
                let step = encoding.step(state, *at.wrapping_add(used));
                used += 1;
                if step != Step::More {
                    break step;
                }
            };
            let c = match step {
                Step::More => {
                    // The bytes end, perhaps within a character: the state remembers its beginning.
                    break at.wrapping_add(used);
                }
                Step::Invalid => {
                    state.reset();
                    errno::set(EILSEQ);
                    if !to.is_null() {
                        *from = at;
                    }
                    return INVALID;
                }
                Step::Char(c) => c,
            };
            if !to.is_null() {
                *to.wrapping_add(done) = c as WideChar;
            }
            if c == 0 {
                break core::ptr::null();
            }
            at = at.wrapping_add(used);
            left = left.saturating_sub(used);
            done += 1;
        };
        if !to.is_null() {
            *from = end;
        }
        done
    }
}

unsafe fn string_to_wide(
    encoding: Encoding,
    to: *mut WideChar,
    from: *mut *const u8,
    size: usize,
    state: *mut MbState,
) -> usize {
    // SAFETY: as the exported function's; the string ends in a zero.
    unsafe { bytes_to_wide(encoding, to, from, usize::MAX, size, own!().or(state)) }
}

unsafe fn from_wide(encoding: Encoding, to: *mut u8, c: WideChar, _: *mut MbState) -> usize {
    if to.is_null() {
        return 1;
    }
    let mut bytes = [0; 4];
    let Some(len) = encoding.encode(c as u32, &mut bytes) else {
        errno::set(EILSEQ);
        return INVALID;
    };
    // SAFETY: the caller's buffer has room for any character.
    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), to, len) };
    len
}

/// Writes the bytes of characters until a zero, `len` characters, or no whole one fits in `size` bytes.
///
/// # Safety
/// `from` points to a wide string or `len` characters; `to` is null or has room for `size` bytes.
unsafe fn wide_to_bytes(
    encoding: Encoding,
    to: *mut u8,
    from: *mut *const WideChar,
    len: usize,
    size: usize,
    _: *mut MbState,
) -> usize {
    // SAFETY: as this function's own.
    unsafe {
        let start = *from;
        let (mut i, mut done) = (0, 0);
        let end = loop {
            let at = start.wrapping_add(i);
            if i >= len {
                break at;
            }
            let c = *at;
            let mut bytes = [0; 4];
            let Some(count) = encoding.encode(c as u32, &mut bytes) else {
                errno::set(EILSEQ);
                if !to.is_null() {
                    *from = at;
                }
                return INVALID;
            };
            if !to.is_null() {
                if count > size - done {
                    break at;
                }
                core::ptr::copy_nonoverlapping(bytes.as_ptr(), to.wrapping_add(done), count);
            }
            if c == 0 {
                break core::ptr::null();
            }
            done += count;
            i += 1;
        };
        if !to.is_null() {
            *from = end;
        }
        done
    }
}

unsafe fn wide_to_string(
    encoding: Encoding,
    to: *mut u8,
    from: *mut *const WideChar,
    size: usize,
    state: *mut MbState,
) -> usize {
    // SAFETY: as the exported function's; the string ends in a zero.
    unsafe { wide_to_bytes(encoding, to, from, usize::MAX, size, state) }
}

unsafe fn byte_to_wide(encoding: Encoding, c: c_int) -> c_int {
    match u8::try_from(c) {
        Ok(byte) if byte < 0x80 || encoding == Encoding::Bytes => byte.into(),
        _ => WEOF,
    }
}

unsafe fn wide_to_byte(encoding: Encoding, c: c_int) -> c_int {
    // The characters that are a byte are the bytes that are a character.
    // SAFETY: the function asks for nothing.
    unsafe { byte_to_wide(encoding, c) }
}

/// The result of a function that has no word for an incomplete character.
fn plain(result: usize) -> c_int {
    match result {
        INVALID => -1,
        INCOMPLETE => errno::fail(EILSEQ),
        len => len as c_int,
    }
}

unsafe fn plain_to_wide(encoding: Encoding, to: *mut WideChar, from: *const u8, len: usize) -> c_int {
    if from.is_null() {
        // No encoding here has shift states.
        return 0;
    }
    // SAFETY: as the exported function's.
    plain(unsafe { decode(encoding, to, from, len, &mut MbState::new()) })
}

unsafe fn plain_length(encoding: Encoding, from: *const u8, len: usize) -> c_int {
    // SAFETY: as the exported function's.
    unsafe { plain_to_wide(encoding, null_mut(), from, len) }
}

unsafe fn plain_from_wide(encoding: Encoding, to: *mut u8, c: WideChar) -> c_int {
    if to.is_null() {
        return 0;
    }
    // SAFETY: as the exported function's.
    plain(unsafe { from_wide(encoding, to, c, null_mut()) })
}

unsafe fn plain_string_to_wide(
    encoding: Encoding,
    to: *mut WideChar,
    mut from: *const u8,
    size: usize,
) -> usize {
    let mut state = MbState::new();
    // SAFETY: as the exported function's.
    unsafe { bytes_to_wide(encoding, to, &raw mut from, usize::MAX, size, &raw mut state) }
}

unsafe fn plain_wide_to_string(
    encoding: Encoding,
    to: *mut u8,
    mut from: *const WideChar,
    size: usize,
) -> usize {
    // SAFETY: as the exported function's.
    unsafe { wide_to_bytes(encoding, to, &raw mut from, usize::MAX, size, null_mut()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = "aß€𝄞\0".as_bytes();

    #[test]
    fn strings_there_and_back() {
        let mut wide = [0; 8];
        let mut from = TEXT.as_ptr();
        // SAFETY: all buffers are large enough.
        unsafe {
            assert_eq!(
                bytes_to_wide(Encoding::Utf8, null_mut(), &raw mut from, usize::MAX, 0, null_mut()),
                4
            );
            assert_eq!(
                bytes_to_wide(Encoding::Utf8, wide.as_mut_ptr(), &raw mut from, usize::MAX, 8, null_mut()),
                4
            );
            assert!(from.is_null());
            assert_eq!(wide[..5], [0x61, 0xdf, 0x20ac, 0x1d11e, 0]);
            let mut bytes = [0u8; 16];
            let mut from = wide.as_ptr();
            assert_eq!(
                wide_to_bytes(Encoding::Utf8, bytes.as_mut_ptr(), &raw mut from, usize::MAX, 16, null_mut()),
                10
            );
            assert_eq!(&bytes[..11], TEXT);
            // A character that does not fit is left for the next call.
            let mut from = wide.as_ptr();
            assert_eq!(
                wide_to_bytes(Encoding::Utf8, bytes.as_mut_ptr(), &raw mut from, usize::MAX, 5, null_mut()),
                3
            );
            assert_eq!(from, wide.as_ptr().wrapping_add(2));
        }
    }

    #[test]
    fn a_character_in_pieces() {
        let mut state = MbState::new();
        let mut c = 0;
        // SAFETY: all buffers are large enough.
        unsafe {
            assert_eq!(
                to_wide(Encoding::Utf8, &raw mut c, b"\xe2\x82".as_ptr(), 2, &raw mut state),
                INCOMPLETE
            );
            assert_eq!(is_initial(Encoding::Utf8, &raw const state), 0);
            assert_eq!(to_wide(Encoding::Utf8, &raw mut c, b"\xac".as_ptr(), 1, &raw mut state), 1);
            assert_eq!(c, 0x20ac);
            assert_eq!(to_wide(Encoding::Utf8, &raw mut c, b"\xff".as_ptr(), 1, &raw mut state), INVALID);
            assert_eq!(errno::get(), EILSEQ);
            assert_eq!(plain_to_wide(Encoding::Utf8, &raw mut c, b"\xe2".as_ptr(), 1), -1);
            assert_eq!(plain_to_wide(Encoding::Bytes, &raw mut c, b"\xe2".as_ptr(), 1), 1);
        }
    }
}
