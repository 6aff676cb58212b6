//! ftw(3), nftw(3): walking a tree of files, by paths. FTW_CHDIR is refused: a walk here never changes the directory.

use super::kernel;
use super::{__opendir30, __readdir30, closedir};
use crate::errno;
use crate::stdlib::array::Array;
use core::ffi::{c_char, c_int};

/// The beginning of `struct stat`; the rest is for the callers.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Stat {
    /// The device.
    pub device: u64,
    /// Type and permissions.
    pub mode: u32,
    /// The file's number.
    pub number: u64,
    /// How many names it has.
    pub links: u32,
    rest: [u64; 15],
}

const _: () = assert!(size_of::<Stat>() == 152);

impl Stat {
    /// Nothing.
    pub const ZERO: Self = Self { device: 0, mode: 0, number: 0, links: 0, rest: [0; 15] };
}

/// S_IFMT.
pub const KIND_BITS: u32 = 0o170_000;
/// S_IFDIR.
pub const DIRECTORY: u32 = 0o040_000;
/// S_IFLNK.
pub const LINK: u32 = 0o120_000;
/// S_IFREG.
pub const REGULAR: u32 = 0o100_000;

/// What fstat(2) says.
#[must_use]
pub fn stat_of(fd: c_int) -> Option<Stat> {
    let mut stat = Stat::ZERO;
    // SAFETY: the structure is as large as NetBSD's.
    (unsafe { kernel::__fstat50(fd, (&raw mut stat).cast()) } == 0).then_some(stat)
}

/// Whether a link at the end of a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// stat(2).
    Follow,
    /// lstat(2).
    Keep,
}

/// What stat(2) or lstat(2) says.
///
/// # Safety
/// `path` is a C string.
#[must_use]
pub unsafe fn stat_at(path: *const c_char, links: Links) -> Option<Stat> {
    let mut stat = Stat::ZERO;
    let place = (&raw mut stat).cast();
    // SAFETY: as this function's own; the structure is as large as NetBSD's.
    let status = unsafe {
        if links == Links::Follow { kernel::__stat50(path, place) } else { kernel::__lstat50(path, place) }
    };
    (status == 0).then_some(stat)
}

/// `struct FTW`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Place {
    base: c_int,
    level: c_int,
}

/// What ftw(3) calls.
pub type Visit = unsafe extern "C" fn(*const c_char, *const Stat, c_int) -> c_int;
/// What nftw(3) calls.
pub type PlacedVisit = unsafe extern "C" fn(*const c_char, *const Stat, c_int, *mut Place) -> c_int;

const FTW_FILE: c_int = 0;
const FTW_DIRECTORY: c_int = 1;
const FTW_UNREADABLE: c_int = 2;
const FTW_AFTER: c_int = 3;
const FTW_NO_STAT: c_int = 4;
const FTW_LINK: c_int = 5;
const FTW_DANGLING: c_int = 6;

const PHYSICAL: c_int = 1;
const ONE_DEVICE: c_int = 2;
const DEPTH_FIRST: c_int = 4;
const CHANGE_DIRECTORY: c_int = 8;

/// A walk.
struct Walk {
    path: Array<u8>,
    visit: Visitor,
    flags: c_int,
    device: u64,
    /// The directories above, against cycles.
    above: Array<(u64, u64)>,
}

#[derive(Clone, Copy)]
enum Visitor {
    Plain(Visit),
    Placed(PlacedVisit),
}

impl Walk {
    /// Calls the visitor for the present path, whose last part starts at `base`.
    ///
    /// # Safety
    /// The path has its end.
    unsafe fn call(&self, stat: &Stat, kind: c_int, base: usize) -> c_int {
        let path = self.path.as_ptr().cast();
        // SAFETY: as nftw(3) promises its visitors.
        unsafe {
            match self.visit {
                Visitor::Plain(visit) => {
                    visit(path, stat, if kind == FTW_DANGLING { FTW_LINK } else { kind })
                }
                Visitor::Placed(visit) => {
                    let mut place = Place { base: base as c_int, level: self.above.len() as c_int };
                    visit(path, stat, kind, &raw mut place)
                }
            }
        }
    }

