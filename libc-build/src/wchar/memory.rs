//! A stream on wide characters in memory: open_wmemstream(3).
//!
//! The stream's bytes, which are in the locale's encoding, become wide characters again as they arrive.

use super::encoding::{MbState, Step};
use super::multibyte::WideChar;
use crate::errno::{self, EILSEQ};
use crate::locale::category::global;
use crate::stdio::file::File;
use crate::stdio::memory::{Growing, open_growing};
use core::ffi::{c_int, c_void};

/// The text, and a character that has not arrived whole.
struct Wide {
    text: Growing<WideChar>,
    state: MbState,
}

unsafe extern "C" fn write(cookie: *mut c_void, from: *const c_void, size: usize) -> isize {
    // SAFETY: the cookie is open_wmemstream's, the bytes are the caller's.
    unsafe {
        let it = &mut *cookie.cast::<Wide>();
        let encoding = global().encoding();
        for &byte in core::slice::from_raw_parts(from.cast::<u8>(), size) {
            let done = match encoding.step(&mut it.state, byte) {
                Step::More => Ok(()),
                Step::Char(c) => it.text.put(&[c as WideChar]),
                Step::Invalid => Err(EILSEQ),
            };
            if let Err(error) = done {
                it.state.reset();
                errno::set(error);
                return -1;
            }
        }
        it.text.show();
        size as isize
    }
}

unsafe extern "C" fn seek(cookie: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: the cookie is open_wmemstream's.
    unsafe {
        let it = &mut *cookie.cast::<Wide>();
        let position = it.text.seek(offset, whence);
        if position >= 0 {
            it.state.reset();
        }
        position
    }
}

/// open_wmemstream(3).
///
/// # Safety
/// Both places are valid until the stream is closed.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn open_wmemstream(shown: *mut *mut WideChar, shown_size: *mut usize) -> *mut File {
    let make = |text| Wide { text, state: MbState::new() };
    // SAFETY: as this function's own; a new stream has its extension.
    unsafe {
        let file = open_growing(shown, shown_size, make, |wide| wide.text, write, seek);
        if let Some(file) = file.as_mut() {
            file.ext().orientation = 1;
        }
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stdio::open::fclose;
    use crate::wchar::stream::fputws;
    use core::ptr::null_mut;

    #[test]
    fn text_in_memory() {
        let (mut text, mut size) = (null_mut(), 0);
        let words: Vec<WideChar> = "wide ÿ\0".chars().map(|c| c as WideChar).collect();
        // SAFETY: everything here lives to the end of the test.
        unsafe {
            let file = open_wmemstream(&raw mut text, &raw mut size);
            assert_eq!(fputws(words.as_ptr(), file), 0);
            assert_eq!(fclose(file), 0);
            assert_eq!((size, core::slice::from_raw_parts(text, 7)), (6, &words[..]));
            libc::free(text.cast());
        }
    }
}
