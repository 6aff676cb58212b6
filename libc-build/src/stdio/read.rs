//! Reading: the way of bytes from the cookie through the buffer (fgetc(3), fgets(3), fread(3), ungetc(3)).

use super::buffer;
use super::file::{EOF, File, PUSHED, SEOF, SERR, SLBF, SNBF, SOFF, SRD, SRW, SWR};
use super::lock::Locked;
use super::streams::{flush_lines, stdin};
use super::write::flush;
use crate::errno::{self, EBADF};
use core::ffi::{c_char, c_int};
use core::ptr::null_mut;

/// Drops what the buffer holds unread, and characters that were pushed back.
pub(crate) fn discard(file: &mut File) {
    file.saved_p = null_mut();
    let ext = file.ext();
    ext.pushed_wide_len = 0;
    ext.input_state.reset();
    if file.has(SRD) {
        file.p = file.buffer.base;
    }
    file.r = 0;
}

/// Makes a stream ready to be read. Returns false, with errno set, if it is not open for that.
fn prepare(file: &mut File) -> bool {
    if !file.has(SRD) {
        if !file.has(SRW) {
            errno::set(EBADF);
            file.flags |= SERR;
            return false;
        }
        if file.has(SWR) {
            if !flush(file) {
                return false;
            }
            file.flags &= !SWR;
            (file.w, file.line_size) = (0, 0);
        }
        file.flags |= SRD;
    }
    if file.buffer.base.is_null() {
        buffer::make(file);
    }
    true
}

/// Reads from the cookie. Returns how much, 0 at the end of the file or with an error, which is noted in the stream.
///
/// # Safety
/// `to` is valid for writes of `size` bytes.
unsafe fn fetch(file: &mut File, to: *mut u8, size: usize) -> usize {
    if file.has(SLBF | SNBF) {
        // A program that waits for input wants its questions to be seen.
        flush_lines();
    }
    let Some(read) = file.read else {
        errno::set(EBADF);
        file.flags |= SERR;
        return 0;
    };
    // SAFETY: the function belongs to the cookie; the rest is this function's contract.
    let got = unsafe { read(file.cookie, to.cast(), size) };
    match usize::try_from(got) {
        Ok(0) => {
            file.flags |= SEOF;
            0
        }
        Ok(got) => {
            if file.has(SOFF) {
                file.offset += got as i64;
            }
            got.min(size)
        }
        Err(_) => {
            file.flags |= SERR;
            file.flags &= !SOFF;
            0
        }
    }
}

/// Fills the empty buffer. Returns false at the end of the file or with an error.
fn refill(file: &mut File) -> bool {
    file.r = 0;
    if file.has(SEOF) || !prepare(file) {
        return false;
    }
    if file.is_pushed() {
        file.drop_pushed();
        if file.r > 0 {
            return true;
        }
    }
    let (base, size) = (file.buffer.base, file.buffer.size as usize);
    file.p = base;
    // SAFETY: the buffer has this size.
    file.r = unsafe { fetch(file, base, size) } as c_int;
    file.r != 0
}

/// The unread bytes in the buffer, which is filled if there are none. Empty at the end of the file or with an error.
pub(crate) fn available(file: &mut File) -> &[u8] {
    if file.r <= 0 && !refill(file) {
        return &[];
    }
    // SAFETY: `r` bytes at `p` are there to be read (invariants of the stream).
    unsafe { core::slice::from_raw_parts(file.p, file.r as usize) }
}

/// Passes over bytes that [`available`] showed.
pub(crate) fn consume(file: &mut File, count: usize) {
    file.p = file.p.wrapping_add(count);
    file.r -= count as c_int;
}

/// Reads one byte.
#[inline]
pub(crate) fn get_byte(file: &mut File) -> Option<u8> {
    if file.r <= 0 && !refill(file) {
        return None;
    }
    // SAFETY: there is a byte to be read.
    let byte = unsafe { *file.p };
    consume(file, 1);
    Some(byte)
}

/// Reads up to `size` bytes; returns how many.
///
/// # Safety
/// `to` is valid for writes of `size` bytes.
pub(crate) unsafe fn get(file: &mut File, to: *mut u8, size: usize) -> usize {
    let mut done = 0;
    while done < size {
        let wanted = size - done;
        let to = to.wrapping_add(done);
        // What is as large as the buffer goes around it.
        if file.r <= 0 && !file.is_pushed() && !file.has(SEOF) && wanted >= file.buffer.size.max(1) as usize {
            if !prepare(file) {
                break;
            }
            if wanted >= file.buffer.size as usize {
                file.p = file.buffer.base;
                file.r = 0;
                // SAFETY: so many bytes are left of the caller's.
                match unsafe { fetch(file, to, wanted) } {
                    0 => break,
                    got => done += got,
                }
                continue;
            }
        }
        let bytes = available(file);
        if bytes.is_empty() {
            break;
        }
        let part = bytes.len().min(wanted);
        // SAFETY: so many bytes are left of the caller's, and they are not in the stream's buffer.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), to, part) };
        consume(file, part);
        done += part;
    }
    done
}

