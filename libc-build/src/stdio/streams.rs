//! All open streams: the three standard ones, and a list of the others.
//!
//! Lock order: the list before a stream. Who holds a stream and wants others (a read that flushes terminals) only tries.

use super::file::{Ext, File, SLBF, SNBF, SRD, SWR};
use super::lock::{Locked, release, try_acquire};
use super::{descriptor, heap, write};
use crate::lock::Lock;
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::ptr::{null_mut, without_provenance_mut};

/// The standard streams, as the ABI has them: `stdin`, `stdout`, `stderr`.
#[repr(transparent)]
#[derive(Debug)]
pub struct Standard(UnsafeCell<[File; 3]>);

// SAFETY: a stream is used under its lock; programs that use the header's macros without one answer for it themselves.
unsafe impl Sync for Standard {}

/// The extensions of the standard streams.
struct StandardExt(UnsafeCell<[Ext; 3]>);

// SAFETY: reached through their streams only.
unsafe impl Sync for StandardExt {}

static STANDARD_EXT: StandardExt = StandardExt(UnsafeCell::new([Ext::new(), Ext::new(), Ext::new()]));

/// A standard stream.
const fn standard(fd: i16, flags: u16) -> File {
    let mut file = File::new(STANDARD_EXT.0.get().cast::<Ext>().wrapping_add(fd as usize));
    file.flags = flags;
    file.fd = fd;
    file.cookie = without_provenance_mut::<c_void>(fd as usize);
    file.close = Some(descriptor::close);
    file.read = Some(descriptor::read);
    file.seek = Some(descriptor::seek);
    file.write = Some(descriptor::write);
    file
}

/// `stdin`, `stdout` and `stderr`.
#[cfg_attr(test, expect(non_upper_case_globals, reason = "the ABI's name"))]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub static __sF: Standard =
    Standard(UnsafeCell::new([standard(0, SRD), standard(1, SWR), standard(2, SWR | SNBF)]));

impl Standard {
    /// The address of a standard stream.
    pub(crate) const fn get(&self, index: usize) -> *mut File {
        self.0.get().cast::<File>().wrapping_add(index)
    }
}

/// `stdin`.
pub(crate) fn stdin() -> *mut File {
    __sF.get(0)
}

/// `stdout`.
pub(crate) fn stdout() -> *mut File {
    __sF.get(1)
}

/// `stderr`.
pub(crate) fn stderr() -> *mut File {
    __sF.get(2)
}

/// The head of the list of the other streams.
struct Head(*mut File);

// SAFETY: the list is walked and changed under its lock.
unsafe impl Send for Head {}

static LIST: Lock<Head> = Lock::new(Head(null_mut()));

/// A stream with its extension, as one piece of heap.
#[repr(C)]
struct Allocated {
    file: File,
    ext: Ext,
}

/// Makes a stream and puts it in the list. Null, with errno set, where memory is lacking.
pub(crate) fn allocate(flags: u16) -> *mut File {
    let it: *mut Allocated = heap::allocate(size_of::<Allocated>()).cast();
    if it.is_null() {
        return null_mut();
    }
    // SAFETY: fresh memory of the right size, aligned to 16 as malloc(3) does.
    unsafe {
        (&raw mut (*it).ext).write(Ext::new());
        (&raw mut (*it).file).write(File::new(&raw mut (*it).ext));
        (*it).file.flags = flags;
    }
    let file: *mut File = it.cast();
    let mut head = LIST.lock();
    // SAFETY: the streams in the list are alive, and their links are changed under the list's lock only.
    unsafe {
        (*it).ext.next = head.0;
        if let Some(next) = head.0.as_mut() {
            (*next.ext).previous = file;
        }
    }
    head.0 = file;
    file
}

/// Whether it is one of the standard streams, which are never freed.
fn is_standard(file: *mut File) -> bool {
    (0..3).any(|i| __sF.get(i) == file)
}

/// Takes a stream out of the list, so that nobody else finds it.
///
/// # Safety
/// `file` is an open stream.
pub(crate) unsafe fn unlink(file: *mut File) {
    if is_standard(file) {
        return;
    }
    let mut head = LIST.lock();
    // SAFETY: as in `allocate`.
    unsafe {
        let (next, previous) = ((*(*file).ext).next, (*(*file).ext).previous);
        if let Some(next) = next.as_mut() {
            (*next.ext).previous = previous;
        }
        match previous.as_mut() {
            Some(previous) => (*previous.ext).next = next,
            None if head.0 == file => head.0 = next,
            None => {}
        }
    }
}

/// Frees a stream that was taken out of the list.
///
/// # Safety
/// Nobody uses the stream any more.
pub(crate) unsafe fn free(file: *mut File) {
    if !is_standard(file) {
        // SAFETY: made by `allocate`, and not used any more.
        unsafe { heap::free(file.cast()) };
    }
}

/// Goes through all streams.
fn walk(visit: &mut dyn FnMut(*mut File)) {
    for i in 0..3 {
        visit(__sF.get(i));
    }
    let head = LIST.lock();
    let mut at = head.0;
    while !at.is_null() {
        visit(at);
        // SAFETY: streams stay in the list while its lock is held.
        at = unsafe { (*(*at).ext).next };
    }
}

/// Flushes every stream that has something to be written. Returns whether all of them could.
pub(crate) fn flush_all() -> bool {
    let mut good = true;
    walk(&mut |file| {
        // SAFETY: the stream is alive. Whether anything is pending is looked at without the lock, so that one that another
        // thread reads, perhaps forever, is not waited for.
        unsafe {
            if (*file).pending() != 0 {
                good &= write::flush(&mut Locked::new(file));
            }
        }
    });
    good
}

/// Flushes the line-buffered streams, except those in use: before a read from a terminal.
pub(crate) fn flush_lines() {
    walk(&mut |file| {
        // SAFETY: the stream is alive; its lock is only tried, because the caller holds another stream.
        unsafe {
            if (*file).flags & (SLBF | SWR) == SLBF | SWR && (*file).pending() != 0 && try_acquire(file) {
                write::flush(&mut *file);
                release(file);
            }
        }
    });
}

/// Sees to it that exit(3) flushes: from then on, and in no program that has no streams, it reaches this file.
pub(crate) fn flush_at_exit() {
    crate::process::set_flush(|| _ = flush_all());
}
