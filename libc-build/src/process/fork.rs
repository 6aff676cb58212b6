//! fork(2) with the handlers of pthread_atfork(3).
//!
//! Handlers stand in a list, the last registered first: those that run before the fork run in that order, those that run after it in the order of registration.

use crate::lock::Lock;
use crate::stdlib::heap::malloc;
use core::ffi::c_int;
use core::ptr::null_mut;

/// A handler.
type Handler = unsafe extern "C" fn();

/// What one call registered.
struct Entry {
    before: Option<Handler>,
    parent: Option<Handler>,
    child: Option<Handler>,
    /// Registered before this one.
    older: *mut Entry,
    /// Registered after this one.
    newer: *mut Entry,
}

/// The ends of the list.
struct List {
    newest: *mut Entry,
    oldest: *mut Entry,
}

// SAFETY: entries are never changed but under the lock, and never freed.
unsafe impl Send for List {}

static LIST: Lock<List> = Lock::new(List { newest: null_mut(), oldest: null_mut() });

unsafe extern "C" {
    /// The call itself.
    fn __fork() -> c_int;
}

/// fork(2).
///
/// # Safety
/// The handlers that were registered can be called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fork() -> c_int {
    let list = LIST.lock();
    let (newest, oldest) = (list.newest, list.oldest);
    // The lock is free again before handlers run, and when the child starts.
    drop(list);
    // SAFETY: entries of the list, which stay; as this function's own.
    unsafe {
        let mut at = newest;
        while let Some(entry) = at.as_ref() {
            if let Some(handler) = entry.before {
                handler();
            }
            at = entry.older;
        }
        let result = __fork();
        let error = crate::errno::get();
        let mut at = oldest;
        while let Some(entry) = at.as_ref() {
            if let Some(handler) = if result == 0 { entry.child } else { entry.parent } {
                handler();
            }
            at = if core::ptr::eq(entry, newest) { null_mut() } else { entry.newer };
        }
        crate::errno::set(error);
        result
    }
}

/// Registers handlers: to run before a fork, after it in the parent, after it in the child. Returns 0 or an error number.
///
/// # Safety
/// They stay callable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_atfork(
    before: Option<Handler>,
    parent: Option<Handler>,
    child: Option<Handler>,
) -> c_int {
    // SAFETY: the block is an entry's size; entries of the list stay.
    unsafe {
        let entry = malloc(size_of::<Entry>()).cast::<Entry>();
        if entry.is_null() {
            return crate::errno::ENOMEM;
        }
        let mut list = LIST.lock();
        entry.write(Entry { before, parent, child, older: list.newest, newer: null_mut() });
        match list.newest.as_mut() {
            Some(newest) => newest.newer = entry,
            None => list.oldest = entry,
        }
        list.newest = entry;
    }
    0
}
