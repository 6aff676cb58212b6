//! Descriptors: rumpuser_open, rumpuser_close, rumpuser_getfileinfo.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ffi::{c_char, c_int};

use rump_abi::errno::{EBADF, EEXIST, EINVAL, EISDIR, ENOENT};
use rump_hypercall::Giant;

use super::store::{self, File, Kind};
use crate::bytes;

/// `RUMPUSER_OPEN_RDONLY`.
pub const RDONLY: c_int = 0;
/// `RUMPUSER_OPEN_WRONLY`.
pub const WRONLY: c_int = 1;
/// `RUMPUSER_OPEN_RDWR`.
pub const RDWR: c_int = 2;
/// `RUMPUSER_OPEN_ACCMODE`.
pub const ACCMODE: c_int = 3;
/// `RUMPUSER_OPEN_CREATE`: make the file if there is none.
pub const CREATE: c_int = 4;
/// `RUMPUSER_OPEN_EXCL`: with CREATE, there must be none.
pub const EXCL: c_int = 8;

/// Descriptors below are the console's.
pub(super) const FIRST: usize = 3;

/// What a transfer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Read,
    Write,
}

#[derive(Clone)]
struct Open {
    file: Arc<File>,
    mode: c_int,
    offset: u64,
}

static OPEN: Giant<Vec<Option<Open>>> = Giant::new(Vec::new());

fn index(fd: c_int) -> Result<usize, c_int> {
    usize::try_from(fd).ok().and_then(|fd| fd.checked_sub(FIRST)).ok_or(EBADF)
}

/// What is open as `fd` for transfers in this direction, with its own offset. EBADF if nothing is.
pub(super) fn file(fd: c_int, direction: Direction) -> Result<(Arc<File>, u64), c_int> {
    let open = OPEN.borrow();
    let open = open.get(index(fd)?).and_then(Option::as_ref).ok_or(EBADF)?;
    let wrong = if direction == Direction::Read { WRONLY } else { RDONLY };
    if open.mode & ACCMODE == wrong { Err(EBADF) } else { Ok((Arc::clone(&open.file), open.offset)) }
}

/// Whether anything is open as `fd`.
pub(super) fn is_open(fd: c_int) -> bool {
    index(fd).is_ok_and(|index| OPEN.borrow().get(index).is_some_and(Option::is_some))
}

/// What is open as `fd`, whatever it is open for.
pub(super) fn open_file(fd: c_int) -> Result<Arc<File>, c_int> {
    let open = OPEN.borrow();
    let open = open.get(index(fd)?).and_then(Option::as_ref).ok_or(EBADF)?;
    Ok(Arc::clone(&open.file))
}

/// Puts another file in the place of what is open as `fd`.
pub(super) fn replace(fd: c_int, file: Arc<File>) -> Result<(), c_int> {
    let mut open = OPEN.borrow_mut();
    let open = open.get_mut(index(fd)?).and_then(Option::as_mut).ok_or(EBADF)?;
    open.file = file;
    Ok(())
}

/// Opens a file under the first free number.
pub(super) fn add(file: Arc<File>, mode: c_int) -> c_int {
    let mut table = OPEN.borrow_mut();
    let free = table.iter().position(Option::is_none).unwrap_or_else(|| {
        table.push(None);
        table.len() - 1
    });
    table[free] = Some(Open { file, mode, offset: 0 });
    (free + FIRST) as c_int
}

/// Sets a descriptor's own offset.
pub(super) fn seek(fd: c_int, offset: u64) {
    if let Ok(index) = index(fd)
        && let Some(Some(open)) = OPEN.borrow_mut().get_mut(index)
    {
        open.offset = offset;
    }
}

fn open(name: &[u8], mode: c_int) -> Result<c_int, c_int> {
    if mode & ACCMODE == ACCMODE {
        return Err(EINVAL);
    }
    let file = match store::find(name) {
        Ok(_) if mode & (CREATE | EXCL) == CREATE | EXCL => return Err(EEXIST),
        Ok(file) => file,
        Err(ENOENT) if mode & CREATE != 0 => store::create(name)?,
        Err(error) => return Err(error),
    };
    if file.kind == Kind::Dir && mode & ACCMODE != RDONLY {
        return Err(EISDIR);
    }
    Ok(add(file, mode))
}

/// rumpuser_open: opens a file. ENOENT if there is no such file and none is to be made, EEXIST if there must not be one, EISDIR for a directory to write to, EINVAL for
/// neither reading nor writing. BIO is a hint that makes no difference here.
///
/// # Safety
/// `name` is a string, and `fd` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_open(name: *const c_char, mode: c_int, fd: *mut c_int) -> c_int {
    // SAFETY: the caller's promise.
    match open(unsafe { bytes(name) }, mode) {
        Ok(opened) => {
            // SAFETY: as above.
            unsafe { fd.write(opened) };
            0
        }
        Err(error) => error,
    }
}

/// rumpuser_close: closes a descriptor. EBADF if it is not open. Block transfers under way are brought to their end.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_close(fd: c_int) -> c_int {
    let taken = index(fd).ok().and_then(|index| OPEN.borrow_mut().get_mut(index).and_then(Option::take));
    if taken.is_some() { 0 } else { EBADF }
}

/// rumpuser_getfileinfo: a file's size and kind. ENOENT if there is no such file.
///
/// # Safety
/// `name` is a string; `size` and `kind` are null or may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_getfileinfo(
    name: *const c_char,
    size: *mut u64,
    kind: *mut c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    let file = match store::find(unsafe { bytes(name) }) {
        Ok(file) => file,
        Err(error) => return error,
    };
    // SAFETY: the caller's promise.
    unsafe {
        if !size.is_null() {
            size.write(file.size());
        }
        if !kind.is_null() {
            kind.write(file.kind as c_int);
        }
    }
    0
}
