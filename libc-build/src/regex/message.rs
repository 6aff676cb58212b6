//! regerror(3): what went wrong, in words.

use super::Regex;
use crate::string::build::strlcpy;
use crate::string::error::numbered;
use core::ffi::{CStr, c_char, c_int};

/// REG_ITOA: the error's name is wanted.
const ITOA: c_int = 0o400;

/// Names and explanations by number.
const MESSAGES: [(&CStr, &CStr); 18] = [
    (c"REG_OKAY", c"no errors detected"),
    (c"REG_NOMATCH", c"regexec() failed to match"),
    (c"REG_BADPAT", c"invalid regular expression"),
    (c"REG_ECOLLATE", c"invalid collating element"),
    (c"REG_ECTYPE", c"invalid character class"),
    (c"REG_EESCAPE", c"trailing backslash (\\)"),
    (c"REG_ESUBREG", c"invalid backreference number"),
    (c"REG_EBRACK", c"brackets ([ ]) not balanced"),
    (c"REG_EPAREN", c"parentheses not balanced"),
    (c"REG_EBRACE", c"braces not balanced"),
    (c"REG_BADBR", c"invalid repetition count(s)"),
    (c"REG_ERANGE", c"invalid character range"),
    (c"REG_ESPACE", c"out of memory"),
    (c"REG_BADRPT", c"repetition-operator operand invalid"),
    (c"REG_EMPTY", c"empty (sub)expression"),
    (c"REG_ASSERT", c"\"can't happen\" -- you found a bug"),
    (c"REG_INVARG", c"invalid argument to regex routine"),
    (c"REG_ILLSEQ", c"illegal byte sequence"),
];

/// Writes what an error means; returns how much room that takes.
///
/// # Safety
/// `buffer` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn regerror(
    code: c_int,
    _regex: *const Regex,
    buffer: *mut c_char,
    size: usize,
) -> usize {
    let mut unknown = [0_u8; 32];
    let found = usize::try_from(code & !ITOA).ok().and_then(|index| MESSAGES.get(index));
    let text = match found {
        Some((name, _)) if code & ITOA != 0 => name.as_ptr(),
        Some((_, text)) => text.as_ptr(),
        None => {
            numbered(&mut unknown, "REG_", code & !ITOA);
            unknown.as_ptr().cast()
        }
    };
    // SAFETY: C strings; strlcpy(3) keeps to the size.
    unsafe { strlcpy(buffer, text, size) + 1 }
}
