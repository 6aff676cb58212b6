//! Formatted input of wide characters: wscanf(3), fwscanf(3), swscanf(3).

use super::class::iswspace;
use super::multibyte::WideChar;
use super::stream::{get, push_back};
use crate::locale::Locale;
use crate::locale::category::global;
use crate::stdio::file::File;
use crate::stdio::lock::Locked;
use crate::stdio::scanf::{Pattern, Source, scan};
use crate::stdio::streams::stdin;
use crate::va::VaList;
use core::ffi::c_int;

/// A wide string to be scanned.
struct Characters(*const u32);

impl Source for Characters {
    fn peek(&mut self) -> Option<u32> {
        // SAFETY: the string has not ended (contract of `from_string`), since its zero is not passed over.
        match unsafe { *self.0 } {
            0 => None,
            c => Some(c),
        }
    }

    fn advance(&mut self) {
        self.0 = self.0.wrapping_add(1);
    }

    fn give_back(&mut self, _: u32) {
        self.0 = self.0.wrapping_sub(1);
    }

    fn is_wide(&self) -> bool {
        true
    }

    fn is_space(&self, c: u32) -> bool {
        iswspace(c as c_int) != 0
    }
}

/// A stream to be scanned, and the character that was looked at.
struct Stream {
    file: Locked,
    seen: Option<u32>,
}

impl Source for Stream {
    fn peek(&mut self) -> Option<u32> {
        if self.seen.is_none() {
            self.seen = get(&mut self.file);
        }
        self.seen
    }

    fn advance(&mut self) {
        self.seen = None;
    }

    fn give_back(&mut self, c: u32) {
        if let Some(seen) = self.seen.take() {
            push_back(&mut self.file, seen);
        }
        push_back(&mut self.file, c);
    }

    fn is_wide(&self) -> bool {
        true
    }

    fn is_space(&self, c: u32) -> bool {
        iswspace(c as c_int) != 0
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(seen) = self.seen {
            push_back(&mut self.file, seen);
        }
    }
}

/// Scans a wide string.
///
/// # Safety
/// `text` and `format` are wide strings, `list` holds the pointers that the format asks for.
unsafe fn from_string(
    text: *const WideChar,
    locale: &Locale,
    format: *const WideChar,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { scan(&mut Characters(text.cast()), locale.encoding(), Pattern::Wide(format.cast()), &mut *list) }
}

/// Scans a stream.
///
/// # Safety
/// `stream` is an open stream, `format` a wide string, `list` holds the pointers that it asks for.
unsafe fn from_stream(
    stream: *mut File,
    locale: &Locale,
    format: *const WideChar,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let mut stream = Stream { file: Locked::new(stream), seen: None };
        scan(&mut stream, locale.encoding(), Pattern::Wide(format.cast()), &mut *list)
    }
}

/// vswscanf(3).
///
/// # Safety
/// `text` and `format` are wide strings, `list` holds the pointers that the format asks for.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vswscanf(
    text: *const WideChar,
    format: *const WideChar,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { from_string(text, global(), format, list) }
}

/// vswscanf_l(3).
///
/// # Safety
/// As for [`vswscanf`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vswscanf_l(
    text: *const WideChar,
    locale: *const Locale,
    format: *const WideChar,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { from_string(text, Locale::from_ptr(locale), format, list) }
}

/// vfwscanf(3).
///
/// # Safety
/// `stream` is an open stream, `format` a wide string, `list` holds the pointers that it asks for.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vfwscanf(stream: *mut File, format: *const WideChar, list: *mut VaList) -> c_int {
    // SAFETY: as this function's own.
    unsafe { from_stream(stream, global(), format, list) }
}

/// vfwscanf_l(3).
///
/// # Safety
/// As for [`vfwscanf`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vfwscanf_l(
    stream: *mut File,
    locale: *const Locale,
    format: *const WideChar,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { from_stream(stream, Locale::from_ptr(locale), format, list) }
}

/// vwscanf(3).
///
/// # Safety
/// `format` is a wide string, `list` holds the pointers that it asks for.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vwscanf(format: *const WideChar, list: *mut VaList) -> c_int {
    // SAFETY: as this function's own; the standard streams are always there.
    unsafe { from_stream(stdin(), global(), format, list) }
}

/// vwscanf_l(3).
///
/// # Safety
/// As for [`vwscanf`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vwscanf_l(
    locale: *const Locale,
    format: *const WideChar,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as above.
    unsafe { from_stream(stdin(), Locale::from_ptr(locale), format, list) }
}

variadic! {
    /// swscanf(3).
    swscanf(2) => vswscanf;
    /// swscanf_l(3).
    swscanf_l(3) => vswscanf_l;
    /// fwscanf(3).
    fwscanf(2) => vfwscanf;
    /// fwscanf_l(3).
    fwscanf_l(3) => vfwscanf_l;
    /// wscanf(3).
    wscanf(1) => vwscanf;
    /// wscanf_l(3).
    wscanf_l(2) => vwscanf_l;
}

#[cfg(test)]
mod tests {
    use super::*;

    type Swscanf = unsafe extern "C" fn(*const WideChar, *const WideChar, ...) -> c_int;

    fn wide(text: &str) -> Vec<WideChar> {
        text.chars().map(|c| c as WideChar).chain([0]).collect()
    }

    #[test]
    fn numbers_words_and_sets() {
        // SAFETY: the function is variadic by construction.
        let swscanf: Swscanf = unsafe { core::mem::transmute(swscanf as *const ()) };
        let (mut number, mut word, mut set) = (0i32, [0 as WideChar; 8], [0 as WideChar; 8]);
        // SAFETY: the places are large enough.
        let got = unsafe {
            let format = wide("%d %ls %l[ä-ö]");
            swscanf(
                wide("-12 añb öäx").as_ptr(),
                format.as_ptr(),
                &raw mut number,
                word.as_mut_ptr(),
                set.as_mut_ptr(),
            )
        };
        assert_eq!((got, number), (3, -12));
        assert_eq!(word[..4], wide("añb"));
        assert_eq!(set[..3], wide("öä"));
    }
}
