//! Wide characters in streams: fgetwc(3), fputwc(3), fwide(3) and their relatives.
//!
//! The encoding is the global locale's at the time of the call.

use super::encoding::Step;
use super::multibyte::{WEOF, WideChar};
use super::strings::characters;
use crate::errno::{self, EILSEQ, ENOMEM};
use crate::locale::category::global;
use crate::stdio::file::{EOF, File, SEOF, SERR};
use crate::stdio::heap;
use crate::stdio::lock::Locked;
use crate::stdio::read::get_byte;
use crate::stdio::streams::{stdin, stdout};
use crate::stdio::write::put;
use core::ffi::c_int;
use core::ptr::null_mut;

/// Makes a stream that has no orientation yet a wide one.
fn orient(file: &mut File) {
    let ext = file.ext();
    if ext.orientation == 0 {
        ext.orientation = 1;
    }
}

/// Notes that the bytes of a stream are no character.
fn invalid(file: &mut File) {
    file.ext().input_state.reset();
    file.flags |= SERR;
    errno::set(EILSEQ);
}

/// Reads a character.
pub(crate) fn get(file: &mut File) -> Option<u32> {
    orient(file);
    let ext = file.ext();
    if let Some(last) = ext.pushed_wide_len.checked_sub(1) {
        ext.pushed_wide_len = last;
        return ext.pushed_wide.get(usize::from(last)).copied();
    }
    let encoding = global().encoding();
    loop {
        let Some(byte) = get_byte(file) else {
            if !file.ext().input_state.is_initial() {
                invalid(file);
            }
            return None;
        };
        match encoding.step(&mut file.ext().input_state, byte) {
            Step::More => {}
            Step::Char(c) => return Some(c),
            Step::Invalid => {
                invalid(file);
                return None;
            }
        }
    }
}

/// Pushes a character back. Returns false if there is no room for it.
pub(crate) fn push_back(file: &mut File, c: u32) -> bool {
    orient(file);
    let ext = file.ext();
    match ext.pushed_wide.get_mut(usize::from(ext.pushed_wide_len)) {
        None => false,
        Some(slot) => {
            *slot = c;
            ext.pushed_wide_len += 1;
            file.flags &= !SEOF;
            true
        }
    }
}

/// Writes a character.
pub(crate) fn put_wide(file: &mut File, c: u32) -> bool {
    orient(file);
    let mut bytes = [0; 4];
    match global().encoding().encode(c, &mut bytes) {
        Some(len) => put(file, bytes.get(..len).unwrap_or_default()),
        None => {
            file.flags |= SERR;
            errno::set(EILSEQ);
            false
        }
    }
}

/// fgetwc(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fgetwc(stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    get(&mut *unsafe { Locked::new(stream) }).map_or(WEOF, |c| c as c_int)
}

/// getwc(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getwc(stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    unsafe { fgetwc(stream) }
}

/// getwchar(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn getwchar() -> c_int {
    // SAFETY: the standard streams are always there.
    unsafe { fgetwc(stdin()) }
}

/// ungetwc(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn ungetwc(c: c_int, stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    if c != WEOF && push_back(&mut *unsafe { Locked::new(stream) }, c as u32) { c } else { WEOF }
}

/// fputwc(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fputwc(c: WideChar, stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    if put_wide(&mut *unsafe { Locked::new(stream) }, c as u32) { c } else { WEOF }
}

/// putwc(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn putwc(c: WideChar, stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    unsafe { fputwc(c, stream) }
}

/// putwchar(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn putwchar(c: WideChar) -> c_int {
    // SAFETY: the standard streams are always there.
    unsafe { fputwc(c, stdout()) }
}

/// fputws(3).
///
/// # Safety
/// `stream` is an open stream, `text` a wide string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fputws(text: *const WideChar, stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    let (mut file, text) = unsafe { (Locked::new(stream), characters(text)) };
    if text.iter().all(|&c| put_wide(&mut file, c as u32)) { 0 } else { EOF }
}

/// fgetws(3).
///
/// # Safety
/// `stream` is an open stream, `to` has room for `size` characters.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fgetws(to: *mut WideChar, size: c_int, stream: *mut File) -> *mut WideChar {
    let Ok(most) = usize::try_from(size.wrapping_sub(1)) else { return null_mut() };
    // SAFETY: as this function's own; one character of the size is left for the zero.
    unsafe {
        let mut file = Locked::new(stream);
        let mut done = 0;
        while done < most {
            let Some(c) = get(&mut file) else {
                if done == 0 || file.has(SERR) {
                    return null_mut();
                }
                break;
            };
            *to.wrapping_add(done) = c as WideChar;
            done += 1;
            if c == u32::from(b'\n') {
                break;
            }
        }
        *to.wrapping_add(done) = 0;
    }
    to
}

/// fgetwln(3): the line is the stream's until its next use.
///
/// # Safety
/// `stream` is an open stream, `len` valid for a write.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fgetwln(stream: *mut File, len: *mut usize) -> *mut WideChar {
    // SAFETY: as this function's own; the line is the stream's, from the heap, and as large as it says.
    unsafe {
        let mut file = Locked::new(stream);
        let mut done = 0;
        while let Some(c) = get(&mut file) {
            let ext = file.ext();
            if (done + 1) * size_of::<WideChar>() > ext.line_size {
                let size = (ext.line_size * 2).max(256);
                let larger = heap::resize(ext.line, size);
                if larger.is_null() {
                    errno::set(ENOMEM);
                    *len = 0;
                    return null_mut();
                }
                (ext.line, ext.line_size) = (larger, size);
            }
            ext.line.cast::<WideChar>().wrapping_add(done).write(c as WideChar);
            done += 1;
            if c == u32::from(b'\n') {
                break;
            }
        }
        *len = done;
        if done == 0 { null_mut() } else { file.ext().line.cast() }
    }
}

/// fwide(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fwide(stream: *mut File, mode: c_int) -> c_int {
    // SAFETY: as this function's own.
    let mut file = unsafe { Locked::new(stream) };
    let ext = file.ext();
    if ext.orientation == 0 {
        ext.orientation = mode.signum() as i8;
    }
    ext.orientation.into()
}
