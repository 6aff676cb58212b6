//! What is left of stdio.h: perror(3), remove(3), fmtcheck(3).

use super::lock::Locked;
use super::streams::stderr;
use super::write::{bytes_of, put};
use crate::errno;
use crate::string::error::strerror;
use crate::sys;
use core::ffi::{c_char, c_int};

/// perror(3).
///
/// # Safety
/// `prefix` is null or a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn perror(prefix: *const c_char) {
    let error = errno::get();
    // SAFETY: as this function's own; the standard streams are always there, and a message is a string.
    unsafe {
        let mut file = Locked::new(stderr());
        if !prefix.is_null() && *prefix != 0 {
            put(&mut file, bytes_of(prefix));
            put(&mut file, b": ");
        }
        put(&mut file, bytes_of(strerror(error)));
        put(&mut file, b"\n");
    }
    errno::set(error);
}

/// remove(3).
///
/// # Safety
/// `path` is a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn remove(path: *const c_char) -> c_int {
    // `struct stat` has 152 bytes, st_mode in the second word (sys/stat.h).
    let mut stat = [0u64; 19];
    // SAFETY: as this function's own, and the structure's size.
    unsafe {
        if sys::__lstat50(path, stat.as_mut_ptr().cast()) < 0 {
            return -1;
        }
        if stat[1] & 0o170_000 == 0o040_000 { sys::rmdir(path) } else { sys::unlink(path) }
    }
}

/// The arguments that a format takes, one after the other, as letters: `i` an int, `l` a word, `d` a double, `D` a long double, `p` a pointer.
struct Arguments<'a>(&'a [u8]);

impl Iterator for Arguments<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        loop {
            let at = self.0.iter().position(|&byte| byte == b'%')?;
            self.0 = &self.0[at + 1..];
            let mut is_long = false;
            loop {
                let (&byte, rest) = self.0.split_first()?;
                self.0 = rest;
                match byte {
                    b'*' => return Some(b'*'),
                    b'l' | b'q' | b'j' | b'z' | b't' | b'L' => is_long = true,
                    b'%' => break,
                    b'd' | b'i' | b'o' | b'u' | b'x' | b'X' | b'c' if is_long => return Some(b'l'),
                    b'd' | b'i' | b'o' | b'u' | b'x' | b'X' | b'c' => return Some(b'i'),
                    b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'a' | b'A' if is_long => return Some(b'D'),
                    b'e' | b'E' | b'f' | b'F' | b'g' | b'G' | b'a' | b'A' => return Some(b'd'),
                    b's' | b'p' | b'n' => return Some(byte),
                    _ => {}
                }
            }
        }
    }
}

/// fmtcheck(3): the first format if it takes the arguments that the second takes, otherwise the second.
///
/// # Safety
/// `format` is null or a string, `default` a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __fmtcheck(format: *const c_char, default: *const c_char) -> *const c_char {
    if format.is_null() {
        return default;
    }
    // SAFETY: as this function's own.
    let (given, wanted) = unsafe { (bytes_of(format), bytes_of(default)) };
    // A format may leave arguments out at its end.
    let mut wanted = Arguments(wanted);
    if Arguments(given).all(|it| wanted.next() == Some(it)) { format } else { default }
}

/// fmtcheck(3).
///
/// # Safety
/// As for [`__fmtcheck`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fmtcheck(format: *const c_char, default: *const c_char) -> *const c_char {
    // SAFETY: as this function's own.
    unsafe { __fmtcheck(format, default) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_compared_by_their_arguments() {
        let check = |format: &'static core::ffi::CStr, default: &'static core::ffi::CStr| {
            // SAFETY: strings.
            unsafe { fmtcheck(format.as_ptr(), default.as_ptr()) == format.as_ptr() }
        };
        assert!(check(c"%x and %s", c"%d: %s"));
        assert!(check(c"100%%", c"%d"));
        assert!(!check(c"%s", c"%d"));
        assert!(!check(c"%d %d", c"%d"));
        assert!(!check(c"%ld", c"%d"));
        assert!(check(c"%-5.2f", c"%g"));
    }
}
