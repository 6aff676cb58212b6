//! Databases that are text files, a line an entry: users and groups, services, protocols, networks, hosts.
//!
//! A lookup reads the file from its start: it is short, and may change. Each database is a [`Table`]; what C asks for it (a lookup into the caller's
//! memory, a lookup into memory of its own, a walk through all entries) is the same for all, and is here.

use crate::errno;
use crate::stdlib::array::Array;
use crate::sys;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int};
use core::mem::MaybeUninit;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering};

/// The largest file that is read.
const FILE_LIMIT_BYTES: usize = 1 << 20;
/// O_CLOEXEC.
const OPEN_FLAGS: c_int = 0x0040_0000;

/// A file's text; `builtin` where there is no such file or nothing in it.
pub(crate) fn text(path: &CStr, builtin: &[u8]) -> Array<u8> {
    let before = errno::get();
    let mut text = Array::new();
    // SAFETY: a C string, and a buffer with its size.
    unsafe {
        let fd = sys::open(path.as_ptr(), OPEN_FLAGS);
        if fd >= 0 {
            let mut part = [0_u8; 512];
            while text.len() < FILE_LIMIT_BYTES {
                let got = sys::read(fd, part.as_mut_ptr().cast(), part.len());
                let Some(got) = usize::try_from(got).ok().filter(|&got| got > 0) else { break };
                if text.extend(part.get(..got).unwrap_or_default()).is_err() {
                    break;
                }
            }
            sys::close(fd);
        }
    }
    errno::set(before);
    if text.is_empty() {
        // Without memory there is no entry at all, which the caller reports.
        let _ = text.extend(builtin);
    }
    text
}

/// The lines that hold something else than a comment.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n').filter(|line| !matches!(line.first(), None | Some(b'#')))
}

/// The words of a line, without the comment at its end.
pub(crate) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// A decimal number.
pub(crate) fn number(text: &[u8]) -> Option<u32> {
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// Memory of the caller's that an entry's strings and lists are put into.
pub(crate) struct Room {
    at: *mut c_char,
    left: usize,
}

impl Room {
    /// `size` bytes at `at`.
    ///
    /// # Safety
    /// They are the caller's, for as long as the room is used.
    pub(crate) unsafe fn new(at: *mut c_char, size: usize) -> Self {
        Self { at, left: size }
    }

    /// Copies bytes; None where they do not fit.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Option<*mut c_char> {
        let rest = self.left.checked_sub(bytes.len())?;
        let start = self.at;
        // SAFETY: there is room for as many bytes.
        unsafe {
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), start.cast(), bytes.len());
            self.at = start.add(bytes.len());
        }
        self.left = rest;
        Some(start)
    }

    /// Copies a string with its end; None where it does not fit.
    pub(crate) fn string(&mut self, text: &[u8]) -> Option<*mut c_char> {
        let start = self.bytes(text)?;
        self.bytes(&[0])?;
        Some(start)
    }

    /// Copies bytes to where any object may lie; None where they do not fit.
    pub(crate) fn object(&mut self, bytes: &[u8]) -> Option<*mut c_char> {
        self.pointers(0)?;
        self.bytes(bytes)
    }

    /// Room for `count` pointers.
    pub(crate) fn pointers(&mut self, count: usize) -> Option<*mut *mut c_char> {
        let padding = self.at.align_offset(align_of::<*mut c_char>());
        let bytes = count.checked_mul(size_of::<*mut c_char>())?.checked_add(padding)?;
        let rest = self.left.checked_sub(bytes)?;
        let start = self.at.wrapping_add(padding).cast();
        self.at = self.at.wrapping_add(bytes);
        self.left = rest;
        Some(start)
    }

    /// A list of copies, each made by `copy`, with a null pointer at its end.
    pub(crate) fn list<T>(
        &mut self,
        items: impl Iterator<Item = T> + Clone,
        mut copy: impl FnMut(&mut Self, T) -> Option<*mut c_char>,
    ) -> Option<*mut *mut c_char> {
        let list = self.pointers(items.clone().count() + 1)?;
        let mut at = list;
        for item in items {
            let item = copy(self, item)?;
            // SAFETY: there is room for all items and the end.
            unsafe {
                at.write(item);
                at = at.add(1);
            }
        }
        // SAFETY: as above.
        unsafe { at.write(null_mut()) };
        Some(list)
    }

    /// A list of copies of strings, with a null pointer at its end.
    pub(crate) fn strings<'a>(
        &mut self,
        strings: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Option<*mut *mut c_char> {
        self.list(strings, Self::string)
    }
}

/// A database of which each entry is a line.
pub(crate) trait Table {
    /// A line's fields.
    type Fields<'a>;
    /// The structure that C knows.
    type Entry;
    /// Where the file is.
    const PATH: &'static CStr;
    /// What is known where there is no file.
    const BUILTIN: &'static [u8];

