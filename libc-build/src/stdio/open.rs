//! Opening and closing: fopen(3), fdopen(3), freopen(3), fclose(3), funopen(3).

use super::file::{CloseFn, ReadFn, SeekFn, WriteFn};
use super::file::{EOF, File, SAPP, SMBF, SOFF, SRD, SRW, SWR};
use super::lock::Locked;
use super::{descriptor, heap, read, streams, write};
use crate::errno::{self, EBADF, EINVAL, EMFILE};
use crate::sys;
use core::ffi::{c_char, c_int, c_void};
use core::ptr::{null_mut, without_provenance_mut};

/// open(2)'s flags (fcntl.h).
mod flag {
    use core::ffi::c_int;
    pub const RDONLY: c_int = 0;
    pub const WRONLY: c_int = 1;
    pub const RDWR: c_int = 2;
    pub const ACCMODE: c_int = 3;
    pub const APPEND: c_int = 0x8;
    pub const CREAT: c_int = 0x200;
    pub const TRUNC: c_int = 0x400;
    pub const EXCL: c_int = 0x800;
    pub const CLOEXEC: c_int = 0x40_0000;
    pub const REGULAR: c_int = 0x200_0000;
    /// fcntl(2)'s commands.
    pub const F_SETFD: c_int = 2;
    pub const F_GETFL: c_int = 3;
    pub const F_SETFL: c_int = 4;
    pub const FD_CLOEXEC: c_int = 1;
}

/// Reads an opening mode (`"r+"`, `"wbx"`, …): the stream's flags and open(2)'s.
///
/// # Safety
/// `mode` is a string.
pub(crate) unsafe fn parse_mode(mode: *const c_char) -> Option<(u16, c_int)> {
    // SAFETY: as this function's own.
    let mode = unsafe { write::bytes_of(mode) };
    let (&first, rest) = mode.split_first()?;
    let (mut stream, mut access, mut create) = match first {
        b'r' => (SRD, flag::RDONLY, 0),
        b'w' => (SWR, flag::WRONLY, flag::CREAT | flag::TRUNC),
        b'a' => (SWR | SAPP, flag::WRONLY, flag::CREAT | flag::APPEND),
        _ => return None,
    };
    for letter in rest {
        match letter {
            b'+' => {
                stream = stream & SAPP | SRW;
                access = flag::RDWR;
            }
            b'e' => create |= flag::CLOEXEC,
            b'f' => create |= flag::REGULAR,
            b'x' => create |= flag::EXCL,
            b'b' => {}
            _ => break,
        }
    }
    Some((stream, access | create))
}

/// Ties a stream to a descriptor.
fn tie(file: &mut File, fd: c_int) {
    file.fd = fd as i16;
    file.cookie = without_provenance_mut::<c_void>(fd as usize);
    file.close = Some(descriptor::close);
    file.read = Some(descriptor::read);
    file.seek = Some(descriptor::seek);
    file.write = Some(descriptor::write);
    if file.has(SAPP) {
        // Writing happens at the end anyway; ftell(3) should say so before.
        let error = errno::get();
        sys::lseek(fd, 0, 2);
        errno::set(error);
    }
}

/// Opens a file. Returns the descriptor, or -1 with errno set.
///
/// # Safety
/// `path` is a string.
unsafe fn open_path(path: *const c_char, flags: c_int) -> c_int {
    // SAFETY: as this function's own; the mode's promotion is an int.
    let fd = unsafe { sys::open(path, flags, 0o666 as c_int) };
    if fd > i16::MAX.into() {
        sys::close(fd);
        return errno::fail(EMFILE);
    }
    fd
}

/// fopen(3).
///
/// # Safety
/// Both are strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fopen(path: *const c_char, mode: *const c_char) -> *mut File {
    // SAFETY: as this function's own.
    let Some((stream, flags)) = (unsafe { parse_mode(mode) }) else {
        errno::set(EINVAL);
        return null_mut();
    };
    // SAFETY: as this function's own.
    let fd = unsafe { open_path(path, flags) };
    if fd < 0 {
        return null_mut();
    }
    let file = streams::allocate(stream);
    // SAFETY: fresh, if not null.
    match unsafe { file.as_mut() } {
        Some(it) => tie(it, fd),
        None => _ = sys::close(fd),
    }
    file
}

