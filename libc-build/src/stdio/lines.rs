//! Lines of any length: getdelim(3), getline(3), fgetln(3), fparseln(3).

use super::file::{File, SERR};
use super::heap;
use super::lock::Locked;
use super::read::{available, consume};
use crate::errno::{self, EINVAL, ENOMEM, EOVERFLOW};
use core::ffi::{c_char, c_int};
use core::ptr::null_mut;

/// Reads up to a delimiter into a growing piece of heap. Returns how many bytes, without the zero behind them; -1 at the end of the file
/// or with an error.
///
/// # Safety
/// `buffer` is null or from the heap, with `capacity` bytes.
unsafe fn delimited(file: &mut File, buffer: &mut *mut u8, capacity: &mut usize, delimiter: u8) -> isize {
    let mut done = 0usize;
    if buffer.is_null() {
        *capacity = 0;
    }
    loop {
        let bytes = available(file);
        if bytes.is_empty() {
            if done == 0 || file.has(SERR) {
                return -1;
            }
            break;
        }
        let end = crate::stdio::find(bytes, delimiter);
        let part = end.map_or(bytes.len(), |at| at + 1);
        let Some(needed) = done.checked_add(part + 1).filter(|&needed| needed <= isize::MAX as usize) else {
            errno::set(EOVERFLOW);
            return -1;
        };
        if needed > *capacity {
            let size = needed.max(*capacity * 2).max(128);
            // SAFETY: as this function's own.
            let larger = unsafe { heap::resize(*buffer, size) };
            if larger.is_null() {
                errno::set(ENOMEM);
                file.flags |= SERR;
                return -1;
            }
            (*buffer, *capacity) = (larger, size);
        }
        // SAFETY: the capacity was seen to.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.wrapping_add(done), part) };
        consume(file, part);
        done += part;
        if end.is_some() {
            break;
        }
    }
    // SAFETY: the capacity is one more than what was read.
    unsafe { *buffer.wrapping_add(done) = 0 };
    done as isize
}

/// getdelim(3).
///
/// # Safety
/// `line` points to null or heap of `*capacity` bytes; `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getdelim(
    line: *mut *mut u8,
    capacity: *mut usize,
    delimiter: c_int,
    stream: *mut File,
) -> isize {
    // SAFETY: as this function's own; null is an error.
    let (Some(line), Some(capacity)) = (unsafe { line.as_mut() }, unsafe { capacity.as_mut() }) else {
        errno::set(EINVAL);
        return -1;
    };
    // SAFETY: as this function's own.
    unsafe { delimited(&mut Locked::new(stream), line, capacity, delimiter as u8) }
}

/// getline(3).
///
/// # Safety
/// As for [`getdelim`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getline(line: *mut *mut u8, capacity: *mut usize, stream: *mut File) -> isize {
    // SAFETY: as this function's own.
    unsafe { getdelim(line, capacity, b'\n'.into(), stream) }
}

/// fgetln(3): the line is the stream's until its next use, and ends in no zero that counts.
///
/// # Safety
/// `stream` is an open stream, `len` valid for a write.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fgetln(stream: *mut File, len: *mut usize) -> *mut u8 {
    // SAFETY: as this function's own.
    let mut file = unsafe { Locked::new(stream) };
    let ext = file.ext();
    let (mut line, mut size) = (ext.line, ext.line_size);
    // SAFETY: the stream's own line is from the heap.
    let got = unsafe { delimited(&mut file, &mut line, &mut size, b'\n') };
    let ext = file.ext();
    (ext.line, ext.line_size) = (line, size);
    let (result, got) = if got < 0 { (null_mut(), 0) } else { (line, got as usize) };
    // SAFETY: as this function's own.
    unsafe { *len = got };
    result
}

/// Leave an escaped escape character alone no more.
const UNESCESC: c_int = 1;
/// The same for an escaped continuation character.
const UNESCCONT: c_int = 2;
/// The same for an escaped comment character.
const UNESCCOMM: c_int = 4;
/// The same for any other escaped character.
const UNESCREST: c_int = 8;

