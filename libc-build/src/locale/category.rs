//! `struct _locale`: which locale each category has (locale.h).
//!
//! A `locale_t` points to one. Programs only take the addresses of `_lc_C_locale` and `_lc_global_locale`, whose size is the ABI's.
//! The global one may be changed by one thread while others read it: its fields are atomic, and any mixture is valid.

use crate::wchar::encoding::Encoding;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// LC_ALL.
pub(crate) const ALL: usize = 0;
/// LC_CTYPE.
pub(crate) const CTYPE: usize = 2;
/// LC_MONETARY.
pub(crate) const MONETARY: usize = 3;
/// LC_NUMERIC.
pub(crate) const NUMERIC: usize = 4;
/// The number of categories and LC_ALL.
pub(crate) const LAST: usize = 7;

/// A locale's value for one category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Known {
    /// "C".
    C,
    /// "POSIX", the same under another name.
    Posix,
    /// "C.UTF-8".
    CUtf8,
    /// "en_US.UTF-8".
    EnUs,
    /// Another language with UTF-8: LC_CTYPE only. Its name is in [`Locale::other`].
    Other,
}

/// The longest name of another language's locale, with its end.
pub(crate) const OTHER_LEN: usize = 32;

/// A locale.
#[repr(C, align(8))]
#[derive(Debug)]
pub struct Locale {
    /// The value of each category; the first, LC_ALL, is not used.
    values: [AtomicU8; LAST],
    /// The name for [`Known::Other`], ending in a zero.
    other: [AtomicU8; OTHER_LEN],
    /// The rest of the ABI's 320 bytes.
    unused: [u8; 281],
}

impl Locale {
    /// Locale "C".
    pub(crate) const fn new() -> Self {
        Self {
            values: [const { AtomicU8::new(0) }; LAST],
            other: [const { AtomicU8::new(0) }; OTHER_LEN],
            unused: [0; 281],
        }
    }

    /// The locale that a `locale_t` names; null is "C".
    ///
    /// # Safety
    /// `locale` is null or a valid `locale_t`, which stays one for `'a`.
    pub(crate) unsafe fn from_ptr<'a>(locale: *const Self) -> &'a Self {
        // SAFETY: as this function's own; all its fields may be changed through a shared reference.
        unsafe { locale.as_ref() }.unwrap_or(&_lc_C_locale)
    }

    /// The value of a category.
    pub(crate) fn value(&self, category: usize) -> Known {
        match self.values[category].load(Relaxed) {
            1 => Known::Posix,
            2 => Known::CUtf8,
            3 => Known::EnUs,
            4 => Known::Other,
            _ => Known::C,
        }
    }

    /// Sets a category.
    pub(crate) fn set(&self, category: usize, value: Known) {
        self.values[category].store(value as u8, Relaxed);
    }

    /// Sets the name for [`Known::Other`]; it is shorter than [`OTHER_LEN`].
    pub(crate) fn set_other(&self, name: &[u8]) {
        for (i, byte) in self.other.iter().enumerate() {
            byte.store(name.get(i).copied().unwrap_or(0), Relaxed);
        }
    }

    /// The name of a category's locale, ending in a zero.
    pub(crate) fn name(&self, category: usize) -> *const u8 {
        match self.value(category) {
            Known::C => c"C".as_ptr().cast(),
            Known::Posix => c"POSIX".as_ptr().cast(),
            Known::CUtf8 => c"C.UTF-8".as_ptr().cast(),
            Known::EnUs => c"en_US.UTF-8".as_ptr().cast(),
            Known::Other => self.other.as_ptr().cast(),
        }
    }

    /// Makes all categories what they are in `source`.
    pub(crate) fn copy_from(&self, source: &Self) {
        for (to, from) in self.values.iter().zip(&source.values).chain(self.other.iter().zip(&source.other)) {
            to.store(from.load(Relaxed), Relaxed);
        }
    }

    /// The encoding of its characters.
    #[inline]
    pub(crate) fn encoding(&self) -> Encoding {
        match self.values[CTYPE].load(Relaxed) {
            0 | 1 => Encoding::Bytes,
            _ => Encoding::Utf8,
        }
    }

    /// The character between groups of three digits, if it has one.
    pub(crate) fn thousands_separator(&self) -> Option<u8> {
        (self.value(NUMERIC) == Known::EnUs).then_some(b',')
    }
}

/// Locale "C".
#[cfg_attr(test, expect(non_upper_case_globals, reason = "the ABI's name"))]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub static _lc_C_locale: Locale = Locale::new();

/// The locale of functions that take none.
#[cfg_attr(test, expect(non_upper_case_globals, reason = "the ABI's name"))]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub static _lc_global_locale: Locale = Locale::new();

/// The locale of functions that take none.
#[inline]
pub(crate) fn global() -> &'static Locale {
    &_lc_global_locale
}

#[cfg(test)]
mod tests {
    #[test]
    fn has_the_size_of_the_abi() {
        assert_eq!(size_of::<super::Locale>(), 0x140);
    }
}