/// fdopen(3).
///
/// # Safety
/// `mode` is a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fdopen(fd: c_int, mode: *const c_char) -> *mut File {
    // SAFETY: as this function's own.
    let Some((stream, wanted)) = (unsafe { parse_mode(mode) }) else {
        errno::set(EINVAL);
        return null_mut();
    };
    if fd > i16::MAX.into() {
        errno::set(EMFILE);
        return null_mut();
    }
    // SAFETY: the command takes no argument.
    let flags = unsafe { sys::fcntl(fd, flag::F_GETFL, 0 as c_int) };
    if flags < 0 {
        return null_mut();
    }
    let (has, wants) = (flags & flag::ACCMODE, wanted & flag::ACCMODE);
    if has != flag::RDWR && has != wants {
        errno::set(EINVAL);
        return null_mut();
    }
    let file = streams::allocate(stream);
    // SAFETY: fresh, if not null; the commands take an int.
    unsafe {
        if let Some(it) = file.as_mut() {
            tie(it, fd);
            if wanted & flag::APPEND != 0 && flags & flag::APPEND == 0 {
                sys::fcntl(fd, flag::F_SETFL, flags | flag::APPEND);
            }
            if wanted & flag::CLOEXEC != 0 {
                sys::fcntl(fd, flag::F_SETFD, flag::FD_CLOEXEC);
            }
        }
    }
    file
}

/// Writes what is pending, closes the cookie and frees what the stream has. Returns whether all went well.
fn finish(file: &mut File) -> bool {
    let mut good = write::flush(file);
    read::discard(file);
    if let Some(close) = file.close {
        // SAFETY: the function belongs to the cookie, which is not used again.
        good &= unsafe { close(file.cookie) } >= 0;
    }
    let ext = file.ext();
    let line = core::mem::replace(&mut ext.line, null_mut());
    ext.line_size = 0;
    ext.orientation = 0;
    // SAFETY: both are the stream's, from the heap, and nothing points to them any more.
    unsafe {
        heap::free(line);
        if file.has(SMBF) {
            heap::free(file.buffer.base);
        }
    }
    file.buffer.base = null_mut();
    file.buffer.size = 0;
    file.p = null_mut();
    (file.r, file.w, file.line_size, file.flags) = (0, 0, 0, 0);
    (file.close, file.read, file.seek, file.write, file.flush) = (None, None, None, None, None);
    file.fd = -1;
    good
}

/// fclose(3).
///
/// # Safety
/// `stream` is an open stream that nobody uses after this.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fclose(stream: *mut File) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        streams::unlink(stream);
        let good = {
            let mut file = Locked::new(stream);
            if file.flags == 0 {
                return errno::fail(EBADF);
            }
            finish(&mut file)
        };
        streams::free(stream);
        if good { 0 } else { EOF }
    }
}

/// freopen(3). Without a path the descriptor stays, and the mode must be one that it has.
///
/// # Safety
/// `path` is null or a string, `mode` is a string, `stream` an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn freopen(path: *const c_char, mode: *const c_char, stream: *mut File) -> *mut File {
    // SAFETY: as this function's own.
    unsafe {
        let parsed = parse_mode(mode);
        let mut file = Locked::new(stream);
        let Some((flags, wanted)) = parsed else {
            drop(file);
            fclose(stream);
            errno::set(EINVAL);
            return null_mut();
        };
        let old = c_int::from(file.fd);
        if path.is_null() {
            let has = sys::fcntl(old, flag::F_GETFL, 0 as c_int);
            let fits = has >= 0
                && matches!(has & flag::ACCMODE, has if has == flag::RDWR || has == wanted & flag::ACCMODE);
            if !fits {
                drop(file);
                fclose(stream);
                errno::set(if has < 0 { EBADF } else { EINVAL });
                return null_mut();
            }
            file.close = None;
            finish(&mut file);
            file.flags = flags;
            tie(&mut file, old);
            return stream;
        }
        let fd = open_path(path, wanted);
        if fd < 0 {
            let error = errno::get();
            drop(file);
            fclose(stream);
            errno::set(error);
            return null_mut();
        }
        // The new file gets the old one's number, since descriptors 0 to 2 mean something to others.
        let keep = old >= 0
            && file.close.is_some_and(|close| close as usize == descriptor::close as *const () as usize);
        if keep {
            file.close = None;
        }
        finish(&mut file);
        let mut number = fd;
        if keep && fd != old && sys::dup2(fd, old) >= 0 {
            sys::close(fd);
            number = old;
        }
        file.flags = flags;
        tie(&mut file, number);
        stream
    }
}