    /// Takes a line apart; None where it is none of this database.
    fn parse(line: &[u8]) -> Option<Self::Fields<'_>>;
    /// Writes an entry out; None where there is no room.
    fn write(fields: &Self::Fields<'_>, room: &mut Room) -> Option<Self::Entry>;
}

/// Writes out the first entry that is wanted, by its place and its fields; `found` is null where there is none.
///
/// # Safety
/// `target` and `found` are writable, `buffer` has `size` bytes.
pub(crate) unsafe fn find<T: Table>(
    mut is_wanted: impl FnMut(usize, &T::Fields<'_>) -> bool,
    target: *mut T::Entry,
    buffer: *mut c_char,
    size: usize,
    found: *mut *mut T::Entry,
) -> c_int {
    let text = text(T::PATH, T::BUILTIN);
    // SAFETY: as this function's own.
    unsafe {
        *found = null_mut();
        for (index, fields) in lines(&text).filter_map(T::parse).enumerate() {
            if is_wanted(index, &fields) {
                let Some(entry) = T::write(&fields, &mut Room::new(buffer, size)) else {
                    return errno::ERANGE;
                };
                target.write(entry);
                *found = target;
                break;
            }
        }
    }
    0
}

/// Where the functions that give no memory keep their result, and the place of the walk through all entries.
pub(crate) struct Shared<T: Table, const N: usize> {
    kept: UnsafeCell<(MaybeUninit<T::Entry>, [c_char; N])>,
    next: AtomicUsize,
}

// SAFETY: POSIX does not let two threads call the functions that use it at once.
unsafe impl<T: Table, const N: usize> Sync for Shared<T, N> {}

impl<T: Table, const N: usize> Shared<T, N> {
    /// Nothing is kept yet.
    pub(crate) const fn new() -> Self {
        Self { kept: UnsafeCell::new((MaybeUninit::uninit(), [0; N])), next: AtomicUsize::new(0) }
    }

    /// The first entry that is wanted; null where there is none, with errno set where it has no room.
    pub(crate) fn find(&self, is_wanted: impl FnMut(usize, &T::Fields<'_>) -> bool) -> *mut T::Entry {
        let (place, mut found) = (self.kept.get(), null_mut());
        // SAFETY: one thread at a time (documentation of the type).
        let error = unsafe {
            let (entry, buffer) = (&raw mut (*place).0, &raw mut (*place).1);
            find::<T>(is_wanted, entry.cast(), buffer.cast(), N, &raw mut found)
        };
        if error != 0 {
            errno::set(error);
        }
        found
    }

    /// The next entry of the walk.
    pub(crate) fn next(&self) -> *mut T::Entry {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.find(|index, _| index == next)
    }

    /// The next entry of the walk, in the caller's memory.
    ///
    /// # Safety
    /// As [`find`].
    pub(crate) unsafe fn next_into(
        &self,
        target: *mut T::Entry,
        buffer: *mut c_char,
        size: usize,
        found: *mut *mut T::Entry,
    ) -> c_int {
        let next = self.next.load(Ordering::Relaxed);
        // SAFETY: as this function's own.
        let error = unsafe { find::<T>(|index, _| index == next, target, buffer, size, found) };
        // An entry for which there was no room comes again.
        if error == 0 {
            self.next.store(next + 1, Ordering::Relaxed);
        }
        error
    }

    /// Goes back to the first entry.
    pub(crate) fn rewind(&self) {
        self.next.store(0, Ordering::Relaxed);
    }

    /// Keeps an entry that is not of the file; null where it has no room.
    pub(crate) fn fill(&self, write: impl FnOnce(&mut Room) -> Option<T::Entry>) -> *mut T::Entry {
        let place = self.kept.get();
        // SAFETY: one thread at a time (documentation of the type); the buffer with its size.
        unsafe {
            let (entry, buffer): (*mut T::Entry, *mut c_char) =
                ((&raw mut (*place).0).cast(), (&raw mut (*place).1).cast());
            let Some(written) = write(&mut Room::new(buffer, N)) else {
                errno::set(errno::ERANGE);
                return null_mut();
            };
            entry.write(written);
            entry
        }
    }

    /// Keeps a string instead of an entry.
    pub(crate) fn keep(&self, text: &[u8]) -> *mut c_char {
        // SAFETY: one thread at a time (documentation of the type).
        let buffer: *mut c_char = unsafe { &raw mut (*self.kept.get()).1 }.cast();
        // SAFETY: the buffer with its size.
        unsafe { Room::new(buffer, N) }.string(text).unwrap_or(null_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_lines() {
        let mut words = words(b"  http\t80/tcp www # the web");
        assert_eq!(words.next(), Some(b"http".as_slice()));
        assert_eq!(words.clone().count(), 2);
        assert_eq!(lines(b"# one\n\ntwo\n#three\nfour").collect::<Vec<_>>(), [b"two".as_slice(), b"four"]);
        assert_eq!((number(b"12"), number(b"1x"), number(b"")), (Some(12), None, None));
    }

    #[test]
    fn a_room_has_an_end() {
        let mut memory = [0; 32];
        // SAFETY: the memory with its size.
        let mut room = unsafe { Room::new(memory.as_mut_ptr(), memory.len()) };
        assert!(room.string(b"abc").is_some() && room.strings([b"x".as_slice()].into_iter()).is_some());
        assert!(room.strings([b"y".as_slice()].into_iter()).is_none());
        assert!(room.string(&[b'z'; 40]).is_none());
    }
}