/// Whether the byte at `at` is escaped: by an odd number of escape characters.
fn is_escaped(text: &[u8], at: usize, escape: u8) -> bool {
    escape != 0 && text[..at].iter().rev().take_while(|&&byte| byte == escape).count() % 2 == 1
}

/// fparseln(3): a logical line of a configuration file, from malloc(3).
///
/// # Safety
/// `stream` is an open stream; `size` and `line_number` are null or valid; `special` is null or three bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fparseln(
    stream: *mut File,
    size: *mut usize,
    line_number: *mut usize,
    special: *const [u8; 3],
    flags: c_int,
) -> *mut c_char {
    // SAFETY: as this function's own.
    let [escape, continuation, comment] = unsafe { special.as_ref() }.copied().unwrap_or(*b"\\\\#");
    // SAFETY: as this function's own.
    let mut file = unsafe { Locked::new(stream) };
    let (mut line, mut line_size) = (null_mut(), 0);
    let (mut text, mut len) = (null_mut::<u8>(), 0);
    let mut more = true;
    while more {
        // SAFETY: `line` is null or from the heap, of this size.
        let got = unsafe { delimited(&mut file, &mut line, &mut line_size, b'\n') };
        let Ok(got) = usize::try_from(got) else { break };
        // SAFETY: so many bytes were read, and `line_number` is the caller's.
        let mut part = unsafe {
            if let Some(number) = line_number.as_mut() {
                *number += 1;
            }
            core::slice::from_raw_parts(line, got)
        };
        part = part.strip_suffix(b"\n").unwrap_or(part);
        more = false;
        let found = (0..part.len()).find(|&at| part[at] == comment && !is_escaped(part, at, escape));
        if let Some(at) = found.filter(|_| comment != 0) {
            // A line of which only the comment is there is passed over, so that the next one is read.
            more = at == 0 && len == 0;
            part = &part[..at];
        }
        if let Some(last) = part.len().checked_sub(1)
            && continuation != 0
            && part[last] == continuation
            && !is_escaped(part, last, escape)
        {
            more = true;
            part = &part[..last];
        }
        // SAFETY: `text` is null or from the heap.
        let larger = unsafe { heap::resize(text, len + part.len() + 1) };
        if larger.is_null() {
            // SAFETY: both are null or from the heap, and not used any more.
            unsafe {
                heap::free(text);
                heap::free(line);
            }
            return null_mut();
        }
        text = larger;
        // SAFETY: the size was seen to.
        unsafe {
            core::ptr::copy_nonoverlapping(part.as_ptr(), text.wrapping_add(len), part.len());
            len += part.len();
            *text.wrapping_add(len) = 0;
        }
    }
    // SAFETY: null or from the heap.
    unsafe { heap::free(line) };
    if !text.is_null() && escape != 0 && flags != 0 {
        // SAFETY: so many bytes were written, and a zero.
        let bytes = unsafe { core::slice::from_raw_parts_mut(text, len + 1) };
        len = unescape(bytes, [escape, continuation, comment], flags);
    }
    // SAFETY: as this function's own.
    if let Some(size) = unsafe { size.as_mut() } {
        *size = len;
    }
    text.cast()
}

/// Removes the escape characters that `flags` names from a text that ends in a zero; returns its new length.
fn unescape(text: &mut [u8], [escape, continuation, comment]: [u8; 3], flags: c_int) -> usize {
    let (mut from, mut to) = (0, 0);
    let len = text.len() - 1;
    while from < len {
        if text[from] == escape && from + 1 < len {
            let next = text[from + 1];
            let flag = match next {
                _ if next == escape => UNESCESC,
                _ if next == continuation => UNESCCONT,
                _ if next == comment => UNESCCOMM,
                _ => UNESCREST,
            };
            if flags & flag == 0 {
                text[to] = escape;
                to += 1;
            }
            from += 1;
        }
        text[to] = text[from];
        to += 1;
        from += 1;
    }
    text[to] = 0;
    to
}
