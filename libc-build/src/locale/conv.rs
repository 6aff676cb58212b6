//! How numbers and amounts of money are written: localeconv(3).

use super::category::{Known, Locale, MONETARY, global};
use core::ffi::{CStr, c_char};

/// `struct lconv`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Conventions {
    pub(crate) decimal_point: *const c_char,
    pub(crate) thousands_sep: *const c_char,
    pub(crate) grouping: *const c_char,
    pub(crate) int_curr_symbol: *const c_char,
    pub(crate) currency_symbol: *const c_char,
    pub(crate) mon_decimal_point: *const c_char,
    pub(crate) mon_thousands_sep: *const c_char,
    pub(crate) mon_grouping: *const c_char,
    pub(crate) positive_sign: *const c_char,
    pub(crate) negative_sign: *const c_char,
    /// int_frac_digits, frac_digits, p_cs_precedes, p_sep_by_space, n_cs_precedes, n_sep_by_space, p_sign_posn, n_sign_posn, then
    /// the six of international amounts: p and n of cs_precedes, sep_by_space, sign_posn.
    pub(crate) digits: [u8; 14],
}

/// Conventions that never change, and may so be shared.
#[repr(transparent)]
struct Shared(Conventions);

// SAFETY: the strings are constants.
unsafe impl Sync for Shared {}

/// A member that a locale does not have.
const NONE: u8 = c_char::MAX as u8;

/// Conventions by whether numbers and amounts have those of the United States.
const fn conventions(numbers: bool, money: bool) -> Shared {
    const fn either(condition: bool, yes: &'static CStr) -> *const c_char {
        if condition { yes.as_ptr() } else { c"".as_ptr() }
    }
    Shared(Conventions {
        decimal_point: c".".as_ptr(),
        thousands_sep: either(numbers, c","),
        grouping: either(numbers, c"\x03"),
        int_curr_symbol: either(money, c"USD "),
        currency_symbol: either(money, c"$"),
        mon_decimal_point: either(money, c"."),
        mon_thousands_sep: either(money, c","),
        mon_grouping: either(money, c"\x03"),
        positive_sign: c"".as_ptr(),
        negative_sign: either(money, c"-"),
        digits: if money { [2, 2, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1] } else { [NONE; 14] },
    })
}

/// The four combinations.
static CONVENTIONS: [Shared; 4] =
    [conventions(false, false), conventions(true, false), conventions(false, true), conventions(true, true)];

/// The conventions of a locale.
pub(crate) fn of(locale: &Locale) -> &'static Conventions {
    let numbers = usize::from(locale.thousands_separator().is_some());
    let money = usize::from(locale.value(MONETARY) == Known::EnUs);
    CONVENTIONS.get(numbers + 2 * money).map_or(&CONVENTIONS[0].0, |it| &it.0)
}

/// localeconv(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn localeconv() -> *const Conventions {
    of(global())
}

/// localeconv_l(3).
///
/// # Safety
/// `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn localeconv_l(locale: *const Locale) -> *const Conventions {
    // SAFETY: as this function's own.
    of(unsafe { Locale::from_ptr(locale) })
}

#[cfg(test)]
mod tests {
    use super::super::category::NUMERIC;
    use super::*;

    #[test]
    fn conventions_follow_their_categories() {
        let locale = Locale::new();
        // SAFETY: the members are strings.
        let text = |pointer| unsafe { CStr::from_ptr(pointer) };
        assert_eq!(text(of(&locale).thousands_sep), c"");
        assert_eq!(of(&locale).digits[0], 127);
        locale.set(NUMERIC, Known::EnUs);
        assert_eq!(text(of(&locale).thousands_sep), c",");
        assert_eq!(text(of(&locale).currency_symbol), c"");
        locale.set(MONETARY, Known::EnUs);
        assert_eq!(text(of(&locale).currency_symbol), c"$");
        assert_eq!(size_of::<Conventions>(), 96);
    }
}
