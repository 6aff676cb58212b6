//! A stream on wide characters in memory: open_wmemstream(3).
//!
//! The stream's bytes, which are in the locale's encoding, become wide characters again as they arrive.

use super::encoding::{MbState, Step};
use super::multibyte::WideChar;
use crate::errno::{self, EILSEQ, EINVAL, ENOMEM};
use crate::locale::category::global;
use crate::stdio::file::File;
use crate::stdio::heap;
use crate::stdio::memory::target;
use crate::stdio::open::funopen2;
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

/// A buffer that grows, and where the program wants to see it. Sizes count characters.
struct Growing {
    shown: *mut *mut WideChar,
    shown_size: *mut usize,
    base: *mut WideChar,
    capacity: usize,
    len: usize,
    position: usize,
    state: MbState,
}

impl Growing {
    /// Makes room for `size` characters and a zero; new ones are zero.
    fn reserve(&mut self, size: usize) -> bool {
        if size < self.capacity {
            return true;
        }
        let capacity = (size + 1).max(self.capacity * 2);
        let Some(bytes) = capacity.checked_mul(size_of::<WideChar>()) else { return false };
        // SAFETY: the buffer is from the heap.
        let larger: *mut WideChar = unsafe { heap::resize(self.base.cast(), bytes) }.cast();
        if larger.is_null() {
            return false;
        }
        // SAFETY: the new part belongs to the buffer.
        unsafe { larger.wrapping_add(self.capacity).write_bytes(0, capacity - self.capacity) };
        (self.base, self.capacity) = (larger, capacity);
        true
    }

    /// Appends or replaces a character.
    fn put(&mut self, c: u32) -> bool {
        if !self.reserve(self.position + 1) {
            return false;
        }
        // SAFETY: there is room for it, and for a zero behind it.
        unsafe {
            *self.base.wrapping_add(self.position) = c as WideChar;
            self.position += 1;
            if self.position > self.len {
                self.len = self.position;
                *self.base.wrapping_add(self.len) = 0;
            }
        }
        true
    }

    /// Shows the program where the text is.
    ///
    /// # Safety
    /// The program's places are still valid (open_wmemstream(3)).
    unsafe fn show(&self) {
        // SAFETY: as this function's own.
        unsafe {
            *self.shown = self.base;
            *self.shown_size = self.len.min(self.position);
        }
    }
}

unsafe extern "C" fn write(cookie: *mut c_void, from: *const c_void, size: usize) -> isize {
    // SAFETY: the cookie is open_wmemstream's, the bytes are the caller's.
    unsafe {
        let it = &mut *cookie.cast::<Growing>();
        let encoding = global().encoding();
        for &byte in core::slice::from_raw_parts(from.cast::<u8>(), size) {
            let error = match encoding.step(&mut it.state, byte) {
                Step::More => continue,
                Step::Char(c) if it.put(c) => continue,
                Step::Char(_) => ENOMEM,
                Step::Invalid => EILSEQ,
            };
            it.state.reset();
            errno::set(error);
            return -1;
        }
        it.show();
        size as isize
    }
}

unsafe extern "C" fn seek(cookie: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: the cookie is open_wmemstream's.
    unsafe {
        let it = &mut *cookie.cast::<Growing>();
        match target(it.position, it.len, isize::MAX as usize / 8, offset, whence) {
            Some(position) => {
                it.position = position;
                it.state.reset();
                it.show();
                position as i64
            }
            None => errno::fail(EINVAL).into(),
        }
    }
}

unsafe extern "C" fn close(cookie: *mut c_void) -> c_int {
    // SAFETY: the cookie is open_wmemstream's, and this is its last use. The buffer is the program's now.
    unsafe { heap::free(cookie.cast()) };
    0
}

/// open_wmemstream(3).
///
/// # Safety
/// Both places are valid until the stream is closed.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn open_wmemstream(shown: *mut *mut WideChar, shown_size: *mut usize) -> *mut File {
    if shown.is_null() || shown_size.is_null() {
        errno::set(EINVAL);
        return null_mut();
    }
    let cookie: *mut Growing = heap::allocate(size_of::<Growing>()).cast();
    let mut it = Growing {
        shown,
        shown_size,
        base: null_mut(),
        capacity: 0,
        len: 0,
        position: 0,
        state: MbState::new(),
    };
    if cookie.is_null() || !it.reserve(0) {
        // SAFETY: null or from the heap.
        unsafe { heap::free(cookie.cast()) };
        errno::set(ENOMEM);
        return null_mut();
    }
    // SAFETY: as this function's own; the cookie is fresh, and so is the stream.
    unsafe {
        it.show();
        let base = it.base;
        cookie.write(it);
        let file = funopen2(cookie.cast(), None, Some(write), Some(seek), None, Some(close));
        match file.as_mut() {
            None => {
                heap::free(base.cast());
                heap::free(cookie.cast());
            }
            Some(file) => file.ext().orientation = 1,
        }
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stdio::open::fclose;
    use crate::wchar::stream::fputws;

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