/// Pushes a byte back. Returns false if there is no room for it.
pub(crate) fn push_back(file: &mut File, byte: u8) -> bool {
    if !prepare(file) {
        return false;
    }
    file.flags &= !SEOF;
    let at_start = if file.is_pushed() {
        file.p == (&raw mut file.ext().pushed).cast()
    } else {
        file.p <= file.buffer.base
    };
    // The byte that was read comes back by a step, without anything being written.
    // SAFETY: the byte before `p` is in the buffer.
    if !at_start && unsafe { *file.p.wrapping_sub(1) } == byte {
        file.p = file.p.wrapping_sub(1);
        file.r += 1;
        return true;
    }
    if !file.is_pushed() {
        file.saved_p = file.p;
        file.saved_r = file.r;
        file.p = (&raw mut file.ext().pushed).cast::<u8>().wrapping_add(PUSHED);
        file.r = 0;
    } else if at_start {
        return false;
    }
    file.p = file.p.wrapping_sub(1);
    file.r += 1;
    // SAFETY: `p` lies in the array of pushed bytes, above its start.
    unsafe { *file.p = byte };
    true
}

/// What the macro `getc` calls, having counted `r` down.
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __srget(stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    let mut file = unsafe { Locked::new(stream) };
    file.r = 0;
    get_byte(&mut file).map_or(EOF, c_int::from)
}

/// fgetc(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fgetc(stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    get_byte(&mut *unsafe { Locked::new(stream) }).map_or(EOF, c_int::from)
}

/// getc(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getc(stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    unsafe { fgetc(stream) }
}

/// getc_unlocked(3).
///
/// # Safety
/// `stream` is an open stream that no other thread uses now.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getc_unlocked(stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    get_byte(unsafe { &mut *stream }).map_or(EOF, c_int::from)
}

/// getchar(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn getchar() -> c_int {
    // SAFETY: the standard streams are always there.
    unsafe { fgetc(stdin()) }
}

/// getchar_unlocked(3).
///
/// # Safety
/// No other thread uses stdin now.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getchar_unlocked() -> c_int {
    // SAFETY: as this function's own.
    unsafe { getc_unlocked(stdin()) }
}

/// getw(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getw(stream: *mut File) -> c_int {
    let mut word = [0u8; 4];
    // SAFETY: as this function's own, and the array's size.
    let got = unsafe { get(&mut Locked::new(stream), word.as_mut_ptr(), word.len()) };
    if got == word.len() { c_int::from_ne_bytes(word) } else { EOF }
}

/// ungetc(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn ungetc(c: c_int, stream: *mut File) -> c_int {
    if c == EOF {
        return EOF;
    }
    // SAFETY: as this function's own.
    let mut file = unsafe { Locked::new(stream) };
    if push_back(&mut file, c as u8) { c_int::from(c as u8) } else { EOF }
}

/// fread(3).
///
/// # Safety
/// `stream` is an open stream, and `items` is valid for writes of `count` items of `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fread(items: *mut u8, size: usize, count: usize, stream: *mut File) -> usize {
    let Some(len) = size.checked_mul(count).filter(|&len| len != 0) else { return 0 };
    // SAFETY: as this function's own.
    unsafe { get(&mut Locked::new(stream), items, len) / size }
}

/// Reads a line, its end included, of at most `most` bytes. Returns how many bytes were written; a zero follows them.
///
/// # Safety
/// `to` is valid for writes of `most` bytes and one more.
unsafe fn line(file: &mut File, to: *mut u8, most: usize) -> usize {
    let mut done = 0;
    while done < most {
        let bytes = available(file);
        if bytes.is_empty() {
            break;
        }
        let bytes = &bytes[..bytes.len().min(most - done)];
        let end = crate::stdio::find(bytes, b'\n');
        let part = end.map_or(bytes.len(), |at| at + 1);
        // SAFETY: there is room for what is left of `most`.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), to.wrapping_add(done), part) };
        consume(file, part);
        done += part;
        if end.is_some() {
            break;
        }
    }
    // SAFETY: one byte more than `most` is the caller's promise.
    unsafe { *to.wrapping_add(done) = 0 };
    done
}

/// fgets(3).
///
/// # Safety
/// `stream` is an open stream, and `to` is valid for writes of `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fgets(to: *mut c_char, size: c_int, stream: *mut File) -> *mut c_char {
    let Ok(most) = usize::try_from(size.wrapping_sub(1)) else { return null_mut() };
    // SAFETY: as this function's own.
    let mut file = unsafe { Locked::new(stream) };
    if most == 0 {
        // SAFETY: the buffer has one byte.
        unsafe { *to = 0 };
        return to;
    }
    // SAFETY: as this function's own. At the end of the file the buffer stays as it was, hence the look before.
    let done = if available(&mut file).is_empty() { 0 } else { unsafe { line(&mut file, to.cast(), most) } };
    if done == 0 || file.has(SERR) && file.r <= 0 { null_mut() } else { to }
}

/// gets(3).
///
/// # Safety
/// No line is longer than the buffer: use fgets(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn gets(to: *mut c_char) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe {
        let got = fgets(to, c_int::MAX, stdin());
        if !got.is_null() {
            let text: *mut u8 = to.cast();
            let len = core::ffi::CStr::from_ptr(to).count_bytes();
            let last = text.wrapping_add(len.wrapping_sub(1));
            if len != 0 && *last == b'\n' {
                *last = 0;
            }
        }
        got
    }
}
