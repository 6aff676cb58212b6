//! lfind(3), lsearch(3), insque(3), remque(3).

use crate::stdlib::sort::Comparison;
use crate::string::copy::memcpy;
use core::ffi::c_void;
use core::ptr;

/// The element that equals `key`, or null.
///
/// # Safety
/// An array of `*count` elements of `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn lfind(
    key: *const c_void,
    base: *const c_void,
    count: *mut usize,
    size: usize,
    compare: Comparison,
) -> *mut c_void {
    // SAFETY: elements of the array.
    unsafe {
        let elements = (0..*count).map(|index| base.byte_add(index * size));
        elements
            .into_iter()
            .find(|&element| compare(key, element) == 0)
            .map_or(ptr::null_mut(), <*const c_void>::cast_mut)
    }
}

/// [`lfind`] that appends `key` where it was not found.
///
/// # Safety
/// As lfind(3), with room for one more.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn lsearch(
    key: *const c_void,
    base: *mut c_void,
    count: *mut usize,
    size: usize,
    compare: Comparison,
) -> *mut c_void {
    // SAFETY: as this function's own.
    unsafe {
        let found = lfind(key, base, count, size, compare);
        if !found.is_null() {
            return found;
        }
        let end = base.byte_add(*count * size);
        *count += 1;
        memcpy(end, key, size)
    }
}

/// An element of a list: its two links come first.
#[repr(C)]
struct Link {
    next: *mut Link,
    previous: *mut Link,
}

/// Puts `element` behind `after` in a list; null starts one.
///
/// # Safety
/// Both begin with two links.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn insque(element: *mut c_void, after: *mut c_void) {
    let (element, after) = (element.cast::<Link>(), after.cast::<Link>());
    // SAFETY: as this function's own.
    unsafe {
        if after.is_null() {
            (*element).next = ptr::null_mut();
            (*element).previous = ptr::null_mut();
            return;
        }
        (*element).next = (*after).next;
        (*element).previous = after;
        if !(*after).next.is_null() {
            (*(*after).next).previous = element;
        }
        (*after).next = element;
    }
}

/// Takes `element` out of its list.
///
/// # Safety
/// It is in a list.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn remque(element: *mut c_void) {
    let element = element.cast::<Link>();
    // SAFETY: as this function's own.
    unsafe {
        if !(*element).next.is_null() {
            (*(*element).next).previous = (*element).previous;
        }
        if !(*element).previous.is_null() {
            (*(*element).previous).next = (*element).next;
        }
    }
}
