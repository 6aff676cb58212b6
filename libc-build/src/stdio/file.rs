//! `struct __sFILE` (stdio.h): the layout that programs know through the header's macros, and what is private to this folder.
//!
//! `getc` and `putc` are macros in NetBSD's stdio.h: they take from `p` while `r` lasts and put to `p` while `w` lasts (or `line_size` in
//! a line-buffered stream), and call [`super::read::__srget`] and [`super::write::__swbuf`] otherwise. These invariants hold between calls:
//! * a stream that is being read has `w == 0`, one that is being written has `r == 0`;
//! * `line_size` is `-buffer.size` in a line-buffered stream that is being written, otherwise 0.

use super::lock::RecursiveLock;
use crate::wchar::encoding::MbState;
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

/// Line buffered.
pub(crate) const SLBF: u16 = 0x0001;
/// Unbuffered.
pub(crate) const SNBF: u16 = 0x0002;
/// Being read.
pub(crate) const SRD: u16 = 0x0004;
/// Being written.
pub(crate) const SWR: u16 = 0x0008;
/// Open for reading and writing.
pub(crate) const SRW: u16 = 0x0010;
/// End of file met.
pub(crate) const SEOF: u16 = 0x0020;
/// Error met.
pub(crate) const SERR: u16 = 0x0040;
/// The buffer is from malloc(3).
pub(crate) const SMBF: u16 = 0x0080;
/// Opened for appending.
pub(crate) const SAPP: u16 = 0x0100;
/// `offset` is the file's position.
pub(crate) const SOFF: u16 = 0x1000;

/// End of file, or an error.
pub(crate) const EOF: c_int = -1;

/// `struct __sbuf`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    /// Where it begins; null if there is none yet.
    pub(crate) base: *mut u8,
    /// Its size in bytes.
    pub(crate) size: c_int,
}

/// The function that closes a cookie.
pub type CloseFn = unsafe extern "C" fn(*mut c_void) -> c_int;
/// The function that reads from a cookie.
pub type ReadFn = unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> isize;
/// The function that moves a cookie's position.
pub type SeekFn = unsafe extern "C" fn(*mut c_void, i64, c_int) -> i64;
/// The function that writes to a cookie.
pub type WriteFn = unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> isize;

/// `FILE`.
#[repr(C)]
#[derive(Debug)]
pub struct File {
    /// The position in the buffer.
    pub(crate) p: *mut u8,
    /// Bytes left for `getc`.
    pub(crate) r: c_int,
    /// Bytes left for `putc`.
    pub(crate) w: c_int,
    /// The flags above.
    pub(crate) flags: u16,
    /// The descriptor, or -1.
    pub(crate) fd: i16,
    /// The buffer.
    pub(crate) buffer: Buffer,
    /// 0 or `-buffer.size`.
    pub(crate) line_size: c_int,
    /// What the functions are given; for a descriptor, its number.
    pub(crate) cookie: *mut c_void,
    /// Closes the cookie.
    pub(crate) close: Option<CloseFn>,
    /// Reads.
    pub(crate) read: Option<ReadFn>,
    /// Seeks.
    pub(crate) seek: Option<SeekFn>,
    /// Writes.
    pub(crate) write: Option<WriteFn>,
    /// What the header does not tell programs.
    pub(crate) ext: *mut Ext,
    /// The other half of `_ext`.
    unused_size: c_int,
    /// `p` before characters were pushed back.
    pub(crate) saved_p: *mut u8,
    /// `r` before characters were pushed back.
    pub(crate) saved_r: c_int,
    /// Not used: `_ubuf`.
    unused_ubuf: [u8; 3],
    /// The buffer of an unbuffered stream.
    pub(crate) tiny: [u8; 1],
    /// Flushes the cookie (funopen2(3)).
    pub(crate) flush: Option<CloseFn>,
    /// `_lb_unused`.
    unused_lb: [u8; 8],
    /// The block size of the file.
    pub(crate) block_size: c_int,
    /// The file's position, if [`SOFF`] is set.
    pub(crate) offset: i64,
}

/// Characters that can be pushed back when the buffer cannot take them.
pub(crate) const PUSHED: usize = 32;

/// What belongs to a stream and is not in the header.
#[derive(Debug)]
pub(crate) struct Ext {
    /// The stream's lock.
    pub lock: RecursiveLock,
    /// The next stream, and the one before.
    pub next: *mut File,
    /// See `next`.
    pub previous: *mut File,
    /// Characters pushed back, from the end.
    pub pushed: [u8; PUSHED],
    /// Greater than 0: wide oriented, less: byte oriented, 0: not yet.
    pub orientation: i8,
    /// How far a wide character has been read.
    pub input_state: MbState,
    /// Wide characters pushed back.
    pub pushed_wide: [u32; 4],
    /// How many.
    pub pushed_wide_len: u8,
    /// The line of fgetln(3) or fgetwln(3), from malloc(3), and its size in bytes.
    pub line: *mut u8,
    /// See `line`.
    pub line_size: usize,
}

impl Ext {
    /// That of a new stream.
    pub const fn new() -> Self {
        Self {
            lock: RecursiveLock::new(),
            next: null_mut(),
            previous: null_mut(),
            pushed: [0; PUSHED],
            orientation: 0,
            input_state: MbState::new(),
            pushed_wide: [0; 4],
            pushed_wide_len: 0,
            line: null_mut(),
            line_size: 0,
        }
    }
}

impl File {
    /// A stream on nothing.
    pub(crate) const fn new(ext: *mut Ext) -> Self {
        Self {
            p: null_mut(),
            r: 0,
            w: 0,
            flags: 0,
            fd: -1,
            buffer: Buffer { base: null_mut(), size: 0 },
            line_size: 0,
            cookie: null_mut(),
            close: None,
            read: None,
            seek: None,
            write: None,
            ext,
            unused_size: 0,
            saved_p: null_mut(),
            saved_r: 0,
            unused_ubuf: [0; 3],
            tiny: [0],
            flush: None,
            unused_lb: [0; 8],
            block_size: 0,
            offset: 0,
        }
    }

    /// Whether any of the flags is set.
    #[inline]
    pub(crate) fn has(&self, flags: u16) -> bool {
        self.flags & flags != 0
    }

    /// What is private.
    #[inline]
    pub(crate) fn ext(&mut self) -> &mut Ext {
        // SAFETY: every stream has one of its own from its making to its end, and it is reached through the stream only.
        unsafe { &mut *self.ext }
    }

    /// Whether characters pushed back are being read.
    #[inline]
    pub(crate) fn is_pushed(&self) -> bool {
        !self.saved_p.is_null()
    }

    /// Forgets characters that were pushed back; the buffer is being read again.
    pub(crate) fn drop_pushed(&mut self) {
        if self.is_pushed() {
            self.p = self.saved_p;
            self.r = self.saved_r;
            self.saved_p = null_mut();
        }
    }

    /// Bytes that wait to be written.
    #[inline]
    pub(crate) fn pending(&self) -> usize {
        if self.has(SWR) { self.p.addr() - self.buffer.base.addr() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::File;
    use core::mem::offset_of;

    #[test]
    fn has_the_layout_of_the_header() {
        assert_eq!(size_of::<File>(), 152);
        assert_eq!(offset_of!(File, flags), 16);
        assert_eq!(offset_of!(File, buffer), 24);
        assert_eq!(offset_of!(File, line_size), 40);
        assert_eq!(offset_of!(File, cookie), 48);
        assert_eq!(offset_of!(File, ext), 88);
        assert_eq!(offset_of!(File, tiny), 119);
        assert_eq!(offset_of!(File, offset), 144);
    }
}
