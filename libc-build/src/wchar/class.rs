//! Classes and cases of wide characters: wctype.h, wcwidth(3), and the comparisons without regard to case.
//!
//! In locale "C" only ASCII characters have classes and cases; with UTF-8 they are Unicode's, as `core` knows them.

use super::encoding::Encoding;
use super::multibyte::WideChar;
use super::strings::characters;
use crate::locale::Locale;
use crate::locale::category::global;
use core::ffi::{c_char, c_int};
use core::ptr::{null, without_provenance};

/// The character, if the locale's encoding knows anything of it.
fn known(encoding: Encoding, c: c_int) -> Option<char> {
    let c = char::from_u32(c as u32)?;
    (encoding == Encoding::Utf8 || c.is_ascii()).then_some(c)
}

/// A class.
type Class = fn(char) -> bool;

fn is_alpha(c: char) -> bool {
    c.is_alphabetic()
}
fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}
fn is_alnum(c: char) -> bool {
    c.is_alphabetic() || c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric())
}
fn is_blank(c: char) -> bool {
    c == '\t' || (c.is_whitespace() && !is_line_break(c) && !is_no_break(c))
}
fn is_cntrl(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}
fn is_space(c: char) -> bool {
    c.is_whitespace() && !is_no_break(c)
}
fn is_lower(c: char) -> bool {
    c.is_lowercase()
}
fn is_upper(c: char) -> bool {
    c.is_uppercase()
}
fn is_xdigit(c: char) -> bool {
    c.is_ascii_hexdigit()
}
fn is_print(c: char) -> bool {
    // Beyond ASCII: what is neither a control character, nor of private use, nor no character at all.
    !is_cntrl(c)
        && !matches!(c as u32, 0xe000..=0xf8ff | 0xf_0000.. | 0xfdd0..=0xfdef)
        && c as u32 & 0xfffe != 0xfffe
}
fn is_graph(c: char) -> bool {
    is_print(c) && !c.is_whitespace()
}
fn is_punct(c: char) -> bool {
    is_graph(c) && !is_alnum(c)
}

/// White space that ends a line or a page.
fn is_line_break(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// White space that joins words.
fn is_no_break(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}')
}

/// Whether a character is in a class.
fn test(locale: &Locale, c: c_int, class: Class) -> c_int {
    known(locale.encoding(), c).is_some_and(class).into()
}

/// Defines a class's two functions.
macro_rules! classes {
    ($($name:ident $localised:ident $class:ident;)*) => {$(
        #[doc = concat!("`", stringify!($name), "`.")]
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $name(c: c_int) -> c_int {
            test(global(), c, $class)
        }

        #[doc = concat!("`", stringify!($localised), "`.")]
        ///
        /// # Safety
        /// `locale` is a locale.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $localised(c: c_int, locale: *const Locale) -> c_int {
            // SAFETY: as this function's own.
            test(unsafe { Locale::from_ptr(locale) }, c, $class)
        }
    )*};
}

classes! {
    iswalnum iswalnum_l is_alnum;
    iswalpha iswalpha_l is_alpha;
    iswblank iswblank_l is_blank;
    iswcntrl iswcntrl_l is_cntrl;
    iswdigit iswdigit_l is_digit;
    iswgraph iswgraph_l is_graph;
    iswlower iswlower_l is_lower;
    iswprint iswprint_l is_print;
    iswpunct iswpunct_l is_punct;
    iswspace iswspace_l is_space;
    iswupper iswupper_l is_upper;
    iswxdigit iswxdigit_l is_xdigit;
}

/// `wctype_t` and `wctrans_t`: pointers that only these functions understand.
pub type Handle = *const u8;

/// The classes by name; a handle is the place in this list, from 1.
const NAMES: [(&[u8], Class); 12] = [
    (b"alnum", is_alnum),
    (b"alpha", is_alpha),
    (b"blank", is_blank),
    (b"cntrl", is_cntrl),
    (b"digit", is_digit),
    (b"graph", is_graph),
    (b"lower", is_lower),
    (b"print", is_print),
    (b"punct", is_punct),
    (b"space", is_space),
    (b"upper", is_upper),
    (b"xdigit", is_xdigit),
];

/// wctype(3).
///
/// # Safety
/// `name` is a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wctype(name: *const c_char) -> Handle {
    // SAFETY: as this function's own.
    let name = unsafe { core::ffi::CStr::from_ptr(name) }.to_bytes();
    NAMES.iter().position(|&(it, _)| it == name).map_or(null(), |at| without_provenance(at + 1))
}

/// wctype_l(3).
///
/// # Safety
/// `name` is a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wctype_l(name: *const c_char, _locale: *const Locale) -> Handle {
    // SAFETY: as this function's own.
    unsafe { wctype(name) }
}

/// Whether a character is in the class of a handle.
fn is_of(locale: &Locale, c: c_int, class: Handle) -> c_int {
    NAMES.get(class.addr().wrapping_sub(1)).map_or(0, |&(_, class)| test(locale, c, class))
}

