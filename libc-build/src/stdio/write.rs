//! Writing: the way of bytes through the buffer to the cookie (fputc(3), fputs(3), fwrite(3), fflush(3)).

use super::buffer::{self, address};
use super::file::{EOF, File, SAPP, SEOF, SERR, SLBF, SNBF, SOFF, SRD, SRW, SWR};
use super::lock::Locked;
use super::streams::{flush_all, stdout};
use crate::errno::{self, EBADF};
use core::ffi::{c_char, c_int};

/// Hands bytes to the cookie. Returns false, with the error noted in the stream, if not all could be written.
fn hand_on(file: &mut File, mut bytes: &[u8]) -> bool {
    let Some(write) = file.write else {
        errno::set(EBADF);
        file.flags |= SERR;
        return false;
    };
    if file.has(SAPP) {
        // The descriptor appends by itself (O_APPEND): after this the file is at its end, wherever that is.
        file.flags &= !SOFF;
    }
    while !bytes.is_empty() {
        // SAFETY: the function belongs to the cookie, and so many bytes are there.
        let done = unsafe { write(file.cookie, address(bytes), bytes.len()) };
        let Some(rest) =
            usize::try_from(done).ok().filter(|&done| done != 0).and_then(|done| bytes.get(done..))
        else {
            file.flags |= SERR;
            file.flags &= !SOFF;
            return false;
        };
        if file.has(SOFF) {
            file.offset += done as i64;
        }
        bytes = rest;
    }
    true
}

/// Makes a stream ready to be written. Returns false, with errno set, if it is not open for that.
pub(crate) fn prepare(file: &mut File) -> bool {
    if file.has(SWR) && !file.buffer.base.is_null() {
        return true;
    }
    if !file.has(SWR) {
        if !file.has(SRW) {
            errno::set(EBADF);
            file.flags |= SERR;
            return false;
        }
        if file.has(SRD) {
            // The file is where the buffer ends: it goes back to where the program is, which fseek(3) may have left to this.
            super::seek::realign(file);
            super::read::discard(file);
            file.flags &= !(SRD | SEOF);
        }
        file.flags |= SWR;
    }
    if file.buffer.base.is_null() {
        buffer::make(file);
    }
    file.p = file.buffer.base;
    reset_room(file);
    true
}

/// Sets the counts for an empty buffer of a stream that is being written.
pub(crate) fn reset_room(file: &mut File) {
    (file.w, file.line_size) = if file.has(SLBF) {
        (0, -file.buffer.size)
    } else if file.has(SNBF) {
        (0, 0)
    } else {
        (file.buffer.size, 0)
    };
}

/// How many bytes fit in the buffer.
fn room(file: &File) -> usize {
    if file.has(SNBF) { 0 } else { (file.w - file.line_size).max(0) as usize }
}

/// Writes what the buffer holds. Returns whether all of it could be.
pub(crate) fn flush(file: &mut File) -> bool {
    if !file.has(SWR) || file.buffer.base.is_null() {
        return true;
    }
    let pending = file.pending();
    file.p = file.buffer.base;
    reset_room(file);
    if pending == 0 {
        return true;
    }
    // SAFETY: so many bytes of the buffer have been written to; nothing writes to it while they are handed on.
    let bytes = unsafe { core::slice::from_raw_parts(file.buffer.base, pending) };
    hand_on(file, bytes)
}

/// Copies bytes to the buffer, in which they fit.
fn store(file: &mut File, bytes: &[u8]) {
    // SAFETY: the caller has seen that there is room.
    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), file.p, bytes.len()) };
    file.p = file.p.wrapping_add(bytes.len());
    file.w -= bytes.len() as c_int;
}

/// Writes bytes, filling the buffer; what is as large as the buffer goes around it.
fn put_full(file: &mut File, mut bytes: &[u8]) -> bool {
    if bytes.len() <= room(file) {
        store(file, bytes);
        return true;
    }
    if file.pending() != 0 {
        let (head, tail) = bytes.split_at(room(file).min(bytes.len()));
        store(file, head);
        if !flush(file) {
            return false;
        }
        bytes = tail;
    }
    let size = file.buffer.size as usize;
    if bytes.len() >= size {
        let direct = bytes.len() - bytes.len() % size;
        let (head, tail) = bytes.split_at(direct);
        if !hand_on(file, head) {
            return false;
        }
        bytes = tail;
    }
    store(file, bytes);
    true
}

