//! What a locale calls things: nl_langinfo(3). The numbers are langinfo.h's.

use super::category::{Known, Locale, MONETARY, global};
use crate::wchar::encoding::Encoding;
use core::ffi::{CStr, c_char, c_long};

/// The items before RADIXCHAR, the same in every locale here.
const TIME: [&CStr; 44] = [
    c"%a %b %e %H:%M:%S %Y",
    c"%m/%d/%y",
    c"%H:%M:%S",
    c"%I:%M:%S %p",
    c"AM",
    c"PM",
    c"Sunday",
    c"Monday",
    c"Tuesday",
    c"Wednesday",
    c"Thursday",
    c"Friday",
    c"Saturday",
    c"Sun",
    c"Mon",
    c"Tue",
    c"Wed",
    c"Thu",
    c"Fri",
    c"Sat",
    c"January",
    c"February",
    c"March",
    c"April",
    c"May",
    c"June",
    c"July",
    c"August",
    c"September",
    c"October",
    c"November",
    c"December",
    c"Jan",
    c"Feb",
    c"Mar",
    c"Apr",
    c"May",
    c"Jun",
    c"Jul",
    c"Aug",
    c"Sep",
    c"Oct",
    c"Nov",
    c"Dec",
];

/// The text of an item.
fn item(locale: &Locale, item: c_long) -> &'static CStr {
    if let Some(text) = usize::try_from(item).ok().and_then(|item| TIME.get(item)) {
        return text;
    }
    match item {
        44 => c".",
        45 if locale.thousands_separator().is_some() => c",",
        46 => c"yes",
        47 => c"^[Yy]",
        48 => c"no",
        49 => c"^[Nn]",
        50 if locale.value(MONETARY) == Known::EnUs => c"-$",
        51 if locale.encoding() == Encoding::Utf8 => c"UTF-8",
        51 => c"646",
        _ => c"",
    }
}

/// nl_langinfo(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn nl_langinfo(number: c_long) -> *const c_char {
    item(global(), number).as_ptr()
}

/// nl_langinfo_l(3).
///
/// # Safety
/// `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn nl_langinfo_l(number: c_long, locale: *const Locale) -> *const c_char {
    // SAFETY: as this function's own.
    item(unsafe { Locale::from_ptr(locale) }, number).as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items() {
        let locale = Locale::new();
        assert_eq!(item(&locale, 6), c"Sunday");
        assert_eq!(item(&locale, 43), c"Dec");
        assert_eq!(item(&locale, 44), c".");
        assert_eq!(item(&locale, 45), c"");
        assert_eq!(item(&locale, 51), c"646");
        assert_eq!(item(&locale, -1), c"");
        assert_eq!(item(&locale, 1000), c"");
    }
}
