//! dirent.h: directory streams over getdents(2), and what walks directories with them.
//!
//! `DIR` is laid out as NetBSD's, because dirfd(3) is a macro that looks into it. A position for telldir(3) is a block's place in the
//! directory and an entry's place in the block; positions are kept with the stream.

pub mod fts;
pub(crate) mod kernel;
pub mod scan;
pub mod walk;

use crate::lock::RawLock;
use crate::stdlib::array::Array;
use crate::stdlib::heap::{free, malloc};
use crate::{errno, sys};
use core::ffi::{c_char, c_int, c_long};
use core::ptr;

/// `struct dirent`; an entry has only as many bytes as its name needs.
#[derive(Debug)]
#[repr(C)]
pub struct Dirent {
    /// The file's number; 0 for an entry that was removed.
    pub fileno: u64,
    /// The entry's length.
    pub reclen: u16,
    /// The name's length.
    pub namlen: u16,
    /// The file's type.
    pub kind: u8,
    /// The name with its end.
    pub name: [c_char; 512],
}

/// DT_WHT.
const WHITEOUT: u8 = 14;
/// DTF_HIDEW.
const HIDE_WHITEOUTS: c_int = 1;
/// O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC.
const OPEN_FLAGS: c_int = 0x4 | 0x0020_0000 | 0x0040_0000;
/// What one getdents(2) is asked for.
const BLOCK_BYTES: usize = 8192;

/// `DIR`.
#[derive(Debug)]
#[repr(C)]
pub struct Dir {
    fd: c_int,
    /// The next entry's place in the block.
    at: c_long,
    /// The bytes in the block.
    filled: c_long,
    block: *mut u8,
    block_bytes: c_int,
    /// Where the block starts in the directory.
    seek: i64,
    positions: *mut Array<Position>,
    flags: c_int,
    lock: RawLock,
    reserved: u32,
}

/// What telldir(3) numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    seek: i64,
    at: c_long,
}

const _: () = assert!(size_of::<Dir>() == 72 && core::mem::offset_of!(Dirent, name) == 13);

/// Makes a stream of a descriptor.
///
/// # Safety
/// The descriptor is a directory's.
unsafe fn stream(fd: c_int, flags: c_int) -> *mut Dir {
    // SAFETY: new blocks of those sizes.
    unsafe {
        let dir = malloc(size_of::<Dir>()).cast::<Dir>();
        let block = malloc(BLOCK_BYTES).cast::<u8>();
        if dir.is_null() || block.is_null() {
            free(dir.cast());
            free(block.cast());
            errno::set(errno::ENOMEM);
            return ptr::null_mut();
        }
        dir.write(Dir {
            fd,
            at: 0,
            filled: 0,
            block,
            block_bytes: BLOCK_BYTES as c_int,
            seek: 0,
            positions: ptr::null_mut(),
            flags,
            lock: RawLock::new(),
            reserved: 0,
        });
        dir
    }
}

/// Opens a directory, with DTF_ flags.
///
/// # Safety
/// `path` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __opendir230(path: *const c_char, flags: c_int) -> *mut Dir {
    // SAFETY: as this function's own.
    unsafe {
        let fd = sys::open(path, OPEN_FLAGS);
        if fd < 0 {
            return ptr::null_mut();
        }
        let dir = stream(fd, flags);
        if dir.is_null() {
            sys::close(fd);
        }
        dir
    }
}

/// Opens a directory.
///
/// # Safety
/// `path` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __opendir30(path: *const c_char) -> *mut Dir {
    // SAFETY: as this function's own.
    unsafe { __opendir230(path, HIDE_WHITEOUTS) }
}

/// Makes a stream of a descriptor, which belongs to the stream from then on.
///
/// # Safety
/// Nobody else uses the descriptor.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fdopendir(fd: c_int) -> *mut Dir {
    let Some(stat) = walk::stat_of(fd) else { return ptr::null_mut() };
    if stat.mode & walk::KIND_BITS != walk::DIRECTORY {
        errno::set(errno::ENOTDIR);
        return ptr::null_mut();
    }
    // SAFETY: as this function's own.
    unsafe { stream(fd, HIDE_WHITEOUTS) }
}

/// Closes a directory.
///
/// # Safety
/// `dir` is open.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn closedir(dir: *mut Dir) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let fd = (*dir).fd;
        if !(*dir).positions.is_null() {
            drop((*dir).positions.read());
            free((*dir).positions.cast());
        }
        free((*dir).block.cast());
        free(dir.cast());
        sys::close(fd)
    }
}

/// The stream's descriptor.
///
/// # Safety
/// `dir` is open.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn dirfd(dir: *mut Dir) -> c_int {
    // SAFETY: as this function's own.
    unsafe { (*dir).fd }
}