    /// Visits the file at the present path, and what is below it.
    ///
    /// # Safety
    /// The path has its end.
    unsafe fn file(&mut self, base: usize) -> c_int {
        // SAFETY: the path is a C string throughout; entries' names are, too.
        unsafe {
            let path = self.path.as_ptr().cast::<c_char>();
            let physical = self.flags & PHYSICAL != 0;
            let found = stat_at(path, if physical { Links::Keep } else { Links::Follow });
            let Some(stat) = found.or_else(|| stat_at(path, Links::Keep)) else {
                if self.above.is_empty() {
                    return -1;
                }
                return self.call(&Stat::ZERO, FTW_NO_STAT, base);
            };
            if self.above.is_empty() {
                self.device = stat.device;
            } else if self.flags & ONE_DEVICE != 0 && stat.device != self.device {
                return 0;
            }
            if stat.mode & KIND_BITS != DIRECTORY {
                let kind = match stat.mode & KIND_BITS {
                    LINK if physical => FTW_LINK,
                    LINK => FTW_DANGLING,
                    _ => FTW_FILE,
                };
                return self.call(&stat, kind, base);
            }
            let identity = (stat.device, stat.number);
            if !physical && self.above.contains(&identity) {
                return 0;
            }
            self.directory(&stat, identity, base)
        }
    }

    /// Visits a directory and its entries.
    ///
    /// # Safety
    /// The path has its end.
    unsafe fn directory(&mut self, stat: &Stat, identity: (u64, u64), base: usize) -> c_int {
        // SAFETY: as above.
        unsafe {
            let dir = __opendir30(self.path.as_ptr().cast());
            if dir.is_null() {
                return self.call(stat, FTW_UNREADABLE, base);
            }
            let depth_first = self.flags & DEPTH_FIRST != 0;
            let mut status = if depth_first { 0 } else { self.call(stat, FTW_DIRECTORY, base) };
            let length = self.path.len() - 1;
            // "/" ends with its slash already.
            let slash = if self.path.get(..length).is_some_and(|path| path.ends_with(b"/")) { 0 } else { 1 };
            if status == 0 && self.above.push(identity).is_err() {
                status = errno::fail(errno::ENOMEM);
            }
            while status == 0 {
                let entry = __readdir30(dir);
                if entry.is_null() {
                    break;
                }
                let name = core::slice::from_raw_parts(
                    (&raw const (*entry).name).cast::<u8>(),
                    usize::from((*entry).namlen) + 1,
                );
                if matches!(name, b".\0" | b"..\0") {
                    continue;
                }
                self.path.truncate(length);
                let added = if slash == 1 { self.path.push(b'/') } else { Ok(()) };
                status = if added.and_then(|()| self.path.extend(name)).is_err() {
                    errno::fail(errno::ENOMEM)
                } else {
                    self.file(length + slash)
                };
            }
            closedir(dir);
            self.path.truncate(length);
            if self.path.push(0).is_err() {
                return errno::fail(errno::ENOMEM);
            }
            let inside = self.above.len().saturating_sub(1);
            self.above.truncate(inside);
            if status == 0 && depth_first { self.call(stat, FTW_AFTER, base) } else { status }
        }
    }
}

/// Walks the tree at `path`.
///
/// # Safety
/// `path` is a C string.
unsafe fn walk(path: *const c_char, visit: Visitor, flags: c_int) -> c_int {
    // SAFETY: as this function's own.
    let text = unsafe { core::ffi::CStr::from_ptr(path) }.to_bytes_with_nul();
    let Ok(copy) = Array::copied(text) else { return errno::fail(errno::ENOMEM) };
    let base = text.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let mut walk = Walk { path: copy, visit, flags, device: 0, above: Array::new() };
    // SAFETY: the path has its end.
    unsafe { walk.file(if base + 1 < text.len() { base } else { 0 }) }
}

/// Calls `visit` for every file below `path`, directories first.
///
/// # Safety
/// `path` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn ftw(path: *const c_char, visit: Visit, _descriptors: c_int) -> c_int {
    // SAFETY: as this function's own.
    unsafe { walk(path, Visitor::Plain(visit), 0) }
}

/// Calls `visit` for every file below `path`, as the flags say.
///
/// # Safety
/// `path` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn nftw(
    path: *const c_char,
    visit: PlacedVisit,
    _descriptors: c_int,
    flags: c_int,
) -> c_int {
    if flags & CHANGE_DIRECTORY != 0 {
        return errno::fail(errno::EINVAL);
    }
    // SAFETY: as this function's own.
    unsafe { walk(path, Visitor::Placed(visit), flags) }
}
