//! Locales as objects: newlocale(3), duplocale(3), freelocale(3).

use super::category::{_lc_C_locale, _lc_global_locale, Locale};
use super::select::set;
use crate::errno::{self, EINVAL, ENOENT, ENOMEM};
use crate::stdlib::heap;
use core::ffi::{CStr, c_char, c_int};
use core::ptr::null_mut;

/// Whether it is one of the two that are always there.
fn is_builtin(locale: *const Locale) -> bool {
    core::ptr::eq(locale, &raw const _lc_C_locale) || core::ptr::eq(locale, &raw const _lc_global_locale)
}

/// duplocale(3).
///
/// # Safety
/// `source` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn duplocale(source: *const Locale) -> *mut Locale {
    // SAFETY: as this function's own; the memory is fresh and of the right size.
    unsafe {
        let copy: *mut Locale = heap::malloc(size_of::<Locale>()).cast();
        if copy.is_null() {
            errno::set(ENOMEM);
            return copy;
        }
        copy.write(Locale::new());
        (*copy).copy_from(Locale::from_ptr(source));
        copy
    }
}

/// newlocale(3).
///
/// # Safety
/// `name` is a string, `base` null or a locale that is not used any more if this function succeeds.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn newlocale(mask: c_int, name: *const c_char, base: *mut Locale) -> *mut Locale {
    if name.is_null() {
        errno::set(EINVAL);
        return null_mut();
    }
    // SAFETY: as this function's own.
    unsafe {
        let locale = duplocale(base);
        if locale.is_null() {
            return locale;
        }
        if !set(&*locale, mask as u32, CStr::from_ptr(name).to_bytes()) {
            freelocale(locale);
            errno::set(ENOENT);
            return null_mut();
        }
        freelocale(base);
        locale
    }
}

/// freelocale(3).
///
/// # Safety
/// `locale` is null or a locale that is not used any more.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn freelocale(locale: *mut Locale) {
    if !locale.is_null() && !is_builtin(locale) {
        // SAFETY: made by `duplocale`.
        unsafe { heap::free(locale.cast()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wchar::encoding::Encoding;

    #[test]
    fn a_locale_is_changed_in_parts() {
        // SAFETY: locales and strings.
        unsafe {
            let locale = newlocale(!0, c"C".as_ptr(), null_mut());
            let locale = newlocale(1 << 2, c"C.UTF-8".as_ptr(), locale);
            assert_eq!((*locale).encoding(), Encoding::Utf8);
            assert_eq!((*locale).thousands_separator(), None);
            assert!(newlocale(!0, c"nowhere".as_ptr(), locale).is_null());
            let copy = duplocale(locale);
            assert_eq!((*copy).encoding(), Encoding::Utf8);
            freelocale(locale);
            freelocale(copy);
            freelocale((&raw const _lc_C_locale).cast_mut());
        }
    }
}
