//! regex.h: POSIX regular expressions without exponential cases.
//!
//! [`compile`] turns a pattern into a program for a small machine; [`execute`] runs all its threads in step over the text (Thompson's
//! construction with submatches, as in Pike's sam), so the time is proportional to text times pattern. The match is the leftmost and of
//! those the longest, as POSIX wants; submatches go to the first alternative and the greediest repetition that give that match.
//! Back-references cannot be done that way: a pattern with one is run by backtracking. Characters are bytes.

pub mod compile;
pub mod execute;
pub mod message;
pub mod program;
mod substitute;

use compile::Flags;
use core::ffi::{CStr, c_char, c_int, c_void};
use program::Program;

/// REG_NOSUB.
const NOSUB: c_int = 0o4;
/// REG_PEND.
const PEND: c_int = 0o40;
/// REG_NOTBOL.
const NOTBOL: c_int = 1;
/// REG_NOTEOL.
const NOTEOL: c_int = 2;
/// REG_STARTEND.
const STARTEND: c_int = 4;
/// What says that a `regex_t` was compiled.
const MAGIC: c_int = 0x7265_6762;

/// `regex_t`.
#[derive(Debug)]
#[repr(C)]
pub struct Regex {
    magic: c_int,
    /// The number of subexpressions.
    nsub: usize,
    end: *const c_char,
    guts: *mut c_void,
}

/// `regmatch_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Match {
    /// Where it starts, or -1.
    pub start: i64,
    /// Where it ends.
    pub end: i64,
}

impl Match {
    /// No match.
    pub const NONE: Self = Self { start: -1, end: -1 };
}

/// Compiles a pattern; 0 or an error.
///
/// # Safety
/// `regex` is writable (and says where the pattern ends under REG_PEND), `pattern` is a C string otherwise.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn regcomp(regex: *mut Regex, pattern: *const c_char, flags: c_int) -> c_int {
    // SAFETY: as this function's own; the block is as large as a program, and malloc(3) aligns for it.
    unsafe {
        let text = if flags & PEND != 0 {
            let length = (*regex).end.addr().saturating_sub(pattern.addr());
            core::slice::from_raw_parts(pattern.cast::<u8>(), length)
        } else {
            CStr::from_ptr(pattern).to_bytes()
        };
        let program = match compile::compile(text, Flags::new(flags)) {
            Ok(program) => program,
            Err(error) => return error as c_int,
        };
        let nsub = program.groups;
        let block = crate::stdlib::heap::malloc(size_of::<Program>()).cast::<Program>();
        if block.is_null() {
            return compile::Error::Space as c_int;
        }
        block.write(program);
        (*regex).magic = MAGIC;
        (*regex).nsub = nsub;
        (*regex).guts = block.cast();
        0
    }
}

/// Looks for a match; 0, or REG_NOMATCH or another error.
///
/// # Safety
/// `regex` was compiled, `text` is a C string (or the range in `matches` says where it is, under REG_STARTEND), `matches` has `count` elements.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn regexec(
    regex: *const Regex,
    text: *const c_char,
    count: usize,
    matches: *mut Match,
    flags: c_int,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        if (*regex).magic != MAGIC {
            return compile::Error::Pattern as c_int;
        }
        let program = &*(*regex).guts.cast::<Program>();
        let (base, length) = if flags & STARTEND != 0 {
            let range = *matches;
            (usize::try_from(range.start).unwrap_or(0), usize::try_from(range.end - range.start).unwrap_or(0))
        } else {
            (0, CStr::from_ptr(text).count_bytes())
        };
        let bytes = core::slice::from_raw_parts(text.cast::<u8>().add(base), length);
        let edges = execute::Edges { line_start: flags & NOTBOL == 0, line_end: flags & NOTEOL == 0 };
        let wanted = if program.flags.has(NOSUB) { 0 } else { count };
        let out = if wanted == 0 { &mut [] } else { core::slice::from_raw_parts_mut(matches, wanted) };
        match execute::execute(program, bytes, edges, out) {
            Ok(true) => {
                for found in out {
                    if found.start >= 0 {
                        found.start += base as i64;
                        found.end += base as i64;
                    }
                }
                0
            }
            Ok(false) => compile::Error::NoMatch as c_int,
            Err(_) => compile::Error::Space as c_int,
        }
    }
}

/// Gives a compiled pattern back.
///
/// # Safety
/// `regex` was compiled, or freed before.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn regfree(regex: *mut Regex) {
    // SAFETY: as this function's own.
    unsafe {
        if (*regex).magic == MAGIC {
            (*regex).magic = 0;
            let block = (*regex).guts.cast::<Program>();
            drop(block.read());
            crate::stdlib::heap::free(block.cast());
        }
    }
}

#[cfg(test)]
mod tests;
