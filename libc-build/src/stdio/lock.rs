//! A stream's lock, which its owner may take again (flockfile(3)).

use super::file::File;
use crate::lock::RawLock;
use core::ffi::{c_int, c_void};
use core::ops::{Deref, DerefMut};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// What tells the calling thread from others.
#[cfg(not(test))]
#[inline]
fn current() -> *mut c_void {
    crate::thread::current().cast()
}

/// What tells the calling thread from others.
#[cfg(test)]
fn current() -> *mut c_void {
    crate::errno::location().cast()
}

/// A recursive lock.
#[derive(Debug)]
pub(crate) struct RecursiveLock {
    raw: RawLock,
    /// Who has it; only its owner finds itself here.
    owner: AtomicPtr<c_void>,
    /// How often the owner has taken it, less one.
    again: u32,
}

impl RecursiveLock {
    /// A free lock.
    pub const fn new() -> Self {
        Self { raw: RawLock::new(), owner: AtomicPtr::new(null_mut()), again: 0 }
    }
}

/// Takes the lock of a stream.
///
/// # Safety
/// `file` is an open stream.
#[inline]
pub(crate) unsafe fn acquire(file: *mut File) {
    let me = current();
    // SAFETY: the stream is open, so it has its extension. The lock's count is touched by its owner only.
    unsafe {
        let lock = &raw mut (*(*file).ext).lock;
        if (*lock).owner.load(Relaxed) == me {
            (*lock).again += 1;
        } else {
            (*lock).raw.acquire();
            (*lock).owner.store(me, Relaxed);
        }
    }
}

/// Takes the lock of a stream if nobody else has it.
///
/// # Safety
/// `file` is an open stream.
pub(crate) unsafe fn try_acquire(file: *mut File) -> bool {
    let me = current();
    // SAFETY: as for `acquire`.
    unsafe {
        let lock = &raw mut (*(*file).ext).lock;
        if (*lock).owner.load(Relaxed) == me {
            (*lock).again += 1;
            return true;
        }
        let taken = (*lock).raw.try_acquire();
        if taken {
            (*lock).owner.store(me, Relaxed);
        }
        taken
    }
}

/// Gives the lock of a stream back.
///
/// # Safety
/// `file` is an open stream whose lock the calling thread has.
#[inline]
pub(crate) unsafe fn release(file: *mut File) {
    // SAFETY: as for `acquire`.
    unsafe {
        let lock = &raw mut (*(*file).ext).lock;
        if (*lock).again != 0 {
            (*lock).again -= 1;
        } else {
            (*lock).owner.store(null_mut(), Relaxed);
            (*lock).raw.release();
        }
    }
}

/// A stream that the calling thread has locked.
#[derive(Debug)]
pub(crate) struct Locked(*mut File);

impl Locked {
    /// Locks a stream until the value is dropped.
    ///
    /// # Safety
    /// `file` is an open stream, and stays open for as long as the value lives.
    #[inline]
    pub unsafe fn new(file: *mut File) -> Self {
        // SAFETY: as this function's own.
        unsafe { acquire(file) };
        Self(file)
    }
}

impl Deref for Locked {
    type Target = File;
    #[inline]
    fn deref(&self) -> &File {
        // SAFETY: the stream is open and locked by this thread (contract of `new`).
        unsafe { &*self.0 }
    }
}

impl DerefMut for Locked {
    #[inline]
    fn deref_mut(&mut self) -> &mut File {
        // SAFETY: as above.
        unsafe { &mut *self.0 }
    }
}

impl Drop for Locked {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: `new` took the lock.
        unsafe { release(self.0) }
    }
}

/// flockfile(3).
///
/// # Safety
/// `file` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn flockfile(file: *mut File) {
    // SAFETY: as this function's own.
    unsafe { acquire(file) }
}

/// ftrylockfile(3).
///
/// # Safety
/// `file` is an open stream.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn ftrylockfile(file: *mut File) -> c_int {
    // SAFETY: as this function's own.
    if unsafe { try_acquire(file) } { 0 } else { -1 }
}

/// funlockfile(3).
///
/// # Safety
/// `file` is an open stream that the calling thread has locked.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn funlockfile(file: *mut File) {
    // SAFETY: as this function's own.
    unsafe { release(file) }
}