/// What funopen2(3) keeps for the older interface of funopen(3), whose functions count in ints.
#[repr(C)]
struct Old {
    cookie: *mut c_void,
    read: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, c_int) -> c_int>,
    write: Option<unsafe extern "C" fn(*mut c_void, *const c_void, c_int) -> c_int>,
    seek: Option<SeekFn>,
    close: Option<CloseFn>,
}

/// The size of one transfer through the older interface.
fn clamped(size: usize) -> c_int {
    c_int::try_from(size).unwrap_or(c_int::MAX)
}

unsafe extern "C" fn old_read(cookie: *mut c_void, buffer: *mut c_void, size: usize) -> isize {
    // SAFETY: the cookie was made by `funopen`; the function is the program's own for its cookie.
    unsafe {
        let old = &*cookie.cast::<Old>();
        old.read.map_or(-1, |read| read(old.cookie, buffer, clamped(size)) as isize)
    }
}

unsafe extern "C" fn old_write(cookie: *mut c_void, bytes: *const c_void, size: usize) -> isize {
    // SAFETY: as above.
    unsafe {
        let old = &*cookie.cast::<Old>();
        old.write.map_or(-1, |write| write(old.cookie, bytes, clamped(size)) as isize)
    }
}

unsafe extern "C" fn old_seek(cookie: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: as above.
    unsafe {
        let old = &*cookie.cast::<Old>();
        old.seek.map_or(-1, |seek| seek(old.cookie, offset, whence))
    }
}

unsafe extern "C" fn old_close(cookie: *mut c_void) -> c_int {
    // SAFETY: as above; this is the cookie's last use.
    unsafe {
        let old = &*cookie.cast::<Old>();
        let result = old.close.map_or(0, |close| close(old.cookie));
        heap::free(cookie.cast());
        result
    }
}

/// funopen(3).
///
/// # Safety
/// The functions are made for the cookie.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn funopen(
    cookie: *mut c_void,
    read: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, c_int) -> c_int>,
    write: Option<unsafe extern "C" fn(*mut c_void, *const c_void, c_int) -> c_int>,
    seek: Option<SeekFn>,
    close: Option<CloseFn>,
) -> *mut File {
    let old: *mut Old = heap::allocate(size_of::<Old>()).cast();
    if old.is_null() {
        return null_mut();
    }
    // SAFETY: fresh memory of this size; the functions above are made for it.
    unsafe {
        old.write(Old { cookie, read, write, seek, close });
        let file = funopen2(
            old.cast(),
            read.map(|_| old_read as ReadFn),
            write.map(|_| old_write as WriteFn),
            seek.map(|_| old_seek as SeekFn),
            None,
            Some(old_close),
        );
        if file.is_null() {
            heap::free(old.cast());
        }
        file
    }
}

/// funopen2(3).
///
/// # Safety
/// The functions are made for the cookie.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn funopen2(
    cookie: *mut c_void,
    read: Option<ReadFn>,
    write: Option<WriteFn>,
    seek: Option<SeekFn>,
    flush: Option<CloseFn>,
    close: Option<CloseFn>,
) -> *mut File {
    let flags = match (read, write) {
        (None, None) => {
            errno::set(EINVAL);
            return null_mut();
        }
        (Some(_), None) => SRD,
        (None, Some(_)) => SWR,
        (Some(_), Some(_)) => SRW,
    };
    let file = streams::allocate(flags & !SOFF);
    // SAFETY: fresh, if not null.
    if let Some(it) = unsafe { file.as_mut() } {
        it.cookie = cookie;
        (it.read, it.write, it.seek, it.flush, it.close) = (read, write, seek, flush, close);
    }
    file
}
