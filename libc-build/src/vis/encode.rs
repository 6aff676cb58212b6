//! vis(3): each byte as it is, or as printable characters that stand for it.
//!
//! In a locale of UTF-8, characters that are no ASCII stay as they are, unless VIS_NOLOCALE is given; bytes that are no character are encoded.

use super::{
    VIS_CSTYLE, VIS_DQ, VIS_GLOB, VIS_HTTPSTYLE, VIS_MIMESTYLE, VIS_NL, VIS_NOLOCALE, VIS_NOSLASH, VIS_OCTAL,
    VIS_SAFE, VIS_SHELL, VIS_SP, VIS_TAB,
};
use crate::errno;
use crate::locale::category::global;
use crate::net::buffer::{Text, digit, put};
use crate::stdlib::heap::malloc;
use crate::wchar::encoding::Encoding;
use core::ffi::{CStr, c_char, c_int};
use core::ptr::null_mut;

/// What one byte becomes at most, with room to spare.
type Encoded = Text<8>;

/// What is to be encoded, and how.
#[derive(Clone, Copy)]
struct Style<'a> {
    flags: c_int,
    /// Further bytes that are encoded.
    extra: &'a [u8],
}

impl Style<'_> {
    /// Whether a byte is encoded only because the caller asks for it.
    fn is_extra(&self, byte: u8) -> bool {
        let flag = |flag: c_int| self.flags & flag != 0;
        self.extra.contains(&byte)
            || match byte {
                b' ' => flag(VIS_SP),
                b'\t' => flag(VIS_TAB),
                b'\n' => flag(VIS_NL),
                b'*' | b'?' | b'[' | b'#' => flag(VIS_GLOB) || byte == b'#' && flag(VIS_SHELL),
                b'\'' | b'`' | b';' | b'&' | b'<' | b'>' | b'(' | b')' | b'|' | b'{' | b'}' | b']' | b'$'
                | b'!' | b'^' | b'~' => flag(VIS_SHELL),
                b'"' => flag(VIS_SHELL) || flag(VIS_DQ),
                _ => false,
            }
    }

    /// Whether a byte stays as it is.
    fn is_plain(&self, byte: u8) -> bool {
        match byte {
            b'\\' => self.flags & VIS_NOSLASH != 0,
            _ if self.is_extra(byte) => false,
            0x21..=0x7e | b' ' | b'\t' | b'\n' => true,
            0x07 | 0x08 | b'\r' => self.flags & VIS_SAFE != 0,
            _ => false,
        }
    }

    /// Encodes a byte; `next` is the one behind it.
    fn encode(&self, byte: u8, next: u8) -> Encoded {
        let mut out = Encoded::new();
        if self.flags & VIS_HTTPSTYLE != 0 {
            let is_safe = byte.is_ascii_alphanumeric() || b"$-_.+!*'(),".contains(&byte);
            if is_safe && !self.is_extra(byte) {
                out.push(byte);
            } else {
                out.extend(&[b'%', digit(byte >> 4), digit(byte & 15)]);
            }
            return out;
        }
        if self.flags & VIS_MIMESTYLE != 0 {
            // A space is seen, unless it is the last of its line.
            let is_safe = match byte {
                b' ' | b'\t' => !matches!(next, b'\n' | b'\r' | 0),
                b'\n' => true,
                _ => matches!(byte, 33..=126) && !b"=!\"#$@[\\]^`{|}~".contains(&byte),
            };
            if is_safe && !self.is_extra(byte) {
                out.push(byte);
            } else {
                out.extend(&[
                    b'=',
                    digit(byte >> 4).to_ascii_uppercase(),
                    digit(byte & 15).to_ascii_uppercase(),
                ]);
            }
            return out;
        }
        if self.is_plain(byte) {
            out.push(byte);
            return out;
        }
        if byte == b'\\' && !self.extra.contains(&byte) {
            out.extend(b"\\\\");
            return out;
        }
        if self.flags & VIS_CSTYLE != 0 {
            let letter = match byte {
                b'\n' => b'n',
                b'\r' => b'r',
                0x08 => b'b',
                0x07 => b'a',
                0x0b => b'v',
                b'\t' => b't',
                0x0c => b'f',
                b' ' => b's',
                0 => b'0',
                _ => 0,
            };
            if letter != 0 {
                out.extend(&[b'\\', letter]);
                // A digit behind it would belong to it.
                if byte == 0 && matches!(next, b'0'..=b'7') {
                    out.extend(b"00");
                }
                return out;
            }
        }
        let is_octal = self.flags & VIS_OCTAL != 0
            || byte & 0x7f == b' '
            || self.is_extra(byte) && byte.is_ascii_graphic();
        if is_octal {
            out.extend(&[b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]);
            return out;
        }
        if self.flags & VIS_NOSLASH == 0 {
            out.push(b'\\');
        }
        let low = byte & 0x7f;
        let is_meta = byte & 0x80 != 0;
        if is_meta {
            out.push(b'M');
        }
        if low.is_ascii_control() {
            out.extend(&[b'^', if low == 0x7f { b'?' } else { low + b'@' }]);
        } else {
            if is_meta {
                out.push(b'-');
            }
            out.push(low);
        }
        out
    }
}

