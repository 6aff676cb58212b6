//! Streams on memory: fmemopen(3), open_memstream(3).

use super::file::File;
use super::file::{SAPP, SRD, SRW, SWR};
use super::heap;
use super::open::{funopen2, parse_mode};
use crate::errno::{self, EINVAL, ENOMEM, ENOSPC, EOVERFLOW};
use core::ffi::{c_char, c_int, c_void};
use core::ptr::null_mut;

/// The position that a seek asks for, within `0..=most`.
pub(crate) fn target(position: usize, len: usize, most: usize, offset: i64, whence: c_int) -> Option<usize> {
    let base = match whence {
        0 => 0,
        1 => position,
        2 => len,
        _ => return None,
    };
    let at = i64::try_from(base).ok()?.checked_add(offset)?;
    usize::try_from(at).ok().filter(|&at| at <= most)
}

/// A buffer of fixed size.
struct Fixed {
    base: *mut u8,
    size: usize,
    /// How much of it is the file.
    len: usize,
    position: usize,
    is_appending: bool,
    is_owned: bool,
}

unsafe extern "C" fn fixed_read(cookie: *mut c_void, to: *mut c_void, size: usize) -> isize {
    // SAFETY: the cookie is fmemopen's, the buffer the caller's, and what is read lies within the file.
    unsafe {
        let it = &mut *cookie.cast::<Fixed>();
        let part = size.min(it.len.saturating_sub(it.position));
        core::ptr::copy_nonoverlapping(it.base.wrapping_add(it.position), to.cast(), part);
        it.position += part;
        part as isize
    }
}

unsafe extern "C" fn fixed_write(cookie: *mut c_void, from: *const c_void, size: usize) -> isize {
    // SAFETY: the cookie is fmemopen's, the bytes are the caller's, and what is written lies within the buffer.
    unsafe {
        let it = &mut *cookie.cast::<Fixed>();
        if it.is_appending {
            it.position = it.len;
        }
        let part = size.min(it.size - it.position);
        if part == 0 && size != 0 {
            errno::set(ENOSPC);
            return -1;
        }
        core::ptr::copy_nonoverlapping(from.cast(), it.base.wrapping_add(it.position), part);
        it.position += part;
        if it.position > it.len {
            it.len = it.position;
            if it.len < it.size {
                *it.base.wrapping_add(it.len) = 0;
            }
        }
        part as isize
    }
}

unsafe extern "C" fn fixed_seek(cookie: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: the cookie is fmemopen's.
    let it = unsafe { &mut *cookie.cast::<Fixed>() };
    match target(it.position, it.len, it.size, offset, whence) {
        Some(position) => {
            it.position = position;
            position as i64
        }
        None => errno::fail(EINVAL).into(),
    }
}

unsafe extern "C" fn fixed_close(cookie: *mut c_void) -> c_int {
    // SAFETY: the cookie is fmemopen's, and this is its last use.
    unsafe {
        let it = &*cookie.cast::<Fixed>();
        if it.is_owned {
            heap::free(it.base);
        }
        heap::free(cookie.cast());
    }
    0
}

/// fmemopen(3).
///
/// # Safety
/// `buffer` is null or has `size` bytes, which are the stream's until it is closed; `mode` is a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fmemopen(buffer: *mut c_void, size: usize, mode: *const c_char) -> *mut File {
    // SAFETY: as this function's own.
    unsafe {
        let Some((flags, _)) = parse_mode(mode).filter(|_| size != 0) else {
            errno::set(EINVAL);
            return null_mut();
        };
        let is_owned = buffer.is_null();
        let cookie: *mut Fixed = heap::allocate(size_of::<Fixed>()).cast();
        let base = if is_owned { heap::allocate(size) } else { buffer.cast() };
        if cookie.is_null() || base.is_null() {
            heap::free(cookie.cast());
            errno::set(ENOMEM);
            return null_mut();
        }
        let first = *mode.cast::<u8>();
        if is_owned || first == b'w' {
            *base = 0;
        }
        // A file that is read is all of the buffer, one that is appended to ends at its zero.
        let len = match first {
            b'r' if !is_owned => size,
            b'a' => (0..size).find(|&i| *base.wrapping_add(i) == 0).unwrap_or(size),
            _ => 0,
        };
        let is_appending = flags & SAPP != 0;
        let position = if is_appending { len } else { 0 };
        cookie.write(Fixed { base, size, len, position, is_appending, is_owned });
        let file = funopen2(
            cookie.cast(),
            (flags & (SRD | SRW) != 0).then_some(fixed_read as _),
            (flags & (SWR | SRW) != 0).then_some(fixed_write as _),
            Some(fixed_seek),
            None,
            Some(fixed_close),
        );
        if file.is_null() {
            fixed_close(cookie.cast());
        }
        file
    }
}

/// A text that grows, of bytes or of wide characters, and where the program wants to see it. Sizes count elements.
pub(crate) struct Growing<T> {
    shown: *mut *mut T,
    shown_size: *mut usize,
    base: *mut T,
    capacity: usize,
    len: usize,
    position: usize,
}

impl<T: Copy> Growing<T> {
    /// An empty text, which is not shown yet; None without memory.
    pub(crate) fn new(shown: *mut *mut T, shown_size: *mut usize) -> Option<Self> {
        let mut it = Self { shown, shown_size, base: null_mut(), capacity: 0, len: 0, position: 0 };
        it.reserve(0).then_some(it)
    }