/// Writes bytes to a stream. Returns whether all of them went where they should.
pub(crate) fn put(file: &mut File, bytes: &[u8]) -> bool {
    if !prepare(file) {
        return false;
    }
    if file.has(SNBF) {
        return hand_on(file, bytes);
    }
    if file.has(SLBF)
        && let Some(last) = bytes.iter().rposition(|&byte| byte == b'\n')
    {
        let (lines, rest) = bytes.split_at(last + 1);
        return put_full(file, lines) && flush(file) && put_full(file, rest);
    }
    put_full(file, bytes)
}

/// Writes one byte.
#[inline]
pub(crate) fn put_byte(file: &mut File, byte: u8) -> c_int {
    file.w -= 1;
    if file.w >= 0 || (file.w >= file.line_size && byte != b'\n') {
        // SAFETY: there is room (invariants of the stream).
        unsafe { *file.p = byte };
        file.p = file.p.wrapping_add(1);
        return byte.into();
    }
    file.w += 1;
    put_byte_slowly(file, byte)
}

/// Writes one byte that does not fit or ends a line.
#[cold]
fn put_byte_slowly(file: &mut File, byte: u8) -> c_int {
    if put(file, &[byte]) { byte.into() } else { EOF }
}

/// What the macro `putc` calls, having counted `w` down.
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __swbuf(c: c_int, stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    let mut file = unsafe { Locked::new(stream) };
    if file.has(SWR) {
        file.w += 1;
    } else {
        file.w = 0;
    }
    put_byte_slowly(&mut file, c as u8)
}

/// fputc(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fputc(c: c_int, stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    put_byte(&mut *unsafe { Locked::new(stream) }, c as u8)
}

/// putc(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn putc(c: c_int, stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    unsafe { fputc(c, stream) }
}

/// putc_unlocked(3).
///
/// # Safety
/// `stream` is an open stream that no other thread uses now.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn putc_unlocked(c: c_int, stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    put_byte(unsafe { &mut *stream }, c as u8)
}

/// putchar(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn putchar(c: c_int) -> c_int {
    // SAFETY: the standard streams are always there.
    unsafe { fputc(c, stdout()) }
}

/// putchar_unlocked(3).
///
/// # Safety
/// No other thread uses stdout now.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn putchar_unlocked(c: c_int) -> c_int {
    // SAFETY: as this function's own.
    unsafe { putc_unlocked(c, stdout()) }
}

/// putw(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn putw(word: c_int, stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    if put(&mut *unsafe { Locked::new(stream) }, &word.to_ne_bytes()) { 0 } else { EOF }
}

/// The bytes of a C string.
///
/// # Safety
/// `text` is a string, which does not change for `'a`.
pub(crate) unsafe fn bytes_of<'a>(text: *const c_char) -> &'a [u8] {
    // SAFETY: as this function's own.
    unsafe { core::ffi::CStr::from_ptr(text) }.to_bytes()
}

/// fputs(3).
///
/// # Safety
/// `stream` is an open stream, `text` a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fputs(text: *const c_char, stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    if unsafe { put(&mut Locked::new(stream), bytes_of(text)) } { 0 } else { EOF }
}

/// puts(3).
///
/// # Safety
/// `text` is a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn puts(text: *const c_char) -> c_int {
    // SAFETY: the standard streams are always there, and as this function's own.
    let (mut file, text) = unsafe { (Locked::new(stdout()), bytes_of(text)) };
    if put(&mut file, text) && put_byte(&mut file, b'\n') != EOF { c_int::from(b'\n') } else { EOF }
}

/// fwrite(3).
///
/// # Safety
/// `stream` is an open stream, and `items` has `count` items of `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fwrite(items: *const u8, size: usize, count: usize, stream: *mut File) -> usize {
    let Some(len) = size.checked_mul(count).filter(|&len| len != 0) else { return 0 };
    // SAFETY: as this function's own.
    let (mut file, bytes) = unsafe { (Locked::new(stream), core::slice::from_raw_parts(items, len)) };
    if put(&mut file, bytes) { count } else { 0 }
}

/// fflush(3).
///
/// # Safety
/// `stream` is null or an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fflush(stream: *mut File) -> c_int {
    if stream.is_null() {
        return if flush_all() { 0 } else { EOF };
    }
    // SAFETY: as this function's own.
    let mut file = unsafe { Locked::new(stream) };
    if !flush(&mut file) {
        return EOF;
    }
    match file.flush {
        // SAFETY: the function belongs to the cookie.
        Some(flush) => unsafe { flush(file.cookie) },
        None => 0,
    }
}

/// fpurge(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fpurge(stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    let mut file = unsafe { Locked::new(stream) };
    if !file.has(SRD | SWR | SRW) {
        return errno::fail(EBADF);
    }
    super::read::discard(&mut file);
    file.p = file.buffer.base;
    if file.has(SWR) {
        reset_room(&mut file);
    }
    0
}
