//! A stream's buffer: made when it is first needed, or given by setvbuf(3).

use super::file::{EOF, File, SLBF, SMBF, SNBF, SRD, SWR};
use super::lock::Locked;
use super::{heap, read, streams, write};
#[cfg(not(test))]
use crate::sys;
#[cfg(not(test))]
use core::ffi::c_ulong;
use core::ffi::{c_int, c_void};

/// BUFSIZ of the header, which is what setbuf(3) assumes.
const BUFSIZ: c_int = 1024;
/// The size where the file has no opinion, and the least that it may have.
const ORDINARY: c_int = 4096;
/// The greatest size that a file may ask for.
#[cfg(not(test))]
const GREATEST: c_int = 65_536;
/// `struct stat`: size, and the offsets of st_mode and st_blksize (sys/stat.h).
#[cfg(not(test))]
const STAT: (usize, usize, usize) = (152, 8, 128);
/// A terminal's attributes are asked for with this request (sys/ttycom.h: TIOCGETA), and have this size.
#[cfg(not(test))]
const TIOCGETA: (c_ulong, usize) = (0x402c_7413, 44);

/// The word at an offset of a structure.
#[cfg(not(test))]
fn word(bytes: &[u8], offset: usize) -> u32 {
    bytes.get(offset..offset + 4).and_then(|part| part.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

/// What a descriptor is good for: the size of a buffer, and whether it is a terminal. Unit tests have no descriptors.
#[cfg(test)]
fn describe(_: c_int) -> (c_int, bool) {
    (ORDINARY, false)
}

/// What a descriptor is good for: the size of a buffer, and whether it is a terminal.
#[cfg(not(test))]
fn describe(fd: c_int) -> (c_int, bool) {
    let mut stat = [0u64; STAT.0 / 8];
    // SAFETY: the structure has this size.
    if fd < 0 || unsafe { sys::__fstat50(fd, stat.as_mut_ptr().cast()) } != 0 {
        return (ORDINARY, false);
    }
    // SAFETY: the same memory as bytes.
    let bytes = unsafe { core::slice::from_raw_parts(stat.as_ptr().cast::<u8>(), STAT.0) };
    let size = c_int::try_from(word(bytes, STAT.2)).unwrap_or(ORDINARY).clamp(ORDINARY, GREATEST);
    let is_character_device = word(bytes, STAT.1) & 0o170_000 == 0o020_000;
    let mut attributes = [0u32; TIOCGETA.1 / 4];
    // SAFETY: the request writes as many bytes as the array has.
    let terminal = is_character_device && unsafe { sys::ioctl(fd, TIOCGETA.0, attributes.as_mut_ptr()) } == 0;
    (size, terminal)
}

/// Gives a stream that has no buffer one.
#[cold]
pub(crate) fn make(file: &mut File) {
    if file.has(SWR) || file.has(super::file::SRW) {
        streams::flush_at_exit();
    }
    // The first use that needs a buffer decides; that of wide characters has decided before.
    let ext = file.ext();
    if ext.orientation == 0 {
        ext.orientation = -1;
    }
    if !file.has(SNBF) {
        let saved = crate::errno::get();
        let (size, terminal) = describe(file.fd.into());
        crate::errno::set(saved);
        let base = heap::allocate(size as usize);
        if !base.is_null() {
            file.flags |= SMBF | if terminal { SLBF } else { 0 };
            file.buffer.base = base;
            file.buffer.size = size;
            file.block_size = size;
            file.p = base;
            return;
        }
        file.flags |= SNBF;
    }
    file.buffer.base = &raw mut file.tiny[0];
    file.buffer.size = 1;
    file.p = file.buffer.base;
}

/// setvbuf(3).
///
/// # Safety
/// `stream` is an open stream; `buffer` is null or `size` bytes that are the stream's until it is closed.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn setvbuf(stream: *mut File, buffer: *mut u8, mode: c_int, size: usize) -> c_int {
    const FULL: c_int = 0;
    const LINE: c_int = 1;
    const NONE: c_int = 2;
    if !matches!(mode, FULL | LINE | NONE) || (mode != NONE && size > i32::MAX as usize) {
        return EOF;
    }
    // SAFETY: as this function's own.
    let mut file = unsafe { Locked::new(stream) };
    write::flush(&mut file);
    super::seek::realign(&mut file);
    read::discard(&mut file);
    if file.has(SMBF) {
        // SAFETY: the buffer is from the heap, and the stream does not point into it any more after this function.
        unsafe { heap::free(file.buffer.base) };
    }
    file.flags &= !(SLBF | SNBF | SMBF);
    (file.r, file.w, file.line_size) = (0, 0, 0);
    let mut result = 0;
    if mode == NONE {
        file.flags |= SNBF;
        file.buffer.base = &raw mut file.tiny[0];
        file.buffer.size = 1;
    } else {
        let (wanted, _) = if size == 0 { describe(file.fd.into()) } else { (size as c_int, false) };
        let mut base = if size == 0 { core::ptr::null_mut() } else { buffer };
        if base.is_null() {
            base = heap::allocate(wanted as usize);
            if base.is_null() {
                result = EOF;
                file.flags |= SNBF;
                file.buffer.base = &raw mut file.tiny[0];
                file.buffer.size = 1;
            } else {
                file.flags |= SMBF;
            }
        }
        if !base.is_null() {
            file.buffer.base = base;
            file.buffer.size = wanted;
            file.flags |= if mode == LINE { SLBF } else { 0 };
        }
    }
    file.p = file.buffer.base;
    if file.has(SWR) {
        streams::flush_at_exit();
        write::reset_room(&mut file);
    }
    debug_assert!(!file.has(SRD) || file.r == 0);
    result
}

/// setbuf(3).
///
/// # Safety
/// As for [`setvbuf`], the buffer having 1,024 bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn setbuf(stream: *mut File, buffer: *mut u8) {
    // SAFETY: as this function's own.
    unsafe { setbuffer(stream, buffer, BUFSIZ) };
}

/// setbuffer(3).
///
/// # Safety
/// As for [`setvbuf`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn setbuffer(stream: *mut File, buffer: *mut u8, size: c_int) {
    let mode = if buffer.is_null() { 2 } else { 0 };
    // SAFETY: as this function's own.
    unsafe { setvbuf(stream, buffer, mode, usize::try_from(size).unwrap_or(0)) };
}

/// setlinebuf(3).
///
/// # Safety
/// `stream` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn setlinebuf(stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    unsafe { setvbuf(stream, core::ptr::null_mut(), 1, 0) }
}

/// The address of a slice, for the functions of a cookie.
pub(crate) fn address(bytes: &[u8]) -> *const c_void {
    bytes.as_ptr().cast()
}