    /// Makes room for `size` elements and a zero; new ones are zero.
    fn reserve(&mut self, size: usize) -> bool {
        if size < self.capacity {
            return true;
        }
        let capacity = (size + 1).max(self.capacity * 2);
        let Some(bytes) = capacity.checked_mul(size_of::<T>()) else { return false };
        // SAFETY: the buffer is from the heap.
        let larger: *mut T = unsafe { heap::resize(self.base.cast(), bytes) }.cast();
        if larger.is_null() {
            return false;
        }
        // SAFETY: the new part belongs to the buffer.
        unsafe { larger.wrapping_add(self.capacity).write_bytes(0, capacity - self.capacity) };
        (self.base, self.capacity) = (larger, capacity);
        true
    }

    /// Appends or replaces elements; Err with an error number.
    pub(crate) fn put(&mut self, elements: &[T]) -> Result<(), c_int> {
        let limit = isize::MAX as usize / size_of::<T>();
        let end = self.position.checked_add(elements.len()).filter(|&end| end < limit).ok_or(EOVERFLOW)?;
        if !self.reserve(end) {
            return Err(ENOMEM);
        }
        // SAFETY: there is room for them, and for a zero behind them.
        unsafe {
            core::ptr::copy_nonoverlapping(
                elements.as_ptr(),
                self.base.wrapping_add(self.position),
                elements.len(),
            );
            self.position = end;
            if end > self.len {
                self.len = end;
                self.base.wrapping_add(end).write_bytes(0, 1);
            }
        }
        Ok(())
    }

    /// Goes to another position, and shows the program where the text is; -1 with EINVAL where there is no such position.
    ///
    /// # Safety
    /// As [`Self::show`].
    pub(crate) unsafe fn seek(&mut self, offset: i64, whence: c_int) -> i64 {
        let most = isize::MAX as usize / size_of::<T>() - 1;
        let Some(position) = target(self.position, self.len, most, offset, whence) else {
            return errno::fail(EINVAL).into();
        };
        self.position = position;
        // SAFETY: as this function's own.
        unsafe { self.show() };
        position as i64
    }

    /// Shows the program where the text is.
    ///
    /// # Safety
    /// The program's places are still valid (open_memstream(3)).
    pub(crate) unsafe fn show(&self) {
        // SAFETY: as this function's own.
        unsafe {
            *self.shown = self.base;
            *self.shown_size = self.len.min(self.position);
        }
    }

    /// Frees the text.
    ///
    /// # Safety
    /// Nobody uses it any more.
    unsafe fn free(self) {
        // SAFETY: as this function's own; the buffer is from the heap.
        unsafe { heap::free(self.base.cast()) };
    }
}

unsafe extern "C" fn growing_write(cookie: *mut c_void, from: *const c_void, size: usize) -> isize {
    // SAFETY: the cookie is open_memstream's, the bytes are the caller's.
    unsafe {
        let it = &mut *cookie.cast::<Growing<u8>>();
        if let Err(error) = it.put(core::slice::from_raw_parts(from.cast(), size)) {
            errno::set(error);
            return -1;
        }
        it.show();
    }
    size as isize
}

unsafe extern "C" fn growing_seek(cookie: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: the cookie is open_memstream's.
    unsafe { (*cookie.cast::<Growing<u8>>()).seek(offset, whence) }
}

unsafe extern "C" fn growing_close(cookie: *mut c_void) -> c_int {
    // SAFETY: the cookie is the stream's, and this is its last use. The buffer is the program's now.
    unsafe { heap::free(cookie.cast()) };
    0
}

/// Opens a stream that writes to a growing text. `make` puts the text into what the functions find behind their cookie.
///
/// # Safety
/// Both places are null or valid until the stream is closed; the functions take a cookie that points to a `C`, and `text_of` finds the text in it.
pub(crate) unsafe fn open_growing<T: Copy, C>(
    shown: *mut *mut T,
    shown_size: *mut usize,
    make: impl FnOnce(Growing<T>) -> C,
    text_of: impl FnOnce(C) -> Growing<T>,
    write: unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> isize,
    seek: unsafe extern "C" fn(*mut c_void, i64, c_int) -> i64,
) -> *mut File {
    if shown.is_null() || shown_size.is_null() {
        errno::set(EINVAL);
        return null_mut();
    }
    let cookie: *mut C = heap::allocate(size_of::<C>()).cast();
    let text = if cookie.is_null() { None } else { Growing::new(shown, shown_size) };
    // SAFETY: as this function's own; the cookie is fresh.
    unsafe {
        let Some(text) = text else {
            heap::free(cookie.cast());
            errno::set(ENOMEM);
            return null_mut();
        };
        text.show();
        cookie.write(make(text));
        let file = funopen2(cookie.cast(), None, Some(write), Some(seek), None, Some(growing_close));
        if file.is_null() {
            text_of(cookie.read()).free();
            heap::free(cookie.cast());
        }
        file
    }
}

/// open_memstream(3).
///
/// # Safety
/// Both places are valid until the stream is closed.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn open_memstream(shown: *mut *mut u8, shown_size: *mut usize) -> *mut File {
    // SAFETY: as this function's own.
    unsafe { open_growing(shown, shown_size, |text| text, |text| text, growing_write, growing_seek) }
}