/// iswctype(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn iswctype(c: c_int, class: Handle) -> c_int {
    is_of(global(), c, class)
}

/// iswctype_l(3).
///
/// # Safety
/// `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn iswctype_l(c: c_int, class: Handle, locale: *const Locale) -> c_int {
    // SAFETY: as this function's own.
    is_of(unsafe { Locale::from_ptr(locale) }, c, class)
}

/// The one character that a mapping yields; a character that becomes several stays as it is.
fn single(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(it), None) => it,
        _ => c,
    }
}

/// A character in lower case.
fn lower(encoding: Encoding, c: c_int) -> c_int {
    known(encoding, c).map_or(c, |it| single(it, it.to_lowercase()) as c_int)
}

/// A character in upper case.
fn upper(encoding: Encoding, c: c_int) -> c_int {
    known(encoding, c).map_or(c, |it| single(it, it.to_uppercase()) as c_int)
}

/// towlower(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn towlower(c: c_int) -> c_int {
    lower(global().encoding(), c)
}

/// towlower_l(3).
///
/// # Safety
/// `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn towlower_l(c: c_int, locale: *const Locale) -> c_int {
    // SAFETY: as this function's own.
    lower(unsafe { Locale::from_ptr(locale) }.encoding(), c)
}

/// towupper(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn towupper(c: c_int) -> c_int {
    upper(global().encoding(), c)
}

/// towupper_l(3).
///
/// # Safety
/// `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn towupper_l(c: c_int, locale: *const Locale) -> c_int {
    // SAFETY: as this function's own.
    upper(unsafe { Locale::from_ptr(locale) }.encoding(), c)
}

/// wctrans(3).
///
/// # Safety
/// `name` is a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wctrans(name: *const c_char) -> Handle {
    // SAFETY: as this function's own.
    match unsafe { core::ffi::CStr::from_ptr(name) }.to_bytes() {
        b"tolower" => without_provenance(1),
        b"toupper" => without_provenance(2),
        _ => null(),
    }
}

/// wctrans_l(3).
///
/// # Safety
/// `name` is a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wctrans_l(name: *const c_char, _locale: *const Locale) -> Handle {
    // SAFETY: as this function's own.
    unsafe { wctrans(name) }
}

/// A character under the mapping of a handle.
fn mapped(encoding: Encoding, c: c_int, mapping: Handle) -> c_int {
    match mapping.addr() {
        1 => lower(encoding, c),
        2 => upper(encoding, c),
        _ => c,
    }
}

/// towctrans(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn towctrans(c: c_int, mapping: Handle) -> c_int {
    mapped(global().encoding(), c, mapping)
}

/// towctrans_l(3).
///
/// # Safety
/// `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn towctrans_l(c: c_int, mapping: Handle, locale: *const Locale) -> c_int {
    // SAFETY: as this function's own.
    mapped(unsafe { Locale::from_ptr(locale) }.encoding(), c, mapping)
}

/// The ranges of characters that take no column: combining marks and the like (Unicode's categories Mn, Me, Cf, the commoner blocks).
const NARROW: [(u32, u32); 14] = [
    (0x0300, 0x036f),
    (0x0483, 0x0489),
    (0x0591, 0x05bd),
    (0x0610, 0x061a),
    (0x064b, 0x065f),
    (0x0e34, 0x0e3a),
    (0x0e47, 0x0e4e),
    (0x1ab0, 0x1aff),
    (0x1dc0, 0x1dff),
    (0x200b, 0x200f),
    (0x20d0, 0x20f0),
    (0xfe00, 0xfe0f),
    (0xfe20, 0xfe2f),
    (0xe0100, 0xe01ef),
];

/// The ranges of characters that take two columns (Unicode's East Asian width W and F, by blocks).
const WIDE: [(u32, u32); 15] = [
    (0x1100, 0x115f),
    (0x2e80, 0x303e),
    (0x3041, 0x33ff),
    (0x3400, 0x4dbf),
    (0x4e00, 0x9fff),
    (0xa000, 0xa4cf),
    (0xa960, 0xa97f),
    (0xac00, 0xd7a3),
    (0xf900, 0xfaff),
    (0xfe30, 0xfe6f),
    (0xff01, 0xff60),
    (0xffe0, 0xffe6),
    (0x1f300, 0x1f64f),
    (0x1f900, 0x1f9ff),
    (0x20000, 0x3fffd),
];

/// The columns that a character takes; -1 if it cannot be printed.
fn columns(encoding: Encoding, c: c_int) -> c_int {
    if c == 0 {
        return 0;
    }
    let Some(it) = known(encoding, c).filter(|&it| is_print(it)) else { return -1 };
    let within =
        |ranges: &[(u32, u32)]| ranges.iter().any(|&(first, last)| (first..=last).contains(&(it as u32)));
    match it as u32 {
        0..0x300 => 1,
        _ if within(&NARROW) => 0,
        _ if within(&WIDE) => 2,
        _ => 1,
    }
}

