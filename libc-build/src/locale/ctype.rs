//! The tables behind the macros of ctype.h (sys/ctype_bits.h, sys/ctype_inline.h).
//!
//! They are indexed by the character and one: the first entry is EOF's. In every locale only ASCII has classes here, since a byte beyond it is
//! no character of its own in UTF-8.

use core::ffi::c_int;

const ALPHA: u16 = 0x0001;
const CONTROL: u16 = 0x0002;
const DIGIT: u16 = 0x0004;
const GRAPH: u16 = 0x0008;
const LOWER: u16 = 0x0010;
const PUNCT: u16 = 0x0020;
const SPACE: u16 = 0x0040;
const UPPER: u16 = 0x0080;
const XDIGIT: u16 = 0x0100;
const BLANK: u16 = 0x0200;
const PRINT: u16 = 0x0400;

/// The classes of a byte.
const fn classes(c: u8) -> u16 {
    let hex = if c.is_ascii_hexdigit() { XDIGIT } else { 0 };
    match c {
        b'\t' => CONTROL | SPACE | BLANK,
        b'\n'..=b'\r' => CONTROL | SPACE,
        0..=0x1f | 0x7f => CONTROL,
        b' ' => SPACE | BLANK | PRINT,
        b'0'..=b'9' => DIGIT | GRAPH | PRINT | hex,
        b'A'..=b'Z' => ALPHA | UPPER | GRAPH | PRINT | hex,
        b'a'..=b'z' => ALPHA | LOWER | GRAPH | PRINT | hex,
        0x80.. => 0,
        _ => PUNCT | GRAPH | PRINT,
    }
}

/// The table of classes.
const fn class_table() -> [u16; 257] {
    let mut table = [0; 257];
    let mut c = 0;
    while c < 256 {
        table[c + 1] = classes(c as u8);
        c += 1;
    }
    table
}

/// The table of a case.
const fn case_table(is_upper: bool) -> [i16; 257] {
    let mut table = [-1; 257];
    let mut c = 0;
    while c < 256 {
        let byte = c as u8;
        table[c + 1] = (if is_upper { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() }) as i16;
        c += 1;
    }
    table
}

/// The classes of each character.
#[cfg_attr(test, expect(non_upper_case_globals, reason = "the ABI's name"))]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub static _C_ctype_tab_: [u16; 257] = class_table();

/// Each character in lower case.
#[cfg_attr(test, expect(non_upper_case_globals, reason = "the ABI's name"))]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub static _C_tolower_tab_: [i16; 257] = case_table(false);

/// Each character in upper case.
#[cfg_attr(test, expect(non_upper_case_globals, reason = "the ABI's name"))]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub static _C_toupper_tab_: [i16; 257] = case_table(true);

/// The locale's table of classes.
#[cfg_attr(test, expect(non_upper_case_globals, reason = "the ABI's name"))]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub static _ctype_tab_: &[u16; 257] = &_C_ctype_tab_;

/// The locale's table of lower case.
#[cfg_attr(test, expect(non_upper_case_globals, reason = "the ABI's name"))]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub static _tolower_tab_: &[i16; 257] = &_C_tolower_tab_;

/// The locale's table of upper case.
#[cfg_attr(test, expect(non_upper_case_globals, reason = "the ABI's name"))]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub static _toupper_tab_: &[i16; 257] = &_C_toupper_tab_;

/// The character that stands for none.
const _: () = assert!(_C_tolower_tab_[0] as c_int == -1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_the_hosts() {
        type Host = unsafe extern "C" fn(c_int) -> c_int;
        let pairs: [(u16, Host); 12] = [
            (ALPHA | DIGIT, libc::isalnum),
            (ALPHA, libc::isalpha),
            (BLANK, libc::isblank),
            (CONTROL, libc::iscntrl),
            (DIGIT, libc::isdigit),
            (GRAPH, libc::isgraph),
            (LOWER, libc::islower),
            (PRINT, libc::isprint),
            (PUNCT, libc::ispunct),
            (SPACE, libc::isspace),
            (UPPER, libc::isupper),
            (XDIGIT, libc::isxdigit),
        ];
        for c in -1..256 {
            let at = (c + 1) as usize;
            for (bits, host) in pairs {
                // SAFETY: the functions take any byte and EOF.
                assert_eq!(_ctype_tab_[at] & bits != 0, unsafe { host(c) } != 0, "{c}");
            }
            // SAFETY: as above.
            unsafe {
                assert_eq!(c_int::from(_tolower_tab_[at]), libc::tolower(c));
                assert_eq!(c_int::from(_toupper_tab_[at]), libc::toupper(c));
            }
        }
    }
}