impl Dir {
    /// The next entry, or null at the end and where getdents(2) failed.
    fn next(&mut self) -> *mut Dirent {
        loop {
            if self.at >= self.filled {
                self.seek = sys::lseek(self.fd, 0, 1);
                // SAFETY: the block has that many bytes.
                let got = unsafe {
                    kernel::__getdents30(self.fd, self.block.cast(), self.block_bytes.unsigned_abs() as usize)
                };
                if got <= 0 {
                    (self.at, self.filled) = (0, 0);
                    return ptr::null_mut();
                }
                (self.at, self.filled) = (0, got.into());
            }
            // SAFETY: the kernel puts whole entries into the block, each at a multiple of eight.
            let entry: *mut Dirent = unsafe { self.block.offset(self.at as isize) }.cast();
            // SAFETY: the fixed part of an entry in the block.
            let (fileno, reclen, kind) = unsafe { ((*entry).fileno, (*entry).reclen, (*entry).kind) };
            if reclen == 0 {
                (self.at, self.filled) = (0, 0);
                return ptr::null_mut();
            }
            self.at += c_long::from(reclen);
            if fileno != 0 && !(kind == WHITEOUT && self.flags & HIDE_WHITEOUTS != 0) {
                return entry;
            }
        }
    }
}

/// Runs `work` on a stream that belongs to this thread meanwhile.
///
/// # Safety
/// `dir` is open.
unsafe fn locked<T>(dir: *mut Dir, work: impl FnOnce(&mut Dir) -> T) -> T {
    // SAFETY: as this function's own; the lock is taken before the rest is touched.
    unsafe {
        (*dir).lock.acquire();
        let result = work(&mut *dir);
        (*dir).lock.release();
        result
    }
}

/// The next entry, valid until the next call; null after the last.
///
/// # Safety
/// `dir` is open.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __readdir30(dir: *mut Dir) -> *mut Dirent {
    // SAFETY: as this function's own.
    unsafe { locked(dir, Dir::next) }
}

/// Copies the next entry; `found` becomes null after the last.
///
/// # Safety
/// `dir` is open, the others are writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __readdir_r30(dir: *mut Dir, entry: *mut Dirent, found: *mut *mut Dirent) -> c_int {
    // SAFETY: as this function's own; an entry's length never exceeds the structure's.
    unsafe {
        let before = errno::get();
        errno::set(0);
        let next = locked(dir, Dir::next);
        let error = errno::get();
        errno::set(before);
        if next.is_null() {
            *found = next;
            return error;
        }
        let length = usize::from((*next).reclen).min(size_of::<Dirent>());
        crate::string::copy::memcpy(entry.cast(), next.cast_const().cast(), length);
        *found = entry;
        0
    }
}

/// Goes back to the start.
///
/// # Safety
/// `dir` is open.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn rewinddir(dir: *mut Dir) {
    // SAFETY: as this function's own.
    unsafe {
        locked(dir, |dir| {
            sys::lseek(dir.fd, 0, 0);
            (dir.at, dir.filled, dir.seek) = (0, 0, 0);
        });
    }
}

/// The position of the next entry, for seekdir(3); -1 without memory.
///
/// # Safety
/// `dir` is open.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn telldir(dir: *mut Dir) -> c_long {
    // SAFETY: as this function's own; the positions' block is made here.
    unsafe {
        locked(dir, |dir| {
            if dir.positions.is_null() {
                dir.positions = malloc(size_of::<Array<Position>>()).cast();
                if dir.positions.is_null() {
                    return -1;
                }
                dir.positions.write(Array::new());
            }
            let here = if dir.at >= dir.filled {
                Position { seek: sys::lseek(dir.fd, 0, 1), at: 0 }
            } else {
                Position { seek: dir.seek, at: dir.at }
            };
            let positions = &mut *dir.positions;
            let index = positions.iter().position(|&known| known == here);
            let index = index.or_else(|| positions.push(here).is_ok().then(|| positions.len() - 1));
            index.map_or(-1, |index| index as c_long)
        })
    }
}

/// Goes to a position that telldir(3) told.
///
/// # Safety
/// `dir` is open.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn seekdir(dir: *mut Dir, position: c_long) {
    // SAFETY: as this function's own.
    unsafe {
        locked(dir, |dir| {
            let known = dir.positions.as_ref().zip(usize::try_from(position).ok());
            let Some(&wanted) = known.and_then(|(positions, index)| positions.get(index)) else { return };
            sys::lseek(dir.fd, wanted.seek, 0);
            (dir.at, dir.filled) = (0, 0);
            while dir.at < wanted.at && !dir.next().is_null() {}
        });
    }
}
