//! Files of lines with fields between colons.

use crate::stdlib::array::Array;
use crate::sys;
use core::ffi::{CStr, c_char};

/// The largest file that is read.
const FILE_LIMIT_BYTES: usize = 1 << 20;
/// O_CLOEXEC.
const OPEN_FLAGS: core::ffi::c_int = 0x0040_0000;

/// A file's text; `builtin` where there is no such file.
pub(super) fn text(path: &CStr, builtin: &[u8]) -> Array<u8> {
    let mut text = Array::new();
    // SAFETY: a C string, and a buffer with its size.
    unsafe {
        let fd = sys::open(path.as_ptr(), OPEN_FLAGS);
        if fd >= 0 {
            let mut part = [0_u8; 512];
            while text.len() < FILE_LIMIT_BYTES {
                let got = sys::read(fd, part.as_mut_ptr().cast(), part.len());
                let Some(got) = usize::try_from(got).ok().filter(|&got| got > 0) else { break };
                if text.extend(part.get(..got).unwrap_or_default()).is_err() {
                    break;
                }
            }
            sys::close(fd);
        }
    }
    if text.is_empty() {
        // Without memory there is no entry at all, which the caller reports.
        let _ = text.extend(builtin);
    }
    text
}

/// The lines that hold something.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n').filter(|line| !matches!(line.first(), None | Some(b'#' | b'+' | b'-')))
}

/// A decimal number.
pub(super) fn number(text: &[u8]) -> Option<u32> {
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// Memory of the caller's that strings are put into.
pub(super) struct Room {
    at: *mut c_char,
    left: usize,
}

impl Room {
    /// `size` bytes at `at`.
    ///
    /// # Safety
    /// They are the caller's, for as long as the room is used.
    pub(super) unsafe fn new(at: *mut c_char, size: usize) -> Self {
        Self { at, left: size }
    }

    /// Copies a string with its end; None where it does not fit.
    pub(super) fn string(&mut self, text: &[u8]) -> Option<*mut c_char> {
        let rest = self.left.checked_sub(text.len() + 1)?;
        let start = self.at;
        // SAFETY: there is room for as many bytes and the end.
        unsafe {
            core::ptr::copy_nonoverlapping(text.as_ptr(), start.cast(), text.len());
            *start.add(text.len()) = 0;
            self.at = start.add(text.len() + 1);
        }
        self.left = rest;
        Some(start)
    }

    /// Room for `count` pointers.
    pub(super) fn pointers(&mut self, count: usize) -> Option<*mut *mut c_char> {
        let padding = self.at.align_offset(align_of::<*mut c_char>());
        let bytes = count.checked_mul(size_of::<*mut c_char>())?.checked_add(padding)?;
        let rest = self.left.checked_sub(bytes)?;
        let start = self.at.wrapping_add(padding).cast();
        self.at = self.at.wrapping_add(bytes);
        self.left = rest;
        Some(start)
    }
}
