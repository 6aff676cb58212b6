//! Transfers at once: rumpuser_iovread, rumpuser_iovwrite, rumpuser_syncfd. Everything is in memory, so none of them waits.

use core::ffi::{c_int, c_void};

use rump_abi::errno::{EBADF, EINVAL};
use rump_hypercall::console;

use super::descriptor::{self, Direction};

/// `RUMPUSER_IOV_NOSEEK`: at the descriptor's own offset.
pub const NOSEEK: i64 = -1;
/// `RUMPUSER_SYNCFD_BOTH`: READ, WRITE or both.
pub const SYNC_BOTH: c_int = 3;
/// `RUMPUSER_SYNCFD_BARRIER` and `RUMPUSER_SYNCFD_SYNC`.
pub const SYNC_HOW: c_int = 12;
/// Standard output and error: the console.
const CONSOLE: [c_int; 2] = [1, 2];

/// `struct rumpuser_iovec`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Iovec {
    /// Where.
    pub base: *mut c_void,
    /// How many bytes.
    pub len: usize,
}

/// Transfers piece by piece until one is not whole. An error counts if nothing was transferred before it.
///
/// # Safety
/// The pieces may be accessed as the direction says.
unsafe fn transfer(fd: c_int, pieces: &[Iovec], offset: i64, direction: Direction) -> Result<usize, c_int> {
    if direction == Direction::Write && CONSOLE.contains(&fd) {
        for piece in pieces.iter().filter(|piece| piece.len > 0) {
            // SAFETY: the caller's promise.
            console::write(unsafe { core::slice::from_raw_parts(piece.base.cast(), piece.len) });
        }
        return Ok(pieces.iter().map(|piece| piece.len).sum());
    }
    let (file, own) = descriptor::file(fd, direction)?;
    let start = if offset == NOSEEK { own } else { u64::try_from(offset).map_err(|_| EINVAL)? };
    let mut done = 0;
    for piece in pieces.iter().filter(|piece| piece.len > 0) {
        let at = start + done as u64;
        let base = piece.base.cast::<u8>();
        // SAFETY: the caller's promise.
        let moved = unsafe {
            match direction {
                Direction::Read => file.read(at, core::slice::from_raw_parts_mut(base, piece.len)),
                Direction::Write => file.write(at, core::slice::from_raw_parts(base, piece.len)),
            }
        };
        match moved {
            Ok(moved) => done += moved,
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
        if moved != Ok(piece.len) {
            break;
        }
    }
    if offset == NOSEEK {
        descriptor::seek(fd, start + done as u64);
    }
    Ok(done)
}

/// # Safety
/// As the functions below.
unsafe fn vector(
    fd: c_int,
    iov: *const Iovec,
    count: usize,
    offset: i64,
    done: *mut usize,
    direction: Direction,
) -> c_int {
    let pieces = if count == 0 {
        &[]
    } else {
        // SAFETY: the caller's promise.
        unsafe { core::slice::from_raw_parts(iov, count) }
    };
    // SAFETY: the caller's promise.
    let (error, transferred) = match unsafe { transfer(fd, pieces, offset, direction) } {
        Ok(transferred) => (0, transferred),
        Err(error) => (error, 0),
    };
    // SAFETY: the caller's promise.
    unsafe { done.write(transferred) };
    error
}

/// rumpuser_iovread: reads into pieces, at an offset or at the descriptor's own. EBADF if it is not open for reading, EINVAL for an offset below 0 that is not NOSEEK, EISDIR for a directory. At the end, 0 bytes.
///
/// # Safety
/// `iov` has `count` pieces that may be written to; `done` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_iovread(
    fd: c_int,
    iov: *mut Iovec,
    count: usize,
    offset: i64,
    done: *mut usize,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { vector(fd, iov, count, offset, done, Direction::Read) }
}

/// rumpuser_iovwrite: writes from pieces, likewise. Errors as rumpuser_iovread's; ENOSPC behind the end of a disk, ENOMEM without memory. Descriptors 1 and 2 are the console.
///
/// # Safety
/// `iov` has `count` pieces that may be read; `done` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_iovwrite(
    fd: c_int,
    iov: *const Iovec,
    count: usize,
    offset: i64,
    done: *mut usize,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { vector(fd, iov, count, offset, done, Direction::Write) }
}

/// rumpuser_syncfd: what was written is where it is read from, so there is nothing to do. EBADF if it is not open, EINVAL for flags that do not say what.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_syncfd(fd: c_int, flags: c_int, _start: u64, _len: u64) -> c_int {
    if !descriptor::is_open(fd) {
        return EBADF;
    }
    let is_known = flags & SYNC_BOTH != 0 && flags & !(SYNC_BOTH | SYNC_HOW) == 0;
    if is_known { 0 } else { EINVAL }
}
