//! scanf(3), fscanf(3), sscanf(3) and their relatives.

use super::engine::{Pattern, scan};
use super::input::Source;
use crate::locale::Locale;
use crate::locale::category::global;
use crate::number::parse::is_space;
use crate::stdio::file::File;
use crate::stdio::lock::Locked;
use crate::stdio::read::{available, consume, push_back};
use crate::stdio::streams::stdin;
use crate::va::VaList;
use core::ffi::{c_char, c_int};

/// A string to be scanned.
struct Characters(*const u8);

impl Source for Characters {
    fn peek(&mut self) -> Option<u32> {
        // SAFETY: the string has not ended (contract of `from_string`), since its zero is not passed over.
        match unsafe { *self.0 } {
            0 => None,
            byte => Some(byte.into()),
        }
    }

    fn advance(&mut self) {
        self.0 = self.0.wrapping_add(1);
    }

    fn give_back(&mut self, _: u32) {
        self.0 = self.0.wrapping_sub(1);
    }

    fn is_wide(&self) -> bool {
        false
    }

    fn is_space(&self, c: u32) -> bool {
        u8::try_from(c).is_ok_and(is_space)
    }
}

/// A stream to be scanned.
struct Stream(Locked);

impl Source for Stream {
    fn peek(&mut self) -> Option<u32> {
        available(&mut self.0).first().map(|&byte| byte.into())
    }

    fn advance(&mut self) {
        consume(&mut self.0, 1);
    }

    fn give_back(&mut self, c: u32) {
        push_back(&mut self.0, c as u8);
    }

    fn is_wide(&self) -> bool {
        false
    }

    fn is_space(&self, c: u32) -> bool {
        u8::try_from(c).is_ok_and(is_space)
    }
}

/// Scans a string.
///
/// # Safety
/// `text` and `format` are strings, `list` holds the pointers that the format asks for.
unsafe fn from_string(
    text: *const c_char,
    locale: &Locale,
    format: *const c_char,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        scan(&mut Characters(text.cast()), locale.encoding(), Pattern::Bytes(format.cast()), &mut *list)
    }
}

/// Scans a stream.
///
/// # Safety
/// `stream` is an open stream, `format` a string, `list` holds the pointers that it asks for.
unsafe fn from_stream(stream: *mut File, locale: &Locale, format: *const c_char, list: *mut VaList) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let mut stream = Stream(Locked::new(stream));
        scan(&mut stream, locale.encoding(), Pattern::Bytes(format.cast()), &mut *list)
    }
}

/// vsscanf(3).
///
/// # Safety
/// `text` and `format` are strings, `list` holds the pointers that the format asks for.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vsscanf(text: *const c_char, format: *const c_char, list: *mut VaList) -> c_int {
    // SAFETY: as this function's own.
    unsafe { from_string(text, global(), format, list) }
}

/// vsscanf_l(3).
///
/// # Safety
/// As for [`vsscanf`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vsscanf_l(
    text: *const c_char,
    locale: *const Locale,
    format: *const c_char,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { from_string(text, Locale::from_ptr(locale), format, list) }
}

/// vfscanf(3).
///
/// # Safety
/// `stream` is an open stream, `format` a string, `list` holds the pointers that it asks for.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vfscanf(stream: *mut File, format: *const c_char, list: *mut VaList) -> c_int {
    // SAFETY: as this function's own.
    unsafe { from_stream(stream, global(), format, list) }
}

/// vfscanf_l(3).
///
/// # Safety
/// As for [`vfscanf`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vfscanf_l(
    stream: *mut File,
    locale: *const Locale,
    format: *const c_char,
    list: *mut VaList,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { from_stream(stream, Locale::from_ptr(locale), format, list) }
}

/// vscanf(3).
///
/// # Safety
/// `format` is a string, `list` holds the pointers that it asks for.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vscanf(format: *const c_char, list: *mut VaList) -> c_int {
    // SAFETY: as this function's own; the standard streams are always there.
    unsafe { from_stream(stdin(), global(), format, list) }
}

/// vscanf_l(3).
///
/// # Safety
/// As for [`vscanf`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn vscanf_l(locale: *const Locale, format: *const c_char, list: *mut VaList) -> c_int {
    // SAFETY: as above.
    unsafe { from_stream(stdin(), Locale::from_ptr(locale), format, list) }
}

variadic! {
    /// sscanf(3).
    sscanf(2) => vsscanf;
    /// sscanf_l(3).
    sscanf_l(3) => vsscanf_l;
    /// fscanf(3).
    fscanf(2) => vfscanf;
    /// fscanf_l(3).
    fscanf_l(3) => vfscanf_l;
    /// scanf(3).
    scanf(1) => vscanf;
    /// scanf_l(3).
    scanf_l(2) => vscanf_l;
}
