//! iconv_open(3), iconv(3), iconv_close(3).

use super::codec::{Codec, Named, Stop, named};
use crate::errno::{self, E2BIG, EBADF, EILSEQ, EINVAL, ENOMEM};
use crate::locale::category::global;
use crate::stdlib::heap;
use crate::wchar::encoding::Encoding;
use core::ffi::{CStr, c_char, c_int};
use core::ptr::without_provenance_mut;

/// The byte order mark.
const MARK: char = '\u{feff}';
/// What iconv(3) returns when it stops early.
const FAILED: usize = usize::MAX;

/// `iconv_t` points to one.
#[derive(Debug)]
pub struct Conversion {
    from: Named,
    to: Named,
    /// The encoding that is being read, whose order of bytes a mark may have changed; none before the first character.
    reading: Option<Codec>,
    /// Whether the mark has been written.
    is_marked: bool,
    /// Whether characters that cannot be converted are passed over (`//IGNORE`).
    is_ignoring: bool,
}

/// iconv_open(3).
///
/// # Safety
/// Both are strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn iconv_open(to: *const c_char, from: *const c_char) -> *mut Conversion {
    let failed = without_provenance_mut(usize::MAX);
    // SAFETY: as this function's own.
    let (to_name, from_name) = unsafe { (CStr::from_ptr(to).to_bytes(), CStr::from_ptr(from).to_bytes()) };
    let local = if global().encoding() == Encoding::Utf8 { Codec::Utf8 } else { Codec::Ascii };
    let (Some(to), Some(from)) = (named(to_name, local), named(from_name, local)) else {
        errno::set(EINVAL);
        return failed;
    };
    let is_ignoring = ends_with(to_name, b"//IGNORE");
    // SAFETY: fresh memory of this size, if not null.
    unsafe {
        let it: *mut Conversion = heap::malloc(size_of::<Conversion>()).cast();
        if it.is_null() {
            errno::set(ENOMEM);
            return failed;
        }
        it.write(Conversion { from, to, reading: None, is_marked: false, is_ignoring });
        it
    }
}

/// Whether a name ends in `end`, in any case.
fn ends_with(name: &[u8], end: &[u8]) -> bool {
    let tail = name.len().checked_sub(end.len()).and_then(|at| name.get(at..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// Where text is read or written, as a program's pointer and count.
struct Place {
    at: *mut *mut u8,
    left: *mut usize,
}

impl Place {
    /// The bytes that are left.
    ///
    /// # Safety
    /// The program's pointer has as many bytes as its count says.
    unsafe fn bytes<'a>(&self) -> &'a [u8] {
        // SAFETY: as this function's own.
        unsafe { core::slice::from_raw_parts(*self.at, *self.left) }
    }

    /// Passes over bytes.
    ///
    /// # Safety
    /// There are so many.
    unsafe fn advance(&mut self, count: usize) {
        // SAFETY: as this function's own.
        unsafe {
            *self.at = (*self.at).wrapping_add(count);
            *self.left -= count;
        }
    }

    /// Writes bytes. Returns false if they do not fit.
    ///
    /// # Safety
    /// As for [`Self::bytes`].
    unsafe fn put(&mut self, bytes: &[u8]) -> bool {
        // SAFETY: as this function's own, and they fit.
        unsafe {
            if bytes.len() > *self.left {
                return false;
            }
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), *self.at, bytes.len());
            self.advance(bytes.len());
        }
        true
    }
}

/// iconv(3).
///
/// # Safety
/// `conversion` is open; the pointers and counts describe memory to read and to write, or the input is null.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn iconv(
    conversion: *mut Conversion,
    from: *mut *mut u8,
    from_left: *mut usize,
    to: *mut *mut u8,
    to_left: *mut usize,
) -> usize {
    if conversion.is_null() || conversion.addr() == usize::MAX {
        errno::set(EBADF);
        return FAILED;
    }
    // SAFETY: as this function's own.
    unsafe {
        let it = &mut *conversion;
        if from.is_null() || (*from).is_null() {
            (it.reading, it.is_marked) = (None, false);
            return 0;
        }
        let (mut from, mut to) = (Place { at: from, left: from_left }, Place { at: to, left: to_left });
        convert(it, &mut from, &mut to)
    }
}

