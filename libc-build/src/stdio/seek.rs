//! The position: fseek(3), ftell(3), rewind(3), fgetpos(3).

use super::file::{EOF, File, SAPP, SEOF, SERR, SOFF, SRD, SWR};
use super::lock::Locked;
use super::{read, write};
use crate::errno::{self, EINVAL, EOVERFLOW, ESPIPE};
use crate::wchar::encoding::MbState;
use core::ffi::{c_int, c_long};

/// From the file's start.
const SET: c_int = 0;
/// From the position.
const CUR: c_int = 1;
/// From the file's end.
const END: c_int = 2;

/// Asks the cookie to move. Returns the new position, or -1 with errno set.
fn move_to(file: &mut File, offset: i64, whence: c_int) -> i64 {
    let Some(seek) = file.seek else {
        errno::set(ESPIPE);
        return -1;
    };
    // SAFETY: the function belongs to the cookie.
    let position = unsafe { seek(file.cookie, offset, whence) };
    if position < 0 {
        file.flags &= !SOFF;
    } else {
        file.flags |= SOFF;
        file.offset = position;
    }
    position
}

/// The stream's position. -1 with errno set where it has none.
pub(crate) fn tell(file: &mut File) -> i64 {
    if file.has(SAPP) && !write::flush(file) {
        return -1;
    }
    let position = if file.has(SOFF) { file.offset } else { move_to(file, 0, CUR) };
    if position < 0 {
        return -1;
    }
    if file.has(SWR) {
        return position + file.pending() as i64;
    }
    (position - unread(file)).max(0)
}

/// How many bytes the file is ahead of the program.
fn unread(file: &File) -> i64 {
    i64::from(file.r) + if file.is_pushed() { i64::from(file.saved_r) } else { 0 }
}

/// Moves the file back to where the program is, if it can be moved.
pub(crate) fn realign(file: &mut File) {
    let ahead = unread(file);
    if ahead != 0 && file.seek.is_some() {
        move_to(file, -ahead, CUR);
    }
}

/// Moves the stream. Returns false with errno set if it cannot.
fn seek(file: &mut File, mut offset: i64, mut whence: c_int) -> bool {
    if !matches!(whence, SET | CUR | END) {
        errno::set(EINVAL);
        return false;
    }
    if file.seek.is_none() {
        errno::set(ESPIPE);
        return false;
    }
    if whence == CUR {
        let position = tell(file);
        if position < 0 {
            return false;
        }
        let Some(sum) = position.checked_add(offset) else {
            errno::set(EOVERFLOW);
            return false;
        };
        (offset, whence) = (sum, SET);
    }
    if whence == SET && offset < 0 {
        errno::set(EINVAL);
        return false;
    }
    if !write::flush(file) {
        return false;
    }
    if whence == SET && seek_in_buffer(file, offset) {
        return true;
    }
    read::discard(file);
    if move_to(file, offset, whence) < 0 {
        return false;
    }
    file.flags &= !SEOF;
    true
}

/// Moves within what has been read, if the position lies there.
fn seek_in_buffer(file: &mut File, target: i64) -> bool {
    if !file.has(SRD) || !file.has(SOFF) || file.is_pushed() || file.buffer.base.is_null() {
        return false;
    }
    let held = file.p.addr() as i64 + i64::from(file.r) - file.buffer.base.addr() as i64;
    let start = file.offset - held;
    if held == 0 || target < start || target >= file.offset {
        return false;
    }
    let ext = file.ext();
    ext.pushed_wide_len = 0;
    ext.input_state.reset();
    file.p = file.buffer.base.wrapping_add((target - start) as usize);
    file.r = (file.offset - target) as c_int;
    file.flags &= !SEOF;
    true
}

/// fseeko(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fseeko(stream: *mut File, offset: i64, whence: c_int) -> c_int {
    // SAFETY: as this function's own.
    if seek(&mut *unsafe { Locked::new(stream) }, offset, whence) { 0 } else { EOF }
}

/// fseek(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fseek(stream: *mut File, offset: c_long, whence: c_int) -> c_int {
    // SAFETY: as this function's own.
    unsafe { fseeko(stream, offset, whence) }
}

/// ftello(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn ftello(stream: *mut File) -> i64 {
    // SAFETY: as this function's own.
    tell(&mut *unsafe { Locked::new(stream) })
}

/// ftell(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn ftell(stream: *mut File) -> c_long {
    // SAFETY: as this function's own.
    unsafe { ftello(stream) }
}

/// rewind(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn rewind(stream: *mut File) {
    // SAFETY: as this function's own.
    let mut file = unsafe { Locked::new(stream) };
    seek(&mut file, 0, SET);
    file.flags &= !(SERR | SEOF);
}

/// `fpos_t`.
#[repr(C)]
#[derive(Debug)]
pub struct Position {
    offset: i64,
    input: MbState,
    output: MbState,
}

/// fgetpos(3).
///
/// # Safety
/// `stream` is an open stream, `position` valid for a write.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __fgetpos50(stream: *mut File, position: *mut Position) -> c_int {
    // SAFETY: as this function's own.
    let mut file = unsafe { Locked::new(stream) };
    let offset = tell(&mut file);
    if offset < 0 {
        return EOF;
    }
    // SAFETY: as this function's own.
    unsafe { position.write(Position { offset, input: file.ext().input_state, output: MbState::new() }) };
    0
}

/// fsetpos(3).
///
/// # Safety
/// `stream` is an open stream, `position` was set by fgetpos(3) on it.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __fsetpos50(stream: *mut File, position: *const Position) -> c_int {
    // SAFETY: as this function's own.
    let (mut file, position) = unsafe { (Locked::new(stream), &*position) };
    if !seek(&mut file, position.offset, SET) {
        return EOF;
    }
    file.ext().input_state = position.input;
    0
}
