//! Objects with a mapping of their own.
//!
//! The mapping begins with a header, where a segment would have its own; the object follows at a distance of its alignment, at least 64 bytes.
//! An object that is aligned to a segment or more has no room for a header before it at the place where one is looked for. Such objects
//! are kept in a list, and recognised by their address being a multiple of a segment's size: no other object's is.

use super::class::PAGE;
use super::os::{self, SEGMENT};
use crate::lock::Lock;
use core::ptr::null_mut;

/// What precedes an object.
#[repr(C)]
pub struct Header {
    /// [`Header::mark`].
    pub magic: usize,
    /// Bytes in the mapping.
    len: usize,
    /// Bytes from the header to the object.
    offset: usize,
}

impl Header {
    /// The mark of the header at `at`.
    pub fn mark(at: *mut Header) -> usize {
        at.addr() ^ 0x1a26_e0b1_ec75_a0de
    }
}

/// An object aligned to a segment or more, in the list.
#[derive(Clone, Copy)]
#[repr(C)]
struct Aligned {
    next: *mut Aligned,
    object: *mut u8,
    len: usize,
    map: *mut u8,
    map_len: usize,
}

struct List(*mut Aligned);
// SAFETY: reached only under the lock.
unsafe impl Send for List {}

static ALIGNED: Lock<List> = Lock::new(List(null_mut()));

/// Allocates `size` bytes at a multiple of `align` (a power of two); zeroed; null without memory.
pub fn allocate(size: usize, align: usize) -> *mut u8 {
    if align >= SEGMENT {
        return allocate_aligned(size, align);
    }
    let offset = align.max(64);
    let Some(len) = size.checked_add(offset + PAGE - 1).map(|len| len & !(PAGE - 1)) else {
        return null_mut();
    };
    if isize::try_from(len).is_err() {
        return null_mut();
    }
    let header = os::map(len).cast::<Header>();
    if header.is_null() {
        return null_mut();
    }
    // SAFETY: the mapping is fresh and larger than a header.
    unsafe { header.write(Header { magic: Header::mark(header), len, offset }) };
    header.cast::<u8>().wrapping_add(offset)
}

fn allocate_aligned(size: usize, align: usize) -> *mut u8 {
    let Some(len) =
        size.checked_add(align).and_then(|len| len.checked_add(PAGE - 1)).map(|len| len & !(PAGE - 1))
    else {
        return null_mut();
    };
    // SAFETY: malloc has no conditions.
    let entry = unsafe { super::malloc(size_of::<Aligned>()) }.cast::<Aligned>();
    if entry.is_null() {
        return null_mut();
    }
    let map = os::map(len);
    if map.is_null() {
        // SAFETY: just allocated.
        unsafe { super::free(entry.cast()) };
        return null_mut();
    }
    let object = map.wrapping_add(map.addr().wrapping_neg() % align);
    let mut list = ALIGNED.lock();
    // SAFETY: the entry was just allocated.
    unsafe { entry.write(Aligned { next: list.0, object, len: size, map, map_len: len }) };
    list.0 = entry;
    object
}

/// The bytes of an object at a multiple of a segment's size; `None` if there is none.
pub fn aligned_len(object: *mut u8) -> Option<usize> {
    let list = ALIGNED.lock();
    let mut at = list.0;
    while !at.is_null() {
        // SAFETY: the list holds live entries.
        let entry = unsafe { &*at };
        if entry.object == object {
            return Some(entry.len);
        }
        at = entry.next;
    }
    None
}

/// Frees an object at a multiple of a segment's size; false if there is none.
///
/// # Safety
/// If it is one, nobody uses it.
pub unsafe fn free_aligned(object: *mut u8) -> bool {
    let mut list = ALIGNED.lock();
    let mut link = &raw mut list.0;
    // SAFETY: the list holds live entries, and is this thread's under the lock.
    unsafe {
        while !(*link).is_null() {
            let entry = *link;
            if (*entry).object == object {
                *link = (*entry).next;
                drop(list);
                os::unmap((*entry).map, (*entry).map_len);
                super::free(entry.cast());
                return true;
            }
            link = &raw mut (*entry).next;
        }
    }
    false
}

/// Bytes that the object behind `header` holds.
///
/// # Safety
/// The header is live.
pub unsafe fn len(header: *mut Header) -> usize {
    // SAFETY: this function's contract.
    unsafe { (*header).len - (*header).offset }
}

/// Frees the object behind `header`; false if `object` is not it.
///
/// # Safety
/// The header is live, and nobody uses the object.
pub unsafe fn free(header: *mut Header, object: *mut u8) -> bool {
    // SAFETY: this function's contract.
    unsafe {
        if header.cast::<u8>().wrapping_add((*header).offset) != object {
            return false;
        }
        os::unmap(header.cast(), (*header).len);
    }
    true
}

/// Gives the pages after the first `size` bytes of the object back.
///
/// # Safety
/// The header is live, `size` is not more than [`len`], and the rest is used no more.
pub unsafe fn shrink(header: *mut Header, size: usize) {
    // SAFETY: this function's contract.
    unsafe {
        let keep = (size + (*header).offset + PAGE - 1) & !(PAGE - 1);
        if keep < (*header).len {
            os::unmap(header.cast::<u8>().wrapping_add(keep), (*header).len - keep);
            (*header).len = keep;
        }
    }
}