/// Bytes of the character at the start of a text, where it is one that is seen and no ASCII.
fn seen(text: &[u8]) -> Option<usize> {
    let first = *text.first().filter(|byte| !byte.is_ascii())?;
    let length = first.leading_ones() as usize;
    let character = core::str::from_utf8(text.get(..length)?).ok()?.chars().next()?;
    (!matches!(u32::from(character), 0x80..0xa0)).then_some(length)
}

/// Encodes a text; calls `write` with each piece, which returns false where there is no room.
fn encode(text: &[u8], style: Style<'_>, mut write: impl FnMut(&[u8]) -> bool) -> bool {
    let knows_characters = style.flags & (VIS_NOLOCALE | VIS_HTTPSTYLE | VIS_MIMESTYLE) == 0
        && global().encoding() == Encoding::Utf8;
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        if let Some(length) = seen(rest).filter(|_| knows_characters) {
            let (character, behind) = rest.split_at_checked(length).unwrap_or((rest, b""));
            if !write(character) {
                return false;
            }
            rest = behind;
            continue;
        }
        let encoded = style.encode(byte, behind.first().copied().unwrap_or(0));
        if !write(encoded.as_bytes()) {
            return false;
        }
        rest = behind;
    }
    true
}

/// Encodes a text into memory with an end; returns the length, or -1 with ENOSPC.
///
/// # Safety
/// `target` has `size` bytes.
unsafe fn encode_into(text: &[u8], style: Style<'_>, target: *mut c_char, size: usize) -> c_int {
    let mut length = 0;
    let fits = encode(text, style, |piece| {
        // SAFETY: as this function's own; the room behind what is written.
        let fits = unsafe { put(piece, target.add(length), size - length) };
        length += piece.len();
        fits
    });
    if !fits || size == 0 {
        return errno::fail(errno::ENOSPC);
    }
    // SAFETY: an empty text has its end, too.
    unsafe { *target.add(length) = 0 };
    c_int::try_from(length).unwrap_or(-1)
}

/// The bytes of a string; none for null.
///
/// # Safety
/// `string` is null or a C string.
unsafe fn bytes<'a>(string: *const c_char) -> &'a [u8] {
    // SAFETY: as this function's own.
    if string.is_null() { b"" } else { unsafe { CStr::from_ptr(string) }.to_bytes() }
}

/// No limit, for functions that trust the caller's memory.
const UNLIMITED: usize = isize::MAX as usize;

/// Encodes one byte; returns where its text ends, or null with ENOSPC. `next` is the byte behind it.
///
/// # Safety
/// `target` has `size` bytes, `extra` is null or a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn snvis(
    target: *mut c_char,
    size: usize,
    byte: c_int,
    flags: c_int,
    next: c_int,
    extra: *const c_char,
) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe {
        let encoded = Style { flags, extra: bytes(extra) }.encode(byte as u8, next as u8);
        if !put(encoded.as_bytes(), target, size) {
            errno::set(errno::ENOSPC);
            return null_mut();
        }
        target.add(encoded.as_bytes().len())
    }
}

/// As [`snvis`], without further bytes.
///
/// # Safety
/// `target` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn nvis(
    target: *mut c_char,
    size: usize,
    byte: c_int,
    flags: c_int,
    next: c_int,
) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe { snvis(target, size, byte, flags, next, core::ptr::null()) }
}

/// As [`snvis`], with as much room as is needed.
///
/// # Safety
/// `target` has five bytes, `extra` is null or a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn svis(
    target: *mut c_char,
    byte: c_int,
    flags: c_int,
    next: c_int,
    extra: *const c_char,
) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe { snvis(target, UNLIMITED, byte, flags, next, extra) }
}

/// As [`nvis`], with as much room as is needed.
///
/// # Safety
/// `target` has five bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vis(target: *mut c_char, byte: c_int, flags: c_int, next: c_int) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe { snvis(target, UNLIMITED, byte, flags, next, core::ptr::null()) }
}

macro_rules! texts {
    ($($about:literal $name:ident($($size:ident)?; $($length:ident)?; $($extra:ident)?);)*) => {$(
        #[doc = $about]
        ///
        /// # Safety
        /// `target` has room: the size that is given, or else four bytes for each of the text's and one. `text` has the length that is
        /// given, or else an end. `extra` is null or a C string.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $name(
            target: *mut c_char,
            $($size: usize,)?
            text: *const c_char,
            $($length: usize,)?
            flags: c_int,
            $($extra: *const c_char,)?
        ) -> c_int {
            // SAFETY: as this function's own.
            unsafe {
                let size = texts!(@size $($size)?);
                let text = texts!(@text text $($length)?);
                let extra: &[u8] = texts!(@extra $($extra)?);
                encode_into(text, Style { flags, extra }, target, size)
            }
        }
    )*};
    (@size) => { UNLIMITED };
    (@size $size:ident) => { $size };
    (@text $text:ident) => { bytes($text) };
    (@text $text:ident $length:ident) => { crate::hash::block::bytes($text.cast(), $length) };
    (@extra) => { b"" };
    (@extra $extra:ident) => { bytes($extra) };
}