/// Converts as much as can be. Returns how many characters were passed over.
///
/// # Safety
/// As for [`Place::bytes`].
unsafe fn convert(it: &mut Conversion, from: &mut Place, to: &mut Place) -> usize {
    let mut passed = 0;
    let fail = |error| {
        errno::set(error);
        FAILED
    };
    // SAFETY: as this function's own; what is passed over was read.
    unsafe {
        loop {
            let bytes = from.bytes();
            if bytes.is_empty() {
                return passed;
            }
            let codec = it.reading.unwrap_or(it.from.codec);
            let (c, len) = match codec.read(bytes) {
                Ok(read) => read,
                Err(Stop::Incomplete) => return fail(EINVAL),
                Err(Stop::Invalid) if it.is_ignoring => {
                    from.advance(1);
                    passed += 1;
                    continue;
                }
                // A mark in the other order is a character that does not exist in this one, save in 16 bits.
                Err(Stop::Invalid) if it.reading.is_none() && it.from.has_mark => {
                    match codec.swapped().read(bytes) {
                        Ok((MARK, len)) => {
                            it.reading = Some(codec.swapped());
                            from.advance(len);
                            continue;
                        }
                        _ => return fail(EILSEQ),
                    }
                }
                Err(Stop::Invalid) => return fail(EILSEQ),
            };
            if it.reading.is_none() && it.from.has_mark && matches!(c, MARK | '\u{fffe}') {
                it.reading = Some(if c == MARK { codec } else { codec.swapped() });
                from.advance(len);
                continue;
            }
            let mut out = [0; 4];
            if it.to.has_mark && !it.is_marked {
                let count = it.to.codec.write(MARK, &mut out).unwrap_or(0);
                if !to.put(&out[..count.min(4)]) {
                    return fail(E2BIG);
                }
                it.is_marked = true;
            }
            match it.to.codec.write(c, &mut out) {
                Some(count) => {
                    if !to.put(&out[..count.min(4)]) {
                        return fail(E2BIG);
                    }
                }
                None if it.is_ignoring => passed += 1,
                // NetBSD's way: a question mark, which counts as a conversion that cannot be undone.
                None => {
                    let count = it.to.codec.write('?', &mut out).unwrap_or(0);
                    if !to.put(&out[..count.min(4)]) {
                        return fail(E2BIG);
                    }
                    passed += 1;
                }
            }
            it.reading = Some(codec);
            from.advance(len);
        }
    }
}

/// iconv_close(3).
///
/// # Safety
/// `conversion` is open, and not used again.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn iconv_close(conversion: *mut Conversion) -> c_int {
    if conversion.is_null() || conversion.addr() == usize::MAX {
        return errno::fail(EBADF);
    }
    // SAFETY: made by `iconv_open`.
    unsafe { heap::free(conversion.cast()) };
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ptr::null_mut;

    /// Converts a text; returns the result of iconv(3), what was written, and how much was left unread.
    fn run(to: &CStr, from: &CStr, text: &[u8], room: usize) -> (usize, Vec<u8>, usize) {
        let mut out = vec![0u8; room];
        let (mut input, mut left) = (text.as_ptr().cast_mut(), text.len());
        let (mut output, mut space) = (out.as_mut_ptr(), room);
        // SAFETY: the buffers have the sizes given.
        unsafe {
            let it = iconv_open(to.as_ptr(), from.as_ptr());
            assert_ne!(it.addr(), usize::MAX);
            let result = iconv(it, &raw mut input, &raw mut left, &raw mut output, &raw mut space);
            assert_eq!(iconv_close(it), 0);
            out.truncate(room - space);
            (result, out, left)
        }
    }

    #[test]
    fn there_and_back() {
        let text = "aß€𝄞";
        let utf16 = [0xfe, 0xff, 0, 0x61, 0, 0xdf, 0x20, 0xac, 0xd8, 0x34, 0xdd, 0x1e];
        assert_eq!(run(c"UTF-16", c"UTF-8", text.as_bytes(), 64), (0, utf16.to_vec(), 0));
        assert_eq!(run(c"utf-8", c"UTF-16", &utf16, 64), (0, text.as_bytes().to_vec(), 0));
        let little: Vec<u8> = utf16.chunks(2).flat_map(|unit| [unit[1], unit[0]]).collect();
        assert_eq!(run(c"UTF-8", c"UTF-16", &little, 64), (0, text.as_bytes().to_vec(), 0));
        assert_eq!(run(c"ISO-8859-1", c"UTF-8", text.as_bytes(), 64), (2, b"a\xdf??".to_vec(), 0));
        assert_eq!(run(c"ASCII//IGNORE", c"UTF-8", text.as_bytes(), 64), (3, b"a".to_vec(), 0));
        assert_eq!(run(c"UTF-8", c"LATIN1", b"\xe4", 64), (0, "ä".as_bytes().to_vec(), 0));
        let wide: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        assert_eq!(run(c"WCHAR_T", c"UTF-8", text.as_bytes(), 64), (0, wide, 0));
    }

    #[test]
    fn it_stops_where_it_must() {
        assert_eq!(run(c"UTF-8", c"UTF-8", b"ab\xe2\x82", 64), (FAILED, b"ab".to_vec(), 2));
        assert_eq!(errno::get(), EINVAL);
        assert_eq!(run(c"UTF-8", c"UTF-8", b"ab\xffc", 64), (FAILED, b"ab".to_vec(), 2));
        assert_eq!(errno::get(), EILSEQ);
        assert_eq!(run(c"UTF-8", c"LATIN1", b"a\xe4b", 2), (FAILED, b"a".to_vec(), 2));
        assert_eq!(errno::get(), E2BIG);
        // SAFETY: strings.
        assert_eq!(unsafe { iconv_open(c"KOI8-R".as_ptr(), c"UTF-8".as_ptr()) }.addr(), usize::MAX);
        // SAFETY: a null input resets the state.
        unsafe {
            let it = iconv_open(c"UTF-8".as_ptr(), c"UTF-16".as_ptr());
            let mut none = null_mut();
            assert_eq!(iconv(it, &raw mut none, null_mut(), null_mut(), null_mut()), 0);
            iconv_close(it);
        }
    }
}
