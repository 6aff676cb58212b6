//! ctype.h as functions. The C locale is the only one for single bytes: above 127 nothing is of any class.
//!
//! The tables that the headers' macros read belong to the locale; these functions need none.

use core::ffi::{c_int, c_void};

/// The argument as a byte; EOF and what is no byte are of no class.
fn byte(value: c_int) -> u8 {
    u8::try_from(value).unwrap_or(0x80)
}

macro_rules! classes {
    ($($name:ident $localised:ident $test:expr, $about:literal;)*) => {$(
        #[doc = $about]
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $name(value: c_int) -> c_int {
            let test: fn(u8) -> bool = $test;
            c_int::from(test(byte(value)))
        }

        #[doc = $about]
        /// In a given locale: all have the same classes.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $localised(value: c_int, _locale: *mut c_void) -> c_int {
            $name(value)
        }
    )*};
}

classes! {
    isalnum isalnum_l |byte| byte.is_ascii_alphanumeric(), "A letter or a digit.";
    isalpha isalpha_l |byte| byte.is_ascii_alphabetic(), "A letter.";
    isblank isblank_l |byte| matches!(byte, b' ' | b'\t'), "A blank or a tab.";
    iscntrl iscntrl_l |byte| byte.is_ascii_control(), "A control character.";
    isdigit isdigit_l |byte| byte.is_ascii_digit(), "A decimal digit.";
    isgraph isgraph_l |byte| byte.is_ascii_graphic(), "A character that leaves ink.";
    islower islower_l |byte| byte.is_ascii_lowercase(), "A lower-case letter.";
    isprint isprint_l |byte| matches!(byte, b' '..=b'~'), "A character that takes room: ink or a blank.";
    ispunct ispunct_l |byte| byte.is_ascii_punctuation(), "Ink that is neither letter nor digit.";
    isspace isspace_l |byte| matches!(byte, b' ' | b'\t'..=b'\r'), "White space.";
    isupper isupper_l |byte| byte.is_ascii_uppercase(), "An upper-case letter.";
    isxdigit isxdigit_l |byte| byte.is_ascii_hexdigit(), "A hexadecimal digit.";
}

/// The lower-case letter of an upper-case one; everything else as it is.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn tolower(value: c_int) -> c_int {
    if isupper(value) != 0 { value | 0x20 } else { value }
}

/// The upper-case letter of a lower-case one; everything else as it is.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn toupper(value: c_int) -> c_int {
    if islower(value) != 0 { value & !0x20 } else { value }
}

/// tolower(3) in a given locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn tolower_l(value: c_int, _locale: *mut c_void) -> c_int {
    tolower(value)
}

/// toupper(3) in a given locale.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn toupper_l(value: c_int, _locale: *mut c_void) -> c_int {
    toupper(value)
}

/// The lower-case letter of what is known to be an upper-case one.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn _tolower(value: c_int) -> c_int {
    value | 0x20
}

/// The upper-case letter of what is known to be a lower-case one.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn _toupper(value: c_int) -> c_int {
    value & !0x20
}

/// Whether `value` is ASCII.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn isascii(value: c_int) -> c_int {
    c_int::from((0..128).contains(&value))
}

/// The low seven bits.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn toascii(value: c_int) -> c_int {
    value & 127
}

#[cfg(test)]
mod tests {
    use super::*;

    mod host {
        use core::ffi::c_int;
        unsafe extern "C" {
            pub fn isalnum(value: c_int) -> c_int;
            pub fn isalpha(value: c_int) -> c_int;
            pub fn isblank(value: c_int) -> c_int;
            pub fn iscntrl(value: c_int) -> c_int;
            pub fn isgraph(value: c_int) -> c_int;
            pub fn isprint(value: c_int) -> c_int;
            pub fn ispunct(value: c_int) -> c_int;
            pub fn isspace(value: c_int) -> c_int;
            pub fn isxdigit(value: c_int) -> c_int;
            pub fn tolower(value: c_int) -> c_int;
            pub fn toupper(value: c_int) -> c_int;
        }
    }

    #[test]
    fn classes_are_those_of_the_host_in_the_c_locale() {
        for value in -1..256 {
            // SAFETY: EOF or a byte.
            unsafe {
                let ours = [isalnum, isalpha, isblank, iscntrl, isgraph, isprint, ispunct, isspace, isxdigit];
                let theirs = [
                    host::isalnum(value),
                    host::isalpha(value),
                    host::isblank(value),
                    host::iscntrl(value),
                    host::isgraph(value),
                    host::isprint(value),
                    host::ispunct(value),
                    host::isspace(value),
                    host::isxdigit(value),
                ];
                assert_eq!(ours.map(|class| class(value) != 0), theirs.map(|answer| answer != 0), "{value}");
                assert_eq!((tolower(value), toupper(value)), (host::tolower(value), host::toupper(value)));
            }
        }
    }
}