texts! {
    "Encodes a string; returns the length." strvis(; ;);
    "Encodes a string where there is room; returns the length." strnvis(size; ;);
    "Encodes a text; returns the length." strvisx(; length;);
    "Encodes a text where there is room; returns the length." strnvisx(size; length;);
    "Encodes a string and further bytes in it; returns the length." strsvis(; ; extra);
    "Encodes a string and further bytes in it where there is room; returns the length." strsnvis(size; ; extra);
    "Encodes a text and further bytes in it; returns the length." strsvisx(; length; extra);
    "Encodes a text and further bytes in it where there is room; returns the length." strsnvisx(size; length; extra);
}

/// Encodes a string into new memory; -1 without memory.
///
/// # Safety
/// `text` is a C string, `result` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn stravis(result: *mut *mut c_char, text: *const c_char, flags: c_int) -> c_int {
    // SAFETY: as this function's own; the block has room for the longest encoding.
    unsafe {
        let text = bytes(text);
        let size = 4 * text.len() + 1;
        let block = malloc(size).cast::<c_char>();
        if block.is_null() {
            return errno::fail(errno::ENOMEM);
        }
        result.write(block);
        encode_into(text, Style { flags, extra: b"" }, block, size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vis::decode::strnunvisx;
    use proptest::prelude::*;

    fn encoded(text: &[u8], flags: c_int, extra: &CStr) -> Option<String> {
        let mut target = [0; 600];
        // SAFETY: a text with its length, a C string, and a buffer with its size.
        unsafe {
            let length =
                strsnvisx(target.as_mut_ptr(), 600, text.as_ptr().cast(), text.len(), flags, extra.as_ptr());
            (length >= 0).then(|| CStr::from_ptr(target.as_ptr()).to_str().expect("ASCII").to_owned())
        }
    }

    #[test]
    fn styles() {
        for (text, flags, result) in [
            (b"a b\tc\n".as_slice(), 0, "a b\tc\n"),
            (b"\x01\x7f\x81\xe1\xff\xa0\\", 0, "\\^A\\^?\\M^A\\M-a\\M^?\\240\\\\"),
            (b"\x01\xe1", VIS_OCTAL, "\\001\\341"),
            (b"a b\n\t\r\x00x\x007", VIS_CSTYLE | VIS_SP | VIS_NL | VIS_TAB, "a\\sb\\n\\t\\r\\0x\\0007"),
            (b" ", VIS_SP, "\\040"),
            (b"a*b", VIS_GLOB, "a\\052b"),
            (b"\"$", VIS_SHELL, "\\042\\044"),
            (b"\x07\x01", VIS_SAFE, "\x07\\^A"),
            (b"a/b c\xe1", VIS_HTTPSTYLE, "a%2fb%20c%e1"),
            (b"a=b \n\xe1", VIS_MIMESTYLE, "a=3Db=20\n=E1"),
            (b"\\\x01", VIS_NOSLASH, "\\^A"),
        ] {
            assert_eq!(encoded(text, flags, c"").as_deref(), Some(result));
        }
        assert_eq!(encoded(b"abc", VIS_OCTAL, c"b").as_deref(), Some("a\\142c"));
        let mut small = [0; 4];
        // SAFETY: a C string, and a buffer with its size.
        assert_eq!(unsafe { strnvis(small.as_mut_ptr(), 4, c"ab\x01".as_ptr(), 0) }, -1);
    }

    proptest! {
        #[test]
        fn there_and_back(text in proptest::collection::vec(any::<u8>(), 0..100), style in 0..6_usize) {
            let (flags, back) = [
                (VIS_OCTAL, 0),
                (VIS_CSTYLE | VIS_SP | VIS_TAB | VIS_NL, 0),
                (0, 0),
                (VIS_GLOB | VIS_SHELL, 0),
                (VIS_HTTPSTYLE, VIS_HTTPSTYLE),
                (VIS_MIMESTYLE | VIS_SP | VIS_TAB, VIS_MIMESTYLE),
            ][style];
            let encoded = encoded(&text, flags, c"").expect("room");
            let mut bytes = [0_u8; 600];
            let c = std::ffi::CString::new(encoded.clone()).expect("no NUL");
            // SAFETY: a C string, and a buffer with its size.
            let length = unsafe { strnunvisx(bytes.as_mut_ptr().cast(), 600, c.as_ptr(), back) };
            prop_assert!(length >= 0, "{}", encoded);
            prop_assert_eq!(&bytes[..length as usize], text.as_slice(), "{}", encoded);
        }
    }
}