/// wcwidth(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn wcwidth(c: WideChar) -> c_int {
    columns(global().encoding(), c)
}

/// wcwidth_l(3).
///
/// # Safety
/// `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcwidth_l(c: WideChar, locale: *const Locale) -> c_int {
    // SAFETY: as this function's own.
    columns(unsafe { Locale::from_ptr(locale) }.encoding(), c)
}

/// wcswidth(3).
///
/// # Safety
/// `text` is a wide string or has `most` characters.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcswidth(text: *const WideChar, most: usize) -> c_int {
    // SAFETY: as this function's own.
    unsafe { wcswidth_l(text, most, global()) }
}

/// wcswidth_l(3).
///
/// # Safety
/// As for [`wcswidth`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcswidth_l(text: *const WideChar, most: usize, locale: *const Locale) -> c_int {
    // SAFETY: as this function's own.
    let (text, encoding) = unsafe {
        let len = super::strings::wcsnlen(text, most);
        (core::slice::from_raw_parts(text, len), Locale::from_ptr(locale).encoding())
    };
    let mut sum = 0;
    for &c in text {
        match columns(encoding, c) {
            -1 => return -1,
            width => sum += width,
        }
    }
    sum
}

/// Compares without regard to case.
fn compare(encoding: Encoding, a: &[WideChar], b: &[WideChar]) -> c_int {
    a.iter().map(|&c| lower(encoding, c)).cmp(b.iter().map(|&c| lower(encoding, c))) as c_int
}

/// wcscasecmp(3).
///
/// # Safety
/// Both are wide strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcscasecmp(a: *const WideChar, b: *const WideChar) -> c_int {
    // SAFETY: as this function's own.
    unsafe { compare(global().encoding(), characters(a), characters(b)) }
}

/// wcscasecmp_l(3).
///
/// # Safety
/// Both are wide strings, `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcscasecmp_l(
    a: *const WideChar,
    b: *const WideChar,
    locale: *const Locale,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { compare(Locale::from_ptr(locale).encoding(), characters(a), characters(b)) }
}

/// wcsncasecmp(3).
///
/// # Safety
/// Both are wide strings or have `len` characters.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcsncasecmp(a: *const WideChar, b: *const WideChar, len: usize) -> c_int {
    // SAFETY: as this function's own.
    unsafe { wcsncasecmp_l(a, b, len, global()) }
}

/// wcsncasecmp_l(3).
///
/// # Safety
/// As for [`wcsncasecmp`], and `locale` is a locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcsncasecmp_l(
    a: *const WideChar,
    b: *const WideChar,
    len: usize,
    locale: *const Locale,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let part = |text| core::slice::from_raw_parts(text, super::strings::wcsnlen(text, len));
        compare(Locale::from_ptr(locale).encoding(), part(a), part(b))
    }
}

#[cfg(test)]
mod tests {
    use super::super::multibyte::WEOF;
    use super::*;

    #[test]
    fn ascii_has_the_classes_of_the_host() {
        let pairs: [(Class, unsafe extern "C" fn(c_int) -> c_int); 12] = [
            (is_alnum, libc::isalnum),
            (is_alpha, libc::isalpha),
            (is_blank, libc::isblank),
            (is_cntrl, libc::iscntrl),
            (is_digit, libc::isdigit),
            (is_graph, libc::isgraph),
            (is_lower, libc::islower),
            (is_print, libc::isprint),
            (is_punct, libc::ispunct),
            (is_space, libc::isspace),
            (is_upper, libc::isupper),
            (is_xdigit, libc::isxdigit),
        ];
        for c in 0..128u8 {
            for (class, host) in pairs {
                // SAFETY: the function takes any character.
                assert_eq!(class(c.into()), unsafe { host(c.into()) } != 0, "{c}");
            }
        }
    }

    #[test]
    fn cases_and_widths() {
        assert_eq!(lower(Encoding::Utf8, 'Ä' as c_int), 'ä' as c_int);
        assert_eq!(lower(Encoding::Bytes, 'Ä' as c_int), 'Ä' as c_int);
        assert_eq!(upper(Encoding::Utf8, 'ß' as c_int), 'ß' as c_int);
        assert_eq!(upper(Encoding::Utf8, WEOF), WEOF);
        assert_eq!(columns(Encoding::Utf8, '漢' as c_int), 2);
        assert_eq!(columns(Encoding::Utf8, 0x301), 0);
        assert_eq!(columns(Encoding::Utf8, 7), -1);
        assert_eq!(columns(Encoding::Bytes, 'x' as c_int), 1);
        // SAFETY: strings.
        unsafe {
            assert_ne!(iswctype('1' as c_int, wctype(c"digit".as_ptr())), 0);
            assert_eq!(iswctype('a' as c_int, wctype(c"digit".as_ptr())), 0);
            assert!(wctype(c"nothing".as_ptr()).is_null());
            assert_eq!(towctrans('a' as c_int, wctrans(c"toupper".as_ptr())), 'A' as c_int);
        }
    }
}
