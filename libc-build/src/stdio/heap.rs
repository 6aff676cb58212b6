//! The program's heap, as layer 2 itself uses it.

use crate::stdlib::heap as c;

/// malloc(3).
pub(crate) fn allocate(size: usize) -> *mut u8 {
    // SAFETY: any size may be asked for.
    unsafe { c::malloc(size) }.cast()
}

/// realloc(3).
///
/// # Safety
/// `old` is null or from this heap, and not used again if the result is not null.
pub(crate) unsafe fn resize(old: *mut u8, size: usize) -> *mut u8 {
    // SAFETY: as this function's own.
    unsafe { c::realloc(old.cast(), size) }.cast()
}

/// free(3).
///
/// # Safety
/// `old` is null or from this heap, and not used again.
pub(crate) unsafe fn free(old: *mut u8) {
    // SAFETY: as this function's own.
    unsafe { c::free(old.cast()) }
}
